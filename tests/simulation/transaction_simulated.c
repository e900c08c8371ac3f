// Transactions of the simulated cluster: their coordinator, who knows which client has a transactional.id by its epoch, and the
// clients themselves.
#include "tests/simulation/cluster_internal.h"

#include "proto/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Where a transaction is to be ended: in a partition, or for an offset of a group.
struct place {
    struct simulated_partition *partition;
    struct simulated_group *group; // NULL: the partition's log
    int64_t offset;                // of the group, with its note
    char *note;
    int64_t due_ms; // while it is being ended
};

struct simulated_producer {
    char *id;
    int64_t epoch; // of the client who has it
    bool is_open, is_ending, is_committed;
    int64_t begun_ms, timeout_ms;
    int64_t commit_ms;    // when a commit that is on its way arrives; 0: none is
    struct place *places; // [place_count]
    size_t place_count, place_capacity;
};

struct transaction {
    struct rf_transaction base;
    struct simulated_cluster *cluster;
    struct simulated_producer *producer;
    int64_t epoch, timeout_ms, begun_ms;
    bool is_opened, is_open; // may send; has sent, and is to commit
    bool is_cut_off;
};

// -- The coordinator --------------------------------------------------------------------------------------------------------

static struct simulated_producer *producer_of(struct simulated_cluster *cluster, const char *id) {
    for (size_t i = 0; i < cluster->producer_count; i++) {
        if (strcmp(cluster->producers[i]->id, id) == 0) {
            return cluster->producers[i];
        }
    }
    struct simulated_producer *producer = simulated_allocate(sizeof *producer);
    producer->id = simulated_copy(id);
    cluster->producers = simulated_room(cluster->producers, cluster->producer_count, &cluster->producer_capacity, sizeof(void *));
    cluster->producers[cluster->producer_count++] = producer;
    return producer;
}

static struct place *add_place(struct simulated_producer *producer, struct simulated_partition *partition) {
    producer->places =
            simulated_room(producer->places, producer->place_count, &producer->place_capacity, sizeof *producer->places);
    producer->places[producer->place_count] = (struct place){.partition = partition};
    return &producer->places[producer->place_count++];
}

static void end_place(const struct simulated_producer *producer, struct place *place) {
    if (!place->group) {
        simulated_log_end(&place->partition->log, producer, producer->is_committed);
        return;
    }
    simulated_group_share(place->group, place->partition->index)->pending--;
    if (producer->is_committed) {
        simulated_group_put(place->group, place->partition->index, place->offset, place->note);
    }
    free(place->note);
}

// Ends it where that is due by then.
static void settle(struct simulated_producer *producer, int64_t now_ms) {
    size_t kept = 0;
    for (size_t i = 0; i < producer->place_count; i++) {
        if (producer->places[i].due_ms > now_ms) {
            producer->places[kept++] = producer->places[i];
        } else {
            end_place(producer, &producer->places[i]);
        }
    }
    producer->place_count = kept;
    producer->is_ending = kept > 0;
}

// The decision is made and cannot be changed; the places hear of it now or later.
static void end(struct simulated_cluster *cluster, struct simulated_producer *producer, bool is_committed) {
    assert(producer->is_open);
    producer->is_open = false;
    producer->is_committed = is_committed;
    producer->commit_ms = 0;
    for (size_t i = 0; i < producer->place_count; i++) {
        producer->places[i].due_ms =
                simulated_happens(cluster, SIMULATED_MARKER_LATE) ? simulated_later(cluster) : cluster->now_ms;
    }
    settle(producer, cluster->now_ms);
}

static void begin(struct simulated_cluster *cluster, struct simulated_producer *producer) {
    settle(producer, INT64_MAX);
    producer->is_open = true;
    producer->begun_ms = cluster->now_ms;
}

