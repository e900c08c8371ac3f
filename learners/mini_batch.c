#include "learners/mini_batch.h"

#include "learners/kernels_dense.h"
#include "learners/table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static const struct rf_column progress_columns[] = {
        {"records", RF_U64, offsetof(struct rf_mini_batch_progress, records), 1, RF_MERGE_SUM},
        {"steps", RF_U64, offsetof(struct rf_mini_batch_progress, steps), 1, RF_MERGE_SUM},
        {"taken", RF_U64, offsetof(struct rf_mini_batch_progress, taken), 1, RF_MERGE_NONE},
};

static const struct rf_column record_columns[] = {
        {"label", RF_F64, offsetof(struct rf_mini_batch_record, label), 1, RF_MERGE_NONE},
        {"weight", RF_F64, offsetof(struct rf_mini_batch_record, weight), 1, RF_MERGE_NONE},
};

#define RECORDS_MAX (UINT64_C(1) << 53) // what a double counts exactly

uint64_t rf_mini_batch_size_at(const struct rf_mini_batch_sizes *sizes, uint64_t records) {
    uint64_t size = sizes->size;
    if (sizes->growth == 1) {
        return size;
    }
    for (uint64_t i = records / sizes->every; i > 0 && size < sizes->max; i--) {
        size = size > sizes->max / sizes->growth ? sizes->max : size * sizes->growth;
    }
    return size;
}

size_t rf_mini_batch_size(struct rf_mini_batch *batch) {
    if (batch->size == 0 || batch->size_of != batch->progress->records) {
        batch->size_of = batch->progress->records;
        batch->size = (size_t)rf_mini_batch_size_at(&batch->sizes, batch->size_of);
    }
    return batch->size;
}

void *rf_mini_batch_take(struct rf_mini_batch *batch, double label, double weight) {
    assert(batch->progress->taken < batch->capacity);
    size_t index = (size_t)batch->progress->taken++;
    batch->records[index] = (struct rf_mini_batch_record){label, weight};
    rf_block_touch(batch->touched, index);
    return batch->vectors + index * batch->row_size;
}

void rf_mini_batch_done(struct rf_mini_batch *batch, bool has_stepped) {
    struct rf_mini_batch_progress *progress = batch->progress;
    progress->records += progress->taken ? progress->taken : 1;
    progress->steps += has_stepped;
    progress->taken = 0;
}

void rf_mini_batch_state(struct rf_mini_batch *batch, struct rf_state *state) {
    rf_state_add(state, &(struct rf_block){
                                .name = "dense.progress",
                                .rows = 1,
                                .row_size = sizeof *batch->progress,
                                .columns = progress_columns,
                                .column_count = sizeof progress_columns / sizeof progress_columns[0],
                                .data = batch->progress,
                                .scope = RF_SCOPE_MODEL,
                        });
    if (!batch->vectors) {
        return;
    }
    batch->touched = rf_state_add(state, &batch->block);
    rf_state_add(state, &(struct rf_block){
                                .name = "dense.batch_records",
                                .rows = batch->capacity,
                                .row_size = sizeof *batch->records,
                                .columns = record_columns,
                                .column_count = sizeof record_columns / sizeof record_columns[0],
                                .data = batch->records,
                                .scope = RF_SCOPE_MODEL,
                        });
}

static enum rf_status check_record(const struct rf_mini_batch *batch, size_t index, struct rf_error *err) {
    double weight = batch->records[index].weight;
    if (!(weight > 0 && weight <= RF_MINI_BATCH_WEIGHT_MAX)) {
        return rf_fail(err, RF_CORRUPT, "record %zu of the mini-batch has weight %g, must be above 0 and at most %g", index,
                       weight, RF_MINI_BATCH_WEIGHT_MAX);
    }
    const unsigned char *row = batch->vectors + index * batch->row_size;
    for (size_t i = 0; i < batch->vector_column.count; i++) {
        bool is_double = batch->vector_column.type == RF_F64;
        double x = is_double ? ((const double *)(const void *)row)[i] : (double)((const float *)(const void *)row)[i];
        if (!(fabs(x) <= RF_DENSE_VALUE_MAX)) {
            return rf_fail(err, RF_CORRUPT, "record %zu of the mini-batch holds %g, must be at most %g in size", index, x,
                           RF_DENSE_VALUE_MAX);
        }
    }
    return RF_OK;
}

