// Momentum, on every weight w with its velocity v at every step, gradient g, rate r, momentum m:
//
//     heavy ball (Polyak, 1964)     v <- m v - r (g x + l2 w),           w <- w + v,    g at w
//     Nesterov (1983), in the form of Sutskever et al. (2013)
//                                   v <- m v - r (g x + l2 (w + m v)),   w <- w + v,    g at w + m v, predictions at w
//
// Where x is 0 a step is a linear motion of (w, v), so k missed steps are its k-th power. Without L2 both are
//
//     w <- w + v (m + m^2 + .. + m^k),     v <- v m^k
//
// whatever the rate. With L2 the motion holds the rate, see drift.h for one that varies:
//
//     heavy ball   (1 - r l2     m)          Nesterov   (1 - r l2    m (1 - r l2))
//                  (  - r l2     m)                     (  - r l2    m (1 - r l2))
#include "learners/drift.h"
#include "learners/optimizer_kind.h"

struct momentum {
    struct rf_optimizer base;
    double keep; // share of the velocity that stays
    struct rf_drift drift;
};

static void momentum_destroy(struct rf_optimizer *self) {
    struct momentum *momentum = (struct momentum *)self;
    rf_drift_finish(&momentum->drift);
    rf_optimizer_finish(self);
    free(momentum);
}

static struct momentum *momentum_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == momentum_destroy);
    return (struct momentum *)self;
}

// What the steps since a row's tick did to it.
struct missed {
    uint32_t steps;
    struct rf_motion motion; // where the drift is a tree
};

INLINE struct missed missed_since(const struct momentum *momentum, uint32_t tick) {
    const struct rf_ticks *ticks = momentum->base.ticks;
    struct missed missed = {.steps = ticks->tick - tick};
    if (missed.steps > 0 && momentum->drift.tree) {
        uint64_t start = rf_optimizer_start(&momentum->base);
        missed.motion = rf_drift_between(&momentum->drift, start, start + tick, ticks->steps);
    }
    return missed;
}

INLINE void move_on(const struct momentum *momentum, const struct missed *missed, double *weight, double *velocity) {
    if (momentum->drift.tree) {
        rf_motion_apply(&missed->motion, weight, velocity);
    } else {
        rf_motion_powers_apply(&momentum->drift.power, missed->steps, weight, velocity);
    }
}

#define CELLS_FILE "learners/optimizer_momentum_cells.h"
#include "learners/optimizer_reals.h"

static enum rf_status create(const struct rf_momentum_options *options, const struct rf_optimizer_context *context,
                             bool looks_ahead, struct rf_optimizer **optimizer_out, struct rf_error *err) {
    static const struct rf_optimizer_ops *const kinds[2][2][2] = {
            // [is_double][looks_ahead][has many outputs]
            {{&ops_heavy_one_float, &ops_heavy_many_float}, {&ops_nesterov_one_float, &ops_nesterov_many_float}},
            {{&ops_heavy_one_double, &ops_heavy_many_double}, {&ops_nesterov_one_double, &ops_nesterov_many_double}},
    };
    static const struct rf_optimizer_real reals[] = {{"weight", RF_MERGE_DECAYED, false}, {"velocity", RF_MERGE_DECAYED, false}};
    const struct rf_rate *rate = &options->rate;
    assert(context->l1 == 0); // else refused, see combination.h
    struct momentum *momentum = calloc(1, sizeof *momentum);
    if (!momentum) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    momentum->base.ops = kinds[context->is_double][looks_ahead][context->outputs > 1];
    momentum->keep = options->momentum;
    if (rf_optimizer_init(&momentum->base, context, rate, reals, 2, true, err) != RF_OK ||
        rf_drift_init(&momentum->drift, rate, context->l2, options->momentum, looks_ahead, err) != RF_OK) {
        momentum_destroy(&momentum->base);
        return err->status;
    }
    *optimizer_out = &momentum->base;
    return RF_OK;
}

enum rf_status rf_optimizer_momentum_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) {
    return create(options, context, false, optimizer_out, err);
}

enum rf_status rf_optimizer_nesterov_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) {
    return create(options, context, true, optimizer_out, err);
}
