// Copy before write. At a freeze every grain of a large block becomes PENDING, as its mark is of an older one. From then on
// two threads meet at a grain: the snapshot's thread wants to read it, the fold thread is about to write it. Who claims
// it first (one compare-and-swap) copies it as it was at the freeze; the other waits for that cache line at most:
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
    SPINS = 1000,                              // before the waiting thread offers its core to the one it waits for
    SLOTS_AHEAD = (16 << 20) / RF_GRAIN_SIZE,  // that have memory before they are used
    SLOTS_AT_ONCE = (2 << 20) / RF_GRAIN_SIZE, // get memory: a huge page
    FREEZE_SHIFT = 3,
    FREEZES = 1 << 5,
};

static bool is_copied_by_grain(const struct rf_block *block) {
    return block->is_touched && rf_block_size(block) > RF_BLOCK_EAGER_SIZE && rf_block_grains(block) <= UINT32_MAX;
}

static size_t grain_size(const struct rf_block *block, size_t grain) {
    size_t left = rf_block_size(block) - grain * RF_GRAIN_SIZE;
    return left < RF_GRAIN_SIZE ? left : RF_GRAIN_SIZE;
}

static size_t shadow_size(const struct rf_block *block) {
    return rf_block_grains(block) * RF_GRAIN_SIZE;
}

static size_t slots_size(const struct rf_block *block) {
    return rf_block_grains(block) * sizeof *block->slot;
}

static size_t dirty_size(const struct rf_block *block) {
    return (rf_block_grains(block) + 63) / 64 * sizeof *block->dirty;
}

// Of large memory takes addresses only: the rest comes with the first write, in huge pages where there are some.
static void *take(size_t size) {
    if (size < RF_BLOCK_EAGER_SIZE) {
        return calloc(1, size);
    }
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    madvise(memory, size, MADV_HUGEPAGE); // a wish: kernels without huge pages refuse it
    return memory;
}

// The same, but touches all its pages now.
static void *take_now(size_t size) {
    void *memory = take(size);
    return memory ? memset(memory, 0, size) : NULL;
}

static void give_back(void *memory, size_t size) {
    if (size < RF_BLOCK_EAGER_SIZE) {
        free(memory);
    } else if (memory) {
        munmap(memory, size);
    }
}

// Slots [slots_provided, wanted) get their memory now, not when they are written: finding a huge page may take the kernel
// milliseconds. One that cannot does nothing.
static void provide(struct rf_block *block, uint64_t wanted) {
    uint64_t all = rf_block_grains(block);
    wanted = (wanted + SLOTS_AT_ONCE - 1) / SLOTS_AT_ONCE * SLOTS_AT_ONCE; // from a page's beginning
    wanted = wanted < all ? wanted : all;
    if (wanted > block->slots_provided) {
        uint8_t *from = block->reserved_shadow + (size_t)block->slots_provided * RF_GRAIN_SIZE;
        (void)madvise(from, (wanted - block->slots_provided) * RF_GRAIN_SIZE, MADV_POPULATE_WRITE);
        block->slots_provided = (uint32_t)wanted;
    }
}

static bool reserve(struct rf_block *block) {
    if (rf_block_size(block) > 0 && !block->reserved_shadow) {
        block->reserved_shadow = take(shadow_size(block));
        if (!block->reserved_shadow) {
            return false;
        }
    }
    if (is_copied_by_grain(block) && !block->slot) {
        block->slot = take_now(slots_size(block));
        if (!block->slot) {
            return false;
        }
    }
    if (is_copied_by_grain(block) && !block->reserved_mark) {
        block->reserved_mark = take_now(rf_block_grains(block));
        if (!block->reserved_mark) {
            return false;
        }
        provide(block, SLOTS_AHEAD);
    }
    return true;
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
        if (block->mark) {
            provide(block, (uint64_t)atomic_load_explicit(&block->slots_used, memory_order_relaxed) + SLOTS_AHEAD);
        }
    }
}

enum rf_status rf_state_note_writes(struct rf_state *state) {
    for (size_t i = 0; i < state->count; i++) {
        struct rf_block *block = state->list[i];
        if (block->is_touched && !block->dirty && rf_block_size(block) > 0) {
            block->dirty = take_now(dirty_size(block));
            if (!block->dirty) {
                return RF_MEMORY;
            }
            block->is_watched = true;
        }
    }
    return RF_OK;
}

void rf_block_forget_written(struct rf_block *block) {
    if (block->dirty) {
        memset(block->dirty, 0, dirty_size(block));
    }
}

static void begin_freeze(struct rf_block *block) {
    if (++block->freeze == FREEZES) { // marks of long ago would look like those of this one, but for a freeze read to its end
        if (block->read < rf_block_grains(block)) {
            memset((void *)block->reserved_mark, 0, rf_block_grains(block));
        }
        block->freeze = 1;
    }
    block->mark = block->reserved_mark;
    block->is_watched = true;
    block->read = 0;
    block->slots_used = 0;
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
            begin_freeze(block);
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
        block->mark = NULL;
        block->shadow = NULL;
        block->is_watched = block->dirty != NULL;
    }
    state->is_frozen = false;
}

void rf_state_finish(struct rf_state *state) {
    for (size_t i = 0; i < state->count; i++) {
        struct rf_block *block = state->list[i];
        give_back(block->reserved_shadow, shadow_size(block));
        give_back(block->slot, slots_size(block));
        give_back((void *)block->reserved_mark, rf_block_grains(block));
        give_back(block->dirty, dirty_size(block));
        free(block);
    }
    free(state->list);
    *state = (struct rf_state){0};
}

