// What a schema registry replies, what was kept of it, and what stands in front of a record: whatever the bytes are, each is
// taken or refused in words, and what was taken is kept as it is.
#include "ingest/base64.h"
#include "ingest/confluent.h"
#include "ingest/registered.h"
#include "ingest/registry_reply.h"
#include "proto/utf8.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A bug of ours, said aloud.
#define MUST(claim)                                                             \
    do {                                                                        \
        if (!(claim)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim); \
            abort();                                                            \
        }                                                                       \
    } while (0)

static void check_head(struct rf_text bytes) {
    struct rf_confluent_head head;
    struct rf_decode_error error;
    for (int has_indexes = 0; has_indexes < 2 && bytes.size; has_indexes++) {
        if (rf_confluent_read(bytes, has_indexes, &head, &error)) {
            MUST(error.detail[0] && rf_utf8_is_valid(rf_text_of(error.detail)));
            continue;
        }
        MUST(head.value.data + head.value.size == bytes.data + bytes.size);
        MUST(head.index_count <= RF_CONFLUENT_INDEXES_MAX && (head.index_count > 0) == has_indexes);
    }
}

// What is kept of it is read as it was.
static void check_kept(struct rf_registry_reply *reply) {
    struct rf_registered_schema schemas[] = {{reply->schema, reply->schema}, {"", reply->schema}};
    struct rf_registered registered = {.id = 7, .type = reply->type, .schemas = schemas, .count = 2};
    struct rf_error err;
    struct rf_registered *again;
    char *text = rf_registered_print(&registered);
    MUST(text);
    MUST(rf_registered_read(rf_text_of(text), 7, &again, &err) == RF_OK);
    MUST(again->count == 2 && !strcmp(again->schemas[1].text, reply->schema) && !strcmp(again->type, reply->type));
    rf_registered_destroy(again);
    free(text);
}

static void check_reply(struct rf_text body, bool is_serialized) {
    struct rf_registry_reply reply;
    struct rf_error err;
    if (rf_registry_reply_read(body, is_serialized, &reply, &err)) {
        MUST((err.status == RF_IO || err.status == RF_INVALID) && err.text[0]);
        return;
    }
    MUST(reply.schema && reply.type && reply.count <= RF_REGISTRY_REFERENCES_MAX);
    for (size_t i = 0; i < reply.count; i++) {
        MUST(reply.references[i].name && reply.references[i].subject && reply.references[i].version > 0);
    }
    struct rf_text text = rf_text_of(reply.schema);
    if (rf_base64_is_valid(text)) {
        uint8_t *bytes = malloc(text.size / 4 * 3);
        MUST(bytes && rf_base64_decode(text, bytes) <= text.size / 4 * 3);
        free(bytes);
    }
    check_kept(&reply);
    rf_registry_reply_finish(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const long codes[] = {200, 302, 401, 403, 404, 500};
    struct rf_text bytes = {size ? (const char *)data : "", size};
    struct rf_error err;
    struct rf_registered *registered;
    check_head(bytes);
    check_reply(bytes, false);
    check_reply(bytes, true);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct rf_http_reply reply = {.code = codes[i], .body = bytes};
        MUST((rf_registry_judge(&reply, &err) == RF_OK) == (codes[i] == 200));
    }
    if (rf_registered_read(bytes, 7, &registered, &err) == RF_OK) {
        MUST(registered->refusal || registered->count > 0);
        rf_registered_destroy(registered);
    }
    return 0;
}
