// Fields of nested objects and arrays, by their paths.
#include "tests/ingest/feature_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static int set_up(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "json",
                 &(struct rf_feature_options){
                         .id = "meta.id",
                         .label = "y",
                         .numbers = TEXTS("pay.amount", "m.0.1", "items.0.n"),
                         .categories = TEXTS("pay.card.type", "items.sku", "tags"),
                         .texts = TEXTS("words.all"),
                         .ignore = TEXTS("pay", "meta.note"),
                 },
                 &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int set_up_limits(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.categories = TEXTS("a.b", "t")},
                 &(struct rf_decoder_options){.limits = {.record_bytes = 1000, .field_bytes = 10, .fields = 3, .depth = 3}});
    *state = &fixture;
    return 0;
}

static int set_up_vector(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.numbers = TEXTS("n"), .vector = {.field = "e.v", .size = 2}},
                 &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_finish(*state);
    return 0;
}

static void nested_members_are_fields(void **state) {
    EXPECT(*state,
           {"{\"pay\":{\"amount\":12.50,\"card\":{\"type\":\"debit\",\"x\":[]}},\"y\":1}",
            "pay.amount=12.5 pay.card.type=\"debit\" y=1"},
           {" { \"meta\" : { \"note\" : {\"a\":[1]} , \"id\" : \"t-1\" } } ", "meta.id=\"t-1\""},
           {"{\"pay\":{\"amount\":null,\"card\":null}}", "pay.amount=null"}, {"{\"pay\":{}}", ""}, {"{\"pay\":7,\"m\":true}", ""},
           {"{\"pay\":null,\"items\":\"x\"}", ""}, {"{\"amount\":1,\"card\":{\"type\":2},\"x\":{\"pay\":{\"amount\":3}}}", ""},
           {"{\"pay\":{\"pay\":{\"amount\":1},\"\":{\"amount\":2}}}", ""},
           {"{\"pay\":{\"\\u0061mount\":\"a\\tb\"}}", "pay.amount=\"a\tb\""});
}

static void nested_arrays_are_walked(void **state) {
    EXPECT(*state,
           {"{\"items\":[{\"sku\":\"a\",\"n\":1},{\"n\":2,\"sku\":\"b\"},{\"x\":0},{},7,null,[{\"sku\":\"c\",\"n\":3}]]}",
            "items.sku=\"a\" items.0.n=1 items.sku=\"b\" items.sku=\"c\""},
           {"{\"items\":{\"sku\":\"one\",\"0\":{\"n\":4}}}", "items.sku=\"one\" items.0.n=4"},
           {"{\"tags\":[\"new\",3,true,null]}", "tags=\"new\" tags=3 tags=true tags=null"},
           {"{\"tags\":\"new\"}", "tags=\"new\""}, {"{\"tags\":[]}", ""},
           {"{\"tags\":[[],[\"a\",[\"b\"]]]}", "tags=\"a\" tags=\"b\""}, {"{\"items\":[]}", ""},
           {"{\"m\":[[1,2],[3,4]]}", "m.0.1=2"}, {"{\"m\":[[1,[5,6]]]}", "m.0.1=5 m.0.1=6"}, {"{\"m\":[7,[3,4]]}", ""},
           {"{\"words\":{\"all\":[\"a b\",\"c\"]}}", "words.all=\"a b\" words.all=\"c\""},
           {"{\"words\":[{\"all\":\"a\"},{\"all\":[\"b\"]}]}", "words.all=\"a\" words.all=\"b\""},
           {"{\"pay\":[{\"amount\":1}]}", "pay.amount=1"}, {"{\"y\":[1]}", "y=1"});
}

static void nested_names_may_be_written_whole(void **state) {
    EXPECT(*state, {"{\"pay.amount\":1}", "pay.amount=1"}, {"{\"items.sku\":[\"a\",\"b\"]}", "items.sku=\"a\" items.sku=\"b\""},
           {"{\"pay\":{\"card.type\":1}}", ""}, {"{\"pay.card\":{\"type\":1}}", ""},
           {"{\"pay.amount\":1,\"pay\":{\"card\":{\"type\":\"x\"}}}", "pay.amount=1 pay.card.type=\"x\""},
           {"{\"pay.amount\":1,\"pay\":{\"amount\":2}}", "duplicate_field: field pay.amount stands twice, must stand once"},
           {"{\"pay\":{\"amount\":2},\"pay.amount\":1}", "duplicate_field: field pay.amount stands twice, must stand once"},
           {"{\"items\":[{\"sku\":null}],\"items.sku\":[]}", "duplicate_field: field items.sku stands twice, must stand once"},
           {"{\"pay\":{\"amount\":2}}", "pay.amount=2"}); // nothing is left of the records before
}

