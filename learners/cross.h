#ifndef RF_LEARNERS_CROSS_H
#define RF_LEARNERS_CROSS_H
// Crosses of features, made on the fly for the example being worked on and never stored: for every choice of one feature from
// each side of a cross, in the order of the sides, one more input, the product of its parts. Sides that are the same list of
// fields give every set of their features once; a feature with itself only where that says something new, so not for the
// value 1 it has as a category.
//
// The hash of a cross is that of its parts, one after the other, mixed so that their order counts (the finaliser of
// MurmurHash3, by Appleby, public domain). Vowpal Wabbit's way, for its reference results: h = ((h1 * 16777619) ^ h2) and so on.
#include "proto/example.h"

#include <stdbool.h>

struct rf_crosses;
struct rf_inputs;

struct rf_crosses_options {
    const struct rf_cross *list; // [count], borrowed
    size_t count;
    bool like_vowpal;
    size_t features_max; // of an example
};

enum rf_status rf_crosses_create(const struct rf_crosses_options *options, struct rf_crosses **crosses_out,
                                 struct rf_error *err) RF_MUST_USE;
void rf_crosses_destroy(struct rf_crosses *crosses);

// Appends the crosses of an example to its inputs: hashes and fields, and where in the inputs the parts stand. At most
// `inputs_max` inputs in all; returns how many found no room. The first inputs must be the example's own, one a feature.
size_t rf_crosses_append(struct rf_crosses *crosses, const struct rf_examples *examples, size_t index, size_t inputs_max,
                         struct rf_inputs *inputs);

// Fills the values of the crosses from those of their parts.
void rf_crosses_multiply(const struct rf_crosses *crosses, struct rf_inputs *inputs);

#endif
