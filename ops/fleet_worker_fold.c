// The fold thread of a worker of a fleet: the only one that touches the model, base and the replica.
#include "ops/fleet_worker_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STALENESS = 4 }; // deltas' worth of records may wait for one that is on its way

bool rf_fleet_holds(const struct rf_fleet_worker *worker, size_t index) {
    return index < worker->held_count && worker->held[index];
}

static void tell(struct rf_fleet_worker *worker, int64_t now) {
    struct rf_figures figures, window;
    if (worker->told_ms && now - worker->told_ms < RF_FLEET_REPORT_MS && now >= worker->told_ms) {
        return;
    }
    worker->told_ms = now;
    rf_evaluation_figures(rf_pipeline_evaluation(worker->pipeline), &figures);
    rf_evaluation_window_figures(rf_pipeline_evaluation(worker->pipeline), &window);
    struct rf_metrics *metrics = rf_pipeline_metrics(worker->pipeline);
    rf_metrics_set(metrics, RF_METRIC_fleet_deltas, 0, (int64_t)rf_replica_number(worker->replica));
    rf_metrics_set(metrics, RF_METRIC_fleet_void_deltas, 0, (int64_t)rf_replica_voids(worker->replica));
    rf_metrics_set(metrics, RF_METRIC_fleet_dropped_total, 0, (int64_t)worker->dropped);
    pthread_mutex_lock(&worker->lock);
    worker->report.counts = *rf_pipeline_counts(worker->pipeline);
    worker->report.figures = figures;
    worker->report.window = window;
    worker->report.busy_ms = worker->folded_ms > worker->first_ms ? worker->folded_ms - worker->first_ms : 0;
    pthread_mutex_unlock(&worker->lock);
    uint64_t rejected = rf_pipeline_counts(worker->pipeline)->rejected;
    if (rejected > worker->rejects_told) {
        rf_log(worker->options.log, RF_LOG_WARN, "records rejected", rf_log_text("model", rf_pipeline_name(worker->pipeline)),
               rf_log_uint("count", rejected - worker->rejects_told),
               rf_log_text("last", rf_pipeline_last_reject(worker->pipeline)));
        worker->rejects_told = rejected;
    }
}

// Batches.

static void give_back(struct rf_fleet_worker *worker) {
    rf_batch_reset(worker->folding, rf_schema_count(rf_pipeline_schema(worker->pipeline)));
    enum rf_status given = rf_ring_give(worker->free, worker->folding, 0); // there is room for all there are
    assert(!given);
    (void)given;
    worker->folding = NULL;
}

static enum rf_status prepare_rest(struct rf_fleet_worker *worker, struct rf_batch *batch, struct rf_error *err) {
    batch->resolved = batch->end;
    enum rf_status status = rf_pipeline_resolve(worker->fold_decoder, batch, rf_fleet_now_ms(worker), RF_RESOLVE_KNOWN, err);
    if (!status) {
        rf_pipeline_prepare(worker->pipeline, worker->fold_decoder, batch);
    }
    return status;
}

// A batch that was read before reading began anew is read again.
static bool is_of_old_reading(const struct rf_fleet_worker *worker) {
    return worker->folding->generation != worker->generation;
}

static size_t outbox_bytes(const struct rf_fleet_worker *worker) {
    return worker->options.outbox ? worker->options.outbox->size : 0;
}

static bool has_room(const struct rf_fleet_worker *worker) {
    uint64_t records = rf_growth_records(&worker->growth, worker->pipeline);
    return !worker->is_frozen || (records < STALENESS * worker->options.delta_records &&
                                  outbox_bytes(worker) < STALENESS * worker->options.delta_bytes);
}

// Folds the next batch, or goes on with the one that a sink had no room for. RF_AGAIN: there is none, or no room.
static enum rf_status fold_next(struct rf_fleet_worker *worker, int wait_ms, struct rf_error *err) {
    if (!worker->folding && (!has_room(worker) || rf_ring_take(worker->prepared, &worker->folding, wait_ms))) {
        struct rf_clock *clock = worker->options.clock;
        enum rf_status due = rf_pipeline_step(worker->pipeline, NULL, clock->unix_ms(clock), err);
        return due ? due : RF_AGAIN;
    }
    if (is_of_old_reading(worker) && !worker->folding->is_folded) {
        give_back(worker);
        return RF_OK;
    }
    struct rf_clock *clock = worker->options.clock;
    int64_t now = rf_fleet_now_ms(worker);
    worker->grown_since_ms = worker->grown_since_ms ? worker->grown_since_ms : now ? now : 1;
    enum rf_status status = rf_pipeline_step(worker->pipeline, worker->folding, clock->unix_ms(clock), err);
    worker->folded_ms = now;
    if (!status && worker->folding->end < worker->folding->records.count && !is_of_old_reading(worker)) {
        return prepare_rest(worker, worker->folding, err);
    }
    if (!status) {
        give_back(worker);
    }
    return status;
}

