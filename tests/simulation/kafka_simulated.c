#include "tests/simulation/kafka_simulated.h"

#include "tests/simulation/reading_simulated.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_MAX = 16, NOTE_SIZE = 128, NOT_READ = PARTITIONS_MAX };

struct partition {
    struct simulated_log log;
    int64_t committed; // -1: nothing
    bool is_named;
    uint64_t hidden; // so many times it is asked for in vain
};

struct simulated_kafka {
    struct rf_positions names; // of the partitions
    struct partition partitions[PARTITIONS_MAX];
    enum rf_start start;
    char note[NOTE_SIZE];
    struct rf_random random;
    uint64_t away;                         // calls
    uint64_t repeat_one_in, silent_one_in; // 0: never
};

struct simulated_source {
    struct rf_source base;
    struct simulated_kafka *kafka;
    const char *topic; // NULL: all that are named
    bool until_end, is_told;
    struct rf_positions offered;
    struct simulated_reading reading; // of no positions: not yet
};

static const struct rf_source_ops simulated_ops;

static struct simulated_source *simulated_from(struct rf_source *self) {
    assert(self->ops == &simulated_ops);
    return (struct simulated_source *)self;
}

bool simulated_kafka_find(const struct simulated_kafka *kafka, const char *topic, int32_t partition, size_t *index_out) {
    const struct rf_position *found = rf_positions_find(&kafka->names, topic, partition);
    *index_out = found ? (size_t)(found - kafka->names.list) : 0;
    return found != NULL;
}

// The partition that a source reads for a position, or NOT_READ.
static size_t partition_of(const struct simulated_kafka *kafka, const struct rf_position *position) {
    size_t index;
    bool is_there = simulated_kafka_find(kafka, position->topic, position->partition, &index);
    return is_there && kafka->partitions[index].is_named ? index : NOT_READ;
}

static bool reads(const struct simulated_source *source, size_t index) {
    return source->kafka->partitions[index].is_named &&
           (!source->topic || strcmp(source->topic, source->kafka->names.list[index].topic) == 0);
}

// The same for this source.
static size_t read_for(const struct simulated_source *source, const struct rf_position *position) {
    size_t index = partition_of(source->kafka, position);
    return index != NOT_READ && reads(source, index) ? index : NOT_READ;
}

static bool happens(struct simulated_kafka *kafka, uint64_t one_in) {
    return one_in && rf_random_below(&kafka->random, one_in) == 0;
}

// RF_IO while the brokers are away.
static enum rf_status reach(struct simulated_source *source, struct rf_error *err) {
    struct simulated_kafka *kafka = source->kafka;
    source->base.is_temporary = kafka->away > 0;
    if (kafka->away > 0) {
        kafka->away--;
        return rf_fail(err, RF_IO, "all brokers are away");
    }
    return RF_OK;
}

static enum rf_status offer(struct simulated_source *source, enum rf_source_event *event_out,
                            const struct rf_positions **partitions_out) {
    const struct simulated_kafka *kafka = source->kafka;
    source->is_told = true;
    for (size_t i = 0; i < kafka->names.count; i++) {
        size_t index;
        if (reads(source, i) &&
            rf_positions_add(&source->offered, kafka->names.list[i].topic, kafka->names.list[i].partition, &index)) {
            abort();
        }
    }
    *partitions_out = &source->offered;
    *event_out = RF_SOURCE_ASSIGNED;
    return RF_OK;
}

static enum rf_status simulated_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                     enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                     struct rf_error *err) {
    struct simulated_source *source = simulated_from(self);
    struct simulated_kafka *kafka = source->kafka;
    struct simulated_reading *reading = &source->reading;
    enum rf_status status = reach(source, err);
    if (status) {
        return status;
    }
    if (!source->is_told) {
        return offer(source, event_out, partitions_out);
    }
    if (want->has_partition && reading->count > 0 && !reading->places[want->partition].log) {
        return rf_fail(err, RF_CONFLICT, "partition %u is wanted, but its topic is not named", (unsigned)want->partition);
    }
    if (source->until_end && reading->count > 0 && simulated_reading_is_dry(reading, want)) {
        *event_out = RF_SOURCE_END;
        return RF_OK;
    }
    return simulated_reading_poll(reading, &kafka->random, kafka->repeat_one_in, want, records, event_out, err);
}

static enum rf_status simulated_look(struct rf_source *self, const struct rf_positions *positions,
                                     struct rf_holding *holdings_out, struct rf_error *err) {
    (void)err;
    const struct simulated_source *source = simulated_from(self);
    for (size_t i = 0; i < positions->count; i++) {
        size_t index = read_for(source, &positions->list[i]);
        if (index != NOT_READ && positions->list[i].next_offset >= 0) {
            holdings_out[i] = simulated_log_look(&source->kafka->partitions[index].log, positions->list[i].next_offset);
        }
    }
    return RF_OK;
}

