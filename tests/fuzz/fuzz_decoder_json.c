// Arbitrary bytes as a JSON record, for a schema that names its fields, for one that takes them all, for one with texts, buckets
// and a vector, and for one of nested fields and lists with numbers in texts.
#include "tests/fuzz/decoder_harness.h"
#include "tests/fuzz/rich_features.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness named, rest, rich, nested;
    if (!named.decoder) {
        named = harness_create("json",
                               &(struct rf_feature_options){
                                       .id = "id",
                                       .time = "at",
                                       .label = "y",
                                       .weight = "w",
                                       .numbers = TEXTS("a", "b"),
                                       .categories = TEXTS("c", "id"),
                                       .ignore = TEXTS("z"),
                                       .classes = TEXTS("no", "yes", "1"),
                               },
                               &(struct rf_decoder_options){.limits = {.depth = 4, .field_bytes = 64, .fields = 16}},
                               RF_TASK_MULTICLASS);
        rest = harness_create("json", &(struct rf_feature_options){.label = "y"}, &(struct rf_decoder_options){0},
                              RF_TASK_REGRESSION);
        const struct rf_feature_options features = rich_features();
        rich = harness_create("json", &features, &(struct rf_decoder_options){.limits = {.field_bytes = 64}}, RF_TASK_REGRESSION);
        nested = harness_create(
                "json",
                &(struct rf_feature_options){
                        .id = "a.id",
                        .label = "y",
                        .time = "a.at",
                        .numbers = TEXTS("a.n", "m.0.1", "i.0.n"),
                        .categories = TEXTS("a.b.c", "i.s", "t", "t.1", "o", "o.a"),
                        .texts = TEXTS("w", "i.w"),
                        .ngrams = 2,
                        .missing = RF_MISSING_INDICATOR,
                        .vector = {.field = "e.v", .size = 2},
                },
                &(struct rf_decoder_options){.limits = {.depth = 6, .field_bytes = 64, .fields = 24}, .numeric_texts = true},
                RF_TASK_BINARY);
    }
    harness_run(&named, data, size);
    harness_run(&rest, data, size);
    harness_run(&rich, data, size);
    harness_run(&nested, data, size);
    return 0;
}
