#ifndef RF_INGEST_AVRO_BYTES_H
#define RF_INGEST_AVRO_BYTES_H
// Avro's binary encoding, read in place: numbers of varying size, sizes in front of bytes, blocks of items. Nothing that is
// read reaches beyond the end. What answers RF_INVALID has said why.
#include "ingest/reject.h"

#include <inttypes.h>

struct rf_avro_bytes {
    const uint8_t *begin, *at, *end;
    struct rf_decode_error *error;
};

static inline size_t rf_avro_left(const struct rf_avro_bytes *bytes) {
    return (size_t)(bytes->end - bytes->at);
}

static inline size_t rf_avro_place(const struct rf_avro_bytes *bytes) {
    return (size_t)(bytes->at - bytes->begin);
}

// What is at `at` goes on after the end.
enum rf_status rf_avro_cut(const struct rf_avro_bytes *bytes);

enum rf_status rf_avro_read_long_slowly(struct rf_avro_bytes *bytes, int64_t *value_out) RF_MUST_USE;

// An int or a long.
static inline enum rf_status rf_avro_read_long(struct rf_avro_bytes *bytes, int64_t *value_out) {
    if (bytes->at < bytes->end && *bytes->at < 0x80) {
        uint8_t byte = *bytes->at++;
        *value_out = (int64_t)(byte >> 1) ^ -(int64_t)(byte & 1);
        return RF_OK;
    }
    return rf_avro_read_long_slowly(bytes, value_out);
}

// Passes over bytes.
static inline enum rf_status rf_avro_skip(struct rf_avro_bytes *bytes, uint64_t size) {
    if (size > rf_avro_left(bytes)) {
        return rf_avro_cut(bytes);
    }
    bytes->at += size;
    return RF_OK;
}

// Bytes with their size in front.
enum rf_status rf_avro_read_sized(struct rf_avro_bytes *bytes, struct rf_text *text_out) RF_MUST_USE;

// The head of the next block of an array or a map. A count of 0 is the end. `size_out`: of its items in bytes, where the writer
// says so, else UINT64_MAX.
enum rf_status rf_avro_read_block(struct rf_avro_bytes *bytes, uint64_t *count_out, uint64_t *size_out) RF_MUST_USE;

#endif
