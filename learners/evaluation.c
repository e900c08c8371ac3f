// The fold: an example that meets its label becomes a row (evaluation_internal.h), and the row goes into the sums.
#include "learners/evaluation_internal.h"
#include "proto/math.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS_MAX = 5, BLOCK_NAME_SIZE = 48 };

#define PROBABILITY_MIN 1e-15 // what log loss takes for 0, and 1 minus it for 1
#define SUM_MAX 1e280         // no sum reaches it, and what is added to one below it does not overflow

struct rf_evaluation {
    struct rf_evaluation_shape shape;
    uint8_t purpose;
    struct rf_tally total;
    struct rf_group *bins; // [RF_EVALUATION_BINS], classes only
    struct rf_window window;
    struct rf_column confusion_column; // as wide as there are classes
    char names[BLOCKS_MAX][BLOCK_NAME_SIZE];
};

#define SUMS_COLUMN(field_, count_, merge_) \
    { #field_, RF_F64, offsetof(struct rf_sums, field_), count_, merge_ }
static const struct rf_column sums_columns[] = {
        {"evaluated", RF_U64, offsetof(struct rf_sums, evaluated), 1, RF_MERGE_SUM},
        SUMS_COLUMN(weight, 1, RF_MERGE_MOMENTS),
        SUMS_COLUMN(mean, 1, RF_MERGE_MOMENTS),
        SUMS_COLUMN(scatter, 1, RF_MERGE_MOMENTS),
        SUMS_COLUMN(log_loss, 2, RF_MERGE_SUM),
        SUMS_COLUMN(brier, 2, RF_MERGE_SUM),
        SUMS_COLUMN(hits, RF_PREDICTOR_COUNT, RF_MERGE_SUM),
        SUMS_COLUMN(absolute, RF_PREDICTOR_COUNT, RF_MERGE_SUM),
        SUMS_COLUMN(squared, RF_PREDICTOR_COUNT, RF_MERGE_SUM),
        SUMS_COLUMN(pinball, RF_PREDICTOR_COUNT, RF_MERGE_SUM),
        SUMS_COLUMN(last, 1, RF_MERGE_DERIVED), // a merge forgets it, as it does the window, which then fills again
};

#define CLASS_COLUMN(field_, count_) \
    { #field_, RF_F64, offsetof(struct rf_class_sums, field_), count_, RF_MERGE_SUM }
static const struct rf_column class_columns[] = {
        CLASS_COLUMN(actual, 1),
        CLASS_COLUMN(predicted, RF_PREDICTOR_COUNT),
        CLASS_COLUMN(hits, RF_PREDICTOR_COUNT),
};

static const struct rf_column bin_columns[] = {
        {"negative", RF_F64, offsetof(struct rf_group, negative), 1, RF_MERGE_SUM},
        {"positive", RF_F64, offsetof(struct rf_group, positive), 1, RF_MERGE_SUM},
        {"score", RF_F64, offsetof(struct rf_group, score), 1, RF_MERGE_SUM},
};

#define WINDOW_COLUMN(field_, type_, count_) \
    { #field_, type_, offsetof(struct rf_scored, field_), count_, RF_MERGE_DERIVED }
static const struct rf_column window_columns[] = {
        WINDOW_COLUMN(sequence, RF_U64, 1),
        WINDOW_COLUMN(weight, RF_F64, 1),
        WINDOW_COLUMN(label, RF_F64, 1),
        WINDOW_COLUMN(value, RF_F64, RF_PREDICTOR_COUNT),
        WINDOW_COLUMN(log_loss, RF_F64, 2),
        WINDOW_COLUMN(brier, RF_F64, 2),
        WINDOW_COLUMN(predicted, RF_U32, RF_PREDICTOR_COUNT),
        WINDOW_COLUMN(reserved, RF_U32, 1),
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
            return RF_EVALUATION_BINS - 1;
        }
        score = rf_log_near(score / (1 - score));
    }
    double place = 0.5 * RF_EVALUATION_BINS * (1 + score / (softness + fabs(score)));
    return place >= RF_EVALUATION_BINS - 1 ? RF_EVALUATION_BINS - 1 : (size_t)place;
}

static double clipped(double probability) {
    return fmin(fmax(probability, PROBABILITY_MIN), 1 - PROBABILITY_MIN);
}

static double bounded(double value) {
    return fmin(fmax(value, -RF_EVALUATION_MAGNITUDE_MAX), RF_EVALUATION_MAGNITUDE_MAX);
}

static bool is_class(const struct rf_evaluation_shape *shape, double label) {
    return label >= 0 && label < shape->classes && label == floor(label);
}

// What the predictors without skill say: the most frequent class so far, the lowest among equals; and the running shares, by
// Laplace's rule.
static void score_shares(const struct rf_evaluation *evaluation, uint32_t label, struct rf_scored *scored) {
    const struct rf_evaluation_shape *shape = &evaluation->shape;
    const struct rf_class_sums *class = evaluation->total.class;
    double whole = evaluation->total.sums->weight + shape->classes, squares = 0;
    uint32_t majority = 0;
    for (uint32_t k = 0; k < shape->classes; k++) {
        double share = (class[k].actual + 1) / whole;
        squares += share * share;
        majority = class[k].actual > class[majority].actual ? k : majority;
    }
    double share = (class[label].actual + 1) / whole;
    scored->predicted[RF_PREDICTOR_PRIOR] = majority;
    scored->predicted[RF_PREDICTOR_LAST] = (uint32_t)evaluation->total.sums->last;
    scored->log_loss[1] = -rf_log_near(share);
    scored->brier[1] = shape->task == RF_TASK_BINARY ? (1 - share) * (1 - share) : fmax(squares - 2 * share + 1, 0);
}

// False: the scores are absurd.
static bool score_class(const struct rf_evaluation *evaluation, const double *score, uint32_t label, struct rf_scored *scored) {
    const struct rf_evaluation_shape *shape = &evaluation->shape;
    uint32_t predicted = scored->predicted[RF_PREDICTOR_MODEL];
    if (shape->task == RF_TASK_MULTICLASS) {
        double squares = 0;
        for (uint32_t k = 0; k < shape->classes; k++) {
            double miss = score[k] - (k == label);
            squares += miss * miss;
        }
        if (!(squares <= RF_EVALUATION_MAGNITUDE_MAX)) {
            return false;
        }
        scored->log_loss[0] = -rf_log_near(clipped(score[label]));
        scored->brier[0] = squares;
        scored->value[0] = score[predicted];
    } else if (shape->is_margin) {
        scored->value[0] = bounded(score[0]);
    } else {
        double probability = fmin(fmax(score[0], 0), 1);
        scored->log_loss[0] = -rf_log_near(label == 1 ? clipped(score[0]) : 1 - clipped(score[0]));
        scored->brier[0] = (probability - label) * (probability - label);
        scored->value[0] = probability;
    }
    score_shares(evaluation, label, scored);
    return true;
}

static void score_value(const struct rf_evaluation *evaluation, double prediction, struct rf_scored *scored) {
    scored->value[RF_PREDICTOR_MODEL] = bounded(prediction);
    scored->value[RF_PREDICTOR_LAST] = evaluation->total.sums->last;
    scored->value[RF_PREDICTOR_PRIOR] = evaluation->total.sums->mean;
}

void rf_evaluation_fold(struct rf_evaluation *evaluation, const struct rf_examples *examples, size_t begin, size_t end,
                        const struct rf_predictions *predictions) {
    const struct rf_evaluation_shape *shape = &evaluation->shape;
    assert(predictions->task == shape->task);
    assert(end <= examples->count);
    for (size_t i = begin; i < end; i++) {
        const double *score = predictions->score + i * predictions->outputs;
        double label = examples->label[i];
        double weight = examples->weight[i];
        if (!(examples->purpose[i] & evaluation->purpose) || !isfinite(score[0]) ||
            !(fabs(label) <= RF_EVALUATION_MAGNITUDE_MAX) || !(weight > 0 && weight <= RF_EVALUATION_MAGNITUDE_MAX)) {
            continue;
        }
        struct rf_scored scored = {.sequence = evaluation->total.sums->evaluated + 1, .weight = weight, .label = label};
        if (!shape->classes) {
            score_value(evaluation, score[0], &scored);
        } else {
            int32_t predicted = rf_prediction_class(predictions, i);
            scored.predicted[RF_PREDICTOR_MODEL] = (uint32_t)predicted;
            if (!is_class(shape, label) || !score_class(evaluation, score, (uint32_t)label, &scored)) {
                continue;
            }
            rf_group_add(&evaluation->bins[bin_of(scored.value[0], shape->is_margin)], shape, &scored);
        }
        rf_tally_add(&evaluation->total, shape, &scored);
        if (evaluation->window.size) {
            rf_window_add(&evaluation->window, &scored);
        }
    }
}

void rf_evaluation_figures(const struct rf_evaluation *evaluation, struct rf_figures *figures_out) {
    rf_tally_figures(&evaluation->total, &evaluation->shape, evaluation->bins, RF_EVALUATION_BINS, true, figures_out);
}

void rf_evaluation_quick_figures(const struct rf_evaluation *evaluation, struct rf_figures *figures_out) {
    rf_tally_figures(&evaluation->total, &evaluation->shape, NULL, 0, true, figures_out);
}

void rf_evaluation_window_figures(struct rf_evaluation *evaluation, struct rf_figures *figures_out) {
    if (evaluation->window.size) {
        rf_window_figures(&evaluation->window, &evaluation->shape, evaluation->total.sums->evaluated, figures_out);
    } else {
        *figures_out = (struct rf_figures){0};
    }
}

const double *rf_evaluation_confusion(const struct rf_evaluation *evaluation, bool of_window, uint32_t *classes_out) {
    *classes_out = evaluation->shape.classes;
    return of_window ? evaluation->window.tally.confusion : evaluation->total.confusion;
}

// What was restored is not trusted.

static bool are_sums(const double *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!(list[i] >= 0 && list[i] <= SUM_MAX)) {
            return false;
        }
    }
    return true;
}

