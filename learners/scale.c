#include "learners/scale.h"
#include "learners/scale_internal.h"
#include "learners/table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rf_scaler {
    const struct rf_scale_kind *kind;
    double variance_above;
    unsigned char *field; // [rows][row_size], open addressing with linear probing, never more than half full
    size_t rows;          // a power of two
    unsigned row_bits;
    uint64_t *size;           // fields met; of its own, because it is state
    struct rf_block fields;   // describes the rows
    struct rf_block *touched; // what to touch: as listed in a state, or `fields`
};

const char *const rf_scale_names[] = {"standard", "min_max", "max_abs", "robust", "none", "auto", NULL};

static const struct rf_scale_kind *const kinds[] = {&rf_scale_standard, &rf_scale_min_max, &rf_scale_max_abs, &rf_scale_robust};

static const struct rf_column size_columns[] = {{"fields", RF_U64, 0, 1, RF_MERGE_USED}};

static struct scaled_field *row_at(const struct rf_scaler *scaler, size_t row) {
    return (struct scaled_field *)(void *)(scaler->field + row * scaler->kind->row_size);
}

// The row of the field, or the free one where it would stand.
static size_t find(const struct rf_scaler *scaler, uint64_t hash) {
    size_t row = rf_key_home(hash, scaler->row_bits);
    while (row_at(scaler, row)->count > 0 && row_at(scaler, row)->hash != hash) {
        row = (row + 1) & (scaler->rows - 1);
    }
    return row;
}

static double scaled(const struct rf_scaler *scaler, const struct scaled_field *field, double value, bool is_sparse) {
    double centre, size, limit = scaler->kind->x_max;
    if (scaler->variance_above > 0 && !(rf_scale_variance(field) > scaler->variance_above)) {
        return 0;
    }
    scaler->kind->measure(field, is_sparse, &centre, &size);
    double x = size > 0 ? (value - centre) / size : 0;
    return x > -limit ? (x < limit ? x : limit) : -limit;
}

double rf_scaler_scale(const struct rf_scaler *scaler, uint64_t hash, double value, bool is_sparse) {
    const struct scaled_field *field = row_at(scaler, find(scaler, hash));
    return field->count > 0 ? scaled(scaler, field, value, is_sparse) : 0;
}

bool rf_scaler_learn(struct rf_scaler *scaler, uint64_t hash, double value, bool is_sparse, double *scaled_out) {
    assert(fabs(value) <= RF_SCALER_VALUE_MAX);
    size_t row = find(scaler, hash);
    struct scaled_field *field = row_at(scaler, row);
    rf_block_touch(scaler->touched, row);
    if (field->count == 0) {
        if (*scaler->size >= scaler->rows / 2) {
            *scaled_out = 0;
            return false;
        }
        *scaler->size += 1;
        memset(field, 0, scaler->kind->row_size);
        field->hash = hash;
    }
    field->count++;
    scaler->kind->learn(field, value);
    *scaled_out = scaled(scaler, field, value, is_sparse);
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
        const struct scaled_field *field = row_at(scaler, row);
        if (field->count == 0) {
            continue;
        }
        used++;
        if (field->count > RF_SCALE_COUNT_MAX) {
            return rf_fail(err, RF_CORRUPT, "row %zu of the scaler has count %llu, must be at most %llu", row,
                           (unsigned long long)field->count, (unsigned long long)RF_SCALE_COUNT_MAX);
        }
        if (scaler->kind->check(field, row, err) != RF_OK) {
            return err->status;
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
    rf_table_destroy(scaler->field, scaler->rows * scaler->kind->row_size);
    free(scaler->size);
    free(scaler);
}

enum rf_status rf_scaler_create(const struct rf_scaler_options *options, struct rf_scaler **scaler_out, struct rf_error *err) {
    assert(options->scale < RF_SCALE_NONE);
    struct rf_scaler *scaler = calloc(1, sizeof *scaler);
    if (!scaler) {
        return rf_fail(err, RF_MEMORY, "out of memory for a scaler");
    }
    scaler->kind = kinds[options->scale];
    scaler->variance_above = options->scale == RF_SCALE_STANDARD ? options->variance_above : 0;
    scaler->row_bits = 1;
    while ((size_t)1 << scaler->row_bits < 2 * options->fields_max) {
        scaler->row_bits++;
    }
    scaler->rows = (size_t)1 << scaler->row_bits;
    scaler->size = calloc(1, sizeof *scaler->size);
    void *fields = NULL;
    if (!scaler->size) {
        rf_fail(err, RF_MEMORY, "out of memory for a scaler");
        goto fail;
    }
    if (rf_table_create(scaler->rows * scaler->kind->row_size, &fields, err) != RF_OK) {
        rf_fail_in(err, "scaler of %zu fields", scaler->rows / 2);
        goto fail;
    }
    scaler->field = fields;
    scaler->fields = (struct rf_block){
            .rows = scaler->rows,
            .row_size = scaler->kind->row_size,
            .columns = scaler->kind->columns,
            .column_count = scaler->kind->column_count,
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
