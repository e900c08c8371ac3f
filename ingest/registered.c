// The text that is kept: a line with a checksum, then one JSON object.
//
//     riffle-schema 1 <SHA-256 of the rest>
//     {"id": 7, "type": "AVRO", "schemas": [{"name": "", "text": "..."}]}
#include "ingest/registered.h"

#include "proto/hash.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD "riffle-schema 1 "

enum { HEAD_SIZE = sizeof HEAD - 1 + RF_SHA256_TEXT_SIZE }; // the digest's NUL is the line end

void rf_registered_destroy(struct rf_registered *registered) {
    if (!registered) {
        return;
    }
    for (size_t i = 0; i < registered->count; i++) {
        free(registered->schemas[i].name);
        free(registered->schemas[i].text);
    }
    free(registered->schemas);
    free(registered->refusal);
    free(registered->type);
    free(registered);
}

static void print_head(struct rf_text body, char head_out[HEAD_SIZE + 1]) {
    struct rf_sha256 sha;
    uint8_t digest[RF_SHA256_SIZE];
    char text[RF_SHA256_TEXT_SIZE];
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, body.data, body.size);
    rf_sha256_finish(&sha, digest);
    rf_sha256_text(digest, text);
    snprintf(head_out, HEAD_SIZE + 1, HEAD "%s\n", text);
}

static json_t *to_json(const struct rf_registered *registered) {
    if (registered->refusal) {
        return json_pack("{s:I, s:s}", "id", (json_int_t)registered->id, "refusal", registered->refusal);
    }
    json_t *schemas = json_array();
    for (size_t i = 0; i < registered->count; i++) {
        const struct rf_registered_schema *schema = &registered->schemas[i];
        json_array_append_new(schemas, json_pack("{s:s, s:s}", "name", schema->name, "text", schema->text));
    }
    return json_pack("{s:I, s:s, s:o}", "id", (json_int_t)registered->id, "type", registered->type, "schemas", schemas);
}

char *rf_registered_print(const struct rf_registered *registered) {
    json_t *json = to_json(registered);
    char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
    size_t size = body ? strlen(body) : 0;
    char *text = body ? malloc(HEAD_SIZE + size + 1) : NULL;
    if (text) {
        print_head((struct rf_text){body, size}, text);
        memcpy(text + HEAD_SIZE, body, size + 1);
    }
    json_decref(json);
    free(body);
    return text;
}

// Copies; false when the member is no text.
static bool take_text(const json_t *json, const char *name, char **text_out) {
    const char *text = json_string_value(json_object_get(json, name));
    *text_out = text ? strdup(text) : NULL;
    return *text_out != NULL;
}

static bool take_schemas(const json_t *schemas, struct rf_registered *registered) {
    size_t count = json_array_size(schemas);
    registered->schemas = calloc(count + 1, sizeof *registered->schemas);
    bool is_whole = registered->schemas && count > 0;
    for (size_t i = 0; is_whole && i < count; i++) {
        const json_t *schema = json_array_get(schemas, i);
        struct rf_registered_schema *to = &registered->schemas[registered->count++];
        is_whole = take_text(schema, "name", &to->name) && take_text(schema, "text", &to->text);
    }
    return is_whole;
}

enum rf_status rf_registered_read(struct rf_text text, uint32_t id, struct rf_registered **registered_out, struct rf_error *err) {
    char head[HEAD_SIZE + 1];
    bool is_whole = text.size > HEAD_SIZE;
    if (is_whole) {
        print_head((struct rf_text){text.data + HEAD_SIZE, text.size - HEAD_SIZE}, head);
        is_whole = memcmp(text.data, head, HEAD_SIZE) == 0;
    }
    json_t *json = is_whole ? json_loadb(text.data + HEAD_SIZE, text.size - HEAD_SIZE, JSON_REJECT_DUPLICATES, NULL) : NULL;
    struct rf_registered *registered = json ? calloc(1, sizeof *registered) : NULL;
    if (registered) {
        registered->id = id;
        is_whole = json_integer_value(json_object_get(json, "id")) == (json_int_t)id &&
                   (take_text(json, "refusal", &registered->refusal) ||
                    (take_text(json, "type", &registered->type) && take_schemas(json_object_get(json, "schemas"), registered)));
    }
    json_decref(json);
    if (!registered || !is_whole) {
        rf_registered_destroy(registered);
        return rf_fail(err, RF_CORRUPT, "is not what was kept of schema id %" PRIu32, id);
    }
    *registered_out = registered;
    return RF_OK;
}
