#include "ingest/record_field.h"
#include "tests/ingest/decode_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static const struct rf_decoder_options plain = {.envelope = RF_ENVELOPE_CLOUDEVENTS};
static const struct rf_feature_options features = {
        .id = "ce_id", .time = "ce_time", .label = "y", .numbers = TEXTS("a", "ce_risk"), .categories = TEXTS("ce_type")};

#define HEADER(name, value)          \
    {                                \
        {name, sizeof(name) - 1}, {  \
            value, sizeof(value) - 1 \
        }                            \
    }
#define REQUIRED \
    HEADER("ce_specversion", "1.0"), HEADER("ce_type", "payment"), HEADER("ce_source", "/shop"), HEADER("ce_id", "t-1")
#define ATTRIBUTES "\"specversion\":\"1.0\",\"type\":\"payment\",\"source\":\"/shop\",\"id\":\"t-1\""

static const char *decode(struct decode_fixture *fixture, const struct rf_header *headers, size_t count, const char *value) {
    struct rf_record record = {
            .value = rf_text_of(value), .timestamp_ms = -1, .headers = headers, .header_count = (uint32_t)count};
    return fixture_decode_record(fixture, &record);
}

#define DECODE(fixture, value, ...)                                                                                              \
    decode(fixture, (const struct rf_header[]){__VA_ARGS__}, sizeof(struct rf_header[]){__VA_ARGS__} / sizeof(struct rf_header), \
           value)

static void both_modes_give_the_same_fields(void **state) {
    (void)state;
    static const char words[] = "a=2 y=1 ce_id=\"t-1\" ce_type=\"payment\" ce_time=\"2026-11-22T08:30:00Z\" ce_risk=5";
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &features, &plain);
    assert_true(rf_decoder_wants_headers(&plain));
    assert_string_equal(DECODE(&fixture, "{\"a\":2,\"y\":1}", REQUIRED, HEADER("ce_time", "2026-11-22T08:30:00Z"),
                               HEADER("ce_risk", "5"), HEADER("content-type", "application/json"), HEADER("traceparent", "00")),
                        words);
    static const char envelope[] =
            "{" ATTRIBUTES ",\"time\":\"2026-11-22T08:30:00Z\",\"risk\":5,\"subject\":null,\"datacontenttype\":"
            "\"application/json\",\"data\":{\"a\":2,\"y\":1}}";
    static const struct rf_header types[] = {
            HEADER("content-type", "application/cloudevents+json"),
            HEADER("content-type", "Application/CloudEvents+JSON; charset=UTF-8"),
    };
    assert_string_equal(decode(&fixture, &types[0], 1, envelope), words);
    assert_string_equal(decode(&fixture, &types[1], 1, envelope), words);
    assert_string_equal(fixture_decode_text(&fixture, envelope), words); // a file
    assert_string_equal(DECODE(&fixture, envelope, HEADER("traceparent", "00")), words);
    assert_string_equal(DECODE(&fixture, envelope, REQUIRED, HEADER("ce_risk", "9"), // the binding allows the headers beside it
                               HEADER("content-type", "application/cloudevents+json")),
                        words);
    fixture_finish(&fixture);
}

