// Copy before write. At a freeze every grain of a large block becomes PENDING, which costs one byte a grain. From then on
// two threads meet at a grain: the snapshot's thread wants to read it, the fold thread is about to write it. Who claims
// it first (one compare-and-swap) copies it as it was at the freeze; the other waits for those 256 bytes at most:
//
//     snapshot's thread:  PENDING -> READING -> DONE          copies the live grain
//                         SHADOWED -> DONE                    copies the shadow
//     fold thread:        PENDING -> COPYING -> SHADOWED      copies the live grain to the shadow, then writes
//                         READING: waits for DONE             then writes
//
// The release store that ends a copy, and the acquire load that sees it, order that copy before the other's writes.
#include "proto/state.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    SPINS = 1000,                             // before the waiting thread offers its core to the one it waits for
    SLOTS_AHEAD = (16 << 20) / RF_GRAIN_SIZE, // that have memory before they are used
    LINE_SIZE = 64,
};

static bool is_copied_by_grain(const struct rf_block *block) {
    return block->is_touched && rf_block_size(block) > RF_BLOCK_EAGER_SIZE;
}

static size_t grain_size(const struct rf_block *block, size_t grain) {
    size_t left = rf_block_size(block) - grain * RF_GRAIN_SIZE;
    return left < RF_GRAIN_SIZE ? left : RF_GRAIN_SIZE;
}

static size_t shadow_size(const struct rf_block *block) {
    return rf_block_grains(block) * RF_GRAIN_SIZE;
}

// Slots [slots_provided, wanted) get their memory now, not when they are written. A kernel that cannot does nothing.
static void provide(struct rf_block *block, uint64_t wanted) {
    uint64_t all = rf_block_grains(block);
    wanted = wanted < all ? wanted : all;
    if (wanted > block->slots_provided) {
        uint8_t *from = block->reserved_shadow + (size_t)block->slots_provided * RF_GRAIN_SIZE;
        (void)madvise(from, (wanted - block->slots_provided) * RF_GRAIN_SIZE, MADV_POPULATE_WRITE);
        block->slots_provided = (uint32_t)wanted;
    }
}

// A shadow takes addresses only: memory comes with the copies, which are laid side by side, in huge pages where there are
// some. Finding a huge page may take the kernel milliseconds, so memory is asked for ahead, by the thread that reads.
static void *map_shadow(size_t size) {
    void *shadow = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shadow == MAP_FAILED) {
        return NULL;
    }
    madvise(shadow, size, MADV_HUGEPAGE); // a wish: kernels without huge pages refuse it
    return shadow;
}

static bool reserve_grains(struct rf_block *block) {
    size_t grains = rf_block_grains(block);
    if (!block->slot) {
        block->slot = malloc(grains * sizeof *block->slot);
        if (!block->slot) {
            return false;
        }
        memset(block->slot, 0, grains * sizeof *block->slot);
    }
    if (!block->reserved_grain) {
        block->reserved_grain = malloc(grains);
        if (!block->reserved_grain) {
            return false;
        }
        memset((void *)block->reserved_grain, RF_GRAIN_DONE, grains);
    }
    provide(block, SLOTS_AHEAD);
    return true;
}

static bool reserve(struct rf_block *block) {
    if (rf_block_size(block) > 0 && !block->reserved_shadow) {
        block->reserved_shadow = map_shadow(shadow_size(block));
        if (!block->reserved_shadow) {
            return false;
        }
    }
    return !is_copied_by_grain(block) || reserve_grains(block);
}

enum rf_status rf_state_reserve(struct rf_state *state) {
    assert(!state->is_frozen);
    for (size_t i = 0; i < state->count; i++) {
        if (!reserve(state->list[i])) {
            return RF_MEMORY;
        }
    }
    return RF_OK;
}

void rf_state_provide(struct rf_state *state) {
    for (size_t i = 0; i < state->count; i++) {
        struct rf_block *block = state->list[i];
        if (block->grain) {
            provide(block, (uint64_t)atomic_load_explicit(&block->slots_used, memory_order_relaxed) + SLOTS_AHEAD);
        }
    }
}

enum rf_status rf_state_freeze(struct rf_state *state) {
    enum rf_status status = rf_state_reserve(state);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < state->count; i++) {
        struct rf_block *block = state->list[i];
        block->shadow = block->reserved_shadow;
        if (is_copied_by_grain(block)) {
            memset((void *)block->reserved_grain, RF_GRAIN_PENDING, rf_block_grains(block));
            block->grain = block->reserved_grain;
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
        block->grain = NULL;
        block->shadow = NULL;
    }
    state->is_frozen = false;
}

