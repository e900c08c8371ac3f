// What is learned fades: by records, or by event time. Shown where it is worth it, on an abrupt drift.
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { RECORDS = 12000, TURN = 6000, FEATURES = 20 };

// A stream of one record a second, in which all that was true is false from TURN on, and true again 2000 records later.
static void make_drift(struct rf_examples *examples) {
    struct rf_random random;
    rf_random_init(&random, 17);
    examples_create(examples, RECORDS, (size_t)RECORDS * FEATURES);
    for (size_t n = 0; n < RECORDS; n++) {
        struct feature features[4];
        double tendency = 0;
        for (size_t i = 0; i < 4; i++) {
            uint64_t category = rf_random_below(&random, FEATURES);
            features[i] = (struct feature){(category * 4 + i + 1) * UINT64_C(0x9e3779b97f4a7c15), 1, RF_CATEGORY};
            tendency += category % 2 ? 2 : -2;
        }
        bool is_one = rf_random_uniform(&random) < 1 / (1 + exp(n < TURN || n >= TURN + 2000 ? -tendency : tendency));
        append_example(examples, is_one, features, 4);
        examples->time_ms[n] = 1000000 + (int64_t)n * 1000;
    }
}

// The log loss of the records from `from` on; the scores [RECORDS] where asked for.
static double loss_from(const struct rf_examples *examples, const char *rate, const char *setting, const char *text, size_t from,
                        double *score_out) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "hash_bits", "12");
    set_option(&value, "optimizer.rate", rate);
    set_option(&value, setting, text);
    struct rf_learner *learner = create_learner(&value, false);
    struct rf_predictions predictions;
    predictions_create(&predictions, learner, examples);
    rf_learner_fold(learner, examples, 0, examples->count, &predictions);
    struct rf_error err;
    struct rf_state state;
    rf_state_init(&state);
    rf_learner_state(learner, &state);
    assert_int_equal(rf_learner_check(learner, &err), RF_OK);
    double loss = 0;
    for (size_t n = from; n < examples->count; n++) {
        double p = predictions.score[n];
        assert_true(p > 0 && p < 1);
        loss -= log(examples->label[n] == 1 ? p : 1 - p);
    }
    if (score_out) {
        memcpy(score_out, predictions.score, examples->count * sizeof *score_out);
    }
    rf_state_finish(&state);
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    variant_finish(&value);
    return loss / (double)(examples->count - from);
}

static void forgetting_pays_after_an_abrupt_drift(void **state) {
    (void)state;
    struct rf_examples examples;
    make_drift(&examples);
    static const char *const rates[] = {"auto", "0.5"};
    for (size_t i = 0; i < 2; i++) {
        double kept = loss_from(&examples, rates[i], "optimizer.half_life", "0", TURN, NULL);
        double faded = loss_from(&examples, rates[i], "optimizer.half_life", "1000", TURN, NULL);
        assert_true(faded < 0.98 * kept);
    }
    rf_examples_finish(&examples);
}

static void event_time_forgets_as_records_do_when_they_come_evenly(void **state) {
    (void)state;
    static double by_records[RECORDS], by_time[RECORDS];
    struct rf_examples examples;
    make_drift(&examples);
    static const char *const rates[] = {"auto", "0.5"};
    for (size_t i = 0; i < 2; i++) {
        loss_from(&examples, rates[i], "optimizer.half_life", "500", 0, by_records);
        loss_from(&examples, rates[i], "optimizer.half_life_seconds", "500", 0, by_time);
        assert_memory_equal(by_records, by_time, sizeof by_records);
    }
    rf_examples_finish(&examples);
}

static void times_that_stand_still_run_back_or_leap_do_no_harm(void **state) {
    (void)state;
    struct rf_examples examples;
    make_drift(&examples);
    static double even[RECORDS], odd[RECORDS];
    loss_from(&examples, "auto", "optimizer.half_life_seconds", "1000", 0, even);
    for (size_t n = 3000; n < 3100; n++) {
        examples.time_ms[n] = n % 2 ? -1 : 5; // not known, or long ago: as if no time passed
    }
    loss_from(&examples, "auto", "optimizer.half_life_seconds", "1000", 0, odd);
    assert_memory_equal(even, odd, 3000 * sizeof *even);
    assert_true(fabs(even[5999] - odd[5999]) < 0.02);
    for (size_t n = TURN; n < RECORDS; n++) {
        examples.time_ms[n] += INT64_C(300000000000000); // ten thousand years later
    }
    double faded = loss_from(&examples, "auto", "optimizer.half_life_seconds", "1000", TURN, NULL);
    double kept = loss_from(&examples, "auto", "optimizer.half_life", "0", TURN, NULL);
    assert_true(faded < kept); // nothing is left that was true before
    rf_examples_finish(&examples);
}

static void half_lives_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    const struct rf_learner_context context = {.features_max = 8};
    struct rf_learner *learner = NULL;
    struct rf_error err;
    set_option(&value, "optimizer.half_life", "10");
    set_option(&value, "optimizer.half_life_seconds", "10");
    assert_int_equal(rf_learner_create(&value, &context, &learner, &err), RF_INVALID);
    assert_string_equal(err.text, "learner linear: optimizer adaptive: half_life_seconds is 10, must be 0, or half_life 0 and "
                                  "adaptive true");
    variant_finish(&value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(forgetting_pays_after_an_abrupt_drift),
            cmocka_unit_test(event_time_forgets_as_records_do_when_they_come_evenly),
            cmocka_unit_test(times_that_stand_still_run_back_or_leap_do_no_harm),
            cmocka_unit_test(half_lives_that_do_not_go_together_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
