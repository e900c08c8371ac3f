// Each figure against a published small example, and all of them against their definitions done the slow way.
#include "tests/learners/evaluation_fixture.h"
#include "tests/test.h"

#include <math.h>

static struct scored_stream stream;

static struct rf_figures figures_of(const struct rf_evaluation_options *options, const double *labels, const double *scores,
                                    size_t count) {
    struct rf_figures figures;
    scored_begin(&stream, options);
    for (size_t i = 0; i < count; i++) {
        scored_add(&stream, labels[i], 1, scores + i * options->outputs);
    }
    scored_fold(&stream);
    rf_evaluation_figures(stream.evaluation, &figures);
    scored_end(&stream);
    return figures;
}

static const struct rf_evaluation_options binary = {.task = RF_TASK_BINARY, .outputs = 1};
static const struct rf_evaluation_options multiclass = {.task = RF_TASK_MULTICLASS, .outputs = 3};
static const struct rf_evaluation_options regression = {.task = RF_TASK_REGRESSION, .outputs = 1};

static void assert_value(const struct rf_figures *figures, enum rf_figure_name name, double expected, double tolerance) {
    if (!figures->list[name].applies || !(fabs(figures->list[name].value - expected) <= tolerance)) {
        fail_msg("%s is %.9g, expected %.9g", rf_figure_key(name), figures->list[name].value, expected);
    }
}

// The examples in scikit-learn's documentation of each function.
static void figures_are_those_of_scikit_learns_examples(void **state) {
    (void)state;
    struct rf_figures figures;
    figures = figures_of(&binary, (double[]){1, 1, 1, 0}, (double[]){.9, .1, .9, .9}, 4);
    assert_value(&figures, RF_FIGURE_mcc, -1.0 / 3, 1e-12); // -0.33
    figures = figures_of(&binary, (double[]){0, 1, 0, 0, 1, 0}, (double[]){.1, .9, .1, .1, .1, .9}, 6);
    assert_value(&figures, RF_FIGURE_balanced_accuracy, 0.625, 1e-12);
    figures = figures_of(&binary, (double[]){0, 0, 1, 1}, (double[]){.1, .4, .35, .8}, 4);
    assert_value(&figures, RF_FIGURE_average_precision, 0.5 + 0.5 * 2 / 3, 1e-12); // 0.83
    assert_value(&figures, RF_FIGURE_auc, 0.75, 1e-12);
    figures = figures_of(&binary, (double[]){0, 1, 1, 0}, (double[]){.1, .9, .8, .3}, 4);
    assert_value(&figures, RF_FIGURE_brier, 0.0375, 1e-12);
    figures = figures_of(&binary, (double[]){1, 0, 0, 1}, (double[]){.9, .1, .2, .65}, 4);
    assert_value(&figures, RF_FIGURE_log_loss, 0.21616, 1e-5);
    // negative, neutral, positive
    figures = figures_of(&multiclass, (double[]){0, 2, 0, 1, 2},
                         (double[]){.8, .1, .1, .1, .1, .8, .8, .1, .1, .1, .8, .1, .8, .1, .1}, 5);
    assert_value(&figures, RF_FIGURE_kappa, 0.6875, 1e-12);
    figures = figures_of(&regression, (double[]){3, -0.5, 2, 7}, (double[]){2.5, 0, 2, 8}, 4);
    assert_value(&figures, RF_FIGURE_r2, 0.948608137, 1e-9);
    assert_value(&figures, RF_FIGURE_mae, 0.5, 1e-12);
    assert_value(&figures, RF_FIGURE_rmse, 0.612, 1e-3);
    assert_value(&figures, RF_FIGURE_quantile_loss, 0.25, 1e-12); // of the median: half of MAE
    struct rf_evaluation_options options = regression;
    options.quantile = 0.1;
    figures = figures_of(&options, (double[]){1, 2, 3}, (double[]){0, 2, 3}, 3);
    assert_value(&figures, RF_FIGURE_quantile_loss, 0.1 / 3, 1e-12); // 0.03...
    figures = figures_of(&options, (double[]){1, 2, 3}, (double[]){1, 2, 4}, 3);
    assert_value(&figures, RF_FIGURE_quantile_loss, 0.3, 1e-12);
}

static void kappa_temporal_is_0_for_no_change_and_1_for_all_right(void **state) {
    (void)state;
    static const double labels[] = {0, 0, 0, 1, 1, 1, 0, 0};
    static const double late[] = {0, 0, 0, 0, 1, 1, 1, 0};
    struct rf_figures figures = figures_of(&binary, labels, late, 8);
    assert_value(&figures, RF_FIGURE_kappa_temporal, 0, 1e-12);
    assert_true(figures.list[RF_FIGURE_accuracy].value == figures.list[RF_FIGURE_accuracy].baseline[RF_BASELINE_no_change]);
    figures = figures_of(&binary, labels, labels, 8);
    assert_value(&figures, RF_FIGURE_kappa_temporal, 1, 1e-12);
    static const double same[] = {0, 0, 0, 0};
    figures = figures_of(&binary, same, same, 4);
    assert_false(figures.list[RF_FIGURE_kappa_temporal].applies); // no change cannot be bettered
    assert_value(&figures, RF_FIGURE_mcc, 0, 0);
    assert_value(&figures, RF_FIGURE_kappa, 0, 0);
    assert_false(figures.list[RF_FIGURE_auc].applies);
}

