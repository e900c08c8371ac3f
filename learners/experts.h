#ifndef RF_LEARNERS_EXPERTS_H
#define RF_LEARNERS_EXPERTS_H
// A loss asked for several sets of scores at once: those of the experts whose predictions are mixed. Scores, predictions and
// gradients are [experts][outputs], scores and predictions with room for RF_LOSS_LANES numbers more.
#include "learners/loss.h"

#include <stdbool.h>

void rf_experts_link(const struct rf_loss *loss, uint32_t experts, const double *score, double *prediction_out);

// The gradients by the scores; `prediction` is that of the scores, and not asked for of a single expert. False
// for a label the loss does not know.
bool rf_experts_gradient(const struct rf_loss *loss, uint32_t experts, const double *score, const double *prediction,
                         double label, double *gradient_out);

#endif
