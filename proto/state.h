#ifndef RF_PROTO_STATE_H
#define RF_PROTO_STATE_H
// State as blocks. Whatever has memory (learner, scaler, evaluation, later windows and joins) lists it here as arrays
// of described rows without pointers; this file then does once, for all: save, restore, hash, compare, and copy before
// write. The merge rules are read by the fleet.
#include "proto/hash.h"
#include "proto/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rf_column_type { RF_U8, RF_U32, RF_U64, RF_I64, RF_F32, RF_F64 };

// How two workers' changes of a column become one; proto/state_merge.h says what each gives. RF_MERGE_NONE keeps its owner out of
// a shared fleet.
//
// Moments are three columns in this order: count (u64 or f64), mean (f64), scatter (f64). The mean has k elements; the count has
// 1 or k; the scatter has k (sums of squared deviations) or k (k + 1) / 2 (sums of their products: a symmetric matrix, its lower
// triangle by rows).
//
// A keyed block has a key column and is a table with open addressing: a power of two of rows, at most half of them in use, a row
// of zeros is free, a key's search begins at rf_key_home() and goes up by ones. Two tables meet by key, not by row. Its rows may
// name, in a column of places, the elements of other blocks that belong to a key (struct rf_block, `places`): 1 for the first
// key met, 2 for the next; there are as many elements as half the rows.
enum rf_merge {
    RF_MERGE_NONE,
    RF_MERGE_SUM,     // sufficient statistics, accumulators
    RF_MERGE_MAX,     // normalisers, with rescaling
    RF_MERGE_DECAYED, // a decayed total plus contributions: moving averages, weights under L2
    RF_MERGE_MOMENTS, // count, mean and scatter, by Chan's formula
    RF_MERGE_MEAN,
    RF_MERGE_KEY,     // u64, the first column of a keyed block
    RF_MERGE_PLACE,   // u64, the place of a key in other blocks
    RF_MERGE_USED,    // u64, in a block of one row: how many rows of the block listed just before are not all zeros
    RF_MERGE_DERIVED, // follows from other columns: a merge zeroes it, and its owner makes it again when it finds zeros
};

struct rf_column {
    const char *name;
    enum rf_column_type type;
    uint32_t offset; // bytes into the row
    uint32_t count;  // elements of `type` one after the other, at least 1
    enum rf_merge merge;
};

enum rf_block_scope {
    RF_SCOPE_MODEL, // part of model_sha256
    // Saved and restored, but not part of model_sha256:
    RF_SCOPE_EVALUATION,   // how good the model is
    RF_SCOPE_CIRCUMSTANCE, // what it was computed with
};

// Blocks are read and stored by the piece, and copied before they are written by the grain, a cache line: a batch of sparse
// records writes single rows all over a table, and waits for each copy.
enum { RF_PIECE_SIZE = 4096, RF_GRAIN_SIZE = 64, RF_BLOCK_EAGER_SIZE = 1 << 20 };

// Where a grain stands while a snapshot is being taken: in bits 0 to 2 of its mark. Bits 3 to 7 are the freeze it stands so since
// (of another one: it is pending).
enum rf_grain_state {
    RF_GRAIN_PENDING,  // neither read nor written since the freeze
    RF_GRAIN_READING,  // the snapshot's thread is copying it
    RF_GRAIN_COPYING,  // the fold thread is copying it, to the shadow
    RF_GRAIN_SHADOWED, // its copy is to be read
    RF_GRAIN_DONE,     // read: the fold may write it freely
};

struct rf_block {
    const char *name; // unique in the state, e.g. "linear.weights"; static or owned by whoever listed it
    size_t rows;
    size_t row_size;                 // bytes; the columns cover all of it: no padding that is not a column
    const struct rf_column *columns; // in order of their offsets
    size_t column_count;
    void *data; // [rows][row_size], owned by whoever listed it
    enum rf_block_scope scope;
    bool may_begin_anew; // a snapshot that has it not at all, or in another number of rows, leaves it all zeros
    const char *places;  // NULL, or the keyed block, listed before, whose places say whose moments the elements of a row are
    bool is_touched;     // its owner calls rf_block_touch() before every write; else the block is copied whole at a freeze

    // Whether touches of this block are heard of: it is frozen and copied by grain, or what is written is noted down.
    bool is_watched;
    uint64_t *dirty; // [(grains + 63) / 64] bits of grains written since rf_block_forget_written(); NULL: nobody wants to know

    // Copy before write; set by rf_state_freeze(), NULL in between. A block copied whole has a shadow only.
    _Atomic uint8_t *mark; // [grains] see enum rf_grain_state
    uint8_t *shadow;       // copies of grains that were about to be written, in slots one after the other, or of the whole block
    _Atomic size_t read;   // grains [0, read) are done, whatever their marks say

    // What is behind the three while frozen. Made by the first freeze and kept for the next: memory that has been touched is
    // copied to several times faster.
    _Atomic uint8_t *reserved_mark;
    uint8_t *reserved_shadow;
    uint32_t *slot;              // [grains] of the copy
    uint8_t freeze;              // the latest one, 1 to 31
    _Atomic uint32_t slots_used; // by copies
    uint32_t slots_provided;     // that have memory
};

// All blocks of a pipeline, in the order they were listed. The fold thread owns it; a frozen one may be read by one
// other thread through rf_block_read_piece() and rf_state_provide() alone.
struct rf_state {
    struct rf_block **list; // [count]
    size_t count;
    size_t capacity;
    bool is_frozen;
};

void rf_state_init(struct rf_state *state);
void rf_state_finish(struct rf_state *state);

