#include "tests/ingest/decode_fixture.h"
#include "tests/ingest/wire_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct rf_text descriptors; // of rich.proto

static struct rf_decoder_options options_of(const char *message) {
    return (struct rf_decoder_options){.protobuf_message = message, .protobuf_descriptors = descriptors};
}

static int read_descriptors(void **state) {
    (void)state;
    FILE *file = fopen(RICH_DESCRIPTORS, "rb");
    char *bytes = malloc(1 << 20);
    assert_true(file && bytes);
    descriptors = (struct rf_text){bytes, fread(bytes, 1, 1 << 20, file)};
    fclose(file);
    return 0;
}

static int free_descriptors(void **state) {
    (void)state;
    free((char *)descriptors.data);
    return 0;
}

// What a record of rich.v1.Rich gives with these features.
static const char *decode_with(const struct rf_feature_options *features, const struct rf_decoder_options *options,
                               const struct bytes *record) {
    static char words[4096];
    struct decode_fixture fixture;
    fixture_init(&fixture, "protobuf", features, options);
    strcpy(words, fixture_decode(&fixture, record->data, record->size));
    fixture_finish(&fixture);
    return words;
}

static const char *decode(const struct rf_feature_options *features, const struct bytes *record) {
    const struct rf_decoder_options options = options_of("rich.v1.Rich");
    return decode_with(features, &options, record);
}

static void protobuf_takes_the_scalars_of_the_message_where_all_are_features(void **state) {
    (void)state;
    struct bytes record = {.size = 0};
    const struct rf_decoder_options options = options_of("rich.v1.Old");
    assert_string_equal(decode_with(&(struct rf_feature_options){.label = (char[]){"number"}}, &options, &record),
                        "number=null text=null size=null");
    put_number_field(&record, 1, 5);
    put_number_field(&record, 3, 2);
    assert_string_equal(decode_with(&(struct rf_feature_options){.label = (char[]){"number"}}, &options, &record),
                        "number=5 text=null size=\"LARGE\"");
}

static void protobuf_tells_absent_from_zero(void **state) {
    (void)state;
    struct bytes record = {.size = 0};
    struct rf_feature_options features = {
            .numbers = TEXTS("int32_value", "optional_int32", "inner.number", "inner.share"),
            .categories = TEXTS("string_value", "bool_value", "colour", "uint64_value", "wrapped_uint64", "choice_text"),
    };
    assert_string_equal(decode(&features, &record),
                        "int32_value=0 uint64_value=0 bool_value=false string_value=\"\" colour=\"COLOUR_UNKNOWN\" "
                        "optional_int32=null inner.number=null inner.share=null choice_text=null wrapped_uint64=null");
    put_number_field(&record, 17, 0);
    put_delimited(&record, 26, "", 0); // an inner message that is there, and empty
    put_delimited(&record, 42, "", 0);
    put_delimited(&record, 35, "", 0);
    assert_string_equal(decode(&features, &record),
                        "int32_value=0 uint64_value=0 bool_value=false string_value=\"\" colour=\"COLOUR_UNKNOWN\" "
                        "optional_int32=0 inner.number=0 inner.share=null choice_text=\"\" wrapped_uint64=0");
}

static void protobuf_keeps_the_digits_of_integers_that_are_names(void **state) {
    (void)state;
    struct bytes record = {.size = 0};
    put_number_field(&record, 6, UINT64_MAX);
    put_number_field(&record, 4, (uint64_t)INT64_MIN);
    struct decode_fixture fixture;
    const struct rf_decoder_options options = options_of("rich.v1.Rich");
    fixture_init(&fixture, "protobuf",
                 &(struct rf_feature_options){.id = (char[]){"uint64_value"}, .categories = TEXTS("int64_value")}, &options);
    fixture_decode(&fixture, record.data, record.size);
    const struct rf_field *fields = fixture.event.fields;
    assert_true(rf_text_equal(fields[0].value.text, rf_text_of("-9223372036854775808")));
    assert_true(rf_text_equal(fields[1].value.text, rf_text_of("18446744073709551615")));
    assert_true(fields[1].value.number == 0x1p64);
    fixture_finish(&fixture);
}

