#include "ops/checkpoint.h"

#include "ops/checkpoint_internal.h"
#include "ops/specification.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRITE_BUDGET = 1 << 20 };

void rf_checkpoint_begin_attempt(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline) {
    const char *folder = checkpoint->options.folder->path;
    checkpoint->state = rf_pipeline_state(pipeline);
    rf_snapshot_path(folder, checkpoint->next_number, checkpoint->path);
    snprintf(checkpoint->temporary, sizeof checkpoint->temporary, "%s/" RF_SNAPSHOT_TEMPORARY, folder);
}

void rf_checkpoint_forget_attempt(struct rf_checkpoint *checkpoint) {
    rf_snapshot_writer_destroy(checkpoint->writer);
    checkpoint->writer = NULL;
    rf_snapshot_header_finish(&checkpoint->header);
    rf_snapshot_header_init(&checkpoint->header);
}

// Beside the fold: writing.

enum rf_status rf_checkpoint_write_out(void *context, const void *data, size_t size, struct rf_error *err) {
    struct rf_checkpoint *checkpoint = context;
    return rf_disk_write(checkpoint->options.folder->disk, checkpoint->temporary, checkpoint->handle, data, size, err);
}

enum rf_status rf_checkpoint_write_temporary(struct rf_checkpoint *checkpoint, struct rf_error *err) {
    struct rf_disk *disk = checkpoint->options.folder->disk;
    enum rf_status status = rf_disk_create(disk, checkpoint->temporary, &checkpoint->handle, err);
    if (status) {
        return status;
    }
    do {
        rf_state_provide(checkpoint->state);
        status = rf_snapshot_writer_advance(checkpoint->writer, WRITE_BUDGET, err);
    } while (status == RF_AGAIN);
    if (!status) {
        status = rf_disk_sync(disk, checkpoint->temporary, checkpoint->handle, err);
    }
    struct rf_error ignored;
    enum rf_status closed = rf_disk_close(disk, checkpoint->temporary, checkpoint->handle, status ? &ignored : err);
    status = status ? status : closed;
    if (status) { // a disk may be full because of it
        rf_disk_remove(disk, checkpoint->temporary, &ignored);
    }
    return status;
}

// From the rename on the snapshot counts, whatever fails behind it: a start takes it up, and puts it on record.
enum rf_status rf_checkpoint_put_in_place(struct rf_checkpoint *checkpoint, struct rf_error *err) {
    struct rf_disk *disk = checkpoint->options.folder->disk;
    enum rf_status status = rf_disk_rename(disk, checkpoint->temporary, checkpoint->path, err);
    if (!status) {
        status = rf_disk_sync_folder(disk, checkpoint->options.folder->path, err);
    }
    if (!status) {
        memcpy(checkpoint->header.model_sha256, rf_snapshot_writer_model_sha256(checkpoint->writer), RF_SHA256_SIZE);
        status = rf_chain_append(checkpoint->chain, &checkpoint->header, rf_snapshot_writer_sha256(checkpoint->writer), err);
    }
    return status ? status : rf_checkpoint_retain(checkpoint, &checkpoint->header, err);
}

// What the snapshot covers reaches the disk too, before it counts. Disks take their time: the fold goes on meanwhile.
static void sync_beside(struct rf_checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint->sink_count; i++) {
        rf_sink_sync(checkpoint->sinks[i]);
    }
    checkpoint->schedule_error.status =
            checkpoint->schedule ? rf_schedule_sync_marked(checkpoint->schedule, &checkpoint->schedule_error) : RF_OK;
}

bool rf_checkpoint_work(struct rf_checkpoint *checkpoint) {
    int stage = atomic_load_explicit(&checkpoint->stage, memory_order_acquire);
    if (stage != WRITING && stage != SETTLED) {
        return false;
    }
    enum rf_status status = stage == WRITING ? rf_checkpoint_write_temporary(checkpoint, &checkpoint->error)
                                             : rf_checkpoint_put_in_place(checkpoint, &checkpoint->error);
    if (stage == WRITING && !status) {
        sync_beside(checkpoint);
    }
    int next = status ? FAILED : stage == WRITING ? WRITTEN : IN_PLACE;
    atomic_store_explicit(&checkpoint->stage, next, memory_order_release);
    return true;
}

// The fold thread: beginning, settling, taking over.

