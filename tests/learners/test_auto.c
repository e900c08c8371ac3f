// The default settings, none given, on raw features of public sets, against the best of five rates of Vowpal Wabbit 9.11.9
// (`--loss_function logistic -b 22 -l RATE`, RATE 0.05, 0.1, 0.5, 2 and 8; numbers as name:value, categories as name=value,
// missing numbers left out). At most 0.5 % above its progressive log loss, and log(7) nats for not knowing the rate.
#include "learners/learner.h"
#include "proto/math.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIELDS_MAX = 32, LINE_SIZE = 4096, RATES = 7 };

struct set {
    const char *path;
    bool is_libsvm; // else a CSV of numbers whose last column is the label
    size_t rows;
    double best; // of the five rates
};

// The label is in front, features are index:value.
static void append_libsvm(struct rf_examples *examples, char *line) {
    struct feature features[FIELDS_MAX];
    size_t count = 0;
    char *rest = line;
    double label = strtod(rest, &rest);
    for (char *end = rest;; rest = end) {
        unsigned long index = strtoul(rest, &end, 10);
        if (end == rest || *end != ':') {
            break;
        }
        assert_true(count < FIELDS_MAX);
        double value = strtod(end + 1, &end);
        features[count++] = (struct feature){.hash = index * 0x9e3779b97f4a7c15, .value = value, .kind = RF_NUMBER};
    }
    append_example(examples, label > 0, features, count);
}

// Values of 0 are left out, as Vowpal Wabbit leaves them out.
static void append_csv(struct rf_examples *examples, char *line) {
    struct feature features[FIELDS_MAX];
    size_t count = 0;
    double label = NAN;
    size_t column = 1;
    for (char *rest = line, *text; (text = strsep(&rest, ",")) != NULL; column++) {
        label = strtod(text, NULL);
        assert_true(count < FIELDS_MAX);
        if (label != 0) {
            features[count++] = (struct feature){column * 0x9e3779b97f4a7c15, label, RF_NUMBER};
        }
    }
    append_example(examples, label > 0, features, count - (label != 0));
}

static void check_set(const struct set *set) {
    const char *folder = getenv("RIFFLE_DATA");
    char command[LINE_SIZE], line[LINE_SIZE];
    snprintf(command, sizeof command, "zcat '%s/%s'", folder, set->path);
    FILE *file = popen(command, "r");
    assert_non_null(file);
    struct rf_examples examples;
    examples_create(&examples, set->rows, set->rows * FIELDS_MAX);
    if (!set->is_libsvm) {
        assert_non_null(fgets(line, sizeof line, file)); // the header
    }
    while (fgets(line, sizeof line, file)) {
        (set->is_libsvm ? append_libsvm : append_csv)(&examples, line);
    }
    assert_int_equal(pclose(file), 0);
    assert_int_equal(examples.count, set->rows);

    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    struct rf_learner *learner = create_learner(&value, false);
    struct rf_predictions predictions;
    predictions_create(&predictions, learner, &examples);
    rf_learner_fold(learner, &examples, 0, examples.count, &predictions);
    double loss = 0, count = (double)set->rows;
    for (size_t i = 0; i < set->rows; i++) {
        loss -= rf_log(examples.label[i] == 1 ? predictions.score[i] : 1 - predictions.score[i]);
    }
    double most = 1.005 * set->best + rf_log(RATES) / count;
    print_message("%s: log loss %.6f, the best of five %.6f, allowed %.6f\n", set->path, loss / count, set->best, most);
    assert_true(loss / count <= most);
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    variant_finish(&value);
    rf_examples_finish(&examples);
}

static void the_best_rate_is_not_missed(void **state) {
    (void)state;
    static const struct set sets[] = {
            {"phishing-river/phishing.csv.gz", false, 1250, 0.301272},
            {"elec2/elec.csv.gz", false, 45312, 0.320564},
            {"sea-stream/sea_stream.csv.gz", false, 40000, 0.428287},
            {"agaricus/agaricus.txt.train.gz", true, 6513, 0.018046},
            {"agaricus/agaricus.txt.test.gz", true, 1611, 0.054394},
            {"a9a/a9a.gz", true, 32561, 0.332221},
            {"a9a/a9a.t.gz", true, 16281, 0.332498},
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        check_set(&sets[i]);
    }
}

int main(void) {
    const char *folder = getenv("RIFFLE_DATA");
    if (!folder || access(folder, R_OK) != 0) {
        puts("skipped: RIFFLE_DATA does not name the folder of the public data sets");
        return 77;
    }
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_best_rate_is_not_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
