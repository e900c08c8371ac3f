// The loops of optimizer_sgd.c for one number type, see optimizer_reals.h.
//
// A row is REAL weight[outputs], and where weights are regularised a tick: the steps it is caught up with. `outputs` (where
// it is 1) and `how` are constants in each function that the table at the end names. No include guard, on purpose.

INLINE size_t CELLS(row_size)(uint32_t outputs, enum regularised how) {
    return rf_optimizer_row_size(outputs * sizeof(REAL) + (how != PLAIN ? sizeof(uint32_t) : 0));
}

INLINE REAL *CELLS(weights)(const struct sgd *sgd, size_t row, uint32_t outputs, enum regularised how) {
    return (REAL *)(void *)(sgd->base.cells + row * CELLS(row_size)(outputs, how));
}

INLINE uint32_t *CELLS(tick)(REAL *weight, uint32_t outputs) {
    return (uint32_t *)(void *)(weight + outputs);
}

// Weight k of a row as it stands now, `missed` being its missed_since().
INLINE double CELLS(now)(const REAL *weight, uint32_t k, struct rf_shrink missed, enum regularised how) {
    return (double)(how != PLAIN ? CELLS(stored)(shrunk(missed, (double)weight[k], how)) : weight[k]);
}

INLINE struct rf_shrink CELLS(missed)(const struct sgd *sgd, REAL *weight, uint32_t outputs, enum regularised how) {
    return how != PLAIN ? missed_since(sgd, *CELLS(tick)(weight, outputs)) : (struct rf_shrink){.factor = 1};
}

INLINE void CELLS(gather)(const struct sgd *sgd, const uint32_t *rows, size_t count, double *weight_out, uint32_t outputs,
                          enum regularised how) {
    for (size_t i = 0; i < count; i++) {
        REAL *weight = CELLS(weights)(sgd, rows[i], outputs, how);
        struct rf_shrink missed = CELLS(missed)(sgd, weight, outputs, how);
        for (uint32_t k = 0; k < outputs; k++) {
            weight_out[i * outputs + k] = CELLS(now)(weight, k, missed, how);
        }
    }
}

INLINE void CELLS(score)(const struct sgd *sgd, const uint32_t *rows, const double *x, size_t count, double *score_out,
                         uint32_t outputs, enum regularised how) {
    struct rf_lanes lanes = {{0}};
    for (uint32_t k = 0; k < outputs; k++) {
        score_out[k] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        REAL *weight = CELLS(weights)(sgd, rows[i], outputs, how);
        struct rf_shrink missed = CELLS(missed)(sgd, weight, outputs, how);
        for (uint32_t k = 0; k < outputs; k++) {
            *(outputs == 1 ? &lanes.sum[i % 8] : &score_out[k]) += CELLS(now)(weight, k, missed, how) * x[i];
        }
    }
    if (outputs == 1) {
        score_out[0] = rf_lanes_total(&lanes);
    }
}

INLINE void CELLS(catch_up)(const struct sgd *sgd, REAL *weight, uint32_t outputs, enum regularised how) {
    uint32_t *tick = CELLS(tick)(weight, outputs);
    if (*tick != sgd->base.ticks->tick) {
        struct rf_shrink missed = missed_since(sgd, *tick);
        *tick = sgd->base.ticks->tick;
        for (uint32_t k = 0; k < outputs; k++) {
            weight[k] = CELLS(stored)(shrunk(missed, (double)weight[k], how));
        }
    }
}

INLINE void CELLS(advance)(struct sgd *sgd, const uint32_t *rows, size_t count, uint32_t outputs, enum regularised how) {
    rf_block_touch_rows(sgd->base.touched, rows, count);
    for (size_t i = 0; i < count && how != PLAIN; i++) {
        CELLS(catch_up)(sgd, CELLS(weights)(sgd, rows[i], outputs, how), outputs, how);
    }
}

