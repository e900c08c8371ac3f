#include "learners/transform.h"
#include "learners/learner.h"
#include "learners/scale.h"

#include <assert.h>
#include <stdlib.h>

enum { SCALE_STANDARD, SCALE_NONE };
const char *const rf_transform_scale_names[] = {"standard", "none", NULL};

struct rf_transform {
    struct rf_scaler *scaler; // NULL: numbers are taken as they are
    size_t inputs_max;        // of one example
    struct rf_inputs inputs;  // arrays of [inputs_max + 1]
};

enum rf_status rf_transform_create(const struct rf_transform_options *options, const struct rf_learner_context *context,
                                   struct rf_transform **transform_out, struct rf_error *err) {
    struct rf_transform *transform = calloc(1, sizeof *transform);
    if (!transform) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    transform->inputs_max = context->features_max;
    size_t count = transform->inputs_max + 1;
    transform->inputs.hash = calloc(count, sizeof *transform->inputs.hash);
    transform->inputs.field = calloc(count, sizeof *transform->inputs.field);
    transform->inputs.x = calloc(count, sizeof *transform->inputs.x);
    if (!transform->inputs.hash || !transform->inputs.field || !transform->inputs.x) {
        rf_fail(err, RF_MEMORY, "out of memory for examples of %zu features", transform->inputs_max);
        goto fail;
    }
    if (options->scale == SCALE_STANDARD && rf_scaler_create(options->scale_fields, &transform->scaler, err) != RF_OK) {
        goto fail;
    }
    *transform_out = transform;
    return RF_OK;
fail:
    rf_transform_destroy(transform);
    return err->status;
}

void rf_transform_destroy(struct rf_transform *transform) {
    if (transform) {
        rf_scaler_destroy(transform->scaler);
        free(transform->inputs.hash);
        free(transform->inputs.field);
        free(transform->inputs.x);
        free(transform);
    }
}

size_t rf_transform_inputs_max(const struct rf_transform *transform) {
    return transform->inputs_max;
}

// Raw values are cut to what keeps every product and sum finite.
static double bounded(double value) {
    return value > -RF_SCALER_VALUE_MAX ? (value < RF_SCALER_VALUE_MAX ? value : RF_SCALER_VALUE_MAX) : -RF_SCALER_VALUE_MAX;
}

const struct rf_inputs *rf_transform_see(const struct rf_transform *transform, const struct rf_examples *examples, size_t index) {
    struct rf_inputs *inputs = (struct rf_inputs *)&transform->inputs; // scratch, no part of what the transform is
    size_t begin = examples->row_start[index];
    inputs->count = examples->row_start[index + 1] - begin;
    assert(inputs->count <= transform->inputs_max);
    for (size_t i = 0; i < inputs->count; i++) {
        uint64_t hash = examples->hash[begin + i];
        double value = bounded(examples->value[begin + i]);
        bool is_scaled = transform->scaler && examples->kind[begin + i] == RF_NUMBER;
        inputs->hash[i] = hash;
        inputs->field[i] = examples->field[begin + i];
        inputs->x[i] = is_scaled ? rf_scaler_scale(transform->scaler, hash, value) : value;
    }
    return inputs;
}

bool rf_transform_learns(const struct rf_transform *transform) {
    return transform->scaler != NULL;
}

size_t rf_transform_learn(struct rf_transform *transform, const struct rf_examples *examples, size_t index) {
    size_t begin = examples->row_start[index];
    size_t missed = 0;
    if (!transform->scaler) {
        return 0;
    }
    for (size_t i = 0; i < transform->inputs.count; i++) {
        if (examples->kind[begin + i] == RF_NUMBER) {
            double value = bounded(examples->value[begin + i]);
            missed += !rf_scaler_learn(transform->scaler, examples->hash[begin + i], value, &transform->inputs.x[i]);
        }
    }
    return missed;
}

void rf_transform_state(struct rf_transform *transform, struct rf_state *state) {
    if (transform->scaler) {
        rf_scaler_state(transform->scaler, "transform.scaler", "transform.scaler_size", state);
    }
}

enum rf_status rf_transform_check(const struct rf_transform *transform, struct rf_error *err) {
    return transform->scaler ? rf_scaler_check(transform->scaler, err) : RF_OK;
}
