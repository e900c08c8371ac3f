#ifndef RF_PROTO_STATE_SHA256_H
#define RF_PROTO_STATE_SHA256_H
// How the digest of a state comes about, in parts, so that whoever passes the pieces along anyway (the writer of snapshots)
// can make it on the way: a digest for each block, then one over those in the order of the blocks' names.
#include "proto/state.h"

// Begins a block's digest with its name, shape and columns.
void rf_block_sha256_begin(struct rf_sha256 *sha, const struct rf_block *block);

// Adds a piece that is not all zeros; in increasing order.
void rf_block_sha256_add(struct rf_sha256 *sha, size_t piece, const uint8_t *bytes, size_t size);

// The digest of a scope from those of its blocks, by their index in the state.
void rf_state_sha256_of_blocks(const struct rf_state *state, enum rf_block_scope scope, const uint8_t (*digests)[RF_SHA256_SIZE],
                               uint8_t digest_out[RF_SHA256_SIZE]);

#endif
