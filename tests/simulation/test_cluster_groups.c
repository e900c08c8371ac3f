// The simulated cluster's groups.
#include "proto/random.h"
#include "tests/simulation/cluster_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 4, SESSION_MS = 6000, REBALANCE_MS = 60000, CLIENTS = 3 };

struct scene {
    struct simulated_cluster *cluster;
    struct client clients[CLIENTS];
    struct simulated_member options; // of those that join
};

static int make_scene(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    static char cards[] = "cards";
    static char *list[] = {cards};
    static const struct rf_texts topics = {list, 1};
    assert_non_null(scene);
    scene->cluster = simulated_cluster_create(3);
    simulated_cluster_add_topic(scene->cluster, "cards", PARTITIONS);
    scene->options = (struct simulated_member){
            .topics = &topics, .group = "fleet", .session_ms = SESSION_MS, .rebalance_ms = REBALANCE_MS};
    *state = scene;
    return 0;
}

static int drop_scene(void **state) {
    struct scene *scene = *state;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (scene->clients[i].source) {
            client_leave(&scene->clients[i]);
        }
    }
    simulated_cluster_destroy(scene->cluster);
    free(scene);
    return 0;
}

#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, make_scene, drop_scene)

static struct client *join(struct scene *scene, size_t index, const char *instance) {
    struct client *client = &scene->clients[index];
    scene->options.instance = instance;
    client_init(client, simulated_cluster_member(scene->cluster, &scene->options));
    return client;
}

// All clients that live read until nothing more happens.
static void settle(struct scene *scene) {
    for (size_t turn = 0; turn < 4; turn++) {
        for (size_t i = 0; i < CLIENTS; i++) {
            if (scene->clients[i].source) {
                client_read(&scene->clients[i]);
            }
        }
    }
}

// Time passes, while the others are polled.
static void pass(struct scene *scene, int64_t ms, const struct client *frozen) {
    for (int64_t step = 1000; ms > 0; ms -= step) {
        simulated_cluster_advance(scene->cluster, simulated_cluster_now(scene->cluster) + (ms < step ? ms : step));
        for (size_t i = 0; i < CLIENTS; i++) {
            if (scene->clients[i].source && &scene->clients[i] != frozen) {
                client_read(&scene->clients[i]);
            }
        }
    }
}

static int held_by(const struct client *client) {
    int count = 0;
    for (int32_t i = 0; i < PARTITIONS; i++) {
        count += simulated_cluster_holds(client->source, "cards", i);
    }
    return count;
}

static struct simulated_group_report report_of(const struct scene *scene) {
    struct simulated_group_report report;
    simulated_cluster_group(scene->cluster, "fleet", &report);
    return report;
}

static void produce_everywhere(struct scene *scene, const char *value) {
    for (int32_t i = 0; i < PARTITIONS; i++) {
        simulated_cluster_produce(scene->cluster, "cards", i, (struct rf_text){0}, rf_text_of(value), 7);
    }
}

static void expect_seen(const struct client *client, size_t count) {
    assert_int_equal(client->seen_count, count);
}

static void a_member_alone_reads_everything(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL);
    produce_everywhere(scene, "a");
    client_await(one, RF_SOURCE_ASSIGNED);
    assert_int_equal(one->told->count, PARTITIONS);
    assert_int_equal(held_by(one), 0);
    assert_int_equal(client_poll(one), RF_SOURCE_IDLE); // nothing before the answer
    client_assign(one);
    client_read(one);
    assert_int_equal(held_by(one), PARTITIONS);
    expect_seen(one, PARTITIONS);
    assert_int_equal(report_of(scene).generation, 1);
    assert_int_equal(report_of(scene).members, 1);
}

