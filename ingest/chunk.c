#include "ingest/chunk.h"

#include <assert.h>
#include <stdlib.h>

void rf_chunk_pool_init(struct rf_chunk_pool *pool, size_t capacity) {
    *pool = (struct rf_chunk_pool){.capacity = capacity};
    pthread_mutex_init(&pool->lock, NULL);
}

void rf_chunk_pool_finish(struct rf_chunk_pool *pool) {
    assert(pool->idle_count == pool->count);
    while (pool->idle) {
        struct rf_chunk *chunk = pool->idle;
        pool->idle = chunk->next;
        free(chunk);
    }
    pthread_mutex_destroy(&pool->lock);
}

struct rf_chunk *rf_chunk_take(struct rf_chunk_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct rf_chunk *chunk = pool->idle;
    if (chunk) {
        pool->idle = chunk->next;
        pool->idle_count--;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!chunk) {
        chunk = malloc(sizeof *chunk + pool->capacity);
        if (!chunk) {
            return NULL;
        }
        chunk->pool = pool;
        pthread_mutex_lock(&pool->lock);
        pool->count++;
        pthread_mutex_unlock(&pool->lock);
    }
    chunk->next = NULL;
    atomic_init(&chunk->holders, 1);
    return chunk;
}

void rf_chunk_hold(struct rf_chunk *chunk, size_t count) {
    atomic_fetch_add_explicit(&chunk->holders, count, memory_order_relaxed);
}

void rf_chunk_drop(struct rf_chunk *chunk, size_t count) {
    size_t before = atomic_fetch_sub_explicit(&chunk->holders, count, memory_order_acq_rel);
    assert(before >= count);
    if (before == count) {
        struct rf_chunk_pool *pool = chunk->pool;
        pthread_mutex_lock(&pool->lock);
        chunk->next = pool->idle;
        pool->idle = chunk;
        pool->idle_count++;
        pthread_mutex_unlock(&pool->lock);
    }
}
