#ifndef RF_OPS_PIPELINE_INTERNAL_H
#define RF_OPS_PIPELINE_INTERNAL_H
// What a pipeline holds. Only pipeline.c (the flow) and pipeline_setup.c (its parts) include it.
#include "ops/holdout.h"
#include "ops/pipeline.h"

struct rf_pipeline {
    const struct rf_pipeline_options options;
    struct rf_schema *schema;
    struct rf_learner *learner;
    struct rf_evaluation *evaluation, *held_out, *test; // the latter two NULL: nothing is held out, nothing tested
    struct rf_holdout holdout;
    struct rf_state state;
    struct rf_positions positions;
    struct rf_pipeline_counts counts;
    struct rf_pipeline_counts resumed; // of them, those that earlier processes counted
    struct rf_version version;
    uint64_t sequence; // of the last batch folded
    char last_reject[1024];

    struct rf_schedule *schedule;                     // NULL: the order is not recorded
    struct rf_checkpoint *checkpoint;                 // NULL: nothing is saved
    struct rf_growth *growth;                         // NULL: of no fleet
    struct rf_sink *sinks[RF_PIPELINE_SINKS_MAX + 1]; // of predictions, then the rejected one
    size_t sink_count;
    struct rf_sink *rejected; // NULL: rejects are only counted

    struct rf_run *runs; // [batch_records] of the batch being folded
    struct rf_metrics metrics;
};

#endif
