#include "learners/scale.h"
#include "proto/random.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static struct rf_scaler *create(size_t fields) {
    struct rf_scaler *scaler = NULL;
    struct rf_error err;
    assert_int_equal(rf_scaler_create(fields, &scaler, &err), RF_OK);
    return scaler;
}

static void scaling_gives_mean_0_and_deviation_1(void **state) {
    (void)state;
    struct rf_scaler *scaler = create(4);
    struct rf_random random;
    rf_random_init(&random, 5);
    double values[1000], sum = 0, squares = 0, scaled;
    for (size_t i = 0; i < 1000; i++) {
        values[i] = 1e6 + rf_random_normal(&random); // the mean dwarfs the deviation
        assert_true(rf_scaler_learn(scaler, 42, values[i], &scaled));
    }
    assert_true(scaled == rf_scaler_scale(scaler, 42, values[999]));
    for (size_t i = 0; i < 1000; i++) {
        scaled = rf_scaler_scale(scaler, 42, values[i]);
        sum += scaled;
        squares += scaled * scaled;
    }
    assert_true(fabs(sum / 1000) < 1e-6);
    assert_true(fabs(squares / 1000 - 1) < 1e-6);
    rf_scaler_destroy(scaler);
}

static void values_that_never_vary_scale_to_0(void **state) {
    (void)state;
    struct rf_scaler *scaler = create(4);
    double scaled = 7;
    assert_true(rf_scaler_scale(scaler, 1, 0.1) == 0); // not met yet
    for (int i = 0; i < 100; i++) {
        assert_true(rf_scaler_learn(scaler, 1, 0.1, &scaled));
        assert_true(scaled == 0);
    }
    assert_true(rf_scaler_scale(scaler, 1, 5) == 0);
    rf_scaler_destroy(scaler);
}

static void fields_beyond_the_room_scale_to_nothing(void **state) {
    (void)state;
    struct rf_scaler *scaler = create(3); // rounded up to 4
    double scaled = 7;
    for (uint64_t field = 0; field < 4; field++) {
        assert_true(rf_scaler_learn(scaler, field, 1, &scaled));
        assert_true(rf_scaler_learn(scaler, field, 3, &scaled));
        assert_true(scaled == 1);
    }
    assert_false(rf_scaler_learn(scaler, 4, 3, &scaled));
    assert_true(scaled == 0);
    assert_true(rf_scaler_scale(scaler, 4, 3) == 0);
    for (uint64_t field = 0; field < 4; field++) {
        assert_true(rf_scaler_scale(scaler, field, 3) == 1);
    }
    rf_scaler_destroy(scaler);
}

static void the_largest_values_leave_finite_moments(void **state) {
    (void)state;
    struct rf_scaler *scaler = create(1);
    double scaled;
    for (int i = 0; i < 1000; i++) {
        assert_true(rf_scaler_learn(scaler, 9, i % 2 ? RF_SCALER_VALUE_MAX : -RF_SCALER_VALUE_MAX, &scaled));
        assert_true(isfinite(scaled));
    }
    assert_true(fabs(scaled - 1) < 1e-9);
    rf_scaler_destroy(scaler);
}

// Moments so small that the variance rounds to 0, or that a large value is absurdly many deviations away.
static void values_that_hardly_vary_scale_to_finite_numbers(void **state) {
    (void)state;
    static const double steps[] = {3e-162, 1e-161, 1e-160, 1e-150, 1e-100, 1e-50};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct rf_scaler *scaler = create(4);
        double scaled;
        for (int n = 0; n < 10; n++) {
            assert_true(rf_scaler_learn(scaler, 1, n % 2 ? steps[i] : 0, &scaled));
            assert_true(fabs(scaled) <= 10);
        }
        const double values[] = {0, steps[i] / 2, steps[i], 5, RF_SCALER_VALUE_MAX, -RF_SCALER_VALUE_MAX};
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            assert_true(fabs(rf_scaler_scale(scaler, 1, values[v])) <= RF_SCALER_VALUE_MAX);
        }
        assert_true(rf_scaler_learn(scaler, 1, RF_SCALER_VALUE_MAX, &scaled));
        assert_true(fabs(scaled) <= RF_SCALER_VALUE_MAX);
        rf_scaler_destroy(scaler);
    }
}

// A scaler above RF_BLOCK_EAGER_SIZE is copied by the piece, as it is touched.
static void a_frozen_scaler_keeps_its_bytes_while_learning_goes_on(void **state) {
    (void)state;
    enum { FIELDS = 1 << 16 };
    struct rf_scaler *scaler = create(FIELDS);
    struct rf_state blocks;
    double scaled;
    rf_state_init(&blocks);
    rf_scaler_state(scaler, "fields", "size", &blocks);
    struct rf_block *fields = rf_state_find(&blocks, "fields");
    assert_true(rf_block_size(fields) > RF_BLOCK_EAGER_SIZE);
    for (uint64_t n = 0; n < 3000; n++) {
        assert_true(rf_scaler_learn(scaler, n % 1000, (double)n, &scaled));
    }
    uint8_t *before = test_malloc(rf_block_size(fields));
    memcpy(before, fields->data, rf_block_size(fields));

    assert_int_equal(rf_state_freeze(&blocks), RF_OK);
    assert_non_null(fields->piece); // a freeze takes a byte a piece, not a copy of all
    for (uint64_t n = 0; n < 3000; n++) {
        assert_true(rf_scaler_learn(scaler, 500 + n % 1000, (double)n, &scaled));
    }
    assert_memory_not_equal(before, fields->data, rf_block_size(fields));
    for (size_t piece = 0; piece < rf_block_pieces(fields); piece++) {
        uint8_t bytes[RF_PIECE_SIZE];
        rf_block_read_piece(fields, piece, bytes);
        assert_memory_equal(bytes, before + piece * RF_PIECE_SIZE, rf_block_piece_size(fields, piece));
    }
    rf_state_thaw(&blocks);
    test_free(before);
    rf_state_finish(&blocks);
    rf_scaler_destroy(scaler);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(scaling_gives_mean_0_and_deviation_1),
            cmocka_unit_test(values_that_never_vary_scale_to_0),
            cmocka_unit_test(fields_beyond_the_room_scale_to_nothing),
            cmocka_unit_test(the_largest_values_leave_finite_moments),
            cmocka_unit_test(values_that_hardly_vary_scale_to_finite_numbers),
            cmocka_unit_test(a_frozen_scaler_keeps_its_bytes_while_learning_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
