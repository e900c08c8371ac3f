// Takes the envelope of CloudEvents 1.0 off a record, and gives what is in it to the decoder of a format: the Kafka protocol
// binding in both its modes, and the JSON event format.
#include "ingest/base64.h"
#include "ingest/event_json.h"
#include "ingest/record_field.h"
#include "ingest/reject.h"
#include "ingest/spelling.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char field_prefix[] = "ce_"; // of headers and of fields
enum { PREFIX_SIZE = sizeof field_prefix - 1 };

// Attributes that every event has, and one that says what the data is; behind them those that are read.
enum { REQUIRED_COUNT = 4, CONTENT_TYPE = REQUIRED_COUNT, WELL_KNOWN_COUNT };
static const char *const well_known[WELL_KNOWN_COUNT] = {"ce_id", "ce_source", "ce_specversion", "ce_type", "ce_datacontenttype"};

struct attribute {
    struct rf_text field; // its name with the prefix, of the schema or of well_known
    uint64_t hash;
    uint32_t index; // in the schema, or RF_FIELD_UNKNOWN
    bool is_wanted;
    struct rf_spelling spelling;
};

struct cloudevents_decoder {
    struct rf_decoder base;
    struct rf_decoder *inner; // owned
    const char *format;
    bool is_json, is_text;        // what the inner one decodes
    bool is_framed;               // something stands in front of its values
    struct attribute *attributes; // [event.count]
    size_t wanted_count;
    struct rf_text *attribute_names; // [event.count]
    struct rf_event_json event;      // its texts are those of the record at hand, in either mode
};

// One envelope being opened.
struct opening {
    struct cloudevents_decoder *decoder;
    struct rf_arena *arena;
    struct rf_decode_error *error;
    const char *kind; // "header ce_" or "attribute "
};

static const struct rf_decoder_ops cloudevents_ops;

static struct cloudevents_decoder *cloudevents_from(struct rf_decoder *self) {
    assert(self->ops == &cloudevents_ops);
    return (struct cloudevents_decoder *)self;
}

static enum rf_status check_required(const struct opening *opening) {
    const struct cloudevents_decoder *decoder = opening->decoder;
    for (size_t i = 0; i < REQUIRED_COUNT; i++) {
        const struct rf_text *text = &decoder->event.texts[i];
        if (text->size == 0) {
            return rf_decode_fail(opening->error, RF_REASON_UNDECODABLE,
                                  "%s%s is %s: every CloudEvent has an id, source, specversion and type", opening->kind,
                                  well_known[i] + PREFIX_SIZE, text->data ? "empty" : "missing");
        }
        if (strcmp(well_known[i], "ce_specversion") == 0 && !rf_text_equal(*text, rf_text_of("1.0"))) {
            return rf_decode_fail(opening->error, RF_REASON_UNDECODABLE, "%sspecversion is \"%s\", must be 1.0", opening->kind,
                                  rf_show(*text).text);
        }
    }
    return RF_OK;
}

// Binary mode: attributes are headers, the value is the data.

static bool begins_with(struct rf_text text, const char *word) {
    return text.size >= strlen(word) && strncasecmp(text.data, word, strlen(word)) == 0;
}

bool rf_cloudevents_is_attribute(struct rf_text name) {
    return name.size > PREFIX_SIZE && memcmp(name.data, field_prefix, PREFIX_SIZE) == 0;
}

static enum rf_status check_header(const struct opening *opening, size_t place) {
    const struct cloudevents_decoder *decoder = opening->decoder;
    return rf_record_text_check(decoder->event.texts[place], decoder->attributes[place].field, "header",
                                decoder->base.limits.field_bytes, opening->error);
}

static enum rf_status take_headers(const struct opening *opening, const struct rf_record *record, struct rf_text content_type) {
    struct cloudevents_decoder *decoder = opening->decoder;
    for (size_t i = 0; i < record->header_count; i++) {
        const struct rf_header *header = &record->headers[i];
        if (rf_cloudevents_is_attribute(header->name)) {
            struct rf_text name = {header->name.data + PREFIX_SIZE, header->name.size - PREFIX_SIZE};
            // The last one of a name counts; the last place is nobody's.
            decoder->event.texts[rf_event_json_find(&decoder->event, name)] = header->value;
        }
    }
    if (content_type.data) {
        decoder->event.texts[CONTENT_TYPE] = content_type;
    }
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < decoder->event.count && !status; i++) {
        status = check_header(opening, i);
    }
    return status;
}

