#include "ops/schedule.h"

#include "proto/hash.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAGIC_SIZE = 8,
    FRAME_HEAD_SIZE = 8,
    FRAME_MAX = 1 << 20,        // bytes of contents
    SEGMENT_SIZE_MAX = 1 << 20, // a new segment is begun beyond
    VARINT_MAX = 10,
    PATH_SIZE = 4352,
};
static const uint8_t magic[MAGIC_SIZE] = {'R', 'I', 'F', 'F', 'S', 'C', 'H', 1};

struct rf_schedule {
    struct rf_disk *disk;
    char *folder;
    uint64_t records; // folded

    // What is recorded beyond `records`: runs [ahead_index, ahead_count), the first of them `ahead_done` records in.
    struct rf_run *ahead;
    size_t ahead_count, ahead_capacity, ahead_index;
    uint64_t ahead_done, ahead_records;

    // The segment being written.
    bool is_open;
    int handle;
    char path[PATH_SIZE];
    uint64_t segment_size;
    size_t named; // partitions [0, named) have been named in it
    bool is_dirty;

    uint8_t *frame; // [frame_capacity]
    size_t frame_capacity;
};

static uint32_t checksum(const uint8_t *data, size_t size) {
    return (uint32_t)rf_hash((struct rf_hash_key){0, 0}, data, size);
}

static size_t put_varint(uint8_t *to, uint64_t value) {
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) {
        to[size++] = (uint8_t)(value | 0x80);
    }
    to[size++] = (uint8_t)value;
    return size;
}

// Moves *at behind the number; false when there is none.
static bool get_varint(const uint8_t *data, size_t size, size_t *at, uint64_t *value_out) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && *at < size; shift += 7) {
        uint8_t byte = data[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *value_out = value;
            return true;
        }
    }
    return false;
}

// Reading.

struct segment_reader {
    struct rf_schedule *schedule;
    struct rf_positions *positions;
    uint64_t record; // number of the next record it tells of
    size_t *index;   // [index_count] of the segment's names in `positions`
    size_t index_count;
};

static enum rf_status take_name(struct segment_reader *reader, const uint8_t *data, size_t size) {
    uint64_t index, partition;
    size_t at = 1;
    char topic[PATH_SIZE];
    if (!get_varint(data, size, &at, &index) || !get_varint(data, size, &at, &partition) || index != reader->index_count ||
        partition > INT32_MAX || size - at >= sizeof topic) {
        return RF_CORRUPT;
    }
    memcpy(topic, data + at, size - at);
    topic[size - at] = '\0';
    size_t *indices = realloc(reader->index, (reader->index_count + 1) * sizeof *indices);
    if (!indices) {
        return RF_MEMORY;
    }
    reader->index = indices;
    enum rf_status status = rf_positions_add(reader->positions, topic, (int32_t)partition, &reader->index[reader->index_count]);
    reader->index_count += status == RF_OK;
    return status;
}

static enum rf_status push_ahead(struct rf_schedule *schedule, uint32_t partition, uint64_t count) {
    if (schedule->ahead_count && schedule->ahead[schedule->ahead_count - 1].partition == partition) {
        schedule->ahead[schedule->ahead_count - 1].count += count;
    } else {
        if (schedule->ahead_count == schedule->ahead_capacity) {
            size_t capacity = schedule->ahead_capacity ? 2 * schedule->ahead_capacity : 64;
            struct rf_run *ahead = realloc(schedule->ahead, capacity * sizeof *ahead);
            if (!ahead) {
                return RF_MEMORY;
            }
            schedule->ahead = ahead;
            schedule->ahead_capacity = capacity;
        }
        schedule->ahead[schedule->ahead_count++] = (struct rf_run){partition, count};
    }
    schedule->ahead_records += count;
    return RF_OK;
}

