#include "learners/normaliser.h"
#include "tests/test.h"

#include <float.h>

struct feature_size {
    double size;
    uint32_t note;
};

static void learn(struct feature_size *feature, double value, int times) {
    for (int i = 0; i < times; i++) {
        double now = rf_normaliser_is_settled(feature->size, feature->note, value)
                             ? 0
                             : rf_normaliser_learn(feature->size, &feature->note, value);
        feature->size = now > 0 ? now : feature->size;
    }
}

static void powers_of_two_are_kept_from_above(void **state) {
    (void)state;
    for (double value = RF_NORMALISER_MIN; value <= RF_NORMALISER_MAX; value *= 1.7) {
        double kept = rf_normaliser_value(rf_normaliser_power(value));
        assert_true(kept >= value && kept < 2 * value);
    }
    assert_true(rf_normaliser_value(rf_normaliser_power(8)) == 8);
    assert_true(rf_normaliser_value(rf_normaliser_power(RF_NORMALISER_MAX)) <= FLT_MAX);
}

static void values_that_grow_are_followed_at_once(void **state) {
    (void)state;
    struct feature_size feature = {0};
    learn(&feature, 2, 1);
    assert_true(feature.size == 2);
    learn(&feature, 1, 100);
    assert_true(feature.size == 2);
    learn(&feature, 7.5, 1);
    assert_true(feature.size == 7.5);
}

static void a_lone_extreme_changes_no_size(void **state) {
    (void)state;
    struct feature_size feature = {0};
    learn(&feature, 2, 10);
    learn(&feature, 2e6, 1);
    assert_true(feature.size == 2);
    learn(&feature, 1, 1000);
    assert_true(feature.size == 2);
}

static void a_second_extreme_is_believed_as_far_as_both_go(void **state) {
    (void)state;
    struct feature_size feature = {0};
    learn(&feature, 2, 10);
    learn(&feature, 1e30, 1);
    learn(&feature, 500, 1);
    assert_true(feature.size == 500);
    learn(&feature, 1e5, 1);
    assert_true(feature.size == 1e5);
}

static void what_was_held_back_is_forgotten_once_outgrown(void **state) {
    (void)state;
    struct feature_size feature = {0};
    learn(&feature, 1, 10);
    learn(&feature, 10, 1); // held back
    for (double value = 3; value < 1000; value *= 3) {
        learn(&feature, value, 1);
    }
    assert_true(feature.size == 729);
    learn(&feature, 1e6, 1); // held back in its turn
    assert_true(feature.size == 729);
}

static void a_first_value_too_large_is_found_out(void **state) {
    (void)state;
    struct feature_size feature = {0};
    learn(&feature, 1e38, 1);
    learn(&feature, 1.5, 15);
    assert_true(feature.size == 1e38);
    learn(&feature, 1.5, 1);
    assert_true(feature.size == 2);
}

static void a_size_no_longer_reached_is_given_up(void **state) {
    (void)state;
    struct feature_size feature = {0};
    learn(&feature, 1000, 10);
    learn(&feature, 1, 63);
    learn(&feature, 4, 1); // within 1/256: the run starts again
    learn(&feature, 1, 63);
    assert_true(feature.size == 1000);
    learn(&feature, 1, 1);
    assert_true(feature.size == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(powers_of_two_are_kept_from_above),
            cmocka_unit_test(values_that_grow_are_followed_at_once),
            cmocka_unit_test(a_lone_extreme_changes_no_size),
            cmocka_unit_test(a_second_extreme_is_believed_as_far_as_both_go),
            cmocka_unit_test(what_was_held_back_is_forgotten_once_outgrown),
            cmocka_unit_test(a_first_value_too_large_is_found_out),
            cmocka_unit_test(a_size_no_longer_reached_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
