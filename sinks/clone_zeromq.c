// Nothing here waits for a peer. What has no room now is kept as "how far": for the one publication under way, and for
// each late joiner. So memory is bounded by the high-water marks, and by one open file for each of those.
#include "sinks/clone.h"

#include "sinks/endpoint.h"
#include "sinks/snapshot_file.h"

#include <riffle.pb-c.h>
#include <zmq.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PUBLISHED_CHUNKS_MAX = 8,   // in one call of serve()
    ANSWERED_CHUNKS_MAX = 2,    // the same, for one late joiner
    REQUESTS_MAX = 16,          // the same
    QUEUED_CHUNKS = 4,          // for one late joiner; more would only take memory
    STALL_SLICE_MS = 5,         // ZeroMQ does not tell when a peer has room again: ask
    PUBLISH_PATIENCE_MS = 1000, // with slow subscribers, in all, for one snapshot
    IDENTITY_SIZE_MAX = 255,
};

// A snapshot on its way, to all subscribers or to one late joiner.
struct transfer {
    struct rf_snapshot_file *file; // held; NULL: none
    uint32_t next;                 // 0: the manifest, i: chunk i - 1
    uint64_t stalled_ms;
    uint8_t identity[IDENTITY_SIZE_MAX]; // of the late joiner
    size_t identity_size;
};

struct rf_clone {
    void *context;
    struct rf_endpoint publisher;
    struct rf_endpoint server;
    char *model;
    char *manifest_topic, *chunk_topic;
    uint32_t epoch;
    uint64_t sequence;               // of the newest snapshot
    struct rf_snapshot_file *newest; // held; NULL: none yet
    struct transfer publication;
    uint64_t publication_sequence; // of the last one begun
    bool is_patient;               // with slow subscribers
    struct transfer *answers;      // [capacity], the first `count` are under way
    size_t count;
    size_t capacity;
    uint64_t patience_ms;
    uint64_t linger_ms;
    struct rf_clone_counts counts;
};

const struct rf_setting rf_clone_settings[] = {
        RF_TEXT(struct rf_clone_options, publish, NULL, RF_SETTING_NOT_MODEL,
                "endpoint of the publisher of new snapshots (PUB, bound), e.g. tcp://127.0.0.1:5556"),
        RF_TEXT(struct rf_clone_options, serve, NULL, RF_SETTING_NOT_MODEL,
                "endpoint that answers requests for the newest snapshot (ROUTER, bound), e.g. tcp://127.0.0.1:5557"),
        RF_UINT(struct rf_clone_options, high_water_mark, "64", 1, 100000, RF_SETTING_NOT_MODEL,
                "messages (1 MiB each) queued for one subscriber"),
        RF_UINT(struct rf_clone_options, clients, "16", 1, 1024, RF_SETTING_NOT_MODEL,
                "requests answered at the same time (4 MiB each); others wait"),
        RF_UINT(struct rf_clone_options, patience_ms, "10000", 1, 3600000, RF_SETTING_NOT_MODEL,
                "a client that takes nothing of its answer for so long is given up, in milliseconds"),
        RF_UINT(struct rf_clone_options, linger_ms, "1000", 0, 60000, RF_SETTING_NOT_MODEL,
                "how long the end of the program waits for messages still queued, in milliseconds"),
        {0},
};

static void end_transfer(struct transfer *transfer) {
    rf_snapshot_file_release(transfer->file);
    *transfer = (struct transfer){0};
}

static void set_patient(struct rf_clone *clone, bool is_patient) {
    rf_endpoint_set_lossy(&clone->publisher, !is_patient);
    clone->is_patient = is_patient;
}

// Sends the next message of a transfer. The first frame finds out whether there is room, before anything is read.
static enum rf_status send_next(struct rf_clone *clone, struct rf_endpoint *endpoint, struct transfer *transfer) {
    const char *topic = transfer->next == 0 ? clone->manifest_topic : clone->chunk_topic;
    enum rf_status status = RF_OK;
    if (transfer->identity_size > 0) {
        status = rf_endpoint_send(endpoint, transfer->identity, transfer->identity_size, RF_FRAME_MORE);
    }
    if (status == RF_OK) {
        status = rf_endpoint_send(endpoint, topic, strlen(topic), RF_FRAME_MORE);
    }
    if (status) {
        return status;
    }
    struct rf_text body = transfer->next == 0 ? rf_snapshot_file_manifest(transfer->file)
                                              : rf_snapshot_file_chunk(transfer->file, transfer->next - 1);
    // A body that cannot be read is sent empty: the message begun must end, and the receiver misses the chunk.
    status = rf_endpoint_send(endpoint, body.data ? body.data : "", body.size, RF_FRAME_LAST);
    transfer->next += status == RF_OK;
    return status == RF_OK && !body.data ? RF_IO : status;
}

