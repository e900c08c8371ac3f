#include "learners/covariance.h"
#include "learners/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ELEMENT_MAX 1e240 // of scatter: what no sum of squares reaches

static const struct rf_column field_columns[] = {
        {"hash", RF_U64, offsetof(struct rf_covariance_field, hash), 1, RF_MERGE_KEY},
        {"place", RF_U64, offsetof(struct rf_covariance_field, place), 1, RF_MERGE_PLACE},
};
static const struct rf_column size_columns[] = {{"fields", RF_U64, 0, 1, RF_MERGE_USED}};

static const double *scatter_of(const struct rf_covariance *covariance, size_t class) {
    return rf_covariance_counts(covariance, class) + 2 * covariance->room;
}

static double *stored_factor(const struct rf_covariance *covariance, size_t index) {
    return covariance->factor + index * RF_TRIANGLE_SIZE(covariance->room);
}

static void touch(struct rf_block *block, size_t row) {
    if (block) {
        rf_block_touch(block, row);
    }
}

// The row of the field, or the free one where it would stand.
static size_t find(const struct rf_covariance *covariance, uint64_t hash) {
    size_t row = rf_key_home(hash, covariance->row_bits);
    while (covariance->field[row].place > 0 && covariance->field[row].hash != hash) {
        row = (row + 1) & (covariance->rows - 1);
    }
    return row;
}

uint64_t rf_covariance_place(const struct rf_covariance *covariance, const struct rf_examples *examples, size_t feature) {
    return examples->kind[feature] == RF_NUMBER ? covariance->field[find(covariance, examples->hash[feature])].place : 0;
}

void rf_covariance_see(const struct rf_covariance *covariance, const struct rf_examples *examples, size_t index) {
    memset(covariance->is_present, 0, (size_t)*covariance->size * sizeof *covariance->is_present);
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        uint64_t place = rf_covariance_place(covariance, examples, i);
        if (place > 0 && !covariance->is_present[place - 1]) {
            covariance->is_present[place - 1] = true;
            covariance->x[place - 1] = rf_bayes_bounded(examples->value[i]);
        }
    }
}

// The factor as the scatter gives it.
static void make_factor(const struct rf_covariance *covariance, size_t index, double *factor_out) {
    size_t fields = (size_t)*covariance->size, elements = RF_TRIANGLE_SIZE(fields);
    memcpy(factor_out, scatter_of(covariance, index), elements * sizeof *factor_out);
    for (uint32_t c = 1; covariance->is_shared && c < covariance->base.classes; c++) {
        const double *scatter = scatter_of(covariance, c);
        for (size_t i = 0; i < elements; i++) {
            factor_out[i] += scatter[i];
        }
    }
    for (size_t i = 0; i < fields; i++) {
        factor_out[RF_TRIANGLE_SIZE(i) + i] += covariance->ridge;
    }
    rf_cholesky_factor(fields, factor_out, covariance->ridge, factor_out);
}

void rf_covariance_renew(struct rf_covariance *covariance) {
    for (size_t f = 0; f<covariance->factors && * covariance->size> 0; f++) {
        if (stored_factor(covariance, f)[0] == 0) {
            touch(covariance->touched_factor, f);
            make_factor(covariance, f, stored_factor(covariance, f));
        }
    }
}

const double *rf_covariance_factor(const struct rf_covariance *covariance, size_t class) {
    size_t index = covariance->is_shared ? 0 : class;
    if (stored_factor(covariance, index)[0] == 0) {
        make_factor(covariance, index, covariance->renewed);
        return covariance->renewed;
    }
    return stored_factor(covariance, index);
}

// Gives fields that are met for the first time a place, while there is room. Returns how many features are not used.
static size_t add_fields(struct rf_covariance *covariance, const struct rf_examples *examples, size_t index) {
    size_t unused = 0;
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        size_t row = find(covariance, examples->hash[i]);
        if (covariance->field[row].place > 0 && examples->kind[i] == RF_NUMBER) {
            continue;
        }
        if (examples->kind[i] != RF_NUMBER || *covariance->size >= covariance->room) {
            unused++;
            continue;
        }
        touch(covariance->touched_field, row);
        covariance->field[row] = (struct rf_covariance_field){examples->hash[i], *covariance->size + 1};
        size_t place = (size_t)*covariance->size;
        for (size_t f = 0; f < covariance->factors; f++) {
            touch(covariance->touched_factor, f);
            stored_factor(covariance, f)[RF_TRIANGLE_SIZE(place) + place] = sqrt(covariance->ridge);
        }
        *covariance->size += 1;
    }
    return unused;
}

