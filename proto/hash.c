// SipHash-c-d (Aumasson and Bernstein, 2012): c rounds a word of the message, d rounds at the end. The last word holds
// the bytes left over and, on top, the size modulo 256.
#include "proto/hash.h"

#include "proto/bytes.h"
#include "proto/random.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

struct rf_hash_key rf_hash_key_of_seed(uint64_t seed) {
    uint64_t state = seed;
    uint64_t k0 = rf_splitmix64(&state);
    uint64_t k1 = rf_splitmix64(&state);
    return (struct rf_hash_key){k0, k1};
}

static inline uint64_t rotate(uint64_t word, int bits) {
    return word << bits | word >> (64 - bits);
}

static inline void round_once(struct sip *s) {
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void compress(struct sip *s, uint64_t word, int rounds) {
    s->v3 ^= word;
    for (int i = 0; i < rounds; i++) {
        round_once(s);
    }
    s->v0 ^= word;
}

// The last 0 to 7 bytes as a little-endian number. Two loads that may overlap spare a loop over the bytes.
static inline uint64_t load_tail(const uint8_t *bytes, size_t size) {
    if (size >= 4) {
        return rf_load_u32(bytes) | (uint64_t)rf_load_u32(bytes + size - 4) << (8 * (size - 4));
    }
    if (size == 0) {
        return 0;
    }
    return bytes[0] | (uint64_t)bytes[size / 2] << (8 * (size / 2)) | (uint64_t)bytes[size - 1] << (8 * (size - 1));
}

// The rounds are constants where this is called, so that each caller gets its own unrolled copy.
static inline __attribute__((always_inline)) uint64_t sip_hash(struct rf_hash_key key, const void *data, size_t size, int rounds,
                                                               int last_rounds) {
    struct sip s = {key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
                    key.k1 ^ 0x7465646279746573};
    const uint8_t *bytes = data;
    size_t left = size;
    for (; left >= 8; left -= 8, bytes += 8) {
        compress(&s, rf_load_u64(bytes), rounds);
    }
    compress(&s, load_tail(bytes, left) | (uint64_t)size << 56, rounds);
    s.v2 ^= 0xff;
    for (int i = 0; i < last_rounds; i++) {
        round_once(&s);
    }
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t rf_hash(struct rf_hash_key key, const void *data, size_t size) {
    return sip_hash(key, data, size, 1, 3);
}

uint64_t rf_hash_reference(struct rf_hash_key key, const void *data, size_t size) {
    return sip_hash(key, data, size, 2, 4);
}
