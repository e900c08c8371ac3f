#ifndef RF_SINKS_ENDPOINT_H
#define RF_SINKS_ENDPOINT_H
// A bound ZeroMQ socket: what is wrong with an endpoint in words, and the settings that all of ours share.
#include "proto/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RF_ENDPOINT_NAME_SIZE = 1024 };

struct rf_endpoint {
    void *socket;                     // NULL when closed
    char name[RF_ENDPOINT_NAME_SIZE]; // where peers connect, with the port that `*` or 0 stood for
};

struct rf_endpoint_options {
    int type;                 // ZMQ_PUB, ...
    const char *address;      // tcp://ADDRESS:PORT or ipc://PATH
    uint64_t high_water_mark; // messages queued for one peer
    uint64_t linger_ms;       // how long the context waits at its end for what is queued
};

// RF_INVALID, in words, for what is no endpoint to bind.
enum rf_status rf_endpoint_check(const char *address, struct rf_error *err) RF_MUST_USE;

// Binds in `context` (of zmq_ctx_new(), the caller's). `*endpoint_out` is cleared when it fails.
enum rf_status rf_endpoint_open(void *context, const struct rf_endpoint_options *options, struct rf_endpoint *endpoint_out,
                                struct rf_error *err) RF_MUST_USE;
void rf_endpoint_close(struct rf_endpoint *endpoint);

// Of a publisher: whether it drops what a subscriber has no room for, as it does at first, or has no room itself as long as one
// of them has none.
void rf_endpoint_set_lossy(struct rf_endpoint *endpoint, bool is_lossy);

// Hears at once what peers have taken meanwhile: sending hears of it about once a millisecond.
void rf_endpoint_catch_up(struct rf_endpoint *endpoint);

enum rf_endpoint_frame { RF_FRAME_MORE, RF_FRAME_LAST };

// Copies and queues a frame without waiting. RF_AGAIN: no room now; a message broken off so starts again from its first
// frame. RF_NOT_FOUND: the peer addressed is gone. RF_IO: anything else.
enum rf_status rf_endpoint_send(struct rf_endpoint *endpoint, const void *data, size_t size,
                                enum rf_endpoint_frame frame) RF_MUST_USE;

#endif
