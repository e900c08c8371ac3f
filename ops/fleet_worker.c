#include "ops/fleet_worker_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t rf_fleet_now_ms(struct rf_fleet_worker *worker) {
    return worker->options.clock->monotonic_ms(worker->options.clock);
}

void rf_fleet_sleep_ms(struct rf_fleet_worker *worker, int ms) {
    worker->options.clock->sleep_ms(worker->options.clock, ms);
}

// The first failure is the one that is told.
void rf_fleet_fail(struct rf_fleet_worker *worker, enum rf_status status, const struct rf_error *err) {
    pthread_mutex_lock(&worker->lock);
    if (!worker->report.status) {
        worker->report.status = status;
        snprintf(worker->report.sentence, sizeof worker->report.sentence, "%s", err->text);
    }
    pthread_mutex_unlock(&worker->lock);
    atomic_store(&worker->has_failed, true);
}

static enum rf_status make_rings(struct rf_fleet_worker *worker, struct rf_error *err) {
    size_t count = worker->options.batches;
    enum rf_status status = rf_ring_create(count, &worker->prepared, err);
    status = status ? status : rf_ring_create(count, &worker->free, err);
    worker->batches = calloc(count, sizeof(struct rf_batch *));
    if (!status && !worker->batches) {
        status = rf_fail(err, RF_MEMORY, "worker: out of memory");
    }
    while (!status && worker->batches_made < count) {
        struct rf_batch **batch = &worker->batches[worker->batches_made];
        status = rf_pipeline_batch(worker->pipeline, batch, err);
        if (!status) {
            enum rf_status given = rf_ring_give(worker->free, *batch, 0);
            assert(!given);
            (void)given;
            worker->batches_made++;
        }
    }
    status = status ? status : rf_pipeline_decoder(worker->pipeline, &worker->decoder, err);
    return status ? status : rf_pipeline_decoder(worker->pipeline, &worker->fold_decoder, err);
}

static enum rf_status build(struct rf_fleet_worker *worker, struct rf_error *err) {
    enum rf_status status = rf_layers_create(rf_pipeline_state(worker->pipeline), &worker->layers, err);
    if (status == RF_INVALID) {
        rf_fail_in(err, "this model cannot be shared by a fleet");
    }
    status = status ? status : rf_fleet_log_init(&worker->log_read, worker->deltas, err);
    status = status ? status : rf_fleet_take_up(worker, err);
    status = status ? status : rf_growth_begin(&worker->growth, worker->pipeline, rf_pipeline_positions(worker->pipeline), err);
    rf_pipeline_set_growth(worker->pipeline, &worker->growth);
    if (!status && worker->options.archive && rf_state_reserve(rf_layers_base(worker->layers))) {
        status = rf_fail(err, RF_MEMORY, "out of memory for freezing base");
    }
    return status ? status : make_rings(worker, err);
}

enum rf_status rf_fleet_worker_create(const struct rf_fleet_worker_options *options, struct rf_fleet_worker **worker_out,
                                      struct rf_error *err) {
    struct rf_fleet_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        rf_pipeline_destroy(options->pipeline);
        rf_source_destroy(options->source);
        rf_source_destroy(options->deltas);
        rf_source_destroy(options->log_scan);
        rf_transaction_destroy(options->transaction);
        rf_source_destroy(options->snapshots);
        rf_archive_destroy(options->archive);
        return rf_fail(err, RF_MEMORY, "worker: out of memory");
    }
    worker->options = *options;
    worker->pipeline = options->pipeline;
    worker->source = options->source;
    worker->deltas = options->deltas;
    worker->delta_records = options->delta_records;
    pthread_mutex_init(&worker->lock, NULL);
    rf_growth_init(&worker->growth);
    enum rf_status status = build(worker, err);
    if (status) {
        rf_fleet_worker_destroy(worker);
        return status;
    }
    rf_source_destroy(worker->options.log_scan);
    worker->options.log_scan = NULL;
    atomic_store(&worker->may_join, true);
    *worker_out = worker;
    return RF_OK;
}

