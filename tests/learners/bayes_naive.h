#ifndef RF_TESTS_LEARNERS_BAYES_NAIVE_H
#define RF_TESTS_LEARNERS_BAYES_NAIVE_H
// Twins of the Bayes models that look at all records again for each prediction, in the words of the formulas; and the streams
// they are for.
#include "tests/learners/learner_fixture.h"

enum { BAYES_FIELDS = 5, BAYES_CLASSES = 3, BAYES_WORDS = 12 };

// Numbers that go together, of which a share is absent; or words, some of them twice in a record. Of three classes.
void append_bayes_stream(struct rf_examples *examples, size_t count, bool are_words, double absent, uint64_t seed);

// log P(example `index` | class) after the first `end` examples, but for what all classes have in common.
typedef double bayes_twin(const struct rf_examples *examples, size_t end, size_t index, uint32_t class);
bayes_twin naive_gaussian, covariant_shared, covariant_full, naive_multinomial, naive_bernoulli;

// The probabilities [BAYES_CLASSES] of example `index` after the first `end` examples.
void twin_predict(const struct rf_examples *examples, size_t end, size_t index, bayes_twin *log_likelihood, double *score);

#endif
