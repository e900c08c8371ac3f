#include "ingest/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { INPUT_SIZE = 256 << 10, MAGIC_SIZE = 4, GZIP_WINDOW = 15 + 16 };

enum compression { COMPRESSION_UNKNOWN, COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

struct rf_reader {
    char *path;
    int fd;
    bool is_regular;
    bool is_input_ended;
    enum compression compression;
    bool is_inside; // a gzip member or a zstd frame has begun and not ended
    bool was_full;  // the room for output was used up: there may be more without more input
    z_stream gzip;
    bool has_gzip;
    ZSTD_DStream *zstd;

    uint8_t *input; // [INPUT_SIZE]
    size_t input_next, input_end;
    uint64_t input_before; // bytes of the file in front of input[0]

    struct rf_error failure;
    bool has_failure;
};

static enum rf_status fail(struct rf_reader *reader, struct rf_error *err) {
    reader->has_failure = true;
    *err = reader->failure;
    return err->status;
}

static unsigned long long byte_reached(const struct rf_reader *reader) {
    return reader->input_before + reader->input_next;
}

static enum rf_status fail_damaged(struct rf_reader *reader, const char *format, const char *why, struct rf_error *err) {
    rf_fail(&reader->failure, RF_CORRUPT, "%s is damaged at byte %llu of its %s: %s", reader->path, byte_reached(reader), format,
            why);
    return fail(reader, err);
}

// Reads once, after waiting for bytes when the file is a pipe or a terminal.
static enum rf_status read_some(struct rf_reader *reader, void *out, size_t capacity, int timeout_ms, size_t *size_out,
                                struct rf_error *err) {
    if (!reader->is_regular) {
        struct pollfd waiting = {.fd = reader->fd, .events = POLLIN};
        if (poll(&waiting, 1, timeout_ms) <= 0) { // a signal ends the wait like the time does
            return RF_AGAIN;
        }
    }
    ssize_t size = read(reader->fd, out, capacity);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return RF_AGAIN;
    }
    if (size < 0) {
        rf_fail(&reader->failure, RF_IO, "%s cannot be read: %s", reader->path, strerror(errno));
        return fail(reader, err);
    }
    *size_out = (size_t)size;
    return size == 0 ? RF_END : RF_OK;
}

// Adds to the input buffer, whose beginning was used up; RF_END when the file has no more.
static enum rf_status read_input(struct rf_reader *reader, int timeout_ms, struct rf_error *err) {
    if (reader->is_input_ended) {
        return RF_END;
    }
    if (reader->input_next > 0) {
        memmove(reader->input, reader->input + reader->input_next, reader->input_end - reader->input_next);
        reader->input_before += reader->input_next;
        reader->input_end -= reader->input_next;
        reader->input_next = 0;
    }
    size_t size = 0;
    enum rf_status status =
            read_some(reader, reader->input + reader->input_end, INPUT_SIZE - reader->input_end, timeout_ms, &size, err);
    reader->input_end += size;
    reader->is_input_ended = status == RF_END;
    return status;
}

// Looks at the first bytes. A file too short for them is plain.
static enum rf_status detect(struct rf_reader *reader, int timeout_ms, struct rf_error *err) {
    static const uint8_t gzip_magic[] = {0x1f, 0x8b}, zstd_magic[MAGIC_SIZE] = {0x28, 0xb5, 0x2f, 0xfd};
    static const uint8_t skippable_magic[MAGIC_SIZE] = {0x50, 0x2a, 0x4d, 0x18}; // the low half of the first byte is free
    while (reader->input_end < MAGIC_SIZE) {
        enum rf_status status = read_input(reader, timeout_ms, err);
        if (status == RF_END) {
            break;
        }
        if (status) {
            return status;
        }
    }
    const uint8_t *input = reader->input;
    bool is_skippable = reader->input_end >= MAGIC_SIZE && (input[0] & 0xf0) == skippable_magic[0] &&
                        memcmp(input + 1, skippable_magic + 1, MAGIC_SIZE - 1) == 0;
    if (reader->input_end >= sizeof gzip_magic && memcmp(input, gzip_magic, sizeof gzip_magic) == 0) {
        if (inflateInit2(&reader->gzip, GZIP_WINDOW) != Z_OK) {
            rf_fail(&reader->failure, RF_MEMORY, "out of memory to read %s", reader->path);
            return fail(reader, err);
        }
        reader->has_gzip = true;
        reader->compression = COMPRESSION_GZIP;
    } else if (is_skippable || (reader->input_end >= MAGIC_SIZE && memcmp(input, zstd_magic, MAGIC_SIZE) == 0)) {
        reader->zstd = ZSTD_createDStream();
        if (!reader->zstd) {
            rf_fail(&reader->failure, RF_MEMORY, "out of memory to read %s", reader->path);
            return fail(reader, err);
        }
        reader->compression = COMPRESSION_ZSTD;
    } else {
        reader->compression = COMPRESSION_NONE;
    }
    return RF_OK;
}

static enum rf_status read_plain(struct rf_reader *reader, void *out, size_t capacity, int timeout_ms, size_t *size_out,
                                 struct rf_error *err) {
    size_t held = reader->input_end - reader->input_next;
    if (held == 0) {
        return reader->is_input_ended ? RF_END : read_some(reader, out, capacity, timeout_ms, size_out, err);
    }
    size_t size = held < capacity ? held : capacity;
    memcpy(out, reader->input + reader->input_next, size);
    reader->input_next += size;
    *size_out = size;
    return RF_OK;
}

