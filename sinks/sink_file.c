// JSON lines at the end of a file. Every batch is written with one call, so a reader that follows sees whole batches and
// a line drawn has nothing left to flush: settling is a sync, which another thread does meanwhile, or else whoever settles. The
// disk is asked to begin with what is written long before: every START_SIZE bytes, and when a line is drawn.
#include "sinks/message.h"
#include "sinks/sink_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WRITE_SIZE = 256 * 1024, // a batch larger than this is written in pieces, to bound the room it takes
    START_SIZE = 1 << 20,
    DISK_PAGE_SIZE = 4096, // one that is being written to disk had better not change
};

struct file_sink {
    struct rf_sink base;
    int fd;
    char *path;      // as in sentences
    bool is_regular; // can be cut and synced
    bool was_missing;
    bool was_marked;           // a line was drawn at some time
    bool is_settled;           // the last one
    _Atomic bool is_synced;    // what stands before it, by sync()
    _Atomic int sync_error;    // errno of a sync() that failed
    uint64_t size;             // bytes in the file
    uint64_t begun;            // bytes of those that the disk was asked to begin with; whole pages
    struct rf_message message; // not written yet
    struct rf_error failure;   // a write that failed: nothing may follow what it left, so the sink has failed for good
};

static const struct rf_sink_ops file_ops;
static const struct rf_sink_ops file_rejected_ops;

static struct file_sink *file_from(struct rf_sink *self) {
    assert(self->ops == &file_ops || self->ops == &file_rejected_ops);
    return (struct file_sink *)self;
}

static enum rf_status fail_again(const struct file_sink *file, struct rf_error *err) {
    *err = file->failure;
    return err->status;
}

static enum rf_status fail_for_good(struct file_sink *file, const struct rf_error *err) {
    file->failure = *err;
    return err->status;
}

// Asks the disk to begin, without waiting. What goes wrong then is told by the sync.
static void start_writeback(struct file_sink *file) {
    uint64_t end = file->size - file->size % DISK_PAGE_SIZE;
    if (file->is_regular && end > file->begun) {
        (void)sync_file_range(file->fd, (off_t)file->begun, (off_t)(end - file->begun), SYNC_FILE_RANGE_WRITE);
        file->begun = end;
    }
}

// Writes what there is room for and keeps the rest: RF_AGAIN. Only standard output can be without room, when whoever
// started the program made it so that it does not block.
static enum rf_status write_out(struct file_sink *file, struct rf_error *err) {
    struct rf_message *message = &file->message;
    size_t written = 0;
    enum rf_status status = RF_OK;
    while (status == RF_OK && written < message->size) {
        ssize_t size = write(file->fd, message->data + written, message->size - written);
        if (size >= 0) {
            written += (size_t)size;
        } else if (errno == EAGAIN) {
            status = RF_AGAIN;
        } else if (errno != EINTR) {
            status = rf_fail(err, RF_IO, "cannot write %s: %s", file->path, strerror(errno));
        }
    }
    message->size -= written;
    if (written > 0 && message->size > 0) {
        memmove(message->data, message->data + written, message->size);
    }
    file->size += written;
    if (file->size - file->begun >= START_SIZE) {
        start_writeback(file);
    }
    return status;
}

// Before a line is added.
static enum rf_status make_room(struct file_sink *file, struct rf_error *err) {
    return file->message.size < WRITE_SIZE ? RF_OK : write_out(file, err);
}

static enum rf_status end_line(struct file_sink *file, struct rf_error *err) {
    enum rf_status status = rf_message_reserve(&file->message, 1, err);
    if (status == RF_OK) {
        file->message.data[file->message.size++] = '\n';
    }
    return status;
}

// What a crash left of a last line must not run into ours.
static enum rf_status begin_on_new_line(struct file_sink *file, struct rf_error *err) {
    char last = '\n';
    if (file->size > 0 && pread(file->fd, &last, 1, (off_t)file->size - 1) != 1) {
        return rf_fail(err, RF_IO, "cannot read %s: %s", file->path, strerror(errno));
    }
    return last == '\n' ? RF_OK : end_line(file, err);
}

