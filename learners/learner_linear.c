// A linear model of hashed features, learned one record at a time:
//
//     score_k = bias_k + sum over inputs of weight[row][k] * x,     row = hash mod 2^hash_bits
//
// Everything is computed in double; `precision` says how weights are kept. All sums have a fixed order.
#include "learners/combination.h"
#include "learners/experts.h"
#include "learners/learner_linear_internal.h"
#include "learners/loss_lanes.h"
#include "learners/score_count.h"

#include <math.h>
#include <stdlib.h>

// A score or a gradient beyond these bounds has left all reason behind: the example is not learned.
#define SCORE_MAX 1e30

enum { PREFETCH_FEATURES = 64 }; // ahead of the example being worked on

enum { PRECISION_SINGLE, PRECISION_DOUBLE };
static const char *const precision_names[] = {"single", "double", NULL};

enum { CLIP_NONE, CLIP_LABELS, CLIP_LABELS_AND_ZERO };
static const char *const clip_names[] = {"none", "labels", "labels_and_zero", NULL};

const struct rf_setting rf_linear_settings[] = {
        RF_VARIANT(struct rf_linear_options, loss, "logistic", rf_loss_variants, 0, "what is minimised"),
        RF_UINT(struct rf_linear_options, classes, "0", 0, RF_CLASSES_MAX, 0,
                "number of classes of losses like softmax, where features.classes does not name them; 0: as many as are named"),
        RF_PAIRS(struct rf_linear_options, class_weights, 0,
                 "weights of labels, by class name or number, as in {fraud: 5, legit: 1}; others have 1"),
        RF_VARIANT(struct rf_linear_options, optimizer, "adaptive", rf_optimizer_variants, 0, "how weights move"),
        RF_VARIANT(struct rf_linear_options, update, "each_record", rf_update_variants, 0, "over which records a step is taken"),
        RF_REAL(struct rf_linear_options, gradient_max, "0", 0, 1e30, 0,
                "bound of the size of the loss's gradient by the score, for each output; 0: none"),
        RF_CHOICE(struct rf_linear_options, clip, "none", clip_names, 0,
                  "to what predictions of a regression are clipped: none, labels (the range of those learned so far), or "
                  "labels_and_zero (that range and 0, as in Vowpal Wabbit)"),
        RF_REAL(struct rf_linear_options, l1, "0", 0, 1e6, 0, "adds l1 * abs(weight) to the loss of every example"),
        RF_REAL(struct rf_linear_options, l2, "0", 0, 1e6, 0,
                "adds l2 / 2 * weight^2 to the loss of every example; under l1 or l2 a rate that varies moves every 1024 steps"),
        RF_BOOL(struct rf_linear_options, regularise_bias, "false", 0, "whether l1 and l2 shrink the bias too"),
        RF_TRANSFORM_SETTINGS(struct rf_linear_options),
        RF_REAL(struct rf_linear_options, select_weight, "0", 0, 1e30, 0,
                "inputs whose weight is smaller in size are left out of the score (they go on learning); 0: none are"),
        RF_UINT(struct rf_linear_options, select_after, "10000", 0, 9007199254740992.0, 0,
                "records to learn before select_weight begins to leave inputs out"),
        RF_UINT(struct rf_linear_options, hash_bits, "18", 1, 28, 0, "log2 of the number of weights (of each class)"),
        RF_BOOL(struct rf_linear_options, bias, "true", 0, "whether the score has a constant term"),
        RF_REAL(struct rf_linear_options, bias_rate, "0", 0, 1e6, 0,
                "learning rate of the bias, by plain gradient descent; 0: it moves as the weights do"),
        RF_CHOICE(struct rf_linear_options, precision, "single", precision_names, 0, "how weights are kept: single or double"),
        {0},
};

size_t rf_linear_see(const struct linear *linear, const struct rf_examples *examples, size_t index,
                     const struct rf_inputs **inputs_out) {
    const struct rf_inputs *inputs = rf_transform_see(linear->transform, examples, index);
    linear->kernels->rows(inputs->count, inputs->hash, linear->row_mask, linear->row);
    if (linear->has_bias_row) {
        linear->row[inputs->count] = linear->optimizer->bias_row;
        inputs->x[inputs->count] = 1;
    }
    *inputs_out = inputs;
    return inputs->count + linear->has_bias_row;
}

