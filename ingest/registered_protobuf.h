#ifndef RF_INGEST_REGISTERED_PROTOBUF_H
#define RF_INGEST_REGISTERED_PROTOBUF_H
// Between Protobuf's descriptors and what a schema registry says of messages: their place in a file (ingest/confluent.h).
#include "ingest/confluent.h"
#include "ingest/registered.h"

// What a schema registry holds of a file and those it imports, as a google.protobuf.FileDescriptorSet, and the name in full of
// the message in that place of the file. The caller frees both. RF_INVALID, in words, for what are no descriptors and for a place
// without a message.
struct rf_registered_message {
    uint8_t *descriptors; // [size]
    size_t size;
    char *name;
};
enum rf_status rf_registered_message(const struct rf_registered *registered, const uint32_t *indexes, size_t index_count,
                                     struct rf_registered_message *message_out, struct rf_error *err) RF_MUST_USE;
void rf_registered_message_finish(struct rf_registered_message *message);

// The place of a message, which is in the set, in its file. RF_INVALID, in words, where it is nested too deep.
enum rf_status rf_message_indexes(struct rf_text descriptors, const char *name, uint32_t indexes_out[RF_CONFLUENT_INDEXES_MAX],
                                  size_t *index_count_out, struct rf_error *err) RF_MUST_USE;

#endif
