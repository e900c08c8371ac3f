#include "learners/scale_internal.h"

#include <math.h>

struct moments {
    struct scaled_field field;
    double mean;
    double scatter;
};

static const struct rf_column columns[] = {
        RF_SCALE_FIELD_COLUMNS(RF_MERGE_MOMENTS),
        {"mean", RF_F64, offsetof(struct moments, mean), 1, RF_MERGE_MOMENTS},
        {"scatter", RF_F64, offsetof(struct moments, scatter), 1, RF_MERGE_MOMENTS},
};

static void learn(struct scaled_field *row, double value) {
    struct moments *moments = (struct moments *)row;
    double before = value - moments->mean;
    moments->mean += before / (double)row->count;
    moments->scatter += before * (value - moments->mean);
}

double rf_scale_variance(const struct scaled_field *row) {
    return ((const struct moments *)row)->scatter / (double)row->count; // rounds to 0 when the scatter is next to nothing
}

static void measure(const struct scaled_field *row, bool is_sparse, double *centre_out, double *size_out) {
    double mean = ((const struct moments *)row)->mean;
    double variance = rf_scale_variance(row);
    *centre_out = is_sparse ? 0 : mean;
    *size_out = sqrt(is_sparse ? variance + mean * mean : variance);
}

static enum rf_status check(const struct scaled_field *row, size_t index, struct rf_error *err) {
    const struct moments *moments = (const struct moments *)row;
    if (!(fabs(moments->mean) <= RF_SCALER_VALUE_MAX)) {
        return rf_fail(err, RF_CORRUPT, "row %zu of the scaler has mean %g, must be at most %g in size", index, moments->mean,
                       RF_SCALER_VALUE_MAX);
    }
    if (!(moments->scatter >= 0 && isfinite(moments->scatter))) {
        return rf_fail(err, RF_CORRUPT, "row %zu of the scaler has scatter %g, must be finite and not below 0", index,
                       moments->scatter);
    }
    return RF_OK;
}

const struct rf_scale_kind rf_scale_standard = {
        .row_size = sizeof(struct moments),
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
        .learn = learn,
        .measure = measure,
        .x_max = RF_SCALER_VALUE_MAX,
        .check = check,
};