const double *rf_linear_select(const struct linear *linear, const uint32_t *rows, const double *x, size_t count) {
    if (linear->select_weight == 0 || linear->optimizer->ticks->steps < linear->select_after) {
        return x;
    }
    for (size_t i = 0; i < count; i++) {
        rf_optimizer_gather(linear->optimizer, &rows[i], 1, linear->weight);
        double largest = linear->kernels->largest((size_t)linear->optimizer->experts * linear->base.outputs, linear->weight);
        linear->kept[i] = rows[i] != linear->optimizer->bias_row && largest < linear->select_weight ? 0 : x[i];
    }
    return linear->kept;
}

static bool all_within(const struct linear *linear, const double *list) {
    return linear->kernels->largest((size_t)linear->optimizer->experts * linear->base.outputs, list) <= SCORE_MAX;
}

// The scores of inputs as rf_transform_see() left them, and their link.
static void predict(const struct linear *linear, const struct rf_inputs *inputs, size_t count, double *prediction) {
    const double *x = rf_linear_select(linear, linear->row, inputs->x, count);
    rf_optimizer_score(linear->optimizer, linear->row, x, count, linear->score);
    rf_own_bias_add(linear->bias, linear->score);
    if (linear->mixture) {
        rf_experts_link(&linear->loss, linear->optimizer->experts, linear->score, linear->linked);
        rf_mixture_predict(linear->mixture, linear->score, linear->linked, prediction);
    } else {
        rf_loss_link(&linear->loss, linear->score, prediction);
    }
    prediction[0] = rf_label_range_clip(linear->label_range, prediction[0]);
}

// The scores at which the gradient is to be taken.
static void score_ahead(struct linear *linear, const uint32_t *rows, const double *x, size_t count) {
    rf_optimizer_score_ahead(linear->optimizer, rows, rf_linear_select(linear, rows, x, count), count, linear->score);
    rf_own_bias_add(linear->bias, linear->score);
    if (linear->mixture) {
        rf_experts_link(&linear->loss, linear->optimizer->experts, linear->score, linear->linked);
    }
}

// Fills linear->gradient at linear->score, which is clipped as predictions are. False when there is none.
static bool take_gradients(struct linear *linear, double label, double weight) {
    const size_t all = (size_t)linear->optimizer->experts * linear->base.outputs;
    const double limit = linear->gradient_max > 0 ? linear->gradient_max : INFINITY;
    bool is_bounded = false;
    for (size_t at = 0; linear->label_range && at < all; at++) {
        linear->score[at] = rf_label_range_clip(linear->label_range, linear->score[at]);
    }
    if (!all_within(linear, linear->score) ||
        !rf_experts_gradient(&linear->loss, linear->optimizer->experts, linear->score, linear->linked, label, linear->gradient)) {
        return false;
    }
    for (size_t at = 0; at < all; at++) {
        double gradient = fmax(-limit, fmin(limit, linear->gradient[at]));
        is_bounded = is_bounded || gradient != linear->gradient[at];
        linear->gradient[at] = weight * gradient;
    }
    linear->base.bounded_steps += is_bounded;
    return all_within(linear, linear->gradient);
}

static const double *gradient_of_waiting(void *learner, const struct rf_waiting_record *record) {
    struct linear *linear = learner;
    score_ahead(linear, record->rows, record->x, record->count);
    return take_gradients(linear, record->label, record->weight) ? linear->gradient : NULL;
}

// False when the record cannot wait. A step that cannot be taken is counted by itself.
static bool wait_or_step(struct linear *linear, const struct rf_waiting_record *record) {
    if (!rf_waiting_add(linear->waiting, record)) {
        return false;
    }
    if (rf_waiting_is_due(linear->waiting)) {
        const double *gradient = rf_waiting_step(linear->waiting, gradient_of_waiting, linear);
        if (gradient) {
            rf_own_bias_step(linear->bias, gradient);
        } else {
            linear->base.skipped_steps++;
        }
    }
    return true;
}

