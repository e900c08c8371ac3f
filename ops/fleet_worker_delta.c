// What a worker sends to the log of deltas, and what it takes back.
#include "ops/fleet_worker_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rf_fleet_parcel_finish(struct rf_fleet_parcel *parcel) {
    for (size_t i = 0; parcel->memory && i < parcel->count; i++) {
        free(parcel->memory[i]);
    }
    free(parcel->memory);
    free(parcel->outbox);
    free(parcel->records);
    rf_positions_finish(&parcel->offsets);
    *parcel = (struct rf_fleet_parcel){0};
}

static enum rf_status parcel_init(struct rf_fleet_parcel *parcel, size_t records, struct rf_error *err) {
    *parcel = (struct rf_fleet_parcel){.records = calloc(records, sizeof *parcel->records),
                                       .memory = calloc(records, sizeof(uint8_t *))};
    rf_positions_init(&parcel->offsets);
    if (parcel->records && parcel->memory) {
        return RF_OK;
    }
    rf_fleet_parcel_finish(parcel);
    return rf_fail(err, RF_MEMORY, "out of memory for a transaction of %zu records", records);
}

static enum rf_status parcel_add(struct rf_fleet_worker *worker, struct rf_fleet_parcel *parcel,
                                 const struct rf_fleet_entry *entry, struct rf_error *err) {
    uint8_t *bytes;
    size_t size;
    enum rf_status status = rf_fleet_entry_bytes(entry, &bytes, &size, err);
    if (status) {
        return status;
    }
    parcel->memory[parcel->count] = bytes;
    parcel->records[parcel->count++] = (struct rf_transaction_record){
            .topic = worker->options.topic,
            .key = rf_text_of(worker->options.worker),
            .value = {(const char *)bytes, size},
    };
    return RF_OK;
}

enum rf_status rf_fleet_join_parcel(struct rf_fleet_worker *worker, struct rf_fleet_parcel *parcel_out, struct rf_error *err) {
    struct rf_fleet_entry genesis = {.kind = RF_FLEET_GENESIS,
                                     .genesis = {.model = rf_pipeline_name(worker->pipeline),
                                                 .specification = worker->options.specification,
                                                 .arithmetic = RF_FLEET_ARITHMETIC}};
    struct rf_sha256 sha;
    uint8_t digest[RF_SHA256_SIZE];
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, worker->options.specification, strlen(worker->options.specification));
    rf_sha256_finish(&sha, genesis.genesis.specification_sha256);
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, worker->options.nonce, strlen(worker->options.nonce));
    rf_sha256_finish(&sha, digest);
    memcpy(&genesis.genesis.nonce, digest, sizeof genesis.genesis.nonce);
    char nonce[RF_FLEET_NONCE_SIZE];
    snprintf(nonce, sizeof nonce, "%.15s-%" PRIu64, worker->options.nonce, atomic_fetch_add(&worker->joins_sent, 1) + 1);
    const struct rf_fleet_entry join = {.kind = RF_FLEET_JOIN, .join = {worker->options.worker, nonce, worker->options.program}};
    enum rf_status status = parcel_init(parcel_out, 2, err);
    if (status) {
        return status;
    }
    status = parcel_add(worker, parcel_out, &genesis, err);
    status = status ? status : parcel_add(worker, parcel_out, &join, err);
    if (status) {
        rf_fleet_parcel_finish(parcel_out);
    }
    return status;
}

// Copied: the sender may still read it when the fold thread has dropped it.
static enum rf_status pack_outbox(const struct rf_outbox *outbox, struct rf_fleet_parcel *parcel, struct rf_error *err) {
    if (outbox->count == 0) {
        return RF_OK;
    }
    parcel->outbox = malloc(outbox->size + 1);
    if (!parcel->outbox) {
        return rf_fail(err, RF_MEMORY, "out of memory for a transaction of %zu bytes", outbox->size);
    }
    memcpy(parcel->outbox, outbox->bytes, outbox->size);
    for (size_t i = 0; i < outbox->count; i++) {
        const struct rf_outbox_record *record = &outbox->list[i];
        parcel->records[parcel->count++] =
                (struct rf_transaction_record){.topic = record->topic,
                                               .key = {record->has_key ? parcel->outbox + record->key : NULL, record->key_size},
                                               .value = {parcel->outbox + record->value, record->value_size}};
    }
    return RF_OK;
}

