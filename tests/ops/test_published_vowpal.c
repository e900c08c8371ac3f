// Figures that Vowpal Wabbit's own tests expect (its test/core.vwtest.json and the files beside it), from the same records under
// its hashes: decoder, features and learner together. A figure is the average loss of predictions made before learning.
//
// Two habits of its reports are followed here, and nowhere else: a prediction is clipped to the range of 0 and the labels, that
// of its own record included, before its loss is taken (what is learned is clipped alike, by `clip: labels_and_zero`); and of
// Poisson's loss the deviance is told.
//
// We learn in double, Vowpal Wabbit in single precision; that is seen in the seventh digit at most. What is seen beyond that has
// a reason beside it. Each was confirmed by a twin of its rule that did as the reason says and came to the published digits.
#include "ops/assembly.h"
#include "ops/batch.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FEATURES_MAX = 4096, PATH_SIZE = 512 };

enum report { SQUARED, HINGE, QUANTILE, POISSON, LOGISTIC, ZERO_ONE };

struct reference {
    const char *test;     // its number there, or what was measured
    const char *command;  // its options
    const char *file;     // in vw-tests.tar.gz; of a table with a header: in the folder of all data
    const char *label;    // the column of a table, NULL: lines of Vowpal Wabbit's format
    const char *features; // settings beside label and hash, NULL: none
    const char *learner;  // settings
    unsigned hash_bits;   // 0: 18
    unsigned passes;      // 0: 1
    enum report report;
    double tau;        // of QUANTILE
    double weights[2]; // of the labels 0 and 1; 0: 1
    size_t inputs;     // what it tells to have met, the constant and crosses included; 0: not told
    double published;
    double ours;        // where it differs, to seven digits; 0: as published
    const char *reason; // why
};

#define EXACT 0.6e-6 // to the digits published
#define OURS 0.6e-7  // to the digits of our own

#define ADAPTIVE(rate, more) "optimizer: {type: adaptive, rate: " rate ", resistant: false" more "}, "
#define SQUARED_LOSS "loss: squared, clip: labels_and_zero, "

#define INVERSE_ROOT "its figures were made with rsqrtss, an inverse root of 12 bits, as Intel's processors round it"
#define SINGLE "it learns in single precision"
#define LAMBERT "its Lambert's W is off by up to 9e-5, which shows where steps are small"
#define NO_LOSS                                                                                                              \
    "beyond a score of 17 its loss is 0 in single precision (37 in double), and then it learns nothing, not even how large " \
    "values are; here every record is learned"

