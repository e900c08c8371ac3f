#ifndef RF_OPS_FLEET_GROWTH_H
#define RF_OPS_FLEET_GROWTH_H
// What a worker of a fleet has folded since its last delta was cut: from which offsets on, in what order, and which deltas of the
// log in between. Becomes the ranges and runs of its next delta. The fold thread's.
#include "ops/fleet_entry.h"
#include "ops/pipeline.h"

struct rf_growth {
    struct rf_positions from;  // where each partition of the pipeline stood, at the same index; next_offset -1: nowhere
    struct rf_fleet_run *runs; // [run_count] `range` is the index of the partition
    size_t run_count, run_capacity;
    uint64_t deltas;                  // of the log, folded since the last run
    struct rf_pipeline_counts before; // as the pipeline had counted then
};

void rf_growth_init(struct rf_growth *growth);
void rf_growth_finish(struct rf_growth *growth);

// Nothing has grown since this moment.
enum rf_status rf_growth_begin(struct rf_growth *growth, const struct rf_pipeline *pipeline, const struct rf_positions *positions,
                               struct rf_error *err) RF_MUST_USE;

enum rf_status rf_growth_add(struct rf_growth *growth, const struct rf_run *runs, size_t count, struct rf_error *err) RF_MUST_USE;
void rf_growth_add_delta(struct rf_growth *growth); // of the log
uint64_t rf_growth_records(const struct rf_growth *growth, const struct rf_pipeline *pipeline);

// Fills ranges, runs and counts of a delta, in memory that is the caller's to free: ranges and runs. Names are borrowed from
// `positions`, where the partitions stand now.
enum rf_status rf_growth_describe(const struct rf_growth *growth, const struct rf_pipeline *pipeline,
                                  const struct rf_positions *positions, struct rf_fleet_delta *delta_out,
                                  struct rf_error *err) RF_MUST_USE;

#endif
