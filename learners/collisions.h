#ifndef RF_LEARNERS_COLLISIONS_H
#define RF_LEARNERS_COLLISIONS_H
// How often different features share a row of a hashed table, measured on a sample of at most RF_COLLISION_ROWS rows: each
// remembers whose it was first. With the share of rows in use it tells whether hash_bits is large enough.
#include "proto/state.h"

#include <stdbool.h>

struct rf_collisions;

enum { RF_COLLISION_ROWS = 1024 };

struct rf_collision_shares {
    double rows_used; // of the rows sampled, those that any feature met
    double inputs;    // of the inputs that met a sampled row, those that found it to be another's
    uint64_t sampled; // inputs; 0: nothing is known
};

enum rf_status rf_collisions_create(unsigned row_bits, bool use_baseline_kernels, struct rf_collisions **collisions_out,
                                    struct rf_error *err) RF_MUST_USE;
void rf_collisions_destroy(struct rf_collisions *collisions);
void rf_collisions_state(struct rf_collisions *collisions, const char *name, struct rf_state *state); // RF_SCOPE_EVALUATION

// Counts the inputs of an example that is learned.
void rf_collisions_count(struct rf_collisions *collisions, const uint64_t *hash, size_t count);

struct rf_collision_shares rf_collisions_shares(const struct rf_collisions *collisions);

#endif
