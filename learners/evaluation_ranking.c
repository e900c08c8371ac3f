// Figures of how well scores rank, of groups of examples in the order of their scores. Within a bin the order is not known;
// how far that can move a figure is the figure's error.
#include "learners/evaluation_internal.h"
#include "proto/math.h"

#include <math.h>

// The share of pairs of a positive and a negative in the right order. Pairs that share a group count half, which in a bin is
// off by at most half of them.
static struct rf_figure auc_of(const struct rf_group *groups, size_t count, bool are_bins, double pairs) {
    double negatives_below = 0, right = 0, tied = 0;
    for (size_t i = 0; i < count; i++) {
        right += groups[i].positive * negatives_below;
        tied += groups[i].positive * groups[i].negative;
        negatives_below += groups[i].negative;
    }
    return (struct rf_figure){
            .applies = true, .value = (right + tied / 2) / pairs, .error = are_bins ? tied / 2 / pairs : 0, .baseline = {NAN}};
}

// The integral of (a + x) / (t + x) from 0 to p, at most the sum of what it is behind each step: the precisions at positives of
// weight p in all, when a of t above them are positive.
static double least_of(double a, double t, double p) {
    return t > 0 ? p - (t - a) * rf_log((t + p) / t) : p;
}

// The sum, from the highest score down, of the precision reached at each group times its share of the positives. In a bin the
// precisions at its positives lie between what they are with all of its negatives above them and all of them below.
static struct rf_figure average_precision_of(const struct rf_group *groups, size_t count, bool are_bins, double positives) {
    double above = 0, positives_above = 0, sum = 0, least = 0, most = 0;
    for (size_t i = count; i-- > 0;) {
        const struct rf_group *group = &groups[i];
        double best = above + group->positive;
        least += group->positive > 0 ? least_of(positives_above, above + group->negative, group->positive) : 0;
        above += group->positive + group->negative;
        if (group->positive > 0) {
            sum += group->positive * ((positives_above + group->positive) / above);
            most += group->positive * ((positives_above + group->positive) / best);
        }
        positives_above += group->positive;
    }
    double error = are_bins ? fmax(most - sum, sum - least) / positives : 0;
    return (struct rf_figure){.applies = true, .value = sum / positives, .error = error, .baseline = {NAN}};
}

static void put(struct rf_figure *to, struct rf_figure figure, double constant) {
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        figure.baseline[k] = NAN;
    }
    figure.baseline[RF_BASELINE_majority] = constant;
    *to = figure;
}

void rf_ranking_figures(const struct rf_group *groups, size_t count, bool are_bins, struct rf_figure *list) {
    double positives = 0, negatives = 0;
    for (size_t i = 0; i < count; i++) {
        positives += groups[i].positive;
        negatives += groups[i].negative;
    }
    if (positives > 0 && negatives > 0) {
        put(&list[RF_FIGURE_auc], auc_of(groups, count, are_bins, positives * negatives), 0.5);
    }
    if (positives > 0) {
        put(&list[RF_FIGURE_average_precision], average_precision_of(groups, count, are_bins, positives),
            positives / (positives + negatives));
    }
}
