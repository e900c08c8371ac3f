#include "learners/transform.h"
#include "learners/cross.h"
#include "learners/encode.h"
#include "learners/kernels.h"
#include "learners/learner.h"
#include "proto/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const rf_transform_encode_names[] = {"one_hot", "target", "both", NULL};

enum { ORDER_AFTER, ORDER_BEFORE };
const char *const rf_transform_order_names[] = {"after", "before", NULL};

struct rf_transform {
    const struct rf_kernels *kernels;
    struct rf_scaler *scaler;   // NULL: numbers are taken as they are
    struct rf_encoder *encoder; // NULL: no category is target-encoded
    struct rf_crosses *crosses; // NULL: none are named
    bool keeps_one_hot;         // of a category that is target-encoded
    bool encodes_all;           // categories; else those of encodes_field
    bool *encodes_field;        // [declared_fields]
    size_t declared_fields;
    bool learns_first;
    double noise; // deviation, 0: none
    struct rf_random *random;
    size_t features_max, inputs_max; // of one example
    struct rf_inputs inputs;         // arrays of [inputs_max + 1]
};

static const struct rf_column random_columns[] = {{"state", RF_U64, 0, 4, RF_MERGE_MAX}};

size_t rf_transform_inputs_max(const struct rf_transform *transform) {
    return transform->inputs_max;
}

// Raw values are cut to what keeps every product and sum finite.
static double bounded(double value) {
    return value > -RF_SCALER_VALUE_MAX ? (value < RF_SCALER_VALUE_MAX ? value : RF_SCALER_VALUE_MAX) : -RF_SCALER_VALUE_MAX;
}

static bool is_encoded(const struct rf_transform *transform, uint8_t kind, uint32_t field) {
    return transform->encoder && kind == RF_CATEGORY &&
           (transform->encodes_all || (field < transform->declared_fields && transform->encodes_field[field]));
}

// The number that stands for a category's field: not the category's own hash, and the same for all categories of the field.
static uint64_t encoded_hash(const struct rf_examples *examples, uint32_t field) {
    static const struct rf_hash_key key = {UINT64_C(0x7461726765740000), 0}; // "target": collides with nothing by chance
    struct rf_text name = examples->field_name[field];
    return rf_hash(key, name.data, name.size);
}

static void append_encoded(const struct rf_transform *transform, const struct rf_examples *examples, size_t begin,
                           struct rf_inputs *inputs, size_t own) {
    for (size_t i = 0; transform->encoder && i < own; i++) {
        if (is_encoded(transform, examples->kind[begin + i], inputs->field[i])) {
            inputs->hash[inputs->count] = encoded_hash(examples, inputs->field[i]);
            inputs->field[inputs->count] = inputs->field[i];
            inputs->x[inputs->count++] = rf_encoder_encode(transform->encoder, inputs->hash[i]);
        }
    }
}

// What has to be done once the values of the example's own features are there.
static void complete(const struct rf_transform *transform, const struct rf_examples *examples, size_t begin, size_t own) {
    struct rf_inputs *inputs = (struct rf_inputs *)&transform->inputs; // scratch, no part of what the transform is
    if (transform->crosses) {
        rf_crosses_multiply(transform->crosses, inputs);
    }
    for (size_t i = 0; transform->encoder && !transform->keeps_one_hot && i < own; i++) {
        if (is_encoded(transform, examples->kind[begin + i], inputs->field[i])) {
            inputs->x[i] = 0;
        }
    }
}

const struct rf_inputs *rf_transform_see(const struct rf_transform *transform, const struct rf_examples *examples, size_t index) {
    struct rf_inputs *inputs = (struct rf_inputs *)&transform->inputs; // scratch, as above
    size_t begin = examples->row_start[index];
    size_t own = examples->row_start[index + 1] - begin;
    assert(own <= transform->features_max);
    memcpy(inputs->hash, examples->hash + begin, own * sizeof *inputs->hash);
    memcpy(inputs->field, examples->field + begin, own * sizeof *inputs->field);
    transform->kernels->cut(own, examples->value + begin, RF_SCALER_VALUE_MAX, inputs->x);
    for (size_t i = 0; transform->scaler && i < own; i++) {
        uint8_t kind = examples->kind[begin + i];
        if (kind != RF_CATEGORY) {
            inputs->x[i] = rf_scaler_scale(transform->scaler, inputs->hash[i], inputs->x[i], kind == RF_SPARSE_NUMBER);
        }
    }
    inputs->count = own;
    inputs->uncrossed = 0;
    append_encoded(transform, examples, begin, inputs, own);
    if (transform->crosses) {
        inputs->uncrossed = rf_crosses_append(transform->crosses, examples, index, transform->inputs_max, inputs);
    }
    complete(transform, examples, begin, own);
    return inputs;
}

