#include "ingest/decoder.h"

#include "ingest/field_names.h"
#include "ingest/json_walk.h"
#include "ingest/path_plan.h"
#include "ingest/reject.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

struct json_decoder {
    struct rf_decoder base;
    struct rf_field_names *names;
    struct rf_json_walk *walk;
    struct rf_field *fields; // [limits.fields]
};

static const struct rf_decoder_ops json_ops;

static struct json_decoder *json_from(struct rf_decoder *self) {
    assert(self->ops == &json_ops);
    return (struct json_decoder *)self;
}

// The value of a field. An undeclared object or array is passed over, and so is what nobody wants.
static enum rf_status scan_value(struct json_decoder *json, struct rf_json_scan *scan, const struct rf_field_name *name,
                                 struct rf_text text, struct rf_arena *arena, struct rf_event *event) {
    char first = scan->at < scan->end ? *scan->at : '\0';
    if (name->is_path && name->is_wanted) {
        enum rf_status status = rf_json_walk_whole_name(json->walk, scan, name);
        if (status) {
            return status;
        }
    }
    if (first == '{' || first == '[') {
        return name->path == RF_PATH_NONE ? rf_json_skip_value(scan) : rf_json_walk_value(json->walk, scan, name, arena, event);
    }
    if (!name->is_wanted) {
        return rf_json_skip_value(scan);
    }
    struct rf_field field = {.name = text, .hash = name->hash, .index = name->index};
    enum rf_status status = rf_json_scan_scalar(scan, text, arena, &field.value);
    return status ? status : rf_json_append(scan, event, field);
}

// The name of a field that was not expected, or not in this way.
static enum rf_status scan_name(struct json_decoder *json, struct rf_json_scan *scan, struct rf_arena *arena,
                                const struct rf_field_name **name_out, struct rf_text *text_out) {
    if (scan->at == scan->end || *scan->at != '"') {
        return rf_json_unexpected(scan, "a name in quotes");
    }
    struct rf_json_string string;
    enum rf_status status = rf_json_scan_string(scan, &string);
    status = status ? status : rf_json_resolve(string, arena, text_out);
    if (status) {
        return status;
    }
    *name_out = rf_field_names_add(json->names, *text_out);
    if (!*name_out) {
        return rf_decode_fail(scan->error, RF_REASON_DUPLICATE, "field %s stands twice, must stand once",
                              rf_show(*text_out).text);
    }
    return RF_OK;
}

// One `"name": value`.
static enum rf_status scan_field(struct json_decoder *json, struct rf_json_scan *scan, struct rf_arena *arena,
                                 struct rf_event *event) {
    const struct rf_field_name *name = NULL;
    struct rf_text text = {scan->at + 1, 0};
    if (scan->at < scan->end && *scan->at == '"') {
        name = rf_field_names_expect_quoted(json->names, (struct rf_text){text.data, (size_t)(scan->end - text.data)});
    }
    if (name) {
        text.size = name->text.size;
        scan->at += text.size + 2;
    } else {
        enum rf_status status = scan_name(json, scan, arena, &name, &text);
        if (status) {
            return status;
        }
    }
    rf_json_skip_space(scan);
    if (!rf_json_take(scan, ':')) {
        return rf_json_unexpected(scan, "':'");
    }
    rf_json_skip_space(scan);
    return scan_value(json, scan, name, text, arena, event);
}

// The fields of an object that is not empty, and its end.
static enum rf_status scan_fields(struct json_decoder *json, struct rf_json_scan *scan, struct rf_arena *arena,
                                  struct rf_event *event) {
    for (uint64_t count = 0; count < json->base.limits.fields; count++) {
        enum rf_status status = scan_field(json, scan, arena, event);
        if (status) {
            return status;
        }
        rf_json_skip_space(scan);
        if (rf_json_take(scan, '}')) {
            return RF_OK;
        }
        if (!rf_json_take(scan, ',')) {
            return rf_json_unexpected(scan, "',' or '}'");
        }
        rf_json_skip_space(scan);
    }
    return rf_decode_fail(scan->error, RF_REASON_LIMIT, "has more than %" PRIu64 " fields", json->base.limits.fields);
}

static enum rf_status scan_object(struct json_decoder *json, struct rf_json_scan *scan, struct rf_arena *arena,
                                  struct rf_event *event) {
    rf_json_skip_space(scan);
    if (!rf_json_take(scan, '{')) {
        return rf_json_unexpected(scan, "'{'");
    }
    rf_json_skip_space(scan);
    if (!rf_json_take(scan, '}')) {
        enum rf_status status = scan_fields(json, scan, arena, event);
        if (status) {
            return status;
        }
    }
    rf_json_skip_space(scan);
    return scan->at == scan->end ? RF_OK : rf_json_unexpected(scan, "the end");
}

static enum rf_status json_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                  struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct json_decoder *json = json_from(self);
    struct rf_json_scan scan = {
            .begin = record->value.data,
            .at = record->value.data,
            .end = record->value.data + record->value.size,
            .limits = &self->limits,
            .error = error_out,
    };
    struct rf_event event = {.fields = json->fields, .count = 0};
    rf_field_names_begin(json->names);
    rf_json_walk_begin(json->walk);
    enum rf_status status = scan_object(json, &scan, arena, &event);
    if (status) {
        return status;
    }
    rf_field_names_end(json->names);
    *event_out = event;
    return RF_OK;
}

static void json_destroy(struct rf_decoder *self) {
    struct json_decoder *json = json_from(self);
    rf_field_names_destroy(json->names);
    rf_json_walk_destroy(json->walk);
    free(json->fields);
    free(json);
}

static const struct rf_decoder_ops json_ops = {
        .name = "json",
        .decode = json_decode,
        .destroy = json_destroy,
};

enum rf_status rf_decoder_json_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                      struct rf_decoder **decoder_out, struct rf_error *err) {
    struct json_decoder *json = calloc(1, sizeof *json);
    if (!json) {
        return rf_fail(err, RF_MEMORY, "a decoder of json does not fit into memory");
    }
    rf_decoder_init(&json->base, &json_ops, schema, options);
    size_t fields = json->base.limits.fields;
    json->fields = calloc(fields, sizeof *json->fields);
    if (!json->fields) {
        rf_fail(err, RF_MEMORY, "%zu fields of a record do not fit into memory", fields);
        goto fail;
    }
    if (rf_field_names_create(schema, fields, &json->names, err) ||
        rf_json_walk_create(schema, &json->base.limits, &json->walk, err)) {
        goto fail;
    }
    *decoder_out = &json->base;
    return RF_OK;
fail:
    json_destroy(&json->base);
    return err->status;
}
