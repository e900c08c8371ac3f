#include "sinks/producer.h"
#include "tests/sinks/cluster_kafka.h"
#include "tests/test.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <string.h>

static struct cluster cluster;
static struct rf_error err;

static int start_cluster(void **state) {
    (void)state;
    return cluster_start(&cluster);
}

static int stop_cluster(void **state) {
    (void)state;
    return cluster_stop(&cluster);
}

static int set_up(void **state) {
    (void)state;
    return cluster_begin_test(&cluster);
}

static int tear_down(void **state) {
    (void)state;
    return cluster_end_test(&cluster);
}

static void a_wrong_property_is_named(void **state) {
    (void)state;
    struct rf_producer *producer = NULL;
    cluster_set(&cluster, "acks", "some");
    assert_int_equal(rf_producer_create(&cluster.properties, &producer, &err), RF_INVALID);
    assert_memory_equal(err.text, "kafka: acks is some: ", 21);
    cluster.properties.count--;
    cluster_set(&cluster, "bootstrap.server", "localhost");
    assert_int_equal(rf_producer_create(&cluster.properties, &producer, &err), RF_INVALID);
    assert_string_equal(err.text, "kafka: bootstrap.server is localhost: No such configuration property: \"bootstrap.server\"");
    assert_null(producer);
}

// librdkafka guarantees that there are no gaps to idempotent producers only.
static bool is_idempotent_with(const char *name, const char *value) {
    cluster_set(&cluster, "enable.gapless.guarantee", "true");
    cluster_set(&cluster, name, value);
    struct rf_producer *producer = NULL;
    enum rf_status status = rf_producer_create(&cluster.properties, &producer, &err);
    cluster.properties.count -= 2;
    rf_producer_destroy(producer);
    const char *refusal = "kafka: cannot make a producer: `enable.gapless.guarantee` requires `enable.idempotence` to be enabled";
    assert_true(status == RF_OK || strcmp(err.text, refusal) == 0);
    return status == RF_OK;
}

static void idempotence_is_off_only_where_the_operator_contradicts_it(void **state) {
    (void)state;
    assert_true(is_idempotent_with("client.id", "riffle"));
    assert_true(is_idempotent_with("acks", "all"));
    assert_true(is_idempotent_with("request.required.acks", "-1"));
    assert_true(is_idempotent_with("max.in.flight.requests.per.connection", "5"));
    assert_true(is_idempotent_with("retries", "1"));
    assert_true(is_idempotent_with("queuing.strategy", "fifo"));
    assert_true(is_idempotent_with("queue.buffering.backpressure.threshold", "1"));
    assert_true(is_idempotent_with("enable.idempotence", "true"));

    assert_false(is_idempotent_with("acks", "1"));
    assert_false(is_idempotent_with("max.in.flight", "6"));
    assert_false(is_idempotent_with("message.send.max.retries", "0"));
    assert_false(is_idempotent_with("queuing.strategy", "lifo"));
    assert_false(is_idempotent_with("queue.buffering.backpressure.threshold", "10"));
    assert_false(is_idempotent_with("enable.idempotence", "false"));
}

static void a_line_waits_for_what_was_sent_before_it_only(void **state) {
    (void)state;
    struct rf_producer *producer;
    assert_int_equal(rf_producer_create(&cluster.properties, &producer, &err), RF_OK);
    struct rf_text value = rf_text_of("v");
    rf_producer_mark(producer);
    assert_int_equal(rf_producer_settle(producer, 0, &err), RF_OK); // nothing was sent
    for (int i = 0; i < 10; i++) {
        assert_int_equal(rf_producer_send(producer, cluster.topic, 0, (struct rf_text){0}, value, -1, &err), RF_OK);
    }
    rf_producer_mark(producer);
    assert_int_equal(rf_producer_settle(producer, PATIENCE_MS, &err), RF_OK);
    assert_int_equal(rf_producer_in_flight(producer), 0);

    // Partition 0 goes on, partition 1 has lost its leader: a line drawn before a record to it does not wait for it.
    rd_kafka_mock_partition_set_leader(cluster.mock, cluster.topic, 1, -1);
    assert_int_equal(rf_producer_send(producer, cluster.topic, 0, (struct rf_text){0}, value, -1, &err), RF_OK);
    rf_producer_mark(producer);
    assert_int_equal(rf_producer_send(producer, cluster.topic, 1, (struct rf_text){0}, value, -1, &err), RF_OK);
    assert_int_equal(rf_producer_settle(producer, PATIENCE_MS, &err), RF_OK);
    assert_int_equal(rf_producer_in_flight(producer), 1);
    rf_producer_mark(producer);
    assert_int_equal(rf_producer_settle(producer, 0, &err), RF_AGAIN);
    rd_kafka_mock_partition_set_leader(cluster.mock, cluster.topic, 1, 1);
    assert_int_equal(rf_producer_settle(producer, PATIENCE_MS, &err), RF_OK);
    assert_int_equal(rf_producer_in_flight(producer), 0);
    rf_producer_destroy(producer);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            CLAIM(a_wrong_property_is_named),
            CLAIM(idempotence_is_off_only_where_the_operator_contradicts_it),
            CLAIM(a_line_waits_for_what_was_sent_before_it_only),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
