// A linear model of hashed features, learned one record at a time:
//
//     score_k = bias_k + sum over features of weight[row][k] * x,     row = hash mod 2^hash_bits
//
// Everything is computed in double; `precision` says how weights are kept. All sums have a fixed order.
#include "learners/contribution.h"
#include "learners/kernels.h"
#include "learners/learner.h"
#include "learners/loss.h"
#include "learners/optimizer.h"
#include "learners/scale.h"
#include "learners/table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Raw values are cut to what keeps every product and sum finite. A score or a gradient beyond the second bound has left
// all reason behind: the example is not learned.
#define VALUE_MAX RF_SCALER_VALUE_MAX
#define SCORE_MAX 1e30
#define BIAS_MAX 1e100

enum { PREFETCH_FEATURES = 64 }; // ahead of the example being worked on

enum { SCALE_STANDARD, SCALE_NONE };
enum { PRECISION_SINGLE, PRECISION_DOUBLE };
static const char *const scale_names[] = {"standard", "none", NULL};
static const char *const precision_names[] = {"single", "double", NULL};

enum { CLASSES_MAX = 1000 };

const struct rf_setting rf_linear_settings[] = {
        RF_CHOICE(struct rf_linear_options, loss, "logistic", rf_loss_names, 0,
                  "what is minimised: squared (regression), logistic or hinge (two classes), softmax (several)"),
        RF_UINT(struct rf_linear_options, classes, "0", 0, CLASSES_MAX, 0,
                "number of classes of softmax where features.classes does not name them; 0: as many as are named"),
        RF_VARIANT(struct rf_linear_options, optimizer, "sgd", rf_optimizer_variants, 0, "how weights move"),
        RF_REAL(struct rf_linear_options, l2, "0", 0, 1e6, 0, "adds l2 / 2 * weight^2 to the loss of every example"),
        RF_CHOICE(struct rf_linear_options, scale, "standard", scale_names, 0,
                  "how numbers are scaled: standard (to mean 0 and deviation 1, as learned so far) or none"),
        RF_UINT(struct rf_linear_options, scale_fields, "4096", 1, 1 << 24, 0,
                "number of fields that can be scaled, rounded up to a power of two; numbers of others are not used"),
        RF_UINT(struct rf_linear_options, hash_bits, "18", 1, 28, 0, "log2 of the number of weights (of each class)"),
        RF_BOOL(struct rf_linear_options, bias, "true", 0, "whether the score has a constant term"),
        RF_REAL(struct rf_linear_options, bias_rate, "0", 0, 1e6, 0,
                "learning rate of the bias, by plain gradient descent; 0: it moves as the weights do"),
        RF_CHOICE(struct rf_linear_options, precision, "single", precision_names, 0, "how weights are kept: single or double"),
        {0},
};

struct bias {
    double weight;
    double velocity;
};

static const struct rf_column bias_columns[] = {
        {"weight", RF_F64, offsetof(struct bias, weight), 1, RF_MERGE_SUM},
        {"velocity", RF_F64, offsetof(struct bias, velocity), 1, RF_MERGE_DECAYED},
};

struct linear {
    struct rf_learner base;
    const struct rf_loss *loss;
    const struct rf_kernels *kernels;
    struct rf_optimizer *optimizer;
    struct rf_scaler *scaler; // NULL: numbers are taken as they are
    struct bias *bias;        // [outputs], 0 for ever where there is none
    bool has_bias;
    double bias_rate;
    uint64_t row_mask;
    size_t features_max; // of one example

    // Of the example being worked on.
    uint32_t *row;    // [features_max]
    double *x;        // [features_max] as scaled
    double *weight;   // [features_max][outputs]
    double *score;    // [outputs] before the link
    double *gradient; // [outputs] by the score
    double *move;     // [outputs] rate * gradient
};

static void linear_destroy(struct rf_learner *self);

