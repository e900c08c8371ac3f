#include "proto/state_sha256.h"

#include "proto/bytes.h"

#include <assert.h>
#include <string.h>

static void hash_number(struct rf_sha256 *sha, uint64_t number) {
    uint8_t bytes[8];
    rf_store_u64(bytes, number);
    rf_sha256_update(sha, bytes, sizeof bytes);
}

static void hash_text(struct rf_sha256 *sha, const char *text) {
    hash_number(sha, strlen(text));
    rf_sha256_update(sha, text, strlen(text));
}

void rf_block_sha256_begin(struct rf_sha256 *sha, const struct rf_block *block) {
    rf_sha256_init(sha);
    hash_text(sha, block->name);
    hash_number(sha, block->rows);
    hash_number(sha, block->row_size);
    hash_number(sha, block->column_count);
    for (size_t i = 0; i < block->column_count; i++) {
        hash_text(sha, block->columns[i].name);
        hash_number(sha, block->columns[i].type);
        hash_number(sha, block->columns[i].offset);
        hash_number(sha, block->columns[i].count);
    }
}

void rf_block_sha256_add(struct rf_sha256 *sha, size_t piece, const uint8_t *bytes, size_t size) {
    hash_number(sha, piece);
    rf_sha256_update(sha, bytes, size);
}

static void hash_block(const struct rf_block *block, uint8_t digest_out[RF_SHA256_SIZE]) {
    struct rf_sha256 sha;
    rf_block_sha256_begin(&sha, block);
    size_t pieces = rf_block_pieces(block);
    for (size_t piece = 0; piece < pieces; piece++) {
        const uint8_t *bytes = (const uint8_t *)block->data + piece * RF_PIECE_SIZE;
        size_t size = rf_block_piece_size(block, piece);
        if (!rf_bytes_are_zero(bytes, size)) {
            rf_block_sha256_add(&sha, piece, bytes, size);
        }
    }
    rf_sha256_finish(&sha, digest_out);
}

// The index of the block of that scope whose name comes next after `name` (NULL: the first), or the count.
static size_t next_by_name(const struct rf_state *state, enum rf_block_scope scope, const char *name) {
    size_t next = state->count;
    for (size_t i = 0; i < state->count; i++) {
        const struct rf_block *block = state->list[i];
        bool is_after = block->scope == scope && (!name || strcmp(block->name, name) > 0);
        if (is_after && (next == state->count || strcmp(block->name, state->list[next]->name) < 0)) {
            next = i;
        }
    }
    return next;
}

// Calls for each block of the scope in the order of names; `digests` NULL: they are made on the way.
static void hash_blocks(const struct rf_state *state, enum rf_block_scope scope, const uint8_t (*digests)[RF_SHA256_SIZE],
                        uint8_t digest_out[RF_SHA256_SIZE]) {
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    size_t index = next_by_name(state, scope, NULL);
    for (; index < state->count; index = next_by_name(state, scope, state->list[index]->name)) {
        uint8_t made[RF_SHA256_SIZE];
        if (!digests) {
            hash_block(state->list[index], made);
        }
        rf_sha256_update(&sha, digests ? digests[index] : made, RF_SHA256_SIZE);
    }
    rf_sha256_finish(&sha, digest_out);
}

void rf_state_sha256_of_blocks(const struct rf_state *state, enum rf_block_scope scope, const uint8_t (*digests)[RF_SHA256_SIZE],
                               uint8_t digest_out[RF_SHA256_SIZE]) {
    assert(digests);
    hash_blocks(state, scope, digests, digest_out);
}

void rf_state_sha256(const struct rf_state *state, enum rf_block_scope scope, uint8_t digest_out[RF_SHA256_SIZE]) {
    hash_blocks(state, scope, NULL, digest_out);
}
