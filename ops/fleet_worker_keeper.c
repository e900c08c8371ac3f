// Snapshots of base, for those who join later. The fold thread freezes base between two entries of the log and goes on; the
// keeper thread writes it bit by bit, sends it in chunks, and once all of them are confirmed, its manifest. Whoever holds
// partition 0 of the first topic does so: two who both think that they do are no harm.
//
// What stands in the log of deltas before the oldest of the last few snapshots that were read back is then deleted, if it may be.
#include "ops/fleet_shelf.h"
#include "ops/fleet_worker_internal.h"
#include "ops/specification.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRITE_BYTES = 256 << 10, SETTLE_MS = 20, IDLE_MS = 20 };
enum { STEP_BEGIN, STEP_WRITE, STEP_REST, STEP_MANIFEST, STEP_CONFIRM, STEP_FORGET, STEPS };

// The fold thread's.

static bool is_owner(const struct rf_fleet_worker *worker) {
    const struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    const struct rf_position *first = rf_positions_find(positions, worker->options.first_topic, 0);
    return first && rf_fleet_holds(worker, (size_t)(first - positions->list));
}

static bool is_due(const struct rf_fleet_worker *worker, int64_t now) {
    const struct rf_fleet_keeping *keeping = &worker->keeping;
    uint64_t number = rf_replica_number(worker->replica);
    if (number <= keeping->number || !is_owner(worker) || rf_replica_is_undone(worker->replica)) {
        return false;
    }
    return number - keeping->number >= worker->options.snapshot_deltas ||
           now - keeping->since_ms >= worker->options.snapshot_ms || now < keeping->since_ms;
}

static void forget_work(struct rf_fleet_keeping *keeping) {
    rf_sha256_drop(&keeping->sha);
    rf_snapshot_writer_destroy(keeping->writer);
    rf_snapshot_header_finish(&keeping->header);
    free(keeping->resets);
    free(keeping->bytes);
    keeping->writer = NULL;
    keeping->resets = NULL;
    keeping->bytes = NULL;
    keeping->begin = keeping->end = keeping->capacity = 0;
}

static enum rf_status describe(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_snapshot_header *header = &worker->keeping.header;
    const struct rf_replica *replica = worker->replica;
    rf_snapshot_header_init(header);
    header->model = strdup(rf_pipeline_name(worker->pipeline));
    header->specification = strdup(worker->options.specification);
    header->worker = strdup(worker->options.worker);
    header->program = strdup(worker->options.program);
    header->version = (struct rf_version){.line = rf_replica_line(replica), .base = rf_replica_number(replica)};
    header->created_ms = worker->options.clock->unix_ms(worker->options.clock);
    rf_specification_sha256(worker->options.specification, header->specification_sha256);
    rf_replica_counts(replica, &header->records, &header->learned, &header->rejected);
    bool has_texts = header->model && header->specification && header->worker && header->program;
    return has_texts && !rf_positions_copy(&header->positions, rf_replica_applied(replica))
                   ? RF_OK
                   : rf_fail(err, RF_MEMORY, "out of memory for the header of a snapshot");
}

static enum rf_status take_resets(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_fleet_keeping *keeping = &worker->keeping;
    const struct rf_replica_reset *resets = rf_replica_resets(worker->replica, &keeping->reset_count);
    keeping->resets = calloc(keeping->reset_count + 1, sizeof *keeping->resets);
    if (!keeping->resets) {
        return rf_fail(err, RF_MEMORY, "out of memory for resets");
    }
    for (size_t i = 0; i < keeping->reset_count; i++) {
        keeping->resets[i] = resets[i];
    }
    return RF_OK;
}

