// Arbitrary bytes as a line of CSV, for columns of every role, of none, of texts, buckets and a vector, and as a header line.
#include "tests/fuzz/decoder_harness.h"
#include "tests/fuzz/rich_features.h"

static void run_header(const uint8_t *data, size_t size) {
    struct rf_texts columns = {NULL, 0};
    struct rf_error err;
    if (rf_decoder_csv_columns((struct rf_text){(const char *)data, size}, ',', &columns, &err)) {
        MUST(err.text[0] && !columns.list);
        return;
    }
    MUST(columns.count > 0);
    for (size_t i = 0; i < columns.count; i++) {
        MUST(rf_utf8_is_valid(rf_text_of(columns.list[i])));
        free(columns.list[i]);
    }
    free(columns.list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness named, rest, rich;
    if (!named.decoder) {
        named = harness_create(
                "csv",
                &(struct rf_feature_options){
                        .id = "id",
                        .time = "at",
                        .label = "y",
                        .numbers = TEXTS("a"),
                        .categories = TEXTS("c"),
                },
                &(struct rf_decoder_options){.limits = {.field_bytes = 64}, .columns = TEXTS("id", "at", "y", "a", "c")},
                RF_TASK_BINARY);
        rest = harness_create("csv", &(struct rf_feature_options){.label = "y"},
                              &(struct rf_decoder_options){.columns = TEXTS("", "p", "y"), .delimiter = ';'}, RF_TASK_REGRESSION);
        const struct rf_feature_options features = rich_features();
        rich = harness_create("csv", &features,
                              &(struct rf_decoder_options){.columns = TEXTS("a", "b", "c", "d", "e", "f", "g", "y")},
                              RF_TASK_REGRESSION);
    }
    harness_run(&named, data, size);
    harness_run(&rest, data, size);
    harness_run(&rich, data, size);
    run_header(data, size);
    return 0;
}
