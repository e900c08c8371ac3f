#include "proto/random.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void splitmix_gives_the_published_numbers(void **state) {
    (void)state;
    uint64_t seed = 1234567;
    assert_int_equal(rf_splitmix64(&seed), 6457827717110365317U);
    assert_int_equal(rf_splitmix64(&seed), 3203168211198807973U);
    assert_int_equal(rf_splitmix64(&seed), 9817491932198370423U);
    assert_int_equal(rf_splitmix64(&seed), 4593380528125082431U);
}

static void xoshiro_gives_the_published_numbers(void **state) {
    (void)state;
    static const uint64_t published[] = {11520,
                                         0,
                                         1509978240,
                                         1215971899390074240,
                                         1216172134540287360,
                                         607988272756665600,
                                         16172922978634559625U,
                                         8476171486693032832U,
                                         10595114339597558777U,
                                         2904607092377533576U};
    struct rf_random random = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        assert_int_equal(rf_random_next(&random), published[i]);
    }
}

static void a_seed_gives_the_same_numbers_for_ever(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 42);
    assert_int_equal(rf_random_next(&random), 1546998764402558742U);
    assert_int_equal(rf_random_below(&random, 1000), 378);
    double uniform = rf_random_uniform(&random);
    double normal = rf_random_normal(&random);
    uint64_t bits[2];
    memcpy(&bits[0], &uniform, 8);
    memcpy(&bits[1], &normal, 8);
    assert_int_equal(bits[0], 0x3fe5c2ea66473c93);
    assert_int_equal(bits[1], 0x3fedf16ccfa4d2a1);
    assert_int_equal(rf_random_poisson(&random, 6), 13);
}

static void below_is_uniform_and_stays_below(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 1);
    assert_int_equal(rf_random_below(&random, 1), 0);
    uint32_t counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint64_t drawn = rf_random_below(&random, 7);
        assert_true(drawn < 7);
        counts[drawn]++;
    }
    double chi_square = 0;
    for (int i = 0; i < 7; i++) {
        chi_square += pow(counts[i] - 10000.0, 2) / 10000;
    }
    assert_true(chi_square < 22.5); // 6 degrees of freedom, one in a thousand
    // Three quarters of 2^64: without rejection the lower third would come twice as often.
    int low = 0;
    for (int i = 0; i < 30000; i++) {
        low += rf_random_below(&random, 3ULL << 62) < 1ULL << 62;
    }
    assert_true(abs(low - 10000) < 400);
}

static void uniform_is_in_the_unit_interval(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 2);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double drawn = rf_random_uniform(&random);
        assert_true(drawn >= 0 && drawn < 1);
        sum += drawn;
    }
    assert_true(fabs(sum / 100000 - 0.5) < 0.004);
    struct rf_random highest = {{0}};
    assert_true(rf_random_uniform(&highest) == 0);
}

static void normal_has_the_moments_of_one(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 3);
    double moments[5] = {0};
    for (int i = 0; i < 200000; i++) {
        double drawn = rf_random_normal(&random);
        double power = 1;
        for (int k = 1; k <= 4; k++) {
            moments[k] += power *= drawn;
        }
    }
    assert_true(fabs(moments[1] / 200000) < 0.01);
    assert_true(fabs(moments[2] / 200000 - 1) < 0.015);
    assert_true(fabs(moments[3] / 200000) < 0.04);
    assert_true(fabs(moments[4] / 200000 - 3) < 0.1);
}

static void poisson_has_mean_and_variance_equal(void **state) {
    (void)state;
    static const double means[] = {0, 0.5, 1, 6, 500};
    struct rf_random random;
    rf_random_init(&random, 4);
    for (size_t m = 0; m < sizeof means / sizeof *means; m++) {
        enum { COUNT = 10000 };
        double sum = 0, squares = 0;
        for (int i = 0; i < COUNT; i++) {
            double drawn = rf_random_poisson(&random, means[m]);
            sum += drawn;
            squares += drawn * drawn;
        }
        double mean = sum / COUNT, variance = squares / COUNT - mean * mean;
        assert_true(fabs(mean - means[m]) <= 4 * sqrt(means[m] / COUNT));
        assert_true(fabs(variance - means[m]) <= 0.1 * means[m]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(splitmix_gives_the_published_numbers),   cmocka_unit_test(xoshiro_gives_the_published_numbers),
            cmocka_unit_test(a_seed_gives_the_same_numbers_for_ever), cmocka_unit_test(below_is_uniform_and_stays_below),
            cmocka_unit_test(uniform_is_in_the_unit_interval),        cmocka_unit_test(normal_has_the_moments_of_one),
            cmocka_unit_test(poisson_has_mean_and_variance_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