static uint8_t mark_of(const struct rf_block *block, enum rf_grain_state state) {
    return (uint8_t)((unsigned)block->freeze << FREEZE_SHIFT | state);
}

static enum rf_grain_state state_of(const struct rf_block *block, uint8_t mark) {
    const unsigned bits = mark;
    bool is_of_this_freeze = bits >> FREEZE_SHIFT == block->freeze;
    return is_of_this_freeze ? (enum rf_grain_state)(bits & ((1U << FREEZE_SHIFT) - 1)) : RF_GRAIN_PENDING;
}

static bool was_read(const struct rf_block *block, size_t grain) {
    return grain < atomic_load_explicit(&block->read, memory_order_acquire);
}

enum rf_grain_state rf_block_grain_state(const struct rf_block *block, size_t grain) {
    return was_read(block, grain) ? RF_GRAIN_DONE
                                  : state_of(block, atomic_load_explicit(&block->mark[grain], memory_order_acquire));
}

// Waits until the other thread has ended its copy. It may have lost its core, so after a while it is offered ours.
static enum rf_grain_state wait_while(const struct rf_block *block, size_t grain, enum rf_grain_state busy) {
    enum rf_grain_state state;
    for (int spins = 0; (state = rf_block_grain_state(block, grain)) == busy; spins++) {
        if (spins >= SPINS) {
            sched_yield();
        }
    }
    return state;
}

// Only one of the two can be the first to claim a grain that is pending.
static bool claim(struct rf_block *block, size_t grain, enum rf_grain_state state) {
    uint8_t seen = atomic_load_explicit(&block->mark[grain], memory_order_relaxed);
    return state_of(block, seen) == RF_GRAIN_PENDING &&
           atomic_compare_exchange_strong_explicit(&block->mark[grain], &seen, mark_of(block, state), memory_order_acquire,
                                                   memory_order_relaxed);
}

static void set(struct rf_block *block, size_t grain, enum rf_grain_state state) {
    atomic_store_explicit(&block->mark[grain], mark_of(block, state), memory_order_release);
}

static void copy(uint8_t *to, const uint8_t *from, size_t size) {
    if (size == RF_GRAIN_SIZE) {
        memcpy(to, from, RF_GRAIN_SIZE); // of a length the compiler knows
    } else {
        memcpy(to, from, size);
    }
}

static void copy_before_write(struct rf_block *block, size_t grain) {
    enum rf_grain_state state = rf_block_grain_state(block, grain);
    if (state == RF_GRAIN_DONE || state == RF_GRAIN_SHADOWED) {
        return;
    }
    if (!claim(block, grain, RF_GRAIN_COPYING)) {
        wait_while(block, grain, RF_GRAIN_READING);
        return;
    }
    uint32_t slot = atomic_load_explicit(&block->slots_used, memory_order_relaxed); // this thread alone changes it
    atomic_store_explicit(&block->slots_used, slot + 1, memory_order_relaxed);
    block->slot[grain] = slot;
    copy(block->shadow + (size_t)slot * RF_GRAIN_SIZE, (const uint8_t *)block->data + grain * RF_GRAIN_SIZE,
         grain_size(block, grain));
    set(block, grain, RF_GRAIN_SHADOWED);
}

void rf_block_touch_grain(struct rf_block *block, size_t grain) {
    if (block->dirty) {
        block->dirty[grain / 64] |= UINT64_C(1) << grain % 64;
    }
    if (block->mark) {
        copy_before_write(block, grain);
    }
}

// A claim lets no load or store pass it, so nothing it needs may be far away then.
static void fetch(const struct rf_block *block, size_t grain) {
    if (rf_block_grain_state(block, grain) == RF_GRAIN_PENDING) {
        __builtin_prefetch(&block->slot[grain], 1);
        __builtin_prefetch((const uint8_t *)block->data + grain * RF_GRAIN_SIZE);
    }
}

void rf_block_copy_rows(struct rf_block *block, const uint32_t *rows, size_t count) {
    for (size_t i = 0; i < count && block->mark; i++) {
        rf_block_prefetch(block, rows[i]);
    }
    for (size_t i = 0; i < count && block->mark; i++) {
        fetch(block, rf_block_grain_of(block, rows[i]));
    }
    for (size_t i = 0; i < count; i++) {
        rf_block_touch(block, rows[i]);
    }
}

static void read_grain(struct rf_block *block, size_t grain, uint8_t *out) {
    size_t size = grain_size(block, grain);
    if (claim(block, grain, RF_GRAIN_READING)) {
        copy(out, (const uint8_t *)block->data + grain * RF_GRAIN_SIZE, size);
    } else {
        enum rf_grain_state state = wait_while(block, grain, RF_GRAIN_COPYING);
        assert(state == RF_GRAIN_SHADOWED); // else it was read before
        (void)state;
        copy(out, block->shadow + (size_t)block->slot[grain] * RF_GRAIN_SIZE, size);
    }
    set(block, grain, RF_GRAIN_DONE);
}

void rf_block_read_piece(struct rf_block *block, size_t piece, uint8_t *out) {
    size_t from = piece * RF_PIECE_SIZE, size = rf_block_piece_size(block, piece);
    if (!block->mark) {
        const uint8_t *bytes = block->shadow ? block->shadow : block->data;
        memcpy(out, bytes + from, size);
        return;
    }
    const size_t first = from / RF_GRAIN_SIZE;
    size_t grain = first;
    for (size_t at = 0; at < size; at += RF_GRAIN_SIZE, grain++) {
        read_grain(block, grain, out + at);
    }
    if (first == atomic_load_explicit(&block->read, memory_order_relaxed)) { // pieces are mostly read in their order
        atomic_store_explicit(&block->read, grain, memory_order_release);
    }
}
