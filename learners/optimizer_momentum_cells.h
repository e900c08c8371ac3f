// The loops of optimizer_momentum.c for one number type, see optimizer_reals.h.
//
// A row is REAL weight[outputs], REAL velocity[outputs] and a tick: the steps it is caught up with. `outputs` (where it is
// 1) and `looks_ahead` are constants in each function that the table at the end names. No include guard, on purpose.

INLINE REAL *CELLS(weights)(const struct momentum *momentum, size_t row, uint32_t outputs) {
    return (REAL *)(void *)(momentum->base.cells + row * rf_optimizer_row_size(2 * outputs * sizeof(REAL) + sizeof(uint32_t)));
}

INLINE uint32_t *CELLS(tick)(REAL *weight, uint32_t outputs) {
    return (uint32_t *)(void *)(weight + 2 * outputs);
}

// Weight k of a row as it stands now.
INLINE double CELLS(now)(const struct momentum *momentum, const REAL *weight, uint32_t k, uint32_t outputs,
                         const struct missed *missed) {
    double w = (double)weight[k];
    double v = (double)weight[outputs + k];
    if (missed->steps > 0) {
        move_on(momentum, missed, &w, &v);
    }
    return (double)CELLS(stored)(w);
}

INLINE void CELLS(gather)(const struct momentum *momentum, const uint32_t *rows, size_t count, double *weight_out,
                          uint32_t outputs) {
    for (size_t i = 0; i < count; i++) {
        REAL *weight = CELLS(weights)(momentum, rows[i], outputs);
        struct missed missed = missed_since(momentum, *CELLS(tick)(weight, outputs));
        for (uint32_t k = 0; k < outputs; k++) {
            weight_out[i * outputs + k] = CELLS(now)(momentum, weight, k, outputs, &missed);
        }
    }
}

// `looks_ahead`: at weight + momentum * velocity, of rows just advanced.
INLINE void CELLS(score)(const struct momentum *momentum, const uint32_t *rows, const double *x, size_t count, double *score_out,
                         uint32_t outputs, bool looks_ahead) {
    struct rf_lanes lanes = {{0}};
    for (uint32_t k = 0; k < outputs; k++) {
        score_out[k] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        REAL *weight = CELLS(weights)(momentum, rows[i], outputs);
        struct missed missed = missed_since(momentum, *CELLS(tick)(weight, outputs));
        for (uint32_t k = 0; k < outputs; k++) {
            double w = looks_ahead ? (double)weight[k] + momentum->keep * (double)weight[outputs + k]
                                   : CELLS(now)(momentum, weight, k, outputs, &missed);
            *(outputs == 1 ? &lanes.sum[i % 8] : &score_out[k]) += w * x[i];
        }
    }
    if (outputs == 1) {
        score_out[0] = rf_lanes_total(&lanes);
    }
}

INLINE void CELLS(catch_up)(const struct momentum *momentum, REAL *weight, uint32_t outputs) {
    REAL *velocity = weight + outputs;
    uint32_t *tick = CELLS(tick)(weight, outputs);
    struct missed missed = missed_since(momentum, *tick);
    if (missed.steps == 0) {
        return;
    }
    *tick = momentum->base.ticks->tick;
    for (uint32_t k = 0; k < outputs; k++) {
        double w = (double)weight[k];
        double v = (double)velocity[k];
        move_on(momentum, &missed, &w, &v);
        weight[k] = CELLS(stored)(w);
        velocity[k] = CELLS(stored)(v);
    }
}

INLINE void CELLS(advance)(struct momentum *momentum, const uint32_t *rows, size_t count, uint32_t outputs) {
    rf_block_touch_rows(momentum->base.touched, rows, count);
    for (size_t i = 0; i < count; i++) {
        CELLS(catch_up)(momentum, CELLS(weights)(momentum, rows[i], outputs), outputs);
    }
}

