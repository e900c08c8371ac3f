#include "learners/loss.h"
#include "proto/math.h"

#include <math.h>

static double smaller(double a, double b) {
    return a < b ? a : b;
}

static double sign_of(double x) {
    return x > 0 ? 1 : x < 0 ? -1 : 0;
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
    return (score - label) * rf_expm1(-2 * importance);
}

// absolute is epsilon_insensitive with an epsilon of 0, which is what its parameter is.
static void absolute_configure(struct rf_loss *self, const void *options) {
    (void)options;
    self->is_passive = true;
}

static void epsilon_configure(struct rf_loss *self, const void *options) {
    self->parameter = ((const struct rf_loss_epsilon_options *)options)->epsilon;
    self->is_passive = true;
}

static double epsilon_value(const struct rf_loss *self, const double *score, double label) {
    double beyond = fabs(score[0] - label) - self->parameter;
    return beyond > 0 ? beyond : 0;
}

static bool epsilon_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    if (!isfinite(label)) {
        return false;
    }
    gradient_out[0] = epsilon_value(self, score, label) > 0 ? sign_of(score[0] - label) : 0;
    return true;
}

// To the edge where the loss ends, at speed 1, and not beyond it.
static double epsilon_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    (void)k;
    return sign_of(label - score) * smaller(importance, epsilon_value(self, &score, label));
}

static void huber_configure(struct rf_loss *self, const void *options) {
    self->parameter = ((const struct rf_loss_huber_options *)options)->delta;
}

static bool huber_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    if (!isfinite(label)) {
        return false;
    }
    double error = score[0] - label;
    gradient_out[0] = fabs(error) <= self->parameter ? error : sign_of(error) * self->parameter;
    return true;
}

static double huber_value(const struct rf_loss *self, const double *score, double label) {
    double size = fabs(score[0] - label);
    return size <= self->parameter ? size * size / 2 : self->parameter * (size - self->parameter / 2);
}

// At speed delta up to the point where the loss turns quadratic, then as squared does.
static double huber_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    (void)k;
    double size = fabs(score - label);
    double linear = size > self->parameter ? smaller(importance * self->parameter, size - self->parameter) : 0;
    double left = importance - linear / self->parameter;
    return sign_of(label - score) * (linear + (left > 0 ? (linear - size) * rf_expm1(-left) : 0));
}

static void quantile_configure(struct rf_loss *self, const void *options) {
    self->parameter = ((const struct rf_loss_quantile_options *)options)->tau;
}

static double quantile_slope(const struct rf_loss *self, double score, double label) {
    return score < label ? -self->parameter : score > label ? 1 - self->parameter : 0;
}

static bool quantile_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    if (!isfinite(label)) {
        return false;
    }
    gradient_out[0] = quantile_slope(self, score[0], label);
    return true;
}

static double quantile_value(const struct rf_loss *self, const double *score, double label) {
    return quantile_slope(self, score[0], label) * (score[0] - label);
}

static double quantile_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    (void)k;
    double speed = fabs(quantile_slope(self, score, label));
    return sign_of(label - score) * smaller(importance * speed, fabs(label - score));
}

static double hinge_factor_value(const struct rf_loss *self, const double *score, double label) {
    (void)self;
    double missing = 1 - label * score[0];
    return missing > 0 ? missing : 0;
}

static bool hinge_factor_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    if (!(fabs(label) <= 1)) {
        return false;
    }
    gradient_out[0] = hinge_factor_value(self, score, label) > 0 ? -label : 0;
    return true;
}

static double hinge_factor_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    (void)k;
    return label * smaller(importance, hinge_factor_value(self, &score, label));
}

// Beyond this score the loss of poisson goes on along its tangent, so that nothing overflows; predictions and labels are at
// most its exponential.
#define POISSON_SCORE_MAX 50.0
#define POISSON_LABEL_MAX 5.184705528587072e21 // exp of it
#define IMPORTANCE_MAX 1e30

static double poisson_mean(double score) {
    return score < POISSON_SCORE_MAX ? rf_exp(score) : POISSON_LABEL_MAX;
}

