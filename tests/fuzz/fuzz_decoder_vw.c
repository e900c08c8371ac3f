// Arbitrary bytes as a line of Vowpal Wabbit's format, with few and tight settings, and with those of its own hashes.
#include "tests/fuzz/decoder_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness named, rest;
    if (!named.decoder) {
        named = harness_create("vw",
                               &(struct rf_feature_options){
                                       .id = "tag",
                                       .label = "y",
                                       .weight = "w",
                                       .numbers = TEXTS("a", "b", " "),
                                       .classes = TEXTS("no", "1"),
                               },
                               &(struct rf_decoder_options){.limits = {.field_bytes = 32, .fields = 16}}, RF_TASK_BINARY);
        rest = harness_create("vw", &(struct rf_feature_options){.label = "y", .ignore = TEXTS("c"), .hash = RF_HASHING_VOWPAL},
                              &(struct rf_decoder_options){0}, RF_TASK_MULTICLASS);
    }
    harness_run(&named, data, size);
    harness_run(&rest, data, size);
    return 0;
}
