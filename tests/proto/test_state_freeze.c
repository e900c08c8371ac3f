// What a freeze promises: whatever is written after it, what is read is what stood there at the freeze.
#include "proto/random.h"
#include "proto/state.h"
#include "tests/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE_ROWS = 60001, SMALL_ROWS = 500, ROW_WORDS = 3, COUNTERS = 2 };

struct row { // 24 bytes: some rows lie in two pieces
    uint64_t word[ROW_WORDS];
};
static const struct rf_column row_columns[] = {{"word", RF_U64, 0, ROW_WORDS, RF_MERGE_NONE}};

// A large block and a small one that are touched, and one that is not.
struct model {
    struct rf_state state;
    struct row *large, *small;
    struct row counters[COUNTERS];
    struct rf_block *large_block, *small_block, *counter_block;
};

static struct rf_block *add(struct rf_state *state, const char *name, struct row *rows, size_t count, bool is_touched) {
    struct rf_block block = {.name = name,
                             .rows = count,
                             .row_size = sizeof *rows,
                             .columns = row_columns,
                             .column_count = 1,
                             .data = rows,
                             .is_touched = is_touched};
    return rf_state_add(state, &block);
}

static void init_model(struct model *model) {
    *model = (struct model){.large = calloc(LARGE_ROWS, sizeof(struct row)), .small = calloc(SMALL_ROWS, sizeof(struct row))};
    assert_true(model->large && model->small);
    rf_state_init(&model->state);
    model->large_block = add(&model->state, "large", model->large, LARGE_ROWS, true);
    model->small_block = add(&model->state, "small", model->small, SMALL_ROWS, true);
    model->counter_block = add(&model->state, "counters", model->counters, COUNTERS, false);
    assert_true(rf_block_size(model->large_block) > RF_BLOCK_EAGER_SIZE);
}

static void finish_model(struct model *model) {
    rf_state_finish(&model->state);
    free(model->large);
    free(model->small);
}

static void write_row(struct rf_block *block, size_t row, uint64_t value) {
    rf_block_touch(block, row);
    struct row *rows = block->data;
    rows[row] = (struct row){{value, ~value, value}};
}

// One step of a stream: a few rows of each block.
static void learn(struct model *model, struct rf_random *random) {
    uint64_t value = rf_random_next(random);
    const uint32_t rows[] = {(uint32_t)rf_random_below(random, LARGE_ROWS), LARGE_ROWS - 1};
    rf_block_touch_rows(model->large_block, rows, 2);
    for (size_t i = 0; i < 2; i++) {
        model->large[rows[i]] = (struct row){{value, ~value, value}};
    }
    write_row(model->large_block, rf_random_below(random, LARGE_ROWS), value);
    write_row(model->small_block, rf_random_below(random, SMALL_ROWS), value);
    model->counters[value % COUNTERS].word[0]++;
}

static size_t state_size(const struct rf_state *state) {
    size_t size = 0;
    for (size_t i = 0; i < state->count; i++) {
        size += rf_block_size(state->list[i]);
    }
    return size;
}

// All blocks, live: what a freeze at this moment has to keep.
static uint8_t *copy_state(const struct rf_state *state) {
    uint8_t *copy = malloc(state_size(state)), *at = copy;
    assert_non_null(copy);
    for (size_t i = 0; i < state->count; i++) {
        memcpy(at, state->list[i]->data, rf_block_size(state->list[i]));
        at += rf_block_size(state->list[i]);
    }
    return copy;
}

static void read_state(struct rf_state *state, uint8_t *out) {
    for (size_t i = 0; i < state->count; i++) {
        struct rf_block *block = state->list[i];
        for (size_t piece = 0; piece < rf_block_pieces(block); piece++) {
            rf_block_read_piece(block, piece, out);
            out += rf_block_piece_size(block, piece);
        }
    }
}

static void a_frozen_state_reads_as_it_was_at_the_freeze(void **state) {
    (void)state;
    struct model model;
    struct rf_random random;
    init_model(&model);
    rf_random_init(&random, 1);
    size_t size = state_size(&model.state);
    uint8_t *read = malloc(size);
    assert_non_null(read);
    for (int freeze = 0; freeze < 4; freeze++) {
        uint8_t *expected = copy_state(&model.state);
        assert_int_equal(rf_state_freeze(&model.state), RF_OK);
        assert_true(model.state.is_frozen);
        for (int i = 0; i < 300; i++) {
            learn(&model, &random);
        }
        uint8_t *live = copy_state(&model.state);
        read_state(&model.state, read);
        assert_memory_equal(read, expected, size);
        rf_state_thaw(&model.state);
        assert_false(model.state.is_frozen);
        uint8_t *after = copy_state(&model.state);
        assert_memory_equal(after, live, size); // nothing of it touched the live state
        free(expected);
        free(live);
        free(after);
    }
    free(read);
    finish_model(&model);
}

