#include "tests/learners/learner_naive.h"
#include "tests/learners/optimizer_naive.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 64, FEATURES_MAX = 16 };

struct values { // count 0: free
    uint64_t hash;
    size_t count;
    long double sum, sum_of_squares;
};

struct row {
    double x[FEATURES_MAX]; // of the features of an example in it
    size_t count;
};

struct naive {
    const struct rf_linear_options *options;
    const char *loss;
    double ahead, bias_rate;
    bool is_scaled;
    uint32_t outputs;
    size_t rows;
    struct naive_weight *weight; // [rows + 1][outputs]: the last row is the bias
    struct row *row;             // [rows + 1]
    struct values fields[FIELDS_MAX];
    uint64_t steps;
};

struct naive *naive_create(const struct rf_linear_options *options, uint32_t outputs) {
    struct naive *naive = calloc(1, sizeof *naive);
    assert_non_null(naive);
    naive->options = options;
    naive->loss = options->loss.kind->name;
    naive->ahead = naive_ahead(options);
    naive->bias_rate = options->bias_rate;
    naive->is_scaled = options->transform.scale == RF_SCALE_STANDARD || options->transform.scale == RF_SCALE_AUTO;
    naive->outputs = outputs;
    naive->rows = (size_t)1 << options->hash_bits;
    naive->weight = calloc((naive->rows + 1) * outputs, sizeof *naive->weight);
    naive->row = calloc(naive->rows + 1, sizeof *naive->row);
    assert_true(naive->weight && naive->row);
    naive->row[naive->rows] = (struct row){.x = {1}, .count = options->bias};
    return naive;
}

void naive_destroy(struct naive *naive) {
    free(naive->weight);
    free(naive->row);
    free(naive);
}

static struct values *values_of(struct naive *naive, uint64_t hash) {
    size_t i = 0;
    while (naive->fields[i].count > 0 && naive->fields[i].hash != hash) {
        assert_true(++i < FIELDS_MAX);
    }
    naive->fields[i].hash = hash;
    return &naive->fields[i];
}

static double scaled(struct naive *naive, uint64_t hash, double value) {
    const struct values *values = values_of(naive, hash);
    if (values->count < 2) {
        return 0;
    }
    long double mean = values->sum / (long double)values->count;
    long double variance = values->sum_of_squares / (long double)values->count - mean * mean;
    return variance > 0 ? (double)((value - mean) / sqrtl(variance)) : 0;
}

static void fill_rows(struct naive *naive, const struct rf_examples *examples, size_t index) {
    for (size_t row = 0; row < naive->rows; row++) {
        naive->row[row].count = 0;
    }
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        bool is_scaled = naive->is_scaled && examples->kind[i] == RF_NUMBER;
        double x = is_scaled ? scaled(naive, examples->hash[i], examples->value[i]) : examples->value[i];
        struct row *row = &naive->row[examples->hash[i] & (naive->rows - 1)];
        assert_true(row->count < FEATURES_MAX);
        row->x[row->count++] = x;
    }
}

// The score of an output, `ahead` times the velocity added to all weights.
static double score_of(const struct naive *naive, uint32_t k, double ahead) {
    double score = 0;
    for (size_t row = 0; row <= naive->rows; row++) {
        const struct naive_weight *weight = &naive->weight[row * naive->outputs + k];
        for (size_t i = 0; i < naive->row[row].count; i++) {
            score += naive->row[row].x[i] * (weight->weight + ahead * weight->moment[0]);
        }
    }
    return score;
}

static void link_scores(const struct naive *naive, double *score) {
    if (strcmp(naive->loss, "logistic") == 0) {
        score[0] = 1 / (1 + exp(-score[0]));
    } else if (strcmp(naive->loss, "softmax") == 0) {
        double sum = 0;
        for (uint32_t k = 0; k < naive->outputs; k++) {
            sum += score[k] = exp(score[k]);
        }
        for (uint32_t k = 0; k < naive->outputs; k++) {
            score[k] /= sum;
        }
    }
}

void naive_predict(struct naive *naive, const struct rf_examples *examples, size_t index, double *prediction_out) {
    fill_rows(naive, examples, index);
    for (uint32_t k = 0; k < naive->outputs; k++) {
        prediction_out[k] = score_of(naive, k, 0);
    }
    link_scores(naive, prediction_out);
}

static double gradient_of(const struct naive *naive, uint32_t k, double prediction, double label) {
    if (strcmp(naive->loss, "squared") == 0) {
        return 2 * (prediction - label);
    }
    if (strcmp(naive->loss, "hinge") == 0) {
        double sign = label == 1 ? 1 : -1;
        return sign * prediction < 1 ? -sign : 0;
    }
    return prediction - (strcmp(naive->loss, "softmax") == 0 ? label == k : label);
}

void naive_learn(struct naive *naive, const struct rf_examples *examples, size_t index) {
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        if (naive->is_scaled && examples->kind[i] == RF_NUMBER) {
            struct values *values = values_of(naive, examples->hash[i]);
            values->count++;
            values->sum += examples->value[i];
            values->sum_of_squares += (long double)examples->value[i] * examples->value[i];
        }
    }
    fill_rows(naive, examples, index);
    double prediction[64];
    assert_true(naive->outputs <= 64);
    for (uint32_t k = 0; k < naive->outputs; k++) {
        prediction[k] = score_of(naive, k, naive->ahead);
    }
    link_scores(naive, prediction);
    struct naive_step of_weights = naive_step_of(naive->options, naive->steps, false);
    struct naive_step of_bias = naive_step_of(naive->options, naive->steps, true);
    for (uint32_t k = 0; k < naive->outputs; k++) {
        double gradient = examples->weight[index] * gradient_of(naive, k, prediction[k], examples->label[index]);
        for (size_t row = 0; row <= naive->rows; row++) {
            struct naive_weight *weight = &naive->weight[row * naive->outputs + k];
            struct naive_step *step = row == naive->rows ? &of_bias : &of_weights;
            double part[FEATURES_MAX];
            for (size_t i = 0; i < naive->row[row].count; i++) {
                part[i] = gradient * naive->row[row].x[i];
            }
            step->part = part;
            step->parts = naive->row[row].count;
            if (row == naive->rows && naive->bias_rate > 0) {
                weight->weight -= naive->bias_rate * gradient;
            } else {
                step->rule(step, weight);
            }
        }
    }
    naive->steps++;
}
