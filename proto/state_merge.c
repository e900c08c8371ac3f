#include "proto/state_merge.h"
#include "proto/state_merge_internal.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// What stands before a merge: three blocks of one name, and room for two rows.
struct blocks {
    const struct rf_state *base_state, *theirs_state, *ours_state;
    const struct rf_block *base, *theirs;
    struct rf_block *ours;
    uint8_t *base_row, *theirs_row; // [row_size] as they stand to ours
    uint64_t *base_place, *theirs_place;
};

static struct rf_moments moments_at(const struct rf_block *block, size_t column) {
    return (struct rf_moments){&block->columns[column], &block->columns[column + 1], &block->columns[column + 2]};
}

static bool are_moments(const struct rf_block *block, size_t column) {
    if (column + 3 > block->column_count) {
        return false;
    }
    struct rf_moments moments = moments_at(block, column);
    size_t k = moments.mean->count;
    return moments.mean->merge == RF_MERGE_MOMENTS && moments.scatter->merge == RF_MERGE_MOMENTS &&
           (moments.count->type == RF_U64 || moments.count->type == RF_F64) && moments.mean->type == RF_F64 &&
           moments.scatter->type == RF_F64 && (moments.count->count == 1 || moments.count->count == k) &&
           (moments.scatter->count == k || moments.scatter->count == k * (k + 1) / 2);
}

static bool is_power_of_two(size_t rows) {
    return rows >= 2 && (rows & (rows - 1)) == 0;
}

// What keeps the column from being merged by its rule; NULL: nothing does.
static const char *fault_of(const struct rf_block *block, size_t index, bool is_first) {
    const struct rf_column *column = &block->columns[index];
    bool is_one_u64 = column->type == RF_U64 && column->count == 1;
    switch (column->merge) {
    case RF_MERGE_NONE:
        return "has no rule for merging";
    case RF_MERGE_MEAN:
        return column->type == RF_F32 || column->type == RF_F64 ? NULL : "is of integers, must be of floats to be averaged";
    case RF_MERGE_KEY:
        return is_one_u64 && index == 0 && is_power_of_two(block->rows) ? NULL : "is no key, must be a u64 in front of 2^n rows";
    case RF_MERGE_PLACE:
        return is_one_u64 && rf_block_column_of(block, RF_MERGE_KEY) ? NULL : "is no place, must be a u64 beside a key";
    case RF_MERGE_USED:
        return is_one_u64 && block->rows == 1 && !is_first ? NULL
                                                           : "counts nothing, must be a u64 in one row behind another block";
    default:
        return NULL;
    }
}

// The keyed block that holds the places of a block, among those listed before it; NULL when it is not there.
static const struct rf_block *find_places(const struct rf_state *state, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (strcmp(state->list[i]->name, state->list[index]->places) == 0) {
            return rf_block_column_of(state->list[i], RF_MERGE_PLACE) ? state->list[i] : NULL;
        }
    }
    return NULL;
}

static enum rf_status check_places(const struct rf_state *state, size_t index, struct rf_error *err) {
    const struct rf_block *block = state->list[index], *keyed = find_places(state, index);
    if (!keyed) {
        return rf_fail(err, RF_INVALID, "block %s has its places in block %s, must be in a keyed one listed before", block->name,
                       block->places);
    }
    for (size_t c = 0; c < block->column_count; c++) {
        if (block->columns[c].merge != RF_MERGE_MOMENTS) {
            continue;
        }
        const struct rf_column *mean = &block->columns[c + 1];
        if (mean->count != keyed->rows / 2) {
            return rf_fail(err, RF_INVALID, "block %s: column %s has %u elements, must be %zu, half the rows of block %s",
                           block->name, mean->name, mean->count, keyed->rows / 2, block->places);
        }
        c += 2;
    }
    return RF_OK;
}

enum rf_status rf_state_merge_check(const struct rf_state *state, struct rf_error *err) {
    for (size_t i = 0; i < state->count; i++) {
        const struct rf_block *block = state->list[i];
        for (size_t c = 0; c < block->column_count; c++) {
            const char *fault = fault_of(block, c, i == 0);
            if (block->columns[c].merge == RF_MERGE_MOMENTS) {
                fault = are_moments(block, c) ? NULL : "is not the first of count, mean and scatter";
                c += fault ? 0 : 2;
            }
            if (fault) {
                return rf_fail(err, RF_INVALID, "block %s: column %s %s", block->name, block->columns[c].name, fault);
            }
        }
        if (block->places && check_places(state, i, err) != RF_OK) {
            return err->status;
        }
    }
    return RF_OK;
}

