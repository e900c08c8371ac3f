#ifndef RF_INGEST_PROTOBUF_INTERNAL_H
#define RF_INGEST_PROTOBUF_INTERNAL_H
// What the compiler of a plan and the reader of records share.
//
// Every scalar of the message that is read has a place among the event's fields, whose name, hash and index never change: a
// record only fills in values, null at first. So what comes again replaces what stood there, as protobuf has it, and the event is
// the same in whichever order a message was written. What is in repeated fields is appended behind, element by element.
//
// Beside the places a record has a state, an array of numbers that is 0 at first: whether a message was met, which member of a
// oneof stands, how many elements came. Places and state of all that is within a rule lie side by side, so that forgetting them
// is a matter of two ranges.
#include "ingest/protobuf_plan.h"
#include "ingest/wire.h"

enum rf_protobuf_action {
    RF_PROTOBUF_SKIP,     // there for its oneof alone
    RF_PROTOBUF_VALUE,    // a scalar
    RF_PROTOBUF_VALUES,   // scalars
    RF_PROTOBUF_VECTOR,   // numbers that are the vector
    RF_PROTOBUF_MESSAGE,  // to be read by its own rules
    RF_PROTOBUF_MOMENT,   // a google.protobuf.Timestamp
    RF_PROTOBUF_SPAN,     // a google.protobuf.Duration
    RF_PROTOBUF_MESSAGES, // any of the three above
    RF_PROTOBUF_MAP,
};

struct rf_protobuf_enum {
    size_t count;
    int32_t *number;      // [count] rising
    struct rf_text *name; // [count] owned
};

// What to do with one field of a message.
struct rf_protobuf_rule {
    uint32_t tag;                   // with the wire type that it must have
    uint32_t packed_tag;            // of packed scalars; 0: they cannot be
    uint8_t action;                 // enum rf_protobuf_action
    uint8_t type;                   // of scalars, as descriptors have it
    bool has_default;               // a scalar that is 0 where the message holds none
    bool needs_text;                // a number that must be there as it is written too
    uint32_t oneof;                 // of the state: which member stands; 0: it is in none
    uint32_t member;                // the number of this one there
    uint32_t place, place_end;      // of the event's fields: its own and those within
    uint32_t state, state_end;      // of the state, likewise; what the first one is depends on the action
    uint32_t span;                  // of the state: from which to which value is appended within it; 0: none can be
    struct rf_protobuf_enum *names; // RF_PROTOBUF_VALUE and _VALUES of an enum; owned
    struct rf_protobuf_node *node;  // RF_PROTOBUF_MESSAGE; owned
    struct rf_protobuf_pick *picks; // [pick_count] RF_PROTOBUF_VALUES, _MESSAGES and _MAP; owned
    size_t pick_count;
    uint32_t field;      // of the schema, or RF_FIELD_UNKNOWN
    struct rf_text name; // of a scalar: that of the field; owned by the plan's schema or by the plan
};

// Which elements of a repeated field, or which entry of a map, a rule is for.
#define RF_PROTOBUF_EACH UINT32_MAX
struct rf_protobuf_pick {
    uint32_t index;     // RF_PROTOBUF_EACH: all of them
    struct rf_text key; // of a map; owned
    struct rf_protobuf_rule rule;
};

// A message: its rules.
struct rf_protobuf_node {
    struct rf_protobuf_rule *rules; // [count] by rising number
    size_t count, capacity;
    uint16_t *by_number; // [number_count] 1 + index of the rule, 0: none; NULL where numbers are too large for a table
    size_t number_count;
    size_t oneof_count;
    const struct rf_message_type *type; // while it is compiled; NULL: a wrapper
};

struct rf_protobuf_plan {
    const struct rf_schema *schema; // borrowed
    struct rf_decode_limits limits;
    char *message; // its name
    struct rf_protobuf_rule root;
    struct rf_field *fields;   // [limits.fields] the places, then what is appended
    struct rf_value *start;    // [place_count] values before a record, those of fields that are 0 where they are absent
    struct rf_value *defaults; // [place_count] the same where the message around them is there
    uint32_t *appended;        // [limits.fields - place_count] which place an appended value is of
    uint64_t *state;           // [state_count]
    uint32_t place_count, state_count;
    uint32_t vector_place;    // place_count: there is none
    bool is_vector_of_floats; // else of doubles
    char **names;             // [name_count] of fields that the schema does not declare; owned
    size_t name_count;
};

enum { RF_PROTOBUF_MOMENT_STATE = 3 }; // whether it was met, seconds, nanoseconds

#endif
