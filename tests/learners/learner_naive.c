#include "tests/learners/learner_naive.h"
#include "learners/optimizer.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 64 };

struct values { // count 0: free
    uint64_t hash;
    size_t count;
    long double sum, sum_of_squares;
};

struct naive {
    const char *loss, *optimizer;
    struct rf_momentum_options rule; // momentum 0 under sgd
    double l2, bias_rate;
    bool is_scaled, has_bias;
    uint32_t outputs;
    size_t rows;
    double *weight, *velocity; // [rows][outputs]
    double *bias, *bias_velocity;
    double *input; // [rows]: the sum of the features of an example in each row
    struct values fields[FIELDS_MAX];
    size_t steps;
};

struct naive *naive_create(const struct rf_linear_options *options, uint32_t outputs) {
    struct naive *naive = calloc(1, sizeof *naive);
    assert_non_null(naive);
    naive->loss = options->loss.kind->name;
    naive->optimizer = options->optimizer.kind->name;
    memcpy(&naive->rule, options->optimizer.options, options->optimizer.kind->options_size); // sgd's fields are the first of them
    naive->l2 = options->l2;
    naive->bias_rate = options->bias_rate;
    naive->is_scaled = options->transform.scale == RF_SCALE_STANDARD || options->transform.scale == RF_SCALE_AUTO;
    naive->has_bias = options->bias;
    naive->outputs = outputs;
    naive->rows = (size_t)1 << options->hash_bits;
    naive->weight = calloc(naive->rows * outputs, sizeof(double));
    naive->velocity = calloc(naive->rows * outputs, sizeof(double));
    naive->bias = calloc(outputs, sizeof(double));
    naive->bias_velocity = calloc(outputs, sizeof(double));
    naive->input = calloc(naive->rows, sizeof(double));
    assert_true(naive->weight && naive->velocity && naive->bias && naive->bias_velocity && naive->input);
    return naive;
}

void naive_destroy(struct naive *naive) {
    free(naive->weight);
    free(naive->velocity);
    free(naive->bias);
    free(naive->bias_velocity);
    free(naive->input);
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

static void fill_input(struct naive *naive, const struct rf_examples *examples, size_t index) {
    memset(naive->input, 0, naive->rows * sizeof(double));
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        bool is_scaled = naive->is_scaled && examples->kind[i] == RF_NUMBER;
        double x = is_scaled ? scaled(naive, examples->hash[i], examples->value[i]) : examples->value[i];
        naive->input[examples->hash[i] % naive->rows] += x;
    }
}

// The score of an output, `ahead` times the velocity added to all weights.
static double score_of(const struct naive *naive, uint32_t k, double ahead) {
    double score = naive->bias[k] + (naive->bias_rate > 0 ? 0 : ahead * naive->bias_velocity[k]);
    for (size_t row = 0; row < naive->rows; row++) {
        size_t cell = row * naive->outputs + k;
        score += naive->input[row] * (naive->weight[cell] + ahead * naive->velocity[cell]);
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
    fill_input(naive, examples, index);
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

static double rate_of(const struct naive *naive) {
    double step = (double)naive->steps;
    if (naive->rule.rate_decay == RF_RATE_CONSTANT) {
        return naive->rule.rate;
    }
    if (naive->l2 > 0) {
        step = floor(step / 1024) * 1024; // the stated rule: under L2 a falling rate is held for 1,024 steps
    }
    return naive->rule.rate * pow(naive->rule.rate_start / (naive->rule.rate_start + step), naive->rule.rate_power);
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
    fill_input(naive, examples, index);
    double momentum = naive->rule.momentum;
    double ahead = strcmp(naive->optimizer, "nesterov") == 0 ? momentum : 0;
    double rate = rate_of(naive);
    double prediction[64];
    assert_true(naive->outputs <= 64);
    for (uint32_t k = 0; k < naive->outputs; k++) {
        prediction[k] = score_of(naive, k, ahead);
    }
    link_scores(naive, prediction);
    for (uint32_t k = 0; k < naive->outputs; k++) {
        double gradient = examples->weight[index] * gradient_of(naive, k, prediction[k], examples->label[index]);
        for (size_t row = 0; row < naive->rows; row++) {
            double *w = &naive->weight[row * naive->outputs + k];
            double *v = &naive->velocity[row * naive->outputs + k];
            *v = momentum * *v - rate * (gradient * naive->input[row] + naive->l2 * (*w + ahead * *v));
            *w += *v;
        }
        if (naive->has_bias && naive->bias_rate > 0) {
            naive->bias[k] -= naive->bias_rate * gradient;
        } else if (naive->has_bias) {
            naive->bias_velocity[k] = momentum * naive->bias_velocity[k] - rate * gradient;
            naive->bias[k] += naive->bias_velocity[k];
        }
    }
    naive->steps++;
}
