#ifndef RF_OPS_CHECKPOINT_H
#define RF_OPS_CHECKPOINT_H
// Snapshots of a pipeline on disk: when they are due, how they come into place, which is taken up at the start.
//
// A snapshot goes through stages. The fold thread moves it (rf_checkpoint_step, called by the pipeline's step); what takes
// long is done by whoever calls rf_checkpoint_work(), a thread beside the fold or the same one:
//
//     idle -> writing      fold: due; lines are drawn under the sinks, the state is frozen
//     writing -> written   work: the temporary file is written and synced; sinks that sync do, and the schedule is synced
//     written -> settled   fold: the state is thawed; every sink has confirmed what the snapshot covers
//     settled -> in place  work: renamed, folder synced, old ones removed
//     in place -> idle     fold: a new base begins; its positions may be told to the source
//
// A failure at any stage leaves what is in place untouched; the next one is tried when it is due.
#include "ops/folder.h"
#include "ops/log.h"
#include "ops/pipeline.h"
#include "proto/snapshot.h"

#include <stdbool.h>

struct rf_checkpoint;

// Which snapshots stay: the latest few, and of those before them the last of each hour and of each day for a while. The first
// of a line that a rollback began stays for ever. The headers of all stay in the chain (ops/chain.h).
struct rf_retention {
    size_t keep;         // latest, at least 1
    uint64_t keep_hours; // before the newest
    uint64_t keep_days;
};

struct rf_kept {
    uint64_t number;
    uint32_t line;
    int64_t created_ms;
    bool is_gone; // while snapshots are removed
};

// Does snapshot `index` of the list, oldest first, stay?
bool rf_retention_keeps(const struct rf_retention *retention, const struct rf_kept *list, size_t count, size_t index);

struct rf_checkpoint_options {
    struct rf_folder *folder; // borrowed
    struct rf_log *log;       // borrowed
    uint64_t every_records;   // 0: never by records
    int64_t every_ms;         // 0: never by time
    struct rf_retention retention;
    const char *specification;         // canonical text, borrowed
    const struct rf_setting *settings; // the table it was made by, to name differences
};

enum rf_status rf_checkpoint_create(const struct rf_checkpoint_options *options, struct rf_checkpoint **checkpoint_out,
                                    struct rf_error *err) RF_MUST_USE;
void rf_checkpoint_destroy(struct rf_checkpoint *checkpoint);

// Puts the newest snapshot that verifies into the pipeline; newer ones that do not verify are passed over, and that is
// logged. To verify, its blocks must hold together too, as the learner sees it (rf_learner_check()). RF_NOT_FOUND: the folder
// has none. RF_CONFLICT: it is of another model or specification. RF_CORRUPT: there are snapshots, and none verifies.
enum rf_status rf_checkpoint_restore(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline,
                                     struct rf_error *err) RF_MUST_USE;

// Is a snapshot of this model, as it is specified now? RF_CONFLICT, in words, when not; the log tells of a change that is
// harmless.
enum rf_status rf_snapshot_check_kin(const struct rf_snapshot_header *header, const char *path, const char *model,
                                     const char *specification, const struct rf_setting *settings, struct rf_log *log,
                                     struct rf_error *err) RF_MUST_USE;

// Begins a new line from an old snapshot: writes it once more as the newest, with a line of its own, so that the next start takes
// it up and folds from its positions on in an order of its own. What stands in file sinks stays there. The pipeline has no
// sinks. RF_NOT_FOUND when there is no snapshot of that number.
enum rf_status rf_checkpoint_rollback(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, uint64_t number,
                                      int64_t now_ms, struct rf_version *version_out, struct rf_error *err) RF_MUST_USE;

// Begins a new line from where the pipeline stands: the snapshots from here on are of it, and its order is a new one. Takes the
// place of the schedule, which must not be in use. Nothing is on disk before the first snapshot of the line is.
enum rf_status rf_checkpoint_begin_line(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline,
                                        struct rf_error *err) RF_MUST_USE;

// *has_new_out: a sink is there that the restored snapshot has no bookmark of. RF_CONFLICT when such a one holds something
// already (the model is new, it was left out for a while, or an older snapshot had to be taken up): its lines would stand twice.
enum rf_status rf_checkpoint_check_sinks(const struct rf_checkpoint *checkpoint, const struct rf_pipeline *pipeline,
                                         bool *has_new_out, struct rf_error *err) RF_MUST_USE;

// Once after a restore: cuts what the sinks wrote after that snapshot, so that it does not stand twice when its records are
// folded again. Called before anything is handed to a sink or marked, and not earlier than that: a start that is refused,
// because the log is another one, leaves files as they are.
enum rf_status rf_checkpoint_rewind(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline,
                                    struct rf_error *err) RF_MUST_USE;

// Moves the snapshot under way, or begins one that is due. Called by rf_pipeline_step().
enum rf_status rf_checkpoint_step(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, int64_t now_ms,
                                  struct rf_error *err) RF_MUST_USE;

// Makes the next one due at the next step, whatever the settings say (at the start and the end of a run).
void rf_checkpoint_request(struct rf_checkpoint *checkpoint);

// Does what takes long; true when something was done. One thread at a time, any thread.
bool rf_checkpoint_work(struct rf_checkpoint *checkpoint);

// Is a snapshot requested, due to be settled, or under way?
bool rf_checkpoint_is_busy(const struct rf_checkpoint *checkpoint);

// The newest snapshot in place. False when there is none, or when it was already told by the last call. The path and the
// positions are borrowed until the next step.
struct rf_installed {
    const char *path;
    struct rf_version version;
    const uint8_t *model_sha256; // [RF_SHA256_SIZE]
    const struct rf_positions *positions;
};
bool rf_checkpoint_take_installed(struct rf_checkpoint *checkpoint, struct rf_installed *installed_out);

// How often writing or renaming failed; the sentence of the last time, or "".
uint64_t rf_checkpoint_failures(const struct rf_checkpoint *checkpoint, const char **sentence_out);

#endif
