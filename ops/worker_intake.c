// The source thread: polls, fetches what decoding needs, decodes, builds examples, and tells the source what is safe.
#include "ops/worker_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Commits what was posted; true when something was.
static bool commit_posted(struct rf_worker *worker) {
    struct rf_positions positions;
    rf_positions_init(&positions);
    pthread_mutex_lock(&worker->lock);
    bool has_commit = worker->has_commit;
    if (has_commit) {
        positions = worker->commit;
        rf_positions_init(&worker->commit);
        worker->has_commit = false;
    }
    pthread_mutex_unlock(&worker->lock);
    if (!has_commit) {
        return false;
    }
    struct rf_error err;
    char note[RF_WORKER_NOTE_SIZE];
    struct rf_positions committed;
    rf_positions_init(&committed);
    enum rf_status status = rf_positions_copy(&committed, &positions) ? rf_fail(&err, RF_MEMORY, "commit: out of memory") : RF_OK;
    if (!status) {
        status = rf_source_committed(worker->source, &committed, note, sizeof note, &err);
    }
    bool takes_over = (worker->options.takes_over || worker->options.is_fresh) && !worker->has_committed;
    if (!status && *note && strcmp(note, worker->note) != 0 && !takes_over) {
        rf_fail(&err, RF_BUSY,
                "the committed offsets carry the mark \"%s\" of another worker (this one is \"%s\"): two workers run the model "
                "%s; stop one of them",
                note, worker->note, rf_pipeline_name(worker->pipeline));
        rf_worker_fail(worker, RF_BUSY, &err);
    } else if (!status) {
        status = rf_source_commit(worker->source, &positions, worker->note, &err);
        worker->has_committed |= !status;
    }
    if (status) { // the snapshot rules; offsets are for lag and autoscaling, and are told again with the next one
        rf_log(worker->options.log, RF_LOG_WARN, "offsets were not committed", rf_log_text("error", err.text));
    }
    rf_positions_finish(&committed);
    rf_positions_finish(&positions);
    return true;
}

static void what_to_poll(struct rf_worker *worker, const struct rf_batch *batch, int wait_ms, struct rf_poll *want) {
    *want = (struct rf_poll){.records_max = batch->records.capacity,
                             .bytes_max = rf_pipeline_batch_bytes(worker->pipeline),
                             .timeout_ms = wait_ms,
                             .now_ms = rf_worker_now_ms(worker)};
    if (worker->script_index < worker->script_count) {
        const struct rf_run *run = &worker->script[worker->script_index];
        uint64_t left = run->count - worker->script_done;
        want->has_partition = true;
        want->partition = run->partition;
        want->records_max = left < want->records_max ? (size_t)left : want->records_max;
    }
}

// Counts what is new towards the recorded run, so that a check of the last applied record does not shorten it.
static void count_polled(struct rf_worker *worker, const struct rf_records *records) {
    uint64_t fresh = 0, bytes = 0;
    for (size_t i = 0; i < records->count; i++) {
        const struct rf_record *record = &records->list[i];
        int64_t *next = &worker->next_offset[record->partition];
        fresh += record->offset >= *next;
        *next = record->offset >= *next ? record->offset + 1 : *next;
        bytes += record->value.size;
    }
    if (worker->script_index < worker->script_count) {
        worker->script_done += fresh;
        if (worker->script_done >= worker->script[worker->script_index].count) {
            worker->script_index++;
            worker->script_done = 0;
        }
    }
    int64_t now = rf_worker_now_ms(worker);
    rf_metrics_add(rf_pipeline_metrics(worker->pipeline), RF_METRIC_record_bytes_total, 0, (int64_t)bytes);
    pthread_mutex_lock(&worker->lock);
    worker->first_ms = worker->first_ms ? worker->first_ms : now;
    pthread_mutex_unlock(&worker->lock);
}

static void tell_lag(struct rf_worker *worker) {
    int64_t lag = 0;
    rf_source_ends(worker->source, worker->ends);
    for (size_t i = 0; i < worker->partition_count && lag >= 0; i++) {
        int64_t end = worker->ends[i], next = worker->next_offset[i];
        if (next >= 0) { // else nobody reads it
            lag = end < 0 ? -1 : lag + (end > next ? end - next : 0);
        }
    }
    pthread_mutex_lock(&worker->lock);
    worker->report.lag = lag;
    pthread_mutex_unlock(&worker->lock);
    rf_metrics_set(rf_pipeline_metrics(worker->pipeline), RF_METRIC_lag_records, 0, lag);
}