static void attributes_come_in_any_order_and_spelling(void **state) {
    (void)state;
    struct decode_fixture fixture;
    const struct rf_feature_options rest = {.label = "y", .categories = TEXTS("ce_flag", "ce_datacontenttype")};
    fixture_init(&fixture, "json", &rest, &plain);
    EXPECT(&fixture,
           {" { \"data\" : {\"y\": 1} , \"flag\": true, \"id\":\"\\u0061\", "
            "\"source\":\"s\",\"type\":\"t\",\"specversion\":\"1.0\"} ",
            "y=1 ce_datacontenttype=null ce_flag=\"true\""},
           {"{" ATTRIBUTES ",\"fl\\u0061g\":\"x\\ny\",\"data\":{\"y\":1}}", "y=1 ce_datacontenttype=null ce_flag=\"x\ny\""},
           {"{" ATTRIBUTES ",\"flag\":null,\"datacontenttype\":\"text/json\",\"data\":{\"y\":1}}",
            "y=1 ce_datacontenttype=\"text/json\" ce_flag=null"},
           {"{" ATTRIBUTES ",\"flag\":-12,\"datacontenttype\":null,\"data_base64\":\"eyJ5IjoxfQ==\"}",
            "y=1 ce_datacontenttype=null ce_flag=\"-12\""});
    assert_string_equal(DECODE(&fixture, "{\"y\":0}", REQUIRED, HEADER("ce_flag", "1"), HEADER("ce_flag", "2"),
                               HEADER("content-type", "application/vnd.x+json")),
                        "y=0 ce_datacontenttype=\"application/vnd.x+json\" ce_flag=\"2\"");
    fixture_finish(&fixture);
}

static void libraries_give_events_the_type_of_their_data(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y", .categories = TEXTS("ce_datacontenttype")}, &plain);
    assert_string_equal(DECODE(&fixture, "{" ATTRIBUTES ",\"data\":{\"y\":1}}", HEADER("content-type", "application/json")),
                        "y=1 ce_datacontenttype=\"application/json\"");
    assert_string_equal(DECODE(&fixture, "{" ATTRIBUTES ",\"data\":\"{\\\"y\\\":1}\"}", HEADER("content-type", "text/plain")),
                        "y=1 ce_datacontenttype=\"text/plain\"");
    assert_string_equal(
            DECODE(&fixture, "{" ATTRIBUTES ",\"datacontenttype\":\"a/json\",\"data\":{}}", HEADER("content-type", "b")),
            "ce_datacontenttype=\"a/json\"");
    assert_string_equal(DECODE(&fixture, "{" ATTRIBUTES ",\"data\":{}}", HEADER("content-type", "\xff")),
                        "encoding: field ce_datacontenttype: byte 0 of the header is \\xff, must be UTF-8 text");
    fixture_finish(&fixture);
}

static void attributes_that_nobody_names_are_no_fields(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"}, &plain); // every field is a feature
    assert_string_equal(DECODE(&fixture, "{\"y\":1,\"b\":2}", REQUIRED, HEADER("ce_x", "\xff")), "y=1 b=2");
    EXPECT(&fixture, {"{" ATTRIBUTES ",\"x\":1,\"data\":{\"y\":1,\"b\":2}}", "y=1 b=2"});
    fixture_finish(&fixture);
}

static void data_is_a_text_or_bytes_for_other_formats(void **state) {
    (void)state;
    const struct rf_feature_options few = {.id = "ce_id", .label = "y", .texts = TEXTS("ce_note"), .numbers = TEXTS("a")};
    const struct rf_feature_options sparse = {.id = "ce_id", .label = "y", .texts = TEXTS("ce_note")};
    struct decode_fixture fixture;
    fixture_init(&fixture, "csv", &few, &(struct rf_decoder_options){.columns = TEXTS("a", "y"), .envelope = plain.envelope});
    EXPECT(&fixture, {"{" ATTRIBUTES ",\"datacontenttype\":\"text/csv\",\"data\":\"2,1\"}", "a=2 y=1 ce_id=\"t-1\" ce_note=null"},
           {"{" ATTRIBUTES ",\"note\":\"n\",\"data\":\"\\u0032,1\\r\\n\"}", "a=2 y=1 ce_id=\"t-1\" ce_note=\"n\""},
           {"{" ATTRIBUTES ",\"data_base64\":\"MiwxCg==\"}", "a=2 y=1 ce_id=\"t-1\" ce_note=null"},
           {"{" ATTRIBUTES ",\"data\":{\"a\":2}}",
            "type: data is {\"a\":2}, must be a text, or data_base64: the format of the data is csv"},
           {"{" ATTRIBUTES ",\"data\":\"2\"}", "undecodable: data: has 1 columns, must be 2"});
    assert_string_equal(DECODE(&fixture, "2,1", REQUIRED, HEADER("ce_note", "n")), "a=2 y=1 ce_id=\"t-1\" ce_note=\"n\"");
    fixture_finish(&fixture);
    fixture_init(&fixture, "vw", &sparse, &plain);
    EXPECT(&fixture, {"{" ATTRIBUTES ",\"note\":\"n\",\"data\":\"1 |\"}", "y=1 ce_id=\"t-1\" ce_note=\"n\""});
    fixture_finish(&fixture);
    fixture_init(&fixture, "protobuf", &few, &plain);
    EXPECT(&fixture,
           {"{" ATTRIBUTES ",\"data_base64\":\"CgF4\"}", // an id of its own
            "duplicate_field: field ce_id stands in the data and is an attribute too, must stand once"},
           {"{" ATTRIBUTES ",\"data\":\"CgF4\"}",
            "type: data is \"CgF4\", must be data_base64: the format of the data is protobuf"});
    fixture_finish(&fixture);
    char *record = calloc(1, 200000);
    assert_non_null(record);
    int size = snprintf(record, 200000, "{" ATTRIBUTES ",\"datacontenttype\":\"text/plain\",\"data\":\"1 |");
    memset(record + size, ' ', 100000); // longer than a field may be
    strcpy(record + size + 100000, "\"}");
    fixture_init(&fixture, "vw", &sparse, &plain);
    assert_string_equal(fixture_decode_text(&fixture, record), "y=1 ce_id=\"t-1\" ce_note=null");
    fixture_finish(&fixture);
    free(record);
}

