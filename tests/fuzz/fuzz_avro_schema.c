// Arbitrary bytes as a schema, and behind its first NUL a datum of it: read with some fields wanted, with all, and measured.
#include "ingest/avro_plan.h"
#include "tests/fuzz/decoder_harness.h"

enum { FIELDS = 64, DEPTH = 8 };

static struct rf_schema *schema_of(const struct rf_feature_options *features) {
    struct rf_schema *schema;
    struct rf_error err;
    MUST(rf_schema_create(features, rf_hash_key_of_seed(1), &schema, &err) == RF_OK);
    return schema;
}

static struct rf_avro_walker *walker_of(const struct rf_decode_limits *limits) {
    struct rf_avro_walker *walker;
    struct rf_error err;
    MUST(rf_avro_walker_create(limits, &walker, &err) == RF_OK);
    return walker;
}

// What follows of a plan: RF_OK with as many fields as there may be, or a sentence.
static void read_datum(struct harness *harness, struct rf_avro_walker *walker, struct rf_avro_plan *plan, struct rf_text datum) {
    struct rf_event event;
    struct rf_decode_error error;
    rf_arena_reset(&harness->arena);
    enum rf_status status = rf_avro_decode(walker, plan, datum, &harness->arena, &event, &error);
    MUST(status == RF_OK || status == RF_INVALID || status == RF_FULL);
    if (status == RF_INVALID) {
        check_error(&error);
    } else if (status == RF_OK) {
        MUST(event.count <= FIELDS);
        check_event(harness, &event);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct rf_schema *schemas[3]; // the last: nothing is wanted
    static struct rf_avro_walker *walker, *measuring;
    static struct harness harness;
    if (!walker) {
        schemas[0] = schema_of(&(struct rf_feature_options){.numbers = TEXTS("a", "a.b", "a.0.b", "b.a.a"),
                                                            .categories = TEXTS("b", "c.a", "c.0", "x.y.z"),
                                                            .vector = {.field = "v", .size = 2}});
        schemas[1] = schema_of(&(struct rf_feature_options){.label = "y", .id = "a.b.c"});
        walker = walker_of(
                &(struct rf_decode_limits){.fields = FIELDS, .depth = DEPTH, .field_bytes = 64, .record_bytes = 1 << 20});
        measuring = walker_of(NULL);
        struct rf_error err;
        MUST(rf_arena_init(&harness.arena, 1 << 20, &err) == RF_OK);
    }
    const char *text = size ? (const char *)data : "";
    size_t text_size = strnlen(text, size);
    size_t datum_at = text_size < size ? text_size + 1 : size;
    struct rf_text datum = {text + datum_at, size - datum_at};
    for (size_t i = 0; i < 3; i++) {
        struct rf_avro_plan *plan;
        struct rf_error err = {.text = ""};
        enum rf_status status = rf_avro_plan_create(&(struct rf_text){text, text_size}, 1, schemas[i], &plan, &err);
        MUST(status == RF_OK || (status == RF_INVALID && err.text[0] && rf_utf8_is_valid(rf_text_of(err.text))));
        if (status) {
            continue;
        }
        harness.schema = schemas[i];
        if (schemas[i]) {
            read_datum(&harness, walker, plan, datum);
        } else {
            size_t used = 0;
            struct rf_decode_error error;
            MUST(rf_avro_measure(measuring, plan, datum, &used, &error) || used <= datum.size);
        }
        rf_avro_plan_destroy(plan);
    }
    return 0;
}
