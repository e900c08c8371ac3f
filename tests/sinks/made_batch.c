#include "tests/sinks/made_batch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUTS_MAX = 8 };

static void must(bool is_true) {
    if (!is_true) {
        abort();
    }
}

void batch_init(struct batch *batch) {
    struct rf_error err;
    *batch = (struct batch){0};
    must(rf_examples_init(&batch->examples, BATCH_CAPACITY, 1, 1, &err) == RF_OK);
    rf_positions_init(&batch->positions);
    size_t index;
    must(rf_positions_add(&batch->positions, "transactions", 3, &index) == RF_OK);
    batch->predictions = (struct rf_predictions){
            .model = "fraud",
            .examples = &batch->examples,
            .positions = &batch->positions,
            .task = RF_TASK_BINARY,
            .outputs = 1,
            .version = {.line = 1, .base = 7, .epoch = 2, .since = 100},
            .sequence = 1,
            .score = calloc(BATCH_CAPACITY * OUTPUTS_MAX, sizeof(double)),
            .since = calloc(BATCH_CAPACITY, sizeof(uint64_t)),
    };
    must(batch->predictions.score && batch->predictions.since);
    batch->rejects = (struct rf_rejects){
            .list = batch->rejected,
            .capacity = sizeof batch->rejected / sizeof *batch->rejected,
            .positions = &batch->positions,
            .model = "fraud",
    };
}

void batch_finish(struct batch *batch) {
    free(batch->predictions.score);
    free(batch->predictions.since);
    rf_positions_finish(&batch->positions);
    rf_examples_finish(&batch->examples);
}

void batch_add(struct batch *batch, int64_t offset, const char *id, double score) {
    struct rf_examples *examples = &batch->examples;
    must(examples->count < examples->capacity);
    size_t i = examples->count++;
    examples->purpose[i] = RF_PREDICT;
    examples->partition[i] = 0;
    examples->offset[i] = offset;
    examples->time_ms[i] = -1;
    examples->label[i] = NAN;
    examples->weight[i] = 1;
    examples->id[i] = rf_text_of(id);
    examples->row_start[i + 1] = 0;
    batch->predictions.score[i * batch->predictions.outputs] = score;
    batch->predictions.since[i] = batch->predictions.version.since + i;
}

void batch_next(struct batch *batch, int64_t offset, size_t count) {
    batch->predictions.sequence++;
    rf_examples_reset(&batch->examples, 0);
    for (size_t i = 0; i < count; i++) {
        batch_add(batch, offset + (int64_t)i, "t", 0.25);
    }
}

void batch_add_reject(struct batch *batch, int64_t offset, struct rf_text key, struct rf_text value, const char *detail) {
    must(batch->rejects.count < batch->rejects.capacity);
    struct rf_reject *reject = &batch->rejected[batch->rejects.count++];
    *reject = (struct rf_reject){
            .reason = RF_REASON_UNDECODABLE,
            .record = {.value = value, .key = key, .timestamp_ms = 1700000000000, .offset = offset},
    };
    snprintf(reject->detail, sizeof reject->detail, "%s", detail);
}
