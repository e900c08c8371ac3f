// Figures of predicted numbers.
#include "learners/evaluation_internal.h"

#include <math.h>

static void put(struct rf_figure *figure, enum rf_predictor p, double value) {
    if (p == RF_PREDICTOR_MODEL) {
        figure->applies = true;
        figure->value = value;
    } else {
        figure->baseline[p == RF_PREDICTOR_LAST ? RF_BASELINE_no_change : RF_BASELINE_mean] = value;
    }
}

void rf_value_figures(const struct rf_sums *sums, struct rf_figure *list) {
    for (enum rf_predictor p = RF_PREDICTOR_MODEL; p < RF_PREDICTOR_COUNT; p++) {
        put(&list[RF_FIGURE_mae], p, sums->absolute[p] / sums->weight);
        put(&list[RF_FIGURE_rmse], p, sqrt(sums->squared[p] / sums->weight));
        put(&list[RF_FIGURE_quantile_loss], p, sums->pinball[p] / sums->weight);
        if (sums->scatter > 0) {
            put(&list[RF_FIGURE_r2], p, 1 - sums->squared[p] / sums->scatter);
        }
    }
}