static void name_it(struct rf_fleet_worker *worker) {
    struct rf_fleet_snapshot *manifest = &worker->keeping.manifest;
    *manifest = (struct rf_fleet_snapshot){.line = rf_replica_line(worker->replica),
                                           .number = rf_replica_number(worker->replica),
                                           .log_offset = worker->log_read.positions.list[0].next_offset,
                                           .replica_size = worker->keeping.end,
                                           .created_ms = worker->keeping.header.created_ms};
    memcpy(manifest->chain, rf_replica_chain(worker->replica), RF_SHA256_SIZE);
    snprintf(manifest->model, sizeof manifest->model, "%s", rf_pipeline_name(worker->pipeline));
    snprintf(manifest->worker, sizeof manifest->worker, "%s", worker->options.worker);
    snprintf(manifest->name, sizeof manifest->name, "%s/%s/%" PRIu64, worker->options.worker, worker->options.nonce,
             ++worker->keeping.begun);
}

static enum rf_status ask(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_fleet_keeping *keeping = &worker->keeping;
    enum rf_status status = describe(worker, err);
    status = status ? status : take_resets(worker, err);
    status = status ? status : rf_replica_save(worker->replica, &keeping->bytes, &keeping->end, err);
    keeping->capacity = keeping->end;
    if (!status && rf_state_freeze(rf_layers_base(worker->layers))) {
        status = rf_fail(err, RF_MEMORY, "out of memory for freezing base");
    }
    if (status) {
        return status;
    }
    name_it(worker);
    atomic_store(&worker->is_base_frozen, true);
    atomic_store(&worker->is_keeping, true);
    return RF_OK;
}

void rf_fleet_keep(struct rf_fleet_worker *worker, int64_t now) {
    struct rf_fleet_keeping *keeping = &worker->keeping;
    struct rf_state *base = rf_layers_base(worker->layers);
    struct rf_error err;
    if (base->is_frozen && !atomic_load(&worker->is_base_frozen)) {
        rf_state_thaw(base);
    }
    if (!worker->options.archive || atomic_load(&worker->is_keeping) || base->is_frozen || !is_due(worker, now)) {
        return;
    }
    keeping->number = rf_replica_number(worker->replica);
    keeping->since_ms = now;
    if (ask(worker, &err)) {
        forget_work(keeping);
        rf_log(worker->options.log, RF_LOG_WARN, "no snapshot of base is made now",
               rf_log_text("model", rf_pipeline_name(worker->pipeline)), rf_log_text("error", err.text));
    }
}

// The keeper's.

static enum rf_status add_bytes(void *context, const void *data, size_t size, struct rf_error *err) {
    struct rf_fleet_keeping *keeping = context;
    if (keeping->begin > 0 && keeping->begin >= keeping->end - keeping->begin) {
        memmove(keeping->bytes, keeping->bytes + keeping->begin, keeping->end - keeping->begin);
        keeping->end -= keeping->begin;
        keeping->begin = 0;
    }
    if (keeping->end + size > keeping->capacity) {
        size_t capacity = (keeping->end + size) * 3 / 2;
        uint8_t *bytes = realloc(keeping->bytes, capacity);
        if (!bytes) {
            return rf_fail(err, RF_MEMORY, "out of memory for a snapshot of base");
        }
        keeping->bytes = bytes;
        keeping->capacity = capacity;
    }
    memcpy(keeping->bytes + keeping->end, data, size);
    keeping->end += size;
    return RF_OK;
}

static enum rf_status send_chunk(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_fleet_keeping *keeping = &worker->keeping;
    size_t size = keeping->end - keeping->begin;
    size = size < worker->options.chunk_bytes ? size : worker->options.chunk_bytes;
    const uint8_t *data = keeping->bytes + keeping->begin;
    const struct rf_fleet_snapshot_chunk chunk = {
            .snapshot = keeping->manifest.name, .index = keeping->manifest.chunks, .data = {(const char *)data, size}};
    uint8_t *bytes;
    size_t packed;
    enum rf_status status = rf_fleet_snapshot_chunk_bytes(&chunk, &bytes, &packed, err);
    if (status) {
        return status;
    }
    status = rf_archive_send(worker->options.archive, (struct rf_text){(const char *)bytes, packed}, err);
    free(bytes);
    if (status == RF_AGAIN) {
        status = rf_archive_settle(worker->options.archive, SETTLE_MS, err);
        return status ? status : RF_AGAIN;
    }
    if (!status) {
        rf_sha256_update(&keeping->sha, data, size);
        keeping->manifest.chunks++;
        keeping->manifest.size += size;
        keeping->begin += size;
    }
    return status;
}

