// Reads segments of a schedule: whatever tears at their end, what comes out is what was promised.
#include "ops/schedule_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    char topic[RF_SCHEDULE_PATH_SIZE];
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
    if (size < RF_SCHEDULE_MAGIC_SIZE || memcmp(data, rf_schedule_magic, RF_SCHEDULE_MAGIC_SIZE) != 0) {
        return RF_CORRUPT;
    }
    for (size_t at = RF_SCHEDULE_MAGIC_SIZE; size - at >= RF_FRAME_HEAD_SIZE;) {
        size_t contents;
        if (rf_frame_look(data + at, size - at, RF_SCHEDULE_FRAME_MAX, &contents) != RF_FRAME_WHOLE) {
            reader->schedule->is_torn = true;
            return RF_OK;
        }
        const uint8_t *frame = data + at + RF_FRAME_HEAD_SIZE;
        enum rf_status status = *frame == 'T'   ? take_name(reader, frame, contents)
                                : *frame == 'R' ? take_runs(reader, frame, contents)
                                                : RF_CORRUPT;
        if (status) {
            return status;
        }
        at += RF_FRAME_HEAD_SIZE + contents;
    }
    return RF_OK;
}

static enum rf_status read_segment(struct rf_schedule *schedule, const char *name, uint64_t first, struct rf_positions *positions,
                                   struct rf_error *err) {
    char path[RF_SCHEDULE_PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", schedule->folder, name);
    const uint8_t *data;
    size_t size;
    enum rf_status status = rf_disk_read(schedule->disk, path, &data, &size, err);
    if (status) {
        return status;
    }
    struct segment_reader reader = {.schedule = schedule, .positions = positions, .record = first};
    if (size >= RF_SCHEDULE_MAGIC_SIZE) { // shorter: a crash between making the file and its first write
        status = take_segment(&reader, data, size);
        if (status) {
            rf_fail(err, status, "schedule %s is damaged at record %" PRIu64, path, reader.record);
        }
    }
    free(reader.index);
    rf_disk_forget(schedule->disk, data, size);
    // What is followed must not be taken by a cut of power later, from under a snapshot that covers it.
    return status || schedule->only_reads ? status : rf_disk_sync_path(schedule->disk, path, err);
}

static bool first_of(const struct rf_schedule *schedule, const char *name, uint64_t *first_out) {
    char *end;
    *first_out = strtoull(name + strlen(schedule->prefix), &end, 10);
    return strcmp(end, ".log") == 0;
}

// Segments join: each begins where the one before it ended. Where one does not, a cut of power took what stood between, and
// with it the promise of what follows: those are removed, and the order is free again from there.
static enum rf_status retract(struct rf_schedule *schedule, char *const *names, size_t count, struct rf_error *err) {
    enum rf_status status = RF_OK;
    schedule->retracted = count;
    if (schedule->only_reads) {
        return RF_OK;
    }
    for (size_t i = 0; i < count && !status; i++) {
        char path[RF_SCHEDULE_PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", schedule->folder, names[i]);
        status = rf_disk_remove(schedule->disk, path, err);
    }
    return status ? status : rf_disk_sync_folder(schedule->disk, schedule->folder, err);
}

static enum rf_status read_all(struct rf_schedule *schedule, char *const *names, size_t count, struct rf_positions *positions,
                               struct rf_error *err) {
    for (size_t i = 0; i < count; i++) {
        uint64_t first, next;
        bool is_past = i + 1 < count && first_of(schedule, names[i + 1], &next) && next <= schedule->records;
        if (!first_of(schedule, names[i], &first) || is_past) {
            continue;
        }
        if (first > schedule->records && first != schedule->records + schedule->ahead_records) {
            return retract(schedule, names + i, count - i, err);
        }
        enum rf_status status = read_segment(schedule, names[i], first, positions, err);
        if (status == RF_CORRUPT && schedule->only_reads) { // what stands before the damage is as good as ever
            schedule->is_torn = true;
            return RF_OK;
        }
        if (status) {
            return status;
        }
    }
    return schedule->only_reads ? RF_OK : rf_disk_sync_folder(schedule->disk, schedule->folder, err);
}

enum rf_status rf_schedule_read(struct rf_schedule *schedule, struct rf_positions *positions, struct rf_error *err) {
    char **names;
    size_t count;
    enum rf_status status = rf_disk_list(schedule->disk, schedule->folder, schedule->prefix, ".log", &names, &count, err);
    if (status) {
        return status;
    }
    status = read_all(schedule, names, count, positions, err);
    rf_disk_names_destroy(names, count);
    return status;
}
