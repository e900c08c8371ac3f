// Positions in a log of Kafka: whether it holds them, what stands there, and how they are committed.
#include "tests/ingest/fixture_kafka.h"
#include "tests/ingest/source_fixture.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>

static void names_a_position_that_the_log_does_not_hold(void **state) {
    struct world *world = *state;
    add_topic(world, "short", 1);
    add_topic(world, "cut", 1);
    produce(world, "short", 0, "a b");
    enum { LARGE = 900000, COUNT = 8 }; // the broker keeps 5 MiB
    char *large = calloc(1, LARGE);
    for (int i = 0; i < COUNT; i++) {
        produce_sized(world->producer, "cut", 0, NULL, large, LARGE, 1);
        flush_records(world->producer); // one set each: the broker drops whole sets
    }
    free(large);

    struct settings settings;
    settings_init(&settings, world->servers, "short");
    settings_add(&settings, "cut");
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    struct rf_error err;
    expect_assigned(source, &positions);
    positions.list[0].next_offset = 500;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_CONFLICT);
    assert_string_equal(err.text, "offset 500 of short [0] is beyond the end: the log holds 0 to 2: was the topic made anew?");
    assert_false(source->is_temporary);

    positions.list[0].next_offset = 2;
    positions.list[1].next_offset = 1;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_CONFLICT);
    int first = -1;
    assert_int_equal(sscanf(err.text, "offset 1 of cut [0] is no longer there: the log holds %d to 8", &first), 1);
    assert_in_range(first, 2, 4);

    positions.list[1].next_offset = first; // exactly where the log begins: the record before is not asked for
    positions.list[1].fingerprint = 42;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

// What a look tells of one record is what reading it tells; a look may come as often as is liked.
static void looks_at_the_last_records_of_all_partitions(void **state) {
    struct world *world = *state;
    add_topic(world, "looked", 3);
    produce(world, "looked", 0, "a b c");
    produce(world, "looked", 1, "d");
    struct settings settings;
    settings_init(&settings, world->servers, "looked");
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    struct rf_holding holdings[4];
    struct rf_error err;
    struct rf_poll want = want_all();
    struct loan loan;
    loan_init(&loan);
    assign_all(source, &positions);
    want.has_partition = true;
    want.records_max = 2;
    while (poll_source(source, &want, &loan) != RF_SOURCE_RECORDS) {
    }
    assert_int_equal(loan.records.count, 2);
    uint64_t fingerprint = rf_record_fingerprint(&loan.list[1]);
    rf_source_release(source, &loan.records);
    rf_source_unassign(source);
    rf_positions_finish(&positions);

    expect_assigned(source, &positions);
    positions.list[0].next_offset = 2;
    positions.list[0].fingerprint = 1; // whatever was learned: the caller compares
    positions.list[1].next_offset = 5;
    positions.list[1].fingerprint = 1;
    size_t index;
    assert_int_equal(rf_positions_add(&positions, "left out", 0, &index), RF_OK);
    positions.list[index].next_offset = 7;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(rf_source_look(source, &positions, holdings, &err), RF_OK);
        assert_int_equal(holdings[0].first, 0);
        assert_int_equal(holdings[0].end, 3);
        assert_true(holdings[0].has_last);
        assert_true(holdings[0].fingerprint == fingerprint);
        assert_int_equal(holdings[1].end, 1);
        assert_false(holdings[1].has_last);
        assert_int_equal(holdings[2].end, -1); // nothing is known of it
        assert_int_equal(holdings[3].end, -1); // nobody reads it
    }
    char text[256];
    want = want_all();
    positions.list[1].next_offset = 0;
    positions.list[1].fingerprint = 0;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    assert_int_equal(read_records(source, &want, 3, text, sizeof text), 3); // "b" once more, "c" and "d"
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void keeps_committed_offsets_and_the_note_beside_them(void **state) {
    struct world *world = *state;
    add_topic(world, "noted", 2);
    struct settings settings;
    settings_init(&settings, world->servers, "noted");
    settings_set(&settings, "group.id", "fraud");
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions, committed;
    struct rf_error err = {0};
    char note[64] = "untouched";
    expect_assigned(source, &positions);
    rf_positions_init(&committed);
    assert_int_equal(rf_positions_copy(&committed, &positions), RF_OK);
    assert_int_equal(rf_source_committed(source, &committed, note, sizeof note, &err), RF_OK);
    assert_int_equal(committed.list[0].next_offset, RF_OFFSET_NONE);
    assert_int_equal(committed.list[1].next_offset, RF_OFFSET_NONE);
    assert_string_equal(note, "");

    positions.list[1].next_offset = 17; // of the other one nothing was applied
    assert_int_equal(rf_source_commit(source, &positions, "worker 7", &err), RF_OK);
    assert_int_equal(rf_source_committed(source, &committed, note, sizeof note, &err), RF_OK);
    assert_int_equal(committed.list[0].next_offset, RF_OFFSET_NONE);
    assert_int_equal(committed.list[1].next_offset, 17);
    assert_string_equal(note, "worker 7");

    char shorter[4];
    assert_int_equal(rf_source_committed(source, &committed, shorter, sizeof shorter, &err), RF_OK);
    assert_string_equal(shorter, "wor");
    rf_positions_finish(&positions);
    rf_positions_finish(&committed);
    rf_source_destroy(source);
}

