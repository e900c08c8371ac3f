#ifndef RF_LEARNERS_SCORE_COUNT_H
#define RF_LEARNERS_SCORE_COUNT_H
#include "learners/learner.h"
#include "learners/loss.h"

enum { RF_CLASSES_MAX = 1000 };

// How many scores an example has, from the loss, the learner's setting `classes` (0: not given) and the classes that the
// settings name. RF_INVALID, in words, when they contradict one another.
enum rf_status rf_score_count(const struct rf_loss_ops *loss, uint64_t classes, const struct rf_learner_context *context,
                              uint32_t *outputs_out, struct rf_error *err) RF_MUST_USE;

#endif
