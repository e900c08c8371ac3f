#ifndef RF_LEARNERS_OPTIMIZER_KIND_H
#define RF_LEARNERS_OPTIMIZER_KIND_H
// For the kinds whose loops are written once for both number types (see optimizer_reals.h): what they need in common. For those
// built on optimizer_cells.h: what a row looks like, and the tables of a kind for one shape.
#include "learners/optimizer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define INLINE static inline __attribute__((always_inline))

INLINE double l2_of(const struct rf_optimizer *self, bool is_bias) {
    if (is_bias) {
        return self->l2_bias;
    }
    return self->l2;
}

// A value as a cell keeps it.
INLINE float stored_float(double value) {
    if (fabs(value) < RF_CELL_MIN_FLOAT) {
        return 0;
    }
    return (float)(value > RF_CELL_MAX_FLOAT ? RF_CELL_MAX_FLOAT : value < -RF_CELL_MAX_FLOAT ? -RF_CELL_MAX_FLOAT : value);
}

INLINE double stored_double(double value) {
    if (fabs(value) < RF_CELL_MIN_DOUBLE) {
        return 0;
    }
    return value > RF_CELL_MAX_DOUBLE ? RF_CELL_MAX_DOUBLE : value < -RF_CELL_MAX_DOUBLE ? -RF_CELL_MAX_DOUBLE : value;
}

struct cells_shape {
    uint32_t outputs, reals;
    bool has_tick;
};

// The formatter takes pointers in a macro for products.
// clang-format off

// Makes <shape>_<type>, the ops for one shape, `type` being the suffix that CELLS() appends.
#define RF_CELLS_KIND(name_, type, shape, outputs_, reals_, has_tick_) \
    static void gather_##shape##_##type(const struct rf_optimizer *self, const uint32_t *rows, size_t count, \
                                        double *weight_out) { \
        gather_##type((const KIND *)self, rows, count, weight_out, (struct cells_shape){outputs_, reals_, has_tick_}); \
    } \
    static void score_##shape##_##type(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, \
                                       double *score_out) { \
        score_##type((const KIND *)self, rows, x, count, score_out, (struct cells_shape){outputs_, reals_, has_tick_}); \
    } \
    static void advance_##shape##_##type(struct rf_optimizer *self, const uint32_t *rows, size_t count) { \
        advance_##type(KIND_FROM(self), rows, count, (struct cells_shape){outputs_, reals_, has_tick_}); \
    } \
    static bool step_##shape##_##type(struct rf_optimizer *self, const struct rf_step *step, double rate) { \
        return step_##type(KIND_FROM(self), step, rate, (struct cells_shape){outputs_, reals_, has_tick_}); \
    } \
    static void renew_##shape##_##type(struct rf_optimizer *self) { \
        renew_##type(KIND_FROM(self), (struct cells_shape){outputs_, reals_, has_tick_}); \
    } \
    static const struct rf_optimizer_ops shape##_##type = { \
            .name = name_, \
            .gather = gather_##shape##_##type, \
            .score = score_##shape##_##type, \
            .advance = advance_##shape##_##type, \
            .step = step_##shape##_##type, \
            .renew = has_tick_ ? renew_##shape##_##type : NULL, \
            .destroy = KIND_DESTROY, \
    };

// Makes <kinds>[is_double][has many outputs], pointers to the ops for rows of so many reals, and a tick.
#define RF_CELLS_KINDS(name_, kinds, reals_, has_tick_) \
    RF_CELLS_KIND(name_, float, kinds##_one, 1, reals_, has_tick_) \
    RF_CELLS_KIND(name_, float, kinds##_many, self->outputs, reals_, has_tick_) \
    RF_CELLS_KIND(name_, double, kinds##_one, 1, reals_, has_tick_) \
    RF_CELLS_KIND(name_, double, kinds##_many, self->outputs, reals_, has_tick_) \
    static const struct rf_optimizer_ops *const kinds[2][2] = { \
            {&kinds##_one_float, &kinds##_many_float}, \
            {&kinds##_one_double, &kinds##_many_double}, \
    };
// clang-format on

#endif