static enum rf_status take_runs(struct segment_reader *reader, const uint8_t *data, size_t size) {
    for (size_t at = 1; at < size;) {
        uint64_t index, count;
        if (!get_varint(data, size, &at, &index) || !get_varint(data, size, &at, &count) || index >= reader->index_count ||
            !count || count > UINT64_MAX - reader->record) {
            return RF_CORRUPT;
        }
        uint64_t end = reader->record + count;
        if (end > reader->schedule->records) {
            uint64_t from = reader->record > reader->schedule->records ? reader->record : reader->schedule->records;
            enum rf_status status = push_ahead(reader->schedule, (uint32_t)reader->index[index], end - from);
            if (status) {
                return status;
            }
        }
        reader->record = end;
    }
    return RF_OK;
}

// Takes frames until one does not verify.
static enum rf_status take_segment(struct segment_reader *reader, const uint8_t *data, size_t size) {
    if (size < MAGIC_SIZE || memcmp(data, magic, MAGIC_SIZE) != 0) {
        return RF_CORRUPT;
    }
    for (size_t at = MAGIC_SIZE; size - at >= FRAME_HEAD_SIZE;) {
        uint32_t contents, sum;
        memcpy(&contents, data + at, 4);
        memcpy(&sum, data + at + 4, 4);
        const uint8_t *frame = data + at + FRAME_HEAD_SIZE;
        if (!contents || contents > FRAME_MAX || contents > size - at - FRAME_HEAD_SIZE || checksum(frame, contents) != sum) {
            return RF_OK;
        }
        enum rf_status status = *frame == 'T'   ? take_name(reader, frame, contents)
                                : *frame == 'R' ? take_runs(reader, frame, contents)
                                                : RF_CORRUPT;
        if (status) {
            return status;
        }
        at += FRAME_HEAD_SIZE + contents;
    }
    return RF_OK;
}

static enum rf_status read_segment(struct rf_schedule *schedule, const char *name, uint64_t first, struct rf_positions *positions,
                                   struct rf_error *err) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", schedule->folder, name);
    const uint8_t *data;
    size_t size;
    enum rf_status status = rf_disk_read(schedule->disk, path, &data, &size, err);
    if (status) {
        return status;
    }
    // A segment begins where the one before ended; where a torn tail was recorded anew, the newer one holds.
    uint64_t end = schedule->records + schedule->ahead_records;
    if (first > end && schedule->ahead_records) {
        status = rf_fail(err, RF_CONFLICT, "schedule %s begins at record %" PRIu64 ", but the one before it ends at %" PRIu64,
                         path, first, end);
    }
    struct segment_reader reader = {.schedule = schedule, .positions = positions, .record = first};
    if (!status && size >= MAGIC_SIZE) { // shorter: a crash between making the file and its first write
        status = take_segment(&reader, data, size);
        if (status) {
            rf_fail(err, status, "schedule %s is damaged at record %" PRIu64, path, reader.record);
        }
    }
    free(reader.index);
    rf_disk_forget(schedule->disk, data, size);
    return status;
}

static bool first_of(const char *name, uint64_t *first_out) {
    char *end;
    *first_out = strtoull(name + strlen("schedule-"), &end, 10);
    return strcmp(end, ".log") == 0;
}

static enum rf_status read_all(struct rf_schedule *schedule, struct rf_positions *positions, struct rf_error *err) {
    char **names;
    size_t count;
    enum rf_status status = rf_disk_list(schedule->disk, schedule->folder, "schedule-", ".log", &names, &count, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < count && !status; i++) {
        uint64_t first, next;
        bool is_past = i + 1 < count && first_of(names[i + 1], &next) && next <= schedule->records;
        if (first_of(names[i], &first) && !is_past) {
            status = read_segment(schedule, names[i], first, positions, err);
        }
    }
    rf_disk_names_destroy(names, count);
    return status;
}

