#ifndef RF_OPS_FLEET_REPLICA_INTERNAL_H
#define RF_OPS_FLEET_REPLICA_INTERNAL_H
// What a replica holds. All of it that does not come from its options is saved and restored (ops/fleet_replica_save.c).
#include "ops/fleet_replica.h"

// A worker as the log shows it, with the chunks of the delta that it is sending.
struct rf_replica_member {
    struct rf_replica_worker shown;
    uint64_t sequence; // of its last delta that was complete, in its epoch
    uint8_t *bytes;    // of the delta that comes
    size_t size, capacity;
    uint32_t chunks; // of it that came
};

struct rf_replica {
    struct rf_replica_options options;
    struct rf_delta *delta;            // the one being folded; NULL without layers
    struct rf_replica_member *members; // [member_count]
    size_t member_count;
    uint8_t *genesis; // the entry that founded the fleet [genesis_size]; NULL: none did yet
    size_t genesis_size;
    uint32_t line, epochs;
    uint64_t number, voids;
    uint64_t records, learned, rejected;
    struct rf_positions applied;
    uint8_t chains[RF_FLEET_CHAINS][RF_SHA256_SIZE]; // of the last numbers, by number mod RF_FLEET_CHAINS
    uint64_t expected;                               // see rf_replica_expect()
    struct rf_replica_reset *resets;                 // [reset_count] met
    size_t reset_count;
    bool has_check;
    uint64_t checked;
    uint8_t check[RF_SHA256_SIZE];
    char last_void[RF_ERROR_TEXT_SIZE];
};

#endif
