// A new line, from an old snapshot or from where the pipeline stands.
#include "ops/checkpoint_internal.h"

#include <inttypes.h>

struct newest {
    struct rf_disk *disk;
    struct rf_snapshot_header header;
    uint8_t sha256[RF_SHA256_SIZE];
};

static enum rf_status read_header(void *context, const char *path, struct rf_error *err) {
    struct newest *newest = context;
    const uint8_t *data;
    size_t size;
    enum rf_status status = rf_disk_read(newest->disk, path, &data, &size, err);
    if (!status) {
        status = rf_snapshot_read_header(data, size, &newest->header, newest->sha256, err);
        rf_disk_forget(newest->disk, data, size);
    }
    return status;
}

// The header of the newest snapshot that verifies: how far the sinks had written stands there. It is put on record, if what
// failed behind its rename kept it off.
static enum rf_status read_newest(struct rf_checkpoint *checkpoint, const struct rf_snapshot_files *files,
                                  struct rf_snapshot_header *header_out, struct rf_error *err) {
    struct newest newest = {.disk = checkpoint->options.folder->disk};
    enum rf_status status = rf_snapshot_files_try(files, read_header, &newest, err);
    if (rf_snapshot_is_passed_over(status)) {
        return rf_fail(err, RF_NOT_FOUND, "there is no snapshot in %s that verifies", files->folder);
    }
    if (status) {
        return status;
    }
    status = rf_checkpoint_put_on_record(checkpoint, &newest.header, newest.sha256, err);
    if (status) {
        rf_snapshot_header_finish(&newest.header);
        return status;
    }
    *header_out = newest.header;
    return RF_OK;
}

static void swap_bookmarks(struct rf_snapshot_header *a, struct rf_snapshot_header *b) {
    struct rf_bookmark *list = a->bookmarks;
    size_t count = a->bookmark_count;
    a->bookmarks = b->bookmarks;
    a->bookmark_count = b->bookmark_count;
    b->bookmarks = list;
    b->bookmark_count = count;
}

static enum rf_status write_line(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline,
                                 struct rf_snapshot_header *newest, int64_t now_ms, struct rf_error *err) {
    enum rf_status status = rf_checkpoint_fill_header(checkpoint, pipeline, now_ms, err);
    if (status) {
        return status;
    }
    swap_bookmarks(&checkpoint->header, newest);
    rf_checkpoint_begin_attempt(checkpoint, pipeline);
    status = rf_snapshot_writer_create(&checkpoint->header, checkpoint->state, rf_checkpoint_write_out, checkpoint,
                                       &checkpoint->writer, err);
    if (!status) {
        status = rf_checkpoint_write_temporary(checkpoint, err);
    }
    return status ? status : rf_checkpoint_put_in_place(checkpoint, err);
}

static enum rf_status roll_back(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline,
                                const struct rf_snapshot_files *files, uint64_t number, int64_t now_ms, struct rf_error *err) {
    char path[RF_SNAPSHOT_PATH_SIZE];
    struct rf_snapshot_header newest;
    rf_snapshot_path(files->folder, number, path);
    enum rf_status status = rf_checkpoint_restore_one(checkpoint, pipeline, path, err);
    if (status == RF_NOT_FOUND) {
        return rf_fail(err, RF_NOT_FOUND, "there is no snapshot %" PRIu64 " in %s any more; snapshot list shows those that are",
                       number, files->folder);
    }
    if (status || (status = read_newest(checkpoint, files, &newest, err))) {
        return status;
    }
    uint64_t last = rf_chain_number(checkpoint->chain);
    uint64_t highest = files->count ? rf_snapshot_files_number(files, files->count - 1) : 0;
    struct rf_version version = rf_pipeline_version(pipeline);
    version.line = rf_chain_line(checkpoint->chain) + 1;
    rf_pipeline_set_version(pipeline, version);
    checkpoint->next_number = (last > highest ? last : highest) + 1;
    status = write_line(checkpoint, pipeline, &newest, now_ms, err);
    rf_snapshot_header_finish(&newest);
    return status;
}

enum rf_status rf_checkpoint_rollback(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, uint64_t number,
                                      int64_t now_ms, struct rf_version *version_out, struct rf_error *err) {
    struct rf_snapshot_files files;
    enum rf_status status = rf_checkpoint_open_chain(checkpoint, &files, err);
    if (status) {
        return status;
    }
    status = roll_back(checkpoint, pipeline, &files, number, now_ms, err);
    rf_snapshot_files_finish(&files);
    if (!status) {
        *version_out = checkpoint->header.version;
    }
    rf_checkpoint_forget_attempt(checkpoint);
    return status;
}

// The snapshots of the new line cover what was folded in the old one's order, so that has to be on the disk.
static enum rf_status leave_line(struct rf_schedule *schedule, struct rf_error *err) {
    enum rf_status status = schedule ? rf_schedule_mark(schedule, err) : RF_OK;
    if (schedule && !status) {
        status = rf_schedule_sync_marked(schedule, err);
    }
    if (!status) {
        rf_schedule_close(schedule);
    }
    return status;
}

// A line whose snapshots are all gone may have left an order behind: it is not taken up.
enum rf_status rf_checkpoint_begin_line(struct rf_checkpoint *checkpoint, struct rf_pipeline *pipeline, struct rf_error *err) {
    struct rf_folder *folder = checkpoint->options.folder;
    struct rf_version version = rf_pipeline_version(pipeline);
    uint32_t line = rf_chain_line(checkpoint->chain);
    version.line = line > version.line ? line : version.line;
    struct rf_schedule *schedule = NULL;
    size_t ahead = 1;
    while (ahead) {
        rf_schedule_close(schedule);
        version.line++;
        enum rf_status status = rf_schedule_open(folder->disk, folder->path, version.line, rf_pipeline_counts(pipeline)->records,
                                                 rf_pipeline_positions(pipeline), &schedule, err);
        if (status) {
            return status;
        }
        rf_schedule_ahead(schedule, &ahead);
    }
    enum rf_status status = leave_line(rf_pipeline_schedule(pipeline), err);
    if (status) {
        rf_schedule_close(schedule);
        return status;
    }
    rf_pipeline_set_schedule(pipeline, schedule);
    rf_pipeline_set_version(pipeline, version);
    return RF_OK;
}