// Learns an example whose scores are in linear->score. False when it was not learned.
static bool step(struct linear *linear, double label, double weight, int64_t time_ms, const double *x, size_t count) {
    rf_label_range_learn(linear->label_range, label);
    if (!take_gradients(linear, label, weight)) {
        return false;
    }
    if (linear->waiting) {
        return wait_or_step(linear, &(struct rf_waiting_record){linear->row, x, count, label, weight});
    }
    const struct rf_step step = {
            .rows = linear->row,
            .x = x,
            .count = count,
            .x_largest = linear->kernels->largest(count, x),
            .score = linear->score,
            .gradient = linear->gradient,
            .loss = &linear->loss,
            .label = label,
            .weight = weight,
            .time_ms = time_ms,
    };
    if (!rf_optimizer_step(linear->optimizer, &step)) {
        return false;
    }
    rf_own_bias_step(linear->bias, linear->gradient);
    if (linear->mixture) {
        rf_mixture_learn(linear->mixture, linear->score, linear->linked, label, weight, linear->optimizer->half_lives);
    }
    return true;
}

// Prefetches one part in so many of the rows that are to be prefetched during an example: a processor waits where it is asked for
// more lines at once than it can have under way. Always inlined: gcc takes a function that only prefetches for one that does
// nothing.
static inline __attribute__((always_inline)) void prefetch_part(struct linear *linear, size_t parts) {
    const unsigned char *cells = linear->optimizer->cells;
    const size_t row_size = linear->optimizer->row_size;
    const uint64_t mask = linear->row_mask, *hash = linear->ahead;
    const uint64_t *end = hash + (size_t)(linear->ahead_end - hash) / parts;
    const struct rf_block *touched = linear->optimizer->touched;
    if (touched->mark) { // a snapshot is under way
        for (const uint64_t *next = hash; next < end; next++) {
            rf_block_prefetch(touched, *next & mask);
        }
    }
#pragma GCC unroll 4
    for (; hash < end; hash++) {
        __builtin_prefetch(cells + (*hash & mask) * row_size, 1);
    }
    linear->ahead = hash;
}

// Learns an example whose rows are advanced. `is_scored`: its scores are in linear->score.
static void learn(struct linear *linear, const struct rf_examples *examples, size_t index, double weight,
                  const struct rf_inputs *inputs, size_t count, bool is_scored) {
    struct rf_learner *base = &linear->base;
    bool learns_first = rf_transform_learns_first(linear->transform);
    rf_collisions_count(linear->collisions, inputs->hash, inputs->count);
    base->unscaled += learns_first ? 0 : rf_transform_learn(linear->transform, examples, index);
    base->uncrossed += inputs->uncrossed;
    if (!is_scored || (rf_transform_moves(linear->transform) && !learns_first) || rf_optimizer_looks_ahead(linear->optimizer)) {
        score_ahead(linear, linear->row, inputs->x, count);
    }
    prefetch_part(linear, 2);
    bool is_learned = step(linear, examples->label[index], weight, examples->time_ms[index], inputs->x, count);
    *(is_learned ? &base->learned : &base->skipped_steps) += 1;
    if (is_learned) {
        base->unencoded += rf_transform_learn_label(linear->transform, examples, index);
    }
}

// Predicts, then learns, as the purpose says: the scaler first, then the gradient at the weights of that moment, one step.
// Rows are caught up before predicting when they will be anyway: it changes no bit of the prediction.
static void fold_one(struct linear *linear, const struct rf_examples *examples, size_t index, double *prediction) {
    double weight = examples->weight[index] * rf_class_weights_of(linear->class_weights, examples->label[index]);
    bool learns = (examples->purpose[index] & RF_LEARN) && weight > 0;
    bool predicts = examples->purpose[index] & RF_PREDICT;
    const struct rf_inputs *inputs;
    size_t count = rf_linear_see(linear, examples, index, &inputs);
    if (learns) {
        rf_optimizer_advance(linear->optimizer, linear->row, count);
        if (rf_transform_learns_first(linear->transform)) {
            linear->base.unscaled += rf_transform_learn(linear->transform, examples, index);
        }
    }
    if (predicts) {
        predict(linear, inputs, count, prediction);
    } else {
        for (uint32_t k = 0; k < linear->base.outputs; k++) {
            prediction[k] = NAN;
        }
    }
    prefetch_part(linear, 3);
    if (learns) {
        learn(linear, examples, index, weight, inputs, count, predicts);
    }
}

static void linear_fold(struct rf_learner *self, const struct rf_examples *examples, size_t begin, size_t end,
                        struct rf_predictions *predictions) {
    struct linear *linear = linear_from(self);
    const size_t last = examples->row_start[end];
    linear->ahead = examples->hash + examples->row_start[begin];
    for (size_t i = begin; i < end; i++) {
        size_t ahead = examples->row_start[i + 1] + PREFETCH_FEATURES;
        linear->ahead_end = examples->hash + (ahead < last ? ahead : last);
        prefetch_part(linear, i == begin ? 1 : 4);
        fold_one(linear, examples, i, predictions->score + i * self->outputs);
        prefetch_part(linear, 1);
    }
}

