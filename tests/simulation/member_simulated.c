// A member of a group of the simulated cluster. What librdkafka does beside the polls (joining rounds, learning what they came
// to) is done at the beginning of polls and where the metadata is asked for; it stands still while an event waits for its answer.
#include "tests/simulation/cluster_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SESSION_MS = 45000, REBALANCE_MS = 300000, FETCHED_MAX = 32 };

// What a member knows of a partition of the cluster.
enum holding {
    NOT_HELD,
    COMING,  // ASSIGNED was told, and not answered
    READ,    // held and read
    LEAVING, // REVOKED or LOST was told, and not answered
};

struct member {
    struct simulated_client client;
    struct simulated_group *group;
    struct simulated_member options; // texts owned; topics are those of the client
    struct simulated_seat *seat;     // NULL: none, or not any more
    bool had_seat;                   // so that its absence is news
    bool is_fenced;                  // another one has the instance
    int64_t generation, heard_ms;    // of the last news; of the last heartbeat that came through
    uint64_t id;                     // by the last news

    enum rf_source_event event; // that waits to be told, or to be answered; RF_SOURCE_IDLE: none
    bool is_told;
    bool wants_round; // others wait for what was let go of
    bool is_added;    // `target` counts once REVOKED is answered

    unsigned char *holdings; // [known_count] enum holding, by the partition's index
    bool *targets;           // [known_count] what the last round came to
    size_t known_count, held_count;
    size_t fetched; // records that polls give still before what was told is answered
};

static const struct rf_source_ops member_ops;

static struct member *member_from(struct rf_source *self) {
    assert(self->ops == &member_ops);
    return (struct member *)self;
}

static void know_all(struct member *member) {
    size_t count = member->client.cluster->partition_count;
    if (count > member->known_count) {
        member->holdings = realloc(member->holdings, count);
        member->targets = realloc(member->targets, count * sizeof *member->targets);
        if (!member->holdings || !member->targets) {
            abort();
        }
        memset(member->holdings + member->known_count, NOT_HELD, count - member->known_count);
        memset(member->targets + member->known_count, 0, (count - member->known_count) * sizeof *member->targets);
        member->known_count = count;
    }
}

static bool is_held(const struct member *member, size_t partition) {
    return member->holdings[partition] >= READ;
}

static void hold(struct member *member, size_t partition, enum holding holding) {
    member->held_count -= is_held(member, partition);
    member->holdings[partition] = (unsigned char)holding;
    member->held_count += is_held(member, partition);
}

static void expect(struct member *member, enum rf_source_event event) {
    member->event = event;
    member->is_told = false;
}

// -- Beside the polls -------------------------------------------------------------------------------------------------------

// Whether the event would have partitions to tell of.
static bool is_any(const struct member *member, enum rf_source_event event) {
    for (size_t i = 0; i < member->known_count; i++) {
        bool is_target = member->targets[i], is_ours = is_held(member, i);
        if (event == RF_SOURCE_ASSIGNED ? is_target && !is_ours : is_ours && !is_target) {
            return true;
        }
    }
    return false;
}

static void forget_targets(struct member *member) {
    memset(member->targets, 0, member->known_count * sizeof *member->targets);
}

// All that is held goes: by REVOKED or LOST.
static void lose_all(struct member *member, enum rf_source_event event) {
    forget_targets(member);
    member->is_added = false;
    if (member->held_count > 0) {
        expect(member, event);
    }
}

static bool is_seat_missed(const struct member *member) {
    return member->had_seat && !member->seat;
}

static void miss_seat(struct member *member) {
    member->had_seat = false;
    member->generation = -1;
    member->wants_round = false;
    lose_all(member, RF_SOURCE_LOST);
}

