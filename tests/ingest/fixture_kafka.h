#ifndef RF_TESTS_INGEST_FIXTURE_KAFKA_H
#define RF_TESTS_INGEST_FIXTURE_KAFKA_H
// Brokers that tests fill and break, and sources that read them.
#include "ingest/broker.h"
#include "ingest/source.h"
#include "tests/test.h"

struct rd_kafka_s;              // librdkafka's rd_kafka_t
struct rd_kafka_mock_cluster_s; // and its rd_kafka_mock_cluster_t

// A broker, and a producer that tests fill it with.
struct world {
    struct rf_broker *broker;
    struct rd_kafka_s *producer;
    char servers[128];
};
int world_setup(void **state);
int world_teardown(void **state);

// Lets the producer know a topic beforehand: else its first record waits for a scan that comes once a second.
void introduce(struct rd_kafka_s *producer, const char *topic);
void add_topic(struct world *world, const char *topic, int32_t partitions);

void produce_sized(struct rd_kafka_s *producer, const char *topic, int32_t partition, const char *key, const void *value,
                   size_t size, int64_t timestamp_ms);
void flush_records(struct rd_kafka_s *producer);

// Puts the words of `values` into a partition, one record each.
void produce(struct world *world, const char *topic, int32_t partition, const char *values);

// The settings of a source.
struct settings {
    struct rf_pair pairs[16];
    struct rf_pairs properties;
    char *topic_list[4];
    struct rf_texts topics;
    struct rf_source_kafka_options options;
};
void settings_init(struct settings *settings, const char *servers, const char *topic);
void settings_set(struct settings *settings, const char *name, const char *value);
void settings_add(struct settings *settings, const char *topic);
struct rf_source *create_source(const struct settings *settings);

// A broker of the test's own, to break.
struct cluster {
    struct rd_kafka_s *client;
    struct rd_kafka_mock_cluster_s *mock;
    struct world world;
};
void cluster_init(struct cluster *cluster);
void cluster_finish(struct cluster *cluster);

#endif
