#ifndef RF_PROTO_LAYERS_H
#define RF_PROTO_LAYERS_H
// The state of a worker in a fleet, in layers:
//
//     base      the fold of the log of deltas: the same bytes in all workers that have folded as much of it
//     frozen    what this worker learned and has cut, on its way to the log; none while nothing is on its way
//     growing   what it learned since
//     current   base + frozen + growing: what the learner reads and writes
//
// Nothing but current and base is kept whole. What is growing is where current differs from base + frozen, found by what was
// written (rf_state_note_writes) or, of blocks that are not touched, by comparing. So whenever the base moves, current is
// reckoned anew for the rows concerned, and never drifts away from what the log says: if nobody else changed a row, it is to the
// byte what its worker made of it; else + adds the differences by the rule of each column (proto/state_merge.h).
//
// Rows of most blocks stand for themselves. Of keyed blocks, those with places and those that count them, rows belong together
// and are merged as a whole: a delta then holds all rows that are in use, and folding costs the size of these blocks.
//
// One thread, that of the fold. `current` must not be frozen for a snapshot; base may be.
#include "proto/delta.h"

struct rf_layers;

// `current` is borrowed, of a model that has learned nothing; all workers begin with the same bytes. RF_INVALID when a block of
// it cannot be merged, in words.
enum rf_status rf_layers_create(struct rf_state *current, struct rf_layers **layers_out, struct rf_error *err) RF_MUST_USE;
void rf_layers_destroy(struct rf_layers *layers);

struct rf_state *rf_layers_current(struct rf_layers *layers);

// Whether a block is shared: neither wholly derived nor a circumstance.
bool rf_layers_shares(const struct rf_block *block);

// Of the shape of current, with those blocks alone that are shared. To be read; who fills it from a snapshot, before anything is
// learned, then has current begin there.
struct rf_state *rf_layers_base(struct rf_layers *layers);
void rf_layers_begin(struct rf_layers *layers);

// What is growing becomes frozen. Only while nothing is frozen. RF_MEMORY: nothing has changed, and it may be called again.
enum rf_status rf_layers_freeze(struct rf_layers *layers, struct rf_error *err) RF_MUST_USE;
const struct rf_delta *rf_layers_frozen(const struct rf_layers *layers); // NULL: nothing is

// The log goes on by what is frozen here.
enum rf_status rf_layers_fold_own(struct rf_layers *layers, struct rf_error *err) RF_MUST_USE;

// The log goes on by what another worker learned. RF_CORRUPT for keyed rows that do not hold together: base is as it was.
enum rf_status rf_layers_fold(struct rf_layers *layers, const struct rf_delta *delta, struct rf_error *err) RF_MUST_USE;

// What was frozen and growing never was: current is base again.
void rf_layers_drop(struct rf_layers *layers);

#endif