static void calibration_error_is_the_distance_of_20_bins(void **state) {
    (void)state;
    double labels[400], scores[400];
    for (size_t i = 0; i < 400; i++) { // 20 groups of 20 examples, of which g in 20 come true, foretold 0.02 too high
        labels[i] = i % 20 < i / 20;
        size_t group = i / 20;
        scores[i] = (double)group / 20 + 0.02;
    }
    struct rf_figures figures = figures_of(&binary, labels, scores, 400);
    assert_value(&figures, RF_FIGURE_calibration_error, 0.02, 1e-12);
}

static void all_figures_agree_with_their_definitions(void **state) {
    (void)state;
    static const struct rf_evaluation_options all[] = {
            {.task = RF_TASK_BINARY, .outputs = 1},     {.task = RF_TASK_BINARY, .outputs = 1, .is_margin = true},
            {.task = RF_TASK_MULTICLASS, .outputs = 5}, {.task = RF_TASK_MULTICLASS, .outputs = 2},
            {.task = RF_TASK_REGRESSION, .outputs = 1}, {.task = RF_TASK_REGRESSION, .outputs = 1, .quantile = 0.9},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (unsigned bits = 0; bits < 4; bits++) {
            struct rf_figures expected, actual;
            scored_begin(&stream, &all[i]);
            scored_fill(&stream, 300, 5 + i, bits & 1, bits & 2);
            scored_fold(&stream);
            rf_evaluation_figures(stream.evaluation, &actual);
            naive_figures(&stream, 0, 300, all[i].quantile > 0 ? all[i].quantile : 0.5, &expected);
            double error = actual.list[RF_FIGURE_average_precision].error;
            assert_true(error >= 0 && ((bits & 1) || error < 0.05)); // a bin cannot know that what it holds is equal
            if (!(bits & 1) || all[i].task != RF_TASK_BINARY) { // what shares a bin moves the limits of the 20: see the window
                expected.list[RF_FIGURE_calibration_error].value = actual.list[RF_FIGURE_calibration_error].value;
            }
            assert_same_figures(&actual, &expected, 1e-9);
            scored_end(&stream);
        }
    }
}

static void the_confusion_matrix_has_the_truth_in_its_rows(void **state) {
    (void)state;
    scored_begin(&stream, &multiclass);
    static const double said[3][3] = {{.8, .1, .1}, {.1, .8, .1}, {.1, .1, .8}};
    scored_add(&stream, 0, 1, said[0]);
    scored_add(&stream, 0, 2, said[2]);
    scored_add(&stream, 2, 4, said[2]);
    scored_add(&stream, 1, 8, said[0]);
    scored_fold(&stream);
    static const double expected[9] = {1, 0, 2, 8, 0, 0, 0, 0, 4};
    uint32_t classes;
    assert_memory_equal(rf_evaluation_confusion(stream.evaluation, false, &classes), expected, sizeof expected);
    assert_int_equal(classes, 3);
    assert_null(rf_evaluation_confusion(stream.evaluation, true, &classes)); // without a window
    scored_end(&stream);
    const struct rf_evaluation_options many = {.task = RF_TASK_MULTICLASS, .outputs = RF_EVALUATION_CONFUSION_MAX + 1};
    struct rf_evaluation *evaluation = NULL;
    struct rf_error err;
    assert_int_equal(rf_evaluation_create(&many, &evaluation, &err), RF_OK);
    assert_null(rf_evaluation_confusion(evaluation, false, &classes));
    rf_evaluation_destroy(evaluation);
}

static void the_best_baseline_is_the_hardest_to_beat(void **state) {
    (void)state;
    struct rf_figures figures = {0};
    figures.list[RF_FIGURE_mae] = (struct rf_figure){.baseline = {0.3, NAN, 0.2}};
    figures.list[RF_FIGURE_accuracy] = (struct rf_figure){.baseline = {0.3, 0.7, NAN}};
    figures.list[RF_FIGURE_brier] = (struct rf_figure){.baseline = {NAN, NAN, NAN}};
    assert_true(rf_figure_best_baseline(&figures, RF_FIGURE_mae) == 0.2);
    assert_true(rf_figure_best_baseline(&figures, RF_FIGURE_accuracy) == 0.7);
    assert_true(isnan(rf_figure_best_baseline(&figures, RF_FIGURE_brier)));
}

static void examples_of_another_purpose_are_passed_over(void **state) {
    (void)state;
    struct rf_evaluation_options options = binary;
    options.purpose = RF_HOLD_OUT;
    scored_begin(&stream, &options);
    scored_add(&stream, 1, 1, (double[]){.9});
    scored_add(&stream, 1, 1, (double[]){.2});
    stream.examples.purpose[1] = RF_PREDICT | RF_HOLD_OUT;
    scored_fold(&stream);
    struct rf_figures figures;
    rf_evaluation_figures(stream.evaluation, &figures);
    assert_int_equal(figures.evaluated, 1);
    assert_value(&figures, RF_FIGURE_accuracy, 0, 0);
    scored_end(&stream);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(figures_are_those_of_scikit_learns_examples),
            cmocka_unit_test(kappa_temporal_is_0_for_no_change_and_1_for_all_right),
            cmocka_unit_test(calibration_error_is_the_distance_of_20_bins),
            cmocka_unit_test(all_figures_agree_with_their_definitions),
            cmocka_unit_test(the_confusion_matrix_has_the_truth_in_its_rows),
            cmocka_unit_test(the_best_baseline_is_the_hardest_to_beat),
            cmocka_unit_test(examples_of_another_purpose_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
