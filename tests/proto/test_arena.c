#include "proto/arena.h"
#include "tests/test.h"

#include <stdalign.h>
#include <string.h>

static struct rf_error err;

static void arena_aligns_what_it_gives(void **state) {
    (void)state;
    struct rf_arena arena;
    assert_int_equal(rf_arena_init(&arena, 1000, &err), RF_OK);
    for (size_t size = 1; size < 40; size++) {
        char *taken = rf_arena_take(&arena, size);
        assert_non_null(taken);
        assert_int_equal((uintptr_t)taken % alignof(max_align_t), 0);
        memset(taken, 1, size);
        rf_arena_reset(&arena);
    }
    rf_arena_finish(&arena);
}

static void arena_refuses_more_than_its_capacity(void **state) {
    (void)state;
    struct rf_arena arena;
    assert_int_equal(rf_arena_init(&arena, 32, &err), RF_OK);
    assert_non_null(rf_arena_take(&arena, 16));
    assert_null(rf_arena_take(&arena, 17));
    assert_null(rf_arena_take(&arena, SIZE_MAX));
    assert_non_null(rf_arena_take(&arena, 16));
    assert_null(rf_arena_take(&arena, 1));
    assert_int_equal(arena.used, 32);
    rf_arena_finish(&arena);
}

static void arena_gives_an_odd_remainder(void **state) {
    (void)state;
    struct rf_arena arena;
    assert_int_equal(rf_arena_init(&arena, 33, &err), RF_OK);
    assert_non_null(rf_arena_take(&arena, 17));
    assert_null(rf_arena_take(&arena, 2));
    assert_non_null(rf_arena_take(&arena, 1));
    assert_null(rf_arena_take(&arena, 1));
    assert_true(arena.used <= arena.capacity);
    rf_arena_finish(&arena);

    assert_int_equal(rf_arena_init(&arena, 25, &err), RF_OK);
    assert_non_null(rf_arena_take(&arena, 25));
    assert_null(rf_arena_take(&arena, 1)); // the padding alone passes the end
    rf_arena_finish(&arena);
}

static void arena_of_nothing_gives_nothing(void **state) {
    (void)state;
    struct rf_arena arena;
    assert_int_equal(rf_arena_init(&arena, 0, &err), RF_OK);
    assert_null(rf_arena_take(&arena, 1));
    rf_arena_finish(&arena);
    rf_arena_finish(&arena);
}

static void arena_names_a_size_that_no_machine_has(void **state) {
    (void)state;
    struct rf_arena arena;
    assert_int_equal(rf_arena_init(&arena, (size_t)1 << 62, &err), RF_MEMORY);
    assert_string_equal(err.text, "an arena of 4611686018427387904 bytes does not fit into memory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(arena_aligns_what_it_gives),
            cmocka_unit_test(arena_refuses_more_than_its_capacity),
            cmocka_unit_test(arena_gives_an_odd_remainder),
            cmocka_unit_test(arena_of_nothing_gives_nothing),
            cmocka_unit_test(arena_names_a_size_that_no_machine_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
