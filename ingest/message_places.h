#ifndef RF_INGEST_MESSAGE_PLACES_H
#define RF_INGEST_MESSAGE_PLACES_H
// Which messages a file of Protobuf declares, by their place alone (ingest/confluent.h): enough to tell which message indexes
// name one. Immutable.
#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

struct rf_message_places;

// Of a FileDescriptorProto in base64. RF_INVALID, in words, where it is none.
enum rf_status rf_message_places_create(struct rf_text base64, struct rf_message_places **places_out,
                                        struct rf_error *err) RF_MUST_USE;
void rf_message_places_destroy(struct rf_message_places *places); // takes NULL

// Whether there is such a message. If not: the depth at which there is none, and how many there are.
bool rf_message_places_have(const struct rf_message_places *places, const uint32_t *indexes, size_t count, size_t *depth_out,
                            uint32_t *held_out);

#endif
