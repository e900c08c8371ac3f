// The oracle is the C library in long double (64 bits of precision or more): its own error is far below what is measured.
#include "proto/hash.h"
#include "proto/math.h"
#include "proto/random.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = 100000 }; // of each range

// How far `result` is from the truth, in units in the last place that a double of the truth's size has.
static double ulps(double result, long double truth) {
    if (isinf(result) || isnan(result)) {
        return result == (double)truth ? 0 : HUGE_VAL;
    }
    int exponent = truth == 0 ? -1022 : ilogbl(truth);
    long double ulp = ldexpl(1, (exponent < -1022 ? -1022 : exponent) - 52);
    return (double)fabsl((result - truth) / ulp);
}

struct worst {
    double ulps, at, exponent;
};

static void note(struct worst *worst, double error, double x, double exponent) {
    if (!(error <= worst->ulps)) {
        *worst = (struct worst){error, x, exponent};
    }
}

static void assert_below(const char *function, struct worst worst, double bound) {
    printf("    %-10s at most %.4f ulp, at %a, %a\n", function, worst.ulps, worst.at, worst.exponent);
    assert_true(worst.ulps < bound);
}

static double between(struct rf_random *random, double low, double high) {
    return low + (high - low) * rf_random_uniform(random);
}

// A positive finite double of any size, each exponent as likely as another.
static double of_any_size(struct rf_random *random) {
    uint64_t bits = rf_random_below(random, 0x7ff0000000000000);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool is_same(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

static void exp_is_below_one_ulp(void **state) {
    (void)state;
    static const double ranges[][2] = {{-745.2, 709.8}, {-1, 1}, {-1e-3, 1e-3}, {-40, 40}, {-745.2, -700}, {709, 709.8}};
    struct rf_random random;
    rf_random_init(&random, 1);
    struct worst worst = {0};
    for (size_t range = 0; range < sizeof ranges / sizeof *ranges; range++) {
        for (int i = 0; i < POINTS; i++) {
            double x = between(&random, ranges[range][0], ranges[range][1]);
            long double truth = expl(x);
            note(&worst, truth > DBL_MAX ? (isinf(rf_exp(x)) ? 0 : 1) : ulps(rf_exp(x), truth), x, 0);
        }
    }
    assert_below("exp", worst, 1);
}

static void expm1_is_below_four_ulp(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 6);
    struct worst worst = {0};
    for (int i = 0; i < POINTS; i++) {
        double tiny = ldexp(between(&random, -1, 1), -(int)rf_random_below(&random, 80));
        const double points[] = {tiny, between(&random, -1, 1), between(&random, 0.34, 0.35), between(&random, -0.35, -0.34),
                                 between(&random, -50, 700)};
        for (size_t k = 0; k < sizeof points / sizeof *points; k++) {
            note(&worst, ulps(rf_expm1(points[k]), expm1l(points[k])), points[k], 0);
        }
    }
    assert_below("expm1", worst, 4);
    assert_true(isinf(rf_expm1(710)) && rf_expm1(-1e300) == -1 && isnan(rf_expm1(NAN)) && rf_expm1(0) == 0);
}

static void logs_are_below_one_and_three_ulp(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 2);
    struct worst worst = {0}, near = {0};
    for (int i = 0; i < POINTS; i++) {
        const double points[] = {of_any_size(&random),   between(&random, 0.5, 2),       between(&random, 0.999, 1.001),
                                 between(&random, 0, 1), between(&random, 0, 0x1p-1022), between(&random, 1, 1 + 1e-9)};
        for (size_t k = 0; k < sizeof points / sizeof *points; k++) {
            if (points[k] > 0) {
                note(&worst, ulps(rf_log(points[k]), logl(points[k])), points[k], 0);
                note(&near, ulps(rf_log_near(points[k]), logl(points[k])), points[k], 0);
            }
        }
    }
    assert_below("log", worst, 1);
    assert_below("log_near", near, 3);
    assert_true(is_same(rf_log_near(1), 0) && rf_log_near(0) == -INFINITY && rf_log_near(INFINITY) == INFINITY);
    assert_true(isnan(rf_log_near(-1)) && isnan(rf_log_near(NAN)));
}

