#include "ingest/feature_hash.h"

#include <inttypes.h>
#include <stdio.h>

struct rf_hasher rf_hasher_of(const struct rf_schema *schema) {
    return (struct rf_hasher){rf_schema_hashing(schema), rf_schema_key(schema)};
}

static bool is_blank(char c) {
    return (unsigned char)c <= ' ';
}

static uint64_t vowpal_hash(uint64_t namespace_hash, struct rf_text name) {
    const char *begin = name.data;
    const char *end = begin + name.size;
    while (begin < end && is_blank(*begin)) {
        begin++;
    }
    while (begin < end && is_blank(end[-1])) {
        end--;
    }
    uint32_t number = 0; // wraps, as there
    for (const char *at = begin; at < end; at++) {
        if (*at < '0' || *at > '9') {
            return rf_hash_murmur3((uint32_t)namespace_hash, begin, (size_t)(end - begin));
        }
        number = 10 * number + (uint32_t)(*at - '0');
    }
    return (uint32_t)(number + namespace_hash);
}

uint64_t rf_hasher_feature(const struct rf_hasher *hasher, uint64_t namespace_hash, struct rf_text name) {
    if (hasher->hashing == RF_HASHING_VOWPAL) {
        return vowpal_hash(namespace_hash, name);
    }
    struct rf_hash_key key = {hasher->key.k0 ^ namespace_hash, hasher->key.k1};
    return rf_hash(key, name.data, name.size);
}

uint64_t rf_hasher_namespace(const struct rf_hasher *hasher, struct rf_text name) {
    return hasher->hashing == RF_HASHING_VOWPAL ? vowpal_hash(0, name) : rf_hash(hasher->key, name.data, name.size);
}

uint64_t rf_hasher_nameless(const struct rf_hasher *hasher, uint64_t namespace_hash, uint64_t position) {
    if (hasher->hashing == RF_HASHING_VOWPAL) {
        return (uint32_t)(namespace_hash + position);
    }
    char name[24];
    int size = snprintf(name, sizeof name, ":%" PRIu64, position);
    return rf_hasher_feature(hasher, namespace_hash, (struct rf_text){name, (size_t)size});
}
