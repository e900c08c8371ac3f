#include "proto/state_merge_internal.h"

#include <string.h>

const struct rf_column *rf_block_column_of(const struct rf_block *block, enum rf_merge merge) {
    for (size_t i = 0; i < block->column_count; i++) {
        if (block->columns[i].merge == merge) {
            return &block->columns[i];
        }
    }
    return NULL;
}

uint8_t *rf_block_row(const struct rf_block *block, size_t row) {
    return (uint8_t *)block->data + row * block->row_size;
}

bool rf_block_row_is_used(const struct rf_block *block, size_t row) {
    const uint8_t *bytes = rf_block_row(block, row);
    return bytes[0] != 0 || memcmp(bytes, bytes + 1, block->row_size - 1) != 0;
}

uint64_t rf_block_used(const struct rf_block *block) {
    uint64_t used = 0;
    for (size_t row = 0; row < block->rows; row++) {
        used += rf_block_row_is_used(block, row);
    }
    return used;
}

static uint64_t load_u64(const struct rf_block *block, size_t row, const struct rf_column *column) {
    uint64_t value;
    memcpy(&value, rf_block_row(block, row) + column->offset, sizeof value);
    return value;
}

size_t rf_keyed_find(const struct rf_block *block, uint64_t key) {
    const struct rf_column *column = rf_block_column_of(block, RF_MERGE_KEY);
    unsigned row_bits = 0;
    while ((size_t)1 << row_bits < block->rows) {
        row_bits++;
    }
    size_t row = rf_key_home(key, row_bits);
    for (size_t probes = 0; probes < block->rows; probes++) {
        if (!rf_block_row_is_used(block, row) || load_u64(block, row, column) == key) {
            return row;
        }
        row = (row + 1) & (block->rows - 1);
    }
    return block->rows;
}

void rf_keyed_map_places(const struct rf_block *from, const struct rf_block *to, uint64_t *place_of_out) {
    const struct rf_column *key = rf_block_column_of(from, RF_MERGE_KEY), *place = rf_block_column_of(from, RF_MERGE_PLACE);
    memset(place_of_out, 0, from->rows / 2 * sizeof *place_of_out);
    for (size_t row = 0; row < from->rows; row++) {
        if (rf_block_row_is_used(from, row)) {
            size_t found = rf_keyed_find(to, load_u64(from, row, key));
            place_of_out[load_u64(from, row, place) - 1] =
                    found < to->rows && rf_block_row_is_used(to, found) ? load_u64(to, found, place) : 0;
        }
    }
}

enum rf_status rf_keyed_check(const struct rf_block *block, const char *whose, struct rf_error *err) {
    const struct rf_column *key = rf_block_column_of(block, RF_MERGE_KEY), *place = rf_block_column_of(block, RF_MERGE_PLACE);
    uint64_t used = rf_block_used(block);
    if (used > block->rows / 2) {
        return rf_fail(err, RF_CORRUPT, "block %s of %s has %llu of its %zu rows in use, must be at most half", block->name,
                       whose, (unsigned long long)used, block->rows);
    }
    for (size_t row = 0; row < block->rows; row++) {
        if (!rf_block_row_is_used(block, row)) {
            continue;
        }
        size_t found = rf_keyed_find(block, load_u64(block, row, key));
        if (found != row) {
            return rf_fail(err, RF_CORRUPT, "block %s of %s has a key in row %zu, must be in row %zu", block->name, whose, row,
                           found);
        }
        uint64_t at = place ? load_u64(block, row, place) : 1;
        if (at < 1 || at > used) {
            return rf_fail(err, RF_CORRUPT, "block %s of %s has place %llu in row %zu, must be 1 to %llu", block->name, whose,
                           (unsigned long long)at, row, (unsigned long long)used);
        }
    }
    return RF_OK;
}
