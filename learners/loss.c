#include "learners/loss.h"

#include <string.h>

void rf_loss_link_identity(const struct rf_loss *self, const double *score, double *prediction_out) {
    memmove(prediction_out, score, self->outputs * sizeof *score);
}

static const struct rf_setting no_settings[] = {{0}};

static const struct rf_setting huber_settings[] = {
        RF_REAL(struct rf_loss_huber_options, delta, "1", 1e-12, 1e12, 0,
                "size of the error from which on the loss grows linearly"),
        {0},
};

static const struct rf_setting quantile_settings[] = {
        RF_REAL(struct rf_loss_quantile_options, tau, "0.5", 0, 1, 0, "which quantile is predicted: 0.5 is the median"),
        {0},
};

static const struct rf_setting epsilon_settings[] = {
        RF_REAL(struct rf_loss_epsilon_options, epsilon, "0.1", 0, 1e12, 0, "size of the error up to which there is no loss"),
        {0},
};

static const struct rf_setting smoothed_settings[] = {
        RF_REAL(struct rf_loss_smoothed_options, smoothing, "0.1", 0, 0.999999, 0,
                "share of the label that is spread over all classes"),
        {0},
};

static const struct rf_setting against_all_settings[] = {
        RF_CHOICE(struct rf_loss_against_all_options, base, "logistic", rf_loss_base_names, 0,
                  "loss of each class against all others: logistic, squared (to -1 and 1) or hinge"),
        {0},
};

const struct rf_variant rf_loss_variants[] = {
        {"squared", "regression: (p - y)^2", no_settings, 0, &rf_loss_squared},
        {"absolute", "regression: |p - y|, for the median", no_settings, 0, &rf_loss_absolute},
        {"huber", "regression: squared near the label, linear beyond delta", huber_settings, sizeof(struct rf_loss_huber_options),
         &rf_loss_huber},
        {"quantile", "regression: the pinball loss, for a quantile", quantile_settings, sizeof(struct rf_loss_quantile_options),
         &rf_loss_quantile},
        {"epsilon_insensitive", "regression: max(0, |p - y| - epsilon)", epsilon_settings, sizeof(struct rf_loss_epsilon_options),
         &rf_loss_epsilon_insensitive},
        {"hinge_factor", "regression of labels from -1 to 1: max(0, 1 - y p), as Vowpal Wabbit takes hinge for them", no_settings,
         0, &rf_loss_hinge_factor},
        {"poisson", "regression of counts: p - y log p, with p the exponential of the score", no_settings, 0, &rf_loss_poisson},
        {"logistic", "two classes: -log of the probability of the true one", no_settings, 0, &rf_loss_logistic},
        {"label_smoothed", "two classes: logistic, with a share of the label given to the other class", smoothed_settings,
         sizeof(struct rf_loss_smoothed_options), &rf_loss_label_smoothed},
        {"hinge", "two classes: max(0, 1 - margin)", no_settings, 0, &rf_loss_hinge},
        {"squared_hinge", "two classes: max(0, 1 - margin)^2", no_settings, 0, &rf_loss_squared_hinge},
        {"perceptron", "two classes: max(0, -margin); with optimizer sgd at rate 1 the perceptron", no_settings, 0,
         &rf_loss_perceptron},
        {"softmax", "several classes: -log of the probability of the true one", no_settings, 0, &rf_loss_softmax},
        {"label_smoothed_softmax", "several classes: softmax, with a share of the label spread over all classes",
         smoothed_settings, sizeof(struct rf_loss_smoothed_options), &rf_loss_smoothed_softmax},
        {"one_against_all", "several classes: each against all others by a loss of two classes", against_all_settings,
         sizeof(struct rf_loss_against_all_options), &rf_loss_one_against_all},
        {0},
};

enum rf_status rf_loss_init(const struct rf_variant_value *value, struct rf_loss *loss_out, struct rf_error *err) {
    if (!value->kind) {
        return rf_fail(err, RF_INVALID, "loss is absent, must be given");
    }
    const struct rf_loss_ops *ops = value->kind->registration;
    *loss_out = (struct rf_loss){.ops = ops, .outputs = 1};
    if (ops->configure) {
        ops->configure(loss_out, value->options);
    }
    return RF_OK;
}
