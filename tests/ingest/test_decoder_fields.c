#include "ingest/record_field.h"

#include "ingest/feature.h"
#include "proto/example.h"
#include "tests/ingest/decode_fixture.h"

#include <stdio.h>

#define FIELDS(...) \
    { (struct rf_pair[]){__VA_ARGS__}, sizeof(struct rf_pair[]){__VA_ARGS__} / sizeof(struct rf_pair) }

#define FROM(field, part) \
    { .name = (char *)(uintptr_t)field, .value = (char *)(uintptr_t)part }
#define BYTES(literal) \
    { literal, sizeof(literal) - 1 }

// What is decoded of a value, a key, a timestamp and headers.
static const char *decode(struct decode_fixture *fixture, const char *value, struct rf_text key, int64_t timestamp_ms,
                          const struct rf_header *headers, size_t header_count) {
    struct rf_record record = {.value = rf_text_of(value),
                               .key = key,
                               .timestamp_ms = timestamp_ms,
                               .headers = headers,
                               .header_count = (uint32_t)header_count};
    return fixture_decode_record(fixture, &record);
}

static const char *decode_key(struct decode_fixture *fixture, const char *value, struct rf_text key) {
    return decode(fixture, value, key, -1, NULL, 0);
}

static void a_key_is_read_by_its_spelling(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"},
                 &(struct rf_decoder_options){.fields = FIELDS(FROM("k", "key"))});
    static const struct {
        struct rf_text key;
        const char *words;
    } cases[] = {
            {BYTES("card-7"), "y=1 k=\"card-7\""},
            {BYTES("12.50"), "y=1 k=12.5"},
            {BYTES("007"), "y=1 k=7"},
            {BYTES("true"), "y=1 k=true"},
            {BYTES("NA"), "y=1 k=\"NA\""},
            {BYTES("Z\xc3\xbcrich"), "y=1 k=\"Z\xc3\xbcrich\""},
            {BYTES(""), "y=1 k=null"},
            {{NULL, 0}, "y=1 k=null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(decode_key(&fixture, "{\"y\": 1}", cases[i].key), cases[i].words);
    }
    fixture_finish(&fixture);
    fixture_init(&fixture, "json", &(struct rf_feature_options){.id = "k", .numbers = TEXTS("n")},
                 &(struct rf_decoder_options){.fields = FIELDS(FROM("k", "key"), FROM("n", "key"))});
    assert_string_equal(decode_key(&fixture, "{}", rf_text_of("007")), "k=\"007\" n=7");
    assert_string_equal(decode_key(&fixture, "{}", rf_text_of("NA")), "k=\"NA\" n=null");
    assert_string_equal(decode_key(&fixture, "{}", rf_text_of("-inf")), "non_finite: field n: -inf is not finite");
    assert_string_equal(decode_key(&fixture, "{}", rf_text_of("1e999")), "non_finite: field n: 1e999 is not finite");
    fixture_finish(&fixture);
}

static void a_key_that_is_no_text_is_rejected(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"},
                 &(struct rf_decoder_options){.limits = {.field_bytes = 8}, .fields = FIELDS(FROM("k", "key"))});
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("ab\xff")),
                        "encoding: field k: byte 2 of the key is \\xff, must be UTF-8 text");
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("\0\0\0\x05")),
                        "encoding: field k: byte 0 of the key is \\x00, must be UTF-8 text");
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("a\0\xff")),
                        "encoding: field k: byte 1 of the key is \\x00, must be UTF-8 text");
    assert_string_equal(decode_key(&fixture, "{}", rf_text_of("123456789")),
                        "limit: field k: the key has 9 bytes, at most 8 are taken");
    assert_string_equal(decode_key(&fixture, "{", rf_text_of("a")),
                        "undecodable: ends after 1 bytes, must go on with a name in quotes");
    fixture_finish(&fixture);
}

