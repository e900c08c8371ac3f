#ifndef RF_SINKS_MESSAGE_WIRE_H
#define RF_SINKS_MESSAGE_WIRE_H
// Protobuf written straight to the wire: each function writes at `to`, where there must be room, and returns what is behind it.
// Members that are zero or empty are left out, as proto3 has it where nothing else is said.
#include "proto/text.h"

#include <stdint.h>
#include <string.h>

enum rf_write_type { RF_WRITE_VARINT = 0, RF_WRITE_FIXED64 = 1, RF_WRITE_DELIMITED = 2 };

static inline char *rf_write_varint(char *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        *to++ = (char)(value | 0x80);
    }
    *to++ = (char)value;
    return to;
}

static inline char *rf_write_tag(char *to, unsigned number, enum rf_write_type type) { // number: below 16
    *to++ = (char)(number << 3 | type);
    return to;
}

static inline char *rf_write_number(char *to, unsigned number, uint64_t value) {
    return value ? rf_write_varint(rf_write_tag(to, number, RF_WRITE_VARINT), value) : to;
}

static inline char *rf_write_zigzag(char *to, unsigned number, int64_t value) {
    return rf_write_number(to, number, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static inline char *rf_write_double(char *to, unsigned number, double value) { // 0 too
    to = rf_write_tag(to, number, RF_WRITE_FIXED64);
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static inline char *rf_write_bytes(char *to, unsigned number, const void *bytes, size_t size) { // of size 0 too
    to = rf_write_varint(rf_write_tag(to, number, RF_WRITE_DELIMITED), size);
    if (size > 0) {
        memcpy(to, bytes, size);
    }
    return to + size;
}

// What has a length that is not known yet: written behind one byte of room for it, which `length_at` points to.
char *rf_write_close(char *length_at, char *end);

// Bytes that are no UTF-8, and NUL, which readers in C cannot keep, become U+FFFD.
char *rf_write_text(char *to, unsigned number, struct rf_text text);

// Room for a text, and for a member of any other kind.
enum { RF_WRITE_MEMBER_SIZE_MAX = 12 };
static inline size_t rf_write_text_size_max(size_t size) {
    return RF_WRITE_MEMBER_SIZE_MAX + 3 * size; // U+FFFD takes three bytes for one
}

#endif
