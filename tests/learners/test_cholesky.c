// Updated factors against factors made anew, and both against the matrix they are of.
#include "learners/cholesky.h"
#include "proto/random.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { SIZE = 24, ELEMENTS = SIZE * (SIZE + 1) / 2 };

static void add_product(double *a, const double *x) {
    for (size_t i = 0; i < SIZE; i++) {
        for (size_t j = 0; j <= i; j++) {
            a[RF_TRIANGLE_SIZE(i) + j] += x[i] * x[j];
        }
    }
}

static double product_at(const double *factor, size_t i, size_t j) {
    double sum = 0;
    for (size_t k = 0; k <= j; k++) {
        sum += factor[RF_TRIANGLE_SIZE(i) + k] * factor[RF_TRIANGLE_SIZE(j) + k];
    }
    return sum;
}

static void updates_follow_the_matrix(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 9);
    double a[ELEMENTS] = {0}, factor[ELEMENTS] = {0}, anew[ELEMENTS];
    for (size_t i = 0; i < SIZE; i++) {
        a[RF_TRIANGLE_SIZE(i) + i] = 0.01;
        factor[RF_TRIANGLE_SIZE(i) + i] = sqrt(0.01);
    }
    for (size_t n = 0; n < 1000; n++) {
        double x[SIZE], cosine[SIZE];
        for (size_t i = 0; i < SIZE; i++) {
            x[i] = rf_random_below(&random, 3) ? rf_random_normal(&random) * (double)(1 + i) : 0;
        }
        add_product(a, x);
        rf_cholesky_update(SIZE, factor, x, cosine);
    }
    rf_cholesky_factor(SIZE, a, 0.01, anew);
    for (size_t i = 0; i < SIZE; i++) {
        for (size_t j = 0; j <= i; j++) {
            size_t at = RF_TRIANGLE_SIZE(i) + j;
            double scale = sqrt(a[RF_TRIANGLE_SIZE(i) + i] * a[RF_TRIANGLE_SIZE(j) + j]);
            assert_true(fabs(product_at(factor, i, j) - a[at]) <= 1e-12 * scale);
            assert_true(fabs(product_at(anew, i, j) - a[at]) <= 1e-12 * scale);
            assert_true(fabs(factor[at] - anew[at]) <= 1e-12 * sqrt(a[RF_TRIANGLE_SIZE(i) + i]));
        }
    }
}

static void solving_undoes_multiplying(void **state) {
    (void)state;
    static const double factor[] = {2, 1, 3, -1, 0.5, 4}; // L = (2), (1, 3), (-1, 0.5, 4)
    double x[] = {2 * 1, 1 * 1 + 3 * 2, -1 * 1 + 0.5 * 2 + 4 * 3};
    rf_cholesky_solve_lower(3, factor, x);
    assert_true(x[0] == 1 && x[1] == 2 && x[2] == 3);
    double y[] = {2 * 1 + 1 * 2 - 1 * 3, 3 * 2 + 0.5 * 3, 4 * 3};
    rf_cholesky_solve_upper(3, factor, y);
    assert_true(y[0] == 1 && y[1] == 2 && y[2] == 3);
}

static void singular_matrices_get_the_least_pivot(void **state) {
    (void)state;
    double a[] = {1, 1, 1}; // of rank one
    rf_cholesky_factor(2, a, 0.25, a);
    assert_true(a[0] == 1 && a[1] == 1 && a[2] == 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(updates_follow_the_matrix),
            cmocka_unit_test(solving_undoes_multiplying),
            cmocka_unit_test(singular_matrices_get_the_least_pivot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
