#include "tests/simulation/sink_simulated.h"

#include "proto/random.h"
#include "sinks/message.h"
#include "tests/simulation/disk_simulated.h"

#include <assert.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 256, LINES_SIZE = 64 * 1024 };

struct simulated_sink {
    struct rf_sink base;
    struct rf_disk *disk;
    char path[PATH_SIZE];
    int handle;
    bool tells_versions;
    uint64_t size;   // of the file
    bool has_line;   // was drawn at some time
    bool is_settled; // the last one
    bool is_synced;  // what stands before it, by sync()
    struct rf_error sync_failure;
    uint64_t not_yet; // times that settling is still to be put off
    struct rf_random random;
    const struct simulated_pace *pace; // borrowed
    struct rf_error failure;           // nothing may follow what a failing write left
    char lines[LINES_SIZE];
    size_t lines_size;
};

size_t simulated_line(const char *topic, int32_t partition, int64_t offset, const double *score,
                      char line_out[SIMULATED_LINE_SIZE]) {
    char bits[24] = "";
    if (score) {
        snprintf(bits, sizeof bits, " %a", *score);
    }
    int size = snprintf(line_out, SIMULATED_LINE_SIZE, "%s %" PRId32 " %" PRId64 "%s\n", topic, partition, offset, bits);
    assert(size > 0 && size < SIMULATED_LINE_SIZE);
    return (size_t)size;
}

static const struct rf_sink_ops simulated_ops;
static const struct rf_sink_ops simulated_rejected_ops;

static struct simulated_sink *simulated_from(struct rf_sink *self) {
    assert(self->ops == &simulated_ops || self->ops == &simulated_rejected_ops);
    return (struct simulated_sink *)self;
}

// `score` NULL: it was rejected.
static void add_line(struct simulated_sink *sink, const struct rf_positions *positions, uint32_t partition, int64_t offset,
                     const double *score) {
    char line[SIMULATED_LINE_SIZE];
    const struct rf_position *position = &positions->list[partition];
    size_t size = simulated_line(position->topic, position->partition, offset, score, line);
    assert(size <= LINES_SIZE - sink->lines_size);
    memcpy(sink->lines + sink->lines_size, line, size);
    sink->lines_size += size;
}

static void add_prediction(struct simulated_sink *sink, const struct rf_predictions *predictions, size_t index) {
    const struct rf_examples *examples = predictions->examples;
    const struct rf_version *version = &predictions->version;
    const double *score = &predictions->score[index * predictions->outputs];
    if (!sink->tells_versions) {
        add_line(sink, predictions->positions, examples->partition[index], examples->offset[index], score);
        return;
    }
    const struct rf_position *position = &predictions->positions->list[examples->partition[index]];
    uint64_t bits;
    memcpy(&bits, score, sizeof bits);
    int size = snprintf(sink->lines + sink->lines_size, LINES_SIZE - sink->lines_size,
                        "%s %" PRId32 " %" PRId64 " %016" PRIx64 " %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu64 "\n",
                        position->topic, position->partition, examples->offset[index], bits, version->line, version->base,
                        version->epoch, predictions->since[index]);
    assert(size > 0 && (size_t)size < LINES_SIZE - sink->lines_size);
    sink->lines_size += (size_t)size;
}

// How many of `left` are taken now; *has_room_out tells whether there is room for more.
static size_t room_for(struct simulated_sink *sink, size_t left, bool *has_room_out) {
    *has_room_out = rf_random_below(&sink->random, sink->pace->no_room_one_in) != 0;
    return *has_room_out ? left : (size_t)rf_random_below(&sink->random, left + 1);
}

// Writes the lines of records up to `next`.
static enum rf_status write_lines(struct simulated_sink *sink, size_t next, bool has_room, size_t *done, struct rf_error *err) {
    enum rf_status status = RF_OK;
    if (sink->lines_size) {
        status = rf_disk_write(sink->disk, sink->path, sink->handle, sink->lines, sink->lines_size, err);
    }
    if (status) {
        sink->failure = *err;
        return status;
    }
    sink->size += sink->lines_size;
    sink->lines_size = 0;
    *done = next;
    return has_room ? RF_OK : RF_AGAIN;
}

static enum rf_status simulated_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                                        struct rf_error *err) {
    struct simulated_sink *sink = simulated_from(self);
    const struct rf_examples *examples = predictions->examples;
    if (sink->failure.status) {
        *err = sink->failure;
        return err->status;
    }
    bool has_room;
    size_t end = *done + room_for(sink, examples->count - *done, &has_room);
    for (size_t i = *done; i < end; i++) {
        if (rf_message_is_due(predictions, i)) {
            add_prediction(sink, predictions, i);
        }
    }
    return write_lines(sink, end, has_room, done, err);
}

