#include "tests/ops/memory_source.h"

#include <assert.h>

void fill_batch(struct rf_batch *batch, struct rf_pipeline *pipeline, uint32_t partition, int64_t offset,
                const char *const *values, size_t count) {
    assert(count <= batch->records.capacity);
    batch->records.count = 0; // nobody lent them
    rf_batch_reset(batch, rf_schema_count(rf_pipeline_schema(pipeline)));
    for (size_t i = 0; i < count; i++) {
        batch->records.list[i] = (struct rf_record){
                .value = rf_text_of(values[i]), .timestamp_ms = -1, .offset = offset + (int64_t)i, .partition = partition};
    }
    batch->records.count = count;
}

enum rf_status fold_batch(struct rf_pipeline *pipeline, struct rf_decoder *decoder, struct rf_batch *batch,
                          struct rf_error *err) {
    enum rf_status status = RF_OK;
    while (!status && batch->end < batch->records.count) {
        rf_pipeline_prepare(pipeline, decoder, batch);
        status = rf_pipeline_step(pipeline, batch, 0, err);
    }
    return status;
}
