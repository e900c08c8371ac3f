#include "proto/hash.h"
#include "sinks/clone.h"
#include "sinks/snapshot_file.h"
#include "tests/sinks/peers_zeromq.h"
#include "tests/test.h"

#include <riffle.pb-c.h>
#include <zmq.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char anywhere[] = "tcp://127.0.0.1:*";
static const struct rf_version version = {.line = 1, .base = 9, .epoch = 4};
static const uint8_t model_sha256[RF_SHA256_SIZE] = {1, 2, 3};
static struct rf_clone_options options;
static struct rf_clone *clone;
static struct rf_error err;
static char path[] = "/tmp/riffle-test-clone-XXXXXX";
static bool is_hurried; // what is waited for in vain is over at once

// The linker puts it in place of ZeroMQ's (--wrap).
int __real_zmq_poll(zmq_pollitem_t *items, int count, long timeout_ms);
int __wrap_zmq_poll(zmq_pollitem_t *items, int count, long timeout_ms);

int __wrap_zmq_poll(zmq_pollitem_t *items, int count, long timeout_ms) {
    return __real_zmq_poll(items, count, is_hurried ? 0 : timeout_ms);
}

static int set_up(void **state) {
    (void)state;
    options = (struct rf_clone_options){.publish = anywhere,
                                        .serve = anywhere,
                                        .high_water_mark = 64,
                                        .clients = 4,
                                        .patience_ms = PATIENCE_MS,
                                        .linger_ms = 0};
    is_hurried = false;
    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    int fd = mkstemp(path);
    return fd >= 0 && close(fd) == 0 ? peers_open() : -1;
}

static int tear_down(void **state) {
    (void)state;
    rf_clone_destroy(clone);
    clone = NULL;
    (void)unlink(path);
    return peers_close();
}

static void open_clone(void) {
    assert_int_equal(rf_clone_create(&options, "fraud", 4, &clone, &err), RF_OK);
}

// A file of a size that tells its number, whose bytes differ from chunk to chunk.
static void publish_file(uint8_t number, size_t size) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(number + i / 7 + (i >> 20));
    }
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    free(bytes);
    assert_int_equal(rf_clone_publish(clone, path, &version, model_sha256, &err), RF_OK);
    assert_true(rf_clone_is_busy(clone));
}

// Serves until nothing is left to send and no request waits.
static void serve(void) {
    for (int i = 0; i < 20 || rf_clone_is_busy(clone); i++) {
        rf_clone_serve(clone, 1);
    }
}

// Little room makes what it has not read wait at the publisher.
static void *subscribe(bool has_room) {
    return connect_peer(ZMQ_SUB, rf_clone_publish_endpoint(clone), has_room ? 1000 : 1, "snapshot/fraud/");
}

static void *join_with(int high_water_mark) {
    return connect_peer(ZMQ_DEALER, rf_clone_serve_endpoint(clone), high_water_mark, NULL);
}

static void *join(void) {
    return join_with(1000);
}

static void ask(void *client, const char *model) {
    Riffle__V1__SnapshotRequest request = RIFFLE__V1__SNAPSHOT_REQUEST__INIT;
    request.model = (char *)model;
    uint8_t packed[256];
    size_t size = riffle__v1__snapshot_request__pack(&request, packed);
    assert_int_equal(zmq_send(client, packed, size, 0), size);
}

// Serves until the client has a message.
static void await(void *client) {
    for (int i = 0; i < PATIENCE_MS / GLANCE_MS; i++) {
        if (clone) {
            rf_clone_serve(clone, 0);
        }
        if (is_ready(client, GLANCE_MS)) {
            return;
        }
    }
    fail_msg("no message came");
}

struct received {
    Riffle__V1__SnapshotManifest *manifest; // one of the two
    Riffle__V1__SnapshotChunk *chunk;
};

static struct received receive(void *client) {
    static uint8_t body[RF_CHUNK_SIZE + 1024];
    char topic[64] = "";
    await(client);
    assert_true(zmq_recv(client, topic, sizeof topic - 1, 0) > 0);
    int size = zmq_recv(client, body, sizeof body, 0);
    assert_true(size >= 0 && (size_t)size <= sizeof body);
    struct received received = {0};
    if (strcmp(topic, "snapshot/fraud/manifest") == 0) {
        received.manifest = riffle__v1__snapshot_manifest__unpack(NULL, (size_t)size, body);
        assert_non_null(received.manifest);
    } else {
        assert_string_equal(topic, "snapshot/fraud/chunk");
        received.chunk = riffle__v1__snapshot_chunk__unpack(NULL, (size_t)size, body);
        assert_non_null(received.chunk);
    }
    return received;
}

