// Published and reproduced figures of River (LogisticRegression on a StandardScaler that learns after predicting, bias by
// plain SGD at 0.01), in file order, every prediction scored before its label is learned. In double they come out to all
// published digits, and in single too while the rate is moderate. At a rate of 1, and under momentum, the weights jump so far
// that the last bits of a rounding decide: there single differs, and double in the sixth digit of one log loss.
#include "learners/evaluation.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_MAX = 50000, FIELDS_MAX = 16, LINE_SIZE = 4096 };

// Reads a gzipped CSV whose last column is the label and whose others are numbers. False when it is not there.
static bool read_csv(const char *path, struct rf_examples *examples) {
    const char *folder = getenv("RIFFLE_DATA");
    char command[LINE_SIZE];
    snprintf(command, sizeof command, "%s/%s", folder ? folder : "", path);
    if (!folder || !folder[0] || access(command, R_OK) != 0) {
        return false;
    }
    snprintf(command, sizeof command, "zcat '%s/%s'", folder, path);
    FILE *file = popen(command, "r");
    assert_non_null(file);
    char line[LINE_SIZE];
    assert_non_null(fgets(line, sizeof line, file)); // the header
    while (fgets(line, sizeof line, file)) {
        struct feature features[FIELDS_MAX];
        size_t count = 0;
        for (char *rest = line, *text; (text = strsep(&rest, ",")) != NULL; count++) {
            assert_true(count < FIELDS_MAX);
            features[count] = (struct feature){.hash = count + 1, .value = strtod(text, NULL), .kind = RF_NUMBER};
        }
        append_example(examples, features[count - 1].value, features, count - 1);
    }
    assert_int_equal(pclose(file), 0);
    return true;
}

#define EXACT 0.6e-6 // to the digits given

struct published {
    const char *optimizer, *rate;
    double accuracy, log_loss, auc, f1; // 0: not published
    double tolerance[2];                // [is_double]
};

static void evaluate(const struct rf_examples *examples, const struct published *run, const char *precision,
                     struct rf_figures *figures_out) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", run->optimizer);
    set_option(&value, "optimizer.rate", run->rate);
    set_option(&value, "bias_rate", "0.01");
    set_option(&value, "precision", precision);
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
    rf_evaluation_destroy(evaluation);
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    variant_finish(&value);
}

static void check(const char *what, double published, const struct rf_figure *figure, double tolerance) {
    if (published > 0 && !(fabs(figure->value - published) <= tolerance + figure->error)) {
        fail_msg("%s is %.7f, published is %.6f", what, figure->value, published);
    }
}

static void check_runs(const char *path, const struct published *runs, size_t count) {
    struct rf_examples examples;
    examples_create(&examples, ROWS_MAX, (size_t)ROWS_MAX * FIELDS_MAX);
    if (!read_csv(path, &examples)) {
        rf_examples_finish(&examples);
        skip();
    }
    for (size_t i = 0; i < count; i++) {
        for (int is_double = 0; is_double < 2; is_double++) {
            struct rf_figures figures;
            const char *precision = is_double ? "double" : "single";
            evaluate(&examples, &runs[i], precision, &figures);
            const struct rf_figure *list = figures.list;
            print_message("%s %s(%s) %s: accuracy %.6f log loss %.6f AUC %.6f +- %.6f F1 %.6f\n", path, runs[i].optimizer,
                          runs[i].rate, precision, list[RF_FIGURE_accuracy].value, list[RF_FIGURE_log_loss].value,
                          list[RF_FIGURE_auc].value, list[RF_FIGURE_auc].error, list[RF_FIGURE_f1].value);
            double tolerance = runs[i].tolerance[is_double];
            check("accuracy", runs[i].accuracy, &list[RF_FIGURE_accuracy], tolerance);
            check("log loss", runs[i].log_loss, &list[RF_FIGURE_log_loss], tolerance);
            check("AUC", runs[i].auc, &list[RF_FIGURE_auc], tolerance);
            check("F1", runs[i].f1, &list[RF_FIGURE_f1], tolerance);
        }
    }
    rf_examples_finish(&examples);
}

static void electricity_gives_the_published_figures(void **state) {
    (void)state;
    static const struct published runs[] = {
            {"sgd", "0.005", 0.808925, 0.430478, 0.885577, 0, {EXACT, EXACT}},
            {"sgd", "0.01", 0.816472, 0.416232, 0, 0, {EXACT, EXACT}},
            {"sgd", "0.1", 0.851165, 0.364816, 0.922258, 0, {EXACT, EXACT}},
            {"sgd", "1.0", 0.883784, 0.506762, 0.932520, 0, {1e-2, 2e-6}},
            {"momentum", "0.1", 0.796831, 1.925542, 0, 0, {1e-2, EXACT}},
            {"nesterov", "0.1", 0.802790, 0, 0, 0, {1e-2, EXACT}},
    };
    check_runs("elec2/elec.csv.gz", runs, sizeof runs / sizeof runs[0]);
}

static void phishing_gives_the_published_figures(void **state) {
    (void)state;
    static const struct published runs[] = {
            {"sgd", "0.01", 0.8928, 0.330112, 0, 0.879713, {EXACT, EXACT}},
            {"sgd", "0.005", 0.8872, 0.382930, 0, 0.871233, {EXACT, EXACT}},
    };
    check_runs("phishing-river/phishing.csv.gz", runs, sizeof runs / sizeof runs[0]);
}

int main(void) {
    const char *folder = getenv("RIFFLE_DATA");
    if (!folder || access(folder, R_OK) != 0) {
        puts("skipped: RIFFLE_DATA does not name the folder of the public data sets");
        return 77;
    }
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(electricity_gives_the_published_figures),
            cmocka_unit_test(phishing_gives_the_published_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
