// Stochastic gradient descent (Robbins and Monro, 1951) with L1 and L2, on every weight at every step:
//
//     weight <- soft((1 - rate_t * l2) * weight - rate_t * gradient * x, rate_t * l1)
//
// Where x is 0 only the shrinking of shrink.h is left. A row keeps the tick up to which it has shrunk and is caught up in
// closed form when its feature appears again.
#include "learners/optimizer_kind.h"
#include "learners/shrink.h"

struct sgd {
    struct rf_optimizer base;
    struct rf_shrinking shrinking;
};

enum regularised { PLAIN, DECAYED, THRESHOLDED }; // not at all; by L2 alone; by L1, and L2 where it is given

static void sgd_destroy(struct rf_optimizer *self) {
    struct sgd *sgd = (struct sgd *)self;
    rf_shrinking_finish(&sgd->shrinking);
    rf_optimizer_finish(&sgd->base);
    free(sgd);
}

static struct sgd *sgd_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == sgd_destroy);
    return (struct sgd *)self;
}

// What the steps since a row's tick did to it.
INLINE struct rf_shrink missed_since(const struct sgd *sgd, uint32_t tick) {
    if (tick == sgd->base.ticks->tick) {
        return (struct rf_shrink){.factor = 1};
    }
    uint64_t start = rf_optimizer_start(&sgd->base);
    return rf_shrinking_over(&sgd->shrinking, start, start + tick, sgd->base.ticks->steps);
}

INLINE double shrunk(struct rf_shrink missed, double weight, enum regularised how) {
    return how == THRESHOLDED ? rf_shrunk(missed, weight) : missed.factor * weight;
}

#define CELLS_FILE "learners/optimizer_sgd_cells.h"
#include "learners/optimizer_reals.h"

enum rf_status rf_optimizer_sgd_create(const void *options, const struct rf_optimizer_context *context,
                                       struct rf_optimizer **optimizer_out, struct rf_error *err) {
    static const struct rf_optimizer_ops *const kinds[2][3][2] = {
            // [is_double][enum regularised][has many outputs]
            {{&ops_one_float, &ops_many_float},
             {&ops_one_decayed_float, &ops_many_decayed_float},
             {&ops_one_thresholded_float, &ops_many_thresholded_float}},
            {{&ops_one_double, &ops_many_double},
             {&ops_one_decayed_double, &ops_many_decayed_double},
             {&ops_one_thresholded_double, &ops_many_thresholded_double}},
    };
    if (((const struct rf_sgd_options *)options)->average) {
        return rf_optimizer_averaged_create(options, context, optimizer_out, err);
    }
    struct sgd *sgd = calloc(1, sizeof *sgd);
    if (!sgd) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    const struct rf_rate *rate = &((const struct rf_sgd_options *)options)->rate;
    enum regularised how = context->l1 > 0 ? THRESHOLDED : context->l2 > 0 ? DECAYED : PLAIN;
    // A weight that is not regularised is a sum of moves; else a decayed total, and its tick says up to when.
    const struct rf_optimizer_real weight = {"weight", how == PLAIN ? RF_MERGE_SUM : RF_MERGE_DECAYED, false};
    sgd->base.ops = kinds[context->is_double][how][context->outputs > 1];
    if (rf_optimizer_init(&sgd->base, context, rate, &weight, 1, how != PLAIN, err) != RF_OK ||
        rf_shrinking_init(&sgd->shrinking, rate, context->l1, context->l2, err) != RF_OK) {
        sgd_destroy(&sgd->base);
        return err->status;
    }
    *optimizer_out = &sgd->base;
    return RF_OK;
}
