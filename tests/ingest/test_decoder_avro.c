#include "tests/ingest/avro_bytes_fixture.h"

#include <math.h>
#include <stdio.h>

#define SCHEMA(fields) "{\"type\":\"record\",\"name\":\"shop.Payment\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define OPTIONAL(type) "[\"null\"," type "]"

static const char payment[] = SCHEMA(FIELD("id", "\"string\"") "," FIELD(
        "at",
        "{\"type\":\"long\",\"logicalType\":\"timestamp-"
        "micros\"}") "," FIELD("fraud",
                               OPTIONAL(
                                       "\"boolean\"")) "," FIELD("amount",
                                                                 "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":"
                                                                 "9,\"scale\":"
                                                                 "2}") "," FIELD("kind",
                                                                                 "{\"type\":\"enum\",\"name\":\"Kind\","
                                                                                 "\"symbols\":[\"CARD\","
                                                                                 "\"CASH\"]}") "," FIELD("note",
                                                                                                         "\"string\"") "," FIELD("item"
                                                                                                                                 "s",
                                                                                                                                 "{\"t"
                                                                                                                                 "ype"
                                                                                                                                 "\":"
                                                                                                                                 "\"ar"
                                                                                                                                 "ray"
                                                                                                                                 "\","
                                                                                                                                 "\"it"
                                                                                                                                 "ems"
                                                                                                                                 "\":{"
                                                                                                                                 "\"ty"
                                                                                                                                 "pe\""
                                                                                                                                 ":\"r"
                                                                                                                                 "ecor"
                                                                                                                                 "d\","
                                                                                                                                 "\"na"
                                                                                                                                 "me\""
                                                                                                                                 ":\"I"
                                                                                                                                 "tem"
                                                                                                                                 "\","
                                                                                                                                 "\"fi"
                                                                                                                                 "elds"
                                                                                                                                 "\":"
                                                                                                                                 "[" FIELD("sku", "\"string\"") "," FIELD(
                                                                                                                                         "price",
                                                                                                                                         "\"double\"") "]}}") "," FIELD("attrs",
                                                                                                                                                                        "{\"type\":\"map\",\"values\":" OPTIONAL(
                                                                                                                                                                                "\"string\"") "}"));

static struct decode_fixture fixture;

// Records name their schema themselves, so that what is wanted need not be in it.
static void begin(const char *schema, const struct rf_feature_options *features, struct rf_decode_limits limits) {
    fixture_init(&fixture, "avro", features, &(struct rf_decoder_options){.limits = limits});
    fixture.written_with.text = rf_text_of(schema);
}

static void end(void) {
    fixture_finish(&fixture);
}

static void gives(const struct bytes *datum, const char *words) {
    assert_string_equal(fixture_decode(&fixture, datum->data, datum->size), words);
}

static struct bytes whole_payment(void) {
    struct bytes to = {.size = 0};
    put_text(&to, "p-1");
    put_long(&to, 1522540831000000);
    put_long(&to, 1); // fraud: a boolean
    put_byte(&to, 1);
    put_text(&to, "\x04\xe2"); // 12.50
    put_long(&to, 1);
    put_text(&to, "passed over");
    put_long(&to, 2);
    put_text(&to, "s-1");
    put_double(&to, 9.5);
    put_text(&to, "s-2");
    put_double(&to, 3);
    put_long(&to, 0);
    put_long(&to, -2); // two keys, with their size
    put_long(&to, 18);
    put_text(&to, "size");
    put_long(&to, 0);
    put_text(&to, "colour");
    put_long(&to, 1);
    put_text(&to, "r\xc3\xa9");
    put_long(&to, 0);
    return to;
}

static void avro_delivers_fields_by_their_paths(void **state) {
    (void)state;
    begin(payment,
          &(struct rf_feature_options){
                  .id = "id",
                  .time = "at",
                  .label = "fraud",
                  .numbers = TEXTS("amount", "items.0.price"),
                  .categories = TEXTS("kind", "items.sku", "attrs.colour", "attrs.size", "nowhere"),
          },
          (struct rf_decode_limits){0});
    struct bytes datum = whole_payment();
    gives(&datum, "id=\"p-1\" at=1.522540831e+15 fraud=true amount=12.5 kind=\"CASH\" items.sku=\"s-1\" items.0.price=9.5 "
                  "items.sku=\"s-2\" attrs.size=null attrs.colour=\"r\xc3\xa9\"");
    assert_true(fixture.event.fields[1].value.has_time_unit);
    assert_int_equal(fixture.event.fields[1].value.time_unit, RF_TIME_US);
    end();
}