static bool is_sent(const struct transfer *transfer) {
    return transfer->next > rf_snapshot_file_chunk_count(transfer->file);
}

static void begin_publication(struct rf_clone *clone) {
    if (clone->newest && clone->publication_sequence != clone->sequence) {
        clone->publication.file = rf_snapshot_file_hold(clone->newest);
        clone->publication_sequence = clone->sequence;
        set_patient(clone, true);
    }
}

// True when something moved.
static bool continue_publication(struct rf_clone *clone) {
    struct transfer *transfer = &clone->publication;
    if (!transfer->file) {
        begin_publication(clone);
    }
    bool is_moving = false;
    for (int i = 0; transfer->file && i < PUBLISHED_CHUNKS_MAX; i++) {
        enum rf_status status = send_next(clone, &clone->publisher, transfer);
        if (status == RF_AGAIN) {
            break;
        }
        is_moving = true;
        if (status || is_sent(transfer)) {
            clone->counts.published += status == RF_OK;
            end_transfer(transfer);
        }
    }
    return is_moving;
}

static void end_answer(struct rf_clone *clone, size_t index) {
    end_transfer(&clone->answers[index]);
    clone->answers[index] = clone->answers[--clone->count];
    clone->answers[clone->count] = (struct transfer){0};
}

static bool continue_answers(struct rf_clone *clone) {
    bool is_moving = false;
    for (size_t i = clone->count; i-- > 0;) {
        struct transfer *transfer = &clone->answers[i];
        enum rf_status status = RF_OK;
        for (int sent = 0; status == RF_OK && !is_sent(transfer) && sent < ANSWERED_CHUNKS_MAX; sent++) {
            status = send_next(clone, &clone->server, transfer);
            if (status == RF_OK) {
                transfer->stalled_ms = 0;
                is_moving = true;
            }
        }
        bool is_lost = status != RF_OK && status != RF_AGAIN;
        if (is_lost || is_sent(transfer)) {
            clone->counts.answered += !is_lost;
            clone->counts.dropped += is_lost;
            end_answer(clone, i);
        }
    }
    return is_moving;
}

// No snapshot of that model: an empty manifest that names the one there is. Nobody waits for room for it.
static void answer_empty(struct rf_clone *clone, const uint8_t *identity, size_t identity_size) {
    Riffle__V1__SnapshotManifest manifest = RIFFLE__V1__SNAPSHOT_MANIFEST__INIT;
    manifest.model = clone->model;
    manifest.epoch = clone->epoch;
    uint8_t packed[IDENTITY_SIZE_MAX + 64];
    if (riffle__v1__snapshot_manifest__get_packed_size(&manifest) > sizeof packed) {
        manifest.model = (char *)protobuf_c_empty_string;
    }
    size_t size = riffle__v1__snapshot_manifest__pack(&manifest, packed);
    if (rf_endpoint_send(&clone->server, identity, identity_size, RF_FRAME_MORE) == RF_OK &&
        rf_endpoint_send(&clone->server, clone->manifest_topic, strlen(clone->manifest_topic), RF_FRAME_MORE) == RF_OK) {
        (void)!rf_endpoint_send(&clone->server, packed, size, RF_FRAME_LAST);
    }
}

static void answer(struct rf_clone *clone, const uint8_t *identity, size_t identity_size, const char *model) {
    if (!clone->newest || strcmp(model, clone->model) != 0) {
        answer_empty(clone, identity, identity_size);
        return;
    }
    // Who asks again starts again.
    size_t slot = 0;
    while (slot < clone->count && (clone->answers[slot].identity_size != identity_size ||
                                   memcmp(clone->answers[slot].identity, identity, identity_size) != 0)) {
        slot++;
    }
    assert(slot < clone->capacity);
    clone->count += slot == clone->count;
    end_transfer(&clone->answers[slot]);
    clone->answers[slot].file = rf_snapshot_file_hold(clone->newest);
    clone->answers[slot].identity_size = identity_size;
    memcpy(clone->answers[slot].identity, identity, identity_size);
}

