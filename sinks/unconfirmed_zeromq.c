#include "sinks/unconfirmed.h"

#include <riffle.pb-c.h>
#include <zmq.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HEARD_MAX = 4096, // confirmations at once
    GLANCE_MS = 10,
    // From the news that a reader is gone to the end of its queue in libzmq some time passes, in which batches are still put into
    // that queue. All that is not confirmed is sent again after it.
    GONE_MS = 1000,
};

struct kept {
    zmq_msg_t body;
    bool is_confirmed;
};

struct rf_unconfirmed {
    struct rf_unconfirmed_options options;
    struct rf_endpoint confirmations; // PULL
    void *monitor;                    // PAIR: who went away
    uint32_t epoch;                   // of the batches kept
    uint64_t last;                    // sequence number
    size_t first, count;              // the ring of batches kept; `last` is the newest of them
    size_t sent;                      // of them, the oldest ones
    int64_t gone_ms, gone_again_ms;   // since when a reader is known to be gone, and another one since; 0: none is
    uint64_t repeats;
    struct kept list[]; // [options.capacity]
};

static struct kept *kept_at(struct rf_unconfirmed *self, size_t index) {
    return &self->list[(self->first + index) % self->options.capacity];
}

static enum rf_status fail_to_send(struct rf_unconfirmed *self, struct rf_error *err) {
    return rf_fail(err, RF_IO, "zeromq: cannot send at %s: %s", self->options.pusher->name, zmq_strerror(zmq_errno()));
}

// The copy shares the bytes. RF_AGAIN at the second frame too: the message broken off begins anew.
static enum rf_status send(struct rf_unconfirmed *self, struct kept *kept, struct rf_error *err) {
    const char *topic = self->options.topic;
    enum rf_status status = rf_endpoint_send(self->options.pusher, topic, strlen(topic), RF_FRAME_MORE);
    if (status) {
        return status == RF_AGAIN ? RF_AGAIN : fail_to_send(self, err);
    }
    zmq_msg_t copy;
    (void)zmq_msg_init(&copy);
    (void)zmq_msg_copy(&copy, &kept->body);
    while (zmq_msg_send(&copy, self->options.pusher->socket, ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() == EINTR) {
            continue;
        }
        status = zmq_errno() == EAGAIN ? RF_AGAIN : fail_to_send(self, err);
        (void)zmq_msg_close(&copy);
        return status;
    }
    return RF_OK;
}

static enum rf_status send_unsent(struct rf_unconfirmed *self, struct rf_error *err) {
    for (; self->sent < self->count; self->sent++) {
        struct kept *kept = kept_at(self, self->sent);
        enum rf_status status = kept->is_confirmed ? RF_OK : send(self, kept, err);
        if (status) {
            return status == RF_AGAIN ? RF_OK : status; // it is kept
        }
    }
    return RF_OK;
}

static void confirm(struct rf_unconfirmed *self, uint32_t epoch, uint64_t sequence) {
    uint64_t oldest = self->last - self->count + 1;
    if (epoch == self->epoch && self->count && sequence >= oldest && sequence <= self->last) {
        kept_at(self, (size_t)(sequence - oldest))->is_confirmed = true;
    }
}

static void forget_confirmed(struct rf_unconfirmed *self) {
    while (self->count && kept_at(self, 0)->is_confirmed) {
        (void)zmq_msg_close(&kept_at(self, 0)->body);
        self->first = (self->first + 1) % self->options.capacity;
        self->count--;
        self->sent -= self->sent > 0;
    }
}

// False when nothing more is there. What is no confirmation is passed over.
static bool hear_one(struct rf_unconfirmed *self) {
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    bool is_heard = zmq_msg_recv(&frame, self->confirmations.socket, ZMQ_DONTWAIT) >= 0;
    if (is_heard) {
        Riffle__V1__Confirmation *heard = riffle__v1__confirmation__unpack(NULL, zmq_msg_size(&frame), zmq_msg_data(&frame));
        if (heard) {
            confirm(self, heard->epoch, heard->sequence);
        }
        riffle__v1__confirmation__free_unpacked(heard, NULL);
    }
    (void)zmq_msg_close(&frame);
    return is_heard;
}

static void hear(struct rf_unconfirmed *self) {
    for (int i = 0; i < HEARD_MAX && hear_one(self); i++) {
    }
    forget_confirmed(self);
}

// True when a peer went away. Each event is two frames, and only departures are monitored.
static bool hear_departures(struct rf_unconfirmed *self) {
    bool is_gone = false;
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, self->monitor, ZMQ_DONTWAIT) >= 0) {
        is_gone = true;
    }
    (void)zmq_msg_close(&frame);
    return is_gone;
}