static void cooperative_members_keep_reading_what_they_keep(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL);
    settle(scene);
    struct client *two = join(scene, 1, NULL);
    client_read(two);
    assert_int_equal(held_by(two), 0);
    client_await(one, RF_SOURCE_REVOKED);
    assert_int_equal(one->told->count, PARTITIONS / 2);
    produce_everywhere(scene, "a");
    for (int i = 0; i < 50; i++) { // not answered
        assert_in_range(client_poll(one), RF_SOURCE_RECORDS, RF_SOURCE_IDLE);
        client_read(two);
    }
    assert_in_range(one->seen_count, 0, PARTITIONS / 2);
    expect_seen(two, 0); // nobody has them yet
    assert_int_equal(held_by(one), PARTITIONS);
    rf_source_unassign(one->source);
    settle(scene);
    assert_int_equal(held_by(one), PARTITIONS / 2);
    assert_int_equal(held_by(two), PARTITIONS / 2);
    expect_seen(one, PARTITIONS / 2);
    expect_seen(two, PARTITIONS / 2);
}

static void eager_members_give_away_all_first(void **state) {
    struct scene *scene = *state;
    scene->options.is_eager = true;
    struct client *one = join(scene, 0, "b");
    settle(scene);
    struct client *two = join(scene, 1, "a");
    client_read(two);
    client_await(one, RF_SOURCE_REVOKED);
    assert_int_equal(one->told->count, PARTITIONS);
    client_read(two);
    assert_true(report_of(scene).is_sharing_out); // waits for the answer
    assert_int_equal(held_by(two), 0);
    rf_source_unassign(one->source);
    settle(scene);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        assert_int_equal(simulated_cluster_holds(two->source, "cards", i), i < PARTITIONS / 2);
        assert_int_equal(simulated_cluster_holds(one->source, "cards", i), i >= PARTITIONS / 2);
    }
}

static void who_does_not_answer_is_waited_for_no_longer_than_he_said(void **state) {
    struct scene *scene = *state;
    scene->options.is_eager = true;
    struct client *one = join(scene, 0, NULL);
    settle(scene);
    struct client *two = join(scene, 1, NULL);
    client_read(two);
    client_await(one, RF_SOURCE_REVOKED);
    for (int64_t ms = 0; ms < REBALANCE_MS; ms += 1000) {
        client_poll(one);
        pass(scene, 1000, one);
    }
    assert_int_equal(held_by(two), 0);
    client_poll(one);
    pass(scene, 1000, one);
    assert_int_equal(held_by(two), PARTITIONS);
    client_poll(one); // lets the one go that it was told of, and joins again
    rf_source_unassign(one->source);
    settle(scene);
    assert_int_equal(held_by(one), PARTITIONS / 2);
}

static void who_is_not_heard_of_loses_everything_and_is_told_first(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL), *two = join(scene, 1, NULL);
    settle(scene);
    pass(scene, SESSION_MS, one);
    assert_int_equal(held_by(two), PARTITIONS / 2);
    pass(scene, 1000, one);
    assert_int_equal(held_by(two), PARTITIONS);
    assert_int_equal(held_by(one), PARTITIONS / 2); // as far as it knows
    assert_int_equal(report_of(scene).members, 1);
    assert_int_equal(client_poll(one), RF_SOURCE_LOST);
    assert_int_equal(one->told->count, PARTITIONS / 2);
    produce_everywhere(scene, "a");
    assert_int_equal(client_poll(one), RF_SOURCE_IDLE);
    rf_source_unassign(one->source);
    settle(scene);
    assert_int_equal(held_by(one), PARTITIONS / 2);
    assert_int_equal(held_by(two), PARTITIONS / 2);
}

static void what_waits_to_be_answered_is_lost_after_the_answer(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL);
    settle(scene);
    struct client *two = join(scene, 1, NULL);
    client_read(two);
    client_await(one, RF_SOURCE_REVOKED);
    pass(scene, SESSION_MS + 1000, one);
    assert_int_equal(held_by(two), PARTITIONS);
    assert_int_equal(client_poll(one), RF_SOURCE_IDLE);
    rf_source_unassign(one->source);
    client_await(one, RF_SOURCE_LOST);
    assert_int_equal(one->told->count, PARTITIONS / 2);
    rf_source_unassign(one->source);
    settle(scene);
    assert_int_equal(held_by(one), PARTITIONS / 2);
}

