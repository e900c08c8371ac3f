// Adam (Kingma and Ba, 2015), with epsilon as at the end of the paper's section 2 and decoupled L2, on every weight at every
// step t = 0, 1, 2, ..:
//
//     mean        <- beta1 * mean + (1 - beta1) * gradient * x
//     mean_square <- beta2 * mean_square + (1 - beta2) * (gradient * x)^2
//     weight      <- weight * (1 - rate_t * l2) - pace_t * mean / (sqrt(mean_square) + epsilon)
//     pace_t       = rate_t * sqrt(1 - beta2^(t + 1)) / (1 - beta1^(t + 1))
//
// Where x is 0 both means only decay, but the weight goes on by their ratio, which with an epsilon has no closed form.
//
//   exact         The missed steps are made one by one. Each moves by at most ratio = beta1 / sqrt(beta2) times the one
//                 before, so those that could still be seen are few, however many were missed: for the usual betas 160 in
//                 single and 350 in double precision. The decays of the rest are powers.
//   approximate   As if there were no epsilon and the pace stayed that of the first missed step: the moves are a geometric
//                 series. Its error is that of the bias correction in the first 1 / (1 - beta2) steps, and of an epsilon
//                 that is not small beside the root; tests/learners/test_adam.c measures it.
//
// Of several features in one row each moves the weight by its own part of the gradient, over the mean square with its part
// added; the decays, and the move by the mean of before, happen once.
#include "learners/optimizer_kind.h"
#include "learners/shrink.h"
#include "proto/math.h"

enum { EXACT, APPROXIMATE };
const char *const rf_adam_catch_up_names[] = {"exact", "approximate", NULL};

enum { MOVES_MAX = 20000, LANES = 4 };

#define UNBIASED 0x1p-60 // beta2^(t + 1) below which the correction of the bias is 1

struct adam {
    struct rf_optimizer base;
    struct rf_shrinking shrinking;
    double beta1, beta2, epsilon;
    double ratio;                          // of one missed move to the one before, at most
    double of_mean[LANES], of_root[LANES]; // what 1, 2, .. steps leave of the mean, and of the root of the mean square
    uint32_t moves;                        // missed steps after which the weight stands still
    bool is_exact;
    struct rf_powers fading1, fading2; // of beta1 and beta2
    struct rf_powers fading_moves;     // of the ratio
};

enum { WEIGHT, MEAN, MEAN_SQUARE, REALS };

static void adam_destroy(struct rf_optimizer *self) {
    struct adam *adam = (struct adam *)self;
    rf_shrinking_finish(&adam->shrinking);
    rf_optimizer_finish(&adam->base);
    free(adam);
}

static struct adam *adam_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == adam_destroy);
    return (struct adam *)self;
}

static double power_at(const struct rf_powers *powers, uint64_t exponent) {
    return rf_powers_at(powers, exponent < RF_CATCH_UP_STEPS_MAX ? (uint32_t)exponent : RF_CATCH_UP_STEPS_MAX);
}

// The correction of the bias in pace_t, from beta1^(t + 1) and beta2^(t + 1).
INLINE double correction(double left1, double left2) {
    return left2 < UNBIASED ? 1 : sqrt(1 - left2) / (1 - left1);
}

static double pace_at(const struct adam *adam, double rate, uint64_t step) {
    return rate * correction(power_at(&adam->fading1, step + 1), power_at(&adam->fading2, step + 1));
}

static double rate_at(const struct adam *adam, uint64_t step) {
    const struct rf_optimizer *base = &adam->base;
    return base->rate_block == 1 ? base->rate.first : rf_rate_at(&base->rate, step / RF_RATE_BLOCK * RF_RATE_BLOCK);
}

struct missed {
    uint64_t from, to; // the steps missed
    double pace;       // of the first; approximate
    double kept;       // of the weight by its decay: of all steps; exact: of those in which it no longer moves
    double faded1, faded2;
};