static enum rf_status check_shapes(const struct rf_state *a, const char *a_place, const struct rf_state *b, const char *b_place,
                                   struct rf_error *err) {
    for (size_t i = 0; i < a->count; i++) {
        const struct rf_block *other = rf_state_find(b, a->list[i]->name);
        if (!other) {
            return rf_fail(err, RF_CONFLICT, "block %s is %s, must be %s too", a->list[i]->name, a_place, b_place);
        }
        if (rf_block_compare_shape(a->list[i], a_place, other, b_place, err) != RF_OK) {
            return err->status;
        }
    }
    return a->count == b->count ? RF_OK
                                : rf_fail(err, RF_CONFLICT, "%zu blocks are %s, %zu %s, must be as many", a->count, a_place,
                                          b->count, b_place);
}

static bool states_are_equal(const struct rf_state *a, const struct rf_state *b) {
    for (size_t i = 0; i < a->count; i++) {
        const struct rf_block *other = rf_state_find(b, a->list[i]->name);
        if (memcmp(a->list[i]->data, other->data, rf_block_size(other)) != 0) {
            return false;
        }
    }
    return true;
}

static uint64_t load_integer(enum rf_column_type type, const uint8_t *bytes) {
    uint64_t u64;
    uint32_t u32;
    switch (type) {
    case RF_U8:
        return bytes[0];
    case RF_U32:
        memcpy(&u32, bytes, sizeof u32);
        return u32;
    default:
        memcpy(&u64, bytes, sizeof u64);
        return u64;
    }
}

static void store_integer(enum rf_column_type type, uint8_t *bytes, uint64_t value) {
    uint32_t low = (uint32_t)value;
    switch (type) {
    case RF_U8:
        bytes[0] = (uint8_t)value;
        break;
    case RF_U32:
        memcpy(bytes, &low, sizeof low);
        break;
    default:
        memcpy(bytes, &value, sizeof value);
    }
}

static double load_float(enum rf_column_type type, const uint8_t *bytes) {
    double f64;
    float f32;
    if (type == RF_F32) {
        memcpy(&f32, bytes, sizeof f32);
        return (double)f32;
    }
    memcpy(&f64, bytes, sizeof f64);
    return f64;
}

static void store_float(enum rf_column_type type, uint8_t *bytes, double value) {
    if (type == RF_F32) {
        float f32 = (float)fmin(fmax(value, -(double)FLT_MAX), (double)FLT_MAX);
        memcpy(bytes, &f32, sizeof f32);
    } else {
        double f64 = fmin(fmax(value, -DBL_MAX), DBL_MAX);
        memcpy(bytes, &f64, sizeof f64);
    }
}

static void merge_integer(const struct rf_column *column, const uint8_t *base, const uint8_t *theirs, uint8_t *ours) {
    uint64_t a = load_integer(column->type, ours), b = load_integer(column->type, theirs);
    if (column->merge == RF_MERGE_MAX) {
        bool is_more = column->type == RF_I64 ? (int64_t)b > (int64_t)a : b > a;
        store_integer(column->type, ours, is_more ? b : a);
    } else {
        store_integer(column->type, ours, a + (b - load_integer(column->type, base)));
    }
}

static void merge_float(const struct rf_column *column, const uint8_t *base, const uint8_t *theirs, uint8_t *ours) {
    double a = load_float(column->type, ours), b = load_float(column->type, theirs);
    double merged = column->merge == RF_MERGE_MAX    ? (b > a ? b : a)
                    : column->merge == RF_MERGE_MEAN ? a / 2 + b / 2
                                                     : a + (b - load_float(column->type, base));
    store_float(column->type, ours, merged);
}