static const struct reference of_its_tests[] = {
        {
                .test = "36",
                .command = "",
                .file = "train-sets/0001.dat",
                .learner = SQUARED_LOSS ADAPTIVE("0.5", ""),
                .inputs = 15482,
                .published = 0.195760,
                .ours = 0.1957592,
                .reason = INVERSE_ROOT,
        },
        {
                .test = "584",
                .command = "",
                .file = "train-sets/0002.dat",
                .learner = SQUARED_LOSS ADAPTIVE("0.5", ""),
                .inputs = 14996,
                .published = 0.003499,
        },
        {
                .test = "3",
                .command = "--invariant",
                .file = "train-sets/0002.dat",
                .learner = SQUARED_LOSS ADAPTIVE("10", ", adaptive: false, normalized: false"),
                .inputs = 14996,
                .published = 0.003382,
        },
        {
                .test = "7",
                .command = "--power_t 0.45",
                .file = "train-sets/0002.dat",
                .learner = SQUARED_LOSS ADAPTIVE("0.5", ", power: 0.45"),
                .inputs = 14996,
                .published = 0.003447,
        },
        {
                .test = "5",
                .command = "--initial_t 1 --adaptive --invariant -q Tf -q ff",
                .file = "train-sets/0002.dat",
                .features = "crosses: [[T, f], [f, f]]",
                .learner = SQUARED_LOSS ADAPTIVE("10", ", squares: 1, normalized: false"),
                .inputs = 118940,
                .published = 0.004364,
        },
        {
                .test = "70",
                .command = "--ftrl --ftrl_alpha 0.01 --ftrl_beta 0 --l1 2",
                .file = "train-sets/0001.dat",
                .learner = SQUARED_LOSS "optimizer: {type: ftrl, alpha: 0.01, beta: 0, l1: 2}, ",
                .inputs = 15482,
                .published = 0.379717,
        },
        {
                .test = "30",
                .command = "--l1 0.01",
                .file = "train-sets/0001.dat",
                .learner = SQUARED_LOSS ADAPTIVE("0.5", ", l1: 0.01"),
                .inputs = 15482,
                .published = 0.224127,
                .ours = 0.2241277,
                .reason = INVERSE_ROOT,
        },
        {
                .test = "159",
                .command = "--classweight 1:2,0:3.1,-1:5",
                .file = "train-sets/0001.dat",
                .learner = SQUARED_LOSS "class_weights: {1: 2, 0: 3.1, -1: 5}, " ADAPTIVE("0.5", ""),
                .weights = {3.1, 2},
                .inputs = 15482,
                .published = 0.178875,
        },
        {
                .test = "130",
                .command = "--loss_function poisson --link poisson -b 2",
                .file = "train-sets/poisson_small.dat",
                .learner = "loss: poisson, " ADAPTIVE("0.5", ""),
                .hash_bits = 2,
                .report = POISSON,
                .inputs = 70,
                .published = 4.304199,
                .ours = 4.3038789,
                .reason = INVERSE_ROOT,
        },
        {
                .test = "131",
                .command = "--normalized --loss_function poisson --link poisson -b 2 -l 0.1",
                .file = "train-sets/poisson_small.dat",
                .learner = "loss: poisson, " ADAPTIVE("0.1", ", initial: 0, adaptive: false, invariant: false"),
                .hash_bits = 2,
                .report = POISSON,
                .inputs = 70,
                .published = 4.062876,
                .ours = 4.0628769,
                .reason = SINGLE,
        },
        {
                .test = "578",
                .command = "--loss_function hinge",
                .file = "train-sets/0002.dat",
                .learner = "loss: hinge_factor, clip: labels_and_zero, " ADAPTIVE("0.5", ""),
                .report = HINGE,
                .inputs = 14996,
                .published = 0.624379,
        },
        {
                .test = "579",
                .command = "--loss_function poisson",
                .file = "train-sets/0002.dat",
                .learner = "loss: poisson, " ADAPTIVE("0.5", ""),
                .report = POISSON,
                .inputs = 14996,
                .published = 0.010535,
        },
        {
                .test = "580",
                .command = "--loss_function classic",
                .file = "train-sets/0002.dat",
                .learner = SQUARED_LOSS ADAPTIVE("0.5", ", invariant: false"),
                .inputs = 14996,
                .published = 0.014848,
        },
        {
                .test = "537",
                .command = "--loss_function quantile --quantile_tau 0.5 -b 7",
                .file = "train-sets/0002_25.dat",
                .learner = "loss: {type: quantile, tau: 0.5}, clip: labels_and_zero, " ADAPTIVE("0.5", ""),
                .hash_bits = 7,
                .report = QUANTILE,
                .tau = 0.5,
                .inputs = 374,
                .published = 0.079018,
                .ours = 0.0790138,
                .reason = INVERSE_ROOT,
        },
        {
                .test = "538",
                .command = "--loss_function quantile --quantile_tau 0.25 -b 7",
                .file = "train-sets/0002_25.dat",
                .learner = "loss: {type: quantile, tau: 0.25}, clip: labels_and_zero, " ADAPTIVE("0.5", ""),
                .hash_bits = 7,
                .report = QUANTILE,
                .tau = 0.25,
                .inputs = 374,
                .published = 0.043195,
                .ours = 0.0431924,
                .reason = INVERSE_ROOT,
        },
        {
                .test = "11",
                .command = "--oaa 10 --passes 10 --holdout_off",
                .file = "train-sets/multiclass",
                .learner = "loss: {type: one_against_all, base: squared}, classes: 10, " ADAPTIVE("0.5", ""),
                .passes = 10,
                .report = ZERO_ONE,
                .inputs = 200,
                .published = 0.09,
        },
};

