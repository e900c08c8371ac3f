#include "sinks/sink.h"
#include "tests/sinks/made_batch.h"
#include "tests/sinks/peers_zeromq.h"
#include "tests/test.h"

#include <riffle.pb-c.h>
#include <zmq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct rf_sink_context context = {.model = "fraud"};
static struct batch batch;
static struct rf_error err;
static char anywhere[] = "tcp://127.0.0.1:*";

static int set_up(void **state) {
    (void)state;
    batch_init(&batch);
    return peers_open();
}

static int tear_down(void **state) {
    (void)state;
    batch_finish(&batch);
    return peers_close();
}

static enum rf_status open_sink(struct rf_sink_zeromq_options options, struct rf_sink **sink_out) {
    assert_string_equal(rf_sink_variants[0].name, "zeromq");
    return rf_sink_create(&(struct rf_variant_value){&rf_sink_variants[0], &options}, &context, sink_out, &err);
}

static struct rf_sink_zeromq_options publisher_at(char *endpoint, uint64_t high_water_mark) {
    return (struct rf_sink_zeromq_options){.publish = endpoint, .high_water_mark = high_water_mark, .linger_ms = 0};
}

static struct rf_sink_zeromq_options pusher_at(char *endpoint, uint64_t high_water_mark) {
    return (struct rf_sink_zeromq_options){.push = endpoint, .high_water_mark = high_water_mark, .linger_ms = 0};
}

static void *subscribe(const struct rf_sink *sink) {
    return connect_peer(ZMQ_SUB, sink->endpoint, 1, "predictions/fraud");
}

// Receives a message of two frames; the caller frees it.
static Riffle__V1__Predictions *receive(void *socket) {
    static char body[1 << 20];
    char topic[64];
    assert_true(is_ready(socket, PATIENCE_MS));
    int size = zmq_recv(socket, topic, sizeof topic, 0);
    assert_int_equal(size, 17);
    assert_memory_equal(topic, "predictions/fraud", 17);
    size = zmq_recv(socket, body, sizeof body, 0);
    assert_true(size > 0);
    int more;
    size_t more_size = sizeof more;
    assert_int_equal(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size), 0);
    assert_false(more);
    Riffle__V1__Predictions *read = riffle__v1__predictions__unpack(NULL, (size_t)size, (uint8_t *)body);
    assert_non_null(read);
    return read;
}

static uint64_t receive_sequence(void *socket) {
    Riffle__V1__Predictions *read = receive(socket);
    uint64_t sequence = read->sequence;
    riffle__v1__predictions__free_unpacked(read, NULL);
    return sequence;
}

static enum rf_status publish(struct rf_sink *sink) {
    size_t done = 0;
    return rf_sink_publish(sink, &batch.predictions, &done, &err);
}

// Publishes until the subscriber has joined; returns the sequence number it heard first.
static uint64_t join(struct rf_sink *sink, void *subscriber) {
    for (int i = 0; i < PATIENCE_MS / GLANCE_MS; i++) {
        batch_next(&batch, 0, 1);
        assert_int_equal(publish(sink), RF_OK);
        if (is_ready(subscriber, GLANCE_MS)) {
            uint64_t first = receive_sequence(subscriber);
            while (first < batch.predictions.sequence) {
                assert_int_equal(receive_sequence(subscriber), ++first);
            }
            return first;
        }
    }
    fail_msg("the subscriber was never heard of");
    return 0;
}

static void every_prediction_arrives_in_order_with_its_sequence(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(publisher_at(anywhere, 1000), &sink), RF_OK);
    assert_true(sink->is_lossy);
    assert_string_equal(sink->label, "zeromq:tcp://127.0.0.1:*");
    void *subscriber = subscribe(sink);
    uint64_t last = join(sink, subscriber);
    int64_t offset = 0;
    for (int i = 0; i < 50; i++) {
        batch_next(&batch, i * 100, 100);
        assert_int_equal(publish(sink), RF_OK);
    }
    for (int i = 0; i < 50; i++) {
        Riffle__V1__Predictions *read = receive(subscriber);
        assert_int_equal(read->sequence, ++last);
        assert_int_equal(read->n_predictions, 100);
        for (size_t j = 0; j < 100; j++) {
            assert_int_equal(read->predictions[j]->offset, offset++);
        }
        riffle__v1__predictions__free_unpacked(read, NULL);
    }
    assert_int_equal(sink->waits, 0);
    assert_int_equal(rf_sink_mark(sink), 0);
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_OK);
    rf_sink_destroy(sink);
}