static enum rf_status simulated_refresh(struct rf_source *self, struct rf_error *err) {
    (void)err;
    struct simulated_source *source = simulated_from(self);
    size_t named = 0;
    for (size_t i = 0; i < source->kafka->names.count; i++) {
        struct partition *partition = &source->kafka->partitions[i];
        if (partition->hidden > 0 && --partition->hidden == 0) {
            partition->is_named = true;
        }
        named += reads(source, i);
    }
    source->is_told &= source->until_end || named <= source->offered.count;
    return RF_OK;
}

static enum rf_status simulated_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    struct simulated_source *source = simulated_from(self);
    enum rf_status reached = reach(source, err);
    if (reached) {
        return reached;
    }
    int64_t known[PARTITIONS_MAX], next[PARTITIONS_MAX];
    assert(positions->count <= PARTITIONS_MAX);
    for (size_t i = 0; i < positions->count; i++) {
        const struct rf_position *position = &positions->list[i];
        size_t partition = read_for(source, position);
        known[i] = next[i] = position->next_offset;
        enum rf_status status = partition == NOT_READ ? RF_OK
                                                      : simulated_log_start(&source->kafka->partitions[partition].log, position,
                                                                            source->kafka->start, &known[i], &next[i], err);
        if (status) {
            return status;
        }
    }
    simulated_reading_resize(&source->reading, positions->count);
    for (size_t i = 0; i < positions->count; i++) {
        size_t partition = read_for(source, &positions->list[i]);
        positions->list[i].next_offset = known[i];
        source->reading.places[i].next = next[i];
        if (partition != NOT_READ) {
            simulated_reading_begin(&source->reading, i, &source->kafka->partitions[partition].log, next[i]);
        }
    }
    return RF_OK;
}

static void simulated_unassign(struct rf_source *self) {
    simulated_reading_finish(&simulated_from(self)->reading);
    simulated_from(self)->is_told = false;
}

static enum rf_status simulated_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                       struct rf_error *err) {
    struct simulated_kafka *kafka = simulated_from(self)->kafka;
    enum rf_status status = reach(simulated_from(self), err);
    bool is_silent = !status && happens(kafka, kafka->silent_one_in);
    if (is_silent) {
        self->is_temporary = true;
        rf_fail(err, RF_IO, "no answer to a commit");
    }
    if (status || (is_silent && rf_random_below(&kafka->random, 2))) { // it was not made
        return err->status;
    }
    for (size_t i = 0; i < positions->count; i++) {
        size_t partition = read_for(simulated_from(self), &positions->list[i]);
        if (partition != NOT_READ) {
            kafka->partitions[partition].committed = positions->list[i].next_offset;
        }
    }
    snprintf(kafka->note, sizeof kafka->note, "%s", note);
    return is_silent ? err->status : RF_OK;
}

static enum rf_status simulated_committed(struct rf_source *self, struct rf_positions *positions, char *note_out,
                                          size_t note_size, struct rf_error *err) {
    const struct simulated_kafka *kafka = simulated_from(self)->kafka;
    enum rf_status status = reach(simulated_from(self), err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < positions->count; i++) {
        size_t partition = read_for(simulated_from(self), &positions->list[i]);
        positions->list[i].next_offset = partition == NOT_READ ? RF_OFFSET_NONE : kafka->partitions[partition].committed;
    }
    snprintf(note_out, note_size, "%s", kafka->note);
    return RF_OK;
}

static void simulated_ends(struct rf_source *self, int64_t *end_out) {
    const struct simulated_source *source = simulated_from(self);
    for (size_t i = 0; i < source->reading.count; i++) {
        const struct simulated_place *place = &source->reading.places[i];
        end_out[i] = !place->log ? place->next : source->kafka->away > 0 ? -1 : (int64_t)place->log->count;
    }
}

static enum rf_status simulated_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms,
                                      int64_t *offset_out, struct rf_error *err) {
    const struct simulated_source *source = simulated_from(self);
    for (size_t i = 0; i < positions->count; i++) {
        size_t index = read_for(source, &positions->list[i]);
        if (index == NOT_READ) {
            return rf_fail(err, RF_NOT_FOUND, "%s: unknown topic or partition", positions->list[i].topic);
        }
        offset_out[i] = simulated_log_time(&source->kafka->partitions[index].log, time_ms);
    }
    return RF_OK;
}

static void simulated_release(struct rf_source *self, struct rf_records *records) {
    (void)self;
    records->count = 0;
}

static void simulated_destroy(struct rf_source *self) {
    rf_positions_finish(&simulated_from(self)->offered);
    simulated_reading_finish(&simulated_from(self)->reading);
    free(self);
}

