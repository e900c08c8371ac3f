#include "proto/record.h"

#include "proto/hash.h"

// Every part enters with whether it is there, so that an empty value and a tombstone differ.
uint64_t rf_record_fingerprint(const struct rf_record *record) {
    static const struct rf_hash_key fixed = {0x726966666c652031, 0x66696e6765727072};
    const uint64_t parts[] = {
            record->key.data != NULL,       record->key.data ? rf_hash(fixed, record->key.data, record->key.size) : 0,
            record->value.data != NULL,     record->value.data ? rf_hash(fixed, record->value.data, record->value.size) : 0,
            (uint64_t)record->timestamp_ms,
    };
    uint64_t fingerprint = rf_hash(fixed, parts, sizeof parts);
    return fingerprint ? fingerprint : 1; // 0 says that no record was applied
}
