// The loops of optimizer_sgd.c for one number type: included twice, with
//
//     REAL              float or double
//     CELLS(name)       the name for this type
//     CELL_MAX, CELL_MIN
//
// A row is REAL weight[outputs], and under L2 a tick: the steps it is caught up with. `outputs` (where it is 1) and
// `has_tick` are constants in each function that the table at the end names. No include guard, on purpose.

INLINE size_t CELLS(row_size)(uint32_t outputs, bool has_tick) {
    return rf_optimizer_row_size(outputs * sizeof(REAL) + (has_tick ? sizeof(uint32_t) : 0));
}

INLINE REAL *CELLS(weights)(const struct sgd *sgd, size_t row, uint32_t outputs, bool has_tick) {
    return (REAL *)(void *)(sgd->base.cells + row * CELLS(row_size)(outputs, has_tick));
}

INLINE uint32_t *CELLS(tick)(REAL *weight, uint32_t outputs) {
    return (uint32_t *)(void *)(weight + outputs);
}

INLINE REAL CELLS(stored)(double value) {
    if (fabs(value) < CELL_MIN) {
        return 0;
    }
    return (REAL)(value > CELL_MAX ? CELL_MAX : value < -CELL_MAX ? -CELL_MAX : value);
}

// Weight k of a row as it stands now, `factor` being its missed_decay().
INLINE double CELLS(now)(const REAL *weight, uint32_t k, double factor, bool has_tick) {
    return (double)(has_tick ? CELLS(stored)(factor * (double)weight[k]) : weight[k]);
}

INLINE void CELLS(gather)(const struct sgd *sgd, const uint32_t *rows, size_t count, double *weight_out, uint32_t outputs,
                          bool has_tick) {
    for (size_t i = 0; i < count; i++) {
        REAL *weight = CELLS(weights)(sgd, rows[i], outputs, has_tick);
        double factor = has_tick ? missed_decay(sgd, *CELLS(tick)(weight, outputs)) : 1;
        for (uint32_t k = 0; k < outputs; k++) {
            weight_out[i * outputs + k] = CELLS(now)(weight, k, factor, has_tick);
        }
    }
}

INLINE void CELLS(score)(const struct sgd *sgd, const uint32_t *rows, const double *x, size_t count, double *score_out,
                         uint32_t outputs, bool has_tick) {
    struct rf_lanes lanes = {{0}};
    for (uint32_t k = 0; k < outputs; k++) {
        score_out[k] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        REAL *weight = CELLS(weights)(sgd, rows[i], outputs, has_tick);
        double factor = has_tick ? missed_decay(sgd, *CELLS(tick)(weight, outputs)) : 1;
        for (uint32_t k = 0; k < outputs; k++) {
            *(outputs == 1 ? &lanes.sum[i % 8] : &score_out[k]) += CELLS(now)(weight, k, factor, has_tick) * x[i];
        }
    }
    if (outputs == 1) {
        score_out[0] = rf_lanes_total(&lanes);
    }
}

INLINE void CELLS(catch_up)(const struct sgd *sgd, REAL *weight, uint32_t outputs) {
    uint32_t *tick = CELLS(tick)(weight, outputs);
    double factor = missed_decay(sgd, *tick);
    *tick = sgd->base.ticks->tick;
    if (factor < 1) {
        for (uint32_t k = 0; k < outputs; k++) {
            weight[k] = CELLS(stored)(factor * (double)weight[k]);
        }
    }
}

INLINE void CELLS(advance)(struct sgd *sgd, const uint32_t *rows, size_t count, uint32_t outputs, bool has_tick) {
    for (size_t i = 0; i < count; i++) {
        rf_block_touch(sgd->base.touched, rows[i]);
        if (has_tick) {
            CELLS(catch_up)(sgd, CELLS(weights)(sgd, rows[i], outputs, has_tick), outputs);
        }
    }
}

INLINE bool CELLS(step)(struct sgd *sgd, const struct rf_step *step, double rate, uint32_t outputs, bool has_tick) {
    const double *move = sgd->base.move;
    const double *x = step->x;
    const uint32_t now = sgd->base.ticks->tick;
    if (!rf_optimizer_moves(&sgd->base, step, rate)) {
        return false;
    }
    for (size_t i = 0; i < step->count; i++) {
        REAL *weight = CELLS(weights)(sgd, step->rows[i], outputs, has_tick);
        double factor = 1;
        if (has_tick && *CELLS(tick)(weight, outputs) == now) {
            // The first feature of the record in this row: the step's own decay, once.
            factor = 1 - rate * (step->rows[i] == sgd->base.bias_row ? sgd->base.l2_bias : sgd->base.l2);
            *CELLS(tick)(weight, outputs) = now + 1;
        }
        for (uint32_t k = 0; k < outputs; k++) {
            double kept = has_tick ? factor * (double)weight[k] : (double)weight[k];
            weight[k] = CELLS(stored)(kept - move[k] * x[i]);
        }
    }
    return true;
}

static void CELLS(renew)(struct rf_optimizer *self) {
    struct sgd *sgd = sgd_from(self);
    for (size_t row = 0; row < self->rows; row++) {
        REAL *weight = CELLS(weights)(sgd, row, self->outputs, true);
        bool is_used = *CELLS(tick)(weight, self->outputs) != 0;
        for (uint32_t k = 0; k < self->outputs && !is_used; k++) {
            is_used = weight[k] != 0;
        }
        if (is_used) { // pages never used stay untouched
            rf_block_touch(self->touched, row);
            CELLS(catch_up)(sgd, weight, self->outputs);
            *CELLS(tick)(weight, self->outputs) = 0;
        }
    }
}

// The formatter takes pointers in a macro for products.
// clang-format off
#define SGD_KIND(shape, outputs_, has_tick_, renew_) \
    static void CELLS(gather_##shape)(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out) { \
        CELLS(gather)((const struct sgd *)self, rows, count, weight_out, outputs_, has_tick_); \
    } \
    static void CELLS(score_##shape)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, \
                                     double *score_out) { \
        CELLS(score)((const struct sgd *)self, rows, x, count, score_out, outputs_, has_tick_); \
    } \
    static void CELLS(advance_##shape)(struct rf_optimizer *self, const uint32_t *rows, size_t count) { \
        CELLS(advance)(sgd_from(self), rows, count, outputs_, has_tick_); \
    } \
    static bool CELLS(step_##shape)(struct rf_optimizer *self, const struct rf_step *step, double rate) { \
        return CELLS(step)(sgd_from(self), step, rate, outputs_, has_tick_); \
    } \
    static const struct rf_optimizer_ops CELLS(ops_##shape) = { \
            .name = "sgd", \
            .gather = CELLS(gather_##shape), \
            .score = CELLS(score_##shape), \
            .advance = CELLS(advance_##shape), \
            .step = CELLS(step_##shape), \
            .renew = renew_, \
            .destroy = sgd_destroy, \
    };
// clang-format on

SGD_KIND(one, 1, false, NULL)
SGD_KIND(many, self->outputs, false, NULL)
SGD_KIND(one_ticked, 1, true, CELLS(renew))
SGD_KIND(many_ticked, self->outputs, true, CELLS(renew))

#undef SGD_KIND
#undef REAL
#undef CELLS
#undef CELL_MAX
#undef CELL_MIN
