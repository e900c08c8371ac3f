#ifndef RF_LEARNERS_MINI_BATCH_H
#define RF_LEARNERS_MINI_BATCH_H
// The records of the mini-batch in progress. Mini-batches count the records learned, never those that happen to travel
// together, and a snapshot may fall in between: so what was taken and not yet learned is state.
#include "learners/learner.h"
#include "proto/setting.h"
#include "proto/state.h"

#include <stdbool.h>

// How many records a mini-batch has. It may grow in place of a falling rate (Smith, Kindermans, Ying and Le, 2018: "Don't
// decay the learning rate, increase the batch size"): with t the records of all mini-batches before it,
//
//     min(size * growth^floor(t / every), max),     or size where growth is 1
enum { RF_MINI_BATCH_MAX = 1 << 16 };

uint64_t rf_mini_batch_size_at(const struct rf_mini_batch_sizes *sizes, uint64_t records);

// The rows for the settings of what has mini-batches: its options hold the fields of struct rf_mini_batch_sizes.
// clang-format off
#define RF_MINI_BATCH_SETTINGS(type_, size_, size_help_) \
    RF_UINT(type_, size, size_, 1, RF_MINI_BATCH_MAX, 0, size_help_), \
    RF_UINT(type_, growth, "1", 1, 1024, 0, "factor by which mini-batches grow; 1: they do not"), \
    RF_UINT(type_, every, "10000", 1, 1e15, 0, "records after which they grow, again and again"), \
    RF_UINT(type_, max, "1024", 1, RF_MINI_BATCH_MAX, 0, "the size they grow to")
// clang-format on

// How far it is: one row of state.
struct rf_mini_batch_progress {
    uint64_t records; // of the mini-batches that are done
    uint64_t steps;   // taken; a mini-batch may be done without one
    uint64_t taken;   // records of the one in progress
};

struct rf_mini_batch_record {
    double label;
    double weight;
};

struct rf_mini_batch {
    struct rf_mini_batch_sizes sizes;
    size_t capacity;  // records; 1: none is kept
    size_t row_size;  // bytes of a vector
    size_t size;      // of the mini-batch in progress; follows from the progress
    uint64_t size_of; // the records of the progress it was found for
    struct rf_mini_batch_progress *progress;
    unsigned char *vectors;               // [capacity][row_size], NULL where none is kept
    struct rf_mini_batch_record *records; // [capacity]
    struct rf_column vector_column;
    struct rf_block block;    // describes the vectors
    struct rf_block *touched; // what to touch: as listed in a state, or `block`
};

// In place; zeroed before. What is there when it fails, rf_mini_batch_finish() frees. RF_INVALID, in words, when the sizes do
// not go together.
enum rf_status rf_mini_batch_init(struct rf_mini_batch *batch, const struct rf_mini_batch_sizes *sizes, size_t vector_size,
                                  bool is_double, struct rf_error *err) RF_MUST_USE;
void rf_mini_batch_finish(struct rf_mini_batch *batch);

// The size of the one in progress, or about to begin.
size_t rf_mini_batch_size(struct rf_mini_batch *batch);

// Takes a record, and says where its vector is to be written at once. There must be room: taken < size.
void *rf_mini_batch_take(struct rf_mini_batch *batch, double label, double weight);

// The mini-batch in progress is done, with a step or without; of a size of 1, nothing was taken.
void rf_mini_batch_done(struct rf_mini_batch *batch, bool has_stepped);

// The names of the blocks are "dense.batch", "dense.batch_records" and "dense.progress".
void rf_mini_batch_state(struct rf_mini_batch *batch, struct rf_state *state);

// For the check of a learner whose blocks were restored: RF_CORRUPT, in words, when counts contradict one another, or a vector
// or a weight of a record taken is out of bounds. The labels are the learner's to check.
enum rf_status rf_mini_batch_check(const struct rf_mini_batch *batch, struct rf_error *err) RF_MUST_USE;

#define RF_MINI_BATCH_WEIGHT_MAX 1e15 // of a record; it is above 0

#endif
