// Figures of River's GaussianNB, in file order, each prediction scored before its label is learned. River gives no prediction for
// the first record, so it is not scored here either.
#include "learners/evaluation.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS_MAX = 50000, FIELDS_MAX = 16, LINE_SIZE = 4096 };

static void append_csv(struct rf_examples *examples, char *line) {
    struct feature features[FIELDS_MAX];
    size_t count = 0;
    for (char *rest = line, *text; (text = strsep(&rest, ",")) != NULL; count++) {
        assert_true(count < FIELDS_MAX);
        features[count] = (struct feature){.hash = count + 1, .value = strtod(text, NULL), .kind = RF_NUMBER};
    }
    append_example(examples, features[count - 1].value, features, count - 1);
}

// `-1 1:0.5 2:0.25`: the label, then index and value of each field.
static void append_libsvm(struct rf_examples *examples, char *line) {
    struct feature features[FIELDS_MAX];
    size_t count = 0;
    char *rest = line;
    double label = strtod(strsep(&rest, " "), NULL);
    for (char *text; (text = strsep(&rest, " \n")) != NULL;) {
        char *colon = strchr(text, ':');
        if (colon) {
            assert_true(count < FIELDS_MAX);
            features[count++] = (struct feature){strtoull(text, NULL, 10), strtod(colon + 1, NULL), RF_NUMBER};
        }
    }
    append_example(examples, label > 0, features, count);
}

// Reads a compressed file of records; false when it is not there.
static bool read_records(const char *path, bool is_csv, struct rf_examples *examples) {
    const char *folder = getenv("RIFFLE_DATA");
    char command[LINE_SIZE];
    snprintf(command, sizeof command, "%s/%s", folder ? folder : "", path);
    if (!folder || !folder[0] || access(command, R_OK) != 0) {
        return false;
    }
    snprintf(command, sizeof command, "zcat < '%s/%s' 2>&-", folder, path);
    FILE *file = popen(command, "r");
    assert_non_null(file);
    char line[LINE_SIZE];
    if (is_csv) {
        assert_non_null(fgets(line, sizeof line, file)); // the header
    }
    while (fgets(line, sizeof line, file)) {
        (is_csv ? append_csv : append_libsvm)(examples, line);
    }
    int status = pclose(file); // zcat reads the first file of an archive, and warns (2) of the others
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2));
    examples->purpose[0] &= (uint8_t)~RF_EVALUATE;
    return true;
}

static void evaluate(const struct rf_examples *examples, const char *model, const char *compatible,
                     struct rf_figures *figures_out) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "bayes");
    set_option(&value, "model", model);
    set_option(&value, "compatible", compatible);
    struct rf_learner *learner = create_learner(&value, false);
    struct rf_evaluation *evaluation = NULL;
    struct rf_predictions predictions;
    struct rf_error err;
    predictions_create(&predictions, learner, examples);
    const struct rf_evaluation_options options = {
            .task = learner->task, .outputs = learner->outputs, .is_margin = learner->is_margin};
    assert_int_equal(rf_evaluation_create(&options, &evaluation, &err), RF_OK);
    rf_learner_fold(learner, examples, 0, examples->count, &predictions);
    rf_evaluation_fold(evaluation, examples, 0, examples->count, &predictions);
    rf_evaluation_figures(evaluation, figures_out);
    assert_int_equal(learner->skipped_steps, 0);
    print_message("%s, compatible %s: accuracy %.6f F1 %.6f log loss %.6f\n", model, compatible,
                  figures_out->list[RF_FIGURE_accuracy].value, figures_out->list[RF_FIGURE_f1].value,
                  figures_out->list[RF_FIGURE_log_loss].value);
    rf_evaluation_destroy(evaluation);
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    variant_finish(&value);
}

// River's figures, to all digits; ours are printed beside them.
static void check(const char *path, bool is_csv, double accuracy, double f1) {
    static const char *const models[] = {"gaussian", "gaussian_shared", "gaussian_full"};
    struct rf_examples examples;
    examples_create(&examples, ROWS_MAX, (size_t)ROWS_MAX * FIELDS_MAX);
    if (!read_records(path, is_csv, &examples)) {
        rf_examples_finish(&examples);
        skip();
    }
    struct rf_figures river, ours;
    print_message("%s\n", path);
    evaluate(&examples, "gaussian", "river", &river);
    assert_true(fabs(river.list[RF_FIGURE_accuracy].value - accuracy) <= 0.6e-6);
    assert_true(f1 == 0 || fabs(river.list[RF_FIGURE_f1].value - f1) <= 0.6e-6);
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) {
        evaluate(&examples, models[m], "none", &ours);
    }
    rf_examples_finish(&examples);
}

static void phishing_gives_the_published_figures(void **state) {
    (void)state;
    check("phishing-river/phishing.csv.gz", true, 0.884708, 0.871429);
}

static void bananas_give_the_published_figures(void **state) {
    (void)state;
    check("river-builtin/banana.zip", false, 0.615210, 0.413912);
}

static void electricity_gives_the_published_figures(void **state) {
    (void)state;
    check("elec2/elec.csv.gz", true, 0.731897, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(phishing_gives_the_published_figures),
            cmocka_unit_test(bananas_give_the_published_figures),
            cmocka_unit_test(electricity_gives_the_published_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
