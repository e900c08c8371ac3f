#include "learners/loss.h"
#include "proto/math.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void identity_link(const struct rf_loss *self, const double *score, double *prediction_out) {
    memmove(prediction_out, score, self->outputs * sizeof *score);
}

static bool squared_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    (void)self;
    if (!isfinite(label)) {
        return false;
    }
    gradient_out[0] = 2 * (score[0] - label);
    return true;
}

static double squared_value(const struct rf_loss *self, const double *score, double label) {
    (void)self;
    return (score[0] - label) * (score[0] - label);
}

// s' = -2 (s - y) towards y, over the importance h: s + (y - s) (1 - exp(-2 h)).
static double squared_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    (void)self;
    (void)k;
    return (label - score) * (1 - rf_exp(-2 * importance));
}

static bool is_binary(double label) {
    return label == 0 || label == 1;
}

static void logistic_link(const struct rf_loss *self, const double *score, double *prediction_out) {
    (void)self;
    prediction_out[0] = rf_sigmoid(score[0]);
}

static bool logistic_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    (void)self;
    if (!is_binary(label)) {
        return false;
    }
    gradient_out[0] = rf_sigmoid(score[0]) - label;
    return true;
}

static double logistic_value(const struct rf_loss *self, const double *score, double label) {
    (void)self;
    return rf_softplus(label == 1 ? -score[0] : score[0]);
}

static bool hinge_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    (void)self;
    if (!is_binary(label)) {
        return false;
    }
    double sign = label == 1 ? 1 : -1;
    gradient_out[0] = sign * score[0] < 1 ? -sign : 0;
    return true;
}

static double hinge_value(const struct rf_loss *self, const double *score, double label) {
    (void)self;
    double margin = label == 1 ? score[0] : -score[0];
    return margin < 1 ? 1 - margin : 0;
}

// Towards the margin of 1, and not beyond it.
static double hinge_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    double missing = hinge_value(self, &score, label);
    double change = importance < missing ? importance : missing;
    (void)k;
    return label == 1 ? change : -change;
}

static double largest_of(uint32_t outputs, const double *score) {
    double largest = score[0];
    for (uint32_t k = 1; k < outputs; k++) {
        largest = score[k] > largest ? score[k] : largest;
    }
    return largest;
}

// The largest score is taken off first: no exponential overflows, and their sum is at least 1.
static void softmax_link(const struct rf_loss *self, const double *score, double *prediction_out) {
    double largest = largest_of(self->outputs, score);
    double sum = 0;
    for (uint32_t k = 0; k < self->outputs; k++) {
        prediction_out[k] = rf_exp(score[k] - largest);
        sum += prediction_out[k];
    }
    for (uint32_t k = 0; k < self->outputs; k++) {
        prediction_out[k] /= sum;
    }
}

static bool softmax_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    if (!(label >= 0 && label < self->outputs && label == floor(label))) {
        return false;
    }
    softmax_link(self, score, gradient_out);
    gradient_out[(size_t)label] -= 1;
    return true;
}

static double softmax_value(const struct rf_loss *self, const double *score, double label) {
    double largest = largest_of(self->outputs, score);
    double sum = 0;
    for (uint32_t k = 0; k < self->outputs; k++) {
        sum += rf_exp(score[k] - largest);
    }
    return rf_log(sum) + largest - score[(size_t)label];
}

static const struct rf_loss_ops squared_ops = {
        .name = "squared",
        .task = RF_TASK_REGRESSION,
        .link = identity_link,
        .gradient = squared_gradient,
        .value = squared_value,
        .flow = squared_flow,
};

static const struct rf_loss_ops logistic_ops = {
        .name = "logistic",
        .task = RF_TASK_BINARY,
        .link = logistic_link,
        .gradient = logistic_gradient,
        .value = logistic_value,
};

static const struct rf_loss_ops hinge_ops = {
        .name = "hinge",
        .task = RF_TASK_BINARY,
        .is_margin = true,
        .link = identity_link,
        .gradient = hinge_gradient,
        .value = hinge_value,
        .flow = hinge_flow,
};

static const struct rf_loss_ops softmax_ops = {
        .name = "softmax",
        .task = RF_TASK_MULTICLASS,
        .link = softmax_link,
        .gradient = softmax_gradient,
        .value = softmax_value,
};

static const struct rf_setting no_settings[] = {{0}};

const struct rf_variant rf_loss_variants[] = {
        {"squared", "regression: (p - y)^2", no_settings, 0, &squared_ops},
        {"logistic", "two classes: -log of the probability of the true one", no_settings, 0, &logistic_ops},
        {"hinge", "two classes: max(0, 1 - margin)", no_settings, 0, &hinge_ops},
        {"softmax", "several classes: -log of the probability of the true one", no_settings, 0, &softmax_ops},
        {0},
};

enum rf_status rf_loss_init(const struct rf_variant_value *value, struct rf_loss *loss_out, struct rf_error *err) {
    if (!value->kind) {
        return rf_fail(err, RF_INVALID, "loss is absent, must be given");
    }
    *loss_out = (struct rf_loss){.ops = value->kind->registration, .outputs = 1};
    return RF_OK;
}
