// Sums of scored examples, and the figures they give.
#include "learners/evaluation_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool rf_tally_init(struct rf_tally *tally, const struct rf_evaluation_shape *shape) {
    size_t classes = shape->classes;
    bool has_confusion = classes > 0 && classes <= RF_EVALUATION_CONFUSION_MAX;
    tally->sums = calloc(1, sizeof *tally->sums);
    tally->class = classes ? calloc(classes, sizeof *tally->class) : NULL;
    tally->confusion = has_confusion ? calloc(classes * classes, sizeof *tally->confusion) : NULL;
    return tally->sums && (!classes || tally->class) && (!has_confusion || tally->confusion);
}

void rf_tally_finish(struct rf_tally *tally) {
    free(tally->sums);
    free(tally->class);
    free(tally->confusion);
    *tally = (struct rf_tally){0};
}

void rf_tally_clear(struct rf_tally *tally, const struct rf_evaluation_shape *shape) {
    *tally->sums = (struct rf_sums){0};
    if (tally->class) {
        memset(tally->class, 0, shape->classes * sizeof *tally->class);
    }
    if (tally->confusion) {
        memset(tally->confusion, 0, (size_t)shape->classes * shape->classes * sizeof *tally->confusion);
    }
}

static void add_classes(struct rf_tally *tally, const struct rf_evaluation_shape *shape, const struct rf_scored *scored) {
    struct rf_sums *sums = tally->sums;
    uint32_t label = (uint32_t)scored->label;
    double weight = scored->weight;
    tally->class[label].actual += weight;
    for (unsigned p = 0; p < RF_PREDICTOR_COUNT; p++) {
        uint32_t predicted = scored->predicted[p];
        tally->class[predicted].predicted[p] += weight;
        if (predicted == label) {
            tally->class[label].hits[p] += weight;
            sums->hits[p] += weight;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        sums->log_loss[i] += weight * scored->log_loss[i];
        sums->brier[i] += weight * scored->brier[i];
    }
    if (tally->confusion) {
        tally->confusion[label * shape->classes + scored->predicted[RF_PREDICTOR_MODEL]] += weight;
    }
}

static void add_values(struct rf_sums *sums, double quantile, const struct rf_scored *scored) {
    for (unsigned p = 0; p < RF_PREDICTOR_COUNT; p++) {
        double over = scored->value[p] - scored->label;
        sums->absolute[p] += scored->weight * fabs(over);
        sums->squared[p] += scored->weight * (over * over);
        sums->pinball[p] += scored->weight * (over > 0 ? (1 - quantile) * over : -quantile * over);
    }
}

void rf_tally_add(struct rf_tally *tally, const struct rf_evaluation_shape *shape, const struct rf_scored *scored) {
    struct rf_sums *sums = tally->sums;
    sums->weight += scored->weight;
    sums->evaluated++;
    if (shape->task == RF_TASK_REGRESSION) {
        add_values(sums, shape->quantile, scored);
        double distance = scored->label - sums->mean;
        sums->mean += distance * (scored->weight / sums->weight);
        sums->scatter += scored->weight * fmax(distance * (scored->label - sums->mean), 0); // rounding may overshoot
    } else {
        add_classes(tally, shape, scored);
    }
    sums->last = scored->label;
}

void rf_group_add(struct rf_group *group, const struct rf_evaluation_shape *shape, const struct rf_scored *scored) {
    bool is_positive =
            shape->task == RF_TASK_BINARY ? scored->label == 1 : scored->predicted[RF_PREDICTOR_MODEL] == (uint32_t)scored->label;
    *(is_positive ? &group->positive : &group->negative) += scored->weight;
    group->score += shape->is_margin ? 0 : scored->weight * scored->value[RF_PREDICTOR_MODEL];
}

void rf_tally_figures(const struct rf_tally *tally, const struct rf_evaluation_shape *shape, const struct rf_group *groups,
                      size_t group_count, bool are_bins, struct rf_figures *figures_out) {
    struct rf_figure *list = figures_out->list;
    *figures_out = (struct rf_figures){.evaluated = tally->sums->evaluated, .weight = tally->sums->weight};
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
            list[i].baseline[k] = NAN;
        }
    }
    if (!(tally->sums->weight > 0)) {
        return;
    }
    if (shape->task == RF_TASK_REGRESSION) {
        rf_value_figures(tally->sums, list);
        return;
    }
    rf_class_figures(tally, shape, list);
    if (!groups) {
        return;
    }
    if (shape->task == RF_TASK_BINARY) {
        rf_ranking_figures(groups, group_count, are_bins, list);
    }
    if (!shape->is_margin) {
        struct rf_figure *calibration = &list[RF_FIGURE_calibration_error];
        calibration->value = rf_calibration_error(groups, group_count);
        calibration->applies = true;
    }
}

#define KEY(name, ...) #name,
#define TITLE(name, title, ...) title,
#define IS_MORE_BETTER(name, title, is_more_better, help) is_more_better,
#define HELP(name, title, is_more_better, help) help,

const char *rf_figure_key(enum rf_figure_name name) {
    static const char *const keys[] = {RF_FIGURE_LIST(KEY)};
    return keys[name];
}

const char *rf_figure_title(enum rf_figure_name name) {
    static const char *const titles[] = {RF_FIGURE_LIST(TITLE)};
    return titles[name];
}

const char *rf_figure_help(enum rf_figure_name name) {
    static const char *const helps[] = {RF_FIGURE_LIST(HELP)};
    return helps[name];
}

const char *rf_baseline_key(enum rf_baseline_name name) {
    static const char *const keys[] = {RF_BASELINE_LIST(KEY)};
    return keys[name];
}

const char *rf_baseline_title(enum rf_baseline_name name) {
    static const char *const titles[] = {RF_BASELINE_LIST(TITLE)};
    return titles[name];
}

double rf_figure_best_baseline(const struct rf_figures *figures, enum rf_figure_name name) {
    static const bool is_more_better[] = {RF_FIGURE_LIST(IS_MORE_BETTER)};
    double best = NAN;
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        double baseline = figures->list[name].baseline[k];
        best = is_more_better[name] ? fmax(best, baseline) : fmin(best, baseline); // NaN is passed over
    }
    return best;
}