static enum rf_status simulated_reject(struct rf_sink *self, const struct rf_rejects *rejects, size_t *done,
                                       struct rf_error *err) {
    struct simulated_sink *sink = simulated_from(self);
    if (sink->failure.status) {
        *err = sink->failure;
        return err->status;
    }
    bool has_room;
    size_t end = *done + room_for(sink, rejects->count - *done, &has_room);
    for (size_t i = *done; i < end; i++) {
        add_line(sink, rejects->positions, rejects->list[i].record.partition, rejects->list[i].record.offset, NULL);
    }
    return write_lines(sink, end, has_room, done, err);
}

static uint64_t simulated_mark(struct rf_sink *self) {
    struct simulated_sink *sink = simulated_from(self);
    sink->has_line = true;
    sink->is_settled = sink->is_synced = false;
    sink->not_yet = rf_random_below(&sink->random, sink->pace->not_yet_max + 1);
    return sink->size;
}

static void simulated_sync(struct rf_sink *self) {
    struct simulated_sink *sink = simulated_from(self);
    sink->is_synced = rf_disk_sync(sink->disk, sink->path, sink->handle, &sink->sync_failure) == RF_OK;
}

static enum rf_status simulated_settle(struct rf_sink *self, int timeout_ms, struct rf_error *err) {
    (void)timeout_ms;
    struct simulated_sink *sink = simulated_from(self);
    if (sink->failure.status) {
        *err = sink->failure;
        return err->status;
    }
    if (sink->not_yet > 0) {
        sink->not_yet--;
        return RF_AGAIN;
    }
    sink->is_settled |= sink->is_synced;
    enum rf_status status = RF_OK;
    if (sink->sync_failure.status) {
        *err = sink->sync_failure;
        status = err->status;
    } else if (!sink->is_settled) {
        status = rf_disk_sync(sink->disk, sink->path, sink->handle, err);
    }
    sink->is_settled |= !status && sink->has_line;
    if (status) {
        sink->failure = *err; // what a failing sync left is unknown
    }
    return status;
}

static enum rf_status simulated_rewind(struct rf_sink *self, uint64_t bookmark, struct rf_error *err) {
    struct simulated_sink *sink = simulated_from(self);
    if (sink->size < bookmark) {
        return rf_fail(err, RF_CONFLICT, "%s has %" PRIu64 " bytes, it had %" PRIu64 " at the snapshot", sink->path, sink->size,
                       bookmark);
    }
    if (rf_disk_simulated_truncate(sink->disk, sink->handle, bookmark)) {
        return rf_fail(err, RF_IO, "cannot cut %s to %" PRIu64 " bytes", sink->path, bookmark);
    }
    sink->size = bookmark;
    return RF_OK;
}

static void simulated_destroy(struct rf_sink *self) {
    struct simulated_sink *sink = simulated_from(self);
    struct rf_error ignored;
    if (sink->handle >= 0) {
        rf_disk_close(sink->disk, sink->path, sink->handle, &ignored);
    }
    free(sink);
}

static const struct rf_sink_ops simulated_ops = {
        .name = "simulated",
        .publish = simulated_publish,
        .mark = simulated_mark,
        .sync = simulated_sync,
        .settle = simulated_settle,
        .rewind = simulated_rewind,
        .destroy = simulated_destroy,
};

static const struct rf_sink_ops simulated_rejected_ops = {
        .name = "simulated",
        .reject = simulated_reject,
        .mark = simulated_mark,
        .sync = simulated_sync,
        .settle = simulated_settle,
        .rewind = simulated_rewind,
        .destroy = simulated_destroy,
};

// A file made a moment ago is not safe before its folder is.
static enum rf_status open_file(struct simulated_sink *sink, struct rf_error *err) {
    if (rf_disk_simulated_append(sink->disk, sink->path, &sink->handle, &sink->size)) {
        sink->handle = -1;
        return rf_fail(err, RF_IO, "cannot open %s", sink->path);
    }
    char folder[PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", sink->path);
    return sink->size ? RF_OK : rf_disk_sync_folder(sink->disk, dirname(folder), err);
}

enum rf_status simulated_sink_create(struct rf_disk *disk, const char *path, enum simulated_lines lines, uint64_t seed,
                                     const struct simulated_pace *pace, struct rf_sink **sink_out, struct rf_error *err) {
    bool is_rejected = lines == SIMULATED_REJECTED;
    struct simulated_sink *sink = calloc(1, sizeof *sink);
    assert(sink && strlen(path) < PATH_SIZE);
    sink->base.ops = is_rejected ? &simulated_rejected_ops : &simulated_ops;
    sink->disk = disk;
    sink->tells_versions = lines == SIMULATED_VERSIONS;
    sink->handle = -1;
    sink->pace = pace;
    snprintf(sink->path, sizeof sink->path, "%s", path);
    rf_random_init(&sink->random, seed);
    enum rf_status status = open_file(sink, err);
    if (!status && asprintf(&sink->base.label, "%s:%s", is_rejected ? "rejected:file" : "file", path) < 0) {
        sink->base.label = NULL;
        status = rf_fail(err, RF_MEMORY, "a sink does not fit into memory");
    }
    if (status) {
        rf_sink_destroy(&sink->base);
        return status;
    }
    *sink_out = &sink->base;
    return RF_OK;
}
