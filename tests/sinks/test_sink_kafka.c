#include "sinks/producer.h"
#include "sinks/sink.h"
#include "tests/sinks/made_batch.h"
#include "tests/test.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <riffle.pb-c.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 30000, GLANCE_MS = 20, PARTITIONS = 2, PRODUCE_REQUEST = 0 };

static rd_kafka_t *host; // of the mock cluster
static rd_kafka_mock_cluster_t *cluster;
static char topic[32];
static struct rf_pair pairs[8];
static struct rf_pairs properties;
static struct rf_sink_context context;
static struct batch batch;
static struct rf_error err;

static void set(const char *name, const char *value) {
    assert_true(properties.count < sizeof pairs / sizeof *pairs);
    pairs[properties.count++] = (struct rf_pair){(char *)name, (char *)value, 0};
}

static void drop_log(const rd_kafka_t *client, int level, const char *facility, const char *text) {
    (void)client;
    (void)level;
    (void)facility;
    (void)text;
}

static int start_cluster(void **state) {
    (void)state;
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, drop_log);
    host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    cluster = host ? rd_kafka_mock_cluster_new(host, 1) : NULL;
    return cluster ? 0 : -1;
}

static int stop_cluster(void **state) {
    (void)state;
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    return 0;
}

// Every test has a topic of its own: scores1, scores2, ...
static int set_up(void **state) {
    (void)state;
    static int number;
    snprintf(topic, sizeof topic, "scores%d", ++number);
    properties = (struct rf_pairs){pairs, 0};
    context = (struct rf_sink_context){.model = "fraud", .kafka = &properties};
    set("bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster));
    set("linger.ms", "0");
    batch_init(&batch);
    return rd_kafka_mock_topic_create(cluster, topic, PARTITIONS, 1);
}

static int tear_down(void **state) {
    (void)state;
    batch_finish(&batch);
    rd_kafka_mock_clear_request_errors(cluster, PRODUCE_REQUEST);
    return rd_kafka_mock_broker_set_up(cluster, 1);
}

// The sentence with the test's topic in place of %s.
static const char *with_topic(const char *format) {
    static char sentence[256];
    size_t before = strcspn(format, "%");
    snprintf(sentence, sizeof sentence, "%.*s%s%s", (int)before, format, topic, format + before + 2);
    return sentence;
}

static struct rf_sink *open_sink(int format) {
    struct rf_sink_kafka_options options = {.topic = topic, .format = format};
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
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), text, sizeof text);
    rd_kafka_conf_set(conf, "group.id", "readers", text, sizeof text);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "5", text, sizeof text);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    assert_non_null(consumer);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
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
    assert_string_equal(sink->label, with_topic("kafka:%s"));
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
    set("group.id", "fraud");
    set("auto.offset.reset", "earliest");
    set("session.timeout.ms", "6000");
    struct rf_sink *sink = open_sink(0);
    batch_add(&batch, 1, "a", 0.5);
    publish(sink);
    (void)rf_sink_mark(sink);
    assert_int_equal(settle(sink), RF_OK);
    rf_sink_destroy(sink);
}

static void a_wrong_property_is_named(void **state) {
    (void)state;
    struct rf_producer *producer = NULL;
    set("acks", "some");
    assert_int_equal(rf_producer_create(&properties, &producer, &err), RF_INVALID);
    assert_memory_equal(err.text, "kafka: acks is some: ", 21);
    properties.count--;
    set("bootstrap.server", "localhost");
    assert_int_equal(rf_producer_create(&properties, &producer, &err), RF_INVALID);
    assert_string_equal(err.text, "kafka: bootstrap.server is localhost: No such configuration property: \"bootstrap.server\"");
    assert_null(producer);
}

static void weaker_acks_turn_idempotence_off_instead_of_contradicting_it(void **state) {
    (void)state;
    set("acks", "1");
    struct rf_producer *producer;
    assert_int_equal(rf_producer_create(&properties, &producer, &err), RF_OK);
    rf_producer_destroy(producer);
}

static void a_line_waits_for_what_was_sent_before_it_only(void **state) {
    (void)state;
    struct rf_producer *producer;
    assert_int_equal(rf_producer_create(&properties, &producer, &err), RF_OK);
    struct rf_text value = rf_text_of("v");
    rf_producer_mark(producer);
    assert_int_equal(rf_producer_settle(producer, 0, &err), RF_OK); // nothing was sent
    for (int i = 0; i < 10; i++) {
        assert_int_equal(rf_producer_send(producer, topic, 0, (struct rf_text){0}, value, -1, &err), RF_OK);
    }
    rf_producer_mark(producer);
    assert_int_equal(rf_producer_settle(producer, PATIENCE_MS, &err), RF_OK);
    assert_int_equal(rf_producer_in_flight(producer), 0);

    // Partition 0 goes on, partition 1 has lost its leader: a line drawn before a record to it does not wait for it.
    rd_kafka_mock_partition_set_leader(cluster, topic, 1, -1);
    assert_int_equal(rf_producer_send(producer, topic, 0, (struct rf_text){0}, value, -1, &err), RF_OK);
    rf_producer_mark(producer);
    assert_int_equal(rf_producer_send(producer, topic, 1, (struct rf_text){0}, value, -1, &err), RF_OK);
    assert_int_equal(rf_producer_settle(producer, PATIENCE_MS, &err), RF_OK);
    assert_int_equal(rf_producer_in_flight(producer), 1);
    rf_producer_mark(producer);
    assert_int_equal(rf_producer_settle(producer, 0, &err), RF_AGAIN);
    rd_kafka_mock_partition_set_leader(cluster, topic, 1, 1);
    assert_int_equal(rf_producer_settle(producer, PATIENCE_MS, &err), RF_OK);
    assert_int_equal(rf_producer_in_flight(producer), 0);
    rf_producer_destroy(producer);
}