enum rf_status rf_checkpoint_fill_header(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, int64_t now_ms,
                                         struct rf_error *err) {
    struct rf_snapshot_header *header = &checkpoint->header;
    const struct rf_pipeline_counts *counts = rf_pipeline_counts(pipeline);
    struct rf_version version = rf_pipeline_version(pipeline);
    size_t sink_count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(pipeline, &sink_count);

    header->model = strdup(rf_pipeline_name(pipeline));
    header->specification = strdup(checkpoint->options.specification);
    header->worker = strdup(checkpoint->options.folder->worker);
    header->program = strdup(RF_RELEASE);
    header->bookmarks = calloc(sink_count ? sink_count : 1, sizeof *header->bookmarks);
    if (!header->model || !header->specification || !header->worker || !header->program || !header->bookmarks ||
        rf_positions_copy(&header->positions, rf_pipeline_positions(pipeline))) {
        return rf_fail(err, RF_MEMORY, "snapshot: out of memory");
    }
    for (size_t i = 0; i < sink_count; i++) {
        header->bookmarks[i] = (struct rf_bookmark){strdup(sinks[i]->label), rf_sink_mark(sinks[i])};
        header->bookmark_count = i + 1;
        if (!header->bookmarks[i].sink) {
            return rf_fail(err, RF_MEMORY, "snapshot: out of memory");
        }
    }
    rf_specification_sha256(header->specification, header->specification_sha256);
    header->version = (struct rf_version){.line = version.line, .base = checkpoint->next_number, .epoch = version.epoch};
    memcpy(header->parent_sha256, checkpoint->parent, sizeof header->parent_sha256);
    header->has_parent = checkpoint->has_parent;
    header->records = counts->records;
    header->learned = counts->learned;
    header->rejected = counts->rejected;
    header->created_ms = now_ms;
    return RF_OK;
}

static enum rf_status begin(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, int64_t now_ms,
                            struct rf_error *err) {
    enum rf_status rewound = rf_checkpoint_rewind(checkpoint, pipeline, err);
    if (rewound) {
        return rewound;
    }
    checkpoint->is_requested = false;
    checkpoint->begun_ms = now_ms;
    checkpoint->begun_records = rf_pipeline_counts(pipeline)->records;
    checkpoint->sinks = rf_pipeline_sinks(pipeline, &checkpoint->sink_count);
    checkpoint->schedule = rf_pipeline_schedule(pipeline);
    rf_checkpoint_begin_attempt(checkpoint, pipeline);
    enum rf_status status = checkpoint->schedule ? rf_schedule_mark(checkpoint->schedule, err) : RF_OK;
    if (!status) {
        status = rf_checkpoint_fill_header(checkpoint, pipeline, now_ms, err);
    }
    if (!status && rf_state_freeze(checkpoint->state)) {
        status = rf_fail(err, RF_MEMORY, "snapshot: out of memory");
    }
    if (!status) {
        status = rf_snapshot_writer_create(&checkpoint->header, checkpoint->state, rf_checkpoint_write_out, checkpoint,
                                           &checkpoint->writer, err);
    }
    if (status) {
        checkpoint->error = *err;
    }
    atomic_store_explicit(&checkpoint->stage, status ? FAILED : WRITING, memory_order_release);
    return RF_OK;
}

static bool is_due(const struct rf_checkpoint *checkpoint, const struct rf_pipeline *pipeline, int64_t now_ms) {
    uint64_t grown = rf_pipeline_counts(pipeline)->records - checkpoint->begun_records;
    const struct rf_checkpoint_options *options = &checkpoint->options;
    return checkpoint->is_requested || (options->every_records && grown >= options->every_records) ||
           (options->every_ms && grown && now_ms - checkpoint->begun_ms >= options->every_ms);
}

// Has the outside confirmed all that the snapshot covers, and did the order in which it was folded reach the disk?
static enum rf_status settle(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, struct rf_error *err) {
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(pipeline, &count);
    for (size_t i = 0; i < count; i++) {
        enum rf_status status = rf_sink_settle(sinks[i], 0, err);
        if (status) {
            return status == RF_AGAIN ? RF_OK : status;
        }
    }
    if (checkpoint->schedule_error.status) {
        *err = checkpoint->schedule_error;
        return err->status;
    }
    atomic_store_explicit(&checkpoint->stage, SETTLED, memory_order_release);
    return RF_OK;
}