INLINE struct missed missed_since(const struct adam *adam, uint32_t tick) {
    const uint64_t start = rf_optimizer_start(&adam->base);
    const uint32_t count = adam->base.ticks->tick - tick;
    struct missed missed = {
            .from = start + tick,
            .to = adam->base.ticks->steps,
            .faded1 = rf_powers_at(&adam->fading1, count),
            .faded2 = rf_powers_at(&adam->fading2, count),
    };
    uint64_t still = missed.from;
    if (adam->is_exact) {
        still += count < adam->moves ? count : adam->moves;
    } else {
        missed.pace = pace_at(adam, rate_at(adam, missed.from), missed.from);
    }
    missed.kept = rf_shrinking_over(&adam->shrinking, start, still, missed.to).factor;
    return missed;
}

// The missed steps [from, to) in which the rate is held, one by one.
static double moved(const struct adam *adam, uint64_t from, uint64_t to, double weight, double *mean, double *root) {
    const double rate = rate_at(adam, from);
    const double kept = 1 - rate * adam->base.l2;
    double left1 = power_at(&adam->fading1, from + 1);
    double left2 = power_at(&adam->fading2, from + 1);
    uint64_t step = from;
    for (; left2 < UNBIASED && step + LANES <= to; step += LANES) { // side by side: each has a division to wait for
        double move[LANES];
        for (size_t i = 0; i < LANES; i++) {
            move[i] = *mean * adam->of_mean[i] / (*root * adam->of_root[i] + adam->epsilon);
        }
        *mean *= adam->of_mean[LANES - 1];
        *root *= adam->of_root[LANES - 1];
        double moves = ((move[0] * kept + move[1]) * kept + move[2]) * kept + move[3];
        weight = (kept * kept) * (kept * kept) * weight - rate * moves;
    }
    for (; step < to; step++) {
        *mean *= adam->beta1;
        *root *= adam->of_root[0];
        weight = kept * weight - rate * correction(left1, left2) * *mean / (*root + adam->epsilon);
        left1 *= adam->beta1;
        left2 *= adam->beta2;
    }
    return weight;
}

static double moved_exactly(const struct adam *adam, const struct missed *missed, const double *real) {
    double weight = real[WEIGHT];
    double mean = real[MEAN];
    double root = sqrt(real[MEAN_SQUARE]);
    if (mean == 0 && (weight == 0 || adam->base.l2 == 0)) { // a row not used so far, or at rest
        return weight;
    }
    uint64_t still = missed->to - missed->from < adam->moves ? missed->to : missed->from + adam->moves;
    for (uint64_t from = missed->from; from < still;) {
        uint64_t block_end = (from / RF_RATE_BLOCK + 1) * RF_RATE_BLOCK;
        uint64_t to = adam->base.rate_block > 1 && block_end < still ? block_end : still;
        weight = moved(adam, from, to, weight, &mean, &root);
        from = to;
    }
    return weight * missed->kept;
}

INLINE void drift(const struct adam *adam, const struct missed *missed, double *real) {
    if (adam->is_exact) {
        real[WEIGHT] = moved_exactly(adam, missed, real);
    } else {
        double series = adam->ratio * (1 - power_at(&adam->fading_moves, missed->to - missed->from)) / (1 - adam->ratio);
        double move = missed->pace * real[MEAN] / (sqrt(real[MEAN_SQUARE]) + adam->epsilon);
        real[WEIGHT] = (real[WEIGHT] - move * series) * missed->kept; // most of it moves early in the gap
    }
    real[MEAN] *= missed->faded1;
    real[MEAN_SQUARE] *= missed->faded2;
}

INLINE double weight_of(const struct adam *adam, bool is_bias, const double *real) {
    (void)adam;
    (void)is_bias;
    return real[WEIGHT];
}

struct pace {
    double rate, corrected;
};

INLINE struct pace pace_of(const struct adam *adam, double rate) {
    return (struct pace){.rate = rate, .corrected = pace_at(adam, rate, adam->base.ticks->steps)};
}

