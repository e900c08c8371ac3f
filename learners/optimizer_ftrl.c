// Follow the regularised leader, proximal (McMahan et al., 2013: "Ad click prediction: a view from the trenches"), with
// g = gradient * x:
//
//     sigma   <- (sqrt(squares + g^2) - sqrt(squares)) / alpha
//     total   <- total + g - sigma * weight
//     squares <- squares + g^2
//     weight   = 0 where |total| <= l1, else -(total - sign(total) l1) / ((beta + sqrt(squares)) / alpha + l2)
//
// The weight follows from the two sums, and is not stored. Where x is 0 nothing moves: there is nothing to catch up with.
// The bias is not regularised unless asked for. Several features in one row are so many steps of it, one after the other.
//
// `lagging` does as River (0.7 to 0.26) does: the weight is what it was before the sums moved last, is brought up to date
// only when its feature is learned again (after the gradient was taken at the old one), and keeps its value, instead of 0,
// while |total| <= l1. It is then stored.
#include "learners/optimizer_kind.h"

struct ftrl {
    struct rf_optimizer base;
    double alpha, beta;
    double l1[2], l2[2]; // [is_bias]
    bool lagging;
};

enum { TOTAL, SQUARES, WEIGHT, REALS };

static void ftrl_destroy(struct rf_optimizer *self) {
    rf_optimizer_finish(self);
    free(self);
}

static struct ftrl *ftrl_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == ftrl_destroy);
    return (struct ftrl *)self;
}

struct missed {
    char nothing;
};

INLINE struct missed missed_since(const struct ftrl *ftrl, uint32_t tick) {
    (void)ftrl;
    (void)tick;
    return (struct missed){0};
}

INLINE void drift(const struct ftrl *ftrl, const struct missed *missed, double *real) {
    (void)ftrl;
    (void)missed;
    (void)real;
}

INLINE double leader(const struct ftrl *ftrl, bool is_bias, const double *real, double otherwise) {
    double size = fabs(real[TOTAL]) - ftrl->l1[is_bias];
    double curvature = (ftrl->beta + sqrt(real[SQUARES])) / ftrl->alpha + ftrl->l2[is_bias];
    return size > 0 && curvature > 0 ? -copysign(size, real[TOTAL]) / curvature : otherwise;
}

INLINE double weight_of(const struct ftrl *ftrl, bool is_bias, const double *real) {
    return ftrl->lagging ? real[WEIGHT] : leader(ftrl, is_bias, real, 0);
}

struct pace {
    char nothing;
};

INLINE struct pace pace_of(const struct ftrl *ftrl, double rate) {
    (void)ftrl;
    (void)rate;
    return (struct pace){0};
}

INLINE void move(const struct ftrl *ftrl, const struct pace *pace, bool is_bias, double *real, double gradient, bool is_first) {
    (void)pace;
    (void)is_first;
    double weight = leader(ftrl, is_bias, real, ftrl->lagging ? real[WEIGHT] : 0);
    double squares = real[SQUARES] + gradient * gradient;
    real[TOTAL] += gradient - (sqrt(squares) - sqrt(real[SQUARES])) / ftrl->alpha * weight;
    real[SQUARES] = squares;
    if (ftrl->lagging) {
        real[WEIGHT] = weight;
    }
}

#define KIND struct ftrl
#define KIND_FROM(self) ftrl_from(self)
#define KIND_DESTROY ftrl_destroy
#define CELLS_FILE "learners/optimizer_cells.h"
#include "learners/optimizer_reals.h"

RF_CELLS_KINDS("ftrl", usual, WEIGHT, false)
RF_CELLS_KINDS("ftrl", lagging, REALS, false)

enum rf_status rf_optimizer_ftrl_create(const void *options, const struct rf_optimizer_context *context,
                                        struct rf_optimizer **optimizer_out, struct rf_error *err) {
    // A weight that lags follows from no sum of two workers' sums.
    static const struct rf_optimizer_real reals[REALS] = {
            {"total", RF_MERGE_SUM, false}, {"squares", RF_MERGE_SUM, true}, {"weight", RF_MERGE_NONE, false}};
    const struct rf_ftrl_options *own = options;
    assert(context->l1 == 0 && context->l2 == 0); // else refused, see combination.h
    struct ftrl *ftrl = calloc(1, sizeof *ftrl);
    if (!ftrl) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    ftrl->base.ops = (own->lagging ? lagging : usual)[context->is_double][context->outputs > 1];
    ftrl->alpha = own->alpha;
    ftrl->beta = own->beta;
    ftrl->l1[false] = own->l1;
    ftrl->l2[false] = own->l2;
    ftrl->l1[true] = context->regularise_bias ? own->l1 : 0;
    ftrl->l2[true] = context->regularise_bias ? own->l2 : 0;
    ftrl->lagging = own->lagging;
    const struct rf_rate rate = {.first = own->alpha};
    if (rf_optimizer_init(&ftrl->base, context, &rate, reals, own->lagging ? REALS : WEIGHT, false, err) != RF_OK) {
        ftrl_destroy(&ftrl->base);
        return err->status;
    }
    *optimizer_out = &ftrl->base;
    return RF_OK;
}
