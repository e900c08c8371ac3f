#include "learners/collisions.h"
#include "learners/kernels.h"

#include <stdlib.h>

struct sampled_row {
    uint64_t owner;  // the feature met first
    uint64_t inputs; // 0: nobody's yet
    uint64_t foreign;
};

static const struct rf_column columns[] = {
        {"owner", RF_U64, offsetof(struct sampled_row, owner), 1, RF_MERGE_MAX},
        {"inputs", RF_U64, offsetof(struct sampled_row, inputs), 1, RF_MERGE_SUM},
        {"foreign", RF_U64, offsetof(struct sampled_row, foreign), 1, RF_MERGE_SUM},
};

struct rf_collisions {
    const struct rf_kernels *kernels;
    uint64_t row_mask;
    uint64_t skip_mask; // a row is sampled when these bits of it are 0
    unsigned skip_bits;
    size_t rows;
    struct sampled_row row[RF_COLLISION_ROWS];
};

void rf_collisions_count(struct rf_collisions *collisions, const uint64_t *hash, size_t count) {
    if (!collisions->kernels->has_zero(count, hash, collisions->skip_mask)) {
        return; // most often
    }
    for (size_t i = 0; i < count; i++) {
        if ((hash[i] & collisions->skip_mask) == 0) {
            struct sampled_row *row = &collisions->row[(hash[i] & collisions->row_mask) >> collisions->skip_bits];
            row->owner = row->inputs ? row->owner : hash[i];
            row->inputs++;
            row->foreign += row->owner != hash[i];
        }
    }
}

struct rf_collision_shares rf_collisions_shares(const struct rf_collisions *collisions) {
    uint64_t used = 0, inputs = 0, foreign = 0;
    for (size_t i = 0; i < collisions->rows; i++) {
        used += collisions->row[i].inputs > 0;
        inputs += collisions->row[i].inputs;
        foreign += collisions->row[i].foreign;
    }
    return (struct rf_collision_shares){
            .rows_used = (double)used / (double)collisions->rows,
            .inputs = inputs ? (double)foreign / (double)inputs : 0,
            .sampled = inputs,
    };
}

void rf_collisions_state(struct rf_collisions *collisions, const char *name, struct rf_state *state) {
    rf_state_add(state, &(struct rf_block){
                                .name = name,
                                .rows = collisions->rows,
                                .row_size = sizeof collisions->row[0],
                                .columns = columns,
                                .column_count = sizeof columns / sizeof columns[0],
                                .data = collisions->row,
                                .scope = RF_SCOPE_EVALUATION,
                        });
}

void rf_collisions_destroy(struct rf_collisions *collisions) {
    free(collisions);
}

enum rf_status rf_collisions_create(unsigned row_bits, bool use_baseline_kernels, struct rf_collisions **collisions_out,
                                    struct rf_error *err) {
    struct rf_collisions *collisions = calloc(1, sizeof *collisions);
    if (!collisions) {
        return rf_fail(err, RF_MEMORY, "out of memory for the measure of collisions");
    }
    collisions->kernels = rf_kernels_choose(use_baseline_kernels);
    unsigned sampled_bits = 0;
    while (1 << sampled_bits < RF_COLLISION_ROWS && sampled_bits < row_bits) {
        sampled_bits++;
    }
    collisions->skip_bits = row_bits - sampled_bits;
    collisions->row_mask = ((uint64_t)1 << row_bits) - 1;
    collisions->skip_mask = ((uint64_t)1 << collisions->skip_bits) - 1;
    collisions->rows = (size_t)1 << sampled_bits;
    *collisions_out = collisions;
    return RF_OK;
}
