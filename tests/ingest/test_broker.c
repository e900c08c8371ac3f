#include "ingest/broker.h"
#include "ingest/source.h"
#include "tests/ingest/source_fixture.h"
#include "tests/test.h"

#include <string.h>

static void tells_where_it_listens_and_has_the_topics_made(void **state) {
    (void)state;
    struct rf_broker *broker;
    struct rf_error err = {0};
    assert_int_equal(rf_broker_create(&broker, &err), RF_OK);
    assert_memory_equal(rf_broker_bootstrap(broker), "127.0.0.1:", 10);
    assert_int_equal(rf_broker_add_topic(broker, "payments", 3, &err), RF_OK);

    char bootstrap[] = "bootstrap.servers", topic[] = "payments";
    struct rf_pair pair = {.name = bootstrap, .value = (char *)(uintptr_t)rf_broker_bootstrap(broker)};
    struct rf_pairs properties = {&pair, 1};
    char *list[] = {topic};
    struct rf_texts topics = {list, 1};
    struct rf_source *source;
    const struct rf_source_kafka_options options = {.properties = &properties, .topics = &topics, .until_end = true};
    assert_int_equal(rf_source_kafka_create(&options, &source, &err), RF_OK);
    struct rf_positions positions;
    assign_all(source, &positions);
    assert_int_equal(positions.count, 3);
    char text[16];
    struct rf_poll want = want_all();
    assert_int_equal(read_records(source, &want, 1, text, sizeof text), 0); // empty: at once at the end
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    rf_broker_destroy(broker);
}

static void several_live_side_by_side(void **state) {
    (void)state;
    struct rf_broker *one, *other;
    struct rf_error err = {0};
    assert_int_equal(rf_broker_create(&one, &err), RF_OK);
    assert_int_equal(rf_broker_create(&other, &err), RF_OK);
    assert_string_not_equal(rf_broker_bootstrap(one), rf_broker_bootstrap(other));
    rf_broker_destroy(one);
    rf_broker_destroy(other);
    rf_broker_destroy(NULL);
}

static void refuses_absurd_topics(void **state) {
    (void)state;
    struct rf_broker *broker;
    struct rf_error err = {0};
    assert_int_equal(rf_broker_create(&broker, &err), RF_OK);
    assert_int_equal(rf_broker_add_topic(broker, "payments", 0, &err), RF_INVALID);
    assert_string_equal(err.text, "topic payments cannot have 0 partitions, must be 1 to 10000");
    assert_int_equal(rf_broker_add_topic(broker, "pay ments", 1, &err), RF_INVALID);
    assert_string_equal(err.text, "topic \"pay ments\" cannot be made, must be 1 to 249 of a-z A-Z 0-9 . _ -");
    assert_int_equal(rf_broker_add_topic(broker, "", 1, &err), RF_INVALID);
    assert_int_equal(rf_broker_add_topic(broker, "..", 1, &err), RF_INVALID);
    assert_int_equal(rf_broker_add_topic(broker, "payments", 1, &err), RF_OK);
    assert_int_equal(rf_broker_add_topic(broker, "payments", 1, &err), RF_CONFLICT);
    assert_string_equal(err.text, "topic payments is there already");
    rf_broker_destroy(broker);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(tells_where_it_listens_and_has_the_topics_made),
            cmocka_unit_test(several_live_side_by_side),
            cmocka_unit_test(refuses_absurd_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
