#ifndef RF_LEARNERS_LIKELIHOOD_H
#define RF_LEARNERS_LIKELIHOOD_H
// How probable an example is in each class: what the Bayes learner stands on. One file a kind. The header learners/learner.h
// (struct rf_bayes_options) says what each models.
#include "learners/learner.h"

struct rf_likelihood;

// Why class a rather than b.
struct rf_reasons {
    uint32_t a, b;
    struct rf_contribution *list; // [capacity] the largest
    size_t capacity, kept;
    size_t count; // of all contributions
    double rest;  // what belongs to no feature
};

struct rf_likelihood_ops {
    // joint[c] += log P(example | c), of all classes [classes]. Changes nothing.
    void (*add)(const struct rf_likelihood *self, const struct rf_examples *examples, size_t index, double *joint);

    // Learns that the example is of the class, `weight` > 0 times over, at most RF_BAYES_WEIGHT_MAX. Called before the records of
    // the class are counted. Returns how many of its features found no room, or cannot be used.
    size_t (*learn)(struct rf_likelihood *self, const struct rf_examples *examples, size_t index, uint32_t label, double weight);

    // Adds what each feature adds to log P(example | a) - log P(example | b) to the reasons, and the rest of it to their rest.
    void (*explain)(const struct rf_likelihood *self, const struct rf_examples *examples, size_t index,
                    struct rf_reasons *reasons);

    void (*renew)(struct rf_likelihood *self); // makes again what a merge has zeroed; NULL when nothing is derived
    void (*state)(struct rf_likelihood *self, struct rf_state *state);
    enum rf_status (*check)(const struct rf_likelihood *self, struct rf_error *err);
    void (*destroy)(struct rf_likelihood *self);
};

struct rf_likelihood { // embedded first in each kind
    const struct rf_likelihood_ops *ops;
    uint32_t classes;
    double smoothing;
    size_t features_max;   // of one example
    const double *records; // [classes] learned, by weight; the learner's
};

// Raw values are cut to what keeps every square and sum of them finite; a class's records stay below what a double counts
// exactly.
#define RF_BAYES_VALUE_MAX 1e100
#define RF_BAYES_WEIGHT_MAX 1e9
#define RF_BAYES_COUNT_MAX 0x1p53

static inline double rf_bayes_bounded(double value) {
    return value > -RF_BAYES_VALUE_MAX ? (value < RF_BAYES_VALUE_MAX ? value : RF_BAYES_VALUE_MAX) : -RF_BAYES_VALUE_MAX;
}

// log2 of the rows of a keyed table (proto/state.h) that has room for `fields_max` keys.
unsigned rf_likelihood_row_bits(uint64_t fields_max);

// Adds the contribution of feature `feature` of a batch.
void rf_likelihood_contribute(const struct rf_examples *examples, size_t feature, double amount, struct rf_reasons *reasons);

// The kinds. Each takes `base`, filled but for ops.
enum rf_status rf_likelihood_gaussian_create(const struct rf_bayes_options *options, const struct rf_likelihood *base,
                                             struct rf_likelihood **likelihood_out, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_likelihood_covariance_create(const struct rf_bayes_options *options, const struct rf_likelihood *base,
                                               struct rf_likelihood **likelihood_out, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_likelihood_count_create(const struct rf_bayes_options *options, const struct rf_likelihood *base,
                                          struct rf_likelihood **likelihood_out, struct rf_error *err) RF_MUST_USE;

#endif
