// riffle.v1.Example, read straight from the wire.
#include "ingest/decoder.h"

#include "ingest/field_names.h"
#include "ingest/reject.h"
#include "ingest/wire.h"
#include "proto/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

// What has a place of its own in the message, and is a field of the schema.
enum place { ID, TIME, LABEL, WEIGHT, VECTOR, PLACES };

struct protobuf_decoder {
    struct rf_decoder base;
    struct rf_field_names *names;
    struct rf_field *fields;        // [PLACES + limits.fields] the places of a record stand right in front of its features
    struct rf_field places[PLACES]; // without values; of index RF_FIELD_UNKNOWN where the schema has none
};

static const struct rf_decoder_ops protobuf_ops;

static struct protobuf_decoder *protobuf_from(struct rf_decoder *self) {
    assert(self->ops == &protobuf_ops);
    return (struct protobuf_decoder *)self;
}

// A message being decoded. Of what has a place, the last one counts.
struct reading {
    struct protobuf_decoder *protobuf;
    struct rf_text message;
    struct rf_arena *arena;
    struct rf_decode_error *error;

    struct rf_value places[PLACES]; // RF_VALUE_NULL: absent
    struct rf_wire_pieces vector;
    size_t number_count, category_count; // in the message
    struct rf_field *next;               // where the next feature goes
    unsigned roles_named;                // roles of the features
};

static enum rf_status no_message(const struct reading *reading) {
    return rf_decode_fail(reading->error, RF_REASON_UNDECODABLE, "has %zu bytes that are no message, must be a riffle.v1.Example",
                          reading->message.size);
}

static enum rf_status stands_twice(const struct reading *reading, struct rf_text name) {
    return rf_decode_fail(reading->error, RF_REASON_DUPLICATE, "field %s stands twice, must stand once", rf_show(name).text);
}

static enum rf_status check_text(const struct reading *reading, struct rf_text text, const char *what) {
    uint64_t size_max = reading->protobuf->base.limits.field_bytes;
    if (text.size > size_max) {
        return rf_decode_fail(reading->error, RF_REASON_LIMIT, "%s %s has %zu bytes, at most %" PRIu64 " are taken", what,
                              rf_show(text).text, text.size, size_max);
    }
    if (!rf_utf8_is_valid(text)) {
        return rf_decode_fail(reading->error, RF_REASON_ENCODING, "%s %s must be UTF-8", what, rf_show(text).text);
    }
    return RF_OK;
}

static enum rf_status check_number(const struct reading *reading, struct rf_text name, double number) {
    if (isfinite(number)) {
        return RF_OK;
    }
    const char *word = isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
    return rf_decode_fail(reading->error, RF_REASON_NON_FINITE, "field %s: %s is not finite", rf_show(name).text, word);
}

// A riffle.v1.Number or riffle.v1.Category.
struct named {
    struct rf_text name;
    double number;
    struct rf_text text;
};

static bool read_named(struct rf_wire wire, uint32_t value_tag, struct named *named) {
    while (wire.at < wire.end) {
        uint32_t tag;
        uint64_t bits = 0;
        bool is_read = rf_wire_tag(&wire, &tag);
        if (is_read && tag == RF_WIRE_TAG(1, RF_WIRE_DELIMITED)) {
            is_read = rf_wire_delimited(&wire, &named->name);
        } else if (is_read && tag != value_tag) {
            is_read = rf_wire_skip(&wire, tag, RF_WIRE_DEPTH_MAX) == RF_OK;
        } else if (is_read && value_tag == RF_WIRE_TAG(2, RF_WIRE_DELIMITED)) {
            is_read = rf_wire_delimited(&wire, &named->text);
        } else if (is_read) {
            is_read = rf_wire_fixed64(&wire, &bits);
            named->number = rf_wire_double(bits);
        }
        if (!is_read) {
            return false;
        }
    }
    return true;
}

static enum rf_status check_name(const struct reading *reading, struct rf_text name, const char *kind, size_t index) {
    if (name.size == 0) {
        return rf_decode_fail(reading->error, RF_REASON_UNDECODABLE, "%s %zu has no name, must be named", kind, index);
    }
    return check_text(reading, name, "the name");
}

