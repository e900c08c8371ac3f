// AdaDelta (Zeiler, 2012), on every weight at every step:
//
//     mean_square <- rho * mean_square + (1 - rho) * (gradient * x)^2
//     change       = gradient * x * sqrt(mean_change + epsilon) / sqrt(mean_square + epsilon)
//     mean_change <- rho * mean_change + (1 - rho) * change^2
//     weight      <- weight * (1 - rate_t * l2) - rate_t * change
//
// (The paper's rule is that at rate 1.) Where x is 0 all three only decay: k missed steps are rho^k, and the product of
// shrink.h. Of several features in one row each makes a change of its own from its part of the gradient, by the means as
// they stand with the parts of those before it; the decays act once.
#include "learners/optimizer_kind.h"
#include "learners/shrink.h"

struct adadelta {
    struct rf_optimizer base;
    struct rf_shrinking shrinking;
    struct rf_powers fading; // of rho
    double rho, epsilon;
};

enum { WEIGHT, MEAN_SQUARE, MEAN_CHANGE, REALS };

static void adadelta_destroy(struct rf_optimizer *self) {
    struct adadelta *adadelta = (struct adadelta *)self;
    rf_shrinking_finish(&adadelta->shrinking);
    rf_optimizer_finish(&adadelta->base);
    free(adadelta);
}

static struct adadelta *adadelta_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == adadelta_destroy);
    return (struct adadelta *)self;
}

struct missed {
    double kept, faded; // of the weight; of the means
};

INLINE struct missed missed_since(const struct adadelta *adadelta, uint32_t tick) {
    uint64_t start = rf_optimizer_start(&adadelta->base);
    uint64_t steps = adadelta->base.ticks->steps;
    return (struct missed){
            .kept = rf_shrinking_over(&adadelta->shrinking, start, start + tick, steps).factor,
            .faded = rf_powers_at(&adadelta->fading, adadelta->base.ticks->tick - tick),
    };
}

INLINE void drift(const struct adadelta *adadelta, const struct missed *missed, double *real) {
    (void)adadelta;
    real[WEIGHT] *= missed->kept;
    real[MEAN_SQUARE] *= missed->faded;
    real[MEAN_CHANGE] *= missed->faded;
}

INLINE double weight_of(const struct adadelta *adadelta, bool is_bias, const double *real) {
    (void)adadelta;
    (void)is_bias;
    return real[WEIGHT];
}

struct pace {
    double rate;
};

INLINE struct pace pace_of(const struct adadelta *adadelta, double rate) {
    (void)adadelta;
    return (struct pace){rate};
}

INLINE void move(const struct adadelta *adadelta, const struct pace *pace, bool is_bias, double *real, double gradient,
                 bool is_first) {
    double mean_change = real[MEAN_CHANGE];
    if (is_first) {
        real[MEAN_SQUARE] *= adadelta->rho;
        real[MEAN_CHANGE] *= adadelta->rho;
        real[WEIGHT] *= 1 - pace->rate * (is_bias ? adadelta->base.l2_bias : adadelta->base.l2);
    }
    real[MEAN_SQUARE] += (1 - adadelta->rho) * (gradient * gradient);
    double change = gradient * sqrt((mean_change + adadelta->epsilon) / (real[MEAN_SQUARE] + adadelta->epsilon));
    real[MEAN_CHANGE] += (1 - adadelta->rho) * (change * change);
    real[WEIGHT] -= pace->rate * change;
}

#define KIND struct adadelta
#define KIND_FROM(self) adadelta_from(self)
#define KIND_DESTROY adadelta_destroy

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
RF_CELLS_KIND("adadelta", float, one, 1, REALS, true, renew_all_float)
RF_CELLS_KIND("adadelta", float, many, self->outputs, REALS, true, renew_all_float)
RF_CELLS_KIND("adadelta", double, one, 1, REALS, true, renew_all_double)
RF_CELLS_KIND("adadelta", double, many, self->outputs, REALS, true, renew_all_double)

enum rf_status rf_optimizer_adadelta_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) {
    static const struct rf_optimizer_ops *const kinds[2][2] = {
            // [is_double][has many outputs]
            {&ops_one_float, &ops_many_float},
            {&ops_one_double, &ops_many_double},
    };
    static const struct rf_optimizer_real reals[REALS] = {{"weight", RF_MERGE_DECAYED, false},
                                                          {"mean_square", RF_MERGE_DECAYED, true},
                                                          {"mean_change", RF_MERGE_DECAYED, true}};
    const struct rf_adadelta_options *own = options;
    struct adadelta *adadelta = calloc(1, sizeof *adadelta);
    if (!adadelta) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    adadelta->base.ops = kinds[context->is_double][context->outputs > 1];
    adadelta->rho = own->rho;
    adadelta->epsilon = own->epsilon;
    rf_powers_init(&adadelta->fading, own->rho);
    if (rf_optimizer_init(&adadelta->base, context, &own->rate, reals, REALS, true, err) != RF_OK ||
        rf_shrinking_init(&adadelta->shrinking, &own->rate, 0, context->l2, err) != RF_OK) {
        adadelta_destroy(&adadelta->base);
        return err->status;
    }
    *optimizer_out = &adadelta->base;
    return RF_OK;
}
