// A linear model of the vector that every example carries: images, embeddings, measurements.
//
//     score_k = bias_k + sum over i of weight[k][i] * x[i]
//
// A step, with g_k the gradient of the loss by score k, w the weight of a record, and a mean over a mini-batch's weights
// (a mini-batch of one record: w itself, in place of w / sum w):
//
//     G[k][i] = sum over records of w / (sum of w) * g_k * x[i],     learners/dense_weights.h
//
// A record alone goes through our own kernels, which give the same bits
// everywhere. The sums over a mini-batch are OpenBLAS's, whose last bits depend on its core type; shapes and order follow from
// the records alone. Predictions are by our kernels in both cases, at the weights of that moment.
#include "learners/contribution.h"
#include "learners/dense_weights.h"
#include "learners/kernels_dense.h"
#include "learners/kernels_openblas.h"
#include "learners/learner.h"
#include "learners/loss.h"
#include "learners/mini_batch.h"
#include "learners/rate.h"
#include "learners/score_count.h"
#include "learners/vector_scaler.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRADIENT_MAX 1e15 // beyond it a gradient has left all reason behind: the record is not learned
#define SCORE_MAX 1e30    // and a score

enum { VECTOR_SIZE_MAX = 1 << 20 };

enum { SCALE_NONE, SCALE_STANDARD };
enum { PRECISION_SINGLE, PRECISION_DOUBLE };
static const char *const scale_names[] = {"none", "standard", NULL};
static const char *const precision_names[] = {"single", "double", NULL};

static const struct rf_setting batch_settings[] = {
        RF_MINI_BATCH_SETTINGS(struct rf_mini_batch_sizes, "1",
                               "records a step; 1: every record, by kernels that give the same bits on any processor"),
        {0},
};

const struct rf_setting rf_dense_settings[] = {
        RF_VARIANT(struct rf_dense_options, loss, "logistic", rf_loss_variants, 0, "what is minimised"),
        RF_UINT(struct rf_dense_options, classes, "0", 0, RF_CLASSES_MAX, 0,
                "number of classes of softmax where features.classes does not name them; 0: as many as are named"),
        RF_RATE_SETTINGS(struct rf_dense_options, "0.01"),
        RF_REAL(struct rf_dense_options, momentum, "0", 0, 0.999999, 0, "share of the velocity kept from step to step; 0: none"),
        RF_REAL(struct rf_dense_options, l2, "0", 0, 1e6, 0, "adds l2 / 2 * weight^2 to the loss; the bias is never shrunk"),
        RF_SECTION(struct rf_dense_options, batch, batch_settings, 0, "mini-batches: how many records a step has"),
        RF_CHOICE(struct rf_dense_options, scale, "none", scale_names, 0,
                  "how coordinates are scaled: none, or standard (to mean 0 and deviation 1, as learned so far)"),
        RF_BOOL(struct rf_dense_options, bias, "true", 0, "whether the score has a constant term"),
        RF_CHOICE(struct rf_dense_options, precision, "single", precision_names, 0,
                  "how weights are kept, and mini-batches summed: single or double"),
        {0},
};

static const struct rf_column arithmetic_columns[] = {{"core", RF_U8, 0, RF_OPENBLAS_CORE_SIZE, RF_MERGE_NONE}};

struct dense {
    struct rf_learner base;
    struct rf_loss loss;
    const struct rf_dense_kernels *kernels;
    struct rf_vector_scaler *scaler; // NULL: vectors are taken as they are
    struct rf_rate rate;
    bool is_double;
    size_t vector_size;

    struct rf_dense_weights weights;
    struct rf_mini_batch batch;
    char core[RF_OPENBLAS_CORE_SIZE]; // type that summed the last mini-batch: zeros, or a text that ends in them

    // Of the example being worked on.
    void *x;          // [vector_size] reals (see learners/kernels_dense.h), as scaled
    double *scaled;   // [vector_size]
    double *score;    // [outputs] before the link
    double *gradient; // [outputs] by the score

    // Of the mini-batch being learned; NULL when there are none.
    unsigned char *batch_score;     // [capacity][outputs] reals; then the gradients
    unsigned char *weight_gradient; // [outputs][vector_size] reals
    double *bias_gradient;          // [outputs]
};