enum rf_status rf_fleet_worker_start(struct rf_fleet_worker *worker, struct rf_error *err) {
    static void *(*const mains[RF_FLEET_PARTS])(void *) = {rf_fleet_intake_main, rf_fleet_fold_main, rf_fleet_sender_main,
                                                           rf_fleet_keeper_main};
    pthread_t *threads[RF_FLEET_PARTS] = {&worker->source_thread, &worker->fold_thread, &worker->sender_thread,
                                          &worker->keeper_thread};
    assert(!worker->has_started);
    for (int part = 0; part < RF_FLEET_PARTS; part++) {
        int error = pthread_create(threads[part], NULL, mains[part], worker);
        if (error) {
            rf_fail(err, RF_IO, "cannot start a thread: %s", strerror(error));
            rf_fleet_fail(worker, RF_IO, err);
            while (part-- > 0) {
                pthread_join(*threads[part], NULL);
            }
            return RF_IO;
        }
    }
    worker->has_started = worker->has_threads = true;
    return RF_OK;
}

static bool is_done(struct rf_fleet_worker *worker) {
    return atomic_load(&worker->is_intake_done) && atomic_load(&worker->is_fold_done) && atomic_load(&worker->is_sender_done) &&
           atomic_load(&worker->is_keeper_done);
}

bool rf_fleet_worker_turn(struct rf_fleet_worker *worker, enum rf_fleet_part part) {
    static void (*const turns[RF_FLEET_PARTS])(struct rf_fleet_worker *, int) = {rf_fleet_intake_turn, rf_fleet_fold_turn,
                                                                                 rf_fleet_sender_turn, rf_fleet_keeper_turn};
    assert(!worker->has_threads);
    worker->has_started = true;
    turns[part](worker, 0);
    return !is_done(worker);
}

void rf_fleet_worker_stop(struct rf_fleet_worker *worker) {
    atomic_store(&worker->is_stopping, true);
}

void rf_fleet_worker_report(struct rf_fleet_worker *worker, struct rf_worker_report *report_out) {
    bool is_over = !worker->has_started || is_done(worker);
    pthread_mutex_lock(&worker->lock);
    *report_out = worker->report;
    pthread_mutex_unlock(&worker->lock);
    report_out->is_done = is_over;
}

void rf_fleet_worker_destroy(struct rf_fleet_worker *worker) {
    if (!worker) {
        return;
    }
    if (worker->has_threads) {
        rf_fleet_worker_stop(worker);
        pthread_join(worker->source_thread, NULL);
        pthread_join(worker->fold_thread, NULL);
        pthread_join(worker->sender_thread, NULL);
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
    rf_fleet_parcel_finish(&worker->parcel);
    if (worker->replica) {
        rf_fleet_forget_frozen(worker);
    }
    rf_outbox_finish(&worker->frozen_outbox);
    rf_fleet_keeping_finish(worker);
    rf_replica_destroy(worker->replica);
    rf_layers_destroy(worker->layers);
    rf_pipeline_destroy(worker->pipeline);
    rf_growth_finish(&worker->growth);
    rf_transaction_destroy(worker->options.transaction);
    rf_source_destroy(worker->source);
    rf_source_destroy(worker->deltas);
    rf_source_destroy(worker->options.log_scan);
    rf_source_destroy(worker->options.snapshots);
    rf_archive_destroy(worker->options.archive);
    rf_fleet_log_finish(&worker->log_read);
    rf_positions_finish(&worker->offered);
    rf_positions_finish(&worker->start);
    rf_positions_finish(&worker->asked_for);
    rf_positions_finish(&worker->frozen_from);
    rf_positions_finish(&worker->frozen_to);
    pthread_mutex_destroy(&worker->lock);
    free(worker->resets);
    free(worker->held);
    free(worker->begun);
    free(worker->ends);
    free(worker);
}

struct rf_pipeline *rf_fleet_worker_pipeline(struct rf_fleet_worker *worker) {
    return worker->pipeline;
}

const struct rf_replica *rf_fleet_worker_replica(const struct rf_fleet_worker *worker) {
    return worker->replica;
}

struct rf_layers *rf_fleet_worker_layers(struct rf_fleet_worker *worker) {
    return worker->layers;
}
