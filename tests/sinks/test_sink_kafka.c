#include "sinks/sink.h"
#include "tests/sinks/cluster_kafka.h"
#include "tests/sinks/made_batch.h"
#include "tests/test.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <riffle.pb-c.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cluster cluster;
static struct rf_sink_context context;
static struct batch batch;
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
    context = (struct rf_sink_context){.model = "fraud", .kafka = &cluster.properties};
    batch_init(&batch);
    return cluster_begin_test(&cluster);
}

static int tear_down(void **state) {
    (void)state;
    batch_finish(&batch);
    return cluster_end_test(&cluster);
}

static struct rf_sink *open_sink(int format) {
    struct rf_sink_kafka_options options = {.topic = cluster.topic, .format = format};
    assert_string_equal(rf_sink_variants[1].name, "kafka");
    struct rf_sink *sink = NULL;
    assert_int_equal(rf_sink_create(&(struct rf_variant_value){&rf_sink_variants[1], &options}, &context, &sink, &err), RF_OK);
    return sink;
}

static void publish(struct rf_sink *sink) {
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_OK);
    assert_int_equal(done, batch.examples.count);
}

static enum rf_status settle(struct rf_sink *sink) {
    return rf_sink_settle(sink, PATIENCE_MS, &err);
}

static rd_kafka_t *open_consumer(void) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster.mock), text, sizeof text);
    rd_kafka_conf_set(conf, "group.id", "readers", text, sizeof text);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "5", text, sizeof text);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    assert_non_null(consumer);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        rd_kafka_topic_partition_list_add(list, cluster.topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    assert_int_equal(rd_kafka_assign(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    return consumer;
}

static rd_kafka_message_t *receive(rd_kafka_t *consumer) {
    for (int i = 0; i < PATIENCE_MS / GLANCE_MS; i++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, GLANCE_MS);
        if (message && !message->err) {
            return message;
        }
        if (message) {
            rd_kafka_message_destroy(message);
        }
    }
    fail_msg("no record came");
    return NULL;
}

static void every_prediction_is_a_record_under_its_id(void **state) {
    (void)state;
    struct rf_sink *sink = open_sink(0);
    assert_string_equal(sink->label, cluster_sentence(&cluster, "kafka:%s"));
    assert_false(sink->is_lossy);
    batch_add(&batch, 5, "t-5", 0.5);
    publish(sink);
    assert_int_equal(rf_sink_mark(sink), 0);
    assert_int_equal(settle(sink), RF_OK);
    assert_int_equal(sink->published, 1);
    rd_kafka_t *consumer = open_consumer();
    rd_kafka_message_t *message = receive(consumer);
    assert_int_equal(message->key_len, 3);
    assert_memory_equal(message->key, "t-5", 3);
    const char *json = "{\"model\":\"fraud\",\"topic\":\"transactions\",\"partition\":3,\"offset\":5,\"id\":\"t-5\",\"line\":1,"
                       "\"base\":7,\"epoch\":2,\"since\":100,\"score\":0.5,\"class\":\"0\"}";
    assert_int_equal(message->len, strlen(json));
    assert_memory_equal(message->payload, json, strlen(json));
    rd_kafka_message_destroy(message);
    rd_kafka_destroy(consumer);
    rf_sink_destroy(sink);
}

static void a_prediction_without_an_id_has_no_key(void **state) {
    (void)state;
    struct rf_sink *sink = open_sink(1);
    batch_add(&batch, 5, NULL, 0.75);
    publish(sink);
    rd_kafka_t *consumer = open_consumer();
    rd_kafka_message_t *message = receive(consumer);
    assert_null(message->key);
    Riffle__V1__Prediction *read = riffle__v1__prediction__unpack(NULL, message->len, message->payload);
    assert_non_null(read);
    assert_int_equal(read->offset, 5);
    assert_true(read->score == 0.75);
    riffle__v1__prediction__free_unpacked(read, NULL);
    rd_kafka_message_destroy(message);
    rd_kafka_destroy(consumer);
    rf_sink_destroy(sink);
}

static void properties_of_consumers_are_passed_over(void **state) {
    (void)state;
    cluster_set(&cluster, "group.id", "fraud");
    cluster_set(&cluster, "auto.offset.reset", "earliest");
    cluster_set(&cluster, "session.timeout.ms", "6000");
    struct rf_sink *sink = open_sink(0);
    batch_add(&batch, 1, "a", 0.5);
    publish(sink);
    (void)rf_sink_mark(sink);
    assert_int_equal(settle(sink), RF_OK);
    rf_sink_destroy(sink);
}

static void before_the_first_line_all_is_waited_for_and_after_it_nothing_more(void **state) {
    (void)state;
    struct rf_sink *sink = open_sink(0);
    rd_kafka_mock_broker_set_down(cluster.mock, 1);
    batch_next(&batch, 0, 3);
    publish(sink);
    assert_int_equal(rf_sink_settle(sink, GLANCE_MS, &err), RF_AGAIN);
    rd_kafka_mock_broker_set_up(cluster.mock, 1);
    assert_int_equal(settle(sink), RF_OK);
    (void)rf_sink_mark(sink);
    assert_int_equal(settle(sink), RF_OK);
    rd_kafka_mock_broker_set_down(cluster.mock, 1);
    publish(sink);
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_OK); // the line still holds
    (void)rf_sink_mark(sink);
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_AGAIN);
    rf_sink_destroy(sink);
}

