#ifndef RF_INGEST_JSON_SCAN_H
#define RF_INGEST_JSON_SCAN_H
#include "ingest/decoder.h"
#include "ingest/number.h"

#include <stdint.h>

// A cursor over JSON text (RFC 8259). Nothing is read twice, nothing recurses, every byte passed over is checked.
struct rf_json_scan {
    const char *begin, *at, *end;
    size_t depth;                          // of the objects and arrays around the cursor, but the record itself
    const struct rf_decode_limits *limits; // depth at most RF_JSON_DEPTH_MAX
    struct rf_decode_error *error;         // filled where a function answers RF_INVALID
};

enum { RF_JSON_DEPTH_MAX = 1024 };

struct rf_json_string {
    struct rf_text raw; // between the quotes, valid
    bool has_escapes;
};

static inline void rf_json_skip_space(struct rf_json_scan *scan) {
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t')) {
        scan->at++;
    }
}

// Passes over `token` if it is what comes.
static inline bool rf_json_take(struct rf_json_scan *scan, char token) {
    bool is_next = scan->at < scan->end && *scan->at == token;
    scan->at += is_next;
    return is_next;
}

// Rejects what comes: not `wanted`, which is e.g. "',' or '}'".
enum rf_status rf_json_unexpected(const struct rf_json_scan *scan, const char *wanted);

// Each begins where its kind of value must begin.
enum rf_status rf_json_scan_string(struct rf_json_scan *scan, struct rf_json_string *string_out) RF_MUST_USE;
enum rf_status rf_json_scan_number(struct rf_json_scan *scan, struct rf_number *number_out) RF_MUST_USE;
enum rf_status rf_json_scan_literal(struct rf_json_scan *scan, struct rf_text *literal_out) RF_MUST_USE; // true, false, null
enum rf_status rf_json_skip_value(struct rf_json_scan *scan) RF_MUST_USE;

// A text, number, literal or null as the value of a field, whose name is for sentences. RF_FULL.
enum rf_status rf_json_scan_scalar(struct rf_json_scan *scan, struct rf_text field, struct rf_arena *arena,
                                   struct rf_value *value_out) RF_MUST_USE;

// Steps into the object or array that begins at the cursor; rejects one that is nested too deeply.
enum rf_status rf_json_enter(struct rf_json_scan *scan) RF_MUST_USE;

// Passes over `"name" :` before a member of an object.
enum rf_status rf_json_scan_name(struct rf_json_scan *scan, struct rf_json_string *name_out) RF_MUST_USE;

// The text of a string: the raw bytes, or a copy in the arena where escapes had to be resolved. RF_FULL.
enum rf_status rf_json_resolve(struct rf_json_string string, struct rf_arena *arena, struct rf_text *text_out) RF_MUST_USE;

#endif
