#include "ops/schedule.h"

#include "ops/schedule_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t put_varint(uint8_t *to, uint64_t value) {
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) {
        to[size++] = (uint8_t)(value | 0x80);
    }
    to[size++] = (uint8_t)value;
    return size;
}

static enum rf_status open_schedule(const struct rf_schedule *options, uint32_t line, struct rf_positions *positions,
                                    struct rf_schedule **schedule_out, struct rf_error *err) {
    struct rf_schedule *schedule = calloc(1, sizeof *schedule);
    if (!schedule) {
        return rf_fail(err, RF_MEMORY, "schedule: out of memory");
    }
    *schedule = *options;
    schedule->folder = strdup(options->folder);
    snprintf(schedule->prefix, sizeof schedule->prefix, "schedule-%010" PRIu32 "-", line);
    enum rf_status status =
            schedule->folder ? rf_schedule_read(schedule, positions, err) : rf_fail(err, RF_MEMORY, "schedule: out of memory");
    if (status) {
        rf_schedule_close(schedule);
        return status;
    }
    *schedule_out = schedule;
    return RF_OK;
}

enum rf_status rf_schedule_open(struct rf_disk *disk, const char *folder, uint32_t line, uint64_t records,
                                struct rf_positions *positions, struct rf_schedule **schedule_out, struct rf_error *err) {
    const struct rf_schedule options = {.disk = disk, .folder = (char *)(uintptr_t)folder, .records = records};
    return open_schedule(&options, line, positions, schedule_out, err);
}

enum rf_status rf_schedule_open_to_read(struct rf_disk *disk, const char *folder, uint32_t line, uint64_t records,
                                        struct rf_positions *positions, struct rf_schedule **schedule_out, struct rf_error *err) {
    const struct rf_schedule options = {
            .disk = disk, .folder = (char *)(uintptr_t)folder, .records = records, .only_reads = true};
    return open_schedule(&options, line, positions, schedule_out, err);
}

void rf_schedule_close(struct rf_schedule *schedule) {
    if (!schedule) {
        return;
    }
    if (schedule->is_open) {
        struct rf_error ignored;
        rf_disk_close(schedule->disk, schedule->path, schedule->handle, &ignored);
    }
    free(schedule->unsynced.first);
    free(schedule->marked.first);
    free(schedule->ahead);
    free(schedule->frame);
    free(schedule->folder);
    free(schedule);
}

const struct rf_run *rf_schedule_ahead(const struct rf_schedule *schedule, size_t *count_out) {
    *count_out = schedule->ahead_count;
    return schedule->ahead;
}

// Writing.

static enum rf_status write_frame(struct rf_schedule *schedule, size_t contents, struct rf_error *err) {
    rf_frame_seal(schedule->frame, contents);
    schedule->segment_size += RF_FRAME_HEAD_SIZE + contents;
    return rf_disk_write(schedule->disk, schedule->path, schedule->handle, schedule->frame, RF_FRAME_HEAD_SIZE + contents, err);
}

static enum rf_status need_frame(struct rf_schedule *schedule, size_t contents, struct rf_error *err) {
    size_t wanted = RF_FRAME_HEAD_SIZE + contents;
    if (wanted > schedule->frame_capacity) {
        uint8_t *frame = realloc(schedule->frame, wanted);
        if (!frame) {
            return rf_fail(err, RF_MEMORY, "schedule: out of memory");
        }
        schedule->frame = frame;
        schedule->frame_capacity = wanted;
    }
    return RF_OK;
}

static enum rf_status push_segment(struct rf_segments *segments, uint64_t first, struct rf_error *err) {
    if (segments->count && segments->first[segments->count - 1] == first) {
        return RF_OK;
    }
    if (segments->count == segments->capacity) {
        size_t capacity = segments->capacity ? 2 * segments->capacity : 8;
        uint64_t *grown = realloc(segments->first, capacity * sizeof *grown);
        if (!grown) {
            return rf_fail(err, RF_MEMORY, "schedule: out of memory");
        }
        segments->first = grown;
        segments->capacity = capacity;
    }
    segments->first[segments->count++] = first;
    return RF_OK;
}

static enum rf_status close_segment(struct rf_schedule *schedule, struct rf_error *err) {
    schedule->is_open = false;
    return rf_disk_close(schedule->disk, schedule->path, schedule->handle, err);
}

void rf_schedule_path_of(const struct rf_schedule *schedule, uint64_t first, char path_out[RF_SCHEDULE_PATH_SIZE]) {
    snprintf(path_out, RF_SCHEDULE_PATH_SIZE, "%s/%s%020" PRIu64 ".log", schedule->folder, schedule->prefix, first);
}

static enum rf_status open_segment(struct rf_schedule *schedule, struct rf_error *err) {
    rf_schedule_path_of(schedule, schedule->records, schedule->path);
    enum rf_status status = rf_disk_create(schedule->disk, schedule->path, &schedule->handle, err);
    if (status) {
        return status;
    }
    schedule->is_open = true;
    schedule->segment_first = schedule->records;
    schedule->segment_size = RF_SCHEDULE_MAGIC_SIZE;
    schedule->named = 0;
    return rf_disk_write(schedule->disk, schedule->path, schedule->handle, rf_schedule_magic, RF_SCHEDULE_MAGIC_SIZE, err);
}

