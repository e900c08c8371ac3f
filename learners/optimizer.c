#include "learners/optimizer.h"
#include "learners/catch_up.h"
#include "learners/optimizer_passive.h"
#include "learners/table.h"
#include "proto/bytes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define STEPS_MAX (UINT64_C(1) << 53) // what a double counts exactly; far from where sums with a tick would wrap

static const struct rf_column ticks_columns[] = {
        {"steps", RF_U64, offsetof(struct rf_ticks, steps), 1, RF_MERGE_SUM},
        {"tick", RF_U32, offsetof(struct rf_ticks, tick), 1, RF_MERGE_SUM},
        {"reserved", RF_U32, offsetof(struct rf_ticks, reserved), 1, RF_MERGE_MAX},
};

void rf_optimizer_gather(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out) {
    self->ops->gather(self, rows, count, weight_out);
}

void rf_optimizer_score(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, double *score_out) {
    self->ops->score(self, rows, x, count, score_out);
}

void rf_optimizer_advance(struct rf_optimizer *self, const uint32_t *rows, size_t count) {
    self->ops->advance(self, rows, count);
}

bool rf_optimizer_looks_ahead(const struct rf_optimizer *self) {
    return self->ops->score_ahead != NULL;
}

void rf_optimizer_score_ahead(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count,
                              double *score_out) {
    (self->ops->score_ahead ? self->ops->score_ahead : self->ops->score)(self, rows, x, count, score_out);
}

enum rf_status rf_optimizer_reserve(struct rf_optimizer *self, size_t count, struct rf_error *err) {
    return self->ops->reserve ? self->ops->reserve(self, count, err) : RF_OK;
}

double rf_optimizer_rate(struct rf_optimizer *self) {
    uint64_t steps = self->ticks->steps;
    if (steps - self->rate_from >= self->rate_block) { // wraps, and is true, when a restored state is before it
        self->rate_from = steps / self->rate_block * self->rate_block;
        self->rate_now = rf_rate_at(&self->rate, self->rate_from);
    }
    return self->rate_now;
}

bool rf_optimizer_moves(struct rf_optimizer *self, const struct rf_step *step, double rate) {
    for (uint32_t k = 0; k < self->experts * self->outputs; k++) {
        self->move[k] = rate * step->gradient[k];
        if (!(fabs(self->move[k]) * step->x_largest * (double)step->count <= self->limit)) {
            return false;
        }
    }
    return true;
}

bool rf_optimizer_step(struct rf_optimizer *self, const struct rf_step *step) {
    if (!self->ops->step(self, step, rf_optimizer_rate(self))) {
        return false;
    }
    self->ticks->steps++;
    self->ticks->tick++;
    if (self->ticks->tick == self->tick_limit) {
        if (self->ops->renew) {
            self->ops->renew(self);
        }
        self->ticks->tick = 0;
    }
    return true;
}

void rf_optimizer_state(struct rf_optimizer *self, const char *weights_name, const char *ticks_name, struct rf_state *state) {
    self->weights.name = weights_name;
    self->touched = rf_state_add(state, &self->weights);
    rf_state_add(state, &(struct rf_block){
                                .name = ticks_name,
                                .rows = 1,
                                .row_size = sizeof *self->ticks,
                                .columns = ticks_columns,
                                .column_count = sizeof ticks_columns / sizeof ticks_columns[0],
                                .data = self->ticks,
                                .scope = RF_SCOPE_MODEL,
                        });
    if (self->ops->state) {
        self->ops->state(self, state);
    }
}

static enum rf_status check_ticks(const struct rf_optimizer *self, struct rf_error *err) {
    const struct rf_ticks *ticks = self->ticks;
    if (ticks->tick >= self->tick_limit) {
        return rf_fail(err, RF_CORRUPT, "the optimizer's tick is %u, must be below %u", ticks->tick, self->tick_limit);
    }
    if (ticks->steps < ticks->tick || ticks->steps > STEPS_MAX) {
        return rf_fail(err, RF_CORRUPT, "the optimizer has taken %llu steps, must be from %u, its tick, to %llu",
                       (unsigned long long)ticks->steps, ticks->tick, (unsigned long long)STEPS_MAX);
    }
    return RF_OK;
}

