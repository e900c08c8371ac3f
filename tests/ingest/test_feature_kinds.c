// Features that are more than a field's value: grams of texts, buckets, crossed fields, what is missing.
#include "tests/ingest/feature_fixture.h"

#include <stdlib.h>

#define BUCKETS(...)                                                                               \
    {                                                                                              \
        (struct rf_bucket_options[]){__VA_ARGS__},                                                 \
                sizeof(struct rf_bucket_options[]){__VA_ARGS__} / sizeof(struct rf_bucket_options) \
    }

static void feature_makes_one_of_every_gram(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.label = "y", .texts = TEXTS("title", "body"), .ngrams = 2, .skips = 1},
              RF_TASK_BINARY, 2);
    flow_expects(
            &flow, "{\"title\":\"Pay now, pay\",\"y\":1,\"other\":\"x\"}",
            "title \"pay\"=1, title \"now\"=1, title \"pay now\"=1, title \"pay\"=1, title \"now pay\"=1, title \"pay pay\"=1");
    flow_check_feature(&flow, 0, RF_CATEGORY, "title", category_hash("title", "pay"), 1);
    flow_check_feature(&flow, 3, RF_CATEGORY, "title", category_hash("title", "pay"), 1);
    flow_expects(&flow, "{\"body\":12.5,\"title\":true}", "body \"12\"=1, body \"5\"=1, body \"12 5\"=1, title \"true\"=1");
    flow_check_feature(&flow, 0, RF_CATEGORY, "body", category_hash("body", "12"), 1);
    flow_expects(&flow, "{\"body\":\"\",\"title\":null}", "");
    flow_expects(&flow, "{\"body\":\"a\\u0041\\n\\u00e9\"}", "body \"aa\"=1, body \"\xc3\xa9\"=1, body \"aa \xc3\xa9\"=1");
    flow_finish(&flow);
}

static void feature_rejects_a_text_of_too_many_grams(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.texts = TEXTS("t")}, RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"t\":\"a a\"}", "t \"a\"=1, t \"a\"=1");
    assert_int_equal(flow_append(&flow, "{\"t\":\"a b c d e f g h i j k l m n o p q r\"}"), RF_FULL);
    assert_int_equal(flow.examples.count, 1);
    rf_examples_reset(&flow.examples, rf_schema_count(flow.fixture.schema));
    flow_refuses(&flow, "{\"t\":\"a b c d e f g h i j k l m n o p q r\"}", RF_REASON_LIMIT,
                 "has more than 16 features, which is all a batch has room for");
    flow_finish(&flow);
}

static void feature_has_a_limit_that_no_batch_changes(void **state) {
    (void)state;
    struct rf_error err = {0};
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.texts = TEXTS("t"), .ngrams = 8, .skips = 4}, RF_TASK_BINARY, 2);
    rf_examples_finish(&flow.examples);
    assert_int_equal(rf_schema_features_max(flow.fixture.schema, 1), RF_SCHEMA_FEATURES_MAX);
    assert_int_equal(rf_examples_init(&flow.examples, 4, 2 * RF_SCHEMA_FEATURES_MAX, 8, &err), RF_OK);
    rf_feature_declare(flow.fixture.schema, &flow.examples);
    char text[1024] = "{\"t\":\"";
    for (int i = 0; i < 150; i++) {
        strcat(text, "a ");
    }
    strcat(text, "\"}");
    flow_refuses(&flow, text, RF_REASON_LIMIT, "has more than 65536 features");
    flow_finish(&flow);
}

static void feature_rejects_what_learners_have_no_room_for(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.categories = TEXTS("t")}, RF_TASK_BINARY, 2);
    flow.examples.features_max = 3;
    assert_int_equal(flow_append(&flow, "{\"t\":[1,2,3]}"), RF_OK);
    flow_refuses(&flow, "{\"t\":[1,2,3,4]}", RF_REASON_LIMIT, "has more than 3 features");
    flow_finish(&flow);
}

static const struct rf_feature_options bucketed = {
        .numbers = TEXTS("age", "y"),
        .buckets = BUCKETS({.field = "amount", .scale = RF_BUCKET_LOG, .width = 1}, {.field = "age", .width = 10},
                           {.field = "hour", .kind = RF_BUCKET_INTERPOLATED, .width = 6, .plain = true}),
};

