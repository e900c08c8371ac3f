#include "tests/ingest/fixture_kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rd_kafka_t *make_producer(const char *servers) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", servers, text, sizeof text), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "linger.ms", "20", text, sizeof text), RD_KAFKA_CONF_OK); // one message set a flush
    assert_int_equal(rd_kafka_conf_set(conf, "log_level", "0", text, sizeof text), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "message.max.bytes", "2000000", text, sizeof text), RD_KAFKA_CONF_OK);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(producer);
    return producer;
}

int world_setup(void **state) {
    struct world *world = calloc(1, sizeof *world);
    struct rf_error err;
    assert_int_equal(rf_broker_create(&world->broker, &err), RF_OK);
    snprintf(world->servers, sizeof world->servers, "%s", rf_broker_bootstrap(world->broker));
    world->producer = make_producer(world->servers);
    *state = world;
    return 0;
}

int world_teardown(void **state) {
    struct world *world = *state;
    rd_kafka_destroy(world->producer);
    rf_broker_destroy(world->broker);
    free(world);
    return 0;
}

void introduce(rd_kafka_t *producer, const char *topic) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(producer, topic, NULL);
    assert_int_equal(rd_kafka_metadata(producer, 0, handle, &metadata, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
}

void add_topic(struct world *world, const char *topic, int32_t partitions) {
    struct rf_error err;
    assert_int_equal(rf_broker_add_topic(world->broker, topic, partitions, &err), RF_OK);
    introduce(world->producer, topic);
}

void produce_sized(rd_kafka_t *producer, const char *topic, int32_t partition, const char *key, const void *value, size_t size,
                   int64_t timestamp_ms) {
    rd_kafka_vu_t fields[] = {
            {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
            {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, key ? strlen(key) : 0}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, size}},
            {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer, fields, sizeof fields / sizeof fields[0]);
    assert_null(error);
}

void flush_records(rd_kafka_t *producer) {
    assert_int_equal(rd_kafka_flush(producer, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

void produce(struct world *world, const char *topic, int32_t partition, const char *values) {
    while (*values) {
        size_t size = strcspn(values, " ");
        produce_sized(world->producer, topic, partition, NULL, values, size, 1000);
        values += size + (values[size] == ' ');
    }
    flush_records(world->producer);
}

void settings_set(struct settings *settings, const char *name, const char *value) {
    settings->pairs[settings->properties.count++] =
            (struct rf_pair){.name = (char *)(uintptr_t)name, .value = (char *)(uintptr_t)value};
}

void settings_add(struct settings *settings, const char *topic) {
    settings->topic_list[settings->topics.count++] = (char *)(uintptr_t)topic;
}

void settings_init(struct settings *settings, const char *servers, const char *topic) {
    memset(settings, 0, sizeof *settings);
    settings->properties.list = settings->pairs;
    settings->topics.list = settings->topic_list;
    settings->options = (struct rf_source_kafka_options){.properties = &settings->properties, .topics = &settings->topics};
    settings_set(settings, "bootstrap.servers", servers);
    settings_set(settings, "fetch.wait.max.ms", "10");
    settings_set(settings, "reconnect.backoff.ms", "10");
    settings_set(settings, "reconnect.backoff.max.ms", "50");
    settings_add(settings, topic);
}

struct rf_source *create_source(const struct settings *settings) {
    struct rf_source *source = NULL;
    struct rf_error err = {0};
    if (rf_source_kafka_create(&settings->options, &source, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return source;
}

void cluster_init(struct cluster *cluster) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "log_level", "0", text, sizeof text), RD_KAFKA_CONF_OK);
    cluster->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    cluster->mock = rd_kafka_mock_cluster_new(cluster->client, 1);
    assert_non_null(cluster->mock);
    snprintf(cluster->world.servers, sizeof cluster->world.servers, "%s", rd_kafka_mock_cluster_bootstraps(cluster->mock));
    cluster->world.producer = make_producer(cluster->world.servers);
}

void cluster_finish(struct cluster *cluster) {
    rd_kafka_destroy(cluster->world.producer);
    rd_kafka_mock_cluster_destroy(cluster->mock);
    rd_kafka_destroy(cluster->client);
}
