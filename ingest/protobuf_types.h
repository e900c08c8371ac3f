#ifndef RF_INGEST_PROTOBUF_TYPES_H
#define RF_INGEST_PROTOBUF_TYPES_H
// Which types of protobuf can be what for a model.
#include "ingest/protobuf_internal.h"

#include <google/protobuf/descriptor.pb-c.h>

#define RF_PROTOBUF_TYPE(name) GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_##name

// As schemas call it: "int64".
const char *rf_protobuf_type_name(int type);

// How a value of the type is written on the wire.
enum rf_wire_type rf_protobuf_wire_type(int type);

// The type of the one value in a wrapper, as in google.protobuf.Int64Value; 0: the name is not that of one.
int rf_protobuf_wrapped(const char *type_name);

// RF_PROTOBUF_MOMENT for a google.protobuf.Timestamp, RF_PROTOBUF_SPAN for a google.protobuf.Duration, else RF_PROTOBUF_SKIP.
enum rf_protobuf_action rf_protobuf_well_known(const char *type_name);

// Whether a field of these roles can be of that type; for RF_PROTOBUF_MOMENT and _SPAN whatever the type. RF_INVALID in words.
enum rf_status rf_protobuf_check_roles(struct rf_text name, unsigned roles, enum rf_protobuf_action action, int type,
                                       bool takes_numeric_texts, struct rf_error *err) RF_MUST_USE;

#endif