// Makes sure there is input; RF_END only between members or frames: an end inside one is a cut file.
static enum rf_status need_input(struct rf_reader *reader, const char *format, int timeout_ms, struct rf_error *err) {
    if (reader->input_next < reader->input_end || (reader->is_inside && reader->was_full)) {
        return RF_OK;
    }
    enum rf_status status = read_input(reader, timeout_ms, err);
    if (status == RF_END && reader->is_inside) {
        rf_fail(&reader->failure, RF_CORRUPT, "%s is cut at byte %llu: its %s goes on", reader->path, byte_reached(reader),
                format);
        return fail(reader, err);
    }
    return status;
}

// Whatever follows a gzip member and is not another one is padding, which gzip allows if it is zeros.
static bool is_gzip_padding(struct rf_reader *reader) {
    while (reader->input_next < reader->input_end && reader->input[reader->input_next] == 0) {
        reader->input_next++;
    }
    return reader->input_next == reader->input_end;
}

static enum rf_status read_gzip(struct rf_reader *reader, void *out, size_t capacity, int timeout_ms, size_t *size_out,
                                struct rf_error *err) {
    for (;;) {
        enum rf_status status = need_input(reader, "gzip", timeout_ms, err);
        if (status) {
            return status;
        }
        if (!reader->is_inside && byte_reached(reader) > 0) {
            if (is_gzip_padding(reader)) {
                continue;
            }
            inflateReset(&reader->gzip);
        }
        reader->is_inside = true;
        z_stream *gzip = &reader->gzip;
        size_t held = reader->input_end - reader->input_next;
        gzip->next_in = reader->input + reader->input_next;
        gzip->avail_in = (uInt)held;
        gzip->next_out = out;
        gzip->avail_out = (uInt)(capacity < INT32_MAX ? capacity : INT32_MAX);
        uInt room = gzip->avail_out;
        int code = inflate(gzip, Z_NO_FLUSH);
        reader->input_next += held - gzip->avail_in;
        if (code == Z_STREAM_END) {
            reader->is_inside = false;
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return fail_damaged(reader, "gzip", gzip->msg ? gzip->msg : "not gzip", err);
        }
        reader->was_full = gzip->avail_out == 0;
        if (gzip->avail_out < room) {
            *size_out = room - gzip->avail_out;
            return RF_OK;
        }
    }
}

static enum rf_status read_zstd(struct rf_reader *reader, void *out, size_t capacity, int timeout_ms, size_t *size_out,
                                struct rf_error *err) {
    for (;;) {
        enum rf_status status = need_input(reader, "zstd", timeout_ms, err);
        if (status) {
            return status;
        }
        ZSTD_inBuffer from = {reader->input, reader->input_end, reader->input_next};
        ZSTD_outBuffer to = {out, capacity, 0};
        size_t code = ZSTD_decompressStream(reader->zstd, &to, &from);
        reader->input_next = from.pos;
        if (ZSTD_isError(code)) {
            return fail_damaged(reader, "zstd", ZSTD_getErrorName(code), err);
        }
        reader->is_inside = code != 0;
        reader->was_full = to.pos == to.size;
        if (to.pos > 0) {
            *size_out = to.pos;
            return RF_OK;
        }
    }
}

enum rf_status rf_reader_read(struct rf_reader *reader, void *out, size_t capacity, int timeout_ms, size_t *size_out,
                              struct rf_error *err) {
    if (reader->has_failure) {
        return fail(reader, err);
    }
    if (reader->compression == COMPRESSION_UNKNOWN) {
        enum rf_status status = detect(reader, timeout_ms, err);
        if (status) {
            return status;
        }
    }
    switch (reader->compression) {
    case COMPRESSION_GZIP:
        return read_gzip(reader, out, capacity, timeout_ms, size_out, err);
    case COMPRESSION_ZSTD:
        return read_zstd(reader, out, capacity, timeout_ms, size_out, err);
    default:
        return read_plain(reader, out, capacity, timeout_ms, size_out, err);
    }
}

bool rf_reader_is_rewindable(const struct rf_reader *reader) {
    return reader->is_regular && reader->fd != STDIN_FILENO;
}

enum rf_status rf_reader_open(const char *path, struct rf_reader **reader_out, struct rf_error *err) {
    struct rf_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        return rf_fail(err, RF_MEMORY, "out of memory to read %s", path);
    }
    bool is_input = strcmp(path, "-") == 0;
    reader->fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    reader->path = strdup(is_input ? "standard input" : path);
    reader->input = malloc(INPUT_SIZE);
    struct stat facts;
    if (reader->fd < 0) {
        int reason = errno;
        rf_fail(err, reason == ENOENT || reason == ENOTDIR ? RF_NOT_FOUND : RF_IO, "%s cannot be opened: %s", path,
                strerror(reason));
        goto fail;
    }
    if (!reader->path || !reader->input) {
        rf_fail(err, RF_MEMORY, "out of memory to read %s", path);
        goto fail;
    }
    if (fstat(reader->fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        rf_fail(err, RF_INVALID, "%s is a folder, must be a file", reader->path);
        goto fail;
    }
    reader->is_regular = S_ISREG(facts.st_mode);
    *reader_out = reader;
    return RF_OK;
fail:
    rf_reader_close(reader);
    return err->status;
}

void rf_reader_close(struct rf_reader *reader) {
    if (!reader) {
        return;
    }
    if (reader->has_gzip) {
        inflateEnd(&reader->gzip);
    }
    ZSTD_freeDStream(reader->zstd);
    if (reader->fd > STDIN_FILENO) {
        close(reader->fd);
    }
    free(reader->path);
    free(reader->input);
    free(reader);
}