enum rf_status rf_optimizer_check(const struct rf_optimizer *self, struct rf_error *err) {
    if (check_ticks(self, err) != RF_OK) {
        return err->status;
    }
    if (self->ops->check) {
        return self->ops->check(self, err);
    }
    const double limit = self->is_double ? self->limit : (double)(float)self->limit; // as a cell holds it
    const size_t real_size = self->is_double ? sizeof(double) : sizeof(float);
    for (size_t row = 0; row < self->rows; row++) {
        const void *cells = self->cells + row * self->row_size;
        for (uint32_t i = 0; i < self->reals; i++) {
            double real = self->is_double ? ((const double *)cells)[i] : (double)((const float *)cells)[i];
            if (!(fabs(real) <= limit)) {
                return rf_fail(err, RF_CORRUPT, "row %zu of the weights holds %g, must be at most %g in size", row, real, limit);
            }
            if (real < 0 && (self->squares >> (i / self->outputs) & 1)) {
                return rf_fail(err, RF_CORRUPT, "row %zu of the weights holds %g, must not be below 0 in %s", row, real,
                               self->columns[i / self->outputs].name);
            }
        }
        uint32_t tick = self->has_tick ? rf_load_u32((const unsigned char *)cells + self->reals * real_size) : 0;
        if (tick > self->ticks->tick) {
            return rf_fail(err, RF_CORRUPT, "row %zu of the weights has tick %u, must be at most %u, that of the optimizer", row,
                           tick, self->ticks->tick);
        }
    }
    return RF_OK;
}

// Lays out the columns of a row, and returns its size.
static size_t lay_out(struct rf_optimizer *self, const struct rf_optimizer_real *reals, uint32_t real_count, bool has_tick) {
    enum rf_column_type type = self->is_double ? RF_F64 : RF_F32;
    uint32_t real_size = self->is_double ? sizeof(double) : sizeof(float);
    uint32_t end = 0;
    size_t count = 0;
    for (uint32_t i = 0; i < real_count; i++) {
        self->columns[count++] = (struct rf_column){reals[i].name, type, end, self->outputs, reals[i].merge};
        self->squares |= (uint32_t)reals[i].is_square << i;
        end += self->outputs * real_size;
    }
    if (has_tick) {
        self->columns[count++] = (struct rf_column){"tick", RF_U32, end, 1, RF_MERGE_MAX};
        end += sizeof(uint32_t);
    }
    size_t row_size = rf_optimizer_row_size(end);
    if (row_size > end) {
        self->columns[count++] = (struct rf_column){"reserved", RF_U8, end, (uint32_t)(row_size - end), RF_MERGE_MAX};
    }
    self->weights.column_count = count;
    return row_size;
}

enum rf_status rf_optimizer_init(struct rf_optimizer *self, const struct rf_optimizer_context *context,
                                 const struct rf_rate *rate, const struct rf_optimizer_real *reals, uint32_t real_count,
                                 bool has_tick, struct rf_error *err) {
    assert(real_count <= RF_OPTIMIZER_REALS_MAX);
    self->outputs = context->outputs;
    self->is_double = context->is_double;
    self->reals = real_count * context->outputs;
    self->has_tick = has_tick;
    self->row_size = lay_out(self, reals, real_count, has_tick);
    return rf_optimizer_init_rows(self, context, rate, err);
}

