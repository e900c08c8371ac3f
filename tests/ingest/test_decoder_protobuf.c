#include "tests/ingest/decode_fixture.h"
#include "tests/ingest/wire_fixture.h"

#include <math.h>
#include <riffle.pb-c.h>
#include <stdio.h>
#include <stdlib.h>

static int set_up(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "protobuf",
                 &(struct rf_feature_options){
                         .id = "transaction",
                         .time = "at",
                         .label = "fraud",
                         .weight = "importance",
                         .numbers = TEXTS("amount"),
                         .categories = TEXTS("city"),
                         .ignore = TEXTS("note"),
                 },
                 &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int set_up_rest(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "protobuf", &(struct rf_feature_options){.ignore = TEXTS("note")},
                 &(struct rf_decoder_options){.limits = {.fields = 5, .field_bytes = 8}});
    *state = &fixture;
    return 0;
}

static int set_up_vector(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "protobuf", &(struct rf_feature_options){.vector = {.field = (char[]){"v"}, .size = 3}},
                 &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_finish(*state);
    return 0;
}

static void put_time(struct bytes *to, int64_t time_ms) {
    put_varint(to, 2 << 3);
    put_varint(to, (uint64_t)time_ms << 1 ^ (uint64_t)(time_ms >> 63));
}

static void put_number(struct bytes *to, const char *name, double value) {
    struct bytes number = {.size = 0};
    put_text(&number, 1, name);
    put_double(&number, 2, value);
    put_delimited(to, 6, number.data, number.size);
}

static void put_category(struct bytes *to, const char *name, const char *value) {
    struct bytes category = {.size = 0};
    put_text(&category, 1, name);
    put_text(&category, 2, value);
    put_delimited(to, 7, category.data, category.size);
}

static const char *decode(void **state, const struct bytes *message) {
    return fixture_decode(*state, message->data, message->size);
}

static struct bytes whole_message(void) {
    struct bytes message = {.size = 0};
    put_text(&message, 1, "t-1");
    put_time(&message, 1522540831000);
    put_double(&message, 3, 1);
    put_double(&message, 5, 0.5);
    put_number(&message, "amount", 12.5);
    put_number(&message, "other", 7);
    put_category(&message, "city", "Z\xc3\xbcrich");
    put_category(&message, "note", "x");
    return message;
}

static void protobuf_delivers_roles_and_features(void **state) {
    struct bytes message = whole_message();
    assert_string_equal(decode(state, &message),
                        "transaction=\"t-1\" at=1522540831000 fraud=1 importance=0.5 amount=12.5 city=\"Z\xc3\xbcrich\"");
}

static void protobuf_says_that_its_time_counts_milliseconds(void **state) {
    struct decode_fixture *fixture = *state;
    struct bytes message = whole_message();
    decode(state, &message);
    assert_true(fixture->event.fields[1].value.has_time_unit);
    assert_int_equal(fixture->event.fields[1].value.time_unit, RF_TIME_MS);
    message.size = 0;
    put_number(&message, "at", 1522540831); // in the unit of the settings
    assert_string_equal(decode(state, &message), "at=1522540831");
    assert_false(fixture->event.fields[0].value.has_time_unit);
}

static void protobuf_takes_what_protobuf_c_packs(void **state) {
    Riffle__V1__Number amount = RIFFLE__V1__NUMBER__INIT;
    amount.name = (char[]){"amount"};
    amount.value = -3;
    Riffle__V1__Example example = RIFFLE__V1__EXAMPLE__INIT;
    example.n_numbers = 1;
    example.numbers = (Riffle__V1__Number *[]){&amount};
    example.outcome_case = RIFFLE__V1__EXAMPLE__OUTCOME_LABEL_TEXT;
    example.label_text = (char[]){"yes"};
    struct bytes message = {.size = 0};
    message.size = riffle__v1__example__pack(&example, (uint8_t *)message.data);
    assert_string_equal(decode(state, &message), "fraud=\"yes\" amount=-3");
}