void rf_state_finish(struct rf_state *state) {
    for (size_t i = 0; i < state->count; i++) {
        struct rf_block *block = state->list[i];
        if (block->reserved_shadow) {
            munmap(block->reserved_shadow, shadow_size(block));
        }
        free(block->slot);
        free((void *)block->reserved_grain);
        free(block);
    }
    free(state->list);
    *state = (struct rf_state){0};
}

// Waits until the other thread has ended its copy. It may have lost its core, so after a while it is offered ours.
static uint8_t wait_while(_Atomic uint8_t *grain, uint8_t busy) {
    uint8_t seen;
    int spins = 0;
    while ((seen = atomic_load_explicit(grain, memory_order_acquire)) == busy) {
        if (spins < SPINS) {
            spins++;
        } else {
            sched_yield();
        }
    }
    return seen;
}

static bool claim(_Atomic uint8_t *grain, uint8_t claimed) {
    uint8_t expected = RF_GRAIN_PENDING;
    return atomic_compare_exchange_strong_explicit(grain, &expected, claimed, memory_order_acquire, memory_order_acquire);
}

void rf_block_touch_grain(struct rf_block *block, size_t grain) {
    if (!block->grain) {
        return;
    }
    _Atomic uint8_t *at = &block->grain[grain];
    uint8_t seen = atomic_load_explicit(at, memory_order_acquire);
    if (seen == RF_GRAIN_DONE || seen == RF_GRAIN_SHADOWED) {
        return;
    }
    if (!claim(at, RF_GRAIN_COPYING)) {
        wait_while(at, RF_GRAIN_READING);
        return;
    }
    uint32_t slot = atomic_load_explicit(&block->slots_used, memory_order_relaxed); // this thread alone changes it
    atomic_store_explicit(&block->slots_used, slot + 1, memory_order_relaxed);
    block->slot[grain] = slot;
    memcpy(block->shadow + (size_t)slot * RF_GRAIN_SIZE, (const uint8_t *)block->data + grain * RF_GRAIN_SIZE,
           grain_size(block, grain));
    atomic_store_explicit(at, RF_GRAIN_SHADOWED, memory_order_release);
}

// A claim lets no load or store pass it, so nothing it needs may be far away then.
void rf_block_copy_rows(struct rf_block *block, const uint32_t *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch((const void *)&block->grain[rows[i] * block->row_size / RF_GRAIN_SIZE], 1);
    }
    for (size_t i = 0; i < count; i++) {
        size_t grain = rows[i] * block->row_size / RF_GRAIN_SIZE;
        if (atomic_load_explicit(&block->grain[grain], memory_order_relaxed) == RF_GRAIN_PENDING) {
            __builtin_prefetch(&block->slot[grain], 1);
            for (size_t line = 0; line < RF_GRAIN_SIZE; line += LINE_SIZE) {
                __builtin_prefetch((const uint8_t *)block->data + grain * RF_GRAIN_SIZE + line);
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        rf_block_touch(block, rows[i]);
    }
}

static void read_grain(struct rf_block *block, size_t grain, uint8_t *out) {
    size_t size = grain_size(block, grain);
    _Atomic uint8_t *at = &block->grain[grain];
    if (claim(at, RF_GRAIN_READING)) {
        memcpy(out, (const uint8_t *)block->data + grain * RF_GRAIN_SIZE, size);
    } else {
        uint8_t seen = wait_while(at, RF_GRAIN_COPYING);
        assert(seen == RF_GRAIN_SHADOWED); // else it was read before
        (void)seen;
        memcpy(out, block->shadow + (size_t)block->slot[grain] * RF_GRAIN_SIZE, size);
    }
    atomic_store_explicit(at, RF_GRAIN_DONE, memory_order_release);
}

void rf_block_read_piece(struct rf_block *block, size_t piece, uint8_t *out) {
    size_t from = piece * RF_PIECE_SIZE, size = rf_block_piece_size(block, piece);
    if (!block->grain) {
        const uint8_t *bytes = block->shadow ? block->shadow : block->data;
        memcpy(out, bytes + from, size);
        return;
    }
    for (size_t at = 0; at < size; at += RF_GRAIN_SIZE) {
        read_grain(block, (from + at) / RF_GRAIN_SIZE, out + at);
    }
}
