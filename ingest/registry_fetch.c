#include "ingest/registry_fetch.h"

#include "ingest/registry_reply.h"
#include "ingest/reject.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_SIZE = 4096 };

// The schema of the id, and those that are referred to, each once by its name.
struct node {
    struct rf_registry_reference origin; // borrowed from the reply that referred to it; all NULL: the id's own
    struct rf_registry_reply reply;
    bool is_listed;
};

struct rf_registry_fetch {
    struct rf_http *http;
    bool is_serialized;
    const char *url;
    uint32_t id;
    struct node *nodes; // [RF_REGISTRY_REFERENCES_MAX + 1]
    size_t count, done;
};

static void forget(struct rf_registry_fetch *fetch) {
    for (size_t i = 0; i < fetch->count; i++) {
        rf_registry_reply_finish(&fetch->nodes[i].reply);
        fetch->nodes[i] = (struct node){0};
    }
    fetch->count = fetch->done = 0;
}

// A name in a path: all but letters, digits and -._~ as %XX. False when there is no room.
static bool encode(const char *text, char *to, size_t size) {
    size_t used = 0;
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        bool is_plain = byte < 0x80 && (isalnum(byte) || strchr("-._~", byte));
        if (used + 4 > size) {
            return false;
        }
        used += (size_t)snprintf(to + used, size - used, is_plain ? "%c" : "%%%02X", byte);
    }
    to[used] = '\0';
    return used > 0;
}

static enum rf_status ask(struct rf_registry_fetch *fetch, struct rf_error *err) {
    const struct node *node = &fetch->nodes[fetch->done];
    char url[URL_SIZE], subject[URL_SIZE];
    int size;
    if (!node->origin.name) {
        size = snprintf(url, sizeof url, "%s/schemas/ids/%" PRIu32 "%s", fetch->url, fetch->id,
                        fetch->is_serialized ? "?format=serialized" : "");
    } else { // a schema that is in use stays readable when its subject was deleted
        size = encode(node->origin.subject, subject, sizeof subject)
                       ? snprintf(url, sizeof url, "%s/subjects/%s/versions/%" PRId64 "?deleted=true%s", fetch->url, subject,
                                  node->origin.version, fetch->is_serialized ? "&format=serialized" : "")
                       : (int)sizeof url;
    }
    if (size >= (int)sizeof url) {
        return rf_fail(err, RF_INVALID, "refers to a subject with a name too long");
    }
    return rf_http_begin(fetch->http, url, err);
}

static struct node *find(struct rf_registry_fetch *fetch, const char *name) {
    for (size_t i = 1; i < fetch->count; i++) {
        if (!strcmp(fetch->nodes[i].origin.name, name)) {
            return &fetch->nodes[i];
        }
    }
    return NULL;
}

static enum rf_status take_reply(struct rf_registry_fetch *fetch, struct rf_text body, struct rf_error *err) {
    struct node *node = &fetch->nodes[fetch->done];
    enum rf_status status = rf_registry_reply_read(body, fetch->is_serialized, &node->reply, err);
    if (status) {
        return status;
    }
    fetch->done++;
    for (size_t i = 0; i < node->reply.count; i++) {
        const struct rf_registry_reference *reference = &node->reply.references[i];
        if (find(fetch, reference->name)) {
            continue;
        }
        if (fetch->count > RF_REGISTRY_REFERENCES_MAX) {
            return rf_fail(err, RF_INVALID, "has more than %d references, at most so many are taken", RF_REGISTRY_REFERENCES_MAX);
        }
        fetch->nodes[fetch->count++].origin = *reference;
    }
    return RF_OK;
}

// Moves schemas over, those that one refers to before it.
static void list(struct rf_registry_fetch *fetch, struct node *node, struct rf_registered *registered) {
    node->is_listed = true;
    for (size_t i = 0; i < node->reply.count; i++) {
        struct node *other = find(fetch, node->reply.references[i].name);
        if (!other->is_listed) {
            list(fetch, other, registered); // as deep as there are references: bounded
        }
    }
    struct rf_registered_schema *to = &registered->schemas[registered->count++];
    to->name = strdup(node->origin.name ? node->origin.name : "");
    to->text = node->reply.schema;
    node->reply.schema = NULL;
}

