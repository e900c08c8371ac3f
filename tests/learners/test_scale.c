#include "learners/scale.h"
#include "proto/random.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct rf_scaler *create(size_t fields) {
    struct rf_scaler *scaler = NULL;
    struct rf_error err;
    assert_int_equal(rf_scaler_create(&(struct rf_scaler_options){.fields_max = fields}, &scaler, &err), RF_OK);
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
        assert_true(rf_scaler_learn(scaler, 42, values[i], false, &scaled));
    }
    assert_true(scaled == rf_scaler_scale(scaler, 42, values[999], false));
    for (size_t i = 0; i < 1000; i++) {
        scaled = rf_scaler_scale(scaler, 42, values[i], false);
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
    assert_true(rf_scaler_scale(scaler, 1, 0.1, false) == 0); // not met yet
    for (int i = 0; i < 100; i++) {
        assert_true(rf_scaler_learn(scaler, 1, 0.1, false, &scaled));
        assert_true(scaled == 0);
    }
    assert_true(rf_scaler_scale(scaler, 1, 5, false) == 0);
    rf_scaler_destroy(scaler);
}

static void fields_beyond_the_room_scale_to_nothing(void **state) {
    (void)state;
    struct rf_scaler *scaler = create(3); // rounded up to 4
    double scaled = 7;
    for (uint64_t field = 0; field < 4; field++) {
        assert_true(rf_scaler_learn(scaler, field, 1, false, &scaled));
        assert_true(rf_scaler_learn(scaler, field, 3, false, &scaled));
        assert_true(scaled == 1);
    }
    assert_false(rf_scaler_learn(scaler, 4, 3, false, &scaled));
    assert_true(scaled == 0);
    assert_true(rf_scaler_scale(scaler, 4, 3, false) == 0);
    for (uint64_t field = 0; field < 4; field++) {
        assert_true(rf_scaler_scale(scaler, field, 3, false) == 1);
    }
    rf_scaler_destroy(scaler);
}

static void the_largest_values_leave_finite_moments(void **state) {
    (void)state;
    struct rf_scaler *scaler = create(1);
    double scaled;
    for (int i = 0; i < 1000; i++) {
        assert_true(rf_scaler_learn(scaler, 9, i % 2 ? RF_SCALER_VALUE_MAX : -RF_SCALER_VALUE_MAX, false, &scaled));
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
            assert_true(rf_scaler_learn(scaler, 1, n % 2 ? steps[i] : 0, false, &scaled));
            assert_true(fabs(scaled) <= 10);
        }
        const double values[] = {0, steps[i] / 2, steps[i], 5, RF_SCALER_VALUE_MAX, -RF_SCALER_VALUE_MAX};
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            assert_true(fabs(rf_scaler_scale(scaler, 1, values[v], false)) <= RF_SCALER_VALUE_MAX);
        }
        assert_true(rf_scaler_learn(scaler, 1, RF_SCALER_VALUE_MAX, false, &scaled));
        assert_true(fabs(scaled) <= RF_SCALER_VALUE_MAX);
        rf_scaler_destroy(scaler);
    }
}

