#include "ingest/wire.h"

bool rf_wire_long_varint(struct rf_wire *wire, uint64_t *value_out) {
    uint64_t value = 0;
    const uint8_t *at = wire->at;
    for (unsigned shift = 0; at < wire->end && shift < 64; shift += 7) {
        value |= (uint64_t)(*at & 0x7f) << shift;
        if (!(*at++ & 0x80)) {
            wire->at = at;
            *value_out = value;
            return true;
        }
    }
    return false;
}

static bool skip_bytes(struct rf_wire *wire, size_t size) {
    if ((size_t)(wire->end - wire->at) < size) {
        return false;
    }
    wire->at += size;
    return true;
}

// What is no group.
static bool skip_plain(struct rf_wire *wire, uint32_t tag) {
    uint64_t value;
    struct rf_text bytes;
    switch (tag & 7) {
    case RF_WIRE_VARINT:
        return rf_wire_varint(wire, &value);
    case RF_WIRE_FIXED64:
        return skip_bytes(wire, 8);
    case RF_WIRE_DELIMITED:
        return rf_wire_delimited(wire, &bytes);
    case RF_WIRE_FIXED32:
        return skip_bytes(wire, 4);
    default:
        return false;
    }
}

static enum rf_status skip_group(struct rf_wire *wire, uint32_t tag, uint64_t depth_max) {
    uint32_t open[RF_WIRE_DEPTH_MAX]; // the numbers of the groups that have not ended
    uint64_t depth = 0;
    do {
        if ((tag & 7) == RF_WIRE_GROUP) {
            if (depth == depth_max || depth == RF_WIRE_DEPTH_MAX) {
                return RF_FULL;
            }
            open[depth++] = tag >> 3;
        } else if ((tag & 7) == RF_WIRE_GROUP_END) {
            if (open[--depth] != tag >> 3) {
                return RF_INVALID;
            }
        } else if (!skip_plain(wire, tag)) {
            return RF_INVALID;
        }
    } while (depth > 0 && rf_wire_tag(wire, &tag));
    return depth == 0 ? RF_OK : RF_INVALID;
}

enum rf_status rf_wire_skip(struct rf_wire *wire, uint32_t tag, uint64_t depth_max) {
    if ((tag & 7) == RF_WIRE_GROUP) {
        return skip_group(wire, tag, depth_max);
    }
    return skip_plain(wire, tag) ? RF_OK : RF_INVALID;
}

bool rf_wire_append(struct rf_wire_pieces *pieces, struct rf_text piece, struct rf_arena *arena) {
    struct rf_text *bytes = &pieces->bytes;
    if (!bytes->size) {
        *pieces = (struct rf_wire_pieces){.bytes = piece};
        return true;
    }
    if (pieces->capacity < bytes->size + piece.size) {
        size_t capacity = 2 * (bytes->size + piece.size);
        char *room = rf_arena_take(arena, capacity);
        if (!room) {
            return false;
        }
        memcpy(room, bytes->data, bytes->size);
        *pieces = (struct rf_wire_pieces){{room, bytes->size}, capacity};
    }
    memcpy((char *)bytes->data + bytes->size, piece.data, piece.size);
    bytes->size += piece.size;
    return true;
}