static bool is_label(const struct rf_evaluation_shape *shape, double label) {
    return shape->classes ? is_class(shape, label) : fabs(label) <= RF_EVALUATION_MAGNITUDE_MAX;
}

static bool is_sound_row(const struct rf_evaluation *evaluation, size_t index) {
    const struct rf_scored *row = &evaluation->window.ring[index];
    uint64_t evaluated = evaluation->total.sums->evaluated;
    if (row->sequence == 0) {
        return true; // whatever else it holds is not read
    }
    bool is_sound = row->sequence <= evaluated && evaluated - row->sequence < evaluation->window.size &&
                    (row->sequence - 1) % evaluation->window.size == index && row->weight > 0 &&
                    row->weight <= RF_EVALUATION_MAGNITUDE_MAX && is_label(&evaluation->shape, row->label) &&
                    are_sums(row->log_loss, 2) && are_sums(row->brier, 2);
    for (unsigned p = 0; p < RF_PREDICTOR_COUNT; p++) {
        is_sound = is_sound && fabs(row->value[p]) <= RF_EVALUATION_MAGNITUDE_MAX &&
                   (!evaluation->shape.classes || row->predicted[p] < evaluation->shape.classes);
    }
    return is_sound;
}

static bool are_sound_bins(const struct rf_group *bins) {
    for (size_t i = 0; i < RF_EVALUATION_BINS; i++) {
        if (!are_sums(&bins[i].negative, 1) || !are_sums(&bins[i].positive, 1) || !(fabs(bins[i].score) <= SUM_MAX)) {
            return false;
        }
    }
    return true;
}

