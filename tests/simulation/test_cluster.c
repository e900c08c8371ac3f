// The simulated cluster's logs and transactions.
#include "proto/random.h"
#include "tests/simulation/cluster_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 10000 };

// A topic of input with two partitions, one of deltas, and who reads it.
struct scene {
    struct simulated_cluster *cluster;
    struct client reader;
};

static void open_scene(struct scene *scene, uint64_t seed) {
    scene->cluster = simulated_cluster_create(seed);
    simulated_cluster_add_topic(scene->cluster, "cards", 2);
    simulated_cluster_add_topic(scene->cluster, "deltas", 1);
    client_init(&scene->reader, simulated_cluster_log(scene->cluster, "deltas"));
}

static int make_scene(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    open_scene(scene, 1);
    *state = scene;
    return 0;
}

static int drop_scene(void **state) {
    struct scene *scene = *state;
    client_leave(&scene->reader);
    simulated_cluster_destroy(scene->cluster);
    free(scene);
    return 0;
}

#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, make_scene, drop_scene)

static void produce(struct scene *scene, const char *topic, int32_t partition, const char *value) {
    simulated_cluster_produce(scene->cluster, topic, partition, (struct rf_text){0}, rf_text_of(value), 7);
}

static struct rf_transaction *open_transaction(struct scene *scene, const char *id) {
    struct rf_transaction *transaction = simulated_cluster_transaction(scene->cluster, id, TIMEOUT_MS);
    struct rf_error err;
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    return transaction;
}

static enum rf_outcome send_record(struct rf_transaction *transaction, const char *value) {
    struct rf_transaction_record record = {.topic = "deltas", .key = rf_text_of("k"), .value = rf_text_of(value)};
    struct rf_transaction_contents contents = {.records = &record, .count = 1};
    enum rf_outcome outcome;
    struct rf_error err;
    enum rf_status status = rf_transaction_send(transaction, &contents, 0, &outcome, &err);
    assert_true(status == RF_OK || strlen(err.text) > 10);
    return outcome;
}

static enum rf_outcome commit(struct rf_transaction *transaction) {
    enum rf_outcome outcome;
    struct rf_error err;
    enum rf_status status = rf_transaction_commit(transaction, 0, &outcome, &err);
    assert_true(status == RF_OK || strlen(err.text) > 10);
    return outcome;
}

static enum rf_outcome abort_it(struct rf_transaction *transaction) {
    enum rf_outcome outcome;
    struct rf_error err;
    enum rf_status status = rf_transaction_abort(transaction, 0, &outcome, &err);
    assert_true(status == RF_OK || strlen(err.text) > 10);
    return outcome;
}

static void commit_record(struct rf_transaction *transaction, const char *value) {
    assert_int_equal(send_record(transaction, value), RF_OUTCOME_OPEN);
    assert_int_equal(commit(transaction), RF_OUTCOME_COMMITTED);
}

// What a reader sees of the deltas, one after the other.
static void assert_log(const struct scene *scene, const char *expected) {
    char text[256] = "";
    const struct rf_record *record;
    for (int64_t offset = 0; (record = simulated_cluster_next(scene->cluster, "deltas", 0, &offset)) != NULL;) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s@%d", text[0] ? " " : "", (int)record->value.size,
                 record->value.data, (int)record->offset);
    }
    assert_string_equal(text, expected);
}

static void a_log_is_read_from_its_beginning_and_as_it_grows(void **state) {
    struct scene *scene = *state;
    produce(scene, "deltas", 0, "a");
    produce(scene, "deltas", 0, "b");
    client_read(&scene->reader);
    assert_int_equal(scene->reader.seen_count, 2);
    produce(scene, "deltas", 0, "c");
    client_read(&scene->reader);
    assert_int_equal(scene->reader.seen_count, 3);
    assert_string_equal(scene->reader.seen[2].value, "c");
    assert_int_equal(scene->reader.seen[2].offset, 2);
    int64_t end;
    rf_source_ends(scene->reader.source, &end);
    assert_int_equal(end, 3);
}

