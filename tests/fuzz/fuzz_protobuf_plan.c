// Arbitrary bytes as a message of rich.proto, for a schema that reads of it what there is, and one that takes it all; and as
// descriptors.
#include "tests/fuzz/decoder_harness.h"

static struct rf_text descriptors;

static void read_descriptors(void) {
    FILE *file = fopen(RICH_DESCRIPTORS, "rb");
    char *bytes = malloc(1 << 20);
    MUST(file && bytes);
    descriptors = (struct rf_text){bytes, fread(bytes, 1, 1 << 20, file)};
    fclose(file);
}

static void run_descriptors(const uint8_t *data, size_t size) {
    static struct rf_schema *schema;
    struct rf_error err;
    if (!schema) {
        MUST(rf_schema_create(&(struct rf_feature_options){.label = (char[]){"y"}}, rf_hash_key_of_seed(1), &schema, &err) ==
             RF_OK);
    }
    struct rf_decoder_options options = {.protobuf_message = "m", .protobuf_descriptors = {(const char *)data, size}};
    struct rf_decoder *decoder;
    if (rf_decoder_create(rf_decoder_find("protobuf"), schema, &options, &decoder, &err) == RF_OK) {
        rf_decoder_destroy(decoder);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness chosen, rest;
    if (!chosen.decoder) {
        read_descriptors();
        struct rf_decoder_options options = {.limits = {.field_bytes = 64, .fields = 64, .depth = 8},
                                             .protobuf_message = "rich.v1.Rich",
                                             .protobuf_descriptors = descriptors};
        chosen = harness_create(
                "protobuf",
                &(struct rf_feature_options){
                        .id = (char[]){"uint64_value"},
                        .time = (char[]){"at"},
                        .label = (char[]){"choice_number"},
                        .weight = (char[]){"took"},
                        .numbers = TEXTS("double_value", "inner.share", "counts.a", "inners.1.number", "packed.1"),
                        .categories = TEXTS("bytes_value", "colour", "optional_string", "unpacked", "strings", "strings.0",
                                            "inners.text", "inners.tags", "inners.inner.text", "attrs.x.y",
                                            "by_name.k.inner.tags", "choice_inner.tags", "choice_inner.text", "wrapped_many",
                                            "old.packed", "colour_of.b", "inners.a", "inners.c.text", "far_away"),
                        .vector = {.field = (char[]){"doubles"}, .size = 2},
                },
                &options, RF_TASK_REGRESSION);
        options.limits = (struct rf_decode_limits){0};
        rest = harness_create("protobuf", &(struct rf_feature_options){.label = (char[]){"bool_value"}}, &options,
                              RF_TASK_BINARY);
    }
    harness_run(&chosen, data, size);
    harness_run(&rest, data, size);
    run_descriptors(data, size);
    return 0;
}
