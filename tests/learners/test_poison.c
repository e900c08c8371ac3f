// Nothing poisons a model of the default settings, or plain gradient descent under robust scaling: one value of one record is
// made a million times too large, or as large as a float can be, for each field in turn, in its first record and in a later one.
// Over records 1,000 to 10,000 after that the log loss is within 1 % of the undisturbed run.
#include "proto/math.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>

enum { RECORDS = 12000, NUMBERS = 4, FIELDS = NUMBERS + 1, LATER = 1500 };

static void append_stream(struct rf_examples *examples) {
    struct rf_random random;
    rf_random_init(&random, 12);
    for (size_t n = 0; n < RECORDS; n++) {
        struct feature features[FIELDS];
        double tendency = 0;
        for (uint64_t f = 0; f < NUMBERS; f++) {
            double z = rf_random_normal(&random);
            tendency += (f % 2 ? 1.5 : -0.8) * z;
            features[f] = (struct feature){f + 1, z * pow(10, 2 * (double)f - 3) + (f == 2 ? 40 : 0), RF_NUMBER};
        }
        uint64_t category = rf_random_below(&random, 5);
        tendency += (double)category - 2;
        features[NUMBERS] = (struct feature){100 + category, 1, RF_CATEGORY};
        append_example(examples, rf_random_uniform(&random) < rf_sigmoid(tendency), features, FIELDS);
    }
}

// The log loss of records 1,000 to 10,000 after `from`. Nothing is left behind but finite predictions and a sound state.
static double loss_after(const struct rf_examples *examples, bool is_robust_sgd, size_t from) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    if (is_robust_sgd) {
        set_option(&value, "optimizer", "sgd");
        set_option(&value, "optimizer.rate", "0.05");
        set_option(&value, "scale", "robust");
    }
    struct rf_learner *learner = create_learner(&value, false);
    struct rf_predictions predictions;
    struct rf_error err;
    predictions_create(&predictions, learner, examples);
    rf_learner_fold(learner, examples, 0, examples->count, &predictions);
    assert_int_equal(rf_learner_check(learner, &err), RF_OK);
    double loss = 0;
    for (size_t n = 0; n < examples->count; n++) {
        double p = predictions.score[n];
        assert_true(p >= 0 && p <= 1);
        bool counts = n >= from + 1000 && n < from + 10000;
        loss -= counts ? rf_log(examples->label[n] == 1 ? p : 1 - p) : 0;
    }
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    variant_finish(&value);
    return loss;
}

static void check_shock(struct rf_examples *examples, bool is_robust_sgd, size_t at, size_t field, double shocked) {
    double *value = &examples->value[examples->row_start[at] + field], kept = *value;
    double before = loss_after(examples, is_robust_sgd, at);
    *value = shocked == 0 ? kept * 1e6 : shocked;
    double after = loss_after(examples, is_robust_sgd, at);
    *value = kept;
    if (!(after <= 1.01 * before)) {
        fail_msg("field %zu shocked at record %zu: the loss is %g, undisturbed %g", field, at, after, before);
    }
}

static void no_value_of_any_field_poisons(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, RECORDS, (size_t)RECORDS * FIELDS);
    append_stream(&examples);
    static const double shocks[] = {0, 1e38, -1e300, 1e-300};
    for (size_t field = 0; field < FIELDS; field++) {
        for (size_t i = 0; i < sizeof shocks / sizeof shocks[0]; i++) {
            check_shock(&examples, false, 0, field, shocks[i]);
            check_shock(&examples, false, LATER, field, shocks[i]);
        }
    }
    rf_examples_finish(&examples);
}

// Categories are not scaled: their value is 1.
static void no_number_poisons_under_robust_scaling(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, RECORDS, (size_t)RECORDS * FIELDS);
    append_stream(&examples);
    static const double shocks[] = {0, 1e38, -1e300, 1e-300};
    for (size_t field = 0; field < NUMBERS; field++) {
        for (size_t i = 0; i < sizeof shocks / sizeof shocks[0]; i++) {
            check_shock(&examples, true, 0, field, shocks[i]);
            check_shock(&examples, true, LATER, field, shocks[i]);
        }
    }
    rf_examples_finish(&examples);
}

static void no_weight_of_an_example_poisons(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, RECORDS, (size_t)RECORDS * FIELDS);
    append_stream(&examples);
    double before = loss_after(&examples, false, LATER);
    static const double weights[] = {1e-300, 1e-30, 100, 1e6, 1e25, 1e300};
    for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
        examples.weight[LATER] = weights[i];
        assert_true(loss_after(&examples, false, LATER) <= 1.01 * before);
    }
    rf_examples_finish(&examples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(no_value_of_any_field_poisons),
            cmocka_unit_test(no_number_poisons_under_robust_scaling),
            cmocka_unit_test(no_weight_of_an_example_poisons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
