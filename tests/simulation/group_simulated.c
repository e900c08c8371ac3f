// The coordinator of groups. Members have seats; a round shares the partitions out among them, and a generation is what it came
// to. A seat is taken away from who is not heard of for longer than its session.
#include "tests/simulation/cluster_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct simulated_group *simulated_group_find(const struct simulated_cluster *cluster, const char *name) {
    for (size_t i = 0; i < cluster->group_count; i++) {
        if (strcmp(cluster->groups[i]->name, name) == 0) {
            return cluster->groups[i];
        }
    }
    return NULL;
}

struct simulated_group *simulated_group_of(struct simulated_cluster *cluster, const char *name) {
    const struct simulated_group *found = simulated_group_find(cluster, name);
    if (found) {
        return (struct simulated_group *)(uintptr_t)found;
    }
    struct simulated_group *group = simulated_allocate(sizeof *group);
    group->cluster = cluster;
    group->name = simulated_copy(name);
    cluster->groups = simulated_room(cluster->groups, cluster->group_count, &cluster->group_capacity, sizeof(void *));
    cluster->groups[cluster->group_count++] = group;
    return group;
}

struct simulated_share *simulated_group_share(struct simulated_group *group, size_t partition) {
    size_t count = group->cluster->partition_count;
    assert(partition < count);
    if (group->share_count < count) {
        group->shares = realloc(group->shares, count * sizeof *group->shares);
        if (!group->shares) {
            abort();
        }
        for (; group->share_count < count; group->share_count++) {
            group->shares[group->share_count] = (struct simulated_share){.offset = -1};
        }
    }
    return &group->shares[partition];
}

void simulated_group_put(struct simulated_group *group, size_t partition, int64_t offset, const char *note) {
    struct simulated_share *share = simulated_group_share(group, partition);
    free(share->note);
    share->offset = offset;
    share->note = simulated_copy(note ? note : "");
}

struct simulated_seat *simulated_group_seat(const struct simulated_group *group, uint64_t id) {
    for (size_t i = 0; i < group->seat_count; i++) {
        if (group->seats[i]->id == id) {
            return group->seats[i];
        }
    }
    return NULL;
}

struct simulated_seat *simulated_group_instance(const struct simulated_group *group, const char *instance) {
    for (size_t i = 0; i < group->seat_count && instance; i++) {
        if (group->seats[i]->instance && strcmp(group->seats[i]->instance, instance) == 0) {
            return group->seats[i];
        }
    }
    return NULL;
}

// -- Rounds -----------------------------------------------------------------------------------------------------------------

// Those that did not join keep what they were given: nobody knows whether they read it.
static void end_round(struct simulated_group *group) {
    for (size_t i = 0; i < group->share_count; i++) {
        struct simulated_share *share = &group->shares[i];
        share->claim = share->target && !share->target->has_joined ? share->target : share->claim;
    }
    simulated_group_share_out(group);
    group->generation++;
    group->rounds++;
    group->is_sharing_out = false;
    for (size_t i = 0; i < group->seat_count; i++) {
        group->seats[i]->has_news = true;
        group->seats[i]->was_skipped = !group->seats[i]->has_joined;
    }
}

static void check_round(struct simulated_group *group) {
    if (group->is_sharing_out && group->joined_count == group->seat_count) {
        end_round(group);
    }
}

void simulated_group_begin_round(struct simulated_group *group) {
    if (group->is_sharing_out) {
        return;
    }
    int64_t longest_ms = 0;
    group->is_sharing_out = true;
    group->joined_count = 0;
    for (size_t i = 0; i < group->seat_count; i++) {
        group->seats[i]->has_joined = false;
        longest_ms = group->seats[i]->rebalance_ms > longest_ms ? group->seats[i]->rebalance_ms : longest_ms;
    }
    for (size_t i = 0; i < group->cluster->partition_count; i++) {
        simulated_group_share(group, i)->claim = NULL;
    }
    group->answer_by_ms = group->cluster->now_ms + longest_ms;
}

void simulated_group_join(struct simulated_group *group, struct simulated_seat *seat) {
    assert(group->is_sharing_out);
    assert(!seat->has_joined);
    seat->has_joined = true;
    group->joined_count++;
    check_round(group);
}

// -- Seats ------------------------------------------------------------------------------------------------------------------

void simulated_group_hear(struct simulated_group *group, struct simulated_seat *seat) {
    seat->expires_ms = group->cluster->now_ms + seat->session_ms;
    group->expires_ms = group->expires_ms < seat->expires_ms ? group->expires_ms : seat->expires_ms;
}

static void lose_client(struct simulated_seat *seat) {
    if (seat->client) {
        *seat->client = NULL;
    }
}

// The seat of an instance goes to another client, and with it what it was given. Nothing begins by that.
static void hand_over(struct simulated_group *group, struct simulated_seat *seat, struct simulated_seat **client) {
    lose_client(seat);
    seat->client = client;
    *client = seat;
    seat->has_news = true;
    seat->was_skipped = false;
    if (!group->is_sharing_out) {
        return;
    }
    for (size_t i = 0; i < group->share_count; i++) {
        group->shares[i].claim = group->shares[i].claim == seat ? NULL : group->shares[i].claim;
    }
    if (!seat->has_joined) {
        simulated_group_join(group, seat);
    }
}

