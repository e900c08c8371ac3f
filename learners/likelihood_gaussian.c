// Gaussian naive Bayes. Each field has a count n, a mean and a scatter in each class (Welford, 1962; West, 1979, for weights):
//
//     n' = n + w,   mean' = mean + (w / n') (x - mean),   scatter' = scatter + w (x - mean) (x - mean')
//
// and log P(x | c) = -1/2 (log(2 pi v) + (x - m)^2 / v), where m and v are what the class's records and k records (`smoothing`)
// at the mean m0 and variance v0 of all classes together give:
//
//     m = (n mean + k m0) / (n + k),   v = (scatter + k v0 + n k / (n + k) (mean - m0)^2) / (n + k)
//
// So a class that has met one value does not take it for the only one, whatever the scale of the field.
#include "learners/contribution.h"
#include "learners/likelihood.h"
#include "learners/table.h"
#include "proto/math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TAU 1.8378770664093453 // log(2 pi)
#define TAU 6.283185307179586      // 2 pi
#define RIVER_DENSITY_FLOOR 1e-9   // what River adds to each density
#define SHARE_MIN 1e-300           // without smoothing a share may be 0
#define SCATTER_MAX (RF_BAYES_COUNT_MAX * 8 * RF_BAYES_VALUE_MAX * RF_BAYES_VALUE_MAX)

enum { COLUMNS = 4 };

struct gaussian {
    struct rf_likelihood base;
    double variance_floor;
    bool is_river;
    uint8_t *field; // [rows] of hash, counts [classes], means [classes], scatters [classes]
    size_t rows, row_size;
    unsigned row_bits;
    uint64_t *size; // fields met
    struct rf_column columns[COLUMNS];
    struct rf_block *touched; // NULL: not listed in a state
    double *part;             // [classes]
};

static const struct rf_column size_columns[] = {{"fields", RF_U64, 0, 1, RF_MERGE_USED}};

struct field { // views of a row
    uint64_t *hash;
    double *count, *mean, *scatter; // [classes]
};

static void gaussian_destroy(struct rf_likelihood *self);

static struct field field_at(const struct gaussian *gaussian, size_t row) {
    uint8_t *bytes = gaussian->field + row * gaussian->row_size;
    double *numbers = (double *)(void *)(bytes + sizeof(uint64_t));
    uint32_t classes = gaussian->base.classes;
    return (struct field){(uint64_t *)(void *)bytes, numbers, numbers + classes, numbers + (size_t)2 * classes};
}

static double total_count(const struct gaussian *gaussian, const struct field *field) {
    double total = 0;
    for (uint32_t c = 0; c < gaussian->base.classes; c++) {
        total += field->count[c];
    }
    return total;
}

// The row of the field, or the free one where it would stand.
static size_t find(const struct gaussian *gaussian, uint64_t hash) {
    size_t row = rf_key_home(hash, gaussian->row_bits);
    for (;; row = (row + 1) & (gaussian->rows - 1)) {
        struct field field = field_at(gaussian, row);
        if (*field.hash == hash || total_count(gaussian, &field) == 0) {
            return row;
        }
    }
}

// The mean and variance of a field in all classes together, by Chan's formula.
static void pool(const struct gaussian *gaussian, const struct field *field, double *mean_out, double *variance_out) {
    double count = 0, mean = 0, scatter = 0;
    for (uint32_t c = 0; c < gaussian->base.classes; c++) {
        if (field->count[c] > 0) {
            double sum = count + field->count[c];
            double share = field->count[c] / sum, distance = field->mean[c] - mean;
            scatter += field->scatter[c] + count * share * distance * distance;
            mean += share * distance;
            count = sum;
        }
    }
    *mean_out = mean;
    *variance_out = count > 0 ? scatter / count : 0;
}

// log P(x | c) of all classes.
static void number_parts(const struct gaussian *gaussian, const struct field *field, double x, double *part) {
    double all_mean, all_variance, k = gaussian->base.smoothing;
    pool(gaussian, field, &all_mean, &all_variance);
    for (uint32_t c = 0; c < gaussian->base.classes; c++) {
        double n = field->count[c], mean = all_mean, variance = all_variance;
        if (n > 0) {
            double share = k / (n + k), distance = field->mean[c] - all_mean;
            mean = field->mean[c] - share * distance;
            variance = field->scatter[c] / (n + k) + share * (all_variance + n / (n + k) * distance * distance);
        }
        variance = fmax(variance, gaussian->variance_floor);
        part[c] = -0.5 * (LOG_TAU + rf_log(variance) + (x - mean) * (x - mean) / variance);
    }
}