// Deltas.

static bool is_delta_due(struct rf_fleet_worker *worker, int64_t now) {
    uint64_t records = rf_growth_records(&worker->growth, worker->pipeline);
    if (records == 0 || worker->is_frozen) {
        return false;
    }
    return records >= worker->delta_records || outbox_bytes(worker) >= worker->options.delta_bytes ||
           atomic_load(&worker->ask) == RF_FLEET_ASK_RELEASE || now - worker->grown_since_ms >= worker->options.delta_ms ||
           now < worker->grown_since_ms;
}

static bool may_send(const struct rf_fleet_worker *worker) {
    return worker->has_joined && !worker->awaits_join && atomic_load(&worker->sending) == RF_FLEET_SENDING_NOTHING;
}

// What the sender has to tell. What was committed is seen in the log.
static void take_outcome(struct rf_fleet_worker *worker, int64_t now) {
    if (atomic_load(&worker->sending) != RF_FLEET_SENDING_DONE) {
        return;
    }
    char trouble[RF_ERROR_TEXT_SIZE];
    pthread_mutex_lock(&worker->lock);
    enum rf_outcome outcome = worker->outcome;
    snprintf(trouble, sizeof trouble, "%s", worker->trouble);
    pthread_mutex_unlock(&worker->lock);
    atomic_store(&worker->sending, RF_FLEET_SENDING_NOTHING);
    if (outcome == RF_OUTCOME_ABORTED && worker->is_frozen) {
        rf_log(worker->options.log, RF_LOG_WARN, "a delta was not committed; sending it again",
               rf_log_text("model", rf_pipeline_name(worker->pipeline)), rf_log_text("error", trouble));
        worker->is_retry = true;
        worker->resend_ms = now + RF_FLEET_BACKOFF_MS;
        rf_replica_expect(worker->replica, 0);
    }
    bool is_behind = worker->join != atomic_load(&worker->joins_sent);
    worker->awaits_join = worker->awaits_join || outcome == RF_OUTCOME_UNKNOWN || is_behind;
}

static enum rf_status send_due(struct rf_fleet_worker *worker, int64_t now, struct rf_error *err) {
    if (!may_send(worker)) {
        return RF_OK;
    }
    if (worker->is_retry && (now >= worker->resend_ms || now < worker->resend_ms - RF_FLEET_BACKOFF_MS)) {
        return rf_fleet_resend(worker, err);
    }
    return is_delta_due(worker, now) && !worker->folding ? rf_fleet_cut(worker, err) : RF_OK;
}

// What is on its way may still come into the log: only then is it known what of it must be taken back. RF_AGAIN: it is not yet.
static enum rf_status drop_stale(struct rf_fleet_worker *worker, struct rf_error *err) {
    atomic_store(&worker->is_unwanted, true);
    return worker->is_frozen && !worker->is_retry ? RF_AGAIN : rf_fleet_drop(worker, err);
}

// The group.

static enum rf_status provide(struct rf_fleet_worker *worker, size_t count, struct rf_error *err) {
    if (count <= worker->held_count) {
        return RF_OK;
    }
    bool *held = reallocarray(worker->held, count, sizeof *held);
    worker->held = held ? held : worker->held;
    int64_t *begun = reallocarray(worker->begun, count, sizeof *begun);
    worker->begun = begun ? begun : worker->begun;
    if (!held || !begun) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", count);
    }
    for (size_t i = worker->held_count; i < count; i++) {
        held[i] = false;
        begun[i] = RF_OFFSET_NONE;
    }
    worker->held_count = worker->begun_count = count;
    return RF_OK;
}

// The source thread may have asked something else meanwhile, at the end.
static void answer(struct rf_fleet_worker *worker, int asked) {
    worker->asked_since_ms = 0;
    worker->barrier = RF_FLEET_BARRIER_NONE;
    atomic_compare_exchange_strong(&worker->ask, &asked, RF_FLEET_ASK_ANSWERED);
}