static void who_leaves_well_is_gone_at_once_and_who_is_killed_when_its_session_is_over(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL), *two = join(scene, 1, NULL), *three = join(scene, 2, NULL);
    settle(scene);
    client_leave(three);
    settle(scene);
    assert_int_equal(held_by(one) + held_by(two), PARTITIONS);
    client_die(one);
    settle(scene);
    assert_int_equal(held_by(two), PARTITIONS / 2);
    pass(scene, SESSION_MS + 1000, NULL);
    assert_int_equal(held_by(two), PARTITIONS);
}

static void an_instance_that_comes_back_has_its_partitions_and_nobody_notices(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, "one"), *two = join(scene, 1, "two");
    settle(scene);
    struct simulated_group_report before = report_of(scene);
    bool had[PARTITIONS];
    for (int32_t i = 0; i < PARTITIONS; i++) {
        had[i] = simulated_cluster_holds(one->source, "cards", i);
    }
    for (int times = 0; times < 3; times++) {
        if (times == 1) {
            client_leave(one); // which says nothing either
        } else {
            client_die(one);
        }
        pass(scene, SESSION_MS - 1000, NULL);
        join(scene, 0, "one");
        settle(scene);
        for (int32_t i = 0; i < PARTITIONS; i++) {
            assert_int_equal(simulated_cluster_holds(one->source, "cards", i), had[i]);
        }
    }
    assert_int_equal(report_of(scene).generation, before.generation);
    client_die(one);
    pass(scene, SESSION_MS + 1000, NULL);
    assert_int_equal(held_by(two), PARTITIONS);
}

static void a_second_one_of_an_instance_fences_the_first(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, "one");
    settle(scene);
    struct client *two = join(scene, 1, "one");
    client_await(two, RF_SOURCE_ASSIGNED);
    client_assign(two);
    for (int i = 0; i < 3; i++) {
        client_poll(one);
        assert_int_equal(one->status, RF_BUSY);
        assert_false(one->source->is_temporary);
    }
    assert_string_equal(one->err.text, "another member of group fleet is instance one");
    client_leave(one);
    settle(scene);
    assert_int_equal(held_by(two), PARTITIONS);
}

// Also when the first was not heard of for so long that the second one found the place empty.
static void a_frozen_one_of_an_instance_finds_itself_fenced(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, "one");
    settle(scene);
    pass(scene, SESSION_MS + 1000, one);
    struct client *two = join(scene, 1, "one");
    client_read(two);
    client_poll(one);
    assert_int_equal(one->status, RF_BUSY);
    client_leave(one);
    assert_int_equal(held_by(two), PARTITIONS);
}

// An instance is not removed for being late to answer, but the others go on without it.
static void a_round_goes_on_without_a_silent_instance(void **state) {
    struct scene *scene = *state;
    scene->options.session_ms = 10 * REBALANCE_MS;
    struct client *one = join(scene, 0, "one");
    settle(scene);
    struct client *two = join(scene, 1, "two");
    client_read(two);
    pass(scene, REBALANCE_MS + 1000, one);
    assert_false(report_of(scene).is_sharing_out);
    assert_int_equal(report_of(scene).members, 2);
    assert_int_equal(held_by(two), 0); // the other has all of them, as far as anybody knows
    assert_int_equal(client_poll(one), RF_SOURCE_LOST);
    rf_source_unassign(one->source);
    settle(scene);
    assert_int_equal(held_by(one), PARTITIONS / 2);
    assert_int_equal(held_by(two), PARTITIONS / 2);
}

