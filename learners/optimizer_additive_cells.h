// The loops of optimizer_additive.c for one number type, see optimizer_reals.h.
//
// A row is REAL weight[outputs], and where there are averages REAL moment[outputs]. `outputs` (where it is 1) and
// `how` are constants in each function that the table at the end names. No include guard, on purpose.

INLINE REAL *CELLS(weights)(const struct additive *additive, size_t row, uint32_t outputs, enum averaged how) {
    return (REAL *)(void *)(additive->base.cells +
                            row * rf_optimizer_row_size((how == NO_AVERAGE ? 1 : 2) * outputs * sizeof(REAL)));
}

// The weight that predicts: the average, where there is one.
INLINE double CELLS(now)(const REAL *weight, uint32_t k, uint32_t outputs, double share, enum averaged how) {
    return how == AVERAGE ? (double)weight[k] - share * (double)weight[outputs + k] : (double)weight[k];
}

INLINE void CELLS(gather)(const struct additive *additive, const uint32_t *rows, size_t count, double *weight_out,
                          uint32_t outputs, enum averaged how) {
    const double share = moment_share(additive);
    for (size_t i = 0; i < count; i++) {
        const REAL *weight = CELLS(weights)(additive, rows[i], outputs, how);
        for (uint32_t k = 0; k < outputs; k++) {
            weight_out[i * outputs + k] = CELLS(now)(weight, k, outputs, share, how);
        }
    }
}

INLINE void CELLS(score)(const struct additive *additive, const uint32_t *rows, const double *x, size_t count, double *score_out,
                         uint32_t outputs, enum averaged how) {
    const double share = moment_share(additive);
    struct rf_lanes lanes = {{0}};
    for (uint32_t k = 0; k < outputs; k++) {
        score_out[k] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        const REAL *weight = CELLS(weights)(additive, rows[i], outputs, how);
        for (uint32_t k = 0; k < outputs; k++) {
            double w = CELLS(now)(weight, k, outputs, share, how);
            *(outputs == 1 ? &lanes.sum[i % 8] : &score_out[k]) += w * x[i];
        }
    }
    if (outputs == 1) {
        score_out[0] = rf_lanes_total(&lanes);
    }
}

INLINE bool CELLS(step)(struct additive *additive, const struct rf_step *step, double rate, uint32_t outputs, enum averaged how) {
    const double *move = additive->base.move;
    const double before = (double)additive->base.ticks->steps;
    if (!find_moves(additive, step, rate)) {
        return false;
    }
    for (size_t i = 0; i < step->count; i++) {
        REAL *weight = CELLS(weights)(additive, step->rows[i], outputs, how);
        for (uint32_t k = 0; k < outputs; k++) {
            double change = -(move[k] * rf_step_x(step, i, k, outputs));
            weight[k] = CELLS(stored)((double)weight[k] + change);
            if (how != NO_AVERAGE) {
                weight[outputs + k] = CELLS(stored)((double)weight[outputs + k] + before * change);
            }
        }
    }
    return true;
}

static void CELLS(advance)(struct rf_optimizer *self, const uint32_t *rows, size_t count) {
    rf_block_touch_rows(self->touched, rows, count);
}

// The formatter takes pointers in a macro for products.
// clang-format off
#define ADDITIVE_KIND(shape, outputs_, how_, score_ahead_) \
    static void CELLS(gather_##shape)(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out) { \
        CELLS(gather)((const struct additive *)self, rows, count, weight_out, outputs_, how_); \
    } \
    static void CELLS(score_##shape)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, \
                                     double *score_out) { \
        CELLS(score)((const struct additive *)self, rows, x, count, score_out, outputs_, how_); \
    } \
    static bool CELLS(step_##shape)(struct rf_optimizer *self, const struct rf_step *step, double rate) { \
        return CELLS(step)(additive_from(self), step, rate, outputs_, how_); \
    } \
    static const struct rf_optimizer_ops CELLS(ops_##shape) = { \
            .name = "additive", \
            .gather = CELLS(gather_##shape), \
            .score = CELLS(score_##shape), \
            .advance = CELLS(advance), \
            .score_ahead = score_ahead_, \
            .step = CELLS(step_##shape), \
            .reserve = additive_reserve, \
            .destroy = additive_destroy, \
    };

#define ADDITIVE_SCORE_RAW(shape, outputs_) \
    static void CELLS(score_raw_##shape)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, \
                                         double *score_out) { \
        CELLS(score)((const struct additive *)self, rows, x, count, score_out, outputs_, RAW); \
    }
// clang-format on

ADDITIVE_SCORE_RAW(one, 1)
ADDITIVE_SCORE_RAW(many, self->outputs)
ADDITIVE_KIND(one, 1, NO_AVERAGE, NULL)
ADDITIVE_KIND(many, self->outputs, NO_AVERAGE, NULL)
ADDITIVE_KIND(one_averaged, 1, AVERAGE, CELLS(score_raw_one))
ADDITIVE_KIND(many_averaged, self->outputs, AVERAGE, CELLS(score_raw_many))

#undef ADDITIVE_SCORE_RAW
#undef ADDITIVE_KIND