static void protobuf_takes_a_role_under_its_name_too(void **state) {
    struct bytes message = {.size = 0};
    put_number(&message, "fraud", 1);
    put_category(&message, "transaction", "t-9");
    assert_string_equal(decode(state, &message), "fraud=1 transaction=\"t-9\"");
    put_double(&message, 3, 0);
    assert_string_equal(decode(state, &message), "duplicate_field: field fraud stands twice, must stand once");
}

static void protobuf_leaves_out_what_is_absent_or_undeclared(void **state) {
    struct bytes message = {.size = 0};
    put_text(&message, 1, "");
    put_time(&message, 0);
    assert_string_equal(decode(state, &message), "");
    put_varint(&message, 99 << 3); // a field of a later version
    put_varint(&message, 5);
    assert_string_equal(decode(state, &message), "");
}

static void protobuf_takes_the_rest_but_not_undeclared_roles(void **state) {
    struct bytes message = {.size = 0};
    put_text(&message, 1, "t-1");
    put_double(&message, 3, 1);
    put_number(&message, "a", 2);
    put_category(&message, "b", "");
    put_category(&message, "note", "n");
    assert_string_equal(decode(state, &message), "a=2 b=\"\"");
}

static void protobuf_keeps_a_nul_in_a_text(void **state) {
    struct bytes category = {.size = 0}, message = {.size = 0};
    put_delimited(&category, 1, "city", 4);
    put_delimited(&category, 2, "a\0b", 3);
    put_delimited(&message, 7, category.data, category.size);
    assert_string_equal(decode(state, &message), "city=\"a\"");
    struct decode_fixture *fixture = *state;
    assert_int_equal(fixture->event.fields[0].value.text.size, 3);
}

static void protobuf_refuses_values_that_are_not_finite(void **state) {
    struct bytes message = {.size = 0};
    put_number(&message, "amount", NAN);
    assert_string_equal(decode(state, &message), "non_finite: field amount: nan is not finite");
    message.size = 0;
    put_number(&message, "nobody wants it", -INFINITY);
    assert_string_equal(decode(state, &message), "non_finite: field nobody wants it: -inf is not finite");
    message.size = 0;
    put_double(&message, 3, INFINITY);
    assert_string_equal(decode(state, &message), "non_finite: field fraud: inf is not finite");
    message.size = 0;
    put_double(&message, 5, NAN);
    assert_string_equal(decode(state, &message), "non_finite: field importance: nan is not finite");
}

static void protobuf_refuses_names_that_stand_twice(void **state) {
    struct bytes message = {.size = 0};
    put_number(&message, "x", 1);
    put_category(&message, "x", "1");
    assert_string_equal(decode(state, &message), "duplicate_field: field x stands twice, must stand once");
}

static void protobuf_refuses_wrong_types(void **state) {
    struct bytes message = {.size = 0};
    put_number(&message, "city", 8001);
    assert_string_equal(decode(state, &message), "type: field city is a number, must be sent as a text");
    message.size = 0;
    put_number(&message, "transaction", 1);
    assert_string_equal(decode(state, &message), "type: field transaction is a number, must be sent as a text");
}

static void protobuf_refuses_what_is_not_utf8_or_named(void **state) {
    struct bytes message = {.size = 0};
    put_text(&message, 1, "t\xff");
    assert_string_equal(decode(state, &message), "encoding: the id t\\xff must be UTF-8");
    message.size = 0;
    put_category(&message, "note", "\xed\xa0\x80");
    assert_string_equal(decode(state, &message), "encoding: the category \\xed\\xa0\\x80 must be UTF-8");
    message.size = 0;
    put_number(&message, "\xc0", 1);
    assert_string_equal(decode(state, &message), "encoding: the name \\xc0 must be UTF-8");
    message.size = 0;
    put_number(&message, "", 1);
    assert_string_equal(decode(state, &message), "undecodable: number 0 has no name, must be named");
    message.size = 0;
    put_category(&message, "a", "b");
    put_delimited(&message, 7, "", 0);
    assert_string_equal(decode(state, &message), "undecodable: category 1 has no name, must be named");
}

