#ifndef RF_OPS_FLEET_WORKER_H
#define RF_OPS_FLEET_WORKER_H
// A worker that shares its model with others: one of a group, which folds its partitions and the log of deltas.
//
//     source thread   polls the group's source, decodes; answers what the group tells                      -> ring of batches ->
//     fold thread     reads the log of deltas into base, scores and learns, cuts deltas                     -> one at a time ->
//     sender thread   sends each delta in a transaction with the offsets that it covers
//     keeper thread   sends snapshots of base now and then, for those who join later
//
// The log of deltas decides what was learned (ops/fleet_replica.h). A delta is cut when it is due, sent beside the learner, and
// part of base once the log is read that far, like those of others. What is learned and is not in the log when a partition is
// lost, another worker has learned the same records, or a delta turns out to be void, is dropped: the model is base again and
// reading begins anew where the log is.
//
// Partitions that are to be given up are given up once all that was read of them is in the log. One that comes is read once the
// log is read as far as the group has committed: so nothing that others learned of it is learned again.
#include "ingest/source.h"
#include "ops/clock.h"
#include "ops/fleet_replica.h"
#include "ops/log.h"
#include "ops/pipeline.h"
#include "ops/worker.h"
#include "sinks/archive.h"
#include "sinks/outbox.h"
#include "sinks/transaction.h"

struct rf_fleet_worker;

struct rf_fleet_worker_options {
    struct rf_pipeline *pipeline;       // with its sinks; owned from here on
    struct rf_source *source;           // of the group; owned
    struct rf_source *log_scan;         // of the log of deltas, up to its end as it is now; owned
    struct rf_source *deltas;           // of the log of deltas; owned
    struct rf_transaction *transaction; // owned
    struct rf_source *snapshots;        // of their topic, up to its end; owned; NULL: none are taken up, nor made
    struct rf_archive *archive;         // likewise, to be written; owned
    struct rf_clock *clock;             // borrowed
    struct rf_log *log;                 // borrowed
    const char *topic;                  // of deltas; borrowed, as those that follow
    const char *first_topic;            // of records: who holds its partition 0 makes snapshots
    const char *worker;                 // group.instance.id
    const char *nonce;                  // of this process, drawn at random, at most 15 characters
    const char *specification;
    const struct rf_setting *settings; // the table behind it
    const char *program;
    struct rf_outbox *outbox; // of the pipeline's Kafka sinks; borrowed; NULL: there are none
    size_t batches;           // that go round between source and fold, at least 2
    size_t chunk_bytes;       // of a delta in one record of the log, at most
    uint64_t delta_records;   // a delta is due when it covers so many records,
    uint64_t delta_bytes;     // or is about so large,
    int64_t delta_ms;         // or its first record was folded so long ago
    int drain_ms;             // how long giving partitions up, and the end, may take
    int send_ms;              // how long a transaction may take
    uint64_t snapshot_deltas; // a snapshot is due after so many deltas,
    int64_t snapshot_ms;      // or after so long, when one came since
    uint64_t snapshot_keep;   // so many of them must be there before anything older is deleted,
    bool forgets;             // if it is at all
};

// Takes what the options own, also when it fails. Takes base up and looks the log through; nothing is sent and nobody joined yet.
// RF_CONFLICT: the fleet was founded with another specification or arithmetic. RF_INVALID: the model cannot be shared.
enum rf_status rf_fleet_worker_create(const struct rf_fleet_worker_options *options, struct rf_fleet_worker **worker_out,
                                      struct rf_error *err) RF_MUST_USE;
void rf_fleet_worker_destroy(struct rf_fleet_worker *worker); // joins threads that run

enum rf_status rf_fleet_worker_start(struct rf_fleet_worker *worker, struct rf_error *err) RF_MUST_USE;

// One turn of one thread's work, in this thread and without waiting: how tests and the simulation drive it.
enum rf_fleet_part { RF_FLEET_INTAKE, RF_FLEET_FOLD, RF_FLEET_SENDER, RF_FLEET_KEEPER, RF_FLEET_PARTS };
bool rf_fleet_worker_turn(struct rf_fleet_worker *worker, enum rf_fleet_part part); // false: it has come to its end

// Asks for the end: stop taking, fold what was taken, have it in the log, leave. Any thread.
void rf_fleet_worker_stop(struct rf_fleet_worker *worker);

// How it stands. Any thread. RF_BUSY: another process has its group.instance.id. RF_CORRUPT, RF_CONFLICT: see rf_replica_take().
void rf_fleet_worker_report(struct rf_fleet_worker *worker, struct rf_worker_report *report_out);

struct rf_pipeline *rf_fleet_worker_pipeline(struct rf_fleet_worker *worker);
const struct rf_replica *rf_fleet_worker_replica(const struct rf_fleet_worker *worker); // the fold thread's
struct rf_layers *rf_fleet_worker_layers(struct rf_fleet_worker *worker);               // likewise

#endif
