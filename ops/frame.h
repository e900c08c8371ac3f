#ifndef RF_OPS_FRAME_H
#define RF_OPS_FRAME_H
// Frames, as the files that only grow hold them (ops/schedule.h, ops/chain.h): size u32, checksum u32 (of the contents),
// contents. Little-endian.
#include "proto/hash.h"

#include <stdbool.h>
#include <string.h>

enum { RF_FRAME_HEAD_SIZE = 8 };

static inline uint32_t rf_frame_checksum(const uint8_t *contents, size_t size) {
    return (uint32_t)rf_hash((struct rf_hash_key){0, 0}, contents, size);
}

// Fills the head in front of contents that stand at frame + RF_FRAME_HEAD_SIZE.
static inline void rf_frame_seal(uint8_t *frame, size_t size) {
    uint32_t head[2] = {(uint32_t)size, rf_frame_checksum(frame + RF_FRAME_HEAD_SIZE, size)};
    memcpy(frame, head, sizeof head);
}

enum rf_frame_state {
    RF_FRAME_WHOLE,
    RF_FRAME_TORN,    // what is there ends within it, or its head cannot be one
    RF_FRAME_DAMAGED, // all of it is there, and does not verify
};

// The frame at `data`, of which `left` bytes remain. *size_out: of the contents, good when all of them are there.
static inline enum rf_frame_state rf_frame_look(const uint8_t *data, size_t left, size_t contents_max, size_t *size_out) {
    uint32_t head[2];
    if (left < sizeof head) {
        return RF_FRAME_TORN;
    }
    memcpy(head, data, sizeof head);
    *size_out = head[0];
    if (!head[0] || head[0] > contents_max || head[0] > left - sizeof head) {
        return RF_FRAME_TORN;
    }
    return rf_frame_checksum(data + RF_FRAME_HEAD_SIZE, head[0]) == head[1] ? RF_FRAME_WHOLE : RF_FRAME_DAMAGED;
}

#endif
