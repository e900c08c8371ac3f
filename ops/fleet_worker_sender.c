// The sender thread: one transaction at a time. Joins the fleet first, and again whenever it is not known what became of one: the
// join that then stands in the log tells that nothing of an earlier epoch will come behind it.
#include "ops/fleet_worker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAST_WORDS_MS = 2000 };

static bool is_due(struct rf_fleet_worker *worker, int64_t *last_ms) {
    int64_t now = rf_fleet_now_ms(worker);
    if (*last_ms && now - *last_ms < RF_FLEET_BACKOFF_MS && now >= *last_ms) {
        return false;
    }
    *last_ms = now;
    return true;
}

static void complain(struct rf_fleet_worker *worker, const char *what, const struct rf_error *err) {
    rf_log(worker->options.log, RF_LOG_WARN, what, rf_log_text("model", rf_pipeline_name(worker->pipeline)),
           rf_log_text("error", err->text));
}

static void fenced(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_error told;
    rf_fail(&told, RF_BUSY, "another process has the group.instance.id %s, which must be this one's alone: %.700s",
            worker->options.worker, err->text);
    rf_fleet_fail(worker, RF_BUSY, &told);
}

// What became of a transaction, in so far as it concerns this client. True when it can go on.
static bool go_on(struct rf_fleet_worker *worker, enum rf_outcome outcome, struct rf_error *err) {
    if (outcome == RF_OUTCOME_FENCED) {
        fenced(worker, err);
    } else if (outcome == RF_OUTCOME_UNKNOWN) {
        complain(worker, "it is not known whether a transaction was made; the log will tell", err);
        worker->is_open = false;
        worker->is_joined = false;
    }
    return outcome == RF_OUTCOME_COMMITTED;
}

static void open_client(struct rf_fleet_worker *worker) {
    struct rf_error err;
    if (!is_due(worker, &worker->opened_ms)) {
        return;
    }
    enum rf_status status = rf_transaction_open(worker->options.transaction, worker->options.send_ms, &err);
    if (status == RF_CONFLICT) {
        fenced(worker, &err);
    } else if (status) {
        complain(worker, "transactions are not to be had yet; trying again", &err);
    }
    worker->is_open = !status;
}

static void join(struct rf_fleet_worker *worker) {
    struct rf_fleet_parcel parcel;
    struct rf_error err;
    if (!is_due(worker, &worker->opened_ms)) {
        return;
    }
    enum rf_status status = rf_fleet_join_parcel(worker, &parcel, &err);
    if (status) {
        rf_fleet_fail(worker, status, &err);
        return;
    }
    const struct rf_transaction_contents contents = {.records = parcel.records, .count = parcel.count};
    enum rf_outcome outcome;
    status = rf_transaction_send(worker->options.transaction, &contents, worker->options.send_ms, &outcome, &err);
    if (!status) {
        (void)!rf_transaction_commit(worker->options.transaction, worker->options.send_ms, &outcome, &err);
    }
    worker->is_joined = go_on(worker, outcome, &err);
    rf_fleet_parcel_finish(&parcel);
}

static void tell_outcome(struct rf_fleet_worker *worker, enum rf_outcome outcome, const struct rf_error *err) {
    pthread_mutex_lock(&worker->lock);
    worker->outcome = outcome;
    snprintf(worker->trouble, sizeof worker->trouble, "%s", outcome == RF_OUTCOME_COMMITTED ? "" : err->text);
    rf_fleet_parcel_finish(&worker->parcel);
    pthread_mutex_unlock(&worker->lock);
    worker->is_sent = false;
    atomic_store(&worker->sending, RF_FLEET_SENDING_DONE);
}

// The parcel stays where it is until tell_outcome(): only this thread touches it while sending is asked for.
static void send(struct rf_fleet_worker *worker) {
    struct rf_error err;
    enum rf_outcome outcome = RF_OUTCOME_ABORTED;
    uint8_t *group = NULL;
    size_t group_size = 0;
    // One of an epoch that a later join has ended would be committed with all that goes with it, and yet be void.
    bool is_over = worker->parcel.join != atomic_load(&worker->joins_sent);
    if (is_over || atomic_load(&worker->is_unwanted)) {
        rf_fail(&err, RF_CONFLICT, is_over ? "this worker has joined anew meanwhile" : "it is not wanted any more");
        tell_outcome(worker, RF_OUTCOME_ABORTED, &err);
        return;
    }
    enum rf_status status = rf_source_group(worker->source, &group, &group_size, &err);
    if (!status) {
        struct rf_fleet_parcel *parcel = &worker->parcel;
        const struct rf_transaction_contents contents = {.records = parcel->records,
                                                         .count = parcel->count,
                                                         .offsets = parcel->has_offsets ? &parcel->offsets : NULL,
                                                         .note = worker->options.worker,
                                                         .group = group,
                                                         .group_size = group_size};
        status = rf_transaction_send(worker->options.transaction, &contents, worker->options.send_ms, &outcome, &err);
    }
    free(group);
    if (status) {
        go_on(worker, outcome, &err);
        tell_outcome(worker, outcome, &err);
    }
    worker->is_sent = !status;
}

static void commit(struct rf_fleet_worker *worker) {
    struct rf_error err;
    enum rf_outcome outcome;
    if (atomic_load(&worker->is_unwanted)) {
        (void)!rf_transaction_abort(worker->options.transaction, worker->options.send_ms, &outcome, &err);
        rf_fail(&err, RF_CONFLICT, "it is not wanted any more");
    } else {
        (void)!rf_transaction_commit(worker->options.transaction, worker->options.send_ms, &outcome, &err);
    }
    go_on(worker, outcome, &err);
    tell_outcome(worker, outcome, &err);
}

void rf_fleet_sender_turn(struct rf_fleet_worker *worker, int wait_ms) {
    bool is_over = atomic_load(&worker->is_fold_done) || atomic_load(&worker->has_failed);
    if (is_over) {
        if (worker->is_sent) { // nobody waits for it: readers need not either
            enum rf_outcome outcome;
            struct rf_error err;
            (void)!rf_transaction_abort(worker->options.transaction, LAST_WORDS_MS, &outcome, &err);
            worker->is_sent = false;
        }
        atomic_store(&worker->is_sender_done, atomic_load(&worker->is_fold_done));
    } else if (!atomic_load(&worker->may_join)) {
        // the log is being read
    } else if (!worker->is_open) {
        open_client(worker);
    } else if (!worker->is_joined) {
        join(worker);
    } else if (worker->is_sent) {
        commit(worker);
        return;
    } else if (atomic_exchange(&worker->wants_join, false)) {
        worker->is_joined = false;
    } else if (atomic_load(&worker->sending) == RF_FLEET_SENDING_ASKED) {
        send(worker);
        return;
    }
    if (wait_ms) {
        rf_fleet_sleep_ms(worker, 1);
    }
}

void *rf_fleet_sender_main(void *context) {
    struct rf_fleet_worker *worker = context;
    pthread_setname_np(pthread_self(), "sender");
    while (!atomic_load(&worker->is_sender_done)) {
        rf_fleet_sender_turn(worker, RF_FLEET_IDLE_MS);
    }
    return NULL;
}
