// The fold thread: the only one that touches the model.
#include "ops/worker_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

// Not at every step: the shares are sums over a table.
static void tell_collisions(struct rf_worker *worker) {
    const struct rf_learner *learner = rf_pipeline_learner(worker->pipeline);
    struct rf_metrics *metrics = rf_pipeline_metrics(worker->pipeline);
    if (learner->collisions) {
        struct rf_collision_shares shares = rf_collisions_shares(learner->collisions);
        rf_metrics_set(metrics, RF_METRIC_collided_inputs_ppm, 0, (int64_t)(1e6 * shares.inputs));
        rf_metrics_set(metrics, RF_METRIC_used_rows_ppm, 0, (int64_t)(1e6 * shares.rows_used));
    }
}

// The fold thread brings the report and the gauges that ask for some work up to date.
static void tell(struct rf_worker *worker) {
    struct rf_figures figures, window;
    rf_evaluation_figures(rf_pipeline_evaluation(worker->pipeline), &figures);
    rf_evaluation_window_figures(rf_pipeline_evaluation(worker->pipeline), &window);
    pthread_mutex_lock(&worker->lock);
    worker->report.counts = *rf_pipeline_counts(worker->pipeline);
    worker->report.figures = figures;
    worker->report.window = window;
    worker->report.busy_ms = worker->folded_ms > worker->first_ms ? worker->folded_ms - worker->first_ms : 0;
    pthread_mutex_unlock(&worker->lock);
    tell_collisions(worker);
}

// One line for all that were rejected since the last one; the log holds back what repeats too often.
static void tell_rejects(struct rf_worker *worker) {
    uint64_t rejected = rf_pipeline_counts(worker->pipeline)->rejected;
    if (rejected > worker->rejects_told) {
        rf_log(worker->options.log, RF_LOG_WARN, "records rejected", rf_log_text("model", rf_pipeline_name(worker->pipeline)),
               rf_log_uint("count", rejected - worker->rejects_told),
               rf_log_text("last", rf_pipeline_last_reject(worker->pipeline)));
        worker->rejects_told = rejected;
    }
}

// A sink without room holds up everything: that is said once it has lasted, and when it is over.
static void tell_full_sink(struct rf_worker *worker, bool is_full, int64_t now) {
    const char *model = rf_pipeline_name(worker->pipeline);
    if (is_full && !worker->sink_waits_since_ms) {
        worker->sink_waits_since_ms = now;
    }
    int64_t waited = worker->sink_waits_since_ms ? now - worker->sink_waits_since_ms : 0;
    if (is_full && !worker->sink_told && waited >= RF_WORKER_PATIENCE_MS) {
        worker->sink_told = rf_pipeline_full_sink(worker->pipeline, worker->folding);
        rf_log(worker->options.log, RF_LOG_WARN, "a sink has no room; the source waits", rf_log_text("model", model),
               rf_log_text("sink", worker->sink_told));
    } else if (!is_full && worker->sink_told) {
        rf_log(worker->options.log, RF_LOG_INFO, "the sink has room again", rf_log_text("model", model),
               rf_log_text("sink", worker->sink_told), rf_log_real("waited_seconds", (double)waited / 1000));
        worker->sink_told = NULL;
    }
    worker->sink_waits_since_ms = is_full ? worker->sink_waits_since_ms : 0;
}

// One line for all subscribers of a sink that began to miss batches since the last one.
static void tell_gaps(struct rf_worker *worker) {
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(worker->pipeline, &count);
    for (size_t i = 0; i < count; i++) {
        if (sinks[i]->gaps > worker->gaps_told[i]) {
            rf_log(worker->options.log, RF_LOG_WARN, "a subscriber is too slow and misses batches",
                   rf_log_text("model", rf_pipeline_name(worker->pipeline)), rf_log_text("sink", sinks[i]->label),
                   rf_log_uint("count", sinks[i]->gaps - worker->gaps_told[i]));
            worker->gaps_told[i] = sinks[i]->gaps;
        }
    }
}

