// Arbitrary bytes as a datum of a schema with every type, for schemas that want single fields, all of them, and none.
#include "tests/fuzz/avro_payment.h"
#include "tests/fuzz/decoder_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness named, rest, none;
    static struct rf_record_schema written_with;
    if (!named.decoder) {
        written_with.text = rf_text_of(avro_payment); // of the record, so that what is wanted need not be in it
        struct rf_decoder_options options = {.limits = {.depth = 4, .field_bytes = 64, .fields = 32}};
        named = harness_create("avro",
                               &(struct rf_feature_options){
                                       .id = "id",
                                       .time = "at",
                                       .label = "y",
                                       .weight = "w",
                                       .numbers = TEXTS("a", "items.0.price", "next.next.a", "d"),
                                       .categories = TEXTS("e", "f", "b", "n", "items.sku", "items.1.nulls", "attrs.colour",
                                                           "attrs.0", "next.id", "next.items.sku"),
                                       .vector = {.field = "v", .size = 2},
                               },
                               &options, RF_TASK_BINARY);
        rest = harness_create("avro", &(struct rf_feature_options){.label = "next.y"}, &options, RF_TASK_REGRESSION);
        none = harness_create("avro", &(struct rf_feature_options){.numbers = TEXTS("z")}, &options, RF_TASK_REGRESSION);
        named.written_with = rest.written_with = none.written_with = &written_with;
    }
    harness_run(&named, data, size);
    harness_run(&rest, data, size);
    harness_run(&none, data, size);
    return 0;
}
