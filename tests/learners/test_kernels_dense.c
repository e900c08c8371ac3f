#include "learners/kernels_dense.h"
#include "learners/kernels_openblas.h"
#include "proto/random.h"
#include "tests/learners/kernels_naive.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { COUNT_MAX = 45, OUTPUTS_MAX = 5, RECORDS = 33 };

static double awkward(struct rf_random *random) { // of all sizes, so that another order of summing shows
    return rf_random_normal(random) * pow(10, (double)rf_random_below(random, 40) - 22);
}

struct reals { // the same numbers in both types
    float single[OUTPUTS_MAX * COUNT_MAX];
    double twice[OUTPUTS_MAX * COUNT_MAX];
};

static void fill(struct reals *reals, struct rf_random *random) {
    static const float odd[] = {0, -0.0F, FLT_MIN, -FLT_MIN / 2, 1e15F, -1e15F, 3e-39F};
    for (size_t i = 0; i < OUTPUTS_MAX * COUNT_MAX; i++) {
        bool is_odd = rf_random_below(random, 6) == 0;
        reals->single[i] = is_odd ? odd[rf_random_below(random, 7)] : (float)awkward(random);
        reals->twice[i] = is_odd ? (double)reals->single[i] : awkward(random);
    }
}

static void check_scores(const struct rf_dense_kernels *kernels, struct rf_random *random) {
    struct reals x, weight;
    double score[OUTPUTS_MAX], expected[OUTPUTS_MAX];
    fill(&x, random);
    fill(&weight, random);
    for (size_t outputs = 1; outputs <= OUTPUTS_MAX; outputs++) {
        for (size_t count = 1; count <= COUNT_MAX; count++) {
            kernels[0].scores(outputs, count, x.single, weight.single, score);
            naive_dense_scores_float(outputs, count, x.single, weight.single, expected);
            assert_memory_equal(score, expected, outputs * sizeof *score);
            kernels[1].scores(outputs, count, x.twice, weight.twice, score);
            naive_dense_scores_double(outputs, count, x.twice, weight.twice, expected);
            assert_memory_equal(score, expected, outputs * sizeof *score);
        }
    }
}

static void check_steps(const struct rf_dense_kernels *kernels, struct rf_random *random, bool has_velocity) {
    for (size_t count = 1; count <= COUNT_MAX; count++) {
        struct reals x, weight, velocity;
        fill(&x, random);
        fill(&weight, random);
        fill(&velocity, random);
        struct reals moved = weight, moving = velocity;
        double move = awkward(random), decay = count % 2 ? 0.25 : 0, momentum = 0.9;
        if (has_velocity) {
            kernels[0].descend_on(count, move, x.single, decay, momentum, moved.single, moving.single);
            kernels[1].descend_on(count, move, x.twice, decay, momentum, moved.twice, moving.twice);
        } else {
            kernels[0].descend(count, move, x.single, decay, moved.single);
            kernels[1].descend(count, move, x.twice, decay, moved.twice);
        }
        naive_descend_float(count, move, x.single, decay, momentum, weight.single, has_velocity ? velocity.single : NULL);
        naive_descend_double(count, move, x.twice, decay, momentum, weight.twice, has_velocity ? velocity.twice : NULL);
        assert_memory_equal(&moved, &weight, sizeof moved); // what is behind `count` stays
        assert_memory_equal(&moving, &velocity, sizeof moving);
    }
}

static void check_taking(const struct rf_dense_kernels *kernels) {
    static const float raw[] = {0, 1.5F, -2, 3e38F, -3e38F, 1e15F, 1e-40F, INFINITY, -INFINITY};
    enum { COUNT = sizeof raw / sizeof raw[0] };
    double wide[COUNT], expected[COUNT], taken[COUNT], given[COUNT];
    float single[COUNT], expected_single[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        wide[i] = (double)raw[i] * 3;
    }
    kernels[0].take(COUNT, raw, single);
    naive_take_float(COUNT, raw, expected_single);
    assert_memory_equal(single, expected_single, sizeof single);
    kernels[1].take_doubles(COUNT, wide, taken);
    naive_take_double(COUNT, wide, expected);
    assert_memory_equal(taken, expected, sizeof taken);
    kernels[1].take(COUNT, raw, taken);
    kernels[0].give_doubles(COUNT, single, given);
    assert_memory_equal(taken, given, sizeof taken);
    kernels[0].take_doubles(COUNT, given, expected_single);
    assert_memory_equal(single, expected_single, sizeof single);
    const float none = NAN;
    kernels[0].take(1, &none, single);
    assert_true(isfinite(single[0]));
}