static void nested_members_stand_once(void **state) {
    EXPECT(*state, {"{\"pay\":{\"amount\":1,\"amount\":1}}", "duplicate_field: field pay.amount stands twice, must stand once"},
           {"{\"pay\":{\"card\":{},\"card\":{}}}", "duplicate_field: field pay.card stands twice, must stand once"},
           {"{\"items\":[{\"sku\":1},{\"sku\":1,\"s\\u006bu\":2}]}",
            "duplicate_field: field items.sku stands twice, must stand once"},
           {"{\"pay\":{\"x\":1,\"x\":2}}", ""}, {"{\"items\":[{\"sku\":1},{\"sku\":1}]}", "items.sku=1 items.sku=1"});
}

static void nested_values_must_be_scalars(void **state) {
    EXPECT(*state,
           {"{\"pay\":{\"amount\":{}}}", "type: field pay.amount is an object, must be a number, a text, true, false or null"},
           {"{\"tags\":[\"a\",{}]}", "type: field tags is an object, must be a number, a text, true, false or null"},
           {"{\"pay\":{\"amount\":1e400}}", "non_finite: field pay.amount: 1e400 is not finite"},
           {"{\"pay\":{\"other\":1e400}}", ""});
}

static void nested_grammar_is_checked(void **state) {
    EXPECT(*state, {"{\"pay\":{\"amount\":1]}", "undecodable: byte 18 is ']', must be ',' or '}'"},
           {"{\"pay\":{\"amount\":1,}}", "undecodable: byte 19 is '}', must be a text in quotes"},
           {"{\"pay\":{\"amount\" 1}}", "undecodable: byte 17 is '1', must be ':'"},
           {"{\"pay\":{\"amount\":}}", "undecodable: byte 17 is '}', must be a value"},
           {"{\"pay\":{\"other\":[1,}}", "undecodable: byte 19 is '}', must be a value"},
           {"{\"items\":[{\"sku\":1},]}", "undecodable: byte 20 is ']', must be a value"},
           {"{\"items\":[{\"sku\":1}}", "undecodable: byte 19 is '}', must be ',' or ']'"},
           {"{\"tags\":[1 2]}", "undecodable: byte 11 is '2', must be ',' or ']'"},
           {"{\"pay\":{amount:1}}", "undecodable: byte 8 is 'a', must be a text in quotes"},
           {"{\"pay\":{\"amo\xff\":1}}", "encoding: byte 12 is \\xff, must be UTF-8"});
}

static void nested_records_cut_anywhere_are_refused(void **state) {
    static const char record[] =
            "{\"items\":[{\"sku\":\"a\\n\",\"x\":[1]},{\"n\":2}],\"tags\":[\"a\",[1.5]],\"pay\":{\"card\":{\"type\":true}}}";
    for (size_t size = 1; size < strlen(record); size++) {
        const char *words = fixture_decode(*state, record, size);
        if (strncmp(words, "undecodable: ", 13) != 0) {
            fail_msg("%.*s\n  gives %s", (int)size, record, words);
        }
    }
    assert_string_equal(fixture_decode_text(*state, record), "items.sku=\"a\n\" tags=\"a\" tags=1.5 pay.card.type=true");
}

static void nested_records_keep_to_limits(void **state) {
    EXPECT(*state, {"{\"t\":[1,2,3]}", "t=1 t=2 t=3"}, {"{\"t\":[1,2,3,4]}", "limit: has more than 3 fields"},
           {"{\"t\":[1,2],\"a\":[{\"b\":1},{\"b\":2}]}", "limit: has more than 3 fields"}, {"{\"t\":[[[1]]]}", "t=1"},
           {"{\"t\":[[[[1]]]]}", "limit: byte 8 begins a nesting of depth 4, at most 3 are taken"},
           {"{\"a\":[{\"b\":[1],\"c\":[1]}]}", "a.b=1"},
           {"{\"a\":[{\"b\":1,\"c\":[[]]}]}", "limit: byte 18 begins a nesting of depth 4, at most 3 are taken"},
           {"{\"a\":{\"0123456789a\":1}}", "limit: the text at byte 7 has 11 bytes, at most 10 are taken"},
           {"{\"a\":{\"b\":\"0123456789a\"}}", "limit: the text at byte 11 has 11 bytes, at most 10 are taken"});
}

