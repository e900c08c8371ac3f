#ifndef RF_LEARNERS_CONTRIBUTION_H
#define RF_LEARNERS_CONTRIBUTION_H
#include "learners/learner.h"

// Inserts into a list of the largest contributions met so far: sorted by size, the earlier first among equals, at most
// `capacity` of them; `count` is how many are in it.
void rf_contribution_insert(struct rf_contribution *list, size_t capacity, size_t *count, struct rf_contribution contribution);

#endif