// The bytes of the delta in chunks, what goes with it, and the offsets that it covers.
static enum rf_status pack(struct rf_fleet_worker *worker, const uint8_t *bytes, size_t size, struct rf_fleet_parcel *parcel,
                           struct rf_error *err) {
    size_t most = worker->options.chunk_bytes, count = (size + most - 1) / most;
    enum rf_status status = parcel_init(parcel, count + worker->frozen_outbox.count, err);
    for (size_t i = 0; i < count && !status; i++) {
        size_t left = size - i * most;
        const struct rf_fleet_entry entry = {.kind = RF_FLEET_CHUNK,
                                             .chunk = {.worker = worker->options.worker,
                                                       .epoch = worker->epoch,
                                                       .sequence = worker->frozen_sequence,
                                                       .index = (uint32_t)i,
                                                       .count = (uint32_t)count,
                                                       .data = {(const char *)bytes + i * most, left < most ? left : most}}};
        status = parcel_add(worker, parcel, &entry, err);
    }
    status = status ? status : pack_outbox(&worker->frozen_outbox, parcel, err);
    if (!status && rf_positions_copy(&parcel->offsets, &worker->frozen_to)) {
        status = rf_fail(err, RF_MEMORY, "out of memory for a transaction");
    }
    parcel->has_offsets = true;
    parcel->join = worker->join;
    if (status) {
        rf_fleet_parcel_finish(parcel);
    }
    return status;
}

enum rf_status rf_fleet_resend(struct rf_fleet_worker *worker, struct rf_error *err) {
    assert(worker->is_frozen && atomic_load(&worker->sending) == RF_FLEET_SENDING_NOTHING);
    uint8_t *bytes;
    size_t size;
    worker->frozen_sequence = worker->sequence + 1;
    enum rf_status status = rf_fleet_delta_bytes(&worker->frozen, &bytes, &size, err);
    if (status) {
        return status;
    }
    struct rf_fleet_parcel parcel;
    status = pack(worker, bytes, size, &parcel, err);
    free(bytes);
    if (status) {
        return status;
    }
    rf_replica_expect(worker->replica, worker->frozen_sequence);
    pthread_mutex_lock(&worker->lock);
    worker->parcel = parcel;
    pthread_mutex_unlock(&worker->lock);
    worker->is_retry = false;
    atomic_store(&worker->is_unwanted, false);
    atomic_store(&worker->sending, RF_FLEET_SENDING_ASKED);
    return RF_OK;
}

void rf_fleet_forget_frozen(struct rf_fleet_worker *worker) {
    free((void *)(uintptr_t)worker->frozen.ranges);
    free((void *)(uintptr_t)worker->frozen.runs);
    free(worker->frozen_rows);
    worker->frozen_rows = NULL;
    rf_outbox_clear(&worker->frozen_outbox);
    worker->frozen = (struct rf_fleet_delta){0};
    worker->is_frozen = false;
    worker->is_retry = false;
    rf_replica_expect(worker->replica, 0);
}

// Only the offsets that it moves, and none of partitions that are not ours.
static enum rf_status list_offsets(struct rf_fleet_worker *worker, struct rf_error *err) {
    rf_positions_finish(&worker->frozen_to);
    rf_positions_init(&worker->frozen_to);
    for (size_t i = 0; i < worker->frozen.range_count; i++) {
        struct rf_fleet_range *range = &((struct rf_fleet_range *)(uintptr_t)worker->frozen.ranges)[i];
        size_t index;
        if (rf_positions_add(&worker->frozen_to, range->topic, range->partition, &index)) {
            return rf_fail(err, RF_MEMORY, "out of memory for the offsets of a delta");
        }
        worker->frozen_to.list[index].next_offset = range->to;
        range->topic = worker->frozen_to.list[index].topic;
    }
    return RF_OK;
}

// So many records make a delta of the wanted size, as the last one shows.
static void adapt(struct rf_fleet_worker *worker, uint64_t records, size_t size) {
    uint64_t each = records ? size / records + 1 : 1, wanted = worker->options.delta_bytes / each;
    wanted = wanted < worker->options.delta_records ? wanted : worker->options.delta_records;
    worker->delta_records = wanted ? wanted : 1;
}

// What the sinks were given goes with what was learned beside it.
static void freeze_outbox(struct rf_fleet_worker *worker) {
    if (worker->options.outbox) {
        struct rf_outbox empty = worker->frozen_outbox;
        worker->frozen_outbox = *worker->options.outbox;
        rf_outbox_clear(&empty);
        empty.record_bytes_max = worker->frozen_outbox.record_bytes_max;
        *worker->options.outbox = empty;
    }
}

