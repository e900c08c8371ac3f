#include "ingest/avro_container.h"

#include "ingest/avro_bytes.h"
#include "ingest/avro_codec.h"
#include "ingest/avro_plan.h"
#include "ingest/avro_schema.h"

#include <stdlib.h>

enum {
    READ_SIZE = 256 << 10,
    MARKER_SIZE = 16,
    VARINT_SIZE_MAX = 10,
    HEADER_BYTES_MAX = RF_AVRO_SCHEMA_BYTES_MAX + (1 << 20), // other metadata too
};

static const char magic[] = {'O', 'b', 'j', 1};

struct rf_avro_container {
    char *path;
    struct rf_reader *reader; // borrowed
    struct rf_avro_walker *walker;
    struct rf_avro_plan *plan; // finds the ends of data; NULL: the header was not read
    const struct rf_avro_codec *codec;
    struct rf_text schema; // owned
    char marker[MARKER_SIZE];

    struct rf_avro_room input; // of the file, not used up: [begin, end)
    size_t begin, end;
    uint64_t before; // bytes of the file in front of input.bytes[0]
    bool is_at_end;

    struct rf_avro_room room; // that blocks are unpacked into
    struct rf_text block;     // what is left of the present one
    uint64_t left;            // its data
    uint64_t place;           // where it begins in the file
    uint64_t datum_count;     // so far
    struct rf_error failure;
    bool has_failure;
};

static enum rf_status keep_failure(struct rf_avro_container *container, const struct rf_error *err) {
    container->has_failure = true;
    container->failure = *err;
    return err->status;
}

#define FAIL(container, err, status, ...) (rf_fail(err, status, __VA_ARGS__), keep_failure(container, err))

static enum rf_status out_of_memory(struct rf_avro_container *container, struct rf_error *err) {
    return FAIL(container, err, RF_MEMORY, "out of memory to read %s", container->path);
}

// Reads until `size` bytes are there, or as many as the file has.
static enum rf_status need(struct rf_avro_container *container, size_t size, int timeout_ms, struct rf_error *err) {
    while (container->end - container->begin < size && !container->is_at_end) {
        if (container->begin > 0) {
            memmove(container->input.bytes, container->input.bytes + container->begin, container->end - container->begin);
            container->before += container->begin;
            container->end -= container->begin;
            container->begin = 0;
        }
        if (container->input.capacity - container->end < READ_SIZE &&
            !rf_avro_room_reserve(&container->input, 2 * container->input.capacity + READ_SIZE)) {
            return out_of_memory(container, err);
        }
        size_t got = 0;
        enum rf_status status =
                rf_reader_read(container->reader, container->input.bytes + container->end, READ_SIZE, timeout_ms, &got, err);
        container->end += got;
        container->is_at_end = status == RF_END;
        if (status && status != RF_END) {
            return status == RF_AGAIN ? status : keep_failure(container, err);
        }
    }
    return RF_OK;
}

static struct rf_avro_bytes input_of(const struct rf_avro_container *container, struct rf_decode_error *error) {
    const uint8_t *bytes = container->input.bytes;
    return (struct rf_avro_bytes){
            .begin = bytes + container->begin, .at = bytes + container->begin, .end = bytes + container->end, .error = error};
}

// The header.

struct header {
    struct rf_text schema, codec;
};

// The metadata: a map of bytes.
static enum rf_status read_metadata(struct rf_avro_bytes *bytes, struct header *header) {
    for (;;) {
        uint64_t count, size;
        enum rf_status status = rf_avro_read_block(bytes, &count, &size);
        if (status || count == 0) {
            return status;
        }
        for (uint64_t i = 0; i < count && !status; i++) {
            struct rf_text key = {NULL, 0}, value = {NULL, 0};
            status = rf_avro_read_sized(bytes, &key);
            status = status ? status : rf_avro_read_sized(bytes, &value);
            header->schema = rf_text_equal(key, rf_text_of("avro.schema")) ? value : header->schema;
            header->codec = rf_text_equal(key, rf_text_of("avro.codec")) ? value : header->codec;
        }
        if (status) {
            return status;
        }
    }
}