// As River has it: a field that a class has met less than twice, or never differently, has density 0 there.
static void river_parts(const struct gaussian *gaussian, const struct field *field, double x, double *part) {
    for (uint32_t c = 0; c < gaussian->base.classes; c++) {
        double variance = field->count[c] > 1 ? field->scatter[c] / (field->count[c] - 1) : 0;
        double density = 0, distance = x - field->mean[c];
        if (variance > 0) {
            density = rf_exp(distance * distance / (-2 * variance)) / sqrt(TAU * variance);
        }
        part[c] = rf_log(RIVER_DENSITY_FLOOR + density);
    }
}

static void category_parts(const struct gaussian *gaussian, const struct field *field, double *part) {
    double k = gaussian->base.smoothing;
    for (uint32_t c = 0; c < gaussian->base.classes; c++) {
        double records = gaussian->base.records[c] + 2 * k;
        part[c] = rf_log(fmax(records > 0 ? (field->count[c] + k) / records : 0, SHARE_MIN));
    }
}

// False, and no parts: the field was never met.
static bool parts_of(const struct gaussian *gaussian, const struct rf_examples *examples, size_t feature, double *part) {
    struct field field = field_at(gaussian, find(gaussian, examples->hash[feature]));
    if (total_count(gaussian, &field) == 0) {
        return false;
    }
    double x = rf_bayes_bounded(examples->value[feature]);
    if (gaussian->is_river) {
        river_parts(gaussian, &field, x, part);
    } else if (examples->kind[feature] == RF_CATEGORY) {
        category_parts(gaussian, &field, part);
    } else {
        number_parts(gaussian, &field, x, part);
    }
    return true;
}

static void gaussian_add(const struct rf_likelihood *self, const struct rf_examples *examples, size_t index, double *joint) {
    const struct gaussian *gaussian = (const struct gaussian *)self;
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        if (parts_of(gaussian, examples, i, gaussian->part)) {
            for (uint32_t c = 0; c < self->classes; c++) {
                joint[c] += gaussian->part[c];
            }
        }
    }
}

static size_t gaussian_learn(struct rf_likelihood *self, const struct rf_examples *examples, size_t index, uint32_t label,
                             double weight) {
    struct gaussian *gaussian = (struct gaussian *)self;
    size_t unused = 0;
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        size_t row = find(gaussian, examples->hash[i]);
        struct field field = field_at(gaussian, row);
        bool is_new = total_count(gaussian, &field) == 0;
        if ((is_new && *gaussian->size >= gaussian->rows / 2) || field.count[label] + weight > RF_BAYES_COUNT_MAX) {
            unused++;
            continue;
        }
        if (gaussian->touched) {
            rf_block_touch(gaussian->touched, row);
        }
        *gaussian->size += is_new;
        *field.hash = examples->hash[i];
        double x = rf_bayes_bounded(examples->value[i]), before = x - field.mean[label];
        field.count[label] += weight;
        field.mean[label] = rf_bayes_bounded(field.mean[label] + weight / field.count[label] * before);
        field.scatter[label] += weight * before * (x - field.mean[label]);
    }
    return unused;
}

static void gaussian_explain(const struct rf_likelihood *self, const struct rf_examples *examples, size_t index,
                             struct rf_reasons *reasons) {
    const struct gaussian *gaussian = (const struct gaussian *)self;
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        if (parts_of(gaussian, examples, i, gaussian->part)) {
            rf_likelihood_contribute(examples, i, gaussian->part[reasons->a] - gaussian->part[reasons->b], reasons);
        }
    }
}

static void gaussian_state(struct rf_likelihood *self, struct rf_state *state) {
    struct gaussian *gaussian = (struct gaussian *)self;
    gaussian->touched = rf_state_add(state, &(struct rf_block){
                                                    .name = "bayes.moments",
                                                    .rows = gaussian->rows,
                                                    .row_size = gaussian->row_size,
                                                    .columns = gaussian->columns,
                                                    .column_count = COLUMNS,
                                                    .data = gaussian->field,
                                                    .scope = RF_SCOPE_MODEL,
                                                    .is_touched = true,
                                            });
    rf_state_add(state, &(struct rf_block){
                                .name = "bayes.moments_size",
                                .rows = 1,
                                .row_size = sizeof *gaussian->size,
                                .columns = size_columns,
                                .column_count = 1,
                                .data = gaussian->size,
                                .scope = RF_SCOPE_MODEL,
                        });
}

