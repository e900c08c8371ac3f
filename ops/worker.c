#include "ops/worker_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t rf_worker_now_ms(struct rf_worker *worker) {
    return worker->options.clock->monotonic_ms(worker->options.clock);
}

void rf_worker_sleep_ms(struct rf_worker *worker, int ms) {
    worker->options.clock->sleep_ms(worker->options.clock, ms);
}

// The first failure is the one that is told.
static void keep_failure(struct rf_worker *worker, enum rf_status status, const struct rf_error *err) {
    pthread_mutex_lock(&worker->lock);
    if (!worker->report.status) {
        worker->report.status = status;
        snprintf(worker->report.sentence, sizeof worker->report.sentence, "%s", err->text);
    }
    pthread_mutex_unlock(&worker->lock);
}

void rf_worker_fail(struct rf_worker *worker, enum rf_status status, const struct rf_error *err) {
    keep_failure(worker, status, err);
    atomic_store(&worker->has_failed, true);
    atomic_store(&worker->is_stopping, true);
}

void rf_worker_fail_source(struct rf_worker *worker, enum rf_status status, const struct rf_error *err) {
    keep_failure(worker, status, err);
    worker->is_source_over = true;
}

void rf_worker_report(struct rf_worker *worker, struct rf_worker_report *report_out) {
    bool is_done = !worker->has_started || (atomic_load(&worker->is_kept) && atomic_load(&worker->is_committed));
    pthread_mutex_lock(&worker->lock); // what was written before the flags is seen behind them
    *report_out = worker->report;
    pthread_mutex_unlock(&worker->lock);
    report_out->is_done = is_done;
}

static enum rf_status make_rings(struct rf_worker *worker, struct rf_error *err) {
    size_t count = worker->options.batches;
    enum rf_status status = rf_ring_create(count, &worker->prepared, err);
    if (!status) {
        status = rf_ring_create(count, &worker->free, err);
    }
    worker->batches = calloc(count, sizeof(struct rf_batch *));
    if (!status && !worker->batches) {
        status = rf_fail(err, RF_MEMORY, "worker: out of memory");
    }
    for (; !status && worker->batches_made < count; worker->batches_made++) {
        struct rf_batch **batch = &worker->batches[worker->batches_made];
        status = rf_pipeline_batch(worker->pipeline, batch, err);
        if (!status) {
            enum rf_status given = rf_ring_give(worker->free, *batch, 0);
            assert(!given);
            (void)given;
        } else {
            break;
        }
    }
    if (!status) {
        status = rf_pipeline_decoder(worker->pipeline, &worker->decoder, err);
    }
    return status ? status : rf_pipeline_decoder(worker->pipeline, &worker->fold_decoder, err);
}

enum rf_status rf_worker_create(const struct rf_worker_options *options, struct rf_worker **worker_out, struct rf_error *err) {
    struct rf_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        rf_pipeline_destroy(options->pipeline);
        rf_source_destroy(options->source);
        rf_clone_destroy(options->clone);
        return rf_fail(err, RF_MEMORY, "worker: out of memory");
    }
    worker->options = *options;
    worker->pipeline = options->pipeline;
    worker->source = options->source;
    pthread_mutex_init(&worker->lock, NULL);
    rf_positions_init(&worker->commit);
    const struct rf_learner *learner = rf_pipeline_learner(worker->pipeline);
    rf_curve_init(&worker->curve, rf_curve_figure(learner->task, learner->is_margin), RF_CURVE_SPAN);
    if (options->folder) {
        snprintf(worker->note, sizeof worker->note, "riffle worker=%s", options->folder->worker);
    }
    enum rf_status status = rf_worker_take_up(worker, err);
    if (!status) {
        status = make_rings(worker, err);
    }
    if (status) {
        rf_worker_destroy(worker);
        return status;
    }
    *worker_out = worker;
    return RF_OK;
}

enum rf_status rf_worker_start(struct rf_worker *worker, struct rf_error *err) {
    assert(!worker->has_started);
    int error = pthread_create(&worker->keeper_thread, NULL, rf_worker_keeper_main, worker);
    if (!error) {
        error = pthread_create(&worker->fold_thread, NULL, rf_worker_fold_main, worker);
        if (error) {
            atomic_store(&worker->is_fold_done, true);
            pthread_join(worker->keeper_thread, NULL);
        }
    }
    if (!error) {
        error = pthread_create(&worker->source_thread, NULL, rf_worker_intake_main, worker);
        if (error) {
            atomic_store(&worker->has_failed, true);
            rf_ring_close(worker->prepared);
            pthread_join(worker->fold_thread, NULL);
            pthread_join(worker->keeper_thread, NULL);
        }
    }
    if (error) {
        return rf_fail(err, RF_IO, "cannot start a thread: %s", strerror(error));
    }
    worker->has_started = worker->has_threads = true;
    return RF_OK;
}

bool rf_worker_turn_of(struct rf_worker *worker, enum rf_worker_part part) {
    static void (*const turns[RF_WORKER_PARTS])(struct rf_worker *, int) = {rf_worker_intake_turn, rf_worker_fold_turn,
                                                                            rf_worker_keeper_turn};
    assert(!worker->has_threads);
    worker->has_started = true;
    turns[part](worker, 0);
    return !atomic_load(&worker->is_kept) || !atomic_load(&worker->is_committed);
}

bool rf_worker_turn(struct rf_worker *worker) {
    (void)rf_worker_turn_of(worker, RF_WORKER_INTAKE);
    (void)rf_worker_turn_of(worker, RF_WORKER_FOLD);
    return rf_worker_turn_of(worker, RF_WORKER_KEEPER);
}

void rf_worker_stop(struct rf_worker *worker) {
    atomic_store(&worker->is_stopping, true);
}

void rf_worker_destroy(struct rf_worker *worker) {
    if (!worker) {
        return;
    }
    if (worker->has_threads) {
        rf_worker_stop(worker);
        pthread_join(worker->source_thread, NULL);
        pthread_join(worker->fold_thread, NULL);
        pthread_join(worker->keeper_thread, NULL);
    }
    for (size_t i = 0; i < worker->batches_made; i++) {
        rf_batch_destroy(worker->batches[i]);
    }
    free(worker->batches);
    rf_ring_destroy(worker->prepared);
    rf_ring_destroy(worker->free);
    rf_decoder_destroy(worker->decoder);
    rf_decoder_destroy(worker->fold_decoder);
    rf_clone_destroy(worker->options.clone);
    rf_pipeline_destroy(worker->pipeline);
    rf_source_destroy(worker->source);
    rf_positions_finish(&worker->commit);
    pthread_mutex_destroy(&worker->lock);
    free(worker->next_offset);
    free(worker->ends);
    free(worker);
}

const struct rf_curve *rf_worker_curve(const struct rf_worker *worker) {
    return &worker->curve;
}

struct rf_pipeline *rf_worker_pipeline(struct rf_worker *worker) {
    return worker->pipeline;
}
