#include "learners/dense_weights.h"

#include "learners/table.h"

#include <math.h>
#include <stdlib.h>

#define BIAS_MAX 1e100

static const struct rf_column bias_columns[] = {
        {"weight", RF_F64, offsetof(struct rf_dense_bias, weight), 1, RF_MERGE_SUM},
        {"velocity", RF_F64, offsetof(struct rf_dense_bias, velocity), 1, RF_MERGE_DECAYED},
};

void rf_dense_weights_score(const struct rf_dense_weights *weights, const void *x, double *score_out) {
    weights->kernels->scores(weights->outputs, weights->vector_size, x, weights->weight, score_out);
    for (uint32_t k = 0; k < weights->outputs; k++) {
        score_out[k] += weights->bias[k].weight;
    }
}

void rf_dense_weights_move(struct rf_dense_weights *weights, uint32_t k, double rate, double gradient, const void *x) {
    const struct rf_dense_kernels *kernels = weights->kernels;
    unsigned char *weight = weights->weight + k * weights->row_size;
    rf_block_touch(weights->weight_block, k);
    if (!weights->velocity) {
        kernels->descend(weights->vector_size, rate * gradient, x, rate * weights->l2, weight);
        return;
    }
    rf_block_touch(weights->velocity_block, k);
    kernels->descend_on(weights->vector_size, rate * gradient, x, rate * weights->l2, weights->momentum, weight,
                        weights->velocity + k * weights->row_size);
}

static double clamped(double value, double limit) {
    return value > limit ? limit : value < -limit ? -limit : value;
}

void rf_dense_weights_move_bias(struct rf_dense_weights *weights, uint32_t k, double rate, double gradient) {
    struct rf_dense_bias *bias = &weights->bias[k];
    if (weights->has_bias) {
        double velocity = clamped(weights->momentum * bias->velocity - rate * gradient, BIAS_MAX);
        bias->velocity = isnormal(velocity) ? velocity : 0;
        bias->weight = clamped(bias->weight + bias->velocity, BIAS_MAX);
    }
}

void rf_dense_weights_state(struct rf_dense_weights *weights, struct rf_state *state) {
    weights->weight_block = rf_state_add(state, &weights->block);
    if (weights->velocity) {
        struct rf_block velocities = weights->block;
        velocities.name = "dense.velocities";
        velocities.data = weights->velocity;
        weights->velocity_block = rf_state_add(state, &velocities);
    }
    rf_state_add(state, &(struct rf_block){
                                .name = "dense.bias",
                                .rows = weights->outputs,
                                .row_size = sizeof *weights->bias,
                                .columns = bias_columns,
                                .column_count = sizeof bias_columns / sizeof bias_columns[0],
                                .data = weights->bias,
                                .scope = RF_SCOPE_MODEL,
                        });
}

static enum rf_status check_reals(const struct rf_dense_weights *weights, const char *name, const unsigned char *reals,
                                  struct rf_error *err) {
    size_t count = reals ? weights->outputs * weights->vector_size : 0;
    for (size_t i = 0; i < count; i++) {
        double value;
        weights->kernels->give_doubles(1, reals + i * weights->kernels->real_size, &value);
        if (!(fabs(value) <= RF_DENSE_VALUE_MAX)) {
            return rf_fail(err, RF_CORRUPT, "the %s of coordinate %zu for output %zu is %g, must be at most %g in size", name,
                           i % weights->vector_size, i / weights->vector_size, value, RF_DENSE_VALUE_MAX);
        }
    }
    return RF_OK;
}

enum rf_status rf_dense_weights_check(const struct rf_dense_weights *weights, struct rf_error *err) {
    for (uint32_t k = 0; k < weights->outputs; k++) {
        const struct rf_dense_bias *bias = &weights->bias[k];
        if (!(fabs(bias->weight) <= BIAS_MAX && fabs(bias->velocity) <= BIAS_MAX)) {
            return rf_fail(err, RF_CORRUPT, "the bias of output %u is %g with a velocity of %g, must be at most %g in size", k,
                           bias->weight, bias->velocity, BIAS_MAX);
        }
    }
    enum rf_status status = check_reals(weights, "weight", weights->weight, err);
    return status ? status : check_reals(weights, "velocity", weights->velocity, err);
}

void rf_dense_weights_finish(struct rf_dense_weights *weights) {
    size_t size = weights->outputs * weights->row_size;
    rf_table_destroy(weights->weight, size);
    rf_table_destroy(weights->velocity, size);
    free(weights->bias);
}

enum rf_status rf_dense_weights_init(struct rf_dense_weights *weights, struct rf_error *err) {
    bool is_double = weights->kernels->real_size == sizeof(double);
    weights->row_size = weights->vector_size * weights->kernels->real_size;
    size_t size = weights->outputs * weights->row_size;
    void *weight = NULL, *velocity = NULL;
    if (rf_table_create(size, &weight, err) != RF_OK) {
        return err->status;
    }
    weights->weight = weight;
    if (weights->momentum > 0 && rf_table_create(size, &velocity, err) != RF_OK) {
        return err->status;
    }
    weights->velocity = velocity;
    weights->bias = calloc(weights->outputs, sizeof *weights->bias);
    if (!weights->bias) {
        return rf_fail(err, RF_MEMORY, "out of memory for %u outputs", weights->outputs);
    }
    weights->column =
            (struct rf_column){"weight", is_double ? RF_F64 : RF_F32, 0, (uint32_t)weights->vector_size, RF_MERGE_DECAYED};
    weights->block = (struct rf_block){
            .name = "dense.weights",
            .rows = weights->outputs,
            .row_size = weights->row_size,
            .columns = &weights->column,
            .column_count = 1,
            .data = weights->weight,
            .scope = RF_SCOPE_MODEL,
            .is_touched = true,
    };
    weights->weight_block = &weights->block;
    weights->velocity_block = &weights->block;
    return RF_OK;
}