static void a_batch_without_predictions_keeps_the_sequence_whole(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(publisher_at(anywhere, 1000), &sink), RF_OK);
    void *subscriber = subscribe(sink);
    uint64_t last = join(sink, subscriber);
    batch_next(&batch, 0, 1);
    batch.examples.purpose[0] = RF_OBSERVE;
    assert_int_equal(publish(sink), RF_OK);
    Riffle__V1__Predictions *read = receive(subscriber);
    assert_int_equal(read->sequence, last + 1);
    assert_int_equal(read->n_predictions, 0);
    riffle__v1__predictions__free_unpacked(read, NULL);
    rf_sink_destroy(sink);
}

static void a_slow_subscriber_sees_its_loss_as_a_gap(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(publisher_at(anywhere, 2), &sink), RF_OK);
    void *subscriber = subscribe(sink);
    uint64_t last = join(sink, subscriber);
    // More than all buffers between the two can hold, so the mark is reached for certain.
    static char id[1 << 17];
    memset(id, 'i', sizeof id - 1);
    for (int i = 0; i < 150; i++) {
        batch_next(&batch, 0, 0);
        batch_add(&batch, i, id, 0.5);
        assert_int_equal(publish(sink), RF_OK);
    }
    uint64_t sent = batch.predictions.sequence, received = 0, gaps = 0;
    while (last < sent) {
        if (!is_ready(subscriber, GLANCE_MS)) {
            // Room again: the next batch shows what went missing before it.
            batch_next(&batch, 0, 1);
            assert_int_equal(publish(sink), RF_OK);
            continue;
        }
        uint64_t sequence = receive_sequence(subscriber);
        assert_true(sequence > last);
        gaps += sequence != last + 1;
        last = sequence;
        received++;
    }
    assert_true(gaps > 0);
    assert_true(received < 150);
    assert_int_equal(sink->gaps, gaps);
    assert_int_equal(sink->waits, 0);
    rf_sink_destroy(sink);
}

static void a_subscriber_that_reads_misses_nothing_beside_one_that_does_not(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(publisher_at(anywhere, 2), &sink), RF_OK);
    void *hung = subscribe(sink), *reader = subscribe(sink);
    (void)join(sink, hung);
    uint64_t last = join(sink, reader);
    static char id[1 << 17];
    memset(id, 'i', sizeof id - 1);
    for (int i = 0; i < 150; i++) {
        batch_next(&batch, 0, 0);
        batch_add(&batch, i, id, 0.5);
        assert_int_equal(publish(sink), RF_OK);
        assert_int_equal(receive_sequence(reader), ++last);
    }
    assert_true(sink->gaps > 0);
    rf_sink_destroy(sink);
}

static void a_pusher_without_a_peer_says_again_and_later_loses_nothing(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(pusher_at(anywhere, 2), &sink), RF_OK);
    assert_false(sink->is_lossy);
    batch_next(&batch, 0, 10);
    batch.predictions.sequence = 1;
    for (int i = 0; i < 3; i++) {
        size_t done = 0;
        assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_AGAIN);
        assert_int_equal(done, 0);
    }
    assert_int_equal(sink->waits, 3);
    assert_int_equal(sink->published, 0);

    void *worker = connect_peer(ZMQ_PULL, sink->endpoint, 1, NULL);
    static char id[1 << 16];
    memset(id, 'i', sizeof id - 1);
    uint64_t received = 0, blocked = 0;
    for (int i = 0; i < 150; i++) {
        enum rf_status status;
        while ((status = publish(sink)) == RF_AGAIN) {
            blocked++;
            if (is_ready(worker, GLANCE_MS)) {
                assert_int_equal(receive_sequence(worker), ++received);
            }
        }
        assert_int_equal(status, RF_OK);
        batch_next(&batch, 0, 0);
        batch_add(&batch, i, id, 0.5);
    }
    while (received < 150) {
        assert_int_equal(receive_sequence(worker), ++received);
    }
    assert_true(blocked > 1); // at first for want of a peer, then for want of room
    rf_sink_destroy(sink);
}

