#include "sinks/endpoint.h"

#include <zmq.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEARTBEAT_MS = 2000,
    HEARTBEAT_TIMEOUT_MS = 10000,
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_COUNT = 3,
    MESSAGE_SIZE_MAX = 4096, // what peers may send to us: subscriptions and requests
};

static void set(void *socket, int option, int value) {
    // A wrong option or value would be a bug of ours that tests see; a closing context fails the bind that follows.
    (void)zmq_setsockopt(socket, option, &value, sizeof value);
}

// ZeroMQ's own heartbeats find a dead subscriber. They also cut off a peer that lives but does not read (the answer waits
// behind what it has not read), and what was queued for it is lost: measured with PUSH. So only the lossy kind has
// them, the others rely on TCP's keepalive, which the kernel of the peer answers.
static void set_liveness(void *socket, int type) {
    if (type == ZMQ_PUB) {
        set(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS);
        set(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS);
    }
    set(socket, ZMQ_TCP_KEEPALIVE, 1);
    set(socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S);
    set(socket, ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_INTERVAL_S);
    set(socket, ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_COUNT);
}

static enum rf_status refuse_bind(const char *address, int error, struct rf_error *err) {
    switch (error) {
    case EINVAL:
        return rf_fail(err, RF_INVALID, "zeromq: endpoint is %s, must be tcp://ADDRESS:PORT or ipc://PATH", address);
    case ENODEV:
    case EADDRNOTAVAIL:
        return rf_fail(err, RF_INVALID, "zeromq: cannot bind %s: must be an IP address or interface of this machine, or *",
                       address);
    case EADDRINUSE:
        return rf_fail(err, RF_BUSY, "zeromq: cannot bind %s: %s", address, zmq_strerror(error));
    default:
        return rf_fail(err, RF_IO, "zeromq: cannot bind %s: %s", address, zmq_strerror(error));
    }
}

// libzmq would take port 99999 for 34463, and binds transports that reach nobody outside the process or that are not
// reliable.
static bool is_endpoint(const char *address) {
    if (strncmp(address, "tcp://", 6) != 0) {
        return strncmp(address, "ipc://", 6) == 0;
    }
    const char *port = strrchr(address, ':') + 1;
    size_t digits = strspn(port, "0123456789");
    return strcmp(port, "*") == 0 || (digits > 0 && digits <= 5 && port[digits] == '\0' && strtol(port, NULL, 10) <= UINT16_MAX);
}

enum rf_status rf_endpoint_check(const char *address, struct rf_error *err) {
    return is_endpoint(address) ? RF_OK : refuse_bind(address, EINVAL, err);
}

enum rf_status rf_endpoint_open(void *context, const struct rf_endpoint_options *options, struct rf_endpoint *endpoint_out,
                                struct rf_error *err) {
    *endpoint_out = (struct rf_endpoint){0};
    const char *address = options->address;
    if (rf_endpoint_check(address, err)) {
        return err->status;
    }
    void *socket = zmq_socket(context, options->type);
    if (!socket) {
        return rf_fail(err, RF_IO, "zeromq: cannot make a socket for %s: %s", address, zmq_strerror(zmq_errno()));
    }
    set(socket, ZMQ_SNDHWM, (int)options->high_water_mark);
    set(socket, ZMQ_LINGER, (int)options->linger_ms);
    (void)zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &(int64_t){MESSAGE_SIZE_MAX}, sizeof(int64_t));
    set_liveness(socket, options->type);
    if (zmq_bind(socket, address) != 0) {
        int error = zmq_errno();
        (void)zmq_close(socket);
        return refuse_bind(address, error, err);
    }
    size_t size = sizeof endpoint_out->name;
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint_out->name, &size) != 0) {
        int error = zmq_errno();
        (void)zmq_close(socket);
        return rf_fail(err, RF_IO, "zeromq: %s does not tell its port: %s", address, zmq_strerror(error));
    }
    endpoint_out->socket = socket;
    return RF_OK;
}

void rf_endpoint_close(struct rf_endpoint *endpoint) {
    if (endpoint->socket) {
        (void)zmq_close(endpoint->socket);
        endpoint->socket = NULL;
    }
}

void rf_endpoint_set_lossy(struct rf_endpoint *endpoint, bool is_lossy) {
    set(endpoint->socket, ZMQ_XPUB_NODROP, !is_lossy);
}

void rf_endpoint_catch_up(struct rf_endpoint *endpoint) {
    int events;
    size_t size = sizeof events;
    (void)zmq_getsockopt(endpoint->socket, ZMQ_EVENTS, &events, &size);
}

enum rf_status rf_endpoint_send(struct rf_endpoint *endpoint, const void *data, size_t size, enum rf_endpoint_frame frame) {
    int flags = ZMQ_DONTWAIT | (frame == RF_FRAME_MORE ? ZMQ_SNDMORE : 0);
    while (zmq_send(endpoint->socket, data, size, flags) < 0) {
        switch (zmq_errno()) {
        case EINTR:
            continue;
        case EAGAIN:
            return RF_AGAIN;
        case EHOSTUNREACH:
            return RF_NOT_FOUND;
        default:
            return RF_IO;
        }
    }
    return RF_OK;
}