// Posts a snapshot that came into place: its positions to the source, the file to the keeper.
static void post_installed(struct rf_worker *worker) {
    struct rf_installed installed;
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    if (!checkpoint || !rf_checkpoint_take_installed(checkpoint, &installed)) {
        return;
    }
    pthread_mutex_lock(&worker->lock);
    worker->has_commit = rf_positions_copy(&worker->commit, installed.positions) == RF_OK;
    worker->publish = installed;
    snprintf(worker->publish_path, sizeof worker->publish_path, "%s", installed.path);
    memcpy(worker->publish_sha256, installed.model_sha256, sizeof worker->publish_sha256);
    worker->has_publish = true;
    pthread_mutex_unlock(&worker->lock);
}

static void add_to_curve(struct rf_worker *worker) {
    uint64_t learned = rf_pipeline_counts(worker->pipeline)->learned;
    if (worker->options.reports_curve && rf_curve_is_due(&worker->curve, learned)) {
        struct rf_figures figures;
        rf_evaluation_quick_figures(rf_pipeline_evaluation(worker->pipeline), &figures);
        rf_curve_add(&worker->curve, &figures);
    }
}

// Takes the batch one step further (NULL: only what is due). RF_AGAIN: a sink has no room.
static enum rf_status step(struct rf_worker *worker, struct rf_batch *batch, struct rf_error *err) {
    struct rf_clock *clock = worker->options.clock;
    enum rf_status status = rf_pipeline_step(worker->pipeline, batch, clock->unix_ms(clock), err);
    post_installed(worker);
    if (!atomic_load(&worker->is_stopping)) {
        return status;
    }
    int64_t now = rf_worker_now_ms(worker);
    worker->stopping_since_ms = worker->stopping_since_ms ? worker->stopping_since_ms : now;
    if (batch && status == RF_AGAIN && now - worker->stopping_since_ms > worker->options.shutdown_ms) {
        return rf_fail(
                err, RF_IO,
                "sink %.200s had no room for %d ms while stopping; what it did not take is learned again after the restart",
                rf_pipeline_full_sink(worker->pipeline, batch), worker->options.shutdown_ms);
    }
    return status;
}

static void give_back(struct rf_worker *worker) {
    add_to_curve(worker);
    rf_batch_reset(worker->folding, rf_schema_count(rf_pipeline_schema(worker->pipeline)));
    enum rf_status given = rf_ring_give(worker->free, worker->folding, 0); // there is room for all there are
    assert(!given);
    (void)given;
    worker->folding = NULL;
}

// It was cut. The source thread has fetched what decoding needs: this thread's decoder finds it without asking anybody.
static enum rf_status prepare_rest(struct rf_worker *worker, struct rf_batch *batch, struct rf_error *err) {
    batch->resolved = batch->end;
    enum rf_status status = rf_pipeline_resolve(worker->fold_decoder, batch, rf_worker_now_ms(worker), RF_RESOLVE_KNOWN, err);
    if (!status) {
        rf_pipeline_prepare(worker->pipeline, worker->fold_decoder, batch);
    }
    return status;
}

// Folds the next batch, or the one that a sink had no room for. RF_END: all is folded.
static enum rf_status fold_next(struct rf_worker *worker, int wait_ms, struct rf_error *err) {
    if (!worker->folding && rf_ring_take(worker->prepared, &worker->folding, wait_ms) == RF_END) {
        return RF_END;
    }
    enum rf_status status = step(worker, worker->folding, err);
    int64_t now = rf_worker_now_ms(worker);
    if (worker->folding && (!status || status == RF_AGAIN)) {
        tell_full_sink(worker, status == RF_AGAIN, now);
    }
    worker->folded_ms = worker->folding ? now : worker->folded_ms;
    if (!status && worker->folding && worker->folding->end < worker->folding->records.count) {
        status = prepare_rest(worker, worker->folding, err);
    } else if (!status && worker->folding) {
        give_back(worker);
    }
    if (now - worker->told_ms >= RF_WORKER_REPORT_MS || now < worker->told_ms) {
        tell(worker);
        tell_rejects(worker);
        tell_gaps(worker);
        rf_metrics_set(rf_pipeline_metrics(worker->pipeline), RF_METRIC_ring_batches, 0,
                       (int64_t)rf_ring_count(worker->prepared));
        worker->told_ms = now;
    }
    return status;
}

