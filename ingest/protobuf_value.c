// Scalars as values of an event.
#include "ingest/protobuf_reading.h"
#include "ingest/protobuf_types.h"
#include "proto/json_text.h"
#include "proto/utf8.h"

#include <inttypes.h>
#include <math.h>

#define TYPE(name) RF_PROTOBUF_TYPE(name)

enum rf_status rf_protobuf_no_message(const struct rf_protobuf_reading *reading) {
    return rf_decode_fail(reading->error, RF_REASON_UNDECODABLE, "has %zu bytes that are no message, must be a %s",
                          reading->message.size, reading->plan->message);
}

struct rf_shown rf_protobuf_show_name(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule) {
    return rf_show(reading->fields[rule->place].name);
}

enum rf_status rf_protobuf_skip(const struct rf_protobuf_reading *reading, struct rf_wire *wire, uint32_t tag) {
    uint64_t depth_max = reading->plan->limits.depth;
    enum rf_status status = rf_wire_skip(wire, tag, depth_max);
    if (status == RF_FULL) {
        return rf_decode_fail(reading->error, RF_REASON_LIMIT, "has groups nested deeper than %" PRIu64, depth_max);
    }
    return status ? rf_protobuf_no_message(reading) : RF_OK;
}

// Scalars.

static enum rf_status take_digits(const struct rf_protobuf_reading *reading, const char *digits, size_t size,
                                  struct rf_value *value_out) {
    char *room = rf_arena_take(reading->arena, size);
    if (!room) {
        return RF_FULL;
    }
    memcpy(room, digits, size);
    value_out->text = (struct rf_text){room, size};
    return RF_OK;
}

static enum rf_status take_integer(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, int64_t number,
                                   struct rf_value *value_out) {
    *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = (double)number};
    if (!rule->needs_text) {
        return RF_OK;
    }
    char digits[RF_JSON_NUMBER_SIZE];
    return take_digits(reading, digits, rf_json_write_integer(number, digits), value_out);
}

static enum rf_status take_count(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, uint64_t number,
                                 struct rf_value *value_out) {
    *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = (double)number};
    if (!rule->needs_text) {
        return RF_OK;
    }
    char digits[RF_JSON_NUMBER_SIZE];
    return take_digits(reading, digits, rf_json_write_count(number, digits), value_out);
}

static enum rf_status take_real(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, double number,
                                struct rf_value *value_out) {
    if (!isfinite(number)) {
        const char *word = isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
        return rf_decode_fail(reading->error, RF_REASON_NON_FINITE, "field %s: %s is not finite",
                              rf_protobuf_show_name(reading, rule).text, word);
    }
    *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = number};
    return RF_OK;
}

static enum rf_status take_bool(uint64_t bits, struct rf_value *value_out) {
    *value_out = (struct rf_value){.type = RF_VALUE_BOOL, .number = bits != 0, .text = {bits ? "true" : "false", bits ? 4 : 5}};
    return RF_OK;
}

