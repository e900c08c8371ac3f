#include "ingest/registry_reply.h"

#include "ingest/base64.h"
#include "ingest/reject.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// What the registry says of itself, made fit for a sentence; "" when it says nothing.
static struct rf_shown message_of(const json_t *json) {
    const char *message = json_string_value(json_object_get(json, "message"));
    return rf_show(rf_text_of(message ? message : ""));
}

enum rf_status rf_registry_judge(const struct rf_http_reply *reply, struct rf_error *err) {
    enum { SUBJECT_NOT_FOUND = 40401, VERSION_NOT_FOUND, SCHEMA_NOT_FOUND };
    if (reply->code == 200) {
        return RF_OK;
    }
    if (reply->code == 401) {
        return rf_fail(err, RF_INVALID, "refuses the credentials (401)");
    }
    if (reply->code == 403) {
        return rf_fail(err, RF_INVALID, "does not let these credentials read schemas (403)");
    }
    if (reply->code >= 300 && reply->code < 400) {
        return rf_fail(err, RF_IO, "sends elsewhere (%ld), which is not followed; give the URL that it sends to", reply->code);
    }
    json_t *json = json_loadb(reply->body.data, reply->body.size, JSON_REJECT_DUPLICATES, NULL);
    json_int_t code = json_integer_value(json_object_get(json, "error_code"));
    struct rf_shown message = message_of(json);
    json_decref(json);
    if (reply->code == 404 && code >= SUBJECT_NOT_FOUND && code <= SCHEMA_NOT_FOUND) {
        return rf_fail(err, RF_NOT_FOUND, "%s", message.text);
    }
    if (reply->code == 404) {
        return rf_fail(err, RF_IO, "answers 404 as no schema registry does; its URL must be the one behind which /schemas is");
    }
    return rf_fail(err, RF_IO, "answers %ld%s%s", reply->code, message.text[0] ? ": " : "", message.text);
}

void rf_registry_reply_finish(struct rf_registry_reply *reply) {
    for (size_t i = 0; i < reply->count; i++) {
        free(reply->references[i].name);
        free(reply->references[i].subject);
    }
    free(reply->references);
    free(reply->schema);
    free(reply->type);
    *reply = (struct rf_registry_reply){0};
}

static char *copy(const char *text) {
    return text ? strdup(text) : NULL;
}

static enum rf_status read_references(const json_t *list, struct rf_registry_reply *reply, struct rf_error *err) {
    size_t count = json_array_size(list);
    if (count > RF_REGISTRY_REFERENCES_MAX) {
        return rf_fail(err, RF_INVALID, "has %zu references, at most %d are taken", count, RF_REGISTRY_REFERENCES_MAX);
    }
    reply->references = calloc(count + 1, sizeof *reply->references);
    bool is_whole = reply->references && (!list || json_is_array(list) || json_is_null(list));
    for (size_t i = 0; is_whole && i < count; i++) {
        const json_t *json = json_array_get(list, i);
        struct rf_registry_reference *reference = &reply->references[reply->count++];
        reference->name = copy(json_string_value(json_object_get(json, "name")));
        reference->subject = copy(json_string_value(json_object_get(json, "subject")));
        reference->version = json_integer_value(json_object_get(json, "version"));
        is_whole = reference->name && reference->subject && reference->version > 0;
    }
    return is_whole ? RF_OK : rf_fail(err, RF_IO, "gives a schema whose references are not {name, subject, version}");
}

enum rf_status rf_registry_reply_read(struct rf_text body, bool is_serialized, struct rf_registry_reply *reply_out,
                                      struct rf_error *err) {
    json_t *json = json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, NULL);
    struct rf_registry_reply reply = {.schema = copy(json_string_value(json_object_get(json, "schema")))};
    const char *type = json_string_value(json_object_get(json, "schemaType"));
    reply.type = copy(type ? type : "AVRO");
    enum rf_status status;
    if (!reply.schema || !reply.type) {
        status = rf_fail(err, RF_IO, "answers with what is no schema: %s", rf_show(body).text);
    } else if (is_serialized && !strcmp(reply.type, "PROTOBUF") && !rf_base64_is_valid(rf_text_of(reply.schema))) {
        status = rf_fail(err, RF_INVALID, "is one of Protobuf that the registry gives as text, must know format=serialized");
    } else {
        status = read_references(json_object_get(json, "references"), &reply, err);
    }
    json_decref(json);
    if (status) {
        rf_registry_reply_finish(&reply);
        return status;
    }
    *reply_out = reply;
    return RF_OK;
}
