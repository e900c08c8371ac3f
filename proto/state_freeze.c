// Copy before write. At a freeze every piece of a large block becomes PENDING, which costs one byte a piece. From then on
// two threads meet at a piece: the snapshot's thread wants to read it, the fold thread is about to write it. Who claims
// it first (one compare-and-swap) copies it as it was at the freeze; the other waits for those 4 KiB at most:
//
//     snapshot's thread:  PENDING -> READING -> DONE          copies the live piece
//                         SHADOWED -> DONE                    copies the shadow
//     fold thread:        PENDING -> COPYING -> SHADOWED      copies the live piece to the shadow, then writes
//                         READING: waits for DONE             then writes
//
// The release store that ends a copy, and the acquire load that sees it, order that copy before the other's writes.
#include "proto/state.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SPINS = 1000 }; // before the waiting thread offers its core to the one it waits for

static bool is_copied_by_piece(const struct rf_block *block) {
    return block->is_touched && rf_block_size(block) > RF_BLOCK_EAGER_SIZE;
}

// A shadow takes addresses only: memory comes with the copies, which are laid side by side, in huge pages where there are
// some, so that the kernel has to be asked for it once in 512 copies.
static bool reserve(struct rf_block *block) {
    size_t size = rf_block_pieces(block) * RF_PIECE_SIZE;
    if (size > 0 && !block->reserved_shadow) {
        void *shadow = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (shadow == MAP_FAILED) {
            return false;
        }
        madvise(shadow, size, MADV_HUGEPAGE); // a wish: kernels without huge pages refuse it
        block->reserved_shadow = shadow;
    }
    if (is_copied_by_piece(block) && !block->slot) {
        block->slot = malloc(rf_block_pieces(block) * sizeof *block->slot);
    }
    if (is_copied_by_piece(block) && !block->reserved_piece) {
        block->reserved_piece = malloc(rf_block_pieces(block));
    }
    return !is_copied_by_piece(block) || (block->slot && block->reserved_piece);
}

enum rf_status rf_state_freeze(struct rf_state *state) {
    assert(!state->is_frozen);
    for (size_t i = 0; i < state->count; i++) {
        if (!reserve(state->list[i])) {
            return RF_MEMORY;
        }
    }
    for (size_t i = 0; i < state->count; i++) {
        struct rf_block *block = state->list[i];
        block->shadow = block->reserved_shadow;
        if (is_copied_by_piece(block)) {
            memset((void *)block->reserved_piece, RF_PIECE_PENDING, rf_block_pieces(block));
            block->piece = block->reserved_piece;
            block->slots_used = 0;
        } else if (block->shadow) {
            memcpy(block->shadow, block->data, rf_block_size(block));
        }
    }
    state->is_frozen = true;
    return RF_OK;
}

void rf_state_thaw(struct rf_state *state) {
    if (!state->is_frozen) {
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        struct rf_block *block = state->list[i];
        block->piece = NULL;
        block->shadow = NULL;
    }
    state->is_frozen = false;
}

void rf_state_finish(struct rf_state *state) {
    for (size_t i = 0; i < state->count; i++) {
        struct rf_block *block = state->list[i];
        if (block->reserved_shadow) {
            munmap(block->reserved_shadow, rf_block_pieces(block) * RF_PIECE_SIZE);
        }
        free(block->slot);
        free((void *)block->reserved_piece);
        free(block);
    }
    free(state->list);
    *state = (struct rf_state){0};
}

// Waits until the other thread has ended its copy. It may have lost its core, so after a while it is offered ours.
static uint8_t wait_while(_Atomic uint8_t *piece, uint8_t busy) {
    uint8_t seen;
    int spins = 0;
    while ((seen = atomic_load_explicit(piece, memory_order_acquire)) == busy) {
        if (spins < SPINS) {
            spins++;
        } else {
            sched_yield();
        }
    }
    return seen;
}

static bool claim(_Atomic uint8_t *piece, uint8_t claimed) {
    uint8_t expected = RF_PIECE_PENDING;
    return atomic_compare_exchange_strong_explicit(piece, &expected, claimed, memory_order_acquire, memory_order_acquire);
}

void rf_block_touch_piece(struct rf_block *block, size_t piece) {
    if (!block->piece) {
        return;
    }
    _Atomic uint8_t *at = &block->piece[piece];
    uint8_t seen = atomic_load_explicit(at, memory_order_acquire);
    if (seen == RF_PIECE_DONE || seen == RF_PIECE_SHADOWED) {
        return;
    }
    if (claim(at, RF_PIECE_COPYING)) {
        uint32_t slot = block->slots_used++;
        block->slot[piece] = slot;
        memcpy(block->shadow + (size_t)slot * RF_PIECE_SIZE, (const uint8_t *)block->data + piece * RF_PIECE_SIZE,
               rf_block_piece_size(block, piece));
        atomic_store_explicit(at, RF_PIECE_SHADOWED, memory_order_release);
        return;
    }
    wait_while(at, RF_PIECE_READING);
}

// The piece of a block that is copied by the piece.
static void read_claimed(struct rf_block *block, size_t piece, uint8_t *out) {
    size_t size = rf_block_piece_size(block, piece);
    _Atomic uint8_t *at = &block->piece[piece];
    if (claim(at, RF_PIECE_READING)) {
        memcpy(out, (const uint8_t *)block->data + piece * RF_PIECE_SIZE, size);
    } else {
        uint8_t seen = wait_while(at, RF_PIECE_COPYING);
        assert(seen == RF_PIECE_SHADOWED); // else it was read before
        (void)seen;
        memcpy(out, block->shadow + (size_t)block->slot[piece] * RF_PIECE_SIZE, size);
    }
    atomic_store_explicit(at, RF_PIECE_DONE, memory_order_release);
}

void rf_block_read_piece(struct rf_block *block, size_t piece, uint8_t *out) {
    if (block->piece) {
        read_claimed(block, piece, out);
        return;
    }
    const uint8_t *bytes = block->shadow ? block->shadow : block->data;
    memcpy(out, bytes + piece * RF_PIECE_SIZE, rf_block_piece_size(block, piece));
}