enum rf_status rf_optimizer_init_rows(struct rf_optimizer *self, const struct rf_optimizer_context *context,
                                      const struct rf_rate *rate, struct rf_error *err) {
    assert(context->outputs > 0 && context->tick_limit <= RF_CATCH_UP_STEPS_MAX);
    if (!(rate->first * context->l2 < 1)) {
        return rf_fail(err, RF_INVALID, "rate %g times l2 %g is %g, must be below 1", rate->first, context->l2,
                       rate->first * context->l2);
    }
    self->outputs = context->outputs;
    self->experts = self->experts ? self->experts : 1;
    self->bias_row = (uint32_t)1 << context->row_bits;
    self->rows = (size_t)self->bias_row + 1;
    self->rate = *rate;
    self->rate_block = (context->l1 > 0 || context->l2 > 0) && rf_rate_varies(rate) ? RF_RATE_BLOCK : 1;
    self->l1 = context->l1;
    self->l2 = context->l2;
    self->l1_bias = context->regularise_bias ? context->l1 : 0;
    self->l2_bias = context->regularise_bias ? context->l2 : 0;
    self->tick_limit = context->tick_limit ? context->tick_limit : RF_CATCH_UP_STEPS_MAX;
    self->is_double = context->is_double;
    self->limit = context->is_double ? RF_CELL_MAX_DOUBLE : RF_CELL_MAX_FLOAT;
    self->rate_now = rf_rate_at(rate, 0);
    self->weights.columns = self->columns;
    self->ticks = calloc(1, sizeof *self->ticks);
    self->move = calloc((size_t)self->experts * self->outputs, sizeof *self->move);
    if (!self->ticks || !self->move) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    void *cells = NULL;
    if (rf_table_create(self->rows * self->row_size, &cells, err) != RF_OK) {
        return rf_fail_in(err, "hash_bits %u", context->row_bits);
    }
    self->cells = cells;
    self->weights.rows = self->rows;
    self->weights.row_size = self->row_size;
    self->weights.data = self->cells;
    self->weights.scope = RF_SCOPE_MODEL;
    self->weights.is_touched = true;
    self->touched = &self->weights;
    return RF_OK;
}

void rf_optimizer_finish(struct rf_optimizer *self) {
    rf_table_destroy(self->cells, self->rows * self->row_size);
    free(self->ticks);
    free(self->move);
}

void rf_optimizer_destroy(struct rf_optimizer *self) {
    if (self) {
        self->ops->destroy(self);
    }
}

static const struct rf_setting sgd_settings[] = {
        RF_RATE_SETTINGS(struct rf_sgd_options, "0.01"),
        RF_BOOL(struct rf_sgd_options, average, "false", 0, "whether to predict by the mean of the weights after each step"),
        {0},
};

static const struct rf_setting momentum_settings[] = {
        RF_RATE_SETTINGS(struct rf_momentum_options, "0.01"),
        RF_REAL(struct rf_momentum_options, momentum, "0.9", 0, 0.999999, 0, "share of the velocity kept from step to step"),
        {0},
};

static const struct rf_setting adagrad_settings[] = {
        RF_RATE_SETTINGS(struct rf_adagrad_options, "0.1"),
        RF_REAL(struct rf_adagrad_options, epsilon, "1e-8", 1e-30, 1, 0, "added to the sum of squares, under the root"),
        {0},
};

static const struct rf_setting rmsprop_settings[] = {
        RF_RATE_SETTINGS(struct rf_rmsprop_options, "0.01"),
        RF_REAL(struct rf_rmsprop_options, rho, "0.9", 0, 0.999999, 0, "share of the mean square kept from step to step"),
        RF_REAL(struct rf_rmsprop_options, epsilon, "1e-8", 1e-30, 1, 0, "added to the mean square, under the root"),
        {0},
};

static const struct rf_setting adadelta_settings[] = {
        RF_RATE_SETTINGS(struct rf_adadelta_options, "1"),
        RF_REAL(struct rf_adadelta_options, rho, "0.95", 0, 0.999999, 0, "share of the mean squares kept from step to step"),
        RF_REAL(struct rf_adadelta_options, epsilon, "1e-6", 1e-30, 1, 0, "added to the mean squares, under the roots"),
        {0},
};

