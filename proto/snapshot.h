#ifndef RF_PROTO_SNAPSHOT_H
#define RF_PROTO_SNAPSHOT_H
// The snapshot format: bytes to and from a state. Knows nothing of files, threads or retention (ops/checkpoint does).
//
//     "RIFFLE" 0x00 0x01                     magic and format number
//     section*                               kind u32, flags u32, size u64 (of the contents), contents, padded to 8
//     section END                            contents: SHA-256 of all bytes before it; the file ends with it
//
// All integers are little-endian; padding is zeros. The kinds, each named by its four letters:
//
//     HEAD     a riffle.v1.SnapshotHeader; one, in any place (written behind the blocks)
//     BLOK     a riffle.v1.SnapshotBlock: name and shape of the block whose pieces follow
//     PIEC     pieces of that block: index u32, size u32, bytes padded to 8. Over all its PIEC sections the indices
//              increase; pieces of zeros are left out. Writers close a section after 64 pieces
//     "END "   as above; its flags are 1
//
// A reader skips a kind it does not know unless its flag bit 0 (required) is set. The same header and contents always
// give the same bytes, whatever the pace they are written at.
#include "proto/hash.h"
#include "proto/position.h"
#include "proto/prediction.h"
#include "proto/state.h"

struct rf_bookmark {
    char *sink;     // its name in the settings, e.g. "file:scores.jsonl"
    uint64_t value; // how far it had written when the state was frozen
};

// What stands beside the blocks. Texts and lists are owned by the struct: rf_snapshot_header_finish() frees them.
struct rf_snapshot_header {
    char *model;
    char *specification; // canonical text, one `path = value` a line
    uint8_t specification_sha256[RF_SHA256_SIZE];
    struct rf_version version; // since == 0
    uint8_t parent_sha256[RF_SHA256_SIZE];
    bool has_parent;
    struct rf_positions positions;
    uint64_t schedule_runs; // see ops/schedule.h
    uint64_t records;
    uint64_t learned;
    uint64_t rejected;
    int64_t created_ms;
    uint8_t model_sha256[RF_SHA256_SIZE];
    struct rf_bookmark *bookmarks; // [bookmark_count]
    size_t bookmark_count;
    char *worker;
    char *program;
};

void rf_snapshot_header_init(struct rf_snapshot_header *header);
void rf_snapshot_header_finish(struct rf_snapshot_header *header);

// A header by itself, as its HEAD section: in memory that the caller frees, behind `lead` bytes that are left to it
// (counted in *size_out). RF_INVALID when it is too large for the reader.
enum rf_status rf_snapshot_header_bytes(const struct rf_snapshot_header *header, size_t lead, uint8_t **bytes_out,
                                        size_t *size_out, struct rf_error *err) RF_MUST_USE;

// RF_CORRUPT, in words, for bytes that are none. Finish `header_out` only when RF_OK.
enum rf_status rf_snapshot_header_of_bytes(const uint8_t *bytes, size_t size, struct rf_snapshot_header *header_out,
                                           struct rf_error *err) RF_MUST_USE;

// SHA-256 over the specification's own digest and the digest of all RF_SCOPE_MODEL blocks: names what was learned, not
// where from nor when.
void rf_model_sha256(const uint8_t specification_sha256[RF_SHA256_SIZE], const struct rf_state *state,
                     uint8_t digest_out[RF_SHA256_SIZE]);

// Where a writer's bytes go. RF_OK, or a failure that the writer hands on (with its sentence in err).
typedef enum rf_status rf_snapshot_output(void *context, const void *data, size_t size, struct rf_error *err);

// Writes a snapshot of a state a bit at a time, so that the caller chooses the thread and the pace. Header and state are
// borrowed until destroy(); the state gets no new blocks in between. A frozen state is written as it was at the freeze. The
// model_sha256 of the header given does not count: the writer makes the digest while the pieces pass. RF_INVALID when a
// header or block is too large for the format's readers.
struct rf_snapshot_writer;
enum rf_status rf_snapshot_writer_create(const struct rf_snapshot_header *header, struct rf_state *state,
                                         rf_snapshot_output *output, void *context, struct rf_snapshot_writer **writer_out,
                                         struct rf_error *err) RF_MUST_USE;
void rf_snapshot_writer_destroy(struct rf_snapshot_writer *writer);

// Reads up to about `budget` bytes more of the state and writes what there is. RF_AGAIN: there is more. RF_OK: done, and
// what the three below tell is final. A failure of `output` ends the writing: it is
// answered again by every later call.
enum rf_status rf_snapshot_writer_advance(struct rf_snapshot_writer *writer, size_t budget, struct rf_error *err) RF_MUST_USE;
const uint8_t *rf_snapshot_writer_model_sha256(const struct rf_snapshot_writer *writer); // [RF_SHA256_SIZE]
const uint8_t *rf_snapshot_writer_sha256(const struct rf_snapshot_writer *writer); // [RF_SHA256_SIZE], as in the END section
uint64_t rf_snapshot_writer_size(const struct rf_snapshot_writer *writer);         // bytes written so far

// Checks magic, structure, bounds and checksum of a whole snapshot in memory, and reads its header. RF_CORRUPT or
// RF_UNSUPPORTED with a sentence ("is cut after 4096 of at least 8192 bytes", "is of format 2, this program reads 1").
// `header_out` is initialised by this call; finish it only when RF_OK. `sha256_out` may be NULL.
enum rf_status rf_snapshot_read_header(const void *data, size_t size, struct rf_snapshot_header *header_out,
                                       uint8_t sha256_out[RF_SHA256_SIZE], struct rf_error *err) RF_MUST_USE;

// Fills the blocks of `state` (not frozen) from a snapshot that rf_snapshot_read_header() accepted. Every block must be there
// with the same rows and columns (RF_CONFLICT names the difference before anything is changed); blocks that the state does not
// list are passed over. Pieces that were left out become zeros, as do blocks that may begin anew and are not there in that size.
enum rf_status rf_snapshot_read_state(const void *data, size_t size, struct rf_state *state, struct rf_error *err) RF_MUST_USE;

// Calls `visit` for every block of such a snapshot, with its shape and how many bytes of it are not left out.
typedef void rf_snapshot_visit(void *context, const char *name, uint64_t rows, uint64_t row_size, uint64_t stored_size);
enum rf_status rf_snapshot_each_block(const void *data, size_t size, rf_snapshot_visit *visit, void *context,
                                      struct rf_error *err);

#endif
