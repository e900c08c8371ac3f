#include "learners/catch_up.h"
#include "learners/optimizer.h"
#include "learners/shrink.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { ROW_BITS = 5, ROWS = 1 << ROW_BITS, OUTPUTS_MAX = 3 };

// The adaptive kinds, whose experts are many and which know no decay, have tests of their own.
static bool is_adaptive(const struct rf_variant *kind) {
    return strcmp(kind->name, "adaptive") == 0;
}

static bool knows_l2(const struct rf_variant *kind) {
    return ((const struct rf_optimizer_kind *)kind->registration)->combination.regularisers & RF_REGULARISER_L2;
}

static bool needs_passive_loss(const struct rf_variant *kind) {
    return ((const struct rf_optimizer_kind *)kind->registration)->combination.needs_passive;
}

// With L2 where the kind knows it.
static struct rf_optimizer *create(const struct rf_variant_value *value, uint32_t outputs, double l1, double l2, bool is_double,
                                   uint32_t tick_limit) {
    struct rf_optimizer *optimizer = NULL;
    struct rf_error err;
    const struct rf_optimizer_context context = {.outputs = outputs,
                                                 .row_bits = ROW_BITS,
                                                 .l1 = l1,
                                                 .l2 = knows_l2(value->kind) ? l2 : 0,
                                                 .is_double = is_double,
                                                 .tick_limit = tick_limit};
    if (rf_optimizer_create(value, &context, &optimizer, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(rf_optimizer_reserve(optimizer, 8, &err), RF_OK);
    return optimizer;
}

static bool step(struct rf_optimizer *optimizer, const uint32_t *rows, const double *x, size_t count, const double *score,
                 const double *gradient) {
    struct rf_variant_value value = variant_of(rf_loss_variants, "squared");
    struct rf_loss loss;
    struct rf_error err;
    assert_int_equal(rf_loss_init(&value, &loss, &err), RF_OK);
    const struct rf_step step = {.rows = rows,
                                 .x = x,
                                 .count = count,
                                 .x_largest = 2,
                                 .score = score,
                                 .gradient = gradient,
                                 .loss = &loss,
                                 .label = score[0] - gradient[0] / 2,
                                 .weight = 1};
    variant_finish(&value);
    return rf_optimizer_step(optimizer, &step);
}

// Steps towards random numbers on two rows at a time; some rows come seldom, some never.
static void take_steps(struct rf_optimizer *optimizer, size_t steps, struct rf_random *random) {
    for (size_t n = 0; n < steps; n++) {
        uint32_t rows[2] = {(uint32_t)rf_random_below(random, 1 + rf_random_below(random, ROWS - 1)), 3};
        double x[2] = {1 + rf_random_uniform(random), 0.5};
        double score[OUTPUTS_MAX], gradient[OUTPUTS_MAX] = {0};
        rf_optimizer_advance(optimizer, rows, 2);
        rf_optimizer_score(optimizer, rows, x, 2, score);
        for (uint32_t k = 0; k < optimizer->outputs; k++) {
            gradient[k] = score[k] - rf_random_normal(random);
        }
        assert_true(step(optimizer, rows, x, 2, score, gradient));
    }
}

static void gather_all(const struct rf_optimizer *optimizer, double *weight_out) {
    uint32_t rows[ROWS];
    for (uint32_t row = 0; row < ROWS; row++) {
        rows[row] = row;
    }
    rf_optimizer_gather(optimizer, rows, ROWS, weight_out);
}

static void check_renewal(const struct rf_variant_value *value, uint32_t outputs, double l1, double l2, bool is_double) {
    struct rf_optimizer *plain = create(value, outputs, l1, l2, is_double, 0);
    struct rf_optimizer *renewed = create(value, outputs, l1, l2, is_double, 50);
    struct rf_random a, b;
    rf_random_init(&a, 21);
    rf_random_init(&b, 21);
    take_steps(plain, 3333, &a);
    take_steps(renewed, 3333, &b);
    assert_int_equal(plain->ticks->tick, 3333);
    assert_int_equal(renewed->ticks->tick, 3333 % 50);
    assert_int_equal(renewed->ticks->steps, 3333);
    struct rf_error err;
    assert_int_equal(rf_optimizer_check(plain, &err), RF_OK);
    assert_int_equal(rf_optimizer_check(renewed, &err), RF_OK);
    double expected[ROWS * OUTPUTS_MAX], actual[ROWS * OUTPUTS_MAX];
    gather_all(plain, expected);
    gather_all(renewed, actual);
    for (size_t i = 0; i < (size_t)ROWS * outputs; i++) {
        assert_true(fabs(actual[i] - expected[i]) <= (is_double ? 1e-12 : 1e-4) * fmax(1, fabs(expected[i])));
    }
    assert_true(actual[3 * outputs] != 0);
    for (uint32_t k = 0; k < outputs; k++) {
        assert_true(actual[(ROWS - 1) * outputs + k] == 0); // never used
    }
    rf_optimizer_destroy(plain);
    rf_optimizer_destroy(renewed);
}

static void renewing_ticks_changes_no_weight(void **state) {
    (void)state;
    for (const struct rf_variant *kind = rf_optimizer_variants; kind->name; kind++) {
        if (is_adaptive(kind)) {
            continue;
        }
        struct rf_variant_value value = variant_of(rf_optimizer_variants, kind->name);
        for (uint32_t outputs = 1; outputs <= OUTPUTS_MAX; outputs += 2) {
            for (int is_double = 0; is_double < 2; is_double++) {
                check_renewal(&value, outputs, 0, 0, is_double);
                check_renewal(&value, outputs, 0, 0.01, is_double);
            }
        }
        variant_finish(&value);
    }
    struct rf_variant_value value = variant_of(rf_optimizer_variants, "sgd");
    check_renewal(&value, 1, 0.001, 0, true);
    check_renewal(&value, 3, 0.001, 0.01, true);
    set_option(&value, "rate_decay", "inverse_scaling");
    check_renewal(&value, 1, 0, 0.1, true);
    check_renewal(&value, 1, 0.01, 0.1, true);
    check_renewal(&value, 1, 0.01, 0, true);
    variant_finish(&value);
    value = variant_of(rf_optimizer_variants, "adam");
    set_option(&value, "rate_decay", "step");
    set_option(&value, "rate_every", "700");
    check_renewal(&value, 1, 0, 0.1, true);
    variant_finish(&value);
}

static void steps_out_of_bounds_are_not_taken(void **state) {
    (void)state;
    for (const struct rf_variant *kind = rf_optimizer_variants; kind->name; kind++) {
        if (needs_passive_loss(kind) || is_adaptive(kind)) {
            continue; // takes its steps from the loss, see test_optimizer_passive.c
        }
        struct rf_variant_value value = variant_of(rf_optimizer_variants, kind->name);
        for (int is_double = 0; is_double < 2; is_double++) {
            struct rf_optimizer *optimizer = create(&value, 1, 0, 0, is_double, 0);
            uint32_t row = 1;
            double weight = 0, x = 1, absurd[] = {1e200, INFINITY, NAN};
            for (size_t i = 0; i < 3; i++) {
                rf_optimizer_advance(optimizer, &row, 1);
                assert_false(step(optimizer, &row, &x, 1, &weight, &absurd[i]));
            }
            assert_int_equal(optimizer->ticks->steps, 0);
            double most = -optimizer->limit / 2 / rf_optimizer_rate(optimizer); // the largest step allowed, again and again
            for (int i = 0; i < 100; i++) {
                rf_optimizer_advance(optimizer, &row, 1);
                assert_true(step(optimizer, &row, &x, 1, &weight, &most));
                rf_optimizer_gather(optimizer, &row, 1, &weight);
                assert_true(isfinite(weight));
                struct rf_error err;
                assert_int_equal(rf_optimizer_check(optimizer, &err), RF_OK); // of what it wrote
            }
            rf_optimizer_destroy(optimizer);
        }
        variant_finish(&value);
    }
}

static void scores_are_sums_of_the_weights_gathered(void **state) {
    (void)state;
    for (const struct rf_variant *kind = rf_optimizer_variants; kind->name; kind++) {
        if (is_adaptive(kind)) {
            continue;
        }
        struct rf_variant_value value = variant_of(rf_optimizer_variants, kind->name);
        for (uint32_t outputs = 1; outputs <= OUTPUTS_MAX; outputs += 2) {
            struct rf_optimizer *optimizer = create(&value, outputs, 0, 0.01, true, 0);
            struct rf_random random;
            rf_random_init(&random, 5);
            take_steps(optimizer, 300, &random);
            uint32_t rows[ROWS];
            double x[ROWS], weight[ROWS * OUTPUTS_MAX], score[OUTPUTS_MAX];
            gather_all(optimizer, weight);
            for (uint32_t row = 0; row < ROWS; row++) {
                rows[row] = row;
                x[row] = rf_random_normal(&random);
            }
            rf_optimizer_score(optimizer, rows, x, ROWS, score);
            for (uint32_t k = 0; k < outputs; k++) {
                double expected = 0;
                for (uint32_t row = 0; row < ROWS; row++) {
                    expected += x[row] * weight[row * outputs + k];
                }
                assert_true(fabs(score[k] - expected) < 1e-12 && expected != 0);
            }
            rf_optimizer_destroy(optimizer);
        }
        variant_finish(&value);
    }
}

static void gathering_changes_nothing(void **state) {
    (void)state;
    for (const struct rf_variant *kind = rf_optimizer_variants; kind->name; kind++) {
        if (is_adaptive(kind)) {
            continue;
        }
        struct rf_variant_value value = variant_of(rf_optimizer_variants, kind->name);
        struct rf_optimizer *optimizer = create(&value, 2, 0, 0.01, false, 0);
        struct rf_random random;
        rf_random_init(&random, 4);
        take_steps(optimizer, 100, &random);
        unsigned char before[ROWS * 64];
        size_t size = ROWS * optimizer->row_size;
        assert_true(size <= sizeof before);
        memcpy(before, optimizer->cells, size);
        double weight[ROWS * 2];
        gather_all(optimizer, weight);
        assert_memory_equal(before, optimizer->cells, size);
        rf_optimizer_destroy(optimizer);
        variant_finish(&value);
    }
}

static void powers_of_all_sizes_are_exact(void **state) {
    (void)state;
    static struct rf_powers powers;
    static struct rf_motion_powers motions;
    rf_powers_init(&powers, 1 - 1e-7);
    rf_motion_powers_init(&motions, (struct rf_motion){.ww = 1, .wv = 0.9, .vw = 0, .vv = 0.9});
    static const uint32_t exponents[] = {0, 1, 2, 1023, 1024, 1025, 12345, 1 << 20, (1 << 20) + 1, 123456789, 1 << 29};
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        double k = exponents[i];
        double expected = exp(k * log1p(-1e-7));
        assert_true(fabs(rf_powers_at(&powers, exponents[i]) - expected) <= 1e-6 * expected);
        double weight = 2, velocity = 1;
        rf_motion_powers_apply(&motions, exponents[i], &weight, &velocity);
        assert_true(fabs(weight - (2 + 9 * (1 - pow(0.9, k)))) < 1e-11); // m + .. + m^k = m (1 - m^k) / (1 - m)
        assert_true(fabs(velocity - pow(0.9, k)) < 1e-12);
    }
}

static void rates_fall_as_stated(void **state) {
    (void)state;
    struct rf_rate rate = {.first = 0.5, .decay = RF_RATE_INVERSE_SCALING, .start = 100, .power = 0.5};
    assert_true(rf_rate_at(&rate, 0) == 0.5);
    assert_true(fabs(rf_rate_at(&rate, 300) - 0.25) < 1e-15);
    rate.decay = RF_RATE_STEP;
    rate.every = 100;
    rate.factor = 0.1;
    assert_true(rf_rate_at(&rate, 99) == 0.5);
    assert_true(fabs(rf_rate_at(&rate, 100) - 0.05) < 1e-15);
    assert_true(fabs(rf_rate_at(&rate, 399) - 0.0005) < 1e-15);
    assert_true(rf_rate_at(&rate, UINT64_C(1) << 53) == 0);
    rate.decay = RF_RATE_CONSTANT;
    assert_true(rf_rate_at(&rate, 300) == 0.5);
    assert_false(rf_rate_varies(&rate));
}

static void rates_rise_over_a_warm_up_whatever_their_fall(void **state) {
    (void)state;
    for (int decay = 0; rf_rate_decay_names[decay]; decay++) {
        struct rf_rate rate = {.first = 0.5, .decay = decay, .start = 100, .power = 0.5, .every = 100, .factor = 0.1};
        struct rf_rate warm = rate;
        warm.warm_up = 200;
        assert_true(rf_rate_varies(&warm));
        for (uint64_t step = 0; step < 400; step++) {
            double rise = step < 200 ? ((double)step + 1) / 200 : 1;
            assert_true(fabs(rf_rate_at(&warm, step) - rise * rf_rate_at(&rate, step)) < 1e-15);
        }
    }
}

// The rule of shrink.h, step by step.
static double shrunk_slowly(const struct rf_rate *rate, double l1, double l2, uint64_t from, uint64_t to, double weight) {
    for (uint64_t step = from; step < to; step++) {
        double now = rf_rate_at(rate, step / RF_RATE_BLOCK * RF_RATE_BLOCK);
        double size = (1 - now * l2) * fabs(weight) - now * l1;
        weight = size > 0 ? copysign(size, weight) : 0;
    }
    return weight;
}

static void missed_shrinking_is_what_the_steps_would_have_done(void **state) {
    (void)state;
    static const double penalties[][2] = {{0, 0}, {0, 0.02}, {0.01, 0}, {0.01, 0.02}, {1e-5, 1e-7}, {0.01, 1e-40}, {3, 5}};
    static const uint64_t spans[][2] = {{0, 1}, {5, 9}, {100, 1500}, {1023, 1025}, {2048, 4096}, {1, 9000}};
    static const double weights[] = {0.5, -0.02, 1e-9, -1e6, 0};
    size_t at_zero = 0;
    for (int decay = 0; rf_rate_decay_names[decay]; decay++) {
        const struct rf_rate rate = {.first = 0.1, .decay = decay, .start = 1000, .power = 0.5, .every = 3000, .factor = 0.5};
        for (size_t p = 0; p < sizeof penalties / sizeof penalties[0]; p++) {
            struct rf_shrinking shrinking;
            struct rf_error err;
            assert_int_equal(rf_shrinking_init(&shrinking, &rate, penalties[p][0], penalties[p][1], &err), RF_OK);
            for (size_t i = 0; i < sizeof spans / sizeof spans[0] * 5; i++) {
                const uint64_t *span = spans[i / 5];
                double weight = weights[i % 5];
                double expected = shrunk_slowly(&rate, penalties[p][0], penalties[p][1], span[0], span[1], weight);
                double actual = rf_shrunk(rf_shrinking_over(&shrinking, 0, span[0], span[1]), weight);
                assert_true(fabs(actual - expected) <= 1e-12 * fabs(weight));
                at_zero += weight != 0 && expected == 0 && actual == 0;
            }
            rf_shrinking_finish(&shrinking);
        }
    }
    assert_true(at_zero > 100);
}

static uint64_t powers_taken;

double __real_rf_pow(double base, double exponent);
double __wrap_rf_pow(double base, double exponent);

// The linker puts it in place of rf_pow() (--wrap).
double __wrap_rf_pow(double base, double exponent) {
    powers_taken++;
    return __real_rf_pow(base, exponent);
}

static void a_rate_held_for_a_block_of_steps_is_computed_once(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_optimizer_variants, "sgd");
    set_option(&value, "rate_decay", "inverse_scaling");
    for (int has_l2 = 0; has_l2 < 2; has_l2++) {
        struct rf_optimizer *optimizer = create(&value, 1, 0, has_l2 ? 0.1 : 0, true, 0);
        const uint64_t block = has_l2 ? RF_RATE_BLOCK : 1;
        // Forwards, and to where a restored snapshot may put it: far ahead, and back.
        static const uint64_t starts[] = {0, UINT64_C(1) << 40, 5000, 0};
        for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
            uint64_t end = starts[i] + 3 * RF_RATE_BLOCK;
            powers_taken = 0;
            for (optimizer->ticks->steps = starts[i]; optimizer->ticks->steps < end; optimizer->ticks->steps++) {
                double rate = rf_optimizer_rate(optimizer);
                uint64_t taken = powers_taken;
                assert_true(rate == rf_rate_at(&optimizer->rate, optimizer->ticks->steps / block * block));
                powers_taken = taken;
            }
            assert_true(powers_taken <= 3 * RF_RATE_BLOCK / block + 1);
        }
        rf_optimizer_destroy(optimizer);
    }
    variant_finish(&value);
}

