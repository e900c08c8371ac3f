#ifndef RF_SINKS_SNAPSHOT_FILE_H
#define RF_SINKS_SNAPSHOT_FILE_H
// A snapshot file as it crosses the wire: a manifest and chunks. It stays open, so it may be removed meanwhile; the last of
// its holders closes it. One thread.
#include "proto/prediction.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stddef.h>
#include <stdint.h>

enum { RF_CHUNK_SIZE = 1 << 20 };

struct rf_snapshot_file;

struct rf_snapshot_origin {
    const char *model;
    uint64_t sequence;
    uint32_t epoch;
    const struct rf_version *version;
    const uint8_t *model_sha256; // [32]
};

// Opens and reads all of it, for its SHA-256. The caller is its first holder.
enum rf_status rf_snapshot_file_open(const char *path, const struct rf_snapshot_origin *origin,
                                     struct rf_snapshot_file **file_out, struct rf_error *err) RF_MUST_USE;
struct rf_snapshot_file *rf_snapshot_file_hold(struct rf_snapshot_file *file); // returns `file`
void rf_snapshot_file_release(struct rf_snapshot_file *file);                  // NULL is fine

uint32_t rf_snapshot_file_chunk_count(const struct rf_snapshot_file *file);

// The bytes of its riffle.v1.SnapshotManifest. Borrowed.
struct rf_text rf_snapshot_file_manifest(const struct rf_snapshot_file *file);

// The bytes of a riffle.v1.SnapshotChunk. Borrowed until the next call. Absent when the file cannot be read any more.
struct rf_text rf_snapshot_file_chunk(struct rf_snapshot_file *file, uint32_t index);

#endif
