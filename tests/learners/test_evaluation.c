#include "learners/evaluation.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { CAPACITY = 4000, OUTPUTS_MAX = 3 };

struct fixture {
    struct rf_examples examples;
    struct rf_predictions predictions;
    struct rf_evaluation *evaluation;
    double score[CAPACITY * OUTPUTS_MAX];
};

static struct rf_evaluation *create(enum rf_task task, uint32_t outputs, bool is_margin) {
    const struct rf_evaluation_options options = {.task = task, .outputs = outputs, .is_margin = is_margin};
    struct rf_evaluation *evaluation = NULL;
    struct rf_error err;
    assert_int_equal(rf_evaluation_create(&options, &evaluation, &err), RF_OK);
    return evaluation;
}

static void begin(struct fixture *fixture, enum rf_task task, uint32_t outputs, bool is_margin) {
    examples_create(&fixture->examples, CAPACITY, 1);
    fixture->predictions = (struct rf_predictions){
            .examples = &fixture->examples, .task = task, .outputs = outputs, .is_margin = is_margin, .score = fixture->score};
    fixture->evaluation = create(task, outputs, is_margin);
}

static void add(struct fixture *fixture, double label, double weight, double score) {
    size_t index = fixture->examples.count;
    append_example(&fixture->examples, label, NULL, 0);
    fixture->examples.weight[index] = weight;
    fixture->score[index * fixture->predictions.outputs] = score;
}

static struct rf_figures figures_of(struct fixture *fixture) {
    struct rf_figures figures;
    rf_evaluation_fold(fixture->evaluation, &fixture->examples, 0, fixture->examples.count, &fixture->predictions);
    rf_evaluation_figures(fixture->evaluation, &figures);
    return figures;
}

static void end(struct fixture *fixture) {
    rf_evaluation_destroy(fixture->evaluation);
    rf_examples_finish(&fixture->examples);
}

static void assert_near(double actual, double expected) {
    if (!(fabs(actual - expected) < 1e-12)) {
        fail_msg("%.15g, expected %.15g", actual, expected);
    }
}

static void nothing_applies_before_the_first_example(void **state) {
    (void)state;
    static struct fixture fixture;
    begin(&fixture, RF_TASK_BINARY, 1, false);
    add(&fixture, NAN, 1, 0.3); // without a label: not evaluated
    add(&fixture, 1, 0, 0.3);   // without weight
    add(&fixture, 1, 1, NAN);   // not predicted
    add(&fixture, 1, 1, 0.3);
    fixture.examples.purpose[3] = RF_PREDICT | RF_LEARN;
    struct rf_figures figures = figures_of(&fixture);
    assert_int_equal(figures.evaluated, 0);
    for (size_t i = 0; i < RF_FIGURE_COUNT; i++) {
        assert_false(figures.list[i].applies);
    }
    end(&fixture);
}

static void binary_figures_are_those_done_by_hand(void **state) {
    (void)state;
    static struct fixture fixture;
    begin(&fixture, RF_TASK_BINARY, 1, false);
    add(&fixture, 1, 1, 0.8);
    add(&fixture, 0, 1, 0.6);
    add(&fixture, 0, 2, 0.5); // not above a half: class 0
    add(&fixture, 1, 1, 0.4);
    add(&fixture, 1, 1, 0.9);
    struct rf_figures figures = figures_of(&fixture);
    const struct rf_figure *list = figures.list;
    assert_int_equal(figures.evaluated, 5);
    assert_near(list[RF_FIGURE_log_loss].value, -(log(.8) + log(.4) + 2 * log(.5) + log(.4) + log(.9)) / 6);
    assert_near(list[RF_FIGURE_accuracy].value, 4.0 / 6);
    assert_near(list[RF_FIGURE_f1].value, 2.0 * 2 / (3 + 3)); // 2 hits, 3 positives, 3 predicted
    // Pairs of a positive (.8 .4 .9) and a negative (.6, twice .5): 3 + 0 + 3 of 9.
    assert_near(list[RF_FIGURE_auc].value, 6.0 / 9);
    assert_near(list[RF_FIGURE_auc].error, 0);
    assert_false(list[RF_FIGURE_mae].applies);
    assert_false(list[RF_FIGURE_rmse].applies);
    // Baselines: shares by Laplace's rule, scored before the label counts; the class ahead so far, 0 among equals.
    assert_near(list[RF_FIGURE_log_loss].baseline[RF_BASELINE_majority],
                -(log(1. / 2) + log(1. / 3) + 2 * log(2. / 4) + log(2. / 6) + log(3. / 7)) / 6);
    assert_near(list[RF_FIGURE_accuracy].baseline[RF_BASELINE_majority], 2.0 / 6); // 0 1 0 0 0
    assert_near(list[RF_FIGURE_f1].baseline[RF_BASELINE_majority], 0);
    assert_near(list[RF_FIGURE_auc].baseline[RF_BASELINE_majority], 0.5);
    end(&fixture);
}