static enum rf_status copy_start(struct rf_fleet_worker *worker, struct rf_error *err) {
    pthread_mutex_lock(&worker->lock);
    enum rf_status status = rf_positions_copy(&worker->start, rf_pipeline_positions(worker->pipeline))
                                    ? rf_fail(err, RF_MEMORY, "out of memory for positions")
                                    : RF_OK;
    worker->start_generation = worker->generation;
    pthread_mutex_unlock(&worker->lock);
    return status;
}

// Has the log been read as far as the group has committed for the partitions that came?
static bool is_caught_up(struct rf_fleet_worker *worker, int64_t now) {
    const struct rf_positions *applied = rf_replica_applied(worker->replica);
    bool is_behind = false;
    for (size_t i = 0; i < worker->asked_for.count; i++) {
        const struct rf_position *wanted = &worker->asked_for.list[i];
        const struct rf_position *by_log = rf_positions_find(applied, wanted->topic, wanted->partition);
        is_behind = is_behind || (wanted->next_offset >= 0 && (!by_log || by_log->next_offset < wanted->next_offset));
    }
    if (!is_behind || worker->barrier == RF_FLEET_BARRIER_READ) {
        return true;
    }
    bool is_idle = !worker->is_frozen && atomic_load(&worker->sending) == RF_FLEET_SENDING_NOTHING && !worker->awaits_join;
    if (worker->barrier == RF_FLEET_BARRIER_NONE && now - worker->asked_since_ms > RF_FLEET_BARRIER_MS && is_idle) {
        worker->barrier = RF_FLEET_BARRIER_ASKED;
        worker->barrier_join = atomic_load(&worker->joins_sent);
        worker->awaits_join = true;
        atomic_store(&worker->wants_join, true);
    }
    return false;
}

// Of partitions that came nothing has grown.
static enum rf_status begin_growth(struct rf_fleet_worker *worker, struct rf_error *err) {
    const struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    struct rf_positions *from = &worker->growth.from;
    for (size_t i = 0; i < positions->count; i++) {
        const struct rf_position *position = &positions->list[i];
        size_t index;
        if (rf_positions_add(from, position->topic, position->partition, &index)) {
            return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
        }
        if (rf_positions_find(&worker->asked_for, position->topic, position->partition)) {
            from->list[index].next_offset = position->next_offset;
            from->list[index].records = position->records;
            from->list[index].fingerprint = position->fingerprint;
        }
    }
    return RF_OK;
}

// Where do partitions begin that came? Where the log is, once it is read as far as the group has committed.
static enum rf_status begin(struct rf_fleet_worker *worker, int64_t now, struct rf_error *err) {
    const struct rf_positions *applied = rf_replica_applied(worker->replica);
    struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    if (!is_caught_up(worker, now)) {
        return RF_OK;
    }
    for (size_t i = 0; i < worker->asked_for.count; i++) {
        const struct rf_position *wanted = &worker->asked_for.list[i];
        const struct rf_position *by_log = rf_positions_find(applied, wanted->topic, wanted->partition);
        size_t index;
        if (rf_positions_add(positions, wanted->topic, wanted->partition, &index)) {
            return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count + 1);
        }
        struct rf_position *position = &positions->list[index];
        position->next_offset = by_log ? by_log->next_offset : RF_OFFSET_NONE;
        position->fingerprint = by_log ? by_log->fingerprint : 0;
        position->records = by_log ? by_log->records : 0;
    }
    enum rf_status status = provide(worker, positions->count, err);
    status = status ? status : begin_growth(worker, err);
    status = status ? status : copy_start(worker, err);
    if (!status) {
        answer(worker, RF_FLEET_ASK_BEGIN);
    }
    return status;
}

// They begin where the source said, or where it was told.
static enum rf_status begun(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < worker->asked_for.count; i++) {
        const struct rf_position *wanted = &worker->asked_for.list[i];
        struct rf_position *position = rf_positions_find(positions, wanted->topic, wanted->partition);
        size_t index = (size_t)(position - positions->list);
        if (position->next_offset == RF_OFFSET_NONE) {
            position->next_offset = worker->start.list[index].next_offset;
        }
        worker->begun[index] = position->next_offset;
        worker->held[index] = true;
    }
    pthread_mutex_unlock(&worker->lock);
    enum rf_status status = begin_growth(worker, err);
    if (!rf_fleet_follows(worker)) { // the log went on since they were asked for
        worker->stale = "another worker has learned the same records";
    }
    answer(worker, RF_FLEET_ASK_BEGUN);
    return status;
}

