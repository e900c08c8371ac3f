// Arbitrary bytes as a line of LIBSVM's format, with few and tight settings, and with others.
#include "tests/fuzz/decoder_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness named, rest;
    if (!named.decoder) {
        named = harness_create(
                "libsvm",
                &(struct rf_feature_options){
                        .label = "y", .numbers = TEXTS(" "), .categories = TEXTS("qid"), .classes = TEXTS("1", "2")},
                &(struct rf_decoder_options){.limits = {.field_bytes = 32, .fields = 16}}, RF_TASK_BINARY);
        rest = harness_create("libsvm", &(struct rf_feature_options){.label = "y", .hash = RF_HASHING_VOWPAL},
                              &(struct rf_decoder_options){0}, RF_TASK_REGRESSION);
    }
    harness_run(&named, data, size);
    harness_run(&rest, data, size);
    return 0;
}
