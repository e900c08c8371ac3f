#include "ops/batch.h"

#include <stdlib.h>

enum {
    // The most a byte of a record can cost: a field of an event (56 bytes) takes at least two bytes in every format.
    ARENA_PER_BYTE = 32,
    ARENA_PER_RECORD = 1024,
    FIELDS_MAX = 65536, // names met in one batch
};

size_t rf_batch_records(size_t records, size_t vector_size) {
    size_t vectors = vector_size ? RF_BATCH_VECTOR_BYTES / (vector_size * sizeof(float)) : records;
    return vectors < records ? vectors + (vectors == 0) : records;
}

static enum rf_status make(struct rf_batch *batch, const struct rf_batch_limits *limits, struct rf_error *err) {
    size_t bytes = limits->bytes > limits->record_bytes ? limits->bytes : limits->record_bytes;
    size_t features = bytes / 2 + limits->records;
    features = features > limits->features_max ? features : limits->features_max;
    enum rf_status status = rf_arena_init(&batch->arena, bytes * ARENA_PER_BYTE + limits->records * ARENA_PER_RECORD, err);
    if (!status) {
        status = rf_examples_init(&batch->examples, limits->records, features, FIELDS_MAX, err);
    }
    if (!status && limits->vector_size) {
        status = rf_examples_reserve_vectors(&batch->examples, limits->vector_size, err);
    }
    if (status) {
        return status;
    }
    batch->examples.features_max = limits->features_max;
    batch->records.capacity = limits->records;
    batch->records.list = calloc(limits->records, sizeof *batch->records.list);
    batch->records.loans = calloc(limits->records, sizeof *batch->records.loans);
    if (limits->with_headers) {
        batch->records.header_capacity = rf_headers_capacity(limits->records);
        batch->records.headers = calloc(batch->records.header_capacity, sizeof *batch->records.headers);
    }
    batch->rejects.capacity = limits->records;
    batch->rejects.list = calloc(limits->records, sizeof *batch->rejects.list);
    batch->predictions.score = calloc(limits->records * limits->outputs, sizeof *batch->predictions.score);
    batch->predictions.since = calloc(limits->records, sizeof *batch->predictions.since);
    if (!batch->records.list || !batch->records.loans || !batch->rejects.list || !batch->predictions.score ||
        !batch->predictions.since || (limits->with_headers && !batch->records.headers)) {
        return rf_fail(err, RF_MEMORY, "batch of %zu records: out of memory", limits->records);
    }
    return RF_OK;
}

enum rf_status rf_batch_create(const struct rf_batch_limits *limits, struct rf_batch **batch_out, struct rf_error *err) {
    struct rf_batch *batch = calloc(1, sizeof *batch);
    if (!batch) {
        return rf_fail(err, RF_MEMORY, "batch: out of memory");
    }
    enum rf_status status = make(batch, limits, err);
    if (status) {
        rf_batch_destroy(batch);
        return status;
    }
    *batch_out = batch;
    return RF_OK;
}

void rf_batch_destroy(struct rf_batch *batch) {
    if (!batch) {
        return;
    }
    if (batch->records.count) {
        rf_source_release(batch->source, &batch->records);
    }
    free(batch->predictions.since);
    free(batch->predictions.score);
    free(batch->rejects.list);
    free(batch->records.headers);
    free(batch->records.loans);
    free(batch->records.list);
    rf_examples_finish(&batch->examples);
    rf_arena_finish(&batch->arena);
    free(batch);
}

void rf_batch_reset(struct rf_batch *batch, size_t declared_fields) {
    if (batch->records.count) {
        rf_source_release(batch->source, &batch->records);
        batch->records.count = 0;
    }
    batch->resolved = 0;
    batch->first = 0;
    batch->end = 0;
    rf_batch_forget(batch, declared_fields);
}

void rf_batch_forget(struct rf_batch *batch, size_t declared_fields) {
    rf_arena_reset(&batch->arena);
    rf_examples_reset(&batch->examples, declared_fields);
    batch->rejects.count = 0;
    batch->is_folded = false;
    batch->sink = 0;
    batch->published = 0;
}
