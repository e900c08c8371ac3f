#ifndef RF_SINKS_TOPIC_H
#define RF_SINKS_TOPIC_H
// Topics that Riffle makes for itself and relies on.
#include "proto/setting.h"
#include "proto/status.h"

#include <stdint.h>

struct rf_topic_options {
    const struct rf_pairs *properties; // librdkafka's own names, passed through
    const char *name;
    int replication;           // copies of it; 0: as the brokers have it for topics
    int64_t message_bytes_max; // max.message.bytes that it needs at least
};

// Sees to it that the topic is there as a log that keeps everything: one partition, deleted never (retention.ms and
// retention.bytes -1) and not compacted (cleanup.policy delete). One that is not there is made; asking does not make it, even
// where the brokers make topics by themselves. One that somebody had them make so, by producing into it first, has their
// settings. RF_CONFLICT names the first thing that one has otherwise, and what would be right (more copies and a larger
// max.message.bytes are fine); RF_IO, in words: the brokers did not answer, or did not allow it.
enum rf_status rf_topic_ensure_log(const struct rf_topic_options *options, int timeout_ms, struct rf_error *err) RF_MUST_USE;

// Removes what a log has before an offset (DeleteRecords).
enum rf_status rf_topic_forget(const struct rf_topic_options *options, int64_t offset, int timeout_ms,
                               struct rf_error *err) RF_MUST_USE;

#endif
