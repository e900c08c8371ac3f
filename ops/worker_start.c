// How a worker takes up where it stopped: snapshot, recorded order, partitions, and what Kafka has committed.
#include "ops/worker_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Does what Kafka has committed agree with who we are and what we hold?
static enum rf_status agree(struct rf_worker *worker, bool is_new, struct rf_error *err) {
    char note[RF_WORKER_NOTE_SIZE] = "";
    struct rf_positions committed;
    rf_positions_init(&committed);
    if (rf_positions_copy(&committed, rf_pipeline_positions(worker->pipeline))) {
        return rf_fail(err, RF_MEMORY, "worker: out of memory");
    }
    struct rf_worker_wait wait = {0};
    enum rf_status status;
    do {
        status = rf_source_committed(worker->source, &committed, note, sizeof note, err);
    } while (rf_worker_waits(worker, &wait, &status, err));
    bool has_committed = false;
    for (size_t i = 0; !status && i < committed.count; i++) {
        has_committed |= committed.list[i].next_offset >= 0;
    }
    rf_positions_finish(&committed);
    if (status || !has_committed) {
        return status;
    }
    const char *model = rf_pipeline_name(worker->pipeline);
    bool is_foreign = *note && strcmp(note, worker->note) != 0;
    if (is_foreign && !worker->options.takes_over && !(is_new && worker->options.is_fresh)) {
        return rf_fail(
                err, RF_BUSY,
                "the committed offsets carry the mark \"%s\" of another worker (this one is \"%s\"); stop the other worker of "
                "the model %s, or %s",
                note, worker->note, model,
                is_new ? "where it is gone with its folder, start anew with --fresh" : "start this one with --take-over");
    }
    if (is_new && !worker->options.is_fresh) {
        return rf_fail(
                err, RF_CONFLICT,
                "offsets of the model %s are committed, but %s holds no snapshot of what was learned up to them; give the folder "
                "that does, or start anew with --fresh",
                model, worker->options.folder->path);
    }
    return RF_OK;
}

static enum rf_status take_up_log(struct rf_worker *worker, bool is_new, struct rf_error *err) {
    enum rf_status status = rf_worker_find_partitions(worker, err);
    if (!status) {
        status = agree(worker, is_new, err);
    }
    if (!status) {
        status = rf_worker_check_log(worker, err);
    }
    return status ? status : rf_worker_assign(worker, err);
}

// Takes up the newest snapshot and the order recorded beyond it.
static enum rf_status take_up_state(struct rf_worker *worker, bool *is_new_out, struct rf_error *err) {
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    enum rf_status status = rf_checkpoint_restore(checkpoint, worker->pipeline, err);
    *is_new_out = status == RF_NOT_FOUND;
    if (*is_new_out) {
        struct rf_version version = rf_pipeline_version(worker->pipeline);
        version.epoch = worker->options.folder->epoch;
        rf_pipeline_set_version(worker->pipeline, version);
    }
    if (status && !*is_new_out) {
        return status;
    }
    if (!*is_new_out && worker->options.is_fresh) {
        return rf_fail(err, RF_INVALID,
                       "%s holds a snapshot, and --fresh starts anew; give another snapshots.directory, or leave --fresh out",
                       worker->options.folder->path);
    }
    worker->report.resumed = rf_pipeline_counts(worker->pipeline)->records;
    worker->report.counts = *rf_pipeline_counts(worker->pipeline);
    worker->rejects_told = rf_pipeline_counts(worker->pipeline)->rejected;
    struct rf_schedule *schedule;
    status = rf_schedule_open(worker->options.folder->disk, worker->options.folder->path,
                              rf_pipeline_version(worker->pipeline).line, rf_pipeline_counts(worker->pipeline)->records,
                              rf_pipeline_positions(worker->pipeline), &schedule, err);
    if (status) {
        return status;
    }
    rf_pipeline_set_schedule(worker->pipeline, schedule);
    if (rf_schedule_retracted(schedule)) {
        rf_log(worker->options.log, RF_LOG_WARN, "a part of the recorded order is lost; what it foresaw is folded in a new order",
               rf_log_text("folder", worker->options.folder->path), rf_log_uint("segments", rf_schedule_retracted(schedule)));
    }
    if (rf_schedule_is_torn(schedule)) {
        rf_log(worker->options.log, RF_LOG_WARN,
               "the recorded order ends with a torn part; what it told is folded in a new order",
               rf_log_text("folder", worker->options.folder->path));
    }
    worker->script = rf_schedule_ahead(schedule, &worker->script_count);
    if (*is_new_out && worker->script_count) {
        return rf_fail(err, RF_CONFLICT,
                       "%s holds a schedule of learned records, but no snapshot; restore the snapshots, or give the model a new "
                       "state folder",
                       worker->options.folder->path);
    }
    return RF_OK;
}

// What this start adds (a new model, partition or sink) is put on record by a snapshot before anything is learned, so that a
// later start knows of it.
enum rf_status rf_worker_take_up(struct rf_worker *worker, struct rf_error *err) {
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    bool is_new = true, has_new_sink = false;
    enum rf_status status = checkpoint ? take_up_state(worker, &is_new, err) : RF_OK;
    if (!status) {
        status = take_up_log(worker, is_new, err);
    }
    if (!status && checkpoint) {
        status = rf_checkpoint_check_sinks(checkpoint, worker->pipeline, &has_new_sink, err);
        worker->awaits_first |= is_new || has_new_sink;
    }
    if (!status && checkpoint && rf_state_reserve(rf_pipeline_state(worker->pipeline))) {
        status = rf_fail(err, RF_MEMORY, "worker: out of memory for snapshots of a model of this size");
    }
    worker->awaits_first &= checkpoint != NULL;
    if (!status && worker->awaits_first) {
        rf_checkpoint_request(checkpoint);
    }
    return status;
}
