#ifndef RF_INGEST_MET_FIELDS_H
#define RF_INGEST_MET_FIELDS_H
#include "proto/example.h"
#include "proto/hash.h"

// The undeclared fields met in a batch: each name once, in examples->field_name behind the declared ones. The upper half of
// that array holds a hash table of them, so a batch has room for the names of field_capacity / 2 fields.
struct rf_met_fields {
    struct rf_examples *examples; // borrowed
    struct rf_hash_key key;       // of the names' hashes
    size_t declared;              // fields in front of the first one met
    size_t next;                  // where the next field is expected: mostly they come in the order of the record before
};

size_t rf_met_fields_capacity(const struct rf_examples *examples); // declared ones included

// The index of the field with this name and its keyed hash; it is added when it is new. RF_FIELD_UNKNOWN: no room.
uint32_t rf_met_fields_index(struct rf_met_fields *fields, struct rf_text name, uint64_t hash);

// Takes back what was added since there were `field_count` fields.
void rf_met_fields_forget(struct rf_met_fields *fields, size_t field_count);

#endif
