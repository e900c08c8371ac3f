#include "ingest/decoder.h"

#include "ingest/field_names.h"
#include "ingest/reject.h"
#include "proto/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <riffle.pb-c.h>
#include <stdlib.h>

struct protobuf_decoder {
    struct rf_decoder base;
    struct rf_field_names *names;
    struct rf_field *fields;                                                // [limits.fields]
    uint32_t id_index, time_index, label_index, weight_index, vector_index; // in the schema, or RF_FIELD_UNKNOWN
};

static const struct rf_decoder_ops protobuf_ops;

static struct protobuf_decoder *protobuf_from(struct rf_decoder *self) {
    assert(self->ops == &protobuf_ops);
    return (struct protobuf_decoder *)self;
}

// protobuf-c's memory comes from the batch's arena. The size of each piece stands in front of it, because that is the
// only way to know the size of a string that holds a NUL.
struct unpacking {
    struct rf_arena *arena;
    bool is_full;
};

union piece_head {
    size_t size;
    max_align_t alignment;
};

static void *take_piece(void *allocator_data, size_t size) {
    struct unpacking *unpacking = allocator_data;
    union piece_head *head = size < SIZE_MAX - sizeof *head ? rf_arena_take(unpacking->arena, sizeof *head + size) : NULL;
    if (!head) {
        unpacking->is_full = true;
        return NULL;
    }
    head->size = size;
    return head + 1;
}

static void keep_piece(void *allocator_data, void *piece) {
    (void)allocator_data; // the arena takes everything back at once
    (void)piece;
}

static struct rf_text unpacked_text(const char *string) {
    if (string == protobuf_c_empty_string) {
        return (struct rf_text){"", 0};
    }
    const union piece_head *head = (const union piece_head *)(const void *)string - 1;
    return (struct rf_text){string, head->size - 1}; // without the NUL that protobuf-c adds
}

// Passes over a varint; NULL when it is not whole.
static const uint8_t *skip_varint(const uint8_t *at, const uint8_t *end, uint64_t *value_out) {
    *value_out = 0;
    for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
        *value_out |= (uint64_t)(*at & 0x7f) << shift;
        if (!(*at++ & 0x80)) {
            return at;
        }
    }
    return NULL;
}

struct wire_field {
    uint64_t number;
    struct rf_text content; // of a delimited one, else size 0
};

// Passes over one field; NULL when it is not whole.
static const uint8_t *skip_field(const uint8_t *at, const uint8_t *end, struct wire_field *field_out) {
    enum { VARINT, FIXED64, DELIMITED, FIXED32 = 5 };
    uint64_t tag, size = 0;
    at = skip_varint(at, end, &tag);
    *field_out = (struct wire_field){.number = tag >> 3};
    switch (at ? tag & 7 : 7) {
    case VARINT:
        return skip_varint(at, end, &size);
    case FIXED64:
        size = 8;
        break;
    case FIXED32:
        size = 4;
        break;
    case DELIMITED:
        at = skip_varint(at, end, &size);
        break;
    default:
        return NULL;
    }
    if (!at || size > (uint64_t)(end - at)) {
        return NULL;
    }
    if ((tag & 7) == DELIMITED) {
        field_out->content = (struct rf_text){(const char *)at, size};
    }
    return at + size;
}

// Fields are counted before any memory is taken for them, because each costs protobuf-c many times its own bytes.
struct field_counts {
    uint64_t own;   // of the message
    uint64_t inner; // of the numbers and categories in it
};

// Stops where the bytes are no message: protobuf-c will say so.
static struct field_counts count_fields(struct rf_text message, bool has_inner) {
    enum { NUMBERS = 6, CATEGORIES = 7 };
    const uint8_t *at = (const uint8_t *)message.data;
    const uint8_t *end = at + message.size;
    struct field_counts counts = {0, 0};
    while (at && at < end) {
        struct wire_field field;
        at = skip_field(at, end, &field);
        counts.own++;
        if (has_inner && field.content.size > 0 && (field.number == NUMBERS || field.number == CATEGORIES)) {
            counts.inner += count_fields(field.content, false).own;
        }
    }
    return counts;
}

static enum rf_status check_counts(const struct protobuf_decoder *protobuf, struct rf_text message,
                                   struct rf_decode_error *error_out) {
    enum { INNER = 4 }; // for each field: a name, a value, and what later versions may add
    struct field_counts counts = count_fields(message, true);
    uint64_t fields_max = protobuf->base.limits.fields;
    if (counts.own > fields_max) {
        return rf_decode_fail(error_out, RF_REASON_LIMIT, "has %" PRIu64 " fields, at most %" PRIu64 " are taken", counts.own,
                              fields_max);
    }
    if (counts.inner > fields_max * INNER) {
        return rf_decode_fail(error_out, RF_REASON_LIMIT, "has %" PRIu64 " fields in its fields, at most %" PRIu64 " are taken",
                              counts.inner, fields_max * INNER);
    }
    return RF_OK;
}

