#include "ops/ring.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct rf_ring {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_closed;
    size_t capacity, first, count;
    struct rf_batch *batches[]; // [capacity]
};

enum rf_status rf_ring_create(size_t capacity, struct rf_ring **ring_out, struct rf_error *err) {
    struct rf_ring *ring = calloc(1, sizeof *ring + capacity * sizeof(struct rf_batch *));
    if (!ring) {
        return rf_fail(err, RF_MEMORY, "ring of %zu batches: out of memory", capacity);
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ring->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&ring->lock, NULL);
    ring->capacity = capacity;
    *ring_out = ring;
    return RF_OK;
}

void rf_ring_destroy(struct rf_ring *ring) {
    if (ring) {
        pthread_cond_destroy(&ring->changed);
        pthread_mutex_destroy(&ring->lock);
        free(ring);
    }
}

static struct timespec deadline_after(int timeout_ms) {
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}

enum rf_status rf_ring_give(struct rf_ring *ring, struct rf_batch *batch, int timeout_ms) {
    struct timespec deadline = deadline_after(timeout_ms);
    enum rf_status status = RF_AGAIN;
    pthread_mutex_lock(&ring->lock);
    while (ring->count == ring->capacity && !ring->is_closed) {
        if (timeout_ms <= 0 || pthread_cond_timedwait(&ring->changed, &ring->lock, &deadline)) {
            break;
        }
    }
    if (ring->is_closed) {
        status = RF_END;
    } else if (ring->count < ring->capacity) {
        ring->batches[(ring->first + ring->count) % ring->capacity] = batch;
        ring->count++;
        pthread_cond_broadcast(&ring->changed);
        status = RF_OK;
    }
    pthread_mutex_unlock(&ring->lock);
    return status;
}

enum rf_status rf_ring_take(struct rf_ring *ring, struct rf_batch **batch_out, int timeout_ms) {
    struct timespec deadline = deadline_after(timeout_ms);
    enum rf_status status = RF_AGAIN;
    pthread_mutex_lock(&ring->lock);
    while (!ring->count && !ring->is_closed) {
        if (timeout_ms <= 0 || pthread_cond_timedwait(&ring->changed, &ring->lock, &deadline)) {
            break;
        }
    }
    if (ring->count) {
        *batch_out = ring->batches[ring->first];
        ring->first = (ring->first + 1) % ring->capacity;
        ring->count--;
        pthread_cond_broadcast(&ring->changed);
        status = RF_OK;
    } else if (ring->is_closed) {
        status = RF_END;
    }
    pthread_mutex_unlock(&ring->lock);
    return status;
}

void rf_ring_close(struct rf_ring *ring) {
    pthread_mutex_lock(&ring->lock);
    ring->is_closed = true;
    pthread_cond_broadcast(&ring->changed);
    pthread_mutex_unlock(&ring->lock);
}

size_t rf_ring_count(struct rf_ring *ring) {
    pthread_mutex_lock(&ring->lock);
    size_t count = ring->count;
    pthread_mutex_unlock(&ring->lock);
    return count;
}