bool rf_transform_moves(const struct rf_transform *transform) {
    return transform->scaler || transform->noise > 0;
}

bool rf_transform_learns_first(const struct rf_transform *transform) {
    return transform->learns_first;
}

size_t rf_transform_learn(struct rf_transform *transform, const struct rf_examples *examples, size_t index) {
    size_t begin = examples->row_start[index];
    size_t own = examples->row_start[index + 1] - begin;
    size_t missed = 0;
    if (!rf_transform_moves(transform)) {
        return 0;
    }
    for (size_t i = 0; i < own; i++) {
        uint8_t kind = examples->kind[begin + i];
        double *x = &transform->inputs.x[i];
        if (transform->scaler && kind != RF_CATEGORY) {
            double value = bounded(examples->value[begin + i]);
            missed += !rf_scaler_learn(transform->scaler, examples->hash[begin + i], value, kind == RF_SPARSE_NUMBER, x);
        }
        if (transform->noise > 0 && kind != RF_CATEGORY) {
            *x += transform->noise * rf_random_normal(transform->random);
        } else if (kind == RF_CATEGORY) {
            *x = bounded(examples->value[begin + i]); // it may have been put to 0 once crossed
        }
    }
    complete(transform, examples, begin, own);
    return missed;
}

size_t rf_transform_learn_label(struct rf_transform *transform, const struct rf_examples *examples, size_t index) {
    size_t missed = 0;
    if (!transform->encoder) {
        return 0;
    }
    double label = examples->label[index], weight = examples->weight[index];
    rf_encoder_learn_total(transform->encoder, label, weight);
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        if (is_encoded(transform, examples->kind[i], examples->field[i])) {
            missed += !rf_encoder_learn(transform->encoder, examples->hash[i], label, weight);
        }
    }
    return missed;
}

void rf_transform_state(struct rf_transform *transform, struct rf_state *state) {
    if (transform->scaler) {
        rf_scaler_state(transform->scaler, "transform.scaler", "transform.scaler_size", state);
    }
    if (transform->encoder) {
        rf_encoder_state(transform->encoder, "transform.encoder", "transform.encoder_total", state);
    }
    if (transform->noise > 0) {
        rf_state_add(state, &(struct rf_block){
                                    .name = "transform.noise",
                                    .rows = 1,
                                    .row_size = sizeof *transform->random,
                                    .columns = random_columns,
                                    .column_count = 1,
                                    .data = transform->random,
                                    .scope = RF_SCOPE_MODEL,
                            });
    }
}

enum rf_status rf_transform_check(const struct rf_transform *transform, struct rf_error *err) {
    static const struct rf_random nothing;
    if (transform->scaler && rf_scaler_check(transform->scaler, err) != RF_OK) {
        return err->status;
    }
    if (transform->encoder && rf_encoder_check(transform->encoder, err) != RF_OK) {
        return err->status;
    }
    if (transform->noise > 0 && memcmp(transform->random, &nothing, sizeof nothing) == 0) {
        return rf_fail(err, RF_CORRUPT, "the state of the noise is all zeros, from which it never comes away");
    }
    return RF_OK;
}

void rf_transform_destroy(struct rf_transform *transform) {
    if (transform) {
        rf_scaler_destroy(transform->scaler);
        rf_encoder_destroy(transform->encoder);
        rf_crosses_destroy(transform->crosses);
        free(transform->encodes_field);
        free(transform->random);
        free(transform->inputs.hash);
        free(transform->inputs.field);
        free(transform->inputs.x);
        free(transform->inputs.part);
        free(transform);
    }
}

static enum rf_status create_inputs(struct rf_transform *transform, const struct rf_transform_options *options,
                                    const struct rf_learner_context *context, struct rf_error *err) {
    struct rf_inputs *inputs = &transform->inputs;
    transform->features_max = context->features_max;
    transform->inputs_max =
            context->features_max * (transform->encoder ? 2 : 1) + (context->cross_count ? options->cross_inputs : 0);
    size_t count = transform->inputs_max + 1;
    inputs->hash = calloc(count, sizeof *inputs->hash);
    inputs->field = calloc(count, sizeof *inputs->field);
    inputs->x = calloc(count, sizeof *inputs->x);
    inputs->part = calloc(count, sizeof *inputs->part);
    if (!inputs->hash || !inputs->field || !inputs->x || !inputs->part) {
        return rf_fail(err, RF_MEMORY, "out of memory for examples of %zu features", transform->inputs_max);
    }
    const struct rf_crosses_options crosses = {
            .list = context->crosses,
            .count = context->cross_count,
            .like_vowpal = context->crosses_like_vowpal,
            .features_max = context->features_max,
    };
    return context->cross_count ? rf_crosses_create(&crosses, &transform->crosses, err) : RF_OK;
}

