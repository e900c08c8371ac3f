#include "learners/loss.h"
#include "proto/math.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void identity_link(uint32_t outputs, const double *score, double *prediction_out) {
    memmove(prediction_out, score, outputs * sizeof *score);
}

static bool squared_gradient(uint32_t outputs, const double *score, double label, double *gradient_out) {
    (void)outputs;
    if (!isfinite(label)) {
        return false;
    }
    gradient_out[0] = 2 * (score[0] - label);
    return true;
}

static double squared_value(uint32_t outputs, const double *score, double label) {
    (void)outputs;
    return (score[0] - label) * (score[0] - label);
}

static bool is_binary(double label) {
    return label == 0 || label == 1;
}

static void logistic_link(uint32_t outputs, const double *score, double *prediction_out) {
    (void)outputs;
    prediction_out[0] = rf_sigmoid(score[0]);
}

static bool logistic_gradient(uint32_t outputs, const double *score, double label, double *gradient_out) {
    (void)outputs;
    if (!is_binary(label)) {
        return false;
    }
    gradient_out[0] = rf_sigmoid(score[0]) - label;
    return true;
}

static double logistic_value(uint32_t outputs, const double *score, double label) {
    (void)outputs;
    return rf_softplus(label == 1 ? -score[0] : score[0]);
}

static bool hinge_gradient(uint32_t outputs, const double *score, double label, double *gradient_out) {
    (void)outputs;
    if (!is_binary(label)) {
        return false;
    }
    double sign = label == 1 ? 1 : -1;
    gradient_out[0] = sign * score[0] < 1 ? -sign : 0;
    return true;
}

static double hinge_value(uint32_t outputs, const double *score, double label) {
    (void)outputs;
    double margin = label == 1 ? score[0] : -score[0];
    return margin < 1 ? 1 - margin : 0;
}

static double largest_of(uint32_t outputs, const double *score) {
    double largest = score[0];
    for (uint32_t k = 1; k < outputs; k++) {
        largest = score[k] > largest ? score[k] : largest;
    }
    return largest;
}

// The largest score is taken off first: no exponential overflows, and their sum is at least 1.
static void softmax_link(uint32_t outputs, const double *score, double *prediction_out) {
    double largest = largest_of(outputs, score);
    double sum = 0;
    for (uint32_t k = 0; k < outputs; k++) {
        prediction_out[k] = rf_exp(score[k] - largest);
        sum += prediction_out[k];
    }
    for (uint32_t k = 0; k < outputs; k++) {
        prediction_out[k] /= sum;
    }
}

static bool softmax_gradient(uint32_t outputs, const double *score, double label, double *gradient_out) {
    if (!(label >= 0 && label < outputs && label == floor(label))) {
        return false;
    }
    softmax_link(outputs, score, gradient_out);
    gradient_out[(size_t)label] -= 1;
    return true;
}

static double softmax_value(uint32_t outputs, const double *score, double label) {
    double largest = largest_of(outputs, score);
    double sum = 0;
    for (uint32_t k = 0; k < outputs; k++) {
        sum += rf_exp(score[k] - largest);
    }
    return rf_log(sum) + largest - score[(size_t)label];
}

static const struct rf_loss losses[] = {
        {"squared", RF_TASK_REGRESSION, false, identity_link, squared_gradient, squared_value},
        {"logistic", RF_TASK_BINARY, false, logistic_link, logistic_gradient, logistic_value},
        {"hinge", RF_TASK_BINARY, true, identity_link, hinge_gradient, hinge_value},
        {"softmax", RF_TASK_MULTICLASS, false, softmax_link, softmax_gradient, softmax_value},
};

const char *const rf_loss_names[] = {"squared", "logistic", "hinge", "softmax", NULL};

const struct rf_loss *rf_loss_at(int index) {
    assert(index >= 0 && (size_t)index < sizeof losses / sizeof losses[0]);
    return &losses[index];
}
