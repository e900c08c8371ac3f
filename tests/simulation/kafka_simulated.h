#ifndef RF_TESTS_KAFKA_SIMULATED_H
#define RF_TESTS_KAFKA_SIMULATED_H
// A Kafka in memory: one topic of a few partitions and the offsets committed for it. It outlives the sources that read it,
// as a cluster outlives its clients. A seed decides how much a poll gives, and of which partition.
#include "ingest/source.h"

struct simulated_kafka;

struct simulated_kafka *simulated_kafka_create(const char *topic, int32_t partitions, uint64_t seed);
void simulated_kafka_destroy(struct simulated_kafka *kafka);

// Appends a record; the bytes are copied.
void simulated_kafka_produce(struct simulated_kafka *kafka, int32_t partition, struct rf_text key, struct rf_text value,
                             int64_t timestamp_ms);

int64_t simulated_kafka_committed(const struct simulated_kafka *kafka, int32_t partition); // -1: nothing

// A source that assigns itself all partitions and, with `until_end`, ends where the log ends.
struct rf_source *simulated_kafka_source(struct simulated_kafka *kafka, bool until_end);

#endif