size_t rf_covariance_learn(struct rf_covariance *covariance, const struct rf_examples *examples, size_t index, uint32_t label,
                           double weight) {
    size_t unused = add_fields(covariance, examples, index);
    rf_covariance_see(covariance, examples, index);
    touch(covariance->touched_moments, label);
    double *counts = covariance->moments + label * covariance->moments_size;
    double *means = counts + covariance->room, *scatter = means + covariance->room, *u = covariance->v;
    size_t fields = (size_t)*covariance->size;
    for (size_t i = 0; i < fields; i++) {
        u[i] = 0;
        if (covariance->is_present[i]) {
            double count = counts[i] + weight, distance = covariance->x[i] - means[i];
            u[i] = sqrt(weight * (counts[i] / count)) * distance;
            means[i] = rf_bayes_bounded(means[i] + weight / count * distance);
            counts[i] = count;
        }
    }
    for (size_t i = 0; i < fields; i++) {
        double *row = scatter + RF_TRIANGLE_SIZE(i);
        for (size_t j = 0; j <= i && u[i] != 0; j++) {
            row[j] += u[i] * u[j];
        }
    }
    size_t f = covariance->is_shared ? 0 : label;
    touch(covariance->touched_factor, f);
    rf_cholesky_update(fields, stored_factor(covariance, f), u, covariance->cosine);
    return unused;
}

static void add_block(struct rf_state *state, struct rf_block block, struct rf_block **touched_out) {
    block.scope = RF_SCOPE_MODEL;
    block.is_touched = touched_out != NULL;
    struct rf_block *added = rf_state_add(state, &block);
    if (touched_out) {
        *touched_out = added;
    }
}

void rf_covariance_state(struct rf_covariance *covariance, struct rf_state *state) {
    add_block(state,
              (struct rf_block){.name = "bayes.fields",
                                .rows = covariance->rows,
                                .row_size = sizeof *covariance->field,
                                .columns = field_columns,
                                .column_count = sizeof field_columns / sizeof field_columns[0],
                                .data = covariance->field},
              &covariance->touched_field);
    add_block(state,
              (struct rf_block){.name = "bayes.fields_size",
                                .rows = 1,
                                .row_size = sizeof *covariance->size,
                                .columns = size_columns,
                                .column_count = 1,
                                .data = covariance->size},
              NULL);
    add_block(state,
              (struct rf_block){.name = "bayes.moments",
                                .rows = covariance->base.classes,
                                .row_size = covariance->moments_size * sizeof *covariance->moments,
                                .columns = covariance->columns,
                                .column_count = RF_COVARIANCE_COLUMNS,
                                .data = covariance->moments,
                                .places = "bayes.fields"},
              &covariance->touched_moments);
    add_block(state,
              (struct rf_block){.name = "bayes.factors",
                                .rows = covariance->factors,
                                .row_size = RF_TRIANGLE_SIZE(covariance->room) * sizeof *covariance->factor,
                                .columns = &covariance->factor_column,
                                .column_count = 1,
                                .data = covariance->factor},
              &covariance->touched_factor);
}

static enum rf_status check_fields(const struct rf_covariance *covariance, struct rf_error *err) {
    size_t used = 0;
    for (size_t row = 0; row < covariance->rows; row++) {
        uint64_t place = covariance->field[row].place;
        used += place > 0;
        if (place > *covariance->size) {
            return rf_fail(err, RF_CORRUPT, "row %zu of the fields has place %llu, must be at most %llu", row,
                           (unsigned long long)place, (unsigned long long)*covariance->size);
        }
        for (size_t other = 0; other < row && place > 0; other++) {
            if (covariance->field[other].place == place) {
                return rf_fail(err, RF_CORRUPT, "place %llu is given twice, must be given once", (unsigned long long)place);
            }
        }
    }
    if (used != *covariance->size || used > covariance->room) {
        return rf_fail(err, RF_CORRUPT, "the table holds %zu fields and counts %llu, must be as many, and at most %zu", used,
                       (unsigned long long)*covariance->size, covariance->room);
    }
    return RF_OK;
}

static enum rf_status check_moments(const struct rf_covariance *covariance, size_t class, struct rf_error *err) {
    size_t room = covariance->room;
    for (size_t i = 0; i < room; i++) {
        double count = rf_covariance_counts(covariance, class)[i], mean = rf_covariance_means(covariance, class)[i];
        if (!(count >= 0 && count <= 2 * RF_BAYES_COUNT_MAX && fabs(mean) <= RF_BAYES_VALUE_MAX)) {
            return rf_fail(err, RF_CORRUPT, "field %zu of class %zu has count %g and mean %g, must be 0 to %.0f, and %g in size",
                           i, class, count, mean, 2 * RF_BAYES_COUNT_MAX, RF_BAYES_VALUE_MAX);
        }
    }
    for (size_t i = 0; i < RF_TRIANGLE_SIZE(room); i++) {
        if (!(fabs(scatter_of(covariance, class)[i]) <= ELEMENT_MAX)) {
            return rf_fail(err, RF_CORRUPT, "the scatter of class %zu holds %g, must be at most %g in size", class,
                           scatter_of(covariance, class)[i], ELEMENT_MAX);
        }
    }
    return RF_OK;
}