// What Vowpal Wabbit 9.11 says of other records, run by us.
static const struct reference of_other_records[] = {
        {
                .test = "rcv1",
                .command = "--loss_function logistic",
                .file = "train-sets/rcv1_small.dat",
                .learner = "loss: logistic, " ADAPTIVE("0.5", ""),
                .report = LOGISTIC,
                .published = 0.429393,
        },
        {
                .test = "rcv1, not normalised",
                .command = "--loss_function logistic --adaptive --invariant -l 0.5",
                .file = "train-sets/rcv1_small.dat",
                .learner = "loss: logistic, " ADAPTIVE("0.5", ", normalized: false"),
                .report = LOGISTIC,
                .published = 0.403099,
        },
        {
                .test = "rcv1, not normalised, at 10",
                .command = "--loss_function logistic --adaptive --invariant",
                .file = "train-sets/rcv1_small.dat",
                .learner = "loss: logistic, " ADAPTIVE("10", ", normalized: false"),
                .report = LOGISTIC,
                .published = 0.347971,
        },
        {
                .test = "rcv1, sgd",
                .command = "--loss_function logistic --sgd",
                .file = "train-sets/rcv1_small.dat",
                .learner = "loss: logistic, " ADAPTIVE("10", ", adaptive: false, normalized: false, invariant: false"),
                .report = LOGISTIC,
                .published = 0.554529,
        },
        {
                .test = "rcv1, squared",
                .command = "",
                .file = "train-sets/rcv1_small.dat",
                .learner = SQUARED_LOSS ADAPTIVE("0.5", ""),
                .published = 0.502732,
        },
        {
                .test = "elec2",
                .command = "--loss_function logistic",
                .file = "elec2/elec.csv.gz",
                .label = "class",
                .learner = "loss: logistic, " ADAPTIVE("0.5", ""),
                .report = LOGISTIC,
                .published = 0.553506,
                .ours = 0.5535007,
                .reason = LAMBERT,
        },
        {
                .test = "elec2 at 2",
                .command = "--loss_function logistic -l 2",
                .file = "elec2/elec.csv.gz",
                .label = "class",
                .learner = "loss: logistic, " ADAPTIVE("2", ""),
                .report = LOGISTIC,
                .published = 0.434854,
                .ours = 0.4547571,
                .reason = NO_LOSS,
        },
        {
                .test = "elec2 at 8",
                .command = "--loss_function logistic -l 8",
                .file = "elec2/elec.csv.gz",
                .label = "class",
                .learner = "loss: logistic, " ADAPTIVE("8", ""),
                .report = LOGISTIC,
                .published = 0.320564,
                .ours = 0.3330780,
                .reason = NO_LOSS,
        },
        {
                .test = "phishing",
                .command = "--loss_function logistic",
                .file = "phishing-river/phishing.csv.gz",
                .label = "is_phishing",
                .learner = "loss: logistic, " ADAPTIVE("0.5", ""),
                .report = LOGISTIC,
                .published = 0.367965,
                .ours = 0.3679639,
                .reason = LAMBERT,
        },
        {
                .test = "phishing at 2",
                .command = "--loss_function logistic -l 2",
                .file = "phishing-river/phishing.csv.gz",
                .label = "is_phishing",
                .learner = "loss: logistic, " ADAPTIVE("2", ""),
                .report = LOGISTIC,
                .published = 0.301272,
        },
};

struct tally {
    double lowest, highest; // of 0 and the labels so far
    double loss, weight;
    size_t inputs;
    struct rf_contribution list[FEATURES_MAX];
};

// The folder of public data, or NULL.
static const char *data_folder(void) {
    const char *folder = getenv("RIFFLE_DATA");
    return folder && folder[0] ? folder : NULL;
}

// Makes a name for a file of ours.
static void make_path(char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "/tmp/riffle-vowpal-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
}

static void run_command(const char *command) {
    int status = system(command); // NOLINT(cert-env33-c): of names that stand above
    if (status != 0) {
        fail_msg("%s: %d", command, status);
    }
}

// The records of a reference as a file of ours. False when the data is not there.
static bool unpack(const struct reference *reference, char path[PATH_SIZE]) {
    const char *folder = data_folder();
    char command[4 * PATH_SIZE], archive[PATH_SIZE];
    snprintf(archive, sizeof archive, "%s/%s", folder, reference->label ? reference->file : "vw-tests/vw-tests.tar.gz");
    if (access(archive, R_OK) != 0) {
        return false;
    }
    make_path(path);
    if (reference->label) {
        snprintf(command, sizeof command, "zcat -q '%s' > '%s'; test $? -ne 1", archive, path); // 2: only warned
    } else {
        snprintf(command, sizeof command, "tar xzOf '%s' '%s' > '%s'", archive, reference->file, path);
    }
    run_command(command);
    return true;
}

