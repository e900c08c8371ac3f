#include "tests/simulation/kafka_simulated.h"

#include "proto/random.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_MAX = 16, NOTE_SIZE = 128, IDLE_ONE_IN = 8, REPEATED_MAX = 8, NOT_READ = PARTITIONS_MAX };

struct partition {
    struct rf_record *records; // [count], by offset, bytes owned
    size_t count, capacity;
    int64_t first;           // that is still there
    int64_t committed;       // -1: nothing
    uint64_t without_leader; // polls
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
    size_t assigned_count;        // 0: not yet
    size_t of[PARTITIONS_MAX];    // by index of the positions assigned: the partition, or NOT_READ
    int64_t next[PARTITIONS_MAX]; // by the same index
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

static size_t left_in(const struct simulated_source *source, size_t index) {
    size_t partition = source->of[index];
    return partition == NOT_READ ? 0 : source->kafka->partitions[partition].count - (size_t)source->next[index];
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

// The position to read for: the wanted one, or one by chance among those that have records. -1: none.
static int choose(struct simulated_source *source, const struct rf_poll *want) {
    size_t count = source->assigned_count, ready = 0;
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
    struct rf_random *random = &source->kafka->random;
    enum rf_status status = reach(source, err);
    if (status) {
        return status;
    }
    if (!source->is_told) {
        return offer(source, event_out, partitions_out);
    }
    if (want->has_partition && source->of[want->partition] == NOT_READ) {
        return rf_fail(err, RF_CONFLICT, "partition %u is wanted, but its topic is not named", (unsigned)want->partition);
    }
    int chosen = source->assigned_count ? choose(source, want) : -1;
    if (chosen >= 0 && source->next[chosen] < source->kafka->partitions[source->of[chosen]].first) {
        return rf_fail(err, RF_CONFLICT,
                       "offset %lld of partition %d is no longer there: the log was cut while it was being read",
                       (long long)source->next[chosen], chosen);
    }
    if (chosen < 0 || rf_random_below(random, IDLE_ONE_IN) == 0) {
        *event_out = source->until_end && source->assigned_count && chosen < 0 ? RF_SOURCE_END : RF_SOURCE_IDLE;
        return RF_OK;
    }
    size_t index = (size_t)chosen;
    struct partition *partition = &source->kafka->partitions[source->of[index]];
    if (partition->without_leader > 0) {
        partition->without_leader--;
        *event_out = RF_SOURCE_IDLE;
        return RF_OK;
    }
    if (happens(source->kafka, source->kafka->repeat_one_in)) {
        uint64_t back = 1 + rf_random_below(random, REPEATED_MAX), given = (uint64_t)(source->next[index] - partition->first);
        source->next[index] -= (int64_t)(back < given ? back : given);
    }
    size_t most = left_in(source, index);
    most = most < want->records_max ? most : want->records_max;
    size_t count = want->has_partition ? most : 1 + (size_t)rf_random_below(random, most);
    for (size_t i = 0; i < count; i++) {
        records->list[i] = partition->records[source->next[index]++];
        records->list[i].partition = (uint32_t)index;
    }
    records->count = count;
    *event_out = RF_SOURCE_RECORDS;
    return RF_OK;
}

// Where reading starts, and what a position that is not known yet becomes.
static enum rf_status find_start(const struct simulated_kafka *kafka, const struct partition *partition,
                                 const struct rf_position *position, int64_t *known_out, int64_t *next_out,
                                 struct rf_error *err) {
    int64_t next = position->next_offset, end = (int64_t)partition->count;
    if (next == RF_OFFSET_NONE) {
        next = kafka->start == RF_START_LATEST ? end : partition->first;
    }
    if (next > end || next < partition->first) {
        return rf_fail(err, RF_CONFLICT, "offset %lld of %s [%d] is %s: the log holds %lld to %lld", (long long)next,
                       position->topic, (int)position->partition, next > end ? "beyond the end" : "no longer there",
                       (long long)partition->first, (long long)end);
    }
    *known_out = next;
    *next_out = next - (position->fingerprint && next > partition->first);
    return RF_OK;
}

static enum rf_status simulated_look(struct rf_source *self, const struct rf_positions *positions,
                                     struct rf_holding *holdings_out, struct rf_error *err) {
    (void)err;
    const struct simulated_source *source = simulated_from(self);
    for (size_t i = 0; i < positions->count; i++) {
        size_t index = read_for(source, &positions->list[i]);
        int64_t next = positions->list[i].next_offset;
        if (index == NOT_READ || next < 0) {
            continue;
        }
        const struct partition *partition = &source->kafka->partitions[index];
        bool has_last = next > partition->first && next <= (int64_t)partition->count;
        holdings_out[i] = (struct rf_holding){.first = partition->first, .end = (int64_t)partition->count, .has_last = has_last};
        if (has_last) {
            holdings_out[i].fingerprint = rf_record_fingerprint(&partition->records[next - 1]);
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
    int64_t known[PARTITIONS_MAX];
    assert(positions->count <= PARTITIONS_MAX);
    for (size_t i = 0; i < positions->count; i++) {
        size_t partition = read_for(source, &positions->list[i]);
        known[i] = source->next[i] = positions->list[i].next_offset;
        source->of[i] = partition;
        enum rf_status status = partition == NOT_READ ? RF_OK
                                                      : find_start(source->kafka, &source->kafka->partitions[partition],
                                                                   &positions->list[i], &known[i], &source->next[i], err);
        if (status) {
            return status;
        }
    }
    for (size_t i = 0; i < positions->count; i++) {
        positions->list[i].next_offset = known[i];
    }
    source->assigned_count = positions->count;
    return RF_OK;
}

static void simulated_unassign(struct rf_source *self) {
    simulated_from(self)->assigned_count = 0;
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
    struct simulated_source *source = simulated_from(self);
    for (size_t i = 0; i < source->assigned_count; i++) {
        size_t partition = source->of[i];
        end_out[i] = partition == NOT_READ     ? source->next[i]
                     : source->kafka->away > 0 ? -1
                                               : (int64_t)source->kafka->partitions[partition].count;
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
        const struct partition *partition = &source->kafka->partitions[index];
        offset_out[i] = -1;
        for (int64_t at = partition->first; at < (int64_t)partition->count && offset_out[i] < 0; at++) {
            offset_out[i] = partition->records[at].timestamp_ms >= time_ms ? at : -1;
        }
    }
    return RF_OK;
}

static void simulated_release(struct rf_source *self, struct rf_records *records) {
    (void)self;
    records->count = 0;
}

static void simulated_destroy(struct rf_source *self) {
    rf_positions_finish(&simulated_from(self)->offered);
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
    struct partition *partition = &kafka->partitions[index];
    for (size_t i = (size_t)end; i < partition->count; i++) {
        free((void *)(uintptr_t)partition->records[i].value.data);
        free((void *)(uintptr_t)partition->records[i].key.data);
    }
    partition->count = (size_t)end;
}

void simulated_kafka_make_anew(struct simulated_kafka *kafka, size_t index) {
    simulated_kafka_shorten(kafka, index, 0);
    kafka->partitions[index].first = 0;
}

void simulated_kafka_destroy(struct simulated_kafka *kafka) {
    for (size_t i = 0; kafka && i < kafka->names.count; i++) {
        simulated_kafka_make_anew(kafka, i);
        free(kafka->partitions[i].records);
    }
    if (kafka) {
        rf_positions_finish(&kafka->names);
        free(kafka);
    }
}

static struct rf_text copy_of(struct rf_text text) {
    char *copy = text.data ? malloc(text.size + 1) : NULL;
    if (copy) {
        memcpy(copy, text.data, text.size);
    }
    return (struct rf_text){copy, text.size};
}

void simulated_kafka_produce(struct simulated_kafka *kafka, size_t index, struct rf_text key, struct rf_text value,
                             int64_t timestamp_ms) {
    struct partition *to = &kafka->partitions[index];
    if (to->count == to->capacity) {
        to->capacity = to->capacity ? 2 * to->capacity : 64;
        to->records = realloc(to->records, to->capacity * sizeof *to->records);
        assert(to->records);
    }
    to->records[to->count] = (struct rf_record){
            .value = copy_of(value), .key = copy_of(key), .timestamp_ms = timestamp_ms, .offset = (int64_t)to->count};
    to->count++;
}

void simulated_kafka_cut(struct simulated_kafka *kafka, size_t index, int64_t first) {
    assert((size_t)first <= kafka->partitions[index].count);
    kafka->partitions[index].first = first;
}

size_t simulated_kafka_count(const struct simulated_kafka *kafka) {
    return kafka->names.count;
}

const struct rf_position *simulated_kafka_partition(const struct simulated_kafka *kafka, size_t index) {
    return &kafka->names.list[index];
}

int64_t simulated_kafka_end(const struct simulated_kafka *kafka, size_t index) {
    return (int64_t)kafka->partitions[index].count;
}

const struct rf_record *simulated_kafka_record(const struct simulated_kafka *kafka, size_t index, int64_t offset) {
    const struct partition *partition = &kafka->partitions[index];
    return offset >= 0 && offset < (int64_t)partition->count ? &partition->records[offset] : NULL;
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
    kafka->partitions[index].without_leader = polls;
}

void simulated_kafka_repeat(struct simulated_kafka *kafka, uint64_t one_in) {
    kafka->repeat_one_in = one_in;
}

void simulated_kafka_lose_answers(struct simulated_kafka *kafka, uint64_t one_in) {
    kafka->silent_one_in = one_in;
}
