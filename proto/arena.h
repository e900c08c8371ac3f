#ifndef RF_PROTO_ARENA_H
#define RF_PROTO_ARENA_H
#include "proto/status.h"

#include <stddef.h>

// Memory for the life of a batch: taken piece by piece, given back all at once by a reset. One owner, no locks.
// The whole capacity is reserved when the arena is made; pages are touched only as they are used.
struct rf_arena {
    char *base;
    size_t capacity; // bytes
    size_t used;     // bytes, never more than capacity
};

// RF_MEMORY, in words, when `capacity` bytes cannot be reserved.
enum rf_status rf_arena_init(struct rf_arena *arena, size_t capacity, struct rf_error *err) RF_MUST_USE;
void rf_arena_finish(struct rf_arena *arena);

// Memory for any type (aligned to max_align_t), not cleared; NULL when less than `size` bytes are left.
void *rf_arena_take(struct rf_arena *arena, size_t size);

// Forgets everything taken.
void rf_arena_reset(struct rf_arena *arena);

#endif