static void dense_destroy(struct rf_learner *self);

static struct dense *dense_from(struct rf_learner *self) {
    assert(self->ops->destroy == dense_destroy);
    return (struct dense *)self;
}

static const struct dense *dense_from_const(const struct rf_learner *self) {
    assert(self->ops->destroy == dense_destroy);
    return (const struct dense *)self;
}

static bool all_within(size_t count, const double *list, double limit) {
    bool is_within = true;
    for (size_t k = 0; k < count; k++) {
        is_within &= fabs(list[k]) <= limit;
    }
    return is_within;
}

static const float *vector_of(const struct dense *dense, const struct rf_examples *examples, size_t index) {
    assert(examples->vector_size == dense->vector_size);
    return examples->vector + index * dense->vector_size;
}

static void scale(const struct dense *dense, const float *vector, void *x_out) {
    if (dense->scaler) {
        rf_vector_scaler_scale(dense->scaler, vector, dense->scaled);
        dense->kernels->take_doubles(dense->vector_size, dense->scaled, x_out);
    } else {
        dense->kernels->take(dense->vector_size, vector, x_out);
    }
}

static void see(const struct dense *dense, const struct rf_examples *examples, size_t index) {
    scale(dense, vector_of(dense, examples, index), dense->x);
    rf_dense_weights_score(&dense->weights, dense->x, dense->score);
}

// Learns the record of which dense->x and dense->score are, alone. False when it was not learned.
static bool learn_one(struct dense *dense, double label, double weight) {
    uint32_t outputs = dense->base.outputs;
    if (!all_within(outputs, dense->score, SCORE_MAX) || !rf_loss_gradient(&dense->loss, dense->score, label, dense->gradient)) {
        return false;
    }
    for (uint32_t k = 0; k < outputs; k++) {
        dense->gradient[k] *= weight;
    }
    if (!all_within(outputs, dense->gradient, GRADIENT_MAX)) {
        return false;
    }
    double rate = rf_rate_at(&dense->rate, dense->batch.progress->steps);
    for (uint32_t k = 0; k < outputs; k++) {
        rf_dense_weights_move(&dense->weights, k, rate, dense->gradient[k], dense->x);
        rf_dense_weights_move_bias(&dense->weights, k, rate, dense->gradient[k]);
    }
    rf_mini_batch_done(&dense->batch, true);
    return true;
}

// Turns the scores of the records of the mini-batch into their gradients, and sums those of the bias. Returns how many
// records were absurd: their gradients are 0.
static size_t find_gradients(struct dense *dense, size_t records) {
    uint32_t outputs = dense->base.outputs;
    size_t real_size = dense->kernels->real_size, absurd = 0;
    double total = 0;
    for (size_t i = 0; i < records; i++) {
        total += dense->batch.records[i].weight;
    }
    memset(dense->bias_gradient, 0, outputs * sizeof *dense->bias_gradient);
    for (size_t i = 0; i < records; i++) {
        const struct rf_mini_batch_record *record = &dense->batch.records[i];
        void *row = dense->batch_score + i * outputs * real_size;
        dense->kernels->give_doubles(outputs, row, dense->score);
        for (uint32_t k = 0; k < outputs; k++) {
            dense->score[k] += dense->weights.bias[k].weight;
        }
        if (!all_within(outputs, dense->score, SCORE_MAX) ||
            !rf_loss_gradient(&dense->loss, dense->score, record->label, dense->gradient) ||
            !all_within(outputs, dense->gradient, GRADIENT_MAX)) {
            memset(dense->gradient, 0, outputs * sizeof *dense->gradient);
            absurd++;
        }
        for (uint32_t k = 0; k < outputs; k++) {
            dense->gradient[k] *= record->weight / total;
            dense->bias_gradient[k] += dense->gradient[k];
        }
        dense->kernels->take_doubles(outputs, dense->gradient, row);
    }
    return absurd;
}