static void linear_predict(const struct rf_learner *self, const struct rf_examples *examples, size_t index, double *score_out) {
    const struct linear *linear = linear_from_const(self);
    const struct rf_inputs *inputs;
    size_t count = rf_linear_see(linear, examples, index, &inputs);
    predict(linear, inputs, count, score_out);
}

static void linear_link(const struct rf_learner *self, const double *score, double *prediction_out) {
    rf_loss_link(&linear_from_const(self)->loss, score, prediction_out);
}

static void linear_state(struct rf_learner *self, struct rf_state *state) {
    struct linear *linear = linear_from(self);
    rf_optimizer_state(linear->optimizer, "linear.weights", "linear.ticks", state);
    rf_own_bias_state(linear->bias, "linear.bias", state);
    rf_waiting_state(linear->waiting, state);
    rf_label_range_state(linear->label_range, "linear.labels", state);
    if (linear->mixture) {
        rf_mixture_state(linear->mixture, "linear.mixture", state);
    }
    rf_transform_state(linear->transform, state);
    rf_collisions_state(linear->collisions, "linear.collisions", state);
}

static enum rf_status linear_check(const struct rf_learner *self, struct rf_error *err) {
    const struct linear *linear = linear_from_const(self);
    enum rf_status status = rf_own_bias_check(linear->bias, err);
    status = status ? status : rf_label_range_check(linear->label_range, err);
    status = status ? status : rf_waiting_check(linear->waiting, err);
    status = status ? status : rf_optimizer_check(linear->optimizer, err);
    status = status || !linear->mixture ? status : rf_mixture_check(linear->mixture, err);
    return status ? status : rf_transform_check(linear->transform, err);
}

static void linear_destroy(struct rf_learner *self) {
    struct linear *linear = (struct linear *)self;
    rf_optimizer_destroy(linear->optimizer);
    rf_mixture_destroy(linear->mixture);
    rf_transform_destroy(linear->transform);
    rf_collisions_destroy(linear->collisions);
    rf_waiting_destroy(linear->waiting);
    rf_class_weights_destroy(linear->class_weights);
    rf_label_range_destroy(linear->label_range);
    free(linear->kept);
    free(linear->weight);
    rf_own_bias_destroy(linear->bias);
    free(linear->row);
    free(linear->score);
    free(linear->linked);
    free(linear->gradient);
    free(linear);
}

const struct rf_learner_ops rf_linear_ops = {
        .name = "linear",
        .fold = linear_fold,
        .predict = linear_predict,
        .explain = rf_linear_explain,
        .weights = rf_linear_weights,
        .link = linear_link,
        .state = linear_state,
        .check = linear_check,
        .destroy = linear_destroy,
};

static enum rf_status reserve_scratch(struct linear *linear, struct rf_error *err) {
    size_t outputs = (size_t)linear->base.outputs * linear->optimizer->experts;
    linear->row = calloc(rf_transform_inputs_max(linear->transform) + 1, sizeof *linear->row);
    linear->kept = calloc(rf_transform_inputs_max(linear->transform) + 1, sizeof *linear->kept);
    linear->weight = calloc(outputs, sizeof *linear->weight);
    linear->score = calloc(outputs + RF_LOSS_LANES, sizeof *linear->score);
    linear->linked = calloc(outputs + RF_LOSS_LANES, sizeof *linear->linked);
    linear->gradient = calloc(outputs, sizeof *linear->gradient);
    if (!linear->row || !linear->kept || !linear->weight || !linear->score || !linear->linked || !linear->gradient) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    return rf_optimizer_reserve(linear->optimizer, rf_transform_inputs_max(linear->transform) + 1, err);
}

