#ifndef RF_OPS_WORKER_H
#define RF_OPS_WORKER_H
// The threads of one model, and all that passes between them:
//
//     source thread   polls, decodes, builds examples (the pure part)       -> ring of batches ->
//     fold thread     rf_pipeline_step(): scores, learns, hands to the sinks -> ring of free batches
//     keeper thread   writes snapshots, publishes them, answers who asks for one
//
// Batches are a fixed number, and go round. While all are in the fold's hands the source is asked for nothing more: it pauses,
// and Kafka is the buffer. So no record is polled more than `batches` batches before its prediction leaves, however far behind
// the worker is; and as a batch takes what is there when it is filled and never waits for more, it is one record when records
// come singly and a full one under load. Everything else crosses in small mailboxes under one lock, a few times a second.
#include "ingest/source.h"
#include "learners/evaluation.h"
#include "ops/checkpoint.h"
#include "ops/clock.h"
#include "ops/curve.h"
#include "ops/log.h"
#include "ops/pipeline.h"
#include "ops/settings.h"
#include "sinks/clone.h"

struct rf_worker;

struct rf_worker_options {
    struct rf_pipeline *pipeline; // with its sinks and checkpoint; owned from here on
    struct rf_source *source;     // owned
    struct rf_clone *clone;       // owned; NULL: snapshots are not published
    struct rf_folder *folder;     // borrowed
    struct rf_clock *clock;       // borrowed
    struct rf_log *log;           // borrowed
    size_t batches;               // that go round between source and fold, at least 2
    int wait_ms;                  // how long to wait for the source's partitions at the start
    int shutdown_ms;              // how long sinks may take to confirm at the end
    bool takes_over;              // although another worker's id stands in the committed offsets
    bool is_fresh;                // although offsets are committed and there is no snapshot
    enum rf_offset_lost on_offset_lost;
    int refresh_ms;                    // how often the source is asked for more partitions; 0: never
    bool (*is_stopped)(void *context); // asked while the source is waited for; NULL: never
    void *stop_context;
    bool reports_curve;
};

// Takes what the options own, also when it fails. Restores the newest snapshot, finds the partitions, agrees with the
// committed offsets, sees whether the log still holds what was learned last and what comes next of every partition, and
// assigns; nothing is learned yet. RF_BUSY: another worker runs this model. RF_END: is_stopped said so.
//
// Where the log does not, `on_offset_lost` says what happens: RF_CONFLICT, with the offsets; or the positions move, and
// a new line of the model begins there, put on record by a snapshot before anything is learned. The same happens while it runs:
// when partitions come or a log is cut, the worker folds what it has, looks at the log anew and goes on.
enum rf_status rf_worker_create(const struct rf_worker_options *options, struct rf_worker **worker_out,
                                struct rf_error *err) RF_MUST_USE;
void rf_worker_destroy(struct rf_worker *worker); // joins threads that run

enum rf_status rf_worker_start(struct rf_worker *worker, struct rf_error *err) RF_MUST_USE;

// One turn of all the work, in this thread and without waiting, instead of starting threads: how tests and the simulation
// drive a worker step by step. False when it has come to its end.
bool rf_worker_turn(struct rf_worker *worker);

// The same for one of the three threads alone, so that their turns can follow one another in any order.
enum rf_worker_part { RF_WORKER_INTAKE, RF_WORKER_FOLD, RF_WORKER_KEEPER, RF_WORKER_PARTS };
bool rf_worker_turn_of(struct rf_worker *worker, enum rf_worker_part part);

// Asks for the end: stop taking, fold what was taken, snapshot, commit. Any thread.
void rf_worker_stop(struct rf_worker *worker);

// How it stands. Any thread.
struct rf_worker_report {
    bool is_done;          // all threads have ended
    enum rf_status status; // why, when done
    char sentence[RF_ERROR_TEXT_SIZE];
    struct rf_pipeline_counts counts;
    uint64_t resumed;          // of counts.records: those of the snapshot that was taken up
    int64_t busy_ms;           // since the first record was polled, up to the last one folded
    int64_t lag;               // records not polled yet, -1 unknown
    struct rf_figures figures; // of the evaluation, brought up to date a few times a second and at the end
    struct rf_figures window;  // of its last records
};
void rf_worker_report(struct rf_worker *worker, struct rf_worker_report *report_out);

// After the end, or before the start.
const struct rf_curve *rf_worker_curve(const struct rf_worker *worker);
struct rf_pipeline *rf_worker_pipeline(struct rf_worker *worker);

#endif