// One step along the mean gradient of the records taken.
static void learn_batch(struct dense *dense) {
    uint32_t outputs = dense->base.outputs;
    size_t records = (size_t)dense->batch.progress->taken;
    rf_openblas_scores(dense->is_double, records, outputs, dense->vector_size, dense->batch.vectors, dense->weights.weight,
                       dense->batch_score);
    size_t absurd = find_gradients(dense, records);
    dense->base.skipped_steps += absurd;
    if (absurd < records) {
        rf_openblas_gradient(dense->is_double, records, outputs, dense->vector_size, dense->batch_score, dense->batch.vectors,
                             dense->weight_gradient);
        double rate = rf_rate_at(&dense->rate, dense->batch.progress->steps);
        for (uint32_t k = 0; k < outputs; k++) {
            rf_dense_weights_move(&dense->weights, k, rate, 1, dense->weight_gradient + k * dense->weights.row_size);
            rf_dense_weights_move_bias(&dense->weights, k, rate, dense->bias_gradient[k]);
        }
    }
    strncpy(dense->core, rf_openblas_core(), sizeof dense->core - 1);
    rf_mini_batch_done(&dense->batch, absurd < records);
}

// Whether the label is one of the task, whatever the scores.
static bool knows_label(const struct dense *dense, double label) {
    memset(dense->score, 0, dense->base.outputs * sizeof *dense->score);
    return rf_loss_gradient(&dense->loss, dense->score, label, dense->gradient);
}

// Learns a record, or takes it into the mini-batch. False when it does neither. `is_scored`: dense->x and dense->score are its.
static bool learn(struct dense *dense, const struct rf_examples *examples, size_t index, bool is_scored) {
    const float *vector = vector_of(dense, examples, index);
    double label = examples->label[index], weight = examples->weight[index];
    if (!(weight <= RF_MINI_BATCH_WEIGHT_MAX)) {
        return false;
    }
    if (rf_mini_batch_size(&dense->batch) == 1) {
        if (dense->scaler) {
            rf_vector_scaler_learn(dense->scaler, vector);
        }
        if (dense->scaler || !is_scored) {
            see(dense, examples, index);
        }
        return learn_one(dense, label, weight);
    }
    if (!knows_label(dense, label)) {
        return false;
    }
    if (dense->scaler) {
        rf_vector_scaler_learn(dense->scaler, vector);
    }
    scale(dense, vector, rf_mini_batch_take(&dense->batch, label, weight));
    if (dense->batch.progress->taken == rf_mini_batch_size(&dense->batch)) {
        learn_batch(dense);
    }
    return true;
}

static void fold_one(struct dense *dense, const struct rf_examples *examples, size_t index, double *prediction) {
    bool predicts = examples->purpose[index] & RF_PREDICT;
    if (predicts) {
        see(dense, examples, index);
        rf_loss_link(&dense->loss, dense->score, prediction);
    } else {
        for (uint32_t k = 0; k < dense->base.outputs; k++) {
            prediction[k] = NAN;
        }
    }
    if ((examples->purpose[index] & RF_LEARN) && examples->weight[index] > 0) {
        *(learn(dense, examples, index, predicts) ? &dense->base.learned : &dense->base.skipped_steps) += 1;
    }
}

static void dense_fold(struct rf_learner *self, const struct rf_examples *examples, size_t begin, size_t end,
                       struct rf_predictions *predictions) {
    struct dense *dense = dense_from(self);
    for (size_t i = begin; i < end; i++) {
        fold_one(dense, examples, i, predictions->score + i * self->outputs);
    }
}

static void dense_predict(const struct rf_learner *self, const struct rf_examples *examples, size_t index, double *score_out) {
    const struct dense *dense = dense_from_const(self);
    see(dense, examples, index);
    rf_loss_link(&dense->loss, dense->score, score_out);
}

static double real_at(const struct dense *dense, const void *reals, size_t index) {
    double value;
    dense->kernels->give_doubles(1, (const unsigned char *)reals + index * dense->kernels->real_size, &value);
    return value;
}

