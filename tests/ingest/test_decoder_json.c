#include "tests/ingest/decode_fixture.h"

#include <stdio.h>
#include <stdlib.h>

// A schema of a few fields of every role.
static int set_up(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "json",
                 &(struct rf_feature_options){
                         .id = "id",
                         .label = "y",
                         .numbers = TEXTS("amount", "age"),
                         .categories = TEXTS("city", "na\xc3\xafve"),
                         .ignore = TEXTS("note"),
                 },
                 &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int set_up_rest(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y", .ignore = TEXTS("note")},
                 &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int set_up_limits(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y", .numbers = TEXTS("a")},
                 &(struct rf_decoder_options){.limits = {.record_bytes = 100, .field_bytes = 10, .fields = 3, .depth = 2}});
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_finish(*state);
    return 0;
}

static void json_delivers_the_wanted_fields_in_order(void **state) {
    EXPECT(*state, {"{\"city\":\"Bern\",\"amount\":12.5,\"y\":1,\"id\":\"t-7\"}", "city=\"Bern\" amount=12.5 y=1 id=\"t-7\""},
           {" \r\n\t{ \"amount\" : -0.5e-2 , \"y\" : true } \n", "amount=-0.005 y=true"},
           {"{\"amount\":null,\"y\":false,\"city\":\"\"}", "amount=null y=false city=\"\""},
           {"{\"other\":1,\"note\":\"x\",\"city\":7}", "city=7"}, {"{}", ""}, {"{ }", ""}, {"{\"\":1}", ""},
           {"{\"city\":\"Z\xc3\xbcrich \xf0\x9f\x98\x80\"}", "city=\"Z\xc3\xbcrich \xf0\x9f\x98\x80\""});
}

static void json_delivers_every_scalar_where_the_rest_is_taken(void **state) {
    EXPECT(*state, {"{\"a\":1,\"b\":\"x\",\"c\":true,\"d\":null,\"e\":{\"f\":[1]},\"g\":[],\"note\":2,\"y\":0}",
                    "a=1 b=\"x\" c=true d=null y=0"});
}

static void json_resolves_escapes(void **state) {
    EXPECT(*state, {"{\"city\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "city=\"\"\\/\b\f\n\r\t\""},
           {"{\"city\":\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\uFFFF\"}",
            "city=\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf\""},
           {"{\"c\\u0069ty\":\"x\"}", "city=\"x\""}, {"{\"na\\u00efve\":\"x\"}", "na\xc3\xafve=\"x\""},
           {"{\"city\":\"a\\nb\",\"id\":\"c\\td\"}", "city=\"a\nb\" id=\"c\td\""});
    const char *words = fixture_decode_text(*state, "{\"city\":\"a\\u0000b\"}");
    struct decode_fixture *fixture = *state;
    assert_string_equal(words, "city=\"a\""); // printing ends at the NUL, the text does not
    assert_int_equal(fixture->event.fields[0].value.text.size, 3);
}

static void json_keeps_numbers_as_written(void **state) {
    static const char record[] = "{\"city\":-0.10e1,\"y\":true}";
    struct decode_fixture *fixture = *state;
    struct rf_record input = {.value = {record, strlen(record)}};
    assert_int_equal(rf_decoder_decode(fixture->decoder, &input, &fixture->arena, &fixture->event, &fixture->error), RF_OK);
    assert_true(rf_text_equal(fixture->event.fields[0].value.text, rf_text_of("-0.10e1")));
    assert_ptr_equal(fixture->event.fields[0].value.text.data, record + 8); // borrowed, not copied
    assert_true(rf_text_equal(fixture->event.fields[1].value.text, rf_text_of("true")));
}

static void json_passes_over_what_is_not_wanted_but_checks_it(void **state) {
    EXPECT(*state, {"{\"x\":{\"a\":[1,2,{\"b\":null}],\"c\":\"\\u00e9\"},\"amount\":1}", "amount=1"},
           {"{\"x\":[[],{},[[]],{\"a\":{}}],\"amount\":1}", "amount=1"}, {"{\"x\":[ 1 , true ] , \"amount\":1}", "amount=1"},
           {"{\"x\":1e400,\"amount\":1}", "amount=1"}, // nobody takes it for a double
           {"{\"x\":{\"a\":1,\"a\":2}}", ""}, {"{\"x\":[1,2}", "undecodable: byte 9 is '}', must be ',' or ']'"},
           {"{\"x\":{\"a\":1]}", "undecodable: byte 11 is ']', must be ',' or '}'"},
           {"{\"x\":[1,]}", "undecodable: byte 8 is ']', must be a value"},
           {"{\"x\":{\"a\":1,}}", "undecodable: byte 12 is '}', must be a text in quotes"},
           {"{\"x\":{\"a\"}}", "undecodable: byte 9 is '}', must be ':'"},
           {"{\"x\":{a:1}}", "undecodable: byte 6 is 'a', must be a text in quotes"},
           {"{\"x\":\"\xff\"}", "encoding: byte 6 is \\xff, must be UTF-8"},
           {"{\"x\":[01]}", "undecodable: byte 7 is '1', must be ',' or ']'"});
}

static void json_refuses_what_is_no_object(void **state) {
    EXPECT(*state, {"[]", "undecodable: byte 0 is '[', must be '{'"}, {"1", "undecodable: byte 0 is '1', must be '{'"},
           {"   ", "undecodable: ends after 3 bytes, must go on with '{'"}, {"null", "undecodable: byte 0 is 'n', must be '{'"},
           {"\"{}\"", "undecodable: byte 0 is '\"', must be '{'"},
           {"\xef\xbb\xbf{}", "undecodable: byte 0 is '\xef\xbb\xbf', must be '{'"},
           {"{}{}", "undecodable: byte 2 is '{', must be the end"}, {"{} x", "undecodable: byte 3 is 'x', must be the end"},
           {"{},", "undecodable: byte 2 is ',', must be the end"}, {"\xff", "undecodable: byte 0 is '\\xff', must be '{'"},
           {"{}\v", "undecodable: byte 2 is '\\x0b', must be the end"});
}

static void json_refuses_wrong_grammar(void **state) {
    EXPECT(*state, {"{\"amount\":}", "undecodable: byte 10 is '}', must be a value"},
           {"{\"amount\" 1}", "undecodable: byte 10 is '1', must be ':'"},
           {"{amount:1}", "undecodable: byte 1 is 'a', must be a name in quotes"},
           {"{'amount':1}", "undecodable: byte 1 is ''', must be a name in quotes"},
           {"{\"amount\":1,}", "undecodable: byte 12 is '}', must be a name in quotes"},
           {"{,\"amount\":1}", "undecodable: byte 1 is ',', must be a name in quotes"},
           {"{\"amount\":1 \"y\":1}", "undecodable: byte 12 is '\"', must be ',' or '}'"},
           {"{\"amount\":1]", "undecodable: byte 11 is ']', must be ',' or '}'"},
           {"{\"amount\":1//\n}", "undecodable: byte 11 is '/', must be ',' or '}'"},
           {"{\"amount\":tru}", "undecodable: byte 10 is 't', must be a value"},
           {"{\"amount\":True}", "undecodable: byte 10 is 'T', must be a value"},
           {"{\"amount\":nul}", "undecodable: byte 10 is 'n', must be a value"},
           {"{\"amount\":trueish}", "undecodable: byte 14 is 'i', must be ',' or '}'"});
}

static void json_refuses_numbers_that_are_none(void **state) {
    EXPECT(*state, {"{\"amount\":01}", "undecodable: byte 11 is '1', must be ',' or '}'"},
           {"{\"amount\":+1}", "undecodable: byte 10 is '+', must be a value"},
           {"{\"amount\":.5}", "undecodable: byte 10 is '.', must be a value"},
           {"{\"amount\":5.}", "undecodable: byte 11 is '.', must be ',' or '}'"},
           {"{\"amount\":-}", "undecodable: byte 10 is '-', must be a value"},
           {"{\"amount\":1e}", "undecodable: byte 11 is 'e', must be ',' or '}'"},
           {"{\"amount\":0x1}", "undecodable: byte 11 is 'x', must be ',' or '}'"},
           {"{\"amount\":1_000}", "undecodable: byte 11 is '_', must be ',' or '}'"},
           {"{\"amount\":NaN}", "undecodable: byte 10 is 'N', must be a value"},
           {"{\"amount\":-Infinity}", "undecodable: byte 10 is '-', must be a value"},
           {"{\"amount\":Infinity}", "undecodable: byte 10 is 'I', must be a value"});
}

static void json_refuses_numbers_that_are_not_finite(void **state) {
    EXPECT(*state, {"{\"amount\":1e400}", "non_finite: field amount: 1e400 is not finite"},
           {"{\"amount\":-1e400}", "non_finite: field amount: -1e400 is not finite"}, {"{\"amount\":1e-400}", "amount=0"});
}

static void json_refuses_wrong_texts(void **state) {
    EXPECT(*state,
           {"{\"city\":\"a\nb\"}", "undecodable: byte 10 is '\\x0a', must be escaped: it is a control character in a text"},
           {"{\"city\":\"\x1f\"}", "undecodable: byte 9 is '\\x1f', must be escaped: it is a control character in a text"},
           {"{\"city\":\"\\x\"}", "undecodable: byte 10 is 'x', must be one of \" \\ / b f n r t u after a backslash"},
           {"{\"city\":\"\\u12g4\"}", "undecodable: the escape at byte 9 is \\u12g4, must be a backslash, u and four hex digits"},
           {"{\"city\":\"\\u12\"}", "undecodable: the escape at byte 9 is \\u12\"}, must be a backslash, u and four hex digits"},
           {"{\"city\":\"\\ud800\"}", "encoding: the escape at byte 9 is \\ud800, half of a surrogate pair, must be a whole one"},
           {"{\"city\":\"\\ud800\\u0041\"}",
            "encoding: the escape at byte 9 is \\ud800, half of a surrogate pair, must be a whole one"},
           {"{\"city\":\"\\uDC00\"}", "encoding: the escape at byte 9 is \\uDC00, half of a surrogate pair, must be a whole one"},
           {"{\"city\":\"\\ud800\\ud800\\udc00\"}",
            "encoding: the escape at byte 9 is \\ud800, half of a surrogate pair, must be a whole one"},
           {"{\"city\":\"ab", "undecodable: ends after 11 bytes, must go on with the rest of a text"});
}

static void json_refuses_texts_that_are_not_utf8(void **state) {
    EXPECT(*state, {"{\"city\":\"\x80\"}", "encoding: byte 9 is \\x80, must be UTF-8"},
           {"{\"city\":\"abcdefghijk\xc3(\"}", "encoding: byte 20 is \\xc3, must be UTF-8"},
           {"{\"city\":\"\xc0\xaf\"}", "encoding: byte 9 is \\xc0, must be UTF-8"},
           {"{\"city\":\"\xed\xa0\x80\"}", "encoding: byte 9 is \\xed, must be UTF-8"},
           {"{\"city\":\"\xf4\x90\x80\x80\"}", "encoding: byte 9 is \\xf4, must be UTF-8"},
           {"{\"c\xff\":1}", "encoding: byte 3 is \\xff, must be UTF-8"},
           {"{\"city\":\"\xe2\x82\"}", "encoding: byte 9 is \\xe2, must be UTF-8"});
}

static void json_refuses_a_name_that_stands_twice(void **state) {
    EXPECT(*state, {"{\"amount\":1,\"amount\":1}", "duplicate_field: field amount stands twice, must stand once"},
           {"{\"x\":1,\"y\":0,\"x\":2}", "duplicate_field: field x stands twice, must stand once"},
           {"{\"x\":1,\"\\u0078\":2}", "duplicate_field: field x stands twice, must stand once"},
           {"{\"\":1,\"\":2}", "duplicate_field: field  stands twice, must stand once"},
           {"{\"a\\nb\":1,\"a\\nb\":2}", "duplicate_field: field a\\x0ab stands twice, must stand once"});
}

// The order of an earlier record is remembered: it must change no answer.
static void json_answers_do_not_depend_on_earlier_records(void **state) {
    for (int round = 0; round < 3; round++) {
        EXPECT(*state, {"{\"amount\":1,\"city\":\"a\",\"x\":0,\"y\":1}", "amount=1 city=\"a\" y=1"},
               {"{\"amount\":2,\"city\":\"b\",\"x\":0,\"y\":0}", "amount=2 city=\"b\" y=0"},
               {"{\"amount\":3,\"x\":0,\"y\":0}", "amount=3 y=0"}, {"{\"x\":0}", ""},
               {"{\"y\":1,\"x\":0,\"city\":\"c\",\"amount\":4}", "y=1 city=\"c\" amount=4"},
               {"{\"amount\":1,\"city\":\"a\",\"x\":0,\"y\":1,\"amount\":1}",
                "duplicate_field: field amount stands twice, must stand once"},
               {"{\"amount\":1,\"city\":\"a\",\"city\":0,\"y\":1}", "duplicate_field: field city stands twice, must stand once"},
               {"{\"city\":\"a\",\"amount\":1,\"city\":0}", "duplicate_field: field city stands twice, must stand once"},
               {"{\"z\":1,\"age\":30,\"z\":1}", "duplicate_field: field z stands twice, must stand once"});
    }
}

// Names that were expected are compared with the record's bytes: those that JSON would write otherwise must not be.
static void json_expects_names_only_as_they_are_written(void **state) {
    for (int round = 0; round < 3; round++) {
        EXPECT(*state, {"{\"a\\\"b\":1,\"amount\":2,\"c\\\\\":3,\"d\\n\":4,\"city\":5}", "amount=2 city=5"},
               {"{\"a\"b\":1,\"amount\":2}", "undecodable: byte 4 is 'b', must be ':'"},
               {"{\"a\\\"b\":1,\"amount\":2,\"c\\\":3}", "undecodable: ends after 28 bytes, must go on with the rest of a text"},
               {"{\"a\\\"b\":1,\"amount\":2,\"c\\\\\":3,\"d\n\":4}",
                "undecodable: byte 31 is '\\x0a', must be escaped: it is a control character in a text"},
               {"{\"amount", "undecodable: ends after 8 bytes, must go on with the rest of a text"},
               {"{\"amount\"", "undecodable: ends after 9 bytes, must go on with ':'"},
               {"{\"amount\":1,\"c", "undecodable: ends after 14 bytes, must go on with the rest of a text"},
               {"{\"amount\":1,\"amount", "undecodable: ends after 19 bytes, must go on with the rest of a text"});
    }
}

// What is expected is made anew where names were left out and others came, of which some stand in the old ones' place.
static void json_learns_the_names_of_a_record_that_left_some_out(void **state) {
    for (int round = 0; round < 3; round++) {
        EXPECT(*state,
               {"{\"x\":0,\"a long name that is nobody's\":0,\"another long name of nobody\":0,\"amount\":1}", "amount=1"},
               {"{\"a long name that is nobody's\":0,\"another long name of nobody\":0,\"amount\":2,\"city\":\"a\"}",
                "amount=2 city=\"a\""},
               {"{\"a long name that is nobody's\":0,\"another long name of nobody\":0,\"amount\":3,\"city\":\"b\"}",
                "amount=3 city=\"b\""});
    }
}

static void json_refuses_objects_in_declared_fields(void **state) {
    EXPECT(*state, {"{\"amount\":[{}]}", "type: field amount is an object, must be a number, a text, true, false or null"},
           {"{\"city\":{}}", "type: field city is an object, must be a number, a text, true, false or null"},
           {"{\"note\":{}}", ""});
}

static void json_refuses_a_record_cut_anywhere(void **state) {
    static const char record[] =
            "{\"amount\": 12.5e1, \"city\":\"Z\xc3\xbcrich \\u00e9\\ud83d\\ude00\",\"x\":[{\"a\":null,\"b\":[true,false]}],"
            "\"y\":0}";
    for (size_t size = 0; size < strlen(record); size++) {
        const char *words = fixture_decode(*state, record, size);
        bool is_rejected = strncmp(words, "undecodable: ", 13) == 0 || strncmp(words, "encoding: ", 10) == 0;
        if (!is_rejected && !(size == 0 && strncmp(words, "empty: ", 7) == 0)) {
            fail_msg("%.*s\n  gives %s", (int)size, record, words);
        }
    }
    assert_string_equal(fixture_decode_text(*state, record), "amount=125 city=\"Z\xc3\xbcrich \xc3\xa9\xf0\x9f\x98\x80\" y=0");
}

static void json_bears_any_byte_anywhere(void **state) {
    static const char record[] = "{\"amount\":-1.5e2,\"city\":\"a\\n\xc3\xbc\",\"x\":[{\"a\":null}],\"y\":true}";
    char changed[sizeof record];
    for (size_t at = 0; at < strlen(record); at++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(changed, record, sizeof record);
            changed[at] = (char)byte;
            assert_non_null(fixture_decode(*state, changed, strlen(record)));
        }
    }
}

