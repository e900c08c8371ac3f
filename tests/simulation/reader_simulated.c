// A source of the simulated cluster that reads whole topics, and is of no group.
#include "tests/simulation/cluster_internal.h"

#include <assert.h>
#include <stdlib.h>

struct reader {
    struct simulated_client client;
    struct simulated_group *group; // NULL: none
    bool until_end, is_told;
    int64_t *ends; // [client.reading.count] with until_end: where reading stops
};

static const struct rf_source_ops reader_ops;

static struct reader *reader_from(struct rf_source *self) {
    assert(self->ops == &reader_ops);
    return (struct reader *)self;
}

static size_t count_partitions(const struct reader *reader) {
    size_t count = 0;
    for (size_t i = 0; i < reader->client.topics.count; i++) {
        count += (size_t)simulated_cluster_partitions(reader->client.cluster, reader->client.topics.list[i]);
    }
    return count;
}

static void offer(struct reader *reader) {
    struct simulated_client *client = &reader->client;
    for (size_t i = 0; i < client->topics.count; i++) {
        const struct simulated_topic *topic = simulated_topic_find(client->cluster, client->topics.list[i]);
        for (size_t k = 0; k < topic->count; k++) {
            simulated_client_tell(client, topic->partitions[k]);
        }
    }
    reader->is_told = true;
}

static bool is_at_end(const struct reader *reader, const struct rf_poll *want) {
    const struct simulated_reading *reading = &reader->client.reading;
    for (size_t i = 0; i < reading->active_count; i++) {
        uint32_t index = reading->active[i];
        if ((!want->has_partition || index == want->partition) && reading->places[index].next < reader->ends[index]) {
            return false;
        }
    }
    return reader->until_end && reading->count > 0;
}

// Drops what was written after reading began: to be seen it would have to be read on.
static void drop_later(const struct reader *reader, struct rf_records *records) {
    size_t kept = 0;
    for (size_t i = 0; i < records->count; i++) {
        if (records->list[i].offset < reader->ends[records->list[i].partition]) {
            records->list[kept++] = records->list[i];
        }
    }
    records->count = kept;
}

static enum rf_status reader_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                  enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                  struct rf_error *err) {
    struct reader *reader = reader_from(self);
    struct simulated_client *client = &reader->client;
    *event_out = RF_SOURCE_IDLE;
    if (client->is_cut_off && client->has_told_cut) {
        return RF_OK;
    }
    client->has_told_cut = client->is_cut_off;
    enum rf_status status = simulated_client_reach(client, err);
    status = status ? status : simulated_client_find_topics(client, err);
    if (status) {
        return status;
    }
    if (!reader->is_told) {
        offer(reader);
        *partitions_out = &client->told;
        *event_out = RF_SOURCE_ASSIGNED;
        return RF_OK;
    }
    if (is_at_end(reader, want)) {
        *event_out = RF_SOURCE_END;
        return RF_OK;
    }
    status = simulated_client_give(client, want, records, event_out, err);
    if (reader->until_end && records->count > 0) {
        drop_later(reader, records);
        *event_out = records->count > 0 ? RF_SOURCE_RECORDS : RF_SOURCE_IDLE;
    }
    return status;
}

static enum rf_status reader_refresh(struct rf_source *self, struct rf_error *err) {
    struct reader *reader = reader_from(self);
    enum rf_status status = simulated_client_reach(&reader->client, err);
    if (!status && !reader->until_end && count_partitions(reader) > reader->client.told.count) {
        reader->is_told = false;
    }
    return status;
}

static bool begins(const struct simulated_client *client, const struct simulated_partition *partition) {
    return rf_positions_find(&client->told, partition->topic, partition->number) != NULL;
}

static enum rf_status reader_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    struct reader *reader = reader_from(self);
    struct simulated_client *client = &reader->client;
    enum rf_status status = simulated_client_reach(client, err);
    status = status ? status : simulated_client_begin(client, positions, begins, err);
    if (status) {
        return status;
    }
    free(reader->ends);
    reader->ends = simulated_allocate((positions->count + 1) * sizeof *reader->ends);
    for (size_t i = 0; i < positions->count; i++) {
        reader->ends[i] = client->reading.places[i].log ? (int64_t)client->reading.places[i].log->count : 0;
    }
    return RF_OK;
}

static void reader_unassign(struct rf_source *self) {
    simulated_reading_finish(&reader_from(self)->client.reading);
    reader_from(self)->is_told = false;
}

static enum rf_status check_group(const struct reader *reader, struct rf_error *err) {
    return reader->group ? RF_OK : rf_fail(err, RF_INVALID, "a group must be named for offsets to be committed");
}

static enum rf_status reader_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                    struct rf_error *err) {
    struct reader *reader = reader_from(self);
    enum rf_status status = simulated_client_reach(&reader->client, err);
    status = status ? status : check_group(reader, err);
    if (!status && reader->group->seat_count > 0) {
        return rf_fail(err, RF_IO, "group %s has members, and this is none of them", reader->group->name);
    }
    return status ? status : simulated_client_commit(&reader->client, reader->group, positions, note, err);
}

static enum rf_status reader_committed(struct rf_source *self, struct rf_positions *positions, char *note_out, size_t note_size,
                                       struct rf_error *err) {
    struct reader *reader = reader_from(self);
    enum rf_status status = simulated_client_reach(&reader->client, err);
    status = status ? status : check_group(reader, err);
    return status ? status : simulated_client_committed(&reader->client, reader->group, positions, note_out, note_size, err);
}

static void reader_destroy(struct rf_source *self) {
    struct reader *reader = reader_from(self);
    simulated_client_finish(&reader->client);
    free(reader->ends);
    free(reader);
}

static const struct rf_source_ops reader_ops = {
        .name = "simulated",
        .poll = reader_poll,
        .look = simulated_client_look,
        .refresh = reader_refresh,
        .assign = reader_assign,
        .unassign = reader_unassign,
        .commit = reader_commit,
        .committed = reader_committed,
        .ends = simulated_client_ends,
        .times = simulated_client_times,
        .release = simulated_client_release,
        .destroy = reader_destroy,
};

struct rf_source *simulated_cluster_reader(struct simulated_cluster *cluster, const struct simulated_reader *options) {
    struct reader *reader = simulated_allocate(sizeof *reader);
    simulated_client_init(&reader->client, &reader_ops, cluster, options->topics, options->start);
    reader->until_end = options->until_end;
    reader->group = options->group ? simulated_group_of(cluster, options->group) : NULL;
    return &reader->client.base;
}

struct rf_source *simulated_cluster_log(struct simulated_cluster *cluster, const char *topic) {
    char *list[] = {(char *)(uintptr_t)topic};
    const struct rf_texts topics = {list, 1};
    return simulated_cluster_reader(cluster, &(struct simulated_reader){.topics = &topics});
}
