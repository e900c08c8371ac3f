#ifndef RF_INGEST_AVRO_CODEC_H
#define RF_INGEST_AVRO_CODEC_H
#include "proto/status.h"
#include "proto/text.h"

#include <stdint.h>

// How the blocks of an Avro container file are compressed: null, deflate, zstandard or snappy.
struct rf_avro_codec;

// NULL: not one of these.
const struct rf_avro_codec *rf_avro_codec_find(struct rf_text name);

// Memory that a block is unpacked into, used again for the next one.
struct rf_avro_room {
    uint8_t *bytes;
    size_t capacity;
};

// Unpacks a block. The answer is in `room`, or is the packed block itself where it is not compressed. `why_out` is filled where
// RF_CORRUPT; RF_FULL: it has more than `size_max` bytes; RF_MEMORY.
enum rf_status rf_avro_codec_unpack(const struct rf_avro_codec *codec, struct rf_text packed, size_t size_max,
                                    struct rf_avro_room *room, struct rf_text *block_out, const char **why_out) RF_MUST_USE;

// Makes room for so many bytes; what is there stays. False: out of memory.
bool rf_avro_room_reserve(struct rf_avro_room *room, size_t capacity);

#endif
