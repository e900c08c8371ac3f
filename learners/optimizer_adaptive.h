#ifndef RF_LEARNERS_OPTIMIZER_ADAPTIVE_H
#define RF_LEARNERS_OPTIMIZER_ADAPTIVE_H
// What the adaptive optimizers, of one rate and of several, have in common.
//
// One step on a record with score s, features x and importance i (Duchi, Hazan and Singer, 2011; Ross, Mineiro and Langford,
// 2013; Karampatziakis and Langford, 2011; as Vowpal Wabbit 9 puts them together):
//
//     size  the largest |x| of the feature so far, see normaliser.h          z = x / size
//     A     <- A + i g^2 z^2             g the gradient by s; A counts as A + squares
//     M     the mean of |z|^2 over records, weighted by i
//     u     = sum of z^2 A^-power        how far s moves for a move of 1
//     d     the change of s under gradient flow of the loss over the importance  rate i u M^(power - 1)
//     v     <- v + (d / u) z A^-power    the weight of the feature is v / size
//
// Kept by size (A and v are those of z, not of x) everything is of the order of 1 for features of any scale; the rule is the
// same as that of the references, which keep x^2 in A and v / size. When the size grows by r, A <- A / r^2 and
// v <- v r^(2 power - 1): the weight as if the new size had been the old. When it shrinks, the weight stays.
//
// An importance counts at most 100 times the mean of those before, and the g of a regression at most 100 times the root of
// its mean square, that neither decides for ever (`resistant`).
//
// With l1, as Vowpal Wabbit does it: a weight w counts as w - sign(w) pull, and as 0 where |w| <= pull. The pull is common to all
// weights, those never met included, and grows by l1 times the rate that the step came to: (d / (u M^(power - 1))) / -g.
//
// Forgetting: A halves every `half_life` steps, or every `half_life_seconds` of event time (which never runs backwards). Rather
// than to shrink every A at every step, what is added is inflated by 2^age, the age being half-lives since it was last 0, and A
// counts by as much less. Beyond an age of 32 all A are brought down and it is 0 again.
#include "learners/normaliser.h"
#include "learners/optimizer.h"

#include <math.h>

struct rf_adaptive_norms { // one row of state
    double weight;         // sum of i
    double norm;           // sum of i |z|^2
    double slope;          // of a regression: sum of i g^2, the largest of the experts'
    double age;            // half-lives since A was brought down
    int64_t clock_ms;      // the latest event time; 0: none yet
    double importance;     // not adaptive: sum of i, records of gradient 0 included
    double pull;
};

struct rf_adaptive { // embedded first, holds the base
    struct rf_optimizer base;
    struct rf_adaptive_options options;
    struct rf_adaptive_norms *norms;
    double age;       // of the record being learned
    int64_t clock_ms; // likewise
    double growth;    // the exponent by which v falls when a size grows: 1 - 2 power
    double *slope;    // [experts][outputs] of the record being learned: gradients within bounds
    float *reach;     // [inputs_max, rounded up to 8] of the record being learned: z / sqrt(A)
    float *scaled;    // [the same] z
    float *value;     // [the same] x
    double *z;        // [inputs_max] of the record being learned; 0: nothing is learned from the value
};

#define RF_ADAPTIVE_SQUARE_MIN 1e-30 // a square z^2 below it counts as 0

// What the kinds do alike in setup, once a row is laid out.
enum rf_status rf_adaptive_init(struct rf_adaptive *self, const struct rf_adaptive_options *options,
                                const struct rf_optimizer_context *context, struct rf_error *err) RF_MUST_USE;
void rf_adaptive_finish(struct rf_adaptive *self);

enum rf_status rf_adaptive_reserve(struct rf_optimizer *self, size_t inputs_max, struct rf_error *err) RF_MUST_USE;
void rf_adaptive_state(struct rf_optimizer *self, struct rf_state *state);
enum rf_status rf_adaptive_check_norms(const struct rf_optimizer *self, struct rf_error *err) RF_MUST_USE;

