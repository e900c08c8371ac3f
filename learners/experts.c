#include "learners/experts.h"
#include "learners/loss_lanes.h"

static bool has_lanes(const struct rf_loss *loss, uint32_t experts) {
    return loss->ops == &rf_loss_logistic && experts > 1 && experts <= RF_LOSS_LANES;
}

void rf_experts_link(const struct rf_loss *loss, uint32_t experts, const double *score, double *prediction_out) {
    if (has_lanes(loss, experts)) {
        double unlikely[RF_LOSS_LANES];
        rf_loss_lanes_sigmoid(score, prediction_out, unlikely);
        return;
    }
    for (size_t at = 0; at < (size_t)experts * loss->outputs; at += loss->outputs) {
        rf_loss_link(loss, score + at, prediction_out + at);
    }
}

bool rf_experts_gradient(const struct rf_loss *loss, uint32_t experts, const double *score, const double *prediction,
                         double label, double *gradient_out) {
    const size_t all = (size_t)experts * loss->outputs;
    if (has_lanes(loss, experts)) {
        if (label != 0 && label != 1) {
            return false;
        }
        for (size_t e = 0; e < experts; e++) {
            gradient_out[e] = prediction[e] - label;
        }
        return true;
    }
    for (size_t at = 0; at < all; at += loss->outputs) {
        if (!rf_loss_gradient(loss, score + at, label, gradient_out + at)) {
            return false;
        }
    }
    return true;
}