static void what_is_committed_is_seen_and_what_is_aborted_never(void **state) {
    struct scene *scene = *state;
    struct rf_transaction *transaction = open_transaction(scene, "one");
    commit_record(transaction, "a");
    assert_int_equal(send_record(transaction, "b"), RF_OUTCOME_OPEN);
    assert_int_equal(abort_it(transaction), RF_OUTCOME_ABORTED);
    commit_record(transaction, "c");
    assert_log(scene, "a@0 c@4"); // markers have offsets of their own
    assert_int_equal(simulated_cluster_end(scene->cluster, "deltas", 0), 6);
    client_read(&scene->reader);
    assert_int_equal(scene->reader.seen_count, 2);
    assert_int_equal(scene->reader.seen[1].offset, 4);
    assert_false(client_saw(&scene->reader, "b"));
    rf_transaction_destroy(transaction);
}

static void readers_stop_at_an_open_transaction(void **state) {
    struct scene *scene = *state;
    struct rf_transaction *one = open_transaction(scene, "one"), *other = open_transaction(scene, "other");
    produce(scene, "deltas", 0, "a");
    assert_int_equal(send_record(one, "b"), RF_OUTCOME_OPEN);
    commit_record(other, "c");
    produce(scene, "deltas", 0, "d");
    assert_log(scene, "a@0");
    assert_int_equal(simulated_cluster_stable_end(scene->cluster, "deltas", 0), 1);
    assert_int_equal(simulated_cluster_end(scene->cluster, "deltas", 0), 5);
    assert_false(simulated_cluster_is_settled(scene->cluster));
    client_read(&scene->reader);
    assert_int_equal(scene->reader.seen_count, 1);
    assert_int_equal(commit(one), RF_OUTCOME_COMMITTED);
    assert_log(scene, "a@0 b@1 c@2 d@4");
    assert_true(simulated_cluster_is_settled(scene->cluster));
    client_read(&scene->reader);
    assert_int_equal(scene->reader.seen_count, 4);
    rf_transaction_destroy(one);
    rf_transaction_destroy(other);
}

static void who_opens_an_id_fences_the_former_holder_and_aborts_what_he_left(void **state) {
    struct scene *scene = *state;
    struct rf_transaction *former = open_transaction(scene, "one");
    assert_int_equal(send_record(former, "a"), RF_OUTCOME_OPEN);
    struct rf_transaction *next = open_transaction(scene, "one");
    assert_int_equal(commit(former), RF_OUTCOME_FENCED);
    commit_record(next, "b");
    assert_log(scene, "b@2");
    struct rf_error err;
    assert_int_equal(rf_transaction_open(former, 0, &err), RF_OK); // the same the other way round
    assert_int_equal(send_record(next, "c"), RF_OUTCOME_FENCED);
    rf_transaction_destroy(former);
    rf_transaction_destroy(next);
}

static void a_former_holder_is_fenced_when_he_sends(void **state) {
    struct scene *scene = *state;
    struct rf_transaction *former = open_transaction(scene, "one"), *next = open_transaction(scene, "one");
    assert_int_equal(send_record(former, "a"), RF_OUTCOME_FENCED);
    commit_record(next, "b");
    assert_log(scene, "b@0");
    rf_transaction_destroy(former);
    rf_transaction_destroy(next);
}

static void what_a_dead_client_left_open_is_aborted_by_the_first_sweep_after_its_timeout(void **state) {
    struct scene *scene = *state;
    struct rf_transaction *transaction = open_transaction(scene, "one");
    simulated_cluster_advance(scene->cluster, 5000);
    assert_int_equal(send_record(transaction, "a"), RF_OUTCOME_OPEN);
    rf_transaction_destroy(transaction);
    produce(scene, "deltas", 0, "b");
    simulated_cluster_advance(scene->cluster, 10000); // a sweep, but too early
    simulated_cluster_advance(scene->cluster, 19999); // late enough, but no sweep
    assert_log(scene, "");
    simulated_cluster_advance(scene->cluster, 20000);
    assert_log(scene, "b@1");
}

static void a_transaction_that_took_too_long_is_not_known_to_be_fenced(void **state) {
    struct scene *scene = *state;
    simulated_cluster_set_sweep(scene->cluster, 100);
    struct rf_transaction *transaction = open_transaction(scene, "one");
    assert_int_equal(send_record(transaction, "a"), RF_OUTCOME_OPEN);
    simulated_cluster_advance(scene->cluster, TIMEOUT_MS + 200);
    assert_int_equal(commit(transaction), RF_OUTCOME_UNKNOWN);
    assert_log(scene, "");
    struct rf_error err;
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    commit_record(transaction, "b");
    assert_log(scene, "b@2");
    rf_transaction_destroy(transaction);
}