static struct linear *linear_from(struct rf_learner *self) {
    assert(self->ops->destroy == linear_destroy);
    return (struct linear *)self;
}

static const struct linear *linear_from_const(const struct rf_learner *self) {
    assert(self->ops->destroy == linear_destroy);
    return (const struct linear *)self;
}

static double bounded(double value) {
    return value > -VALUE_MAX ? (value < VALUE_MAX ? value : VALUE_MAX) : -VALUE_MAX;
}

static double clamped(double value, double limit) {
    return value > limit ? limit : value < -limit ? -limit : value;
}

// Fills the rows of an example's features, and returns how many they are.
static size_t find_rows(const struct linear *linear, const struct rf_examples *examples, size_t index) {
    size_t begin = examples->row_start[index];
    size_t count = examples->row_start[index + 1] - begin;
    assert(count <= linear->features_max);
    for (size_t i = 0; i < count; i++) {
        linear->row[i] = (uint32_t)(examples->hash[begin + i] & linear->row_mask);
    }
    return count;
}

static void scale(const struct linear *linear, const struct rf_examples *examples, size_t index, size_t count) {
    size_t begin = examples->row_start[index];
    for (size_t i = 0; i < count; i++) {
        double value = bounded(examples->value[begin + i]);
        bool is_scaled = linear->scaler && examples->kind[begin + i] == RF_NUMBER;
        linear->x[i] = is_scaled ? rf_scaler_scale(linear->scaler, examples->hash[begin + i], value) : value;
    }
}

static void learn_scale(struct linear *linear, const struct rf_examples *examples, size_t index, size_t count) {
    size_t begin = examples->row_start[index];
    for (size_t i = 0; i < count; i++) {
        double value = bounded(examples->value[begin + i]);
        if (!linear->scaler || examples->kind[begin + i] != RF_NUMBER) {
            linear->x[i] = value;
        } else if (!rf_scaler_learn(linear->scaler, examples->hash[begin + i], value, &linear->x[i])) {
            linear->base.unscaled++;
        }
    }
}

// The scores at the weights in linear->weight. `bias_ahead`: how much of the bias's velocity is added.
static void score(const struct linear *linear, size_t count, double bias_ahead) {
    uint32_t outputs = linear->base.outputs;
    if (outputs == 1) {
        linear->score[0] = linear->kernels->dot(count, linear->x, linear->weight);
    } else {
        linear->kernels->scores(count, outputs, linear->x, linear->weight, linear->score);
    }
    for (uint32_t k = 0; k < outputs; k++) {
        linear->score[k] += linear->bias[k].weight + bias_ahead * linear->bias[k].velocity;
    }
}

static void move_bias(struct linear *linear) {
    const struct rf_optimizer *optimizer = linear->optimizer;
    for (uint32_t k = 0; k < linear->base.outputs; k++) {
        struct bias *bias = &linear->bias[k];
        if (linear->bias_rate > 0) {
            bias->weight = clamped(bias->weight - linear->bias_rate * linear->gradient[k], BIAS_MAX);
        } else {
            bias->velocity = clamped(optimizer->momentum * bias->velocity - linear->move[k], BIAS_MAX);
            bias->velocity = fabs(bias->velocity) < RF_CELL_MIN_DOUBLE ? 0 : bias->velocity;
            bias->weight = clamped(bias->weight + bias->velocity, BIAS_MAX);
        }
    }
}

