#ifndef RF_SINKS_ARCHIVE_H
#define RF_SINKS_ARCHIVE_H
// The topic of snapshots of a fleet as the worker sees it that writes them: records go in, plainly and in order, and what is no
// longer needed is removed, there and from the log of deltas. One thread, not that of the fold: calls may wait.
#include "proto/setting.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stdint.h>

struct rf_archive;

enum rf_archive_log { RF_ARCHIVE_SNAPSHOTS, RF_ARCHIVE_DELTAS };

struct rf_archive_ops {
    const char *name;

    // Copies and queues a record. RF_AGAIN: there is no room now, settle and try again. RF_IO, RF_FULL, in words: it is refused,
    // and whatever was not settled may be lost; the next record begins anew.
    enum rf_status (*send)(struct rf_archive *self, struct rf_text value, struct rf_error *err);

    // RF_OK: all that was sent is confirmed. RF_AGAIN: not in timeout_ms. RF_IO: as of send.
    enum rf_status (*settle)(struct rf_archive *self, int timeout_ms, struct rf_error *err);

    // Removes what a log has before an offset. RF_IO, in words: it was not, and may be tried again.
    enum rf_status (*forget)(struct rf_archive *self, enum rf_archive_log log, int64_t offset, struct rf_error *err);

    void (*destroy)(struct rf_archive *self); // does not wait for what was sent
};

struct rf_archive { // embedded first in each kind
    const struct rf_archive_ops *ops;
};

enum rf_status rf_archive_send(struct rf_archive *self, struct rf_text value, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_archive_settle(struct rf_archive *self, int timeout_ms, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_archive_forget(struct rf_archive *self, enum rf_archive_log log, int64_t offset,
                                 struct rf_error *err) RF_MUST_USE;
void rf_archive_destroy(struct rf_archive *self); // NULL is fine

// Kafka's, over a producer of its own, made with the first record. Texts are borrowed.
struct rf_archive_kafka_options {
    const struct rf_pairs *properties; // librdkafka's own names, passed through
    const char *snapshots, *deltas;    // topics
    int forget_ms;                     // how long removing may take
};
enum rf_status rf_archive_kafka_create(const struct rf_archive_kafka_options *options, struct rf_archive **archive_out,
                                       struct rf_error *err) RF_MUST_USE;

#endif