enum rf_status rf_mini_batch_check(const struct rf_mini_batch *batch, struct rf_error *err) {
    const struct rf_mini_batch_progress *progress = batch->progress;
    if (progress->records > RECORDS_MAX || progress->steps > progress->records) {
        return rf_fail(err, RF_CORRUPT, "%llu steps were taken for %llu records, must be no more, and these at most %llu",
                       (unsigned long long)progress->steps, (unsigned long long)progress->records,
                       (unsigned long long)RECORDS_MAX);
    }
    uint64_t size = rf_mini_batch_size_at(&batch->sizes, progress->records);
    if (progress->taken >= size) {
        return rf_fail(err, RF_CORRUPT, "the mini-batch in progress holds %llu records, must be fewer than its size, %llu",
                       (unsigned long long)progress->taken, (unsigned long long)size);
    }
    for (size_t i = 0; i < progress->taken; i++) {
        if (check_record(batch, i, err) != RF_OK) {
            return err->status;
        }
    }
    return RF_OK;
}

void rf_mini_batch_finish(struct rf_mini_batch *batch) {
    rf_table_destroy(batch->vectors, batch->capacity * batch->row_size);
    free(batch->records);
    free(batch->progress);
}

enum rf_status rf_mini_batch_init(struct rf_mini_batch *batch, const struct rf_mini_batch_sizes *sizes, size_t vector_size,
                                  bool is_double, struct rf_error *err) {
    if (sizes->size < 1 || sizes->size > RF_MINI_BATCH_MAX || sizes->max > RF_MINI_BATCH_MAX) {
        return rf_fail(err, RF_INVALID, "batch.size is %llu and batch.max %llu, must be 1 to %d", (unsigned long long)sizes->size,
                       (unsigned long long)sizes->max, RF_MINI_BATCH_MAX);
    }
    if (sizes->growth < 1 || sizes->every < 1) {
        return rf_fail(err, RF_INVALID, "batch.growth is %llu and batch.every %llu, must be at least 1",
                       (unsigned long long)sizes->growth, (unsigned long long)sizes->every);
    }
    if (sizes->growth > 1 && sizes->max < sizes->size) {
        return rf_fail(err, RF_INVALID, "batch.max is %llu, must be at least batch.size, %llu, where batches grow",
                       (unsigned long long)sizes->max, (unsigned long long)sizes->size);
    }
    batch->sizes = *sizes;
    batch->capacity = (size_t)(sizes->growth > 1 ? sizes->max : sizes->size);
    batch->row_size = vector_size * (is_double ? sizeof(double) : sizeof(float));
    batch->vector_column = (struct rf_column){"vector", is_double ? RF_F64 : RF_F32, 0, (uint32_t)vector_size, RF_MERGE_NONE};
    batch->progress = calloc(1, sizeof *batch->progress);
    batch->records = calloc(batch->capacity, sizeof *batch->records);
    if (!batch->progress || !batch->records) {
        return rf_fail(err, RF_MEMORY, "out of memory for a mini-batch of %zu records", batch->capacity);
    }
    if (batch->capacity == 1) {
        return RF_OK;
    }
    void *vectors = NULL;
    if (rf_table_create(batch->capacity * batch->row_size, &vectors, err) != RF_OK) {
        return rf_fail_in(err, "a mini-batch of %zu records", batch->capacity);
    }
    batch->vectors = vectors;
    batch->block = (struct rf_block){
            .name = "dense.batch",
            .rows = batch->capacity,
            .row_size = batch->row_size,
            .columns = &batch->vector_column,
            .column_count = 1,
            .data = batch->vectors,
            .scope = RF_SCOPE_MODEL,
            .is_touched = true,
    };
    batch->touched = &batch->block;
    return RF_OK;
}
