// RMSProp (Tieleman and Hinton, 2012: lecture 6.5 of "Neural networks for machine learning"), on every weight at every step:
//
//     mean_square <- rho * mean_square + (1 - rho) * (gradient * x)^2
//     weight      <- weight * (1 - rate_t * l2) - rate_t * gradient * x / sqrt(mean_square + epsilon)
//
// Where x is 0 both only decay: k missed steps are rho^k, and the product of shrink.h. Of several features in one row each
// moves the weight by its own part of the gradient, over the mean square with its part added; the decays act once.
#include "learners/optimizer_kind.h"
#include "learners/shrink.h"

struct rmsprop {
    struct rf_optimizer base;
    struct rf_shrinking shrinking;
    struct rf_powers fading; // of rho
    double rho, epsilon;
};

enum { WEIGHT, MEAN_SQUARE, REALS };

static void rmsprop_destroy(struct rf_optimizer *self) {
    struct rmsprop *rmsprop = (struct rmsprop *)self;
    rf_shrinking_finish(&rmsprop->shrinking);
    rf_optimizer_finish(&rmsprop->base);
    free(rmsprop);
}

static struct rmsprop *rmsprop_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == rmsprop_destroy);
    return (struct rmsprop *)self;
}

struct missed {
    double kept, faded; // of the weight; of the mean square
};

INLINE struct missed missed_since(const struct rmsprop *rmsprop, uint32_t tick) {
    uint64_t start = rf_optimizer_start(&rmsprop->base);
    uint64_t steps = rmsprop->base.ticks->steps;
    return (struct missed){
            .kept = rf_shrinking_over(&rmsprop->shrinking, start, start + tick, steps).factor,
            .faded = rf_powers_at(&rmsprop->fading, rmsprop->base.ticks->tick - tick),
    };
}

INLINE void drift(const struct rmsprop *rmsprop, const struct missed *missed, double *real) {
    (void)rmsprop;
    real[WEIGHT] *= missed->kept;
    real[MEAN_SQUARE] *= missed->faded;
}

INLINE double weight_of(const struct rmsprop *rmsprop, bool is_bias, const double *real) {
    (void)rmsprop;
    (void)is_bias;
    return real[WEIGHT];
}

struct pace {
    double rate;
};

INLINE struct pace pace_of(const struct rmsprop *rmsprop, double rate) {
    (void)rmsprop;
    return (struct pace){rate};
}

INLINE void move(const struct rmsprop *rmsprop, const struct pace *pace, bool is_bias, double *real, double gradient,
                 bool is_first) {
    if (is_first) {
        real[MEAN_SQUARE] *= rmsprop->rho;
        real[WEIGHT] *= 1 - pace->rate * (is_bias ? rmsprop->base.l2_bias : rmsprop->base.l2);
    }
    real[MEAN_SQUARE] += (1 - rmsprop->rho) * (gradient * gradient);
    real[WEIGHT] -= pace->rate * gradient / sqrt(real[MEAN_SQUARE] + rmsprop->epsilon);
}

#define KIND struct rmsprop
#define KIND_FROM(self) rmsprop_from(self)
#define KIND_DESTROY rmsprop_destroy

#define REAL float
#define CELLS(name) name##_float
#define CELL_MAX RF_CELL_MAX_FLOAT
#define CELL_MIN RF_CELL_MIN_FLOAT
#include "learners/optimizer_cells.h"
#undef REAL
#undef CELLS
#undef CELL_MAX
#undef CELL_MIN

#define REAL double
#define CELLS(name) name##_double
#define CELL_MAX RF_CELL_MAX_DOUBLE
#define CELL_MIN RF_CELL_MIN_DOUBLE
#include "learners/optimizer_cells.h"

RF_CELLS_RENEW(float, REALS)
RF_CELLS_RENEW(double, REALS)
RF_CELLS_KIND("rmsprop", float, one, 1, REALS, true, renew_all_float)
RF_CELLS_KIND("rmsprop", float, many, self->outputs, REALS, true, renew_all_float)
RF_CELLS_KIND("rmsprop", double, one, 1, REALS, true, renew_all_double)
RF_CELLS_KIND("rmsprop", double, many, self->outputs, REALS, true, renew_all_double)

enum rf_status rf_optimizer_rmsprop_create(const void *options, const struct rf_optimizer_context *context,
                                           struct rf_optimizer **optimizer_out, struct rf_error *err) {
    static const struct rf_optimizer_ops *const kinds[2][2] = {
            // [is_double][has many outputs]
            {&ops_one_float, &ops_many_float},
            {&ops_one_double, &ops_many_double},
    };
    static const struct rf_optimizer_real reals[REALS] = {{"weight", RF_MERGE_DECAYED, false},
                                                          {"mean_square", RF_MERGE_DECAYED, true}};
    const struct rf_rmsprop_options *own = options;
    struct rmsprop *rmsprop = calloc(1, sizeof *rmsprop);
    if (!rmsprop) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    rmsprop->base.ops = kinds[context->is_double][context->outputs > 1];
    rmsprop->rho = own->rho;
    rmsprop->epsilon = own->epsilon;
    rf_powers_init(&rmsprop->fading, own->rho);
    if (rf_optimizer_init(&rmsprop->base, context, &own->rate, reals, REALS, true, err) != RF_OK ||
        rf_shrinking_init(&rmsprop->shrinking, &own->rate, 0, context->l2, err) != RF_OK) {
        rmsprop_destroy(&rmsprop->base);
        return err->status;
    }
    *optimizer_out = &rmsprop->base;
    return RF_OK;
}