static enum rf_status check_text(const struct protobuf_decoder *protobuf, struct rf_text text, const char *what,
                                 struct rf_decode_error *error_out) {
    uint64_t size_max = protobuf->base.limits.field_bytes;
    if (text.size > size_max) {
        return rf_decode_fail(error_out, RF_REASON_LIMIT, "%s %s has %zu bytes, at most %" PRIu64 " are taken", what,
                              rf_show(text).text, text.size, size_max);
    }
    if (!rf_utf8_is_valid(text)) {
        return rf_decode_fail(error_out, RF_REASON_ENCODING, "%s %s must be UTF-8", what, rf_show(text).text);
    }
    return RF_OK;
}

static enum rf_status check_number(struct rf_text name, double number, struct rf_decode_error *error_out) {
    if (isfinite(number)) {
        return RF_OK;
    }
    const char *word = isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
    return rf_decode_fail(error_out, RF_REASON_NON_FINITE, "field %s: %s is not finite", rf_show(name).text, word);
}

// One field under construction.
struct target {
    struct protobuf_decoder *protobuf;
    struct rf_event *event;
    struct rf_decode_error *error;
};

static enum rf_status add(const struct target *to, struct rf_text text, struct rf_value value) {
    const struct rf_field_name *name = rf_field_names_add(to->protobuf->names, text);
    if (!name) {
        return rf_decode_fail(to->error, RF_REASON_DUPLICATE, "field %s stands twice, must stand once", rf_show(text).text);
    }
    if (!name->is_wanted) {
        return RF_OK;
    }
    bool is_number = value.type == RF_VALUE_NUMBER;
    bool is_declared = name->index != RF_FIELD_UNKNOWN;
    if (is_number && is_declared &&
        rf_schema_field(to->protobuf->base.schema, name->index)->roles & (RF_ROLE_ID | RF_ROLE_CATEGORY | RF_ROLE_TEXT)) {
        return rf_decode_fail(to->error, RF_REASON_TYPE, "field %s is a number, must be sent as a text", rf_show(text).text);
    }
    to->event->fields[to->event->count++] =
            (struct rf_field){.name = text, .hash = name->hash, .index = name->index, .value = value};
    return RF_OK;
}

static enum rf_status add_number(const struct target *to, struct rf_text name, double number) {
    enum rf_status status = check_number(name, number, to->error);
    return status ? status : add(to, name, (struct rf_value){.type = RF_VALUE_NUMBER, .number = number});
}

static enum rf_status add_text(const struct target *to, struct rf_text name, const char *what, struct rf_text text) {
    enum rf_status status = check_text(to->protobuf, text, what, to->error);
    return status ? status : add(to, name, (struct rf_value){.type = RF_VALUE_TEXT, .text = text});
}

static struct rf_text role_name(const struct target *to, uint32_t index) {
    return rf_schema_field(to->protobuf->base.schema, index)->name;
}

// What has a place of its own in the message, under the names that the schema has for it.
static enum rf_status add_roles(const struct target *to, const Riffle__V1__Example *message) {
    const struct protobuf_decoder *protobuf = to->protobuf;
    enum rf_status status = RF_OK;
    struct rf_text id = unpacked_text(message->id);
    if (id.size > 0 && protobuf->id_index != RF_FIELD_UNKNOWN) {
        status = add_text(to, role_name(to, protobuf->id_index), "the id", id);
    }
    if (!status && message->time_ms != 0 && protobuf->time_index != RF_FIELD_UNKNOWN) {
        status = add(to, role_name(to, protobuf->time_index),
                     (struct rf_value){.type = RF_VALUE_NUMBER,
                                       .number = (double)message->time_ms,
                                       .has_time_unit = true,
                                       .time_unit = RF_TIME_MS});
    }
    if (!status && protobuf->label_index != RF_FIELD_UNKNOWN) {
        struct rf_text name = role_name(to, protobuf->label_index);
        if (message->outcome_case == RIFFLE__V1__EXAMPLE__OUTCOME_LABEL) {
            status = add_number(to, name, message->label);
        } else if (message->outcome_case == RIFFLE__V1__EXAMPLE__OUTCOME_LABEL_TEXT) {
            status = add_text(to, name, "the label", unpacked_text(message->label_text));
        }
    }
    bool has_weight = message->importance_case == RIFFLE__V1__EXAMPLE__IMPORTANCE_WEIGHT;
    if (!status && has_weight && protobuf->weight_index != RF_FIELD_UNKNOWN) {
        status = add_number(to, role_name(to, protobuf->weight_index), message->weight);
    }
    if (!status && message->n_vector > 0 && protobuf->vector_index != RF_FIELD_UNKNOWN) {
        struct rf_text floats = {(const char *)message->vector, message->n_vector * sizeof *message->vector};
        status = add(to, role_name(to, protobuf->vector_index), (struct rf_value){.type = RF_VALUE_FLOATS, .text = floats});
    }
    return status;
}