INLINE bool CELLS(step)(struct momentum *momentum, const struct rf_step *step, double rate, uint32_t outputs, bool looks_ahead) {
    const double *move = momentum->base.move;
    const uint32_t now = momentum->base.ticks->tick;
    const double keep = momentum->keep;
    if (!rf_optimizer_moves(&momentum->base, step, rate)) {
        return false;
    }
    for (size_t i = 0; i < step->count; i++) {
        const double shrink = rate * l2_of(&momentum->base, step->rows[i] == momentum->base.bias_row);
        REAL *weight = CELLS(weights)(momentum, step->rows[i], outputs);
        REAL *velocity = weight + outputs;
        uint32_t *tick = CELLS(tick)(weight, outputs);
        bool is_first = *tick == now; // of the record's features in this row: velocity and decay act once
        *tick = now + 1;
        for (uint32_t k = 0; k < outputs; k++) {
            double w = (double)weight[k];
            double v = (double)velocity[k];
            double change = -(move[k] * rf_step_x(step, i, k, outputs));
            if (is_first) {
                double at = looks_ahead ? w + keep * v : w;
                double kept = keep * v - shrink * at;
                velocity[k] = CELLS(stored)(kept + change);
                weight[k] = CELLS(stored)(w + (kept + change));
            } else {
                velocity[k] = CELLS(stored)(v + change);
                weight[k] = CELLS(stored)(w + change);
            }
        }
    }
    return true;
}

static void CELLS(renew)(struct rf_optimizer *self) {
    struct momentum *momentum = momentum_from(self);
    for (size_t row = 0; row < self->rows; row++) {
        REAL *weight = CELLS(weights)(momentum, row, self->outputs);
        bool is_used = *CELLS(tick)(weight, self->outputs) != 0;
        for (uint32_t k = 0; k < 2 * self->outputs && !is_used; k++) {
            is_used = weight[k] != 0;
        }
        if (is_used) { // pages never used stay untouched
            rf_block_touch(self->touched, row);
            CELLS(catch_up)(momentum, weight, self->outputs);
            *CELLS(tick)(weight, self->outputs) = 0;
        }
    }
}

// The formatter takes pointers in a macro for products.
// clang-format off
#define MOMENTUM_SHAPE(shape, outputs_) \
    static void CELLS(gather_##shape)(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out) { \
        CELLS(gather)((const struct momentum *)self, rows, count, weight_out, outputs_); \
    } \
    static void CELLS(score_##shape)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, \
                                     double *score_out) { \
        CELLS(score)((const struct momentum *)self, rows, x, count, score_out, outputs_, false); \
    } \
    static void CELLS(score_ahead_##shape)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, \
                                           double *score_out) { \
        CELLS(score)((const struct momentum *)self, rows, x, count, score_out, outputs_, true); \
    } \
    static void CELLS(advance_##shape)(struct rf_optimizer *self, const uint32_t *rows, size_t count) { \
        CELLS(advance)(momentum_from(self), rows, count, outputs_); \
    }

#define MOMENTUM_KIND(kind, name_, shape, outputs_, looks_ahead_, score_ahead_) \
    static bool CELLS(step_##kind)(struct rf_optimizer *self, const struct rf_step *step, double rate) { \
        return CELLS(step)(momentum_from(self), step, rate, outputs_, looks_ahead_); \
    } \
    static const struct rf_optimizer_ops CELLS(ops_##kind) = { \
            .name = name_, \
            .gather = CELLS(gather_##shape), \
            .score = CELLS(score_##shape), \
            .advance = CELLS(advance_##shape), \
            .score_ahead = score_ahead_, \
            .step = CELLS(step_##kind), \
            .renew = CELLS(renew), \
            .destroy = momentum_destroy, \
    };
// clang-format on

MOMENTUM_SHAPE(one, 1)
MOMENTUM_SHAPE(many, self->outputs)
MOMENTUM_KIND(heavy_one, "momentum", one, 1, false, NULL)
MOMENTUM_KIND(heavy_many, "momentum", many, self->outputs, false, NULL)
MOMENTUM_KIND(nesterov_one, "nesterov", one, 1, true, CELLS(score_ahead_one))
MOMENTUM_KIND(nesterov_many, "nesterov", many, self->outputs, true, CELLS(score_ahead_many))

#undef MOMENTUM_SHAPE
#undef MOMENTUM_KIND