static void log1p_is_below_two_ulp(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 3);
    struct worst worst = {0};
    for (int i = 0; i < POINTS; i++) {
        double tiny = ldexp(between(&random, -1, 1), -(int)rf_random_below(&random, 80));
        const double points[] = {of_any_size(&random), between(&random, -1, 1), tiny, between(&random, -1, -0.999),
                                 between(&random, 0, 10)};
        for (size_t k = 0; k < sizeof points / sizeof *points; k++) {
            if (points[k] > -1) {
                note(&worst, ulps(rf_log1p(points[k]), log1pl(points[k])), points[k], 0);
            }
        }
    }
    assert_below("log1p", worst, 2);
}

static void note_pow(struct worst *worst, double base, double exponent) {
    long double truth = powl(base, exponent);
    double result = rf_pow(base, exponent);
    if (truth > (long double)DBL_MAX * (1 + 0x1p-54L)) {
        note(worst, isinf(result) ? 0 : HUGE_VAL, base, exponent);
    } else if (!isinf(result) || truth < DBL_MAX * (1 - 0x1p-52L)) {
        note(worst, ulps(result, truth), base, exponent);
    }
}

static void pow_is_below_four_ulp(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 4);
    struct worst worst = {0};
    for (int i = 0; i < POINTS; i++) {
        double base = of_any_size(&random);
        double limit = 745 / fabs(log(base) + 1e-300);
        note_pow(&worst, base, between(&random, -limit, limit));
        note_pow(&worst, base, between(&random, -2, 2));
        note_pow(&worst, between(&random, 0, 2), between(&random, -30, 30));
        note_pow(&worst, between(&random, 0, 1e6), -0.5);
        note_pow(&worst, 1 - between(&random, 0, 1e-6), between(&random, 0, 1e9));
        note_pow(&worst, between(&random, 0.9, 1.1), between(&random, -7000, 7000));
        note_pow(&worst, between(&random, 0, 0x1p-1022), between(&random, -1, 1));
    }
    assert_below("pow", worst, 4);
}

static void sigmoid_and_softplus_are_accurate(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 5);
    struct worst sigmoid = {0}, softplus = {0};
    for (int i = 0; i < POINTS; i++) {
        const double points[] = {between(&random, -40, 40), between(&random, -1, 1), between(&random, -740, 740)};
        for (size_t k = 0; k < sizeof points / sizeof *points; k++) {
            long double x = points[k];
            note(&sigmoid, ulps(rf_sigmoid(points[k]), 1 / (1 + expl(-x))), points[k], 0);
            note(&softplus, ulps(rf_softplus(points[k]), (x > 0 ? x : 0) + log1pl(expl(-fabsl(x)))), points[k], 0);
        }
    }
    assert_below("sigmoid", sigmoid, 3);
    assert_below("softplus", softplus, 3);
}

static void exp_and_log_answer_special_values(void **state) {
    (void)state;
    assert_true(rf_exp(0) == 1 && rf_exp(-0.0) == 1);
    assert_true(rf_exp(INFINITY) == INFINITY && is_same(rf_exp(-INFINITY), 0));
    assert_true(rf_exp(709.8) == INFINITY && is_same(rf_exp(-745.2), 0));
    assert_true(rf_exp(0x1.62e42fefa39efp+9) < INFINITY);
    assert_true(rf_exp(-745.1) == 0x1p-1074);
    assert_true(isnan(rf_exp(NAN)));
    assert_true(is_same(rf_log(1), 0));
    assert_true(rf_log(0) == -INFINITY && rf_log(-0.0) == -INFINITY && rf_log(INFINITY) == INFINITY);
    assert_true(isnan(rf_log(-1)) && isnan(rf_log(-INFINITY)) && isnan(rf_log(NAN)) && isnan(rf_log(-0x1p-1074)));
    assert_true(is_same(rf_log1p(0), 0) && is_same(rf_log1p(-0.0), -0.0) && rf_log1p(0x1p-1074) == 0x1p-1074);
    assert_true(rf_log1p(-1) == -INFINITY && rf_log1p(INFINITY) == INFINITY);
    assert_true(isnan(rf_log1p(-1.5)) && isnan(rf_log1p(-INFINITY)) && isnan(rf_log1p(NAN)));
}

