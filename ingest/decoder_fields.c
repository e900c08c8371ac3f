// Adds what stands beside the value of a record, its key, headers and timestamp, to the event that another decoder makes of the
// value.
#include "ingest/record_field.h"
#include "ingest/reject.h"
#include "ingest/spelling.h"
#include "proto/json_text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct beside {
    struct rf_text name; // borrowed of the options
    uint64_t hash;
    uint32_t index; // in the schema, or RF_FIELD_UNKNOWN
    struct rf_record_field field;
    struct rf_spelling spelling;
    char what[64]; // the text is, for sentences
};

struct fields_decoder {
    struct rf_decoder base;
    struct rf_decoder *inner; // owned
    bool reads_headers;
    struct beside *list; // [count] those that are read
    size_t count;
};

static const struct rf_decoder_ops fields_ops;

static struct fields_decoder *fields_from(struct rf_decoder *self) {
    assert(self->ops == &fields_ops);
    return (struct fields_decoder *)self;
}

static enum rf_status read_text(const struct fields_decoder *fields, const struct beside *beside, struct rf_text text,
                                struct rf_value *value_out, struct rf_decode_error *error_out) {
    enum rf_status status = rf_record_text_check(text, beside->name, beside->what, fields->base.limits.field_bytes, error_out);
    return status ? status : rf_spelling_read(beside->spelling, beside->name, text, value_out, error_out);
}

// A number of ours gets a text as others have one, so that it can be an id or a category.
static enum rf_status write_number(int64_t number, struct rf_arena *arena, struct rf_value *value_out) {
    char *digits = rf_arena_take(arena, RF_JSON_NUMBER_SIZE);
    if (!digits) {
        return RF_FULL;
    }
    size_t size = rf_json_write_integer(number, digits);
    *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = (double)number, .text = {digits, size}};
    return RF_OK;
}

static enum rf_status read_integer(const struct beside *beside, struct rf_text key, struct rf_arena *arena,
                                   struct rf_value *value_out, struct rf_decode_error *error_out) {
    bool is_long = beside->field.part == RF_RECORD_KEY_INT64;
    size_t wanted = is_long ? 8 : 4;
    if (key.size != wanted) {
        return rf_decode_fail(error_out, RF_REASON_TYPE, "field %s: the key has %zu bytes, must have the %zu of an %s",
                              rf_show(beside->name).text, key.size, wanted, is_long ? "int64" : "int32");
    }
    uint64_t bits = 0;
    for (size_t i = 0; i < wanted; i++) {
        bits = bits << 8 | (unsigned char)key.data[i];
    }
    return write_number(is_long ? (int64_t)bits : (int32_t)(uint32_t)bits, arena, value_out);
}

static enum rf_status read_beside(const struct fields_decoder *fields, const struct beside *beside,
                                  const struct rf_record *record, struct rf_arena *arena, struct rf_value *value_out,
                                  struct rf_decode_error *error_out) {
    struct rf_text text = beside->field.part == RF_RECORD_HEADER ? rf_record_header(record, beside->field.header) : record->key;
    bool is_timestamp = beside->field.part == RF_RECORD_TIMESTAMP;
    if (is_timestamp ? record->timestamp_ms < 0 : !text.data) {
        *value_out = (struct rf_value){.type = RF_VALUE_NULL};
        return RF_OK;
    }
    if (is_timestamp) {
        enum rf_status status = write_number(record->timestamp_ms, arena, value_out);
        if (!status) {
            value_out->has_time_unit = true;
            value_out->time_unit = RF_TIME_MS;
        }
        return status;
    }
    bool is_integer = beside->field.part == RF_RECORD_KEY_INT32 || beside->field.part == RF_RECORD_KEY_INT64;
    return is_integer ? read_integer(beside, text, arena, value_out, error_out)
                      : read_text(fields, beside, text, value_out, error_out);
}