static void certain_errors_cost_a_finite_loss(void **state) {
    (void)state;
    static struct fixture fixture;
    begin(&fixture, RF_TASK_BINARY, 1, false);
    add(&fixture, 1, 1, 0);
    add(&fixture, 0, 1, 1);
    struct rf_figures figures = figures_of(&fixture);
    assert_true(fabs(figures.list[RF_FIGURE_log_loss].value + log(1e-15)) < 1e-3);
    assert_near(figures.list[RF_FIGURE_auc].value, 0);
    end(&fixture);
}

static void margins_have_no_log_loss(void **state) {
    (void)state;
    static struct fixture fixture;
    begin(&fixture, RF_TASK_BINARY, 1, true);
    add(&fixture, 1, 1, 0.2);
    add(&fixture, 0, 1, 0);
    add(&fixture, 0, 1, -1e30);
    struct rf_figures figures = figures_of(&fixture);
    assert_false(figures.list[RF_FIGURE_log_loss].applies);
    assert_near(figures.list[RF_FIGURE_accuracy].value, 1);
    assert_near(figures.list[RF_FIGURE_auc].value, 1);
    end(&fixture);
}

static double exact_auc(const struct fixture *fixture) {
    double right = 0, pairs = 0;
    for (size_t i = 0; i < fixture->examples.count; i++) {
        for (size_t j = 0; j < fixture->examples.count; j++) {
            if (fixture->examples.label[i] == 1 && fixture->examples.label[j] == 0) {
                double weight = fixture->examples.weight[i] * fixture->examples.weight[j];
                double above = fixture->score[i] - fixture->score[j];
                right += weight * (above > 0 ? 1 : above == 0 ? 0.5 : 0);
                pairs += weight;
            }
        }
    }
    return right / pairs;
}

static void auc_is_within_its_stated_error(void **state) {
    (void)state;
    for (int is_margin = 0; is_margin < 2; is_margin++) {
        for (int spread = -3; spread <= 4; spread++) { // from scores that hardly differ to some that saturate
            static struct fixture fixture;
            struct rf_random random;
            rf_random_init(&random, 17);
            begin(&fixture, RF_TASK_BINARY, 1, is_margin);
            for (size_t i = 0; i < 700; i++) {
                double label = rf_random_below(&random, 4) == 0;
                double margin = (rf_random_normal(&random) + label) * pow(10, spread);
                double weight = 1 + (double)rf_random_below(&random, 3);
                add(&fixture, label, weight, is_margin ? margin : 1 / (1 + exp(-margin)));
            }
            struct rf_figures figures = figures_of(&fixture);
            const struct rf_figure *auc = &figures.list[RF_FIGURE_auc];
            assert_true(fabs(auc->value - exact_auc(&fixture)) <= auc->error + 1e-12);
            if (spread == 0) {
                assert_true(auc->error < 2e-3);
            }
            end(&fixture);
        }
    }
}

static void regression_figures_are_those_done_by_hand(void **state) {
    (void)state;
    static struct fixture fixture;
    begin(&fixture, RF_TASK_REGRESSION, 1, false);
    add(&fixture, 2, 1, 1);
    add(&fixture, 4, 3, 6);
    add(&fixture, -1, 1, -1);
    struct rf_figures figures = figures_of(&fixture);
    assert_near(figures.list[RF_FIGURE_mae].value, (1 + 3 * 2 + 0) / 5.0);
    assert_near(figures.list[RF_FIGURE_rmse].value, sqrt((1 + 3 * 4 + 0) / 5.0));
    assert_near(figures.list[RF_FIGURE_mae].baseline[RF_BASELINE_mean], (2 + 3 * 2 + 4.5) / 5.0); // means 0, 2, 3.5
    assert_near(figures.list[RF_FIGURE_rmse].baseline[RF_BASELINE_mean], sqrt((4 + 3 * 4 + 4.5 * 4.5) / 5.0));
    assert_false(figures.list[RF_FIGURE_accuracy].applies);
    end(&fixture);
}

static void absurd_labels_weights_and_predictions_leave_finite_figures(void **state) {
    (void)state;
    static struct fixture fixture;
    begin(&fixture, RF_TASK_REGRESSION, 1, false);
    add(&fixture, 1e300, 1, 0); // not evaluated
    add(&fixture, 1, 1e300, 0); // not evaluated
    add(&fixture, -1, 1, 1e200);
    add(&fixture, 1e75, 1e75, -1e75);
    struct rf_figures figures = figures_of(&fixture);
    assert_int_equal(figures.evaluated, 2);
    assert_true(isfinite(figures.list[RF_FIGURE_mae].value) && isfinite(figures.list[RF_FIGURE_mae].baseline[RF_BASELINE_mean]));
    assert_true(isfinite(figures.list[RF_FIGURE_rmse].value) &&
                isfinite(figures.list[RF_FIGURE_rmse].baseline[RF_BASELINE_mean]));
    end(&fixture);
}

