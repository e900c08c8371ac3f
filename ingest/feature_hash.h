#ifndef RF_INGEST_FEATURE_HASH_H
#define RF_INGEST_FEATURE_HASH_H
#include "ingest/schema.h"
#include "proto/siphash.h"

// The hashes of features, by the setting `hash`. A feature is a name in a namespace. Of a category the namespace is the field
// and the name is the text, so {"city": "Bern"} is |city Bern of the format vw; of a number the name is the field.
//
// keyed: rf_hash() with the model's key, to which the hash of the namespace is added (for a number of JSON or CSV nothing is).
// Who does not know the key cannot construct collisions.
//
// vowpal: as Vowpal Wabbit 9 has them (--hash strings), of 32 bits. A name of digits alone is that number plus the hash of its
// namespace, any other MurmurHash3 with the namespace's hash as the seed; bytes up to the space are cut off at both ends first.
// A namespace is hashed in the same way with 0 as its namespace; the one without a name, " ", is 0 and is that of the numbers of
// JSON and CSV. Each example then ends with Vowpal Wabbit's constant, a category of the value 1 in the field Constant, so that
// the learner's own bias should be off.
//
// A name that is followed by a text instead of a number (name:text in the format vw) is the namespace of that text.
struct rf_hasher {
    enum rf_hashing hashing;
    struct rf_hash_key key;
};
struct rf_hasher rf_hasher_of(const struct rf_schema *schema);

uint64_t rf_hasher_feature(const struct rf_hasher *hasher, uint64_t namespace_hash, struct rf_text name);

// The same, faster, for a name behind which `room` bytes can be read, those of the name included.
static inline uint64_t rf_hasher_feature_within(const struct rf_hasher *hasher, uint64_t namespace_hash, struct rf_text name,
                                                size_t room) {
    if (hasher->hashing != RF_HASHING_KEYED) {
        return rf_hasher_feature(hasher, namespace_hash, name);
    }
    struct rf_hash_key key = {hasher->key.k0 ^ namespace_hash, hasher->key.k1};
    return rf_hash_within(key, name.data, name.size, room);
}

uint64_t rf_hasher_namespace(const struct rf_hasher *hasher, struct rf_text name);

// A value without a name, :value in the format vw, `position` others of its kind in the namespace before it. Vowpal Wabbit
// takes the position for a number; else the name is the colon and the position, which no other feature can have.
uint64_t rf_hasher_nameless(const struct rf_hasher *hasher, uint64_t namespace_hash, uint64_t position);

#define RF_VOWPAL_CONSTANT UINT64_C(11650396)

#endif