static enum rf_status add_fields(const struct fields_decoder *fields, const struct rf_record *record, struct rf_arena *arena,
                                 struct rf_event *event, struct rf_decode_error *error_out) {
    if (fields->count == 0) {
        return RF_OK;
    }
    enum rf_status status = rf_event_reserve(event, fields->count, arena);
    size_t count = event->count;
    for (size_t i = 0; i < fields->count && !status; i++) {
        const struct beside *beside = &fields->list[i];
        if (rf_event_holds(event, beside->name, beside->hash)) {
            return rf_decode_fail(error_out, RF_REASON_DUPLICATE,
                                  "field %s stands in the value and in source.fields, must stand once",
                                  rf_show(beside->name).text);
        }
        struct rf_field *field = &event->fields[count++];
        *field = (struct rf_field){.name = beside->name, .hash = beside->hash, .index = beside->index};
        status = read_beside(fields, beside, record, arena, &field->value, error_out);
    }
    event->count = count;
    return status;
}

static enum rf_status fields_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                    struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct fields_decoder *fields = fields_from(self);
    enum rf_status status = fields->reads_headers ? rf_record_headers_check(record, error_out) : RF_OK;
    struct rf_event event;
    if (!status) {
        status = rf_decoder_decode(fields->inner, record, arena, &event, error_out);
    }
    if (!status) {
        status = add_fields(fields, record, arena, &event, error_out);
    }
    if (!status) {
        *event_out = event;
    }
    return status;
}

static enum rf_status fields_resolve(struct rf_decoder *self, const struct rf_record *record, int64_t now_ms, int wait_ms,
                                     struct rf_error *err) {
    return rf_decoder_resolve(fields_from(self)->inner, record, now_ms, wait_ms, err);
}

static void fields_destroy(struct rf_decoder *self) {
    struct fields_decoder *fields = fields_from(self);
    rf_decoder_destroy(fields->inner);
    free(fields->list);
    free(fields);
}

static const struct rf_decoder_ops fields_ops = {
        .name = "fields",
        .decode = fields_decode,
        .resolve = fields_resolve,
        .destroy = fields_destroy,
};

static enum rf_status bind(struct fields_decoder *fields, const struct rf_schema *schema, const struct rf_pair *pair,
                           struct rf_error *err) {
    struct beside beside = {.name = rf_text_of(pair->name), .what = "key"};
    enum rf_status status = rf_record_field_parse(pair, &beside.field, err);
    if (status) {
        return status;
    }
    if (beside.field.part == RF_RECORD_HEADER) {
        snprintf(beside.what, sizeof beside.what, "header %s", rf_show(beside.field.header).text);
    }
    beside.hash = rf_hash(rf_schema_key(schema), beside.name.data, beside.name.size);
    beside.index = rf_schema_find_hashed(schema, beside.name, beside.hash);
    beside.spelling = rf_spelling_of(schema, beside.index);
    if (beside.index != RF_FIELD_UNKNOWN && rf_schema_field(schema, beside.index)->roles & RF_ROLE_DERIVED) {
        return rf_fail(err, RF_INVALID, "source.fields.%.100s has the name of a derived feature, must have another name",
                       pair->name);
    }
    if (rf_schema_wants(schema, beside.index)) {
        fields->list[fields->count++] = beside;
        fields->reads_headers |= beside.field.part == RF_RECORD_HEADER;
    }
    return RF_OK;
}

enum rf_status rf_decoder_fields_create(struct rf_decoder *inner, const struct rf_schema *schema,
                                        const struct rf_decoder_options *options, struct rf_decoder **decoder_out,
                                        struct rf_error *err) {
    struct fields_decoder *fields = calloc(1, sizeof *fields);
    struct beside *list = calloc(options->fields.count + 1, sizeof *list);
    if (!fields || !list) {
        free(fields);
        free(list);
        rf_decoder_destroy(inner);
        return rf_fail(err, RF_MEMORY, "a decoder of %zu fields does not fit into memory", options->fields.count);
    }
    rf_decoder_init(&fields->base, &fields_ops, schema, options);
    fields->base.takes_empty = inner->takes_empty;
    fields->inner = inner;
    fields->list = list;
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < options->fields.count && !status; i++) {
        status = bind(fields, schema, &options->fields.list[i], err);
    }
    if (status) {
        fields_destroy(&fields->base);
        return status;
    }
    *decoder_out = &fields->base;
    return RF_OK;
}
