#ifndef RF_OPS_WORKER_INTERNAL_H
#define RF_OPS_WORKER_INTERNAL_H
// What the three threads of a worker share. Only the worker's own files include it.
#include "ops/ring.h"
#include "ops/worker.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    RF_WORKER_POLL_MS = 20,
    RF_WORKER_IDLE_MS = 5,
    RF_WORKER_REPORT_MS = 200,
    RF_WORKER_PATIENCE_MS = 1000,
    RF_WORKER_NOTE_SIZE = 128
};

// The source thread asks the fold thread to stand still once all is folded, looks at the log anew, and lets it go on.
enum rf_regroup { RF_REGROUP_NONE, RF_REGROUP_ASKED, RF_REGROUP_GRANTED };

struct rf_worker {
    struct rf_worker_options options;
    struct rf_pipeline *pipeline;
    struct rf_source *source;
    struct rf_decoder *decoder, *fold_decoder; // of the source thread, and of the fold thread for batches that were cut
    struct rf_curve curve;
    char note[RF_WORKER_NOTE_SIZE]; // what stands beside committed offsets
    bool has_committed;             // in this life: whoever else does from now on is another worker
    bool has_started, has_threads;
    pthread_t source_thread, fold_thread, keeper_thread;

    struct rf_ring *prepared, *free; // of batches
    struct rf_batch **batches;       // [batches_made]
    size_t batches_made;

    // The source thread's.
    int64_t *next_offset; // [partition_count] to poll
    int64_t *ends;        // [partition_count] of the log, as last known
    size_t partition_count;
    const struct rf_run *script; // the recorded order still to be followed, [script_count]
    size_t script_count, script_index;
    uint64_t script_done;     // records of the current run
    struct rf_batch *filling; // NULL: none
    bool source_waits;        // for a batch that the fold has done with
    bool is_polled;           // it holds records that are not prepared yet
    bool is_unresolved_told;  // that what decoding needs is not to be had
    bool is_source_over;      // nothing more will come
    bool is_intake_over;      // and nothing more is handed on
    int64_t lag_told_ms, refreshed_ms;

    // The fold thread's.
    struct rf_batch *folding;                            // NULL: none
    int64_t stopping_since_ms, saving_since_ms, told_ms; // 0: not yet
    int64_t folded_ms;                                   // when the last batch was folded
    bool awaits_first;                                   // snapshot, before it learns: see rf_worker_take_up()
    bool is_folded;                                      // all that will ever come
    bool is_last_requested;                              // the snapshot that covers all
    bool fold_waits;                                     // for a sink, or for a snapshot
    int64_t sink_waits_since_ms;                         // 0: none has no room
    const char *sink_told;                               // the one that was said to have no room; NULL: none was
    uint64_t gaps_told[RF_PIPELINE_SINKS_MAX + 1];       // of each sink
    uint64_t failures_before;
    uint64_t rejects_told;

    _Atomic int regroup;       // enum rf_regroup
    _Atomic bool is_stopping;  // asked for the end
    _Atomic bool is_fold_done; // nothing more will be posted
    _Atomic bool is_committed; // the source thread has nothing more to commit
    _Atomic bool is_kept;      // the keeper has ended
    _Atomic bool has_failed;

    pthread_mutex_t lock;       // of all below
    struct rf_positions commit; // posted by the fold thread for the source thread
    bool has_commit;
    struct rf_installed publish; // posted for the keeper; path and digest copied into the two after it
    char publish_path[4352];
    uint8_t publish_sha256[RF_SHA256_SIZE];
    bool has_publish;
    struct rf_worker_report report;
    int64_t first_ms;
};

// One turn of each thread's work, waiting for at most wait_ms; all three may be taken in one thread, with wait_ms 0.
void rf_worker_intake_turn(struct rf_worker *worker, int wait_ms);
void rf_worker_fold_turn(struct rf_worker *worker, int wait_ms);
void rf_worker_keeper_turn(struct rf_worker *worker, int wait_ms);

// The mains of the threads.
void *rf_worker_intake_main(void *worker);
void *rf_worker_fold_main(void *worker);
void *rf_worker_keeper_main(void *worker);

// Finds state, partitions and agreement with what is committed, in this order; nothing runs yet.
enum rf_status rf_worker_take_up(struct rf_worker *worker, struct rf_error *err) RF_MUST_USE;

// Waits a moment before what the source failed to do is tried again: true while that is worth it, which is said once. A stop
// makes the status RF_END.
struct rf_worker_wait { // all zero at first
    int64_t begun_ms;
    bool is_told;
};
bool rf_worker_waits(struct rf_worker *worker, struct rf_worker_wait *wait, enum rf_status *status, struct rf_error *err);

// The log, at the start and whenever its partitions change: finds the partitions, which become the model's, ...
enum rf_status rf_worker_find_partitions(struct rf_worker *worker, struct rf_error *err) RF_MUST_USE;

// ... sees whether it still holds what comes next of each, and moves positions where it does not and on_offset_lost says so ...
enum rf_status rf_worker_check_log(struct rf_worker *worker, struct rf_error *err) RF_MUST_USE;

// ... and begins to read. What this adds to the model awaits a snapshot then (`awaits_first`).
enum rf_status rf_worker_assign(struct rf_worker *worker, struct rf_error *err) RF_MUST_USE;

// All of that while the fold thread stands still.
enum rf_status rf_worker_regroup(struct rf_worker *worker, struct rf_error *err) RF_MUST_USE;

int64_t rf_worker_now_ms(struct rf_worker *worker); // monotonic
void rf_worker_sleep_ms(struct rf_worker *worker, int ms);

// The source failed: what it gave before is folded and saved, then the worker ends with this status. The source thread only.
void rf_worker_fail_source(struct rf_worker *worker, enum rf_status status, const struct rf_error *err);

// The first failure counts; it stops everything.
void rf_worker_fail(struct rf_worker *worker, enum rf_status status, const struct rf_error *err);

#endif