// Whether a cell's size and note, and the numbers beside them, could have come about.
enum rf_status rf_adaptive_check_row(const struct rf_optimizer *self, size_t row, double size, uint32_t note,
                                     struct rf_error *err) RF_MUST_USE;

// By how much what is added to A counts more at the step of this record than at age 0.
double rf_adaptive_inflation(const struct rf_adaptive *self);

// At a renewal: what all A are to be multiplied by, 1: they stay. The age is 0 from here on.
double rf_adaptive_deflate(struct rf_adaptive *self);

// Takes a record with sum of z^2 `norm`, its age and its time into account, once its step is sure to be taken, and returns
// M^(power - 1).
double rf_adaptive_learn_norm(struct rf_adaptive *self, double norm, double weight);

// Lets time pass up to the record, and gives it as it counts: itself, or `bounded_out` with a smaller importance and smaller
// gradients.
const struct rf_step *rf_adaptive_bound(struct rf_adaptive *self, const struct rf_step *step, struct rf_step *bounded_out);

// The change of output k's score for an importance h = rate i u M^(power - 1): `gradient` is by the score, times `weight`. No
// loss is convex and flows further than its first gradient leads; a bounded gradient bounds it too.
static inline double rf_adaptive_change(const struct rf_adaptive *self, const struct rf_step *step, uint32_t k, double score,
                                        double gradient, double h) {
    if (self->options.invariant && step->loss->ops->flow) {
        double most = h * fabs(gradient / step->weight);
        double change = step->loss->ops->flow(step->loss, k, score, step->label, h);
        return change > most ? most : change < -most ? -most : change;
    }
    return -h * (gradient / step->weight);
}

// A weight of which `pull` is taken.
static inline double rf_adaptive_pulled(double weight, double pull) {
    return weight > pull ? weight - pull : weight < -pull ? weight + pull : 0;
}

// z of a value as it enters a score.
static inline double rf_adaptive_scaled(const struct rf_adaptive *self, double x, double size) {
    if (size == 0) {
        return 0;
    }
    double z = x / size;
    if (self->options.resistant) {
        z = z > RF_NORMALISER_CUT ? RF_NORMALISER_CUT : z < -RF_NORMALISER_CUT ? -RF_NORMALISER_CUT : z;
    }
    return z;
}

// The size after a value, of which `size` was held before; the same bits when nothing changes.
static inline double rf_adaptive_size(const struct rf_adaptive *self, double size, uint32_t *note, double value) {
    if (value < RF_NORMALISER_MIN) {
        return size;
    }
    if (!self->options.resistant) {
        return value > size ? value : size;
    }
    if (__builtin_expect(rf_normaliser_is_settled(size, *note, value), 1)) {
        return size;
    }
    double now = rf_normaliser_learn(size, note, value);
    return now > 0 ? now : size;
}

// A row of one output in single precision.
struct rf_adaptive_cell {
    float weight; // v
    float square; // A
    float size;
    uint32_t note;
};

// Learns the size of a value. False: nothing is to be learned from it.
bool rf_adaptive_learn_size(const struct rf_adaptive *self, struct rf_adaptive_cell *cell, float value);

// See optimizer_adaptive_fast.c.
void rf_adaptive_fast_score_baseline(const struct rf_optimizer *base, const uint32_t *rows, const double *x, size_t count,
                                     double *score_out);
bool rf_adaptive_fast_step_baseline(struct rf_optimizer *base, const struct rf_step *step, double rate);
void rf_adaptive_fast_score_avx2(const struct rf_optimizer *base, const uint32_t *rows, const double *x, size_t count,
                                 double *score_out);
bool rf_adaptive_fast_step_avx2(struct rf_optimizer *base, const struct rf_step *step, double rate);

#endif
