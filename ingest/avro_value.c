#include "ingest/avro_value.h"

#include "ingest/number.h"
#include "proto/bytes.h"
#include "proto/json_text.h"
#include "proto/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *name_of(const struct rf_avro_leaf *leaf, struct rf_shown *shown) {
    *shown = rf_show(leaf->targets[0].name);
    return shown->text;
}

static enum rf_status keep_text(const char *text, size_t size, struct rf_arena *arena, struct rf_text *text_out) {
    char *copy = rf_arena_take(arena, size);
    if (!copy) {
        return RF_FULL;
    }
    memcpy(copy, text, size);
    *text_out = (struct rf_text){copy, size};
    return RF_OK;
}

static enum rf_status read_boolean(struct rf_avro_bytes *bytes, struct rf_value *value_out) {
    if (bytes->at == bytes->end) {
        return rf_avro_cut(bytes);
    }
    unsigned byte = *bytes->at;
    if (byte > 1) {
        return rf_decode_fail(bytes->error, RF_REASON_UNDECODABLE, "byte %zu: a boolean is %u, must be 0 or 1",
                              rf_avro_place(bytes), byte);
    }
    bytes->at++;
    *value_out = (struct rf_value){.type = RF_VALUE_BOOL, .number = byte, .text = rf_text_of(byte ? "true" : "false")};
    return RF_OK;
}

static enum rf_status read_integer(struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, struct rf_arena *arena,
                                   struct rf_value *value_out) {
    static const enum rf_time_unit units[] = {
            [RF_AVRO_DATE] = RF_TIME_DAYS,
            [RF_AVRO_MILLIS] = RF_TIME_MS,
            [RF_AVRO_MICROS] = RF_TIME_US,
            [RF_AVRO_NANOS] = RF_TIME_NS,
    };
    size_t place = rf_avro_place(bytes);
    int64_t integer;
    enum rf_status status = rf_avro_read_long(bytes, &integer);
    if (status) {
        return status;
    }
    if (leaf->kind == RF_AVRO_INT && integer != (int32_t)integer) {
        return rf_decode_fail(bytes->error, RF_REASON_UNDECODABLE, "byte %zu: an int is %" PRId64 ", must have 32 bits", place,
                              integer);
    }
    bool has_unit = leaf->logical >= RF_AVRO_DATE;
    *value_out = (struct rf_value){.type = RF_VALUE_NUMBER,
                                   .number = (double)integer,
                                   .has_time_unit = has_unit,
                                   .time_unit = (uint8_t)(has_unit ? units[leaf->logical] : 0)};
    if (!leaf->needs_text) {
        return RF_OK;
    }
    char text[RF_JSON_NUMBER_SIZE];
    return keep_text(text, rf_json_write_integer(integer, text), arena, &value_out->text);
}

// The shortest decimal that reads back as the same float; then it is that of a double, so that 0.1f is 0.1.
static double nearest_decimal(float number) {
    enum { DIGITS_MIN = 6, DIGITS_MAX = 9 };
    char text[32];
    double decimal = number;
    for (int digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)number);
        decimal = strtod(text, NULL);
        if ((float)decimal == number) {
            break;
        }
    }
    return decimal;
}

static enum rf_status read_real(struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, struct rf_arena *arena,
                                struct rf_value *value_out) {
    size_t size = leaf->kind == RF_AVRO_FLOAT ? sizeof(float) : sizeof(double);
    if (rf_avro_left(bytes) < size) {
        return rf_avro_cut(bytes);
    }
    double number;
    float single = 0;
    if (leaf->kind == RF_AVRO_FLOAT) {
        memcpy(&single, bytes->at, sizeof single);
        number = (double)single;
    } else {
        memcpy(&number, bytes->at, sizeof number);
    }
    if (!isfinite(number)) {
        const char *word = isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
        struct rf_shown shown;
        return rf_decode_fail(bytes->error, RF_REASON_NON_FINITE, "field %s: %s is not finite", name_of(leaf, &shown), word);
    }
    bytes->at += size;
    *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = number};
    if (!leaf->needs_text) {
        return RF_OK;
    }
    char text[RF_JSON_NUMBER_SIZE];
    size_t text_size = rf_json_write_number(leaf->kind == RF_AVRO_FLOAT ? nearest_decimal(single) : number, text);
    return keep_text(text, text_size, arena, &value_out->text);
}

