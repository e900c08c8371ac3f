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
#include "learners/optimizer_fading.h"

enum { WEIGHT, MEAN_SQUARE, MEAN_CHANGE, REALS };

INLINE void drift(const struct fading *adadelta, const struct missed *missed, double *real) {
    (void)adadelta;
    real[WEIGHT] *= missed->kept;
    real[MEAN_SQUARE] *= missed->faded;
    real[MEAN_CHANGE] *= missed->faded;
}

INLINE void move(const struct fading *adadelta, const struct pace *pace, bool is_bias, double *real, double gradient,
                 bool is_first) {
    double mean_change = real[MEAN_CHANGE];
    if (is_first) {
        real[MEAN_SQUARE] *= adadelta->rho;
        real[MEAN_CHANGE] *= adadelta->rho;
        real[WEIGHT] *= 1 - pace->rate * l2_of(&adadelta->base, is_bias);
    }
    real[MEAN_SQUARE] += (1 - adadelta->rho) * (gradient * gradient);
    double change = gradient * sqrt((mean_change + adadelta->epsilon) / (real[MEAN_SQUARE] + adadelta->epsilon));
    real[MEAN_CHANGE] += (1 - adadelta->rho) * (change * change);
    real[WEIGHT] -= pace->rate * change;
}

#define CELLS_FILE "learners/optimizer_cells.h"
#include "learners/optimizer_reals.h"

RF_CELLS_KINDS("adadelta", kinds, REALS, true)

enum rf_status rf_optimizer_adadelta_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) {
    static const struct rf_optimizer_real reals[REALS] = {{"weight", RF_MERGE_DECAYED, false},
                                                          {"mean_square", RF_MERGE_DECAYED, true},
                                                          {"mean_change", RF_MERGE_DECAYED, true}};
    const struct rf_adadelta_options *own = options;
    struct fading *adadelta = calloc(1, sizeof *adadelta);
    if (!adadelta) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    adadelta->base.ops = kinds[context->is_double][context->outputs > 1];
    adadelta->rho = own->rho;
    adadelta->epsilon = own->epsilon;
    rf_powers_init(&adadelta->powers, own->rho);
    if (rf_optimizer_init(&adadelta->base, context, &own->rate, reals, REALS, true, err) != RF_OK ||
        rf_shrinking_init(&adadelta->shrinking, &own->rate, 0, context->l2, err) != RF_OK) {
        fading_destroy(&adadelta->base);
        return err->status;
    }
    *optimizer_out = &adadelta->base;
    return RF_OK;
}
