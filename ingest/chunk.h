#ifndef RF_INGEST_CHUNK_H
#define RF_INGEST_CHUNK_H
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

// Pieces of memory that records are borrowed from. A chunk goes back to its pool once its writer and all loans are done
// with it; the pool grows to what is out at the same time and then allocates no more.
struct rf_chunk {
    struct rf_chunk *next; // while in the pool
    struct rf_chunk_pool *pool;
    atomic_size_t holders;
    char data[]; // [pool->capacity]
};

struct rf_chunk_pool {
    size_t capacity; // bytes of each chunk
    pthread_mutex_t lock;
    struct rf_chunk *idle;
    size_t count, idle_count; // all chunks, those in the pool
};

void rf_chunk_pool_init(struct rf_chunk_pool *pool, size_t capacity);
void rf_chunk_pool_finish(struct rf_chunk_pool *pool); // asserts that all chunks are back

struct rf_chunk *rf_chunk_take(struct rf_chunk_pool *pool); // with one holder; NULL when memory is out
void rf_chunk_hold(struct rf_chunk *chunk, size_t count);   // adds holders
void rf_chunk_drop(struct rf_chunk *chunk, size_t count);   // takes holders away; any thread

#endif
