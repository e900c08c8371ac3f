#ifndef RF_TESTS_SINKS_MADE_BATCH_H
#define RF_TESTS_SINKS_MADE_BATCH_H
// Batches of predictions and of rejected records, made by hand.
#include "proto/prediction.h"

enum { BATCH_CAPACITY = 512 };

struct batch {
    struct rf_examples examples;
    struct rf_positions positions; // 0: transactions, partition 3
    struct rf_predictions predictions;
    struct rf_reject rejected[8];
    struct rf_rejects rejects;
};

void batch_init(struct batch *batch); // binary, model "fraud", line 1, base 7, epoch 2, sequence 1
void batch_finish(struct batch *batch);

// Appends a prediction at the offset, asked for and with the label unknown. `id` NULL: none.
void batch_add(struct batch *batch, int64_t offset, const char *id, double score);

// Empties the batch and fills it with `count` predictions from `offset` on; takes the next sequence number.
void batch_next(struct batch *batch, int64_t offset, size_t count);

// Appends a rejected record (undecodable). NULL: absent.
void batch_add_reject(struct batch *batch, int64_t offset, struct rf_text key, struct rf_text value, const char *detail);

#endif
