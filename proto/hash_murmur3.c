// MurmurHash3 for 32 bits (Appleby, 2011; public domain): four bytes at a time, a tail of up to three, and a finalizer after
// which every bit of the state depends on all others.
#include "proto/bytes.h"
#include "proto/hash.h"

static inline uint32_t rotate(uint32_t word, int bits) {
    return word << bits | word >> (32 - bits);
}

static inline uint32_t scrambled(uint32_t word) {
    return rotate(word * 0xcc9e2d51u, 15) * 0x1b873593u;
}

uint32_t rf_hash_murmur3(uint32_t seed, const void *data, size_t size) {
    const uint8_t *bytes = data;
    uint32_t hash = seed;
    size_t left = size;
    for (; left >= 4; left -= 4, bytes += 4) {
        hash = rotate(hash ^ scrambled(rf_load_u32(bytes)), 13) * 5 + 0xe6546b64u;
    }
    if (left > 0) { // 1 to 3 bytes: first, middle and last may be the same one
        size_t middle = left / 2, last = left - 1;
        hash ^= scrambled(bytes[0] | (uint32_t)bytes[middle] << (8 * middle) | (uint32_t)bytes[last] << (8 * last));
    }
    hash ^= (uint32_t)size;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}
