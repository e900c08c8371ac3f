#ifndef RF_PROTO_DELTA_H
#define RF_PROTO_DELTA_H
// What changed in a state: for each block its rows that changed, as they were at the start and as they are now. Who has the rows
// of the start puts in the others, to the byte; who has others by now adds the difference, by the rule of each column
// (proto/state_merge.h). Both rows are there because a replica that is further along no longer has those of the start.
//
// Blocks that nobody else can use are left out: those wholly derived, and circumstances.
#include "proto/state.h"

struct rf_delta_rows { // of one block
    uint32_t *row;     // [count] ascending
    uint8_t *start;    // [count][row_size]
    uint8_t *now;      // [count][row_size]
    size_t count, capacity;
};

struct rf_delta {
    const struct rf_state *state; // whose shape it has; borrowed
    struct rf_delta_rows *blocks; // [state->count]
};

enum rf_status rf_delta_create(const struct rf_state *state, struct rf_delta **delta_out, struct rf_error *err) RF_MUST_USE;
void rf_delta_destroy(struct rf_delta *delta);
void rf_delta_clear(struct rf_delta *delta);
bool rf_delta_is_empty(const struct rf_delta *delta);
size_t rf_delta_size(const struct rf_delta *delta); // bytes of its rows

// Adds a row behind the others of its block. RF_MEMORY.
enum rf_status rf_delta_add(struct rf_delta *delta, size_t block, size_t row, const void *start, const void *now) RF_MUST_USE;

// The index of a row among those of a block; their count when it is not there.
size_t rf_delta_find(const struct rf_delta_rows *rows, size_t row);

// As bytes, of which equal deltas have equal ones: for each block that has rows
//     index u32, row size u32, count u32, then rows [count] u32, starts [count], and starts XOR nows [count], which compress well
// and last the index 0xffffffff. In memory that the caller frees, behind `lead` bytes that are left to it (counted in *size_out).
enum rf_status rf_delta_bytes(const struct rf_delta *delta, size_t lead, uint8_t **bytes_out, size_t *size_out,
                              struct rf_error *err) RF_MUST_USE;

// The other way round, into a delta of the same shape, which is cleared first. RF_CORRUPT, in words, for bytes that are none.
enum rf_status rf_delta_of_bytes(const uint8_t *bytes, size_t size, struct rf_delta *delta_out, struct rf_error *err) RF_MUST_USE;

#endif