static void avro_takes_undeclared_scalars_of_the_record(void **state) {
    (void)state;
    begin(payment, &(struct rf_feature_options){.ignore = TEXTS("note")}, (struct rf_decode_limits){0});
    struct bytes datum = whole_payment();
    gives(&datum, "id=\"p-1\" at=1.522540831e+15 fraud=true amount=12.5 kind=\"CASH\"");
    end();
}

static void avro_rejects_what_is_no_datum(void **state) {
    (void)state;
    begin(SCHEMA(FIELD("a", OPTIONAL("\"int\"")) "," FIELD("b", "\"boolean\"") "," FIELD("c", "\"string\"") "," FIELD(
                  "d", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\"]}")),
          &(struct rf_feature_options){.categories = TEXTS("a", "b", "c", "d")}, (struct rf_decode_limits){.field_bytes = 8});
    EXPECT_BYTES(&fixture, {"\0\1\2x\2", 5, "a=null b=true c=\"x\" d=\"Y\""},
                 {"\0\1\2x\2z", 6, "undecodable: ends at byte 5, and 1 more bytes follow"},
                 {"\0\1\2x", 4, "undecodable: byte 4: a value begins here and goes on after the end"},
                 {"\0\1\4x", 4, "undecodable: byte 2: a value begins here and goes on after the end"},
                 {"\0", 1, "undecodable: byte 1: a value begins here and goes on after the end"},
                 {"\4\1", 2, "undecodable: byte 0: branch 2 of a union, must be 0 to 1"},
                 {"\1\1", 2, "undecodable: byte 0: branch -1 of a union, must be 0 to 1"},
                 {"\0\2", 2, "undecodable: byte 1: a boolean is 2, must be 0 or 1"},
                 {"\0\1\1", 3, "undecodable: byte 2: a size is -1, must be 0 or more"},
                 {"\0\1\2x\4", 5, "undecodable: byte 4: symbol 2 of an enum, must be 0 to 1"},
                 {"\0\1\2x\1", 5, "undecodable: byte 4: symbol -1 of an enum, must be 0 to 1"},
                 {"\0\1\2\xff\0", 5, "encoding: field c is \\xff, must be UTF-8"},
                 {"\0\1\x12"
                  "123456789\0",
                  13, "limit: field c has 9 bytes, at most 8 are taken"},
                 {"\2\x80\x80\x80\x80\x10\1\0\0", 9, "undecodable: byte 1: an int is 2147483648, must have 32 bits"},
                 {"\2\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 12, "undecodable: byte 1: a number has more than 64 bits"},
                 {"\2\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 11, "undecodable: byte 1: a number has more than 64 bits"});
    end();
}

static void avro_rejects_holders_that_are_wanted_as_values(void **state) {
    (void)state;
    begin(payment, &(struct rf_feature_options){.categories = TEXTS("items", "attrs")}, (struct rf_decode_limits){0});
    struct bytes datum = whole_payment();
    gives(&datum, "type: field items is a record, must be a number, a text, true, false or null");
    end();
    begin(payment, &(struct rf_feature_options){.categories = TEXTS("attrs")}, (struct rf_decode_limits){0});
    gives(&datum, "type: field attrs is a map, must be a number, a text, true, false or null");
    end();
}

static void avro_rejects_numbers_that_are_not_finite(void **state) {
    (void)state;
    begin(SCHEMA(FIELD("a", "\"double\"") "," FIELD("b", "\"float\"")), &(struct rf_feature_options){.numbers = TEXTS("a", "b")},
          (struct rf_decode_limits){0});
    struct bytes datum = {.size = 0};
    put_double(&datum, 1);
    put_float(&datum, (float)-INFINITY);
    gives(&datum, "non_finite: field b: -inf is not finite");
    datum.size = 0;
    put_double(&datum, NAN);
    put_float(&datum, 0);
    gives(&datum, "non_finite: field a: nan is not finite");
    end();
    begin(SCHEMA(FIELD("a", "\"double\"") "," FIELD("b", "\"float\"")), &(struct rf_feature_options){.numbers = TEXTS("b")},
          (struct rf_decode_limits){0});
    gives(&datum, "b=0"); // what is passed over may be anything
    end();
}

static void avro_refuses_bombs_at_once(void **state) {
    (void)state;
    static const char nulls[] = SCHEMA(FIELD("n", "{\"type\":\"array\",\"items\":\"null\"}") "," FIELD("x", "\"int\""));
    struct bytes datum = {.size = 0};
    put_long(&datum, (int64_t)1 << 60);
    put_long(&datum, 0);
    put_long(&datum, 1);
    static const char sentence[] =
            "limit: byte 9: has 1152921504606846976 items without a byte, at most 10 in a record are taken";
    begin(nulls, &(struct rf_feature_options){.numbers = TEXTS("x")}, (struct rf_decode_limits){.fields = 10});
    gives(&datum, sentence);
    end();
    begin(nulls, &(struct rf_feature_options){.numbers = TEXTS("n", "x")}, (struct rf_decode_limits){.fields = 10});
    gives(&datum, sentence);
    datum.size = 0;
    put_long(&datum, 10);
    put_long(&datum, 0);
    put_long(&datum, 1);
    gives(&datum, "limit: has more than 10 fields");
    datum.size = 0;
    put_long(&datum, INT64_MIN);
    put_long(&datum, 0);
    gives(&datum, "limit: byte 11: has 9223372036854775808 items without a byte, at most 10 in a record are taken");
    datum.size = 0;
    put_long(&datum, -1);
    put_long(&datum, 100);
    gives(&datum, "undecodable: byte 0: a block of items has 100 bytes, must have 0 to 0");
    end();
    begin(SCHEMA(FIELD("n", "{\"type\":\"array\",\"items\":\"double\"}")), &(struct rf_feature_options){.numbers = TEXTS("x")},
          (struct rf_decode_limits){0});
    datum.size = 0;
    put_long(&datum, (int64_t)1 << 61); // times 8 it would be 0
    put_long(&datum, 0);
    gives(&datum, "undecodable: byte 9: a value begins here and goes on after the end");
    end();
}

static void avro_reads_blocks_with_sizes(void **state) {
    (void)state;
    static const char schema[] = SCHEMA(FIELD("n", "{\"type\":\"array\",\"items\":\"long\"}"));
    begin(schema, &(struct rf_feature_options){.categories = TEXTS("n")}, (struct rf_decode_limits){0});
    EXPECT_BYTES(&fixture, {"\3\4\2\4\2\6\0", 7, "n=1 n=2 n=3"}, {"\0", 1, ""},
                 {"\3\6\2\4\2\6\0", 7, "undecodable: byte 4: a block of items ends here, 1 bytes before where it says"},
                 {"\3\2\2\4\2\6\0", 7, "undecodable: byte 4: a block of items ends here, 1 bytes behind where it says"},
                 {"\3\4\2\4", 4, "undecodable: byte 4: a value begins here and goes on after the end"});
    end();
    begin(schema, &(struct rf_feature_options){.categories = TEXTS("other")}, (struct rf_decode_limits){0});
    EXPECT_BYTES(&fixture, {"\3\4\xff\xff\0", 5, ""}); // passed over by its size
    end();
}

static void avro_rejects_what_is_nested_too_deep(void **state) {
    (void)state;
    begin(SCHEMA(FIELD("x", "\"int\"") "," FIELD("next", OPTIONAL("\"Payment\""))),
          &(struct rf_feature_options){.numbers = TEXTS("x", "next.next.x")}, (struct rf_decode_limits){.depth = 3});
    EXPECT_BYTES(&fixture, {"\2\0", 2, "x=1"}, {"\2\2\4\2\6\2\x8\0", 8, "x=1 next.next.x=3"},
                 {"\2\2\4\2\6\2\x8\2\xa\0", 10, "limit: byte 8: is nested deeper than 3"});
    end();
}

static void avro_rejects_keys_that_stand_twice(void **state) {
    (void)state;
    begin(SCHEMA(FIELD("m", "{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":\"int\"}}")),
          &(struct rf_feature_options){.categories = TEXTS("m.a", "m.b")}, (struct rf_decode_limits){0});
    EXPECT_BYTES(&fixture, {"\4\4\2a\2\2b\4\0\2\2a\6\0\0", 15, "m.a=1 m.b=2 m.a=3"},
                 {"\2\4\2a\2\2a\4\0\0", 10, "duplicate_field: byte 7: a map has the key a twice, must have it once"},
                 {"\2\2\2a\2\2\2a\4\0\0", 11, "duplicate_field: byte 8: a map has the key a twice, must have it once"},
                 {"\2\4\2z\2\2z\4\0\0", 10, ""});
    end();
}

static void avro_reads_vectors_in_place_or_widened(void **state) {
    (void)state;
    const struct rf_feature_options features = {.vector = {.field = "v.list", .size = 2}, .numbers = TEXTS("x")};
#define HOLDING(item)                                                                  \
    SCHEMA(FIELD("v", "{\"type\":\"record\",\"name\":\"V\",\"fields\":[" FIELD("list", \
                                                                               "{\"type\":\"array\",\"items\":" item "}") "]}"))
    begin(HOLDING("\"float\""), &features, (struct rf_decode_limits){0});
    struct bytes datum = {.size = 0};
    put_long(&datum, 2);
    put_float(&datum, 0.5F);
    put_float(&datum, -2);
    put_long(&datum, 0);
    gives(&datum, "v.list=0.5,-2");
    assert_int_equal(fixture.event.fields[0].value.type, RF_VALUE_FLOATS);
    assert_int_equal(fixture.arena.used, 0);
    datum.size--;
    put_long(&datum, 1);
    put_float(&datum, 3);
    put_long(&datum, 0);
    gives(&datum, "v.list=0.5,-2,3");
    assert_int_equal(fixture.event.fields[0].value.type, RF_VALUE_DOUBLES);
    end();
    begin(HOLDING("\"double\""), &features, (struct rf_decode_limits){0});
    datum.size = 0;
    put_long(&datum, 1);
    put_double(&datum, 0.1);
    put_long(&datum, 0);
    gives(&datum, "v.list=0.1");
    gives(&(struct bytes){.data = "\2\0\0\0", .size = 4}, "undecodable: byte 1: a value begins here and goes on after the end");
    gives(&(struct bytes){.data = "\xff\xff\3", .size = 3}, "undecodable: byte 3: a value begins here and goes on after the end");
    end();
    begin(HOLDING("\"int\""), &features, (struct rf_decode_limits){0});
    EXPECT_BYTES(&fixture, {"\4\2\3\0", 4, "v.list=1,-2"}, {"\0", 1, ""});
    end();
}

static void avro_writes_numbers_for_those_who_want_texts(void **state) {
    (void)state;
    begin(SCHEMA(FIELD("a", "\"long\"") "," FIELD("b", "\"float\"") "," FIELD("c", "\"double\"") "," FIELD(
                  "d", "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":30,\"scale\":4}")),
          &(struct rf_feature_options){.categories = TEXTS("a", "b", "c", "d")}, (struct rf_decode_limits){0});
    struct bytes datum = {.size = 0};
    put_long(&datum, INT64_MIN);
    put_float(&datum, 0.1F);
    put_double(&datum, 1e21);
    put_text(&datum, "\xff\x85");
    fixture_decode(&fixture, datum.data, datum.size);
    static const char *const texts[] = {"-9223372036854775808", "0.1", "1e21", "-0.0123"};
    for (size_t i = 0; i < 4; i++) {
        struct rf_text text = fixture.event.fields[i].value.text;
        assert_int_equal(text.size, strlen(texts[i]));
        assert_memory_equal(text.data, texts[i], text.size);
    }
    end();
}

static void avro_refuses_schemas_it_cannot_read_records_of(void **state) {
    (void)state;
    struct rf_schema *schema;
    struct rf_error err;
    assert_int_equal(rf_schema_create(&(struct rf_feature_options){.label = "y"}, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    static const char *const cases[][2] = {
            {"\"int\"", "source.avro.schema: is of the type int, must be a record or a union of records"},
            {"[\"null\"]", "source.avro.schema: is of the type union with null, must be a record or a union of records"},
            {SCHEMA(FIELD("a", "\"thing\"")),
             "source.avro.schema: field a of shop.Payment: type \"thing\" is not known, must be a "
             "type of Avro or one defined before"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_decoder *decoder;
        const struct rf_decoder_options options = {.avro_schema = rf_text_of(cases[i][0])};
        assert_int_equal(rf_decoder_find("avro")->create(schema, &options, &decoder, &err), RF_INVALID);
        assert_string_equal(err.text, cases[i][1]);
    }
    rf_schema_destroy(schema);
}

// What creating a decoder says to a category of the name: "" where it is taken.
static const char *named(const char *schema, char *name, struct rf_pairs beside) {
    static struct rf_error err;
    struct rf_schema *wanted;
    struct rf_decoder *decoder;
    const struct rf_feature_options features = {.categories = TEXTS(name)};
    const struct rf_decoder_options options = {.avro_schema = rf_text_of(schema), .fields = beside};
    assert_int_equal(rf_schema_create(&features, rf_hash_key_of_seed(1), &wanted, &err), RF_OK);
    if (rf_decoder_create(rf_decoder_find("avro"), wanted, &options, &decoder, &err)) {
        assert_int_equal(err.status, RF_INVALID);
    } else {
        rf_decoder_destroy(decoder);
        err.text[0] = '\0';
    }
    rf_schema_destroy(wanted);
    return err.text;
}

static void avro_holds_names_against_the_schema_of_the_settings(void **state) {
    (void)state;
    static const struct rf_pairs none = {0};
    static char *const good[] = {"id", "fraud", "items.sku", "items.1.price", "attrs.size"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_string_equal(named(payment, good[i], none), "");
    }
    static char *const bad[][2] = {
            {"amout", "field amout: shop.Payment has no field amout, did you mean amount?"},
            {"far.away", "field far.away: shop.Payment has no field far, must have it"},
            {"items.0.prise", "field items.0.prise: shop.Item has no field prise, did you mean price?"},
            {"items", "field items is a record, must be one of its fields: items.NAME"},
            {"items.0", "field items.0 is a record, must be one of its fields: items.0.NAME"},
            {"attrs", "field attrs is a map, must be one of its entries: attrs.KEY"},
            {"fraud.x", "field fraud.x: what has x is of the type boolean, must be a record or a map"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_string_equal(named(payment, bad[i][0], none), bad[i][1]);
    }
    struct rf_pairs beside = {(struct rf_pair[]){{.name = "shop", .value = "key"}}, 1};
    assert_string_equal(named(payment, "shop", beside), "");

    // The branches of a union: one must do, and there are more ways down than can be gone.
#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
    static const char many[] = "[" RECORD("A", FIELD("x", "\"int\"")) "," RECORD(
            "B", FIELD("a", "[\"null\",\"A\",\"B\"," RECORD("C", FIELD("a", "[\"null\",\"B\",\"C\"]")) "]")) "]";
    assert_string_equal(named(many, "x", none), "");
    assert_string_equal(named(many, "a.a.x", none), "");
    assert_string_equal(named(many, "a.a.y", none), "field a.a.y: C has no field y, must have it");
    char deep[2 * 60 + 2] = "";
    for (size_t i = 0; i < 60; i++) {
        strcat(deep, "a.");
    }
    assert_string_equal(named(many, strcat(deep, "y"), none), "");
}

static void avro_goes_by_the_schema_that_a_record_names(void **state) {
    (void)state;
    fixture_init(&fixture, "avro", &(struct rf_feature_options){.numbers = TEXTS("x")}, &(struct rf_decoder_options){0});
    static const struct rf_record_schema schemas[] = {
            {.text = {SCHEMA(FIELD("x", "\"int\"") "," FIELD("y", "\"int\"")),
                      sizeof SCHEMA(FIELD("x", "\"int\"") "," FIELD("y", "\"int\"")) - 1},
             .hash = 1},
            {.text = {SCHEMA(FIELD("y", "\"int\"") "," FIELD("x", "\"int\"")),
                      sizeof SCHEMA(FIELD("y", "\"int\"") "," FIELD("x", "\"int\"")) - 1},
             .hash = 2},
            {.text = {"{}", 2}, .hash = 3},
    };
    static const double wanted[] = {1, 2, 0};
    for (size_t i = 0; i < 6; i++) {
        struct rf_record record = {.value = {"\2\4", 2}, .schema = &schemas[i % 3]};
        rf_arena_reset(&fixture.arena);
        enum rf_status status = rf_decoder_decode(fixture.decoder, &record, &fixture.arena, &fixture.event, &fixture.error);
        assert_int_equal(status, i % 3 < 2 ? RF_OK : RF_INVALID);
        if (!status) {
            assert_true(fixture.event.fields[0].value.number == wanted[i % 3]);
        } else {
            assert_string_equal(fixture.error.detail,
                                "its schema type \"\" is not known, must be a type of Avro or one defined before");
        }
    }
    EXPECT_BYTES(&fixture,
                 {"\2\4", 2, "undecodable: has no schema, must have one: that of source.avro.schema, or of its container file"});
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(avro_delivers_fields_by_their_paths),
            cmocka_unit_test(avro_takes_undeclared_scalars_of_the_record),
            cmocka_unit_test(avro_rejects_what_is_no_datum),
            cmocka_unit_test(avro_rejects_holders_that_are_wanted_as_values),
            cmocka_unit_test(avro_rejects_numbers_that_are_not_finite),
            cmocka_unit_test(avro_refuses_bombs_at_once),
            cmocka_unit_test(avro_reads_blocks_with_sizes),
            cmocka_unit_test(avro_rejects_what_is_nested_too_deep),
            cmocka_unit_test(avro_rejects_keys_that_stand_twice),
            cmocka_unit_test(avro_reads_vectors_in_place_or_widened),
            cmocka_unit_test(avro_writes_numbers_for_those_who_want_texts),
            cmocka_unit_test(avro_refuses_schemas_it_cannot_read_records_of),
            cmocka_unit_test(avro_holds_names_against_the_schema_of_the_settings),
            cmocka_unit_test(avro_goes_by_the_schema_that_a_record_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