static enum rf_status take_header(struct rf_avro_container *container, const struct header *header, struct rf_error *err) {
    if (!header->schema.data) {
        return FAIL(container, err, RF_CORRUPT, "%s has no schema in its header", container->path);
    }
    container->codec = rf_avro_codec_find(header->codec.data ? header->codec : rf_text_of("null"));
    if (!container->codec) {
        return FAIL(container, err, RF_INVALID, "%s is of the codec %s, must be null, deflate, zstandard or snappy",
                    container->path, rf_show(header->codec).text);
    }
    if (rf_avro_plan_create(&header->schema, 1, NULL, &container->plan, err)) {
        rf_fail_in(err, "the schema of %s", container->path);
        return keep_failure(container, err);
    }
    if (rf_avro_plan_is_empty(container->plan)) {
        return FAIL(container, err, RF_INVALID, "the schema of %s has no field that holds anything", container->path);
    }
    char *copy = malloc(header->schema.size);
    if (!copy) {
        return out_of_memory(container, err);
    }
    memcpy(copy, header->schema.data, header->schema.size);
    container->schema = (struct rf_text){copy, header->schema.size};
    return RF_OK;
}

static enum rf_status read_header(struct rf_avro_container *container, int timeout_ms, struct rf_error *err) {
    for (size_t wanted = 1024;; wanted *= 2) {
        enum rf_status status = need(container, wanted, timeout_ms, err);
        if (status) {
            return status;
        }
        struct rf_decode_error error;
        struct rf_avro_bytes bytes = input_of(container, &error);
        if (rf_avro_left(&bytes) < sizeof magic || memcmp(bytes.at, magic, sizeof magic) != 0) {
            return FAIL(container, err, RF_CORRUPT, "%s is no Avro container file: it does not begin with Obj and 1",
                        container->path);
        }
        bytes.at += sizeof magic;
        struct header header = {.schema = {NULL, 0}};
        if (!read_metadata(&bytes, &header) && rf_avro_left(&bytes) >= MARKER_SIZE) {
            status = take_header(container, &header, err);
            memcpy(container->marker, bytes.at, MARKER_SIZE);
            container->begin += rf_avro_place(&bytes) + MARKER_SIZE;
            return status;
        }
        if (container->is_at_end || wanted > HEADER_BYTES_MAX) {
            return FAIL(container, err, RF_CORRUPT, "%s is cut or damaged in its header of at most %d bytes", container->path,
                        HEADER_BYTES_MAX);
        }
    }
}

enum rf_status rf_avro_container_schema(struct rf_avro_container *container, int timeout_ms, struct rf_text *schema_out,
                                        struct rf_error *err) {
    if (container->has_failure) {
        *err = container->failure;
        return err->status;
    }
    enum rf_status status = container->plan ? RF_OK : read_header(container, timeout_ms, err);
    if (!status) {
        *schema_out = container->schema;
    }
    return status;
}

// Blocks.

static enum rf_status fail_block(struct rf_avro_container *container, const char *why, struct rf_error *err) {
    return FAIL(container, err, RF_CORRUPT, "%s is damaged in the block at byte %llu: %s", container->path,
                (unsigned long long)container->place, why);
}

static enum rf_status fail_size(struct rf_avro_container *container, struct rf_error *err) {
    return FAIL(container, err, RF_INVALID, "the block at byte %llu of %s has more than %d bytes, at most so many are taken",
                (unsigned long long)container->place, container->path, RF_AVRO_BLOCK_BYTES_MAX);
}