// A pusher whose readers confirm at a path of its own.
struct confirmed {
    char folder[64], address[128];
    struct rf_sink *sink;
    void *confirmer; // PUSH
    int64_t now_ms;
};

static void open_confirmed(struct confirmed *confirmed, uint64_t capacity) {
    *confirmed = (struct confirmed){.folder = "/tmp/riffle-test-confirm-XXXXXX", .now_ms = 1};
    assert_non_null(mkdtemp(confirmed->folder));
    snprintf(confirmed->address, sizeof confirmed->address, "ipc://%s/socket", confirmed->folder);
    struct rf_sink_zeromq_options options = pusher_at(anywhere, capacity);
    options.confirm = confirmed->address;
    assert_int_equal(open_sink(options, &confirmed->sink), RF_OK);
    confirmed->confirmer = connect_peer(ZMQ_PUSH, confirmed->address, 1000, NULL);
    batch.predictions.sequence = 0;
}

static void close_confirmed(struct confirmed *confirmed) {
    rf_sink_destroy(confirmed->sink);
    (void)unlink(confirmed->address + strlen("ipc://"));
    assert_int_equal(rmdir(confirmed->folder), 0);
}

static void confirm(struct confirmed *confirmed, uint32_t epoch, uint64_t sequence) {
    Riffle__V1__Confirmation message = RIFFLE__V1__CONFIRMATION__INIT;
    message.epoch = epoch;
    message.sequence = sequence;
    uint8_t bytes[32];
    size_t size = riffle__v1__confirmation__pack(&message, bytes);
    assert_int_equal(zmq_send(confirmed->confirmer, bytes, size, 0), size);
}

static void publish_next(struct confirmed *confirmed) {
    batch_next(&batch, 10 * (int64_t)batch.predictions.sequence, 10);
    assert_int_equal(publish(confirmed->sink), RF_OK);
}

// Attends, a second at a time, until the reader has something.
static void attend_until(struct confirmed *confirmed, void *reader) {
    for (int i = 0; !is_ready(reader, GLANCE_MS); i++) {
        assert_true(i < PATIENCE_MS / GLANCE_MS);
        assert_int_equal(rf_sink_attend(confirmed->sink, confirmed->now_ms += 1000, &err), RF_OK);
    }
}

static void what_is_confirmed_is_safe_and_nothing_else(void **state) {
    (void)state;
    struct confirmed confirmed;
    open_confirmed(&confirmed, 100);
    void *reader = connect_peer(ZMQ_PULL, confirmed.sink->endpoint, 100, NULL);
    assert_int_equal(rf_sink_settle(confirmed.sink, 0, &err), RF_OK);
    for (int i = 0; i < 3; i++) {
        publish_next(&confirmed);
    }
    (void)rf_sink_mark(confirmed.sink);
    publish_next(&confirmed); // after the line
    attend_until(&confirmed, reader);
    confirm(&confirmed, 2, 3);
    confirm(&confirmed, 2, 1);
    assert_int_equal(rf_sink_settle(confirmed.sink, 50, &err), RF_AGAIN);
    assert_int_equal(zmq_send(confirmed.confirmer, "nonsense", 8, 0), 8);
    confirm(&confirmed, 1, 2); // of an earlier life
    confirm(&confirmed, 2, 0);
    confirm(&confirmed, 2, 9);
    assert_int_equal(rf_sink_settle(confirmed.sink, 50, &err), RF_AGAIN);
    confirm(&confirmed, 2, 2);
    confirm(&confirmed, 2, 2);
    assert_int_equal(rf_sink_settle(confirmed.sink, PATIENCE_MS, &err), RF_OK);
    assert_int_equal(confirmed.sink->repeats, 0);
    close_confirmed(&confirmed);
}