// What stands before `next` is written, or waits to be.
static enum rf_status end_batch(struct file_sink *file, enum rf_status status, size_t next, size_t *done, struct rf_error *err) {
    status = status ? status : write_out(file, err);
    if (status != RF_OK && status != RF_AGAIN) {
        return fail_for_good(file, err);
    }
    *done = next;
    return status;
}

static enum rf_status file_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                                   struct rf_error *err) {
    struct file_sink *file = file_from(self);
    size_t next = *done;
    enum rf_status status = file->failure.status ? fail_again(file, err) : RF_OK;
    for (; status == RF_OK && next < predictions->examples->count; next += status == RF_OK) {
        if (rf_message_is_due(predictions, next)) {
            status = make_room(file, err);
            status = status ? status : rf_message_add_prediction_json(&file->message, RF_MESSAGE_WITH_ID, predictions, next, err);
            status = status ? status : end_line(file, err);
        }
    }
    return end_batch(file, status, next, done, err);
}

static enum rf_status file_retract(struct rf_sink *self, const struct rf_retraction *retraction, struct rf_error *err) {
    struct file_sink *file = file_from(self);
    enum rf_status status = file->failure.status ? fail_again(file, err) : make_room(file, err);
    status = status ? status : rf_message_add_retraction_json(&file->message, retraction, err);
    return status ? status : end_line(file, err); // written with the next batch
}

static enum rf_status file_reject(struct rf_sink *self, const struct rf_rejects *rejects, size_t *done, struct rf_error *err) {
    struct file_sink *file = file_from(self);
    size_t next = *done;
    enum rf_status status = file->failure.status ? fail_again(file, err) : RF_OK;
    for (; status == RF_OK && next < rejects->count; next += status == RF_OK) {
        status = make_room(file, err);
        status = status ? status : rf_message_add_reject_json(&file->message, rejects, next, err);
        status = status ? status : end_line(file, err);
    }
    return end_batch(file, status, next, done, err);
}

static uint64_t file_mark(struct rf_sink *self) {
    struct file_sink *file = file_from(self);
    file->was_marked = true;
    file->is_settled = false;
    atomic_store(&file->is_synced, false);
    start_writeback(file);
    return file->is_regular ? file->size : 0;
}

static void file_sync(struct rf_sink *self) {
    struct file_sink *file = file_from(self);
    if (file->is_regular) {
        int error = fdatasync(file->fd) ? errno : 0;
        atomic_store(&file->sync_error, error);
        atomic_store(&file->is_synced, !error);
    }
}

static enum rf_status file_settle(struct rf_sink *self, int timeout_ms, struct rf_error *err) {
    (void)timeout_ms;
    struct file_sink *file = file_from(self);
    if (file->failure.status) {
        return fail_again(file, err);
    }
    file->is_settled |= atomic_load(&file->is_synced);
    int error = atomic_load(&file->sync_error);
    enum rf_status status = file->is_settled || error ? RF_OK : write_out(file, err);
    if (status == RF_OK && !file->is_settled && file->is_regular && !error) {
        error = fdatasync(file->fd) ? errno : 0;
    }
    if (error) {
        status = rf_fail(err, RF_IO, "cannot sync %s: %s", file->path, strerror(error));
    }
    if (status == RF_OK) {
        file->is_settled = file->was_marked;
    }
    return status == RF_IO ? fail_for_good(file, err) : status;
}

static enum rf_status file_rewind(struct rf_sink *self, uint64_t bookmark, struct rf_error *err) {
    struct file_sink *file = file_from(self);
    if (!file->is_regular) {
        return RF_OK;
    }
    if (file->was_missing && bookmark > 0) {
        (void)unlink(file->path); // made a moment ago, and empty: leave it missing
        return rf_fail(err, RF_CONFLICT, "%s is missing, it had %" PRIu64 " bytes at the snapshot: put it back or start afresh",
                       file->path, bookmark);
    }
    if (file->size < bookmark) {
        return rf_fail(err, RF_CONFLICT,
                       "%s has %" PRIu64 " bytes, it had %" PRIu64 " at the snapshot: put it back or start afresh", file->path,
                       file->size, bookmark);
    }
    if (ftruncate(file->fd, (off_t)bookmark) != 0) {
        return rf_fail(err, RF_IO, "cannot cut %s to %" PRIu64 " bytes: %s", file->path, bookmark, strerror(errno));
    }
    file->size = bookmark;
    file->begun = bookmark - bookmark % DISK_PAGE_SIZE;
    rf_message_clear(&file->message);
    return begin_on_new_line(file, err);
}