static void protobuf_writes_bytes_as_hexadecimal_digits(void **state) {
    (void)state;
    struct bytes record = {.size = 0};
    put_delimited(&record, 15, "\x00\xff\x1a", 3);
    assert_string_equal(decode(&(struct rf_feature_options){.categories = TEXTS("bytes_value")}, &record),
                        "bytes_value=\"00ff1a\"");
}

static void protobuf_reads_times_in_milliseconds_whatever_the_unit(void **state) {
    (void)state;
    struct bytes record = {.size = 0}, moment = {.size = 0};
    put_number_field(&moment, 1, (uint64_t)-1);
    put_number_field(&moment, 2, 999999999);
    put_delimited(&record, 39, moment.data, moment.size);
    struct decode_fixture fixture;
    const struct rf_decoder_options options = options_of("rich.v1.Rich");
    fixture_init(&fixture, "protobuf",
                 &(struct rf_feature_options){.time = (char[]){"at"}, .time_unit = RF_TIME_S, .numbers = TEXTS("took")},
                 &options);
    assert_string_equal(fixture_decode(&fixture, record.data, record.size), "at=-1 took=null");
    assert_true(fixture.event.fields[0].value.has_time_unit);
    assert_int_equal(fixture.event.fields[0].value.time_unit, RF_TIME_MS);
    put_delimited(&record, 40, moment.data, moment.size);
    put_delimited(&record, 39, "\x10\x80\x94\xeb\xdc\x03", 6); // merged: other nanoseconds, a second of them
    assert_string_equal(fixture_decode(&fixture, record.data, record.size),
                        "type: field at has 1000000000 nanoseconds, must have less than a second");
    fixture_finish(&fixture);
}

static void protobuf_merges_messages_and_takes_the_last_of_scalars(void **state) {
    (void)state;
    struct bytes record = {.size = 0}, inner = {.size = 0};
    put_text(&inner, 1, "first");
    put_text(&inner, 4, "x");
    put_delimited(&record, 26, inner.data, inner.size);
    inner.size = 0;
    put_number_field(&inner, 2, 7);
    put_text(&inner, 4, "y");
    put_delimited(&record, 26, inner.data, inner.size);
    put_text(&record, 14, "one");
    put_text(&record, 14, "two");
    assert_string_equal(decode(&(struct rf_feature_options){.categories = TEXTS("inner.text", "inner.tags", "string_value"),
                                                            .numbers = TEXTS("inner.number")},
                               &record),
                        "string_value=\"two\" inner.text=\"first\" inner.number=7 inner.tags=null inner.tags=\"x\" "
                        "inner.tags=\"y\"");
}

static void protobuf_lets_one_member_of_a_oneof_stand(void **state) {
    (void)state;
    struct bytes record = {.size = 0}, inner = {.size = 0};
    struct rf_feature_options features = {.categories =
                                                  TEXTS("choice_text", "choice_inner.text", "choice_inner.tags", "inner.a")};
    put_text(&inner, 1, "in");
    put_text(&inner, 4, "tag");
    put_delimited(&record, 36, inner.data, inner.size);
    assert_string_equal(decode(&features, &record), "inner.a=null choice_text=null choice_inner.text=\"in\" "
                                                    "choice_inner.tags=null choice_inner.tags=\"tag\"");
    put_text(&record, 35, "out");
    assert_string_equal(decode(&features, &record), "inner.a=null choice_text=\"out\" choice_inner.text=null "
                                                    "choice_inner.tags=null choice_inner.tags=null");
    put_number_field(&record, 34, 1); // which nobody reads
    assert_string_equal(decode(&features, &record), "inner.a=null choice_text=null choice_inner.text=null "
                                                    "choice_inner.tags=null choice_inner.tags=null");
}

static void put_entry(struct bytes *to, unsigned field, const char *key, const char *value, bool value_first) {
    struct bytes entry = {.size = 0};
    if (value_first && value) {
        put_text(&entry, 2, value);
    }
    put_text(&entry, 1, key);
    if (!value_first && value) {
        put_text(&entry, 2, value);
    }
    put_delimited(to, field, entry.data, entry.size);
}

