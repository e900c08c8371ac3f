#include "tests/simulation/kafka_simulated.h"

#include "proto/random.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_MAX = 16, NOTE_SIZE = 128 };

struct partition {
    struct rf_record *records; // [count], bytes owned
    size_t count, capacity;
    int64_t committed; // -1: nothing
};

struct simulated_kafka {
    struct rf_positions positions; // names, for assigning
    struct partition partitions[PARTITIONS_MAX];
    char note[NOTE_SIZE];
    struct rf_random random;
};

struct simulated_source {
    struct rf_source base;
    struct simulated_kafka *kafka;
    bool until_end, is_told;
    const struct rf_positions *assigned; // NULL: not yet
    int64_t next[PARTITIONS_MAX];
};

static const struct rf_source_ops simulated_ops;

static struct simulated_source *simulated_from(struct rf_source *self) {
    assert(self->ops == &simulated_ops);
    return (struct simulated_source *)self;
}

static size_t left_in(const struct simulated_source *source, size_t partition) {
    return source->kafka->partitions[partition].count - (size_t)source->next[partition];
}

// The partition to read: the wanted one, or one by chance among those that have records. -1: none.
static int choose(struct simulated_source *source, const struct rf_poll *want) {
    size_t count = source->kafka->positions.count, ready = 0;
    if (want->has_partition) {
        return left_in(source, want->partition) ? (int)want->partition : -1;
    }
    for (size_t i = 0; i < count; i++) {
        ready += left_in(source, i) > 0;
    }
    uint64_t chosen = ready ? rf_random_below(&source->kafka->random, ready) : 0;
    for (size_t i = 0; i < count; i++) {
        if (left_in(source, i) && chosen-- == 0) {
            return (int)i;
        }
    }
    return -1;
}

static enum rf_status simulated_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                     enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                     struct rf_error *err) {
    (void)err;
    struct simulated_source *source = simulated_from(self);
    if (!source->is_told) {
        source->is_told = true;
        *partitions_out = &source->kafka->positions;
        *event_out = RF_SOURCE_ASSIGNED;
        return RF_OK;
    }
    int partition = source->assigned ? choose(source, want) : -1;
    if (partition < 0) {
        *event_out = source->until_end && source->assigned ? RF_SOURCE_END : RF_SOURCE_IDLE;
        return RF_OK;
    }
    size_t most = left_in(source, (size_t)partition);
    most = most < want->records_max ? most : want->records_max;
    size_t count = want->has_partition ? most : 1 + (size_t)rf_random_below(&source->kafka->random, most);
    for (size_t i = 0; i < count; i++) {
        records->list[i] = source->kafka->partitions[partition].records[source->next[partition]++];
    }
    records->count = count;
    *event_out = RF_SOURCE_RECORDS;
    return RF_OK;
}

static enum rf_status simulated_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    struct simulated_source *source = simulated_from(self);
    for (size_t i = 0; i < positions->count; i++) {
        struct rf_position *position = &positions->list[i];
        if (position->next_offset == RF_OFFSET_NONE) {
            position->next_offset = 0;
        }
        source->next[i] = position->next_offset - (position->fingerprint && position->next_offset > 0);
        if ((size_t)position->next_offset > source->kafka->partitions[i].count) {
            return rf_fail(err, RF_CONFLICT, "offset %lld is beyond the end", (long long)position->next_offset);
        }
    }
    source->assigned = positions;
    return RF_OK;
}

static void simulated_unassign(struct rf_source *self) {
    simulated_from(self)->assigned = NULL;
}

static enum rf_status simulated_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                       struct rf_error *err) {
    (void)err;
    struct simulated_kafka *kafka = simulated_from(self)->kafka;
    for (size_t i = 0; i < positions->count; i++) {
        kafka->partitions[i].committed = positions->list[i].next_offset;
    }
    snprintf(kafka->note, sizeof kafka->note, "%s", note);
    return RF_OK;
}