static void a_commit_without_an_answer_may_have_been_made_or_not(void **state) {
    struct scene *scene = *state;
    struct rf_error err;
    struct rf_transaction *transaction = open_transaction(scene, "one");
    simulated_cluster_fault_next(scene->cluster, SIMULATED_COMMIT_MADE, 1);
    assert_int_equal(send_record(transaction, "a"), RF_OUTCOME_OPEN);
    assert_int_equal(commit(transaction), RF_OUTCOME_UNKNOWN);
    assert_log(scene, "a@0");
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    simulated_cluster_fault_next(scene->cluster, SIMULATED_COMMIT_NOT_MADE, 1);
    assert_int_equal(send_record(transaction, "b"), RF_OUTCOME_OPEN);
    assert_int_equal(commit(transaction), RF_OUTCOME_UNKNOWN);
    produce(scene, "deltas", 0, "c");
    assert_log(scene, "a@0"); // it stands open still
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    assert_log(scene, "a@0 c@3");
    rf_transaction_destroy(transaction);
}

static void a_commit_on_its_way_arrives_unless_the_id_is_opened_before(void **state) {
    struct scene *scene = *state;
    struct rf_error err;
    struct rf_transaction *transaction = open_transaction(scene, "one");
    simulated_cluster_fault_next(scene->cluster, SIMULATED_COMMIT_LATE, 2);
    assert_int_equal(send_record(transaction, "a"), RF_OUTCOME_OPEN);
    assert_int_equal(commit(transaction), RF_OUTCOME_UNKNOWN);
    assert_log(scene, "");
    simulated_cluster_advance(scene->cluster, 1000);
    assert_log(scene, "a@0");
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    assert_int_equal(send_record(transaction, "b"), RF_OUTCOME_OPEN);
    assert_int_equal(commit(transaction), RF_OUTCOME_UNKNOWN);
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    assert_int_equal(send_record(transaction, "c"), RF_OUTCOME_OPEN); // nor does it commit what comes after
    simulated_cluster_advance(scene->cluster, 2000);
    assert_log(scene, "a@0");
    assert_int_equal(abort_it(transaction), RF_OUTCOME_ABORTED);
    assert_true(simulated_cluster_is_settled(scene->cluster));
    rf_transaction_destroy(transaction);
}

static void a_send_may_fail_and_leaves_nothing(void **state) {
    struct scene *scene = *state;
    struct rf_error err;
    struct rf_transaction *transaction = open_transaction(scene, "one");
    simulated_cluster_fault_next(scene->cluster, SIMULATED_SEND_ABORTED, 20);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(send_record(transaction, "a"), RF_OUTCOME_ABORTED);
        assert_true(simulated_cluster_is_settled(scene->cluster));
    }
    simulated_cluster_fault_next(scene->cluster, SIMULATED_SEND_UNANSWERED, 20);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(send_record(transaction, "b"), RF_OUTCOME_UNKNOWN);
        assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    }
    struct rf_transaction_record record = {.topic = "no such", .value = rf_text_of("c")};
    struct rf_transaction_contents contents = {.records = &record, .count = 1};
    enum rf_outcome outcome;
    assert_int_equal(rf_transaction_send(transaction, &contents, 0, &outcome, &err), RF_IO);
    assert_int_equal(outcome, RF_OUTCOME_ABORTED);
    simulated_cluster_set_record_bytes(scene->cluster, 3);
    record = (struct rf_transaction_record){.topic = "deltas", .key = rf_text_of("two"), .value = rf_text_of("c")};
    assert_int_equal(rf_transaction_send(transaction, &contents, 0, &outcome, &err), RF_FULL);
    assert_int_equal(outcome, RF_OUTCOME_ABORTED);
    assert_true(simulated_cluster_is_settled(scene->cluster));
    commit_record(transaction, "d");
    simulated_cluster_fault_next(scene->cluster, SIMULATED_COMMIT_ABORTED, 1);
    assert_int_equal(send_record(transaction, "e"), RF_OUTCOME_OPEN);
    assert_int_equal(commit(transaction), RF_OUTCOME_ABORTED);
    simulated_cluster_fault_next(scene->cluster, SIMULATED_ABORT_UNANSWERED, 1);
    assert_int_equal(send_record(transaction, "f"), RF_OUTCOME_OPEN);
    assert_int_equal(abort_it(transaction), RF_OUTCOME_UNKNOWN);
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    client_read(&scene->reader);
    assert_int_equal(scene->reader.seen_count, 1);
    assert_true(client_saw(&scene->reader, "d"));
    rf_transaction_destroy(transaction);
}