static void nested_vectors_are_taken_whole(void **state) {
    EXPECT(*state, {"{\"e\":{\"v\":[1,2.5]},\"n\":3}", "e.v=[1,2.5] n=3"}, {"{\"e\":[{\"v\":\"1 2\"},{\"x\":1}]}", "e.v=\"1 2\""},
           {"{\"e.v\":[1,2]}", "e.v=[1,2]"});
    struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    const struct rf_feature_options inside = {.numbers = TEXTS("v.0"), .vector = {.field = "v", .size = 2}};
    assert_int_equal(rf_schema_create(&inside, rf_hash_key_of_seed(1), &schema, &err), RF_INVALID);
    assert_string_equal(err.text, "field v.0 is in the vector, field v, must be beside it");
}

static void nested_names_need_no_arena(void **state) {
    struct decode_fixture *fixture = *state;
    static const char text[] = "{\"pay\":{\"\\u0078\":1,\"\\u0061mount\":2,\"y\":{\"\\u007a\":[]}}}";
    struct rf_record record = {.value = rf_text_of(text)};
    rf_arena_reset(&fixture->arena);
    assert_int_equal(rf_decoder_decode(fixture->decoder, &record, &fixture->arena, &fixture->event, &fixture->error), RF_OK);
    assert_int_equal(fixture->arena.used, 0);
    assert_int_equal(fixture->event.count, 1);
}

// Examples.

static void lists_give_a_feature_for_each_value(void **state) {
    (void)state;
    struct flow flow;
    struct rf_texts sides = TEXTS("tags", "hour");
    flow_init(&flow,
              &(struct rf_feature_options){
                      .label = "y",
                      .numbers = TEXTS("hour"),
                      .categories = TEXTS("tags", "items.sku"),
                      .texts = TEXTS("words"),
                      .ngrams = 2,
                      .crosses = {&sides, 1},
                      .missing = RF_MISSING_INDICATOR,
              },
              RF_TASK_BINARY, 2);
    flow_expects(
            &flow, "{\"tags\":[\"a\",null,\"b\",\"a\"],\"hour\":[7],\"items\":[{\"sku\":9}],\"words\":[\"x y\",\"z\"],\"y\":1}",
            "tags a=1, tags b=1, tags a=1, hour=7, items.sku 9=1, words \"x\"=1, words \"y\"=1, words \"x y\"=1, words \"z\"=1");
    flow_check_feature(&flow, 1, RF_CATEGORY, "tags", category_hash("tags", "b"), 1);
    flow_expects(&flow, "{\"tags\":[],\"hour\":1,\"items\":[null],\"words\":[null]}",
                 "hour=1, tags missing=1, items.sku missing=1, words missing=1");
    flow_finish(&flow);
}

static void lists_are_refused_where_one_value_is_wanted(void **state) {
    (void)state;
    struct flow flow;
    static double edges[] = {0};
    static struct rf_bucket_options buckets[] = {{.field = "b", .edges = {edges, 1}}};
    struct rf_texts sides = TEXTS("c", "crossed");
    flow_init(&flow,
              &(struct rf_feature_options){
                      .id = "id",
                      .time = "at",
                      .label = "y",
                      .weight = "w",
                      .numbers = TEXTS("n"),
                      .categories = TEXTS("c", "id"),
                      .buckets = {buckets, 1},
                      .crosses = {&sides, 1},
              },
              RF_TASK_BINARY, 2);
    static const char *const single[] = {"id", "at", "y", "w", "n", "b", "crossed"};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        char record[64], sentence[64];
        snprintf(record, sizeof record, "{\"%s\":[1,null,0,1]}", single[i]);
        snprintf(sentence, sizeof sentence, "field %s has 3 values, must have one", single[i]);
        flow_refuses(&flow, record, RF_REASON_TYPE, sentence);
        snprintf(record, sizeof record, "{\"%s\":[null,1]}", single[i]);
        flow_takes(&flow, record);
        rf_examples_reset(&flow.examples, rf_schema_count(flow.fixture.schema));
    }
    flow_takes(&flow, "{\"c\":[1,2]}");
    flow_finish(&flow);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            TEST(nested_members_are_fields),
            TEST(nested_arrays_are_walked),
            TEST(nested_names_may_be_written_whole),
            TEST(nested_members_stand_once),
            TEST(nested_values_must_be_scalars),
            TEST(nested_grammar_is_checked),
            TEST(nested_records_cut_anywhere_are_refused),
            cmocka_unit_test_setup_teardown(nested_records_keep_to_limits, set_up_limits, tear_down),
            cmocka_unit_test_setup_teardown(nested_vectors_are_taken_whole, set_up_vector, tear_down),
            TEST(nested_names_need_no_arena),
            cmocka_unit_test(lists_give_a_feature_for_each_value),
            cmocka_unit_test(lists_are_refused_where_one_value_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
