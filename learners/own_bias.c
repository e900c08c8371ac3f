#include "learners/own_bias.h"

#include <math.h>
#include <stdlib.h>

#define BIAS_MAX 1e100

struct bias {
    double weight;
};

struct rf_own_bias {
    uint32_t outputs;
    double rate;
    struct bias list[]; // [outputs]
};

static const struct rf_column columns[] = {
        {"weight", RF_F64, offsetof(struct bias, weight), 1, RF_MERGE_SUM},
};

enum rf_status rf_own_bias_create(uint32_t outputs, double rate, struct rf_own_bias **bias_out, struct rf_error *err) {
    struct rf_own_bias *bias = calloc(1, sizeof *bias + outputs * sizeof *bias->list);
    if (!bias) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    bias->outputs = outputs;
    bias->rate = rate;
    *bias_out = bias;
    return RF_OK;
}

void rf_own_bias_destroy(struct rf_own_bias *bias) {
    free(bias);
}

double rf_own_bias_weight(const struct rf_own_bias *bias, uint32_t k) {
    return bias->list[k].weight;
}

void rf_own_bias_add(const struct rf_own_bias *bias, double *score) {
    for (uint32_t k = 0; bias && k < bias->outputs; k++) {
        score[k] += bias->list[k].weight;
    }
}

void rf_own_bias_step(struct rf_own_bias *bias, const double *gradient) {
    for (uint32_t k = 0; bias && k < bias->outputs; k++) {
        double weight = bias->list[k].weight - bias->rate * gradient[k];
        bias->list[k].weight = weight > BIAS_MAX ? BIAS_MAX : weight < -BIAS_MAX ? -BIAS_MAX : weight;
    }
}

void rf_own_bias_state(struct rf_own_bias *bias, const char *name, struct rf_state *state) {
    if (!bias) {
        return;
    }
    rf_state_add(state, &(struct rf_block){
                                .name = name,
                                .rows = bias->outputs,
                                .row_size = sizeof *bias->list,
                                .columns = columns,
                                .column_count = sizeof columns / sizeof columns[0],
                                .data = bias->list,
                                .scope = RF_SCOPE_MODEL,
                        });
}

enum rf_status rf_own_bias_check(const struct rf_own_bias *bias, struct rf_error *err) {
    for (uint32_t k = 0; bias && k < bias->outputs; k++) {
        if (!(fabs(bias->list[k].weight) <= BIAS_MAX)) {
            return rf_fail(err, RF_CORRUPT, "the bias of output %u is %g, must be at most %g in size", k, bias->list[k].weight,
                           BIAS_MAX);
        }
    }
    return RF_OK;
}