static enum rf_status begin(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_fleet_keeping *keeping = &worker->keeping;
    rf_sha256_init(&keeping->sha);
    return rf_snapshot_writer_create(&keeping->header, rf_layers_base(worker->layers), add_bytes, keeping, &keeping->writer, err);
}

// Each step is RF_OK when it is done, and RF_AGAIN when there is more of it.

static enum rf_status write_on(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_fleet_keeping *keeping = &worker->keeping;
    if (keeping->end - keeping->begin >= worker->options.chunk_bytes) {
        enum rf_status status = send_chunk(worker, err);
        return status ? status : RF_AGAIN;
    }
    rf_state_provide(rf_layers_base(worker->layers));
    enum rf_status status = rf_snapshot_writer_advance(keeping->writer, WRITE_BYTES, err);
    if (!status) { // base is free again, whatever becomes of its bytes
        rf_snapshot_writer_destroy(keeping->writer);
        keeping->writer = NULL;
        atomic_store(&worker->is_base_frozen, false);
    }
    return status;
}

static enum rf_status send_rest(struct rf_fleet_worker *worker, struct rf_error *err) {
    enum rf_status status = RF_OK;
    if (worker->keeping.begin < worker->keeping.end) {
        status = send_chunk(worker, err);
        return status ? status : RF_AGAIN;
    }
    return rf_archive_settle(worker->options.archive, 0, err);
}

static enum rf_status send_manifest(struct rf_fleet_worker *worker, struct rf_error *err) {
    uint8_t *bytes;
    size_t size;
    if (worker->keeping.sha.context) { // else it was made before, and there was no room to send it
        rf_sha256_finish(&worker->keeping.sha, worker->keeping.manifest.sha256);
    }
    enum rf_status status = rf_fleet_snapshot_bytes(&worker->keeping.manifest, &bytes, &size, err);
    if (!status) {
        status = rf_archive_send(worker->options.archive, (struct rf_text){(const char *)bytes, size}, err);
        free(bytes);
    }
    return status;
}

static enum rf_status confirm(struct rf_fleet_worker *worker, struct rf_error *err) {
    enum rf_status status = rf_archive_settle(worker->options.archive, 0, err);
    if (!status) {
        rf_log(worker->options.log, RF_LOG_INFO, "a snapshot of base is there for those who join",
               rf_log_text("model", worker->keeping.manifest.model), rf_log_uint("number", worker->keeping.manifest.number),
               rf_log_uint("bytes", worker->keeping.manifest.size));
        atomic_fetch_add(&worker->snapshots_kept, 1);
    }
    return status;
}

static bool is_of_use(const struct rf_fleet_keeping *keeping, uint64_t number) {
    for (size_t i = 0; i < keeping->reset_count; i++) {
        if (number > keeping->resets[i].start && number <= keeping->resets[i].end) {
            return false;
        }
    }
    return true;
}

// What the last few need, once they are read back. One that was late to come may begin before those that were sent before it.
struct need {
    uint64_t number;
    int64_t delta, chunk; // the first ones, by offset
};

static void add_need(struct need *need, const struct rf_shelf_snapshot *snapshot) {
    if (snapshot->manifest.log_offset < need->delta) {
        need->delta = snapshot->manifest.log_offset;
        need->number = snapshot->manifest.number;
    }
    need->chunk = snapshot->first < need->chunk ? snapshot->first : need->chunk;
}

