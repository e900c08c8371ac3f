#include "ingest/avro_codec.h"

#include <snappy-c.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

struct rf_avro_codec {
    const char *name;
    enum rf_status (*unpack)(struct rf_text packed, size_t size_max, struct rf_avro_room *room, struct rf_text *block_out,
                             const char **why_out);
};

enum { ROOM_MIN = 64 << 10, GROWTH = 4 };

bool rf_avro_room_reserve(struct rf_avro_room *room, size_t capacity) {
    if (capacity <= room->capacity) {
        return true;
    }
    uint8_t *bytes = realloc(room->bytes, capacity);
    if (!bytes) {
        return false;
    }
    room->bytes = bytes;
    room->capacity = capacity;
    return true;
}

// Room for more than what is there, at most one byte more than `size_max`: that byte tells that there is too much.
static enum rf_status grow(struct rf_avro_room *room, size_t used, size_t size_max) {
    if (used > size_max) {
        return RF_FULL;
    }
    if (used < room->capacity) {
        return RF_OK;
    }
    size_t wanted = room->capacity ? GROWTH * room->capacity : ROOM_MIN;
    return rf_avro_room_reserve(room, wanted < size_max + 1 ? wanted : size_max + 1) ? RF_OK : RF_MEMORY;
}

static enum rf_status unpack_null(struct rf_text packed, size_t size_max, struct rf_avro_room *room, struct rf_text *block_out,
                                  const char **why_out) {
    (void)room;
    (void)why_out;
    *block_out = packed;
    return packed.size > size_max ? RF_FULL : RF_OK;
}

// Some writers leave bytes of zlib's checksum behind (fastavro: three of four).
enum { LEFTOVER_MAX = 4 };

static enum rf_status inflate_all(z_stream *stream, size_t size_max, struct rf_avro_room *room, struct rf_text *block_out,
                                  const char **why_out) {
    size_t used = 0;
    for (;;) {
        enum rf_status status = grow(room, used, size_max);
        if (status) {
            return status;
        }
        size_t left = room->capacity - used;
        stream->next_out = room->bytes + used;
        stream->avail_out = (uInt)left;
        int code = inflate(stream, Z_NO_FLUSH);
        used += left - stream->avail_out;
        if (code == Z_STREAM_END && stream->avail_in <= LEFTOVER_MAX) {
            *block_out = (struct rf_text){(const char *)room->bytes, used};
            return used > size_max ? RF_FULL : RF_OK;
        }
        if (code != Z_OK || stream->avail_out > 0) {
            *why_out = stream->msg ? stream->msg : code == Z_STREAM_END ? "bytes follow its end" : "it is cut";
            return RF_CORRUPT;
        }
    }
}

static enum rf_status unpack_deflate(struct rf_text packed, size_t size_max, struct rf_avro_room *room, struct rf_text *block_out,
                                     const char **why_out) {
    enum { RAW_WINDOW = -15 }; // deflate without the head and checksum of zlib
    z_stream stream = {.next_in = (Bytef *)packed.data, .avail_in = (uInt)packed.size};
    if (inflateInit2(&stream, RAW_WINDOW) != Z_OK) {
        return RF_MEMORY;
    }
    enum rf_status status = inflate_all(&stream, size_max, room, block_out, why_out);
    inflateEnd(&stream);
    return status;
}

static enum rf_status decompress_all(ZSTD_DStream *stream, struct rf_text packed, size_t size_max, struct rf_avro_room *room,
                                     struct rf_text *block_out, const char **why_out) {
    ZSTD_inBuffer from = {packed.data, packed.size, 0};
    size_t used = 0;
    for (;;) {
        enum rf_status status = grow(room, used, size_max);
        if (status) {
            return status;
        }
        ZSTD_outBuffer to = {room->bytes, room->capacity, used};
        size_t code = ZSTD_decompressStream(stream, &to, &from);
        used = to.pos;
        if (ZSTD_isError(code)) {
            *why_out = ZSTD_getErrorName(code);
            return RF_CORRUPT;
        }
        if (code == 0 && from.pos == from.size) {
            *block_out = (struct rf_text){(const char *)room->bytes, used};
            return used > size_max ? RF_FULL : RF_OK;
        }
        if (from.pos == from.size && to.pos < to.size) {
            *why_out = "it is cut";
            return RF_CORRUPT;
        }
    }
}

static enum rf_status unpack_zstandard(struct rf_text packed, size_t size_max, struct rf_avro_room *room,
                                       struct rf_text *block_out, const char **why_out) {
    ZSTD_DStream *stream = ZSTD_createDStream();
    enum rf_status status = stream ? decompress_all(stream, packed, size_max, room, block_out, why_out) : RF_MEMORY;
    ZSTD_freeDStream(stream);
    return status;
}

// The CRC-32 of the unpacked bytes stands behind, the highest byte first.
static enum rf_status unpack_snappy(struct rf_text packed, size_t size_max, struct rf_avro_room *room, struct rf_text *block_out,
                                    const char **why_out) {
    enum { CHECKSUM_SIZE = 4 };
    size_t size = 0;
    *why_out = "it is no snappy";
    if (packed.size < CHECKSUM_SIZE || snappy_uncompressed_length(packed.data, packed.size - CHECKSUM_SIZE, &size) != SNAPPY_OK) {
        return RF_CORRUPT;
    }
    if (size > size_max) {
        return RF_FULL;
    }
    if (!rf_avro_room_reserve(room, size > 0 ? size : 1)) {
        return RF_MEMORY;
    }
    if (snappy_uncompress(packed.data, packed.size - CHECKSUM_SIZE, (char *)room->bytes, &size) != SNAPPY_OK) {
        return RF_CORRUPT;
    }
    const uint8_t *checksum = (const uint8_t *)packed.data + packed.size - CHECKSUM_SIZE;
    uint32_t wanted = (uint32_t)checksum[0] << 24 | (uint32_t)checksum[1] << 16 | (uint32_t)checksum[2] << 8 | checksum[3];
    *block_out = (struct rf_text){(const char *)room->bytes, size};
    *why_out = "its checksum does not hold";
    return crc32(0, room->bytes, (uInt)size) == wanted ? RF_OK : RF_CORRUPT;
}

static const struct rf_avro_codec codecs[] = {
        {"null", unpack_null},
        {"deflate", unpack_deflate},
        {"zstandard", unpack_zstandard},
        {"snappy", unpack_snappy},
};

const struct rf_avro_codec *rf_avro_codec_find(struct rf_text name) {
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        if (rf_text_equal(name, rf_text_of(codecs[i].name))) {
            return &codecs[i];
        }
    }
    return NULL;
}

enum rf_status rf_avro_codec_unpack(const struct rf_avro_codec *codec, struct rf_text packed, size_t size_max,
                                    struct rf_avro_room *room, struct rf_text *block_out, const char **why_out) {
    return codec->unpack(packed, size_max, room, block_out, why_out);
}
