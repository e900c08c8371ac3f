#ifndef RF_LEARNERS_DRIFT_H
#define RF_LEARNERS_DRIFT_H
// How a weight and its velocity move while their feature is absent: by a linear motion a step, see optimizer_momentum.c. Under
// L2 it holds the rate. At a constant rate missed steps are a power of it. A rate that varies is held for blocks of RF_RATE_BLOCK
// steps; the motions of whole blocks, of pairs of them, of fours and so on make a tree, in which any gap is a product of a few.
// A node is computed when first needed; it follows from the settings alone, and is no state.
#include "learners/catch_up.h"
#include "learners/rate.h"
#include "proto/status.h"

#include <stdbool.h>

struct rf_drift_tree;

struct rf_drift {
    struct rf_motion_powers power; // at a constant rate, or without L2
    struct rf_drift_tree *tree;    // else, and then not NULL
};

// `keep`: the share of the velocity that stays. `looks_ahead`: L2 acts on weight + keep * velocity.
enum rf_status rf_drift_init(struct rf_drift *drift, const struct rf_rate *rate, double l2, double keep, bool looks_ahead,
                             struct rf_error *err) RF_MUST_USE;
void rf_drift_finish(struct rf_drift *drift);

// The motion over the steps [from, to), both at most RF_CATCH_UP_STEPS_MAX above `start`, where the span begins. There must be
// a tree.
struct rf_motion rf_drift_between(const struct rf_drift *drift, uint64_t start, uint64_t from, uint64_t to);

#endif
