#ifndef RF_INGEST_WIRE_H
#define RF_INGEST_WIRE_H
// Protocol Buffers' wire format, read in place: a message is a row of fields, each a tag (its number and how it is written) and
// its bytes. Nothing is copied, and nothing that is read reaches beyond the end.
#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/text.h"

struct rf_wire {
    const uint8_t *at, *end;
};

enum rf_wire_type {
    RF_WIRE_VARINT,
    RF_WIRE_FIXED64,
    RF_WIRE_DELIMITED,
    RF_WIRE_GROUP,
    RF_WIRE_GROUP_END,
    RF_WIRE_FIXED32,
};
enum { RF_WIRE_DEPTH_MAX = 1024 }; // of groups within groups

#define RF_WIRE_TAG(number, type) ((uint32_t)(number) << 3 | (uint32_t)(type))

static inline struct rf_wire rf_wire_of(struct rf_text message) {
    const uint8_t *bytes = (const uint8_t *)message.data;
    return (struct rf_wire){bytes, bytes + message.size};
}

// False, here and below: the bytes are no message.
bool rf_wire_long_varint(struct rf_wire *wire, uint64_t *value_out);

static inline bool rf_wire_varint(struct rf_wire *wire, uint64_t *value_out) {
    if (wire->at < wire->end && *wire->at < 0x80) {
        *value_out = *wire->at++;
        return true;
    }
    return rf_wire_long_varint(wire, value_out);
}

static inline bool rf_wire_tag(struct rf_wire *wire, uint32_t *tag_out) {
    uint64_t tag;
    if (!rf_wire_varint(wire, &tag) || tag < RF_WIRE_TAG(1, 0) || tag > UINT32_MAX) {
        return false;
    }
    *tag_out = (uint32_t)tag;
    return true;
}

static inline bool rf_wire_fixed64(struct rf_wire *wire, uint64_t *value_out) {
    if (wire->end - wire->at < 8) {
        return false;
    }
    *value_out = rf_load_u64(wire->at);
    wire->at += 8;
    return true;
}

static inline bool rf_wire_fixed32(struct rf_wire *wire, uint32_t *value_out) {
    if (wire->end - wire->at < 4) {
        return false;
    }
    *value_out = rf_load_u32(wire->at);
    wire->at += 4;
    return true;
}

static inline bool rf_wire_delimited(struct rf_wire *wire, struct rf_text *bytes_out) {
    uint64_t size;
    if (!rf_wire_varint(wire, &size) || size > (uint64_t)(wire->end - wire->at)) {
        return false;
    }
    *bytes_out = (struct rf_text){(const char *)wire->at, (size_t)size};
    wire->at += size;
    return true;
}

// What signed numbers are written as where small ones are to be short, whatever their sign.
static inline int64_t rf_wire_signed(uint64_t value) {
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

static inline double rf_wire_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float rf_wire_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Passes over the field behind `tag`, groups with all that is in them. RF_INVALID: the bytes are no message. RF_FULL: groups
// are nested deeper than depth_max, at most RF_WIRE_DEPTH_MAX.
enum rf_status rf_wire_skip(struct rf_wire *wire, uint32_t tag, uint64_t depth_max) RF_MUST_USE;

// Bytes that come in pieces, as packed numbers may: one piece stays where it is, several are put together in the arena.
struct rf_wire_pieces {
    struct rf_text bytes; // absent before the first piece
    size_t capacity;      // what `bytes` has in the arena; 0: they are borrowed
};

// False: the arena is full.
bool rf_wire_append(struct rf_wire_pieces *pieces, struct rf_text piece, struct rf_arena *arena);

#endif
