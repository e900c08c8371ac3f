// Adam's missed steps, which have no closed form, over gaps of all lengths; and by how much the approximate way is off.
#include "learners/optimizer.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>

enum { GAP_MAX = 20000 };

static void take_step(struct rf_optimizer *optimizer, uint32_t row, double gradient) {
    const double x = 1, score = 0;
    const struct rf_step step = {
            .rows = &row, .x = &x, .count = 1, .x_largest = 1, .score = &score, .gradient = &gradient, .weight = 1};
    rf_optimizer_advance(optimizer, &row, 1);
    assert_true(rf_optimizer_step(optimizer, &step));
}

static double weight_of(const struct rf_optimizer *optimizer, uint32_t row) {
    double weight;
    rf_optimizer_gather(optimizer, &row, 1, &weight);
    return weight;
}

struct run {
    const char *options[6][2];
    size_t count;
    double beta1, beta2, epsilon, l2;
    uint64_t before; // steps taken by another row
    double gradients[3];
};

static struct rf_optimizer *create(const struct run *run, bool is_double) {
    struct rf_variant_value value = variant_of(rf_optimizer_variants, "adam");
    for (size_t i = 0; i < run->count; i++) {
        set_option(&value, run->options[i][0], run->options[i][1]);
    }
    const struct rf_optimizer_context context = {.outputs = 1, .row_bits = 2, .l2 = run->l2, .is_double = is_double};
    struct rf_optimizer *optimizer = NULL;
    struct rf_error err;
    if (rf_optimizer_create(&value, &context, &optimizer, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    variant_finish(&value);
    return optimizer;
}

static const struct run runs[] = {
        {{{"rate", "0.1"}}, 1, 0.9, 0.999, 1e-8, 0, 0, {1, -0.5, 2}},
        {{{"rate", "0.1"}}, 1, 0.9, 0.999, 1e-8, 0.01, 5000, {1e-8, 2e-8, 1e-7}},
        {{{"rate", "0.1"}, {"epsilon", "0.1"}}, 2, 0.9, 0.999, 0.1, 0, 100000, {1, -0.5, 2}},
        {{{"rate", "0.1"}, {"beta1", "0.95"}, {"beta2", "0.95"}}, 3, 0.95, 0.95, 1e-8, 0.001, 300, {3, 0, 0}},
        {{{"rate", "0.1"}, {"beta1", "0"}, {"beta2", "0"}}, 3, 0, 0, 1e-8, 0.001, 30, {3, 1, 2}},
};

// The weight of row 1 after each step, all steps taken: three with its feature, GAP_MAX without.
static void take_all_steps(const struct run *run, const struct rf_rate *rate, double *weight_out) {
    double weight = 0, mean = 0, square = 0;
    for (uint64_t n = 0; n < 3 + GAP_MAX; n++) {
        uint64_t step = run->before + n;
        double gradient = n < 3 ? run->gradients[n] : 0;
        double now = rf_rate_at(rate, step / RF_RATE_BLOCK * RF_RATE_BLOCK);
        double exponent = (double)step + 1;
        mean = run->beta1 * mean + (1 - run->beta1) * gradient;
        square = run->beta2 * square + (1 - run->beta2) * gradient * gradient;
        weight -= now * run->l2 * weight;
        weight -= now * sqrt(1 - pow(run->beta2, exponent)) / (1 - pow(run->beta1, exponent)) * mean /
                  (sqrt(square) + run->epsilon);
        weight_out[n] = weight;
    }
}

// The largest error of the weight over gaps of all lengths, relative to the largest weight.
static double error_of(const struct run *run, const char *decay, const char *catch_up, bool is_double) {
    struct run own = *run;
    own.options[own.count][0] = "rate_decay";
    own.options[own.count++][1] = decay;
    own.options[own.count][0] = "catch_up";
    own.options[own.count++][1] = catch_up;
    struct rf_optimizer *optimizer = create(&own, is_double);
    double *expected = test_malloc((3 + GAP_MAX) * sizeof *expected);
    take_all_steps(run, &optimizer->rate, expected);
    for (uint64_t n = 0; n < run->before; n++) {
        take_step(optimizer, 2, 1);
    }
    double largest = 0, error = 0;
    for (size_t n = 0; n < 3 + GAP_MAX; n++) {
        take_step(optimizer, n < 3 ? 1 : 2, n < 3 ? run->gradients[n] : 1);
        largest = fmax(largest, fabs(expected[n]));
        error = fmax(error, fabs(weight_of(optimizer, 1) - expected[n]));
    }
    test_free(expected);
    rf_optimizer_destroy(optimizer);
    return error / largest;
}

static void missed_steps_are_what_they_would_have_been(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        for (int decay = 0; rf_rate_decay_names[decay]; decay++) {
            for (int is_double = 0; is_double < 2; is_double++) {
                double error = error_of(&runs[i], rf_rate_decay_names[decay], "exact", is_double);
                if (!(error < (is_double ? 1e-13 : 1e-6))) {
                    fail_msg("run %zu, rate %s: off by %g", i, rf_rate_decay_names[decay], error);
                }
            }
        }
    }
}

// Relative to the largest weight.
static void the_approximate_way_is_off_by_what_is_stated(void **state) {
    (void)state;
    // The first few steps of a model; then decay, an epsilon, slow moves; and none at all.
    static const double bounds[] = {0.1, 0.006, 0.003, 0.004, 1e-12};
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        double error = error_of(&runs[i], "constant", "approximate", true);
        if (!(error <= bounds[i])) {
            fail_msg("run %zu is off by %g", i, error);
        }
    }
}

static void as_many_steps_as_can_be_seen_are_caught_up(void **state) {
    (void)state;
    static const char *const heavy[][2] = {{"beta1", "0.999"}, {"beta2", "0.99"}};
    static const char *const slow[][2] = {{"beta1", "0.999"}, {"beta2", "0.9981"}};
    static const char *const sentences[] = {
            "optimizer adam: beta1 is 0.999 with beta2 0.99, must be below the root of beta2",
            "optimizer adam: beta1 0.999 and beta2 0.9981 leave 335417 steps to catch up with, must be at most 20000: lower "
            "beta1 or "
            "raise beta2",
    };
    for (size_t i = 0; i < 2; i++) {
        struct rf_variant_value value = variant_of(rf_optimizer_variants, "adam");
        for (size_t o = 0; o < 2; o++) {
            set_option(&value, (i ? slow : heavy)[o][0], (i ? slow : heavy)[o][1]);
        }
        const struct rf_optimizer_context context = {.outputs = 1, .row_bits = 2};
        struct rf_optimizer *optimizer = NULL;
        struct rf_error err;
        assert_int_equal(rf_optimizer_create(&value, &context, &optimizer, &err), RF_INVALID);
        assert_string_equal(err.text, sentences[i]);
        variant_finish(&value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(missed_steps_are_what_they_would_have_been),
            cmocka_unit_test(the_approximate_way_is_off_by_what_is_stated),
            cmocka_unit_test(as_many_steps_as_can_be_seen_are_caught_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
