#include "learners/optimizer_passive.h"

#include <math.h>

const char *const rf_passive_variant_names[] = {"plain", "I", "II", NULL};

#define ALL_THE_WAY 1e300 // an importance at which the flow of such a loss has come to its end

static double squared_length(struct rf_row_sums *input, const struct rf_step *step) {
    static const double one = 1;
    double sum = 0;
    rf_row_sums_clear(input);
    for (size_t i = 0; i < step->count; i++) {
        rf_row_sums_add(input, step->rows[i], step->x[i], &one);
    }
    for (size_t i = 0; i < input->count; i++) {
        sum += input->sum[i] * input->sum[i];
    }
    return sum;
}

// The change of score k: tau |X|^2, towards the label. The flow of these losses runs at speed 1 until the loss is 0.
static double change_of(const struct rf_passive *self, const struct rf_step *step, uint32_t k, double length) {
    const struct rf_loss *loss = step->loss;
    double limit = self->aggressiveness * step->weight;
    double importance = self->variant == RF_PASSIVE_I ? limit * length : ALL_THE_WAY;
    double change = loss->ops->flow(loss, k, step->score[k], step->label, importance);
    return self->variant == RF_PASSIVE_II ? change * (length / (length + 1 / (2 * limit))) : change;
}

bool rf_passive_moves(struct rf_passive *self, struct rf_optimizer *optimizer, const struct rf_step *step) {
    double length = squared_length(&self->input, step);
    for (uint32_t k = 0; k < optimizer->outputs; k++) {
        optimizer->move[k] = length > 0 ? -change_of(self, step, k, length) / length : 0;
        if (!(fabs(optimizer->move[k]) * step->x_largest * (double)step->count <= optimizer->limit)) {
            return false;
        }
    }
    return true;
}