static enum rf_status corrupt(const struct rf_evaluation *evaluation, unsigned block, struct rf_error *err) {
    return rf_fail(err, RF_CORRUPT, "block %s holds what no evaluation writes", evaluation->names[block]);
}

enum { SUMS, CLASSES, CONFUSION, BINS, WINDOW };

enum rf_status rf_evaluation_check(struct rf_evaluation *evaluation, struct rf_error *err) {
    rf_window_forget_order(&evaluation->window);
    const struct rf_sums *sums = evaluation->total.sums;
    size_t classes = evaluation->shape.classes;
    bool are_sound = are_sums(&sums->weight, 1) && are_sums(sums->log_loss, 2) && are_sums(sums->brier, 2) &&
                     are_sums(sums->hits, RF_PREDICTOR_COUNT) && are_sums(sums->absolute, RF_PREDICTOR_COUNT) &&
                     are_sums(sums->squared, RF_PREDICTOR_COUNT) && are_sums(sums->pinball, RF_PREDICTOR_COUNT) &&
                     are_sums(&sums->scatter, 1) && fabs(sums->mean) <= RF_EVALUATION_MAGNITUDE_MAX &&
                     is_label(&evaluation->shape, sums->last) && sums->evaluated < UINT64_MAX / 2;
    if (!are_sound) {
        return corrupt(evaluation, SUMS, err);
    }
    for (size_t k = 0; k < classes; k++) {
        const struct rf_class_sums *class = &evaluation->total.class[k];
        if (!are_sums(&class->actual, 1) || !are_sums(class->predicted, RF_PREDICTOR_COUNT) ||
            !are_sums(class->hits, RF_PREDICTOR_COUNT)) {
            return corrupt(evaluation, CLASSES, err);
        }
    }
    if (evaluation->total.confusion && !are_sums(evaluation->total.confusion, classes * classes)) {
        return corrupt(evaluation, CONFUSION, err);
    }
    if (evaluation->bins && !are_sound_bins(evaluation->bins)) {
        return corrupt(evaluation, BINS, err);
    }
    for (size_t i = 0; i < evaluation->window.size; i++) {
        if (!is_sound_row(evaluation, i)) {
            return corrupt(evaluation, WINDOW, err);
        }
    }
    return RF_OK;
}