static void rows_read_already_are_written_without_a_copy(void **state) {
    (void)state;
    struct model model;
    init_model(&model);
    uint8_t piece[RF_PIECE_SIZE];
    assert_int_equal(rf_state_freeze(&model.state), RF_OK);
    write_row(model.large_block, 200, 7);
    assert_int_equal(rf_block_grain_state(model.large_block, 200 * sizeof(struct row) / RF_GRAIN_SIZE), RF_GRAIN_SHADOWED);
    assert_int_equal(rf_block_grain_state(model.large_block, 0), RF_GRAIN_PENDING);
    rf_block_read_piece(model.large_block, 0, piece);
    assert_int_equal(rf_block_grain_state(model.large_block, 0), RF_GRAIN_DONE);
    write_row(model.large_block, 0, 7);
    assert_int_equal(rf_block_grain_state(model.large_block, 0), RF_GRAIN_DONE);
    rf_block_read_piece(model.large_block, 1, piece);
    assert_int_equal(((struct row *)(void *)(piece + 8))[29].word[0], 0); // row 200 starts at byte 704 of piece 1
    assert_int_equal(model.large[200].word[0], 7);
    rf_state_thaw(&model.state);
    finish_model(&model);
}

static void a_row_over_several_pieces_is_kept_whole(void **state) {
    (void)state;
    enum { ROW = 3 * RF_PIECE_SIZE + 100, ROWS = 100 };
    static const struct rf_column columns[] = {{"bytes", RF_U8, 0, ROW, RF_MERGE_NONE}};
    uint8_t *data = calloc(ROWS, ROW), *read = malloc((size_t)ROWS * ROW);
    assert_true(data && read);
    struct rf_state blocks;
    rf_state_init(&blocks);
    struct rf_block *block = rf_state_add(&blocks, &(struct rf_block){.name = "wide",
                                                                      .rows = ROWS,
                                                                      .row_size = ROW,
                                                                      .columns = columns,
                                                                      .column_count = 1,
                                                                      .data = data,
                                                                      .is_touched = true});
    assert_int_equal(rf_state_freeze(&blocks), RF_OK);
    for (size_t row = 0; row < ROWS; row += 3) {
        rf_block_touch(block, row);
        memset(data + row * ROW, 1, ROW);
    }
    read_state(&blocks, read);
    for (size_t i = 0; i < (size_t)ROWS * ROW; i++) {
        assert_int_equal(read[i], 0);
    }
    rf_state_thaw(&blocks);
    rf_state_finish(&blocks);
    free(data);
    free(read);
}

// Marks hold the number of their freeze in a few bits, so numbers come again.
static void a_mark_of_long_ago_is_not_taken_for_one_of_now(void **state) {
    (void)state;
    enum { NUMBERS = 31 };
    struct model model;
    struct rf_random random;
    init_model(&model);
    rf_random_init(&random, 6);
    size_t size = state_size(&model.state);
    uint8_t *read = malloc(size);
    assert_non_null(read);
    for (unsigned given_up = 0; given_up < 3 * NUMBERS; given_up++) { // nobody reads, so marks stay as they were left
        assert_int_equal(rf_state_freeze(&model.state), RF_OK);
        assert_int_equal(rf_block_grain_state(model.large_block, 200), RF_GRAIN_PENDING);
        if (given_up % NUMBERS == 0) {
            write_row(model.large_block, 200 * RF_GRAIN_SIZE / sizeof(struct row), given_up);
        }
        rf_state_thaw(&model.state);
    }
    uint8_t *expected = copy_state(&model.state);
    assert_int_equal(rf_state_freeze(&model.state), RF_OK);
    for (int i = 0; i < 300; i++) {
        learn(&model, &random);
    }
    read_state(&model.state, read);
    assert_memory_equal(read, expected, size);
    rf_state_thaw(&model.state);
    free(expected);
    free(read);
    finish_model(&model);
}

static void memory_is_taken_ahead_of_copies(void **state) {
    (void)state;
    enum { ROWS = 3 << 20, AHEAD = (16 << 20) / RF_GRAIN_SIZE, AT_ONCE = (2 << 20) / RF_GRAIN_SIZE };
    struct row *rows = calloc(ROWS, sizeof *rows);
    assert_non_null(rows);
    struct rf_state blocks;
    rf_state_init(&blocks);
    struct rf_block *block = add(&blocks, "huge", rows, ROWS, true);
    assert_int_equal(rf_state_reserve(&blocks), RF_OK);
    assert_int_equal(block->slots_provided, AHEAD);
    assert_int_equal(rf_state_freeze(&blocks), RF_OK);
    rf_state_provide(&blocks);
    assert_int_equal(block->slots_provided, AHEAD);
    for (size_t row = 0; block->slots_used <= AT_ONCE; row++) {
        write_row(block, row, row);
    }
    rf_state_provide(&blocks);
    assert_int_equal(block->slots_provided, AHEAD + 2 * AT_ONCE);
    write_row(block, ROWS - 1, 1);
    rf_state_thaw(&blocks);
    rf_state_finish(&blocks);
    free(rows);
}

