// The loops of optimizer_adaptive.c for one number type, see optimizer_reals.h.
//
// A row is REAL v[outputs], REAL A[outputs], REAL size, uint32_t note, and what is left over. `outputs` (where it is 1) is a
// constant in each function that the table at the end names. No include guard, on purpose.

INLINE size_t CELLS(row_size)(uint32_t outputs) {
    return rf_optimizer_row_size((2 * (size_t)outputs + 1) * sizeof(REAL) + sizeof(uint32_t));
}

static void CELLS(lay_out)(struct rf_optimizer *self, uint32_t outputs) {
    const uint32_t size = sizeof(REAL);
    const uint32_t used = (2 * outputs + 1) * size + (uint32_t)sizeof(uint32_t);
    self->row_size = CELLS(row_size)(outputs);
    self->columns[0] = (struct rf_column){"weight", COLUMN, 0, outputs, RF_MERGE_SUM};
    self->columns[1] = (struct rf_column){"square", COLUMN, outputs * size, outputs, RF_MERGE_SUM};
    self->columns[2] = (struct rf_column){"size", COLUMN, 2 * outputs * size, 1, RF_MERGE_MAX};
    self->columns[3] = (struct rf_column){"note", RF_U32, (2 * outputs + 1) * size, 1, RF_MERGE_MAX};
    self->weights.column_count = 4;
    if (self->row_size > used) {
        uint32_t rest = (uint32_t)(self->row_size - used);
        self->columns[4] = (struct rf_column){"reserved", RF_U8, used, rest, RF_MERGE_MAX};
        self->weights.column_count = 5;
    }
}

INLINE REAL *CELLS(cell)(const struct rf_adaptive *self, size_t row, uint32_t outputs) {
    return (REAL *)(void *)(self->base.cells + row * CELLS(row_size)(outputs));
}

INLINE uint32_t *CELLS(note)(REAL *cell, uint32_t outputs) {
    return (uint32_t *)(void *)(cell + 2 * outputs + 1);
}

// A value as the table knows it: no size is then a rounding off from the value it came from.
INLINE double CELLS(value)(double x) {
    const double most = RF_NORMALISER_MAX;
    return (double)(REAL)(x > most ? most : x < -most ? -most : x);
}

INLINE double CELLS(scaled)(const struct rf_adaptive *self, const REAL *cell, double x, uint32_t outputs) {
    return self->options.normalized ? rf_adaptive_scaled(self, CELLS(value)(x), (double)cell[2 * outputs]) : x;
}

INLINE void CELLS(gather)(const struct rf_adaptive *self, const uint32_t *rows, size_t count, double *weight_out,
                          uint32_t outputs) {
    for (size_t i = 0; i < count; i++) {
        const REAL *cell = CELLS(cell)(self, rows[i], outputs);
        double size = self->options.normalized ? (double)cell[2 * outputs] : 1;
        for (uint32_t k = 0; k < outputs; k++) {
            weight_out[i * outputs + k] = size > 0 ? rf_adaptive_pulled((double)cell[k], self->norms->pull * size) / size : 0;
        }
    }
}

INLINE void CELLS(score)(const struct rf_adaptive *self, const uint32_t *rows, const double *x, size_t count, double *score_out,
                         uint32_t outputs) {
    struct rf_lanes lanes = {{0}};
    for (uint32_t k = 0; k < outputs; k++) {
        score_out[k] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        const REAL *cell = CELLS(cell)(self, rows[i], outputs);
        double z = CELLS(scaled)(self, cell, x[i], outputs);
        double pull = self->norms->pull * (self->options.normalized ? (double)cell[2 * outputs] : 1);
        for (uint32_t k = 0; k < outputs; k++) {
            *(outputs == 1 ? &lanes.sum[i % 8] : &score_out[k]) += rf_adaptive_pulled((double)cell[k], pull) * z;
        }
    }
    if (outputs == 1) {
        score_out[0] = rf_lanes_total(&lanes);
    }
}

INLINE void CELLS(advance)(struct rf_adaptive *self, const uint32_t *rows, size_t count) {
    rf_block_touch_rows(self->base.touched, rows, count);
}

static __attribute__((noinline)) void CELLS(rescale)(const struct rf_adaptive *self, REAL *cell, double now, uint32_t outputs) {
    double ratio = (double)cell[2 * outputs] / now;
    double factor = ratio >= 1 ? 1 / ratio : self->growth == 0 ? 1 : rf_pow(ratio, self->growth);
    for (uint32_t k = 0; k < outputs && ratio > 0; k++) {
        cell[k] = CELLS(stored)((double)cell[k] * factor);
        cell[outputs + k] = ratio < 1 ? CELLS(stored)((double)cell[outputs + k] * ratio * ratio) : cell[outputs + k];
    }
    cell[2 * outputs] = (REAL)now;
}

// Learns the size of a value, and returns its z; 0: nothing is to be learned from it.
INLINE double CELLS(learn_scale)(const struct rf_adaptive *self, REAL *cell, double x, uint32_t outputs) {
    if (self->options.normalized) {
        x = CELLS(value)(x);
        double before = (double)cell[2 * outputs];
        double size = rf_adaptive_size(self, before, CELLS(note)(cell, outputs), fabs(x));
        if (size != before) {
            CELLS(rescale)(self, cell, size, outputs);
        }
        if (self->options.resistant && fabs(x) > RF_NORMALISER_CUT * size) {
            return 0;
        }
        x = size > 0 ? x / size : 0;
    }
    return x * x < RF_ADAPTIVE_SQUARE_MIN ? 0 : x;
}

