#ifndef RF_INGEST_PROTOBUF_RULES_H
#define RF_INGEST_PROTOBUF_RULES_H
// How the rules of a plan grow while it is compiled.
#include "ingest/descriptors.h"
#include "ingest/protobuf_internal.h"

// The names of an enum by rising numbers; of several names for one number, the first. NULL, here and below: out of memory.
struct rf_protobuf_enum *rf_protobuf_names_create(const struct rf_enum_type *type);
void rf_protobuf_names_destroy(struct rf_protobuf_enum *names); // takes NULL

// The rule of a message for the field of that number; for the elements of that index, or the entries of that key, of a repeated
// field. Made when it is not there; good until the next one is made beside it.
struct rf_protobuf_rule *rf_protobuf_rule_of(struct rf_protobuf_node *node, uint32_t number, enum rf_wire_type wire_type);
struct rf_protobuf_rule *rf_protobuf_pick_of(struct rf_protobuf_rule *rule, uint32_t index, struct rf_text key, uint32_t tag);

// Makes rules for all members of the oneof that a field is in, if it is in one. False: out of memory.
bool rf_protobuf_add_oneof(struct rf_protobuf_node *node, const Google__Protobuf__FieldDescriptorProto *field);

#endif
