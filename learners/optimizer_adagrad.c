// AdaGrad (Duchi, Hazan and Singer, 2011), the diagonal form, on every weight at every step:
//
//     squares <- squares + (gradient * x)^2
//     weight  <- weight * (1 - rate_t * l2) - rate_t * gradient * x / sqrt(squares + epsilon)
//
// Where x is 0 only the decay is left: without L2 there is nothing to catch up with. Of several features in one row each
// moves the weight by its own part of the gradient, over the squares with its part added; the decay acts once.
#include "learners/optimizer_kind.h"
#include "learners/shrink.h"

struct adagrad {
    struct rf_optimizer base;
    struct rf_shrinking shrinking;
    double epsilon;
};

enum { WEIGHT, SQUARES, REALS };

static void adagrad_destroy(struct rf_optimizer *self) {
    struct adagrad *adagrad = (struct adagrad *)self;
    rf_shrinking_finish(&adagrad->shrinking);
    rf_optimizer_finish(&adagrad->base);
    free(adagrad);
}

static struct adagrad *adagrad_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == adagrad_destroy);
    return (struct adagrad *)self;
}

struct missed {
    double kept; // of the weight
};

INLINE struct missed missed_since(const struct adagrad *adagrad, uint32_t tick) {
    uint64_t start = rf_optimizer_start(&adagrad->base);
    return (struct missed){
            .kept = rf_shrinking_over(&adagrad->shrinking, start, start + tick, adagrad->base.ticks->steps).factor};
}

INLINE void drift(const struct adagrad *adagrad, const struct missed *missed, double *real) {
    (void)adagrad;
    real[WEIGHT] *= missed->kept;
}

INLINE double weight_of(const struct adagrad *adagrad, bool is_bias, const double *real) {
    (void)adagrad;
    (void)is_bias;
    return real[WEIGHT];
}

struct pace {
    double rate;
};

INLINE struct pace pace_of(const struct adagrad *adagrad, double rate) {
    (void)adagrad;
    return (struct pace){rate};
}

INLINE void move(const struct adagrad *adagrad, const struct pace *pace, bool is_bias, double *real, double gradient,
                 bool is_first) {
    real[SQUARES] += gradient * gradient;
    if (is_first) {
        real[WEIGHT] *= 1 - pace->rate * l2_of(&adagrad->base, is_bias);
    }
    real[WEIGHT] -= pace->rate * gradient / sqrt(real[SQUARES] + adagrad->epsilon);
}

#define KIND struct adagrad
#define KIND_FROM(self) adagrad_from(self)
#define KIND_DESTROY adagrad_destroy
#define CELLS_FILE "learners/optimizer_cells.h"
#include "learners/optimizer_reals.h"

RF_CELLS_KINDS("adagrad", plain, REALS, false)
RF_CELLS_KINDS("adagrad", ticked, REALS, true)

enum rf_status rf_optimizer_adagrad_create(const void *options, const struct rf_optimizer_context *context,
                                           struct rf_optimizer **optimizer_out, struct rf_error *err) {
    const struct rf_adagrad_options *own = options;
    struct adagrad *adagrad = calloc(1, sizeof *adagrad);
    if (!adagrad) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    bool has_tick = context->l2 > 0;
    const struct rf_optimizer_real reals[REALS] = {{"weight", has_tick ? RF_MERGE_DECAYED : RF_MERGE_SUM, false},
                                                   {"squares", RF_MERGE_SUM, true}};
    adagrad->base.ops = (has_tick ? ticked : plain)[context->is_double][context->outputs > 1];
    adagrad->epsilon = own->epsilon;
    if (rf_optimizer_init(&adagrad->base, context, &own->rate, reals, REALS, has_tick, err) != RF_OK ||
        rf_shrinking_init(&adagrad->shrinking, &own->rate, 0, context->l2, err) != RF_OK) {
        adagrad_destroy(&adagrad->base);
        return err->status;
    }
    *optimizer_out = &adagrad->base;
    return RF_OK;
}