// Its count, and its bytes as they are in the file.
static enum rf_status read_packed(struct rf_avro_container *container, int timeout_ms, struct rf_text *packed_out,
                                  struct rf_error *err) {
    enum rf_status status = need(container, 2 * VARINT_SIZE_MAX, timeout_ms, err);
    if (status) {
        return status;
    }
    container->place = container->before + container->begin;
    struct rf_decode_error error;
    struct rf_avro_bytes bytes = input_of(container, &error);
    if (rf_avro_left(&bytes) == 0) {
        return RF_END;
    }
    int64_t count, size;
    if (rf_avro_read_long(&bytes, &count) || rf_avro_read_long(&bytes, &size) || count < 0 || size < 0) {
        return fail_block(container, "it does not begin with its count and size", err);
    }
    if (size > RF_AVRO_BLOCK_BYTES_MAX) {
        return fail_size(container, err);
    }
    size_t head = rf_avro_place(&bytes), whole = head + (size_t)size + MARKER_SIZE;
    status = need(container, whole, timeout_ms, err);
    if (status) {
        return status;
    }
    if (container->end - container->begin < whole) {
        return FAIL(container, err, RF_CORRUPT, "%s is cut: the block at byte %llu goes on after its end", container->path,
                    (unsigned long long)container->place);
    }
    const char *packed = (const char *)container->input.bytes + container->begin + head;
    if (memcmp(packed + size, container->marker, MARKER_SIZE) != 0) {
        return fail_block(container, "the marker behind it is not that of the file", err);
    }
    container->left = (uint64_t)count;
    container->begin += whole;
    *packed_out = (struct rf_text){packed, (size_t)size};
    return RF_OK;
}

static enum rf_status read_block(struct rf_avro_container *container, int timeout_ms, struct rf_error *err) {
    struct rf_text packed = {NULL, 0};
    enum rf_status status = read_packed(container, timeout_ms, &packed, err);
    if (status) {
        return status;
    }
    const char *why = "";
    status = rf_avro_codec_unpack(container->codec, packed, RF_AVRO_BLOCK_BYTES_MAX, &container->room, &container->block, &why);
    return status == RF_OK       ? RF_OK
           : status == RF_MEMORY ? out_of_memory(container, err)
           : status == RF_FULL   ? fail_size(container, err)
                                 : fail_block(container, why, err);
}

enum rf_status rf_avro_container_next(struct rf_avro_container *container, int timeout_ms, struct rf_text *datum_out,
                                      struct rf_error *err) {
    struct rf_text schema;
    enum rf_status status = rf_avro_container_schema(container, timeout_ms, &schema, err);
    while (!status && container->left == 0) {
        if (container->block.size > 0) {
            return fail_block(container, "bytes follow its last record", err);
        }
        status = read_block(container, timeout_ms, err);
    }
    if (status) {
        return status;
    }
    size_t size;
    struct rf_decode_error error;
    if (rf_avro_measure(container->walker, container->plan, container->block, &size, &error)) {
        return FAIL(container, err, RF_CORRUPT,
                    "%s is damaged in the block at byte %llu: record %llu of the file is none of its schema: %s", container->path,
                    (unsigned long long)container->place, (unsigned long long)container->datum_count, error.detail);
    }
    *datum_out = (struct rf_text){container->block.data, size};
    container->block.data += size;
    container->block.size -= size;
    container->left--;
    container->datum_count++;
    return RF_OK;
}

void rf_avro_container_destroy(struct rf_avro_container *container) {
    if (container) {
        rf_avro_plan_destroy(container->plan);
        rf_avro_walker_destroy(container->walker);
        free((char *)container->schema.data);
        free(container->input.bytes);
        free(container->room.bytes);
        free(container->path);
        free(container);
    }
}

enum rf_status rf_avro_container_create(const char *path, struct rf_reader *reader, struct rf_avro_container **container_out,
                                        struct rf_error *err) {
    struct rf_avro_container *container = calloc(1, sizeof *container);
    if (!container) {
        return rf_fail(err, RF_MEMORY, "out of memory to read %s", path);
    }
    container->reader = reader;
    container->path = strdup(path);
    enum rf_status status = container->path ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory to read %s", path);
    status = status ? status : rf_avro_walker_create(NULL, &container->walker, err);
    if (status) {
        rf_avro_container_destroy(container);
        return status;
    }
    *container_out = container;
    return RF_OK;
}
