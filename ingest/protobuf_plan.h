#ifndef RF_INGEST_PROTOBUF_PLAN_H
#define RF_INGEST_PROTOBUF_PLAN_H
#include "ingest/decoder.h"

// How messages of one type become events. It is compiled once, from descriptors and the schema, into rules by field number; then
// each record is decoded straight from the wire.
//
// A field of the schema is a path of the message's field names, see rf_decoder_protobuf_create().
struct rf_protobuf_plan;

struct rf_protobuf_plan_options {
    const struct rf_schema *schema;           // borrowed
    struct rf_decode_limits limits;           // none of them 0
    struct rf_text descriptors;               // a google.protobuf.FileDescriptorSet; needed only while the plan is compiled
    const char *message;                      // the name in full: shop.v1.Order
    const struct rf_decoder_options *decoder; // what it says of fields from elsewhere and of numbers in texts
    bool may_lack_fields;                     // a field that the message has not is absent from its records, rather than refused
};

// RF_INVALID, in words, for descriptors that are none, a message that is not in them, and fields that the message has not or
// has in a type that their roles cannot take.
enum rf_status rf_protobuf_plan_create(const struct rf_protobuf_plan_options *options, struct rf_protobuf_plan **plan_out,
                                       struct rf_error *err) RF_MUST_USE;

// As decode of struct rf_decoder_ops. The event's fields and names, and the names of enums in it, are the plan's: good until its
// next record, and as long as the plan. A plan belongs to one thread.
enum rf_status rf_protobuf_plan_decode(struct rf_protobuf_plan *plan, struct rf_text message, struct rf_arena *arena,
                                       struct rf_event *event_out, struct rf_decode_error *error_out) RF_MUST_USE;
void rf_protobuf_plan_destroy(struct rf_protobuf_plan *plan);

#endif
