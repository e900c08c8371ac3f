#ifndef RF_PROTO_BYTES_H
#define RF_PROTO_BYTES_H
// Integers in stored bytes are little-endian, and so is memory: blocks are written as they stand there.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a big-endian machine would have to swap the columns of every block");

static inline uint64_t rf_load_u64(const void *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint32_t rf_load_u32(const void *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline void rf_store_u64(void *bytes, uint64_t value) {
    memcpy(bytes, &value, sizeof value);
}

static inline void rf_store_u32(void *bytes, uint32_t value) {
    memcpy(bytes, &value, sizeof value);
}

// Bytes are zeros when the first few are and all others equal those before them: two wide reads a step, by memcmp().
static inline bool rf_bytes_are_zero(const void *bytes, size_t size) {
    static const uint8_t zeros[16];
    const uint8_t *start = bytes;
    size_t first = size < sizeof zeros ? size : sizeof zeros;
    return memcmp(start, zeros, first) == 0 && memcmp(start, start + first, size - first) == 0;
}

#endif
