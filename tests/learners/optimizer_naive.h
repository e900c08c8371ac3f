#ifndef RF_TESTS_LEARNERS_OPTIMIZER_NAIVE_H
#define RF_TESTS_LEARNERS_OPTIMIZER_NAIVE_H
// The rules of the optimizers as their papers write them, on one weight, for a learner in which every weight takes every step.
#include "learners/learner.h"

#include <stdbool.h>

struct naive_weight {
    double weight;
    double moment[2]; // what the rule remembers
};

// Where the gradient is taken is this times moment[0] ahead of the weight.
double naive_ahead(const struct rf_linear_options *options);

// One step of all weights.
struct naive_step {
    void (*rule)(const struct naive_step *step, struct naive_weight *weight);
    const void *options; // of the optimizer
    double rate, pace;   // pace: the rate corrected by adam
    double l1, l2;
    // Of one weight: the parts of its gradient, one for each of the example's features in its row.
    const double *part; // [parts]
    size_t parts;
};

struct naive_step naive_step_of(const struct rf_linear_options *options, uint64_t number, bool is_bias);

#endif