// Receives a whole message of exactly an identity and a request; anything else is read to its end and counted.
static bool receive_request(struct rf_clone *clone) {
    uint8_t identity[IDENTITY_SIZE_MAX];
    int identity_size = zmq_recv(clone->server.socket, identity, sizeof identity, ZMQ_DONTWAIT);
    if (identity_size < 0) {
        return false;
    }
    Riffle__V1__SnapshotRequest *request = NULL;
    int frames = 0;
    for (int more = 1; more; frames++) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, clone->server.socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            break;
        }
        more = zmq_msg_more(&frame);
        if (frames == 0) {
            request = riffle__v1__snapshot_request__unpack(NULL, zmq_msg_size(&frame), zmq_msg_data(&frame));
        }
        zmq_msg_close(&frame);
    }
    if (request && frames == 1) {
        clone->counts.requests++;
        answer(clone, identity, (size_t)identity_size, request->model);
    } else {
        clone->counts.ignored++;
    }
    riffle__v1__snapshot_request__free_unpacked(request, NULL);
    return true;
}

// With all places taken, requests wait in the socket.
static bool receive_requests(struct rf_clone *clone) {
    bool is_moving = false;
    for (int i = 0; i < REQUESTS_MAX && clone->count < clone->capacity && receive_request(clone); i++) {
        is_moving = true;
    }
    return is_moving;
}

static void lose_patience(struct rf_clone *clone, int waited_ms) {
    struct transfer *publication = &clone->publication;
    publication->stalled_ms += publication->file ? (uint64_t)waited_ms : 0;
    if (clone->is_patient && publication->stalled_ms >= PUBLISH_PATIENCE_MS) {
        set_patient(clone, false);
    }
    for (size_t i = clone->count; i-- > 0;) {
        clone->answers[i].stalled_ms += (uint64_t)waited_ms;
        if (clone->answers[i].stalled_ms >= clone->patience_ms) {
            clone->counts.dropped++;
            end_answer(clone, i);
        }
    }
}

// Sends what there is room for. True when something moved.
static bool send_all(struct rf_clone *clone) {
    bool is_moving = continue_publication(clone);
    return continue_answers(clone) || is_moving;
}

// Waits for a request, or until the time is over: how long it was then.
static int await_request(struct rf_clone *clone, int timeout_ms) {
    int slice_ms = rf_clone_is_busy(clone) && timeout_ms > STALL_SLICE_MS ? STALL_SLICE_MS : timeout_ms;
    zmq_pollitem_t item = {.socket = clone->server.socket, .events = ZMQ_POLLIN};
    int ready = zmq_poll(&item, clone->count < clone->capacity, slice_ms);
    if (ready == 0) {
        lose_patience(clone, slice_ms);
    }
    return ready > 0 ? 0 : slice_ms;
}

void rf_clone_serve(struct rf_clone *clone, int timeout_ms) {
    for (int left_ms = timeout_ms;;) {
        bool is_moving = receive_requests(clone);
        is_moving = send_all(clone) || is_moving;
        if (is_moving || left_ms <= 0) {
            return;
        }
        left_ms -= await_request(clone, left_ms);
    }
}

bool rf_clone_is_busy(const struct rf_clone *clone) {
    return clone->publication.file || clone->count > 0 || clone->publication_sequence != clone->sequence;
}

enum rf_status rf_clone_publish(struct rf_clone *clone, const char *path, const struct rf_version *version,
                                const uint8_t model_sha256[32], struct rf_error *err) {
    const struct rf_snapshot_origin origin = {
            .model = clone->model,
            .sequence = clone->sequence + 1,
            .epoch = clone->epoch,
            .version = version,
            .model_sha256 = model_sha256,
    };
    struct rf_snapshot_file *file;
    enum rf_status status = rf_snapshot_file_open(path, &origin, &file, err);
    if (status) {
        return status;
    }
    rf_snapshot_file_release(clone->newest);
    clone->newest = file;
    clone->sequence = origin.sequence;
    return RF_OK;
}

const char *rf_clone_publish_endpoint(const struct rf_clone *clone) {
    return clone->publisher.name;
}

