#ifndef RF_SINKS_UNCONFIRMED_H
#define RF_SINKS_UNCONFIRMED_H
// The batches that a pusher sent and no reader has confirmed yet. They are kept, and sent again once a reader has gone away:
// what libzmq held for it, and what it had received and not dealt with, is nowhere else. See docs/PROTOCOL.md.
#include "proto/status.h"
#include "sinks/endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rf_unconfirmed;

struct rf_unconfirmed_options {
    void *context;              // of zmq_ctx_new(), borrowed
    struct rf_endpoint *pusher; // borrowed
    const char *address;        // to bind, where readers confirm
    const char *topic;          // the first frame of each batch; borrowed
    size_t capacity;            // batches kept
};

enum rf_status rf_unconfirmed_create(const struct rf_unconfirmed_options *options, struct rf_unconfirmed **unconfirmed_out,
                                     struct rf_error *err) RF_MUST_USE;
void rf_unconfirmed_destroy(struct rf_unconfirmed *self);

// Copies a batch and sends it as soon as there is room. Sequence numbers follow one another within an epoch. RF_AGAIN: as many
// as may be are not confirmed.
enum rf_status rf_unconfirmed_add(struct rf_unconfirmed *self, uint32_t epoch, uint64_t sequence, const void *data, size_t size,
                                  struct rf_error *err) RF_MUST_USE;

// Hears what was confirmed and who went away, and sends what is to be sent.
enum rf_status rf_unconfirmed_attend(struct rf_unconfirmed *self, int64_t now_ms, struct rf_error *err) RF_MUST_USE;

// Waits at most timeout_ms until every batch up to this sequence number is confirmed; RF_AGAIN: not yet.
enum rf_status rf_unconfirmed_settle(struct rf_unconfirmed *self, uint64_t sequence, int timeout_ms,
                                     struct rf_error *err) RF_MUST_USE;

uint64_t rf_unconfirmed_last(const struct rf_unconfirmed *self); // sequence number added last; 0: none
uint64_t rf_unconfirmed_repeats(const struct rf_unconfirmed *self);

#endif
