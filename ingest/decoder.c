#include "ingest/decoder.h"

#include "ingest/confluent.h"
#include "ingest/numeric_text.h"
#include "ingest/record_field.h"
#include "ingest/reject.h"

#include <assert.h>
#include <inttypes.h>

#define RECORD_BYTES 1048576
#define FIELD_BYTES 65536
#define FIELDS 4096
#define DEPTH 32
#define DIGITS(number) DIGITS_OF(number)
#define DIGITS_OF(number) #number

const struct rf_setting rf_decode_limit_settings[] = {
        RF_UINT(struct rf_decode_limits, record_bytes, DIGITS(RECORD_BYTES), 1, 67108864, RF_SETTING_NOT_MODEL,
                "largest value of a record"),
        RF_UINT(struct rf_decode_limits, field_bytes, DIGITS(FIELD_BYTES), 1, 67108864, RF_SETTING_NOT_MODEL,
                "longest name, text or number in a record"),
        RF_UINT(struct rf_decode_limits, fields, DIGITS(FIELDS), 1, 65536, RF_SETTING_NOT_MODEL, "most fields in a record"),
        RF_UINT(struct rf_decode_limits, depth, DIGITS(DEPTH), 1, 1024, RF_SETTING_NOT_MODEL, "deepest nesting in a record"),
        {0},
};

const struct rf_decoder_kind rf_decoder_kinds[] = {
        {.name = "json", .summary = "one JSON object a record", .create = rf_decoder_json_create, .is_line_framed = true},
        {.name = "csv",
         .summary = "one line of comma-separated values a record",
         .create = rf_decoder_csv_create,
         .has_header_line = true,
         .is_line_framed = true},
        {.name = "vw",
         .summary = "one line of Vowpal Wabbit's text format a record",
         .create = rf_decoder_vw_create,
         .is_line_framed = true},
        {.name = "libsvm",
         .summary = "one line of LIBSVM's (and SVMlight's) format a record",
         .create = rf_decoder_libsvm_create,
         .is_line_framed = true},
        {.name = "avro",
         .summary = "one datum of Avro's binary encoding a record",
         .create = rf_decoder_avro_create,
         .is_container = true,
         .registry_type = "AVRO",
         .create_registered = rf_decoder_avro_create_registered},
        {.name = "protobuf",
         .summary = "one Protocol Buffers message a record",
         .create = rf_decoder_protobuf_create,
         .registry_type = "PROTOBUF",
         .has_message_indexes = true,
         .create_registered = rf_decoder_protobuf_create_registered},
        {0},
};

const struct rf_decoder_kind *rf_decoder_find(const char *name) {
    for (const struct rf_decoder_kind *kind = rf_decoder_kinds; kind->name; kind++) {
        if (strcmp(kind->name, name) == 0) {
            return kind;
        }
    }
    return NULL;
}

bool rf_decoder_adds_field(const struct rf_decoder_options *options, struct rf_text name) {
    for (size_t i = 0; i < options->fields.count; i++) {
        if (rf_text_equal(rf_text_of(options->fields.list[i].name), name)) {
            return true;
        }
    }
    return options->envelope == RF_ENVELOPE_CLOUDEVENTS && rf_cloudevents_is_attribute(name);
}

// Attributes of an envelope, and what has a place of its own in riffle.v1.Example, are not among the fields that are limited.
// Only those are counted, since learners make fewer crosses where there may be more features.
static bool comes_on_top(const struct rf_decoder_options *options, const struct rf_schema_field *field) {
    const unsigned places = RF_ROLE_ID | RF_ROLE_TIME | RF_ROLE_LABEL | RF_ROLE_WEIGHT;
    bool is_attribute = options->envelope == RF_ENVELOPE_CLOUDEVENTS && rf_cloudevents_is_attribute(field->name);
    return field->roles & RF_ROLES_FEATURE && (is_attribute || field->roles & places);
}