static void learn_news(struct member *member) {
    struct simulated_seat *seat = member->seat;
    seat->has_news = false;
    if (seat->was_skipped) { // the others went on without it
        seat->was_skipped = false;
        member->wants_round = true;
        lose_all(member, RF_SOURCE_LOST);
        return;
    }
    member->generation = member->group->generation;
    member->id = seat->id;
    for (size_t i = 0; i < member->known_count; i++) {
        member->targets[i] = i < member->group->share_count && member->group->shares[i].target == seat;
    }
    if (is_any(member, RF_SOURCE_REVOKED)) {
        member->wants_round = true;
        expect(member, RF_SOURCE_REVOKED);
    }
    member->is_added = is_any(member, RF_SOURCE_ASSIGNED);
}

static void join_round(struct member *member) {
    for (size_t i = 0; i < member->known_count; i++) {
        if (is_held(member, i)) {
            simulated_group_share(member->group, i)->claim = member->seat;
        }
    }
    member->wants_round = false;
    member->is_added = false;
    simulated_group_join(member->group, member->seat);
}

static void enter(struct member *member) {
    simulated_group_enter(member->group, &member->options, &member->seat);
    member->had_seat = true;
    member->heard_ms = member->client.cluster->now_ms;
}

// The next thing to be done; false when there is none.
static bool take_step(struct member *member) {
    const struct simulated_group *group = member->group;
    const struct simulated_seat *seat = member->seat;
    if (is_seat_missed(member)) {
        miss_seat(member);
    } else if (!seat) {
        enter(member);
    } else if (seat->has_news && (seat->was_skipped || !group->is_sharing_out)) {
        learn_news(member);
    } else if (member->is_added) {
        member->is_added = false;
        expect(member, RF_SOURCE_ASSIGNED);
    } else if (group->is_sharing_out && !seat->has_joined) {
        if (group->is_eager && member->held_count > 0) {
            lose_all(member, RF_SOURCE_REVOKED);
        } else {
            join_round(member);
        }
    } else if (member->wants_round && !group->is_sharing_out) {
        simulated_group_begin_round(member->group);
    } else {
        return false;
    }
    return true;
}

static void go_on(struct member *member) {
    know_all(member);
    if (is_seat_missed(member)) {
        member->is_fenced |= simulated_group_instance(member->group, member->options.instance) != NULL;
        member->event = member->is_told ? member->event : RF_SOURCE_IDLE; // what nobody was told is void
    }
    while (member->event == RF_SOURCE_IDLE && !member->is_fenced && take_step(member)) {
    }
}

// -- Polls ------------------------------------------------------------------------------------------------------------------

static void stop_reading(struct member *member, const struct simulated_partition *partition) {
    struct simulated_reading *reading = &member->client.reading;
    for (size_t i = 0; i < reading->active_count; i++) {
        if (reading->places[reading->active[i]].log == &partition->log) {
            simulated_reading_stop(reading, reading->active[i]);
            return;
        }
    }
}

static void tell(struct member *member, enum rf_source_event *event_out, const struct rf_positions **partitions_out) {
    struct simulated_client *client = &member->client;
    bool is_coming = member->event == RF_SOURCE_ASSIGNED;
    rf_positions_finish(&client->told);
    rf_positions_init(&client->told);
    for (size_t i = 0; i < member->known_count; i++) {
        bool is_held_here = is_held(member, i), is_target = member->targets[i];
        if (is_coming ? is_target && !is_held_here : is_held_here && !is_target) {
            simulated_client_tell(client, client->cluster->partitions[i]);
            stop_reading(member, client->cluster->partitions[i]);
            hold(member, i, is_coming ? COMING : LEAVING);
        }
    }
    assert(client->told.count > 0);
    member->is_told = true;
    member->fetched = (size_t)rf_random_below(&client->cluster->random, FETCHED_MAX);
    *event_out = member->event;
    *partitions_out = &client->told;
}

static enum rf_status fail_fenced(const struct member *member, struct rf_error *err) {
    return rf_fail(err, RF_BUSY, "another member of group %s is instance %s", member->group->name, member->options.instance);
}

