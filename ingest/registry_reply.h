#ifndef RF_INGEST_REGISTRY_REPLY_H
#define RF_INGEST_REGISTRY_REPLY_H
// What a schema registry replies, read.
#include "ingest/http.h"

#include <stdbool.h>
#include <stdint.h>

enum { RF_REGISTRY_REFERENCES_MAX = 256 }; // of one schema, all in all

struct rf_registry_reference {
    char *name, *subject;
    int64_t version;
};

struct rf_registry_reply {
    char *type; // AVRO where the registry names none
    char *schema;
    struct rf_registry_reference *references; // [count]
    size_t count;
};
void rf_registry_reply_finish(struct rf_registry_reply *reply);

// Whether a reply is one that holds what was asked for. RF_NOT_FOUND: the registry knows no such schema, subject or version.
// RF_INVALID, in words: it refuses the credentials. RF_IO, in words: anything else, which may be better another time.
enum rf_status rf_registry_judge(const struct rf_http_reply *reply, struct rf_error *err) RF_MUST_USE;

// Reads a schema. RF_IO, in words, when it is none. RF_INVALID: it is one that is of no use, why in words that go on a sentence
// about it. `is_serialized`: one of Protobuf must be its descriptor in base64, since the text of a .proto is of no use.
enum rf_status rf_registry_reply_read(struct rf_text body, bool is_serialized, struct rf_registry_reply *reply_out,
                                      struct rf_error *err) RF_MUST_USE;

#endif