static const struct rf_source_ops simulated_ops = {
        .name = "simulated",
        .poll = simulated_poll,
        .look = simulated_look,
        .refresh = simulated_refresh,
        .assign = simulated_assign,
        .unassign = simulated_unassign,
        .commit = simulated_commit,
        .committed = simulated_committed,
        .ends = simulated_ends,
        .times = simulated_times,
        .release = simulated_release,
        .destroy = simulated_destroy,
};

void simulated_kafka_add(struct simulated_kafka *kafka, const char *topic, int32_t partition) {
    size_t index;
    if (rf_positions_add(&kafka->names, topic, partition, &index)) {
        abort();
    }
    assert(index + 1 == kafka->names.count && index < PARTITIONS_MAX);
    kafka->partitions[index] = (struct partition){.committed = -1, .is_named = true};
}

void simulated_kafka_hide(struct simulated_kafka *kafka, size_t index, uint64_t times) {
    kafka->partitions[index].is_named = false;
    kafka->partitions[index].hidden = times;
}

struct simulated_kafka *simulated_kafka_create(const char *topic, int32_t partitions, uint64_t seed) {
    struct simulated_kafka *kafka = calloc(1, sizeof *kafka);
    assert(kafka);
    rf_random_init(&kafka->random, seed);
    rf_positions_init(&kafka->names);
    for (int32_t i = 0; i < partitions; i++) {
        simulated_kafka_add(kafka, topic, i);
    }
    return kafka;
}

void simulated_kafka_shorten(struct simulated_kafka *kafka, size_t index, int64_t end) {
    simulated_log_shorten(&kafka->partitions[index].log, end);
}

void simulated_kafka_make_anew(struct simulated_kafka *kafka, size_t index) {
    simulated_kafka_shorten(kafka, index, 0);
    kafka->partitions[index].log.first = 0;
}

void simulated_kafka_destroy(struct simulated_kafka *kafka) {
    for (size_t i = 0; kafka && i < kafka->names.count; i++) {
        simulated_log_finish(&kafka->partitions[i].log);
    }
    if (kafka) {
        rf_positions_finish(&kafka->names);
        free(kafka);
    }
}

void simulated_kafka_produce(struct simulated_kafka *kafka, size_t index, struct rf_text key, struct rf_text value,
                             int64_t timestamp_ms) {
    simulated_log_append(&kafka->partitions[index].log, key, value, timestamp_ms, NULL);
}

void simulated_kafka_cut(struct simulated_kafka *kafka, size_t index, int64_t first) {
    assert((size_t)first <= kafka->partitions[index].log.count);
    kafka->partitions[index].log.first = first;
}

size_t simulated_kafka_count(const struct simulated_kafka *kafka) {
    return kafka->names.count;
}

const struct rf_position *simulated_kafka_partition(const struct simulated_kafka *kafka, size_t index) {
    return &kafka->names.list[index];
}

int64_t simulated_kafka_end(const struct simulated_kafka *kafka, size_t index) {
    return (int64_t)kafka->partitions[index].log.count;
}

const struct rf_record *simulated_kafka_record(const struct simulated_kafka *kafka, size_t index, int64_t offset) {
    return simulated_log_at(&kafka->partitions[index].log, offset);
}

int64_t simulated_kafka_committed(const struct simulated_kafka *kafka, size_t index) {
    return kafka->partitions[index].committed;
}

void simulated_kafka_name(struct simulated_kafka *kafka, const char *topic, bool is_named) {
    for (size_t i = 0; i < kafka->names.count; i++) {
        if (strcmp(kafka->names.list[i].topic, topic) == 0) {
            kafka->partitions[i].is_named = is_named;
        }
    }
}

void simulated_kafka_set_start(struct simulated_kafka *kafka, enum rf_start start) {
    assert(start != RF_START_TIME);
    kafka->start = start;
}

struct rf_source *simulated_kafka_source(struct simulated_kafka *kafka, const char *topic, bool until_end) {
    struct simulated_source *source = calloc(1, sizeof *source);
    assert(source);
    source->base.ops = &simulated_ops;
    source->kafka = kafka;
    source->topic = topic;
    source->until_end = until_end;
    rf_positions_init(&source->offered);
    return &source->base;
}

void simulated_kafka_go_away(struct simulated_kafka *kafka, uint64_t calls) {
    kafka->away = calls;
}

void simulated_kafka_lose_leader(struct simulated_kafka *kafka, size_t index, uint64_t polls) {
    kafka->partitions[index].log.without_leader = polls;
}

void simulated_kafka_repeat(struct simulated_kafka *kafka, uint64_t one_in) {
    kafka->repeat_one_in = one_in;
}

void simulated_kafka_lose_answers(struct simulated_kafka *kafka, uint64_t one_in) {
    kafka->silent_one_in = one_in;
}