static void what_is_json_says_the_content_type(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"}, &plain);
    EXPECT(&fixture, {"{" ATTRIBUTES ",\"datacontenttype\":\"text/plain\",\"data\":\"{\\\"y\\\":1}\"}", "y=1"},
           {"{" ATTRIBUTES ",\"datacontenttype\":\"application/json \\t; charset=utf-8\",\"data\":{\"y\":1}}", "y=1"},
           {"{" ATTRIBUTES ",\"datacontenttype\":\"application/x+json\",\"data\":\"{}\"}",
            "undecodable: data: byte 0 is '\"', must be '{'"},
           {"{" ATTRIBUTES ",\"data\":\"{\\\"y\\\":1}\"}", "undecodable: data: byte 0 is '\"', must be '{'"},
           {"{" ATTRIBUTES ",\"datacontenttype\":\"json\",\"data\":{\"y\":1}}",
            "type: data is {\"y\":1}, must be a text, or data_base64: the format of the data is json"},
           {"{" ATTRIBUTES ",\"data\":{\"y\":1,\"y\":2}}", "duplicate_field: data: field y stands twice, must stand once"});
    fixture_finish(&fixture);
}

static void an_event_has_what_every_event_has(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"}, &plain);
#define EVERY ": every CloudEvent has an id, source, specversion and type"
    EXPECT(&fixture, {"{}", "undecodable: attribute id is missing" EVERY},
           {"{\"id\":\"1\",\"type\":\"t\",\"specversion\":\"1.0\"}", "undecodable: attribute source is missing" EVERY},
           {"{\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"specversion\":null}",
            "undecodable: attribute specversion is missing" EVERY},
           {"{\"id\":\"1\",\"source\":\"s\",\"type\":\"\",\"specversion\":\"1.0\"}",
            "undecodable: attribute type is empty" EVERY},
           {"{\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"specversion\":\"0.3\"}",
            "undecodable: attribute specversion is \"0.3\", must be 1.0"},
           {"{\"id\":7,\"source\":\"s\",\"type\":\"t\",\"specversion\":\"1.0\"}", "type: attribute id is 7, must be a text"},
           {"{" ATTRIBUTES "}", "empty: has no data"}, {"{" ATTRIBUTES ",\"data\":null}", "empty: has no data"});
    assert_string_equal(DECODE(&fixture, "{}", HEADER("ce_id", "1")), "undecodable: header ce_source is missing" EVERY);
    assert_string_equal(DECODE(&fixture, "{}", HEADER("content-type", "application/json")),
                        "undecodable: attribute id is missing" EVERY);
    assert_string_equal(DECODE(&fixture, "{}", REQUIRED, HEADER("ce_type", "")), "undecodable: header ce_type is empty" EVERY);
    assert_string_equal(DECODE(&fixture, "{}", REQUIRED, HEADER("ce_specversion", "2.0")),
                        "undecodable: header ce_specversion is \"2.0\", must be 1.0");
    assert_string_equal(DECODE(&fixture, "", REQUIRED), "empty: has a value of 0 bytes");
    fixture_finish(&fixture);
}

