#include "proto/bytes.h"
#include "proto/snapshot.h"
#include "proto/snapshot_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct header_section {
    const uint8_t *contents;
    size_t size;
};

static void keep_header(void *context, const uint8_t *contents, size_t size) {
    *(struct header_section *)context = (struct header_section){contents, size};
}

static enum rf_status unpack_header(const struct header_section *section, struct rf_snapshot_header *header_out,
                                    struct rf_error *err) {
    if (section->size > RF_SNAPSHOT_HEADER_SIZE_MAX) {
        return rf_fail(err, RF_CORRUPT, "has a header of %zu bytes, must be at most %d", section->size,
                       RF_SNAPSHOT_HEADER_SIZE_MAX);
    }
    struct rf_arena arena;
    enum rf_status status = rf_arena_init(&arena, RF_SNAPSHOT_UNPACKED_SIZE_MAX, err);
    if (status == RF_OK) {
        status = rf_snapshot_header_unpack(section->contents, section->size, &arena, header_out, err);
        rf_arena_finish(&arena);
    }
    return status;
}

enum rf_status rf_snapshot_read_header(const void *data, size_t size, struct rf_snapshot_header *header_out,
                                       uint8_t sha256_out[RF_SHA256_SIZE], struct rf_error *err) {
    struct header_section section = {0};
    const struct rf_snapshot_visitor keep = {.header = keep_header, .context = &section};
    const uint8_t *digest = NULL;
    rf_snapshot_header_init(header_out);
    enum rf_status status = rf_snapshot_check_sum(data, size, &digest, err);
    status = status == RF_OK ? rf_snapshot_walk(data, size, &keep, err) : status;
    status = status == RF_OK ? unpack_header(&section, header_out, err) : status;
    if (status == RF_OK && sha256_out) {
        memcpy(sha256_out, digest, RF_SHA256_SIZE);
    }
    return status;
}

// Restoring, in two walks: the first one compares all shapes, the second one fills.
struct restore {
    const struct rf_state *state;
    bool *is_found; // [state->count]
    struct rf_block *target;
    size_t next_piece;
};

static size_t index_of(const struct rf_state *state, const char *name) {
    size_t index = 0;
    while (index < state->count && strcmp(state->list[index]->name, name) != 0) {
        index++;
    }
    return index;
}

static enum rf_status compare_shape(void *context, const struct rf_block *shape, struct rf_error *err) {
    struct restore *restore = context;
    size_t index = index_of(restore->state, shape->name);
    if (index == restore->state->count) {
        return RF_OK;
    }
    const struct rf_block *block = restore->state->list[index];
    if (block->may_begin_anew && block->rows != shape->rows) {
        return RF_OK;
    }
    restore->is_found[index] = true;
    return rf_block_compare_shape(block, "in the model", shape, "in the snapshot", err);
}

static enum rf_status begin_filling(void *context, const struct rf_block *shape, struct rf_error *err) {
    (void)err;
    struct restore *restore = context;
    size_t index = index_of(restore->state, shape->name);
    bool is_wanted = index < restore->state->count && restore->is_found[index];
    restore->target = is_wanted ? restore->state->list[index] : NULL;
    restore->next_piece = 0;
    return RF_OK;
}

// Pieces that are zeros already are not written, so that a large empty table stays out of memory.
static void clear_pieces(struct rf_block *block, size_t from, size_t to) {
    for (size_t piece = from; piece < to; piece++) {
        uint8_t *bytes = (uint8_t *)block->data + piece * RF_PIECE_SIZE;
        size_t size = rf_block_piece_size(block, piece);
        if (!rf_bytes_are_zero(bytes, size)) {
            memset(bytes, 0, size);
        }
    }
}

static void fill_piece(void *context, const struct rf_block *shape, size_t piece, const uint8_t *bytes) {
    struct restore *restore = context;
    if (restore->target) {
        clear_pieces(restore->target, restore->next_piece, piece);
        memcpy((uint8_t *)restore->target->data + piece * RF_PIECE_SIZE, bytes, rf_block_piece_size(shape, piece));
        restore->next_piece = piece + 1;
    }
}

static void end_filling(void *context, const struct rf_block *shape, uint64_t stored) {
    (void)stored;
    struct restore *restore = context;
    if (restore->target) {
        clear_pieces(restore->target, restore->next_piece, rf_block_pieces(shape));
    }
}

enum rf_status rf_snapshot_read_state(const void *data, size_t size, struct rf_state *state, struct rf_error *err) {
    assert(!state->is_frozen);
    struct restore restore = {.state = state, .is_found = calloc(state->count + 1, sizeof *restore.is_found)};
    if (!restore.is_found) {
        return rf_fail(err, RF_MEMORY, "the list of its blocks does not fit into memory");
    }
    const struct rf_snapshot_visitor check = {.begin = compare_shape, .context = &restore};
    enum rf_status status = rf_snapshot_walk(data, size, &check, err);
    for (size_t i = 0; status == RF_OK && i < state->count; i++) {
        if (!restore.is_found[i] && !state->list[i]->may_begin_anew) {
            status = rf_fail(err, RF_CONFLICT, "block %s of the model is not in the snapshot", state->list[i]->name);
        }
    }
    if (status == RF_OK) {
        const struct rf_snapshot_visitor fill = {
                .begin = begin_filling, .piece = fill_piece, .end = end_filling, .context = &restore};
        status = rf_snapshot_walk(data, size, &fill, err);
    }
    for (size_t i = 0; status == RF_OK && i < state->count; i++) {
        if (!restore.is_found[i]) {
            clear_pieces(state->list[i], 0, rf_block_pieces(state->list[i]));
        }
    }
    free(restore.is_found);
    return status;
}

struct listing {
    rf_snapshot_visit *visit;
    void *context;
};

static void list_block(void *context, const struct rf_block *shape, uint64_t stored) {
    const struct listing *listing = context;
    listing->visit(listing->context, shape->name, shape->rows, shape->row_size, stored);
}

enum rf_status rf_snapshot_each_block(const void *data, size_t size, rf_snapshot_visit *visit, void *context,
                                      struct rf_error *err) {
    struct listing listing = {visit, context};
    const struct rf_snapshot_visitor list = {.end = list_block, .context = &listing};
    return rf_snapshot_walk(data, size, &list, err);
}
