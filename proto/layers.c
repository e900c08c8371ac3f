#include "proto/layers.h"

#include "proto/state_merge.h"
#include "proto/state_merge_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// How the rows of a block are merged.
enum share {
    LOCAL, // not at all
    ROWS,  // each for itself
    GROUP, // together with other blocks
};

struct shared {
    enum share share;
    struct rf_block *current, *base;
};

// Copies of the blocks of the group.
enum { START, NOW, BEFORE, AFTER, SCRATCHES };

struct rf_layers {
    struct rf_state *current;
    struct rf_state base;  // owns the bytes of its blocks
    struct shared *blocks; // [current->count]
    struct rf_delta *frozen;
    bool is_frozen;

    // The group, as states of their own: the blocks of current and base, and copies.
    struct rf_state current_group, base_group; // borrow the blocks
    struct rf_state scratch[SCRATCHES];        // own the bytes
};

static bool is_wholly_derived(const struct rf_block *block) {
    for (size_t i = 0; i < block->column_count; i++) {
        if (block->columns[i].merge != RF_MERGE_DERIVED) {
            return false;
        }
    }
    return true;
}

bool rf_layers_shares(const struct rf_block *block) {
    return block->scope != RF_SCOPE_CIRCUMSTANCE && !is_wholly_derived(block);
}

static bool is_grouped(const struct rf_state *state, size_t index) {
    const struct rf_block *block = state->list[index];
    bool counts_keyed =
            index > 0 && rf_block_column_of(block, RF_MERGE_USED) && rf_block_column_of(state->list[index - 1], RF_MERGE_KEY);
    return rf_block_column_of(block, RF_MERGE_KEY) || block->places || counts_keyed;
}

static uint8_t *row_of(const struct rf_block *block, size_t row) {
    return (uint8_t *)block->data + row * block->row_size;
}

// A state with copies of these blocks, whose bytes it owns. RF_MEMORY leaves what there is for forget_state().
static enum rf_status copy_block(struct rf_state *state, const struct rf_block *block, bool has_contents) {
    struct rf_block copy = *block;
    size_t size = rf_block_size(block);
    copy.data = calloc(1, size ? size : 1);
    if (!copy.data) {
        return RF_MEMORY;
    }
    if (has_contents) {
        memcpy(copy.data, block->data, size);
    }
    rf_state_add(state, &copy);
    return RF_OK;
}

static void forget_state(struct rf_state *state) {
    for (size_t i = 0; i < state->count; i++) {
        free(state->list[i]->data);
    }
    rf_state_finish(state);
}

void rf_layers_destroy(struct rf_layers *layers) {
    if (!layers) {
        return;
    }
    forget_state(&layers->base);
    for (size_t i = 0; i < SCRATCHES; i++) {
        forget_state(&layers->scratch[i]);
    }
    rf_delta_destroy(layers->frozen);
    free(layers->current_group.list);
    free(layers->base_group.list);
    free(layers->blocks);
    free(layers);
}

static enum rf_status add_to_group(struct rf_layers *layers, struct shared *shared) {
    layers->current_group.list[layers->current_group.count++] = shared->current;
    layers->base_group.list[layers->base_group.count++] = shared->base;
    for (size_t i = 0; i < SCRATCHES; i++) {
        if (copy_block(&layers->scratch[i], shared->current, false)) {
            return RF_MEMORY;
        }
    }
    return RF_OK;
}

