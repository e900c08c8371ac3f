#ifndef RF_SINKS_TRANSACTION_CONF_H
#define RF_SINKS_TRANSACTION_CONF_H
#include "sinks/transaction.h"

struct rd_kafka_conf_s; // librdkafka's rd_kafka_conf_t

// Fills in what the operator said, what transactions need, and our preferences. RF_INVALID names what cannot be.
enum rf_status rf_transaction_conf_fill(struct rd_kafka_conf_s *conf, const struct rf_transaction_kafka_options *options,
                                        struct rf_error *err) RF_MUST_USE;

#endif
