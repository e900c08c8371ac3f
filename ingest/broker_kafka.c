#include "ingest/broker.h"

#include <ctype.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_MAX = 10000, TOPIC_SIZE_MAX = 249 };

struct rf_broker {
    rd_kafka_t *client; // what the mock cluster hangs on; it connects to nothing
    rd_kafka_mock_cluster_t *cluster;
};

static void drop_log(const rd_kafka_t *client, int level, const char *facility, const char *line) {
    (void)client, (void)level, (void)facility, (void)line;
}

enum rf_status rf_broker_create(struct rf_broker **broker_out, struct rf_error *err) {
    char text[512] = "";
    struct rf_broker *broker = calloc(1, sizeof *broker);
    if (!broker) {
        return rf_fail(err, RF_MEMORY, "out of memory for an embedded broker");
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, drop_log);
    broker->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!broker->client) {
        rd_kafka_conf_destroy(conf); // rd_kafka_new() takes it only when it succeeds
        rf_fail(err, RF_IO, "the embedded broker does not start: %s", text);
        goto fail;
    }
    broker->cluster = rd_kafka_mock_cluster_new(broker->client, 1);
    if (!broker->cluster) {
        rf_fail(err, RF_IO, "the embedded broker does not start: it finds no free port on 127.0.0.1");
        goto fail;
    }
    *broker_out = broker;
    return RF_OK;
fail:
    rf_broker_destroy(broker);
    return err->status;
}

static bool is_topic_name(const char *topic) {
    size_t size = strlen(topic);
    if (size == 0 || size > TOPIC_SIZE_MAX || strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!isascii((unsigned char)topic[i]) || !(isalnum((unsigned char)topic[i]) || strchr("._-", topic[i]))) {
            return false;
        }
    }
    return true;
}

enum rf_status rf_broker_add_topic(struct rf_broker *broker, const char *topic, int32_t partitions, struct rf_error *err) {
    if (!is_topic_name(topic)) {
        return rf_fail(err, RF_INVALID, "topic \"%s\" cannot be made, must be 1 to %d of a-z A-Z 0-9 . _ -", topic,
                       (int)TOPIC_SIZE_MAX);
    }
    if (partitions < 1 || partitions > PARTITIONS_MAX) {
        return rf_fail(err, RF_INVALID, "topic %s cannot have %d partitions, must be 1 to %d", topic, (int)partitions,
                       (int)PARTITIONS_MAX);
    }
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(broker->cluster, topic, partitions, 1);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return rf_fail(err, RF_CONFLICT, "topic %s is there already", topic);
    }
    if (code) {
        return rf_fail(err, RF_IO, "topic %s cannot be made: %s", topic, rd_kafka_err2str(code));
    }
    return RF_OK;
}

const char *rf_broker_bootstrap(const struct rf_broker *broker) {
    return rd_kafka_mock_cluster_bootstraps(broker->cluster);
}

void rf_broker_destroy(struct rf_broker *broker) {
    if (!broker) {
        return;
    }
    if (broker->cluster) {
        rd_kafka_mock_cluster_destroy(broker->cluster);
    }
    if (broker->client) {
        rd_kafka_destroy(broker->client);
    }
    free(broker);
}