static void a_commit_may_be_made_before_one_is_fenced(void **state) {
    struct scene *scene = *state;
    struct rf_transaction *transaction = open_transaction(scene, "one");
    simulated_cluster_fault_next(scene->cluster, SIMULATED_COMMIT_FENCED, 1);
    assert_int_equal(send_record(transaction, "a"), RF_OUTCOME_OPEN);
    assert_int_equal(commit(transaction), RF_OUTCOME_FENCED);
    assert_log(scene, "a@0");
    rf_transaction_destroy(transaction);
}

static void an_opening_without_an_answer_fences_all_the_same(void **state) {
    struct scene *scene = *state;
    struct rf_error err;
    struct rf_transaction *former = open_transaction(scene, "one");
    assert_int_equal(send_record(former, "a"), RF_OUTCOME_OPEN);
    struct rf_transaction *next = simulated_cluster_transaction(scene->cluster, "one", TIMEOUT_MS);
    simulated_cluster_fault_next(scene->cluster, SIMULATED_OPEN_UNANSWERED, 1);
    assert_int_equal(rf_transaction_open(next, 0, &err), RF_IO);
    assert_int_equal(commit(former), RF_OUTCOME_FENCED);
    assert_int_equal(rf_transaction_open(next, 0, &err), RF_OK);
    commit_record(next, "b");
    assert_log(scene, "b@2");
    rf_transaction_destroy(former);
    rf_transaction_destroy(next);
}

static void a_client_that_is_cut_off_knows_of_no_outcome(void **state) {
    struct scene *scene = *state;
    struct rf_error err;
    struct rf_transaction *transaction = open_transaction(scene, "one");
    assert_int_equal(send_record(transaction, "a"), RF_OUTCOME_OPEN);
    simulated_cluster_cut_off_transaction(transaction, true);
    assert_int_equal(commit(transaction), RF_OUTCOME_UNKNOWN);
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_IO);
    simulated_cluster_cut_off_transaction(transaction, false);
    assert_int_equal(rf_transaction_open(transaction, 0, &err), RF_OK);
    assert_log(scene, "");
    simulated_cluster_fault_next(scene->cluster, SIMULATED_AWAY, 1);
    assert_int_equal(send_record(transaction, "b"), RF_OUTCOME_UNKNOWN);
    assert_int_equal(simulated_cluster_end(scene->cluster, "deltas", 0), 2);
    rf_transaction_destroy(transaction);
}

// Offsets of one partition, as nobody of the group, with a record.
static enum rf_outcome send_offsets(struct rf_transaction *transaction, int64_t next) {
    struct rf_transaction_record record = {.topic = "deltas", .value = rf_text_of("delta")};
    struct rf_transaction_contents contents = {.records = &record, .count = 1, .note = "worker"};
    struct rf_positions offsets;
    enum rf_outcome outcome;
    struct rf_error err;
    size_t index;
    uint8_t *group = simulated_cluster_nobody("fleet", &contents.group_size);
    rf_positions_init(&offsets);
    assert_int_equal(rf_positions_add(&offsets, "cards", 1, &index), RF_OK);
    offsets.list[0].next_offset = next;
    contents.offsets = &offsets;
    contents.group = group;
    (void)!rf_transaction_send(transaction, &contents, 0, &outcome, &err);
    rf_positions_finish(&offsets);
    free(group);
    return outcome;
}

static enum rf_status ask_committed(struct rf_source *of, int64_t *next_out) {
    struct rf_positions positions;
    struct rf_error err;
    size_t index;
    char note[32];
    rf_positions_init(&positions);
    assert_int_equal(rf_positions_add(&positions, "cards", 1, &index), RF_OK);
    enum rf_status status = rf_source_committed(of, &positions, note, sizeof note, &err);
    *next_out = positions.list[0].next_offset;
    assert_string_equal(status || *next_out < 0 ? "worker" : note, "worker");
    rf_positions_finish(&positions);
    return status;
}