enum rf_status rf_schedule_open(struct rf_disk *disk, const char *folder, uint64_t records, struct rf_positions *positions,
                                struct rf_schedule **schedule_out, struct rf_error *err) {
    struct rf_schedule *schedule = calloc(1, sizeof *schedule);
    if (!schedule) {
        return rf_fail(err, RF_MEMORY, "schedule: out of memory");
    }
    schedule->disk = disk;
    schedule->records = records;
    schedule->folder = strdup(folder);
    enum rf_status status =
            schedule->folder ? read_all(schedule, positions, err) : rf_fail(err, RF_MEMORY, "schedule: out of memory");
    if (status) {
        rf_schedule_close(schedule);
        return status;
    }
    *schedule_out = schedule;
    return RF_OK;
}

void rf_schedule_close(struct rf_schedule *schedule) {
    if (!schedule) {
        return;
    }
    if (schedule->is_open) {
        struct rf_error ignored;
        rf_disk_close(schedule->disk, schedule->path, schedule->handle, &ignored);
    }
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
    uint32_t size = (uint32_t)contents, sum = checksum(schedule->frame + FRAME_HEAD_SIZE, contents);
    memcpy(schedule->frame, &size, 4);
    memcpy(schedule->frame + 4, &sum, 4);
    schedule->is_dirty = true;
    schedule->segment_size += FRAME_HEAD_SIZE + contents;
    return rf_disk_write(schedule->disk, schedule->path, schedule->handle, schedule->frame, FRAME_HEAD_SIZE + contents, err);
}

static enum rf_status need_frame(struct rf_schedule *schedule, size_t contents, struct rf_error *err) {
    size_t wanted = FRAME_HEAD_SIZE + contents;
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

static enum rf_status close_segment(struct rf_schedule *schedule, struct rf_error *err) {
    enum rf_status status = rf_schedule_sync(schedule, err);
    if (!status) {
        schedule->is_open = false;
        status = rf_disk_close(schedule->disk, schedule->path, schedule->handle, err);
    }
    return status;
}

static enum rf_status open_segment(struct rf_schedule *schedule, struct rf_error *err) {
    snprintf(schedule->path, sizeof schedule->path, "%s/schedule-%020" PRIu64 ".log", schedule->folder, schedule->records);
    enum rf_status status = rf_disk_open(schedule->disk, schedule->path, RF_DISK_CREATE, &schedule->handle, err);
    if (status) {
        return status;
    }
    schedule->is_open = true;
    schedule->is_dirty = true;
    schedule->segment_size = MAGIC_SIZE;
    schedule->named = 0;
    return rf_disk_write(schedule->disk, schedule->path, schedule->handle, magic, MAGIC_SIZE, err);
}

static enum rf_status name_partitions(struct rf_schedule *schedule, const struct rf_positions *positions, struct rf_error *err) {
    for (; schedule->named < positions->count; schedule->named++) {
        const struct rf_position *position = &positions->list[schedule->named];
        size_t topic = strlen(position->topic);
        enum rf_status status = need_frame(schedule, 1 + 2 * VARINT_MAX + topic, err);
        if (status) {
            return status;
        }
        uint8_t *contents = schedule->frame + FRAME_HEAD_SIZE;
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
    if (schedule->is_open && schedule->segment_size > SEGMENT_SIZE_MAX) {
        status = close_segment(schedule, err);
    }
    if (!status && !schedule->is_open) {
        status = open_segment(schedule, err);
    }
    if (!status) {
        status = name_partitions(schedule, positions, err);
    }
    if (!status) {
        status = need_frame(schedule, 1 + count * 2 * VARINT_MAX, err);
    }
    if (status) {
        return status;
    }
    uint8_t *contents = schedule->frame + FRAME_HEAD_SIZE;
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

enum rf_status rf_schedule_sync(struct rf_schedule *schedule, struct rf_error *err) {
    if (!schedule->is_open || !schedule->is_dirty) {
        return RF_OK;
    }
    enum rf_status status = rf_disk_sync(schedule->disk, schedule->path, schedule->handle, err);
    if (!status) {
        status = rf_disk_sync_folder(schedule->disk, schedule->folder, err);
    }
    schedule->is_dirty = status != RF_OK;
    return status;
}

uint64_t rf_schedule_records(const struct rf_schedule *schedule) {
    return schedule->records;
}
