#ifndef RF_PROTO_STATE_MERGE_H
#define RF_PROTO_STATE_MERGE_H
// Two workers learned apart from a common base: what one of them learned is added to the other.
#include "proto/state.h"

// ours <- ours + (theirs - base), by the rule of each column:
//
//     sum      ours + (theirs - base). Integers, and doubles that hold them below 2^53, exactly
//     max      the larger of ours and theirs
//     decayed  the sum, too: each side's decay of the base counts, so the base decays as often as both saw records, and what
//              was added is decayed by its own side only. Exact without decay, to first order in its rate else
//     mean     (ours + theirs) / 2, of floats; merging a third worker is no longer the mean of three
//     moments  theirs is split into base and the rest, and the rest is joined to ours (Chan, Golub and LeVeque, 1979; the rest
//              by solving their formula for one of its parts):
//
//                  count = n + m,  mean = mean_n + (m / count) d,  scatter = scatter_n + scatter_m + (n m / count) d d',
//                  d = mean_m - mean_n
//
//              Of a matrix each element takes sqrt(n m / count) d of its own row and column: the same where all elements have
//              one count.
//     key      rows meet by key. A key that ours lacks is inserted, in the order of their rows, while there is room; then it is
//              left out with all that belongs to it, as a worker that learned alone would have left it out
//     place    as ours; a new key gets the next place
//     used     counted again
//     derived  zeroed
//
// A row in which one side equals the base becomes that of the other side, to the byte; so do whole states, derived columns too.
// The same three states in the same order give the same bytes. Floats stay finite: sums are cut at the largest double (or float).
//
// The three states are of one shape and live (not restored headers); `ours` may be frozen. RF_CONFLICT, in words, for other
// shapes; RF_INVALID names the block and column whose rule keeps it from being merged; RF_CORRUPT a keyed block that is none.
// Nothing is changed by RF_CONFLICT and RF_INVALID; after RF_CORRUPT or RF_MEMORY `ours` is good for nothing. Allocates.
enum rf_status rf_state_merge(const struct rf_state *base, const struct rf_state *theirs, struct rf_state *ours,
                              struct rf_error *err) RF_MUST_USE;

// RF_INVALID, in words, when a block of the state has a column that keeps it from being merged.
enum rf_status rf_state_merge_check(const struct rf_state *state, struct rf_error *err) RF_MUST_USE;

#endif