// The client hears nothing of the cluster, but knows when it cannot be in the group any more.
static enum rf_status poll_cut_off(struct member *member, struct rf_error *err) {
    struct simulated_client *client = &member->client;
    bool is_waiting = member->event != RF_SOURCE_IDLE && member->is_told;
    if (client->cluster->now_ms - member->heard_ms > member->options.session_ms && !is_waiting) {
        member->event = RF_SOURCE_IDLE;
        member->generation = -1;
        lose_all(member, RF_SOURCE_LOST);
    }
    bool has_told = client->has_told_cut;
    client->has_told_cut = true;
    return has_told || (member->event != RF_SOURCE_IDLE && !member->is_told) ? RF_OK : simulated_client_reach(client, err);
}

static enum rf_status poll_group(struct member *member, struct rf_error *err) {
    struct simulated_client *client = &member->client;
    enum rf_status status = simulated_client_reach(client, err);
    status = status ? status : simulated_client_find_topics(client, err);
    if (status) {
        return status;
    }
    if (member->seat) {
        simulated_group_hear(member->group, member->seat);
        member->heard_ms = client->cluster->now_ms;
    }
    go_on(member);
    return member->is_fenced ? fail_fenced(member, err) : RF_OK;
}

// While an answer is awaited nothing is fetched: there is only what was fetched before.
static enum rf_status give(struct member *member, const struct rf_poll *want, struct rf_records *records,
                           enum rf_source_event *event_out, struct rf_error *err) {
    struct rf_poll less = *want;
    bool is_waiting = member->event != RF_SOURCE_IDLE;
    if (is_waiting) {
        less.records_max = member->fetched < want->records_max ? member->fetched : want->records_max;
    }
    if (member->client.is_cut_off || less.records_max == 0) {
        return RF_OK;
    }
    enum rf_status status = simulated_client_give(&member->client, &less, records, event_out, err);
    member->fetched -= is_waiting ? records->count : 0;
    return status;
}

static enum rf_status member_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                  enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                  struct rf_error *err) {
    struct member *member = member_from(self);
    bool is_cut_off = member->client.is_cut_off;
    *event_out = RF_SOURCE_IDLE;
    enum rf_status status = member->is_fenced ? fail_fenced(member, err)
                            : is_cut_off      ? poll_cut_off(member, err)
                                              : poll_group(member, err);
    if (status) {
        return status;
    }
    if (member->event != RF_SOURCE_IDLE && !member->is_told) {
        tell(member, event_out, partitions_out);
        return RF_OK;
    }
    return give(member, want, records, event_out, err);
}

// -- Answers ----------------------------------------------------------------------------------------------------------------

static bool is_coming(const struct simulated_client *client, const struct simulated_partition *partition) {
    const struct member *member = (const struct member *)client;
    return partition->index < member->known_count && member->holdings[partition->index] == COMING;
}

static bool is_read(const struct simulated_client *client, const struct simulated_partition *partition) {
    const struct member *member = (const struct member *)client;
    return partition->index < member->known_count && member->holdings[partition->index] == READ;
}

static void settle_all(struct member *member, enum holding from, enum holding to) {
    for (size_t i = 0; i < member->known_count; i++) {
        if (member->holdings[i] == from) {
            hold(member, i, to);
        }
    }
    member->event = RF_SOURCE_IDLE;
}

static enum rf_status member_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    struct member *member = member_from(self);
    struct simulated_client *client = &member->client;
    if (!member->is_told || member->event == RF_SOURCE_IDLE) { // it answers nothing: all that is read begins anew
        enum rf_status reached = simulated_client_reach(client, err);
        return reached ? reached : simulated_client_begin(client, positions, is_read, err);
    }
    simulated_demand(member->event == RF_SOURCE_ASSIGNED, "assign what it was not told");
    for (size_t i = 0; i < client->told.count; i++) {
        const struct rf_position *told = &client->told.list[i];
        simulated_demand(rf_positions_find(positions, told->topic, told->partition), "leave out what it was told");
    }
    enum rf_status status = simulated_client_reach(client, err);
    status = status ? status : simulated_client_begin(client, positions, is_coming, err);
    if (!status) {
        settle_all(member, COMING, READ);
    }
    return status;
}

