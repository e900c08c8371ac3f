// RMSProp (Tieleman and Hinton, 2012: lecture 6.5 of "Neural networks for machine learning"), on every weight at every step:
//
//     mean_square <- rho * mean_square + (1 - rho) * (gradient * x)^2
//     weight      <- weight * (1 - rate_t * l2) - rate_t * gradient * x / sqrt(mean_square + epsilon)
//
// Where x is 0 both only decay: k missed steps are rho^k, and the product of shrink.h. Of several features in one row each
// moves the weight by its own part of the gradient, over the mean square with its part added; the decays act once.
#include "learners/optimizer_fading.h"

enum { WEIGHT, MEAN_SQUARE, REALS };

INLINE void drift(const struct fading *rmsprop, const struct missed *missed, double *real) {
    (void)rmsprop;
    real[WEIGHT] *= missed->kept;
    real[MEAN_SQUARE] *= missed->faded;
}

INLINE void move(const struct fading *rmsprop, const struct pace *pace, bool is_bias, double *real, double gradient,
                 bool is_first) {
    if (is_first) {
        real[MEAN_SQUARE] *= rmsprop->rho;
        real[WEIGHT] *= 1 - pace->rate * l2_of(&rmsprop->base, is_bias);
    }
    real[MEAN_SQUARE] += (1 - rmsprop->rho) * (gradient * gradient);
    real[WEIGHT] -= pace->rate * gradient / sqrt(real[MEAN_SQUARE] + rmsprop->epsilon);
}

#define CELLS_FILE "learners/optimizer_cells.h"
#include "learners/optimizer_reals.h"

RF_CELLS_KINDS("rmsprop", kinds, REALS, true)

enum rf_status rf_optimizer_rmsprop_create(const void *options, const struct rf_optimizer_context *context,
                                           struct rf_optimizer **optimizer_out, struct rf_error *err) {
    static const struct rf_optimizer_real reals[REALS] = {{"weight", RF_MERGE_DECAYED, false},
                                                          {"mean_square", RF_MERGE_DECAYED, true}};
    const struct rf_rmsprop_options *own = options;
    struct fading *rmsprop = calloc(1, sizeof *rmsprop);
    if (!rmsprop) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    rmsprop->base.ops = kinds[context->is_double][context->outputs > 1];
    rmsprop->rho = own->rho;
    rmsprop->epsilon = own->epsilon;
    rf_powers_init(&rmsprop->powers, own->rho);
    if (rf_optimizer_init(&rmsprop->base, context, &own->rate, reals, REALS, true, err) != RF_OK ||
        rf_shrinking_init(&rmsprop->shrinking, &own->rate, 0, context->l2, err) != RF_OK) {
        fading_destroy(&rmsprop->base);
        return err->status;
    }
    *optimizer_out = &rmsprop->base;
    return RF_OK;
}