static void poisson_link(const struct rf_loss *self, const double *score, double *prediction_out) {
    (void)self;
    prediction_out[0] = poisson_mean(score[0]);
}

static bool poisson_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    (void)self;
    if (!(label >= 0 && label <= POISSON_LABEL_MAX)) {
        return false;
    }
    gradient_out[0] = poisson_mean(score[0]) - label;
    return true;
}

static double poisson_value(const struct rf_loss *self, const double *score, double label) {
    (void)self;
    double beyond = score[0] - POISSON_SCORE_MAX;
    return poisson_mean(score[0]) * (beyond > 0 ? 1 + beyond : 1) - label * score[0];
}

// s' = y - exp s is linear in u = exp(-s): u' = 1 - y u. Over the importance h that is
//
//     exp(-change) = exp(-y h) + exp(s) share,     share = (1 - exp(-y h)) / y, or h where y is 0
//
// taken as 1 + (exp(s) - y) share where that is near 1, else as a sum of exponents.
static double poisson_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    (void)self;
    (void)k;
    double left = smaller(importance, IMPORTANCE_MAX);
    double tangent = 0;
    if (score > POISSON_SCORE_MAX) {
        double speed = POISSON_LABEL_MAX - label;
        tangent = smaller(left * speed, score - POISSON_SCORE_MAX);
        left = speed > 0 ? left - tangent / speed : 0;
        score -= tangent;
    }
    if (!(left > 0) || score > POISSON_SCORE_MAX) {
        return -tangent;
    }
    double share = label * left > 0 ? left * (rf_expm1(-label * left) / (-label * left)) : left;
    double change = (poisson_mean(score) - label) * share;
    if (fabs(change) < 0.5) {
        return -(tangent + rf_log1p(change));
    }
    double kept = -label * left;
    double grown = score + rf_log(share);
    return -(tangent + (kept > grown ? kept : grown) + rf_log1p(rf_exp(-fabs(kept - grown))));
}

const struct rf_loss_ops rf_loss_squared = {
        .name = "squared",
        .task = RF_TASK_REGRESSION,
        .link = rf_loss_link_identity,
        .gradient = squared_gradient,
        .value = squared_value,
        .flow = squared_flow,
};

const struct rf_loss_ops rf_loss_absolute = {
        .name = "absolute",
        .task = RF_TASK_REGRESSION,
        .configure = absolute_configure,
        .link = rf_loss_link_identity,
        .gradient = epsilon_gradient,
        .value = epsilon_value,
        .flow = epsilon_flow,
};

const struct rf_loss_ops rf_loss_epsilon_insensitive = {
        .name = "epsilon_insensitive",
        .task = RF_TASK_REGRESSION,
        .configure = epsilon_configure,
        .link = rf_loss_link_identity,
        .gradient = epsilon_gradient,
        .value = epsilon_value,
        .flow = epsilon_flow,
};

const struct rf_loss_ops rf_loss_huber = {
        .name = "huber",
        .task = RF_TASK_REGRESSION,
        .configure = huber_configure,
        .link = rf_loss_link_identity,
        .gradient = huber_gradient,
        .value = huber_value,
        .flow = huber_flow,
};

const struct rf_loss_ops rf_loss_quantile = {
        .name = "quantile",
        .task = RF_TASK_REGRESSION,
        .configure = quantile_configure,
        .link = rf_loss_link_identity,
        .gradient = quantile_gradient,
        .value = quantile_value,
        .flow = quantile_flow,
};

const struct rf_loss_ops rf_loss_hinge_factor = {
        .name = "hinge_factor",
        .task = RF_TASK_REGRESSION,
        .link = rf_loss_link_identity,
        .gradient = hinge_factor_gradient,
        .value = hinge_factor_value,
        .flow = hinge_factor_flow,
};

const struct rf_loss_ops rf_loss_poisson = {
        .name = "poisson",
        .task = RF_TASK_REGRESSION,
        .link = poisson_link,
        .gradient = poisson_gradient,
        .value = poisson_value,
        .flow = poisson_flow,
};