void simulated_producers_advance(struct simulated_cluster *cluster) {
    bool sweeps = cluster->now_ms >= cluster->next_sweep_ms;
    for (size_t i = 0; i < cluster->producer_count; i++) {
        struct simulated_producer *producer = cluster->producers[i];
        if (producer->is_ending) {
            settle(producer, cluster->now_ms);
        }
        if (producer->is_open && producer->commit_ms && producer->commit_ms <= cluster->now_ms) {
            end(cluster, producer, true);
        }
        if (producer->is_open && sweeps && cluster->now_ms - producer->begun_ms > producer->timeout_ms) {
            producer->epoch++; // so that nothing more comes to what was ended
            end(cluster, producer, false);
        }
    }
    if (sweeps) {
        cluster->next_sweep_ms = cluster->now_ms + cluster->sweep_ms - cluster->now_ms % cluster->sweep_ms;
    }
}

bool simulated_producers_are_settled(const struct simulated_cluster *cluster) {
    for (size_t i = 0; i < cluster->producer_count; i++) {
        if (cluster->producers[i]->is_open || cluster->producers[i]->is_ending) {
            return false;
        }
    }
    return true;
}

void simulated_producers_destroy(struct simulated_cluster *cluster) {
    for (size_t i = 0; i < cluster->producer_count; i++) {
        struct simulated_producer *producer = cluster->producers[i];
        producer->is_committed = false;
        settle(producer, INT64_MAX);
        free(producer->places);
        free(producer->id);
        free(producer);
    }
    free(cluster->producers);
}

// -- Clients ----------------------------------------------------------------------------------------------------------------

static const struct rf_transaction_ops transaction_ops;

static struct transaction *transaction_from(struct rf_transaction *self) {
    assert(self->ops == &transaction_ops);
    return (struct transaction *)self;
}

static enum rf_status reach(struct transaction *transaction, struct rf_error *err) {
    bool is_away = transaction->is_cut_off || simulated_happens(transaction->cluster, SIMULATED_AWAY);
    return is_away ? rf_fail(err, RF_IO, "the brokers cannot be reached") : RF_OK;
}

// What became of it is not known to the client, who has to open again.
static enum rf_status leave_unknown(struct transaction *transaction, enum rf_outcome *outcome_out, struct rf_error *err) {
    transaction->is_opened = transaction->is_open = false;
    *outcome_out = RF_OUTCOME_UNKNOWN;
    return rf_fail(err, RF_IO, "no answer about transaction %s", transaction->producer->id);
}

// The brokers tell one that was fenced and one that took too long the same; where it can be the latter, taking the id again may
// be right.
static enum rf_status find_fenced(struct transaction *transaction, enum rf_outcome *outcome_out, struct rf_error *err) {
    if (transaction->epoch == transaction->producer->epoch) {
        return RF_OK;
    }
    int64_t open_ms = transaction->cluster->now_ms - transaction->begun_ms;
    bool may_be_timed_out = transaction->is_open && open_ms >= transaction->timeout_ms;
    transaction->is_opened = transaction->is_open = false;
    *outcome_out = may_be_timed_out ? RF_OUTCOME_UNKNOWN : RF_OUTCOME_FENCED;
    return rf_fail(err, RF_CONFLICT, "another client has transactional.id %s, or its transaction took too long",
                   transaction->producer->id);
}

static enum rf_status abort_by(struct transaction *transaction, enum rf_outcome *outcome_out) {
    end(transaction->cluster, transaction->producer, false);
    transaction->is_open = false;
    *outcome_out = RF_OUTCOME_ABORTED;
    return RF_OK;
}

static enum rf_status transaction_open(struct rf_transaction *self, int timeout_ms, struct rf_error *err) {
    (void)timeout_ms;
    struct transaction *transaction = transaction_from(self);
    struct simulated_producer *producer = transaction->producer;
    simulated_demand(!transaction->is_open, "open with a transaction that is to be ended");
    enum rf_status status = reach(transaction, err);
    if (status) {
        return status;
    }
    if (producer->is_open) {
        end(transaction->cluster, producer, false);
    }
    settle(producer, INT64_MAX); // the answer comes after all that
    producer->epoch++;
    producer->timeout_ms = transaction->timeout_ms;
    if (simulated_happens(transaction->cluster, SIMULATED_OPEN_UNANSWERED)) {
        return rf_fail(err, RF_IO, "no answer to the opening of transactional.id %s", producer->id);
    }
    transaction->epoch = producer->epoch;
    transaction->is_opened = true;
    return RF_OK;
}