void simulated_group_enter(struct simulated_group *group, const struct simulated_member *options,
                           struct simulated_seat **client) {
    assert(group->seat_count == 0 || group->is_eager == options->is_eager);
    group->is_eager = options->is_eager;
    struct simulated_seat *seat = simulated_group_instance(group, options->instance);
    if (seat) {
        seat->id = ++group->cluster->members;
        simulated_texts_finish(&seat->topics);
        seat->topics = simulated_texts_copy(options->topics);
        simulated_group_hear(group, seat);
        hand_over(group, seat, client);
        return;
    }
    simulated_group_begin_round(group);
    seat = simulated_allocate(sizeof *seat);
    *seat = (struct simulated_seat){.id = ++group->cluster->members,
                                    .instance = options->instance ? simulated_copy(options->instance) : NULL,
                                    .client = client,
                                    .topics = simulated_texts_copy(options->topics),
                                    .session_ms = options->session_ms,
                                    .rebalance_ms = options->rebalance_ms};
    group->seats = simulated_room(group->seats, group->seat_count, &group->seat_capacity, sizeof(void *));
    group->expires_ms = group->seat_count ? group->expires_ms : INT64_MAX;
    group->seats[group->seat_count++] = seat;
    int64_t answer_by_ms = group->cluster->now_ms + options->rebalance_ms;
    group->answer_by_ms = answer_by_ms > group->answer_by_ms ? answer_by_ms : group->answer_by_ms;
    *client = seat;
    simulated_group_hear(group, seat);
    simulated_group_join(group, seat);
}

// Without what else there is to do when a member goes.
static void take_away(struct simulated_group *group, size_t index) {
    struct simulated_seat *seat = group->seats[index];
    lose_client(seat);
    group->joined_count -= group->is_sharing_out && seat->has_joined;
    group->seats[index] = group->seats[--group->seat_count];
    for (size_t i = 0; i < group->share_count; i++) {
        struct simulated_share *share = &group->shares[i];
        share->target = share->target == seat ? NULL : share->target;
        share->claim = share->claim == seat ? NULL : share->claim;
    }
    simulated_texts_finish(&seat->topics);
    free(seat->instance);
    free(seat);
}

void simulated_group_leave(struct simulated_group *group, struct simulated_seat *seat) {
    size_t index = 0;
    while (group->seats[index] != seat) {
        index++;
    }
    take_away(group, index);
    simulated_group_begin_round(group);
    check_round(group);
}

static void expire(struct simulated_group *group) {
    bool is_less = false;
    group->expires_ms = INT64_MAX;
    for (size_t i = 0; i < group->seat_count;) {
        int64_t expires_ms = group->seats[i]->expires_ms;
        if (expires_ms < group->cluster->now_ms) {
            take_away(group, i);
            is_less = true;
        } else {
            group->expires_ms = group->expires_ms < expires_ms ? group->expires_ms : expires_ms;
            i++;
        }
    }
    if (is_less) {
        simulated_group_begin_round(group);
        check_round(group);
    }
}

// Who has no instance loses his seat for not having answered, others do not; without anybody there is no round.
static void wait_no_longer(struct simulated_group *group) {
    for (size_t i = 0; i < group->seat_count;) {
        if (group->seats[i]->has_joined || group->seats[i]->instance) {
            i++;
        } else {
            take_away(group, i);
        }
    }
    if (group->joined_count > 0 || group->seat_count == 0) {
        end_round(group);
    }
}

void simulated_group_advance(struct simulated_group *group) {
    if (group->seat_count > 0 && group->expires_ms < group->cluster->now_ms) {
        expire(group);
    }
    if (group->is_sharing_out && group->answer_by_ms < group->cluster->now_ms) {
        wait_no_longer(group);
    }
}

void simulated_group_destroy(struct simulated_group *group) {
    while (group->seat_count > 0) {
        take_away(group, 0);
    }
    for (size_t i = 0; i < group->share_count; i++) {
        free(group->shares[i].note);
    }
    free(group->shares);
    free(group->seats);
    free(group->name);
    free(group);
}

// -- Metadata ---------------------------------------------------------------------------------------------------------------

void simulated_membership_write(struct simulated_membership membership, const char *group, uint8_t **bytes_out,
                                size_t *size_out) {
    size_t name_size = strlen(group) + 1;
    uint8_t *bytes = simulated_allocate(sizeof membership + name_size);
    memcpy(bytes, &membership, sizeof membership);
    memcpy(bytes + sizeof membership, group, name_size);
    *bytes_out = bytes;
    *size_out = sizeof membership + name_size;
}

uint8_t *simulated_cluster_nobody(const char *group, size_t *size_out) {
    uint8_t *bytes;
    simulated_membership_write((struct simulated_membership){.generation = -1}, group, &bytes, size_out);
    return bytes;
}

enum rf_status simulated_membership_check(struct simulated_cluster *cluster, const uint8_t *bytes, size_t size,
                                          struct simulated_group **group_out, struct rf_error *err) {
    struct simulated_membership membership;
    if (size <= sizeof membership || bytes[size - 1] != '\0') {
        return rf_fail(err, RF_INVALID, "the metadata of the group has %zu bytes and is none", size);
    }
    memcpy(&membership, bytes, sizeof membership);
    struct simulated_group *group = simulated_group_of(cluster, (const char *)bytes + sizeof membership);
    *group_out = group;
    if (membership.generation < 0 && membership.member == 0) {
        return RF_OK; // nothing is asked, for the sake of clients that are older than generations in transactions
    }
    if (!simulated_group_seat(group, membership.member)) {
        return rf_fail(err, RF_CONFLICT, "member %llu is not in group %s", (unsigned long long)membership.member, group->name);
    }
    return membership.generation == group->generation
                   ? RF_OK
                   : rf_fail(err, RF_CONFLICT, "generation %lld of group %s is not the one of now, %lld",
                             (long long)membership.generation, group->name, (long long)group->generation);
}
