// The source thread of a worker of a fleet: polls, decodes, and answers what the group tells.
#include "ops/fleet_worker_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ask(struct rf_fleet_worker *worker, enum rf_fleet_ask what) {
    worker->asked = what;
    atomic_store(&worker->ask, what);
}

// Records that are not handed on yet are read again.
static void discard(struct rf_fleet_worker *worker) {
    if (worker->filling) {
        rf_batch_reset(worker->filling, rf_schema_count(rf_pipeline_schema(worker->pipeline)));
    }
    worker->is_polled = false;
}

// The partitions of the question, with what the group has committed of them. RF_AGAIN: that cannot be told now.
static enum rf_status take_offer(struct rf_fleet_worker *worker, struct rf_error *err) {
    char note[RF_FLEET_WORKER_SIZE];
    int64_t now = rf_fleet_now_ms(worker);
    if (worker->retry_ms && now < worker->retry_ms && worker->retry_ms - now <= RF_FLEET_BACKOFF_MS) {
        return RF_AGAIN;
    }
    pthread_mutex_lock(&worker->lock);
    enum rf_status status = rf_positions_copy(&worker->asked_for, &worker->offered);
    pthread_mutex_unlock(&worker->lock);
    if (status) {
        return rf_fail(err, RF_MEMORY, "out of memory for partitions");
    }
    status = rf_source_committed(worker->source, &worker->asked_for, note, sizeof note, err);
    if (status && worker->source->is_temporary) {
        worker->retry_ms = now + RF_FLEET_BACKOFF_MS;
        return RF_AGAIN;
    }
    worker->retry_ms = 0;
    return status;
}

static enum rf_status begin(struct rf_fleet_worker *worker, struct rf_error *err) {
    enum rf_status status = take_offer(worker, err);
    if (!status) {
        ask(worker, RF_FLEET_ASK_BEGIN);
    }
    return status;
}

// Reading begins, or begins anew, where the fold thread said.
static enum rf_status assign(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_positions start;
    rf_positions_init(&start);
    pthread_mutex_lock(&worker->lock);
    enum rf_status status =
            rf_positions_copy(&start, &worker->start) ? rf_fail(err, RF_MEMORY, "out of memory for positions") : RF_OK;
    worker->reading = worker->start_generation;
    pthread_mutex_unlock(&worker->lock);
    status = status ? status : rf_source_assign(worker->source, &start, err);
    if (!status) {
        pthread_mutex_lock(&worker->lock);
        for (size_t i = 0; i < start.count && i < worker->start.count; i++) {
            worker->start.list[i].next_offset = start.list[i].next_offset;
        }
        pthread_mutex_unlock(&worker->lock);
    }
    rf_positions_finish(&start);
    return status;
}

// Takes the answer to what was asked. RF_AGAIN: there is none yet.
static enum rf_status take_answer(struct rf_fleet_worker *worker, struct rf_error *err) {
    if (atomic_load(&worker->ask) != RF_FLEET_ASK_ANSWERED) {
        return RF_AGAIN;
    }
    enum rf_fleet_ask asked = worker->asked;
    enum rf_status status = RF_OK;
    if (asked == RF_FLEET_ASK_BEGIN) {
        status = assign(worker, err);
        if (status && worker->source->is_temporary) {
            return RF_AGAIN;
        }
        ask(worker, RF_FLEET_ASK_BEGUN);
        return status;
    }
    worker->asked = RF_FLEET_ASK_NOTHING;
    atomic_store(&worker->ask, RF_FLEET_ASK_NOTHING);
    if (asked == RF_FLEET_ASK_RELEASE || asked == RF_FLEET_ASK_DROP) {
        rf_source_unassign(worker->source);
        worker->must_rewind = true; // what was read and discarded of the others
    }
    return status;
}

static void note_partitions(struct rf_fleet_worker *worker, const struct rf_positions *partitions) {
    pthread_mutex_lock(&worker->lock);
    (void)!rf_positions_copy(&worker->offered, partitions);
    (void)!rf_positions_copy(&worker->asked_for, partitions);
    pthread_mutex_unlock(&worker->lock);
}

static void tell_group(struct rf_fleet_worker *worker, const char *what, const struct rf_positions *partitions) {
    rf_log(worker->options.log, RF_LOG_INFO, what, rf_log_text("model", rf_pipeline_name(worker->pipeline)),
           rf_log_uint("partitions", partitions->count));
}