static enum rf_status append(struct transaction *transaction, const struct rf_transaction_record *record, struct rf_error *err) {
    struct simulated_cluster *cluster = transaction->cluster;
    const struct simulated_topic *topic = simulated_topic_find(cluster, record->topic);
    if (!topic) {
        return rf_fail(err, RF_IO, "topic %s is not there", record->topic);
    }
    uint64_t number = record->key.data ? rf_hash_murmur3(0, record->key.data, record->key.size) % topic->count
                                       : rf_random_below(&cluster->random, topic->count);
    struct simulated_partition *partition = topic->partitions[number];
    size_t opened = partition->log.open_count;
    simulated_log_append(&partition->log, record->key, record->value,
                         record->timestamp_ms ? record->timestamp_ms : cluster->now_ms, transaction->producer);
    if (partition->log.open_count > opened) {
        add_place(transaction->producer, partition);
    }
    return RF_OK;
}

static enum rf_status append_offsets(struct transaction *transaction, const struct rf_transaction_contents *contents,
                                     struct rf_error *err) {
    struct simulated_group *group;
    enum rf_status status = simulated_membership_check(transaction->cluster, contents->group, contents->group_size, &group, err);
    for (size_t i = 0; i < contents->offsets->count && !status; i++) {
        const struct rf_position *position = &contents->offsets->list[i];
        struct simulated_partition *partition =
                simulated_partition_find(transaction->cluster, position->topic, position->partition);
        if (!partition) {
            return rf_fail(err, RF_IO, "%s [%d] is not there", position->topic, (int)position->partition);
        }
        struct place *place = add_place(transaction->producer, partition);
        place->group = group;
        place->offset = position->next_offset;
        place->note = simulated_copy(contents->note ? contents->note : "");
        simulated_group_share(group, partition->index)->pending++;
    }
    return status;
}

static enum rf_status check_sizes(const struct transaction *transaction, const struct rf_transaction_contents *contents,
                                  struct rf_error *err) {
    size_t bytes_max = transaction->cluster->record_bytes_max;
    for (size_t i = 0; i < contents->count; i++) {
        size_t bytes = contents->records[i].key.size + contents->records[i].value.size;
        if (bytes > bytes_max) {
            return rf_fail(err, RF_FULL, "a record of %zu bytes is for topic %s, there can be %zu", bytes,
                           contents->records[i].topic, bytes_max);
        }
    }
    return RF_OK;
}

static enum rf_status transaction_send(struct rf_transaction *self, const struct rf_transaction_contents *contents,
                                       int timeout_ms, enum rf_outcome *outcome_out, struct rf_error *err) {
    (void)timeout_ms;
    struct transaction *transaction = transaction_from(self);
    struct simulated_cluster *cluster = transaction->cluster;
    simulated_demand(transaction->is_opened, "send before it opened");
    simulated_demand(!transaction->is_open, "send with a transaction that is to be ended");
    *outcome_out = RF_OUTCOME_ABORTED;
    enum rf_status status = check_sizes(transaction, contents, err);
    if (status) {
        return status;
    }
    if (reach(transaction, err)) {
        return leave_unknown(transaction, outcome_out, err);
    }
    status = find_fenced(transaction, outcome_out, err);
    if (status) {
        return status;
    }
    bool is_aborted = simulated_happens(cluster, SIMULATED_SEND_ABORTED);
    bool is_unanswered = !is_aborted && simulated_happens(cluster, SIMULATED_SEND_UNANSWERED);
    size_t count = is_aborted || is_unanswered ? (size_t)rf_random_below(&cluster->random, contents->count + 1) : contents->count;
    begin(cluster, transaction->producer);
    transaction->is_open = true;
    transaction->begun_ms = cluster->now_ms;
    for (size_t i = 0; i < count && !status; i++) {
        status = append(transaction, &contents->records[i], err);
    }
    if (is_unanswered && !status) {
        return leave_unknown(transaction, outcome_out, err);
    }
    if (is_aborted && !status) {
        status = rf_fail(err, RF_IO, "a record of transaction %s was not taken", transaction->producer->id);
    }
    if (!status && contents->offsets && contents->offsets->count > 0) {
        status = append_offsets(transaction, contents, err);
    }
    *outcome_out = RF_OUTCOME_OPEN;
    if (status) {
        abort_by(transaction, outcome_out);
    }
    return status;
}