static void keys_of_javas_integers_are_numbers(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"},
                 &(struct rf_decoder_options){.fields = FIELDS(FROM("k", "key.int32"))});
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("\0\0\x01\x02")), "k=258");
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("\xff\xff\xff\xfe")), "k=-2");
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("\x80\0\0\0")), "k=-2147483648");
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text){NULL, 0}), "k=null");
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("\0\0\x01")),
                        "type: field k: the key has 3 bytes, must have the 4 of an int32");
    fixture_finish(&fixture);
    fixture_init(&fixture, "json", &(struct rf_feature_options){.id = "k"},
                 &(struct rf_decoder_options){.fields = FIELDS(FROM("k", "key.int64"))});
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff")),
                        "k=9.22337203685478e+18");
    assert_true(rf_text_equal(fixture.event.fields[0].value.text, rf_text_of("9223372036854775807"))); // as an id it is exact
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("\x80\0\0\0\0\0\0\0")), "k=-9.22337203685478e+18");
    assert_true(rf_text_equal(fixture.event.fields[0].value.text, rf_text_of("-9223372036854775808")));
    assert_string_equal(decode_key(&fixture, "{}", (struct rf_text)BYTES("")),
                        "type: field k: the key has 0 bytes, must have the 8 of an int64");
    fixture_finish(&fixture);
}

static void of_several_headers_the_last_one_counts(void **state) {
    (void)state;
    struct decode_fixture fixture;
    const struct rf_decoder_options options = {.limits = {.field_bytes = 8},
                                               .fields = FIELDS(FROM("channel", "header.channel"), FROM("n", "header.n"))};
    assert_true(rf_decoder_wants_headers(&options));
    fixture_init(&fixture, "json", &(struct rf_feature_options){.categories = TEXTS("channel"), .numbers = TEXTS("n")}, &options);
    const struct rf_header headers[] = {
            {rf_text_of("channel"), rf_text_of("web")},
            {rf_text_of("n"), rf_text_of("4")},
            {rf_text_of("channel"), rf_text_of("17")},
            {rf_text_of("Channel"), rf_text_of("x")},
            {rf_text_of("n"), {NULL, 0}},
    };
    const struct rf_text none = {NULL, 0};
    assert_string_equal(decode(&fixture, "{}", none, -1, headers, 1), "channel=\"web\" n=null");
    assert_string_equal(decode(&fixture, "{}", none, -1, headers, 4), "channel=\"17\" n=4");
    assert_string_equal(decode(&fixture, "{}", none, -1, headers, 5), "channel=\"17\" n=null"); // it has no value
    assert_string_equal(decode(&fixture, "{}", none, -1, NULL, 0), "channel=null n=null");
    const struct rf_header wrong[] = {{rf_text_of("channel"), BYTES("\xc0\xaf")}, {rf_text_of("n"), rf_text_of("123456789")}};
    assert_string_equal(decode(&fixture, "{}", none, -1, wrong, 1),
                        "encoding: field channel: byte 0 of the header channel is \\xc0, must be UTF-8 text");
    assert_string_equal(decode(&fixture, "{}", none, -1, wrong + 1, 1),
                        "limit: field n: the header n has 9 bytes, at most 8 are taken");
    assert_string_equal(decode(&fixture, "{}", none, -1, NULL, 257), "limit: has 257 headers, at most 256 are taken");
    assert_string_equal(decode(&fixture, "{}", none, -1, NULL, RF_RECORD_HEADERS_UNREADABLE),
                        "undecodable: has headers that are damaged");
    fixture_finish(&fixture);
}

static void headers_that_nobody_reads_may_be_anything(void **state) {
    (void)state;
    struct decode_fixture fixture;
    const struct rf_decoder_options options = {.fields = FIELDS(FROM("k", "key"), FROM("h", "header.h"))};
    fixture_init(&fixture, "json", &(struct rf_feature_options){.categories = TEXTS("k")}, &options);
    assert_string_equal(decode(&fixture, "{\"h\": 1}", rf_text_of("a"), -1, NULL, 1000), "k=\"a\""); // no feature is called h
    fixture_finish(&fixture);
    assert_false(rf_decoder_wants_headers(&(struct rf_decoder_options){.fields = FIELDS(FROM("k", "key"))}));
}