// Are there more partitions? Asked now and then, once the recorded order is done.
static enum rf_status refresh(struct rf_worker *worker, struct rf_error *err) {
    int64_t now = rf_worker_now_ms(worker);
    worker->refreshed_ms = worker->refreshed_ms && now >= worker->refreshed_ms ? worker->refreshed_ms : now;
    bool is_due = now - worker->refreshed_ms >= worker->options.refresh_ms && worker->options.refresh_ms;
    if (!is_due || worker->script_index < worker->script_count) {
        return RF_OK;
    }
    worker->refreshed_ms = now;
    return rf_source_refresh(worker->source, err);
}

// Polls into the batch; *is_over_out when all that was to be read has been read.
static enum rf_status poll_batch(struct rf_worker *worker, struct rf_batch *batch, int wait_ms, bool *is_over_out,
                                 struct rf_error *err) {
    struct rf_poll want;
    enum rf_source_event event = RF_SOURCE_IDLE;
    const struct rf_positions *partitions;
    what_to_poll(worker, batch, wait_ms, &want);
    batch->source = worker->source;
    batch->records.count = 0;
    enum rf_status status = refresh(worker, err);
    if (!status) {
        status = rf_source_poll(worker->source, &want, &batch->records, &event, &partitions, err);
    }
    if (status && worker->source->is_temporary) {
        rf_log(worker->options.log, RF_LOG_WARN, "source interrupted; waiting for it", rf_log_text("error", err->text));
        return RF_OK;
    }
    bool is_free = worker->script_index >= worker->script_count;
    bool is_cut = status == RF_CONFLICT && worker->options.on_offset_lost != RF_OFFSET_LOST_FAIL;
    if (is_free && (is_cut || (!status && event == RF_SOURCE_ASSIGNED))) { // the log changed
        if (is_cut) {
            rf_log(worker->options.log, RF_LOG_WARN, "the log is not what it was; looking at it anew",
                   rf_log_text("error", err->text));
        }
        atomic_store(&worker->regroup, RF_REGROUP_ASKED);
        return RF_OK;
    }
    if (status) {
        return status;
    }
    *is_over_out = event == RF_SOURCE_END;
    if (*is_over_out && worker->script_index < worker->script_count) {
        return rf_fail(err, RF_CONFLICT,
                       "the source ended, but %" PRIu64 " records of %s that were learned before the stop are not there again",
                       worker->script[worker->script_index].count - worker->script_done,
                       rf_pipeline_positions(worker->pipeline)->list[worker->script[worker->script_index].partition].topic);
    }
    if (event == RF_SOURCE_REVOKED || event == RF_SOURCE_LOST) {
        return rf_fail(err, RF_UNSUPPORTED,
                       "the source changed its partitions, which a worker that assigns itself all does not expect");
    }
    return RF_OK;
}

// Takes an empty batch; RF_AGAIN when all are in the fold's hands: the source is not asked for more meanwhile.
static enum rf_status take_free(struct rf_worker *worker, int wait_ms) {
    if (rf_ring_take(worker->free, &worker->filling, 0) == RF_OK) {
        worker->source_waits = false;
        return RF_OK;
    }
    if (!worker->source_waits) {
        worker->source_waits = true;
        rf_metrics_add(rf_pipeline_metrics(worker->pipeline), RF_METRIC_source_waits_total, 0, 1);
    }
    enum rf_status status = wait_ms ? rf_ring_take(worker->free, &worker->filling, wait_ms) : RF_AGAIN;
    worker->source_waits = status != RF_OK;
    return status;
}

// Polls records into an empty batch; RF_AGAIN when there is none, or nothing came.
static enum rf_status poll_records(struct rf_worker *worker, int wait_ms, struct rf_error *err) {
    if (!worker->filling && take_free(worker, wait_ms)) {
        return RF_AGAIN;
    }
    bool is_over = false;
    enum rf_status status = poll_batch(worker, worker->filling, wait_ms, &is_over, err);
    if (status) {
        return status;
    }
    worker->is_source_over = is_over;
    if (!worker->filling->records.count) {
        return RF_AGAIN;
    }
    count_polled(worker, &worker->filling->records);
    worker->is_polled = true;
    return RF_OK;
}

