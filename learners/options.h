#ifndef RF_LEARNERS_OPTIONS_H
#define RF_LEARNERS_OPTIONS_H
// Settings as text, for programs that use the learners without the rest of Riffle:
//
//     struct rf_variant_value settings;
//     rf_options_create(rf_learner_variants, "linear", "loss=logistic, optimizer=momentum, optimizer.rate=0.1", &settings, &err);
//     rf_learner_create(&settings, &context, &learner, &err);
//     rf_options_destroy(&settings);
//
// The names are those of docs/SETTINGS.md, levels apart by dots ("class_weights.fraud=5"). What is not set has its default.
#include "proto/setting.h"

// The options of the kind called `name`, with what `text` sets: `name=value` pairs apart by commas, taken in order (a kind
// before its settings: choosing a kind sets its settings to their defaults); NULL: nothing. RF_INVALID, in words, when a name
// is not known or a value not possible. Nothing to destroy when it fails.
enum rf_status rf_options_create(const struct rf_variant *variants, const char *name, const char *text,
                                 struct rf_variant_value *value_out, struct rf_error *err) RF_MUST_USE;

// Sets one more: "l2" or "optimizer.rate" to a value. What was set stays when it fails.
enum rf_status rf_options_set(struct rf_variant_value *value, const char *path, const char *text,
                              struct rf_error *err) RF_MUST_USE;

// A value of zeros is fine.
void rf_options_destroy(struct rf_variant_value *value);

#endif