static void a_timestamp_counts_milliseconds(void **state) {
    (void)state;
    struct decode_fixture fixture;
    const struct rf_feature_options features = {.time = "sent", .time_unit = RF_TIME_S, .label = "y", .categories = TEXTS("c")};
    fixture_init(&fixture, "json", &features, &(struct rf_decoder_options){.fields = FIELDS(FROM("sent", "timestamp"))});
    const struct rf_text none = {NULL, 0};
    assert_string_equal(decode(&fixture, "{}", none, -1, NULL, 0), "sent=null");
    assert_string_equal(decode(&fixture, "{}", none, 0, NULL, 0), "sent=0");
    assert_string_equal(decode(&fixture, "{\"y\": 1}", none, 1522540831017, NULL, 0), "y=1 sent=1522540831017");
    struct rf_examples examples;
    struct rf_error err;
    struct rf_record record = {.value = rf_text_of("{}"), .timestamp_ms = 5};
    assert_int_equal(rf_examples_init(&examples, 1, 16, 16, &err), RF_OK);
    rf_feature_declare(fixture.schema, &examples);
    assert_int_equal(rf_feature_append(fixture.schema, RF_TASK_REGRESSION, 0, &fixture.event, &record, &examples, &fixture.error),
                     RF_OK);
    assert_int_equal(examples.time_ms[0], 1522540831017);
    rf_examples_finish(&examples);
    fixture_finish(&fixture);
}

static void a_field_stands_in_the_value_or_beside_it(void **state) {
    (void)state;
    static const char sentence[] = "duplicate_field: field k stands in the value and in source.fields, must stand once";
    const struct rf_decoder_options options = {.fields = FIELDS(FROM("k", "key"))};
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"}, &options);
    assert_string_equal(decode_key(&fixture, "{\"k\": null}", rf_text_of("a")), sentence);
    assert_string_equal(decode_key(&fixture, "{\"k\": 1, \"y\": 0}", (struct rf_text){NULL, 0}), sentence);
    assert_string_equal(decode_key(&fixture, "{\"kk\": 1}", rf_text_of("a")), "kk=1 k=\"a\"");
    fixture_finish(&fixture);
    fixture_init(&fixture, "vw", &(struct rf_feature_options){.label = "y"}, &options);
    assert_string_equal(decode_key(&fixture, "1 |k a", rf_text_of("a")), sentence);
    fixture_finish(&fixture);
}