static enum rf_status freeze(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_fleet_delta *delta = &worker->frozen;
    const struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    *delta = (struct rf_fleet_delta){.line = rf_replica_line(worker->replica), .start = rf_replica_number(worker->replica)};
    memcpy(delta->chain, rf_replica_chain(worker->replica), RF_SHA256_SIZE);
    delta->has_check = rf_replica_check(worker->replica, &delta->checked, delta->base_sha256);
    enum rf_status status = rf_growth_describe(&worker->growth, worker->pipeline, positions, delta, err);
    status = status ? status : list_offsets(worker, err);
    status = status ? status : rf_layers_freeze(worker->layers, err);
    if (status) {
        return status;
    }
    size_t size;
    status = rf_delta_bytes(rf_layers_frozen(worker->layers), 0, &worker->frozen_rows, &size, err);
    delta->rows = (struct rf_text){(const char *)worker->frozen_rows, size};
    adapt(worker, delta->records, size);
    freeze_outbox(worker);
    return status;
}

enum rf_status rf_fleet_cut(struct rf_fleet_worker *worker, struct rf_error *err) {
    assert(!worker->is_frozen);
    enum rf_status status = freeze(worker, err);
    worker->is_frozen = true;
    if (!status && rf_positions_copy(&worker->frozen_from, &worker->growth.from)) {
        status = rf_fail(err, RF_MEMORY, "out of memory for a delta");
    }
    if (!status) {
        status = rf_growth_begin(&worker->growth, worker->pipeline, rf_pipeline_positions(worker->pipeline), err);
    }
    worker->grown_since_ms = 0;
    worker->frozen_since = worker->growth_since;
    worker->growth_since = rf_pipeline_version(worker->pipeline).since;
    return status ? status : rf_fleet_resend(worker, err);
}

// Every position held is where the log is.
static enum rf_status rewind_positions(struct rf_fleet_worker *worker, struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    const struct rf_positions *applied = rf_replica_applied(worker->replica);
    for (size_t i = 0; i < positions->count; i++) {
        struct rf_position *position = &positions->list[i];
        const struct rf_position *by_log = rf_positions_find(applied, position->topic, position->partition);
        int64_t begun = i < worker->begun_count ? worker->begun[i] : RF_OFFSET_NONE; // before the log had anything of it
        position->next_offset = by_log ? by_log->next_offset : begun;
        position->fingerprint = by_log ? by_log->fingerprint : 0;
        position->records = by_log ? by_log->records : 0;
    }
    return rf_growth_begin(&worker->growth, worker->pipeline, positions, err);
}

// Who was given predictions of what is dropped hears that they are void, before anything else is folded. Those of a retraction
// that could not be told yet are of this one too.
static void retract(struct rf_fleet_worker *worker) {
    struct rf_version version = rf_pipeline_version(worker->pipeline);
    uint64_t first = worker->is_frozen ? worker->frozen_since : worker->growth_since;
    if (worker->has_retraction) {
        first = worker->retraction.since_first;
    }
    if (first < version.since) {
        worker->has_retraction = true;
        worker->retraction_sink = 0;
        worker->retraction = (struct rf_retraction){.model = rf_pipeline_name(worker->pipeline),
                                                    .line = version.line,
                                                    .epoch = version.epoch,
                                                    .since_first = first,
                                                    .since_end = version.since};
    }
    worker->growth_since = version.since;
}

enum rf_status rf_fleet_tell_retraction(struct rf_fleet_worker *worker, struct rf_error *err) {
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(worker->pipeline, &count);
    for (; worker->has_retraction && worker->retraction_sink < count; worker->retraction_sink++) {
        enum rf_status status = rf_sink_retract(sinks[worker->retraction_sink], &worker->retraction, err);
        if (status) {
            return status;
        }
    }
    worker->has_retraction = false;
    return RF_OK;
}

enum rf_status rf_fleet_drop(struct rf_fleet_worker *worker, struct rf_error *err) {
    const char *why = worker->stale;
    retract(worker);
    uint64_t records = rf_growth_records(&worker->growth, worker->pipeline) + (worker->is_frozen ? worker->frozen.records : 0);
    rf_layers_drop(worker->layers);
    rf_fleet_forget_frozen(worker);
    if (worker->options.outbox) {
        rf_outbox_clear(worker->options.outbox);
    }
    worker->grown_since_ms = 0;
    worker->stale = NULL;
    worker->generation++;
    if (records) {
        worker->dropped += records;
        rf_log(worker->options.log, RF_LOG_WARN,
               "what was learned since the last delta is dropped, and learned again by who has it",
               rf_log_text("model", rf_pipeline_name(worker->pipeline)), rf_log_uint("records", records),
               rf_log_text("why", why));
    }
    enum rf_status status = rewind_positions(worker, err);
    pthread_mutex_lock(&worker->lock);
    if (!status && rf_positions_copy(&worker->start, rf_pipeline_positions(worker->pipeline))) {
        status = rf_fail(err, RF_MEMORY, "out of memory for positions");
    }
    worker->start_generation = worker->generation;
    pthread_mutex_unlock(&worker->lock);
    atomic_store(&worker->wants_rewind, true);
    return status;
}
