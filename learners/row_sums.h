#ifndef RF_LEARNERS_ROW_SUMS_H
#define RF_LEARNERS_ROW_SUMS_H
// Sums by row of a table of weights: what several features, of one record or of many, add up to where they share a row. Scratch,
// no state: rows stand in the order in which they were first met.
#include "proto/status.h"

#include <stddef.h>
#include <stdint.h>

struct rf_row_sums {
    size_t count;
    uint32_t *row; // [count]
    double *sum;   // [count][outputs]

    uint32_t outputs;
    size_t capacity; // of rows
    uint32_t *slot;  // [slots] index of a row plus 1; 0: free
    size_t slots;    // a power of two
    unsigned shift;  // of a hash, to a slot
};

enum rf_status rf_row_sums_init(struct rf_row_sums *sums, size_t capacity, uint32_t outputs, struct rf_error *err) RF_MUST_USE;
void rf_row_sums_finish(struct rf_row_sums *sums); // harmless on zeros

void rf_row_sums_clear(struct rf_row_sums *sums); // at the cost of the rows it holds

// Adds x * factor[k] for each output. Asserts that there is room.
void rf_row_sums_add(struct rf_row_sums *sums, uint32_t row, double x, const double *factor /* [outputs] */);

#endif
