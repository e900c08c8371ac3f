#ifndef RF_OPS_FLEET_WORKER_INTERNAL_H
#define RF_OPS_FLEET_WORKER_INTERNAL_H
// What the three threads of a worker of a fleet share. Only its own files include it.
#include "ops/fleet_growth.h"
#include "ops/fleet_scan.h"
#include "ops/fleet_snapshot.h"
#include "ops/fleet_worker.h"
#include "ops/ring.h"
#include "proto/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    RF_FLEET_POLL_MS = 20,
    RF_FLEET_IDLE_MS = 5,
    RF_FLEET_REPORT_MS = 200,
    RF_FLEET_LOG_MS = 5,          // how often the log of deltas is looked at
    RF_FLEET_BARRIER_MS = 1000,   // how long offsets that the group has committed are waited for, before there must be proof
    RF_FLEET_FOUNDING_MS = 10000, // how long brokers may take to learn of the log of deltas
    RF_FLEET_DOUBT_MS = 5000, // how long the log is read for another process that has our group.instance.id, as the group says
    RF_FLEET_BACKOFF_MS = 50, // before a transaction that was aborted is sent again, or a client opened again
};

// What the source thread asks of the fold thread, one thing at a time. The fold thread answers by RF_FLEET_ASK_ANSWERED.
enum rf_fleet_ask {
    RF_FLEET_ASK_NOTHING,
    RF_FLEET_ASK_BEGIN,   // these partitions came: where do they begin?
    RF_FLEET_ASK_BEGUN,   // they begin there
    RF_FLEET_ASK_RELEASE, // these go: is all of theirs in the log?
    RF_FLEET_ASK_DROP,    // these are gone
    RF_FLEET_ASK_ANSWERED,
};

// What the sender thread is to send, or has sent.
enum rf_fleet_sending {
    RF_FLEET_SENDING_NOTHING,
    RF_FLEET_SENDING_ASKED,
    RF_FLEET_SENDING_DONE, // see outcome
};

// Proof that the log is read as far as the group had committed when it was asked: an own join that was sent after that, and read.
// Needed where offsets were committed by a delta that turned out to be void, and which the log therefore never reaches.
enum rf_fleet_barrier { RF_FLEET_BARRIER_NONE, RF_FLEET_BARRIER_ASKED, RF_FLEET_BARRIER_READ };

// A transaction as the fold thread made it. The sender's while it is asked for.
struct rf_fleet_parcel {
    struct rf_transaction_record *records; // [count]
    uint8_t **memory;                      // [count] their values
    size_t count;
    char *outbox; // bytes of what the sinks were given; NULL: nothing
    struct rf_positions offsets;
    bool has_offsets;
    uint64_t join; // of which its epoch is
};

// A snapshot of base that is being made. The keeper's while worker->is_keeping, else the fold thread's.
struct rf_fleet_keeping {
    struct rf_snapshot_header header;
    struct rf_fleet_snapshot manifest;
    struct rf_replica_reset *resets; // [reset_count] met so far
    size_t reset_count;
    struct rf_snapshot_writer *writer;
    uint8_t *bytes; // [begin, end) are not sent yet
    size_t begin, end, capacity;
    struct rf_sha256 sha; // of what was sent
    int step;
    bool is_waiting; // for the brokers

    // The fold thread's.
    uint64_t number;  // that the last one was begun at
    int64_t since_ms; // and when
    uint64_t begun;   // by this process
};

struct rf_fleet_worker {
    struct rf_fleet_worker_options options;
    struct rf_pipeline *pipeline;
    struct rf_source *source, *deltas;
    struct rf_decoder *decoder, *fold_decoder; // of the source thread, and of the fold thread for batches that were cut
    bool has_started, has_threads;
    pthread_t source_thread, fold_thread, sender_thread, keeper_thread;
    struct rf_ring *prepared, *free; // of batches
    struct rf_batch **batches;       // [batches_made]
    size_t batches_made;

    // The source thread's.
    struct rf_batch *filling; // NULL: none
    bool is_polled;           // it holds records that are not prepared yet
    enum rf_fleet_ask asked;  // what the fold thread was asked last
    bool is_offered;          // partitions came, and nobody was asked yet where they begin
    bool must_rewind, is_ending, is_intake_over;
    struct rf_positions offered; // that the group told of last
    uint64_t reading;            // generation of what is read
    int64_t *ends;               // [ends_count]
    size_t ends_count;
    int64_t lag_told_ms, retry_ms;
    int64_t doubted_since_ms; // when the group said that another has our group.instance.id; 0: it did not