// Decimals.

enum { LIMB_DIGITS = 9, LIMBS_MAX = RF_AVRO_DECIMAL_BYTES_MAX / 4, LIMB_BASE = 1000000000 };

// The digits of a number of `count` limbs of 32 bits, the lowest first, which is used up. Written from `end` down.
static char *write_digits(uint32_t *limbs, size_t count, char *end) {
    while (count > 0 && limbs[count - 1] == 0) {
        count--;
    }
    while (count > 0) {
        uint64_t rest = 0;
        for (size_t i = count; i-- > 0;) {
            rest = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(rest / LIMB_BASE);
            rest %= LIMB_BASE;
        }
        count -= limbs[count - 1] == 0;
        for (int i = 0; i < LIMB_DIGITS && (count > 0 || rest > 0); i++, rest /= 10) {
            *--end = (char)('0' + rest % 10);
        }
    }
    return end;
}

size_t rf_avro_write_decimal(struct rf_text unscaled, uint32_t scale, char out[RF_AVRO_DECIMAL_TEXT_MAX]) {
    uint32_t limbs[LIMBS_MAX] = {0};
    bool is_negative = unscaled.size > 0 && (unscaled.data[0] & 0x80);
    unsigned carry = is_negative; // of the two's complement
    for (size_t i = 0; i < unscaled.size; i++) {
        unsigned byte = (uint8_t)unscaled.data[unscaled.size - 1 - i];
        byte = is_negative ? (~byte & 0xff) + carry : byte;
        carry = byte >> 8;
        limbs[i / 4] |= (byte & 0xff) << 8 * (i % 4);
    }
    char digits[RF_AVRO_DECIMAL_TEXT_MAX];
    char *end = digits + sizeof digits, *first = write_digits(limbs, LIMBS_MAX, end);
    while ((size_t)(end - first) <= scale) {
        *--first = '0'; // one digit in front of the point at least
    }
    size_t whole = (size_t)(end - first) - scale, size = 0;
    if (is_negative) {
        out[size++] = '-';
    }
    memcpy(out + size, first, whole);
    size += whole;
    if (scale > 0) {
        out[size++] = '.';
        memcpy(out + size, first + whole, scale);
        size += scale;
    }
    return size;
}

// Where digits and power of ten are exact doubles, one division rounds as reading the text would.
static bool read_short_decimal(struct rf_text unscaled, uint32_t scale, double *number_out) {
    if (unscaled.size > sizeof(int64_t) || scale > RF_NUMBER_POWER_MAX) {
        return false;
    }
    uint64_t value = unscaled.size > 0 && (unscaled.data[0] & 0x80) ? UINT64_MAX : 0;
    for (size_t i = 0; i < unscaled.size; i++) {
        value = value << 8 | (uint8_t)unscaled.data[i];
    }
    double number = (double)(int64_t)value;
    *number_out = number / rf_number_power[scale];
    return fabs(number) <= 0x1p53;
}