// As on the real brokers: nobody knows that the round it died in was to go on.
static void what_an_instance_was_giving_away_when_it_died_nobody_has_until_the_next_round(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, "one");
    settle(scene);
    struct client *two = join(scene, 1, "two");
    client_read(two);
    client_await(one, RF_SOURCE_REVOKED);
    client_die(one);
    join(scene, 0, "one");
    settle(scene);
    assert_int_equal(held_by(one), PARTITIONS / 2);
    assert_int_equal(held_by(two), 0);
    struct client *three = join(scene, 2, "three");
    settle(scene);
    assert_int_equal(held_by(one) + held_by(two) + held_by(three), PARTITIONS);
}

static void more_partitions_are_shared_out(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL), *two = join(scene, 1, NULL);
    settle(scene);
    simulated_cluster_add_topic(scene->cluster, "cards", PARTITIONS + 2);
    settle(scene);
    for (int32_t i = PARTITIONS; i < PARTITIONS + 2; i++) {
        assert_int_equal(simulated_cluster_holds(one->source, "cards", i) + simulated_cluster_holds(two->source, "cards", i), 1);
    }
}

static void members_of_several_topics_get_only_what_they_read(void **state) {
    struct scene *scene = *state;
    simulated_cluster_add_topic(scene->cluster, "refunds", 3);
    struct client *one = join(scene, 0, NULL);
    scene->options.topics = TOPICS("refunds", "cards");
    struct client *two = join(scene, 1, NULL);
    settle(scene);
    assert_int_equal(held_by(one) + held_by(two), PARTITIONS);
    for (int32_t i = 0; i < 3; i++) {
        assert_true(simulated_cluster_holds(two->source, "refunds", i));
    }
}

static void a_member_that_is_cut_off_knows_when_its_session_is_over(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL), *two = join(scene, 1, NULL);
    settle(scene);
    simulated_cluster_cut_off(one->source, true);
    client_poll(one);
    assert_int_equal(one->status, RF_IO);
    assert_true(one->source->is_temporary);
    produce_everywhere(scene, "a");
    pass(scene, SESSION_MS, NULL);
    assert_int_equal(held_by(one), PARTITIONS / 2);
    expect_seen(one, 0);
    pass(scene, 1000, one);
    assert_int_equal(client_poll(one), RF_SOURCE_LOST);
    rf_source_unassign(one->source);
    assert_int_equal(client_poll(one), RF_SOURCE_IDLE);
    assert_int_equal(held_by(two), PARTITIONS);
    simulated_cluster_cut_off(one->source, false);
    settle(scene);
    assert_int_equal(held_by(one), PARTITIONS / 2);
}

// -- Offsets ----------------------------------------------------------------------------------------------------------------

static void give_position(struct client *client, int32_t partition, int64_t next, struct rf_positions *positions_out) {
    size_t index;
    (void)client;
    rf_positions_init(positions_out);
    assert_int_equal(rf_positions_add(positions_out, "cards", partition, &index), RF_OK);
    positions_out->list[0].next_offset = next;
}

static enum rf_status commit_one(struct client *client, int32_t partition, int64_t next) {
    struct rf_positions positions;
    give_position(client, partition, next, &positions);
    enum rf_status status = rf_source_commit(client->source, &positions, "me", &client->err);
    rf_positions_finish(&positions);
    return status;
}

static int64_t committed(const struct scene *scene, int32_t partition) {
    return simulated_cluster_committed(scene->cluster, "fleet", "cards", partition, NULL);
}

struct metadata {
    uint8_t *bytes;
    size_t size;
};

static struct metadata metadata_of(struct client *client) {
    struct metadata metadata;
    assert_int_equal(rf_source_group(client->source, &metadata.bytes, &metadata.size, &client->err), RF_OK);
    return metadata;
}

