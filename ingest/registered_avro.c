#include "ingest/registered_avro.h"

#include "ingest/reject.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_SIZE = 1024, DEPTH_MAX = 512 };

struct joining {
    const struct rf_registered *registered;
    bool *is_placed; // [count]
    struct rf_error *err;
    size_t depth;
};

static enum rf_status no_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "a schema of Avro: out of memory");
}

static enum rf_status parse(const struct rf_registered_schema *schema, json_t **json_out, struct rf_error *err) {
    json_error_t why;
    *json_out = json_loads(schema->text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    return *json_out ? RF_OK
                     : rf_fail(err, RF_INVALID, "schema %s is no JSON: %s", rf_show(rf_text_of(schema->name)).text,
                               rf_show(rf_text_of(why.text)).text);
}

// Stands the name for one that is referred to, and was not met yet? By its full name: the registry's names are full ones.
static size_t find(const struct joining *joining, const char *name, const char *space) {
    char full[NAME_SIZE];
    bool is_full = strchr(name, '.') || !*space;
    snprintf(full, sizeof full, "%s%s%s", is_full ? "" : space, is_full ? "" : ".", name);
    size_t count = joining->registered->count - 1;
    for (size_t i = 0; i < count; i++) {
        if (!joining->is_placed[i] && !strcmp(joining->registered->schemas[i].name, full)) {
            return i;
        }
    }
    return count;
}

// The namespace of what stands in a named type.
static void enter(const json_t *json, const char *around, char space_out[NAME_SIZE]) {
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *own = json_string_value(json_object_get(json, "namespace"));
    const char *dot = name ? strrchr(name, '.') : NULL;
    if (dot) {
        snprintf(space_out, NAME_SIZE, "%.*s", (int)(dot - name), name);
    } else {
        snprintf(space_out, NAME_SIZE, "%s", own ? own : around);
    }
}

static enum rf_status join(struct joining *joining, json_t *json, const char *space, json_t **instead_out);

// Joins a member, and puts what it becomes in its place.
static enum rf_status join_member(struct joining *joining, json_t *object, const char *name, const char *space) {
    json_t *member = json_object_get(object, name), *instead = NULL;
    enum rf_status status = member ? join(joining, member, space, &instead) : RF_OK;
    return !status && instead && json_object_set_new(object, name, instead) ? no_memory(joining->err) : status;
}

static enum rf_status join_object(struct joining *joining, json_t *json, const char *around) {
    char space[NAME_SIZE];
    const char *type = json_string_value(json_object_get(json, "type"));
    json_t *fields = json_object_get(json, "fields");
    enum rf_status status = RF_OK;
    enter(json, around, space);
    if (type && !strcmp(type, "record")) {
        for (size_t i = 0; i < json_array_size(fields) && !status; i++) {
            status = join_member(joining, json_array_get(fields, i), "type", space);
        }
        return status;
    }
    if (!type || (strcmp(type, "enum") != 0 && strcmp(type, "fixed") != 0)) {
        static const char *const members[] = {"type", "items", "values"};
        for (size_t i = 0; i < sizeof members / sizeof *members && !status; i++) {
            status = join_member(joining, json, members[i], around);
        }
    }
    return status;
}

// What is referred to has a namespace of its own, whatever is around the place where it is put.
static enum rf_status place(struct joining *joining, size_t index, json_t **instead_out) {
    json_t *json, *instead = NULL;
    joining->is_placed[index] = true;
    enum rf_status status = parse(&joining->registered->schemas[index], &json, joining->err);
    if (status) {
        return status;
    }
    const char *name = json_string_value(json_object_get(json, "name"));
    if (name && !strchr(name, '.') && !json_object_get(json, "namespace")) {
        json_object_set_new(json, "namespace", json_string(""));
    }
    status = join(joining, json, "", &instead);
    if (status || instead) {
        json_decref(json);
    }
    *instead_out = status ? NULL : instead ? instead : json;
    return status;
}

// `instead_out`: what is to stand in its place, or NULL.
static enum rf_status join(struct joining *joining, json_t *json, const char *space, json_t **instead_out) {
    if (++joining->depth > DEPTH_MAX) {
        return rf_fail(joining->err, RF_INVALID, "the schema is nested deeper than %d", DEPTH_MAX);
    }
    enum rf_status status = RF_OK;
    if (json_is_string(json)) {
        size_t index = find(joining, json_string_value(json), space);
        status = index + 1 < joining->registered->count ? place(joining, index, instead_out) : RF_OK;
    } else if (json_is_object(json)) {
        status = join_object(joining, json, space);
    }
    for (size_t i = 0; json_is_array(json) && i < json_array_size(json) && !status; i++) {
        json_t *instead = NULL;
        status = join(joining, json_array_get(json, i), space, &instead);
        if (!status && instead && json_array_set_new(json, i, instead)) {
            status = no_memory(joining->err);
        }
    }
    joining->depth--;
    return status;
}

enum rf_status rf_registered_avro_text(const struct rf_registered *registered, char **text_out, struct rf_error *err) {
    const struct rf_registered_schema *own = &registered->schemas[registered->count - 1];
    if (registered->count == 1) {
        *text_out = strdup(own->text);
        return *text_out ? RF_OK : no_memory(err);
    }
    struct joining joining = {.registered = registered, .is_placed = calloc(registered->count, sizeof(bool)), .err = err};
    json_t *json = NULL, *instead = NULL;
    enum rf_status status = joining.is_placed ? parse(own, &json, err) : no_memory(err);
    if (!status) {
        status = join(&joining, json, "", &instead);
    }
    char *text = status ? NULL : json_dumps(instead ? instead : json, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!status && !text) {
        status = no_memory(err);
    }
    json_decref(instead);
    json_decref(json);
    free(joining.is_placed);
    if (!status) {
        *text_out = text;
    }
    return status;
}
