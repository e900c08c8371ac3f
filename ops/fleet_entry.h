#ifndef RF_OPS_FLEET_ENTRY_H
#define RF_OPS_FLEET_ENTRY_H
// Entries of the log of deltas as bytes (riffle.v1.FleetEntry), both ways. What each means is in ops/fleet_replica.h.
#include "proto/hash.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RF_FLEET_WORKER_SIZE = 250, RF_FLEET_NONCE_SIZE = 33 }; // with their NUL

struct rf_fleet_genesis {
    const char *model, *specification;
    uint8_t specification_sha256[RF_SHA256_SIZE];
    uint32_t arithmetic;
    uint64_t nonce;
};

struct rf_fleet_join {
    const char *worker, *nonce, *program;
};

struct rf_fleet_chunk {
    const char *worker;
    uint32_t epoch, index, count;
    uint64_t sequence;
    struct rf_text data;
};

struct rf_fleet_range {
    const char *topic;
    int32_t partition;
    int64_t from, to; // from -1: nothing was applied before
    uint64_t fingerprint, records;
};

struct rf_fleet_run {
    uint32_t range;
    uint64_t records, deltas;
};

struct rf_fleet_delta {
    uint32_t line;
    uint64_t start;
    uint8_t chain[RF_SHA256_SIZE];
    const struct rf_fleet_range *ranges; // [range_count]
    size_t range_count;
    const struct rf_fleet_run *runs; // [run_count]
    size_t run_count;
    uint64_t records, learned, rejected;
    struct rf_text rows;
    bool has_check;
    uint64_t checked;
    uint8_t base_sha256[RF_SHA256_SIZE];
};

struct rf_fleet_reset {
    uint32_t line;
    uint64_t start;
    const struct rf_fleet_range *ranges; // [range_count]
    size_t range_count;
};

enum rf_fleet_kind { RF_FLEET_GENESIS, RF_FLEET_JOIN, RF_FLEET_CHUNK, RF_FLEET_RESET, RF_FLEET_UNKNOWN };

struct rf_fleet_entry {
    enum rf_fleet_kind kind;
    union {
        struct rf_fleet_genesis genesis;
        struct rf_fleet_join join;
        struct rf_fleet_chunk chunk;
        struct rf_fleet_reset reset;
    };
    void *memory; // what the pointers above point into
};

// In memory that the caller frees. RF_MEMORY.
enum rf_status rf_fleet_entry_bytes(const struct rf_fleet_entry *entry, uint8_t **bytes_out, size_t *size_out,
                                    struct rf_error *err) RF_MUST_USE;
enum rf_status rf_fleet_delta_bytes(const struct rf_fleet_delta *delta, uint8_t **bytes_out, size_t *size_out,
                                    struct rf_error *err) RF_MUST_USE;

// RF_CORRUPT, in words, for bytes that are none. To be finished when RF_OK. RF_FLEET_UNKNOWN is of a later release.
enum rf_status rf_fleet_entry_read(struct rf_text bytes, struct rf_fleet_entry *entry_out, struct rf_error *err) RF_MUST_USE;
void rf_fleet_entry_finish(struct rf_fleet_entry *entry);

struct rf_fleet_delta_read {
    struct rf_fleet_delta delta;
    void *memory, *ranges, *runs;
};
enum rf_status rf_fleet_delta_read(struct rf_text bytes, struct rf_fleet_delta_read *read_out, struct rf_error *err) RF_MUST_USE;
void rf_fleet_delta_finish(struct rf_fleet_delta_read *read);

#endif