// RF_NOT_FOUND: there are not so many yet.
static enum rf_status find_need(struct rf_fleet_worker *worker, struct need *need_out, struct rf_error *err) {
    const struct rf_shelf shelf = {
            .source = worker->options.snapshots, .clock = worker->options.clock, .model = rf_pipeline_name(worker->pipeline)};
    struct need need = {.delta = INT64_MAX, .chunk = INT64_MAX};
    struct rf_shelf_snapshot snapshot = {0};
    int64_t before = -1;
    enum rf_status status = RF_OK;
    for (uint64_t kept = 0; kept < worker->options.snapshot_keep && !status;) {
        status = rf_shelf_find(&shelf, before, &snapshot, err);
        if (!status && is_of_use(&worker->keeping, snapshot.manifest.number)) {
            add_need(&need, &snapshot);
            kept++;
        }
        before = snapshot.last;
    }
    *need_out = need;
    return status;
}

static enum rf_status forget_older(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct need need;
    if (!worker->options.forgets) {
        return RF_OK;
    }
    enum rf_status status = find_need(worker, &need, err);
    if (status) {
        return status == RF_NOT_FOUND ? RF_OK : status;
    }
    status = rf_archive_forget(worker->options.archive, RF_ARCHIVE_DELTAS, need.delta, err);
    status = status ? status : rf_archive_forget(worker->options.archive, RF_ARCHIVE_SNAPSHOTS, need.chunk, err);
    if (!status) {
        rf_log(worker->options.log, RF_LOG_INFO, "deltas before a snapshot of base are deleted",
               rf_log_text("model", rf_pipeline_name(worker->pipeline)), rf_log_uint("number", need.number),
               rf_log_int("offset", need.delta));
    }
    return status;
}

static void end(struct rf_fleet_worker *worker) {
    forget_work(&worker->keeping);
    worker->keeping.step = STEP_BEGIN;
    atomic_store(&worker->is_base_frozen, false);
    atomic_store(&worker->is_keeping, false);
}

static void work(struct rf_fleet_worker *worker) {
    static enum rf_status (*const steps[STEPS])(struct rf_fleet_worker *, struct rf_error *) = {
            [STEP_BEGIN] = begin,     [STEP_WRITE] = write_on,     [STEP_REST] = send_rest, [STEP_MANIFEST] = send_manifest,
            [STEP_CONFIRM] = confirm, [STEP_FORGET] = forget_older};
    struct rf_fleet_keeping *keeping = &worker->keeping;
    struct rf_error err;
    enum rf_status status = steps[keeping->step](worker, &err);
    keeping->step += !status;
    keeping->is_waiting = status == RF_AGAIN && keeping->step >= STEP_REST;
    if (status && status != RF_AGAIN) {
        rf_log(worker->options.log, RF_LOG_WARN,
               keeping->step < STEP_FORGET
                       ? "a snapshot of base could not be sent; the next one will be"
                       : "deltas before a snapshot of base could not be deleted; they will be with the next one",
               rf_log_text("model", rf_pipeline_name(worker->pipeline)), rf_log_text("error", err.text));
    }
    if ((status && status != RF_AGAIN) || keeping->step == STEPS) {
        end(worker);
    }
}

void rf_fleet_keeper_turn(struct rf_fleet_worker *worker, int wait_ms) {
    if (atomic_load(&worker->is_fold_done)) { // what is half sent has no manifest, and is none
        atomic_store(&worker->is_keeper_done, true);
        return;
    }
    bool is_keeping = atomic_load(&worker->is_keeping);
    if (is_keeping) {
        work(worker);
    }
    if (wait_ms && (!is_keeping || worker->keeping.is_waiting)) {
        rf_fleet_sleep_ms(worker, is_keeping ? 1 : wait_ms);
    }
}

void *rf_fleet_keeper_main(void *context) {
    struct rf_fleet_worker *worker = context;
    pthread_setname_np(pthread_self(), "keeper");
    while (!atomic_load(&worker->is_keeper_done)) {
        rf_fleet_keeper_turn(worker, IDLE_MS);
    }
    return NULL;
}

void rf_fleet_keeping_finish(struct rf_fleet_worker *worker) {
    forget_work(&worker->keeping);
    if (worker->layers) {
        rf_state_thaw(rf_layers_base(worker->layers));
    }
}
