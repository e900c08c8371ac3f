#include "sinks/snapshot_file.h"

#include "proto/hash.h"

#include <riffle.pb-c.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rf_snapshot_file {
    int fd;
    unsigned holders;
    char *model;
    uint64_t sequence;
    uint32_t epoch;
    uint64_t size; // bytes
    uint32_t chunk_count;
    struct rf_text manifest; // owned
    uint8_t *chunk;          // [RF_CHUNK_SIZE] read from the file
    uint8_t *message;        // [message_capacity] the chunk, packed
    size_t message_capacity;
};

static size_t chunk_size(const struct rf_snapshot_file *file, uint32_t index) {
    uint64_t left = file->size - (uint64_t)index * RF_CHUNK_SIZE;
    return left < RF_CHUNK_SIZE ? (size_t)left : RF_CHUNK_SIZE;
}

static bool read_chunk(struct rf_snapshot_file *file, uint32_t index) {
    size_t size = chunk_size(file, index);
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(file->fd, file->chunk + done, size - done, (off_t)index * RF_CHUNK_SIZE + (off_t)done);
        if (got == 0) {
            errno = ENODATA; // cut by somebody
        }
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static enum rf_status pack_manifest(struct rf_snapshot_file *file, const struct rf_snapshot_origin *origin, uint8_t *sha256,
                                    struct rf_error *err) {
    Riffle__V1__Version version = RIFFLE__V1__VERSION__INIT;
    version.line = origin->version->line;
    version.base_number = origin->version->base;
    version.epoch = origin->version->epoch;
    version.since = origin->version->since;
    Riffle__V1__SnapshotManifest manifest = RIFFLE__V1__SNAPSHOT_MANIFEST__INIT;
    manifest.model = file->model;
    manifest.sequence = file->sequence;
    manifest.epoch = file->epoch;
    manifest.version = &version;
    manifest.size = file->size;
    manifest.sha256 = (ProtobufCBinaryData){.len = RF_SHA256_SIZE, .data = sha256};
    manifest.chunk_size = RF_CHUNK_SIZE;
    manifest.chunk_count = file->chunk_count;
    manifest.model_sha256 = (ProtobufCBinaryData){.len = RF_SHA256_SIZE, .data = (uint8_t *)origin->model_sha256};
    uint8_t *packed = malloc(riffle__v1__snapshot_manifest__get_packed_size(&manifest));
    if (!packed) {
        return rf_fail(err, RF_MEMORY, "a manifest does not fit into memory");
    }
    file->manifest = (struct rf_text){(char *)packed, riffle__v1__snapshot_manifest__pack(&manifest, packed)};
    return RF_OK;
}

static enum rf_status open_file(struct rf_snapshot_file *file, const char *path, struct rf_error *err) {
    struct stat stat;
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &stat) != 0) {
        return rf_fail(err, RF_IO, "cannot open snapshot %s: %s", path, strerror(errno));
    }
    uint64_t count = ((uint64_t)stat.st_size + RF_CHUNK_SIZE - 1) / RF_CHUNK_SIZE;
    if (!S_ISREG(stat.st_mode) || count == 0 || count > UINT32_MAX) {
        return rf_fail(err, RF_INVALID, "snapshot %s has %" PRId64 " bytes, must be a file that holds a snapshot", path,
                       (int64_t)stat.st_size);
    }
    file->size = (uint64_t)stat.st_size;
    file->chunk_count = (uint32_t)count;
    file->chunk = malloc(RF_CHUNK_SIZE);
    file->message_capacity = RF_CHUNK_SIZE + strlen(file->model) + 64;
    file->message = malloc(file->message_capacity);
    return file->chunk && file->message ? RF_OK : rf_fail(err, RF_MEMORY, "a chunk of a snapshot does not fit into memory");
}

static enum rf_status hash_file(struct rf_snapshot_file *file, const char *path, uint8_t digest_out[RF_SHA256_SIZE],
                                struct rf_error *err) {
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    bool is_read = true;
    for (uint32_t i = 0; is_read && i < file->chunk_count; i++) {
        is_read = read_chunk(file, i);
        if (is_read) {
            rf_sha256_update(&sha, file->chunk, chunk_size(file, i));
        }
    }
    rf_sha256_finish(&sha, digest_out);
    return is_read ? RF_OK : rf_fail(err, RF_IO, "cannot read snapshot %s: %s", path, strerror(errno));
}

enum rf_status rf_snapshot_file_open(const char *path, const struct rf_snapshot_origin *origin,
                                     struct rf_snapshot_file **file_out, struct rf_error *err) {
    struct rf_snapshot_file *file = calloc(1, sizeof *file);
    if (!file) {
        return rf_fail(err, RF_MEMORY, "a snapshot file does not fit into memory");
    }
    file->fd = -1;
    file->holders = 1;
    file->sequence = origin->sequence;
    file->epoch = origin->epoch;
    file->model = strdup(origin->model);
    uint8_t sha256[RF_SHA256_SIZE];
    enum rf_status status =
            file->model ? open_file(file, path, err) : rf_fail(err, RF_MEMORY, "a snapshot file does not fit into memory");
    status = status ? status : hash_file(file, path, sha256, err);
    status = status ? status : pack_manifest(file, origin, sha256, err);
    if (status) {
        rf_snapshot_file_release(file);
        return status;
    }
    *file_out = file;
    return RF_OK;
}

struct rf_snapshot_file *rf_snapshot_file_hold(struct rf_snapshot_file *file) {
    file->holders++;
    return file;
}

void rf_snapshot_file_release(struct rf_snapshot_file *file) {
    if (!file || --file->holders > 0) {
        return;
    }
    if (file->fd >= 0) {
        (void)close(file->fd);
    }
    free((char *)file->manifest.data);
    free(file->chunk);
    free(file->message);
    free(file->model);
    free(file);
}

uint32_t rf_snapshot_file_chunk_count(const struct rf_snapshot_file *file) {
    return file->chunk_count;
}

struct rf_text rf_snapshot_file_manifest(const struct rf_snapshot_file *file) {
    return file->manifest;
}

struct rf_text rf_snapshot_file_chunk(struct rf_snapshot_file *file, uint32_t index) {
    if (!read_chunk(file, index)) {
        return (struct rf_text){0};
    }
    Riffle__V1__SnapshotChunk chunk = RIFFLE__V1__SNAPSHOT_CHUNK__INIT;
    chunk.model = file->model;
    chunk.sequence = file->sequence;
    chunk.epoch = file->epoch;
    chunk.index = index;
    chunk.data = (ProtobufCBinaryData){.len = chunk_size(file, index), .data = file->chunk};
    size_t size = riffle__v1__snapshot_chunk__pack(&chunk, file->message);
    assert(size <= file->message_capacity);
    return (struct rf_text){(char *)file->message, size};
}