static void protobuf_forgets_what_a_member_of_a_oneof_appended(void **state) {
    (void)state;
    const struct rf_feature_options features = {.categories =
                                                        TEXTS("strings", "choice_inner.tags", "choice_text", "inners.c.tags")};
    struct bytes record = {.size = 0}, inner = {.size = 0}, element = {.size = 0};
    put_text(&record, 23, "s");
    put_text(&inner, 4, "x");
    put_delimited(&record, 36, inner.data, inner.size);
    put_text(&record, 23, "t");
    put_delimited(&record, 36, inner.data, inner.size); // merged
    put_text(&record, 35, "y");                         // puts both out
    put_text(&record, 23, "u");
    inner.size = 0;
    put_text(&inner, 4, "z");
    put_delimited(&record, 36, inner.data, inner.size); // puts y out
    put_delimited(&element, 9, inner.data, inner.size);
    put_delimited(&record, 27, element.data, element.size);
    put_number_field(&element, 8, 1); // puts out the z of its element, not that of the one before
    put_delimited(&record, 27, element.data, element.size);
    assert_string_equal(decode(&features, &record),
                        "strings=null inners.c.tags=null choice_text=null choice_inner.tags=null strings=\"s\" "
                        "choice_inner.tags=null strings=\"t\" choice_inner.tags=null strings=\"u\" choice_inner.tags=\"z\" "
                        "inners.c.tags=\"z\" inners.c.tags=null");
}

// Elements of a repeated field, and then turns of a oneof until the record is as large as it may be: each turn must be cheap.
static void protobuf_takes_turns_beside_many_elements(void **state) {
    (void)state;
    enum { ELEMENTS = 4000, SIZE = 1 << 20 };
    char *bytes = malloc(SIZE);
    size_t size = 0;
    for (; size < (size_t)3 * ELEMENTS; size += 3) {
        memcpy(bytes + size, "\xba\x01\0", 3);
    }
    for (; size + 6 <= SIZE; size += 6) {
        memcpy(bytes + size, "\xa2\x02\0\x9a\x02\0", 6); // choice_inner, choice_text
    }
    struct decode_fixture fixture;
    const struct rf_decoder_options options = options_of("rich.v1.Rich");
    fixture_init(&fixture, "protobuf",
                 &(struct rf_feature_options){.categories = TEXTS("strings", "choice_inner.tags", "choice_text")}, &options);
    fixture_decode(&fixture, bytes, size);
    assert_int_equal(fixture.event.count, ELEMENTS + 3);
    free(bytes);
    fixture_finish(&fixture);
}

static void protobuf_reads_the_entries_of_maps_that_are_named(void **state) {
    (void)state;
    struct bytes record = {.size = 0};
    struct rf_feature_options features = {.categories = TEXTS("attrs.colour", "attrs.a.b", "by_name.k.text")};
    put_entry(&record, 29, "colour", "red", false);
    put_entry(&record, 29, "other", "x", false);
    put_entry(&record, 29, "a.b", "dots", true);
    assert_string_equal(decode(&features, &record), "attrs.colour=\"red\" attrs.a.b=\"dots\" by_name.k.text=null");
    put_entry(&record, 29, "colour", "blue", false); // the last one counts
    put_entry(&record, 29, "a.b", NULL, false);
    put_entry(&record, 30, "k", NULL, false);
    assert_string_equal(decode(&features, &record), "attrs.colour=\"blue\" attrs.a.b=\"\" by_name.k.text=\"\"");
}

static void protobuf_takes_a_vector_of_any_numbers(void **state) {
    (void)state;
    struct rf_feature_options features = {.numbers = TEXTS("took"), .vector = {.size = 3}};
    struct bytes record = {.size = 0};
    const double doubles[] = {1, -2, 0.5};
    features.vector.field = (char[]){"doubles"};
    put_delimited(&record, 49, doubles, sizeof doubles);
    assert_string_equal(decode(&features, &record), "took=null doubles=1,-2,0.5");
    put_double(&record, 49, 7);
    assert_string_equal(decode(&features, &record), "took=null doubles=1,-2,0.5,7");
    features.vector.field = (char[]){"packed"};
    record.size = 0;
    put_delimited(&record, 21, "\x01\x02", 2);
    put_number_field(&record, 21, (uint64_t)-3);
    assert_string_equal(decode(&features, &record), "packed=1,2,-3 took=null");
    for (int i = 0; i < 100; i++) {
        put_number_field(&record, 21, 4);
    }
    assert_string_equal(decode(&features, &record), "packed=1,2,-3,4 took=null"); // one too many shows
    features.vector.field = (char[]){"floats"};
    put_delimited(&record, 48, "123", 3);
    assert_string_equal(decode(&features, &record), "undecodable: has 323 bytes that are no message, must be a rich.v1.Rich");
}

