// Stochastic gradient descent with L2 (Robbins and Monro, 1951), on every weight at every step:
//
//     weight <- weight * (1 - rate_t * l2) - rate_t * gradient * x
//
// Where x is 0 only the decay is left. A row keeps the tick up to which it has decayed and is caught up by the product of
// the factors it missed when its feature appears again: a power at a constant rate, see catch_up.h for one that falls.
#include "learners/catch_up.h"
#include "learners/optimizer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define INLINE static inline __attribute__((always_inline))

struct sgd {
    struct rf_optimizer base;
    struct rf_powers decay;           // under L2 at a constant rate: of 1 - rate * l2
    struct rf_decay_sums *decay_sums; // under L2 at a rate that falls, else NULL
};

static void sgd_destroy(struct rf_optimizer *self) {
    struct sgd *sgd = (struct sgd *)self;
    rf_decay_sums_destroy(sgd->decay_sums);
    rf_optimizer_finish(&sgd->base);
    free(sgd);
}

static struct sgd *sgd_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == sgd_destroy);
    return (struct sgd *)self;
}

// The product of the decays of the steps since a row's tick.
INLINE double missed_decay(const struct sgd *sgd, uint32_t tick) {
    const struct rf_ticks *ticks = sgd->base.ticks;
    if (tick == ticks->tick) {
        return 1;
    }
    if (!sgd->decay_sums) {
        return rf_powers_at(&sgd->decay, ticks->tick - tick);
    }
    uint64_t start = ticks->steps - ticks->tick;
    return rf_decay_sums_product(sgd->decay_sums, start, start + tick, ticks->steps);
}

#define REAL float
#define CELLS(name) name##_float
#define CELL_MAX RF_CELL_MAX_FLOAT
#define CELL_MIN RF_CELL_MIN_FLOAT
#include "learners/optimizer_sgd_cells.h"

#define REAL double
#define CELLS(name) name##_double
#define CELL_MAX RF_CELL_MAX_DOUBLE
#define CELL_MIN RF_CELL_MIN_DOUBLE
#include "learners/optimizer_sgd_cells.h"

enum rf_status rf_optimizer_sgd_create(const void *options, const struct rf_optimizer_context *context,
                                       struct rf_optimizer **optimizer_out, struct rf_error *err) {
    static const struct rf_optimizer_ops *const kinds[2][2][2] = {
            // [is_double][has_tick][has many outputs]
            {{&ops_one_float, &ops_many_float}, {&ops_one_ticked_float, &ops_many_ticked_float}},
            {{&ops_one_double, &ops_many_double}, {&ops_one_ticked_double, &ops_many_ticked_double}},
    };
    struct sgd *sgd = calloc(1, sizeof *sgd);
    if (!sgd) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    struct rf_rate rate = RF_RATE_OF((const struct rf_sgd_options *)options);
    bool has_tick = context->l2 > 0;
    sgd->base.ops = kinds[context->is_double][has_tick][context->outputs > 1];
    if (rf_optimizer_init(&sgd->base, context, rate, 1, has_tick, err) != RF_OK) {
        goto fail;
    }
    rf_powers_init(&sgd->decay, 1 - rate.first * context->l2);
    if (sgd->base.rate_block > 1 && rf_decay_sums_create(&rate, context->l2, &sgd->decay_sums, err) != RF_OK) {
        goto fail;
    }
    *optimizer_out = &sgd->base;
    return RF_OK;
fail:
    sgd_destroy(&sgd->base);
    return err->status;
}