static void adopt(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline) {
    const uint8_t *sha256 = rf_snapshot_writer_sha256(checkpoint->writer);
    memcpy(checkpoint->parent, sha256, sizeof checkpoint->parent);
    checkpoint->has_parent = true;
    memcpy(checkpoint->header.model_sha256, rf_snapshot_writer_model_sha256(checkpoint->writer), RF_SHA256_SIZE);
    checkpoint->installed_size = rf_snapshot_writer_size(checkpoint->writer);
    checkpoint->next_number++;

    rf_snapshot_header_finish(&checkpoint->installed);
    checkpoint->installed = checkpoint->header;
    rf_snapshot_header_init(&checkpoint->header);
    rf_checkpoint_forget_attempt(checkpoint);
    memcpy(checkpoint->installed_path, checkpoint->path, sizeof checkpoint->installed_path);
    checkpoint->is_installed_new = true;

    struct rf_version version = checkpoint->installed.version;
    version.since = rf_pipeline_counts(pipeline)->records - checkpoint->installed.records;
    rf_pipeline_set_version(pipeline, version);

    struct rf_metrics *metrics = rf_pipeline_metrics(pipeline);
    rf_metrics_add(metrics, RF_METRIC_snapshots_total, 0, 1);
    rf_metrics_set(metrics, RF_METRIC_snapshot_bytes, 0, (int64_t)checkpoint->installed_size);
    rf_metrics_set(metrics, RF_METRIC_snapshot_timestamp_seconds, 0, checkpoint->installed.created_ms / 1000);
    rf_log(checkpoint->options.log, RF_LOG_DEBUG, "snapshot in place", rf_log_text("path", checkpoint->installed_path),
           rf_log_uint("records", checkpoint->installed.records), rf_log_uint("bytes", checkpoint->installed_size));
}

enum rf_status rf_checkpoint_step(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, int64_t now_ms,
                                  struct rf_error *err) {
    if (checkpoint->begun_ms < 0 || checkpoint->begun_ms > now_ms) { // the first step, or a clock set back
        checkpoint->begun_ms = now_ms;
    }
    switch (atomic_load_explicit(&checkpoint->stage, memory_order_acquire)) {
    case IDLE:
        return is_due(checkpoint, pipeline, now_ms) ? begin(checkpoint, pipeline, now_ms, err) : RF_OK;
    case WRITTEN:
        rf_state_thaw(checkpoint->state);
        return settle(checkpoint, pipeline, err);
    case IN_PLACE:
        adopt(checkpoint, pipeline);
        atomic_store_explicit(&checkpoint->stage, IDLE, memory_order_release);
        return RF_OK;
    case FAILED:
        rf_state_thaw(checkpoint->state);
        rf_checkpoint_forget_attempt(checkpoint);
        checkpoint->failures++;
        rf_metrics_add(rf_pipeline_metrics(pipeline), RF_METRIC_snapshot_failures_total, 0, 1);
        rf_log(checkpoint->options.log, RF_LOG_ERROR, "snapshot failed; the one before it stays in place",
               rf_log_text("error", checkpoint->error.text));
        atomic_store_explicit(&checkpoint->stage, IDLE, memory_order_release);
        return RF_OK;
    default:
        return RF_OK; // being worked on
    }
}

void rf_checkpoint_request(struct rf_checkpoint *checkpoint) {
    checkpoint->is_requested = true;
}

bool rf_checkpoint_is_busy(const struct rf_checkpoint *checkpoint) {
    return checkpoint->is_requested || atomic_load_explicit(&checkpoint->stage, memory_order_acquire) != IDLE;
}

bool rf_checkpoint_take_installed(struct rf_checkpoint *checkpoint, struct rf_installed *installed_out) {
    if (!checkpoint->is_installed_new) {
        return false;
    }
    checkpoint->is_installed_new = false;
    *installed_out = (struct rf_installed){
            .path = checkpoint->installed_path,
            .version = checkpoint->installed.version,
            .model_sha256 = checkpoint->installed.model_sha256,
            .positions = &checkpoint->installed.positions,
    };
    return true;
}

uint64_t rf_checkpoint_failures(const struct rf_checkpoint *checkpoint, const char **sentence_out) {
    *sentence_out = checkpoint->failures ? checkpoint->error.text : "";
    return checkpoint->failures;
}

// Setup.

enum rf_status rf_checkpoint_create(const struct rf_checkpoint_options *options, struct rf_checkpoint **checkpoint_out,
                                    struct rf_error *err) {
    assert(options->retention.keep >= 1);
    struct rf_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (!checkpoint) {
        return rf_fail(err, RF_MEMORY, "checkpoint: out of memory");
    }
    checkpoint->options = *options;
    checkpoint->begun_ms = -1;
    checkpoint->next_number = 1;
    rf_snapshot_header_init(&checkpoint->header);
    rf_snapshot_header_init(&checkpoint->installed);
    *checkpoint_out = checkpoint;
    return RF_OK;
}

void rf_checkpoint_destroy(struct rf_checkpoint *checkpoint) {
    if (checkpoint) {
        if (checkpoint->state) {
            rf_state_thaw(checkpoint->state);
        }
        rf_checkpoint_forget_attempt(checkpoint);
        rf_snapshot_header_finish(&checkpoint->header);
        rf_snapshot_header_finish(&checkpoint->installed);
        rf_chain_close(checkpoint->chain);
        free(checkpoint->kept);
        free(checkpoint);
    }
}