static enum rf_status check_options(const struct rf_linear_options *options, const struct rf_loss *loss,
                                    const struct rf_learner_context *context, struct rf_error *err) {
    if (context->vector_size > 0) {
        return rf_fail(err, RF_INVALID, "features has a vector, must have none; learner dense reads it");
    }
    if (options->clip != CLIP_NONE && (loss->ops->task != RF_TASK_REGRESSION || loss->ops->link != rf_loss_link_identity)) {
        return rf_fail(err, RF_INVALID,
                       "clip is %s with loss %s, must be none, or a loss whose prediction is the score of a label",
                       clip_names[options->clip], loss->ops->name);
    }
    if (options->hash_bits < 1 || options->hash_bits > 28) {
        return rf_fail(err, RF_INVALID, "hash_bits is %llu, must be 1 to 28", (unsigned long long)options->hash_bits);
    }
    if (!options->bias && options->bias_rate > 0) {
        return rf_fail(err, RF_INVALID, "bias_rate is %g with bias false, must be 0, or bias true", options->bias_rate);
    }
    if (options->regularise_bias && options->bias_rate > 0) {
        return rf_fail(err, RF_INVALID, "regularise_bias is true with bias_rate %g, must be false, or bias_rate 0",
                       options->bias_rate);
    }
    return rf_combination_check(loss, &options->optimizer, options->l1, options->l2, err);
}

enum rf_status rf_learner_linear_create(const void *options, const struct rf_learner_context *context,
                                        struct rf_learner **learner_out, struct rf_error *err) {
    const struct rf_linear_options *own = options;
    struct rf_loss loss;
    if (rf_loss_init(&own->loss, &loss, err) != RF_OK ||
        rf_score_count(loss.ops, own->classes, context, &loss.outputs, err) != RF_OK ||
        check_options(own, &loss, context, err) != RF_OK) {
        return err->status;
    }
    struct linear *linear = calloc(1, sizeof *linear);
    if (!linear) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    linear->base = (struct rf_learner){
            .ops = &rf_linear_ops, .task = loss.ops->task, .outputs = loss.outputs, .is_margin = loss.ops->is_margin};
    linear->loss = loss;
    linear->kernels = rf_kernels_choose(context->use_baseline_kernels);
    linear->gradient_max = own->gradient_max;
    linear->select_weight = own->select_weight;
    linear->select_after = own->select_after;
    linear->has_bias_row = own->bias && own->bias_rate == 0;
    linear->row_mask = ((uint64_t)1 << own->hash_bits) - 1;
    linear->base.rows = linear->row_mask + 1;
    const struct rf_optimizer_context table = {
            .outputs = loss.outputs,
            .row_bits = (unsigned)own->hash_bits,
            .l1 = own->l1,
            .l2 = own->l2,
            .regularise_bias = own->regularise_bias,
            .is_double = own->precision == PRECISION_DOUBLE,
            .use_baseline_kernels = context->use_baseline_kernels,
    };
    struct rf_transform_options transform = own->transform;
    if (rf_optimizer_create(&own->optimizer, &table, &linear->optimizer, err) != RF_OK ||
        rf_class_weights_create(&own->class_weights, loss.ops->task, loss.outputs > 1 ? loss.outputs : 2, context->class_names,
                                &linear->class_weights, err) != RF_OK ||
        (own->bias_rate > 0 && rf_own_bias_create(loss.outputs, own->bias_rate, &linear->bias, err) != RF_OK) ||
        (own->clip != CLIP_NONE &&
         rf_label_range_create(own->clip == CLIP_LABELS_AND_ZERO, &linear->label_range, err) != RF_OK)) {
        goto fail;
    }
    if (linear->optimizer->experts > 1 && own->bias_rate > 0) {
        rf_fail(err, RF_INVALID, "bias_rate is %g with an optimizer of rate auto, must be 0", own->bias_rate);
        goto fail;
    }
    if (transform.scale == RF_SCALE_AUTO) {
        transform.scale = linear->optimizer->is_scale_free ? RF_SCALE_NONE : RF_SCALE_STANDARD;
    }
    if (rf_transform_create(&transform, loss.ops->task, context, &linear->transform, err) != RF_OK ||
        rf_collisions_create((unsigned)own->hash_bits, context->use_baseline_kernels, &linear->collisions, err) != RF_OK ||
        reserve_scratch(linear, err) != RF_OK ||
        rf_waiting_create(&own->update, linear->optimizer, rf_transform_inputs_max(linear->transform) + 1, &linear->waiting,
                          err) != RF_OK) {
        goto fail;
    }
    if (linear->optimizer->experts > 1 && rf_mixture_create(&loss, linear->optimizer->experts, &linear->mixture, err) != RF_OK) {
        goto fail;
    }
    linear->base.collisions = linear->collisions;
    *learner_out = &linear->base;
    return RF_OK;
fail:
    linear_destroy(&linear->base);
    return err->status;
}