static enum rf_status build(struct rf_layers *layers) {
    struct rf_state *current = layers->current;
    layers->blocks = calloc(current->count + 1, sizeof *layers->blocks);
    layers->current_group.list = calloc(current->count + 1, sizeof(struct rf_block *));
    layers->base_group.list = calloc(current->count + 1, sizeof(struct rf_block *));
    if (!layers->blocks || !layers->current_group.list || !layers->base_group.list) {
        return RF_MEMORY;
    }
    for (size_t i = 0; i < current->count; i++) {
        struct shared *shared = &layers->blocks[i];
        shared->current = current->list[i];
        if (!rf_layers_shares(current->list[i])) {
            continue;
        }
        if (copy_block(&layers->base, current->list[i], true)) {
            return RF_MEMORY;
        }
        shared->base = layers->base.list[layers->base.count - 1];
        shared->base->is_touched = true; // before every write to it below, whatever its owner does with the block of current
        shared->share = is_grouped(current, i) ? GROUP : ROWS;
        if (shared->share == GROUP && add_to_group(layers, shared)) {
            return RF_MEMORY;
        }
    }
    return rf_state_note_writes(current);
}

enum rf_status rf_layers_create(struct rf_state *current, struct rf_layers **layers_out, struct rf_error *err) {
    enum rf_status status = rf_state_merge_check(current, err);
    if (status) {
        return status;
    }
    struct rf_layers *layers = calloc(1, sizeof *layers);
    if (!layers) {
        return rf_fail(err, RF_MEMORY, "out of memory for the layers of a fleet's state");
    }
    layers->current = current;
    status = build(layers);
    if (!status) {
        status = rf_delta_create(current, &layers->frozen, err);
    }
    if (status) {
        rf_layers_destroy(layers);
        return rf_fail(err, status, "out of memory for the layers of a fleet's state");
    }
    *layers_out = layers;
    return RF_OK;
}

struct rf_state *rf_layers_current(struct rf_layers *layers) {
    return layers->current;
}

struct rf_state *rf_layers_base(struct rf_layers *layers) {
    return &layers->base;
}

const struct rf_delta *rf_layers_frozen(const struct rf_layers *layers) {
    return layers->is_frozen ? layers->frozen : NULL;
}

// Visits the rows of current that may differ from base + frozen: those in grains that were written, or all of a block that is not
// touched.
typedef enum rf_status visit_row(struct rf_layers *layers, size_t block, size_t row);

static enum rf_status visit_grain(struct rf_layers *layers, size_t index, size_t grain, size_t *next_row, visit_row *visit) {
    const struct rf_block *block = layers->blocks[index].current;
    size_t row = grain * RF_GRAIN_SIZE / block->row_size;
    size_t end = ((grain + 1) * RF_GRAIN_SIZE - 1) / block->row_size + 1;
    end = end < block->rows ? end : block->rows;
    enum rf_status status = RF_OK;
    for (row = row > *next_row ? row : *next_row; row < end && !status; row++) {
        status = visit(layers, index, row);
        *next_row = row + 1;
    }
    return status;
}

static enum rf_status each_written(struct rf_layers *layers, size_t index, visit_row *visit) {
    const struct rf_block *block = layers->blocks[index].current;
    enum rf_status status = RF_OK;
    size_t next_row = 0;
    if (!block->dirty) {
        for (size_t row = 0; row < block->rows && !status; row++) {
            status = visit(layers, index, row);
        }
        return status;
    }
    for (size_t word = 0; word < (rf_block_grains(block) + 63) / 64; word++) {
        for (uint64_t bits = block->dirty[word]; bits && !status; bits &= bits - 1) {
            size_t grain = word * 64 + (size_t)__builtin_ctzll(bits);
            status = visit_grain(layers, index, grain, &next_row, visit);
        }
    }
    return status;
}

static enum rf_status freeze_row(struct rf_layers *layers, size_t index, size_t row) {
    const struct shared *shared = &layers->blocks[index];
    const uint8_t *start = row_of(shared->base, row), *now = row_of(shared->current, row);
    if (memcmp(start, now, shared->base->row_size) == 0) {
        return RF_OK;
    }
    return rf_delta_add(layers->frozen, index, row, start, now);
}