static void offsets_are_committed_with_the_transaction(void **state) {
    struct scene *scene = *state;
    struct rf_source *of =
            simulated_cluster_reader(scene->cluster, &(struct simulated_reader){.topics = TOPICS("cards"), .group = "fleet"});
    struct rf_transaction *transaction = open_transaction(scene, "one");
    const char *note;
    int64_t next;
    assert_int_equal(send_offsets(transaction, 5), RF_OUTCOME_OPEN);
    assert_int_equal(simulated_cluster_committed(scene->cluster, "fleet", "cards", 1, NULL), -1);
    assert_int_equal(ask_committed(of, &next), RF_IO); // until it is known what becomes of them
    assert_true(of->is_temporary);
    assert_int_equal(abort_it(transaction), RF_OUTCOME_ABORTED);
    assert_int_equal(ask_committed(of, &next), RF_OK);
    assert_int_equal(next, RF_OFFSET_NONE);
    assert_int_equal(send_offsets(transaction, 7), RF_OUTCOME_OPEN);
    assert_int_equal(commit(transaction), RF_OUTCOME_COMMITTED);
    assert_int_equal(simulated_cluster_committed(scene->cluster, "fleet", "cards", 1, &note), 7);
    assert_string_equal(note, "worker");
    assert_int_equal(ask_committed(of, &next), RF_OK);
    assert_int_equal(next, 7);
    rf_transaction_destroy(transaction);
    rf_source_destroy(of);
}

static void what_is_committed_may_be_seen_here_before_it_is_there(void **state) {
    struct scene *scene = *state;
    struct rf_source *of =
            simulated_cluster_reader(scene->cluster, &(struct simulated_reader){.topics = TOPICS("cards"), .group = "fleet"});
    struct rf_transaction *transaction = open_transaction(scene, "one");
    int64_t next;
    assert_int_equal(send_offsets(transaction, 5), RF_OUTCOME_OPEN);
    simulated_cluster_fault_next(scene->cluster, SIMULATED_MARKER_LATE, 1); // the log's, not that of the offsets
    assert_int_equal(commit(transaction), RF_OUTCOME_COMMITTED);
    assert_log(scene, "");
    assert_false(simulated_cluster_is_settled(scene->cluster));
    assert_int_equal(ask_committed(of, &next), RF_OK);
    assert_int_equal(next, 5);
    simulated_cluster_advance(scene->cluster, 1000);
    assert_log(scene, "delta@0");
    simulated_cluster_fault_next(scene->cluster, SIMULATED_MARKER_LATE, 2);
    assert_int_equal(send_offsets(transaction, 6), RF_OUTCOME_OPEN);
    assert_int_equal(commit(transaction), RF_OUTCOME_COMMITTED);
    assert_int_equal(ask_committed(of, &next), RF_IO);
    commit_record(transaction, "next"); // waits for it
    assert_log(scene, "delta@0 delta@2 next@4");
    assert_int_equal(ask_committed(of, &next), RF_OK);
    assert_int_equal(next, 6);
    rf_transaction_destroy(transaction);
    rf_source_destroy(of);
}

static void a_reader_without_the_brokers_fails_for_a_while(void **state) {
    struct scene *scene = *state;
    struct client *reader = &scene->reader;
    client_read(reader);
    produce(scene, "deltas", 0, "a");
    simulated_cluster_fault_next(scene->cluster, SIMULATED_AWAY, 2);
    for (int i = 0; i < 2; i++) {
        client_poll(reader);
        assert_int_equal(reader->status, RF_IO);
        assert_true(reader->source->is_temporary);
    }
    simulated_cluster_cut_off(reader->source, true);
    client_poll(reader);
    assert_int_equal(reader->status, RF_IO);
    assert_int_equal(client_poll(reader), RF_SOURCE_IDLE); // told once
    assert_int_equal(reader->status, RF_OK);
    simulated_cluster_cut_off(reader->source, false);
    client_read(reader);
    assert_true(client_saw(reader, "a"));
}

