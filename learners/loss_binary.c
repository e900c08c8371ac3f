#include "learners/lambert.h"
#include "learners/loss.h"
#include "proto/math.h"

static bool is_binary(double label) {
    return label == 0 || label == 1;
}

static void sigmoid_link(const struct rf_loss *self, const double *score, double *prediction_out) {
    (void)self;
    prediction_out[0] = rf_sigmoid(score[0]);
}

static bool logistic_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    (void)self;
    if (!is_binary(label)) {
        return false;
    }
    gradient_out[0] = label == 1 ? -rf_sigmoid(-score[0]) : rf_sigmoid(score[0]);
    return true;
}

static double logistic_value(const struct rf_loss *self, const double *score, double label) {
    (void)self;
    return rf_softplus(label == 1 ? -score[0] : score[0]);
}

static double logistic_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    (void)self;
    (void)k;
    return label == 1 ? rf_lambert_climb(score, importance) : -rf_lambert_climb(-score, importance);
}

static void smoothed_configure(struct rf_loss *self, const void *options) {
    self->parameter = ((const struct rf_loss_smoothed_options *)options)->smoothing;
}

// The probability of class 1 that is aimed at.
static double smoothed_target(const struct rf_loss *self, double label) {
    return label * (1 - self->parameter) + self->parameter / 2;
}

static bool smoothed_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    if (!is_binary(label)) {
        return false;
    }
    gradient_out[0] = rf_sigmoid(score[0]) - smoothed_target(self, label);
    return true;
}

static double smoothed_value(const struct rf_loss *self, const double *score, double label) {
    double target = smoothed_target(self, label);
    return target * rf_softplus(-score[0]) + (1 - target) * rf_softplus(score[0]);
}

// The margin: how far the score is on the label's side.
static double margin_of(double score, double label) {
    return label == 1 ? score : -score;
}

static double towards(double label, double change) {
    return label == 1 ? change : -change;
}

static double missing_of(double score, double label) {
    double margin = margin_of(score, label);
    return margin < 1 ? 1 - margin : 0;
}

static void hinge_configure(struct rf_loss *self, const void *options) {
    (void)options;
    self->is_passive = true;
}

static bool hinge_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    (void)self;
    if (!is_binary(label)) {
        return false;
    }
    gradient_out[0] = margin_of(score[0], label) < 1 ? towards(label, -1) : 0;
    return true;
}

static double hinge_value(const struct rf_loss *self, const double *score, double label) {
    (void)self;
    return missing_of(score[0], label);
}

// Towards the margin of 1, and not beyond it.
static double hinge_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    (void)self;
    (void)k;
    double missing = missing_of(score, label);
    return towards(label, importance < missing ? importance : missing);
}

static bool squared_hinge_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    (void)self;
    if (!is_binary(label)) {
        return false;
    }
    gradient_out[0] = towards(label, -2 * missing_of(score[0], label));
    return true;
}

static double squared_hinge_value(const struct rf_loss *self, const double *score, double label) {
    (void)self;
    double missing = missing_of(score[0], label);
    return missing * missing;
}

// What is missing to the margin of 1 fades as the error of squared does.
static double squared_hinge_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    (void)self;
    (void)k;
    return towards(label, -missing_of(score, label) * rf_expm1(-2 * importance));
}

static bool perceptron_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    (void)self;
    if (!is_binary(label)) {
        return false;
    }
    gradient_out[0] = margin_of(score[0], label) <= 0 ? towards(label, -1) : 0;
    return true;
}

static double perceptron_value(const struct rf_loss *self, const double *score, double label) {
    (void)self;
    double margin = margin_of(score[0], label);
    return margin < 0 ? -margin : 0;
}

const struct rf_loss_ops rf_loss_logistic = {
        .name = "logistic",
        .task = RF_TASK_BINARY,
        .link = sigmoid_link,
        .gradient = logistic_gradient,
        .value = logistic_value,
        .flow = logistic_flow,
};

const struct rf_loss_ops rf_loss_label_smoothed = {
        .name = "label_smoothed",
        .task = RF_TASK_BINARY,
        .configure = smoothed_configure,
        .link = sigmoid_link,
        .gradient = smoothed_gradient,
        .value = smoothed_value,
};

const struct rf_loss_ops rf_loss_hinge = {
        .name = "hinge",
        .task = RF_TASK_BINARY,
        .is_margin = true,
        .configure = hinge_configure,
        .link = rf_loss_link_identity,
        .gradient = hinge_gradient,
        .value = hinge_value,
        .flow = hinge_flow,
};

const struct rf_loss_ops rf_loss_squared_hinge = {
        .name = "squared_hinge",
        .task = RF_TASK_BINARY,
        .is_margin = true,
        .link = rf_loss_link_identity,
        .gradient = squared_hinge_gradient,
        .value = squared_hinge_value,
        .flow = squared_hinge_flow,
};

// Its flow would end at a margin of 0, and so never leave the score it begins with.
const struct rf_loss_ops rf_loss_perceptron = {
        .name = "perceptron",
        .task = RF_TASK_BINARY,
        .is_margin = true,
        .link = rf_loss_link_identity,
        .gradient = perceptron_gradient,
        .value = perceptron_value,
};
