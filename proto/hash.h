#ifndef RF_PROTO_HASH_H
#define RF_PROTO_HASH_H
#include <stddef.h>
#include <stdint.h>

// The functions that stored bytes depend on: changing any of them breaks every saved model. None depends on the
// machine, the locale or the time.

struct rf_hash_key {
    uint64_t k0, k1;
};

// The key of all feature hashes of a model, derived from its seed.
struct rf_hash_key rf_hash_key_of_seed(uint64_t seed);

// SipHash-1-3 (Aumasson and Bernstein, 2012: "SipHash: a fast short-input PRF"): who does not know the key cannot
// construct colliding features.
uint64_t rf_hash(struct rf_hash_key key, const void *data, size_t size);

// The same construction with the published number of rounds (2-4), for its published test vectors.
uint64_t rf_hash_reference(struct rf_hash_key key, const void *data, size_t size);

// MurmurHash3 for 32 bits (Appleby, public domain). It has no key: colliding names are easily made. For results that must equal
// those of programs that use it.
uint32_t rf_hash_murmur3(uint32_t seed, const void *data, size_t size);

enum { RF_SHA256_SIZE = 32, RF_SHA256_TEXT_SIZE = 65 };

// SHA-256 (FIPS 180-4) over bytes given piece by piece. `update` after `init`; `finish` writes the digest and frees.
struct rf_sha256 {
    void *context;
};
void rf_sha256_init(struct rf_sha256 *sha); // aborts when memory is out: it is small and made in setup
void rf_sha256_update(struct rf_sha256 *sha, const void *data, size_t size);
void rf_sha256_finish(struct rf_sha256 *sha, uint8_t digest_out[RF_SHA256_SIZE]);
void rf_sha256_drop(struct rf_sha256 *sha); // instead of `finish`: frees; harmless after it, and of one that is all zeros
void rf_sha256_text(const uint8_t digest[RF_SHA256_SIZE], char text_out[RF_SHA256_TEXT_SIZE]); // lower-case hex, NUL

#endif
