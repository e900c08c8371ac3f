#ifndef RF_SINKS_TRANSACTION_H
#define RF_SINKS_TRANSACTION_H
// Records of several topics and offsets of a group that become visible all at once or not at all. A worker of a fleet sends each
// delta so, with the offsets it covers and the predictions that Kafka sinks were given meanwhile.
//
// One thread, not that of the fold: every call may wait. A transaction stands open only from send() to commit(), so that a worker
// that dies in between holds nobody up for longer than its timeout.
#include "proto/position.h"
#include "proto/setting.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rf_transaction;

struct rf_transaction_record {
    const char *topic;
    struct rf_text key;   // data NULL: none
    struct rf_text value; // data NULL: none
    int64_t timestamp_ms; // 0: now
};

// All of it is borrowed until commit() has returned.
struct rf_transaction_contents {
    const struct rf_transaction_record *records; // [count], in the order they are sent
    size_t count;
    const struct rf_positions *offsets; // of input: next_offset of each becomes the group's; NULL or empty: none are sent
    const char *note;                   // stored beside the offsets
    const uint8_t *group;               // the group's metadata, of rf_source_group(); taken just before sending, never kept
    size_t group_size;
};

// What became of a transaction, beside the status of the call.
enum rf_outcome {
    RF_OUTCOME_OPEN,      // sent, not committed yet
    RF_OUTCOME_COMMITTED, // decided: all of it is visible, or will be as soon as the brokers have marked it in every partition
    RF_OUTCOME_ABORTED,   // nothing of it is, nor will be; the next one may be sent
    RF_OUTCOME_FENCED,    // this client can send no more: another worker has its transactional.id. What send() or abort() answers
                          // so was not committed; of commit(), ask the log, if it matters still
    RF_OUTCOME_UNKNOWN,   // the brokers did not answer, or may have timed the transaction out: it may have been committed if
                          // commit() was called. Ask the log once open() has been called again, which settles it; send
                          // nothing before
};

struct rf_transaction_ops {
    const char *name;

    // Takes the transactional.id: fences whoever had it, and settles what he left open, at once and whatever its timeout. Before
    // the first send(), and again after RF_OUTCOME_UNKNOWN. RF_IO: the brokers did not answer in time, try again. RF_CONFLICT:
    // fenced.
    enum rf_status (*open)(struct rf_transaction *self, int timeout_ms, struct rf_error *err);

    // Begins a transaction and sends what it holds; all records have been taken by the brokers when it returns RF_OK, with
    // RF_OUTCOME_OPEN. Any failure is in words, and the outcome is one of the others; where it is RF_OUTCOME_ABORTED the
    // transaction was aborted before this returned. RF_FULL: a record is larger than message.max.bytes, and nothing was sent.
    // RF_CONFLICT: fenced, or, with RF_OUTCOME_ABORTED, the group has gone on to another generation than that of the metadata.
    enum rf_status (*send)(struct rf_transaction *self, const struct rf_transaction_contents *contents, int timeout_ms,
                           enum rf_outcome *outcome_out, struct rf_error *err);

    // Commits what was sent. RF_OK with RF_OUTCOME_COMMITTED; or a failure in words, with the outcome.
    enum rf_status (*commit)(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out, struct rf_error *err);

    // Aborts what was sent and not committed, e.g. because the partitions were lost meanwhile. RF_OK with RF_OUTCOME_ABORTED; or
    // a failure in words, with the outcome.
    enum rf_status (*abort)(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out, struct rf_error *err);

    void (*destroy)(struct rf_transaction *self); // waits for nothing; what stands open is aborted by the brokers in time
};

struct rf_transaction { // embedded first in each kind
    const struct rf_transaction_ops *ops;
};

enum rf_status rf_transaction_open(struct rf_transaction *self, int timeout_ms, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_transaction_send(struct rf_transaction *self, const struct rf_transaction_contents *contents, int timeout_ms,
                                   enum rf_outcome *outcome_out, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_transaction_commit(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out,
                                     struct rf_error *err) RF_MUST_USE;
enum rf_status rf_transaction_abort(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out,
                                    struct rf_error *err) RF_MUST_USE;
void rf_transaction_destroy(struct rf_transaction *self); // NULL is fine

// Kafka's: owns the only transactional producer of the program. Calls may take a second longer than they are told, or a fifth of
// the transaction's timeout, if that is more. Of the properties, message.timeout.ms and socket.timeout.ms are passed over: they
// follow from the transaction's. Records are compressed by lz4 unless the properties say otherwise.
//
// Readers of committed records wait behind a transaction that stands open, whoever else commits after it: the end of a partition
// that they come to may be before what another worker has committed already.
struct rf_transaction_kafka_options {
    const struct rf_pairs *properties; // librdkafka's own names, passed through
    const char *id;                    // transactional.id
    int timeout_ms;                    // transaction.timeout.ms: when the brokers abort what a dead worker left open
};
enum rf_status rf_transaction_kafka_create(const struct rf_transaction_kafka_options *options,
                                           struct rf_transaction **transaction_out, struct rf_error *err) RF_MUST_USE;

#endif