// Learns an example whose rows are advanced, their weights in linear->weight. False when it was not learned; then only the
// scaler has moved.
static bool learn(struct linear *linear, const struct rf_examples *examples, size_t index, size_t count) {
    struct rf_optimizer *optimizer = linear->optimizer;
    uint32_t outputs = linear->base.outputs;
    learn_scale(linear, examples, index, count);
    double ahead = rf_optimizer_look_ahead(optimizer, linear->row, count, linear->weight);
    score(linear, count, linear->bias_rate > 0 ? 0 : ahead);
    if (!(linear->kernels->largest(outputs, linear->score) <= SCORE_MAX) ||
        !linear->loss->gradient(outputs, linear->score, examples->label[index], linear->gradient)) {
        return false;
    }
    double rate = rf_optimizer_rate(optimizer);
    for (uint32_t k = 0; k < outputs; k++) {
        linear->gradient[k] *= examples->weight[index];
        linear->move[k] = rate * linear->gradient[k];
        if (!(fabs(linear->gradient[k]) <= SCORE_MAX)) {
            return false;
        }
    }
    const struct rf_step step = {
            .rows = linear->row,
            .x = linear->x,
            .count = count,
            .x_largest = linear->kernels->largest(count, linear->x),
            .rate = rate,
            .move = linear->move,
    };
    if (!rf_optimizer_step(optimizer, &step)) {
        return false;
    }
    if (linear->has_bias) {
        move_bias(linear);
    }
    return true;
}

// Prefetches the rows of the features up to `last`, and returns where to go on.
static inline __attribute__((always_inline)) size_t prefetch(const struct linear *linear, const struct rf_examples *examples,
                                                             size_t feature, size_t last) {
    for (; feature < last; feature++) {
        rf_optimizer_prefetch(linear->optimizer, (uint32_t)(examples->hash[feature] & linear->row_mask));
    }
    return feature;
}

// Predicts, then learns, as the purpose says. Rows are caught up before predicting when they will be anyway: it changes no
// bit of the prediction.
static void fold_one(struct linear *linear, const struct rf_examples *examples, size_t index, double *prediction) {
    bool learns = examples->purpose[index] & RF_LEARN;
    size_t count = find_rows(linear, examples, index);
    if (learns) {
        rf_optimizer_advance(linear->optimizer, linear->row, count, linear->weight);
    } else {
        rf_optimizer_gather(linear->optimizer, linear->row, count, linear->weight);
    }
    if (examples->purpose[index] & RF_PREDICT) {
        scale(linear, examples, index, count);
        score(linear, count, 0);
        linear->loss->link(linear->base.outputs, linear->score, prediction);
    } else {
        for (uint32_t k = 0; k < linear->base.outputs; k++) {
            prediction[k] = NAN;
        }
    }
    if (learns) {
        bool is_learned = learn(linear, examples, index, count);
        *(is_learned ? &linear->base.learned : &linear->base.skipped_steps) += 1;
    }
}

static void linear_fold(struct rf_learner *self, const struct rf_examples *examples, size_t begin, size_t end,
                        struct rf_predictions *predictions) {
    struct linear *linear = linear_from(self);
    size_t last = examples->row_start[end];
    size_t prefetched = examples->row_start[begin];
    for (size_t i = begin; i < end; i++) {
        size_t ahead = examples->row_start[i + 1] + PREFETCH_FEATURES;
        prefetched = prefetch(linear, examples, prefetched, ahead < last ? ahead : last);

        fold_one(linear, examples, i, predictions->score + i * self->outputs);
    }
}

// The scores of an example at the state of now; leaves x and weights as they were seen.
static size_t see(const struct linear *linear, const struct rf_examples *examples, size_t index) {
    size_t count = find_rows(linear, examples, index);
    rf_optimizer_gather(linear->optimizer, linear->row, count, linear->weight);
    scale(linear, examples, index, count);
    score(linear, count, 0);
    return count;
}

static void linear_predict(const struct rf_learner *self, const struct rf_examples *examples, size_t index, double *score_out) {
    const struct linear *linear = linear_from_const(self);
    see(linear, examples, index);
    linear->loss->link(self->outputs, linear->score, score_out);
}