// Structured mode: the value is a JSON object of attributes and data.

// Of a media type: application/json and all that end in +json; none is the same.
static bool is_json_type(struct rf_text type) {
    if (type.size == 0) {
        return true;
    }
    const char *parameters = memchr(type.data, ';', type.size);
    size_t size = parameters ? (size_t)(parameters - type.data) : type.size;
    while (size > 0 && (type.data[size - 1] == ' ' || type.data[size - 1] == '\t')) {
        size--;
    }
    struct rf_text tail = {type.data + size - (size < 5 ? size : 5), size < 5 ? size : 5};
    return begins_with(tail, "/json") || begins_with(tail, "+json");
}

static enum rf_status decode_base64(const struct opening *opening, struct rf_text *value_out) {
    struct rf_text text;
    enum rf_status status = rf_json_resolve(opening->decoder->event.bytes, opening->arena, &text);
    if (status) {
        return status;
    }
    if (text.size > 0 && !rf_base64_is_valid(text)) {
        return rf_decode_fail(opening->error, RF_REASON_UNDECODABLE, "data_base64 is no base64: it has %zu characters, \"%s\"",
                              text.size, rf_show(text).text);
    }
    uint8_t *bytes = rf_arena_take(opening->arena, text.size / 4 * 3 + 1);
    if (!bytes) {
        return RF_FULL;
    }
    *value_out = (struct rf_text){(const char *)bytes, text.size ? rf_base64_decode(text, bytes) : 0};
    return RF_OK;
}

// The data as the inner decoder takes it.
static enum rf_status find_data(const struct opening *opening, struct rf_text *value_out) {
    const struct cloudevents_decoder *decoder = opening->decoder;
    bool is_json = is_json_type(decoder->event.texts[CONTENT_TYPE]);
    if (decoder->event.has_bytes && decoder->event.data.data) {
        return rf_decode_fail(opening->error, RF_REASON_DUPLICATE, "has data and data_base64, must have one of the two");
    }
    if (decoder->event.has_bytes) {
        return decode_base64(opening, value_out);
    }
    if (!decoder->event.data.data || rf_text_equal(decoder->event.data, rf_text_of("null"))) {
        return rf_decode_fail(opening->error, RF_REASON_EMPTY, "has no data");
    }
    if (decoder->event.has_text && decoder->is_text && !(decoder->is_json && is_json)) {
        return rf_json_resolve(decoder->event.text, opening->arena, value_out);
    }
    if (decoder->is_json && is_json) { // a text would be a JSON text, which is no object
        *value_out = decoder->event.data;
        return RF_OK;
    }
    return rf_decode_fail(opening->error, RF_REASON_TYPE, "data is %s, must be %s: the format of the data is %s",
                          rf_show(decoder->event.data).text, decoder->is_text ? "a text, or data_base64" : "data_base64",
                          decoder->format);
}

static enum rf_status open_structured(struct opening *opening, struct rf_text content_type, struct rf_record *record) {
    static const char wanted[] = "application/cloudevents+json";
    enum { SIZE = sizeof wanted - 1 };
    bool is_of_envelope = begins_with(content_type, "application/cloudevents");
    bool is_taken =
            begins_with(content_type, wanted) && (content_type.size == SIZE || memchr("; \t", content_type.data[SIZE], 3));
    if (is_of_envelope && !is_taken) {
        return rf_decode_fail(opening->error, RF_REASON_UNDECODABLE, "the content-type is %s, must be %s",
                              rf_show(content_type).text, wanted);
    }
    if (opening->decoder->is_framed) {
        return rf_decode_fail(
                opening->error, RF_REASON_UNDECODABLE,
                "is an event in structured mode, must be one in binary mode: with source.framing the data is the value");
    }
    enum rf_status status = rf_event_json_scan(&opening->decoder->event, record->value, opening->arena, opening->error);
    status = status ? status : check_required(opening);
    struct rf_text *data_type = &opening->decoder->event.texts[CONTENT_TYPE];
    if (!status && !is_of_envelope && !data_type->data) {
        *data_type = content_type;
        status = check_header(opening, CONTENT_TYPE);
    }
    return status ? status : find_data(opening, &record->value);
}

