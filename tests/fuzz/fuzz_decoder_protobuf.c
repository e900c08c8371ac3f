// Arbitrary bytes as a riffle.v1.Example, for a schema that names its fields and for one that takes them all.
#include "tests/fuzz/decoder_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness named, rest;
    if (!named.decoder) {
        named = harness_create("protobuf",
                               &(struct rf_feature_options){
                                       .id = "id",
                                       .time = "at",
                                       .label = "y",
                                       .weight = "w",
                                       .numbers = TEXTS("a"),
                                       .categories = TEXTS("c", "id"),
                                       .classes = TEXTS("no", "yes"),
                               },
                               &(struct rf_decoder_options){.limits = {.field_bytes = 64, .fields = 16}}, RF_TASK_BINARY);
        rest = harness_create("protobuf", &(struct rf_feature_options){.label = "y"}, &(struct rf_decoder_options){0},
                              RF_TASK_REGRESSION);
    }
    harness_run(&named, data, size);
    harness_run(&rest, data, size);
    return 0;
}