static void write_settings(const struct reference *reference, const char *data, char path[PATH_SIZE]) {
    bool is_table = reference->label != NULL;
    make_path(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    int size = fprintf(file,
                       "name: vowpal\nsource: {file: '%s', format: %s}\n"
                       "features: {label: %s, hash: vowpal%s%s}\n"
                       "learner: {type: linear, %shash_bits: %u, scale: none, bias: false, precision: double}\n"
                       "worker: {log_level: error}\n",
                       data, is_table ? "csv" : "vw", is_table ? reference->label : "y", reference->features ? ", " : "",
                       reference->features ? reference->features : "", reference->learner,
                       reference->hash_bits ? reference->hash_bits : 18);
    assert_true(size > 0);
    assert_int_equal(fclose(file), 0);
}

static double clipped(double value, double lowest, double highest) {
    return value < lowest ? lowest : value > highest ? highest : value;
}

// The loss as Vowpal Wabbit reports it, of a score before clipping.
static double reported_loss(const struct reference *reference, struct tally *tally, double score, double label) {
    tally->lowest = fmin(tally->lowest, label);
    tally->highest = fmax(tally->highest, label);
    double within = clipped(score, tally->lowest, tally->highest), wide = clipped(score, -50, 50);
    switch (reference->report) {
    case SQUARED:
        return (within - label) * (within - label);
    case HINGE:
        return fmax(0, 1 - label * within);
    case QUANTILE:
        return label > within ? reference->tau * (label - within) : (1 - reference->tau) * (within - label);
    case POISSON:
        return 2 * (label * (log(label + 1e-6) - wide) - (label - exp(wide)));
    default:
        return log1p(exp(label == 1 ? -wide : wide));
    }
}

static void tally_record(const struct reference *reference, struct rf_learner *learner, struct rf_batch *batch, size_t index,
                         struct tally *tally) {
    struct rf_examples *examples = &batch->examples;
    double label = examples->label[index], score = 0;
    size_t count = rf_learner_explain(learner, examples, index, tally->list, FEATURES_MAX);
    assert_in_range(count, 1, FEATURES_MAX);
    for (size_t i = count; i-- > 0;) { // the smallest first
        score += tally->list[i].amount;
    }
    rf_learner_fold(learner, examples, index, index + 1, &batch->predictions);
    double weight = examples->weight[index];
    if (reference->weights[0] > 0) {
        weight *= reference->weights[label == 1];
    }
    double loss = reference->report == ZERO_ONE ? rf_prediction_class(&batch->predictions, index) != (int64_t)label
                                                : reported_loss(reference, tally, score, label);
    tally->inputs += count;
    tally->loss += weight * loss;
    tally->weight += weight;
}

static void take_from_start(struct rf_pipeline *pipeline, struct rf_source *source, const struct rf_positions *partitions) {
    struct rf_positions *positions = rf_pipeline_positions(pipeline);
    struct rf_error err;
    size_t index;
    assert_int_equal(partitions->count, 1);
    assert_int_equal(rf_positions_add(positions, partitions->list[0].topic, partitions->list[0].partition, &index), RF_OK);
    positions->list[index].next_offset = RF_OFFSET_NONE;
    assert_int_equal(rf_source_assign(source, positions, &err), RF_OK);
}

// Folds all records of a source once.
static void fold_source(const struct reference *reference, struct rf_assembly *assembly, struct rf_pipeline *pipeline,
                        struct tally *tally) {
    struct rf_error err;
    struct rf_source *source;
    struct rf_texts columns;
    struct rf_decoder *decoder;
    struct rf_batch *batch;
    enum rf_source_event event;
    const struct rf_positions *partitions;
    assert_int_equal(rf_assembly_source(assembly, true, &source, &columns, &err), RF_OK);
    assert_int_equal(rf_pipeline_decoder(pipeline, &decoder, &err), RF_OK);
    assert_int_equal(rf_pipeline_batch(pipeline, &batch, &err), RF_OK);
    batch->source = source;
    do {
        struct rf_poll want = {.records_max = batch->records.capacity, .bytes_max = rf_pipeline_batch_bytes(pipeline)};
        assert_int_equal(rf_source_poll(source, &want, &batch->records, &event, &partitions, &err), RF_OK);
        if (event == RF_SOURCE_ASSIGNED) {
            take_from_start(pipeline, source, partitions);
        }
        while (batch->end < batch->records.count) {
            rf_pipeline_prepare(pipeline, decoder, batch);
            assert_int_equal(batch->rejects.count, 0);
            for (size_t i = 0; i < batch->examples.count; i++) {
                tally_record(reference, rf_pipeline_learner(pipeline), batch, i, tally);
            }
        }
        rf_batch_reset(batch, rf_schema_count(rf_pipeline_schema(pipeline)));
    } while (event != RF_SOURCE_END);
    rf_batch_destroy(batch);
    rf_decoder_destroy(decoder);
    rf_source_destroy(source);
    rf_assembly_columns_finish(&columns);
}

static void compare(const struct reference *reference, const struct tally *tally) {
    double figure = tally->loss / tally->weight;
    double expected = reference->ours > 0 ? reference->ours : reference->published;
    if (!(fabs(figure - expected) <= (reference->ours > 0 ? OURS : EXACT))) {
        fail_msg("%s (vw %s): %.7f, must be %.7f", reference->test, reference->command, figure, expected);
    }
    if (reference->inputs > 0) {
        assert_int_equal(tally->inputs, reference->inputs);
    }
    assert_int_equal(reference->reason != NULL, reference->ours > 0);
    printf("%-28s published %.6f, here %.7f%s%s\n", reference->test, reference->published, figure, reference->reason ? ": " : "",
           reference->reason ? reference->reason : "");
}

static void check(const struct reference *reference) {
    char data[PATH_SIZE], settings[PATH_SIZE];
    if (!unpack(reference, data)) {
        printf("%s: its data is not there\n", reference->test);
        return;
    }
    write_settings(reference, data, settings);
    struct tally *tally = test_calloc(1, sizeof *tally);
    struct rf_assembly assembly;
    struct rf_pipeline *pipeline;
    struct rf_source *source;
    struct rf_texts columns;
    struct rf_error err;
    if (rf_assembly_init(settings, NULL, 0, &assembly, &err) != RF_OK) {
        fail_msg("%s: %s", reference->test, err.text);
    }
    assert_int_equal(rf_assembly_source(&assembly, true, &source, &columns, &err), RF_OK); // for its columns
    if (rf_assembly_pipeline(&assembly, &columns, &pipeline, &err) != RF_OK) {
        fail_msg("%s: %s", reference->test, err.text);
    }
    for (unsigned pass = 0; pass < (reference->passes ? reference->passes : 1); pass++) {
        fold_source(reference, &assembly, pipeline, tally);
    }
    assert_int_equal(rf_pipeline_learner(pipeline)->skipped_steps, 0);
    compare(reference, tally);
    rf_pipeline_destroy(pipeline);
    rf_source_destroy(source);
    rf_assembly_columns_finish(&columns);
    rf_assembly_finish(&assembly);
    test_free(tally);
    assert_int_equal(unlink(data), 0);
    assert_int_equal(unlink(settings), 0);
}

static void the_figures_of_its_own_tests_come_out(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof of_its_tests / sizeof of_its_tests[0]; i++) {
        check(&of_its_tests[i]);
    }
}

static void its_figures_of_other_records_come_out(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof of_other_records / sizeof of_other_records[0]; i++) {
        check(&of_other_records[i]);
    }
}

int main(void) {
    const char *folder = data_folder();
    char archive[PATH_SIZE];
    snprintf(archive, sizeof archive, "%s/vw-tests/vw-tests.tar.gz", folder ? folder : "");
    if (!folder || access(archive, R_OK) != 0) {
        puts("skipped: RIFFLE_DATA does not name the folder of the public data sets, or vw-tests is not in it");
        return 77;
    }
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_figures_of_its_own_tests_come_out),
            cmocka_unit_test(its_figures_of_other_records_come_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
