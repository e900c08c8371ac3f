// How a worker takes up where it stopped: snapshot, recorded order, partitions, and what Kafka has committed.
#include "ops/worker_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 200 };

// Waits until the source knows its partitions.
static enum rf_status wait_assigned(struct rf_worker *worker, const struct rf_positions **partitions_out, struct rf_error *err) {
    struct rf_poll want = {.records_max = 1, .bytes_max = 1, .timeout_ms = RETRY_MS};
    struct rf_record unused; // nothing is delivered before it is told from where
    void *loan;
    struct rf_records none = {.list = &unused, .loans = &loan, .capacity = 1};
    int64_t begun = rf_worker_now_ms(worker);
    bool is_told = false;
    while (!worker->options.is_stopped || !worker->options.is_stopped(worker->options.stop_context)) {
        enum rf_source_event event = RF_SOURCE_IDLE;
        enum rf_status status = rf_source_poll(worker->source, &want, &none, &event, partitions_out, err);
        if (!status && event == RF_SOURCE_ASSIGNED) {
            return RF_OK;
        }
        if (status && (!worker->source->is_temporary || rf_worker_now_ms(worker) - begun >= worker->options.wait_ms)) {
            return status;
        }
        if (status && !is_told) {
            rf_log(worker->options.log, RF_LOG_WARN, "waiting for the source", rf_log_text("error", err->text),
                   rf_log_uint("wait_ms", (uint64_t)worker->options.wait_ms));
            is_told = true;
        }
        if (status) {
            rf_worker_sleep_ms(worker, RETRY_MS);
        }
    }
    return rf_fail(err, RF_END, "stopped before the source was there");
}

// Does what Kafka has committed agree with who we are and what we hold?
static enum rf_status agree(struct rf_worker *worker, bool is_new, struct rf_error *err) {
    char note[RF_WORKER_NOTE_SIZE] = "";
    struct rf_positions committed;
    rf_positions_init(&committed);
    if (rf_positions_copy(&committed, rf_pipeline_positions(worker->pipeline))) {
        return rf_fail(err, RF_MEMORY, "worker: out of memory");
    }
    enum rf_status status = rf_source_committed(worker->source, &committed, note, sizeof note, err);
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

// Partitions of the source become the model's; a model may know others, which nobody reads now. RF_CONFLICT when one of those
// has records in the recorded order still to be folded.
static enum rf_status add_partitions(struct rf_worker *worker, const struct rf_positions *partitions, struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    for (size_t i = 0; i < partitions->count; i++) {
        size_t index;
        if (rf_positions_add(positions, partitions->list[i].topic, partitions->list[i].partition, &index)) {
            return rf_fail(err, RF_MEMORY, "worker: out of memory");
        }
    }
    for (size_t i = 0; i < worker->script_count; i++) {
        const struct rf_position *position = &positions->list[worker->script[i].partition];
        if (!rf_positions_find(partitions, position->topic, position->partition)) {
            return rf_fail(err, RF_CONFLICT,
                           "%s [%" PRId32
                           "] is not read any more, but records of it were learned since the last snapshot; run once "
                           "more with it in the source, to the next snapshot",
                           position->topic, position->partition);
        }
    }
    return RF_OK;
}

// Does the log still hold what the recorded order asks for?
static enum rf_status check_script(struct rf_worker *worker, struct rf_error *err) {
    const struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    rf_source_ends(worker->source, worker->ends);
    for (size_t i = 0; i < positions->count; i++) {
        const struct rf_position *position = &positions->list[i];
        uint64_t recorded = 0;
        for (size_t j = 0; j < worker->script_count; j++) {
            recorded += worker->script[j].partition == i ? worker->script[j].count : 0;
        }
        if (recorded && worker->ends[i] >= 0 && (uint64_t)(worker->ends[i] - position->next_offset) < recorded) {
            return rf_fail(
                    err, RF_CONFLICT,
                    "%s [%" PRId32 "] ends at offset %" PRId64 ", but %" PRIu64 " records from offset %" PRId64
                    " on were learned before: the topic was made anew or cut; give the model a new state folder, or restore "
                    "the topic",
                    position->topic, position->partition, worker->ends[i], recorded, position->next_offset);
        }
    }
    return RF_OK;
}

static bool has_new_partition(const struct rf_positions *positions) {
    for (size_t i = 0; i < positions->count; i++) {
        if (positions->list[i].next_offset == RF_OFFSET_NONE) {
            return true;
        }
    }
    return false;
}

static enum rf_status take_up_log(struct rf_worker *worker, bool is_new, struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    const struct rf_positions *partitions;
    enum rf_status status = wait_assigned(worker, &partitions, err);
    if (!status) {
        status = add_partitions(worker, partitions, err);
    }
    if (!status) {
        status = agree(worker, is_new, err);
    }
    if (status) {
        return status;
    }
    worker->awaits_first |= has_new_partition(positions);
    status = rf_source_assign(worker->source, positions, err);
    if (status) {
        return status;
    }
    worker->partition_count = positions->count;
    worker->next_offset = calloc(positions->count ? positions->count : 1, sizeof *worker->next_offset);
    worker->ends = calloc(positions->count ? positions->count : 1, sizeof *worker->ends);
    if (!worker->next_offset || !worker->ends) {
        return rf_fail(err, RF_MEMORY, "worker: out of memory");
    }
    for (size_t i = 0; i < positions->count; i++) {
        worker->next_offset[i] = positions->list[i].next_offset;
    }
    return check_script(worker, err);
}

// Takes up the newest snapshot and the order recorded beyond it.
static enum rf_status take_up_state(struct rf_worker *worker, bool *is_new_out, struct rf_error *err) {
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    struct rf_version version = rf_pipeline_version(worker->pipeline);
    version.epoch = worker->options.folder->epoch;
    rf_pipeline_set_version(worker->pipeline, version);
    enum rf_status status = rf_checkpoint_restore(checkpoint, worker->pipeline, err);
    *is_new_out = status == RF_NOT_FOUND;
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
    worker->awaits_first &= checkpoint != NULL;
    if (!status && worker->awaits_first) {
        rf_checkpoint_request(checkpoint);
    }
    return status;
}