static void feature_puts_numbers_into_buckets(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &bucketed, RF_TASK_REGRESSION, 1);
    flow_expects(&flow, "{\"amount\":20,\"age\":37,\"hour\":7.5}",
                 "amount 7.38906 to 20.0855=1, age=37, age 30 to 40=1, hour=7.5, hour at 6=0.75, hour at 12=0.25");
    flow_check_feature(&flow, 1, RF_NUMBER, "age", name_hash("age"), 37);
    const struct rf_bucket third = {1, 3, 1};
    flow_check_feature(&flow, 2, RF_CATEGORY, "age", rf_feature_bucket_hash(rf_hash_key_of_seed(1), name_hash("age"), &third), 1);
    uint64_t hash = flow.examples.hash[2];
    flow_expects(&flow, "{\"age\":30}", "age=30, age 30 to 40=1");
    assert_int_equal(flow.examples.hash[1], hash);
    flow_expects(&flow, "{\"age\":true,\"amount\":0,\"hour\":12}", "age=1, age 0 to 10=1, amount at 0=1, hour=12, hour at 12=1");
    flow_expects(&flow, "{\"amount\":-20}", "amount -7.38906 to -20.0855=1");
    flow_refuses(&flow, "{\"amount\":\"much\"}", RF_REASON_TYPE, "field amount is \"much\", must be a number");
    flow_finish(&flow);
}

static void feature_tells_buckets_of_edges(void **state) {
    (void)state;
    double edges[] = {0, 18, 65};
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.buckets = BUCKETS({.field = "age", .edges = {edges, 3}})}, RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"age\":-1}", "age below 0=1");
    flow_expects(&flow, "{\"age\":18}", "age 18 to 65=1");
    flow_expects(&flow, "{\"age\":65,\"city\":\"Bern\"}", "age 65 or more=1, city=1"); // the rest is taken as before
    flow_finish(&flow);
}

static void feature_takes_crossed_fields_as_they_are_written(void **state) {
    (void)state;
    struct rf_texts sides = TEXTS("hour", "customer");
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.categories = TEXTS("customer"), .crosses = {&sides, 1}}, RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"hour\":7,\"customer\":7,\"z\":1}", "hour=7, customer 7=1");
    flow_check_feature(&flow, 0, RF_NUMBER, "hour", name_hash("hour"), 7);
    flow_expects(&flow, "{\"hour\":\"seven\"}", "hour seven=1");
    flow_check_feature(&flow, 0, RF_CATEGORY, "hour", category_hash("hour", "seven"), 1);
    flow_finish(&flow);
}

static void feature_says_what_is_missing(void **state) {
    (void)state;
    struct rf_texts sides = TEXTS("hour", "city");
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){
                      .id = "id",
                      .label = "y",
                      .numbers = TEXTS("a"),
                      .categories = TEXTS("city"),
                      .texts = TEXTS("t"),
                      .ignore = TEXTS("z"),
                      .buckets = BUCKETS({.field = "b", .width = 1, .plain = true}),
                      .crosses = {&sides, 1},
                      .missing = RF_MISSING_INDICATOR,
              },
              RF_TASK_BINARY, 2);
    flow_expects(&flow, "{}", "a missing=1, city missing=1, t missing=1, b missing=1, hour missing=1");
    flow_check_feature(&flow, 0, RF_CATEGORY, "a", rf_feature_missing_hash(rf_hash_key_of_seed(1), name_hash("a")), 1);
    flow_expects(&flow, "{\"t\":\"\",\"city\":null,\"b\":0.5,\"hour\":1,\"a\":0}",
                 "b=0.5, b 0 to 1=1, hour=1, a=0, city missing=1");
    assert_int_equal(rf_schema_features_max(flow.fixture.schema, 4096), RF_SCHEMA_FEATURES_MAX);
    flow_finish(&flow);
    // Of fields that are not named nothing is known, so nothing of them is missing.
    flow_init(&flow, &(struct rf_feature_options){.label = "y", .missing = RF_MISSING_INDICATOR}, RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"y\":null,\"x\":null}", "");
    flow_finish(&flow);
}