static void forget(struct received received) {
    riffle__v1__snapshot_manifest__free_unpacked(received.manifest, NULL);
    riffle__v1__snapshot_chunk__free_unpacked(received.chunk, NULL);
}

// Receives a manifest and all its chunks, and checks size and SHA-256. Returns the sequence number.
static uint64_t receive_snapshot(void *client, size_t size) {
    struct received head = receive(client);
    assert_non_null(head.manifest);
    const Riffle__V1__SnapshotManifest *manifest = head.manifest;
    assert_string_equal(manifest->model, "fraud");
    assert_int_equal(manifest->epoch, 4);
    assert_int_equal(manifest->version->base_number, 9);
    assert_int_equal(manifest->size, size);
    assert_int_equal(manifest->chunk_size, RF_CHUNK_SIZE);
    assert_int_equal(manifest->model_sha256.len, RF_SHA256_SIZE);
    assert_memory_equal(manifest->model_sha256.data, model_sha256, RF_SHA256_SIZE);
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    for (uint32_t i = 0; i < manifest->chunk_count; i++) {
        struct received piece = receive(client);
        assert_non_null(piece.chunk);
        assert_int_equal(piece.chunk->index, i);
        assert_int_equal(piece.chunk->sequence, manifest->sequence);
        assert_int_equal(piece.chunk->epoch, 4);
        rf_sha256_update(&sha, piece.chunk->data.data, piece.chunk->data.len);
        forget(piece);
    }
    uint8_t digest[RF_SHA256_SIZE];
    rf_sha256_finish(&sha, digest);
    assert_int_equal(manifest->sha256.len, RF_SHA256_SIZE);
    assert_memory_equal(manifest->sha256.data, digest, RF_SHA256_SIZE);
    uint64_t sequence = manifest->sequence;
    forget(head);
    return sequence;
}

static void a_late_joiner_gets_the_newest_at_once(void **state) {
    (void)state;
    open_clone();
    publish_file(1, 100);
    publish_file(2, 3 * RF_CHUNK_SIZE + 5);
    assert_int_equal(unlink(path), 0);
    serve();
    void *client = join();
    ask(client, "fraud");
    assert_int_equal(receive_snapshot(client, 3 * RF_CHUNK_SIZE + 5), 2);
    struct rf_clone_counts counts = rf_clone_counts(clone);
    assert_int_equal(counts.requests, 1);
    assert_int_equal(counts.answered, 1);
}

static void several_late_joiners_are_answered_side_by_side(void **state) {
    (void)state;
    open_clone();
    publish_file(1, 6 * RF_CHUNK_SIZE);
    void *clients[6]; // more than places
    for (size_t i = 0; i < 6; i++) {
        clients[i] = join();
        ask(clients[i], "fraud");
    }
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(receive_snapshot(clients[i], 6 * RF_CHUNK_SIZE), 1);
    }
    assert_int_equal(rf_clone_counts(clone).answered, 6);
}

// Publishes until the subscriber has joined; returns the sequence number of the first snapshot it saw whole.
static uint64_t follow(void *subscriber) {
    for (int i = 0; i < PATIENCE_MS / GLANCE_MS; i++) {
        publish_file(1, 10);
        serve();
        if (is_ready(subscriber, GLANCE_MS)) {
            uint64_t sequence = receive_snapshot(subscriber, 10);
            while (is_ready(subscriber, GLANCE_MS)) {
                assert_int_equal(receive_snapshot(subscriber, 10), ++sequence);
            }
            return sequence;
        }
    }
    fail_msg("the subscriber was never heard of");
    return 0;
}

static void a_follower_sees_every_next_one(void **state) {
    (void)state;
    open_clone();
    void *subscriber = subscribe(true);
    uint64_t sequence = follow(subscriber);
    for (uint8_t i = 0; i < 3; i++) {
        publish_file(i, (size_t)(i + 1) * RF_CHUNK_SIZE - i);
        serve();
        assert_int_equal(receive_snapshot(subscriber, (size_t)(i + 1) * RF_CHUNK_SIZE - i), ++sequence);
    }
}