static void every_format_has_fields_beside_its_own(void **state) {
    (void)state;
    const struct rf_feature_options features = {.id = "tx", .label = "y", .texts = TEXTS("note")};
    const struct rf_decoder_options options = {.columns = TEXTS("y"),
                                               .fields = FIELDS(FROM("tx", "key"), FROM("note", "header.note"))};
    const struct rf_header header = {rf_text_of("note"), rf_text_of("so it is")};
    static const struct {
        const char *format, *value;
    } cases[] = {{"json", "{\"y\": 1}"}, {"csv", "1"}, {"vw", "1 |"}, {"libsvm", "1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decode_fixture fixture;
        fixture_init(&fixture, cases[i].format, &features, &options);
        const char *words = decode(&fixture, cases[i].value, rf_text_of("t1"), -1, &header, 1);
        assert_string_equal(words, "y=1 tx=\"t1\" note=\"so it is\"");
        fixture_finish(&fixture);
    }
    const struct rf_feature_options crossed = {.id = "tx", .label = "y", .categories = TEXTS("shard")};
    for (size_t i = 0; i < 4; i++) { // a field that no line holds is no matter where it comes from elsewhere
        struct rf_error err;
        struct rf_schema *schema;
        struct rf_decoder *decoder;
        assert_int_equal(rf_schema_create(&crossed, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
        const struct rf_decoder_options with = {.columns = TEXTS("y"), .fields = FIELDS(FROM("shard", "key.int32"))};
        assert_int_equal(rf_decoder_create(rf_decoder_find(cases[i].format), schema, &with, &decoder, &err), RF_OK);
        rf_decoder_destroy(decoder);
        rf_schema_destroy(schema);
    }
}

static void refuses(const char *format, const struct rf_feature_options *features, const struct rf_decoder_options *options,
                    const char *sentence) {
    struct rf_schema *schema;
    struct rf_decoder *decoder;
    struct rf_error err;
    assert_int_equal(rf_schema_create(features, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    assert_int_equal(rf_decoder_create(rf_decoder_find(format), schema, options, &decoder, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    rf_schema_destroy(schema);
}

static void refuses_what_is_no_part_of_a_record(void **state) {
    (void)state;
    const struct rf_feature_options features = {.label = "y"};
    static const char *const wrong[] = {"", "Key", "key.int16", "header.", "header", "offset"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char sentence[200];
        snprintf(sentence, sizeof sentence,
                 "source.fields.k is \"%s\", must be key, key.int32, key.int64, header.NAME or timestamp", wrong[i]);
        struct rf_pair pair = {.name = (char *)(uintptr_t) "k", .value = (char *)(uintptr_t)wrong[i]};
        refuses("json", &features, &(struct rf_decoder_options){.fields = {&pair, 1}}, sentence);
    }
    refuses("json", &features, &(struct rf_decoder_options){.fields = FIELDS(FROM("", "key"))},
            "source.fields has an empty name, must be that of a field");
    refuses("csv", &features, &(struct rf_decoder_options){.columns = TEXTS("y", "k"), .fields = FIELDS(FROM("k", "key"))},
            "csv column k is a field from beside the value too, must have another name");
}

static void says_full_where_the_next_batch_would_do(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"},
                 &(struct rf_decoder_options){.fields = FIELDS(FROM("k", "key.int32"))});
    struct rf_record record = {.value = rf_text_of("{\"y\": 1}"), .key = BYTES("\0\0\0\1"), .timestamp_ms = -1};
    struct rf_arena arena;
    struct rf_error err;
    struct rf_event event;
    assert_int_equal(rf_arena_init(&arena, 256, &err), RF_OK);
    assert_int_equal(rf_decoder_decode(fixture.decoder, &record, &arena, &event, &fixture.error), RF_OK);
    size_t used = arena.used;
    for (enum rf_status status = RF_OK; status != RF_FULL; used = status ? used : arena.used) {
        status = rf_decoder_decode(fixture.decoder, &record, &arena, &event, &fixture.error);
        assert_true(status == RF_OK || status == RF_FULL);
    }
    assert_int_equal(arena.used, used);
    rf_arena_finish(&arena);
    assert_int_equal(rf_arena_init(&arena, 64, &err), RF_OK);
    assert_int_equal(rf_decoder_decode(fixture.decoder, &record, &arena, &event, &fixture.error), RF_INVALID);
    assert_string_equal(fixture.error.detail, "needs more memory than the 64 bytes there are for a batch");
    rf_arena_finish(&arena);
    fixture_finish(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_key_is_read_by_its_spelling),
            cmocka_unit_test(a_key_that_is_no_text_is_rejected),
            cmocka_unit_test(keys_of_javas_integers_are_numbers),
            cmocka_unit_test(of_several_headers_the_last_one_counts),
            cmocka_unit_test(headers_that_nobody_reads_may_be_anything),
            cmocka_unit_test(a_timestamp_counts_milliseconds),
            cmocka_unit_test(a_field_stands_in_the_value_or_beside_it),
            cmocka_unit_test(every_format_has_fields_beside_its_own),
            cmocka_unit_test(refuses_what_is_no_part_of_a_record),
            cmocka_unit_test(says_full_where_the_next_batch_would_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
