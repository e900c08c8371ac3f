#ifndef RF_INGEST_PROTOBUF_READING_H
#define RF_INGEST_PROTOBUF_READING_H
#include "ingest/protobuf_internal.h"
#include "ingest/reject.h"

// A record that is being read.
struct rf_protobuf_reading {
    struct rf_protobuf_plan *plan;
    struct rf_text message;
    struct rf_arena *arena;
    struct rf_decode_error *error;
    struct rf_field *fields; // those of the plan
    uint64_t *state;
    size_t appended; // values behind the places
    struct rf_wire_pieces vector;
};

// Reads the scalar that a rule is for, written as its tag says. RF_FULL: the arena is full.
enum rf_status rf_protobuf_read_value(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                      struct rf_wire *wire, struct rf_value *value_out);

// Passes over the field behind `tag`.
enum rf_status rf_protobuf_skip(const struct rf_protobuf_reading *reading, struct rf_wire *wire, uint32_t tag);

enum rf_status rf_protobuf_no_message(const struct rf_protobuf_reading *reading); // the sentence
struct rf_shown rf_protobuf_show_name(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule);

#endif
