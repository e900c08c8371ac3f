#ifndef RF_TESTS_SINKS_CLUSTER_KAFKA_H
#define RF_TESTS_SINKS_CLUSTER_KAFKA_H
// librdkafka's mock cluster of one broker, with a topic of its own for every test.
#include "proto/setting.h"

enum { PATIENCE_MS = 30000, GLANCE_MS = 20, PARTITIONS = 2, PRODUCE_REQUEST = 0 };

struct rd_kafka_s;
struct rd_kafka_mock_cluster_s;

struct cluster {
    struct rd_kafka_s *host; // the client that the mock lives in
    struct rd_kafka_mock_cluster_s *mock;
    int tests;
    char topic[32];             // of the test: scores1, scores2, ...
    struct rf_pairs properties; // to connect with; a test may add some
    struct rf_pair list[8];
};

// 0, as cmocka wants it.
int cluster_start(struct cluster *cluster);
int cluster_stop(struct cluster *cluster);
int cluster_begin_test(struct cluster *cluster);
int cluster_end_test(struct cluster *cluster);

void cluster_set(struct cluster *cluster, const char *name, const char *value);

// The sentence with the test's topic in place of %s.
const char *cluster_sentence(const struct cluster *cluster, const char *format);

#endif