static enum rf_status decimal_of(struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, struct rf_text unscaled,
                                 struct rf_arena *arena, struct rf_value *value_out) {
    *value_out = (struct rf_value){.type = RF_VALUE_NUMBER};
    if (!leaf->needs_text && read_short_decimal(unscaled, leaf->scale, &value_out->number)) {
        return RF_OK;
    }
    struct rf_shown shown;
    if (unscaled.size > RF_AVRO_DECIMAL_BYTES_MAX) {
        return rf_decode_fail(bytes->error, RF_REASON_LIMIT, "field %s: a decimal has %zu bytes, at most %d are taken",
                              name_of(leaf, &shown), unscaled.size, RF_AVRO_DECIMAL_BYTES_MAX);
    }
    char text[RF_AVRO_DECIMAL_TEXT_MAX];
    size_t size = rf_avro_write_decimal(unscaled, leaf->scale, text);
    struct rf_number number;
    rf_number_scan((struct rf_text){text, size}, RF_NUMBER_JSON, &number);
    value_out->number = rf_number_value(&number);
    if (!isfinite(value_out->number)) {
        return rf_decode_fail(bytes->error, RF_REASON_NON_FINITE, "field %s: %s is not finite", name_of(leaf, &shown),
                              rf_show((struct rf_text){text, size}).text);
    }
    return leaf->needs_text ? keep_text(text, size, arena, &value_out->text) : RF_OK;
}

// Texts.

static enum rf_status uuid_of(struct rf_text bytes, struct rf_arena *arena, struct rf_value *value_out) {
    static const char digits[] = "0123456789abcdef";
    char text[36];
    size_t size = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned byte = (uint8_t)bytes.data[i];
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            text[size++] = '-';
        }
        text[size++] = digits[byte >> 4];
        text[size++] = digits[byte & 15];
    }
    *value_out = (struct rf_value){.type = RF_VALUE_TEXT};
    return keep_text(text, size, arena, &value_out->text);
}

static enum rf_status text_of(const struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, struct rf_text text,
                              uint64_t text_bytes_max, struct rf_value *value_out) {
    struct rf_shown shown;
    if (text.size > text_bytes_max) {
        return rf_decode_fail(bytes->error, RF_REASON_LIMIT, "field %s has %zu bytes, at most %" PRIu64 " are taken",
                              name_of(leaf, &shown), text.size, text_bytes_max);
    }
    if (!rf_utf8_is_valid(text)) {
        return rf_decode_fail(bytes->error, RF_REASON_ENCODING, "field %s is %s, must be UTF-8", name_of(leaf, &shown),
                              rf_show(text).text);
    }
    *value_out = (struct rf_value){.type = RF_VALUE_TEXT, .text = text};
    return RF_OK;
}

static enum rf_status read_bytes(struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, uint64_t text_bytes_max,
                                 struct rf_arena *arena, struct rf_value *value_out) {
    struct rf_text text = {(const char *)bytes->at, (size_t)leaf->size};
    enum rf_status status = leaf->kind == RF_AVRO_FIXED ? rf_avro_skip(bytes, leaf->size) : rf_avro_read_sized(bytes, &text);
    if (status) {
        return status;
    }
    return leaf->logical == RF_AVRO_DECIMAL ? decimal_of(bytes, leaf, text, arena, value_out)
           : leaf->logical == RF_AVRO_UUID  ? uuid_of(text, arena, value_out)
                                            : text_of(bytes, leaf, text, text_bytes_max, value_out);
}

static enum rf_status read_symbol(struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, struct rf_value *value_out) {
    size_t place = rf_avro_place(bytes);
    int64_t index;
    enum rf_status status = rf_avro_read_long(bytes, &index);
    if (status) {
        return status;
    }
    if (index < 0 || index >= leaf->symbol_count) {
        return rf_decode_fail(bytes->error, RF_REASON_UNDECODABLE,
                              "byte %zu: symbol %" PRId64 " of an enum, must be 0 to %" PRIu32, place, index,
                              leaf->symbol_count - 1);
    }
    *value_out = (struct rf_value){.type = RF_VALUE_TEXT, .text = leaf->symbols[index].name};
    return RF_OK;
}