static size_t linear_explain(const struct rf_learner *self, const struct rf_examples *examples, size_t index,
                             struct rf_contribution *list, size_t capacity) {
    const struct linear *linear = linear_from_const(self);
    size_t begin = examples->row_start[index];
    size_t count = see(linear, examples, index);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        double weight = linear->weight[i * self->outputs];
        rf_contribution_insert(list, capacity, &kept,
                               (struct rf_contribution){
                                       .field = examples->field[begin + i],
                                       .hash = examples->hash[begin + i],
                                       .value = linear->x[i],
                                       .weight = weight,
                                       .amount = linear->x[i] * weight,
                               });
    }
    if (linear->has_bias) {
        double weight = linear->bias[0].weight;
        rf_contribution_insert(
                list, capacity, &kept,
                (struct rf_contribution){.field = RF_FIELD_UNKNOWN, .value = 1, .weight = weight, .amount = weight});
    }
    return count + linear->has_bias;
}

static void linear_state(struct rf_learner *self, struct rf_state *state) {
    struct linear *linear = linear_from(self);
    rf_optimizer_state(linear->optimizer, "linear.weights", "linear.ticks", state);
    rf_state_add(state, &(struct rf_block){
                                .name = "linear.bias",
                                .rows = self->outputs,
                                .row_size = sizeof *linear->bias,
                                .columns = bias_columns,
                                .column_count = sizeof bias_columns / sizeof bias_columns[0],
                                .data = linear->bias,
                                .scope = RF_SCOPE_MODEL,
                        });
    if (linear->scaler) {
        rf_scaler_state(linear->scaler, "linear.scaler", "linear.scaler_size", state);
    }
}

static enum rf_status linear_check(const struct rf_learner *self, struct rf_error *err) {
    const struct linear *linear = linear_from_const(self);
    for (uint32_t k = 0; k < self->outputs; k++) {
        const struct bias *bias = &linear->bias[k];
        if (!(fabs(bias->weight) <= BIAS_MAX && fabs(bias->velocity) <= BIAS_MAX)) {
            return rf_fail(err, RF_CORRUPT, "the bias of output %u is %g with a velocity of %g, must be at most %g in size", k,
                           bias->weight, bias->velocity, BIAS_MAX);
        }
    }
    enum rf_status status = rf_optimizer_check(linear->optimizer, err);
    return status || !linear->scaler ? status : rf_scaler_check(linear->scaler, err);
}

static size_t weight_size(const struct linear *linear) {
    return linear->features_max * linear->base.outputs * sizeof *linear->weight;
}

static void linear_destroy(struct rf_learner *self) {
    struct linear *linear = (struct linear *)self;
    rf_optimizer_destroy(linear->optimizer);
    rf_scaler_destroy(linear->scaler);
    free(linear->bias);
    free(linear->row);
    free(linear->x);
    rf_table_destroy(linear->weight, weight_size(linear));
    free(linear->score);
    free(linear->gradient);
    free(linear->move);
    free(linear);
}

static const struct rf_learner_ops linear_ops = {
        .name = "linear",
        .fold = linear_fold,
        .predict = linear_predict,
        .explain = linear_explain,
        .state = linear_state,
        .check = linear_check,
        .destroy = linear_destroy,
};

// How many scores an example has, from the loss and the classes named or counted.
static enum rf_status choose_outputs(const struct rf_linear_options *options, const struct rf_learner_context *context,
                                     const struct rf_loss *loss, uint32_t *outputs_out, struct rf_error *err) {
    if (loss->task != RF_TASK_MULTICLASS) {
        if (options->classes != 0) {
            return rf_fail(err, RF_INVALID, "classes is %llu with loss %s, must be given with loss softmax only",
                           (unsigned long long)options->classes, loss->name);
        }
        if (loss->task == RF_TASK_REGRESSION && context->classes != 0) {
            return rf_fail(err, RF_INVALID, "features.classes names %u classes, must not be given with loss squared",
                           context->classes);
        }
        if (context->classes != 0 && context->classes != 2) {
            return rf_fail(err, RF_INVALID,
                           "features.classes names %u classes, must be 2 with loss %s; several need loss softmax",
                           context->classes, loss->name);
        }
        *outputs_out = 1;
        return RF_OK;
    }
    uint64_t classes = options->classes ? options->classes : context->classes;
    if (classes < 2 || classes > CLASSES_MAX) {
        return rf_fail(err, RF_INVALID,
                       "loss softmax has %llu classes, must be 2 to %d: name them in features.classes, or set classes",
                       (unsigned long long)classes, CLASSES_MAX);
    }
    if (context->classes && context->classes != classes) {
        return rf_fail(err, RF_INVALID, "classes is %llu, must be the %u that features.classes names",
                       (unsigned long long)classes, context->classes);
    }
    *outputs_out = (uint32_t)classes;
    return RF_OK;
}