static void protobuf_rejects_what_it_cannot_take(void **state) {
    (void)state;
    struct rf_feature_options features = {.numbers = TEXTS("double_value"),
                                          .categories = TEXTS("string_value", "strings", "old.text", "bytes_value")};
    struct bytes record = {.size = 0};
    put_double(&record, 1, NAN);
    assert_string_equal(decode(&features, &record), "non_finite: field double_value: nan is not finite");
    record.size = 0;
    put_text(&record, 14, "\xff");
    assert_string_equal(decode(&features, &record), "encoding: field string_value: \\xff must be UTF-8");
    struct rf_decoder_options options = options_of("rich.v1.Rich");
    options.limits = (struct rf_decode_limits){.field_bytes = 4, .fields = 8, .depth = 3};
    record.size = 0;
    put_text(&record, 14, "fiver");
    assert_string_equal(decode_with(&features, &options, &record), "limit: field string_value has 5 bytes, at most 4 are taken");
    record.size = 0;
    put_text(&record, 15, "fiver");
    assert_string_equal(decode_with(&features, &options, &record), "limit: field bytes_value has 5 bytes, at most 4 are taken");
    record.size = 0;
    for (int i = 0; i < 4; i++) {
        put_text(&record, 23, "s");
    }
    assert_string_equal(decode_with(&features, &options, &record), "limit: has more than 8 fields");
    record.size = 0;
    put(&record, "\xcb\x3e\xcb\x3e\xcb\x3e\xcb\x3e", 8);
    assert_string_equal(decode_with(&features, &options, &record), "limit: has groups nested deeper than 3");
    record.size = 0;
    put(&record, "\x72\x05x", 3);
    assert_string_equal(decode(&features, &record), "undecodable: has 3 bytes that are no message, must be a rich.v1.Rich");
}

static void protobuf_refuses_a_message_cut_within_a_field(void **state) {
    (void)state;
    struct bytes record = {.size = 0}, inner = {.size = 0};
    put_text(&inner, 1, "in");
    put_delimited(&record, 26, inner.data, inner.size);
    put_delimited(&record, 27, inner.data, inner.size);
    put_entry(&record, 29, "colour", "red", false);
    put_delimited(&record, 39, "\x08\x05", 2);
    put_delimited(&record, 21, "\x80\x01", 2);
    struct decode_fixture fixture;
    const struct rf_decoder_options options = options_of("rich.v1.Rich");
    fixture_init(&fixture, "protobuf",
                 &(struct rf_feature_options){.time = (char[]){"at"},
                                              .categories = TEXTS("inner.text", "inners.text", "attrs.colour", "packed")},
                 &options);
    size_t whole = 0;
    for (size_t size = 0; size <= record.size; size++) {
        whole += strncmp(fixture_decode(&fixture, record.data, size), "undecodable: ", 13) != 0;
    }
    assert_int_equal(whole, 6);
    for (size_t i = 0; i < record.size; i++) { // and one that is wrong within
        record.data[i] ^= (char)0x80;
        fixture_decode(&fixture, record.data, record.size);
        record.data[i] ^= (char)0x80;
    }
    fixture_finish(&fixture);
}

