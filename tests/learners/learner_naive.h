#ifndef RF_TESTS_LEARNERS_LEARNER_NAIVE_H
#define RF_TESTS_LEARNERS_LEARNER_NAIVE_H
// The linear learner as the papers write it, as an oracle: all weights move at every step, moments are
// those of plain sums, and nothing is clever.
#include "learners/learner.h"

struct naive;
struct naive *naive_create(const struct rf_linear_options *options, uint32_t outputs);
void naive_destroy(struct naive *naive);
void naive_predict(struct naive *naive, const struct rf_examples *examples, size_t index, double *prediction_out);
void naive_learn(struct naive *naive, const struct rf_examples *examples, size_t index);

#endif