// Diagonal elements never shrink, so none of a field met is below the root of the ridge; but all of a factor may be 0.
static enum rf_status check_factor(const struct rf_covariance *covariance, size_t index, struct rf_error *err) {
    const double *factor = stored_factor(covariance, index);
    size_t fields = (size_t)*covariance->size;
    bool is_made = fields > 0 && factor[0] != 0;
    for (size_t i = 0; i < covariance->room; i++) {
        for (size_t j = 0; j <= i; j++) {
            double element = factor[RF_TRIANGLE_SIZE(i) + j];
            bool is_right = !is_made || i >= fields ? element == 0
                            : i == j                ? element >= sqrt(covariance->ridge) / 2 && element <= ELEMENT_MAX
                                                    : fabs(element) <= ELEMENT_MAX;
            if (!is_right) {
                return rf_fail(err, RF_CORRUPT, "element (%zu, %zu) of factor %zu is %g, must be that of a factor", i, j, index,
                               element);
            }
        }
    }
    return RF_OK;
}

enum rf_status rf_covariance_check(const struct rf_covariance *covariance, struct rf_error *err) {
    enum rf_status status = check_fields(covariance, err);
    for (size_t c = 0; c < covariance->base.classes && status == RF_OK; c++) {
        status = check_moments(covariance, c, err);
    }
    for (size_t f = 0; f < covariance->factors && status == RF_OK; f++) {
        status = check_factor(covariance, f, err);
    }
    return status;
}

static size_t moments_bytes(const struct rf_covariance *covariance) {
    return covariance->base.classes * covariance->moments_size * sizeof *covariance->moments;
}

static size_t factor_bytes(const struct rf_covariance *covariance) {
    return covariance->factors * RF_TRIANGLE_SIZE(covariance->room) * sizeof *covariance->factor;
}

void rf_covariance_finish(struct rf_covariance *covariance) {
    rf_table_destroy(covariance->moments, moments_bytes(covariance));
    rf_table_destroy(covariance->factor, factor_bytes(covariance));
    free(covariance->field);
    free(covariance->size);
    free(covariance->x);
    free(covariance->v);
    free(covariance->e);
    free(covariance->cosine);
    free(covariance->amount);
    free(covariance->is_present);
    free(covariance->part);
    free(covariance->renewed);
}

static void describe(struct rf_covariance *covariance) {
    size_t room = covariance->room, triangle = RF_TRIANGLE_SIZE(room);
    covariance->moments_size = 2 * room + triangle;
    uint32_t k = (uint32_t)room, size = k * (uint32_t)sizeof(double);
    covariance->columns[0] = (struct rf_column){"count", RF_F64, 0, k, RF_MERGE_MOMENTS};
    covariance->columns[1] = (struct rf_column){"mean", RF_F64, size, k, RF_MERGE_MOMENTS};
    covariance->columns[2] = (struct rf_column){"scatter", RF_F64, 2 * size, (uint32_t)triangle, RF_MERGE_MOMENTS};
    covariance->factor_column = (struct rf_column){"factor", RF_F64, 0, (uint32_t)triangle, RF_MERGE_DERIVED};
}

enum rf_status rf_covariance_init(struct rf_covariance *covariance, struct rf_error *err) {
    size_t room = covariance->room;
    describe(covariance);
    covariance->field = calloc(covariance->rows, sizeof *covariance->field);
    covariance->size = calloc(1, sizeof *covariance->size);
    covariance->x = calloc(room, sizeof *covariance->x);
    covariance->v = calloc(room, sizeof *covariance->v);
    covariance->e = calloc(room, sizeof *covariance->e);
    covariance->cosine = calloc(room, sizeof *covariance->cosine);
    covariance->amount = calloc(room, sizeof *covariance->amount);
    covariance->is_present = calloc(room, sizeof *covariance->is_present);
    covariance->part = calloc(covariance->base.classes, sizeof *covariance->part);
    covariance->renewed = calloc(RF_TRIANGLE_SIZE(room), sizeof *covariance->renewed);
    if (!covariance->field || !covariance->size || !covariance->x || !covariance->v || !covariance->e || !covariance->cosine ||
        !covariance->amount || !covariance->is_present || !covariance->part || !covariance->renewed) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu fields", room);
    }
    void *moments = NULL, *factor = NULL;
    if (rf_table_create(moments_bytes(covariance), &moments, err) != RF_OK) {
        return rf_fail_in(err, "moments of %zu fields in %u classes", room, covariance->base.classes);
    }
    covariance->moments = moments;
    if (rf_table_create(factor_bytes(covariance), &factor, err) != RF_OK) {
        return rf_fail_in(err, "%zu factors of %zu fields", covariance->factors, room);
    }
    covariance->factor = factor;
    return RF_OK;
}