static void protobuf_keeps_to_its_limits(void **state) {
    struct bytes message = {.size = 0};
    put_number(&message, "123456789", 1);
    assert_string_equal(decode(state, &message), "limit: the name 123456789 has 9 bytes, at most 8 are taken");
    message.size = 0;
    put_category(&message, "a", "123456789");
    assert_string_equal(decode(state, &message), "limit: the category 123456789 has 9 bytes, at most 8 are taken");
    message.size = 0;
    for (int i = 0; i < 6; i++) {
        put_number(&message, (char[]){(char)('a' + i), '\0'}, i);
        const char *words = decode(state, &message);
        assert_int_equal(strcmp(words, "limit: has more than 5 fields") == 0, i == 5);
    }
}

static void protobuf_refuses_a_message_cut_within_a_field(void **state) {
    struct bytes message = whole_message();
    for (size_t size = 1; size < message.size; size++) {
        const char *words = fixture_decode(*state, message.data, size);
        bool is_rejected = strncmp(words, "undecodable: ", 13) == 0 || strncmp(words, "encoding: ", 10) == 0;
        if (!is_rejected && strncmp(words, "transaction=\"t-1\"", 17) != 0) {
            fail_msg("%zu bytes give %s", size, words);
        }
    }
    assert_string_equal(fixture_decode(*state, message.data, 3),
                        "undecodable: has 3 bytes that are no message, must be a riffle.v1.Example");
    assert_string_equal(fixture_decode_text(*state, "{\"amount\":1}"),
                        "undecodable: has 12 bytes that are no message, must be a riffle.v1.Example");
}

static void protobuf_takes_no_memory_for_fields_that_nobody_knows(void **state) {
    struct decode_fixture *fixture = *state;
    enum { SIZE = (1 << 20) - 2 };
    char *record = calloc(1, SIZE);
    assert_non_null(record);
    // One number of half a million of them.
    memcpy(record, "\x32\xfa\xff\x3f\x0a\x06", 6);
    memcpy(record + 6, "amount", 6);
    for (size_t i = 12; i < SIZE; i += 2) {
        record[i] = 15 << 3;
    }
    fixture->arena.capacity = 0;
    assert_string_equal(fixture_decode(fixture, record, SIZE), "amount=0");
    assert_int_equal(fixture->arena.used, 0);
    free(record);
}

// The vector 1, 2, 3 in `pieces` pieces, each number of the last one in a field of its own.
static struct bytes vector_message(int pieces) {
    struct bytes message = {.size = 0};
    const float numbers[] = {1, 2, 3};
    if (pieces == 1) {
        put_delimited(&message, 8, numbers, sizeof numbers);
    } else {
        put_delimited(&message, 8, numbers, sizeof *numbers);
        put(&message, &(char){8 << 3 | 5}, 1);
        put(&message, &numbers[1], sizeof *numbers);
        put(&message, &(char){8 << 3 | 5}, 1);
        put(&message, &numbers[2], sizeof *numbers);
    }
    return message;
}

static void protobuf_lends_a_vector_that_is_in_one_piece(void **state) {
    struct decode_fixture *fixture = *state;
    fixture->arena.capacity = 0;
    struct bytes message = vector_message(1);
    assert_string_equal(decode(state, &message), "v=1,2,3");
}

static void protobuf_puts_a_vector_together_in_the_arena(void **state) {
    struct decode_fixture *fixture = *state;
    struct bytes message = vector_message(2);
    assert_string_equal(decode(state, &message), "v=1,2,3");
    assert_true(fixture->arena.used > 0);
    put_delimited(&message, 8, "123", 3);
    assert_string_equal(decode(state, &message), "undecodable: has 21 bytes that are no message, must be a riffle.v1.Example");
}

static void protobuf_rejects_what_an_empty_arena_cannot_hold(void **state) {
    struct decode_fixture *fixture = *state;
    struct bytes message = vector_message(2);
    for (fixture->arena.capacity = 0; fixture->arena.capacity < 16; fixture->arena.capacity += 4) {
        assert_non_null(strstr(decode(state, &message), "limit: needs more memory than the "));
        assert_int_equal(fixture->arena.used, 0);
    }
}

