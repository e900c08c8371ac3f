#include "ops/fleet_snapshot.h"

#include <riffle.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Generated code takes texts that it does not change as `char *`.
static char *lent(const char *text) {
    return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData bytes_of(const void *data, size_t size) {
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)(uintptr_t)data};
}

static enum rf_status pack(const Riffle__V1__FleetSnapshotEntry *entry, uint8_t **bytes_out, size_t *size_out,
                           struct rf_error *err) {
    size_t size = riffle__v1__fleet_snapshot_entry__get_packed_size(entry);
    uint8_t *bytes = malloc(size ? size : 1);
    if (!bytes) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu bytes of a snapshot of base", size);
    }
    riffle__v1__fleet_snapshot_entry__pack(entry, bytes);
    *bytes_out = bytes;
    *size_out = size;
    return RF_OK;
}

enum rf_status rf_fleet_snapshot_chunk_bytes(const struct rf_fleet_snapshot_chunk *chunk, uint8_t **bytes_out, size_t *size_out,
                                             struct rf_error *err) {
    Riffle__V1__FleetSnapshotEntry entry = RIFFLE__V1__FLEET_SNAPSHOT_ENTRY__INIT;
    Riffle__V1__FleetSnapshotChunk message = RIFFLE__V1__FLEET_SNAPSHOT_CHUNK__INIT;
    message.snapshot = lent(chunk->snapshot);
    message.index = chunk->index;
    message.data = bytes_of(chunk->data.data, chunk->data.size);
    entry.entry_case = RIFFLE__V1__FLEET_SNAPSHOT_ENTRY__ENTRY_CHUNK;
    entry.chunk = &message;
    return pack(&entry, bytes_out, size_out, err);
}

enum rf_status rf_fleet_snapshot_bytes(const struct rf_fleet_snapshot *manifest, uint8_t **bytes_out, size_t *size_out,
                                       struct rf_error *err) {
    Riffle__V1__FleetSnapshotEntry entry = RIFFLE__V1__FLEET_SNAPSHOT_ENTRY__INIT;
    Riffle__V1__FleetSnapshot message = RIFFLE__V1__FLEET_SNAPSHOT__INIT;
    message.snapshot = lent(manifest->name);
    message.model = lent(manifest->model);
    message.worker = lent(manifest->worker);
    message.line = manifest->line;
    message.number = manifest->number;
    message.chain_sha256 = bytes_of(manifest->chain, RF_SHA256_SIZE);
    message.log_offset = manifest->log_offset;
    message.chunks = manifest->chunks;
    message.size = manifest->size;
    message.replica_size = manifest->replica_size;
    message.sha256 = bytes_of(manifest->sha256, RF_SHA256_SIZE);
    message.created_ms = manifest->created_ms;
    entry.entry_case = RIFFLE__V1__FLEET_SNAPSHOT_ENTRY__ENTRY_MANIFEST;
    entry.manifest = &message;
    return pack(&entry, bytes_out, size_out, err);
}

static bool take_name(const char *name, char *name_out, size_t room) {
    snprintf(name_out, room, "%s", name);
    return name[0] && strlen(name) < room;
}

static bool read_manifest(const Riffle__V1__FleetSnapshot *message, struct rf_fleet_snapshot *out) {
    *out = (struct rf_fleet_snapshot){.line = message->line,
                                      .number = message->number,
                                      .log_offset = message->log_offset,
                                      .chunks = message->chunks,
                                      .size = message->size,
                                      .replica_size = message->replica_size,
                                      .created_ms = message->created_ms};
    bool has_names = take_name(message->snapshot, out->name, sizeof out->name) &&
                     take_name(message->model, out->model, sizeof out->model) &&
                     take_name(message->worker, out->worker, sizeof out->worker);
    bool has_digests = message->sha256.len == RF_SHA256_SIZE && message->chain_sha256.len == RF_SHA256_SIZE;
    if (!has_names || !has_digests || message->log_offset < 0 || message->chunks == 0 || message->replica_size > message->size) {
        return false;
    }
    memcpy(out->chain, message->chain_sha256.data, RF_SHA256_SIZE);
    memcpy(out->sha256, message->sha256.data, RF_SHA256_SIZE);
    return true;
}

enum rf_status rf_fleet_snapshot_read(struct rf_text bytes, struct rf_fleet_snapshot_entry *entry_out, struct rf_error *err) {
    Riffle__V1__FleetSnapshotEntry *message =
            riffle__v1__fleet_snapshot_entry__unpack(NULL, bytes.size, (const uint8_t *)bytes.data);
    if (!message) {
        return rf_fail(err, RF_CORRUPT, "an entry of %zu bytes of the topic of snapshots is none of Riffle's", bytes.size);
    }
    *entry_out = (struct rf_fleet_snapshot_entry){.memory = message};
    bool is_sound = true;
    if (message->entry_case == RIFFLE__V1__FLEET_SNAPSHOT_ENTRY__ENTRY_CHUNK) {
        const Riffle__V1__FleetSnapshotChunk *chunk = message->chunk;
        entry_out->has_chunk = true;
        entry_out->chunk = (struct rf_fleet_snapshot_chunk){
                .snapshot = chunk->snapshot, .index = chunk->index, .data = {(const char *)chunk->data.data, chunk->data.len}};
        is_sound = chunk->snapshot[0] && strlen(chunk->snapshot) < RF_FLEET_SNAPSHOT_NAME_SIZE;
    } else if (message->entry_case == RIFFLE__V1__FLEET_SNAPSHOT_ENTRY__ENTRY_MANIFEST) {
        entry_out->has_manifest = true;
        is_sound = read_manifest(message->manifest, &entry_out->manifest);
    }
    if (!is_sound) {
        rf_fleet_snapshot_finish(entry_out);
        return rf_fail(err, RF_CORRUPT, "an entry of the topic of snapshots says what cannot be");
    }
    return RF_OK;
}

void rf_fleet_snapshot_finish(struct rf_fleet_snapshot_entry *entry) {
    riffle__v1__fleet_snapshot_entry__free_unpacked(entry->memory, NULL);
    *entry = (struct rf_fleet_snapshot_entry){0};
}
