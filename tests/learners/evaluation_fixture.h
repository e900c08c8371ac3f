#ifndef RF_TESTS_LEARNERS_EVALUATION_FIXTURE_H
#define RF_TESTS_LEARNERS_EVALUATION_FIXTURE_H
// Examples with given scores, and their evaluation; and the same figures done the slow way, straight from their definitions.
#include "learners/evaluation.h"
#include "tests/learners/learner_fixture.h"

enum { SCORED_MAX = 4000, SCORED_OUTPUTS_MAX = 5 };

struct scored_stream {
    struct rf_examples examples;
    struct rf_predictions predictions;
    struct rf_evaluation *evaluation;
    double score[SCORED_MAX * SCORED_OUTPUTS_MAX];
};

void scored_begin(struct scored_stream *stream, const struct rf_evaluation_options *options);
void scored_add(struct scored_stream *stream, double label, double weight, const double *score);
void scored_fold(struct scored_stream *stream); // all examples
void scored_end(struct scored_stream *stream);

// Labels, weights and scores at random: scores in steps where `ties`, weights of 1 unless `weighted`.
void scored_fill(struct scored_stream *stream, size_t count, uint64_t seed, bool ties, bool weighted);

// The figures of the examples [begin, end), the ranked ones over all pairs; baselines see the examples before `begin` too.
void naive_figures(const struct scored_stream *stream, size_t begin, size_t end, double quantile, struct rf_figures *figures_out);

void assert_same_figures(const struct rf_figures *actual, const struct rf_figures *expected, double tolerance);

#endif
