// What all sources of the simulated cluster have in common: which topics they name, whether the cluster hears them, what is read.
#include "tests/simulation/cluster_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct simulated_client *simulated_client_from(const struct rf_source *self) {
    assert(self->ops->release == simulated_client_release);
    return (struct simulated_client *)(uintptr_t)self;
}

enum rf_status simulated_client_reach(struct simulated_client *client, struct rf_error *err) {
    client->base.is_temporary = client->is_cut_off || simulated_happens(client->cluster, SIMULATED_AWAY);
    return client->base.is_temporary ? rf_fail(err, RF_IO, "the brokers cannot be reached") : RF_OK;
}

enum rf_status simulated_client_find_topics(struct simulated_client *client, struct rf_error *err) {
    for (size_t i = 0; i < client->topics.count; i++) {
        if (!simulated_topic_find(client->cluster, client->topics.list[i])) {
            return rf_fail(err, RF_NOT_FOUND, "topic %s is not there", client->topics.list[i]);
        }
    }
    return RF_OK;
}

void simulated_client_tell(struct simulated_client *client, const struct simulated_partition *partition) {
    size_t index;
    if (rf_positions_add(&client->told, partition->topic, partition->number, &index)) {
        abort();
    }
}

struct simulated_partition *simulated_client_partition(const struct simulated_client *client,
                                                       const struct rf_position *position) {
    return simulated_texts_hold(&client->topics, position->topic)
                   ? simulated_partition_find(client->cluster, position->topic, position->partition)
                   : NULL;
}

enum rf_status simulated_client_begin(struct simulated_client *client, struct rf_positions *positions,
                                      bool (*begins)(const struct simulated_client *, const struct simulated_partition *),
                                      struct rf_error *err) {
    struct start {
        struct simulated_partition *partition; // NULL: it does not begin
        int64_t known, next;
    } *starts = simulated_allocate((positions->count + 1) * sizeof *starts);
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < positions->count && !status; i++) {
        struct simulated_partition *partition = simulated_client_partition(client, &positions->list[i]);
        if (partition && begins(client, partition)) {
            starts[i].partition = partition;
            status = simulated_log_start(&partition->log, &positions->list[i], client->start, &starts[i].known, &starts[i].next,
                                         err);
        }
    }
    if (!status) {
        simulated_reading_resize(&client->reading, positions->count);
    }
    for (size_t i = 0; i < positions->count && !status; i++) {
        if (!simulated_texts_hold(&client->topics, positions->list[i].topic)) {
            client->reading.places[i].next = positions->list[i].next_offset; // where it ends
        } else if (starts[i].partition) {
            positions->list[i].next_offset = starts[i].known;
            simulated_reading_begin(&client->reading, i, &starts[i].partition->log, starts[i].next);
        }
    }
    free(starts);
    return status;
}

enum rf_status simulated_client_give(struct simulated_client *client, const struct rf_poll *want, struct rf_records *records,
                                     enum rf_source_event *event_out, struct rf_error *err) {
    struct simulated_cluster *cluster = client->cluster;
    if (want->has_partition && want->partition < client->reading.count && !client->reading.places[want->partition].log) {
        return rf_fail(err, RF_CONFLICT, "partition %u is wanted, but it is not read", (unsigned)want->partition);
    }
    bool goes_back = !simulated_reading_is_dry(&client->reading, want) && simulated_happens(cluster, SIMULATED_POLL_REPEATS);
    return simulated_reading_poll(&client->reading, &cluster->random, goes_back, want, records, event_out, err);
}

enum rf_status simulated_client_commit(struct simulated_client *client, struct simulated_group *group,
                                       const struct rf_positions *positions, const char *note, struct rf_error *err) {
    struct simulated_cluster *cluster = client->cluster;
    bool is_silent = simulated_happens(cluster, SIMULATED_OFFSETS_UNANSWERED);
    bool is_made = !is_silent || rf_random_below(&cluster->random, 2) == 0;
    for (size_t i = 0; i < positions->count && is_made; i++) {
        const struct rf_position *position = &positions->list[i];
        const struct simulated_partition *partition = simulated_client_partition(client, position);
        if (partition) {
            simulated_group_put(group, partition->index, position->next_offset, note);
        }
    }
    client->base.is_temporary = is_silent;
    return is_silent ? rf_fail(err, RF_IO, "no answer to a commit") : RF_OK;
}