static const struct rf_setting adam_settings[] = {
        RF_RATE_SETTINGS(struct rf_adam_options, "0.01"),
        RF_REAL(struct rf_adam_options, beta1, "0.9", 0, 0.999, 0, "share of the mean gradient kept from step to step"),
        RF_REAL(struct rf_adam_options, beta2, "0.999", 0, 0.999999, 0, "share of the mean square kept from step to step"),
        RF_REAL(struct rf_adam_options, epsilon, "1e-8", 1e-16, 1, 0, "added to the root of the mean square"),
        RF_CHOICE(struct rf_adam_options, catch_up, "exact", rf_adam_catch_up_names, 0,
                  "how the steps an absent feature missed are made up for: exact (term by term), or approximate (one formula); "
                  "a rate that varies moves every 1024 steps"),
        {0},
};

static const struct rf_setting ftrl_settings[] = {
        RF_REAL(struct rf_ftrl_options, alpha, "0.1", 1e-12, 1e6, 0,
                "the rate of a feature is alpha / (beta + root of its squares)"),
        RF_REAL(struct rf_ftrl_options, beta, "1", 0, 1e6, 0, "see alpha"),
        RF_REAL(struct rf_ftrl_options, l1, "0", 0, 1e6, 0, "weights whose gradients do not add up to more are 0"),
        RF_REAL(struct rf_ftrl_options, l2, "0", 0, 1e6, 0, "how strongly weights are held near 0"),
        RF_BOOL(struct rf_ftrl_options, lagging, "false", 0,
                "whether weights lag a step behind and are never set to 0 again, as those of River do"),
        {0},
};

static const struct rf_setting passive_settings[] = {
        RF_CHOICE(struct rf_passive_options, variant, "I", rf_passive_variant_names, 0,
                  "how a step and the loss are traded off: plain (loss to 0), I (step at most c) or II (the loss squared)"),
        RF_REAL(struct rf_passive_options, c, "1", 1e-12, 1e12, 0, "how aggressive steps are; not used by plain"),
        RF_BOOL(struct rf_passive_options, average, "false", 0, "whether to predict by the mean of the weights after each step"),
        {0},
};

#define ONE_KIND(name_, rate_owner_, regularisers_)                          \
    &(const struct rf_optimizer_kind) {                                      \
        rf_optimizer_##name_##_create, {                                     \
            .regularisers = regularisers_, .rates = RF_RATES_ALL,            \
            .rate_offset = offsetof(struct rf_##rate_owner_##_options, rate) \
        }                                                                    \
    }

static const char *const auto_words[] = {"auto", NULL};

static const struct rf_setting adaptive_settings[] = {
        RF_REAL_OR(struct rf_adaptive_options, rate, "auto", 1e-12, 1e6, auto_words, 0,
                   "learning rate; auto: several are learned side by side and their predictions mixed"),
        RF_REAL(struct rf_adaptive_options, power, "0.5", 0, 1, 0,
                "by what power of its squared gradients the rate of a feature falls; without adaptive, of the steps"),
        RF_REAL(struct rf_adaptive_options, initial, "1", 0, 1e15, 0,
                "without adaptive: records over which the rate stays near its first value"),
        RF_BOOL(struct rf_adaptive_options, adaptive, "true", 0, "a rate for each feature, by its squared gradients so far"),
        RF_BOOL(struct rf_adaptive_options, normalized, "true", 0, "features are measured by how large their values are"),
        RF_BOOL(struct rf_adaptive_options, invariant, "true", 0,
                "a step goes where many small ones would, so that none leads beyond its label"),
        RF_BOOL(struct rf_adaptive_options, resistant, "true", 0,
                "a lone extreme does not change how features are measured; false: as Vowpal Wabbit, by the largest value seen"),
        RF_REAL(struct rf_adaptive_options, squares, "0", 0, 1e15, 0,
                "with adaptive: squared gradients that every feature begins with, as Vowpal Wabbit's initial_t"),
        RF_REAL(struct rf_adaptive_options, l1, "0", 0, 1e6, 0,
                "with a rate that is a number: draws all weights towards 0, by l1 times the rate of every step, as Vowpal "
                "Wabbit's l1"),
        RF_REAL(struct rf_adaptive_options, half_life, "0", 0, 1e9, 0,
                "steps after which squared gradients, and what is known of rates, count half; 0: they count for ever"),
        RF_REAL(struct rf_adaptive_options, half_life_seconds, "0", 0, 1e12, 0,
                "the same in seconds of event time, see features.time; 0: they count for ever"),
        {0},
};

