#ifndef RF_OPS_RING_H
#define RF_OPS_RING_H
#include "proto/status.h"

#include <stddef.h>

struct rf_batch;

// A bounded queue of batches between two threads. One lock a batch, none a record.
struct rf_ring;

enum rf_status rf_ring_create(size_t capacity, struct rf_ring **ring_out, struct rf_error *err) RF_MUST_USE;
void rf_ring_destroy(struct rf_ring *ring);

// RF_AGAIN when there is no room (no batch) after timeout_ms; RF_END once closed (and, for take, empty).
enum rf_status rf_ring_give(struct rf_ring *ring, struct rf_batch *batch, int timeout_ms) RF_MUST_USE;
enum rf_status rf_ring_take(struct rf_ring *ring, struct rf_batch **batch_out, int timeout_ms) RF_MUST_USE;

// Nothing more is given; what is inside can still be taken. Wakes both sides.
void rf_ring_close(struct rf_ring *ring);

size_t rf_ring_count(struct rf_ring *ring);

#endif