// Adds the attributes that are read behind the fields of the data.
static enum rf_status add_attributes(const struct opening *opening, struct rf_event *event) {
    const struct cloudevents_decoder *decoder = opening->decoder;
    enum rf_status status = decoder->wanted_count ? rf_event_reserve(event, decoder->wanted_count, opening->arena) : RF_OK;
    size_t count = event->count;
    for (size_t i = 0; i < decoder->event.count && !status; i++) {
        const struct attribute *attribute = &decoder->attributes[i];
        if (!attribute->is_wanted) {
            continue;
        }
        if (rf_event_holds(event, attribute->field, attribute->hash)) {
            return rf_decode_fail(opening->error, RF_REASON_DUPLICATE,
                                  "field %s stands in the data and is an attribute too, must stand once", attribute->field.data);
        }
        struct rf_field *field = &event->fields[count++];
        *field = (struct rf_field){.name = attribute->field, .hash = attribute->hash, .index = attribute->index};
        status = rf_spelling_read(attribute->spelling, attribute->field, decoder->event.texts[i], &field->value, opening->error);
    }
    event->count = count;
    return status;
}

// What the inner decoder says of a place is true of the data.
static void name_place(struct rf_decode_error *error) {
    char detail[RF_REJECT_DETAIL_SIZE];
    memcpy(detail, error->detail, sizeof detail);
    rf_decode_fail(error, error->reason, "data: %s", detail);
}

// By the content-type, as the binding has it. Where no header is an attribute, as in a file, the event can only be in the value:
// some libraries give it the content-type of its data.
static bool is_structured(const struct rf_record *record, struct rf_text content_type) {
    bool has_attributes = false;
    for (size_t i = 0; i < record->header_count && !has_attributes; i++) {
        has_attributes = rf_cloudevents_is_attribute(record->headers[i].name);
    }
    return !has_attributes || begins_with(content_type, "application/cloudevents");
}

static enum rf_status cloudevents_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                         struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct cloudevents_decoder *decoder = cloudevents_from(self);
    enum rf_status status = rf_record_headers_check(record, error_out);
    if (status) {
        return status;
    }
    rf_event_json_clear(&decoder->event);
    struct rf_text content_type = rf_record_header(record, rf_text_of("content-type"));
    bool is_in_value = is_structured(record, content_type);
    struct opening opening = {
            .decoder = decoder, .arena = arena, .error = error_out, .kind = is_in_value ? "attribute " : "header ce_"};
    struct rf_record opened = *record;
    if (is_in_value && record->value.size == 0) {
        status = rf_decode_fail(error_out, RF_REASON_EMPTY, "has a value of 0 bytes");
    } else if (is_in_value) {
        status = open_structured(&opening, content_type, &opened);
    } else {
        status = take_headers(&opening, record, content_type);
        status = status ? status : check_required(&opening);
    }
    if (status) {
        return status;
    }
    struct rf_event event;
    status = rf_decoder_decode(decoder->inner, &opened, arena, &event, error_out);
    if (status == RF_INVALID && is_in_value) {
        name_place(error_out);
    }
    status = status ? status : add_attributes(&opening, &event);
    if (!status) {
        *event_out = event;
    }
    return status;
}

static enum rf_status cloudevents_resolve(struct rf_decoder *self, const struct rf_record *record, int64_t now_ms, int wait_ms,
                                          struct rf_error *err) {
    struct rf_decode_error ignored; // told when it is decoded
    bool is_asked = !rf_record_headers_check(record, &ignored) &&
                    !is_structured(record, rf_record_header(record, rf_text_of("content-type")));
    return is_asked ? rf_decoder_resolve(cloudevents_from(self)->inner, record, now_ms, wait_ms, err) : RF_OK;
}