// An id whose record goes to that partition.
static const char *id_of(int32_t partition) {
    static char id[PARTITIONS][8];
    for (int number = 0;; number++) {
        int size = snprintf(id[partition], sizeof id[partition], "%d", number);
        if (rd_kafka_msg_partitioner_murmur2(NULL, id[partition], (size_t)size, PARTITIONS, NULL, NULL) == partition) {
            return id[partition];
        }
    }
}

static void a_line_settles_although_more_is_published_meanwhile(void **state) {
    (void)state;
    cluster_set(&cluster, "queue.buffering.max.messages", "2");
    struct rf_sink *sink = open_sink(0);
    rd_kafka_mock_partition_set_leader(cluster.mock, cluster.topic, 1, -1);
    batch_add(&batch, 0, id_of(0), 0.5);
    publish(sink);
    (void)rf_sink_mark(sink);
    // Two for a partition that has lost its leader: for the second one there is room as soon as the first of all, which
    // stands before the line, is confirmed.
    batch_next(&batch, 1, 0);
    batch_add(&batch, 1, id_of(1), 0.5);
    batch_add(&batch, 2, id_of(1), 0.5);
    enum rf_status status = RF_AGAIN;
    size_t done = 0;
    for (int i = 0; i < PATIENCE_MS / GLANCE_MS && status == RF_AGAIN; i++) {
        status = rf_sink_publish(sink, &batch.predictions, &done, &err);
        (void)rd_kafka_poll(cluster.host, status == RF_AGAIN ? GLANCE_MS : 0);
    }
    assert_int_equal(status, RF_OK);
    batch_next(&batch, 3, 0);
    publish(sink);
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_OK);
    (void)rf_sink_mark(sink);
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_AGAIN);
    rf_sink_destroy(sink);
}

static void a_broker_that_comes_back_gets_everything_once(void **state) {
    (void)state;
    struct rf_sink *sink = open_sink(0);
    rd_kafka_mock_broker_set_down(cluster.mock, 1);
    batch_next(&batch, 0, 50);
    publish(sink);
    (void)rf_sink_mark(sink);
    assert_int_equal(rf_sink_settle(sink, GLANCE_MS, &err), RF_AGAIN);
    rd_kafka_mock_broker_set_up(cluster.mock, 1);
    assert_int_equal(settle(sink), RF_OK);
    rd_kafka_t *consumer = open_consumer();
    for (int i = 0; i < 50; i++) {
        rd_kafka_message_destroy(receive(consumer));
    }
    assert_null(rd_kafka_consumer_poll(consumer, GLANCE_MS));
    rd_kafka_destroy(consumer);
    rf_sink_destroy(sink);
}