const char *rf_clone_serve_endpoint(const struct rf_clone *clone) {
    return clone->server.name;
}

struct rf_clone_counts rf_clone_counts(const struct rf_clone *clone) {
    return clone->counts;
}

// What is under way goes on as long as it moves; waiting for room is bounded.
static void finish_sending(struct rf_clone *clone) {
    for (uint64_t waited_ms = 0; rf_clone_is_busy(clone) && waited_ms < clone->linger_ms;) {
        if (!send_all(clone)) {
            (void)zmq_poll(NULL, 0, STALL_SLICE_MS);
            waited_ms += STALL_SLICE_MS;
        }
    }
}

void rf_clone_destroy(struct rf_clone *clone) {
    if (!clone) {
        return;
    }
    finish_sending(clone);
    end_transfer(&clone->publication);
    while (clone->count > 0) {
        end_answer(clone, clone->count - 1);
    }
    rf_snapshot_file_release(clone->newest);
    rf_endpoint_close(&clone->publisher);
    rf_endpoint_close(&clone->server);
    if (clone->context) {
        (void)zmq_ctx_term(clone->context); // waits for linger_ms at most
    }
    free(clone->answers);
    free(clone->manifest_topic);
    free(clone->chunk_topic);
    free(clone->model);
    free(clone);
}

static enum rf_status allocate(struct rf_clone *clone, const struct rf_clone_options *options, const char *model,
                               struct rf_error *err) {
    clone->capacity = options->clients;
    clone->answers = calloc(clone->capacity, sizeof *clone->answers);
    clone->model = strdup(model);
    if (asprintf(&clone->manifest_topic, "snapshot/%s/manifest", model) < 0) {
        clone->manifest_topic = NULL;
    }
    if (asprintf(&clone->chunk_topic, "snapshot/%s/chunk", model) < 0) {
        clone->chunk_topic = NULL;
    }
    bool is_whole = clone->answers && clone->model && clone->manifest_topic && clone->chunk_topic;
    return is_whole ? RF_OK : rf_fail(err, RF_MEMORY, "clone: the snapshot service does not fit into memory");
}

static enum rf_status open_sockets(struct rf_clone *clone, const struct rf_clone_options *options, struct rf_error *err) {
    clone->context = zmq_ctx_new();
    if (!clone->context) {
        return rf_fail(err, RF_IO, "zeromq: cannot start: %s", zmq_strerror(zmq_errno()));
    }
    const struct rf_endpoint_options publisher = {
            .type = ZMQ_PUB,
            .address = options->publish,
            .high_water_mark = options->high_water_mark,
            .linger_ms = options->linger_ms,
    };
    const struct rf_endpoint_options server = {
            .type = ZMQ_ROUTER,
            .address = options->serve,
            .high_water_mark = QUEUED_CHUNKS,
            .linger_ms = options->linger_ms,
    };
    enum rf_status status = rf_endpoint_open(clone->context, &publisher, &clone->publisher, err);
    status = status ? status : rf_endpoint_open(clone->context, &server, &clone->server, err);
    if (status) {
        return status;
    }
    int is_mandatory = 1; // a full queue and a lost peer are told, not passed over
    (void)zmq_setsockopt(clone->server.socket, ZMQ_ROUTER_MANDATORY, &is_mandatory, sizeof is_mandatory);
    return RF_OK;
}

enum rf_status rf_clone_create(const struct rf_clone_options *options, const char *model, uint32_t epoch,
                               struct rf_clone **clone_out, struct rf_error *err) {
    if (!options->publish || !options->serve) {
        return rf_fail(err, RF_INVALID, "clone: %s is not set, must be the endpoint of a %s",
                       options->publish ? "serve" : "publish", options->publish ? "ROUTER" : "PUB");
    }
    struct rf_clone *clone = calloc(1, sizeof *clone);
    if (!clone) {
        return rf_fail(err, RF_MEMORY, "clone: the snapshot service does not fit into memory");
    }
    clone->epoch = epoch;
    clone->patience_ms = options->patience_ms;
    clone->linger_ms = options->linger_ms;
    enum rf_status status = allocate(clone, options, model, err);
    status = status ? status : open_sockets(clone, options, err);
    if (status) {
        rf_clone_destroy(clone);
        return status;
    }
    *clone_out = clone;
    return RF_OK;
}
