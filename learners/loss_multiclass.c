#include "learners/loss.h"
#include "proto/math.h"

#include <math.h>

static bool is_class(const struct rf_loss *self, double label) {
    return label >= 0 && label < self->outputs && label == floor(label);
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
    if (!is_class(self, label)) {
        return false;
    }
    softmax_link(self, score, gradient_out);
    gradient_out[(size_t)label] -= 1;
    return true;
}

// The log of the sum of exponentials, less `score`: -log of its class's probability.
static double surprise(const struct rf_loss *self, const double *score, double largest, double sum, uint32_t k) {
    (void)self;
    return rf_log(sum) + largest - score[k];
}

static double sum_of_exponentials(const struct rf_loss *self, const double *score, double largest) {
    double sum = 0;
    for (uint32_t k = 0; k < self->outputs; k++) {
        sum += rf_exp(score[k] - largest);
    }
    return sum;
}

static double softmax_value(const struct rf_loss *self, const double *score, double label) {
    double largest = largest_of(self->outputs, score);
    return surprise(self, score, largest, sum_of_exponentials(self, score, largest), (uint32_t)label);
}

static void smoothed_configure(struct rf_loss *self, const void *options) {
    self->parameter = ((const struct rf_loss_smoothed_options *)options)->smoothing;
}

static double smoothed_target(const struct rf_loss *self, uint32_t k, double label) {
    return (label == k ? 1 - self->parameter : 0) + self->parameter / self->outputs;
}

static bool smoothed_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    if (!is_class(self, label)) {
        return false;
    }
    softmax_link(self, score, gradient_out);
    for (uint32_t k = 0; k < self->outputs; k++) {
        gradient_out[k] -= smoothed_target(self, k, label);
    }
    return true;
}

static double smoothed_value(const struct rf_loss *self, const double *score, double label) {
    double largest = largest_of(self->outputs, score);
    double sum = sum_of_exponentials(self, score, largest);
    double value = 0;
    for (uint32_t k = 0; k < self->outputs; k++) {
        value += smoothed_target(self, k, label) * surprise(self, score, largest, sum, k);
    }
    return value;
}

// One against all: each score is that of a loss of two classes, its own and all others. The classes share nothing, so the
// flow is theirs.

enum { BASE_LOGISTIC, BASE_SQUARED, BASE_HINGE };
const char *const rf_loss_base_names[] = {"logistic", "squared", "hinge", NULL};

static void against_all_configure(struct rf_loss *self, const void *options) {
    static const struct rf_loss_ops *const bases[] = {&rf_loss_logistic, &rf_loss_squared, &rf_loss_hinge};
    int base = ((const struct rf_loss_against_all_options *)options)->base;
    self->base = bases[base];
    self->is_passive = base == BASE_HINGE;
}

// The label that the base loss of class k sees: 0 or 1; of squared -1 or 1.
static double base_label(const struct rf_loss *self, uint32_t k, double label) {
    return label == k ? 1 : self->base == &rf_loss_squared ? -1 : 0;
}

static bool against_all_gradient(const struct rf_loss *self, const double *score, double label, double *gradient_out) {
    if (!is_class(self, label)) {
        return false;
    }
    for (uint32_t k = 0; k < self->outputs; k++) {
        if (!self->base->gradient(self, &score[k], base_label(self, k, label), &gradient_out[k])) {
            return false; // no base refuses these labels
        }
    }
    return true;
}

static double against_all_value(const struct rf_loss *self, const double *score, double label) {
    double value = 0;
    for (uint32_t k = 0; k < self->outputs; k++) {
        value += self->base->value(self, &score[k], base_label(self, k, label));
    }
    return value;
}

static double against_all_flow(const struct rf_loss *self, uint32_t k, double score, double label, double importance) {
    return self->base->flow(self, 0, score, base_label(self, k, label), importance);
}

// The classes' probabilities in proportion, by their logarithms: they may all be too small for a double.
static void link_in_proportion(const struct rf_loss *self, const double *score, double *prediction_out) {
    for (uint32_t k = 0; k < self->outputs; k++) {
        prediction_out[k] = -rf_softplus(-score[k]);
    }
    softmax_link(self, prediction_out, prediction_out);
}

// Scores that aim at -1 and 1 stand for probabilities (s + 1) / 2, but these need not add up to 1. The nearest ones that do
// (projection onto the simplex; Michelot, 1986) are max(0, (s + 1) / 2 - shift); the order of the classes stays. The largest
// score is taken off first: those further than 2 below it come to 0.
static void link_nearest(const struct rf_loss *self, const double *score, double *prediction_out) {
    double largest = largest_of(self->outputs, score);
    for (uint32_t k = 0; k < self->outputs; k++) {
        prediction_out[k] = (score[k] - largest) / 2; // at most 0
    }
    double shift = -1;
    uint32_t kept = self->outputs + 1, before;
    do {
        before = kept;
        kept = 0;
        double sum = 0;
        for (uint32_t k = 0; k < self->outputs; k++) {
            bool is_kept = prediction_out[k] > shift;
            sum += is_kept ? prediction_out[k] : 0;
            kept += is_kept;
        }
        shift = (sum - 1) / kept; // below 0: the largest is always kept
    } while (kept < before);
    for (uint32_t k = 0; k < self->outputs; k++) {
        double share = prediction_out[k] - shift;
        prediction_out[k] = share > 0 ? share : 0;
    }
}

static void against_all_link(const struct rf_loss *self, const double *score, double *prediction_out) {
    if (self->base == &rf_loss_logistic) {
        link_in_proportion(self, score, prediction_out);
    } else {
        link_nearest(self, score, prediction_out);
    }
}

const struct rf_loss_ops rf_loss_softmax = {
        .name = "softmax",
        .task = RF_TASK_MULTICLASS,
        .link = softmax_link,
        .gradient = softmax_gradient,
        .value = softmax_value,
};

const struct rf_loss_ops rf_loss_smoothed_softmax = {
        .name = "label_smoothed_softmax",
        .task = RF_TASK_MULTICLASS,
        .configure = smoothed_configure,
        .link = softmax_link,
        .gradient = smoothed_gradient,
        .value = smoothed_value,
};

const struct rf_loss_ops rf_loss_one_against_all = {
        .name = "one_against_all",
        .task = RF_TASK_MULTICLASS,
        .configure = against_all_configure,
        .link = against_all_link,
        .gradient = against_all_gradient,
        .value = against_all_value,
        .flow = against_all_flow,
};
