#include "learners/drift.h"
#include "tests/test.h"

#include <math.h>

// One step of optimizer_momentum.c with a gradient of 0.
static void step_slowly(const struct rf_rate *rate, double l2, double keep, bool looks_ahead, uint64_t step, double *w,
                        double *v) {
    double at = *w + (looks_ahead ? keep * *v : 0);
    *v = keep * *v - rf_rate_at(rate, step / RF_RATE_BLOCK * RF_RATE_BLOCK) * l2 * at;
    *w += *v;
}

static void check_gaps_from(const struct rf_drift *drift, const struct rf_rate *rate, bool looks_ahead, uint64_t start,
                            uint64_t from) {
    enum { GAP_MAX = 40000 };
    double w = 1, v = -0.25;
    for (uint64_t gap = 0; gap < GAP_MAX; gap++) {
        if (gap < 5 || gap % 397 == 0 || (from + gap) % RF_RATE_BLOCK < 2) {
            double weight = 1, velocity = -0.25;
            struct rf_motion motion = rf_drift_between(drift, start, from, from + gap);
            rf_motion_apply(&motion, &weight, &velocity);
            assert_true(fabs(weight - w) < 1e-11 && fabs(velocity - v) < 1e-11);
        }
        step_slowly(rate, 0.0005, 0.9, looks_ahead, from + gap, &w, &v);
    }
    assert_true(fabs(w) > 1e-3 && fabs(w) < 1.2); // it went somewhere
}

static void missed_motions_are_what_the_steps_would_have_been(void **state) {
    (void)state;
    for (int decay = 1; rf_rate_decay_names[decay]; decay++) {
        for (int looks_ahead = 0; looks_ahead < 2; looks_ahead++) {
            const struct rf_rate rate = {
                    .first = 0.01, .decay = decay, .start = 5000, .power = 0.5, .every = 30000, .factor = 0.5, .warm_up = 3000};
            struct rf_drift drift = {.tree = NULL};
            struct rf_error err;
            assert_int_equal(rf_drift_init(&drift, &rate, 0.0005, 0.9, looks_ahead, &err), RF_OK);
            // Spans that begin elsewhere, as after a renewal of ticks, or where a restored snapshot is.
            static const uint64_t points[][2] = {{0, 0}, {0, 1023}, {0, 5000}, {2500, 2500}, {2500, 70000}, {0, 1}};
            for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
                check_gaps_from(&drift, &rate, looks_ahead, points[i][0], points[i][1]);
            }
            rf_drift_finish(&drift);
        }
    }
}

static void a_gap_as_long_as_can_be_is_a_product_of_a_few(void **state) {
    (void)state;
    const struct rf_rate rate = {.first = 1e-3, .decay = RF_RATE_STEP, .every = 1 << 28, .factor = 0.5};
    struct rf_drift drift = {.tree = NULL};
    struct rf_error err;
    assert_int_equal(rf_drift_init(&drift, &rate, 1e-6, 0, false, &err), RF_OK);
    struct rf_motion motion = rf_drift_between(&drift, 777, 777, 777 + RF_CATCH_UP_STEPS_MAX);
    double expected = exp(((1 << 28) - 777) * log1p(-1e-9) + (1 << 28) * log1p(-0.5e-9) + 777 * log1p(-0.25e-9));
    assert_true(fabs(motion.ww + motion.wv - expected) < 1e-6); // what is rounded in 2^29 steps
    rf_drift_finish(&drift);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(missed_motions_are_what_the_steps_would_have_been),
            cmocka_unit_test(a_gap_as_long_as_can_be_is_a_product_of_a_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
