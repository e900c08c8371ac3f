#ifndef RF_LEARNERS_OPTIMIZER_FADING_H
#define RF_LEARNERS_OPTIMIZER_FADING_H
// What RMSProp and AdaDelta are to optimizer_cells.h in common: the first real is the weight, which L2 shrinks, and the others
// are means that fade by rho at every step.
#include "learners/optimizer_kind.h"
#include "learners/shrink.h"

struct fading {
    struct rf_optimizer base;
    struct rf_shrinking shrinking;
    struct rf_powers powers; // of rho
    double rho, epsilon;
};

static void fading_destroy(struct rf_optimizer *self) {
    struct fading *fading = (struct fading *)self;
    rf_shrinking_finish(&fading->shrinking);
    rf_optimizer_finish(&fading->base);
    free(fading);
}

static struct fading *fading_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == fading_destroy);
    return (struct fading *)self;
}

struct missed {
    double kept, faded; // of the weight; of the means
};

INLINE struct missed missed_since(const struct fading *fading, uint32_t tick) {
    uint64_t start = rf_optimizer_start(&fading->base);
    uint64_t steps = fading->base.ticks->steps;
    return (struct missed){
            .kept = rf_shrinking_over(&fading->shrinking, start, start + tick, steps).factor,
            .faded = rf_powers_at(&fading->powers, fading->base.ticks->tick - tick),
    };
}

INLINE double weight_of(const struct fading *fading, bool is_bias, const double *real) {
    (void)fading;
    (void)is_bias;
    return real[0];
}

struct pace {
    double rate;
};

INLINE struct pace pace_of(const struct fading *fading, double rate) {
    (void)fading;
    return (struct pace){rate};
}

#define KIND struct fading
#define KIND_FROM(self) fading_from(self)
#define KIND_DESTROY fading_destroy

#endif
