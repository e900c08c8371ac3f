#ifndef RF_LEARNERS_COMPOSE_H
#define RF_LEARNERS_COMPOSE_H
// Examples composed by hand, for programs that use the learners without the rest of Riffle:
//
//     rf_examples_begin(&examples, 1);                       an example with label 1; NAN: without a label
//     rf_examples_number(&examples, "temperature", 21.5);    and its features
//     rf_examples_category(&examples, "city", "Basel");
//
// An example is to be predicted, and with a label evaluated and learned. Its hashes are those that Riffle gives to the same
// fields under its default seed. The names of fields are borrowed until the examples are reset or finished. RF_FULL: there is no
// room for another, and nothing has changed; rf_examples_reset() makes room.
#include "proto/example.h"
#include "proto/hash.h"

enum rf_status rf_examples_begin(struct rf_examples *examples, double label) RF_MUST_USE;

// Features of the example begun last. RF_INVALID for a value that is not finite.
enum rf_status rf_examples_number(struct rf_examples *examples, const char *field, double value) RF_MUST_USE;
enum rf_status rf_examples_category(struct rf_examples *examples, const char *field, const char *category) RF_MUST_USE;

// The vector of the example begun last, [vector_size] and finite.
void rf_examples_vector(struct rf_examples *examples, const float *vector);

#endif
