#include "learners/row_sums.h"

#include <assert.h>
#include <stdlib.h>

enum rf_status rf_row_sums_init(struct rf_row_sums *sums, size_t capacity, uint32_t outputs, struct rf_error *err) {
    assert(capacity > 0 && capacity < UINT32_MAX / 4);
    *sums = (struct rf_row_sums){.outputs = outputs, .capacity = capacity, .slots = 2, .shift = 31};
    while (sums->slots < 2 * capacity) {
        sums->slots *= 2;
        sums->shift--;
    }
    sums->row = calloc(capacity, sizeof *sums->row);
    sums->sum = calloc(capacity * outputs, sizeof *sums->sum);
    sums->slot = calloc(sums->slots, sizeof *sums->slot);
    if (!sums->row || !sums->sum || !sums->slot) {
        rf_row_sums_finish(sums);
        return rf_fail(err, RF_MEMORY, "out of memory for sums over %zu rows", capacity);
    }
    return RF_OK;
}

void rf_row_sums_finish(struct rf_row_sums *sums) {
    free(sums->row);
    free(sums->sum);
    free(sums->slot);
    *sums = (struct rf_row_sums){0};
}

// Where a row is, or the free slot where it would be (multiplicative hashing, Knuth; then the next free slot).
static size_t slot_of(const struct rf_row_sums *sums, uint32_t row) {
    size_t slot = (row * UINT32_C(2654435769)) >> sums->shift;
    while (sums->slot[slot] && sums->row[sums->slot[slot] - 1] != row) {
        slot = (slot + 1) & (sums->slots - 1);
    }
    return slot;
}

// From the last met to the first: a slot is passed over by none that stays.
void rf_row_sums_clear(struct rf_row_sums *sums) {
    while (sums->count > 0) {
        sums->slot[slot_of(sums, sums->row[sums->count - 1])] = 0;
        sums->count--;
    }
}

void rf_row_sums_add(struct rf_row_sums *sums, uint32_t row, double x, const double *factor) {
    size_t slot = slot_of(sums, row);
    if (!sums->slot[slot]) {
        assert(sums->count < sums->capacity);
        sums->row[sums->count] = row;
        for (uint32_t k = 0; k < sums->outputs; k++) {
            sums->sum[sums->count * sums->outputs + k] = 0;
        }
        sums->slot[slot] = (uint32_t)++sums->count;
    }
    double *sum = &sums->sum[(size_t)(sums->slot[slot] - 1) * sums->outputs];
    for (uint32_t k = 0; k < sums->outputs; k++) {
        sum[k] += x * factor[k];
    }
}
