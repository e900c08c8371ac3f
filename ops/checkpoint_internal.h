#ifndef RF_OPS_CHECKPOINT_INTERNAL_H
#define RF_OPS_CHECKPOINT_INTERNAL_H
// What a checkpoint holds. Only checkpoint*.c and replay_start.c (which takes one up without a worker) include it.
#include "ops/chain.h"
#include "ops/checkpoint.h"
#include "ops/snapshot_files.h"

#include <stdatomic.h>

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
    struct rf_chain *chain; // opened by the restore
    struct rf_kept *kept;   // [kept_count] snapshots in the folder, oldest first
    size_t kept_count, kept_capacity;
    bool needs_rewind; // sinks still hold what they wrote after the snapshot that was restored

    // The one under way; while writing and settled, the worker's.
    struct rf_state *state;
    struct rf_snapshot_header header;
    struct rf_snapshot_writer *writer;
    char path[RF_SNAPSHOT_PATH_SIZE], temporary[RF_SNAPSHOT_PATH_SIZE];
    int handle;
    struct rf_error error;
    struct rf_sink *const *sinks; // [sink_count], borrowed
    size_t sink_count;
    struct rf_schedule *schedule;   // borrowed; NULL: none
    struct rf_error schedule_error; // what it answered to a sync: it is not to be trusted any more

    // The newest in place.
    bool is_installed_new;
    struct rf_snapshot_header installed;
    char installed_path[RF_SNAPSHOT_PATH_SIZE];
    uint64_t installed_size;
};

// The header of a snapshot of the pipeline as it is now.
enum rf_status rf_checkpoint_fill_header(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, int64_t now_ms,
                                         struct rf_error *err) RF_MUST_USE;

// What the next snapshot is of, and where it is written.
void rf_checkpoint_begin_attempt(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline);

// Where the bytes of the one under way go.
rf_snapshot_output rf_checkpoint_write_out;
enum rf_status rf_checkpoint_write_temporary(struct rf_checkpoint *checkpoint, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_checkpoint_put_in_place(struct rf_checkpoint *checkpoint, struct rf_error *err) RF_MUST_USE;
void rf_checkpoint_forget_attempt(struct rf_checkpoint *checkpoint);

// Puts one snapshot into the pipeline.
enum rf_status rf_checkpoint_restore_one(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, const char *path,
                                         struct rf_error *err) RF_MUST_USE;

// Opens the chain, and finds which of its snapshots are in the folder. `files_out`: all that are in the folder; finish it only
// when RF_OK.
enum rf_status rf_checkpoint_open_chain(struct rf_checkpoint *checkpoint, struct rf_snapshot_files *files_out,
                                        struct rf_error *err) RF_MUST_USE;

// Puts a snapshot of the folder on record, if a crash kept it off; it is thinned out like the others from then on.
enum rf_status rf_checkpoint_put_on_record(struct rf_checkpoint *checkpoint, const struct rf_snapshot_header *header,
                                           const uint8_t sha256[RF_SHA256_SIZE], struct rf_error *err) RF_MUST_USE;

// Takes a snapshot just put in place into the list, and removes those that need not stay. One that cannot be removed now is
// tried again the next time.
enum rf_status rf_checkpoint_retain(struct rf_checkpoint *checkpoint, const struct rf_snapshot_header *header,
                                    struct rf_error *err) RF_MUST_USE;

#endif
