#ifndef RF_TESTS_LEARNERS_LEARNER_FIXTURE_H
#define RF_TESTS_LEARNERS_LEARNER_FIXTURE_H
// What the tests of learners share: settings as an operator would write them, and streams of examples.
#include "learners/learner.h"

// A variant with its defaults, as its settings table gives them; then single settings, "optimizer" and "optimizer.rate"
// alike. Fails the test for an unknown name.
struct rf_variant_value variant_of(const struct rf_variant *variants, const char *name);
void set_option(struct rf_variant_value *value, const char *path, const char *text);
void variant_finish(struct rf_variant_value *value);

// The row of a settings table, NULL when there is none of that name.
const struct rf_setting *setting_of(const struct rf_setting *settings, const char *name);

// What says how far an optimizer steps, as set_option() takes it: "optimizer.rate", or what it has in its place.
const char *pace_of(const struct rf_variant *optimizer);

// Whether the table of combinations lets the settings of a linear learner pass.
bool goes_together(const struct rf_variant_value *linear);

// Examples with labels to predict, evaluate and learn, and with vectors (of zeros, but in random streams). `append` fails the
// test when they are full.
enum { VECTOR_SIZE = 37 };
void examples_create(struct rf_examples *examples, size_t capacity, size_t features);
struct feature {
    uint64_t hash;
    double value;
    enum rf_feature_kind kind;
};
void append_example(struct rf_examples *examples, double label, const struct feature *features, size_t count);

// A stream of sparse examples: numbers in all of them, numbers in some, categories, and features of one example that
// fall in one row of a small table. Labels are 0 to classes - 1; 0 classes: a number.
void append_random_stream(struct rf_examples *examples, size_t count, uint32_t classes, uint64_t seed);

// Predictions for all of the examples.
void predictions_create(struct rf_predictions *predictions, const struct rf_learner *learner, const struct rf_examples *examples);
void predictions_finish(struct rf_predictions *predictions);

// A learner from settings, which must be right.
struct rf_learner *create_learner(const struct rf_variant_value *value, bool use_baseline_kernels);

#endif