static void polls_may_repeat_what_they_gave(void **state) {
    struct scene *scene = *state;
    simulated_cluster_fault(scene->cluster, SIMULATED_POLL_REPEATS, 3);
    for (int i = 0; i < 100; i++) {
        produce(scene, "deltas", 0, "a");
    }
    client_read(&scene->reader);
    assert_in_range(scene->reader.seen_count, 101, 500);
    bool has_gap = false;
    int64_t last = -1;
    for (size_t i = 0; i < scene->reader.seen_count; i++) {
        has_gap |= scene->reader.seen[i].offset > last + 1;
        last = scene->reader.seen[i].offset;
    }
    assert_false(has_gap);
    assert_int_equal(last, 99);
}

static void a_position_is_judged_and_taken_up(void **state) {
    struct scene *scene = *state;
    struct rf_transaction *transaction = open_transaction(scene, "one");
    struct rf_error err;
    struct rf_holding holding;
    commit_record(transaction, "a");
    commit_record(transaction, "b");
    client_await(&scene->reader, RF_SOURCE_ASSIGNED);
    int64_t offset = 2;
    uint64_t fingerprint = rf_record_fingerprint(simulated_cluster_next(scene->cluster, "deltas", 0, &offset));
    struct rf_position position = {.topic = (char[]){"deltas"}, .next_offset = 3, .fingerprint = fingerprint};
    struct rf_positions positions = {&position, 1, 1};
    assert_int_equal(rf_source_look(scene->reader.source, &positions, &holding, &err), RF_OK);
    assert_true(holding.has_last);
    assert_int_equal(holding.fingerprint, fingerprint);
    assert_int_equal(holding.end, 4);
    position.next_offset = 2; // behind a marker
    assert_int_equal(rf_source_look(scene->reader.source, &positions, &holding, &err), RF_OK);
    assert_false(holding.has_last);
    position.next_offset = 5;
    assert_int_equal(rf_source_assign(scene->reader.source, &positions, &err), RF_CONFLICT);
    simulated_cluster_cut(scene->cluster, "deltas", 0, 2);
    position.next_offset = 1;
    assert_int_equal(rf_source_assign(scene->reader.source, &positions, &err), RF_CONFLICT);
    position.next_offset = 3;
    assert_int_equal(rf_positions_copy(&scene->reader.positions, &positions), RF_OK);
    assert_int_equal(rf_source_assign(scene->reader.source, &scene->reader.positions, &err), RF_OK);
    client_read(&scene->reader);
    assert_int_equal(scene->reader.seen_count, 1); // the one before, for its fingerprint
    assert_true(client_saw(&scene->reader, "b"));
    rf_transaction_destroy(transaction);
}

static void a_reader_until_the_end_stops_where_that_was(void **state) {
    struct scene *scene = *state;
    struct rf_transaction *transaction = open_transaction(scene, "one");
    struct client until;
    client_init(&until, simulated_cluster_reader(scene->cluster, &(struct simulated_reader){.topics = TOPICS("deltas", "cards"),
                                                                                            .until_end = true}));
    produce(scene, "cards", 1, "a");
    commit_record(transaction, "b");
    assert_int_equal(send_record(transaction, "c"), RF_OUTCOME_OPEN);
    client_await(&until, RF_SOURCE_ASSIGNED);
    client_assign(&until);
    produce(scene, "cards", 1, "d");
    client_read(&until); // waits for the one that stands open
    assert_int_equal(until.seen_count, 2);
    assert_int_equal(commit(transaction), RF_OUTCOME_COMMITTED);
    client_await(&until, RF_SOURCE_END);
    assert_int_equal(until.seen_count, 3);
    assert_false(client_saw(&until, "d"));
    client_leave(&until);
    rf_transaction_destroy(transaction);
}

static void a_reader_learns_of_more_partitions_when_it_asks(void **state) {
    struct scene *scene = *state;
    struct client *reader = &scene->reader;
    client_read(reader);
    simulated_cluster_add_topic(scene->cluster, "deltas", 3);
    produce(scene, "deltas", 2, "a");
    client_read(reader);
    assert_int_equal(reader->seen_count, 0);
    assert_int_equal(rf_source_refresh(reader->source, &reader->err), RF_OK);
    client_await(reader, RF_SOURCE_ASSIGNED);
    assert_int_equal(reader->told->count, 3);
    rf_source_unassign(reader->source);
    client_read(reader);
    assert_true(client_saw(reader, "a"));
}

static void a_topic_that_is_not_there_is_told(void **state) {
    struct scene *scene = *state;
    struct client lost;
    client_init(&lost, simulated_cluster_log(scene->cluster, "no such"));
    client_poll(&lost);
    assert_int_equal(lost.status, RF_NOT_FOUND);
    assert_string_equal(lost.err.text, "topic no such is not there");
    client_leave(&lost);
}

