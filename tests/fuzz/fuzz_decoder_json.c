// Arbitrary bytes as a JSON record, for a schema that names its fields and for one that takes them all.
#include "tests/fuzz/decoder_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness named, rest;
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
    }
    harness_run(&named, data, size);
    harness_run(&rest, data, size);
    return 0;
}