static enum rf_status finish(struct rf_registry_fetch *fetch, struct rf_registered **registered_out, struct rf_error *err) {
    struct rf_registered *registered = calloc(1, sizeof *registered);
    if (registered) {
        registered->id = fetch->id;
        registered->type = strdup(fetch->nodes[0].reply.type);
        registered->schemas = calloc(fetch->count, sizeof *registered->schemas);
    }
    bool is_whole = registered && registered->type && registered->schemas;
    if (is_whole) {
        list(fetch, &fetch->nodes[0], registered);
    }
    for (size_t i = 0; is_whole && i < registered->count; i++) {
        is_whole = registered->schemas[i].name != NULL;
    }
    forget(fetch);
    if (!is_whole) {
        rf_registered_destroy(registered);
        return rf_fail(err, RF_MEMORY, "schema id %" PRIu32 ": out of memory", fetch->id);
    }
    *registered_out = registered;
    return RF_OK;
}

// It will never be better.
static enum rf_status refuse(struct rf_registry_fetch *fetch, const char *why, struct rf_registered **registered_out,
                             struct rf_error *err) {
    struct rf_registered *registered = calloc(1, sizeof *registered);
    char *refusal = strdup(why);
    forget(fetch);
    if (!registered || !refusal) {
        free(registered);
        free(refusal);
        return rf_fail(err, RF_MEMORY, "schema id %" PRIu32 ": out of memory", fetch->id);
    }
    *registered = (struct rf_registered){.id = fetch->id, .refusal = refusal};
    *registered_out = registered;
    return RF_OK;
}

static void tell_missing(const struct rf_registry_reference *origin, struct rf_error *err) {
    rf_fail(err, RF_NOT_FOUND, "refers to version %" PRId64 " of %s, which is not there", origin->version,
            rf_show(rf_text_of(origin->subject)).text);
}

enum rf_status rf_registry_fetch_begin(struct rf_registry_fetch *fetch, const char *url, uint32_t id, struct rf_error *err) {
    forget(fetch);
    fetch->url = url;
    fetch->id = id;
    fetch->count = 1;
    return ask(fetch, err);
}

enum rf_status rf_registry_fetch_turn(struct rf_registry_fetch *fetch, int wait_ms, struct rf_registered **registered_out,
                                      struct rf_error *err) {
    assert(fetch->done < fetch->count);
    struct rf_http_reply reply;
    struct rf_error why;
    enum rf_status status = rf_http_turn(fetch->http, wait_ms, &reply, err);
    if (status) {
        return status;
    }
    status = rf_registry_judge(&reply, err);
    if (status == RF_NOT_FOUND && fetch->done > 0) {
        tell_missing(&fetch->nodes[fetch->done].origin, &why);
        return refuse(fetch, why.text, registered_out, err);
    }
    if (status) {
        return status;
    }
    status = take_reply(fetch, reply.body, &why);
    if (!status && fetch->done == fetch->count) {
        return finish(fetch, registered_out, err);
    }
    status = status ? status : ask(fetch, &why);
    if (status == RF_INVALID) { // of the schema, not of the credentials
        return refuse(fetch, why.text, registered_out, err);
    }
    if (status) {
        *err = why;
    }
    return status ? status : RF_AGAIN;
}

enum rf_status rf_registry_fetch_create(struct rf_http *http, bool is_serialized, struct rf_registry_fetch **fetch_out,
                                        struct rf_error *err) {
    struct rf_registry_fetch *fetch = calloc(1, sizeof *fetch);
    struct node *nodes = calloc(RF_REGISTRY_REFERENCES_MAX + 1, sizeof *nodes);
    if (!fetch || !nodes) {
        free(fetch);
        free(nodes);
        return rf_fail(err, RF_MEMORY, "schema registry: out of memory");
    }
    *fetch = (struct rf_registry_fetch){.http = http, .is_serialized = is_serialized, .nodes = nodes};
    *fetch_out = fetch;
    return RF_OK;
}

void rf_registry_fetch_destroy(struct rf_registry_fetch *fetch) {
    if (fetch) {
        forget(fetch);
        free(fetch->nodes);
        free(fetch);
    }
}