static void cloudevents_destroy(struct rf_decoder *self) {
    struct cloudevents_decoder *decoder = cloudevents_from(self);
    rf_decoder_destroy(decoder->inner);
    rf_field_names_destroy(decoder->event.names);
    free(decoder->attributes);
    free(decoder->attribute_names);
    free(decoder->event.texts);
    free(decoder);
}

static const struct rf_decoder_ops cloudevents_ops = {
        .name = "cloudevents",
        .decode = cloudevents_decode,
        .resolve = cloudevents_resolve,
        .destroy = cloudevents_destroy,
};

static void add_attribute(struct cloudevents_decoder *decoder, const struct rf_schema *schema, struct rf_text field) {
    uint64_t hash = rf_hash(rf_schema_key(schema), field.data, field.size);
    uint32_t index = rf_schema_find_hashed(schema, field, hash);
    bool is_wanted = index != RF_FIELD_UNKNOWN && rf_schema_wants(schema, index) &&
                     !(rf_schema_field(schema, index)->roles & RF_ROLE_DERIVED);
    decoder->attribute_names[decoder->event.count] = (struct rf_text){field.data + PREFIX_SIZE, field.size - PREFIX_SIZE};
    decoder->attributes[decoder->event.count++] = (struct attribute){
            .field = field, .hash = hash, .index = index, .is_wanted = is_wanted, .spelling = rf_spelling_of(schema, index)};
    decoder->wanted_count += is_wanted;
}

static void bind(struct cloudevents_decoder *decoder, const struct rf_schema *schema) {
    for (size_t i = 0; i < WELL_KNOWN_COUNT; i++) {
        add_attribute(decoder, schema, rf_text_of(well_known[i]));
    }
    for (uint32_t i = 0; i < rf_schema_count(schema); i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        struct rf_text name = {field->name.data + PREFIX_SIZE, field->name.size - PREFIX_SIZE};
        if (rf_cloudevents_is_attribute(field->name) && rf_schema_wants(schema, i) &&
            rf_event_json_find(&decoder->event, name) == decoder->event.count) {
            add_attribute(decoder, schema, field->name);
        }
    }
}

enum rf_status rf_decoder_cloudevents_create(struct rf_decoder *inner, const struct rf_decoder_kind *kind,
                                             const struct rf_schema *schema, const struct rf_decoder_options *options,
                                             struct rf_decoder **decoder_out, struct rf_error *err) {
    struct cloudevents_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        rf_decoder_destroy(inner);
        return rf_fail(err, RF_MEMORY, "a decoder of CloudEvents does not fit into memory");
    }
    rf_decoder_init(&decoder->base, &cloudevents_ops, schema, options);
    decoder->base.takes_empty = inner->takes_empty; // in binary mode the value is the data
    decoder->inner = inner;
    decoder->format = kind->name;
    decoder->is_text = kind->is_line_framed;
    decoder->is_framed = options->framing != RF_FRAMING_NONE;
    decoder->is_json = strcmp(kind->name, "json") == 0;
    size_t count_max = rf_schema_count(schema) + WELL_KNOWN_COUNT;
    decoder->attributes = calloc(count_max, sizeof *decoder->attributes);
    decoder->event.texts = calloc(count_max + 1, sizeof *decoder->event.texts); // one more for attributes that nobody reads
    decoder->attribute_names = calloc(count_max, sizeof *decoder->attribute_names);
    enum rf_status status = decoder->attributes && decoder->attribute_names && decoder->event.texts
                                    ? rf_field_names_create(schema, decoder->base.limits.fields, &decoder->event.names, err)
                                    : rf_fail(err, RF_MEMORY, "%zu attributes do not fit into memory", count_max);
    if (status) {
        cloudevents_destroy(&decoder->base);
        return status;
    }
    decoder->event.limits = &decoder->base.limits;
    decoder->event.attributes = decoder->attribute_names;
    decoder->event.text_count = WELL_KNOWN_COUNT;
    bind(decoder, schema);
    *decoder_out = &decoder->base;
    return RF_OK;
}
