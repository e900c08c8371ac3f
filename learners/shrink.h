#ifndef RF_LEARNERS_SHRINK_H
#define RF_LEARNERS_SHRINK_H
// What the regularisers do to every weight at every step, whether its feature is present or not:
//
//     w <- soft((1 - rate_t l2) w, rate_t l1),     soft(w, b) = sign(w) max(0, |w| - b)
//
// L2 is a decay, L1 a soft threshold (the truncated gradient of Langford, Li and Zhang, 2009, at every step and without a
// ceiling). Over missed steps both have a closed form, at any rates: with c = l1 / l2 a step takes |w| + c to
// (1 - rate_t l2) (|w| + c), until |w| reaches 0, where it stays. So, D being the product of the factors,
//
//     |w| <- max(0, D |w| - c (1 - D)),     and without L2     |w| <- max(0, |w| - l1 * sum of rate_t)
//
// (the second is the cumulative penalty of Tsuruoka, Tsujii and Ananiadou, 2009). At a constant rate D is a power. For one
// that varies its logarithm is a sum over blocks of RF_RATE_BLOCK steps, in which the rate is held; what the sums are to each
// block of a span of steps is computed once, when first needed. It follows from the settings alone, and is no state.
#include "learners/catch_up.h"
#include "learners/rate.h"
#include "proto/status.h"

#include <math.h>

struct rf_shrink_sums;

struct rf_shrinking {
    double l1, l2;
    double one_step;             // at a constant rate: what it adds to the sum
    struct rf_powers power;      // at a constant rate, L2 alone: of 1 - rate * l2
    bool is_power;               // whether that is all
    struct rf_shrink_sums *sums; // at a rate that varies, else NULL
};

// Shrinks nothing where l1 and l2 are 0.
enum rf_status rf_shrinking_init(struct rf_shrinking *shrinking, const struct rf_rate *rate, double l1, double l2,
                                 struct rf_error *err) RF_MUST_USE;
void rf_shrinking_finish(struct rf_shrinking *shrinking);

// What happened over some steps: w becomes soft(factor * w, threshold).
struct rf_shrink {
    double factor, threshold;
};

static inline double rf_shrunk(struct rf_shrink shrink, double weight) {
    double size = shrink.factor * fabs(weight) - shrink.threshold;
    return size > 0 ? copysign(size, weight) : 0;
}

struct rf_shrink rf_shrinking_between(const struct rf_shrinking *shrinking, uint64_t start, uint64_t from, uint64_t to);

// Over the steps [from, to), both at most RF_CATCH_UP_STEPS_MAX above `start`, where the span begins.
static inline struct rf_shrink rf_shrinking_over(const struct rf_shrinking *shrinking, uint64_t start, uint64_t from,
                                                 uint64_t to) {
    return shrinking->is_power ? (struct rf_shrink){.factor = rf_powers_at(&shrinking->power, (uint32_t)(to - from))}
                               : rf_shrinking_between(shrinking, start, from, to);
}

#endif