static enum rf_status name_partitions(struct rf_schedule *schedule, const struct rf_positions *positions, struct rf_error *err) {
    for (; schedule->named < positions->count; schedule->named++) {
        const struct rf_position *position = &positions->list[schedule->named];
        size_t topic = strlen(position->topic);
        enum rf_status status = need_frame(schedule, 1 + 2 * RF_SCHEDULE_VARINT_MAX + topic, err);
        if (status) {
            return status;
        }
        uint8_t *contents = schedule->frame + RF_FRAME_HEAD_SIZE;
        size_t size = 0;
        contents[size++] = 'T';
        size += put_varint(contents + size, schedule->named);
        size += put_varint(contents + size, (uint64_t)position->partition);
        memcpy(contents + size, position->topic, topic);
        status = write_frame(schedule, size + topic, err);
        if (status) {
            return status;
        }
    }
    return RF_OK;
}

static enum rf_status write_runs(struct rf_schedule *schedule, const struct rf_positions *positions, const struct rf_run *runs,
                                 size_t count, struct rf_error *err) {
    enum rf_status status = RF_OK;
    if (schedule->is_open && schedule->segment_size > RF_SCHEDULE_SEGMENT_MAX) {
        status = close_segment(schedule, err);
    }
    if (!status && !schedule->is_open) {
        status = open_segment(schedule, err);
    }
    if (!status) {
        status = push_segment(&schedule->unsynced, schedule->segment_first, err);
    }
    if (!status) {
        status = name_partitions(schedule, positions, err);
    }
    if (!status) {
        status = need_frame(schedule, 1 + count * 2 * RF_SCHEDULE_VARINT_MAX, err);
    }
    if (status) {
        return status;
    }
    uint8_t *contents = schedule->frame + RF_FRAME_HEAD_SIZE;
    size_t size = 0;
    contents[size++] = 'R';
    for (size_t i = 0; i < count; i++) {
        size += put_varint(contents + size, runs[i].partition);
        size += put_varint(contents + size, runs[i].count);
    }
    return write_frame(schedule, size, err);
}

// Passes over what the record foresaw. *rest_out is what remains of the run.
static enum rf_status follow(struct rf_schedule *schedule, const struct rf_run *run, uint64_t *rest_out, struct rf_error *err) {
    uint64_t rest = run->count;
    while (rest && schedule->ahead_index < schedule->ahead_count) {
        const struct rf_run *ahead = &schedule->ahead[schedule->ahead_index];
        if (ahead->partition != run->partition) {
            return rf_fail(err, RF_CONFLICT,
                           "record %" PRIu64 " was folded from partition %u, but the schedule foresaw partition %u",
                           schedule->records, run->partition, ahead->partition);
        }
        uint64_t left = ahead->count - schedule->ahead_done;
        uint64_t taken = rest < left ? rest : left;
        rest -= taken;
        schedule->records += taken;
        schedule->ahead_records -= taken;
        schedule->ahead_done += taken;
        if (schedule->ahead_done == ahead->count) {
            schedule->ahead_index++;
            schedule->ahead_done = 0;
        }
    }
    *rest_out = rest;
    return RF_OK;
}

enum rf_status rf_schedule_append(struct rf_schedule *schedule, const struct rf_positions *positions, const struct rf_run *runs,
                                  size_t count, struct rf_error *err) {
    size_t first = 0;
    uint64_t rest = 0;
    while (first < count && !rest && schedule->ahead_index < schedule->ahead_count) {
        enum rf_status status = follow(schedule, &runs[first], &rest, err);
        if (status) {
            return status;
        }
        first += !rest;
    }
    enum rf_status status = RF_OK;
    if (rest) { // the record ended within this run
        struct rf_run run = {runs[first].partition, rest};
        status = write_runs(schedule, positions, &run, 1, err);
        schedule->records += rest;
        first++;
    }
    if (!status && first < count) {
        status = write_runs(schedule, positions, runs + first, count - first, err);
        for (size_t i = first; i < count; i++) {
            schedule->records += runs[i].count;
        }
    }
    return status;
}

enum rf_status rf_schedule_mark(struct rf_schedule *schedule, struct rf_error *err) {
    for (size_t i = 0; i < schedule->unsynced.count; i++) {
        enum rf_status status = push_segment(&schedule->marked, schedule->unsynced.first[i], err);
        if (status) {
            return status;
        }
    }
    schedule->unsynced.count = 0;
    return RF_OK;
}

// By their paths, as the fold may close the one it is writing meanwhile.
enum rf_status rf_schedule_sync_marked(struct rf_schedule *schedule, struct rf_error *err) {
    struct rf_segments *marked = &schedule->marked;
    if (!marked->count) {
        return RF_OK;
    }
    for (size_t i = 0; i < marked->count; i++) {
        char path[RF_SCHEDULE_PATH_SIZE];
        rf_schedule_path_of(schedule, marked->first[i], path);
        enum rf_status status = rf_disk_sync_path(schedule->disk, path, err);
        if (status) {
            return status;
        }
    }
    enum rf_status status = rf_disk_sync_folder(schedule->disk, schedule->folder, err);
    marked->count = status ? marked->count : 0;
    return status;
}

uint64_t rf_schedule_records(const struct rf_schedule *schedule) {
    return schedule->records;
}

size_t rf_schedule_retracted(const struct rf_schedule *schedule) {
    return schedule->retracted;
}

bool rf_schedule_is_torn(const struct rf_schedule *schedule) {
    return schedule->is_torn;
}