enum rf_status rf_avro_read_value(struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, uint64_t text_bytes_max,
                                  struct rf_arena *arena, struct rf_value *value_out) {
    switch (leaf->kind) {
    case RF_AVRO_BOOLEAN:
        return read_boolean(bytes, value_out);
    case RF_AVRO_INT:
    case RF_AVRO_LONG:
        return read_integer(bytes, leaf, arena, value_out);
    case RF_AVRO_FLOAT:
    case RF_AVRO_DOUBLE:
        return read_real(bytes, leaf, arena, value_out);
    case RF_AVRO_STRING:
    case RF_AVRO_BYTES:
    case RF_AVRO_FIXED:
        return read_bytes(bytes, leaf, text_bytes_max, arena, value_out);
    case RF_AVRO_ENUM:
        return read_symbol(bytes, leaf, value_out);
    default:
        *value_out = (struct rf_value){.type = RF_VALUE_NULL};
        return RF_OK;
    }
}

// Vectors. Floats in one block stay where they are; what else there is becomes doubles in the arena.

struct numbers {
    struct rf_avro_bytes *bytes;
    struct rf_arena *arena;
    double *list;
    size_t count, capacity;
};

static enum rf_status reserve_numbers(struct numbers *numbers, uint64_t count) {
    if (count <= numbers->capacity - numbers->count) {
        return RF_OK;
    }
    size_t capacity = numbers->count + (size_t)count;
    capacity = numbers->count > 0 && capacity < 2 * numbers->count ? 2 * numbers->count : capacity;
    double *list = rf_arena_take(numbers->arena, capacity * sizeof *list);
    if (!list) {
        return RF_FULL;
    }
    if (numbers->count > 0) {
        memcpy(list, numbers->list, numbers->count * sizeof *list);
    }
    numbers->list = list;
    numbers->capacity = capacity;
    return RF_OK;
}

static enum rf_status read_number(struct rf_avro_bytes *bytes, enum rf_avro_kind kind, double *number_out) {
    const uint8_t *from = bytes->at;
    enum rf_status status = RF_OK;
    float single = 0;
    int64_t integer = 0;
    switch (kind) {
    case RF_AVRO_FLOAT:
        status = rf_avro_skip(bytes, sizeof single);
        memcpy(&single, from, status ? 0 : sizeof single);
        *number_out = (double)single;
        return status;
    case RF_AVRO_DOUBLE:
        status = rf_avro_skip(bytes, sizeof *number_out);
        memcpy(number_out, from, status ? 0 : sizeof *number_out);
        return status;
    default:
        status = rf_avro_read_long(bytes, &integer);
        *number_out = (double)integer;
        return status;
    }
}

static enum rf_status read_numbers(struct numbers *numbers, enum rf_avro_kind kind, uint64_t count) {
    if (count > rf_avro_left(numbers->bytes)) { // each takes a byte at least
        return rf_avro_cut(numbers->bytes);
    }
    enum rf_status status = reserve_numbers(numbers, count);
    for (uint64_t i = 0; i < count && !status; i++) {
        status = read_number(numbers->bytes, kind, &numbers->list[numbers->count]);
        numbers->count += !status;
    }
    return status;
}

enum rf_status rf_avro_read_numbers(struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, struct rf_arena *arena,
                                    struct rf_value *value_out) {
    struct numbers numbers = {.bytes = bytes, .arena = arena};
    for (bool is_first = true;; is_first = false) {
        uint64_t count, size;
        enum rf_status status = rf_avro_read_block(bytes, &count, &size);
        if (status || count == 0) {
            *value_out = (struct rf_value){.type = RF_VALUE_DOUBLES,
                                           .text = {(const char *)numbers.list, numbers.count * sizeof(double)}};
            return status;
        }
        bool is_whole = is_first && leaf->kind == RF_AVRO_FLOAT && count <= rf_avro_left(bytes) / sizeof(float);
        const uint8_t *after = bytes->at + count * (is_whole ? sizeof(float) : 0);
        if (is_whole && after < bytes->end && *after == 0) { // and no block follows
            *value_out =
                    (struct rf_value){.type = RF_VALUE_FLOATS, .text = {(const char *)bytes->at, (size_t)count * sizeof(float)}};
            bytes->at = after + 1;
            return RF_OK;
        }
        status = read_numbers(&numbers, leaf->kind, count);
        if (status) {
            return status;
        }
    }
}
