#ifndef RF_SINKS_PRODUCER_H
#define RF_SINKS_PRODUCER_H
// Produces records to Kafka and keeps count of what is confirmed: under the Kafka sinks, and for `riffle generate`.
#include "proto/setting.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stdint.h>

struct rf_producer;

// Connects with the given properties, of which those that only consumers know are passed over. Unless they say otherwise:
// acks=all, idempotence, Java's partitioner, 64 MiB of queue, and a record that cannot be delivered waits for ever
// (message.timeout.ms=0: with Kafka away the input has ended too; waiting loses nothing, and the caller has the patience
// it wants). Nothing is sent to the network to find out whether it works.
enum rf_status rf_producer_create(const struct rf_pairs *properties, struct rf_producer **producer_out,
                                  struct rf_error *err) RF_MUST_USE;
void rf_producer_destroy(struct rf_producer *producer); // does not wait for what is in flight

// Copies and queues a record. `partition` -1: by hash of the key. `timestamp_ms` -1: now. `key` and `value` may be absent.
// RF_AGAIN: the queue is full, settle for a while and try again. RF_FULL, in words: it is larger than message.max.bytes,
// and was not taken. RF_IO, in words, from then on: it is refused for good, or one before it was.
enum rf_status rf_producer_send(struct rf_producer *producer, const char *topic, int32_t partition, struct rf_text key,
                                struct rf_text value, int64_t timestamp_ms, struct rf_error *err) RF_MUST_USE;

// Draws a line under what was sent so far: see rf_producer_settle(). An earlier line that is not settled yet moves here.
void rf_producer_mark(struct rf_producer *producer);

// Serves deliveries for up to timeout_ms. RF_OK, as soon as it is so: all sent before the mark (without one: all sent) is
// confirmed, and the mark is gone; RF_AGAIN: not yet; RF_IO, in words, from then on: a record was refused for good.
enum rf_status rf_producer_settle(struct rf_producer *producer, int timeout_ms, struct rf_error *err) RF_MUST_USE;

uint64_t rf_producer_in_flight(const struct rf_producer *producer); // sent, neither confirmed nor refused yet

#endif
