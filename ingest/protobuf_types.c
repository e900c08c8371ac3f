#include "ingest/protobuf_types.h"

#include "ingest/reject.h"

#include <string.h>

#define TYPE(name) RF_PROTOBUF_TYPE(name)

static const char *const type_names[] = {
        [TYPE(DOUBLE)] = "double", [TYPE(FLOAT)] = "float",     [TYPE(INT64)] = "int64",       [TYPE(UINT64)] = "uint64",
        [TYPE(INT32)] = "int32",   [TYPE(FIXED64)] = "fixed64", [TYPE(FIXED32)] = "fixed32",   [TYPE(BOOL)] = "bool",
        [TYPE(STRING)] = "string", [TYPE(GROUP)] = "group",     [TYPE(MESSAGE)] = "message",   [TYPE(BYTES)] = "bytes",
        [TYPE(UINT32)] = "uint32", [TYPE(ENUM)] = "enum",       [TYPE(SFIXED32)] = "sfixed32", [TYPE(SFIXED64)] = "sfixed64",
        [TYPE(SINT32)] = "sint32", [TYPE(SINT64)] = "sint64",
};

const char *rf_protobuf_type_name(int type) {
    return type_names[type];
}

enum rf_wire_type rf_protobuf_wire_type(int type) {
    switch (type) {
    case TYPE(DOUBLE):
    case TYPE(FIXED64):
    case TYPE(SFIXED64):
        return RF_WIRE_FIXED64;
    case TYPE(FLOAT):
    case TYPE(FIXED32):
    case TYPE(SFIXED32):
        return RF_WIRE_FIXED32;
    case TYPE(STRING):
    case TYPE(BYTES):
    case TYPE(MESSAGE):
        return RF_WIRE_DELIMITED;
    case TYPE(GROUP):
        return RF_WIRE_GROUP;
    default:
        return RF_WIRE_VARINT;
    }
}

int rf_protobuf_wrapped(const char *type_name) {
    static const struct {
        const char *name;
        int type;
    } wrappers[] = {
            {".google.protobuf.DoubleValue", TYPE(DOUBLE)}, {".google.protobuf.FloatValue", TYPE(FLOAT)},
            {".google.protobuf.Int64Value", TYPE(INT64)},   {".google.protobuf.UInt64Value", TYPE(UINT64)},
            {".google.protobuf.Int32Value", TYPE(INT32)},   {".google.protobuf.UInt32Value", TYPE(UINT32)},
            {".google.protobuf.BoolValue", TYPE(BOOL)},     {".google.protobuf.StringValue", TYPE(STRING)},
            {".google.protobuf.BytesValue", TYPE(BYTES)},
    };
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++) {
        if (strcmp(wrappers[i].name, type_name) == 0) {
            return wrappers[i].type;
        }
    }
    return 0;
}

enum rf_protobuf_action rf_protobuf_well_known(const char *type_name) {
    return strcmp(type_name, ".google.protobuf.Timestamp") == 0  ? RF_PROTOBUF_MOMENT
           : strcmp(type_name, ".google.protobuf.Duration") == 0 ? RF_PROTOBUF_SPAN
                                                                 : RF_PROTOBUF_SKIP;
}

// What each role takes, and where settings name it.
static const struct {
    enum rf_role role;
    const char *setting, *wanted;
} wants[] = {
        {RF_ROLE_ID, "id", "a string, bytes, an enum, a bool or an integer"},
        {RF_ROLE_TIME, "time", "a google.protobuf.Timestamp, a number or a string"},
        {RF_ROLE_LABEL, "label", "a number, a bool, a string or an enum"},
        {RF_ROLE_WEIGHT, "weight", "a number"},
        {RF_ROLE_NUMBER, "numbers", "a number or a bool"},
        {RF_ROLE_BUCKET, "buckets", "a number or a bool"},
        {RF_ROLE_CATEGORY, "categories", "a string, bytes, an enum, a bool or an integer"},
        {RF_ROLE_TEXT, "texts", "a string, an enum, a bool or an integer"},
        {RF_ROLE_VECTOR, "vector", "repeated numbers or a string"},
        {RF_ROLE_INPUT, "derived", "a number, a google.protobuf.Timestamp or a string"},
        {RF_ROLE_CROSSED, "crosses", "a scalar"},
};

enum { NAMES = RF_ROLE_ID | RF_ROLE_CATEGORY | RF_ROLE_CROSSED, NUMBERS = RF_ROLE_NUMBER | RF_ROLE_BUCKET };

static unsigned roles_taken(enum rf_protobuf_action action, int type, bool takes_numeric_texts) {
    if (action == RF_PROTOBUF_MOMENT) {
        return RF_ROLE_TIME | RF_ROLE_INPUT;
    }
    if (action == RF_PROTOBUF_SPAN) {
        return NUMBERS | RF_ROLE_WEIGHT | RF_ROLE_LABEL | RF_ROLE_INPUT | RF_ROLE_CROSSED;
    }
    bool is_vector = action == RF_PROTOBUF_VECTOR;
    switch (type) {
    case TYPE(BYTES):
        return NAMES;
    case TYPE(ENUM):
        return NAMES | RF_ROLE_TEXT | RF_ROLE_LABEL;
    case TYPE(BOOL):
        return NAMES | RF_ROLE_TEXT | RF_ROLE_LABEL | NUMBERS | RF_ROLE_INPUT;
    case TYPE(STRING):
        return NAMES | RF_ROLE_TEXT | RF_ROLE_LABEL | RF_ROLE_TIME | RF_ROLE_INPUT | RF_ROLE_VECTOR |
               (takes_numeric_texts ? NUMBERS | RF_ROLE_WEIGHT : 0u);
    case TYPE(DOUBLE):
    case TYPE(FLOAT):
        return NUMBERS | RF_ROLE_WEIGHT | RF_ROLE_LABEL | RF_ROLE_TIME | RF_ROLE_INPUT | RF_ROLE_CROSSED |
               (is_vector ? RF_ROLE_VECTOR : 0u);
    default:
        return NAMES | NUMBERS | RF_ROLE_TEXT | RF_ROLE_WEIGHT | RF_ROLE_LABEL | RF_ROLE_TIME | RF_ROLE_INPUT |
               (is_vector ? RF_ROLE_VECTOR : 0u);
    }
}

enum rf_status rf_protobuf_check_roles(struct rf_text name, unsigned roles, enum rf_protobuf_action action, int type,
                                       bool takes_numeric_texts, struct rf_error *err) {
    unsigned taken = roles_taken(action, type, takes_numeric_texts);
    const char *is = action == RF_PROTOBUF_MOMENT ? "google.protobuf.Timestamp"
                     : action == RF_PROTOBUF_SPAN ? "google.protobuf.Duration"
                                                  : rf_protobuf_type_name(type);
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        if (roles & (unsigned)wants[i].role & ~taken) {
            return rf_fail(err, RF_INVALID, "field %s is of the type %s, must be %s for %s", rf_show(name).text, is,
                           wants[i].wanted, wants[i].setting);
        }
    }
    return RF_OK;
}
