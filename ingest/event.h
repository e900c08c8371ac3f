#ifndef RF_INGEST_EVENT_H
#define RF_INGEST_EVENT_H
#include "proto/arena.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

enum rf_value_type {
    RF_VALUE_NULL,
    RF_VALUE_BOOL,
    RF_VALUE_NUMBER,
    RF_VALUE_TEXT,
    RF_VALUE_LIST,    // a JSON array as it is written, checked; only in the field of the vector
    RF_VALUE_FLOATS,  // numbers of a binary format, one after the other in memory; only in the field of the vector
    RF_VALUE_DOUBLES, // the same in doubles
};

// What a number that is a time counts, since 1970-01-01 UTC. Settings know the first three.
enum rf_time_unit { RF_TIME_MS, RF_TIME_S, RF_TIME_US, RF_TIME_NS, RF_TIME_DAYS };

// One decoded value. A number keeps the text it was written as, so that 007 can be an id or a category.
struct rf_value {
    enum rf_value_type type;
    bool has_time_unit;  // RF_VALUE_NUMBER: the format says what it counts since 1970, whatever the settings say:
    uint8_t time_unit;   // enum rf_time_unit
    double number;       // RF_VALUE_NUMBER, finite; RF_VALUE_BOOL: 0 or 1
    struct rf_text text; // valid UTF-8; RF_VALUE_NUMBER, RF_VALUE_BOOL and RF_VALUE_LIST: as written; those of the vector: bytes
};

struct rf_field {
    struct rf_text name;
    uint64_t hash;  // keyed hash of the name, as in the schema
    uint32_t index; // in the schema, or RF_FIELD_UNKNOWN
    struct rf_value value;
};

// A field whose values are sparse features, listed by the record itself.
struct rf_namespace {
    struct rf_text name; // " " where the record names none
    uint64_t hash;       // keyed hash of the name, as in the schema
    uint32_t index;      // in the schema, or RF_FIELD_UNKNOWN
    size_t end;          // its features end before this one of the event, and begin where those of the namespace before end
};

// What the numbers of a label mean where no names of classes do.
enum rf_label_form {
    RF_LABEL_INDEX,  // 0 or 1; 0 to classes - 1
    RF_LABEL_LIBSVM, // -1, 0 or 1; 0 to classes - 1
    RF_LABEL_VOWPAL, // -1, 0 or 1; 1 to classes
};

// A decoded record: its fields in the order of the record. Names and texts are borrowed from the record, the schema, the
// decoder's settings or the batch's arena; the arrays themselves are the decoder's, good until its next record.
//
// A field that has several values, because the record holds a list, stands here once for each of them, in their order, with the
// same name, hash and index; only declared fields do, and no others stand twice. Whether the field may have them is not the
// decoder's business: see rf_schema_takes_list() and ingest/feature.h. An empty list is no field, as if it were absent.
//
// Sparse features stand beside the fields, so that tens or thousands of them cost no name each. Their order is the record's; a
// namespace may come several times, and so may a feature.
struct rf_event {
    struct rf_field *fields; // [count]
    size_t count;
    enum rf_label_form label_form;

    struct rf_namespace *namespaces; // [namespace_count] those that the schema wants, each with a feature at least
    size_t namespace_count;
    const uint64_t *feature_hash; // [feature_count] see ingest/feature_hash.h
    const double *feature_value;  // [feature_count] finite, never 0
    size_t feature_count;
};

enum { RF_VALUE_ROOM = 32 }; // characters of a number in words, with its NUL

// A value for people: as the record has it, else in `room`: null, a number of a binary format, how many numbers a vector has.
struct rf_text rf_value_words(const struct rf_value *value, char room[RF_VALUE_ROOM]);

// Whether a field or a namespace is called so; `hash` is the keyed hash of the name.
bool rf_event_holds(const struct rf_event *event, struct rf_text name, uint64_t hash);

// Moves the fields to the arena, with room for so many more behind them. RF_FULL.
enum rf_status rf_event_reserve(struct rf_event *event, size_t more, struct rf_arena *arena) RF_MUST_USE;

#endif
