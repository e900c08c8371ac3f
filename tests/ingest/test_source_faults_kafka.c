// What a source of Kafka refuses, and what it tells of a broker or a topic that is away, cut or deleted.
#include "ingest/kafka.h"
#include "tests/ingest/fixture_kafka.h"
#include "tests/ingest/source_fixture.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <string.h>

enum { KAFKA_FETCH = 1, KAFKA_OFFSET_COMMIT = 8, BROKER_ID = 1 };

static void refuses_properties_that_would_break_its_promises(void **state) {
    struct world *world = *state;
    static const struct {
        const char *name, *value, *sentence;
    } refused[] = {
            {"enable.auto.commit", "true",
             "kafka.enable.auto.commit is true, must be false: offsets are committed after the snapshot that covers them"},
            {"enable.auto.offset.store", "true",
             "kafka.enable.auto.offset.store is true, must be false: offsets are committed after the snapshot that covers them"},
            {"auto.offset.reset", "earliest",
             "kafka.auto.offset.reset is earliest, must be error: source.start says where to begin, and a lost position is never "
             "jumped over"},
            {"bootstrap.server", "x", "kafka.bootstrap.server is not a property of librdkafka 2.0.2"},
            {"fetch.min.bytes", "many",
             "kafka.fetch.min.bytes cannot be set: Invalid value for configuration property \"fetch.min.bytes\""},
            {"error_cb", "x", NULL},
            {"ssl.ca.location", "/nowhere/ca.pem", NULL},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct settings settings;
        settings_init(&settings, world->servers, "any");
        if (strncmp(refused[i].name, "ssl.", 4) == 0) {
            settings_set(&settings, "security.protocol", "ssl");
        }
        settings_set(&settings, refused[i].name, refused[i].value);
        struct rf_source *source = NULL;
        struct rf_error err = {0};
        assert_int_equal(rf_source_kafka_create(&settings.options, &source, &err), RF_INVALID);
        assert_null(source);
        if (refused[i].sentence && strstr(refused[i].sentence, rd_kafka_version_str())) {
            assert_string_equal(err.text, refused[i].sentence);
        } else if (refused[i].sentence && !strstr(refused[i].sentence, "librdkafka")) {
            assert_string_equal(err.text, refused[i].sentence);
        }
        assert_memory_equal(err.text, "kafka", 5);
    }
    struct settings settings;
    settings_init(&settings, world->servers, "any");
    settings_set(&settings, "enable.auto.commit", "False"); // the same as ours
    settings_set(&settings, "acks", "all");                 // a producer's: the properties are shared with the sinks
    rf_source_destroy(create_source(&settings));
}

static void refuses_to_read_nothing(void **state) {
    struct world *world = *state;
    struct settings settings;
    struct rf_source *source = NULL;
    struct rf_error err = {0};
    settings_init(&settings, world->servers, "any");
    settings.properties.list++, settings.properties.count--; // without bootstrap.servers
    assert_int_equal(rf_source_kafka_create(&settings.options, &source, &err), RF_INVALID);
    assert_string_equal(err.text, "kafka.bootstrap.servers is not set, must name a broker, e.g. 127.0.0.1:9092");

    settings_init(&settings, world->servers, "any");
    settings.topics.count = 0;
    assert_int_equal(rf_source_kafka_create(&settings.options, &source, &err), RF_INVALID);
    assert_string_equal(err.text, "source.topics is empty, must name a topic");

    settings_init(&settings, world->servers, "any");
    settings_add(&settings, "any");
    assert_int_equal(rf_source_kafka_create(&settings.options, &source, &err), RF_INVALID);
    assert_string_equal(err.text, "source.topics names any twice");
}

static void tells_of_a_broker_that_is_away_at_the_start(void **state) {
    (void)state;
    struct settings settings;
    settings_init(&settings, "127.0.0.1:1", "any");
    struct rf_source *source = create_source(&settings);
    static struct loan loan;
    loan_init(&loan);
    for (int round = 0; round < 2; round++) {
        struct rf_error err = {0};
        enum rf_source_event event;
        const struct rf_positions *partitions;
        struct rf_poll want = want_all();
        assert_int_equal(rf_source_poll(source, &want, &loan.records, &event, &partitions, &err), RF_IO);
        assert_true(source->is_temporary);
        assert_non_null(strstr(err.text, "127.0.0.1:1"));
        assert_non_null(strstr(err.text, "Connection refused"));
    }
    rf_source_destroy(source);
}

static void names_a_topic_that_is_not_there(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_set_error(cluster.mock, "transactions", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "transactions");
    struct rf_source *source = create_source(&settings);
    static struct loan loan;
    loan_init(&loan);
    struct rf_error err = {0};
    enum rf_source_event event;
    const struct rf_positions *partitions;
    struct rf_poll want = want_all();
    assert_int_equal(rf_source_poll(source, &want, &loan.records, &event, &partitions, &err), RF_NOT_FOUND);
    char sentence[256];
    snprintf(sentence, sizeof sentence, "topic transactions is not there on %s", cluster.world.servers);
    assert_string_equal(err.text, sentence);
    assert_false(source->is_temporary);
    rf_source_destroy(source);
    cluster_finish(&cluster);
}

// Polls until a failure is told, or the polls are used up.
static enum rf_status poll_for_failure(struct rf_source *source, int polls, struct rf_error *err) {
    static struct loan loan;
    struct rf_poll want = want_all();
    want.timeout_ms = 50;
    enum rf_status status = RF_OK;
    while (status == RF_OK && polls-- > 0) {
        enum rf_source_event event;
        const struct rf_positions *partitions;
        loan_init(&loan);
        status = rf_source_poll(source, &want, &loan.records, &event, &partitions, err);
        rf_source_release(source, &loan.records);
    }
    return status;
}

