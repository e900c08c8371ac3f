#include "proto/bytes.h"
#include "proto/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_SIZE = 192 };

static void describe_column(const struct rf_block *block, size_t index, char text[WORDS_SIZE]) {
    static const char *const types[] = {
            [RF_U8] = "u8", [RF_U32] = "u32", [RF_U64] = "u64", [RF_I64] = "i64", [RF_F32] = "f32", [RF_F64] = "f64"};
    if (index >= block->column_count) {
        snprintf(text, WORDS_SIZE, "absent");
        return;
    }
    const struct rf_column *column = &block->columns[index];
    snprintf(text, WORDS_SIZE, "%s %s[%" PRIu32 "]", column->name, types[column->type], column->count);
}

static bool is_same_column(const struct rf_column *a, const struct rf_column *b) {
    return strcmp(a->name, b->name) == 0 && a->type == b->type && a->count == b->count && a->offset == b->offset;
}

enum rf_status rf_block_compare_shape(const struct rf_block *a, const char *a_place, const struct rf_block *b,
                                      const char *b_place, struct rf_error *err) {
    size_t columns = a->column_count > b->column_count ? a->column_count : b->column_count;
    for (size_t i = 0; i < columns; i++) {
        if (i >= a->column_count || i >= b->column_count || !is_same_column(&a->columns[i], &b->columns[i])) {
            char a_column[WORDS_SIZE], b_column[WORDS_SIZE];
            describe_column(a, i, a_column);
            describe_column(b, i, b_column);
            return rf_fail(err, RF_CONFLICT, "block %s: column %zu is %s %s, %s %s", a->name, i, a_column, a_place, b_column,
                           b_place);
        }
    }
    if (a->rows != b->rows || a->row_size != b->row_size) {
        return rf_fail(err, RF_CONFLICT, "block %s has %zu rows of %zu bytes %s, %zu rows of %zu bytes %s", a->name, a->rows,
                       a->row_size, a_place, b->rows, b->row_size, b_place);
    }
    return RF_OK;
}

static void describe_value(enum rf_column_type type, const uint8_t *bytes, char text[WORDS_SIZE]) {
    float f32;
    double f64;
    switch (type) {
    case RF_U8:
        snprintf(text, WORDS_SIZE, "%d", *bytes);
        break;
    case RF_U32:
        snprintf(text, WORDS_SIZE, "%" PRIu32, rf_load_u32(bytes));
        break;
    case RF_U64:
        snprintf(text, WORDS_SIZE, "%" PRIu64, rf_load_u64(bytes));
        break;
    case RF_I64:
        snprintf(text, WORDS_SIZE, "%" PRId64, (int64_t)rf_load_u64(bytes));
        break;
    case RF_F32:
        memcpy(&f32, bytes, sizeof f32);
        snprintf(text, WORDS_SIZE, "%.9g", (double)f32);
        break;
    case RF_F64:
        memcpy(&f64, bytes, sizeof f64);
        snprintf(text, WORDS_SIZE, "%.17g", f64);
        break;
    }
}

static enum rf_status fail_at(const struct rf_block *a, const struct rf_block *b, size_t byte, struct rf_error *err) {
    size_t row = byte / a->row_size;
    size_t offset = byte % a->row_size;
    const struct rf_column *column = a->columns;
    while (offset >= column->offset + rf_column_size(column)) {
        column++;
    }
    size_t element_size = rf_column_size(column) / column->count;
    size_t element = (offset - column->offset) / element_size;
    size_t start = row * a->row_size + column->offset + element * element_size;
    char a_value[WORDS_SIZE], b_value[WORDS_SIZE], index[32] = "";
    describe_value(column->type, (const uint8_t *)a->data + start, a_value);
    describe_value(column->type, (const uint8_t *)b->data + start, b_value);
    if (column->count > 1) {
        snprintf(index, sizeof index, "[%zu]", element);
    }
    return rf_fail(err, RF_CONFLICT, "block %s row %zu column %s%s is %s in the first state, %s in the second", a->name, row,
                   column->name, index, a_value, b_value);
}

static enum rf_status compare_contents(const struct rf_block *a, const struct rf_block *b, struct rf_error *err) {
    const uint8_t *a_bytes = a->data, *b_bytes = b->data;
    size_t pieces = rf_block_pieces(a);
    for (size_t piece = 0; piece < pieces; piece++) {
        size_t byte = piece * RF_PIECE_SIZE;
        if (memcmp(a_bytes + byte, b_bytes + byte, rf_block_piece_size(a, piece)) == 0) {
            continue;
        }
        while (a_bytes[byte] == b_bytes[byte]) {
            byte++;
        }
        return fail_at(a, b, byte, err);
    }
    return RF_OK;
}

enum rf_status rf_state_compare(const struct rf_state *a, const struct rf_state *b, struct rf_error *err) {
    for (size_t i = 0; i < a->count; i++) {
        const struct rf_block *block = a->list[i];
        const struct rf_block *twin = rf_state_find(b, block->name);
        if (!twin) {
            return rf_fail(err, RF_CONFLICT, "block %s is in the first state only", block->name);
        }
        enum rf_status status = rf_block_compare_shape(block, "in the first state", twin, "in the second", err);
        status = status == RF_OK ? compare_contents(block, twin, err) : status;
        if (status != RF_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < b->count; i++) {
        if (!rf_state_find(a, b->list[i]->name)) {
            return rf_fail(err, RF_CONFLICT, "block %s is in the second state only", b->list[i]->name);
        }
    }
    return RF_OK;
}