// Two topics were read, one of them is gone from the settings and from the broker.
static void leaves_positions_of_other_topics_alone(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "kept", 2, 1);
    introduce(cluster.world.producer, "kept");
    produce(&cluster.world, "kept", 0, "a b c");
    produce(&cluster.world, "kept", 1, "d");
    rd_kafka_mock_topic_set_error(cluster.mock, "gone", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "kept");
    settings_set(&settings, "group.id", "fraud");
    settings.options.until_end = true;
    struct rf_source *source = create_source(&settings);
    struct rf_positions offered, positions;
    struct rf_error err = {0};
    expect_assigned(source, &offered);
    rf_positions_init(&positions);
    static const struct {
        const char *topic;
        int32_t partition;
        int64_t next_offset;
    } all[] = {{"gone", 0, 70}, {"kept", 1, RF_OFFSET_NONE}, {"gone", 1, RF_OFFSET_NONE}, {"kept", 0, 1}, {"gone", 2, 0}};
    for (size_t i = 0; i < 5; i++) {
        size_t index;
        assert_int_equal(rf_positions_add(&positions, all[i].topic, all[i].partition, &index), RF_OK);
        positions.list[i].next_offset = all[i].next_offset;
    }
    if (rf_source_assign(source, &positions, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    static const int64_t assigned[] = {70, 0, RF_OFFSET_NONE, 1, 0};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(positions.list[i].next_offset, assigned[i]);
    }

    static struct loan loan;
    enum rf_source_event event;
    const struct rf_positions *partitions;
    struct rf_poll want = want_all();
    want.has_partition = true;
    want.partition = 2;
    loan_init(&loan);
    assert_int_equal(rf_source_poll(source, &want, &loan.records, &event, &partitions, &err), RF_CONFLICT);
    assert_string_equal(err.text,
                        "the recorded order goes on with records of gone [1], but source.topics does not name gone: name "
                        "it once more, until a snapshot covers them");
    assert_false(source->is_temporary);

    char text[256];
    want = want_all();
    assert_int_equal(read_records(source, &want, 100, text, sizeof text), 3); // and no more: the end
    assert_non_null(strstr(text, "3@1=b 3@2=c "));
    assert_non_null(strstr(text, "1@0=d "));
    int64_t end[5];
    rf_source_ends(source, end);
    static const int64_t ends[] = {70, 1, RF_OFFSET_NONE, 3, 0};
    assert_memory_equal(end, ends, sizeof ends);

    positions.list[1].next_offset = 1;
    positions.list[3].next_offset = 3;
    assert_int_equal(rf_source_commit(source, &positions, "worker 7", &err), RF_OK);
    rf_source_destroy(source);
    rd_kafka_mock_topic_set_error(cluster.mock, "gone", RD_KAFKA_RESP_ERR_NO_ERROR); // it is made anew
    rd_kafka_mock_topic_create(cluster.mock, "gone", 3, 1);
    static const int64_t committed[] = {RF_OFFSET_NONE, 1, RF_OFFSET_NONE, 3, RF_OFFSET_NONE};
    for (int round = 0; round < 2; round++) { // asked without it, then with it
        source = create_source(&settings);
        char note[64];
        assert_int_equal(rf_source_committed(source, &positions, note, sizeof note, &err), RF_OK);
        assert_string_equal(note, "worker 7");
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(positions.list[i].next_offset, committed[i]);
            positions.list[i].next_offset = 5;
        }
        rf_source_destroy(source);
        settings_add(&settings, "gone");
    }
    rf_positions_finish(&offered);
    rf_positions_finish(&positions);
    cluster_finish(&cluster);
}

static void commits_nothing_without_a_group(void **state) {
    struct world *world = *state;
    add_topic(world, "alone", 1);
    struct settings settings;
    settings_init(&settings, world->servers, "alone");
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    struct rf_error err = {0};
    expect_assigned(source, &positions);
    positions.list[0].next_offset = 1;
    assert_int_equal(rf_source_commit(source, &positions, "", &err), RF_INVALID);
    assert_string_equal(err.text, "kafka.group.id is not set, must name the group whose offsets are committed");
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void says_that_the_embedded_broker_knows_no_times(void **state) {
    struct world *world = *state;
    add_topic(world, "timed", 1);
    struct settings settings;
    settings_init(&settings, world->servers, "timed");
    settings.options.start = RF_START_TIME;
    settings.options.start_time_ms = 1522540831000;
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    struct rf_error err = {0};
    expect_assigned(source, &positions);
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_UNSUPPORTED);
    assert_string_equal(err.text, "the embedded broker cannot look up times, start must be earliest or latest there");
    positions.list[0].next_offset = 0; // a known position needs no time
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(names_a_position_that_the_log_does_not_hold),
            cmocka_unit_test(looks_at_the_last_records_of_all_partitions),
            cmocka_unit_test(keeps_committed_offsets_and_the_note_beside_them),
            cmocka_unit_test(leaves_positions_of_other_topics_alone),
            cmocka_unit_test(commits_nothing_without_a_group),
            cmocka_unit_test(says_that_the_embedded_broker_knows_no_times),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
