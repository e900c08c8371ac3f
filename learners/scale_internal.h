#ifndef RF_LEARNERS_SCALE_INTERNAL_H
#define RF_LEARNERS_SCALE_INTERNAL_H
// What the ways of scaling are to the table that keeps their fields.
#include "learners/scale.h"

struct scaled_field { // first in each row; count 0: a free row
    uint64_t hash;
    uint64_t count;
};

struct rf_scale_kind {
    size_t row_size;
    const struct rf_column *columns;
    size_t column_count;

    void (*learn)(struct scaled_field *row, double value); // its count is raised already

    // What to take off a value, and what to divide it by; 0: it scales to 0. Of a row that learned something.
    void (*measure)(const struct scaled_field *row, bool is_sparse, double *centre_out, double *size_out);

    double x_max; // x is cut at it

    enum rf_status (*check)(const struct scaled_field *row, size_t index, struct rf_error *err);
};

extern const struct rf_scale_kind rf_scale_standard, rf_scale_min_max, rf_scale_max_abs, rf_scale_robust;

// The variance of the values a row of `standard` learned.
double rf_scale_variance(const struct scaled_field *row);

#define RF_SCALE_COUNT_MAX (UINT64_C(1) << 53) // what a double counts exactly

// Whose values they are, and how many.
#define RF_SCALE_FIELD_COLUMNS(merge_)                                        \
    {"hash", RF_U64, offsetof(struct scaled_field, hash), 1, RF_MERGE_KEY}, { \
        "count", RF_U64, offsetof(struct scaled_field, count), 1, merge_      \
    }

#endif