static void no_more_than_the_mark_are_left_to_be_confirmed(void **state) {
    (void)state;
    struct confirmed confirmed;
    open_confirmed(&confirmed, 3);
    for (int i = 0; i < 3; i++) {
        publish_next(&confirmed); // they are kept, though nobody reads
    }
    batch_next(&batch, 30, 10);
    assert_int_equal(publish(confirmed.sink), RF_AGAIN);
    assert_int_equal(publish(confirmed.sink), RF_AGAIN);
    void *reader = connect_peer(ZMQ_PULL, confirmed.sink->endpoint, 100, NULL);
    attend_until(&confirmed, reader);
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        attend_until(&confirmed, reader);
        assert_int_equal(receive_sequence(reader), sequence);
        assert_int_equal(publish(confirmed.sink), RF_AGAIN);
    }
    confirm(&confirmed, 2, 1);
    while (publish(confirmed.sink) == RF_AGAIN) {
        assert_int_equal(rf_sink_settle(confirmed.sink, GLANCE_MS, &err), RF_AGAIN);
    }
    attend_until(&confirmed, reader);
    assert_int_equal(receive_sequence(reader), 4);
    close_confirmed(&confirmed);
}

static void what_a_reader_took_along_is_sent_again(void **state) {
    (void)state;
    struct confirmed confirmed;
    open_confirmed(&confirmed, 100);
    void *reader = connect_peer(ZMQ_PULL, confirmed.sink->endpoint, 100, NULL);
    for (int i = 0; i < 6; i++) {
        publish_next(&confirmed);
    }
    attend_until(&confirmed, reader);
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        assert_int_equal(receive_sequence(reader), sequence);
    }
    confirm(&confirmed, 2, 1);
    confirm(&confirmed, 2, 3);
    assert_int_equal(rf_sink_settle(confirmed.sink, 50, &err), RF_AGAIN);
    leave(reader);

    void *next = connect_peer(ZMQ_PULL, confirmed.sink->endpoint, 100, NULL);
    attend_until(&confirmed, next);
    static const uint64_t wanted[] = {2, 4, 5, 6};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        Riffle__V1__Predictions *read = receive(next);
        assert_int_equal(read->sequence, wanted[i]);
        assert_int_equal(read->n_predictions, 10);
        assert_int_equal(read->predictions[0]->offset, 10 * (wanted[i] - 1));
        riffle__v1__predictions__free_unpacked(read, NULL);
        confirm(&confirmed, 2, wanted[i]);
    }
    assert_int_equal(rf_sink_settle(confirmed.sink, PATIENCE_MS, &err), RF_OK);
    assert_int_equal(confirmed.sink->repeats, 4);
    publish_next(&confirmed);
    assert_int_equal(receive_sequence(next), 7);
    close_confirmed(&confirmed);
}

static void only_readers_of_a_pusher_confirm(void **state) {
    (void)state;
    struct rf_sink *sink;
    struct rf_sink_zeromq_options options = publisher_at(anywhere, 10);
    options.confirm = anywhere;
    assert_int_equal(open_sink(options, &sink), RF_INVALID);
    assert_string_equal(err.text, "zeromq: confirm is set beside publish, must stand beside push: only its readers confirm");
    options = pusher_at(anywhere, 10);
    char wrong[] = "tcp://127.0.0.1";
    options.confirm = wrong;
    assert_int_equal(open_sink(options, &sink), RF_INVALID);
    assert_string_equal(err.text, "zeromq: endpoint is tcp://127.0.0.1, must be tcp://ADDRESS:PORT or ipc://PATH");
}

static void a_taken_port_is_named(void **state) {
    (void)state;
    struct rf_sink *sink, *second;
    assert_int_equal(open_sink(publisher_at(anywhere, 10), &sink), RF_OK);
    assert_int_equal(open_sink(publisher_at(sink->endpoint, 10), &second), RF_BUSY);
    char sentence[128];
    snprintf(sentence, sizeof sentence, "zeromq: cannot bind %s: Address already in use", sink->endpoint);
    assert_string_equal(err.text, sentence);
    rf_sink_destroy(sink);
}

