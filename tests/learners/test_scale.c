#include "learners/scale.h"
#include "proto/random.h"
#include "tests/test.h"

#include <math.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(scaling_gives_mean_0_and_deviation_1),
            cmocka_unit_test(values_that_never_vary_scale_to_0),
            cmocka_unit_test(fields_beyond_the_room_scale_to_nothing),
            cmocka_unit_test(the_largest_values_leave_finite_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