static void a_snapshot_larger_than_all_queues_reaches_a_reading_follower_whole(void **state) {
    (void)state;
    options.high_water_mark = 2;
    open_clone();
    void *subscriber = subscribe(false);
    uint64_t sequence = follow(subscriber);
    publish_file(1, 20 * RF_CHUNK_SIZE);
    assert_int_equal(receive_snapshot(subscriber, 20 * RF_CHUNK_SIZE), sequence + 1);
}

static void time_with_nothing_to_publish_does_not_count_against_slow_followers(void **state) {
    (void)state;
    options.high_water_mark = 2;
    open_clone();
    void *subscriber = subscribe(false);
    uint64_t sequence = follow(subscriber);
    is_hurried = true;
    rf_clone_serve(clone, PATIENCE_MS);
    publish_file(1, 20 * RF_CHUNK_SIZE);
    for (int i = 0; i < 10; i++) {
        rf_clone_serve(clone, 20); // it has no room long before the end
    }
    is_hurried = false;
    assert_int_equal(receive_snapshot(subscriber, 20 * RF_CHUNK_SIZE), sequence + 1);
}

static void a_follower_that_does_not_read_sees_a_gap(void **state) {
    (void)state;
    options.high_water_mark = 2;
    open_clone();
    void *subscriber = subscribe(false);
    uint64_t sequence = follow(subscriber);
    publish_file(1, 24 * RF_CHUNK_SIZE);
    while (rf_clone_is_busy(clone)) {
        rf_clone_serve(clone, 20); // until the publisher is out of patience
    }
    uint32_t expected = 0, missing = 0;
    for (bool is_over = false; !is_over;) {
        rf_clone_serve(clone, 0);
        if (!is_ready(subscriber, GLANCE_MS)) {
            publish_file(2, 10); // there is room again: the next snapshot shows what went missing
            continue;
        }
        struct received received = receive(subscriber);
        if (received.chunk && received.chunk->sequence == sequence + 1) {
            missing += received.chunk->index - expected;
            expected = received.chunk->index + 1;
        }
        is_over = received.manifest && received.manifest->sequence > sequence + 1;
        forget(received);
    }
    assert_true(missing + (24 - expected) > 0);
}

static void the_end_waits_for_what_is_under_way(void **state) {
    (void)state;
    options.linger_ms = 1000;
    open_clone();
    void *subscriber = subscribe(true);
    uint64_t sequence = follow(subscriber);
    publish_file(1, 20 * RF_CHUNK_SIZE);
    rf_clone_destroy(clone);
    clone = NULL;
    assert_int_equal(receive_snapshot(subscriber, 20 * RF_CHUNK_SIZE), sequence + 1);
}

static void before_the_first_snapshot_the_answer_is_empty(void **state) {
    (void)state;
    open_clone();
    void *client = join();
    ask(client, "fraud");
    struct received received = receive(client);
    assert_non_null(received.manifest);
    assert_int_equal(received.manifest->sequence, 0);
    assert_int_equal(received.manifest->chunk_count, 0);
    forget(received);
}

static void who_asks_for_another_model_is_told_which_there_is(void **state) {
    (void)state;
    open_clone();
    publish_file(1, 100);
    void *client = join();
    ask(client, "weather");
    struct received received = receive(client);
    assert_non_null(received.manifest);
    assert_string_equal(received.manifest->model, "fraud");
    assert_int_equal(received.manifest->sequence, 0);
    forget(received);
}

static void malformed_requests_are_counted_and_not_answered(void **state) {
    (void)state;
    open_clone();
    publish_file(1, 100);
    void *client = join();
    assert_int_equal(zmq_send(client, "\xff\xff\xff", 3, 0), 3);
    assert_int_equal(zmq_send(client, "", 0, ZMQ_SNDMORE), 0);
    assert_int_equal(zmq_send(client, "a", 1, ZMQ_SNDMORE), 1);
    assert_int_equal(zmq_send(client, "b", 1, 0), 1);
    for (int i = 0; i < PATIENCE_MS && rf_clone_counts(clone).ignored < 2; i++) {
        rf_clone_serve(clone, 1);
    }
    assert_int_equal(rf_clone_counts(clone).ignored, 2);
    assert_int_equal(rf_clone_counts(clone).requests, 0);
    ask(client, "fraud");
    assert_int_equal(receive_snapshot(client, 100), 1);
}

