#include "proto/state.h"

#include "proto/bytes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t rf_column_size(const struct rf_column *column) {
    static const size_t sizes[] = {[RF_U8] = 1, [RF_U32] = 4, [RF_U64] = 8, [RF_I64] = 8, [RF_F32] = 4, [RF_F64] = 8};
    return sizes[column->type] * column->count;
}

static bool columns_cover_row(const struct rf_block *block) {
    size_t end = 0;
    for (size_t i = 0; i < block->column_count; i++) {
        const struct rf_column *column = &block->columns[i];
        bool is_known = column->name && column->name[0] && (unsigned)column->type <= RF_F64;
        if (!is_known || column->count == 0 || column->offset != end || rf_column_size(column) > block->row_size - end) {
            return false;
        }
        end += rf_column_size(column);
    }
    return end == block->row_size;
}

bool rf_block_is_sound(const struct rf_block *block) {
    return block->name && block->name[0] && block->row_size > 0 && block->rows <= PTRDIFF_MAX / block->row_size &&
           rf_block_pieces(block) < UINT32_MAX && columns_cover_row(block);
}

size_t rf_block_size(const struct rf_block *block) {
    return block->rows * block->row_size;
}

size_t rf_block_pieces(const struct rf_block *block) {
    return (rf_block_size(block) + RF_PIECE_SIZE - 1) / RF_PIECE_SIZE;
}

size_t rf_block_grains(const struct rf_block *block) {
    return (rf_block_size(block) + RF_GRAIN_SIZE - 1) / RF_GRAIN_SIZE;
}

size_t rf_block_piece_size(const struct rf_block *block, size_t piece) {
    assert(piece < rf_block_pieces(block));
    size_t left = rf_block_size(block) - piece * RF_PIECE_SIZE;
    return left < RF_PIECE_SIZE ? left : RF_PIECE_SIZE;
}

void rf_state_init(struct rf_state *state) {
    *state = (struct rf_state){0};
}

struct rf_block *rf_state_find(const struct rf_state *state, const char *name) {
    for (size_t i = 0; i < state->count; i++) {
        if (strcmp(state->list[i]->name, name) == 0) {
            return state->list[i];
        }
    }
    return NULL;
}

static void *require(void *memory) {
    if (!memory) {
        fputs("riffle: out of memory for the list of state blocks\n", stderr);
        abort();
    }
    return memory;
}

struct rf_block *rf_state_add(struct rf_state *state, const struct rf_block *block) {
    assert(!state->is_frozen);
    assert(rf_block_is_sound(block));
    assert(!rf_state_find(state, block->name));
    if (state->count == state->capacity) {
        state->capacity = state->capacity ? 2 * state->capacity : 16;
        state->list = require(reallocarray(state->list, state->capacity, sizeof *state->list));
    }
    struct rf_block *added = require(malloc(sizeof *added));
    *added = *block;
    added->is_watched = false;
    added->dirty = NULL;
    added->mark = NULL;
    added->shadow = NULL;
    added->reserved_mark = NULL;
    added->reserved_shadow = NULL;
    added->slot = NULL;
    added->freeze = 0;
    added->slots_provided = 0;
    state->list[state->count++] = added;
    return added;
}