// What the group told.
static void attend(struct rf_fleet_worker *worker, enum rf_source_event event, const struct rf_positions *partitions) {
    switch (event) {
    case RF_SOURCE_ASSIGNED:
        tell_group(worker, "partitions came", partitions);
        note_partitions(worker, partitions);
        worker->is_offered = true;
        break;
    case RF_SOURCE_REVOKED:
        tell_group(worker, "partitions are asked for by the group", partitions);
        note_partitions(worker, partitions);
        discard(worker);
        ask(worker, RF_FLEET_ASK_RELEASE);
        break;
    case RF_SOURCE_LOST:
        tell_group(worker, "partitions were lost", partitions);
        note_partitions(worker, partitions);
        discard(worker);
        ask(worker, RF_FLEET_ASK_DROP);
        break;
    default:
        break;
    }
}

static enum rf_status poll_batch(struct rf_fleet_worker *worker, int wait_ms, struct rf_error *err) {
    const struct rf_poll want = {.records_max = worker->filling->records.capacity,
                                 .bytes_max = rf_pipeline_batch_bytes(worker->pipeline),
                                 .timeout_ms = wait_ms,
                                 .now_ms = rf_fleet_now_ms(worker)};
    enum rf_source_event event = RF_SOURCE_IDLE;
    const struct rf_positions *partitions = NULL;
    worker->filling->source = worker->source;
    worker->filling->records.count = 0;
    enum rf_status status = rf_source_poll(worker->source, &want, &worker->filling->records, &event, &partitions, err);
    if (status && worker->source->is_temporary) {
        rf_log(worker->options.log, RF_LOG_WARN, "source interrupted; waiting for it", rf_log_text("error", err->text));
        return RF_AGAIN;
    }
    if (status) {
        return status;
    }
    attend(worker, event, partitions);
    if (event != RF_SOURCE_RECORDS || worker->filling->records.count == 0) {
        return RF_AGAIN;
    }
    uint64_t bytes = 0;
    for (size_t i = 0; i < worker->filling->records.count; i++) {
        bytes += worker->filling->records.list[i].value.size;
    }
    rf_metrics_add(rf_pipeline_metrics(worker->pipeline), RF_METRIC_record_bytes_total, 0, (int64_t)bytes);
    pthread_mutex_lock(&worker->lock);
    worker->first_ms = worker->first_ms ? worker->first_ms : want.now_ms;
    pthread_mutex_unlock(&worker->lock);
    worker->filling->generation = worker->reading;
    worker->is_polled = true;
    return RF_OK;
}

// Polls and decodes a batch, and hands it on. RF_AGAIN: not yet.
static enum rf_status fill(struct rf_fleet_worker *worker, int wait_ms, struct rf_error *err) {
    enum rf_status status = RF_OK;
    if (!worker->filling && rf_ring_take(worker->free, &worker->filling, 0) != RF_OK) {
        // All are in the fold's hands. The group is attended to all the same, by a poll for nothing else.
        return wait_ms && rf_ring_take(worker->free, &worker->filling, wait_ms) == RF_OK ? RF_OK : RF_AGAIN;
    }
    if (!worker->is_polled) {
        status = poll_batch(worker, wait_ms, err);
    }
    if (!status) {
        err->text[0] = '\0';
        status = rf_pipeline_resolve(worker->decoder, worker->filling, rf_fleet_now_ms(worker), wait_ms, err);
    }
    if (status) {
        return status;
    }
    rf_pipeline_prepare(worker->pipeline, worker->decoder, worker->filling);
    worker->is_polled = false;
    enum rf_status given = rf_ring_give(worker->prepared, worker->filling, 0); // there is room for all that there are
    assert(!given);
    (void)given;
    worker->filling = NULL;
    return RF_OK;
}

static void tell_lag(struct rf_fleet_worker *worker) {
    int64_t now = rf_fleet_now_ms(worker), lag = 0;
    if (worker->lag_told_ms && now - worker->lag_told_ms < RF_FLEET_REPORT_MS && now >= worker->lag_told_ms) {
        return;
    }
    worker->lag_told_ms = now;
    size_t count = worker->source->partitions_assigned;
    if (count > worker->ends_count) {
        int64_t *ends = reallocarray(worker->ends, count, sizeof *ends);
        if (!ends) {
            return;
        }
        worker->ends = ends;
        worker->ends_count = count;
    }
    rf_source_ends(worker->source, worker->ends);
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < count && i < worker->start.count; i++) {
        int64_t next = worker->start.list[i].next_offset;
        lag += worker->ends[i] > next && next >= 0 ? worker->ends[i] - next : 0;
    }
    worker->report.lag = lag;
    pthread_mutex_unlock(&worker->lock);
}