// Lists a block (copied, but `data`, `columns` and `name` stay the owner's). Asserts that the name is new and that the
// columns cover the row. The pointer returned stays valid until rf_state_finish(): owners keep it to touch. Aborts when
// memory is out: what it takes is small, and taken in setup.
struct rf_block *rf_state_add(struct rf_state *state, const struct rf_block *block);

struct rf_block *rf_state_find(const struct rf_state *state, const char *name); // NULL when it is not there

// Where the search for a key begins in a keyed block of 2^row_bits rows.
static inline size_t rf_key_home(uint64_t key, unsigned row_bits) {
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - row_bits)); // Knuth's multiplicative hash
}

size_t rf_column_size(const struct rf_column *column); // bytes

// Whether a block has a name, rows of at least one byte that its columns cover in order, and less than 2^32 - 1 pieces.
bool rf_block_is_sound(const struct rf_block *block);

size_t rf_block_size(const struct rf_block *block);                     // rows * row_size
size_t rf_block_pieces(const struct rf_block *block);                   // ceil(rows * row_size / RF_PIECE_SIZE)
size_t rf_block_piece_size(const struct rf_block *block, size_t piece); // RF_PIECE_SIZE, the last one may be shorter
size_t rf_block_grains(const struct rf_block *block);                   // ceil(rows * row_size / RF_GRAIN_SIZE)
enum rf_grain_state rf_block_grain_state(const struct rf_block *block, size_t grain); // while frozen, of a block copied by grains

static inline size_t rf_block_grain_of(const struct rf_block *block, size_t row) { // the first that the row lies in
    return row * block->row_size / RF_GRAIN_SIZE;
}

// Copies the grain(s) a row lies in before they are written, if a snapshot still needs them, and notes that they are written, if
// somebody wants to know. Called by the owner before the write. Costs one predictable branch when neither is so.
void rf_block_touch_grain(struct rf_block *block, size_t grain);
static inline void rf_block_touch(struct rf_block *block, size_t row) {
    if (__builtin_expect(block->is_watched, 0)) {
        size_t first = rf_block_grain_of(block, row);
        size_t last = ((row + 1) * block->row_size - 1) / RF_GRAIN_SIZE;
        for (size_t grain = first; grain <= last; grain++) {
            rf_block_touch_grain(block, grain);
        }
    }
}

// Asks the memory for what touching a row will look at, some time before. Only of a frozen block (`mark` is there).
static inline void rf_block_prefetch(const struct rf_block *block, size_t row) {
    __builtin_prefetch((const void *)&block->mark[rf_block_grain_of(block, row)], 1);
}

// Touches rows of a batch, in any order: what is needed of all of them is asked of the memory first.
void rf_block_copy_rows(struct rf_block *block, const uint32_t *rows, size_t count);
static inline void rf_block_touch_rows(struct rf_block *block, const uint32_t *rows, size_t count) {
    if (__builtin_expect(block->is_watched, 0)) {
        rf_block_copy_rows(block, rows, count);
    }
}

// From here on notes which grains of the blocks that are touched are written (proto/layers.h asks). RF_MEMORY leaves nothing
// noted. What was written before counts as not written.
enum rf_status rf_state_note_writes(struct rf_state *state) RF_MUST_USE;
void rf_block_forget_written(struct rf_block *block);

// Takes the memory that freezing needs, so that the first freeze does not wait for it, and keeps it: 8 % of the large touched
// blocks, 16 MiB for the first copies of each, and later as much more as a snapshot ever needed. RF_MEMORY leaves
// what there was. Not while frozen.
enum rf_status rf_state_reserve(struct rf_state *state) RF_MUST_USE;

// Beside the fold, while frozen: takes memory for the next copies before the fold needs it. Called by the thread that reads.
void rf_state_provide(struct rf_state *state);

// Fixes the contents of all blocks as they are now, for a snapshot to read while the fold goes on. Blocks that are not
// touched, and those up to RF_BLOCK_EAGER_SIZE, are copied at once; a larger touched block (of up to 256 GiB) costs a copy of
// each grain that is written before it was read, and nothing at once. RF_MEMORY leaves nothing frozen. Called by the fold thread;
// asserts that the state is not frozen already.
enum rf_status rf_state_freeze(struct rf_state *state) RF_MUST_USE;
void rf_state_thaw(struct rf_state *state); // called by the fold thread once the reader is done; harmless when not frozen

// Copies a piece as it was at the freeze (or is now, when not frozen) to `out` [rf_block_piece_size()]. While frozen, one
// thread beside the fold thread may call it, once for each piece.
void rf_block_read_piece(struct rf_block *block, size_t piece, uint8_t *out);

// SHA-256 over names, shapes, columns and contents of the blocks of a scope, in the order of their names; pieces of zeros
// are passed over, so an empty table of any size costs little. Reads the live state, frozen or not: by the fold thread.
void rf_state_sha256(const struct rf_state *state, enum rf_block_scope scope, uint8_t digest_out[RF_SHA256_SIZE]);

// RF_CONFLICT and a sentence naming block, column and both shapes, when rows or columns differ. Merge rules and scopes
// are no part of a shape. The places say where each block is, e.g. "in the model", "in the snapshot".
enum rf_status rf_block_compare_shape(const struct rf_block *a, const char *a_place, const struct rf_block *b,
                                      const char *b_place, struct rf_error *err) RF_MUST_USE;

// RF_CONFLICT and a sentence naming block, row and column of the first difference between two states; RF_OK when equal.
enum rf_status rf_state_compare(const struct rf_state *a, const struct rf_state *b, struct rf_error *err);

#endif