// In a transaction of its own. Frees the metadata.
static enum rf_outcome commit_with(struct scene *scene, struct metadata metadata, int32_t partition, int64_t next) {
    struct rf_transaction *transaction = simulated_cluster_transaction(scene->cluster, "id", 10000);
    struct rf_positions positions;
    struct rf_error err;
    enum rf_outcome outcome;
    give_position(NULL, partition, next, &positions);
    const struct rf_transaction_contents contents = {
            .offsets = &positions, .note = "me", .group = metadata.bytes, .group_size = metadata.size};
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    if (rf_transaction_send(transaction, &contents, 0, &outcome, &err) == RF_OK) {
        assert_int_equal(rf_transaction_commit(transaction, 0, &outcome, &err), RF_OK);
    }
    rf_transaction_destroy(transaction);
    rf_positions_finish(&positions);
    free(metadata.bytes);
    return outcome;
}

static void offsets_are_committed_for_the_group(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL), *two = join(scene, 1, NULL);
    settle(scene);
    assert_int_equal(commit_one(one, 1, 5), RF_OK);
    assert_int_equal(committed(scene, 1), 5);
    assert_int_equal(committed(scene, 0), -1);
    char note[16];
    struct rf_positions positions;
    give_position(two, 1, 0, &positions);
    assert_int_equal(rf_source_committed(two->source, &positions, note, sizeof note, &two->err), RF_OK);
    assert_int_equal(positions.list[0].next_offset, 5);
    assert_string_equal(note, "me");
    rf_positions_finish(&positions);
    simulated_cluster_fault_next(scene->cluster, SIMULATED_OFFSETS_UNANSWERED, 1);
    assert_int_equal(commit_one(one, 1, 6), RF_IO);
    assert_in_range(committed(scene, 1), 5, 6);
    scene->options.instance = NULL;
    struct client stranger;
    client_init(&stranger, simulated_cluster_reader(scene->cluster, &(struct simulated_reader){.topics = scene->options.topics,
                                                                                               .group = "fleet"}));
    assert_int_equal(commit_one(&stranger, 0, 5), RF_IO); // there are members
    client_leave(&stranger);
}

static void offsets_of_a_past_generation_are_refused_but_ownership_is_not_asked_for(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL);
    settle(scene);
    assert_int_equal(commit_with(scene, metadata_of(one), 0, 1), RF_OUTCOME_COMMITTED);
    struct metadata stale = metadata_of(one);
    struct client *two = join(scene, 1, NULL);
    client_read(two);
    client_await(one, RF_SOURCE_REVOKED);
    int32_t leaving = one->told->list[0].partition;
    assert_int_equal(commit_with(scene, stale, leaving, 2), RF_OUTCOME_ABORTED);
    assert_int_equal(commit_with(scene, metadata_of(one), leaving, 3), RF_OUTCOME_COMMITTED);
    rf_source_unassign(one->source);
    settle(scene);
    assert_true(simulated_cluster_holds(two->source, "cards", leaving));
    assert_int_equal(commit_with(scene, metadata_of(one), leaving, 4), RF_OUTCOME_COMMITTED);
    assert_int_equal(committed(scene, leaving), 4);
}

// With the eager protocol the generation is the old one until what was revoked is given away.
static void metadata_of_before_serves_until_an_eager_member_answered(void **state) {
    struct scene *scene = *state;
    scene->options.is_eager = true;
    struct client *one = join(scene, 0, NULL);
    settle(scene);
    struct metadata early = metadata_of(one), late = metadata_of(one);
    struct client *two = join(scene, 1, NULL);
    client_read(two);
    client_await(one, RF_SOURCE_REVOKED);
    assert_int_equal(commit_with(scene, early, 0, 1), RF_OUTCOME_COMMITTED);
    rf_source_unassign(one->source);
    settle(scene);
    assert_int_equal(commit_with(scene, late, 0, 2), RF_OUTCOME_ABORTED);
}