// The soft threshold of a step, once for each row, behind all of the record's features in it. A row that has it stands at
// tick `now` for the time of the first loop.
INLINE void CELLS(threshold)(struct sgd *sgd, const struct rf_step *step, double rate, uint32_t outputs) {
    const uint32_t now = sgd->base.ticks->tick;
    for (size_t i = 0; i < step->count; i++) {
        REAL *weight = CELLS(weights)(sgd, step->rows[i], outputs, THRESHOLDED);
        uint32_t *tick = CELLS(tick)(weight, outputs);
        if (*tick == now) {
            continue;
        }
        *tick = now;
        double l1 = step->rows[i] == sgd->base.bias_row ? sgd->base.l1_bias : sgd->base.l1;
        for (uint32_t k = 0; k < outputs; k++) {
            weight[k] = CELLS(stored)(rf_shrunk((struct rf_shrink){1, rate * l1}, (double)weight[k]));
        }
    }
    for (size_t i = 0; i < step->count; i++) {
        *CELLS(tick)(CELLS(weights)(sgd, step->rows[i], outputs, THRESHOLDED), outputs) = now + 1;
    }
}

INLINE bool CELLS(step)(struct sgd *sgd, const struct rf_step *step, double rate, uint32_t outputs, enum regularised how) {
    const double *move = sgd->base.move;
    const uint32_t now = sgd->base.ticks->tick;
    if (!rf_optimizer_moves(&sgd->base, step, rate)) {
        return false;
    }
    for (size_t i = 0; i < step->count; i++) {
        REAL *weight = CELLS(weights)(sgd, step->rows[i], outputs, how);
        double factor = 1;
        if (how != PLAIN && *CELLS(tick)(weight, outputs) == now) {
            // The first feature of the record in this row: the step's own decay, once.
            factor = 1 - rate * l2_of(&sgd->base, step->rows[i] == sgd->base.bias_row);
            *CELLS(tick)(weight, outputs) = now + 1;
        }
        for (uint32_t k = 0; k < outputs; k++) {
            double kept = how != PLAIN ? factor * (double)weight[k] : (double)weight[k];
            weight[k] = CELLS(stored)(kept - move[k] * rf_step_x(step, i, k, outputs));
        }
    }
    if (how == THRESHOLDED) {
        CELLS(threshold)(sgd, step, rate, outputs);
    }
    return true;
}

INLINE void CELLS(renew)(struct rf_optimizer *self, enum regularised how) {
    struct sgd *sgd = sgd_from(self);
    for (size_t row = 0; row < self->rows; row++) {
        REAL *weight = CELLS(weights)(sgd, row, self->outputs, how);
        bool is_used = *CELLS(tick)(weight, self->outputs) != 0;
        for (uint32_t k = 0; k < self->outputs && !is_used; k++) {
            is_used = weight[k] != 0;
        }
        if (is_used) { // pages never used stay untouched
            rf_block_touch(self->touched, row);
            CELLS(catch_up)(sgd, weight, self->outputs, how);
            *CELLS(tick)(weight, self->outputs) = 0;
        }
    }
}

// The formatter takes pointers in a macro for products.
// clang-format off
#define SGD_KIND(shape, outputs_, how_, renew_) \
    static void CELLS(gather_##shape)(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out) { \
        CELLS(gather)((const struct sgd *)self, rows, count, weight_out, outputs_, how_); \
    } \
    static void CELLS(score_##shape)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, \
                                     double *score_out) { \
        CELLS(score)((const struct sgd *)self, rows, x, count, score_out, outputs_, how_); \
    } \
    static void CELLS(advance_##shape)(struct rf_optimizer *self, const uint32_t *rows, size_t count) { \
        CELLS(advance)(sgd_from(self), rows, count, outputs_, how_); \
    } \
    static bool CELLS(step_##shape)(struct rf_optimizer *self, const struct rf_step *step, double rate) { \
        return CELLS(step)(sgd_from(self), step, rate, outputs_, how_); \
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

static void CELLS(renew_decayed)(struct rf_optimizer *self) {
    CELLS(renew)(self, DECAYED);
}

static void CELLS(renew_thresholded)(struct rf_optimizer *self) {
    CELLS(renew)(self, THRESHOLDED);
}

SGD_KIND(one, 1, PLAIN, NULL)
SGD_KIND(many, self->outputs, PLAIN, NULL)
SGD_KIND(one_decayed, 1, DECAYED, CELLS(renew_decayed))
SGD_KIND(many_decayed, self->outputs, DECAYED, CELLS(renew_decayed))
SGD_KIND(one_thresholded, 1, THRESHOLDED, CELLS(renew_thresholded))
SGD_KIND(many_thresholded, self->outputs, THRESHOLDED, CELLS(renew_thresholded))

#undef SGD_KIND
