#ifndef RF_LEARNERS_ENCODE_H
#define RF_LEARNERS_ENCODE_H
// Target encoding of categories (Micci-Barreca, 2001): a category becomes a number, how its labels so far differ from those of
// all. With n and s the count and the sum of the labels of the category, N and S those of all, m the smoothing:
//
//     mean = (s + m * prior) / (n + m)
//     regression     x = mean - prior,                    prior = S / N
//     two classes    x = log odds(mean) - log odds(prior), prior = (S + 1/2) / (N + 1)
//
// so that a category not met yet gives 0. Labels count with the weight of their example. The label of an example is learned
// after the step it is used in: an encoding that knew the label would tell the learner the answer.
#include "proto/example.h"
#include "proto/prediction.h"
#include "proto/state.h"

struct rf_encoder;

struct rf_encoder_options {
    enum rf_task task;     // regression or binary
    size_t categories_max; // rounded up to a power of two; further ones give 0
    double smoothing;      // above 0
};

enum rf_status rf_encoder_create(const struct rf_encoder_options *options, struct rf_encoder **encoder_out,
                                 struct rf_error *err) RF_MUST_USE;
void rf_encoder_destroy(struct rf_encoder *encoder);

// Lists its two blocks; the names stay the caller's.
void rf_encoder_state(struct rf_encoder *encoder, const char *categories_name, const char *total_name, struct rf_state *state);
enum rf_status rf_encoder_check(const struct rf_encoder *encoder, struct rf_error *err) RF_MUST_USE;

double rf_encoder_encode(const struct rf_encoder *encoder, uint64_t hash);

// Learns the label of an example: once for the example, and once for each of its categories. False when a category is new and
// there is no room for it.
void rf_encoder_learn_total(struct rf_encoder *encoder, double label, double weight);
bool rf_encoder_learn(struct rf_encoder *encoder, uint64_t hash, double label, double weight);

#endif