static void refuse_with(const struct rf_decoder_options *options, const struct rf_feature_options *features,
                        const char *sentence) {
    struct rf_schema *schema;
    struct rf_decoder *decoder;
    struct rf_error err;
    assert_int_equal(rf_schema_create(features, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    assert_int_equal(rf_decoder_create(rf_decoder_find("protobuf"), schema, options, &decoder, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    rf_schema_destroy(schema);
}

static void refuse(const struct rf_feature_options *features, const char *sentence) {
    const struct rf_decoder_options options = options_of("rich.v1.Rich");
    refuse_with(&options, features, sentence);
}

static void protobuf_refuses_fields_that_the_message_has_not(void **state) {
    (void)state;
#define NUMBERS(...) (&(struct rf_feature_options){.numbers = TEXTS(__VA_ARGS__)})
#define CATEGORIES(...) (&(struct rf_feature_options){.categories = TEXTS(__VA_ARGS__)})
    refuse(NUMBERS("int32_valeu"),
           "source.protobuf: field int32_valeu: rich.v1.Rich has no field int32_valeu, did you mean int32_value?");
    refuse(NUMBERS("inner.quantity"), "source.protobuf: field inner.quantity: rich.v1.Inner has no field quantity, must have it");
    refuse(NUMBERS("inner"), "source.protobuf: field inner is a rich.v1.Inner, must be one of its fields: inner.NAME");
    refuse(NUMBERS("counts"), "source.protobuf: field counts is a map, must be one of its entries: counts.KEY");
    refuse(NUMBERS("by_number.7"),
           "source.protobuf: field by_number.7: the keys of by_number are of the type int32, must be strings");
    refuse(NUMBERS("double_value.x"),
           "source.protobuf: field double_value.x: double_value is of the type double, must be a message to have a field x");
    refuse(NUMBERS("old.part.text"),
           "source.protobuf: field old.part.text: part is a group, must not be: groups are passed over");
    refuse(NUMBERS("wrapped_double", "wrapped_double.value"),
           "source.protobuf: field wrapped_double.value is read under another name too, must be under one");
}

static void protobuf_refuses_types_that_a_role_cannot_take(void **state) {
    (void)state;
    refuse(NUMBERS("string_value"),
           "source.protobuf: field string_value is of the type string, must be a number or a bool for numbers");
    refuse(NUMBERS("colour"), "source.protobuf: field colour is of the type enum, must be a number or a bool for numbers");
    refuse(NUMBERS("at"),
           "source.protobuf: field at is of the type google.protobuf.Timestamp, must be a number or a bool for numbers");
    refuse(NUMBERS("bytes_value"),
           "source.protobuf: field bytes_value is of the type bytes, must be a number or a bool for numbers");
    refuse(CATEGORIES("double_value"),
           "source.protobuf: field double_value is of the type double, must be a string, bytes, an enum, a "
           "bool or an integer for categories");
    refuse(&(struct rf_feature_options){.time = (char[]){"bool_value"}},
           "source.protobuf: field bool_value is of the type bool, must be a google.protobuf.Timestamp, a number or a string for "
           "time");
    refuse(&(struct rf_feature_options){.vector = {.field = (char[]){"double_value"}, .size = 2}},
           "source.protobuf: field double_value is of the type double, must be repeated numbers or a string for vector");
    refuse(&(struct rf_feature_options){.vector = {.field = (char[]){"inners.number"}, .size = 2}},
           "source.protobuf: field inners.number is of the type int64, must be repeated numbers or a string for vector");
}

static void protobuf_takes_numbers_in_strings_where_the_settings_say_so(void **state) {
    (void)state;
    struct rf_decoder_options options = options_of("rich.v1.Rich");
    options.numeric_texts = true;
    struct bytes record = {.size = 0};
    put_text(&record, 14, " 12.5 ");
    assert_string_equal(decode_with(NUMBERS("string_value"), &options, &record), "string_value=12.5");
}

static void protobuf_refuses_descriptors_that_are_none_or_lack_something(void **state) {
    (void)state;
    struct rf_decoder_options options = options_of("Rich");
    refuse_with(&options, NUMBERS("x"), "source.protobuf: message Rich is not among the descriptors, did you mean rich.v1.Rich?");
    options = options_of("shop.Order");
    refuse_with(&options, NUMBERS("x"),
                "source.protobuf: message shop.Order is not among the descriptors, must be one of them: its "
                "name in full, with the package");
    options.protobuf_descriptors = rf_text_of("no descriptors");
    refuse_with(&options, NUMBERS("x"),
                "source.protobuf: the descriptors are 14 bytes that are no such set, must be what protoc "
                "--descriptor_set_out writes");
    options = options_of("rich.v1.Rich");
    options.limits.fields = 1;
    refuse_with(&options, NUMBERS("double_value", "float_value"),
                "source.protobuf: rich.v1.Rich has 2 fields that are read, must be at most the 1 of source.limits.fields");
    // rich.proto itself is the last file; without those before it, its imports are missing.
    options = options_of("rich.v1.Rich");
    const char *last = memmem(descriptors.data, descriptors.size, "\n\nrich.proto", 12);
    for (const char *at = descriptors.data; !last && at < descriptors.data + descriptors.size - 12; at++) {
        last = memcmp(at, "\x0a\x0arich.proto", 12) == 0 ? at : NULL;
    }
    assert_non_null(last);
    last -= 3; // its tag and its size
    options.protobuf_descriptors = (struct rf_text){last, (size_t)(descriptors.data + descriptors.size - last)};
    refuse_with(&options, NUMBERS("old.number"),
                "source.protobuf: field old.number: rich.v1.Old is missing, must be there too: give protoc --include_imports");
    struct bytes record = {.size = 0};
    put_delimited(&record, 41, "\x09\0\0\0\0\0\0\xf0?", 9);
    assert_string_equal(decode_with(NUMBERS("wrapped_double"), &options, &record), "wrapped_double=1"); // which is known
}

static void protobuf_takes_a_message_of_no_bytes_in_an_envelope(void **state) {
    (void)state;
    static const struct rf_header headers[] = {
            {{"ce_specversion", 14}, {"1.0", 3}},
            {{"ce_type", 7}, {"payment", 7}},
            {{"ce_source", 9}, {"/shop", 5}},
            {{"ce_id", 5}, {"t-1", 3}},
    };
    struct rf_decoder_options options = options_of("rich.v1.Rich");
    options.envelope = RF_ENVELOPE_CLOUDEVENTS;
    struct decode_fixture fixture;
    fixture_init(&fixture, "protobuf", NUMBERS("int32_value"), &options);
    struct rf_record record = {.value = {"", 0}, .timestamp_ms = -1, .headers = headers, .header_count = 4};
    assert_string_equal(fixture_decode_record(&fixture, &record), "int32_value=0");
    record.header_count = 0;
    assert_string_equal(fixture_decode_record(&fixture, &record), "empty: has a value of 0 bytes");
    fixture_finish(&fixture);
}

static void protobuf_refuses_fields_that_come_from_beside_too(void **state) {
    (void)state;
    struct rf_pair pair = {.name = (char[]){"int32_value"}, .value = (char[]){"key.int32"}};
    struct rf_decoder_options options = options_of("rich.v1.Rich");
    options.fields = (struct rf_pairs){&pair, 1};
    refuse_with(
            &options, NUMBERS("int32_value"),
            "source.protobuf: field int32_value of rich.v1.Rich is a field from beside the value too, must have another name");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(protobuf_takes_the_scalars_of_the_message_where_all_are_features),
            cmocka_unit_test(protobuf_tells_absent_from_zero),
            cmocka_unit_test(protobuf_keeps_the_digits_of_integers_that_are_names),
            cmocka_unit_test(protobuf_writes_bytes_as_hexadecimal_digits),
            cmocka_unit_test(protobuf_reads_times_in_milliseconds_whatever_the_unit),
            cmocka_unit_test(protobuf_merges_messages_and_takes_the_last_of_scalars),
            cmocka_unit_test(protobuf_lets_one_member_of_a_oneof_stand),
            cmocka_unit_test(protobuf_forgets_what_a_member_of_a_oneof_appended),
            cmocka_unit_test(protobuf_takes_turns_beside_many_elements),
            cmocka_unit_test(protobuf_takes_a_message_of_no_bytes_in_an_envelope),
            cmocka_unit_test(protobuf_refuses_fields_that_come_from_beside_too),
            cmocka_unit_test(protobuf_reads_the_entries_of_maps_that_are_named),
            cmocka_unit_test(protobuf_takes_a_vector_of_any_numbers),
            cmocka_unit_test(protobuf_rejects_what_it_cannot_take),
            cmocka_unit_test(protobuf_refuses_a_message_cut_within_a_field),
            cmocka_unit_test(protobuf_refuses_fields_that_the_message_has_not),
            cmocka_unit_test(protobuf_refuses_types_that_a_role_cannot_take),
            cmocka_unit_test(protobuf_takes_numbers_in_strings_where_the_settings_say_so),
            cmocka_unit_test(protobuf_refuses_descriptors_that_are_none_or_lack_something),
    };
    return cmocka_run_group_tests(tests, read_descriptors, free_descriptors);
}