static void before_the_first_line_all_is_waited_for_and_after_it_nothing_more(void **state) {
    (void)state;
    struct rf_sink *sink = open_sink(0);
    rd_kafka_mock_broker_set_down(cluster, 1);
    batch_next(&batch, 0, 3);
    publish(sink);
    assert_int_equal(rf_sink_settle(sink, GLANCE_MS, &err), RF_AGAIN);
    rd_kafka_mock_broker_set_up(cluster, 1);
    assert_int_equal(settle(sink), RF_OK);
    (void)rf_sink_mark(sink);
    assert_int_equal(settle(sink), RF_OK);
    rd_kafka_mock_broker_set_down(cluster, 1);
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
    set("queue.buffering.max.messages", "2");
    struct rf_sink *sink = open_sink(0);
    rd_kafka_mock_partition_set_leader(cluster, topic, 1, -1);
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
        (void)rd_kafka_poll(host, status == RF_AGAIN ? GLANCE_MS : 0);
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
    rd_kafka_mock_broker_set_down(cluster, 1);
    batch_next(&batch, 0, 50);
    publish(sink);
    (void)rf_sink_mark(sink);
    assert_int_equal(rf_sink_settle(sink, GLANCE_MS, &err), RF_AGAIN);
    rd_kafka_mock_broker_set_up(cluster, 1);
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
    rd_kafka_mock_push_request_errors(cluster, PRODUCE_REQUEST, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    batch_add(&batch, 0, "a", 0.5);
    publish(sink);
    (void)rf_sink_mark(sink);
    assert_int_equal(settle(sink), RF_IO);
    assert_string_equal(err.text, with_topic("kafka: topic %s refused a record: Broker: Topic authorization failed"));
    err.text[0] = '\0';
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_IO);
    assert_string_equal(err.text, with_topic("kafka: topic %s refused a record: Broker: Topic authorization failed"));
    assert_int_equal(done, 0);
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_IO);
    rf_sink_destroy(sink);
}

static void a_full_queue_says_again_and_later_loses_nothing(void **state) {
    (void)state;
    set("queue.buffering.max.messages", "10");
    struct rf_sink *sink = open_sink(0);
    rd_kafka_mock_broker_set_down(cluster, 1);
    batch_next(&batch, 0, 25);
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_AGAIN);
    assert_int_equal(done, 10);
    assert_int_equal(sink->published, 10);
    rd_kafka_mock_broker_set_up(cluster, 1);
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
    rd_kafka_mock_broker_set_down(cluster, 1);
    batch_next(&batch, 0, 10);
    publish(sink);
    rf_sink_destroy(sink); // ctest's time limit would show a hang
}

static void a_rejected_record_keeps_its_key_and_bytes(void **state) {
    (void)state;
    const struct rf_rejected_options options = {.topic = topic};
    struct rf_sink *sink;
    assert_int_equal(rf_sink_rejected_create(&options, &context, &sink, &err), RF_OK);
    assert_string_equal(sink->label, with_topic("rejected:kafka:%s"));
    assert_false(rf_sink_carries_predictions(sink));
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
    set("message.max.bytes", "1000");
    const struct rf_rejected_options options = {.topic = topic};
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

static void a_prediction_too_large_fails_in_words(void **state) {
    (void)state;
    set("message.max.bytes", "1000");
    struct rf_sink *sink = open_sink(0);
    static char id[2000];
    memset(id, 'i', sizeof id - 1);
    batch_add(&batch, 0, id, 0.5);
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_IO);
    assert_int_equal(err.status, RF_IO);
    const char *begin = with_topic("kafka: topic %s refused a record of 4");
    assert_memory_equal(err.text, begin, strlen(begin));
    assert_non_null(strstr(err.text, " bytes: Broker: Message size too large"));
    rf_sink_destroy(sink);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            CLAIM(every_prediction_is_a_record_under_its_id),
            CLAIM(a_prediction_without_an_id_has_no_key),
            CLAIM(properties_of_consumers_are_passed_over),
            CLAIM(a_wrong_property_is_named),
            CLAIM(weaker_acks_turn_idempotence_off_instead_of_contradicting_it),
            CLAIM(a_line_waits_for_what_was_sent_before_it_only),
            CLAIM(before_the_first_line_all_is_waited_for_and_after_it_nothing_more),
            CLAIM(a_line_settles_although_more_is_published_meanwhile),
            CLAIM(a_broker_that_comes_back_gets_everything_once),
            CLAIM(a_refused_record_fails_the_sink_for_good_in_words),
            CLAIM(a_full_queue_says_again_and_later_loses_nothing),
            CLAIM(the_end_does_not_wait_for_a_broker_that_is_away),
            CLAIM(a_rejected_record_keeps_its_key_and_bytes),
            CLAIM(a_rejected_record_too_large_to_wrap_goes_without_its_bytes),
            CLAIM(a_prediction_too_large_fails_in_words),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
