#include "tests/sinks/peers_zeromq.h"

#include "tests/test.h"

#include <string.h>
#include <zmq.h>

static void *context;
static void *peers[16];
static size_t count;

int peers_open(void) {
    context = zmq_ctx_new();
    return context ? 0 : -1;
}

int peers_close(void) {
    while (count > 0) {
        (void)zmq_close(peers[--count]);
    }
    return zmq_ctx_term(context);
}

void *connect_peer(int type, const char *endpoint, int high_water_mark, const char *topic) {
    void *peer = zmq_socket(context, type);
    assert_non_null(peer);
    int none = 0, small = 1 << 16;
    assert_int_equal(zmq_setsockopt(peer, ZMQ_LINGER, &none, sizeof none), 0);
    assert_int_equal(zmq_setsockopt(peer, ZMQ_RCVBUF, &small, sizeof small), 0);
    assert_int_equal(zmq_setsockopt(peer, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark), 0);
    if (topic) {
        assert_int_equal(zmq_setsockopt(peer, ZMQ_SUBSCRIBE, topic, strlen(topic)), 0);
    }
    assert_int_equal(zmq_connect(peer, endpoint), 0);
    assert_true(count < sizeof peers / sizeof *peers);
    return peers[count++] = peer;
}

void leave(void *peer) {
    for (size_t i = 0; i < count; i++) {
        if (peers[i] == peer) {
            peers[i] = peers[--count];
            (void)zmq_close(peer);
            return;
        }
    }
    fail_msg("no such peer is connected");
}

bool is_ready(void *peer, int timeout_ms) {
    zmq_pollitem_t item = {.socket = peer, .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, timeout_ms) > 0;
}