static void an_envelope_that_is_none_is_rejected(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y", .numbers = TEXTS("ce_risk")},
                 &(struct rf_decoder_options){.limits = {.fields = 6, .field_bytes = 32}, .envelope = plain.envelope});
    EXPECT(&fixture, {"[]", "undecodable: byte 0 is '[', must be '{'"},
           {"{1", "undecodable: byte 1 is '1', must be a name in quotes"},
           {"{\"id\" 1}", "undecodable: byte 6 is '1', must be ':'"},
           {"{\"id\":\"1\";", "undecodable: byte 9 is ';', must be ',' or '}'"},
           {"{" ATTRIBUTES ",\"data\":{}} x", "undecodable: byte 77 is 'x', must be the end"},
           {"{" ATTRIBUTES ",\"data\":{\"a\":[}}", "undecodable: byte 79 is '}', must be a value"},
           {"{" ATTRIBUTES ",\"data\":{},\"id\":\"2\"}", "duplicate_field: attribute id stands twice, must stand once"},
           {"{" ATTRIBUTES ",\"data\":{},\"data\":{}}", "duplicate_field: attribute data stands twice, must stand once"},
           {"{" ATTRIBUTES ",\"data\":{},\"data_base64\":\"e30=\"}",
            "duplicate_field: has data and data_base64, must have one of the two"},
           {"{" ATTRIBUTES ",\"data_base64\":{}}", "type: data_base64 is no text, must be one, of base64"},
           {"{" ATTRIBUTES ",\"data_base64\":\"e30\"}", "undecodable: data_base64 is no base64: it has 3 characters, \"e30\""},
           {"{" ATTRIBUTES ",\"data_base64\":\"e3=0\"}", "undecodable: data_base64 is no base64: it has 4 characters, \"e3=0\""},
           {"{" ATTRIBUTES ",\"data_base64\":\"\"}", "empty: data: has a value of 0 bytes"},
           {"{" ATTRIBUTES ",\"x\":{\"a\":1}}", "type: attribute x is an object, must be a text, a number, true, false or null"},
           {"{" ATTRIBUTES ",\"x\":[]}", "type: attribute x is an array, must be a text, a number, true, false or null"},
           {"{" ATTRIBUTES ",\"risk\":\"inf\",\"data\":{}}", "non_finite: field ce_risk: inf is not finite"},
           {"{" ATTRIBUTES ",\"data\":{\"ce_risk\":1}}",
            "duplicate_field: field ce_risk stands in the data and is an attribute too, must stand once"},
           {"{" ATTRIBUTES ",\"x\":1,\"z\":2,\"data\":{}}", "limit: has more than 6 attributes"});
    assert_string_equal(DECODE(&fixture, "{}", HEADER("content-type", "application/cloudevents+avro")),
                        "undecodable: the content-type is application/cloudevents+avro, must be application/cloudevents+json");
    assert_string_equal(
            DECODE(&fixture, "[]", HEADER("content-type", "application/cloudevents-batch+json")),
            "undecodable: the content-type is application/cloudevents-batch+json, must be application/cloudevents+json");
    assert_string_equal(DECODE(&fixture, "{}", HEADER("content-type", "application/cloudevents+jsonx")),
                        "undecodable: the content-type is application/cloudevents+jsonx, must be application/cloudevents+json");
    assert_string_equal(DECODE(&fixture, "{}", REQUIRED, HEADER("ce_risk", "\xff")),
                        "encoding: field ce_risk: byte 0 of the header is \\xff, must be UTF-8 text");
    assert_string_equal(DECODE(&fixture, "{}", REQUIRED, HEADER("ce_id", "123456789012345678901234567890123")),
                        "limit: field ce_id: the header has 33 bytes, at most 32 are taken");
    assert_string_equal(decode(&fixture, NULL, 300, "{}"), "limit: has 300 headers, at most 256 are taken");
    assert_string_equal(decode(&fixture, NULL, RF_RECORD_HEADERS_UNREADABLE, "{}"), "undecodable: has headers that are damaged");
    fixture_finish(&fixture);
}