static void let_go(struct rf_fleet_worker *worker) {
    struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    for (size_t i = 0; i < worker->held_count && atomic_load(&worker->gives_all); i++) {
        worker->held[i] = false;
    }
    for (size_t i = 0; i < worker->asked_for.count && !atomic_load(&worker->gives_all); i++) {
        const struct rf_position *gone = &worker->asked_for.list[i];
        const struct rf_position *position = rf_positions_find(positions, gone->topic, gone->partition);
        if (position) {
            worker->held[position - positions->list] = false;
        }
    }
}

static enum rf_status give_up(struct rf_fleet_worker *worker, int asked, struct rf_error *err) {
    let_go(worker);
    enum rf_status status = copy_start(worker, err);
    if (!status) {
        worker->gives_up = false;
        answer(worker, asked);
    }
    return status;
}

// All that was handed on is folded, and in the log. When that takes too long it is dropped: whoever has them next learns it.
static enum rf_status release(struct rf_fleet_worker *worker, int64_t now, struct rf_error *err) {
    bool is_folded = !worker->folding && rf_ring_count(worker->prepared) == 0;
    bool is_in_log = !worker->is_frozen && rf_growth_records(&worker->growth, worker->pipeline) == 0;
    if ((is_folded && is_in_log) || worker->gives_up) {
        return give_up(worker, RF_FLEET_ASK_RELEASE, err);
    }
    if (now - worker->asked_since_ms > worker->options.drain_ms) {
        worker->stale = "giving partitions up took too long";
        worker->gives_up = true;
    }
    return RF_OK;
}

static enum rf_status drop(struct rf_fleet_worker *worker, struct rf_error *err) {
    if (worker->gives_up) {
        return give_up(worker, RF_FLEET_ASK_DROP, err);
    }
    worker->stale = "partitions were lost";
    worker->gives_up = true;
    return RF_OK;
}

static enum rf_status attend_group(struct rf_fleet_worker *worker, int64_t now, struct rf_error *err) {
    int ask = atomic_load(&worker->ask);
    if (ask == RF_FLEET_ASK_NOTHING || ask == RF_FLEET_ASK_ANSWERED) {
        return RF_OK;
    }
    worker->asked_since_ms = worker->asked_since_ms ? worker->asked_since_ms : now ? now : 1;
    switch (ask) {
    case RF_FLEET_ASK_BEGIN:
        return begin(worker, now, err);
    case RF_FLEET_ASK_BEGUN:
        return begun(worker, err);
    case RF_FLEET_ASK_RELEASE:
        return release(worker, now, err);
    default:
        return drop(worker, err);
    }
}

// A turn.

static enum rf_status work(struct rf_fleet_worker *worker, int wait_ms, struct rf_error *err) {
    int64_t now = rf_fleet_now_ms(worker);
    enum rf_status status = rf_fleet_read_log(worker, err);
    take_outcome(worker, now);
    tell(worker, now);
    if (!status && worker->stale) {
        status = drop_stale(worker, err);
    }
    status = status ? status : send_due(worker, now, err);
    status = status ? status : attend_group(worker, now, err);
    rf_fleet_keep(worker, now);
    status = status ? status : rf_fleet_tell_retraction(worker, err);
    return status || worker->stale ? status : fold_next(worker, worker->has_more ? 0 : wait_ms, err);
}

void rf_fleet_fold_turn(struct rf_fleet_worker *worker, int wait_ms) {
    struct rf_error err;
    if (atomic_load(&worker->is_fold_done)) {
        return;
    }
    enum rf_status status = atomic_load(&worker->has_failed) ? RF_END : work(worker, wait_ms, &err);
    if (status && status != RF_AGAIN && status != RF_END) {
        rf_fleet_fail(worker, status, &err);
    }
    bool is_over = status == RF_END || (atomic_load(&worker->is_intake_done) && status == RF_AGAIN && !worker->folding);
    if (is_over || (status && status != RF_AGAIN)) {
        worker->told_ms = 0;
        tell(worker, rf_fleet_now_ms(worker));
        atomic_store(&worker->is_fold_done, true);
    }
    worker->fold_waits = status == RF_AGAIN && worker->folding;
}

void *rf_fleet_fold_main(void *context) {
    struct rf_fleet_worker *worker = context;
    pthread_setname_np(pthread_self(), "fold");
    while (!atomic_load(&worker->is_fold_done)) {
        rf_fleet_fold_turn(worker, RF_FLEET_IDLE_MS);
        if (worker->fold_waits || worker->stale || !has_room(worker)) {
            rf_fleet_sleep_ms(worker, 1);
        }
    }
    return NULL;
}
