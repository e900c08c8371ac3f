#ifndef RF_TESTS_MEMORY_SOURCE_H
#define RF_TESTS_MEMORY_SOURCE_H
// Fills batches with records that stand in memory, where a test has no use for a source of its own.
#include "ops/pipeline.h"

// Takes back what the batch held and puts `count` records with these values into it, all of partition `partition`, with
// offsets from `offset` on. The values are borrowed.
void fill_batch(struct rf_batch *batch, struct rf_pipeline *pipeline, uint32_t partition, int64_t offset,
                const char *const *values, size_t count);

// Prepares and steps a batch; the status of the step.
enum rf_status fold_batch(struct rf_pipeline *pipeline, struct rf_decoder *decoder, struct rf_batch *batch, struct rf_error *err);

#endif