static void protobuf_passes_over_groups_and_checks_how_they_nest(void **state) {
    struct bytes message = {.size = 0};
    put_number(&message, "amount", 1);
    put(&message, "\x7b\x7b\x08\x01\x7c\x12\x01\xff\x7c", 9); // group 15 { group 15 {1: 1} 2: bytes }
    assert_string_equal(decode(state, &message), "amount=1");
    put(&message, "\x7b\x74", 2);
    assert_string_equal(decode(state, &message), "undecodable: has 30 bytes that are no message, must be a riffle.v1.Example");
    message.size = 0;
    put(&message, "\x7c", 1);
    assert_string_equal(decode(state, &message), "undecodable: has 1 bytes that are no message, must be a riffle.v1.Example");
    message.size = 0;
    for (int i = 0; i < 1025; i++) {
        put(&message, "\x7b", 1);
    }
    for (int i = 0; i < 1025; i++) {
        put(&message, "\x7c", 1);
    }
    assert_string_equal(decode(state, &message), "undecodable: has 2050 bytes that are no message, must be a riffle.v1.Example");
    assert_string_equal(fixture_decode(*state, message.data + 1, 2048), "");
}

static void protobuf_takes_the_last_of_what_stands_twice(void **state) {
    struct bytes message = whole_message();
    put_text(&message, 1, "t-2");
    put_text(&message, 4, "yes");
    put_time(&message, 7);
    put_double(&message, 5, 2);
    assert_string_equal(decode(state, &message),
                        "transaction=\"t-2\" at=7 fraud=\"yes\" importance=2 amount=12.5 city=\"Z\xc3\xbcrich\"");
}

static void protobuf_places_come_on_top_of_the_fields_that_are_limited(void **state) {
    (void)state;
    struct decode_fixture fixture;
    struct bytes record = {.size = 0};
    const struct rf_decoder_options options = {.limits = {.fields = 1}};
    fixture_init(&fixture, "protobuf",
                 &(struct rf_feature_options){
                         .id = (char[]){"id"}, .weight = (char[]){"w"}, .numbers = TEXTS("a", "w"), .categories = TEXTS("id")},
                 &options);
    put_text(&record, 1, "t");
    put_double(&record, 5, 2);
    put_number(&record, "a", 1);
    assert_string_equal(fixture_decode(&fixture, record.data, record.size), "id=\"t\" w=2 a=1");
    assert_true(rf_decoder_fields_max(&options, fixture.schema) >= 3);
    fixture_finish(&fixture);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_VECTOR(name) cmocka_unit_test_setup_teardown(name, set_up_vector, tear_down)
#define TEST_REST(name) cmocka_unit_test_setup_teardown(name, set_up_rest, tear_down)
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(protobuf_places_come_on_top_of_the_fields_that_are_limited),
            TEST(protobuf_delivers_roles_and_features),
            TEST(protobuf_says_that_its_time_counts_milliseconds),
            TEST(protobuf_takes_what_protobuf_c_packs),
            TEST(protobuf_takes_a_role_under_its_name_too),
            TEST(protobuf_leaves_out_what_is_absent_or_undeclared),
            TEST_REST(protobuf_takes_the_rest_but_not_undeclared_roles),
            TEST(protobuf_keeps_a_nul_in_a_text),
            TEST(protobuf_refuses_values_that_are_not_finite),
            TEST(protobuf_refuses_names_that_stand_twice),
            TEST(protobuf_refuses_wrong_types),
            TEST(protobuf_refuses_what_is_not_utf8_or_named),
            TEST_REST(protobuf_keeps_to_its_limits),
            TEST(protobuf_refuses_a_message_cut_within_a_field),
            TEST(protobuf_takes_no_memory_for_fields_that_nobody_knows),
            TEST_VECTOR(protobuf_lends_a_vector_that_is_in_one_piece),
            TEST_VECTOR(protobuf_puts_a_vector_together_in_the_arena),
            TEST_VECTOR(protobuf_rejects_what_an_empty_arena_cannot_hold),
            TEST(protobuf_passes_over_groups_and_checks_how_they_nest),
            TEST(protobuf_takes_the_last_of_what_stands_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
