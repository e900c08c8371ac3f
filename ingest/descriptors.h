#ifndef RF_INGEST_DESCRIPTORS_H
#define RF_INGEST_DESCRIPTORS_H
// What messages and enums there are, as `protoc --descriptor_set_out` writes it down (google.protobuf.FileDescriptorSet).
#include "proto/status.h"
#include "proto/text.h"

#include <google/protobuf/descriptor.pb-c.h>
#include <stdbool.h>

struct rf_message_type {
    const char *name; // in full: shop.v1.Order
    const Google__Protobuf__DescriptorProto *descriptor;
    bool has_implicit_presence; // proto3: a scalar that is not written is 0
    bool is_refused;            // of an edition, whose rules are not known
};

struct rf_enum_type {
    const char *name; // in full
    const Google__Protobuf__EnumDescriptorProto *descriptor;
};

// A set of one file or more; the caller frees it. RF_INVALID, in words, for bytes that are none, and where messages are declared
// within each other too deep.
enum rf_status rf_descriptors_unpack(struct rf_text bytes, Google__Protobuf__FileDescriptorSet **set_out,
                                     struct rf_error *err) RF_MUST_USE;

struct rf_descriptors;

// RF_INVALID, in words, for bytes that are none. `bytes` are needed for the call alone.
enum rf_status rf_descriptors_create(struct rf_text bytes, struct rf_descriptors **descriptors_out,
                                     struct rf_error *err) RF_MUST_USE;
void rf_descriptors_destroy(struct rf_descriptors *descriptors);

// By the full name, with or without a dot in front of it; NULL when there is none.
const struct rf_message_type *rf_descriptors_message(const struct rf_descriptors *descriptors, const char *name);
const struct rf_enum_type *rf_descriptors_enum(const struct rf_descriptors *descriptors, const char *name);

// The same, refused in words that name the nearest one.
enum rf_status rf_descriptors_find(const struct rf_descriptors *descriptors, const char *name,
                                   const struct rf_message_type **message_out, struct rf_error *err) RF_MUST_USE;

#endif
