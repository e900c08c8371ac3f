#include "proto/prediction.h"
#include "tests/test.h"

#include <math.h>

static int32_t class_of(enum rf_task task, bool is_margin, uint32_t outputs, double *score, size_t index) {
    struct rf_predictions predictions = {.task = task, .is_margin = is_margin, .outputs = outputs, .score = score};
    return rf_prediction_class(&predictions, index);
}

static void a_regression_names_no_class(void **state) {
    (void)state;
    assert_int_equal(class_of(RF_TASK_REGRESSION, false, 1, (double[]){3}, 0), -1);
}

static void a_probability_above_a_half_names_class_1(void **state) {
    (void)state;
    double score[] = {0.4, 0.5, 0.6, NAN};
    assert_int_equal(class_of(RF_TASK_BINARY, false, 1, score, 0), 0);
    assert_int_equal(class_of(RF_TASK_BINARY, false, 1, score, 1), 0);
    assert_int_equal(class_of(RF_TASK_BINARY, false, 1, score, 2), 1);
    assert_int_equal(class_of(RF_TASK_BINARY, false, 1, score, 3), -1);
}

static void a_margin_above_zero_names_class_1(void **state) {
    (void)state;
    double score[] = {-0.1, 0, 0.1};
    assert_int_equal(class_of(RF_TASK_BINARY, true, 1, score, 0), 0);
    assert_int_equal(class_of(RF_TASK_BINARY, true, 1, score, 1), 0);
    assert_int_equal(class_of(RF_TASK_BINARY, true, 1, score, 2), 1);
}

static void the_most_probable_class_wins_and_the_lowest_among_equals(void **state) {
    (void)state;
    double score[] = {0.2, 0.3, 0.5, 0.4, 0.4, 0.2, NAN, NAN, NAN};
    assert_int_equal(class_of(RF_TASK_MULTICLASS, false, 3, score, 0), 2);
    assert_int_equal(class_of(RF_TASK_MULTICLASS, false, 3, score, 1), 0);
    assert_int_equal(class_of(RF_TASK_MULTICLASS, false, 3, score, 2), -1);
}

static void reasons_have_the_words_of_the_protocol(void **state) {
    (void)state;
    static const char *const words[] = {"empty", "tombstone",  "undecodable", "encoding", "duplicate_field",
                                        "type",  "non_finite", "label",       "limit"};
    assert_int_equal(RF_REASON_COUNT, sizeof words / sizeof *words);
    for (enum rf_reason reason = 0; reason < RF_REASON_COUNT; reason++) {
        assert_string_equal(rf_reason_word(reason), words[reason]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_regression_names_no_class),
            cmocka_unit_test(a_probability_above_a_half_names_class_1),
            cmocka_unit_test(a_margin_above_zero_names_class_1),
            cmocka_unit_test(the_most_probable_class_wins_and_the_lowest_among_equals),
            cmocka_unit_test(reasons_have_the_words_of_the_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