static void json_keeps_to_its_limits(void **state) {
    EXPECT(*state, {"{\"a\":1,\"b\":2,\"c\":3}", "a=1"}, {"{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", "limit: has more than 3 fields"},
           {"{\"b\":[[1]]}", ""}, {"{\"b\":[[[1]]]}", "limit: byte 7 begins a nesting of depth 3, at most 2 are taken"},
           {"{\"b\":[{\"c\":{}}]}", "limit: byte 11 begins a nesting of depth 3, at most 2 are taken"},
           {"{\"b\":\"0123456789\"}", ""},
           {"{\"b\":\"0123456789a\"}", "limit: the text at byte 6 has 11 bytes, at most 10 are taken"},
           {"{\"0123456789a\":1}", "limit: the text at byte 2 has 11 bytes, at most 10 are taken"},
           {"{\"a\":0.123456789}", "limit: the number at byte 5 has 11 bytes, at most 10 are taken"});
    char large[101];
    memset(large, ' ', sizeof large);
    memcpy(large, "{}", 2);
    assert_string_equal(fixture_decode(*state, large, 100), "");
    assert_string_equal(fixture_decode(*state, large, 101), "limit: has 101 bytes, at most 100 are taken");
}

static void json_takes_large_fields_and_bounds_what_it_says(void **state) {
    size_t size = 1 << 20;
    char *record = malloc(size);
    assert_non_null(record);
    memset(record, 'x', size);
    memcpy(record, "{\"note\":\"", 9);
    memcpy(record + size - 2, "\"}", 2);
    assert_string_equal(fixture_decode(*state, record, size),
                        "limit: the text at byte 9 has 1048565 bytes, at most 65536 are taken");
    memcpy(record + 9 + 65536, "\"}", 2);
    assert_string_equal(fixture_decode(*state, record, 9 + 65536 + 2), "");
    memset(record + 9, '[', size - 9);
    memcpy(record, "{\"zzzz\":[", 9);
    assert_string_equal(fixture_decode(*state, record, size),
                        "limit: byte 40 begins a nesting of depth 33, at most 32 are taken");
    memset(record, '1', size);
    memcpy(record, "{\"amount\":", 10);
    memcpy(record + 10 + 60000, "}", 1);
    assert_string_equal(fixture_decode(*state, record, 10 + 60001),
                        "non_finite: field amount: 11111111111111111111111111111111111111111111... is not finite");
    free(record);
}