static void pow_answers_special_values_as_c_does(void **state) {
    (void)state;
    static const double bases[] = {
            0, -0.0, 0x1p-1074, 0x1p-1022, 0.5, 1, 2, 10, 0x1.fffffffffffffp-1, 0x1.0000000000001p0, DBL_MAX, INFINITY, NAN};
    static const double exponents[] = {0,    -0.0,  1,      -1,      2,        -2,        3,       -3,     0.5,
                                       -0.5, 1e300, -1e300, 0x1p-70, -0x1p-70, 0x1p53,    -0x1p53, 0x1p64, -0x1p64,
                                       1074, -1074, 1e-320, -1e-320, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        for (size_t j = 0; j < sizeof exponents / sizeof *exponents; j++) {
            double truth = pow(bases[i], exponents[j]), result = rf_pow(bases[i], exponents[j]);
            bool is_close = fabs(result - truth) <= 4 * DBL_EPSILON * fabs(truth) || is_same(result, truth);
            if (!is_close && !(isnan(result) && isnan(truth))) {
                fail_msg("pow(%a, %a) is %a, must be %a", bases[i], exponents[j], result, truth);
            }
            assert_int_equal(signbit(result) && !isnan(result), signbit(truth) && !isnan(truth));
        }
    }
    assert_true(isnan(rf_pow(-1, 2)) && isnan(rf_pow(-INFINITY, 1)) && isnan(rf_pow(-0x1p-1074, 0)));
}

static void sigmoid_never_divides_zero_by_zero(void **state) {
    (void)state;
    assert_true(rf_sigmoid(0) == 0.5);
    assert_true(rf_sigmoid(INFINITY) == 1 && is_same(rf_sigmoid(-INFINITY), 0));
    assert_true(rf_sigmoid(1e308) == 1 && is_same(rf_sigmoid(-1e308), 0));
    assert_true(isnan(rf_sigmoid(NAN)));
    assert_true(rf_softplus(1e308) == 1e308 && is_same(rf_softplus(-1e308), 0));
    assert_true(rf_softplus(INFINITY) == INFINITY && is_same(rf_softplus(-INFINITY), 0));
    assert_true(isnan(rf_softplus(NAN)));
}

static void exp_never_falls_where_its_argument_rises(void **state) {
    (void)state;
    for (double x = 0.34657359; x < 0.34657360; x += 1e-13) { // where the reduction changes over
        assert_true(rf_exp(x) <= rf_exp(x + 1e-13));
    }
}

static void every_machine_gives_these_bits(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 42);
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    for (int i = 0; i < 20000; i++) {
        double x = between(&random, -30, 30), size = of_any_size(&random), base = between(&random, 0, 3);
        double results[] = {rf_exp(x),          rf_exp(25 * x),  rf_log(size),   rf_log1p(base - 1),
                            rf_log1p(x * 1e-6), rf_pow(base, x), rf_sigmoid(x),  rf_softplus(x),
                            rf_pow(size, 0.25), rf_log(base),    rf_pow(size, x)};
        rf_sha256_update(&sha, results, sizeof results);
    }
    uint8_t digest[RF_SHA256_SIZE];
    char text[RF_SHA256_TEXT_SIZE];
    rf_sha256_finish(&sha, digest);
    rf_sha256_text(digest, text);
    assert_string_equal(text, "257c4e08740290488a57b58d2d5d0dd89bea15a5160fd49f62fca06b70bc55db");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(exp_is_below_one_ulp),
            cmocka_unit_test(expm1_is_below_four_ulp),
            cmocka_unit_test(logs_are_below_one_and_three_ulp),
            cmocka_unit_test(log1p_is_below_two_ulp),
            cmocka_unit_test(pow_is_below_four_ulp),
            cmocka_unit_test(sigmoid_and_softplus_are_accurate),
            cmocka_unit_test(exp_and_log_answer_special_values),
            cmocka_unit_test(pow_answers_special_values_as_c_does),
            cmocka_unit_test(sigmoid_never_divides_zero_by_zero),
            cmocka_unit_test(exp_never_falls_where_its_argument_rises),
            cmocka_unit_test(every_machine_gives_these_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
