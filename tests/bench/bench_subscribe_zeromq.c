// A subscriber that counts every prediction.
//
//     bench_subscribe ENDPOINT RECORDS [latency]
//
// Ends after so many predictions, or on SIGTERM, and prints JSON: how many came, how many batches were missed by their sequence
// numbers; with `latency` microseconds against the ids, which must be times.
#include "tests/bench/latencies.h"

#include <zmq.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t is_stopped;

static void stop(int signal_number) {
    (void)signal_number;
    is_stopped = 1;
}

struct totals {
    uint64_t predictions, batches, missed, sequence, begun_ns, ended_ns;
    struct latencies latencies;
    bool has_latencies;
};

static uint64_t read_varint(const unsigned char **at) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned char byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            break;
        }
    }
    return value;
}

// The bytes are our own program's, so they are not checked. The id is a prediction's first field.
static void take_prediction(struct totals *totals, const unsigned char *at, uint64_t now) {
    enum { ID = 1 << 3 | 2 };
    totals->predictions++;
    if (totals->has_latencies && *at++ == ID) {
        (void)read_varint(&at);
        latencies_add(&totals->latencies, strtoull((const char *)at, NULL, 10), now);
    }
}

static void take_batch(struct totals *totals, const unsigned char *at, const unsigned char *end, uint64_t now) {
    enum { SEQUENCE = 2, PREDICTIONS = 4, DELIMITED = 2 };
    totals->batches++;
    while (at < end) {
        uint64_t tag = read_varint(&at), value = read_varint(&at);
        if (tag >> 3 == SEQUENCE) {
            totals->missed += totals->sequence && value > totals->sequence + 1 ? value - totals->sequence - 1 : 0;
            totals->sequence = value;
        }
        if (tag >> 3 == PREDICTIONS) {
            take_prediction(totals, at, now);
        }
        at += (tag & 7) == DELIMITED ? value : 0;
    }
}

static void subscribe(void *socket, uint64_t records, struct totals *totals) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (!is_stopped && totals->predictions < records) {
        if (zmq_msg_recv(&frame, socket, 0) < 0) {
            continue; // EAGAIN now and then, EINTR
        }
        if (zmq_msg_more(&frame)) {
            continue; // the topic
        }
        uint64_t now = latencies_now_ns();
        totals->begun_ns = totals->begun_ns ? totals->begun_ns : now;
        totals->ended_ns = now;
        const unsigned char *bytes = zmq_msg_data(&frame);
        take_batch(totals, bytes, bytes + zmq_msg_size(&frame), now);
    }
    zmq_msg_close(&frame);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: bench_subscribe ENDPOINT RECORDS [latency]\n");
        return 2;
    }
    struct totals totals = {.has_latencies = argc > 3};
    const uint64_t records = strtoull(argv[2], NULL, 10);
    signal(SIGTERM, stop);
    latencies_init(&totals.latencies, totals.has_latencies ? records : 0);
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_SUB);
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "predictions/", strlen("predictions/"));
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &(int){200}, sizeof(int));
    zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &(int){1}, sizeof(int));
    if (zmq_connect(socket, argv[1]) != 0) {
        fprintf(stderr, "bench_subscribe: %s: %s\n", argv[1], zmq_strerror(zmq_errno()));
        return 1;
    }
    subscribe(socket, records, &totals);
    printf("{\"predictions\":%llu,\"batches\":%llu,\"missed_batches\":%llu,\"seconds\":%.4f",
           (unsigned long long)totals.predictions, (unsigned long long)totals.batches, (unsigned long long)totals.missed,
           (double)(totals.ended_ns - totals.begun_ns) / 1e9);
    if (totals.has_latencies) {
        putchar(',');
        latencies_print(&totals.latencies, records / 10, stdout);
    }
    puts("}");
    latencies_finish(&totals.latencies);
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
