#include "proto/hash.h"

#include "proto/random.h"
#include "proto/siphash.h"

struct rf_hash_key rf_hash_key_of_seed(uint64_t seed) {
    uint64_t state = seed;
    uint64_t k0 = rf_splitmix64(&state);
    uint64_t k1 = rf_splitmix64(&state);
    return (struct rf_hash_key){k0, k1};
}

static uint64_t tail_of(const uint8_t *bytes, size_t size) {
    size_t tail = size & 7;
    return tail ? rf_sip_tail(bytes + (size - tail), tail) : 0; // nothing may be at NULL
}

uint64_t rf_hash(struct rf_hash_key key, const void *data, size_t size) {
    return rf_sip_hash(key, data, size, tail_of(data, size), 1, 3);
}

uint64_t rf_hash_reference(struct rf_hash_key key, const void *data, size_t size) {
    return rf_sip_hash(key, data, size, tail_of(data, size), 2, 4);
}