static void multiclass_f1_is_the_mean_over_classes(void **state) {
    (void)state;
    static struct fixture fixture;
    begin(&fixture, RF_TASK_MULTICLASS, 3, false);
    static const double scores[4][3] = {{.6, .3, .1}, {.2, .5, .3}, {.4, .4, .2}, {.1, .8, .1}};
    static const double labels[4] = {0, 1, 1, 0};
    for (size_t i = 0; i < 4; i++) {
        add(&fixture, labels[i], 1, 0);
        memcpy(fixture.score + i * 3, scores[i], sizeof scores[i]);
    }
    struct rf_figures figures = figures_of(&fixture);
    const struct rf_figure *list = figures.list;
    assert_near(list[RF_FIGURE_log_loss].value, -(log(.6) + log(.5) + log(.4) + log(.1)) / 4);
    assert_near(list[RF_FIGURE_accuracy].value, 0.5); // predicted 0 1 0 1
    assert_near(list[RF_FIGURE_f1].value, 0.5);       // both met classes: 1 hit, 2 actual, 2 predicted; class 2 was not met
    assert_near(list[RF_FIGURE_log_loss].baseline[RF_BASELINE_majority],
                -(log(1. / 3) + log(1. / 4) + log(2. / 5) + log(2. / 6)) / 4);
    assert_near(list[RF_FIGURE_accuracy].baseline[RF_BASELINE_majority], 0.25); // predicted 0 0 0 1
    assert_false(list[RF_FIGURE_auc].applies);
    end(&fixture);
}

static void figures_go_on_after_a_restore(void **state) {
    (void)state;
    static struct fixture fixture;
    struct rf_random random;
    rf_random_init(&random, 2);
    begin(&fixture, RF_TASK_BINARY, 1, false);
    for (size_t i = 0; i < 1000; i++) {
        add(&fixture, (double)rf_random_below(&random, 2), 1 + rf_random_uniform(&random), rf_random_uniform(&random));
    }
    struct rf_evaluation *first = create(RF_TASK_BINARY, 1, false), *second = create(RF_TASK_BINARY, 1, false);
    struct rf_state saved, restored;
    rf_state_init(&saved);
    rf_state_init(&restored);
    rf_evaluation_state(first, &saved);
    rf_evaluation_state(second, &restored);
    rf_evaluation_fold(first, &fixture.examples, 0, 400, &fixture.predictions);
    for (size_t i = 0; i < saved.count; i++) {
        assert_int_equal(saved.list[i]->scope, RF_SCOPE_EVALUATION);
        assert_int_equal(strncmp(saved.list[i]->name, "evaluation.", 11), 0);
        memcpy(restored.list[i]->data, saved.list[i]->data, rf_block_size(saved.list[i]));
    }
    rf_evaluation_fold(second, &fixture.examples, 400, 1000, &fixture.predictions);
    struct rf_figures expected = figures_of(&fixture), actual;
    rf_evaluation_figures(second, &actual);
    assert_int_equal(actual.evaluated, expected.evaluated);
    for (size_t i = 0; i < RF_FIGURE_COUNT; i++) {
        assert_true(actual.list[i].value == expected.list[i].value);
        assert_memory_equal(actual.list[i].baseline, expected.list[i].baseline, sizeof actual.list[i].baseline);
    }
    rf_state_finish(&saved);
    rf_state_finish(&restored);
    rf_evaluation_destroy(first);
    rf_evaluation_destroy(second);
    end(&fixture);
}

static void figures_have_the_names_scripts_read(void **state) {
    (void)state;
    assert_string_equal(rf_figure_key(RF_FIGURE_log_loss), "log_loss");
    assert_string_equal(rf_figure_key(RF_FIGURE_rmse), "rmse");
    assert_string_equal(rf_figure_title(RF_FIGURE_auc), "AUC");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(nothing_applies_before_the_first_example),
            cmocka_unit_test(binary_figures_are_those_done_by_hand),
            cmocka_unit_test(certain_errors_cost_a_finite_loss),
            cmocka_unit_test(margins_have_no_log_loss),
            cmocka_unit_test(auc_is_within_its_stated_error),
            cmocka_unit_test(regression_figures_are_those_done_by_hand),
            cmocka_unit_test(absurd_labels_weights_and_predictions_leave_finite_figures),
            cmocka_unit_test(multiclass_f1_is_the_mean_over_classes),
            cmocka_unit_test(figures_go_on_after_a_restore),
            cmocka_unit_test(figures_have_the_names_scripts_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