INLINE bool CELLS(step)(struct rf_adaptive *self, const struct rf_step *given, uint32_t outputs) {
    struct rf_step bounded;
    const struct rf_step *step = rf_adaptive_bound(self, given, &bounded);
    double *change = self->base.move; // [outputs]
    bool is_still = true;
    learn_importance(self, step->weight);
    for (uint32_t k = 0; k < outputs; k++) {
        change[k] = 0;
        is_still &= step->gradient[k] == 0;
    }
    if (is_still) {
        return true;
    }
    const double rate = rate_now(self);
    const double inflation = rf_adaptive_inflation(self);
    double norm = 0;
    for (size_t i = 0; i < step->count; i++) {
        REAL *cell = CELLS(cell)(self, step->rows[i], outputs);
        double z = self->z[i] = CELLS(learn_scale)(self, cell, step->x[i], outputs);
        norm += z * z;
        for (uint32_t k = 0; k < outputs && z != 0; k++) {
            double added = step->gradient[k] * step->gradient[k] / step->weight * (z * z) * inflation;
            REAL square = cell[outputs + k] = CELLS(stored)((double)cell[outputs + k] + added);
            change[k] += square > 0 ? z * z * fallen(self, (double)square, inflation) : 0;
        }
    }
    double mean = rf_adaptive_learn_norm(self, norm, step->weight);
    for (uint32_t k = 0; k < outputs; k++) {
        double h = rate * step->weight * change[k] * mean;
        double move = change[k] > 0 ? rf_adaptive_change(self, step, k, step->score[k], step->gradient[k], h) / change[k] : 0;
        change[k] = fabs(move) <= CELL_MAX ? move : copysign(CELL_MAX, move);
        learn_pull(self, change[k], mean, step->gradient[k] / step->weight);
    }
    for (size_t i = 0; i < step->count; i++) {
        REAL *cell = CELLS(cell)(self, step->rows[i], outputs);
        // Measured by the size there is now: another feature of the record may have moved that of this row.
        double z = self->z[i] != 0 ? CELLS(scaled)(self, cell, step->x[i], outputs) : 0;
        for (uint32_t k = 0; k < outputs && z != 0; k++) {
            double square = (double)cell[outputs + k];
            double move = square > 0 ? change[k] * (z * fallen(self, square, inflation)) : 0;
            cell[k] = CELLS(stored)((double)cell[k] + move);
        }
    }
    return true;
}

static void CELLS(renew)(struct rf_optimizer *base) {
    struct rf_adaptive *self = adaptive_from(base);
    const double deflation = rf_adaptive_deflate(self);
    if (deflation == 1) {
        return;
    }
    for (size_t row = 0; row < base->rows; row++) {
        REAL *cell = CELLS(cell)(self, row, base->outputs);
        if (self->options.normalized && cell[2 * base->outputs] == 0) {
            continue; // pages never used stay untouched
        }
        rf_block_touch(base->touched, row);
        for (uint32_t k = base->outputs; k < 2 * base->outputs; k++) {
            cell[k] = CELLS(stored)((double)cell[k] * deflation);
        }
    }
}

static enum rf_status CELLS(check)(const struct rf_optimizer *base, struct rf_error *err) {
    const struct rf_adaptive *self = (const struct rf_adaptive *)base;
    const uint32_t outputs = base->outputs;
    const REAL limit = (REAL)CELL_MAX;
    if (rf_adaptive_check_norms(base, err) != RF_OK) {
        return err->status;
    }
    for (size_t row = 0; row < base->rows; row++) {
        REAL *cell = CELLS(cell)(self, row, outputs);
        for (uint32_t k = 0; k < 2 * outputs; k++) {
            if (!(cell[k] <= limit && cell[k] >= (k < outputs ? -limit : 0))) {
                return rf_fail(err, RF_CORRUPT, "row %zu of the weights holds %g, must be %g to %g", row, (double)cell[k],
                               k < outputs ? (double)-limit : 0, (double)limit);
            }
        }
        if (rf_adaptive_check_row(base, row, (double)cell[2 * outputs], *CELLS(note)(cell, outputs), err) != RF_OK) {
            return err->status;
        }
    }
    return RF_OK;
}

// The formatter takes pointers in a macro for products.
// clang-format off
#define ADAPTIVE_KIND(shape, outputs_) \
    static void CELLS(gather_##shape)(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out) { \
        CELLS(gather)((const struct rf_adaptive *)self, rows, count, weight_out, outputs_); \
    } \
    static void CELLS(score_##shape)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, \
                                     double *score_out) { \
        CELLS(score)((const struct rf_adaptive *)self, rows, x, count, score_out, outputs_); \
    } \
    static void CELLS(advance_##shape)(struct rf_optimizer *self, const uint32_t *rows, size_t count) { \
        CELLS(advance)(adaptive_from(self), rows, count); \
    } \
    static bool CELLS(step_##shape)(struct rf_optimizer *self, const struct rf_step *step, double rate) { \
        (void)rate; \
        return CELLS(step)(adaptive_from(self), step, outputs_); \
    } \
    static const struct rf_optimizer_ops CELLS(ops_##shape) = { \
            .name = "adaptive", \
            .gather = CELLS(gather_##shape), \
            .score = CELLS(score_##shape), \
            .advance = CELLS(advance_##shape), \
            .step = CELLS(step_##shape), \
            .renew = CELLS(renew), \
            .reserve = rf_adaptive_reserve, \
            .state = rf_adaptive_state, \
            .check = CELLS(check), \
            .destroy = adaptive_destroy, \
    };
// clang-format on

ADAPTIVE_KIND(one, 1)
ADAPTIVE_KIND(many, self->outputs)

#undef ADAPTIVE_KIND