// The name, or the digits of a number that has none.
static enum rf_status take_enum(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, int32_t number,
                                struct rf_value *value_out) {
    const struct rf_protobuf_enum *names = rule->names;
    *value_out = (struct rf_value){.type = RF_VALUE_TEXT};
    size_t low = 0, high = names->count;
    if (number >= 0 && (size_t)number < names->count && names->number[number] == number) { // as most enums are numbered
        value_out->text = names->name[number];
        return RF_OK;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (names->number[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < names->count && names->number[low] == number) {
        value_out->text = names->name[low];
        return RF_OK;
    }
    char digits[RF_JSON_NUMBER_SIZE];
    return take_digits(reading, digits, rf_json_write_integer(number, digits), value_out);
}

static enum rf_status take_text(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                struct rf_text text, struct rf_value *value_out) {
    uint64_t size_max = reading->plan->limits.field_bytes;
    if (text.size > size_max) {
        return rf_decode_fail(reading->error, RF_REASON_LIMIT, "field %s has %zu bytes, at most %" PRIu64 " are taken",
                              rf_protobuf_show_name(reading, rule).text, text.size, size_max);
    }
    if (!rf_utf8_is_valid(text)) {
        return rf_decode_fail(reading->error, RF_REASON_ENCODING, "field %s: %s must be UTF-8",
                              rf_protobuf_show_name(reading, rule).text, rf_show(text).text);
    }
    *value_out = (struct rf_value){.type = RF_VALUE_TEXT, .text = text};
    return RF_OK;
}

// As hexadecimal digits.
static enum rf_status take_bytes(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                 struct rf_text bytes, struct rf_value *value_out) {
    uint64_t size_max = reading->plan->limits.field_bytes;
    if (bytes.size > size_max) {
        return rf_decode_fail(reading->error, RF_REASON_LIMIT, "field %s has %zu bytes, at most %" PRIu64 " are taken",
                              rf_protobuf_show_name(reading, rule).text, bytes.size, size_max);
    }
    char *room = rf_arena_take(reading->arena, 2 * bytes.size);
    if (!room) {
        return RF_FULL;
    }
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        room[2 * i] = "0123456789abcdef"[byte >> 4];
        room[2 * i + 1] = "0123456789abcdef"[byte & 15];
    }
    *value_out = (struct rf_value){.type = RF_VALUE_TEXT, .text = {room, 2 * bytes.size}};
    return RF_OK;
}

static enum rf_status take_varint(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, uint64_t bits,
                                  struct rf_value *value_out) {
    switch (rule->type) {
    case TYPE(INT64):
        return take_integer(reading, rule, (int64_t)bits, value_out);
    case TYPE(UINT64):
        return take_count(reading, rule, bits, value_out);
    case TYPE(INT32):
        return take_integer(reading, rule, (int32_t)bits, value_out);
    case TYPE(UINT32):
        return take_count(reading, rule, (uint32_t)bits, value_out);
    case TYPE(SINT32):
        return take_integer(reading, rule, rf_wire_signed((uint32_t)bits), value_out);
    case TYPE(SINT64):
        return take_integer(reading, rule, rf_wire_signed(bits), value_out);
    case TYPE(BOOL):
        return take_bool(bits, value_out);
    default:
        return take_enum(reading, rule, (int32_t)bits, value_out);
    }
}

enum rf_status rf_protobuf_read_value(const struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                      struct rf_wire *wire, struct rf_value *value_out) {
    uint64_t bits;
    uint32_t word;
    struct rf_text bytes;
    switch (rule->tag & 7) {
    case RF_WIRE_VARINT:
        return rf_wire_varint(wire, &bits) ? take_varint(reading, rule, bits, value_out) : rf_protobuf_no_message(reading);
    case RF_WIRE_FIXED64:
        if (!rf_wire_fixed64(wire, &bits)) {
            return rf_protobuf_no_message(reading);
        }
        return rule->type == TYPE(DOUBLE)    ? take_real(reading, rule, rf_wire_double(bits), value_out)
               : rule->type == TYPE(FIXED64) ? take_count(reading, rule, bits, value_out)
                                             : take_integer(reading, rule, (int64_t)bits, value_out);
    case RF_WIRE_FIXED32:
        if (!rf_wire_fixed32(wire, &word)) {
            return rf_protobuf_no_message(reading);
        }
        return rule->type == TYPE(FLOAT)     ? take_real(reading, rule, (double)rf_wire_float(word), value_out)
               : rule->type == TYPE(FIXED32) ? take_count(reading, rule, word, value_out)
                                             : take_integer(reading, rule, (int32_t)word, value_out);
    default:
        if (!rf_wire_delimited(wire, &bytes)) {
            return rf_protobuf_no_message(reading);
        }
        return rule->type == TYPE(STRING) ? take_text(reading, rule, bytes, value_out)
                                          : take_bytes(reading, rule, bytes, value_out);
    }
}