static void who_lost_its_seat_commits_nothing(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL);
    uint8_t *bytes;
    size_t size;
    simulated_cluster_cut_off(one->source, true);
    assert_int_equal(rf_source_group(one->source, &bytes, &size, &one->err), RF_AGAIN);
    simulated_cluster_cut_off(one->source, false);
    settle(scene);
    struct metadata early = metadata_of(one);
    join(scene, 1, NULL);
    settle(scene);
    pass(scene, SESSION_MS + 1000, one);
    assert_int_equal(commit_one(one, 0, 5), RF_IO);
    assert_int_equal(commit_with(scene, early, 0, 5), RF_OUTCOME_ABORTED);
    assert_int_equal(rf_source_group(one->source, &bytes, &size, &one->err), RF_AGAIN);
    assert_int_equal(committed(scene, 0), -1);
}

// It learns of it only when it has answered, and goes by what it knows; the brokers do not.
static void who_lost_its_seat_while_it_was_to_answer_does_not_know(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL);
    settle(scene);
    struct client *two = join(scene, 1, NULL);
    client_read(two);
    client_await(one, RF_SOURCE_REVOKED);
    pass(scene, SESSION_MS + 1000, one);
    assert_int_equal(commit_with(scene, metadata_of(one), 0, 5), RF_OUTCOME_ABORTED);
    rf_source_unassign(one->source);
    uint8_t *bytes;
    size_t size;
    assert_int_equal(rf_source_group(one->source, &bytes, &size, &one->err), RF_AGAIN);
    assert_int_equal(client_poll(one), RF_SOURCE_LOST);
}

// What is under way in the background shows in the metadata before polls tell of it.
static void metadata_may_be_ahead_of_the_polls(void **state) {
    struct scene *scene = *state;
    struct client *one = join(scene, 0, NULL);
    settle(scene);
    struct client *two = join(scene, 1, NULL);
    client_poll(two);
    assert_int_equal(commit_with(scene, metadata_of(one), 0, 1), RF_OUTCOME_COMMITTED);
    assert_int_equal(report_of(scene).generation, 2);
    assert_int_equal(held_by(one), PARTITIONS);
    assert_int_equal(client_poll(one), RF_SOURCE_REVOKED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_SCENE(a_member_alone_reads_everything),
            IN_SCENE(cooperative_members_keep_reading_what_they_keep),
            IN_SCENE(eager_members_give_away_all_first),
            IN_SCENE(who_does_not_answer_is_waited_for_no_longer_than_he_said),
            IN_SCENE(who_is_not_heard_of_loses_everything_and_is_told_first),
            IN_SCENE(what_waits_to_be_answered_is_lost_after_the_answer),
            IN_SCENE(who_leaves_well_is_gone_at_once_and_who_is_killed_when_its_session_is_over),
            IN_SCENE(an_instance_that_comes_back_has_its_partitions_and_nobody_notices),
            IN_SCENE(a_second_one_of_an_instance_fences_the_first),
            IN_SCENE(a_frozen_one_of_an_instance_finds_itself_fenced),
            IN_SCENE(a_round_goes_on_without_a_silent_instance),
            IN_SCENE(what_an_instance_was_giving_away_when_it_died_nobody_has_until_the_next_round),
            IN_SCENE(more_partitions_are_shared_out),
            IN_SCENE(members_of_several_topics_get_only_what_they_read),
            IN_SCENE(a_member_that_is_cut_off_knows_when_its_session_is_over),
            IN_SCENE(offsets_are_committed_for_the_group),
            IN_SCENE(offsets_of_a_past_generation_are_refused_but_ownership_is_not_asked_for),
            IN_SCENE(metadata_of_before_serves_until_an_eager_member_answered),
            IN_SCENE(who_lost_its_seat_commits_nothing),
            IN_SCENE(who_lost_its_seat_while_it_was_to_answer_does_not_know),
            IN_SCENE(metadata_may_be_ahead_of_the_polls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