static void merge_column(const struct rf_column *column, const uint8_t *base, const uint8_t *theirs, uint8_t *ours) {
    size_t size = rf_column_size(column) / column->count;
    bool is_float = column->type == RF_F32 || column->type == RF_F64;
    for (size_t i = 0; i < column->count; i++) {
        size_t at = column->offset + i * size;
        (is_float ? merge_float : merge_integer)(column, base + at, theirs + at, ours + at);
    }
}

bool rf_block_merge_row(const struct rf_block *block, const uint8_t *base, const uint8_t *theirs, uint8_t *ours) {
    if (memcmp(theirs, base, block->row_size) == 0) {
        return false;
    }
    if (memcmp(ours, base, block->row_size) == 0) {
        memcpy(ours, theirs, block->row_size);
        return false;
    }
    for (size_t c = 0; c < block->column_count; c++) {
        const struct rf_column *column = &block->columns[c];
        switch (column->merge) {
        case RF_MERGE_MOMENTS: {
            struct rf_moments moments = moments_at(block, c);
            rf_moments_merge(&moments, base, theirs, ours);
            c += 2;
            break;
        }
        case RF_MERGE_KEY:
        case RF_MERGE_PLACE:
        case RF_MERGE_USED:
        case RF_MERGE_DERIVED:
            break; // done elsewhere
        default:
            merge_column(column, base, theirs, ours);
        }
    }
    return true;
}

static void merge_keyed(struct blocks *blocks) {
    struct rf_block *ours = blocks->ours;
    const struct rf_column *key = &ours->columns[0], *place = rf_block_column_of(ours, RF_MERGE_PLACE);
    uint64_t used = rf_block_used(ours);
    memset(blocks->base_row, 0, ours->row_size);
    for (size_t row = 0; row < ours->rows; row++) {
        if (!rf_block_row_is_used(blocks->theirs, row)) {
            continue;
        }
        const uint8_t *theirs = rf_block_row(blocks->theirs, row);
        uint64_t hash = load_integer(RF_U64, theirs + key->offset);
        size_t base_row = rf_keyed_find(blocks->base, hash), own_row = rf_keyed_find(ours, hash);
        bool is_new = own_row == ours->rows || !rf_block_row_is_used(ours, own_row);
        if (is_new && used >= ours->rows / 2) {
            continue;
        }
        bool has_base = base_row < ours->rows && rf_block_row_is_used(blocks->base, base_row);
        uint8_t *own = rf_block_row(ours, own_row);
        used += is_new;
        uint64_t own_place = !place ? 0 : is_new ? used : load_integer(RF_U64, own + place->offset);
        rf_block_touch(ours, own_row);
        rf_block_merge_row(ours, has_base ? rf_block_row(blocks->base, base_row) : blocks->base_row, theirs, own);
        store_integer(RF_U64, own + key->offset, hash);
        if (place) {
            store_integer(RF_U64, own + place->offset, own_place);
        }
    }
}

// Copies a row, with its moments where they stand in ours; what has no place there is left out.
static void take_row(const struct rf_block *block, size_t row, const uint64_t *place_of, uint8_t *out) {
    memcpy(out, rf_block_row(block, row), block->row_size);
    for (size_t c = 0; c < block->column_count; c++) {
        if (block->columns[c].merge == RF_MERGE_MOMENTS) {
            struct rf_moments moments = moments_at(block, c);
            size_t end = moments.scatter->offset + rf_column_size(moments.scatter);
            memset(out + moments.count->offset, 0, end - moments.count->offset);
            rf_moments_permute(&moments, place_of, rf_block_row(block, row), out);
            c += 2;
        }
    }
}

static void merge_placed(struct blocks *blocks) {
    const struct rf_block *keyed = rf_state_find(blocks->ours_state, blocks->ours->places);
    rf_keyed_map_places(rf_state_find(blocks->base_state, keyed->name), keyed, blocks->base_place);
    rf_keyed_map_places(rf_state_find(blocks->theirs_state, keyed->name), keyed, blocks->theirs_place);
    for (size_t row = 0; row < blocks->ours->rows; row++) {
        take_row(blocks->base, row, blocks->base_place, blocks->base_row);
        take_row(blocks->theirs, row, blocks->theirs_place, blocks->theirs_row);
        rf_block_touch(blocks->ours, row);
        rf_block_merge_row(blocks->ours, blocks->base_row, blocks->theirs_row, rf_block_row(blocks->ours, row));
    }
}