// All rows in use: a key or a place means something beside the others only.
static enum rf_status freeze_group_row(struct rf_layers *layers, size_t index, size_t row) {
    const struct shared *shared = &layers->blocks[index];
    bool is_used = rf_block_row_is_used(shared->base, row) || rf_block_row_is_used(shared->current, row);
    return is_used ? rf_delta_add(layers->frozen, index, row, row_of(shared->base, row), row_of(shared->current, row)) : RF_OK;
}

static bool group_differs(const struct rf_layers *layers) {
    for (size_t i = 0; i < layers->current_group.count; i++) {
        const struct rf_block *block = layers->current_group.list[i];
        if (memcmp(block->data, layers->base_group.list[i]->data, rf_block_size(block)) != 0) {
            return true;
        }
    }
    return false;
}

static enum rf_status freeze_block(struct rf_layers *layers, size_t index, bool has_group) {
    const struct shared *shared = &layers->blocks[index];
    enum rf_status status = RF_OK;
    if (shared->share == ROWS) {
        return each_written(layers, index, freeze_row);
    }
    for (size_t row = 0; row < shared->current->rows && shared->share == GROUP && has_group && !status; row++) {
        status = freeze_group_row(layers, index, row);
    }
    return status;
}

enum rf_status rf_layers_freeze(struct rf_layers *layers, struct rf_error *err) {
    assert(!layers->is_frozen);
    bool has_group = group_differs(layers);
    rf_delta_clear(layers->frozen);
    for (size_t i = 0; i < layers->current->count; i++) {
        if (freeze_block(layers, i, has_group)) {
            rf_delta_clear(layers->frozen);
            return rf_fail(err, RF_MEMORY, "out of memory for what was learned since the last delta");
        }
    }
    for (size_t i = 0; i < layers->current->count; i++) {
        rf_block_forget_written(layers->current->list[i]);
    }
    layers->is_frozen = true;
    return RF_OK;
}

// Rows for themselves.

// to <- to + (now - start); what is derived is made again by its owner, but where one side is taken as it is.
static void add_row(const struct rf_block *block, const uint8_t *start, const uint8_t *now, uint8_t *to) {
    if (!rf_block_merge_row(block, start, now, to)) {
        return;
    }
    for (size_t c = 0; c < block->column_count; c++) {
        if (block->columns[c].merge == RF_MERGE_DERIVED) {
            memset(to + block->columns[c].offset, 0, rf_column_size(&block->columns[c]));
        }
    }
}

// Rows of the block in front, of a block that counts them, come into use: +1, or go out of it: -1.
struct use {
    int64_t base, current;
};

static void put_row(struct rf_block *block, size_t row, const uint8_t *bytes, int64_t *use) {
    bool was_used = rf_block_row_is_used(block, row);
    if (memcmp(row_of(block, row), bytes, block->row_size) != 0) {
        rf_block_touch(block, row);
        memcpy(row_of(block, row), bytes, block->row_size);
    }
    *use += (int64_t)rf_block_row_is_used(block, row) - was_used;
}

struct rows {
    struct rf_layers *layers;
    const struct rf_delta *delta; // that the log goes on by
    bool is_own;                  // it is the frozen one
    uint8_t *before, *after;      // [largest row size]
};

// Current was base + frozen + growing and becomes (base + delta) + frozen + growing.
static void move_row(const struct rows *rows, size_t index, size_t at, struct use *use) {
    const struct shared *shared = &rows->layers->blocks[index];
    const struct rf_delta_rows *delta = &rows->delta->blocks[index], *frozen = &rows->layers->frozen->blocks[index];
    const struct rf_block *block = shared->base;
    size_t size = block->row_size, row = delta->row[at];
    memcpy(rows->after, row_of(block, row), size);
    add_row(block, delta->start + at * size, delta->now + at * size, rows->after);
    if (rows->is_own) { // base + frozen is what it was
        put_row(shared->base, row, rows->after, &use->base);
        return;
    }
    size_t own = rows->layers->is_frozen ? rf_delta_find(frozen, row) : frozen->count;
    bool has_frozen = rows->layers->is_frozen && own < frozen->count;
    memcpy(rows->before, row_of(block, row), size);
    put_row(shared->base, row, rows->after, &use->base);
    if (has_frozen) {
        add_row(block, frozen->start + own * size, frozen->now + own * size, rows->before);
        add_row(block, frozen->start + own * size, frozen->now + own * size, rows->after);
    }
    add_row(block, rows->before, row_of(shared->current, row), rows->after);
    put_row(shared->current, row, rows->after, &use->current);
}