static void optimizers_refuse_l2_that_turns_weights_around(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_optimizer_variants, "sgd");
    set_option(&value, "rate", "2");
    const struct rf_optimizer_context context = {.outputs = 1, .row_bits = 4, .l2 = 1};
    struct rf_optimizer *optimizer = NULL;
    struct rf_error err;
    assert_int_equal(rf_optimizer_create(&value, &context, &optimizer, &err), RF_INVALID);
    assert_string_equal(err.text, "optimizer sgd: rate 2 times l2 1 is 2, must be below 1");
    assert_null(optimizer);
    variant_finish(&value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(renewing_ticks_changes_no_weight),
            cmocka_unit_test(steps_out_of_bounds_are_not_taken),
            cmocka_unit_test(scores_are_sums_of_the_weights_gathered),
            cmocka_unit_test(gathering_changes_nothing),
            cmocka_unit_test(powers_of_all_sizes_are_exact),
            cmocka_unit_test(rates_fall_as_stated),
            cmocka_unit_test(rates_rise_over_a_warm_up_whatever_their_fall),
            cmocka_unit_test(missed_shrinking_is_what_the_steps_would_have_done),
            cmocka_unit_test(a_rate_held_for_a_block_of_steps_is_computed_once),
            cmocka_unit_test(optimizers_refuse_l2_that_turns_weights_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
