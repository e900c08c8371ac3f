#include "proto/delta.h"

#include "proto/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_SIZE = 12 }; // of the rows of a block
#define NO_BLOCK UINT32_MAX

enum rf_status rf_delta_create(const struct rf_state *state, struct rf_delta **delta_out, struct rf_error *err) {
    struct rf_delta *delta = calloc(1, sizeof *delta);
    if (delta) {
        delta->state = state;
        delta->blocks = calloc(state->count + 1, sizeof *delta->blocks);
    }
    if (!delta || !delta->blocks) {
        rf_delta_destroy(delta);
        return rf_fail(err, RF_MEMORY, "out of memory for a delta");
    }
    *delta_out = delta;
    return RF_OK;
}

void rf_delta_destroy(struct rf_delta *delta) {
    if (!delta) {
        return;
    }
    for (size_t i = 0; delta->blocks && i < delta->state->count; i++) {
        free(delta->blocks[i].row);
        free(delta->blocks[i].start);
        free(delta->blocks[i].now);
    }
    free(delta->blocks);
    free(delta);
}

void rf_delta_clear(struct rf_delta *delta) {
    for (size_t i = 0; i < delta->state->count; i++) {
        delta->blocks[i].count = 0;
    }
}

bool rf_delta_is_empty(const struct rf_delta *delta) {
    size_t rows = 0;
    for (size_t i = 0; i < delta->state->count; i++) {
        rows += delta->blocks[i].count;
    }
    return rows == 0;
}

size_t rf_delta_size(const struct rf_delta *delta) {
    size_t size = 0;
    for (size_t i = 0; i < delta->state->count; i++) {
        size += delta->blocks[i].count * (2 * delta->state->list[i]->row_size + sizeof(uint32_t));
    }
    return size;
}

static enum rf_status provide(struct rf_delta_rows *rows, size_t row_size, size_t wanted) {
    if (wanted <= rows->capacity) {
        return RF_OK;
    }
    size_t capacity = rows->capacity ? rows->capacity : 16;
    while (capacity < wanted) {
        capacity *= 2;
    }
    uint32_t *row = reallocarray(rows->row, capacity, sizeof *row);
    rows->row = row ? row : rows->row;
    uint8_t *start = reallocarray(rows->start, capacity, row_size);
    rows->start = start ? start : rows->start;
    uint8_t *now = reallocarray(rows->now, capacity, row_size);
    rows->now = now ? now : rows->now;
    if (!row || !start || !now) {
        return RF_MEMORY;
    }
    rows->capacity = capacity;
    return RF_OK;
}

enum rf_status rf_delta_add(struct rf_delta *delta, size_t block, size_t row, const void *start, const void *now) {
    struct rf_delta_rows *rows = &delta->blocks[block];
    size_t row_size = delta->state->list[block]->row_size;
    if (provide(rows, row_size, rows->count + 1)) {
        return RF_MEMORY;
    }
    rows->row[rows->count] = (uint32_t)row;
    memcpy(rows->start + rows->count * row_size, start, row_size);
    memcpy(rows->now + rows->count * row_size, now, row_size);
    rows->count++;
    return RF_OK;
}

size_t rf_delta_find(const struct rf_delta_rows *rows, size_t row) {
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->row[middle] < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < rows->count && rows->row[low] == row ? low : rows->count;
}

static void exclusive_or(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t size) {
    for (size_t i = 0; i < size; i++) {
        out[i] = a[i] ^ b[i];
    }
}

