#include "ingest/confluent.h"

#include "ingest/reject.h"

#include <inttypes.h>

// A zigzag varint of at most 32 bits; NULL when it is not whole, or larger, or less than 0.
static const char *read_index(const char *at, const char *end, uint32_t *index_out) {
    uint64_t value = 0;
    for (unsigned shift = 0; at < end && shift < 35; shift += 7) {
        uint8_t byte = (uint8_t)*at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *index_out = (uint32_t)(value >> 1);
            return value & 1 || value >> 1 > INT32_MAX ? NULL : at;
        }
    }
    return NULL;
}

static enum rf_status read_indexes(struct rf_confluent_head *head, struct rf_decode_error *error_out) {
    const char *end = head->value.data + head->value.size;
    uint32_t count;
    const char *at = read_index(head->value.data, end, &count);
    if (at && count > RF_CONFLUENT_INDEXES_MAX) {
        return rf_decode_fail(error_out, RF_REASON_LIMIT, "has %" PRIu32 " message indexes, at most %d are taken", count,
                              RF_CONFLUENT_INDEXES_MAX);
    }
    if (at && count == 0) {
        head->indexes[0] = 0;
        head->index_count = 1;
    } else {
        head->index_count = at ? count : 0;
        for (uint32_t i = 0; at && i < count; i++) {
            at = read_index(at, end, &head->indexes[i]);
        }
    }
    if (!at) {
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE,
                              "has message indexes behind schema id %" PRIu32 " that are not whole", head->id);
    }
    head->value = (struct rf_text){at, (size_t)(end - at)};
    return RF_OK;
}

enum rf_status rf_confluent_read(struct rf_text bytes, bool has_indexes, struct rf_confluent_head *head_out,
                                 struct rf_decode_error *error_out) {
    enum { HEAD_SIZE = 5 };
    const uint8_t *data = (const uint8_t *)bytes.data;
    if (data[0] != 0) {
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "begins with byte %02x, must begin with 00 and a schema id",
                              data[0]);
    }
    if (bytes.size < HEAD_SIZE) {
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "has %zu bytes, must begin with 00 and a schema id of 4",
                              bytes.size);
    }
    head_out->id = (uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 8 | data[4];
    if (head_out->id > INT32_MAX) { // serialisers write a signed number; a registry does not even read this one
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "has schema id %" PRIu32 ", must have one up to %d", head_out->id,
                              INT32_MAX);
    }
    head_out->index_count = 0;
    head_out->value = (struct rf_text){bytes.data + HEAD_SIZE, bytes.size - HEAD_SIZE};
    return has_indexes ? read_indexes(head_out, error_out) : RF_OK;
}
