#ifndef RF_SINKS_CONF_H
#define RF_SINKS_CONF_H
// librdkafka's settings, as the operator gave them and as we prefer them.
#include "proto/setting.h"
#include "proto/status.h"

#include <stdbool.h>
#include <stddef.h>

struct rd_kafka_conf_s; // librdkafka's rd_kafka_conf_t

// A value that holds unless the operator sets the property, or another that decides the same.
struct rf_conf_preset {
    const char *value;
    const char *const *names; // the property, then all that decide the same; ends with NULL
};

bool rf_conf_says(const struct rf_pairs *properties, const char *const *names);

// RF_INVALID, in words, where librdkafka does not take it.
enum rf_status rf_conf_set(struct rd_kafka_conf_s *conf, const char *name, const char *value, struct rf_error *err) RF_MUST_USE;

// The presets, then the operator's. Logs are dropped unless the operator asks for them (debug).
enum rf_status rf_conf_fill(struct rd_kafka_conf_s *conf, const struct rf_conf_preset *presets, size_t count,
                            const struct rf_pairs *properties, struct rf_error *err) RF_MUST_USE;

#endif