static void a_refused_record_fails_the_sink_for_good_in_words(void **state) {
    (void)state;
    struct rf_sink *sink = open_sink(0);
    rd_kafka_mock_push_request_errors(cluster.mock, PRODUCE_REQUEST, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    batch_add(&batch, 0, "a", 0.5);
    publish(sink);
    (void)rf_sink_mark(sink);
    assert_int_equal(settle(sink), RF_IO);
    assert_string_equal(err.text,
                        cluster_sentence(&cluster, "kafka: topic %s refused a record: Broker: Topic authorization failed"));
    err.text[0] = '\0';
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_IO);
    assert_string_equal(err.text,
                        cluster_sentence(&cluster, "kafka: topic %s refused a record: Broker: Topic authorization failed"));
    assert_int_equal(done, 0);
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_IO);
    rf_sink_destroy(sink);
}

static void a_full_queue_says_again_and_later_loses_nothing(void **state) {
    (void)state;
    cluster_set(&cluster, "queue.buffering.max.messages", "10");
    struct rf_sink *sink = open_sink(0);
    rd_kafka_mock_broker_set_down(cluster.mock, 1);
    batch_next(&batch, 0, 25);
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_AGAIN);
    assert_int_equal(done, 10);
    assert_int_equal(sink->published, 10);
    rd_kafka_mock_broker_set_up(cluster.mock, 1);
    enum rf_status status = RF_AGAIN;
    for (int i = 0; i < PATIENCE_MS / GLANCE_MS && status == RF_AGAIN; i++) {
        (void)rf_sink_mark(sink);
        (void)!rf_sink_settle(sink, GLANCE_MS, &err);
        status = rf_sink_publish(sink, &batch.predictions, &done, &err);
    }
    assert_int_equal(status, RF_OK);
    (void)rf_sink_mark(sink);
    assert_int_equal(settle(sink), RF_OK);
    assert_int_equal(sink->published, 25);
    assert_true(sink->waits > 0);
    rf_sink_destroy(sink);
}

static void the_end_does_not_wait_for_a_broker_that_is_away(void **state) {
    (void)state;
    struct rf_sink *sink = open_sink(0);
    rd_kafka_mock_broker_set_down(cluster.mock, 1);
    batch_next(&batch, 0, 10);
    publish(sink);
    rf_sink_destroy(sink); // ctest's time limit would show a hang
}

static void a_rejected_record_keeps_its_key_and_bytes(void **state) {
    (void)state;
    const struct rf_rejected_options options = {.topic = cluster.topic};
    struct rf_sink *sink;
    assert_int_equal(rf_sink_rejected_create(&options, &context, &sink, &err), RF_OK);
    assert_string_equal(sink->label, cluster_sentence(&cluster, "rejected:kafka:%s"));
    batch_add_reject(&batch, 8, rf_text_of("k"), rf_text_of("{"), "at byte 1: the object does not end");
    size_t done = 0;
    assert_int_equal(rf_sink_reject(sink, &batch.rejects, &done, &err), RF_OK);
    assert_int_equal(sink->published, 1);
    rd_kafka_t *consumer = open_consumer();
    rd_kafka_message_t *message = receive(consumer);
    assert_int_equal(message->key_len, 1);
    Riffle__V1__Rejected *read = riffle__v1__rejected__unpack(NULL, message->len, message->payload);
    assert_non_null(read);
    assert_string_equal(read->reason, "undecodable");
    assert_int_equal(read->value.len, 1);
    riffle__v1__rejected__free_unpacked(read, NULL);
    rd_kafka_message_destroy(message);
    rd_kafka_destroy(consumer);
    rf_sink_destroy(sink);
}

