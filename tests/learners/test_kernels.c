#include "learners/kernels.h"
#include "proto/random.h"
#include "tests/learners/kernels_naive.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { COUNT_MAX = 70, OUTPUTS_MAX = 11 };

static double awkward(struct rf_random *random) { // of all sizes, so that another order of summing shows
    return rf_random_normal(random) * pow(10, (double)rf_random_below(random, 20) - 10);
}

static void assert_same_bits(const double *a, const double *b, size_t count) {
    assert_memory_equal(a, b, count * sizeof *a);
}

static void check(const struct rf_kernels *kernels) {
    struct rf_random random;
    rf_random_init(&random, 3);
    for (size_t count = 0; count <= COUNT_MAX; count++) {
        double a[COUNT_MAX], b[COUNT_MAX], weight[COUNT_MAX * OUTPUTS_MAX], score[OUTPUTS_MAX], expected[OUTPUTS_MAX];
        for (size_t i = 0; i < COUNT_MAX; i++) {
            a[i] = awkward(&random);
            b[i] = awkward(&random);
        }
        for (size_t i = 0; i < COUNT_MAX * OUTPUTS_MAX; i++) {
            weight[i] = awkward(&random);
        }
        double dot = kernels->dot(count, a, b);
        double naive = naive_dot(count, a, b);
        assert_same_bits(&dot, &naive, 1);
        assert_true(kernels->largest(count, a) == naive_largest(count, a));
        for (size_t outputs = 1; outputs <= OUTPUTS_MAX; outputs++) {
            kernels->scores(count, outputs, a, weight, score);
            naive_scores(count, outputs, a, weight, expected);
            assert_same_bits(score, expected, outputs);
        }
    }
}

static void check_rows(const struct rf_kernels *kernels) {
    struct rf_random random;
    rf_random_init(&random, 4);
    for (size_t count = 0; count <= COUNT_MAX; count++) {
        uint64_t hash[COUNT_MAX];
        uint32_t row[COUNT_MAX] = {0}, expected[COUNT_MAX] = {0};
        for (size_t i = 0; i < COUNT_MAX; i++) {
            hash[i] = rf_random_next(&random);
        }
        for (unsigned bits = 0; bits <= 28; bits++) {
            const uint64_t mask = ((uint64_t)1 << bits) - 1;
            kernels->rows(count, hash, mask, row);
            naive_rows(count, hash, mask, expected);
            assert_memory_equal(row, expected, sizeof row);
            assert_int_equal(kernels->has_zero(count, hash, mask), naive_has_zero(count, hash, mask));
        }
    }
}

static void check_cut(const struct rf_kernels *kernels) {
    const double list[] = {0.5, -0.5, 3, -3, INFINITY, -INFINITY, 2, -2, 0, -1e300, 1e-300, 1e300, 7};
    enum { COUNT = sizeof list / sizeof list[0] };
    for (size_t count = 0; count <= COUNT; count++) {
        double cut[COUNT] = {0}, expected[COUNT] = {0};
        kernels->cut(count, list, 2, cut);
        naive_cut(count, list, 2, expected);
        assert_same_bits(cut, expected, COUNT);
    }
}

static void baseline_kernels_give_the_bits_of_their_naive_twins(void **state) {
    (void)state;
    check(&rf_kernels_baseline);
    check_rows(&rf_kernels_baseline);
    check_cut(&rf_kernels_baseline);
    assert_ptr_equal(rf_kernels_choose(true), &rf_kernels_baseline);
}

static void the_best_kernels_of_this_machine_give_the_same_bits(void **state) {
    (void)state;
    print_message("kernels: %s\n", rf_kernels_choose(false)->name);
    check(rf_kernels_choose(false));
    check_rows(rf_kernels_choose(false));
    check_cut(rf_kernels_choose(false));
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(baseline_kernels_give_the_bits_of_their_naive_twins),
            cmocka_unit_test(the_best_kernels_of_this_machine_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
