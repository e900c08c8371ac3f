#ifndef RF_INGEST_BROKER_H
#define RF_INGEST_BROKER_H
#include "proto/status.h"

#include <stdint.h>

// The embedded broker: librdkafka's mock cluster, for trying out and for tests. Real TCP on 127.0.0.1, so other
// programs may connect. It forgets everything at exit, keeps about 5 MiB a partition, has no transactions and cannot look
// up times. A topic that is asked for and not there is made, with 4 partitions. Destroy what is connected to it first.
struct rf_broker;

enum rf_status rf_broker_create(struct rf_broker **broker_out, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_broker_add_topic(struct rf_broker *broker, const char *topic, int32_t partitions,
                                   struct rf_error *err) RF_MUST_USE;
const char *rf_broker_bootstrap(const struct rf_broker *broker); // for bootstrap.servers; valid as long as the broker
void rf_broker_destroy(struct rf_broker *broker);

#endif