// The end of a run: all is folded. A snapshot under way does not cover all, so one more follows it and makes all last.
// RF_AGAIN until it is in place.
static enum rf_status save(struct rf_worker *worker, struct rf_error *err) {
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    const char *sentence;
    if (!checkpoint) {
        return rf_pipeline_settle(worker->pipeline, worker->options.shutdown_ms, err);
    }
    int64_t now = rf_worker_now_ms(worker);
    enum rf_status status = step(worker, NULL, err);
    if (status) {
        return status;
    }
    if (!rf_checkpoint_is_busy(checkpoint) && !worker->is_last_requested) {
        worker->failures_before = rf_checkpoint_failures(checkpoint, &sentence);
        worker->is_last_requested = true;
        rf_checkpoint_request(checkpoint);
    }
    if (rf_checkpoint_is_busy(checkpoint)) {
        if (now - worker->saving_since_ms <= worker->options.shutdown_ms) {
            return RF_AGAIN;
        }
        status = rf_pipeline_settle(worker->pipeline, 1, err); // names the sink that is not done
        return status ? status : rf_fail(err, RF_IO, "the last snapshot took more than %d ms", worker->options.shutdown_ms);
    }
    return rf_checkpoint_failures(checkpoint, &sentence) == worker->failures_before
                   ? RF_OK
                   : rf_fail(err, RF_IO, "the last snapshot failed: %.900s", sentence);
}

// What this start added (a new model, a partition, a sink) is put on record before anything is learned. RF_AGAIN until it is.
static enum rf_status begin(struct rf_worker *worker, struct rf_error *err) {
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    const char *sentence;
    enum rf_status status = step(worker, NULL, err);
    if (!status && rf_checkpoint_failures(checkpoint, &sentence) > worker->failures_before) {
        return rf_fail(err, RF_IO, "the first snapshot failed: %.900s", sentence);
    }
    worker->awaits_first = rf_checkpoint_is_busy(checkpoint);
    return status ? status : RF_AGAIN;
}

// Stands still for the source thread, once all it handed on is folded and no snapshot is under way. RF_OK: nobody asks, or there
// is something to fold before that; RF_AGAIN: it stands, or is about to.
static enum rf_status stand_still(struct rf_worker *worker, struct rf_error *err) {
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    int regroup = atomic_load(&worker->regroup);
    if (regroup == RF_REGROUP_GRANTED) {
        return RF_AGAIN;
    }
    if (regroup == RF_REGROUP_NONE || worker->folding || rf_ring_count(worker->prepared)) {
        return RF_OK;
    }
    enum rf_status status = step(worker, NULL, err);
    if (!status && (!checkpoint || !rf_checkpoint_is_busy(checkpoint))) {
        atomic_compare_exchange_strong(&worker->regroup, &regroup, RF_REGROUP_GRANTED);
    }
    return status ? status : RF_AGAIN;
}

void rf_worker_fold_turn(struct rf_worker *worker, int wait_ms) {
    struct rf_error err;
    if (atomic_load(&worker->is_fold_done)) {
        return;
    }
    bool is_done = atomic_load(&worker->has_failed);
    enum rf_status status = is_done ? RF_OK : stand_still(worker, &err);
    bool goes_on = !is_done && !status;
    if (goes_on && worker->awaits_first) {
        status = begin(worker, &err);
    } else if (goes_on && !worker->is_folded) {
        status = fold_next(worker, wait_ms, &err);
        worker->is_folded = status == RF_END;
        if (worker->is_folded) {
            worker->saving_since_ms = rf_worker_now_ms(worker);
            tell(worker);
            tell_rejects(worker);
            status = RF_AGAIN;
        }
    } else if (goes_on) {
        status = save(worker, &err);
        is_done = !status;
    }
    if (status && status != RF_AGAIN) {
        rf_worker_fail(worker, status, &err);
        is_done = true;
    }
    atomic_store(&worker->is_fold_done, is_done);
    worker->fold_waits = status == RF_AGAIN;
}

void *rf_worker_fold_main(void *context) {
    struct rf_worker *worker = context;
    pthread_setname_np(pthread_self(), "fold");
    while (!atomic_load(&worker->is_fold_done)) {
        rf_worker_fold_turn(worker, RF_WORKER_IDLE_MS);
        if (worker->fold_waits) {
            rf_worker_sleep_ms(worker, 1);
        }
    }
    return NULL;
}
