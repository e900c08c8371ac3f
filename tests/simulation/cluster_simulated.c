#include "tests/simulation/cluster_simulated.h"

#include "tests/simulation/cluster_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LATE_MS = 1000, SWEEP_MS = 10000, RECORD_BYTES_MAX = 1000000 };

void simulated_demand(bool is_kept, const char *words) {
    if (!is_kept) {
        fprintf(stderr, "a client of the simulated cluster must not %s\n", words);
        abort();
    }
}

void *simulated_allocate(size_t size) {
    void *memory = calloc(1, size);
    if (!memory) {
        abort();
    }
    return memory;
}

char *simulated_copy(const char *text) {
    char *copy = strdup(text);
    if (!copy) {
        abort();
    }
    return copy;
}

struct rf_texts simulated_texts_copy(const struct rf_texts *texts) {
    struct rf_texts copy = {simulated_allocate((texts->count + 1) * sizeof *copy.list), texts->count};
    for (size_t i = 0; i < texts->count; i++) {
        copy.list[i] = simulated_copy(texts->list[i]);
    }
    return copy;
}

void simulated_texts_finish(struct rf_texts *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        free(texts->list[i]);
    }
    free(texts->list);
    *texts = (struct rf_texts){0};
}

bool simulated_texts_hold(const struct rf_texts *texts, const char *text) {
    for (size_t i = 0; i < texts->count; i++) {
        if (strcmp(texts->list[i], text) == 0) {
            return true;
        }
    }
    return false;
}

bool simulated_happens(struct simulated_cluster *cluster, enum simulated_fault fault) {
    if (cluster->times[fault] > 0) {
        cluster->times[fault]--;
        return true;
    }
    return cluster->one_in[fault] && rf_random_below(&cluster->random, cluster->one_in[fault]) == 0;
}

int64_t simulated_later(struct simulated_cluster *cluster) {
    return cluster->now_ms + 1 + (int64_t)rf_random_below(&cluster->random, (uint64_t)cluster->late_ms);
}

struct simulated_topic *simulated_topic_find(const struct simulated_cluster *cluster, const char *name) {
    for (size_t i = 0; i < cluster->topic_count; i++) {
        if (strcmp(cluster->topics[i]->name, name) == 0) {
            return cluster->topics[i];
        }
    }
    return NULL;
}

struct simulated_partition *simulated_partition_find(const struct simulated_cluster *cluster, const char *topic, int32_t number) {
    const struct simulated_topic *found = simulated_topic_find(cluster, topic);
    return found && number >= 0 && (size_t)number < found->count ? found->partitions[number] : NULL;
}

// One that the test itself names.
static struct simulated_partition *known(const struct simulated_cluster *cluster, const char *topic, int32_t number) {
    struct simulated_partition *partition = simulated_partition_find(cluster, topic, number);
    assert(partition);
    return partition;
}

static struct simulated_topic *make_topic(struct simulated_cluster *cluster, const char *name) {
    struct simulated_topic *topic = simulated_allocate(sizeof *topic);
    topic->name = simulated_copy(name);
    cluster->topics = simulated_room(cluster->topics, cluster->topic_count, &cluster->topic_capacity, sizeof *cluster->topics);
    cluster->topics[cluster->topic_count++] = topic;
    return topic;
}

static void add_partition(struct simulated_cluster *cluster, struct simulated_topic *topic) {
    struct simulated_partition *partition = simulated_allocate(sizeof *partition);
    partition->topic = topic->name;
    partition->number = (int32_t)topic->count;
    partition->index = cluster->partition_count;
    topic->partitions = simulated_room(topic->partitions, topic->count, &topic->capacity, sizeof(void *));
    topic->partitions[topic->count++] = partition;
    cluster->partitions =
            simulated_room(cluster->partitions, cluster->partition_count, &cluster->partition_capacity, sizeof(void *));
    cluster->partitions[cluster->partition_count++] = partition;
}

static bool is_read_by(const struct simulated_group *group, const char *topic) {
    for (size_t i = 0; i < group->seat_count; i++) {
        if (simulated_texts_hold(&group->seats[i]->topics, topic)) {
            return true;
        }
    }
    return false;
}

void simulated_cluster_add_topic(struct simulated_cluster *cluster, const char *topic, int32_t partitions) {
    struct simulated_topic *found = simulated_topic_find(cluster, topic);
    found = found ? found : make_topic(cluster, topic);
    assert((size_t)partitions > found->count);
    while (found->count < (size_t)partitions) {
        add_partition(cluster, found);
    }
    for (size_t i = 0; i < cluster->group_count; i++) {
        if (is_read_by(cluster->groups[i], topic)) {
            simulated_group_begin_round(cluster->groups[i]);
        }
    }
}

int32_t simulated_cluster_partitions(const struct simulated_cluster *cluster, const char *topic) {
    const struct simulated_topic *found = simulated_topic_find(cluster, topic);
    return found ? (int32_t)found->count : 0;
}

int64_t simulated_cluster_produce(struct simulated_cluster *cluster, const char *topic, int32_t partition, struct rf_text key,
                                  struct rf_text value, int64_t timestamp_ms) {
    return simulated_log_append(&known(cluster, topic, partition)->log, key, value, timestamp_ms, NULL);
}

