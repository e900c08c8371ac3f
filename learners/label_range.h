#ifndef RF_LEARNERS_LABEL_RANGE_H
#define RF_LEARNERS_LABEL_RANGE_H
// The range of the labels learned so far, to which predictions of a regression may be clipped; with 0, as in Vowpal Wabbit, if
// told so. NULL is none: it clips, lists and refuses nothing.
#include "proto/state.h"

struct rf_label_range;

enum rf_status rf_label_range_create(bool has_zero, struct rf_label_range **range_out, struct rf_error *err) RF_MUST_USE;
void rf_label_range_destroy(struct rf_label_range *range);

void rf_label_range_learn(struct rf_label_range *range, double label); // nothing for a label that is not finite

// The value of the range that is nearest; the value itself before any label.
double rf_label_range_clip(const struct rf_label_range *range, double value);

void rf_label_range_state(struct rf_label_range *range, const char *name, struct rf_state *state);
enum rf_status rf_label_range_check(const struct rf_label_range *range, struct rf_error *err) RF_MUST_USE; // RF_CORRUPT, in words

#endif
