#include "proto/arena.h"

#include <stdalign.h>
#include <sys/mman.h>

enum { ARENA_ALIGN = alignof(max_align_t) };

enum rf_status rf_arena_init(struct rf_arena *arena, size_t capacity, struct rf_error *err) {
    void *base = mmap(NULL, capacity ? capacity : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        return rf_fail(err, RF_MEMORY, "an arena of %zu bytes does not fit into memory", capacity);
    }
    *arena = (struct rf_arena){.base = base, .capacity = capacity};
    return RF_OK;
}

void rf_arena_finish(struct rf_arena *arena) {
    if (arena->base) {
        munmap(arena->base, arena->capacity ? arena->capacity : 1);
    }
    *arena = (struct rf_arena){0};
}

void *rf_arena_take(struct rf_arena *arena, size_t size) {
    size_t padding = -arena->used % ARENA_ALIGN;
    size_t left = arena->capacity - arena->used;
    if (padding > left || size > left - padding) {
        return NULL;
    }
    void *taken = arena->base + arena->used + padding;
    arena->used += padding + size;
    return taken;
}

void rf_arena_reset(struct rf_arena *arena) {
    arena->used = 0;
}