// Fetches what decoding the records needs. While that is not to be had they wait, and Kafka with those behind them.
static enum rf_status resolve(struct rf_worker *worker, int wait_ms, struct rf_error *err) {
    err->text[0] = '\0';
    enum rf_status status = rf_pipeline_resolve(worker->decoder, worker->filling, rf_worker_now_ms(worker), wait_ms, err);
    if (status == RF_AGAIN && err->text[0] && !worker->is_unresolved_told) {
        rf_log(worker->options.log, RF_LOG_WARN, "records wait for a schema",
               rf_log_text("model", rf_pipeline_name(worker->pipeline)), rf_log_text("error", err->text));
        worker->is_unresolved_told = true;
    } else if (!status && worker->is_unresolved_told) {
        rf_log(worker->options.log, RF_LOG_INFO, "the schema is there; going on",
               rf_log_text("model", rf_pipeline_name(worker->pipeline)));
        worker->is_unresolved_told = false;
    }
    if (status == RF_AGAIN && wait_ms) {
        rf_worker_sleep_ms(worker, RF_WORKER_IDLE_MS);
    }
    return status;
}

// Polls and decodes a batch. RF_AGAIN: not yet.
static enum rf_status fill(struct rf_worker *worker, int wait_ms, struct rf_error *err) {
    enum rf_status status = worker->is_polled ? RF_OK : poll_records(worker, wait_ms, err);
    if (!status) {
        status = resolve(worker, wait_ms, err);
    }
    if (!status) {
        rf_pipeline_prepare(worker->pipeline, worker->decoder, worker->filling);
        worker->is_polled = false;
    }
    return status;
}

// Hands the filled batch on. There is room for all batches that there are.
static void hand_on(struct rf_worker *worker) {
    enum rf_status given = rf_ring_give(worker->prepared, worker->filling, 0);
    assert(!given);
    (void)given;
    worker->filling = NULL;
}

// Waits for the fold thread to stand still, then looks at the log anew and lets it go on. RF_AGAIN: not yet, or done.
static enum rf_status regroup(struct rf_worker *worker, int wait_ms, struct rf_error *err) {
    if (atomic_load(&worker->regroup) == RF_REGROUP_ASKED) {
        if (wait_ms) {
            rf_worker_sleep_ms(worker, RF_WORKER_IDLE_MS);
        }
        return RF_AGAIN;
    }
    enum rf_status status = rf_worker_regroup(worker, err);
    atomic_store(&worker->regroup, RF_REGROUP_NONE);
    return status ? status : RF_AGAIN;
}

static bool is_over(struct rf_worker *worker) {
    bool is_read = worker->is_source_over && !worker->is_polled; // at a stop those that wait stay in the log
    return is_read || atomic_load(&worker->is_stopping) || atomic_load(&worker->has_failed);
}

void rf_worker_intake_turn(struct rf_worker *worker, int wait_ms) {
    struct rf_error err;
    if (!worker->is_intake_over && is_over(worker)) {
        worker->is_intake_over = true;
        atomic_store(&worker->regroup, RF_REGROUP_NONE);
        tell_lag(worker);
        rf_ring_close(worker->prepared);
    }
    if (worker->is_intake_over) {
        atomic_store(&worker->is_committed, atomic_load(&worker->is_fold_done) && !commit_posted(worker));
        return;
    }
    enum rf_status status;
    if (atomic_load(&worker->regroup) != RF_REGROUP_NONE) {
        status = regroup(worker, wait_ms, &err);
    } else {
        status = fill(worker, wait_ms, &err);
        if (!status) {
            hand_on(worker);
        }
    }
    if (status && status != RF_AGAIN && status != RF_END) {
        rf_worker_fail_source(worker, status, &err);
    }
    commit_posted(worker);
    int64_t now = rf_worker_now_ms(worker);
    if (now - worker->lag_told_ms >= RF_WORKER_REPORT_MS || now < worker->lag_told_ms) {
        tell_lag(worker);
        worker->lag_told_ms = now;
    }
}

void *rf_worker_intake_main(void *context) {
    struct rf_worker *worker = context;
    pthread_setname_np(pthread_self(), "source");
    while (!atomic_load(&worker->is_committed)) {
        rf_worker_intake_turn(worker, RF_WORKER_POLL_MS);
        if (worker->is_intake_over && !atomic_load(&worker->is_committed)) {
            rf_worker_sleep_ms(worker, RF_WORKER_IDLE_MS);
        }
    }
    return NULL;
}
