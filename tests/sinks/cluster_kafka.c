#include "tests/sinks/cluster_kafka.h"

#include "tests/test.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <stdio.h>
#include <string.h>

static void drop_log(const rd_kafka_t *client, int level, const char *facility, const char *text) {
    (void)client;
    (void)level;
    (void)facility;
    (void)text;
}

int cluster_start(struct cluster *cluster) {
    char text[256];
    *cluster = (struct cluster){0};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, drop_log);
    cluster->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    cluster->mock = cluster->host ? rd_kafka_mock_cluster_new(cluster->host, 1) : NULL;
    return cluster->mock ? 0 : -1;
}

int cluster_stop(struct cluster *cluster) {
    rd_kafka_mock_cluster_destroy(cluster->mock);
    rd_kafka_destroy(cluster->host);
    return 0;
}

int cluster_begin_test(struct cluster *cluster) {
    snprintf(cluster->topic, sizeof cluster->topic, "scores%d", ++cluster->tests);
    cluster->properties = (struct rf_pairs){cluster->list, 0};
    cluster_set(cluster, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster->mock));
    cluster_set(cluster, "linger.ms", "0");
    return rd_kafka_mock_topic_create(cluster->mock, cluster->topic, PARTITIONS, 1);
}

int cluster_end_test(struct cluster *cluster) {
    rd_kafka_mock_clear_request_errors(cluster->mock, PRODUCE_REQUEST);
    return rd_kafka_mock_broker_set_up(cluster->mock, 1);
}

void cluster_set(struct cluster *cluster, const char *name, const char *value) {
    assert_true(cluster->properties.count < sizeof cluster->list / sizeof *cluster->list);
    cluster->list[cluster->properties.count++] = (struct rf_pair){(char *)name, (char *)value, 0};
}

const char *cluster_sentence(const struct cluster *cluster, const char *format) {
    static char sentence[256];
    size_t before = strcspn(format, "%");
    snprintf(sentence, sizeof sentence, "%.*s%s%s", (int)before, format, cluster->topic, format + before + 2);
    return sentence;
}