static void member_unassign(struct rf_source *self) {
    struct member *member = member_from(self);
    bool is_going = member->event == RF_SOURCE_REVOKED || member->event == RF_SOURCE_LOST;
    if (!is_going || !member->is_told) { // before it is destroyed
        return;
    }
    settle_all(member, LEAVING, NOT_HELD);
}

// -- What else is asked -----------------------------------------------------------------------------------------------------

static enum rf_status member_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                    struct rf_error *err) {
    struct member *member = member_from(self);
    enum rf_status status = simulated_client_reach(&member->client, err);
    if (status) {
        return status;
    }
    if (!member->seat || member->generation != member->group->generation) {
        return rf_fail(err, RF_IO, "generation %lld of group %s is over", (long long)member->generation, member->group->name);
    }
    return simulated_client_commit(&member->client, member->group, positions, note, err);
}

static enum rf_status member_committed(struct rf_source *self, struct rf_positions *positions, char *note_out, size_t note_size,
                                       struct rf_error *err) {
    struct member *member = member_from(self);
    enum rf_status status = simulated_client_reach(&member->client, err);
    return status ? status : simulated_client_committed(&member->client, member->group, positions, note_out, note_size, err);
}

// By what the client knows: nobody is asked, so it may be of a generation that is over.
static enum rf_status member_group(struct rf_source *self, uint8_t **bytes_out, size_t *size_out, struct rf_error *err) {
    struct member *member = member_from(self);
    if (!member->client.is_cut_off && !simulated_client_find_topics(&member->client, err)) {
        go_on(member);
    }
    if (member->is_fenced || member->generation < 0) {
        return rf_fail(err, RF_AGAIN, "this client is not a member of group %s now", member->group->name);
    }
    simulated_membership_write((struct simulated_membership){.generation = member->generation, .member = member->id},
                               member->group->name, bytes_out, size_out);
    return RF_OK;
}

static void member_destroy(struct rf_source *self) {
    struct member *member = member_from(self);
    bool says_so = !member->client.is_killed && !member->client.is_cut_off && !member->options.instance;
    if (member->seat && says_so) {
        simulated_group_leave(member->group, member->seat);
    } else if (member->seat) {
        member->seat->client = NULL;
    }
    simulated_client_finish(&member->client);
    free((char *)(uintptr_t)member->options.instance);
    free(member->holdings);
    free(member->targets);
    free(member);
}

static const struct rf_source_ops member_ops = {
        .name = "simulated",
        .poll = member_poll,
        .look = simulated_client_look,
        .assign = member_assign,
        .unassign = member_unassign,
        .commit = member_commit,
        .committed = member_committed,
        .ends = simulated_client_ends,
        .times = simulated_client_times,
        .group = member_group,
        .release = simulated_client_release,
        .destroy = member_destroy,
};

struct rf_source *simulated_cluster_member(struct simulated_cluster *cluster, const struct simulated_member *options) {
    struct member *member = simulated_allocate(sizeof *member);
    simulated_client_init(&member->client, &member_ops, cluster, options->topics, options->start);
    member->group = simulated_group_of(cluster, options->group);
    member->options = *options;
    member->options.topics = &member->client.topics;
    member->options.instance = options->instance ? simulated_copy(options->instance) : NULL;
    member->options.session_ms = options->session_ms ? options->session_ms : SESSION_MS;
    member->options.rebalance_ms = options->rebalance_ms ? options->rebalance_ms : REBALANCE_MS;
    member->generation = -1;
    member->event = RF_SOURCE_IDLE;
    return &member->client.base;
}

bool simulated_cluster_holds(const struct rf_source *member, const char *topic, int32_t partition) {
    const struct member *self = member_from((struct rf_source *)(uintptr_t)member);
    const struct simulated_partition *found = simulated_partition_find(self->client.cluster, topic, partition);
    return found && found->index < self->known_count && is_held(self, found->index);
}
