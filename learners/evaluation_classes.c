// Figures of predicted classes: all of them follow from how often each class was there, was predicted, and was both.
#include "learners/evaluation_internal.h"

#include <math.h>

static double f1_of(double actual, double predicted, double hits) {
    return actual + predicted > 0 ? 2 * hits / (actual + predicted) : 0;
}

static double share_of(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

struct means {
    double precision, recall, f1, balanced_accuracy;
};

// Binary: of class 1. Multiclass: the means over the classes that were met or predicted. Balanced accuracy is the mean over
// those met.
static struct means means_of(const struct rf_tally *tally, const struct rf_evaluation_shape *shape, enum rf_predictor p) {
    struct means means = {0};
    uint32_t count = 0, met = 0;
    for (uint32_t k = 0; k < shape->classes; k++) {
        const struct rf_class_sums *class = &tally->class[k];
        if (class->actual > 0) {
            means.balanced_accuracy += class->hits[p] / class->actual;
            met++;
        }
        bool counts = shape->task == RF_TASK_MULTICLASS || k == 1;
        if (counts && class->actual + class->predicted[p] > 0) {
            means.precision += share_of(class->hits[p], class->predicted[p]);
            means.recall += share_of(class->hits[p], class->actual);
            means.f1 += f1_of(class->actual, class->predicted[p], class->hits[p]);
            count++;
        }
    }
    count = count ? count : 1;
    return (struct means){means.precision / count, means.recall / count, means.f1 / count,
                          met ? means.balanced_accuracy / met : 0};
}

// With t_k and p_k the shares in which class k is met and predicted, and a the accuracy:
//
//     MCC    (a - sum t_k p_k) / sqrt((1 - sum t_k^2) (1 - sum p_k^2))
//     kappa  (a - sum t_k p_k) / (1 - sum t_k p_k)
//
// 0 where the denominator is 0: one class alone was met, or predicted.
struct agreement {
    double mcc, kappa;
};

static double ratio(double numerator, double denominator) {
    return denominator > 0 ? fmin(fmax(numerator / denominator, -1), 1) : 0;
}

static struct agreement agreement_of(const struct rf_tally *tally, const struct rf_evaluation_shape *shape, enum rf_predictor p) {
    double both = 0, met = 0, predicted = 0, weight = tally->sums->weight;
    for (uint32_t k = 0; k < shape->classes; k++) {
        double t = tally->class[k].actual / weight, q = tally->class[k].predicted[p] / weight;
        both += t * q;
        met += t * t;
        predicted += q * q;
    }
    double above = tally->sums->hits[p] / weight - both;
    return (struct agreement){ratio(above, sqrt(fmax(1 - met, 0) * fmax(1 - predicted, 0))), ratio(above, 1 - both)};
}

static void put(struct rf_figure *figure, enum rf_predictor p, double value) {
    if (p == RF_PREDICTOR_MODEL) {
        figure->applies = true;
        figure->value = value;
    } else {
        figure->baseline[p == RF_PREDICTOR_LAST ? RF_BASELINE_no_change : RF_BASELINE_majority] = value;
    }
}

void rf_class_figures(const struct rf_tally *tally, const struct rf_evaluation_shape *shape, struct rf_figure *list) {
    const struct rf_sums *sums = tally->sums;
    double no_change = sums->hits[RF_PREDICTOR_LAST] / sums->weight;
    for (enum rf_predictor p = RF_PREDICTOR_MODEL; p < RF_PREDICTOR_COUNT; p++) {
        struct means means = means_of(tally, shape, p);
        struct agreement agreement = agreement_of(tally, shape, p);
        double accuracy = sums->hits[p] / sums->weight;
        put(&list[RF_FIGURE_accuracy], p, accuracy);
        put(&list[RF_FIGURE_balanced_accuracy], p, means.balanced_accuracy);
        put(&list[RF_FIGURE_precision], p, means.precision);
        put(&list[RF_FIGURE_recall], p, means.recall);
        put(&list[RF_FIGURE_f1], p, means.f1);
        put(&list[RF_FIGURE_mcc], p, agreement.mcc);
        put(&list[RF_FIGURE_kappa], p, agreement.kappa);
        if (no_change < 1) {
            put(&list[RF_FIGURE_kappa_temporal], p, (accuracy - no_change) / (1 - no_change));
        }
    }
    if (!shape->is_margin) {
        put(&list[RF_FIGURE_log_loss], RF_PREDICTOR_MODEL, sums->log_loss[0] / sums->weight);
        put(&list[RF_FIGURE_log_loss], RF_PREDICTOR_PRIOR, sums->log_loss[1] / sums->weight);
        put(&list[RF_FIGURE_brier], RF_PREDICTOR_MODEL, sums->brier[0] / sums->weight);
        put(&list[RF_FIGURE_brier], RF_PREDICTOR_PRIOR, sums->brier[1] / sums->weight);
    }
}