static size_t dense_explain(const struct rf_learner *self, const struct rf_examples *examples, size_t index,
                            struct rf_contribution *list, size_t capacity) {
    const struct dense *dense = dense_from_const(self);
    see(dense, examples, index);
    size_t kept = 0;
    for (size_t i = 0; i < dense->vector_size; i++) {
        double x = real_at(dense, dense->x, i), weight = real_at(dense, dense->weights.weight, i);
        rf_contribution_insert(list, capacity, &kept,
                               (struct rf_contribution){
                                       .field = RF_FIELD_VECTOR, .hash = i, .value = x, .weight = weight, .amount = x * weight});
    }
    if (dense->weights.has_bias) {
        double weight = dense->weights.bias[0].weight;
        rf_contribution_insert(
                list, capacity, &kept,
                (struct rf_contribution){.field = RF_FIELD_UNKNOWN, .value = 1, .weight = weight, .amount = weight});
    }
    return dense->vector_size + dense->weights.has_bias;
}

static void dense_weights(const struct rf_learner *self, rf_learner_visit *visit, void *context) {
    const struct dense *dense = dense_from_const(self);
    for (size_t i = 0; i < dense->vector_size; i++) {
        for (uint32_t k = 0; k < self->outputs; k++) {
            double weight = real_at(dense, (const char *)dense->weights.weight + k * dense->weights.row_size, i);
            if (weight != 0) {
                visit(context, i, k, weight);
            }
        }
    }
    for (uint32_t k = 0; dense->weights.has_bias && k < self->outputs; k++) {
        visit(context, RF_ROW_BIAS, k, dense->weights.bias[k].weight);
    }
}

static void dense_link(const struct rf_learner *self, const double *score, double *prediction_out) {
    rf_loss_link(&dense_from_const(self)->loss, score, prediction_out);
}

static void dense_state(struct rf_learner *self, struct rf_state *state) {
    struct dense *dense = dense_from(self);
    rf_dense_weights_state(&dense->weights, state);
    rf_mini_batch_state(&dense->batch, state);
    if (dense->scaler) {
        rf_vector_scaler_state(dense->scaler, "dense.scaler", state);
    }
    if (dense->batch_score) {
        rf_state_add(state, &(struct rf_block){
                                    .name = "dense.arithmetic",
                                    .rows = 1,
                                    .row_size = sizeof dense->core,
                                    .columns = arithmetic_columns,
                                    .column_count = 1,
                                    .data = dense->core,
                                    .scope = RF_SCOPE_CIRCUMSTANCE,
                            });
    }
}

static enum rf_status check_arithmetic(const struct dense *dense, struct rf_error *err) {
    const char *core = dense->core;
    size_t size = strnlen(core, sizeof dense->core);
    for (size_t i = 0; i < sizeof dense->core; i++) {
        bool is_right = i < size ? isalnum((unsigned char)core[i]) || core[i] == '_' || core[i] == '-' : core[i] == '\0';
        if (!is_right || size == sizeof dense->core) {
            return rf_fail(err, RF_CORRUPT, "the core type of OpenBLAS is no name of at most %d letters and digits",
                           RF_OPENBLAS_CORE_SIZE - 1);
        }
    }
    return RF_OK;
}

static enum rf_status dense_check(const struct rf_learner *self, struct rf_error *err) {
    const struct dense *dense = dense_from_const(self);
    if (rf_dense_weights_check(&dense->weights, err) != RF_OK || check_arithmetic(dense, err) != RF_OK ||
        rf_mini_batch_check(&dense->batch, err) != RF_OK) {
        return err->status;
    }
    for (size_t i = 0; i < dense->batch.progress->taken; i++) {
        double label = dense->batch.records[i].label;
        if (!knows_label(dense, label)) {
            return rf_fail(err, RF_CORRUPT, "record %zu of the mini-batch has label %g, must be one of loss %s", i, label,
                           dense->loss.ops->name);
        }
    }
    return dense->scaler ? rf_vector_scaler_check(dense->scaler, err) : RF_OK;
}

static bool dense_note(const struct rf_learner *self, char *text_out, size_t size) {
    const struct dense *dense = dense_from_const(self);
    const char *core = dense->core;
    if (core[0] == '\0' || strcmp(core, rf_openblas_core()) == 0) {
        return false;
    }
    snprintf(text_out, size,
             "the mini-batches so far were summed by OpenBLAS for %s, here it is for %s: from now on the last digits may differ "
             "from those of an uninterrupted run there",
             core, rf_openblas_core());
    return true;
}

