#include "ingest/decoder.h"

#include "ingest/field_names.h"
#include "ingest/json_scan.h"
#include "ingest/reject.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

struct json_decoder {
    struct rf_decoder base;
    struct rf_field_names *names;
    struct rf_field *fields; // [limits.fields]
};

static const struct rf_decoder_ops json_ops;

static struct json_decoder *json_from(struct rf_decoder *self) {
    assert(self->ops == &json_ops);
    return (struct json_decoder *)self;
}

static enum rf_status scan_number(struct rf_json_scan *scan, struct rf_text name, struct rf_value *value_out) {
    struct rf_number number;
    enum rf_status status = rf_json_scan_number(scan, &number);
    if (status) {
        return status;
    }
    double value = rf_number_value(&number);
    if (!isfinite(value)) {
        return rf_decode_fail(scan->error, RF_REASON_NON_FINITE, "field %s: %s is not finite", rf_show(name).text,
                              rf_show(number.text).text);
    }
    *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = value, .text = number.text};
    return RF_OK;
}

static enum rf_status scan_text(struct rf_json_scan *scan, struct rf_arena *arena, struct rf_value *value_out) {
    struct rf_json_string string;
    enum rf_status status = rf_json_scan_string(scan, &string);
    *value_out = (struct rf_value){.type = RF_VALUE_TEXT};
    return status ? status : rf_json_resolve(string, arena, &value_out->text);
}

static enum rf_status scan_literal(struct rf_json_scan *scan, struct rf_value *value_out) {
    struct rf_text literal;
    enum rf_status status = rf_json_scan_literal(scan, &literal);
    if (status) {
        return status;
    }
    if (literal.data[0] == 'n') {
        *value_out = (struct rf_value){.type = RF_VALUE_NULL};
    } else {
        *value_out = (struct rf_value){.type = RF_VALUE_BOOL, .number = literal.data[0] == 't', .text = literal};
    }
    return RF_OK;
}

static bool is_vector(const struct rf_decoder *decoder, const struct rf_field_name *name) {
    return name->index != RF_FIELD_UNKNOWN && rf_schema_field(decoder->schema, name->index)->roles & RF_ROLE_VECTOR;
}

// An array is checked here and read where the example is made: it needs no memory but that of the record.
static enum rf_status scan_list(struct rf_json_scan *scan, struct rf_value *value_out) {
    const char *begin = scan->at;
    enum rf_status status = rf_json_skip_value(scan);
    *value_out = (struct rf_value){.type = RF_VALUE_LIST, .text = {begin, (size_t)(scan->at - begin)}};
    return status;
}

// The value of a field that is wanted. `is_value_out`: false where it was passed over.
static enum rf_status scan_value(const struct rf_decoder *decoder, struct rf_json_scan *scan, const struct rf_field_name *name,
                                 struct rf_arena *arena, struct rf_value *value_out, bool *is_value_out) {
    *is_value_out = true;
    char first = scan->at < scan->end ? *scan->at : '\0';
    if (first == '"') {
        return scan_text(scan, arena, value_out);
    }
    if (first == '-' || (first >= '0' && first <= '9')) {
        return scan_number(scan, name->text, value_out);
    }
    if (first != '{' && first != '[') {
        return scan_literal(scan, value_out);
    }
    if (first == '[' && is_vector(decoder, name)) {
        return scan_list(scan, value_out);
    }
    if (name->index != RF_FIELD_UNKNOWN) {
        return rf_decode_fail(scan->error, RF_REASON_TYPE, "field %s is an %s, must be a number, a text, true, false or null",
                              rf_show(name->text).text, first == '{' ? "object" : "array");
    }
    *is_value_out = false;
    return rf_json_skip_value(scan);
}

// One `"name": value`.
static enum rf_status scan_field(struct json_decoder *json, struct rf_json_scan *scan, struct rf_arena *arena,
                                 struct rf_event *event) {
    if (scan->at == scan->end || *scan->at != '"') {
        return rf_json_unexpected(scan, "a name in quotes");
    }
    struct rf_json_string string;
    struct rf_text text;
    enum rf_status status = rf_json_scan_string(scan, &string);
    status = status ? status : rf_json_resolve(string, arena, &text);
    if (status) {
        return status;
    }
    const struct rf_field_name *name = rf_field_names_add(json->names, text);
    if (!name) {
        return rf_decode_fail(scan->error, RF_REASON_DUPLICATE, "field %s stands twice, must stand once", rf_show(text).text);
    }
    rf_json_skip_space(scan);
    if (!rf_json_take(scan, ':')) {
        return rf_json_unexpected(scan, "':'");
    }
    rf_json_skip_space(scan);
    if (!name->is_wanted) {
        return rf_json_skip_value(scan);
    }
    struct rf_field *field = &event->fields[event->count];
    bool is_value;
    status = scan_value(&json->base, scan, name, arena, &field->value, &is_value);
    if (!status && is_value) {
        field->name = text;
        field->hash = name->hash;
        field->index = name->index;
        event->count++;
    }
    return status;
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
    if (rf_field_names_create(schema, fields, &json->names, err)) {
        goto fail;
    }
    *decoder_out = &json->base;
    return RF_OK;
fail:
    json_destroy(&json->base);
    return err->status;
}