// A count of rows in use follows the block in front of it, whatever its own row says.
static void correct_count(struct rf_block *block, uint64_t count_before, int64_t use) {
    const struct rf_column *used = rf_block_column_of(block, RF_MERGE_USED);
    uint64_t count = count_before + (uint64_t)use;
    rf_block_touch(block, 0);
    memcpy(row_of(block, 0) + used->offset, &count, sizeof count);
}

static uint64_t count_of(const struct rf_block *block) {
    const struct rf_column *used = rf_block_column_of(block, RF_MERGE_USED);
    uint64_t count = 0;
    if (used) {
        memcpy(&count, row_of(block, 0) + used->offset, sizeof count);
    }
    return count;
}

static void move_block(const struct rows *rows, size_t index, struct use *front) {
    struct shared *shared = &rows->layers->blocks[index];
    struct use use = {0};
    uint64_t base_count = count_of(shared->base), current_count = count_of(shared->current);
    for (size_t i = 0; i < rows->delta->blocks[index].count; i++) {
        move_row(rows, index, i, &use);
    }
    if (rf_block_column_of(shared->base, RF_MERGE_USED)) {
        correct_count(shared->base, base_count, front->base);
        correct_count(shared->current, current_count, front->current);
    }
    *front = use;
}

static size_t largest_row(const struct rf_state *state) {
    size_t largest = 1;
    for (size_t i = 0; i < state->count; i++) {
        largest = state->list[i]->row_size > largest ? state->list[i]->row_size : largest;
    }
    return largest;
}

static enum rf_status move_rows(struct rf_layers *layers, const struct rf_delta *delta, bool is_own, struct rf_error *err) {
    size_t size = largest_row(layers->current);
    struct rows rows = {.layers = layers, .delta = delta, .is_own = is_own, .before = malloc(size), .after = malloc(size)};
    struct use front = {0};
    bool has_room = rows.before && rows.after;
    for (size_t i = 0; i < layers->current->count && has_room; i++) {
        if (layers->blocks[i].share == ROWS) {
            move_block(&rows, i, &front);
        }
    }
    free(rows.before);
    free(rows.after);
    return has_room ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for folding a delta");
}

// The group.

static void copy_group(const struct rf_state *from, struct rf_state *to) {
    for (size_t i = 0; i < from->count; i++) {
        struct rf_block *block = to->list[i];
        if (block->is_watched) {
            for (size_t row = 0; row < block->rows; row++) {
                rf_block_touch(block, row);
            }
        }
        memcpy(block->data, from->list[i]->data, rf_block_size(block));
    }
}

// The two sides of a delta as whole blocks.
static bool spread(struct rf_layers *layers, const struct rf_delta *delta) {
    bool has_rows = false;
    for (size_t i = 0, k = 0; i < layers->current->count; i++) {
        if (layers->blocks[i].share != GROUP) {
            continue;
        }
        const struct rf_delta_rows *rows = &delta->blocks[i];
        struct rf_block *start = layers->scratch[START].list[k], *now = layers->scratch[NOW].list[k];
        memset(start->data, 0, rf_block_size(start));
        memset(now->data, 0, rf_block_size(now));
        for (size_t r = 0; r < rows->count; r++) {
            memcpy(row_of(start, rows->row[r]), rows->start + r * start->row_size, start->row_size);
            memcpy(row_of(now, rows->row[r]), rows->now + r * now->row_size, now->row_size);
        }
        has_rows = has_rows || rows->count > 0;
        k++;
    }
    return has_rows;
}

