#include "learners/scale.h"
#include "learners/table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct scaled_field { // count 0: a free row
    uint64_t hash;
    uint64_t count;
    double mean;
    double scatter;
};

struct rf_scaler {
    struct scaled_field *field; // [rows], open addressing with linear probing, never more than half full
    size_t rows;                // a power of two
    unsigned row_bits;
    uint64_t *size;           // fields met; of its own, because it is state
    struct rf_block fields;   // describes the rows
    struct rf_block *touched; // what to touch: as listed in a state, or `fields`
};

#define COUNT_MAX (UINT64_C(1) << 53) // what a double counts exactly

static const struct rf_column field_columns[] = {
        {"hash", RF_U64, offsetof(struct scaled_field, hash), 1, RF_MERGE_MOMENTS}, // whose moments they are
        {"count", RF_U64, offsetof(struct scaled_field, count), 1, RF_MERGE_MOMENTS},
        {"mean", RF_F64, offsetof(struct scaled_field, mean), 1, RF_MERGE_MOMENTS},
        {"scatter", RF_F64, offsetof(struct scaled_field, scatter), 1, RF_MERGE_MOMENTS},
};

static const struct rf_column size_columns[] = {{"fields", RF_U64, 0, 1, RF_MERGE_MAX}};

// The row of the field, or the free one where it would stand.
static struct scaled_field *find(const struct rf_scaler *scaler, uint64_t hash) {
    size_t row = (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> (64 - scaler->row_bits)); // Knuth's multiplicative hash
    while (scaler->field[row].count > 0 && scaler->field[row].hash != hash) {
        row = (row + 1) & (scaler->rows - 1);
    }
    return &scaler->field[row];
}

static double bounded(double value) {
    return value > -RF_SCALER_VALUE_MAX ? (value < RF_SCALER_VALUE_MAX ? value : RF_SCALER_VALUE_MAX) : -RF_SCALER_VALUE_MAX;
}

static double scaled(const struct scaled_field *field, double value) {
    double variance = field->scatter / (double)field->count; // rounds to 0 when the scatter is next to nothing
    return variance > 0 ? bounded((value - field->mean) / sqrt(variance)) : 0;
}

double rf_scaler_scale(const struct rf_scaler *scaler, uint64_t hash, double value) {
    const struct scaled_field *field = find(scaler, hash);
    return field->count > 0 ? scaled(field, value) : 0;
}

bool rf_scaler_learn(struct rf_scaler *scaler, uint64_t hash, double value, double *scaled_out) {
    assert(fabs(value) <= RF_SCALER_VALUE_MAX);
    struct scaled_field *field = find(scaler, hash);
    rf_block_touch(scaler->touched, (size_t)(field - scaler->field));
    if (field->count == 0) {
        if (*scaler->size >= scaler->rows / 2) {
            *scaled_out = 0;
            return false;
        }
        *scaler->size += 1;
        field->hash = hash;
    }
    field->count++;
    double before = value - field->mean;
    field->mean += before / (double)field->count;
    field->scatter += before * (value - field->mean);
    *scaled_out = scaled(field, value);
    return true;
}

void rf_scaler_state(struct rf_scaler *scaler, const char *fields_name, const char *size_name, struct rf_state *state) {
    scaler->fields.name = fields_name;
    scaler->touched = rf_state_add(state, &scaler->fields);
    rf_state_add(state, &(struct rf_block){
                                .name = size_name,
                                .rows = 1,
                                .row_size = sizeof *scaler->size,
                                .columns = size_columns,
                                .column_count = 1,
                                .data = scaler->size,
                                .scope = RF_SCOPE_MODEL,
                        });
}

enum rf_status rf_scaler_check(const struct rf_scaler *scaler, struct rf_error *err) {
    size_t used = 0;
    for (size_t row = 0; row < scaler->rows; row++) {
        const struct scaled_field *field = &scaler->field[row];
        used += field->count > 0;
        if (field->count > COUNT_MAX || !(fabs(field->mean) <= RF_SCALER_VALUE_MAX)) {
            return rf_fail(err, RF_CORRUPT,
                           "row %zu of the scaler has count %llu and mean %g, must be at most %llu, and %g in size", row,
                           (unsigned long long)field->count, field->mean, (unsigned long long)COUNT_MAX, RF_SCALER_VALUE_MAX);
        }
        if (!(field->scatter >= 0 && isfinite(field->scatter))) {
            return rf_fail(err, RF_CORRUPT, "row %zu of the scaler has scatter %g, must be finite and not below 0", row,
                           field->scatter);
        }
    }
    if (used != *scaler->size || used > scaler->rows / 2) {
        return rf_fail(err, RF_CORRUPT, "the scaler holds %zu fields and counts %llu, must be as many, and at most %zu", used,
                       (unsigned long long)*scaler->size, scaler->rows / 2);
    }
    return RF_OK;
}

void rf_scaler_destroy(struct rf_scaler *scaler) {
    if (!scaler) {
        return;
    }
    rf_table_destroy(scaler->field, scaler->rows * sizeof *scaler->field);
    free(scaler->size);
    free(scaler);
}

enum rf_status rf_scaler_create(size_t fields_max, struct rf_scaler **scaler_out, struct rf_error *err) {
    struct rf_scaler *scaler = calloc(1, sizeof *scaler);
    if (!scaler) {
        return rf_fail(err, RF_MEMORY, "out of memory for a scaler");
    }
    scaler->row_bits = 1;
    while ((size_t)1 << scaler->row_bits < 2 * fields_max) {
        scaler->row_bits++;
    }
    scaler->rows = (size_t)1 << scaler->row_bits;
    scaler->size = calloc(1, sizeof *scaler->size);
    void *fields = NULL;
    if (!scaler->size) {
        rf_fail(err, RF_MEMORY, "out of memory for a scaler");
        goto fail;
    }
    if (rf_table_create(scaler->rows * sizeof *scaler->field, &fields, err) != RF_OK) {
        rf_fail_in(err, "scaler of %zu fields", scaler->rows / 2);
        goto fail;
    }
    scaler->field = fields;
    scaler->fields = (struct rf_block){
            .rows = scaler->rows,
            .row_size = sizeof *scaler->field,
            .columns = field_columns,
            .column_count = sizeof field_columns / sizeof field_columns[0],
            .data = scaler->field,
            .scope = RF_SCOPE_MODEL,
            .is_touched = true,
    };
    scaler->touched = &scaler->fields;
    *scaler_out = scaler;
    return RF_OK;
fail:
    rf_scaler_destroy(scaler);
    return err->status;
}