static void file_destroy(struct rf_sink *self) {
    struct file_sink *file = file_from(self);
    if (file->fd >= 0 && file->fd != STDOUT_FILENO) {
        (void)close(file->fd);
    }
    rf_message_finish(&file->message);
    free(file->path);
    free(file);
}

static const struct rf_sink_ops file_ops = {
        .name = "file",
        .publish = file_publish,
        .retract = file_retract,
        .mark = file_mark,
        .sync = file_sync,
        .settle = file_settle,
        .rewind = file_rewind,
        .destroy = file_destroy,
};

static const struct rf_sink_ops file_rejected_ops = {
        .name = "file",
        .reject = file_reject,
        .mark = file_mark,
        .sync = file_sync,
        .settle = file_settle,
        .rewind = file_rewind,
        .destroy = file_destroy,
};

// A file made a moment ago is not safe before its folder is.
static enum rf_status sync_folder(const char *path, struct rf_error *err) {
    char *copy = strdup(path);
    if (!copy) {
        return rf_fail(err, RF_MEMORY, "file: a sink does not fit into memory");
    }
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    free(copy);
    return is_synced ? RF_OK : rf_fail(err, RF_IO, "cannot sync the folder of %s: %s", path, strerror(error));
}

static enum rf_status open_file(struct file_sink *file, struct rf_error *err) {
    struct stat before;
    file->was_missing = stat(file->path, &before) != 0 && errno == ENOENT;
    bool is_seekable = file->was_missing || S_ISREG(before.st_mode);
    file->fd = open(file->path, (is_seekable ? O_RDWR : O_WRONLY) | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    struct stat now;
    if (file->fd < 0 || fstat(file->fd, &now) != 0) {
        return rf_fail(err, RF_IO, "cannot open %s: %s", file->path, strerror(errno));
    }
    file->is_regular = S_ISREG(now.st_mode);
    if (!file->is_regular) {
        return RF_OK;
    }
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return rf_fail(err, RF_BUSY, "%s is being written by another sink, must be the file of one", file->path);
    }
    file->size = (uint64_t)now.st_size;
    file->begun = file->size - file->size % DISK_PAGE_SIZE;
    return file->was_missing ? sync_folder(file->path, err) : begin_on_new_line(file, err);
}

static enum rf_status create(const struct rf_sink_ops *ops, const char *kind, const char *path, struct rf_sink **sink_out,
                             struct rf_error *err) {
    struct file_sink *file = calloc(1, sizeof *file);
    if (!file) {
        return rf_fail(err, RF_MEMORY, "file: a sink does not fit into memory");
    }
    file->base.ops = ops;
    file->fd = -1;
    rf_message_init(&file->message);
    bool is_standard = strcmp(path, "-") == 0;
    file->path = strdup(is_standard ? "standard output" : path);
    if (!file->path) {
        rf_sink_destroy(&file->base);
        return rf_fail(err, RF_MEMORY, "file: a sink does not fit into memory");
    }
    enum rf_status status = rf_sink_set_label(&file->base, kind, path, err);
    if (status == RF_OK && is_standard) {
        file->fd = STDOUT_FILENO;
    } else if (status == RF_OK) {
        status = open_file(file, err);
    }
    if (status) {
        rf_sink_destroy(&file->base);
        return status;
    }
    *sink_out = &file->base;
    return RF_OK;
}

enum rf_status rf_sink_file_create(const void *options, const struct rf_sink_context *context, struct rf_sink **sink_out,
                                   struct rf_error *err) {
    (void)context;
    const struct rf_sink_file_options *wanted = options;
    return create(&file_ops, "file", wanted->path, sink_out, err);
}

enum rf_status rf_sink_file_create_rejected(const char *path, struct rf_sink **sink_out, struct rf_error *err) {
    return create(&file_rejected_ops, "rejected:file", path, sink_out, err);
}
