// Files of a user's own messages, written by Python's protobuf, through the whole of `riffle evaluate`.
#include "ops/assembly.h"
#include "ops/evaluate.h"
#include "ops/verbs.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ORDERS = 2000 };

static char folder[] = "/tmp/riffle-orders-XXXXXX";

static const char own[] = "file: %s/orders.pb, format: protobuf, protobuf: {descriptors: %s/orders.desc, message: shop.v1.Order}";
static const char examples[] = "file: %s/examples.pb, format: protobuf";

static void write_settings(const char *path, const char *source, const char *categories) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "name: test\nsource: {");
    fprintf(file, source, folder, folder); // NOLINT(clang-diagnostic-format-nonliteral): one of the two above
    fprintf(file,
            "}\nfeatures: {id: number, time: placed, label: returned, numbers: [items.0.price], categories: [%s]}\n"
            "learner: {type: linear, loss: logistic, hash_bits: 12}\nworker: {log_level: error}\n",
            categories);
    assert_int_equal(fclose(file), 0);
}

struct run {
    struct rf_pipeline_counts counts;
    uint8_t model_sha256[RF_SHA256_SIZE];
};

static struct run evaluate(const char *sources, const char *categories) {
    char path[64];
    snprintf(path, sizeof path, "%s/test.yaml", folder);
    write_settings(path, sources, categories);
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
    return run;
}

static void own_messages_and_examples_of_the_same_orders_give_the_same_model(void **state) {
    (void)state;
    static const char categories[] = "channel, items.0.sku, attributes.colour";
    struct run first = evaluate(own, categories), second = evaluate(examples, categories);
    assert_int_equal(first.counts.learned, ORDERS);
    assert_int_equal(second.counts.learned, ORDERS);
    assert_memory_equal(first.model_sha256, second.model_sha256, RF_SHA256_SIZE);
}

static void elements_of_repeated_messages_are_all_learned(void **state) {
    (void)state;
    struct run first = evaluate(own, "channel, items.sku"), second = evaluate(own, "channel, items.0.sku");
    assert_int_equal(first.counts.learned, ORDERS);
    assert_int_equal(first.counts.rejected, 0);
    assert_memory_not_equal(first.model_sha256, second.model_sha256, RF_SHA256_SIZE);
}

static void check_refuses_fields_that_the_message_has_not(void **state) {
    (void)state;
    static const struct rf_verb verb = {.name = "check", .operands = "FILE.yaml", .summary = ""};
    char path[64];
    snprintf(path, sizeof path, "%s/test.yaml", folder);
    char *arguments[] = {path};
    write_settings(path, own, "channel");
    assert_int_equal(rf_verb_check(&verb, 1, arguments), RF_EXIT_DONE);
    write_settings(path, own, "chanel");
    assert_int_equal(rf_verb_check(&verb, 1, arguments), RF_EXIT_USAGE);
    write_settings(path, own, "items.0.price");
    assert_int_equal(rf_verb_check(&verb, 1, arguments), RF_EXIT_USAGE);
}

static int make_files(void **state) {
    (void)state;
    char command[512];
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, "/usr/bin/python3 %s/tests/ops/protobuf_files.py %s %s %d", RF_ROOT, RF_ROOT, folder,
             ORDERS);
    assert_int_equal(system(command), 0);
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

int main(void) {
    if (system("/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null && which protoc >/dev/null") != 0) {
        printf("skipped: there is no /usr/bin/python3 with protobuf, or no protoc, to write messages with\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(own_messages_and_examples_of_the_same_orders_give_the_same_model),
            cmocka_unit_test(elements_of_repeated_messages_are_all_learned),
            cmocka_unit_test(check_refuses_fields_that_the_message_has_not),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