enum rf_status rf_delta_bytes(const struct rf_delta *delta, size_t lead, uint8_t **bytes_out, size_t *size_out,
                              struct rf_error *err) {
    size_t size = lead + sizeof(uint32_t);
    for (size_t i = 0; i < delta->state->count; i++) {
        size_t count = delta->blocks[i].count;
        size += count ? HEAD_SIZE + count * (sizeof(uint32_t) + 2 * delta->state->list[i]->row_size) : 0;
    }
    uint8_t *bytes = malloc(size);
    if (!bytes) {
        return rf_fail(err, RF_MEMORY, "out of memory for a delta of %zu bytes", size);
    }
    uint8_t *at = bytes + lead;
    for (size_t i = 0; i < delta->state->count; i++) {
        const struct rf_delta_rows *rows = &delta->blocks[i];
        size_t row_size = delta->state->list[i]->row_size, all = rows->count * row_size;
        if (rows->count == 0) {
            continue;
        }
        rf_store_u32(at, (uint32_t)i);
        rf_store_u32(at + 4, (uint32_t)row_size);
        rf_store_u32(at + 8, (uint32_t)rows->count);
        memcpy(at + HEAD_SIZE, rows->row, rows->count * sizeof(uint32_t));
        at += HEAD_SIZE + rows->count * sizeof(uint32_t);
        memcpy(at, rows->start, all);
        exclusive_or(at + all, rows->start, rows->now, all);
        at += 2 * all;
    }
    rf_store_u32(at, NO_BLOCK);
    *bytes_out = bytes;
    *size_out = size;
    return RF_OK;
}

// What is wrong with the head of a block's rows; NULL: nothing.
static const char *fault_of(const struct rf_state *state, uint32_t index, uint32_t last, uint32_t row_size, uint32_t count,
                            size_t left) {
    if (index >= state->count || (last != NO_BLOCK && index <= last)) {
        return "names a block that the model has not, or one twice";
    }
    const struct rf_block *block = state->list[index];
    if (row_size != block->row_size) {
        return "has rows of another size than the model";
    }
    if (count == 0 || count > block->rows) {
        return "has no rows of a block, or more than there are";
    }
    return count > left / (sizeof(uint32_t) + 2 * (size_t)row_size) ? "is cut" : NULL;
}

static bool rows_ascend(const uint32_t *row, size_t count, size_t rows) {
    for (size_t i = 1; i < count; i++) {
        if (row[i] <= row[i - 1]) {
            return false;
        }
    }
    return row[count - 1] < rows;
}

enum rf_status rf_delta_of_bytes(const uint8_t *bytes, size_t size, struct rf_delta *delta_out, struct rf_error *err) {
    const struct rf_state *state = delta_out->state;
    const uint8_t *at = bytes, *end = bytes + size;
    uint32_t last = NO_BLOCK;
    rf_delta_clear(delta_out);
    while ((size_t)(end - at) >= HEAD_SIZE) {
        uint32_t index = rf_load_u32(at), row_size = rf_load_u32(at + 4), count = rf_load_u32(at + 8);
        at += HEAD_SIZE;
        const char *fault = fault_of(state, index, last, row_size, count, (size_t)(end - at));
        if (fault) {
            return rf_fail(err, RF_CORRUPT, "a delta %s", fault);
        }
        struct rf_delta_rows *rows = &delta_out->blocks[index];
        size_t all = (size_t)count * row_size;
        if (provide(rows, row_size, count)) {
            return rf_fail(err, RF_MEMORY, "out of memory for a delta of %zu bytes", size);
        }
        memcpy(rows->row, at, count * sizeof(uint32_t));
        memcpy(rows->start, at + count * sizeof(uint32_t), all);
        exclusive_or(rows->now, rows->start, at + count * sizeof(uint32_t) + all, all);
        rows->count = count;
        if (!rows_ascend(rows->row, count, state->list[index]->rows)) {
            return rf_fail(err, RF_CORRUPT, "a delta has rows of block %s that do not ascend, or are beyond its %zu",
                           state->list[index]->name, state->list[index]->rows);
        }
        at += count * sizeof(uint32_t) + 2 * all;
        last = index;
    }
    bool is_whole = end - at == sizeof(uint32_t) && rf_load_u32(at) == NO_BLOCK;
    return is_whole ? RF_OK : rf_fail(err, RF_CORRUPT, "a delta is cut, or followed by what is none");
}
