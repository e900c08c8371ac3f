#ifndef RF_OPS_CHECKPOINT_INTERNAL_H
#define RF_OPS_CHECKPOINT_INTERNAL_H
// What a checkpoint holds. Only checkpoint.c (taking snapshots) and checkpoint_restore.c (taking one up) include it.
#include "ops/checkpoint.h"

#include <stdatomic.h>

enum { RF_CHECKPOINT_PATH_SIZE = 4352 };

#define RF_SNAPSHOT_PREFIX "snapshot-"
#define RF_SNAPSHOT_SUFFIX ".riffle"

enum stage { IDLE, WRITING, WRITTEN, SETTLED, IN_PLACE, FAILED };

struct rf_checkpoint {
    struct rf_checkpoint_options options;
    _Atomic int stage; // who may touch what follows changes with it, see the header

    // The fold thread's.
    bool is_requested;
    int64_t begun_ms;       // the last one, or the first step; -1: not yet
    uint64_t begun_records; // counts.records then
    uint64_t next_number;   // of the next snapshot: its version's base
    uint64_t failures;
    uint8_t parent[RF_SHA256_SIZE];
    bool has_parent;
    bool needs_rewind; // sinks still hold what they wrote after the snapshot that was restored

    // The one under way; while writing and settled, the worker's.
    struct rf_state *state;
    struct rf_snapshot_header header;
    struct rf_snapshot_writer *writer;
    char path[RF_CHECKPOINT_PATH_SIZE], temporary[RF_CHECKPOINT_PATH_SIZE];
    int handle;
    struct rf_error error;

    // The newest in place.
    bool is_installed_new;
    struct rf_snapshot_header installed;
    char installed_path[RF_CHECKPOINT_PATH_SIZE];
    uint64_t installed_size;
};

#endif