static void memory_taken_ahead_is_used_by_every_freeze(void **state) {
    (void)state;
    struct model model;
    struct rf_random random;
    init_model(&model);
    rf_random_init(&random, 5);
    assert_int_equal(rf_state_reserve(&model.state), RF_OK);
    const uint8_t *shadow = model.large_block->reserved_shadow;
    assert_non_null(shadow);
    for (int freeze = 0; freeze < 2; freeze++) {
        assert_int_equal(rf_state_freeze(&model.state), RF_OK);
        assert_ptr_equal(model.large_block->shadow, shadow);
        assert_int_equal(model.large_block->slots_used, 0);
        for (size_t row = 0; row < LARGE_ROWS; row++) {
            rf_state_provide(&model.state);
            write_row(model.large_block, row, row);
        }
        assert_int_equal(model.large_block->slots_used, rf_block_grains(model.large_block)); // each was copied once
        rf_state_thaw(&model.state);
    }
    finish_model(&model);
}

static void a_snapshot_given_up_leaves_nothing_behind(void **state) {
    (void)state;
    struct model model;
    struct rf_random random;
    init_model(&model);
    rf_random_init(&random, 2);
    size_t size = state_size(&model.state);
    uint8_t *read = malloc(size);
    assert_non_null(read);
    assert_int_equal(rf_state_freeze(&model.state), RF_OK);
    learn(&model, &random);
    rf_state_thaw(&model.state);
    assert_null(model.large_block->mark);
    assert_null(model.large_block->shadow);
    rf_state_thaw(&model.state); // harmless
    learn(&model, &random);
    uint8_t *expected = copy_state(&model.state);
    read_state(&model.state, read); // not frozen: as it is now
    assert_memory_equal(read, expected, size);
    assert_int_equal(rf_state_freeze(&model.state), RF_OK);
    learn(&model, &random);
    read_state(&model.state, read);
    assert_memory_equal(read, expected, size);
    rf_state_thaw(&model.state);
    free(expected);
    free(read);
    finish_model(&model);
}

static void a_freeze_without_memory_freezes_nothing(void **state) {
    (void)state;
    struct model model;
    struct rf_random random;
    init_model(&model);
    rf_random_init(&random, 3);
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) { // 150 TiB, more than the addresses of a process
        add(&model.state, names[i], model.large, ((size_t)15 << 40) / sizeof(struct row), false);
    }
    assert_int_equal(rf_state_freeze(&model.state), RF_MEMORY);
    assert_false(model.state.is_frozen);
    assert_null(model.large_block->mark);
    assert_null(model.small_block->shadow);
    learn(&model, &random);
    finish_model(&model);
}

struct reading {
    struct rf_state *state;
    uint8_t *out;
    atomic_bool is_done;
};

static void *read_in_thread(void *argument) {
    struct reading *reading = argument;
    rf_state_provide(reading->state);
    read_state(reading->state, reading->out);
    atomic_store(&reading->is_done, true);
    return NULL;
}

static void every_snapshot_beside_a_writer_is_one_point_in_time(void **state) {
    (void)state;
    struct model model;
    struct rf_random random;
    init_model(&model);
    rf_random_init(&random, 4);
    size_t size = state_size(&model.state);
    struct reading reading = {.state = &model.state, .out = malloc(size)};
    assert_non_null(reading.out);
    for (int freeze = 0; freeze < 60; freeze++) {
        uint8_t *expected = copy_state(&model.state);
        pthread_t thread;
        assert_int_equal(rf_state_freeze(&model.state), RF_OK);
        atomic_store(&reading.is_done, false);
        assert_int_equal(pthread_create(&thread, NULL, read_in_thread, &reading), 0);
        while (!atomic_load_explicit(&reading.is_done, memory_order_relaxed)) {
            learn(&model, &random);
        }
        pthread_join(thread, NULL);
        rf_state_thaw(&model.state);
        assert_memory_equal(reading.out, expected, size);
        free(expected);
    }
    free(reading.out);
    finish_model(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_frozen_state_reads_as_it_was_at_the_freeze),
            cmocka_unit_test(rows_read_already_are_written_without_a_copy),
            cmocka_unit_test(a_row_over_several_pieces_is_kept_whole),
            cmocka_unit_test(a_mark_of_long_ago_is_not_taken_for_one_of_now),
            cmocka_unit_test(memory_is_taken_ahead_of_copies),
            cmocka_unit_test(memory_taken_ahead_is_used_by_every_freeze),
            cmocka_unit_test(a_snapshot_given_up_leaves_nothing_behind),
            cmocka_unit_test(a_freeze_without_memory_freezes_nothing),
            cmocka_unit_test(every_snapshot_beside_a_writer_is_one_point_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