enum rf_status simulated_client_committed(struct simulated_client *client, struct simulated_group *group,
                                          struct rf_positions *positions, char *note_out, size_t note_size,
                                          struct rf_error *err) {
    const char *note = "";
    for (size_t i = 0; i < positions->count; i++) {
        const struct simulated_partition *partition = simulated_client_partition(client, &positions->list[i]);
        if (partition && simulated_group_share(group, partition->index)->pending > 0) {
            client->base.is_temporary = true;
            return rf_fail(err, RF_IO, "offsets of %s [%d] are part of a transaction that is not ended", partition->topic,
                           (int)partition->number);
        }
    }
    for (size_t i = 0; i < positions->count; i++) {
        const struct simulated_partition *partition = simulated_client_partition(client, &positions->list[i]);
        const struct simulated_share *share = partition ? simulated_group_share(group, partition->index) : NULL;
        positions->list[i].next_offset = share ? share->offset : RF_OFFSET_NONE;
        note = share && share->note && !note[0] ? share->note : note;
    }
    snprintf(note_out, note_size, "%s", note);
    return RF_OK;
}

enum rf_status simulated_client_look(struct rf_source *self, const struct rf_positions *positions,
                                     struct rf_holding *holdings_out, struct rf_error *err) {
    struct simulated_client *client = simulated_client_from(self);
    enum rf_status status = simulated_client_reach(client, err);
    for (size_t i = 0; i < positions->count && !status; i++) {
        const struct simulated_partition *partition = simulated_client_partition(client, &positions->list[i]);
        if (partition && positions->list[i].next_offset >= 0) {
            holdings_out[i] = simulated_log_look(&partition->log, positions->list[i].next_offset);
        }
    }
    return status;
}

void simulated_client_ends(struct rf_source *self, int64_t *end_out) {
    const struct simulated_client *client = simulated_client_from(self);
    for (size_t i = 0; i < client->reading.count; i++) {
        const struct simulated_place *place = &client->reading.places[i];
        end_out[i] = !place->log ? place->next : client->is_cut_off ? -1 : (int64_t)place->log->count;
    }
}

enum rf_status simulated_client_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms,
                                      int64_t *offset_out, struct rf_error *err) {
    struct simulated_client *client = simulated_client_from(self);
    enum rf_status status = simulated_client_reach(client, err);
    for (size_t i = 0; i < positions->count && !status; i++) {
        const struct simulated_partition *partition = simulated_client_partition(client, &positions->list[i]);
        if (!partition) {
            return rf_fail(err, RF_NOT_FOUND, "%s: unknown topic or partition", positions->list[i].topic);
        }
        offset_out[i] = simulated_log_time(&partition->log, time_ms);
    }
    return status;
}

void simulated_client_release(struct rf_source *self, struct rf_records *records) {
    (void)self;
    records->count = 0;
}

void simulated_client_init(struct simulated_client *client, const struct rf_source_ops *ops, struct simulated_cluster *cluster,
                           const struct rf_texts *topics, enum rf_start start) {
    assert(topics->count > 0);
    assert(start != RF_START_TIME);
    client->base.ops = ops;
    client->cluster = cluster;
    client->start = start;
    client->topics = simulated_texts_copy(topics);
    rf_positions_init(&client->told);
}

void simulated_client_finish(struct simulated_client *client) {
    simulated_texts_finish(&client->topics);
    simulated_reading_finish(&client->reading);
    rf_positions_finish(&client->told);
}

void simulated_cluster_cut_off(struct rf_source *client, bool is_cut_off) {
    simulated_client_from(client)->is_cut_off = is_cut_off;
    simulated_client_from(client)->has_told_cut = false;
}

void simulated_cluster_kill(struct rf_source *client) {
    if (client) {
        simulated_client_from(client)->is_killed = true;
        rf_source_destroy(client);
    }
}