static enum rf_status add_group(struct rf_layers *layers, const struct rf_delta *delta, struct rf_state *to,
                                struct rf_error *err) {
    return spread(layers, delta) ? rf_state_merge(&layers->scratch[START], &layers->scratch[NOW], to, err) : RF_OK;
}

// base + delta into AFTER, which only then becomes base: so that bytes that do not hold together change nothing.
static enum rf_status move_group(struct rf_layers *layers, const struct rf_delta *delta, bool is_own, struct rf_error *err) {
    struct rf_state *before = &layers->scratch[BEFORE], *after = &layers->scratch[AFTER];
    if (layers->current_group.count == 0 || !spread(layers, delta)) {
        return RF_OK;
    }
    copy_group(&layers->base_group, before);
    copy_group(&layers->base_group, after);
    enum rf_status status = add_group(layers, delta, after, err);
    if (status) {
        return status;
    }
    copy_group(after, &layers->base_group);
    if (is_own) {
        return RF_OK;
    }
    if (layers->is_frozen) {
        status = add_group(layers, layers->frozen, before, err);
        status = status ? status : add_group(layers, layers->frozen, after, err);
    }
    status = status ? status : rf_state_merge(before, &layers->current_group, after, err);
    if (!status) {
        copy_group(after, &layers->current_group);
    }
    return status;
}

// What follows from other blocks follows no longer.
static void forget_derived(struct rf_layers *layers) {
    for (size_t i = 0; i < layers->current->count; i++) {
        struct rf_block *block = layers->current->list[i];
        if (layers->blocks[i].share == LOCAL && block->scope == RF_SCOPE_MODEL) {
            for (size_t row = 0; row < block->rows; row++) {
                rf_block_touch(block, row);
            }
            memset(block->data, 0, rf_block_size(block));
        }
    }
}

enum rf_status rf_layers_fold(struct rf_layers *layers, const struct rf_delta *delta, struct rf_error *err) {
    enum rf_status status = move_group(layers, delta, false, err);
    status = status ? status : move_rows(layers, delta, false, err);
    if (!status) {
        forget_derived(layers);
    }
    return status;
}

enum rf_status rf_layers_fold_own(struct rf_layers *layers, struct rf_error *err) {
    assert(layers->is_frozen);
    enum rf_status status = move_group(layers, layers->frozen, true, err);
    status = status ? status : move_rows(layers, layers->frozen, true, err);
    if (!status) {
        rf_delta_clear(layers->frozen);
        layers->is_frozen = false;
    }
    return status;
}

static enum rf_status reset_row(struct rf_layers *layers, size_t index, size_t row) {
    int64_t ignored = 0;
    put_row(layers->blocks[index].current, row, row_of(layers->blocks[index].base, row), &ignored);
    return RF_OK;
}

void rf_layers_begin(struct rf_layers *layers) {
    for (size_t i = 0; i < layers->current->count; i++) {
        const struct shared *shared = &layers->blocks[i];
        if (shared->share != LOCAL) {
            memcpy(shared->current->data, shared->base->data, rf_block_size(shared->base));
        }
    }
    rf_layers_drop(layers);
}

void rf_layers_drop(struct rf_layers *layers) {
    for (size_t i = 0; i < layers->current->count; i++) {
        if (layers->blocks[i].share != ROWS) {
            continue;
        }
        (void)!each_written(layers, i, reset_row);
        const struct rf_delta_rows *rows = &layers->frozen->blocks[i];
        for (size_t r = 0; r < rows->count; r++) {
            (void)!reset_row(layers, i, rows->row[r]);
        }
    }
    copy_group(&layers->base_group, &layers->current_group);
    forget_derived(layers);
    for (size_t i = 0; i < layers->current->count; i++) {
        rf_block_forget_written(layers->current->list[i]);
    }
    rf_delta_clear(layers->frozen);
    layers->is_frozen = false;
}