size_t rf_decoder_fields_max(const struct rf_decoder_options *options, const struct rf_schema *schema) {
    size_t count = (options->limits.fields ? options->limits.fields : FIELDS) + options->fields.count;
    for (uint32_t i = 0; i < rf_schema_count(schema); i++) {
        count += comes_on_top(options, rf_schema_field(schema, i));
    }
    return count;
}

bool rf_decoder_wants_headers(const struct rf_decoder_options *options) {
    for (size_t i = 0; i < options->fields.count; i++) {
        if (strncmp(options->fields.list[i].value, "header.", sizeof "header." - 1) == 0) {
            return true;
        }
    }
    return options->envelope == RF_ENVELOPE_CLOUDEVENTS;
}

enum rf_status rf_decoder_create(const struct rf_decoder_kind *kind, const struct rf_schema *schema,
                                 const struct rf_decoder_options *options, struct rf_decoder **decoder_out,
                                 struct rf_error *err) {
    struct rf_decoder *decoder;
    enum rf_status status = options->framing == RF_FRAMING_CONFLUENT
                                    ? rf_decoder_confluent_create(kind, schema, options, &decoder, err)
                                    : kind->create(schema, options, &decoder, err);
    if (!status && options->envelope == RF_ENVELOPE_CLOUDEVENTS) {
        status = rf_decoder_cloudevents_create(decoder, kind, schema, options, &decoder, err);
    }
    if (!status && options->fields.count > 0) {
        status = rf_decoder_fields_create(decoder, schema, options, &decoder, err);
    }
    if (!status) {
        *decoder_out = decoder;
    }
    return status;
}

enum rf_status rf_decoder_resolve(struct rf_decoder *self, const struct rf_record *record, int64_t now_ms, int wait_ms,
                                  struct rf_error *err) {
    bool is_needed = self->ops->resolve && record->value.size > 0 && record->value.size <= self->limits.record_bytes;
    return is_needed ? self->ops->resolve(self, record, now_ms, wait_ms, err) : RF_OK;
}

void rf_decoder_init(struct rf_decoder *self, const struct rf_decoder_ops *ops, const struct rf_schema *schema,
                     const struct rf_decoder_options *options) {
    const struct rf_decode_limits *limits = &options->limits;
    *self = (struct rf_decoder){
            .ops = ops,
            .schema = schema,
            .limits =
                    {
                            .record_bytes = limits->record_bytes ? limits->record_bytes : RECORD_BYTES,
                            .field_bytes = limits->field_bytes ? limits->field_bytes : FIELD_BYTES,
                            .fields = limits->fields ? limits->fields : FIELDS,
                            .depth = limits->depth ? limits->depth : DEPTH,
                    },
            .takes_numeric_texts = options->numeric_texts,
    };
}

enum rf_status rf_decoder_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                 struct rf_event *event_out, struct rf_decode_error *error_out) {
    if (!record->value.data) {
        return rf_decode_fail(error_out, RF_REASON_TOMBSTONE, "has no value: it is a tombstone");
    }
    if (record->value.size == 0 && !self->takes_empty) {
        return rf_decode_fail(error_out, RF_REASON_EMPTY, "has a value of 0 bytes");
    }
    if (record->value.size > self->limits.record_bytes) {
        return rf_decode_fail(error_out, RF_REASON_LIMIT, "has %zu bytes, at most %" PRIu64 " are taken", record->value.size,
                              self->limits.record_bytes);
    }
    size_t used = arena->used;
    struct rf_event event;
    enum rf_status status = self->ops->decode(self, record, arena, &event, error_out);
    if (!status && self->takes_numeric_texts) {
        status = rf_numeric_texts_read(self->schema, &event, error_out);
    }
    if (!status) {
        *event_out = event;
        return RF_OK;
    }
    assert(status == RF_INVALID || status == RF_FULL);
    arena->used = used;
    if (status == RF_FULL) {
        rf_decode_fail(error_out, RF_REASON_LIMIT, "needs more memory than the %zu bytes there are for a batch", arena->capacity);
    }
    return status == RF_FULL && used > 0 ? RF_FULL : RF_INVALID;
}

void rf_decoder_destroy(struct rf_decoder *self) {
    if (self) {
        self->ops->destroy(self);
    }
}
