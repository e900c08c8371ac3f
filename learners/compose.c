#include "learners/compose.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { SEED = 1 }; // the default of the setting `seed`

enum rf_status rf_examples_begin(struct rf_examples *examples, double label) {
    size_t index = examples->count;
    if (index == examples->capacity) {
        return RF_FULL;
    }
    examples->count++;
    examples->row_start[index + 1] = examples->row_start[index];
    examples->purpose[index] = RF_OBSERVE | RF_PREDICT | (isnan(label) ? 0 : RF_EVALUATE | RF_LEARN);
    examples->partition[index] = 0;
    examples->offset[index] = (int64_t)index;
    examples->time_ms[index] = -1;
    examples->label[index] = label;
    examples->weight[index] = 1;
    examples->id[index] = (struct rf_text){0};
    if (examples->vector) {
        memset(examples->vector + index * examples->vector_size, 0, examples->vector_size * sizeof *examples->vector);
    }
    return RF_OK;
}

// The index of the field's name, listed if need be.
static bool find_field(struct rf_examples *examples, struct rf_text name, uint32_t *field_out) {
    size_t field = 0;
    while (field < examples->field_count && !rf_text_equal(examples->field_name[field], name)) {
        field++;
    }
    if (field == examples->field_capacity) {
        return false;
    }
    if (field == examples->field_count) {
        examples->field_name[examples->field_count++] = name;
    }
    *field_out = (uint32_t)field;
    return true;
}

static enum rf_status add(struct rf_examples *examples, const char *field, uint64_t hash, double value,
                          enum rf_feature_kind kind) {
    assert(examples->count > 0);
    size_t place = examples->row_start[examples->count];
    uint32_t index;
    if (place == examples->feature_capacity || !find_field(examples, rf_text_of(field), &index)) {
        return RF_FULL;
    }
    examples->hash[place] = hash;
    examples->value[place] = value;
    examples->field[place] = index;
    examples->kind[place] = (uint8_t)kind;
    examples->row_start[examples->count]++;
    return RF_OK;
}

enum rf_status rf_examples_number(struct rf_examples *examples, const char *field, double value) {
    uint64_t hash = rf_hash(rf_hash_key_of_seed(SEED), field, strlen(field));
    return isfinite(value) ? add(examples, field, hash, value, RF_NUMBER) : RF_INVALID;
}

enum rf_status rf_examples_category(struct rf_examples *examples, const char *field, const char *category) {
    struct rf_hash_key key = rf_hash_key_of_seed(SEED);
    key.k0 ^= rf_hash(key, field, strlen(field));
    return add(examples, field, rf_hash(key, category, strlen(category)), 1, RF_CATEGORY);
}

void rf_examples_vector(struct rf_examples *examples, const float *vector) {
    assert(examples->count > 0 && examples->vector);
    memcpy(examples->vector + (examples->count - 1) * examples->vector_size, vector,
           examples->vector_size * sizeof *examples->vector);
}
