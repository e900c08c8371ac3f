#ifndef RF_OPS_HOLDOUT_H
#define RF_OPS_HOLDOUT_H
#include "proto/example.h"
#include "proto/hash.h"
#include "proto/position.h"

#include <stdbool.h>

// Which records are held out: predicted and evaluated, never learned. A pure function of the model's seed and of what names
// the record (its id; topic, partition and offset when it has none) puts it at a place in [0, 1); held out are those in
// [from, to). So a record sent twice under one id falls on the same side, and folds that share their limits share no record.
struct rf_holdout {
    struct rf_hash_key key;
    double from, to; // the same: nothing is held out
};

struct rf_holdout rf_holdout_of(uint64_t seed, double from, double to);

static inline bool rf_holdout_is_empty(const struct rf_holdout *holdout) {
    return !(holdout->from < holdout->to);
}

bool rf_holdout_has(const struct rf_holdout *holdout, const struct rf_examples *examples, size_t index,
                    const struct rf_positions *positions);

#endif
