#include "learners/scale_internal.h"

#include <math.h>

struct range {
    struct scaled_field field;
    double max;
    double min_negated; // so that both merge as the larger one
};

static const struct rf_column columns[] = {
        RF_SCALE_FIELD_COLUMNS(RF_MERGE_SUM),
        {"max", RF_F64, offsetof(struct range, max), 1, RF_MERGE_MAX},
        {"min_negated", RF_F64, offsetof(struct range, min_negated), 1, RF_MERGE_MAX},
};

static void learn(struct scaled_field *row, double value) {
    struct range *range = (struct range *)row;
    if (row->count == 1 || value > range->max) {
        range->max = value;
    }
    if (row->count == 1 || -value > range->min_negated) {
        range->min_negated = -value;
    }
}

static double largest_size(const struct range *range) {
    return fmax(fabs(range->max), fabs(range->min_negated));
}

static void measure_range(const struct scaled_field *row, bool is_sparse, double *centre_out, double *size_out) {
    const struct range *range = (const struct range *)row;
    *centre_out = is_sparse ? 0 : -range->min_negated;
    *size_out = is_sparse ? largest_size(range) : range->max + range->min_negated;
}

static void measure_largest(const struct scaled_field *row, bool is_sparse, double *centre_out, double *size_out) {
    (void)is_sparse;
    *centre_out = 0;
    *size_out = largest_size((const struct range *)row);
}

static enum rf_status check(const struct scaled_field *row, size_t index, struct rf_error *err) {
    const struct range *range = (const struct range *)row;
    if (!(largest_size(range) <= RF_SCALER_VALUE_MAX) || isnan(range->max) || isnan(range->min_negated) ||
        -range->min_negated > range->max) {
        return rf_fail(err, RF_CORRUPT, "row %zu of the scaler is from %g to %g, must rise, and be at most %g in size", index,
                       -range->min_negated, range->max, RF_SCALER_VALUE_MAX);
    }
    return RF_OK;
}

const struct rf_scale_kind rf_scale_min_max = {
        .row_size = sizeof(struct range),
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
        .learn = learn,
        .measure = measure_range,
        .x_max = RF_SCALER_VALUE_MAX,
        .check = check,
};

const struct rf_scale_kind rf_scale_max_abs = {
        .row_size = sizeof(struct range),
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
        .learn = learn,
        .measure = measure_largest,
        .x_max = RF_SCALER_VALUE_MAX,
        .check = check,
};
