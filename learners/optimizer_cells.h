// The loops over rows that the kinds with second moments share, for one number type: see optimizer_reals.h. To be included with
//
//     KIND              the struct of the kind, `base` first
//     KIND_FROM(self)   the downcast
//     KIND_DESTROY      its destroy
//
// and with these functions of the kind, which work in double on the reals of one output:
//
//     struct missed missed_since(const KIND *, uint32_t tick)                  the steps since a tick, which is in the past
//     void drift(const KIND *, const struct missed *, double *real)            what they did where x was 0
//     double weight_of(const KIND *, bool is_bias, const double *real)
//     struct pace pace_of(const KIND *, double rate)                           what is the same for all of a step
//     void move(const KIND *, const struct pace *, bool is_bias, double *real, double gradient, bool is_first)
//
// move() is called for each feature, with its part of the gradient: `is_first` of the record's in its row, where what
// happens once a step happens.
//
// A row is REAL real[reals][outputs], then a tick: the steps it is caught up with. The shape is a constant in each function
// that RF_CELLS_KINDS makes. No include guard, on purpose.

INLINE size_t CELLS(row_size)(const struct cells_shape shape) {
    return rf_optimizer_row_size(shape.reals * shape.outputs * sizeof(REAL) + (shape.has_tick ? sizeof(uint32_t) : 0));
}

INLINE REAL *CELLS(cells)(const KIND *kind, size_t row, const struct cells_shape shape) {
    return (REAL *)(void *)(kind->base.cells + row * CELLS(row_size)(shape));
}

INLINE uint32_t *CELLS(tick)(REAL *cells, const struct cells_shape shape) {
    return (uint32_t *)(void *)(cells + shape.reals * shape.outputs);
}

INLINE void CELLS(load)(const REAL *cells, uint32_t k, const struct cells_shape shape, double *real) {
    for (uint32_t i = 0; i < shape.reals; i++) {
        real[i] = (double)cells[i * shape.outputs + k];
    }
}

INLINE void CELLS(store)(REAL *cells, uint32_t k, const struct cells_shape shape, const double *real) {
    for (uint32_t i = 0; i < shape.reals; i++) {
        cells[i * shape.outputs + k] = CELLS(stored)(real[i]);
    }
}

INLINE bool CELLS(is_behind)(const KIND *kind, REAL *cells, const struct cells_shape shape) {
    return shape.has_tick && *CELLS(tick)(cells, shape) != kind->base.ticks->tick;
}

// The weights of a row as they stand now, rounded as catching it up would.
INLINE void CELLS(weights)(const KIND *kind, uint32_t row, const struct cells_shape shape, double *weight_out) {
    REAL *cells = CELLS(cells)(kind, row, shape);
    bool is_behind = CELLS(is_behind)(kind, cells, shape);
    struct missed missed = is_behind ? missed_since(kind, *CELLS(tick)(cells, shape)) : (struct missed){0};
    for (uint32_t k = 0; k < shape.outputs; k++) {
        double real[RF_OPTIMIZER_REALS_MAX] = {0};
        CELLS(load)(cells, k, shape, real);
        if (is_behind) {
            drift(kind, &missed, real);
            for (uint32_t i = 0; i < shape.reals; i++) {
                real[i] = (double)CELLS(stored)(real[i]);
            }
        }
        weight_out[k] = weight_of(kind, row == kind->base.bias_row, real);
    }
}

INLINE void CELLS(gather)(const KIND *kind, const uint32_t *rows, size_t count, double *weight_out,
                          const struct cells_shape shape) {
    for (size_t i = 0; i < count; i++) {
        CELLS(weights)(kind, rows[i], shape, weight_out + i * shape.outputs);
    }
}

INLINE void CELLS(score)(const KIND *kind, const uint32_t *rows, const double *x, size_t count, double *score_out,
                         const struct cells_shape shape) {
    struct rf_lanes lanes = {{0}};
    for (uint32_t k = 0; k < shape.outputs; k++) {
        score_out[k] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (shape.outputs == 1) {
            double weight;
            CELLS(weights)(kind, rows[i], shape, &weight);
            lanes.sum[i % 8] += weight * x[i];
            continue;
        }
        double *weight = kind->base.move; // no step is being taken
        CELLS(weights)(kind, rows[i], shape, weight);
        for (uint32_t k = 0; k < shape.outputs; k++) {
            score_out[k] += weight[k] * x[i];
        }
    }
    if (shape.outputs == 1) {
        score_out[0] = rf_lanes_total(&lanes);
    }
}

INLINE void CELLS(catch_up)(const KIND *kind, REAL *cells, const struct cells_shape shape) {
    if (!CELLS(is_behind)(kind, cells, shape)) {
        return;
    }
    uint32_t *tick = CELLS(tick)(cells, shape);
    struct missed missed = missed_since(kind, *tick);
    *tick = kind->base.ticks->tick;
    for (uint32_t k = 0; k < shape.outputs; k++) {
        double real[RF_OPTIMIZER_REALS_MAX] = {0};
        CELLS(load)(cells, k, shape, real);
        drift(kind, &missed, real);
        CELLS(store)(cells, k, shape, real);
    }
}

INLINE void CELLS(advance)(KIND *kind, const uint32_t *rows, size_t count, const struct cells_shape shape) {
    rf_block_touch_rows(kind->base.touched, rows, count);
    for (size_t i = 0; i < count; i++) {
        CELLS(catch_up)(kind, CELLS(cells)(kind, rows[i], shape), shape);
    }
}

INLINE bool CELLS(step)(KIND *kind, const struct rf_step *step, double rate, const struct cells_shape shape) {
    if (!rf_optimizer_moves(&kind->base, step, rate)) {
        return false;
    }
    const struct pace pace = pace_of(kind, rate);
    const uint32_t now = kind->base.ticks->tick;
    for (size_t i = 0; i < step->count; i++) {
        REAL *cells = CELLS(cells)(kind, step->rows[i], shape);
        bool is_bias = step->rows[i] == kind->base.bias_row;
        bool is_first = shape.has_tick && *CELLS(tick)(cells, shape) == now;
        if (shape.has_tick) {
            *CELLS(tick)(cells, shape) = now + 1;
        }
        for (uint32_t k = 0; k < shape.outputs; k++) {
            double real[RF_OPTIMIZER_REALS_MAX] = {0};
            CELLS(load)(cells, k, shape, real);
            move(kind, &pace, is_bias, real, step->gradient[k] * rf_step_x(step, i, k, shape.outputs), is_first);
            CELLS(store)(cells, k, shape, real);
        }
    }
    return true;
}

INLINE void CELLS(renew)(KIND *kind, const struct cells_shape shape) {
    for (size_t row = 0; row < kind->base.rows; row++) {
        REAL *cells = CELLS(cells)(kind, row, shape);
        bool is_used = *CELLS(tick)(cells, shape) != 0;
        for (uint32_t i = 0; i < shape.reals * shape.outputs && !is_used; i++) {
            is_used = cells[i] != 0;
        }
        if (is_used) { // pages never used stay untouched
            rf_block_touch(kind->base.touched, row);
            CELLS(catch_up)(kind, cells, shape);
            *CELLS(tick)(cells, shape) = 0;
        }
    }
}