static void framed_data_is_the_value(void **state) {
    (void)state;
    struct decode_fixture fixture;
    const struct rf_decoder_options framed = {.framing = RF_FRAMING_CONFLUENT, .envelope = plain.envelope};
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"}, &framed);
    static const struct rf_header headers[] = {REQUIRED};
    struct rf_record record = {.value = {"\0\0\0\0\7{\"y\":1}", 12}, .timestamp_ms = -1, .headers = headers, .header_count = 4};
    struct rf_error err;
    assert_int_equal(rf_decoder_resolve(fixture.decoder, &record, 0, 0, &err), RF_OK);
    assert_string_equal(fixture_decode_record(&fixture, &record), "y=1");
    record = (struct rf_record){.value = rf_text_of("{" ATTRIBUTES ",\"data\":{\"y\":1}}"), .timestamp_ms = -1};
    assert_int_equal(rf_decoder_resolve(fixture.decoder, &record, 0, 0, &err), RF_OK);
    assert_string_equal(
            fixture_decode_record(&fixture, &record),
            "undecodable: is an event in structured mode, must be one in binary mode: with source.framing the data is the "
            "value");
    fixture_finish(&fixture);
}

static void fields_stand_beside_an_envelope_too(void **state) {
    (void)state;
    struct rf_pair pair = {.name = (char *)(uintptr_t) "shop", .value = (char *)(uintptr_t) "header.shop"};
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y", .categories = TEXTS("shop", "ce_type")},
                 &(struct rf_decoder_options){.fields = {&pair, 1}, .envelope = plain.envelope});
    assert_string_equal(DECODE(&fixture, "{\"y\":1}", REQUIRED, HEADER("shop", "Z")), "y=1 ce_type=\"payment\" shop=\"Z\"");
    fixture_finish(&fixture);
}

static void attributes_come_on_top_of_the_fields_that_are_limited(void **state) {
    (void)state;
    struct decode_fixture fixture;
    const struct rf_decoder_options options = {.limits = {.fields = 3}, .envelope = plain.envelope};
    fixture_init(&fixture, "json", &(struct rf_feature_options){.categories = TEXTS("tags", "ce_type", "ce_source")}, &options);
    assert_string_equal(DECODE(&fixture, "{\"tags\":[1,2,3]}", REQUIRED),
                        "tags=1 tags=2 tags=3 ce_source=\"/shop\" ce_type=\"payment\"");
    assert_int_equal(fixture.event.count, 5);
    assert_true(rf_decoder_fields_max(&options, fixture.schema) >= 5);
    fixture_finish(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(both_modes_give_the_same_fields),
            cmocka_unit_test(attributes_come_in_any_order_and_spelling),
            cmocka_unit_test(libraries_give_events_the_type_of_their_data),
            cmocka_unit_test(attributes_that_nobody_names_are_no_fields),
            cmocka_unit_test(data_is_a_text_or_bytes_for_other_formats),
            cmocka_unit_test(what_is_json_says_the_content_type),
            cmocka_unit_test(an_event_has_what_every_event_has),
            cmocka_unit_test(an_envelope_that_is_none_is_rejected),
            cmocka_unit_test(framed_data_is_the_value),
            cmocka_unit_test(fields_stand_beside_an_envelope_too),
            cmocka_unit_test(attributes_come_on_top_of_the_fields_that_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
