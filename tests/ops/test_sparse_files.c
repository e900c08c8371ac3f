// Files of sparse text through the whole of `riffle evaluate`: source, decoder, features, learner.
#include "ops/assembly.h"
#include "ops/evaluate.h"
#include "ops/verbs.h"
#include "proto/random.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORDS = 2000, FEATURES = 12 };

struct run {
    struct rf_pipeline_counts counts;
    uint8_t model_sha256[RF_SHA256_SIZE];
};

// Of each example, a few features in rising order; the label follows from two of them. `is_vw`: else LIBSVM's lines, with a
// comment and a blank line now and then.
static void write_data(const char *path, bool is_vw) {
    FILE *file = fopen(path, "w");
    struct rf_random random;
    rf_random_init(&random, 3);
    assert_non_null(file);
    for (int i = 0; i < RECORDS; i++) {
        uint64_t bits = rf_random_next(&random);
        bool label = (bits & 1) != 0;
        fputs(label ? "1" : "-1", file);
        fputs(is_vw ? " |" : "", file);
        for (int k = 0; k < FEATURES; k++) {
            if (k == 5 ? label : k == 7 ? !label : (bits >> (k + 1) & 3) == 0) {
                fprintf(file, is_vw && k % 3 == 0 ? " %d" : " %d:%d", k, k % 3 == 0 ? 1 : k % 3);
            }
        }
        fputs(is_vw || i % 7 ? "\n" : " # the seventh\r\n\n", file);
    }
    fputs(is_vw ? "1 | 3:\n" : "1 3:\n", file);
    assert_int_equal(fclose(file), 0);
}

static struct run evaluate(const char *format, const char *data) {
    char path[] = "/tmp/riffle-sparse-XXXXXX", text[1024];
    int file = mkstemp(path);
    int size = snprintf(text, sizeof text,
                        "name: test\nsource: {file: '%s', format: %s}\nfeatures: {label: y}\n"
                        "learner: {type: linear, loss: logistic, hash_bits: 10}\nworker: {log_level: error}\n",
                        data, format);
    assert_true(file >= 0 && write(file, text, (size_t)size) == size);
    assert_int_equal(close(file), 0);
    struct rf_assembly assembly;
    struct rf_source *source;
    struct rf_texts columns;
    struct rf_pipeline *pipeline;
    struct rf_error err;
    struct run run;
    assert_int_equal(rf_assembly_init(path, NULL, 0, &assembly, &err), RF_OK);
    assert_int_equal(rf_assembly_source(&assembly, true, &source, &columns, &err), RF_OK);
    assert_int_equal(rf_assembly_pipeline(&assembly, &columns, &pipeline, &err), RF_OK);
    assert_int_equal(rf_evaluate(pipeline, source, NULL, &err), RF_OK);
    run.counts = *rf_pipeline_counts(pipeline);
    rf_assembly_model_sha256(&assembly, pipeline, run.model_sha256);
    rf_pipeline_destroy(pipeline);
    rf_source_destroy(source);
    rf_assembly_columns_finish(&columns);
    rf_assembly_finish(&assembly);
    assert_int_equal(unlink(path), 0);
    return run;
}

static void vw_and_libsvm_lines_of_the_same_features_give_the_same_model(void **state) {
    (void)state;
    struct run runs[2];
    for (int i = 0; i < 2; i++) {
        char data[] = "/tmp/riffle-sparse-XXXXXX";
        int file = mkstemp(data);
        assert_true(file >= 0);
        assert_int_equal(close(file), 0);
        write_data(data, i == 0);
        runs[i] = evaluate(i == 0 ? "vw" : "libsvm", data);
        assert_int_equal(unlink(data), 0);
        assert_int_equal(runs[i].counts.learned, RECORDS);
        assert_int_equal(runs[i].counts.rejected, 1);
    }
    assert_memory_equal(runs[0].model_sha256, runs[1].model_sha256, RF_SHA256_SIZE);
}

static int check(const char *features) {
    static const struct rf_verb verb = {.name = "check", .operands = "FILE.yaml", .summary = ""};
    char path[] = "/tmp/riffle-sparse-XXXXXX", text[1024];
    int file = mkstemp(path);
    int size = snprintf(text, sizeof text, "name: test\nsource: {file: '%s', format: libsvm}\nfeatures: {label: y%s}\n", path,
                        features); // any file can be opened
    assert_true(file >= 0 && write(file, text, (size_t)size) == size);
    assert_int_equal(close(file), 0);
    char *arguments[] = {path};
    int code = rf_verb_check(&verb, 1, arguments);
    assert_int_equal(unlink(path), 0);
    return code;
}

static void check_refuses_features_that_the_format_never_gives(void **state) {
    (void)state;
    assert_int_equal(check(""), RF_EXIT_DONE);
    assert_int_equal(check(", numbers: [\" \"]"), RF_EXIT_DONE);
    assert_int_equal(check(", numbers: [1, 3]"), RF_EXIT_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(vw_and_libsvm_lines_of_the_same_features_give_the_same_model),
            cmocka_unit_test(check_refuses_features_that_the_format_never_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