const struct rf_variant rf_optimizer_variants[] = {
        {"adaptive", "adaptive, normalised, invariant gradient descent", adaptive_settings, sizeof(struct rf_adaptive_options),
         &(const struct rf_optimizer_kind){rf_optimizer_adaptive_create, {.rate_offset = RF_NO_RATE}}},
        {"sgd", "stochastic gradient descent", sgd_settings, sizeof(struct rf_sgd_options),
         &(const struct rf_optimizer_kind){rf_optimizer_sgd_create,
                                           {.regularisers = RF_REGULARISER_L1 | RF_REGULARISER_L2,
                                            .rates = RF_RATES_ALL,
                                            .rate_offset = offsetof(struct rf_sgd_options, rate),
                                            .average_offset = offsetof(struct rf_sgd_options, average)}}},
        {"momentum", "gradient descent with heavy-ball momentum", momentum_settings, sizeof(struct rf_momentum_options),
         ONE_KIND(momentum, momentum, RF_REGULARISER_L2)},
        {"nesterov", "gradient descent with Nesterov's momentum, the gradient taken ahead", momentum_settings,
         sizeof(struct rf_momentum_options), ONE_KIND(nesterov, momentum, RF_REGULARISER_L2)},
        {"adagrad", "rates that fall with the squares of a feature's gradients (AdaGrad)", adagrad_settings,
         sizeof(struct rf_adagrad_options), ONE_KIND(adagrad, adagrad, RF_REGULARISER_L2)},
        {"rmsprop", "gradients divided by the root of their recent mean square (RMSProp)", rmsprop_settings,
         sizeof(struct rf_rmsprop_options), ONE_KIND(rmsprop, rmsprop, RF_REGULARISER_L2)},
        {"adadelta", "steps in the unit of the weights, from two recent mean squares (AdaDelta)", adadelta_settings,
         sizeof(struct rf_adadelta_options), ONE_KIND(adadelta, adadelta, RF_REGULARISER_L2)},
        {"adam", "momentum divided by the root of the recent mean square (Adam)", adam_settings, sizeof(struct rf_adam_options),
         ONE_KIND(adam, adam, RF_REGULARISER_L2)},
        {"ftrl", "follow the regularised leader, proximal: sparse weights by an l1 of its own (FTRL)", ftrl_settings,
         sizeof(struct rf_ftrl_options),
         &(const struct rf_optimizer_kind){rf_optimizer_ftrl_create, {.rate_offset = RF_NO_RATE}}},
        {"passive_aggressive", "the smallest step that makes the loss of a record 0, bounded by c", passive_settings,
         sizeof(struct rf_passive_options),
         &(const struct rf_optimizer_kind){rf_optimizer_passive_create, {.rate_offset = RF_NO_RATE, .needs_passive = true}}},
        {0},
};

enum rf_status rf_optimizer_create(const struct rf_variant_value *value, const struct rf_optimizer_context *context,
                                   struct rf_optimizer **optimizer_out, struct rf_error *err) {
    if (!value->kind) {
        return rf_fail(err, RF_INVALID, "optimizer is absent, must be given");
    }
    const struct rf_optimizer_kind *kind = value->kind->registration;
    if (kind->create(value->options, context, optimizer_out, err) != RF_OK) {
        return rf_fail_in(err, "optimizer %s", value->kind->name);
    }
    return RF_OK;
}