// A scaler above RF_BLOCK_EAGER_SIZE is copied by the grain, as it is touched.
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
        assert_true(rf_scaler_learn(scaler, n % 1000, (double)n, false, &scaled));
    }
    uint8_t *before = test_malloc(rf_block_size(fields));
    memcpy(before, fields->data, rf_block_size(fields));

    assert_int_equal(rf_state_freeze(&blocks), RF_OK);
    assert_non_null(fields->mark); // a freeze copies nothing of it
    for (uint64_t n = 0; n < 3000; n++) {
        assert_true(rf_scaler_learn(scaler, 500 + n % 1000, (double)n, false, &scaled));
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

static struct rf_scaler *create_kind(enum rf_scale scale) {
    struct rf_scaler *scaler = NULL;
    struct rf_error err;
    assert_int_equal(rf_scaler_create(&(struct rf_scaler_options){.scale = scale, .fields_max = 4}, &scaler, &err), RF_OK);
    return scaler;
}

static void learn_all(struct rf_scaler *scaler, const double *values, size_t count) {
    double scaled;
    for (size_t i = 0; i < count; i++) {
        assert_true(rf_scaler_learn(scaler, 1, values[i], false, &scaled));
    }
}

static void ranges_scale_to_their_ends(void **state) {
    (void)state;
    static const double values[] = {-3, 5, 1, 13};
    struct rf_scaler *min_max = create_kind(RF_SCALE_MIN_MAX), *max_abs = create_kind(RF_SCALE_MAX_ABS);
    learn_all(min_max, values, 1);
    assert_true(rf_scaler_scale(min_max, 1, -3, false) == 0); // one value has no range
    learn_all(min_max, values, 4);
    learn_all(max_abs, values, 4);
    assert_true(rf_scaler_scale(min_max, 1, -3, false) == 0 && rf_scaler_scale(min_max, 1, 13, false) == 1);
    assert_true(rf_scaler_scale(min_max, 1, 5, false) == 0.5);
    assert_true(rf_scaler_scale(max_abs, 1, -13, false) == -1 && rf_scaler_scale(max_abs, 1, 6.5, false) == 0.5);
    assert_true(rf_scaler_scale(min_max, 1, 0, true) == 0 && rf_scaler_scale(min_max, 1, 13, true) == 1); // 0 stays 0
    rf_scaler_destroy(min_max);
    rf_scaler_destroy(max_abs);
}

static void numbers_of_sparse_formats_keep_their_zero(void **state) {
    (void)state;
    static const double values[] = {100, 101, 99, 100};
    for (int scale = RF_SCALE_STANDARD; scale < RF_SCALE_NONE; scale++) {
        struct rf_scaler *scaler = create_kind((enum rf_scale)scale);
        learn_all(scaler, values, 4);
        assert_true(rf_scaler_scale(scaler, 1, 0, true) == 0);
        double x = rf_scaler_scale(scaler, 1, 100, true);
        assert_true(x > 0.9 && x < 1.1);
        rf_scaler_destroy(scaler);
    }
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// The centre and the distance, from what two values scale to, against quartiles of the sorted values.
static void robust_scaling_knows_the_quartiles(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    static double values[COUNT];
    static const double scales[] = {1, 1e-6, 300, 1};
    static const double shifts[] = {0, 0, 1000, -7};
    struct rf_random random;
    rf_random_init(&random, 8);
    for (size_t kind = 0; kind < 4; kind++) {
        struct rf_scaler *scaler = create_kind(RF_SCALE_ROBUST);
        for (size_t i = 0; i < COUNT; i++) {
            double z = rf_random_normal(&random);
            values[i] = shifts[kind] + scales[kind] * (kind == 3 ? z * z * z : z);
        }
        learn_all(scaler, values, COUNT);
        qsort(values, COUNT, sizeof values[0], compare);
        double first = values[COUNT / 4], median = values[COUNT / 2], third = values[3 * COUNT / 4];
        double error = (third - first) / 50 + fmax(fabs(first), fabs(third)) / 200;
        double at_first = rf_scaler_scale(scaler, 1, first, false), at_third = rf_scaler_scale(scaler, 1, third, false);
        double distance = (third - first) / (at_third - at_first);
        double centre = first - at_first * distance;
        assert_true(fabs(distance - (third - first)) < 2 * error);
        assert_true(fabs(centre - median) < 2 * error);
        assert_true(rf_scaler_scale(scaler, 1, 1e30, false) == RF_SCALE_ROBUST_MAX);
        struct rf_error err;
        assert_int_equal(rf_scaler_check(scaler, &err), RF_OK);
        rf_scaler_destroy(scaler);
    }
}

static void one_absurd_value_leaves_no_trace_in_robust_scaling(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 9);
    for (int sign = -1; sign <= 1; sign += 2) {
        struct rf_scaler *calm = create_kind(RF_SCALE_ROBUST), *shocked = create_kind(RF_SCALE_ROBUST);
        double scaled;
        assert_true(rf_scaler_learn(shocked, 1, sign * 1e100, false, &scaled)); // as the very first value
        for (int i = 0; i < 2000; i++) {
            double value = 50 + rf_random_normal(&random);
            assert_true(rf_scaler_learn(calm, 1, value, false, &scaled));
            assert_true(rf_scaler_learn(shocked, 1, value, false, &scaled));
            assert_true(i < 1000 || fabs(rf_scaler_scale(calm, 1, 51, false) - rf_scaler_scale(shocked, 1, 51, false)) < 0.01);
        }
        rf_scaler_destroy(calm);
        rf_scaler_destroy(shocked);
    }
}

// A merge zeroes what it cannot merge: where the quartiles are is found again.
static void quartiles_are_found_again_after_a_merge(void **state) {
    (void)state;
    struct rf_scaler *scaler = create_kind(RF_SCALE_ROBUST);
    struct rf_state blocks;
    struct rf_error err;
    struct rf_random random;
    double before[50], scaled;
    rf_state_init(&blocks);
    rf_scaler_state(scaler, "fields", "size", &blocks);
    rf_random_init(&random, 10);
    for (int i = 0; i < 500; i++) {
        assert_true(rf_scaler_learn(scaler, 1, rf_random_normal(&random), false, &scaled));
    }
    for (int i = 0; i < 50; i++) {
        before[i] = rf_scaler_scale(scaler, 1, (i - 25) / 10.0, false);
    }
    const struct rf_block *fields = rf_state_find(&blocks, "fields");
    for (size_t row = 0; row < fields->rows; row++) {
        for (size_t c = 0; c < fields->column_count; c++) {
            const struct rf_column *column = &fields->columns[c];
            if (column->merge == RF_MERGE_DERIVED) {
                memset((char *)fields->data + row * fields->row_size + column->offset, 0, rf_column_size(column));
            }
        }
    }
    assert_int_equal(rf_scaler_check(scaler, &err), RF_OK);
    for (int i = 0; i < 50; i++) {
        assert_true(rf_scaler_scale(scaler, 1, (i - 25) / 10.0, false) == before[i]);
    }
    rf_state_finish(&blocks);
    rf_scaler_destroy(scaler);
}

static void values_that_are_all_one_have_a_robust_size(void **state) {
    (void)state;
    static const double fives[] = {5, 5, 5, 5}, zeros[] = {0, 0, 0, 0};
    struct rf_scaler *five = create_kind(RF_SCALE_ROBUST), *zero = create_kind(RF_SCALE_ROBUST);
    learn_all(five, fives, 4);
    learn_all(zero, zeros, 4);
    assert_true(fabs(rf_scaler_scale(five, 1, 5, false)) < 1.0 / 16);
    assert_true(fabs(rf_scaler_scale(five, 1, 10, false) - 1) < 1.0 / 8);
    assert_true(rf_scaler_scale(zero, 1, 0, false) == 0 && rf_scaler_scale(zero, 1, 3, false) == 3);
    rf_scaler_destroy(five);
    rf_scaler_destroy(zero);
}

static void fields_that_hardly_vary_are_deselected(void **state) {
    (void)state;
    struct rf_scaler *scaler = NULL;
    struct rf_error err;
    const struct rf_scaler_options options = {.fields_max = 4, .variance_above = 0.5};
    assert_int_equal(rf_scaler_create(&options, &scaler, &err), RF_OK);
    static const double values[] = {1, 2, 1, 2};
    learn_all(scaler, values, 4); // variance 1/4
    assert_true(rf_scaler_scale(scaler, 1, 2, false) == 0);
    static const double more[] = {9, -9};
    learn_all(scaler, more, 2);
    assert_true(rf_scaler_scale(scaler, 1, 9, false) > 1);
    rf_scaler_destroy(scaler);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(scaling_gives_mean_0_and_deviation_1),
            cmocka_unit_test(values_that_never_vary_scale_to_0),
            cmocka_unit_test(fields_beyond_the_room_scale_to_nothing),
            cmocka_unit_test(the_largest_values_leave_finite_moments),
            cmocka_unit_test(values_that_hardly_vary_scale_to_finite_numbers),
            cmocka_unit_test(ranges_scale_to_their_ends),
            cmocka_unit_test(numbers_of_sparse_formats_keep_their_zero),
            cmocka_unit_test(robust_scaling_knows_the_quartiles),
            cmocka_unit_test(one_absurd_value_leaves_no_trace_in_robust_scaling),
            cmocka_unit_test(quartiles_are_found_again_after_a_merge),
            cmocka_unit_test(values_that_are_all_one_have_a_robust_size),
            cmocka_unit_test(fields_that_hardly_vary_are_deselected),
            cmocka_unit_test(a_frozen_scaler_keeps_its_bytes_while_learning_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