static void feature_knows_how_many_there_may_be(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &bucketed, RF_TASK_REGRESSION, 1);
    assert_int_equal(rf_schema_features_max(flow.fixture.schema, 100), 100 + 2 * 3);
    assert_int_equal(rf_schema_features_max(flow.fixture.schema, 65536), RF_SCHEMA_FEATURES_MAX);
    flow_finish(&flow);
    flow_init(&flow, &(struct rf_feature_options){.numbers = TEXTS("a", "b"), .missing = RF_MISSING_INDICATOR}, RF_TASK_BINARY,
              2);
    assert_int_equal(rf_schema_features_max(flow.fixture.schema, 100), 102);
    flow_finish(&flow);
}

// Features are a pure function of the record: the same bytes give the same example, whatever came before.
static void feature_depends_on_the_record_alone(void **state) {
    (void)state;
    static const char *const records[] = {
            "{\"id\":\"1\",\"t\":\"a b c\",\"n\":0.5,\"x\":1}",
            "{\"x\":\"one\",\"t\":\"C B\",\"n\":-3,\"v\":[1,2]}",
            "{\"n\":\"wrong\",\"t\":\"q\"}",
            "{}",
            "{\"u\":4,\"t\":\"\",\"n\":null}",
            "{\"t\":\"a b c d e f g h i j k l m n o p q\"}",
    };
    enum { COUNT = sizeof records / sizeof records[0] };
    struct rf_texts sides = TEXTS("n", "x");
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){
                      .id = "id",
                      .categories = TEXTS("id"),
                      .texts = TEXTS("t"),
                      .ngrams = 2,
                      .buckets = BUCKETS({.field = "n", .kind = RF_BUCKET_INTERPOLATED, .width = 2}),
                      .crosses = {&sides, 1},
                      .missing = RF_MISSING_INDICATOR,
              },
              RF_TASK_BINARY, 2);
    for (size_t before = 0; before < COUNT; before++) {
        for (size_t i = 0; i < COUNT; i++) {
            struct rf_examples *examples = &flow.examples;
            rf_examples_reset(examples, rf_schema_count(flow.fixture.schema));
            enum rf_status alone = flow_append(&flow, records[i]);
            uint64_t hash[FLOW_FEATURES];
            double value[FLOW_FEATURES];
            uint32_t field[FLOW_FEATURES];
            size_t count = alone ? 0 : examples->row_start[1];
            memcpy(hash, examples->hash, count * sizeof *hash);
            memcpy(value, examples->value, count * sizeof *value);
            memcpy(field, examples->field, count * sizeof *field);
            rf_examples_reset(examples, rf_schema_count(flow.fixture.schema));
            size_t first = flow_append(&flow, records[before]) ? 0 : 1;
            size_t begin = examples->row_start[first];
            enum rf_status after = flow_append(&flow, records[i]);
            if (after == RF_FULL) {
                continue; // for the next batch
            }
            assert_int_equal(after, alone);
            assert_int_equal(alone ? 0 : examples->row_start[first + 1] - begin, count);
            assert_memory_equal(examples->hash + begin, hash, count * sizeof *hash);
            assert_memory_equal(examples->value + begin, value, count * sizeof *value);
            assert_memory_equal(examples->field + begin, field, count * sizeof *field);
        }
    }
    flow_finish(&flow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(feature_makes_one_of_every_gram),
            cmocka_unit_test(feature_rejects_a_text_of_too_many_grams),
            cmocka_unit_test(feature_has_a_limit_that_no_batch_changes),
            cmocka_unit_test(feature_rejects_what_learners_have_no_room_for),
            cmocka_unit_test(feature_puts_numbers_into_buckets),
            cmocka_unit_test(feature_tells_buckets_of_edges),
            cmocka_unit_test(feature_takes_crossed_fields_as_they_are_written),
            cmocka_unit_test(feature_says_what_is_missing),
            cmocka_unit_test(feature_knows_how_many_there_may_be),
            cmocka_unit_test(feature_depends_on_the_record_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