void simulated_cluster_cut(struct simulated_cluster *cluster, const char *topic, int32_t partition, int64_t first) {
    struct simulated_log *log = &known(cluster, topic, partition)->log;
    assert(first >= log->first);
    assert(first <= log->stable_end);
    log->first = first;
}

void simulated_cluster_fault(struct simulated_cluster *cluster, enum simulated_fault fault, uint64_t one_in) {
    cluster->one_in[fault] = one_in;
}

void simulated_cluster_fault_next(struct simulated_cluster *cluster, enum simulated_fault fault, uint64_t times) {
    cluster->times[fault] = times;
}

void simulated_cluster_set_late(struct simulated_cluster *cluster, int64_t late_ms) {
    assert(late_ms > 0);
    cluster->late_ms = late_ms;
}

void simulated_cluster_set_sweep(struct simulated_cluster *cluster, int64_t sweep_ms) {
    assert(sweep_ms > 0);
    cluster->sweep_ms = sweep_ms;
    cluster->next_sweep_ms = cluster->now_ms + sweep_ms;
}

void simulated_cluster_set_record_bytes(struct simulated_cluster *cluster, size_t bytes_max) {
    cluster->record_bytes_max = bytes_max;
}

void simulated_cluster_advance(struct simulated_cluster *cluster, int64_t now_ms) {
    assert(now_ms >= cluster->now_ms);
    cluster->now_ms = now_ms;
    simulated_producers_advance(cluster);
    for (size_t i = 0; i < cluster->group_count; i++) {
        simulated_group_advance(cluster->groups[i]);
    }
}

int64_t simulated_cluster_now(const struct simulated_cluster *cluster) {
    return cluster->now_ms;
}

const struct rf_record *simulated_cluster_next(const struct simulated_cluster *cluster, const char *topic, int32_t partition,
                                               int64_t *offset) {
    const struct simulated_log *log = &known(cluster, topic, partition)->log;
    *offset = *offset > log->first ? *offset : log->first;
    return simulated_log_next(log, offset);
}

const struct rf_record *simulated_cluster_next_ever(const struct simulated_cluster *cluster, const char *topic, int32_t partition,
                                                    int64_t *offset) {
    return simulated_log_next(&known(cluster, topic, partition)->log, offset);
}

int64_t simulated_cluster_first(const struct simulated_cluster *cluster, const char *topic, int32_t partition) {
    return known(cluster, topic, partition)->log.first;
}

int64_t simulated_cluster_end(const struct simulated_cluster *cluster, const char *topic, int32_t partition) {
    return (int64_t)known(cluster, topic, partition)->log.count;
}

int64_t simulated_cluster_stable_end(const struct simulated_cluster *cluster, const char *topic, int32_t partition) {
    return known(cluster, topic, partition)->log.stable_end;
}

bool simulated_cluster_is_settled(const struct simulated_cluster *cluster) {
    return simulated_producers_are_settled(cluster);
}

int64_t simulated_cluster_committed(const struct simulated_cluster *cluster, const char *group, const char *topic,
                                    int32_t partition, const char **note_out) {
    const struct simulated_group *found = simulated_group_find(cluster, group);
    size_t index = known(cluster, topic, partition)->index;
    const struct simulated_share *share = found && index < found->share_count ? &found->shares[index] : NULL;
    if (note_out) {
        *note_out = share && share->note ? share->note : "";
    }
    return share ? share->offset : -1;
}

void simulated_cluster_group(const struct simulated_cluster *cluster, const char *group,
                             struct simulated_group_report *report_out) {
    const struct simulated_group *found = simulated_group_find(cluster, group);
    *report_out = (struct simulated_group_report){0};
    if (found) {
        *report_out = (struct simulated_group_report){.generation = found->generation,
                                                      .members = found->seat_count,
                                                      .is_sharing_out = found->is_sharing_out,
                                                      .rounds = found->rounds};
    }
}

struct simulated_cluster *simulated_cluster_create(uint64_t seed) {
    struct simulated_cluster *cluster = simulated_allocate(sizeof *cluster);
    rf_random_init(&cluster->random, seed);
    cluster->late_ms = LATE_MS;
    cluster->record_bytes_max = RECORD_BYTES_MAX;
    simulated_cluster_set_sweep(cluster, SWEEP_MS);
    return cluster;
}

static void destroy_topic(struct simulated_topic *topic) {
    for (size_t i = 0; i < topic->count; i++) {
        simulated_log_finish(&topic->partitions[i]->log);
        free(topic->partitions[i]);
    }
    free(topic->partitions);
    free(topic->name);
    free(topic);
}

void simulated_cluster_destroy(struct simulated_cluster *cluster) {
    if (!cluster) {
        return;
    }
    simulated_producers_destroy(cluster);
    for (size_t i = 0; i < cluster->group_count; i++) {
        simulated_group_destroy(cluster->groups[i]);
    }
    for (size_t i = 0; i < cluster->topic_count; i++) {
        destroy_topic(cluster->topics[i]);
    }
    free(cluster->groups);
    free(cluster->topics);
    free(cluster->partitions);
    free(cluster);
}