static enum rf_status reserve_scratch(struct linear *linear, struct rf_error *err) {
    uint32_t outputs = linear->base.outputs;
    linear->bias = calloc(outputs, sizeof *linear->bias);
    linear->row = calloc(linear->features_max, sizeof *linear->row);
    linear->x = calloc(linear->features_max, sizeof *linear->x);
    linear->score = calloc(outputs, sizeof *linear->score);
    linear->gradient = calloc(outputs, sizeof *linear->gradient);
    linear->move = calloc(outputs, sizeof *linear->move);
    if (!linear->bias || !linear->row || !linear->x || !linear->score || !linear->gradient || !linear->move) {
        return rf_fail(err, RF_MEMORY, "out of memory for examples of %zu features", linear->features_max);
    }
    void *weight = NULL;
    if (rf_table_create(weight_size(linear), &weight, err) != RF_OK) {
        return rf_fail_in(err, "examples of %zu features", linear->features_max);
    }
    linear->weight = weight;
    return RF_OK;
}

enum rf_status rf_learner_linear_create(const void *options, const struct rf_learner_context *context,
                                        struct rf_learner **learner_out, struct rf_error *err) {
    const struct rf_linear_options *own = options;
    const struct rf_loss *loss = rf_loss_at(own->loss);
    uint32_t outputs = 0;
    if (choose_outputs(own, context, loss, &outputs, err) != RF_OK) {
        return err->status;
    }
    if (own->hash_bits < 1 || own->hash_bits > 28) {
        return rf_fail(err, RF_INVALID, "hash_bits is %llu, must be 1 to 28", (unsigned long long)own->hash_bits);
    }
    if (!own->bias && own->bias_rate > 0) {
        return rf_fail(err, RF_INVALID, "bias_rate is %g with bias false, must be 0, or bias true", own->bias_rate);
    }
    struct linear *linear = calloc(1, sizeof *linear);
    if (!linear) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    linear->base = (struct rf_learner){.ops = &linear_ops, .task = loss->task, .outputs = outputs, .is_margin = loss->is_margin};
    linear->loss = loss;
    linear->kernels = rf_kernels_choose(context->use_baseline_kernels);
    linear->has_bias = own->bias;
    linear->bias_rate = own->bias_rate;
    linear->row_mask = ((uint64_t)1 << own->hash_bits) - 1;
    linear->features_max = context->features_max > 0 ? context->features_max : 1;
    const struct rf_optimizer_context table = {
            .outputs = outputs,
            .row_bits = (unsigned)own->hash_bits,
            .l2 = own->l2,
            .is_double = own->precision == PRECISION_DOUBLE,
    };
    if (reserve_scratch(linear, err) != RF_OK || rf_optimizer_create(&own->optimizer, &table, &linear->optimizer, err) != RF_OK) {
        goto fail;
    }
    if (own->scale == SCALE_STANDARD && rf_scaler_create(own->scale_fields, &linear->scaler, err) != RF_OK) {
        goto fail;
    }
    *learner_out = &linear->base;
    return RF_OK;
fail:
    linear_destroy(&linear->base);
    return err->status;
}
