#include "learners/contribution.h"
#include "learners/learner_linear_internal.h"

// That of output k in a list [experts][outputs], the experts' numbers by their shares.
static double mixed(const struct linear *linear, const double *share, const double *list, uint32_t k) {
    double sum = 0;
    for (size_t e = 0; e < linear->optimizer->experts; e++) {
        sum += share[e] * list[e * linear->base.outputs + k];
    }
    return sum;
}

// How much one input adds to the score of output 0.
static struct rf_contribution contribution_of(const struct linear *linear, const double *share, const uint32_t *row,
                                              const double *x) {
    rf_optimizer_gather(linear->optimizer, row, 1, linear->weight);
    rf_optimizer_score(linear->optimizer, row, x, 1, linear->score);
    return (struct rf_contribution){
            .value = *x,
            .weight = mixed(linear, share, linear->weight, 0),
            .amount = mixed(linear, share, linear->score, 0),
    };
}

size_t rf_linear_explain(const struct rf_learner *self, const struct rf_examples *examples, size_t index,
                         struct rf_contribution *list, size_t capacity) {
    const struct linear *linear = linear_from_const(self);
    double share[RF_MIXTURE_EXPERTS_MAX] = {1};
    const struct rf_inputs *inputs;
    size_t count = rf_linear_see(linear, examples, index, &inputs);
    const double *x = rf_linear_select(linear, linear->row, inputs->x, count);
    size_t kept = 0;
    if (linear->mixture) {
        rf_mixture_shares(linear->mixture, share);
    }
    for (size_t i = 0; i < count; i++) {
        struct rf_contribution contribution = contribution_of(linear, share, &linear->row[i], &x[i]);
        bool is_bias = i == inputs->count;
        contribution.field = is_bias ? RF_FIELD_UNKNOWN : inputs->field[i];
        contribution.hash = is_bias ? 0 : inputs->hash[i];
        rf_contribution_insert(list, capacity, &kept, contribution);
    }
    if (linear->bias) {
        double weight = rf_own_bias_weight(linear->bias, 0);
        rf_contribution_insert(
                list, capacity, &kept,
                (struct rf_contribution){.field = RF_FIELD_UNKNOWN, .value = 1, .weight = weight, .amount = weight});
    }
    return count + (linear->bias != NULL);
}

void rf_linear_weights(const struct rf_learner *self, rf_learner_visit *visit, void *context) {
    const struct linear *linear = linear_from_const(self);
    double share[RF_MIXTURE_EXPERTS_MAX] = {1};
    if (linear->mixture) {
        rf_mixture_shares(linear->mixture, share);
    }
    for (uint32_t row = 0; row < linear->optimizer->rows; row++) {
        rf_optimizer_gather(linear->optimizer, &row, 1, linear->weight);
        for (uint32_t k = 0; k < self->outputs; k++) {
            double weight = mixed(linear, share, linear->weight, k);
            if (weight != 0) {
                visit(context, row == linear->optimizer->bias_row ? RF_ROW_BIAS : row, k, weight);
            }
        }
    }
    for (uint32_t k = 0; linear->bias && k < self->outputs; k++) {
        visit(context, RF_ROW_BIAS, k, rf_own_bias_weight(linear->bias, k));
    }
}