static void a_bad_endpoint_is_named(void **state) {
    (void)state;
    static const struct {
        const char *endpoint, *sentence;
    } cases[] = {
            {"5555", "zeromq: endpoint is 5555, must be tcp://ADDRESS:PORT or ipc://PATH"},
            {"tcp://127.0.0.1", "zeromq: endpoint is tcp://127.0.0.1, must be tcp://ADDRESS:PORT or ipc://PATH"},
            {"tcp://127.0.0.1:http", "zeromq: endpoint is tcp://127.0.0.1:http, must be tcp://ADDRESS:PORT or ipc://PATH"},
            {"tcp://127.0.0.1:99999", "zeromq: endpoint is tcp://127.0.0.1:99999, must be tcp://ADDRESS:PORT or ipc://PATH"},
            {"inproc://x", "zeromq: endpoint is inproc://x, must be tcp://ADDRESS:PORT or ipc://PATH"},
            {"tcp://nowhere0:5555",
             "zeromq: cannot bind tcp://nowhere0:5555: must be an IP address or interface of this machine, or *"},
            {"tcp://192.0.2.1:5555",
             "zeromq: cannot bind tcp://192.0.2.1:5555: must be an IP address or interface of this machine, or *"},
            {"ipc:///nowhere/socket", "zeromq: cannot bind ipc:///nowhere/socket: No such file or directory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_sink *sink = NULL;
        assert_true(open_sink(publisher_at((char *)cases[i].endpoint, 10), &sink) != RF_OK);
        assert_null(sink);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static void exactly_one_endpoint_is_wanted(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink((struct rf_sink_zeromq_options){.high_water_mark = 1}, &sink), RF_INVALID);
    assert_string_equal(err.text, "zeromq: publish and push are not set, must be one of the two");
    struct rf_sink_zeromq_options both = {.publish = anywhere, .push = anywhere, .high_water_mark = 1};
    assert_int_equal(open_sink(both, &sink), RF_INVALID);
    assert_string_equal(err.text, "zeromq: publish and push are both set, must be one of the two");
}

static void port_zero_and_ipc_work_too(void **state) {
    (void)state;
    struct rf_sink *sink;
    char zero[] = "tcp://127.0.0.1:0";
    assert_int_equal(open_sink(publisher_at(zero, 10), &sink), RF_OK);
    assert_string_not_equal(sink->endpoint, zero);
    assert_memory_equal(sink->endpoint, zero, 16);
    rf_sink_destroy(sink);

    char folder[] = "/tmp/riffle-test-ipc-XXXXXX", local[128], path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(local, sizeof local, "ipc://%s", path);
    assert_int_equal(open_sink(publisher_at(local, 10), &sink), RF_OK);
    void *subscriber = subscribe(sink);
    assert_true(join(sink, subscriber) > 0);
    rf_sink_destroy(sink);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void the_end_waits_no_longer_than_linger(void **state) {
    (void)state;
    struct rf_sink *sink;
    struct rf_sink_zeromq_options options = pusher_at(anywhere, 4);
    options.linger_ms = 50;
    assert_int_equal(open_sink(options, &sink), RF_OK);
    (void)connect_peer(ZMQ_PULL, sink->endpoint, 1, NULL);
    static char id[1 << 17];
    memset(id, 'i', sizeof id - 1);
    batch_add(&batch, 0, id, 0.5);
    // First there is no peer; in the end there is no room, and there will be none.
    for (int refused = 0; sink->published == 0 || refused < 10;) {
        if (publish(sink) == RF_OK) {
            batch.predictions.sequence++;
            refused = 0;
        } else {
            refused++;
            (void)zmq_poll(NULL, 0, 1);
        }
    }
    rf_sink_destroy(sink); // the worker reads nothing: ctest's time limit would show a hang
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            CLAIM(every_prediction_arrives_in_order_with_its_sequence),
            CLAIM(a_batch_without_predictions_keeps_the_sequence_whole),
            CLAIM(a_slow_subscriber_sees_its_loss_as_a_gap),
            CLAIM(a_subscriber_that_reads_misses_nothing_beside_one_that_does_not),
            CLAIM(a_pusher_without_a_peer_says_again_and_later_loses_nothing),
            CLAIM(what_is_confirmed_is_safe_and_nothing_else),
            CLAIM(no_more_than_the_mark_are_left_to_be_confirmed),
            CLAIM(what_a_reader_took_along_is_sent_again),
            CLAIM(only_readers_of_a_pusher_confirm),
            CLAIM(a_taken_port_is_named),
            CLAIM(a_bad_endpoint_is_named),
            CLAIM(exactly_one_endpoint_is_wanted),
            CLAIM(port_zero_and_ipc_work_too),
            CLAIM(the_end_waits_no_longer_than_linger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
