#ifndef RF_INGEST_EVENT_H
#define RF_INGEST_EVENT_H
#include "proto/text.h"

#include <stdint.h>

enum rf_value_type { RF_VALUE_NULL, RF_VALUE_BOOL, RF_VALUE_NUMBER, RF_VALUE_TEXT };

// One decoded value. A number keeps the text it was written as, so that 007 can be an id or a category.
struct rf_value {
    enum rf_value_type type;
    double number;       // RF_VALUE_NUMBER, finite; RF_VALUE_BOOL: 0 or 1
    struct rf_text text; // RF_VALUE_TEXT, valid UTF-8; RF_VALUE_NUMBER and RF_VALUE_BOOL: as written
};

struct rf_field {
    struct rf_text name;
    uint64_t hash;  // keyed hash of the name, as in the schema
    uint32_t index; // in the schema, or RF_FIELD_UNKNOWN
    struct rf_value value;
};

// A decoded record: its fields in the order of the record, no name twice. Names and texts are borrowed from the record,
// the schema, the decoder's settings or the batch's arena; the array itself is the decoder's, good until its next record.
struct rf_event {
    struct rf_field *fields; // [count]
    size_t count;
};

#endif
