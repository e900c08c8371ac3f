// Dense records: the vector of an example from JSON, CSV and Protocol Buffers.
#include "tests/ingest/feature_fixture.h"

#include <math.h>
#include <riffle.pb-c.h>
#include <stdlib.h>

static const struct rf_feature_options options = {
        .label = "y",
        .vector = {.field = "pixels", .size = 3, .divide = 2},
};

static void init(struct flow *flow, const char *format, const struct rf_feature_options *features,
                 const struct rf_decoder_options *decoder_options) {
    flow_init(flow, features, RF_TASK_BINARY, 2);
    fixture_finish(&flow->fixture);
    fixture_init(&flow->fixture, format, features, decoder_options);
}

static void expect(struct flow *flow, const char *record, float a, float b, float c) {
    flow_takes(flow, record);
    const float wanted[] = {a, b, c};
    assert_memory_equal(flow->examples.vector, wanted, sizeof wanted);
}

static void vector_is_a_json_array(void **state) {
    (void)state;
    struct flow flow;
    init(&flow, "json", &options, &(struct rf_decoder_options){.limits = {.fields = 2}});
    expect(&flow, "{\"pixels\":[1,-2.5,3e2],\"y\":1}", 0.5F, -1.25F, 150);
    expect(&flow, "{\"y\":0,\"pixels\": [ 0 ,\n0.1\t, -0 ] }", 0, (float)(0.1 / 2), -0.0F);
    expect(&flow, "{\"pixels\":\"4 6;8\"}", 2, 3, 4);
    assert_int_equal(flow.examples.row_start[1], 0);
    assert_true(flow.examples.label[0] != flow.examples.label[0]);
    flow_finish(&flow);
}

static void vector_must_be_whole_and_finite(void **state) {
    (void)state;
    struct flow flow;
    init(&flow, "json", &options, &(struct rf_decoder_options){0});
    flow_refuses(&flow, "{\"y\":1}", RF_REASON_TYPE, "has no field pixels, must have it with 3 numbers");
    flow_refuses(&flow, "{\"pixels\":null}", RF_REASON_TYPE, "has no field pixels, must have it with 3 numbers");
    flow_refuses(&flow, "{\"pixels\":[]}", RF_REASON_TYPE, "field pixels has 0 numbers, must have 3");
    flow_refuses(&flow, "{\"pixels\":[1,2]}", RF_REASON_TYPE, "field pixels has 2 numbers, must have 3");
    flow_refuses(&flow, "{\"pixels\":[1,2,3,4]}", RF_REASON_TYPE, "field pixels has more than 3 numbers, must have 3");
    flow_refuses(&flow, "{\"pixels\":7}", RF_REASON_TYPE, "field pixels has 1 numbers, must have 3");
    flow_refuses(&flow, "{\"pixels\":[1,\"2\",3]}", RF_REASON_TYPE, "field pixels: number 1 is \"2\", must be a number");
    flow_refuses(&flow, "{\"pixels\":[1,null,3]}", RF_REASON_TYPE, "field pixels: number 1 is null, must be a number");
    flow_refuses(&flow, "{\"pixels\":[[1,2,3]]}", RF_REASON_TYPE, "field pixels: number 0 is [1, must be a number");
    flow_refuses(&flow, "{\"pixels\":[1,{\"a\":2},3]}", RF_REASON_TYPE, "field pixels: number 1 is {\"a\":2}, must be a number");
    flow_refuses(&flow, "{\"pixels\":true}", RF_REASON_TYPE, "field pixels: number 0 is true, must be a number");
    flow_refuses(&flow, "{\"pixels\":[1,2,1e39]}", RF_REASON_NON_FINITE,
                 "field pixels: number 2, 1e39, is not finite as a float");
    flow_refuses(&flow, "{\"pixels\":[-1e999,2,3]}", RF_REASON_NON_FINITE,
                 "field pixels: number 0, -1e999, is not finite as a float");
    flow_finish(&flow);
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &options, &(struct rf_decoder_options){.limits = {.depth = 2}});
    EXPECT(&fixture, {"{\"pixels\":[1,2}", "undecodable: byte 14 is '}', must be ',' or ']'"},
           {"{\"pixels\":[[[1]]]}", "limit: byte 12 begins a nesting of depth 3, at most 2 are taken"},
           {"{\"pixels\":{}}", "type: field pixels is an object, must be a number, a text, true, false or null"},
           {"{\"pixels\":[ 1, 2 ],\"y\":0}", "pixels=[ 1, 2 ] y=0"});
    fixture_finish(&fixture);
}