    // The fold thread's.
    struct rf_replica *replica;
    struct rf_layers *layers;
    struct rf_growth growth;         // what is not cut yet
    struct rf_positions frozen_from; // where what is frozen began
    struct rf_replica_reset *resets; // that the replica knows of beforehand
    bool is_frozen;                  // a delta is cut and not in the log yet
    bool is_frozen_void;             // and never will be
    struct rf_fleet_delta frozen;    // with ranges and runs of its own
    uint8_t *frozen_rows;
    struct rf_outbox frozen_outbox; // what Kafka sinks were given beside it
    struct rf_positions frozen_to;  // the offsets that it covers; names of the ranges
    uint64_t frozen_sequence;
    uint64_t sequence;            // of the last delta of this epoch that reached the log
    uint64_t delta_records;       // that a delta has now, to be of the wanted size
    struct rf_batch *folding;     // NULL: none
    struct rf_fleet_log log_read; // the log of deltas
    bool has_more;                // the last poll of the log brought something
    bool *held;                   // [held_count] partitions that are ours, by index
    size_t held_count;
    int64_t *begun; // [begun_count] where reading began of partitions of which the log had nothing; -1: not so
    size_t begun_count;
    bool has_joined;                     // the own join was read
    const char *stale;                   // why what was learned since base must be dropped; NULL: it need not
    bool gives_up;                       // it is dropped for the question that the source thread asked
    uint32_t epoch;                      // the newest one of this worker,
    uint64_t join;                       // of its join with this number
    uint64_t growth_since, frozen_since; // versions' `since` where what is growing, and what is frozen, began
    struct rf_retraction retraction;     // still to be told
    bool has_retraction;
    size_t retraction_sink; // the next that is to be told
    uint64_t generation;    // of reading; batches of older ones are not folded
    int64_t grown_since_ms; // 0: nothing has grown
    int64_t asked_since_ms; // when giving up was asked for; 0: not
    int64_t told_ms, log_read_ms, folded_ms, resend_ms;
    bool is_retry;    // what is frozen is not in the log, and nobody is sending it
    bool awaits_join; // nothing may be sent before the next own join is read
    enum rf_fleet_barrier barrier;
    uint64_t barrier_join; // the join that is one has a higher number
    bool fold_waits;
    uint64_t rejects_told, dropped;

    struct rf_fleet_keeping keeping;

    _Atomic int ask;          // enum rf_fleet_ask
    _Atomic int sending;      // enum rf_fleet_sending
    _Atomic bool may_join;    // the sender may write
    _Atomic bool wants_join;  // the sender is to join anew
    _Atomic bool may_read;    // the own join was read: the group may be joined
    _Atomic bool is_unwanted; // what is being sent is to be aborted where that is still possible
    _Atomic bool wants_rewind;
    _Atomic bool gives_all; // what goes is all there is: the end
    _Atomic bool is_stopping, has_failed;
    _Atomic bool is_intake_done, is_fold_done, is_sender_done, is_keeper_done;
    _Atomic bool is_keeping;     // the keeper has a snapshot to make
    _Atomic bool is_base_frozen; // and reads base for it
    _Atomic uint64_t snapshots_kept;
    _Atomic uint64_t joins_sent; // numbers the nonces

    pthread_mutex_t lock;          // of all below
    struct rf_positions start;     // answers of the fold thread: where to read on, by index
    struct rf_positions asked_for; // partitions of the question, next_offset what the group has committed
    uint64_t start_generation;     // of that answer
    struct rf_fleet_parcel parcel;
    enum rf_outcome outcome;
    char trouble[RF_ERROR_TEXT_SIZE]; // why
    struct rf_worker_report report;
    int64_t first_ms;

    // The sender's.
    bool is_open, is_joined, is_sent;
    int64_t opened_ms; // when opening was tried last
};

void rf_fleet_intake_turn(struct rf_fleet_worker *worker, int wait_ms);
void rf_fleet_fold_turn(struct rf_fleet_worker *worker, int wait_ms);
void rf_fleet_sender_turn(struct rf_fleet_worker *worker, int wait_ms);
void rf_fleet_keeper_turn(struct rf_fleet_worker *worker, int wait_ms);

void *rf_fleet_intake_main(void *worker);
void *rf_fleet_fold_main(void *worker);
void *rf_fleet_sender_main(void *worker);
void *rf_fleet_keeper_main(void *worker);

// The log of deltas (ops/fleet_worker_log.c). Reads what there is, at most every few ms; what it says is done.
enum rf_status rf_fleet_read_log(struct rf_fleet_worker *worker, struct rf_error *err) RF_MUST_USE;
// Makes the replica: from the newest snapshot of base, or from the genesis. Looks the log through beforehand, for resets.
enum rf_status rf_fleet_take_up(struct rf_fleet_worker *worker, struct rf_error *err) RF_MUST_USE;

// Snapshots of base (ops/fleet_worker_keeper.c). Between two entries of the log: begins one when it is due.
void rf_fleet_keep(struct rf_fleet_worker *worker, int64_t now);
void rf_fleet_keeping_finish(struct rf_fleet_worker *worker); // before the layers go

// Deltas (ops/fleet_worker_delta.c).
enum rf_status rf_fleet_cut(struct rf_fleet_worker *worker, struct rf_error *err) RF_MUST_USE;    // and has it sent
enum rf_status rf_fleet_resend(struct rf_fleet_worker *worker, struct rf_error *err) RF_MUST_USE; // what is frozen
void rf_fleet_forget_frozen(struct rf_fleet_worker *worker);
void rf_fleet_parcel_finish(struct rf_fleet_parcel *parcel);
enum rf_status rf_fleet_join_parcel(struct rf_fleet_worker *worker, struct rf_fleet_parcel *parcel_out,
                                    struct rf_error *err) RF_MUST_USE;
// All that was learned since base is dropped, and reading begins anew where the log is. What is frozen must not be on its way.
enum rf_status rf_fleet_drop(struct rf_fleet_worker *worker, struct rf_error *err) RF_MUST_USE;

// Tells sinks of predictions that are void. RF_AGAIN: one has no room now.
enum rf_status rf_fleet_tell_retraction(struct rf_fleet_worker *worker, struct rf_error *err) RF_MUST_USE;

// Does what is growing, or frozen, still follow the log? Not when somebody else got ahead on a partition of ours.
bool rf_fleet_follows(const struct rf_fleet_worker *worker);

bool rf_fleet_holds(const struct rf_fleet_worker *worker, size_t index);
int64_t rf_fleet_now_ms(struct rf_fleet_worker *worker);
void rf_fleet_sleep_ms(struct rf_fleet_worker *worker, int ms);
void rf_fleet_fail(struct rf_fleet_worker *worker, enum rf_status status, const struct rf_error *err);

#endif