static enum rf_status check_field(const struct gaussian *gaussian, size_t row, struct rf_error *err) {
    struct field field = field_at(gaussian, row);
    for (uint32_t c = 0; c < gaussian->base.classes; c++) {
        double n = field.count[c], mean = field.mean[c], scatter = field.scatter[c];
        if (!(n >= 0 && n <= RF_BAYES_COUNT_MAX) || !(fabs(mean) <= RF_BAYES_VALUE_MAX) ||
            !(scatter >= 0 && scatter <= SCATTER_MAX)) {
            return rf_fail(
                    err, RF_CORRUPT,
                    "row %zu of the moments has count %g, mean %g and scatter %g in class %u, must be 0 to %.0f, at most %g "
                    "in size, and 0 to %g",
                    row, n, mean, scatter, c, RF_BAYES_COUNT_MAX, RF_BAYES_VALUE_MAX, SCATTER_MAX);
        }
    }
    return RF_OK;
}

static enum rf_status gaussian_check(const struct rf_likelihood *self, struct rf_error *err) {
    const struct gaussian *gaussian = (const struct gaussian *)self;
    size_t used = 0;
    for (size_t row = 0; row < gaussian->rows; row++) {
        if (check_field(gaussian, row, err) != RF_OK) {
            return err->status;
        }
        struct field field = field_at(gaussian, row);
        used += total_count(gaussian, &field) > 0;
    }
    if (used != *gaussian->size || used > gaussian->rows / 2) {
        return rf_fail(err, RF_CORRUPT, "the moments are of %zu fields and count %llu, must be as many, and at most %zu", used,
                       (unsigned long long)*gaussian->size, gaussian->rows / 2);
    }
    return RF_OK;
}

static void gaussian_destroy(struct rf_likelihood *self) {
    struct gaussian *gaussian = (struct gaussian *)self;
    rf_table_destroy(gaussian->field, gaussian->rows * gaussian->row_size);
    free(gaussian->size);
    free(gaussian->part);
    free(gaussian);
}

static const struct rf_likelihood_ops gaussian_ops = {
        .add = gaussian_add,
        .learn = gaussian_learn,
        .explain = gaussian_explain,
        .state = gaussian_state,
        .check = gaussian_check,
        .destroy = gaussian_destroy,
};

static void describe(struct gaussian *gaussian) {
    uint32_t classes = gaussian->base.classes, size = classes * (uint32_t)sizeof(double), first = sizeof(uint64_t);
    gaussian->row_size = sizeof(uint64_t) + (size_t)3 * size;
    gaussian->columns[0] = (struct rf_column){"hash", RF_U64, 0, 1, RF_MERGE_KEY};
    gaussian->columns[1] = (struct rf_column){"count", RF_F64, first, classes, RF_MERGE_MOMENTS};
    gaussian->columns[2] = (struct rf_column){"mean", RF_F64, first + size, classes, RF_MERGE_MOMENTS};
    gaussian->columns[3] = (struct rf_column){"scatter", RF_F64, first + 2 * size, classes, RF_MERGE_MOMENTS};
}

enum rf_status rf_likelihood_gaussian_create(const struct rf_bayes_options *options, const struct rf_likelihood *base,
                                             struct rf_likelihood **likelihood_out, struct rf_error *err) {
    struct gaussian *gaussian = calloc(1, sizeof *gaussian);
    if (!gaussian) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    gaussian->base = *base;
    gaussian->base.ops = &gaussian_ops;
    gaussian->variance_floor = options->variance_floor;
    gaussian->is_river = options->compatible == RF_BAYES_RIVER;
    gaussian->row_bits = rf_likelihood_row_bits(options->fields_max);
    gaussian->rows = (size_t)1 << gaussian->row_bits;
    describe(gaussian);
    gaussian->size = calloc(1, sizeof *gaussian->size);
    gaussian->part = calloc(base->classes, sizeof *gaussian->part);
    void *field = NULL;
    if (!gaussian->size || !gaussian->part) {
        rf_fail(err, RF_MEMORY, "out of memory for a learner");
        goto fail;
    }
    if (rf_table_create(gaussian->rows * gaussian->row_size, &field, err) != RF_OK) {
        rf_fail_in(err, "moments of %zu fields", gaussian->rows / 2);
        goto fail;
    }
    gaussian->field = field;
    *likelihood_out = &gaussian->base;
    return RF_OK;
fail:
    gaussian_destroy(&gaussian->base);
    return err->status;
}
