#ifndef RF_LEARNERS_CLASS_WEIGHT_H
#define RF_LEARNERS_CLASS_WEIGHT_H
// Weights of labels, as the setting `class_weights` gives them: an example counts as its own weight times that of its label.
#include "proto/prediction.h"
#include "proto/setting.h"

struct rf_class_weights;

#define RF_CLASS_WEIGHT_MAX 1e6

// Labels are called by the names of the classes, or where there are none, and in regressions, by their numbers. `classes` is
// how many labels a classification has. *weights_out is NULL when there are no pairs. RF_INVALID, in words.
enum rf_status rf_class_weights_create(const struct rf_pairs *pairs, enum rf_task task, uint32_t classes,
                                       const char *const *names, struct rf_class_weights **weights_out,
                                       struct rf_error *err) RF_MUST_USE;
void rf_class_weights_destroy(struct rf_class_weights *weights);

// 1 for a label that has none, and for NULL.
double rf_class_weights_of(const struct rf_class_weights *weights, double label);

#endif
