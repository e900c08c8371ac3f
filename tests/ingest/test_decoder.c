#include "ingest/decoder.h"

#include "ingest/feature.h"
#include "ingest/reject.h"
#include "proto/utf8.h"
#include "tests/allocations.h"
#include "tests/ingest/decode_fixture.h"

#include <riffle.pb-c.h>
#include <stdio.h>
#include <stdlib.h>

static const struct rf_feature_options features = {.id = "id", .label = "y"};

static void decoder_kinds_are_found_by_name(void **state) {
    (void)state;
    for (const struct rf_decoder_kind *kind = rf_decoder_kinds; kind->name; kind++) {
        assert_ptr_equal(rf_decoder_find(kind->name), kind);
        assert_non_null(kind->summary);
        assert_non_null(kind->create);
    }
    assert_non_null(rf_decoder_find("json"));
    assert_true(rf_decoder_find("csv")->has_header_line);
    assert_false(rf_decoder_find("protobuf")->is_line_framed);
    assert_true(rf_decoder_find("vw")->is_line_framed);
    assert_true(rf_decoder_find("libsvm")->is_line_framed);
    assert_null(rf_decoder_find("xml"));
    assert_null(rf_decoder_find(""));
}

static void decoder_limits_default_to_what_the_table_says(void **state) {
    (void)state;
    struct rf_decoder decoder;
    rf_decoder_init(&decoder, NULL, NULL, &(struct rf_decoder_options){.limits = {.fields = 7}});
    assert_int_equal(decoder.limits.fields, 7);
    rf_decoder_init(&decoder, NULL, NULL, &(struct rf_decoder_options){0});
    size_t rows = 0;
    for (const struct rf_setting *row = rf_decode_limit_settings; row->name; row++, rows++) {
        uint64_t limit;
        memcpy(&limit, (const char *)&decoder.limits + row->offset, sizeof limit);
        assert_int_equal(limit, strtoull(row->fallback, NULL, 10));
        assert_int_equal(row->flags, RF_SETTING_NOT_MODEL);
    }
    assert_int_equal(rows, 4);
}

static void decoder_refuses_tombstones_and_empty_records(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &features, &(struct rf_decoder_options){.limits = {.record_bytes = 1048576}});
    struct rf_record record = {.value = {NULL, 0}};
    assert_int_equal(rf_decoder_decode(fixture.decoder, &record, &fixture.arena, &fixture.event, &fixture.error), RF_INVALID);
    assert_int_equal(fixture.error.reason, RF_REASON_TOMBSTONE);
    assert_string_equal(fixture.error.detail, "has no value: it is a tombstone");
    assert_string_equal(fixture_decode(&fixture, "", 0), "empty: has a value of 0 bytes");
    char *large = calloc(1, 2000000);
    assert_non_null(large);
    assert_string_equal(fixture_decode(&fixture, large, 2000000), "limit: has 2000000 bytes, at most 1048576 are taken");
    free(large);
    fixture_finish(&fixture);
    rf_decoder_destroy(NULL);
}

static void decoder_says_full_where_the_next_batch_would_do(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &features, &(struct rf_decoder_options){0});
    struct rf_arena arena;
    struct rf_error err;
    assert_int_equal(rf_arena_init(&arena, 64, &err), RF_OK);
    static const char text[] = "{\"id\":\"twenty bytes of text\\n\"}";
    struct rf_record record = {.value = {text, sizeof text - 1}};
    assert_int_equal(rf_decoder_decode(fixture.decoder, &record, &arena, &fixture.event, &fixture.error), RF_OK);
    assert_int_equal(rf_decoder_decode(fixture.decoder, &record, &arena, &fixture.event, &fixture.error), RF_OK);
    size_t used = arena.used;
    assert_int_equal(rf_decoder_decode(fixture.decoder, &record, &arena, &fixture.event, &fixture.error), RF_FULL);
    assert_int_equal(arena.used, used);
    rf_arena_reset(&arena);
    assert_int_equal(rf_decoder_decode(fixture.decoder, &record, &arena, &fixture.event, &fixture.error), RF_OK);
    rf_arena_finish(&arena);

    assert_int_equal(rf_arena_init(&arena, 16, &err), RF_OK);
    assert_int_equal(rf_decoder_decode(fixture.decoder, &record, &arena, &fixture.event, &fixture.error), RF_INVALID);
    assert_int_equal(fixture.error.reason, RF_REASON_LIMIT);
    assert_string_equal(fixture.error.detail, "needs more memory than the 16 bytes there are for a batch");
    rf_arena_finish(&arena);
    fixture_finish(&fixture);
}

static size_t packed_example(char *out) {
    Riffle__V1__Number amount = RIFFLE__V1__NUMBER__INIT;
    amount.name = (char[]){"amount"};
    amount.value = 12.5;
    Riffle__V1__Example example = RIFFLE__V1__EXAMPLE__INIT;
    example.id = (char[]){"t-1"};
    example.n_numbers = 1;
    example.numbers = (Riffle__V1__Number *[]){&amount};
    return riffle__v1__example__pack(&example, (uint8_t *)out);
}