static enum rf_status add_feature(struct reading *reading, struct rf_text text, const char *kind, size_t index,
                                  const struct rf_value *value) {
    struct protobuf_decoder *protobuf = reading->protobuf;
    uint64_t fields_max = protobuf->base.limits.fields;
    if (reading->number_count + reading->category_count > fields_max) {
        return rf_decode_fail(reading->error, RF_REASON_LIMIT, "has more than %" PRIu64 " fields", fields_max);
    }
    const struct rf_field_name *name = rf_field_names_expect(protobuf->names, text);
    enum rf_status status = name ? RF_OK : check_name(reading, text, kind, index);
    if (!status) {
        status = value->type == RF_VALUE_NUMBER ? check_number(reading, text, value->number)
                                                : check_text(reading, value->text, "the category");
    }
    if (status) {
        return status;
    }
    name = name ? name : rf_field_names_add(protobuf->names, text);
    if (!name) {
        return stands_twice(reading, text);
    }
    if (!name->is_wanted) {
        return RF_OK;
    }
    if (value->type == RF_VALUE_NUMBER && name->roles & (RF_ROLE_ID | RF_ROLE_CATEGORY | RF_ROLE_TEXT)) {
        return rf_decode_fail(reading->error, RF_REASON_TYPE, "field %s is a number, must be sent as a text", rf_show(text).text);
    }
    reading->roles_named |= name->roles;
    *reading->next++ = (struct rf_field){.name = text, .hash = name->hash, .index = name->index, .value = *value};
    return RF_OK;
}

static enum rf_status read_feature(struct reading *reading, struct rf_wire *wire, bool is_number) {
    struct rf_text bytes;
    struct named named = {.name = {"", 0}, .text = {"", 0}};
    uint32_t value_tag = RF_WIRE_TAG(2, is_number ? RF_WIRE_FIXED64 : RF_WIRE_DELIMITED);
    if (!rf_wire_delimited(wire, &bytes) || !read_named(rf_wire_of(bytes), value_tag, &named)) {
        return no_message(reading);
    }
    if (is_number) {
        struct rf_value value = {.type = RF_VALUE_NUMBER, .number = named.number};
        return add_feature(reading, named.name, "number", reading->number_count++, &value);
    }
    struct rf_value value = {.type = RF_VALUE_TEXT, .text = named.text};
    return add_feature(reading, named.name, "category", reading->category_count++, &value);
}

static enum rf_status append_vector(struct reading *reading, struct rf_text floats) {
    bool is_wanted = reading->protobuf->places[VECTOR].index != RF_FIELD_UNKNOWN;
    return !is_wanted || rf_wire_append(&reading->vector, floats, reading->arena) ? RF_OK : RF_FULL;
}

// One field of the message that is no feature. RF_INVALID: the bytes are no message; RF_FULL: the arena is full.
static enum rf_status read_place(struct reading *reading, struct rf_wire *wire, uint32_t tag) {
    uint64_t bits = 0;
    struct rf_text bytes = {NULL, 0};
    struct rf_value *places = reading->places;
    bool is_read;
    switch (tag) {
    case RF_WIRE_TAG(1, RF_WIRE_DELIMITED):
        is_read = rf_wire_delimited(wire, &bytes);
        places[ID] = (struct rf_value){.type = bytes.size ? RF_VALUE_TEXT : RF_VALUE_NULL, .text = bytes};
        break;
    case RF_WIRE_TAG(2, RF_WIRE_VARINT):
        is_read = rf_wire_varint(wire, &bits);
        places[TIME] = (struct rf_value){.type = bits ? RF_VALUE_NUMBER : RF_VALUE_NULL,
                                         .has_time_unit = true,
                                         .time_unit = RF_TIME_MS,
                                         .number = (double)rf_wire_signed(bits)};
        break;
    case RF_WIRE_TAG(3, RF_WIRE_FIXED64):
        is_read = rf_wire_fixed64(wire, &bits);
        places[LABEL] = (struct rf_value){.type = RF_VALUE_NUMBER, .number = rf_wire_double(bits)};
        break;
    case RF_WIRE_TAG(4, RF_WIRE_DELIMITED):
        is_read = rf_wire_delimited(wire, &bytes);
        places[LABEL] = (struct rf_value){.type = RF_VALUE_TEXT, .text = bytes};
        break;
    case RF_WIRE_TAG(5, RF_WIRE_FIXED64):
        is_read = rf_wire_fixed64(wire, &bits);
        places[WEIGHT] = (struct rf_value){.type = RF_VALUE_NUMBER, .number = rf_wire_double(bits)};
        break;
    case RF_WIRE_TAG(8, RF_WIRE_FIXED32):
        bytes = (struct rf_text){(const char *)wire->at, sizeof(float)};
        is_read = rf_wire_fixed32(wire, &(uint32_t){0});
        return is_read ? append_vector(reading, bytes) : RF_INVALID;
    case RF_WIRE_TAG(8, RF_WIRE_DELIMITED):
        is_read = rf_wire_delimited(wire, &bytes) && bytes.size % sizeof(float) == 0;
        return is_read ? append_vector(reading, bytes) : RF_INVALID;
    default:
        is_read = rf_wire_skip(wire, tag, RF_WIRE_DEPTH_MAX) == RF_OK;
    }
    return is_read ? RF_OK : RF_INVALID;
}