// Everything by chance at once, a life as a text.
static void live_by_chance(uint64_t seed, char *story, size_t size) {
    struct scene scene;
    struct rf_random random;
    open_scene(&scene, seed);
    rf_random_init(&random, seed);
    for (int fault = 0; fault < SIMULATED_FAULTS; fault++) {
        simulated_cluster_fault(scene.cluster, (enum simulated_fault)fault, 5);
    }
    struct rf_transaction *transaction = simulated_cluster_transaction(scene.cluster, "one", 300);
    bool is_open = false;
    for (int turn = 0; turn < 300; turn++) {
        struct rf_error err;
        simulated_cluster_advance(scene.cluster, 50LL * turn);
        produce(&scene, "deltas", 0, "plain");
        is_open = is_open || rf_transaction_open(transaction, 0, &err) == RF_OK;
        enum rf_outcome outcome = is_open ? send_record(transaction, "open") : RF_OUTCOME_UNKNOWN;
        outcome = outcome != RF_OUTCOME_OPEN    ? outcome
                  : rf_random_below(&random, 3) ? commit(transaction)
                                                : abort_it(transaction);
        is_open &= outcome != RF_OUTCOME_UNKNOWN;
        is_open &= outcome != RF_OUTCOME_FENCED;
        snprintf(story + strlen(story), size - strlen(story), "%d", (int)outcome);
    }
    rf_transaction_destroy(transaction);
    simulated_cluster_advance(scene.cluster, 1000000);
    simulated_cluster_advance(scene.cluster, 2000000);
    assert_true(simulated_cluster_is_settled(scene.cluster));
    assert_int_equal(simulated_cluster_stable_end(scene.cluster, "deltas", 0), simulated_cluster_end(scene.cluster, "deltas", 0));
    for (int64_t offset = 0; simulated_cluster_next(scene.cluster, "deltas", 0, &offset);) {
        snprintf(story + strlen(story), size - strlen(story), " %d", (int)offset);
    }
    client_leave(&scene.reader);
    simulated_cluster_destroy(scene.cluster);
}

static void the_same_seed_gives_the_same(void **state) {
    (void)state;
    static char first[8192], again[8192], other[8192];
    first[0] = again[0] = other[0] = '\0';
    live_by_chance(11, first, sizeof first);
    live_by_chance(11, again, sizeof again);
    live_by_chance(12, other, sizeof other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_SCENE(a_log_is_read_from_its_beginning_and_as_it_grows),
            IN_SCENE(what_is_committed_is_seen_and_what_is_aborted_never),
            IN_SCENE(readers_stop_at_an_open_transaction),
            IN_SCENE(who_opens_an_id_fences_the_former_holder_and_aborts_what_he_left),
            IN_SCENE(a_former_holder_is_fenced_when_he_sends),
            IN_SCENE(what_a_dead_client_left_open_is_aborted_by_the_first_sweep_after_its_timeout),
            IN_SCENE(a_transaction_that_took_too_long_is_not_known_to_be_fenced),
            IN_SCENE(a_commit_without_an_answer_may_have_been_made_or_not),
            IN_SCENE(a_commit_on_its_way_arrives_unless_the_id_is_opened_before),
            IN_SCENE(a_send_may_fail_and_leaves_nothing),
            IN_SCENE(a_commit_may_be_made_before_one_is_fenced),
            IN_SCENE(an_opening_without_an_answer_fences_all_the_same),
            IN_SCENE(a_client_that_is_cut_off_knows_of_no_outcome),
            IN_SCENE(offsets_are_committed_with_the_transaction),
            IN_SCENE(what_is_committed_may_be_seen_here_before_it_is_there),
            IN_SCENE(a_reader_without_the_brokers_fails_for_a_while),
            IN_SCENE(polls_may_repeat_what_they_gave),
            IN_SCENE(a_position_is_judged_and_taken_up),
            IN_SCENE(a_reader_until_the_end_stops_where_that_was),
            IN_SCENE(a_reader_learns_of_more_partitions_when_it_asks),
            IN_SCENE(a_topic_that_is_not_there_is_told),
            cmocka_unit_test(the_same_seed_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
