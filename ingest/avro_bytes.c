#include "ingest/avro_bytes.h"

enum { VARINT_SIZE_MAX = 10 };

enum rf_status rf_avro_cut(const struct rf_avro_bytes *bytes) {
    return rf_decode_fail(bytes->error, RF_REASON_UNDECODABLE, "byte %zu: a value begins here and goes on after the end",
                          rf_avro_place(bytes));
}

enum rf_status rf_avro_read_long_slowly(struct rf_avro_bytes *bytes, int64_t *value_out) {
    uint64_t value = 0;
    size_t left = rf_avro_left(bytes);
    for (size_t i = 0; i < VARINT_SIZE_MAX; i++) {
        if (i == left) {
            return rf_avro_cut(bytes);
        }
        uint64_t byte = bytes->at[i];
        if (i == VARINT_SIZE_MAX - 1 && byte > 1) {
            break;
        }
        value |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            bytes->at += i + 1;
            *value_out = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return RF_OK;
        }
    }
    return rf_decode_fail(bytes->error, RF_REASON_UNDECODABLE, "byte %zu: a number has more than 64 bits", rf_avro_place(bytes));
}

enum rf_status rf_avro_read_sized(struct rf_avro_bytes *bytes, struct rf_text *text_out) {
    struct rf_avro_bytes from = *bytes;
    int64_t size;
    enum rf_status status = rf_avro_read_long(&from, &size);
    if (status) {
        return status;
    }
    if (size < 0) {
        return rf_decode_fail(bytes->error, RF_REASON_UNDECODABLE, "byte %zu: a size is %" PRId64 ", must be 0 or more",
                              rf_avro_place(bytes), size);
    }
    if ((uint64_t)size > rf_avro_left(&from)) {
        return rf_avro_cut(bytes);
    }
    *text_out = (struct rf_text){(const char *)from.at, (size_t)size};
    bytes->at = from.at + size;
    return RF_OK;
}

enum rf_status rf_avro_read_block(struct rf_avro_bytes *bytes, uint64_t *count_out, uint64_t *size_out) {
    size_t place = rf_avro_place(bytes);
    int64_t count = 0, size = 0;
    enum rf_status status = rf_avro_read_long(bytes, &count);
    if (status) {
        return status;
    }
    if (count >= 0) {
        *count_out = (uint64_t)count;
        *size_out = UINT64_MAX;
        return RF_OK;
    }
    status = rf_avro_read_long(bytes, &size);
    if (status) {
        return status;
    }
    if (size < 0 || (uint64_t)size > rf_avro_left(bytes)) {
        return rf_decode_fail(bytes->error, RF_REASON_UNDECODABLE,
                              "byte %zu: a block of items has %" PRId64 " bytes, must have 0 to %zu", place, size,
                              rf_avro_left(bytes));
    }
    *count_out = 0 - (uint64_t)count;
    *size_out = (uint64_t)size;
    return RF_OK;
}