static void dense_destroy(struct rf_learner *self) {
    struct dense *dense = (struct dense *)self;
    rf_vector_scaler_destroy(dense->scaler);
    rf_mini_batch_finish(&dense->batch);
    rf_dense_weights_finish(&dense->weights);
    free(dense->x);
    free(dense->scaled);
    free(dense->score);
    free(dense->gradient);
    free(dense->batch_score);
    free(dense->weight_gradient);
    free(dense->bias_gradient);
    free(dense);
}

static const struct rf_learner_ops dense_ops = {
        .name = "dense",
        .fold = dense_fold,
        .predict = dense_predict,
        .explain = dense_explain,
        .weights = dense_weights,
        .link = dense_link,
        .state = dense_state,
        .check = dense_check,
        .note = dense_note,
        .destroy = dense_destroy,
};

static enum rf_status reserve_scratch(struct dense *dense, struct rf_error *err) {
    uint32_t outputs = dense->base.outputs;
    bool has_batches = dense->batch.capacity > 1;
    dense->x = calloc(1, dense->weights.row_size);
    dense->scaled = calloc(dense->vector_size, sizeof *dense->scaled);
    dense->score = calloc(outputs, sizeof *dense->score);
    dense->gradient = calloc(outputs, sizeof *dense->gradient);
    bool is_whole = dense->x && dense->scaled && dense->score && dense->gradient;
    if (has_batches) {
        dense->batch_score = calloc(dense->batch.capacity * outputs, dense->kernels->real_size);
        dense->weight_gradient = calloc(outputs, dense->weights.row_size);
        dense->bias_gradient = calloc(outputs, sizeof *dense->bias_gradient);
        is_whole = is_whole && dense->batch_score && dense->weight_gradient && dense->bias_gradient;
        rf_openblas_prepare();
    }
    return is_whole ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for vectors of %zu numbers", dense->vector_size);
}

enum rf_status rf_learner_dense_create(const void *options, const struct rf_learner_context *context,
                                       struct rf_learner **learner_out, struct rf_error *err) {
    const struct rf_dense_options *own = options;
    struct rf_loss loss;
    if (rf_loss_init(&own->loss, &loss, err) != RF_OK ||
        rf_score_count(loss.ops, own->classes, context, &loss.outputs, err) != RF_OK) {
        return err->status;
    }
    if (context->vector_size < 1 || context->vector_size > VECTOR_SIZE_MAX) {
        return rf_fail(err, RF_INVALID, "the examples have vectors of %zu numbers, must have 1 to %d", context->vector_size,
                       VECTOR_SIZE_MAX);
    }
    if (own->rate.first * own->l2 >= 1) {
        return rf_fail(err, RF_INVALID, "rate %g times l2 %g is %g, must be below 1", own->rate.first, own->l2,
                       own->rate.first * own->l2);
    }
    struct dense *dense = calloc(1, sizeof *dense);
    if (!dense) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    dense->base = (struct rf_learner){
            .ops = &dense_ops, .task = loss.ops->task, .outputs = loss.outputs, .is_margin = loss.ops->is_margin};
    dense->loss = loss;
    dense->is_double = own->precision == PRECISION_DOUBLE;
    dense->kernels = rf_dense_kernels_choose(context->use_baseline_kernels, dense->is_double);
    dense->rate = own->rate;
    dense->vector_size = context->vector_size;
    dense->weights = (struct rf_dense_weights){
            .kernels = dense->kernels,
            .outputs = loss.outputs,
            .vector_size = context->vector_size,
            .momentum = own->momentum,
            .l2 = own->l2,
            .has_bias = own->bias,
    };
    if (rf_mini_batch_init(&dense->batch, &own->batch, dense->vector_size, dense->is_double, err) != RF_OK ||
        rf_dense_weights_init(&dense->weights, err) != RF_OK || reserve_scratch(dense, err) != RF_OK) {
        goto fail;
    }
    if (own->scale == SCALE_STANDARD && rf_vector_scaler_create(dense->vector_size, &dense->scaler, err) != RF_OK) {
        goto fail;
    }
    *learner_out = &dense->base;
    return RF_OK;
fail:
    dense_destroy(&dense->base);
    return err->status;
}