// The commit is not answered. Whether it was made is one of these faults. False: it is answered.
static bool is_unanswered(struct transaction *transaction) {
    struct simulated_cluster *cluster = transaction->cluster;
    if (simulated_happens(cluster, SIMULATED_COMMIT_MADE)) {
        end(cluster, transaction->producer, true);
        return true;
    }
    if (simulated_happens(cluster, SIMULATED_COMMIT_LATE)) {
        transaction->producer->commit_ms = simulated_later(cluster);
        return true;
    }
    return simulated_happens(cluster, SIMULATED_COMMIT_NOT_MADE);
}

static enum rf_status transaction_commit(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out,
                                         struct rf_error *err) {
    (void)timeout_ms;
    struct transaction *transaction = transaction_from(self);
    simulated_demand(transaction->is_open, "end what it did not send");
    if (reach(transaction, err)) {
        return leave_unknown(transaction, outcome_out, err);
    }
    enum rf_status status = find_fenced(transaction, outcome_out, err);
    if (status) {
        return status;
    }
    if (simulated_happens(transaction->cluster, SIMULATED_COMMIT_ABORTED)) {
        abort_by(transaction, outcome_out);
        return rf_fail(err, RF_IO, "transaction %s could not be committed", transaction->producer->id);
    }
    if (is_unanswered(transaction)) {
        return leave_unknown(transaction, outcome_out, err);
    }
    end(transaction->cluster, transaction->producer, true);
    if (simulated_happens(transaction->cluster, SIMULATED_COMMIT_FENCED)) {
        transaction->producer->epoch++;
        return find_fenced(transaction, outcome_out, err);
    }
    transaction->is_open = false;
    *outcome_out = RF_OUTCOME_COMMITTED;
    return RF_OK;
}

static enum rf_status transaction_abort(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out,
                                        struct rf_error *err) {
    (void)timeout_ms;
    struct transaction *transaction = transaction_from(self);
    struct simulated_cluster *cluster = transaction->cluster;
    simulated_demand(transaction->is_open, "end what it did not send");
    if (reach(transaction, err)) {
        return leave_unknown(transaction, outcome_out, err);
    }
    enum rf_status status = find_fenced(transaction, outcome_out, err);
    if (status) {
        return status;
    }
    if (simulated_happens(cluster, SIMULATED_ABORT_UNANSWERED)) {
        if (rf_random_below(&cluster->random, 2)) {
            end(cluster, transaction->producer, false);
        }
        return leave_unknown(transaction, outcome_out, err);
    }
    return abort_by(transaction, outcome_out);
}

static void transaction_destroy(struct rf_transaction *self) {
    free(transaction_from(self));
}

static const struct rf_transaction_ops transaction_ops = {
        .name = "simulated",
        .open = transaction_open,
        .send = transaction_send,
        .commit = transaction_commit,
        .abort = transaction_abort,
        .destroy = transaction_destroy,
};

struct rf_transaction *simulated_cluster_transaction(struct simulated_cluster *cluster, const char *id, int64_t timeout_ms) {
    struct transaction *transaction = simulated_allocate(sizeof *transaction);
    transaction->base.ops = &transaction_ops;
    transaction->cluster = cluster;
    transaction->producer = producer_of(cluster, id);
    transaction->timeout_ms = timeout_ms;
    return &transaction->base;
}

void simulated_cluster_cut_off_transaction(struct rf_transaction *client, bool is_cut_off) {
    transaction_from(client)->is_cut_off = is_cut_off;
}
