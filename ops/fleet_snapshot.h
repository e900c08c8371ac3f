#ifndef RF_OPS_FLEET_SNAPSHOT_H
#define RF_OPS_FLEET_SNAPSHOT_H
// Entries of the topic of snapshots as bytes (riffle.v1.FleetSnapshotEntry), both ways. A snapshot of base stands there as
// chunks, in order, and then a manifest. The chunks one after the other are a replica (rf_replica_save()) and then a snapshot of
// the format of proto/snapshot.h. Whose manifest is missing was interrupted, and is none.
#include "ops/fleet_entry.h"

enum { RF_FLEET_SNAPSHOT_NAME_SIZE = 320, RF_FLEET_MODEL_SIZE = 256 }; // with their NUL

struct rf_fleet_snapshot {
    char name[RF_FLEET_SNAPSHOT_NAME_SIZE]; // drawn by its worker: no two have the same
    char model[RF_FLEET_MODEL_SIZE];
    char worker[RF_FLEET_WORKER_SIZE];
    uint32_t line;
    uint64_t number; // deltas that count in it
    uint8_t chain[RF_SHA256_SIZE];
    int64_t log_offset; // the next entry of the log of deltas
    uint32_t chunks;
    uint64_t size, replica_size; // of all chunks, and of what is the replica of it
    uint8_t sha256[RF_SHA256_SIZE];
    int64_t created_ms;
};

struct rf_fleet_snapshot_chunk {
    const char *snapshot; // its name
    uint32_t index;
    struct rf_text data;
};

struct rf_fleet_snapshot_entry {
    bool has_chunk, has_manifest; // neither: of a later release
    struct rf_fleet_snapshot_chunk chunk;
    struct rf_fleet_snapshot manifest;
    void *memory; // what the chunk points into
};

// In memory that the caller frees. RF_MEMORY.
enum rf_status rf_fleet_snapshot_chunk_bytes(const struct rf_fleet_snapshot_chunk *chunk, uint8_t **bytes_out, size_t *size_out,
                                             struct rf_error *err) RF_MUST_USE;
enum rf_status rf_fleet_snapshot_bytes(const struct rf_fleet_snapshot *manifest, uint8_t **bytes_out, size_t *size_out,
                                       struct rf_error *err) RF_MUST_USE;

// RF_CORRUPT, in words, for bytes that are none. To be finished when RF_OK.
enum rf_status rf_fleet_snapshot_read(struct rf_text bytes, struct rf_fleet_snapshot_entry *entry_out,
                                      struct rf_error *err) RF_MUST_USE;
void rf_fleet_snapshot_finish(struct rf_fleet_snapshot_entry *entry);

#endif
