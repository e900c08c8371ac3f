#include "tests/simulation/outputs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_MAX = 16, LINE_SIZE = 128 };

// How often each offset stands in a file.
struct times {
    uint8_t of[PARTITIONS_MAX][STREAM_MAX];
    int64_t first[PARTITIONS_MAX], end[PARTITIONS_MAX];
    bool is_torn; // the last line has no end
};

static void take_line(const struct world *world, const char *path, const char *line, struct times *times) {
    char topic[LINE_SIZE];
    int32_t partition;
    int64_t offset;
    size_t index = 0;
    if (sscanf(line, "%63s %" SCNd32 " %" SCNd64, topic, &partition, &offset) != 3 ||
        !simulated_kafka_find(world->kafka, topic, partition, &index) || !simulated_kafka_record(world->kafka, index, offset)) {
        fail_msg("%s has the line \"%s\", which names no record", path, line);
    }
    times->of[index][offset]++;
    times->first[index] = times->first[index] < 0 || offset < times->first[index] ? offset : times->first[index];
    times->end[index] = offset >= times->end[index] ? offset + 1 : times->end[index];
}

static struct times *count_times(const struct world *world, const char *path) {
    struct times *times = calloc(1, sizeof *times);
    assert_non_null(times);
    memset(times->first, -1, sizeof times->first);
    memset(times->end, -1, sizeof times->end);
    const char *data;
    size_t size;
    if (!rf_disk_simulated_peek(world->disk, path, &data, &size)) {
        return times;
    }
    for (size_t at = 0; at < size && !times->is_torn;) {
        const char *end = memchr(data + at, '\n', size - at);
        times->is_torn = !end;
        if (end) {
            char line[LINE_SIZE];
            snprintf(line, sizeof line, "%.*s", (int)(end - (data + at)), data + at);
            take_line(world, path, line, times);
            at = (size_t)(end - data) + 1;
        }
    }
    return times;
}

// A payment is a JSON object; what is none was rejected.
static bool belongs(const struct rf_record *record, const char *path) {
    return (record->value.data[0] == '{') == (strcmp(path, REJECTED_FILE) != 0);
}

void assert_output_once(const struct world *world, const char *path, const int64_t *from) {
    struct times *times = count_times(world, path);
    if (times->is_torn) {
        fail_msg("%s ends within a line", path);
    }
    for (size_t i = 0; i < simulated_kafka_count(world->kafka); i++) {
        const struct rf_position *name = simulated_kafka_partition(world->kafka, i);
        for (int64_t offset = 0; offset < simulated_kafka_end(world->kafka, i); offset++) {
            bool is_due = offset >= (from ? from[i] : 0) && belongs(simulated_kafka_record(world->kafka, i, offset), path);
            if (times->of[i][offset] != is_due) {
                fail_msg("%s: offset %" PRId64 " of %s [%" PRId32 "] stands %u times, must stand %d times", path, offset,
                         name->topic, name->partition, times->of[i][offset], is_due);
            }
        }
    }
    free(times);
}

static const char *path_of(const struct world *world, size_t index) {
    return index < SINKS_MAX ? world->sinks[index] : REJECTED_FILE;
}

void assert_outputs_once(const struct world *world, const int64_t *from) {
    for (size_t i = 0; i <= SINKS_MAX; i++) {
        if (path_of(world, i)) {
            assert_output_once(world, path_of(world, i), from);
        }
    }
}

void assert_outputs_not_twice(const struct world *world) {
    for (size_t i = 0; i <= SINKS_MAX; i++) {
        const char *path = path_of(world, i);
        struct times *times = path ? count_times(world, path) : NULL;
        for (size_t j = 0; times && j < PARTITIONS_MAX; j++) {
            for (int64_t offset = 0; offset < times->end[j]; offset++) {
                if (times->of[j][offset] > 1) {
                    fail_msg("%s: offset %" PRId64 " of partition %zu stands %u times", path, offset, j, times->of[j][offset]);
                }
            }
        }
        free(times);
    }
}

void find_in_output(const struct world *world, const char *path, size_t partition, int64_t *first_out, int64_t *end_out) {
    struct times *times = count_times(world, path);
    *first_out = times->first[partition];
    *end_out = times->end[partition];
    free(times);
}

void copy_outputs(const struct world *world, struct outputs *outputs_out) {
    *outputs_out = (struct outputs){0};
    for (size_t i = 0; i <= SINKS_MAX; i++) {
        const char *data;
        if (path_of(world, i) && rf_disk_simulated_peek(world->disk, path_of(world, i), &data, &outputs_out->size[i])) {
            outputs_out->data[i] = malloc(outputs_out->size[i] + 1);
            assert_non_null(outputs_out->data[i]);
            memcpy(outputs_out->data[i], data ? data : "", outputs_out->size[i]);
        }
    }
}

void free_outputs(struct outputs *outputs) {
    for (size_t i = 0; i <= SINKS_MAX; i++) {
        free(outputs->data[i]);
    }
    *outputs = (struct outputs){0};
}

void assert_outputs_untouched(const struct world *world, struct outputs *outputs) {
    struct outputs now;
    copy_outputs(world, &now);
    for (size_t i = 0; i <= SINKS_MAX; i++) {
        size_t size = outputs->size[i];
        if (now.size[i] != size || (size && memcmp(now.data[i], outputs->data[i], size) != 0)) {
            fail_msg("%s had %zu bytes, has %zu bytes or others now", path_of(world, i), size, now.size[i]);
        }
    }
    free_outputs(&now);
    free_outputs(outputs);
}