static void merge_rows(struct blocks *blocks) {
    for (size_t row = 0; row < blocks->ours->rows; row++) {
        rf_block_touch(blocks->ours, row);
        rf_block_merge_row(blocks->ours, rf_block_row(blocks->base, row), rf_block_row(blocks->theirs, row),
                           rf_block_row(blocks->ours, row));
    }
}

static void zero_derived(struct rf_block *block) {
    for (size_t c = 0; c < block->column_count; c++) {
        const struct rf_column *column = &block->columns[c];
        for (size_t row = 0; row < block->rows && column->merge == RF_MERGE_DERIVED; row++) {
            rf_block_touch(block, row);
            memset(rf_block_row(block, row) + column->offset, 0, rf_column_size(column));
        }
    }
}

static enum rf_status merge_block(struct blocks *blocks, size_t index, struct rf_error *err) {
    struct rf_block *ours = blocks->ours;
    bool is_keyed = rf_block_column_of(ours, RF_MERGE_KEY) != NULL;
    if (is_keyed && (rf_keyed_check(blocks->base, "the base", err) != RF_OK ||
                     rf_keyed_check(blocks->theirs, "theirs", err) != RF_OK || rf_keyed_check(ours, "ours", err) != RF_OK)) {
        return err->status;
    }
    if (is_keyed) {
        merge_keyed(blocks);
    } else if (ours->places) {
        merge_placed(blocks);
    } else {
        merge_rows(blocks);
    }
    const struct rf_column *used = rf_block_column_of(ours, RF_MERGE_USED);
    if (used) {
        store_integer(RF_U64, rf_block_row(ours, 0) + used->offset, rf_block_used(blocks->ours_state->list[index - 1]));
    }
    zero_derived(ours);
    return RF_OK;
}

static enum rf_status merge_with_room(struct blocks *blocks, size_t index, struct rf_error *err) {
    const struct rf_block *keyed = blocks->ours->places ? rf_state_find(blocks->ours_state, blocks->ours->places) : NULL;
    size_t places = keyed ? keyed->rows / 2 : 1;
    blocks->base_row = malloc(blocks->ours->row_size);
    blocks->theirs_row = malloc(blocks->ours->row_size);
    blocks->base_place = calloc(places, sizeof *blocks->base_place);
    blocks->theirs_place = calloc(places, sizeof *blocks->theirs_place);
    bool has_room = blocks->base_row && blocks->theirs_row && blocks->base_place && blocks->theirs_place;
    enum rf_status status = has_room ? merge_block(blocks, index, err)
                                     : rf_fail(err, RF_MEMORY, "out of memory for merging block %s", blocks->ours->name);
    free(blocks->base_row);
    free(blocks->theirs_row);
    free(blocks->base_place);
    free(blocks->theirs_place);
    return status;
}

static void copy_state(const struct rf_state *from, struct rf_state *to) {
    for (size_t i = 0; i < to->count; i++) {
        struct rf_block *block = to->list[i];
        for (size_t row = 0; row < block->rows; row++) {
            rf_block_touch(block, row);
        }
        memcpy(block->data, rf_state_find(from, block->name)->data, rf_block_size(block));
    }
}

enum rf_status rf_state_merge(const struct rf_state *base, const struct rf_state *theirs, struct rf_state *ours,
                              struct rf_error *err) {
    if (check_shapes(ours, "in ours", base, "in the base", err) != RF_OK ||
        check_shapes(ours, "in ours", theirs, "in theirs", err) != RF_OK || rf_state_merge_check(ours, err) != RF_OK) {
        return err->status;
    }
    if (states_are_equal(theirs, base)) {
        return RF_OK;
    }
    if (states_are_equal(ours, base)) {
        copy_state(theirs, ours);
        return RF_OK;
    }
    struct blocks blocks = {.base_state = base, .theirs_state = theirs, .ours_state = ours};
    for (size_t i = 0; i < ours->count; i++) {
        blocks.ours = ours->list[i];
        blocks.base = rf_state_find(base, blocks.ours->name);
        blocks.theirs = rf_state_find(theirs, blocks.ours->name);
        if (merge_with_room(&blocks, i, err) != RF_OK) {
            return err->status;
        }
    }
    return RF_OK;
}