static enum rf_status check_name(const struct target *to, struct rf_text name, const char *kind, size_t index) {
    if (name.size == 0) {
        return rf_decode_fail(to->error, RF_REASON_UNDECODABLE, "%s %zu has no name, must be named", kind, index);
    }
    return check_text(to->protobuf, name, "the name", to->error);
}

static enum rf_status add_features(const struct target *to, const Riffle__V1__Example *message) {
    for (size_t i = 0; i < message->n_numbers; i++) {
        struct rf_text name = unpacked_text(message->numbers[i]->name);
        enum rf_status status = check_name(to, name, "number", i);
        status = status ? status : add_number(to, name, message->numbers[i]->value);
        if (status) {
            return status;
        }
    }
    for (size_t i = 0; i < message->n_categories; i++) {
        struct rf_text name = unpacked_text(message->categories[i]->name);
        enum rf_status status = check_name(to, name, "category", i);
        status = status ? status : add_text(to, name, "the category", unpacked_text(message->categories[i]->value));
        if (status) {
            return status;
        }
    }
    return RF_OK;
}

static enum rf_status protobuf_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                      struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct protobuf_decoder *protobuf = protobuf_from(self);
    enum rf_status status = check_counts(protobuf, record->value, error_out);
    if (status) {
        return status;
    }
    struct unpacking unpacking = {.arena = arena};
    ProtobufCAllocator allocator = {.alloc = take_piece, .free = keep_piece, .allocator_data = &unpacking};
    const uint8_t *bytes = (const uint8_t *)record->value.data;
    const Riffle__V1__Example *message = riffle__v1__example__unpack(&allocator, record->value.size, bytes);
    if (unpacking.is_full) {
        return RF_FULL;
    }
    if (!message) {
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "has %zu bytes that are no message, must be a riffle.v1.Example",
                              record->value.size);
    }
    struct rf_event event = {.fields = protobuf->fields, .count = 0};
    struct target to = {protobuf, &event, error_out};
    rf_field_names_begin(protobuf->names);
    status = add_roles(&to, message);
    status = status ? status : add_features(&to, message);
    if (status) {
        return status;
    }
    rf_field_names_end(protobuf->names);
    *event_out = event;
    return RF_OK;
}

static void protobuf_destroy(struct rf_decoder *self) {
    struct protobuf_decoder *protobuf = protobuf_from(self);
    rf_field_names_destroy(protobuf->names);
    free(protobuf->fields);
    free(protobuf);
}

static const struct rf_decoder_ops protobuf_ops = {
        .name = "protobuf",
        .decode = protobuf_decode,
        .destroy = protobuf_destroy,
};

enum rf_status rf_decoder_protobuf_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                          struct rf_decoder **decoder_out, struct rf_error *err) {
    struct protobuf_decoder *protobuf = calloc(1, sizeof *protobuf);
    if (!protobuf) {
        return rf_fail(err, RF_MEMORY, "a decoder of protobuf does not fit into memory");
    }
    rf_decoder_init(&protobuf->base, &protobuf_ops, schema, &options->limits);
    protobuf->id_index = rf_schema_find_role(schema, RF_ROLE_ID);
    protobuf->time_index = rf_schema_find_role(schema, RF_ROLE_TIME);
    protobuf->label_index = rf_schema_find_role(schema, RF_ROLE_LABEL);
    protobuf->weight_index = rf_schema_find_role(schema, RF_ROLE_WEIGHT);
    protobuf->vector_index = rf_schema_rules(schema)->vector_field;
    size_t fields = protobuf->base.limits.fields;
    protobuf->fields = calloc(fields, sizeof *protobuf->fields);
    if (!protobuf->fields) {
        rf_fail(err, RF_MEMORY, "%zu fields of a record do not fit into memory", fields);
        goto fail;
    }
    if (rf_field_names_create(schema, fields, &protobuf->names, err)) {
        goto fail;
    }
    *decoder_out = &protobuf->base;
    return RF_OK;
fail:
    protobuf_destroy(&protobuf->base);
    return err->status;
}
