#ifndef RF_PROTO_SNAPSHOT_INTERNAL_H
#define RF_PROTO_SNAPSHOT_INTERNAL_H
// What the writer and the reader of snapshots share: the numbers of the format, and the header as a message.
#include "proto/arena.h"
#include "proto/snapshot.h"

#include <riffle.pb-c.h>

// Four letters as a little-endian number, so that they can be read in a dump of the file.
enum rf_section_kind {
    RF_SECTION_HEAD = 'H' | 'E' << 8 | 'A' << 16 | 'D' << 24,
    RF_SECTION_BLOCK = 'B' | 'L' << 8 | 'O' << 16 | 'K' << 24,
    RF_SECTION_PIECES = 'P' | 'I' << 8 | 'E' << 16 | 'C' << 24,
    RF_SECTION_END = 'E' | 'N' << 8 | 'D' << 16 | ' ' << 24,
};

enum {
    RF_SNAPSHOT_FORMAT = 1,
    RF_SNAPSHOT_MAGIC_SIZE = 8, // the format number is the last of them
    RF_SECTION_REQUIRED = 1,    // flag
    RF_SECTION_HEAD_SIZE = 16,  // kind, flags, size
    RF_SECTION_END_SIZE = RF_SECTION_HEAD_SIZE + RF_SHA256_SIZE,
    RF_PIECE_HEAD_SIZE = 8,     // index, size
    RF_SECTION_PIECES_MAX = 64, // pieces of a section, as written

    // What a reader unpacks, and so a writer writes, at most.
    RF_SNAPSHOT_HEADER_SIZE_MAX = 16 << 20,
    RF_SNAPSHOT_BLOCK_SIZE_MAX = 1 << 20,
    RF_SNAPSHOT_BLOCKS_MAX = 4096,
    RF_SNAPSHOT_UNPACKED_SIZE_MAX = 64 << 20, // of one message in memory
};

extern const uint8_t rf_snapshot_magic[RF_SNAPSHOT_MAGIC_SIZE];

static inline uint64_t rf_padded(uint64_t size) {
    return (size + 7) & ~(uint64_t)7;
}

// A section of one message, in memory of its own behind `lead` bytes that are left to the caller; NULL when memory is out.
uint8_t *rf_section_of_message(enum rf_section_kind kind, const ProtobufCMessage *message, size_t lead, size_t *size_out);

// A message whose parts live in the arena; NULL when the bytes are none, or the arena is too small for it.
ProtobufCMessage *rf_section_unpack(const ProtobufCMessageDescriptor *descriptor, const uint8_t *contents, size_t size,
                                    struct rf_arena *arena);

// The digest of a model from the digest of its state.
void rf_model_sha256_of_state(const uint8_t specification_sha256[RF_SHA256_SIZE], const uint8_t state_sha256[RF_SHA256_SIZE],
                              uint8_t digest_out[RF_SHA256_SIZE]);

// The HEAD section behind `lead` bytes.
enum rf_status rf_snapshot_header_pack(const struct rf_snapshot_header *header, size_t lead, uint8_t **section_out,
                                       size_t *size_out, struct rf_error *err) RF_MUST_USE;

// The header from the contents of a HEAD section; what it unpacks on the way is bounded by the arena.
enum rf_status rf_snapshot_header_unpack(const uint8_t *contents, size_t size, struct rf_arena *arena,
                                         struct rf_snapshot_header *header_out, struct rf_error *err) RF_MUST_USE;

// Called for what a snapshot holds, in its order, after it has been checked; any may be NULL. `stored` counts the bytes of a
// block that were not left out. Everything is lent for the call, but the header's contents: they are the snapshot's bytes.
struct rf_snapshot_visitor {
    void (*header)(void *context, const uint8_t *contents, size_t size);
    enum rf_status (*begin)(void *context, const struct rf_block *shape, struct rf_error *err); // ends the walk unless RF_OK
    void (*piece)(void *context, const struct rf_block *shape, size_t piece, const uint8_t *bytes);
    void (*end)(void *context, const struct rf_block *shape, uint64_t stored);
    void *context;
};

// Checks the frame and, on the way, all contents but the header's. The checksum is not among it.
enum rf_status rf_snapshot_walk(const void *data, size_t size, const struct rf_snapshot_visitor *visitor,
                                struct rf_error *err) RF_MUST_USE;

// Checks the frame and the checksum; `digest_out` points into `data`.
enum rf_status rf_snapshot_check_sum(const void *data, size_t size, const uint8_t **digest_out, struct rf_error *err) RF_MUST_USE;

#endif