// Writes fields f<first>, f<first + step>, ... as the beginning of an object.
static size_t write_fields(char *record, int first, int step, int count) {
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size += (size_t)sprintf(record + size, "%c\"f%d\":%d", i ? ',' : '{', first + i * step, i);
    }
    return size;
}

static void json_takes_many_fields_in_any_order(void **state) {
    enum { FIELDS = 4096 };
    struct decode_fixture *fixture = *state;
    char *record = malloc(FIELDS * 16);
    assert_non_null(record);
    for (int round = 0; round < 4; round++) {
        int first = round % 2 ? FIELDS - 1 : 0;
        int step = round % 2 ? -1 : 1;
        size_t size = write_fields(record, first, step, FIELDS);
        strcpy(record + size, "}");
        fixture_decode_text(fixture, record);
        assert_int_equal(fixture->event.count, FIELDS);
        strcpy(record + size, ",\"g\":1}");
        assert_string_equal(fixture_decode_text(fixture, record), "limit: has more than 4096 fields");
        size = write_fields(record, first, step, FIELDS - 1);
        strcpy(record + size, ",\"f17\":1}");
        assert_string_equal(fixture_decode_text(fixture, record), "duplicate_field: field f17 stands twice, must stand once");
    }
    free(record);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            TEST(json_delivers_the_wanted_fields_in_order),
            cmocka_unit_test_setup_teardown(json_delivers_every_scalar_where_the_rest_is_taken, set_up_rest, tear_down),
            TEST(json_resolves_escapes),
            TEST(json_keeps_numbers_as_written),
            TEST(json_passes_over_what_is_not_wanted_but_checks_it),
            TEST(json_refuses_what_is_no_object),
            TEST(json_refuses_wrong_grammar),
            TEST(json_refuses_numbers_that_are_none),
            TEST(json_refuses_numbers_that_are_not_finite),
            TEST(json_refuses_wrong_texts),
            TEST(json_refuses_texts_that_are_not_utf8),
            TEST(json_refuses_a_name_that_stands_twice),
            TEST(json_answers_do_not_depend_on_earlier_records),
            TEST(json_expects_names_only_as_they_are_written),
            TEST(json_learns_the_names_of_a_record_that_left_some_out),
            TEST(json_refuses_objects_in_declared_fields),
            TEST(json_refuses_a_record_cut_anywhere),
            TEST(json_bears_any_byte_anywhere),
            cmocka_unit_test_setup_teardown(json_keeps_to_its_limits, set_up_limits, tear_down),
            TEST(json_takes_large_fields_and_bounds_what_it_says),
            cmocka_unit_test_setup_teardown(json_takes_many_fields_in_any_order, set_up_rest, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
