#ifndef RF_LEARNERS_OPTIMIZER_KIND_H
#define RF_LEARNERS_OPTIMIZER_KIND_H
// For the kinds built on optimizer_cells.h: what a row looks like, and the table of a kind for one type and shape.
#include "learners/optimizer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define INLINE static inline __attribute__((always_inline))

struct cells_shape {
    uint32_t outputs, reals;
    bool has_tick;
};

// The formatter takes pointers in a macro for products.
// clang-format off

// Makes ops_<shape>_<type>, `type` being the suffix that CELLS() appends. `renew_` is what RF_CELLS_RENEW made, or NULL.
#define RF_CELLS_KIND(name_, type, shape, outputs_, reals_, has_tick_, renew_) \
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
    static const struct rf_optimizer_ops ops_##shape##_##type = { \
            .name = name_, \
            .gather = gather_##shape##_##type, \
            .score = score_##shape##_##type, \
            .advance = advance_##shape##_##type, \
            .step = step_##shape##_##type, \
            .renew = renew_, \
            .destroy = KIND_DESTROY, \
    };

#define RF_CELLS_RENEW(type, reals_) \
    static void renew_all_##type(struct rf_optimizer *self) { \
        renew_##type(KIND_FROM(self), (struct cells_shape){self->outputs, reals_, true}); \
    }
// clang-format on

#endif