INLINE void move(const struct adam *adam, const struct pace *pace, bool is_bias, double *real, double gradient, bool is_first) {
    double before = is_first ? adam->beta1 * real[MEAN] : real[MEAN];
    double part = (1 - adam->beta1) * gradient;
    if (is_first) {
        real[MEAN_SQUARE] *= adam->beta2;
        real[WEIGHT] *= 1 - pace->rate * l2_of(&adam->base, is_bias);
    }
    real[MEAN] = before + part;
    real[MEAN_SQUARE] += (1 - adam->beta2) * (gradient * gradient);
    real[WEIGHT] -= pace->corrected * (is_first ? real[MEAN] : part) / (sqrt(real[MEAN_SQUARE]) + adam->epsilon);
}

#define KIND struct adam
#define KIND_FROM(self) adam_from(self)
#define KIND_DESTROY adam_destroy
#define CELLS_FILE "learners/optimizer_cells.h"
#include "learners/optimizer_reals.h"

RF_CELLS_KINDS("adam", kinds, REALS, true)

// After how many missed steps no move of a weight can be seen any more, in a precision.
static enum rf_status count_moves(struct adam *adam, bool is_double, struct rf_error *err) {
    adam->ratio = adam->beta2 > 0 ? adam->beta1 / sqrt(adam->beta2) : adam->beta1 > 0 ? 1 : 0;
    if (!(adam->ratio < 1)) {
        return rf_fail(err, RF_INVALID, "beta1 is %g with beta2 %g, must be below the root of beta2", adam->beta1, adam->beta2);
    }
    double moves = adam->ratio > 0 ? ceil((is_double ? -53 : -24) * rf_log(2) / rf_log(adam->ratio)) : 1;
    if (!(moves <= MOVES_MAX)) {
        return rf_fail(err, RF_INVALID,
                       "beta1 %g and beta2 %g leave %g steps to catch up with, must be at most %d: lower beta1 or raise beta2",
                       adam->beta1, adam->beta2, moves, MOVES_MAX);
    }
    adam->moves = (uint32_t)moves;
    return RF_OK;
}

enum rf_status rf_optimizer_adam_create(const void *options, const struct rf_optimizer_context *context,
                                        struct rf_optimizer **optimizer_out, struct rf_error *err) {
    static const struct rf_optimizer_real reals[REALS] = {
            {"weight", RF_MERGE_DECAYED, false}, {"mean", RF_MERGE_DECAYED, false}, {"mean_square", RF_MERGE_DECAYED, true}};
    const struct rf_adam_options *own = options;
    struct adam *adam = calloc(1, sizeof *adam);
    if (!adam) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    adam->base.ops = kinds[context->is_double][context->outputs > 1];
    adam->beta1 = own->beta1;
    adam->beta2 = own->beta2;
    adam->epsilon = own->epsilon;
    for (size_t i = 0; i < LANES; i++) {
        adam->of_mean[i] = (i > 0 ? adam->of_mean[i - 1] : 1) * own->beta1;
        adam->of_root[i] = (i > 0 ? adam->of_root[i - 1] : 1) * sqrt(own->beta2);
    }
    adam->is_exact = own->catch_up == EXACT;
    if (count_moves(adam, context->is_double, err) != RF_OK ||
        rf_optimizer_init(&adam->base, context, &own->rate, reals, REALS, true, err) != RF_OK ||
        rf_shrinking_init(&adam->shrinking, &own->rate, 0, context->l2, err) != RF_OK) {
        adam_destroy(&adam->base);
        return err->status;
    }
    rf_powers_init(&adam->fading1, own->beta1);
    rf_powers_init(&adam->fading2, own->beta2);
    rf_powers_init(&adam->fading_moves, adam->ratio);
    adam->base.rate_block = rf_rate_varies(&own->rate) ? RF_RATE_BLOCK : 1; // the missed steps need it
    *optimizer_out = &adam->base;
    return RF_OK;
}