static struct rf_block *add_block(struct rf_evaluation *evaluation, struct rf_state *state, unsigned name, size_t rows,
                                  const struct rf_column *columns, size_t column_count, void *data) {
    const struct rf_column *last = &columns[column_count - 1];
    return rf_state_add(state, &(struct rf_block){
                                       .name = evaluation->names[name],
                                       .rows = rows,
                                       .row_size = last->offset + rf_column_size(last),
                                       .columns = columns,
                                       .column_count = column_count,
                                       .data = data,
                                       .scope = RF_SCOPE_EVALUATION,
                                       .is_touched = name == WINDOW,
                                       .may_begin_anew = name == WINDOW, // its size is no part of the model
                               });
}

#define COUNT_OF(list_) (sizeof(list_) / sizeof(list_)[0])

void rf_evaluation_state(struct rf_evaluation *evaluation, struct rf_state *state) {
    struct rf_tally *total = &evaluation->total;
    size_t classes = evaluation->shape.classes;
    add_block(evaluation, state, SUMS, 1, sums_columns, COUNT_OF(sums_columns), total->sums);
    if (classes) {
        add_block(evaluation, state, CLASSES, classes, class_columns, COUNT_OF(class_columns), total->class);
        add_block(evaluation, state, BINS, RF_EVALUATION_BINS, bin_columns, COUNT_OF(bin_columns), evaluation->bins);
    }
    if (total->confusion) {
        add_block(evaluation, state, CONFUSION, classes, &evaluation->confusion_column, 1, total->confusion);
    }
    if (evaluation->window.size) {
        evaluation->window.touched = add_block(evaluation, state, WINDOW, evaluation->window.size, window_columns,
                                               COUNT_OF(window_columns), evaluation->window.ring);
    }
}

void rf_evaluation_destroy(struct rf_evaluation *evaluation) {
    if (evaluation) {
        rf_tally_finish(&evaluation->total);
        rf_window_finish(&evaluation->window);
        free(evaluation->bins);
        free(evaluation);
    }
}

enum rf_status rf_evaluation_create(const struct rf_evaluation_options *options, struct rf_evaluation **evaluation_out,
                                    struct rf_error *err) {
    static const char *const parts[BLOCKS_MAX] = {
            [SUMS] = "sums", [CLASSES] = "classes", [CONFUSION] = "confusion", [BINS] = "bins", [WINDOW] = "window"};
    assert(options->window <= RF_EVALUATION_WINDOW_MAX);
    struct rf_evaluation *evaluation = calloc(1, sizeof *evaluation);
    if (!evaluation) {
        return rf_fail(err, RF_MEMORY, "evaluation: out of memory");
    }
    enum rf_task task = options->task;
    evaluation->shape = (struct rf_evaluation_shape){
            .task = task,
            .is_margin = options->is_margin,
            .classes = task == RF_TASK_REGRESSION ? 0
                       : task == RF_TASK_BINARY   ? 2
                                                  : options->outputs,
            .quantile = options->quantile > 0 ? options->quantile : 0.5,
    };
    evaluation->purpose = (uint8_t)(options->purpose ? options->purpose : RF_EVALUATE);
    evaluation->confusion_column = (struct rf_column){"predicted", RF_F64, 0, evaluation->shape.classes, RF_MERGE_SUM};
    for (unsigned i = 0; i < BLOCKS_MAX; i++) {
        snprintf(evaluation->names[i], BLOCK_NAME_SIZE, "%.30s.%s", options->name ? options->name : "evaluation", parts[i]);
    }
    bool has_bins = evaluation->shape.classes > 0;
    evaluation->bins = has_bins ? calloc(RF_EVALUATION_BINS, sizeof *evaluation->bins) : NULL;
    if ((has_bins && !evaluation->bins) || !rf_tally_init(&evaluation->total, &evaluation->shape) ||
        !rf_window_init(&evaluation->window, options->window, &evaluation->shape)) {
        rf_evaluation_destroy(evaluation);
        return rf_fail(err, RF_MEMORY, "evaluation: out of memory");
    }
    *evaluation_out = evaluation;
    return RF_OK;
}