// Reading begins anew: what is handed on already is not folded, by its generation.
static enum rf_status read_anew(struct rf_fleet_worker *worker, struct rf_error *err) {
    discard(worker);
    enum rf_status status = assign(worker, err);
    if (status && worker->source->is_temporary) {
        return RF_AGAIN;
    }
    worker->must_rewind = false;
    return status;
}

static enum rf_status work(struct rf_fleet_worker *worker, int wait_ms, struct rf_error *err) {
    bool is_stopping = atomic_load(&worker->is_stopping);
    if (is_stopping && (worker->asked == RF_FLEET_ASK_NOTHING || worker->asked == RF_FLEET_ASK_BEGIN)) {
        return RF_END;
    }
    if (worker->asked != RF_FLEET_ASK_NOTHING) {
        enum rf_status status = take_answer(worker, err);
        bool goes_on_reading = worker->asked == RF_FLEET_ASK_BEGIN; // until what others learned of them is read
        if (status != RF_AGAIN || !goes_on_reading) {
            return status;
        }
    } else if (worker->is_offered) {
        enum rf_status status = begin(worker, err);
        worker->is_offered = status == RF_AGAIN;
        if (status && status != RF_AGAIN) {
            return status;
        }
    }
    if (atomic_exchange(&worker->wants_rewind, false)) {
        worker->must_rewind = true;
    }
    if (worker->must_rewind && worker->asked == RF_FLEET_ASK_NOTHING && !worker->is_offered) {
        return read_anew(worker, err);
    }
    return fill(worker, wait_ms, err);
}

// The end: all that is held is given up well.
static void end(struct rf_fleet_worker *worker) {
    if (!worker->is_ending) {
        worker->is_ending = true;
        discard(worker);
        atomic_store(&worker->gives_all, true); // the partitions of a question that stands still are the fold thread's to read
        ask(worker, RF_FLEET_ASK_RELEASE);
    } else if (atomic_load(&worker->ask) == RF_FLEET_ASK_ANSWERED) {
        rf_source_unassign(worker->source);
        worker->is_intake_over = true;
        rf_ring_close(worker->prepared);
        atomic_store(&worker->is_intake_done, true);
    }
}

// The group says that another has our group.instance.id. A process that has it joined the fleet before the group, so the fold
// thread finds its join in the log of deltas, and says so. Else nobody has: a coordinator that stood still, or was replaced by
// another broker, may take what it remembers of us for somebody else. Only a new client is let in again, which a restart brings.
static enum rf_status doubt(struct rf_fleet_worker *worker, int wait_ms, struct rf_error *err) {
    int64_t now = rf_fleet_now_ms(worker);
    struct rf_error told = *err;
    worker->doubted_since_ms = worker->doubted_since_ms ? worker->doubted_since_ms : now ? now : 1;
    if (now - worker->doubted_since_ms < RF_FLEET_DOUBT_MS) {
        rf_fleet_sleep_ms(worker, wait_ms ? RF_FLEET_IDLE_MS : 0);
        return RF_AGAIN;
    }
    return rf_fail(err, RF_IO, "%.600s; but no other process has joined the fleet by that name: a restart may help", told.text);
}

void rf_fleet_intake_turn(struct rf_fleet_worker *worker, int wait_ms) {
    struct rf_error err;
    if (worker->is_intake_over) {
        return;
    }
    if (atomic_load(&worker->has_failed)) {
        worker->is_intake_over = true;
        rf_ring_close(worker->prepared);
        atomic_store(&worker->is_intake_done, true);
        return;
    }
    if (!atomic_load(&worker->may_read) && !atomic_load(&worker->is_stopping)) {
        if (wait_ms) {
            rf_fleet_sleep_ms(worker, RF_FLEET_IDLE_MS);
        }
        return;
    }
    enum rf_status status = worker->is_ending ? RF_END : work(worker, wait_ms, &err);
    if (status == RF_END) {
        end(worker);
        status = RF_AGAIN;
    }
    status = status == RF_BUSY ? doubt(worker, wait_ms, &err) : status;
    if (status && status != RF_AGAIN) {
        rf_fleet_fail(worker, status, &err);
    }
    bool waits = worker->asked != RF_FLEET_ASK_NOTHING && worker->asked != RF_FLEET_ASK_BEGIN;
    if (status == RF_AGAIN && wait_ms && waits) {
        rf_fleet_sleep_ms(worker, 1);
    }
    tell_lag(worker);
}

void *rf_fleet_intake_main(void *context) {
    struct rf_fleet_worker *worker = context;
    pthread_setname_np(pthread_self(), "source");
    while (!worker->is_intake_over) {
        rf_fleet_intake_turn(worker, RF_FLEET_POLL_MS);
    }
    return NULL;
}