static void a_client_that_takes_nothing_is_dropped(void **state) {
    (void)state;
    options.clients = 1;
    options.patience_ms = 50;
    open_clone();
    publish_file(1, 20 * RF_CHUNK_SIZE);
    void *deaf = join_with(1);
    ask(deaf, "fraud");
    void *client = join();
    for (int i = 0; i < PATIENCE_MS && rf_clone_counts(clone).dropped == 0; i++) {
        rf_clone_serve(clone, 10);
    }
    assert_int_equal(rf_clone_counts(clone).dropped, 1);
    ask(client, "fraud"); // the only place is free again
    assert_int_equal(receive_snapshot(client, 20 * RF_CHUNK_SIZE), 1);
}

static void a_client_that_goes_away_is_dropped_at_once(void **state) {
    (void)state;
    open_clone();
    publish_file(1, 20 * RF_CHUNK_SIZE);
    void *client = join_with(1);
    ask(client, "fraud");
    await(client);
    leave(client);
    for (int i = 0; i < PATIENCE_MS && rf_clone_counts(clone).dropped == 0; i++) {
        rf_clone_serve(clone, 1);
    }
    assert_int_equal(rf_clone_counts(clone).dropped, 1);
}

static void an_answer_begun_goes_on_with_the_snapshot_it_began(void **state) {
    (void)state;
    open_clone();
    publish_file(1, 20 * RF_CHUNK_SIZE);
    void *client = join_with(1);
    ask(client, "fraud");
    await(client);
    assert_int_equal(unlink(path), 0);
    publish_file(2, 10);
    assert_int_equal(receive_snapshot(client, 20 * RF_CHUNK_SIZE), 1);
    ask(client, "fraud");
    assert_int_equal(receive_snapshot(client, 10), 2);
}

static void what_is_wrong_is_said_in_words(void **state) {
    (void)state;
    struct rf_clone *other = NULL;
    struct rf_clone_options half = options;
    half.serve = NULL;
    assert_int_equal(rf_clone_create(&half, "fraud", 1, &other, &err), RF_INVALID);
    assert_string_equal(err.text, "clone: serve is not set, must be the endpoint of a ROUTER");
    open_clone();
    assert_int_equal(rf_clone_publish(clone, "/nowhere/1.snapshot", &version, model_sha256, &err), RF_IO);
    assert_string_equal(err.text, "cannot open snapshot /nowhere/1.snapshot: No such file or directory");
    assert_int_equal(rf_clone_publish(clone, path, &version, model_sha256, &err), RF_INVALID);
    assert_non_null(strstr(err.text, " has 0 bytes, must be a file that holds a snapshot"));
    struct rf_clone_options taken = options;
    taken.serve = (char *)rf_clone_serve_endpoint(clone);
    assert_int_equal(rf_clone_create(&taken, "fraud", 1, &other, &err), RF_BUSY);
    assert_non_null(strstr(err.text, "Address already in use"));
    assert_null(other);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            CLAIM(a_late_joiner_gets_the_newest_at_once),
            CLAIM(several_late_joiners_are_answered_side_by_side),
            CLAIM(a_follower_sees_every_next_one),
            CLAIM(a_snapshot_larger_than_all_queues_reaches_a_reading_follower_whole),
            CLAIM(time_with_nothing_to_publish_does_not_count_against_slow_followers),
            CLAIM(a_follower_that_does_not_read_sees_a_gap),
            CLAIM(the_end_waits_for_what_is_under_way),
            CLAIM(before_the_first_snapshot_the_answer_is_empty),
            CLAIM(who_asks_for_another_model_is_told_which_there_is),
            CLAIM(malformed_requests_are_counted_and_not_answered),
            CLAIM(a_client_that_takes_nothing_is_dropped),
            CLAIM(a_client_that_goes_away_is_dropped_at_once),
            CLAIM(an_answer_begun_goes_on_with_the_snapshot_it_began),
            CLAIM(what_is_wrong_is_said_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
