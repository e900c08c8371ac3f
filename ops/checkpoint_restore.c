// The start: the newest snapshot that verifies is put into the pipeline.
#include "ops/checkpoint.h"

#include "ops/checkpoint_internal.h"
#include "ops/specification.h"

#include <inttypes.h>
#include <string.h>

enum rf_status rf_snapshot_check_kin(const struct rf_snapshot_header *header, const char *path, const char *model,
                                     const char *specification, const struct rf_setting *settings, struct rf_log *log,
                                     struct rf_error *err) {
    if (strcmp(header->model, model) != 0) {
        return rf_fail(err, RF_CONFLICT, "snapshot %s is of the model %s, not of %s; give each model a folder of its own", path,
                       header->model, model);
    }
    enum rf_specification_change change = rf_specification_compare(header->specification, specification, settings, err);
    if (change == RF_SPECIFICATION_BREAKING) {
        rf_fail_in(err, "snapshot %s was learned under other settings", path);
        return err->status = RF_CONFLICT;
    }
    if (change == RF_SPECIFICATION_COMPATIBLE) {
        rf_log(log, RF_LOG_INFO, "settings changed in a compatible way", rf_log_text("change", err->text));
    }
    return RF_OK;
}

static enum rf_status take_up(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, const char *path,
                              const uint8_t *data, size_t size, struct rf_error *err) {
    struct rf_snapshot_header *header = &checkpoint->installed;
    rf_snapshot_header_finish(header);
    enum rf_status status = rf_snapshot_read_header(data, size, header, checkpoint->parent, err);
    if (status) {
        rf_snapshot_header_init(header);
        return status;
    }
    char own_path[RF_SNAPSHOT_PATH_SIZE];
    rf_snapshot_path(checkpoint->options.folder->path, header->version.base, own_path);
    if (strcmp(path, own_path) != 0) {
        return rf_fail(err, RF_CORRUPT, "%s is snapshot %" PRIu64 ", not the one its name tells", path, header->version.base);
    }
    status = rf_snapshot_check_kin(header, path, rf_pipeline_name(pipeline), checkpoint->options.specification,
                                   checkpoint->options.settings, checkpoint->options.log, err);
    if (!status) {
        status = rf_snapshot_read_state(data, size, rf_pipeline_state(pipeline), err);
    }
    if (!status && rf_learner_check(rf_pipeline_learner(pipeline), err)) {
        return err->status; // an older one may hold together
    }
    struct rf_evaluation *held_out = rf_pipeline_holdout(pipeline);
    if (!status &&
        (rf_evaluation_check(rf_pipeline_evaluation(pipeline), err) || (held_out && rf_evaluation_check(held_out, err)))) {
        return err->status;
    }
    char note[RF_ERROR_TEXT_SIZE];
    if (!status && rf_learner_note(rf_pipeline_learner(pipeline), note, sizeof note)) {
        rf_log(checkpoint->options.log, RF_LOG_WARN, "restored elsewhere", rf_log_text("path", path), rf_log_text("note", note));
    }
    if (!status && rf_positions_copy(rf_pipeline_positions(pipeline), &header->positions)) {
        status = rf_fail(err, RF_MEMORY, "snapshot: out of memory");
    }
    if (status) {
        return status == RF_CORRUPT ? RF_CONFLICT : status; // it verified: another would not do better
    }
    checkpoint->has_parent = true;
    checkpoint->needs_rewind = true;
    checkpoint->begun_records = header->records;
    rf_pipeline_set_counts(pipeline, header->records, header->learned, header->rejected);
    struct rf_version version = header->version;
    version.epoch = checkpoint->options.folder->epoch;
    rf_pipeline_set_version(pipeline, version);
    return RF_OK;
}

enum rf_status rf_checkpoint_restore_one(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, const char *path,
                                         struct rf_error *err) {
    struct rf_disk *disk = checkpoint->options.folder->disk;
    const uint8_t *data;
    size_t size;
    enum rf_status status = rf_disk_read(disk, path, &data, &size, err);
    if (status) {
        return status;
    }
    status = take_up(checkpoint, pipeline, path, data, size, err);
    rf_disk_forget(disk, data, size);
    return status;
}

