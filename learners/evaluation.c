#include "learners/evaluation.h"
#include "proto/math.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { BINS = 8192 };

#define MAGNITUDE_MAX 1e75    // of labels and weights, so that no sum of squares overflows; beyond it nothing is evaluated
#define PROBABILITY_MIN 1e-15 // what log loss takes for 0, and 1 minus it for 1

struct sums { // over the examples evaluated, each times its weight but for the count
    uint64_t evaluated;
    double weight;
    double log_loss;
    double hits;
    double absolute_error;
    double squared_error;
    double label;
    double baseline_log_loss;
    double baseline_hits;
    double baseline_absolute_error;
    double baseline_squared_error;
};

struct class_sums {
    double actual;
    double predicted;
    double hits;
    double baseline_predicted;
    double baseline_hits;
};

struct bin {
    double negative;
    double positive;
};

struct rf_evaluation {
    enum rf_task task;
    bool is_margin;
    uint32_t classes;         // 0: regression
    struct sums *sums;        // one
    struct class_sums *class; // [classes]
    struct bin *bin;          // [BINS], binary only
};

#define SUMS_COLUMN(field_) \
    { #field_, RF_F64, offsetof(struct sums, field_), 1, RF_MERGE_SUM }
static const struct rf_column sums_columns[] = {
        {"evaluated", RF_U64, offsetof(struct sums, evaluated), 1, RF_MERGE_SUM},
        SUMS_COLUMN(weight),
        SUMS_COLUMN(log_loss),
        SUMS_COLUMN(hits),
        SUMS_COLUMN(absolute_error),
        SUMS_COLUMN(squared_error),
        SUMS_COLUMN(label),
        SUMS_COLUMN(baseline_log_loss),
        SUMS_COLUMN(baseline_hits),
        SUMS_COLUMN(baseline_absolute_error),
        SUMS_COLUMN(baseline_squared_error),
};

#define CLASS_COLUMN(field_) \
    { #field_, RF_F64, offsetof(struct class_sums, field_), 1, RF_MERGE_SUM }
static const struct rf_column class_columns[] = {
        CLASS_COLUMN(actual),        CLASS_COLUMN(predicted), CLASS_COLUMN(hits), CLASS_COLUMN(baseline_predicted),
        CLASS_COLUMN(baseline_hits),
};

static const struct rf_column bin_columns[] = {
        {"negative", RF_F64, offsetof(struct bin, negative), 1, RF_MERGE_SUM},
        {"positive", RF_F64, offsetof(struct bin, positive), 1, RF_MERGE_SUM},
};

// The bin of a score: a monotone map of all numbers, finest around 0. Of a probability its logit is taken, which spreads
// what crowds near 0 and 1: around even odds a bin is 0.001 wide, at odds of a million to one 0.02.
static size_t bin_of(double score, bool is_margin) {
    double softness = is_margin ? 1 : 4;
    if (!is_margin) {
        if (score <= 0) {
            return 0;
        }
        if (score >= 1) {
            return BINS - 1;
        }
        score = rf_log(score / (1 - score));
    }
    double place = 0.5 * BINS * (1 + score / (softness + fabs(score)));
    return place >= BINS - 1 ? BINS - 1 : (size_t)place;
}

static double clipped(double probability) {
    return fmin(fmax(probability, PROBABILITY_MIN), 1 - PROBABILITY_MIN);
}

// The most frequent class so far, the lowest among equals.
static uint32_t majority(const struct rf_evaluation *evaluation) {
    uint32_t best = 0;
    for (uint32_t k = 1; k < evaluation->classes; k++) {
        if (evaluation->class[k].actual > evaluation->class[best].actual) {
            best = k;
        }
    }
    return best;
}

static void fold_class(struct rf_evaluation *evaluation, uint32_t label, uint32_t predicted, const double *score, double weight) {
    struct sums *sums = evaluation->sums;
    uint32_t baseline = majority(evaluation);
    double baseline_share = (evaluation->class[label].actual + 1) / (sums->weight + evaluation->classes); // Laplace's rule
    sums->baseline_log_loss -= weight * rf_log(baseline_share);
    if (evaluation->task == RF_TASK_MULTICLASS) {
        sums->log_loss -= weight * rf_log(clipped(score[label]));
    } else {
        if (!evaluation->is_margin) {
            sums->log_loss -= weight * rf_log(label == 1 ? clipped(score[0]) : 1 - clipped(score[0]));
        }
        struct bin *bin = &evaluation->bin[bin_of(score[0], evaluation->is_margin)];
        *(label == 1 ? &bin->positive : &bin->negative) += weight;
    }
    evaluation->class[label].actual += weight;
    evaluation->class[predicted].predicted += weight;
    evaluation->class[baseline].baseline_predicted += weight;
    if (predicted == label) {
        evaluation->class[label].hits += weight;
        sums->hits += weight;
    }
    if (baseline == label) {
        evaluation->class[label].baseline_hits += weight;
        sums->baseline_hits += weight;
    }
}

static void fold_value(struct rf_evaluation *evaluation, double label, double prediction, double weight) {
    struct sums *sums = evaluation->sums;
    prediction = fmin(fmax(prediction, -MAGNITUDE_MAX), MAGNITUDE_MAX);
    double mean = sums->weight > 0 ? sums->label / sums->weight : 0;
    sums->absolute_error += weight * fabs(prediction - label);
    sums->squared_error += weight * (prediction - label) * (prediction - label);
    sums->baseline_absolute_error += weight * fabs(mean - label);
    sums->baseline_squared_error += weight * (mean - label) * (mean - label);
    sums->label += weight * label;
}

static bool is_class(const struct rf_evaluation *evaluation, double label) {
    return label >= 0 && label < evaluation->classes && label == floor(label);
}

void rf_evaluation_fold(struct rf_evaluation *evaluation, const struct rf_examples *examples, size_t begin, size_t end,
                        const struct rf_predictions *predictions) {
    assert(predictions->task == evaluation->task);
    assert(end <= examples->count);
    for (size_t i = begin; i < end; i++) {
        const double *score = predictions->score + i * predictions->outputs;
        double label = examples->label[i];
        double weight = examples->weight[i];
        if (!(examples->purpose[i] & RF_EVALUATE) || !isfinite(score[0]) || !(fabs(label) <= MAGNITUDE_MAX) ||
            !(weight > 0 && weight <= MAGNITUDE_MAX)) {
            continue;
        }
        if (evaluation->task == RF_TASK_REGRESSION) {
            fold_value(evaluation, label, score[0], weight);
        } else if (is_class(evaluation, label)) {
            uint32_t predicted = (uint32_t)rf_prediction_class(predictions, i);
            fold_class(evaluation, (uint32_t)label, predicted, score, weight);
        } else {
            continue;
        }
        evaluation->sums->weight += weight;
        evaluation->sums->evaluated++;
    }
}

// The share of pairs of a positive and a negative in the right order. Pairs that share a bin count half, which is off by
// at most half of them.
static struct rf_figure auc_figure(const struct rf_evaluation *evaluation) {
    double positives = evaluation->class[1].actual;
    double pairs = positives * evaluation->class[0].actual;
    double negatives_below = 0;
    double right = 0;
    double tied = 0;
    for (size_t i = 0; i < BINS; i++) {
        const struct bin *bin = &evaluation->bin[i];
        right += bin->positive * negatives_below;
        tied += bin->positive * bin->negative;
        negatives_below += bin->negative;
    }
    if (pairs == 0) {
        return (struct rf_figure){.baseline = NAN};
    }
    return (struct rf_figure){.applies = true, .value = (right + tied / 2) / pairs, .error = tied / 2 / pairs, .baseline = 0.5};
}

static double f1_of(double actual, double predicted, double hits) {
    return actual + predicted > 0 ? 2 * hits / (actual + predicted) : 0;
}

// Binary: of class 1. Multiclass: the mean over the classes that were met or predicted.
static double f1(const struct rf_evaluation *evaluation, bool is_baseline) {
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t k = evaluation->task == RF_TASK_BINARY; k < evaluation->classes; k++) {
        const struct class_sums *class = &evaluation->class[k];
        double predicted = is_baseline ? class->baseline_predicted : class->predicted;
        double hits = is_baseline ? class->baseline_hits : class->hits;
        if (class->actual + predicted > 0) {
            sum += f1_of(class->actual, predicted, hits);
            count++;
        }
    }
    return count > 0 ? sum / count : 0;
}

static struct rf_figure exact_figure(double value, double baseline) {
    return (struct rf_figure){.applies = true, .value = value, .baseline = baseline};
}

void rf_evaluation_figures(const struct rf_evaluation *evaluation, struct rf_figures *figures_out) {
    const struct sums *sums = evaluation->sums;
    struct rf_figure *list = figures_out->list;
    *figures_out = (struct rf_figures){.evaluated = sums->evaluated};
    for (size_t i = 0; i < RF_FIGURE_COUNT; i++) {
        list[i].baseline = NAN;
    }
    double weight = sums->weight;
    if (weight == 0) {
        return;
    }
    if (evaluation->task == RF_TASK_REGRESSION) {
        list[RF_FIGURE_mae] = exact_figure(sums->absolute_error / weight, sums->baseline_absolute_error / weight);
        list[RF_FIGURE_rmse] = exact_figure(sqrt(sums->squared_error / weight), sqrt(sums->baseline_squared_error / weight));
        return;
    }
    if (!evaluation->is_margin) {
        list[RF_FIGURE_log_loss] = exact_figure(sums->log_loss / weight, sums->baseline_log_loss / weight);
    }
    list[RF_FIGURE_accuracy] = exact_figure(sums->hits / weight, sums->baseline_hits / weight);
    list[RF_FIGURE_f1] = exact_figure(f1(evaluation, false), f1(evaluation, true));
    if (evaluation->task == RF_TASK_BINARY) {
        list[RF_FIGURE_auc] = auc_figure(evaluation);
    }
}

#define TEXT_OF_KEY(name, title, help) #name,
#define TEXT_OF_TITLE(name, title, help) title,

const char *rf_figure_key(enum rf_figure_name name) {
    static const char *const keys[] = {RF_FIGURE_LIST(TEXT_OF_KEY)};
    return keys[name];
}

const char *rf_figure_title(enum rf_figure_name name) {
    static const char *const titles[] = {RF_FIGURE_LIST(TEXT_OF_TITLE)};
    return titles[name];
}

static void add_block(struct rf_state *state, const char *name, size_t rows, size_t row_size, const struct rf_column *columns,
                      size_t column_count, void *data) {
    rf_state_add(state, &(struct rf_block){
                                .name = name,
                                .rows = rows,
                                .row_size = row_size,
                                .columns = columns,
                                .column_count = column_count,
                                .data = data,
                                .scope = RF_SCOPE_EVALUATION,
                        });
}

void rf_evaluation_state(struct rf_evaluation *evaluation, struct rf_state *state) {
    add_block(state, "evaluation.sums", 1, sizeof(struct sums), sums_columns, sizeof sums_columns / sizeof sums_columns[0],
              evaluation->sums);
    if (evaluation->class) {
        add_block(state, "evaluation.classes", evaluation->classes, sizeof(struct class_sums), class_columns,
                  sizeof class_columns / sizeof class_columns[0], evaluation->class);
    }
    if (evaluation->bin) {
        add_block(state, "evaluation.bins", BINS, sizeof(struct bin), bin_columns, sizeof bin_columns / sizeof bin_columns[0],
                  evaluation->bin);
    }
}

void rf_evaluation_destroy(struct rf_evaluation *evaluation) {
    if (evaluation) {
        free(evaluation->sums);
        free(evaluation->class);
        free(evaluation->bin);
        free(evaluation);
    }
}

enum rf_status rf_evaluation_create(enum rf_task task, uint32_t outputs, bool is_margin, struct rf_evaluation **evaluation_out,
                                    struct rf_error *err) {
    struct rf_evaluation *evaluation = calloc(1, sizeof *evaluation);
    if (!evaluation) {
        goto fail;
    }
    evaluation->task = task;
    evaluation->is_margin = is_margin;
    evaluation->classes = task == RF_TASK_REGRESSION ? 0 : task == RF_TASK_BINARY ? 2 : outputs;
    evaluation->sums = calloc(1, sizeof *evaluation->sums);
    evaluation->class = evaluation->classes ? calloc(evaluation->classes, sizeof *evaluation->class) : NULL;
    evaluation->bin = task == RF_TASK_BINARY ? calloc(BINS, sizeof *evaluation->bin) : NULL;
    if (!evaluation->sums || (evaluation->classes && !evaluation->class) || (task == RF_TASK_BINARY && !evaluation->bin)) {
        goto fail;
    }
    *evaluation_out = evaluation;
    return RF_OK;
fail:
    rf_evaluation_destroy(evaluation);
    return rf_fail(err, RF_MEMORY, "out of memory for the evaluation of %u outputs", outputs);
}
