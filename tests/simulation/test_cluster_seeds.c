// Many members that come, go, freeze and answer late, by chance: no partition is ever held by two that are heard of, and in the
// end each is held by one. With an argument: one seed.
#include "proto/random.h"
#include "tests/simulation/cluster_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 64, PARTITIONS = 64, SEEDS = 30, TURNS = 300, TURN_MS = 100, SESSION_MS = 2000, CALM_TURNS = 200 };

struct member {
    struct client client;       // source NULL: not there
    int64_t heard_ms;           // of its last poll
    int64_t frozen_ms;          // not polled before
    bool was_silent;            // for too long, and has not answered to that
    enum rf_source_event event; // to be answered; RF_SOURCE_IDLE: none
};

struct crowd {
    struct simulated_cluster *cluster;
    struct member members[MEMBERS];
    struct rf_random random;
    bool is_eager, is_calm;
    uint64_t records;
    char instances[MEMBERS][16];
};

static bool by_chance(struct crowd *crowd, uint64_t one_in) {
    return rf_random_below(&crowd->random, one_in) == 0;
}

static void join(struct crowd *crowd, size_t index) {
    static char cards[] = "cards", *list[] = {cards};
    static const struct rf_texts topics = {list, 1};
    struct member *member = &crowd->members[index];
    struct simulated_member options = {
            .topics = &topics, .group = "fleet", .session_ms = SESSION_MS, .is_eager = crowd->is_eager};
    options.instance = index % 3 ? crowd->instances[index] : NULL;
    client_init(&member->client, simulated_cluster_member(crowd->cluster, &options));
    member->heard_ms = member->frozen_ms = simulated_cluster_now(crowd->cluster);
    member->was_silent = false;
    member->event = RF_SOURCE_IDLE;
}

static void answer(struct member *member) {
    if (member->event == RF_SOURCE_ASSIGNED) {
        client_assign(&member->client);
    } else {
        rf_source_unassign(member->client.source);
    }
    member->was_silent &= member->event == RF_SOURCE_REVOKED;
    member->event = RF_SOURCE_IDLE;
}

static void live(struct crowd *crowd, struct member *member) {
    struct client *client = &member->client;
    if (member->event != RF_SOURCE_IDLE && (crowd->is_calm || by_chance(crowd, 3))) {
        answer(member);
    }
    client->seen_count = 0;
    enum rf_source_event event = client_poll(client);
    assert_int_equal(client->status, RF_OK);
    int64_t now_ms = simulated_cluster_now(crowd->cluster);
    member->was_silent |= now_ms - member->heard_ms > SESSION_MS;
    member->heard_ms = now_ms;
    crowd->records += client->seen_count;
    if (event == RF_SOURCE_ASSIGNED || event == RF_SOURCE_REVOKED || event == RF_SOURCE_LOST) {
        assert_int_equal(member->event, RF_SOURCE_IDLE);
        member->event = event;
        // What is told of lies in memory of the source, until the next poll: so assignments are answered at once.
        if (event == RF_SOURCE_ASSIGNED) {
            answer(member);
        }
    }
}

static void take_turn(struct crowd *crowd, size_t index) {
    struct member *member = &crowd->members[index];
    int64_t now_ms = simulated_cluster_now(crowd->cluster);
    if (!member->client.source) {
        if (crowd->is_calm || by_chance(crowd, 40)) {
            join(crowd, index);
        }
    } else if (!crowd->is_calm && by_chance(crowd, 200)) {
        if (by_chance(crowd, 2)) {
            client_leave(&member->client);
        } else {
            client_die(&member->client);
        }
    } else if (!crowd->is_calm && by_chance(crowd, 300)) {
        member->frozen_ms = now_ms + (int64_t)rf_random_below(&crowd->random, 3 * SESSION_MS);
    } else if (now_ms >= member->frozen_ms || crowd->is_calm) {
        live(crowd, member);
    }
}

static void assert_held_once(const struct crowd *crowd, bool is_end) {
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        int holders = 0;
        for (size_t i = 0; i < MEMBERS; i++) {
            const struct member *member = &crowd->members[i];
            bool is_heard = simulated_cluster_now(crowd->cluster) - member->heard_ms <= SESSION_MS && !member->was_silent;
            holders += member->client.source && is_heard && simulated_cluster_holds(member->client.source, "cards", partition);
        }
        assert_in_range(holders, is_end, 1);
    }
}

static void live_through(struct crowd *crowd, int turns) {
    for (int turn = 0; turn < turns; turn++) {
        simulated_cluster_advance(crowd->cluster, simulated_cluster_now(crowd->cluster) + TURN_MS);
        simulated_cluster_produce(crowd->cluster, "cards", turn % PARTITIONS, (struct rf_text){0}, rf_text_of("a"), 7);
        for (size_t i = 0; i < MEMBERS; i++) {
            take_turn(crowd, i);
        }
        assert_held_once(crowd, false);
    }
}

static void run_seed(uint64_t seed) {
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    crowd->cluster = simulated_cluster_create(seed);
    crowd->is_eager = seed % 4 == 3;
    rf_random_init(&crowd->random, seed);
    simulated_cluster_add_topic(crowd->cluster, "cards", PARTITIONS);
    for (size_t i = 0; i < MEMBERS; i++) {
        snprintf(crowd->instances[i], sizeof crowd->instances[i], "i%02zu", i);
    }
    live_through(crowd, TURNS);
    crowd->is_calm = true;
    if (crowd->members[0].client.source) { // one that comes as new: a round, for what instances left behind
        client_leave(&crowd->members[0].client);
    }
    live_through(crowd, CALM_TURNS);
    assert_held_once(crowd, true);
    for (size_t i = 0; i < MEMBERS; i++) {
        client_leave(&crowd->members[i].client);
    }
    simulated_cluster_destroy(crowd->cluster);
    assert_true(crowd->records > TURNS / 2);
    free(crowd);
}

static const char *wanted;

static void no_partition_is_held_by_two_that_are_heard_of(void **state) {
    (void)state;
    uint64_t first = wanted ? strtoull(wanted, NULL, 10) : 0, last = wanted ? first : SEEDS - 1;
    for (uint64_t seed = first; seed <= last; seed++) {
        run_seed(seed);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(no_partition_is_held_by_two_that_are_heard_of),
    };
    wanted = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