static void tells_of_an_outage_once_and_goes_on_after_it(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "steady", 2, 1);
    introduce(cluster.world.producer, "steady");
    produce(&cluster.world, "steady", 0, "a b");
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "steady");
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    char text[256];
    struct rf_poll want = want_all();
    assert_int_equal(read_records(source, &want, 2, text, sizeof text), 2);

    struct rf_error err = {0};
    rd_kafka_mock_broker_set_down(cluster.mock, BROKER_ID);
    assert_int_equal(poll_for_failure(source, 1000, &err), RF_IO);
    assert_true(source->is_temporary);
    assert_non_null(strstr(err.text, cluster.world.servers));
    assert_int_equal(poll_for_failure(source, 4, &err), RF_OK);

    rd_kafka_mock_broker_set_up(cluster.mock, BROKER_ID);
    produce(&cluster.world, "steady", 0, "c");
    produce(&cluster.world, "steady", 1, "d");
    assert_int_equal(read_records(source, &want, 2, text, sizeof text), 2);
    assert_non_null(strstr(text, "0@2=c"));
    assert_non_null(strstr(text, "1@0=d"));
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    cluster_finish(&cluster);
}

static void is_destroyed_while_the_broker_is_away(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "left", 1, 1);
    introduce(cluster.world.producer, "left");
    produce(&cluster.world, "left", 0, "a b c");
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "left");
    settings_set(&settings, "group.id", "fraud");
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    char text[256];
    struct rf_poll want = want_all();
    want.records_max = 1; // others stay held
    assert_int_equal(read_records(source, &want, 1, text, sizeof text), 1);
    rd_kafka_mock_broker_set_down(cluster.mock, BROKER_ID);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    cluster_finish(&cluster);
}

static void a_log_that_is_cut_under_the_reader_is_a_conflict(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "cut", 1, 1);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "cut");
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    struct rf_error err = {0};
    // Three times: librdkafka takes a first one at the end of the log for the end of the partition.
    rd_kafka_mock_push_request_errors(cluster.mock, KAFKA_FETCH, 3, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE,
                                      RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    assert_int_equal(poll_for_failure(source, 100, &err), RF_CONFLICT);
    assert_string_equal(err.text, "offset 0 of cut [0] is no longer there: the log was cut while it was being read");
    assert_false(source->is_temporary);
    assert_int_equal(poll_for_failure(source, 1, &err), RF_CONFLICT); // and stays so
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    cluster_finish(&cluster);
}

static void names_a_topic_that_is_deleted_under_the_reader_and_ends(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "deleted", 2, 1);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "deleted");
    settings_set(&settings, "topic.metadata.refresh.interval.ms", "50");
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    struct rf_error err = {0};
    rd_kafka_mock_topic_set_error(cluster.mock, "deleted", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(poll_for_failure(source, 100, &err), RF_NOT_FOUND);
    char first[256], second[256];
    snprintf(first, sizeof first, "deleted [0] is gone from %s", cluster.world.servers);
    snprintf(second, sizeof second, "deleted [1] is gone from %s", cluster.world.servers);
    if (strcmp(err.text, first) != 0) {
        assert_string_equal(err.text, second);
    }
    assert_false(source->is_temporary);
    rf_positions_finish(&positions);
    rf_source_destroy(source); // ctest's time limit would show a hang
    cluster_finish(&cluster);
}

static void tells_why_a_commit_was_refused(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "refused", 1, 1);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "refused");
    settings_set(&settings, "group.id", "fraud");
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    struct rf_error err = {0};
    expect_assigned(source, &positions);
    char note[16];
    assert_int_equal(rf_source_committed(source, &positions, note, sizeof note, &err), RF_OK); // the coordinator is known
    positions.list[0].next_offset = 1;
    rd_kafka_mock_push_request_errors(cluster.mock, KAFKA_OFFSET_COMMIT, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(rf_source_commit(source, &positions, "w", &err), RF_IO);
    assert_false(source->is_temporary);
    assert_non_null(strstr(err.text, "offsets are not committed to "));
    assert_non_null(strstr(err.text, "Topic authorization failed"));
    assert_int_equal(rf_source_commit(source, &positions, "w", &err), RF_OK);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    cluster_finish(&cluster);
}

static void names_the_codecs_that_a_build_lacks(void **state) {
    (void)state;
    char missing[RF_KAFKA_CODECS_SIZE];
    rf_kafka_codecs_missing("gzip, snappy, ssl, lz4, zstd, http", missing);
    assert_string_equal(missing, "");
    rf_kafka_codecs_missing("gzip,snappy,ssl,lz4x,sasl_zstd", missing);
    assert_string_equal(missing, "lz4, zstd");
    rf_kafka_codecs_missing("", missing);
    assert_string_equal(missing, "gzip, snappy, lz4, zstd");
    rf_source_kafka_codecs_missing(missing);
    assert_string_equal(missing, ""); // of the one that is tested with
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(refuses_properties_that_would_break_its_promises),
            cmocka_unit_test(refuses_to_read_nothing),
            cmocka_unit_test(tells_of_a_broker_that_is_away_at_the_start),
            cmocka_unit_test(names_a_topic_that_is_not_there),
            cmocka_unit_test(tells_of_an_outage_once_and_goes_on_after_it),
            cmocka_unit_test(is_destroyed_while_the_broker_is_away),
            cmocka_unit_test(a_log_that_is_cut_under_the_reader_is_a_conflict),
            cmocka_unit_test(names_a_topic_that_is_deleted_under_the_reader_and_ends),
            cmocka_unit_test(tells_why_a_commit_was_refused),
            cmocka_unit_test(names_the_codecs_that_a_build_lacks),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