static enum rf_status read_message(struct reading *reading) {
    struct rf_wire wire = rf_wire_of(reading->message);
    enum rf_status status = RF_OK;
    while (wire.at < wire.end && !status) {
        uint32_t tag;
        if (!rf_wire_tag(&wire, &tag)) {
            return no_message(reading);
        }
        if (tag == RF_WIRE_TAG(6, RF_WIRE_DELIMITED) || tag == RF_WIRE_TAG(7, RF_WIRE_DELIMITED)) {
            status = read_feature(reading, &wire, tag == RF_WIRE_TAG(6, RF_WIRE_DELIMITED));
        } else {
            status = read_place(reading, &wire, tag);
            status = status == RF_INVALID ? no_message(reading) : status;
        }
    }
    return status;
}

static enum rf_status check_place(const struct reading *reading, enum place place) {
    const struct rf_value *value = &reading->places[place];
    if (value->type == RF_VALUE_NUMBER) {
        return check_number(reading, reading->protobuf->places[place].name, value->number);
    }
    return value->type == RF_VALUE_TEXT ? check_text(reading, value->text, place == ID ? "the id" : "the label") : RF_OK;
}

// Puts what has a place in front of the features, under the names that the schema has for it.
static enum rf_status add_places(struct reading *reading, struct rf_event *event) {
    static const unsigned roles[PLACES] = {RF_ROLE_ID, RF_ROLE_TIME, RF_ROLE_LABEL, RF_ROLE_WEIGHT, RF_ROLE_VECTOR};
    struct protobuf_decoder *protobuf = reading->protobuf;
    if (reading->vector.bytes.size > 0) {
        reading->places[VECTOR] = (struct rf_value){.type = RF_VALUE_FLOATS, .text = reading->vector.bytes};
    }
    struct rf_field *first = protobuf->fields + PLACES;
    for (int place = PLACES - 1; place >= 0; place--) {
        if (reading->places[place].type == RF_VALUE_NULL || protobuf->places[place].index == RF_FIELD_UNKNOWN) {
            continue;
        }
        enum rf_status status = check_place(reading, (enum place)place);
        if (status) {
            return status;
        }
        if (reading->roles_named & roles[place]) {
            return stands_twice(reading, protobuf->places[place].name);
        }
        *--first = protobuf->places[place];
        first->value = reading->places[place];
    }
    event->fields = first;
    event->count = (size_t)(reading->next - first);
    return RF_OK;
}

static enum rf_status protobuf_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                      struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct protobuf_decoder *protobuf = protobuf_from(self);
    struct rf_event event = {.count = 0};
    struct reading reading = {
            .protobuf = protobuf,
            .message = record->value,
            .arena = arena,
            .error = error_out,
            .next = protobuf->fields + PLACES,
    };
    rf_field_names_begin(protobuf->names);
    enum rf_status status = read_message(&reading);
    status = status ? status : add_places(&reading, &event);
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

static struct rf_field place_of(const struct rf_schema *schema, uint32_t index) {
    if (index == RF_FIELD_UNKNOWN) {
        return (struct rf_field){.index = index};
    }
    const struct rf_schema_field *field = rf_schema_field(schema, index);
    return (struct rf_field){.name = field->name, .hash = field->hash, .index = index};
}

enum rf_status rf_decoder_protobuf_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                          struct rf_decoder **decoder_out, struct rf_error *err) {
    if (options->protobuf_message) {
        return rf_decoder_protobuf_plan_create(schema, options, decoder_out, err);
    }
    struct protobuf_decoder *protobuf = calloc(1, sizeof *protobuf);
    if (!protobuf) {
        return rf_fail(err, RF_MEMORY, "a decoder of protobuf does not fit into memory");
    }
    rf_decoder_init(&protobuf->base, &protobuf_ops, schema, options);
    protobuf->places[ID] = place_of(schema, rf_schema_find_role(schema, RF_ROLE_ID));
    protobuf->places[TIME] = place_of(schema, rf_schema_find_role(schema, RF_ROLE_TIME));
    protobuf->places[LABEL] = place_of(schema, rf_schema_find_role(schema, RF_ROLE_LABEL));
    protobuf->places[WEIGHT] = place_of(schema, rf_schema_find_role(schema, RF_ROLE_WEIGHT));
    protobuf->places[VECTOR] = place_of(schema, rf_schema_rules(schema)->vector_field);
    size_t fields = protobuf->base.limits.fields;
    protobuf->fields = calloc(PLACES + fields, sizeof *protobuf->fields);
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
