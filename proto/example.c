#include "proto/example.h"

#include <stdbool.h>
#include <stdlib.h>

static const size_t ARRAY_SIZE_MAX = (size_t)1 << 40; // bytes: a size beyond it is a mistake, whatever the machine

// calloc() leaves the pages of a large array untouched until they are used.
static void *reserve(size_t count, size_t element_size) {
    return count > ARRAY_SIZE_MAX / element_size ? NULL : calloc(count ? count : 1, element_size);
}

enum rf_status rf_examples_init(struct rf_examples *examples, size_t capacity, size_t feature_capacity, size_t field_capacity,
                                struct rf_error *err) {
    struct rf_examples e = {
            .capacity = capacity,
            .feature_capacity = feature_capacity,
            .features_max = SIZE_MAX,
            .field_capacity = field_capacity,
            .row_start = reserve(capacity < SIZE_MAX ? capacity + 1 : capacity, sizeof *e.row_start),
            .purpose = reserve(capacity, sizeof *e.purpose),
            .partition = reserve(capacity, sizeof *e.partition),
            .offset = reserve(capacity, sizeof *e.offset),
            .time_ms = reserve(capacity, sizeof *e.time_ms),
            .label = reserve(capacity, sizeof *e.label),
            .weight = reserve(capacity, sizeof *e.weight),
            .id = reserve(capacity, sizeof *e.id),
            .hash = reserve(feature_capacity, sizeof *e.hash),
            .value = reserve(feature_capacity, sizeof *e.value),
            .field = reserve(feature_capacity, sizeof *e.field),
            .kind = reserve(feature_capacity, sizeof *e.kind),
            .field_name = reserve(field_capacity, sizeof *e.field_name),
    };
    *examples = e;
    if (!e.row_start || !e.purpose || !e.partition || !e.offset || !e.time_ms || !e.label || !e.weight || !e.id || !e.hash ||
        !e.value || !e.field || !e.kind || !e.field_name) {
        rf_examples_finish(examples);
        return rf_fail(err, RF_MEMORY, "a batch of %zu examples, %zu features and %zu fields does not fit into memory", capacity,
                       feature_capacity, field_capacity);
    }
    return RF_OK;
}

enum rf_status rf_examples_reserve_vectors(struct rf_examples *examples, size_t size, struct rf_error *err) {
    bool is_possible = size > 0 && size <= ARRAY_SIZE_MAX / sizeof *examples->vector;
    examples->vector = is_possible ? reserve(examples->capacity, size * sizeof *examples->vector) : NULL;
    if (!examples->vector) {
        return rf_fail(err, RF_MEMORY, "a batch of %zu vectors of %zu numbers does not fit into memory", examples->capacity,
                       size);
    }
    examples->vector_size = size;
    return RF_OK;
}

void rf_examples_finish(struct rf_examples *examples) {
    free(examples->row_start);
    free(examples->purpose);
    free(examples->partition);
    free(examples->offset);
    free(examples->time_ms);
    free(examples->label);
    free(examples->weight);
    free(examples->id);
    free(examples->hash);
    free(examples->value);
    free(examples->field);
    free(examples->kind);
    free(examples->vector);
    free(examples->field_name);
    *examples = (struct rf_examples){0};
}

void rf_examples_reset(struct rf_examples *examples, size_t declared_fields) {
    examples->count = 0;
    examples->row_start[0] = 0;
    if (examples->field_count > declared_fields) {
        examples->field_count = declared_fields;
    }
}