enum rf_status rf_unconfirmed_add(struct rf_unconfirmed *self, uint32_t epoch, uint64_t sequence, const void *data, size_t size,
                                  struct rf_error *err) {
    hear(self);
    if (self->count == self->options.capacity) {
        return RF_AGAIN;
    }
    assert(!self->count || sequence == self->last + 1);
    struct kept *kept = kept_at(self, self->count);
    if (zmq_msg_init_size(&kept->body, size)) {
        return rf_fail(err, RF_MEMORY, "zeromq: out of memory for a batch of %zu bytes", size);
    }
    if (size) {
        memcpy(zmq_msg_data(&kept->body), data, size);
    }
    kept->is_confirmed = false;
    self->epoch = epoch;
    self->last = sequence;
    self->count++;
    return send_unsent(self, err);
}

enum rf_status rf_unconfirmed_attend(struct rf_unconfirmed *self, int64_t now_ms, struct rf_error *err) {
    if (hear_departures(self)) {
        *(self->gone_ms ? &self->gone_again_ms : &self->gone_ms) = now_ms;
    }
    hear(self);
    if (self->gone_ms && (now_ms - self->gone_ms >= GONE_MS || now_ms < self->gone_ms)) {
        self->gone_ms = self->gone_again_ms; // readers that come and go put nothing off
        self->gone_again_ms = 0;
        for (size_t i = 0; i < self->sent; i++) {
            self->repeats += !kept_at(self, i)->is_confirmed;
        }
        self->sent = 0;
    }
    return send_unsent(self, err);
}

static bool is_confirmed(struct rf_unconfirmed *self, uint64_t sequence) {
    return !self->count || self->last - self->count + 1 > sequence;
}

static int64_t clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum rf_status rf_unconfirmed_settle(struct rf_unconfirmed *self, uint64_t sequence, int timeout_ms, struct rf_error *err) {
    hear(self);
    if (timeout_ms <= 0 || is_confirmed(self, sequence)) {
        enum rf_status status = send_unsent(self, err);
        return status ? status : is_confirmed(self, sequence) ? RF_OK : RF_AGAIN;
    }
    const int64_t end_ms = clock_ms() + timeout_ms;
    for (int64_t now_ms = clock_ms(); now_ms < end_ms; now_ms = clock_ms()) {
        enum rf_status status = rf_unconfirmed_attend(self, now_ms, err);
        if (status || is_confirmed(self, sequence)) {
            return status;
        }
        zmq_pollitem_t item = {.socket = self->confirmations.socket, .events = ZMQ_POLLIN};
        (void)zmq_poll(&item, 1, end_ms - now_ms < GLANCE_MS ? (long)(end_ms - now_ms) : GLANCE_MS);
    }
    return RF_AGAIN;
}

uint64_t rf_unconfirmed_last(const struct rf_unconfirmed *self) {
    return self->last;
}

uint64_t rf_unconfirmed_repeats(const struct rf_unconfirmed *self) {
    return self->repeats;
}

void rf_unconfirmed_destroy(struct rf_unconfirmed *self) {
    if (!self) {
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        (void)zmq_msg_close(&kept_at(self, i)->body);
    }
    (void)zmq_socket_monitor(self->options.pusher->socket, NULL, 0);
    if (self->monitor) {
        (void)zmq_close(self->monitor);
    }
    rf_endpoint_close(&self->confirmations);
    free(self);
}

static enum rf_status open_monitor(struct rf_unconfirmed *self, struct rf_error *err) {
    static const char address[] = "inproc://departures"; // a context serves one sink
    self->monitor = zmq_socket(self->options.context, ZMQ_PAIR);
    if (!self->monitor || zmq_socket_monitor(self->options.pusher->socket, address, ZMQ_EVENT_DISCONNECTED) < 0 ||
        zmq_connect(self->monitor, address) != 0) {
        return rf_fail(err, RF_IO, "zeromq: cannot watch the readers of %s: %s", self->options.pusher->name,
                       zmq_strerror(zmq_errno()));
    }
    return RF_OK;
}

enum rf_status rf_unconfirmed_create(const struct rf_unconfirmed_options *options, struct rf_unconfirmed **unconfirmed_out,
                                     struct rf_error *err) {
    struct rf_unconfirmed *self = calloc(1, sizeof *self + options->capacity * sizeof(struct kept));
    if (!self) {
        return rf_fail(err, RF_MEMORY, "zeromq: out of memory for %zu batches", options->capacity);
    }
    self->options = *options;
    const struct rf_endpoint_options endpoint = {.type = ZMQ_PULL, .address = options->address};
    enum rf_status status = rf_endpoint_open(options->context, &endpoint, &self->confirmations, err);
    if (!status) {
        status = open_monitor(self, err);
    }
    if (status) {
        rf_unconfirmed_destroy(self);
        return status;
    }
    *unconfirmed_out = self;
    return RF_OK;
}
