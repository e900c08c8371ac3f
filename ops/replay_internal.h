#ifndef RF_OPS_REPLAY_INTERNAL_H
#define RF_OPS_REPLAY_INTERNAL_H
// What a replay holds. Only replay.c (going on) and replay_start.c (where to begin) include it.
#include "ops/lineage.h"
#include "ops/replay.h"

struct rf_replay {
    struct rf_replay_options options;
    struct rf_pipeline *pipeline;
    struct rf_source *source;
    struct rf_decoder *decoder;
    struct rf_batch *batch;
    struct rf_lineage lineage;
    uint32_t epoch; // of the last start on the folder

    size_t start; // of the lineage: what it began with
    bool is_from_nothing;
    size_t bound; // of the lineage: the first one at or behind the point; lineage.count: none
    size_t next;  // of the lineage: the one to be met next
    uint64_t met;
    uint64_t begun;

    struct rf_run *script; // [script_count] the recorded order behind the start
    size_t script_count, script_capacity, script_index;
    uint64_t script_done;        // records of the current run
    uint64_t script_end;         // records of the model when all of it is folded
    struct rf_error script_torn; // why it ends there; RF_OK: nothing more is recorded
    uint64_t expected;

    struct rf_positions offered; // the partitions of the source
    int64_t *late;               // [offered.count] RF_POINT_TIME: the first offset that is later; INT64_MAX: none is
    size_t target;               // index into the positions of the point's partition
    size_t at;                   // RF_POINT_BEFORE: the record, in the loan
    bool is_reached;
    int tries; // polls in vain
};

// The steps of rf_replay_create(), in this order.
enum rf_status rf_replay_open_source(struct rf_replay *replay, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_replay_choose_start(struct rf_replay *replay, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_replay_read_script(struct rf_replay *replay, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_replay_assign(struct rf_replay *replay, struct rf_error *err) RF_MUST_USE;

// The first offset of a partition that is behind the point's time.
int64_t rf_replay_late(const struct rf_replay *replay, const char *topic, int32_t partition);

// RF_POINT_AFTER: is its record the last one that was folded of its partition?
bool rf_replay_is_at(const struct rf_replay *replay);

#endif
