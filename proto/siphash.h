#ifndef RF_PROTO_SIPHASH_H
#define RF_PROTO_SIPHASH_H
// The inside of rf_hash().
//
// SipHash-c-d (Aumasson and Bernstein, 2012): c rounds a word of the message, d rounds at the end. The last word holds
// the bytes left over and, on top, the size modulo 256.
#include "proto/bytes.h"
#include "proto/hash.h"

struct rf_sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rf_sip_rotate(uint64_t word, int bits) {
    return word << bits | word >> (64 - bits);
}

static inline void rf_sip_round(struct rf_sip *s) {
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rf_sip_rotate(s->v1, 13) ^ s->v0;
    s->v3 = rf_sip_rotate(s->v3, 16) ^ s->v2;
    s->v0 = rf_sip_rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rf_sip_rotate(s->v1, 17) ^ s->v2;
    s->v3 = rf_sip_rotate(s->v3, 21) ^ s->v0;
    s->v2 = rf_sip_rotate(s->v2, 32);
}

static inline void rf_sip_compress(struct rf_sip *s, uint64_t word, int rounds) {
    s->v3 ^= word;
    for (int i = 0; i < rounds; i++) {
        rf_sip_round(s);
    }
    s->v0 ^= word;
}

// The last 0 to 7 bytes as a little-endian number. Two loads that may overlap spare a loop over the bytes.
static inline uint64_t rf_sip_tail(const uint8_t *bytes, size_t size) {
    if (size >= 4) {
        return rf_load_u32(bytes) | (uint64_t)rf_load_u32(bytes + size - 4) << (8 * (size - 4));
    }
    if (size == 0) {
        return 0;
    }
    return bytes[0] | (uint64_t)bytes[size / 2] << (8 * (size / 2)) | (uint64_t)bytes[size - 1] << (8 * (size - 1));
}

// `tail` holds the size % 8 last bytes. The rounds are constants where this is called, so that each caller gets its own
// unrolled copy.
static inline __attribute__((always_inline)) uint64_t rf_sip_hash(struct rf_hash_key key, const uint8_t *bytes, size_t size,
                                                                  uint64_t tail, int rounds, int last_rounds) {
    struct rf_sip s = {key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
                       key.k1 ^ 0x7465646279746573};
    for (size_t left = size; left >= 8; left -= 8, bytes += 8) {
        rf_sip_compress(&s, rf_load_u64(bytes), rounds);
    }
    rf_sip_compress(&s, tail | (uint64_t)size << 56, rounds);
    s.v2 ^= 0xff;
    for (int i = 0; i < last_rounds; i++) {
        rf_sip_round(&s);
    }
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

// The same as rf_hash(), for the loops that hash most. `room` bytes may be read from `data` on; where they are enough for whole
// words, no branch depends on the size of a short text.
static inline uint64_t rf_hash_within(struct rf_hash_key key, const void *data, size_t size, size_t room) {
    const uint8_t *bytes = data;
    size_t whole = size & ~(size_t)7;
    uint64_t tail = room >= whole + 8 ? rf_load_u64(bytes + whole) & ~(UINT64_MAX << (8 * (size - whole)))
                                      : rf_sip_tail(bytes + whole, size - whole);
    return rf_sip_hash(key, bytes, size, tail, 1, 3);
}

#endif