static void vector_is_what_was_read_last(void **state) {
    (void)state;
    struct flow flow;
    init(&flow, "json", &options, &(struct rf_decoder_options){0});
    flow_takes(&flow, "{\"pixels\":[2,2,2]}");
    flow_refuses(&flow, "{\"pixels\":[8,8,\"\"]}", RF_REASON_TYPE, "field pixels: number 2 is \"\", must be a number");
    assert_int_equal(flow_append(&flow, "{\"pixels\":[4,6,8]}"), RF_OK);
    const float wanted[] = {1, 1, 1, 2, 3, 4};
    assert_memory_equal(flow.examples.vector, wanted, sizeof wanted);
    flow_finish(&flow);
}

static void vector_is_a_csv_field(void **state) {
    (void)state;
    struct flow flow;
    init(&flow, "csv", &options, &(struct rf_decoder_options){.columns = TEXTS("pixels", "y")});
    expect(&flow, "2 4 6,1", 1, 2, 3);
    expect(&flow, "\"2, 4;\t+6 \",1", 1, 2, 3);
    flow_refuses(&flow, "2 nan 6,1", RF_REASON_TYPE, "field pixels: number 1 is nan, must be a number");
    flow_refuses(&flow, "2 4x 6,1", RF_REASON_TYPE, "field pixels: number 1 is 4x, must be a number");
    flow_refuses(&flow, ",1", RF_REASON_TYPE, "has no field pixels, must have it with 3 numbers");
    flow_finish(&flow);
    struct rf_schema *schema;
    struct rf_decoder *decoder;
    struct rf_error err = {0};
    assert_int_equal(rf_schema_create(&options, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    assert_int_equal(rf_decoder_csv_create(schema, &(struct rf_decoder_options){.columns = TEXTS("y")}, &decoder, &err),
                     RF_INVALID);
    assert_string_equal(err.text, "feature pixels is in none of the 1 csv columns, must be the name of one");
    rf_schema_destroy(schema);
}

static enum rf_status append_message(struct flow *flow, const Riffle__V1__Example *message) {
    uint8_t bytes[256];
    size_t size = riffle__v1__example__pack(message, bytes);
    assert_true(size <= sizeof bytes);
    struct decode_fixture *fixture = &flow->fixture;
    struct rf_record record = {.value = {(const char *)bytes, size}, .timestamp_ms = -1};
    rf_arena_reset(&fixture->arena);
    assert_int_equal(rf_decoder_decode(fixture->decoder, &record, &fixture->arena, &fixture->event, &fixture->error), RF_OK);
    rf_examples_reset(&flow->examples, rf_schema_count(fixture->schema));
    return rf_feature_append(fixture->schema, flow->task, flow->classes, &fixture->event, &record, &flow->examples,
                             &fixture->error);
}

static void vector_is_a_field_of_the_message(void **state) {
    (void)state;
    float numbers[] = {2, 4.5F, -6, INFINITY};
    Riffle__V1__Example message = RIFFLE__V1__EXAMPLE__INIT;
    message.outcome_case = RIFFLE__V1__EXAMPLE__OUTCOME_LABEL;
    message.label = 1;
    message.vector = numbers;
    message.n_vector = 3;
    struct flow flow;
    init(&flow, "protobuf", &options, &(struct rf_decoder_options){.limits = {.fields = 2}});
    assert_int_equal(append_message(&flow, &message), RF_OK);
    const float wanted[] = {1, 2.25F, -3};
    assert_memory_equal(flow.examples.vector, wanted, sizeof wanted);
    message.n_vector = 0;
    assert_int_equal(append_message(&flow, &message), RF_INVALID);
    assert_string_equal(flow.fixture.error.detail, "has no field pixels, must have it with 3 numbers");
    message.n_vector = 2;
    assert_int_equal(append_message(&flow, &message), RF_INVALID);
    assert_string_equal(flow.fixture.error.detail, "field pixels has 2 numbers, must have 3");
    message.vector = numbers + 1;
    message.n_vector = 3;
    assert_int_equal(append_message(&flow, &message), RF_INVALID);
    assert_string_equal(flow.fixture.error.detail, "field pixels: number 2, inf, is not finite as a float");
    assert_int_equal(flow.fixture.error.reason, RF_REASON_NON_FINITE);
    flow_finish(&flow);
    // Where the schema has no vector, a vector is passed over.
    init(&flow, "protobuf", &(struct rf_feature_options){.label = "y"}, &(struct rf_decoder_options){0});
    assert_int_equal(append_message(&flow, &message), RF_OK);
    assert_int_equal(flow.examples.row_start[1], 0);
    flow_finish(&flow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(vector_is_a_json_array),           cmocka_unit_test(vector_must_be_whole_and_finite),
            cmocka_unit_test(vector_is_what_was_read_last),     cmocka_unit_test(vector_is_a_csv_field),
            cmocka_unit_test(vector_is_a_field_of_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