static enum rf_status create_scaler(struct rf_transform *transform, const struct rf_transform_options *options,
                                    struct rf_error *err) {
    if (options->select_variance > 0 && options->scale != RF_SCALE_STANDARD) {
        return rf_fail(err, RF_INVALID, "select_variance is %g with scale %s, must be 0, or scale standard",
                       options->select_variance, rf_scale_names[options->scale]);
    }
    if (options->scale == RF_SCALE_NONE) {
        return RF_OK;
    }
    const struct rf_scaler_options scaler = {
            .scale = (enum rf_scale)options->scale,
            .fields_max = options->scale_fields,
            .variance_above = options->select_variance,
    };
    return rf_scaler_create(&scaler, &transform->scaler, err);
}

// Finds the declared fields that are to be encoded.
static enum rf_status choose_encoded(struct rf_transform *transform, const struct rf_transform_options *options,
                                     const struct rf_learner_context *context, struct rf_error *err) {
    const struct rf_texts *names = &options->encode_fields;
    transform->declared_fields = context->field_count;
    transform->encodes_all = names->count == 0;
    transform->encodes_field = calloc(context->field_count + 1, sizeof *transform->encodes_field);
    if (!transform->encodes_field) {
        return rf_fail(err, RF_MEMORY, "out of memory for an encoder");
    }
    for (size_t n = 0; n < names->count; n++) {
        size_t field = 0;
        while (field < context->field_count && !rf_text_equal(context->field_names[field], rf_text_of(names->list[n]))) {
            field++;
        }
        if (field == context->field_count) {
            return rf_fail(err, RF_INVALID, "encode_fields names \"%s\", must name fields that stand in features",
                           names->list[n]);
        }
        transform->encodes_field[field] = true;
    }
    return RF_OK;
}

static enum rf_status create_encoder(struct rf_transform *transform, const struct rf_transform_options *options,
                                     enum rf_task task, const struct rf_learner_context *context, struct rf_error *err) {
    const char *name = rf_transform_encode_names[options->encode];
    if (options->encode == RF_ENCODE_ONE_HOT) {
        return options->encode_fields.count == 0
                       ? RF_OK
                       : rf_fail(err, RF_INVALID,
                                 "encode_fields names %zu fields with encode one_hot, must be absent, or "
                                 "encode target or both",
                                 options->encode_fields.count);
    }
    if (task == RF_TASK_MULTICLASS) {
        return rf_fail(err, RF_INVALID, "encode is %s with several classes, must be one_hot, or a loss of two classes or numbers",
                       name);
    }
    const struct rf_encoder_options encoder = {
            .task = task,
            .categories_max = options->encode_categories,
            .smoothing = options->encode_smoothing,
    };
    transform->keeps_one_hot = options->encode == RF_ENCODE_BOTH;
    enum rf_status status = choose_encoded(transform, options, context, err);
    return status ? status : rf_encoder_create(&encoder, &transform->encoder, err);
}

enum rf_status rf_transform_create(const struct rf_transform_options *options, enum rf_task task,
                                   const struct rf_learner_context *context, struct rf_transform **transform_out,
                                   struct rf_error *err) {
    if (options->scale_order == ORDER_BEFORE && options->noise > 0) {
        return rf_fail(err, RF_INVALID, "noise is %g with scale_order before, must be 0: predictions would have it too",
                       options->noise);
    }
    struct rf_transform *transform = calloc(1, sizeof *transform);
    if (!transform) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    transform->kernels = rf_kernels_choose(context->use_baseline_kernels);
    transform->learns_first = options->scale_order == ORDER_BEFORE;
    transform->noise = options->noise;
    transform->random = calloc(1, sizeof *transform->random);
    if (!transform->random) {
        rf_fail(err, RF_MEMORY, "out of memory for a learner");
        goto fail;
    }
    rf_random_init(transform->random, options->noise_seed);
    if (create_scaler(transform, options, err) != RF_OK || create_encoder(transform, options, task, context, err) != RF_OK ||
        create_inputs(transform, options, context, err) != RF_OK) {
        goto fail;
    }
    *transform_out = transform;
    return RF_OK;
fail:
    rf_transform_destroy(transform);
    return err->status;
}
