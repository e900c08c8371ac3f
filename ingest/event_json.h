#ifndef RF_INGEST_EVENT_JSON_H
#define RF_INGEST_EVENT_JSON_H
// The JSON event format of CloudEvents 1.0: one object of attributes and data.
#include "ingest/field_names.h"
#include "ingest/json_scan.h"

// Which attributes are of interest, and what is found in a record: texts and data are borrowed from it or from the arena.
struct rf_event_json {
    const struct rf_decode_limits *limits; // borrowed
    struct rf_field_names *names;          // borrowed: tells members that stand twice
    const struct rf_text *attributes;      // [count] names
    size_t count;
    size_t text_count; // the first ones must be texts

    struct rf_text *texts;       // [count + 1] as they are spelled, data NULL: none, or null; the last one is scratch space
    struct rf_text data;         // as it is written; data NULL: none
    struct rf_json_string text;  // with has_text: the data is a text
    struct rf_json_string bytes; // with has_bytes: data_base64
    bool has_text, has_bytes;
};

// The place of an attribute, or `count`: it is of no interest.
size_t rf_event_json_find(const struct rf_event_json *self, struct rf_text name);

void rf_event_json_clear(struct rf_event_json *self);

// Scans one event, all of it, into a cleared `self`. RF_INVALID with `error_out` filled; RF_FULL.
enum rf_status rf_event_json_scan(struct rf_event_json *self, struct rf_text value, struct rf_arena *arena,
                                  struct rf_decode_error *error_out) RF_MUST_USE;

#endif