static enum rf_status simulated_committed(struct rf_source *self, struct rf_positions *positions, char *note_out,
                                          size_t note_size, struct rf_error *err) {
    (void)err;
    const struct simulated_kafka *kafka = simulated_from(self)->kafka;
    for (size_t i = 0; i < positions->count; i++) {
        positions->list[i].next_offset = kafka->partitions[i].committed;
    }
    snprintf(note_out, note_size, "%s", kafka->note);
    return RF_OK;
}

static void simulated_ends(struct rf_source *self, int64_t *end_out) {
    const struct simulated_kafka *kafka = simulated_from(self)->kafka;
    for (size_t i = 0; i < kafka->positions.count; i++) {
        end_out[i] = (int64_t)kafka->partitions[i].count;
    }
}

static void simulated_release(struct rf_source *self, struct rf_records *records) {
    (void)self;
    records->count = 0;
}

static void simulated_destroy(struct rf_source *self) {
    free(self);
}

static const struct rf_source_ops simulated_ops = {
        .name = "simulated",
        .poll = simulated_poll,
        .assign = simulated_assign,
        .unassign = simulated_unassign,
        .commit = simulated_commit,
        .committed = simulated_committed,
        .ends = simulated_ends,
        .release = simulated_release,
        .destroy = simulated_destroy,
};

struct simulated_kafka *simulated_kafka_create(const char *topic, int32_t partitions, uint64_t seed) {
    struct simulated_kafka *kafka = calloc(1, sizeof *kafka);
    assert(kafka && partitions <= PARTITIONS_MAX);
    rf_random_init(&kafka->random, seed);
    rf_positions_init(&kafka->positions);
    for (int32_t i = 0; i < partitions; i++) {
        size_t index;
        enum rf_status status = rf_positions_add(&kafka->positions, topic, i, &index);
        assert(!status);
        (void)status;
        kafka->partitions[i].committed = -1;
    }
    return kafka;
}

void simulated_kafka_destroy(struct simulated_kafka *kafka) {
    for (size_t i = 0; i < kafka->positions.count; i++) {
        for (size_t j = 0; j < kafka->partitions[i].count; j++) {
            free((void *)(uintptr_t)kafka->partitions[i].records[j].value.data);
            free((void *)(uintptr_t)kafka->partitions[i].records[j].key.data);
        }
        free(kafka->partitions[i].records);
    }
    rf_positions_finish(&kafka->positions);
    free(kafka);
}

static struct rf_text copy_of(struct rf_text text) {
    char *copy = text.data ? malloc(text.size + 1) : NULL;
    if (copy) {
        memcpy(copy, text.data, text.size);
    }
    return (struct rf_text){copy, text.size};
}

void simulated_kafka_produce(struct simulated_kafka *kafka, int32_t partition, struct rf_text key, struct rf_text value,
                             int64_t timestamp_ms) {
    struct partition *to = &kafka->partitions[partition];
    if (to->count == to->capacity) {
        to->capacity = to->capacity ? 2 * to->capacity : 64;
        to->records = realloc(to->records, to->capacity * sizeof *to->records);
        assert(to->records);
    }
    to->records[to->count] = (struct rf_record){.value = copy_of(value),
                                                .key = copy_of(key),
                                                .timestamp_ms = timestamp_ms,
                                                .offset = (int64_t)to->count,
                                                .partition = (uint32_t)partition};
    to->count++;
}

int64_t simulated_kafka_committed(const struct simulated_kafka *kafka, int32_t partition) {
    return kafka->partitions[partition].committed;
}

struct rf_source *simulated_kafka_source(struct simulated_kafka *kafka, bool until_end) {
    struct simulated_source *source = calloc(1, sizeof *source);
    assert(source);
    source->base.ops = &simulated_ops;
    source->kafka = kafka;
    source->until_end = until_end;
    return &source->base;
}