static void decoder_allocates_nothing_in_the_stream(void **state) {
    (void)state;
    static const char json[] =
            "{\"id\":\"t\\t1\",\"amount\":1.23456789012345678901e-5,\"city\":\"Z\\u00fcrich\",\"x\":[{}],\"y\":1}";
    static const char csv[] = "\"t\"\"1\",12.5,Bern,1";
    static const char wrong[] = "{\"id\":\"t\\t1\",\"id\":1}";
    static const char avro_schema[] =
            "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"},{\"name\":\"amount\",\"type\":{"
            "\"type\":"
            "\"bytes\",\"logicalType\":\"decimal\",\"precision\":60,\"scale\":2}},{\"name\":\"city\",\"type\":[\"null\","
            "\"string\"]},"
            "{\"name\":\"x\",\"type\":{\"type\":\"map\",\"values\":\"int\"}},{\"name\":\"y\",\"type\":\"int\"}]}";
    static const char avro[] = "\x1\x18zyxwvutsrqpo\x2\x8"
                               "Bern\x2\x2"
                               "a\x4\x0\x2"; // one number beyond 64 bits
    char protobuf[256];
    const struct {
        const char *format;
        struct rf_text value;
    } cases[] = {
            {"json", {json, sizeof json - 1}},
            {"json", {wrong, sizeof wrong - 1}},
            {"csv", {csv, sizeof csv - 1}},
            {"avro", {avro, sizeof avro - 1}},
            {"vw", rf_text_of("1 2 'tag|a x:1e-7 y z:text |b 12 :3")},
            {"libsvm", rf_text_of("1 3:0.5 5:1.23456789012345678901e-5 # comment")},
            {"protobuf", {protobuf, packed_example(protobuf)}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decode_fixture fixture;
        struct rf_examples examples;
        struct rf_error err;
        fixture_init(&fixture, cases[i].format, &features,
                     &(struct rf_decoder_options){.columns = TEXTS("id", "amount", "city", "y"),
                                                  .avro_schema = rf_text_of(avro_schema)});
        assert_int_equal(rf_examples_init(&examples, 256, 4096, 64, &err), RF_OK);
        rf_feature_declare(fixture.schema, &examples);
        struct rf_record record = {.value = cases[i].value};
        uint64_t before = allocations;
        assert_true(before > 0);
        size_t rejected = 0;
        for (int k = 0; k < 200; k++) {
            enum rf_status status = rf_decoder_decode(fixture.decoder, &record, &fixture.arena, &fixture.event, &fixture.error);
            rejected += status == RF_INVALID;
            if (status == RF_OK) {
                status = rf_feature_append(fixture.schema, RF_TASK_BINARY, 2, &fixture.event, &record, &examples, &fixture.error);
                assert_int_equal(status, RF_OK);
            }
        }
        assert_int_equal(allocations, before);
        assert_int_equal(rejected, cases[i].value.data == wrong ? 200 : 0);
        rf_examples_finish(&examples);
        fixture_finish(&fixture);
    }
}

static void reject_shows_foreign_bytes_safely(void **state) {
    (void)state;
    assert_string_equal(rf_show(rf_text_of("plain Z\xc3\xbcrich")).text, "plain Z\xc3\xbcrich");
    assert_string_equal(rf_show(rf_text_of("a\n\x7f\xff\xc2\x85")).text, "a\\x0a\\x7f\\xff\\xc2\\x85");
    assert_string_equal(rf_show((struct rf_text){NULL, 0}).text, "");
    assert_string_equal(rf_show(rf_text_of("12345678901234567890123456789012345678901234567")).text,
                        "12345678901234567890123456789012345678901234567");
    assert_string_equal(rf_show(rf_text_of("123456789012345678901234567890123456789012345678")).text,
                        "12345678901234567890123456789012345678901234...");
    char text[400];
    for (size_t size = 0; size < sizeof text; size++) { // cut at every place of a character
        for (size_t i = 0; i < size; i++) {
            text[i] = "\xf0\x9f\x98\x80"[i % 4];
        }
        struct rf_shown shown = rf_show((struct rf_text){text, size});
        assert_true(rf_utf8_is_valid(rf_text_of(shown.text)));
        struct rf_decode_error error;
        assert_int_equal(rf_decode_fail(&error, RF_REASON_TYPE, "%.*s%s", (int)(size - size % 4), text, "\xe2\x82\xac"),
                         RF_INVALID);
        assert_true(rf_utf8_is_valid(rf_text_of(error.detail)));
        assert_true(strlen(error.detail) < RF_REJECT_DETAIL_SIZE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(decoder_kinds_are_found_by_name),
            cmocka_unit_test(decoder_limits_default_to_what_the_table_says),
            cmocka_unit_test(decoder_refuses_tombstones_and_empty_records),
            cmocka_unit_test(decoder_says_full_where_the_next_batch_would_do),
            cmocka_unit_test(decoder_allocates_nothing_in_the_stream),
            cmocka_unit_test(reject_shows_foreign_bytes_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
