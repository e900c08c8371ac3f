// `riffle evaluate` as it is called, over small files; what it prints is read back.
#include "ops/evaluate.h"
#include "ops/verbs.h"
#include "tests/test.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static char output[65536], errors[65536];

static const char *path_of(const char *name) {
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

// Records whose label follows from x, but for every seventh; "names" is their header line.
static void write_records(const char *name, size_t count, const char *names, bool label_is_first) {
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fprintf(file, "%s\n", names);
    for (size_t i = 0; i < count; i++) {
        int x = (int)(i * 37 % 11) - 5;
        int label = i % 7 == 0 ? x < 0 : x >= 0;
        fprintf(file, "%d,%zu,%d\n", label_is_first ? label : x, i, label_is_first ? x : label);
    }
    fclose(file);
}

static int setup(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/riffle-evaluate-XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_file("model.yaml", "name: tiny\nsource: {file: x, format: csv}\nfeatures: {id: id, label: y}\n"
                             "learner: {type: linear, loss: logistic, hash_bits: 8}\nevaluation: {window: 50}\n");
    write_records("train.csv", 400, "x,id,y", false);
    write_records("test.csv", 100, "y,id,x", true); // in another order of columns
    return 0;
}

static int teardown(void **state) {
    (void)state;
    static const char *const names[] = {"model.yaml", "train.csv", "test.csv", "curve.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unlink(path_of(names[i]));
    }
    rmdir(folder);
    return 0;
}

static void read_back(FILE *from, char *to, size_t size) {
    rewind(from);
    to[fread(to, 1, size - 1, from)] = '\0';
    fclose(from);
}

// Runs the verb on train.csv with more arguments, up to NULL; the exit code. What it prints is in `output` and `errors`.
static int evaluate(const char *first, ...) {
    static const struct rf_verb verb = {.name = "evaluate", .operands = "FILE.yaml", .summary = ""};
    char words[16][128];
    char *arguments[16];
    int count = 0;
    va_list more;
    snprintf(words[count++], sizeof words[0], "%s", path_of("model.yaml"));
    snprintf(words[count++], sizeof words[0], "--file=%s", path_of("train.csv"));
    va_start(more, first);
    for (const char *word = first; word; word = va_arg(more, const char *)) {
        snprintf(words[count++], sizeof words[0], "%s", word);
    }
    va_end(more);
    for (int i = 0; i < count; i++) {
        arguments[i] = words[i];
    }
    fflush(stdout);
    fflush(stderr);
    FILE *out = tmpfile(), *err = tmpfile();
    int old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    int code = rf_verb_evaluate(&verb, count, arguments);
    fflush(stdout);
    fflush(stderr);
    dup2(old_out, STDOUT_FILENO);
    dup2(old_err, STDERR_FILENO);
    close(old_out);
    close(old_err);
    read_back(out, output, sizeof output);
    read_back(err, errors, sizeof errors);
    return code;
}

// The number behind "key": in a part of the output that begins with `part`.
static double number_of(const char *part, const char *key) {
    char quoted[64];
    const char *from = strstr(output, part);
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *found = from ? strstr(from, quoted) : NULL;
    if (!found) {
        fail_msg("no %s in %s of %s", key, part, output);
        return NAN;
    }
    return strtod(found + strlen(quoted), NULL);
}

static size_t lines_of(const char *text) {
    size_t lines = 0;
    for (; *text; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static void json_is_one_line_with_all_figures(void **state) {
    (void)state;
    assert_int_equal(evaluate("--json", "--quiet", NULL), 0);
    assert_int_equal(lines_of(output), 1);
    assert_string_equal(errors, "");
    assert_true(number_of("{", "learned") == 400);
    assert_true(number_of("{", "accuracy") > 0.7);
    assert_true(number_of("\"baselines\"", "accuracy") < 0.6);
    assert_true(number_of("\"window\"", "records") == 50);
    assert_true(number_of("\"window\"", "log_loss") > 0);
    double confusion[4];
    assert_int_equal(sscanf(strstr(output, "\"confusion\""), "\"confusion\":[[%lf,%lf],[%lf,%lf]]", &confusion[0], &confusion[1],
                            &confusion[2], &confusion[3]),
                     4);
    assert_true(confusion[0] + confusion[1] + confusion[2] + confusion[3] == 400);
    assert_true(fabs((confusion[0] + confusion[3]) / 400 - number_of("{", "accuracy")) < 1e-12);
    assert_null(strstr(output, "\"test\""));
    assert_null(strstr(output, "\"holdout\""));
}

static void progress_goes_to_standard_error_in_doubling_steps(void **state) {
    (void)state;
    assert_int_equal(evaluate("--json", NULL), 0);
    assert_int_equal(lines_of(output), 1);
    uint64_t due = 1;
    const char *line = errors;
    for (int head = 0; head < 2; head++) {
        line = strchr(line, '\n') + 1;
    }
    double total = 0, before = 0;
    for (; *line; due *= 2, line = strchr(line, '\n') + 1) {
        unsigned long long records;
        double since, whole;
        assert_int_equal(sscanf(line, "%llu %lf %lf", &records, &since, &whole), 3);
        assert_int_equal(records, due);
        total += since * ((double)due - before); // the spans add up to the whole
        before = (double)due;
        assert_true(fabs(total / before - whole) < 2e-6);
    }
    assert_int_equal(due, 512);
    assert_int_equal(evaluate("--json", "--progress=150", NULL), 0);
    assert_int_equal(lines_of(errors), 2 + 2);
    assert_non_null(strstr(errors, "\n         150 "));
    assert_non_null(strstr(errors, "\n         300 "));
}

static void progress_and_curves_change_no_model(void **state) {
    (void)state;
    char digest[80];
    assert_int_equal(evaluate("--json", "--quiet", NULL), 0);
    snprintf(digest, sizeof digest, "%.64s", strstr(output, "\"model_sha256\":\"") + 16);
    assert_int_equal(evaluate("--json", "--progress", "3", "--curve", path_of("curve.csv"), "--set", "evaluation.window=7", NULL),
                     0);
    assert_non_null(strstr(output, digest));
    FILE *file = fopen(path_of("curve.csv"), "r");
    char line[256];
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line, "examples,log_loss,log_loss_of_all,majority\n");
    for (unsigned long long i = 1, examples; i <= 25; i++) {
        assert_non_null(fgets(line, sizeof line, file));
        assert_int_equal(sscanf(line, "%llu,", &examples), 1);
        assert_int_equal(examples, 16 * i);
    }
    assert_null(fgets(line, sizeof line, file));
    fclose(file);
}

static void held_out_records_are_evaluated_apart(void **state) {
    (void)state;
    assert_int_equal(evaluate("--json", "--quiet", "--set", "evaluation.holdout=0.25", NULL), 0);
    double held_out = number_of("\"holdout\"", "records");
    assert_true(held_out > 70 && held_out < 130);
    assert_true(number_of("{", "learned") == 400 - held_out);
    assert_true(number_of("{", "records") == 400);
    assert_true(number_of("\"holdout\"", "accuracy") > 0.6);
}

static void a_test_file_is_evaluated_and_not_learned(void **state) {
    (void)state;
    char digest[80];
    assert_int_equal(evaluate("--json", "--quiet", NULL), 0);
    snprintf(digest, sizeof digest, "%.64s", strstr(output, "\"model_sha256\":\"") + 16);
    double accuracy = number_of("{", "accuracy");
    assert_int_equal(evaluate("--json", "--quiet", "--test", path_of("test.csv"), NULL), 0);
    assert_non_null(strstr(output, digest));
    assert_true(number_of("{", "accuracy") == accuracy);
    assert_true(number_of("{", "records") == 400);
    assert_true(number_of("\"test\"", "records") == 100);
    assert_true(fabs(number_of("\"test\"", "accuracy") - 85.0 / 100) < 1e-9);                 // all but each seventh
    assert_int_equal(evaluate("--json", "--quiet", "--test", path_of("train.csv"), NULL), 0); // what was learned may be tested
    assert_true(number_of("\"test\"", "records") == 400);
    assert_int_equal(evaluate("--json", "--quiet", "--test", path_of("none.csv"), NULL), 1);
    assert_non_null(strstr(errors, "none.csv"));
}

static void folds_hold_out_every_record_once(void **state) {
    (void)state;
    assert_int_equal(evaluate("--json", "--folds", "4", NULL), 0);
    assert_int_equal(lines_of(output), 4 + 1);
    double records = 0, accuracy = 0;
    char line[32];
    for (int fold = 1; fold <= 4; fold++) {
        snprintf(line, sizeof line, "{\"fold\":%d,", fold);
        records += number_of(line, "records");
        accuracy += number_of(line, "accuracy") / 4;
    }
    assert_true(records == 400);
    assert_true(fabs(number_of("\"mean\"", "accuracy") - accuracy) < 1e-12);
    assert_true(number_of("\"spread\"", "accuracy") > 0);
    assert_int_equal(evaluate("--folds", "2", NULL), 0);
    assert_non_null(strstr(output, "spread"));
    assert_int_equal(lines_of(errors), 2);
}

static void the_spread_is_the_standard_deviation_between_folds(void **state) {
    (void)state;
    static struct rf_folds folds;
    static const double values[] = {1, 2, 4, 5};
    folds.count = 4;
    for (size_t i = 0; i < 4; i++) {
        folds.list[i].evaluated = 1;
        folds.list[i].list[RF_FIGURE_mae] = (struct rf_figure){.applies = true, .value = values[i]};
    }
    folds.list[2].list[RF_FIGURE_rmse] = (struct rf_figure){.applies = true, .value = 7};
    struct rf_spread spread = rf_folds_spread(&folds, RF_FIGURE_mae);
    assert_int_equal(spread.count, 4);
    assert_true(fabs(spread.mean - 3) < 1e-12);
    assert_true(fabs(spread.spread - sqrt(10.0 / 3)) < 1e-12);
    spread = rf_folds_spread(&folds, RF_FIGURE_rmse); // applies to one fold alone
    assert_true(spread.count == 1 && spread.mean == 7 && isnan(spread.spread));
    assert_int_equal(rf_folds_spread(&folds, RF_FIGURE_auc).count, 0);
}

static void the_table_stands_figures_beside_their_baselines(void **state) {
    (void)state;
    assert_int_equal(evaluate("--quiet", "--set", "evaluation.holdout=0.2", "--test", path_of("test.csv"), NULL), 0);
    static const char *const parts[] = {"Riffle",
                                        "last 50",
                                        "held out",
                                        "test",
                                        "no change",
                                        "majority",
                                        "\n  kappa temporal ",
                                        "by the class predicted",
                                        "\n  tested ",
                                        "log loss over the stream"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!strstr(output, parts[i])) {
            fail_msg("no %s in %s", parts[i], output);
        }
    }
}

static void what_is_left_out_is_told(void **state) {
    (void)state;
    const char *numbers = "--set=features.numbers=[x, id]";
    assert_int_equal(evaluate("--quiet", "--json", NULL), 0);
    assert_null(strstr(output, "left_out"));
    assert_int_equal(evaluate("--quiet", "--json", numbers, "--set=learner.scale_fields=1", "--set=learner.scale=standard", NULL),
                     0);
    assert_non_null(strstr(output, ",\"left_out\":{\"numbers\":400},"));
    assert_non_null(strstr(output, "\"collisions\":{\"inputs\":0.000000,"));
    assert_int_equal(evaluate("--quiet", numbers, "--set=learner.cross_inputs=1", "--set=source.limits.fields=3",
                              "--set=features.id=y", "--set=features.namespaces.z=[x, id]",
                              "--set=features.crosses=[[x, z], [x, id]]", NULL),
                     0); // room for four inputs, of which the numbers are two
    assert_non_null(strstr(output, "\n  left out                   400 crosses\n"));
}

static void flags_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *flags[2], *sentence;
    } cases[] = {
            {{"--folds=1", NULL}, "--folds is 1, must be 2 to 100"},
            {{"--folds=1000", NULL}, "--folds is 1000, must be 2 to 100"},
            {{"--folds=3", "--test=x"}, "--folds is given with --test, must be without"},
            {{"--folds=3", "--curve=x"}, "--folds is given with --curve, must be without"},
            {{"--folds=3", "--sinks"}, "--folds is given with --sinks, must be without"},
            {{"--folds=3", "--set=evaluation.holdout=0.1"},
             "evaluation.holdout is 0.1, must be 0 with --folds, which hold out by themselves"},
            {{"--folds=3", "--file=-"}, "--folds reads the source several times, which standard input cannot; name a file"},
            {{"--picture=a.gif", NULL}, "--picture is \"a.gif\", must end in .png or .svg"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[256];
        snprintf(expected, sizeof expected, "riffle evaluate: %s\n", cases[i].sentence);
        assert_int_equal(evaluate(cases[i].flags[0], cases[i].flags[1], NULL), 2);
        assert_string_equal(errors, expected);
    }
    assert_int_equal(evaluate("--quiet", "--curve=/nowhere/a.csv", NULL), 1);
    assert_string_equal(errors, "riffle evaluate: --curve: cannot write /nowhere/a.csv: No such file or directory\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(json_is_one_line_with_all_figures),
            cmocka_unit_test(progress_goes_to_standard_error_in_doubling_steps),
            cmocka_unit_test(progress_and_curves_change_no_model),
            cmocka_unit_test(held_out_records_are_evaluated_apart),
            cmocka_unit_test(a_test_file_is_evaluated_and_not_learned),
            cmocka_unit_test(folds_hold_out_every_record_once),
            cmocka_unit_test(the_spread_is_the_standard_deviation_between_folds),
            cmocka_unit_test(the_table_stands_figures_beside_their_baselines),
            cmocka_unit_test(what_is_left_out_is_told),
            cmocka_unit_test(flags_that_do_not_go_together_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