static void check(const struct rf_dense_kernels *kernels) {
    struct rf_random random;
    rf_random_init(&random, 5);
    check_taking(kernels);
    check_scores(kernels, &random);
    check_steps(kernels, &random, false);
    check_steps(kernels, &random, true);
}

static void baseline_kernels_give_the_bits_of_their_naive_twins(void **state) {
    (void)state;
    check(rf_dense_kernels_baseline);
    assert_ptr_equal(rf_dense_kernels_choose(true, true), &rf_dense_kernels_baseline[1]);
}

static void the_best_kernels_of_this_machine_give_the_same_bits(void **state) {
    (void)state;
    print_message("kernels: %s\n", rf_dense_kernels_choose(false, false)->name);
    check(rf_dense_kernels_choose(false, false));
}

// No bits are promised here: another core type, another order of summing.
static void products_of_mini_batches_are_those_of_the_naive_loops(void **state) {
    (void)state;
    rf_openblas_prepare();
    print_message("OpenBLAS: %s\n", rf_openblas_core());
    struct rf_random random;
    rf_random_init(&random, 6);
    static double x[RECORDS * COUNT_MAX], weight[OUTPUTS_MAX * COUNT_MAX], score[RECORDS * OUTPUTS_MAX];
    static double expected[RECORDS * OUTPUTS_MAX], gradient[OUTPUTS_MAX * COUNT_MAX], expected_gradient[OUTPUTS_MAX * COUNT_MAX];
    static float x_single[RECORDS * COUNT_MAX], weight_single[OUTPUTS_MAX * COUNT_MAX], score_single[RECORDS * OUTPUTS_MAX];
    static float gradient_single[OUTPUTS_MAX * COUNT_MAX];
    for (size_t i = 0; i < RECORDS * COUNT_MAX; i++) {
        x_single[i] = (float)(x[i] = rf_random_normal(&random));
    }
    for (size_t i = 0; i < OUTPUTS_MAX * COUNT_MAX; i++) {
        weight_single[i] = (float)(weight[i] = rf_random_normal(&random));
    }
    for (size_t outputs = 1; outputs <= OUTPUTS_MAX; outputs++) {
        rf_openblas_scores(true, RECORDS, outputs, COUNT_MAX, x, weight, score);
        rf_openblas_scores(false, RECORDS, outputs, COUNT_MAX, x_single, weight_single, score_single);
        naive_batch_scores(RECORDS, outputs, COUNT_MAX, x, weight, expected);
        rf_openblas_gradient(true, RECORDS, outputs, COUNT_MAX, score, x, gradient);
        rf_openblas_gradient(false, RECORDS, outputs, COUNT_MAX, score_single, x_single, gradient_single);
        naive_batch_gradient(RECORDS, outputs, COUNT_MAX, expected, x, expected_gradient);
        for (size_t i = 0; i < RECORDS * outputs; i++) {
            assert_true(fabs(score[i] - expected[i]) <= 1e-13);
            assert_true(fabs((double)score_single[i] - expected[i]) <= 1e-4);
        }
        for (size_t i = 0; i < outputs * COUNT_MAX; i++) {
            assert_true(fabs(gradient[i] - expected_gradient[i]) <= 1e-12);
            assert_true(fabs((double)gradient_single[i] - expected_gradient[i]) <= 1e-3);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(baseline_kernels_give_the_bits_of_their_naive_twins),
            cmocka_unit_test(the_best_kernels_of_this_machine_give_the_same_bits),
            cmocka_unit_test(products_of_mini_batches_are_those_of_the_naive_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