static void a_rejected_record_too_large_to_wrap_goes_without_its_bytes(void **state) {
    (void)state;
    cluster_set(&cluster, "message.max.bytes", "1000");
    const struct rf_rejected_options options = {.topic = cluster.topic};
    struct rf_sink *sink;
    assert_int_equal(rf_sink_rejected_create(&options, &context, &sink, &err), RF_OK);
    static char large[1000];
    batch_add_reject(&batch, 8, rf_text_of("k"), (struct rf_text){large, sizeof large}, "at byte 0: no value begins here");
    size_t done = 0;
    assert_int_equal(rf_sink_reject(sink, &batch.rejects, &done, &err), RF_OK);
    rd_kafka_t *consumer = open_consumer();
    rd_kafka_message_t *message = receive(consumer);
    Riffle__V1__Rejected *read = riffle__v1__rejected__unpack(NULL, message->len, message->payload);
    assert_non_null(read);
    assert_string_equal(read->detail, "key and value of 1001 bytes left out; at byte 0: no value begins here");
    assert_int_equal(read->offset, 8);
    assert_int_equal(read->content_case, RIFFLE__V1__REJECTED__CONTENT__NOT_SET);
    riffle__v1__rejected__free_unpacked(read, NULL);
    rd_kafka_message_destroy(message);
    rd_kafka_destroy(consumer);
    rf_sink_destroy(sink);
}

static void a_prediction_too_large_goes_without_its_id(void **state) {
    (void)state;
    cluster_set(&cluster, "message.max.bytes", "1000");
    struct rf_sink *sink = open_sink(1);
    static char id[2000];
    memset(id, 'i', sizeof id - 1);
    batch_add(&batch, 8, id, 0.5);
    publish(sink);
    assert_int_equal(sink->published, 1);
    rd_kafka_t *consumer = open_consumer();
    rd_kafka_message_t *message = receive(consumer);
    assert_null(message->key);
    Riffle__V1__Prediction *read = riffle__v1__prediction__unpack(NULL, message->len, message->payload);
    assert_non_null(read);
    assert_int_equal(read->offset, 8);
    assert_string_equal(read->id, "");
    assert_true(read->id_left_out);
    riffle__v1__prediction__free_unpacked(read, NULL);
    rd_kafka_message_destroy(message);
    rd_kafka_destroy(consumer);
    rf_sink_destroy(sink);
}

static void a_prediction_too_large_without_its_id_too_fails_in_words(void **state) {
    (void)state;
    cluster_set(&cluster, "message.max.bytes", "1000");
    struct rf_sink *sink = open_sink(0);
    static char name[2000];
    memset(name, 'n', sizeof name - 1);
    const char *classes[] = {name, name};
    batch.predictions.classes = classes;
    batch_add(&batch, 8, "t-8", 0.5);
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_IO);
    assert_int_equal(err.status, RF_IO);
    assert_string_equal(err.text,
                        cluster_sentence(&cluster,
                                         "kafka: topic %s: a prediction takes 2146 bytes without its id, message.max.bytes "
                                         "must be no less"));
    assert_int_equal(done, 0);
    rf_sink_destroy(sink);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            CLAIM(every_prediction_is_a_record_under_its_id),
            CLAIM(a_prediction_without_an_id_has_no_key),
            CLAIM(properties_of_consumers_are_passed_over),
            CLAIM(before_the_first_line_all_is_waited_for_and_after_it_nothing_more),
            CLAIM(a_line_settles_although_more_is_published_meanwhile),
            CLAIM(a_broker_that_comes_back_gets_everything_once),
            CLAIM(a_refused_record_fails_the_sink_for_good_in_words),
            CLAIM(a_full_queue_says_again_and_later_loses_nothing),
            CLAIM(the_end_does_not_wait_for_a_broker_that_is_away),
            CLAIM(a_rejected_record_keeps_its_key_and_bytes),
            CLAIM(a_rejected_record_too_large_to_wrap_goes_without_its_bytes),
            CLAIM(a_prediction_too_large_goes_without_its_id),
            CLAIM(a_prediction_too_large_without_its_id_too_fails_in_words),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
