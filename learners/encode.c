#include "learners/encode.h"
#include "learners/table.h"
#include "proto/math.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define SUM_MAX 1e100 // |label| and weights beyond it leave nothing to compare

struct total {
    double weight;
    double sum;
    uint64_t categories; // met
};

struct category { // weight 0: a free row
    uint64_t hash;
    double weight;
    double sum;
};

struct rf_encoder {
    struct rf_encoder_options options;
    struct category *category; // [rows], open addressing with linear probing, never more than half full
    size_t rows;               // a power of two
    unsigned row_bits;
    struct total *total;
    struct rf_block categories; // describes the rows
    struct rf_block *touched;
};

static const struct rf_column category_columns[] = {
        {"hash", RF_U64, offsetof(struct category, hash), 1, RF_MERGE_KEY},
        {"weight", RF_F64, offsetof(struct category, weight), 1, RF_MERGE_SUM},
        {"sum", RF_F64, offsetof(struct category, sum), 1, RF_MERGE_SUM},
};

static const struct rf_column total_columns[] = {
        {"weight", RF_F64, offsetof(struct total, weight), 1, RF_MERGE_SUM},
        {"sum", RF_F64, offsetof(struct total, sum), 1, RF_MERGE_SUM},
        {"categories", RF_U64, offsetof(struct total, categories), 1, RF_MERGE_USED},
};

static size_t find(const struct rf_encoder *encoder, uint64_t hash) {
    size_t row = rf_key_home(hash, encoder->row_bits);
    while (encoder->category[row].weight > 0 && encoder->category[row].hash != hash) {
        row = (row + 1) & (encoder->rows - 1);
    }
    return row;
}

#define ODDS_MIN 1e-12 // where rounding would make them 0 or infinite

static double log_odds(double p) {
    p = p < ODDS_MIN ? ODDS_MIN : p > 1 - ODDS_MIN ? 1 - ODDS_MIN : p;
    return rf_log(p) - rf_log(1 - p);
}

double rf_encoder_encode(const struct rf_encoder *encoder, uint64_t hash) {
    const struct category *category = &encoder->category[find(encoder, hash)];
    const struct total *total = encoder->total;
    double m = encoder->options.smoothing;
    if (!(category->weight > 0) || !(total->weight > 0)) {
        return 0;
    }
    if (encoder->options.task == RF_TASK_REGRESSION) {
        double prior = total->sum / total->weight;
        return (category->sum + m * prior) / (category->weight + m) - prior;
    }
    double prior = (total->sum + 0.5) / (total->weight + 1);
    return log_odds((category->sum + m * prior) / (category->weight + m)) - log_odds(prior);
}

static void add(double *weight, double *sum, double label, double importance) {
    double moved = *sum + importance * label;
    if (*weight + importance <= SUM_MAX && fabs(moved) <= SUM_MAX) {
        *weight += importance;
        *sum = moved;
    }
}

void rf_encoder_learn_total(struct rf_encoder *encoder, double label, double weight) {
    add(&encoder->total->weight, &encoder->total->sum, label, weight);
}

bool rf_encoder_learn(struct rf_encoder *encoder, uint64_t hash, double label, double weight) {
    size_t row = find(encoder, hash);
    struct category *category = &encoder->category[row];
    rf_block_touch(encoder->touched, row);
    if (!(category->weight > 0)) {
        if (encoder->total->categories >= encoder->rows / 2) {
            return false;
        }
        *category = (struct category){.hash = hash};
        add(&category->weight, &category->sum, label, weight);
        encoder->total->categories += category->weight > 0;
        return true;
    }
    add(&category->weight, &category->sum, label, weight);
    return true;
}

void rf_encoder_state(struct rf_encoder *encoder, const char *categories_name, const char *total_name, struct rf_state *state) {
    encoder->categories.name = categories_name;
    encoder->touched = rf_state_add(state, &encoder->categories);
    rf_state_add(state, &(struct rf_block){
                                .name = total_name,
                                .rows = 1,
                                .row_size = sizeof *encoder->total,
                                .columns = total_columns,
                                .column_count = sizeof total_columns / sizeof total_columns[0],
                                .data = encoder->total,
                                .scope = RF_SCOPE_MODEL,
                        });
}

// A sum of labels of a weight. Two classes: the labels are 0 and 1, so it is a share of the weight, but for rounding.
static bool is_sound(const struct rf_encoder *encoder, double weight, double sum) {
    bool is_bounded = weight >= 0 && weight <= SUM_MAX && fabs(sum) <= SUM_MAX;
    return is_bounded && (encoder->options.task == RF_TASK_REGRESSION || (sum >= 0 && sum <= weight));
}

enum rf_status rf_encoder_check(const struct rf_encoder *encoder, struct rf_error *err) {
    const struct total *total = encoder->total;
    size_t used = 0;
    if (!is_sound(encoder, total->weight, total->sum)) {
        return rf_fail(err, RF_CORRUPT, "the encoder's labels have weight %g and sum %g, which cannot be", total->weight,
                       total->sum);
    }
    for (size_t row = 0; row < encoder->rows; row++) {
        const struct category *category = &encoder->category[row];
        used += category->weight > 0;
        if (!is_sound(encoder, category->weight, category->sum)) {
            return rf_fail(err, RF_CORRUPT, "row %zu of the encoder has weight %g and sum %g, which cannot be", row,
                           category->weight, category->sum);
        }
    }
    if (used != total->categories || used > encoder->rows / 2) {
        return rf_fail(err, RF_CORRUPT, "the encoder holds %zu categories and counts %llu, must be as many, and at most %zu",
                       used, (unsigned long long)total->categories, encoder->rows / 2);
    }
    return RF_OK;
}

void rf_encoder_destroy(struct rf_encoder *encoder) {
    if (encoder) {
        rf_table_destroy(encoder->category, encoder->rows * sizeof *encoder->category);
        free(encoder->total);
        free(encoder);
    }
}

enum rf_status rf_encoder_create(const struct rf_encoder_options *options, struct rf_encoder **encoder_out,
                                 struct rf_error *err) {
    assert(options->task != RF_TASK_MULTICLASS && options->smoothing > 0);
    struct rf_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder) {
        return rf_fail(err, RF_MEMORY, "out of memory for an encoder");
    }
    encoder->options = *options;
    encoder->row_bits = 1;
    while ((size_t)1 << encoder->row_bits < 2 * options->categories_max) {
        encoder->row_bits++;
    }
    encoder->rows = (size_t)1 << encoder->row_bits;
    encoder->total = calloc(1, sizeof *encoder->total);
    void *categories = NULL;
    if (!encoder->total) {
        rf_fail(err, RF_MEMORY, "out of memory for an encoder");
        goto fail;
    }
    if (rf_table_create(encoder->rows * sizeof *encoder->category, &categories, err) != RF_OK) {
        rf_fail_in(err, "encoder of %zu categories", encoder->rows / 2);
        goto fail;
    }
    encoder->category = categories;
    encoder->categories = (struct rf_block){
            .rows = encoder->rows,
            .row_size = sizeof *encoder->category,
            .columns = category_columns,
            .column_count = sizeof category_columns / sizeof category_columns[0],
            .data = encoder->category,
            .scope = RF_SCOPE_MODEL,
            .is_touched = true,
    };
    encoder->touched = &encoder->categories;
    *encoder_out = encoder;
    return RF_OK;
fail:
    rf_encoder_destroy(encoder);
    return err->status;
}
