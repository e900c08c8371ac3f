#ifndef RF_OPS_REPLAY_H
#define RF_OPS_REPLAY_H
// A past model, folded again: from the newest snapshot before a point, the records behind it by the recorded schedule. The
// state folder is only read, without its lock, so a worker may be running on it; nothing is sent, committed or saved.
//
// On its way a replay meets the snapshots that were taken later than the one it began with. Their headers stay on record when
// they are thinned out (ops/chain.h): each must have the model that came out here, else the replay fails with RF_CONFLICT.
//
// One thread owns a replay; no call waits but for the source.
#include "ops/disk.h"
#include "ops/log.h"
#include "ops/pipeline.h"
#include "proto/setting.h"

#include <stdbool.h>

enum rf_point_kind {
    RF_POINT_NEWEST,  // all that is recorded
    RF_POINT_RECORDS, // so many records folded
    RF_POINT_AFTER,   // the record at an offset folded, and nothing after it
    RF_POINT_BEFORE,  // all before that record folded, and it is next
    RF_POINT_TIME,    // all before the first record, in the order they were folded, that stands at or behind one of its
                      // partition's log whose own timestamp is later
};

enum { RF_POINT_TOPIC_SIZE = 4096 };

struct rf_point {
    enum rf_point_kind kind;
    uint64_t records;
    char topic[RF_POINT_TOPIC_SIZE];
    int32_t partition;
    int64_t offset;
    int64_t time_ms;
};

// Reads TOPIC:PARTITION:OFFSET (as RF_POINT_AFTER), a time in RFC 3339, or a number of records. RF_INVALID, in words.
enum rf_status rf_point_read(const char *text, struct rf_point *point_out, struct rf_error *err) RF_MUST_USE;

struct rf_replay_options {
    struct rf_disk *disk;              // borrowed
    const char *folder;                // borrowed
    struct rf_pipeline *pipeline;      // that has learned nothing, without sinks and checkpoint; owned from here on
    struct rf_source *source;          // owned; told to start at its latest records where no position is known, or a file
    struct rf_log *log;                // borrowed
    const char *specification;         // canonical text, borrowed
    const struct rf_setting *settings; // the table it was made by, to name differences
    struct rf_point point;
    uint32_t line;  // which to follow; 0: the one of the newest snapshot
    int wait_ms;    // for the source, in one poll
    int wait_tries; // such polls while it is away for a time, before giving up
};

struct rf_replay;

// Takes what the options own, also when it fails. Finds the snapshot to begin with and the order recorded behind it, and makes
// the source ready. What cannot be: a sentence that names the offsets. RF_NOT_FOUND: the point was never folded, or lies before
// all that is left, or whether it is later than a time cannot be told of what the log no longer holds. RF_UNSUPPORTED: records of
// the source carry no time. RF_CORRUPT: the recorded order is missing or torn there. RF_CONFLICT: the log is not the one of then,
// or the settings are not.
enum rf_status rf_replay_create(const struct rf_replay_options *options, struct rf_replay **replay_out,
                                struct rf_error *err) RF_MUST_USE;
void rf_replay_destroy(struct rf_replay *replay);

// Folds some records more; RF_END when the point is reached.
enum rf_status rf_replay_step(struct rf_replay *replay, struct rf_error *err) RF_MUST_USE;

struct rf_replay_progress {
    uint64_t begun;    // records of the model that it began with
    uint64_t snapshot; // the number of that snapshot; 0: it began from nothing
    uint64_t records;  // now
    uint64_t expected; // at the point, at most
    uint64_t met;      // later snapshots that the model was found equal to
};
void rf_replay_progress(const struct rf_replay *replay, struct rf_replay_progress *progress_out);

struct rf_pipeline *rf_replay_pipeline(struct rf_replay *replay);

// At the end of RF_POINT_BEFORE: the record, prepared: its example is the only one of the batch, or it is the only reject.
const struct rf_record *rf_replay_record(const struct rf_replay *replay);
const struct rf_batch *rf_replay_batch(const struct rf_replay *replay);

// The versions that a prediction of this moment may have carried: the model is the same, but when a snapshot came into place,
// which begins a new base, is not recorded. [0] if the newest one below was in place, and, when there are two, [1] if it was
// not yet. The epoch is that of the worker which folded the record last.
enum { RF_REPLAY_VERSIONS_MAX = 2 };
size_t rf_replay_versions(const struct rf_replay *replay, struct rf_version versions_out[RF_REPLAY_VERSIONS_MAX]);

#endif