enum rf_status rf_checkpoint_restore(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, struct rf_error *err) {
    struct rf_snapshot_files files;
    struct rf_folder *folder = checkpoint->options.folder;
    enum rf_status status = rf_checkpoint_open_chain(checkpoint, &files, err);
    if (status) {
        return status;
    }
    checkpoint->next_number = rf_chain_number(checkpoint->chain) + 1; // a number on record is not given again
    status = RF_NOT_FOUND;
    for (size_t i = files.count; i-- > 0;) {
        rf_snapshot_files_path(&files, i, checkpoint->installed_path);
        uint64_t number = rf_snapshot_files_number(&files, i);
        bool is_beyond = number >= checkpoint->next_number && number < UINT64_MAX;
        checkpoint->next_number = is_beyond ? number + 1 : checkpoint->next_number;
        status = rf_checkpoint_restore_one(checkpoint, pipeline, checkpoint->installed_path, err);
        if (!status) {
            rf_log(checkpoint->options.log, RF_LOG_INFO, "resumed from snapshot", rf_log_text("path", checkpoint->installed_path),
                   rf_log_uint("records", checkpoint->installed.records));
            status = rf_checkpoint_put_on_record(checkpoint, &checkpoint->installed, checkpoint->parent, err);
            break;
        }
        if (!rf_snapshot_is_passed_over(status)) {
            break;
        }
        rf_log(checkpoint->options.log, RF_LOG_WARN, "snapshot passed over", rf_log_text("path", checkpoint->installed_path),
               rf_log_text("error", err->text));
        status = RF_CORRUPT;
    }
    rf_snapshot_files_finish(&files);
    if (status == RF_CORRUPT) {
        struct rf_error last = *err;
        rf_fail(err, RF_CORRUPT,
                "none of the %zu snapshots in %s verifies (%s: %.300s); restore one, or give the model a new state folder",
                files.count, folder->path, checkpoint->installed_path, last.text);
    }
    return status == RF_NOT_FOUND ? rf_fail(err, RF_NOT_FOUND, "there is no snapshot in %s", folder->path) : status;
}

static const struct rf_bookmark *bookmark_of(const struct rf_checkpoint *checkpoint, const struct rf_sink *sink) {
    const struct rf_snapshot_header *header = &checkpoint->installed;
    for (size_t i = 0; i < header->bookmark_count; i++) {
        if (strcmp(sink->label, header->bookmarks[i].sink) == 0) {
            return &header->bookmarks[i];
        }
    }
    return NULL;
}

static enum rf_status fail_held(const struct rf_checkpoint *checkpoint, const char *sink, uint64_t held, struct rf_error *err) {
    if (checkpoint->has_parent) {
        return rf_fail(err, RF_CONFLICT,
                       "sink %s holds %" PRIu64
                       " bytes that the snapshot %s does not know of, so lines may stand twice; move them away",
                       sink, held, checkpoint->installed_path);
    }
    return rf_fail(err, RF_CONFLICT,
                   "sink %s holds %" PRIu64
                   " bytes, and the model is new, so lines may stand twice; move them away, or name another file",
                   sink, held);
}

enum rf_status rf_checkpoint_check_sinks(const struct rf_checkpoint *checkpoint, const struct rf_pipeline *pipeline,
                                         bool *has_new_out, struct rf_error *err) {
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(pipeline, &count);
    *has_new_out = false;
    for (size_t i = 0; i < count; i++) {
        if (bookmark_of(checkpoint, sinks[i])) {
            continue;
        }
        *has_new_out = true;
        uint64_t held = rf_sink_mark(sinks[i]);
        if (held) {
            return fail_held(checkpoint, sinks[i]->label, held, err);
        }
    }
    return RF_OK;
}

enum rf_status rf_checkpoint_rewind(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, struct rf_error *err) {
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(pipeline, &count);
    for (size_t i = 0; checkpoint->needs_rewind && i < count; i++) {
        const struct rf_bookmark *bookmark = bookmark_of(checkpoint, sinks[i]);
        enum rf_status status = bookmark ? rf_sink_rewind(sinks[i], bookmark->value, err) : RF_OK;
        if (status) {
            return status;
        }
    }
    checkpoint->needs_rewind = false;
    return RF_OK;
}
