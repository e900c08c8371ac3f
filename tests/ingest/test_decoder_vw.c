#include "ingest/feature.h"
#include "ingest/feature_hash.h"
#include "tests/ingest/decode_fixture.h"

#include <stdio.h>

// With Vowpal Wabbit's hashes a name of digits in a namespace of digits is their sum, so that the tests can be read.
static int set_up(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "vw",
                 &(struct rf_feature_options){
                         .id = "tag", .label = "y", .weight = "w", .ignore = TEXTS("900"), .hash = RF_HASHING_VOWPAL},
                 &(struct rf_decoder_options){.limits = {.field_bytes = 24, .fields = 6}});
    *state = &fixture;
    return 0;
}

static int set_up_declared(void **state) {
    static struct decode_fixture fixture;
    fixture_init(
            &fixture, "vw",
            &(struct rf_feature_options){.numbers = TEXTS("100", " "), .categories = TEXTS("300"), .hash = RF_HASHING_VOWPAL},
            &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int set_up_keyed(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "vw", &(struct rf_feature_options){0}, &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_finish(*state);
    return 0;
}

static void vw_delivers_label_importance_tag_and_features(void **state) {
    EXPECT(*state, {"1 |100 1 2", "y=1 |100 101:1 102:1"}, {"-1 2.5 'me|100 1:0.5", "tag=\"me\" y=-1 w=2.5 |100 101:0.5"},
           {"1 2 0 me|100 1", "tag=\"me\" y=1 w=2 |100 101:1"}, {"1 'me |100 1", "tag=\"me\" y=1 |100 101:1"},
           {"1 2 0.0 'me |100 1", "tag=\"me\" y=1 w=2 |100 101:1"}, {"+1e0 0 | 7", "y=1 w=0 |  7:1"},
           {"Bern |100 1", "y=\"Bern\" |100 101:1"}, {"  1   2   |100   1  ", "y=1 w=2 |100 101:1"});
}

static void vw_takes_the_word_at_the_bar_for_the_tag(void **state) {
    EXPECT(*state, {"1|100 1", "tag=\"1\" |100 101:1"}, {"1 1.0 '|100 1", "y=1 w=1 |100 101:1"},
           {"'t|100 1", "tag=\"t\" |100 101:1"}, {"1 ''t' |100 1", "tag=\"'t'\" y=1 |100 101:1"},
           {"t x |100 1", "type: the importance is \"x\", must be a number"});
}

static void vw_needs_no_label(void **state) {
    EXPECT(*state, {"|100 1", "|100 101:1"}, {" |100 1", "|100 101:1"}, {"|", ""}, {"1 |", "y=1"}, {"| | |100", ""});
}

static void vw_reads_values_and_scales(void **state) {
    EXPECT(*state, {"|100 1:2 2:-.5 3:1e3 4:+1.5E-2 5:5.", "|100 101:2 102:-0.5 103:1000 104:0.015 105:5"},
           {"|100:2 1 2:0.25", "|100 101:2 102:0.5"}, {"|100:-1e1 1", "|100 101:-10"},
           {"|100:0.5\t1\t2|200 1", "|100 101:0.5 102:0.5 |200 201:1"},
           {"| 1:12345678901234567890123", "|  1:1.23456789012346e+22"});
}

static void vw_takes_a_value_of_0_for_an_absent_feature(void **state) {
    EXPECT(*state, {"|100 1:0 2 3:-0.0 4:1e-400", "|100 102:1"}, {"|100:0 1 2 |200 3", "|200 203:1"}, {"|100 1:0", ""});
}

static void vw_keeps_features_that_stand_twice(void **state) {
    EXPECT(*state, {"|100 1 1 1:2 |200 1 |100 1", "|100 101:1 101:1 101:2 |200 201:1 |100 101:1"});
}

static void vw_numbers_values_without_a_name(void **state) {
    EXPECT(*state, {"|100 :0.5 7 :2 :0 :3 |200 :1", "|100 100:0.5 107:1 101:2 103:3 |200 200:1"});
}

static void vw_takes_texts_for_values(void **state) {
    struct rf_hasher hasher = {.hashing = RF_HASHING_VOWPAL};
    char words[64];
    snprintf(words, sizeof words, "|100 %u:1 108:1", rf_hash_murmur3(105, "a|b", 3));
    assert_string_equal(fixture_decode_text(*state, "|100:3 5:a|b 3:5x"),
                        "undecodable: byte 16 is 'x', must be a space, | or the end");
    assert_string_equal(fixture_decode_text(*state, "|100 5:a|b 8"), words);
    assert_int_equal(rf_hasher_feature(&hasher, 105, rf_text_of("a|b")), rf_hash_murmur3(105, "a|b", 3));
}

static void vw_passes_over_line_ends_and_marks(void **state) {
    EXPECT(*state, {"1 |100 1\n", "y=1 |100 101:1"}, {"1 |100 1\r\n", "y=1 |100 101:1"}, {"1 |100 1 \r", "y=1 |100 101:1"},
           {"\xef\xbb\xbf"
            "1 |100 1",
            "y=1 |100 101:1"});
}

static void vw_refuses_blank_lines(void **state) {
    EXPECT(*state, {"\n", "empty: is a blank line"}, {" \t ", "empty: is a blank line"}, {"\r\n", "empty: is a blank line"});
}

static void vw_leaves_out_what_is_ignored_but_checks_it(void **state) {
    EXPECT(*state, {"1 |900 1 2 |100 1", "y=1 |100 101:1"}, {"|900 1 2 3 4 5 6 7 8", ""},
           {"|900 1:nan |100 1", "non_finite: byte 7: nan is not finite"});
}

static void vw_refuses_what_is_not_finite(void **state) {
    EXPECT(*state, {"1 |100 1:1e400", "non_finite: byte 9: 1e400 is not finite"},
           {"1 |100 1:NaN 2", "non_finite: byte 9: NaN is not finite"},
           {"1 |100 1:-inf|", "non_finite: byte 9: -inf is not finite"},
           {"1 |100:1e300 1:1e300", "non_finite: feature 1 times the scale of its namespace is not finite"},
           {"1 |100:inf 1", "non_finite: byte 7: inf is not finite"}, {"nan |100 1", "non_finite: byte 0: nan is not finite"},
           {"1 1e999 |100 1", "non_finite: byte 2: 1e999 is not finite"});
}

static void vw_refuses_malformed_lines(void **state) {
    EXPECT(*state, {"1 100", "undecodable: has no |, must have one before its features"},
           {"1 |100 1:", "undecodable: ends after 9 bytes, must go on with a number or a text"},
           {"1 |100 1: 2", "undecodable: byte 9 is ' ', must be a number or a text"},
           {"1 |100 1:2:3", "undecodable: byte 10 is ':', must be a space, | or the end"},
           {"1 |100 1:1x", "undecodable: byte 10 is 'x', must be a space, | or the end"},
           {"1 |:2 1", "undecodable: byte 3 is ':', must be a namespace or a space"},
           {"1 |100:x 1", "undecodable: byte 7 is 'x', must be a number"},
           {"1 |100:2x 1", "undecodable: byte 8 is 'x', must be a space, | or the end"},
           {"1 |100 1\n2", "undecodable: byte 8 is '\\x0a', must be a space, | or the end"},
           {"1\t|100 1", "undecodable: byte 1 is '\\x09', must be a space or a character of a label or tag"},
           {"1 1 0 1 |100 1", "undecodable: byte 6 is '1', must be a tag or |"},
           {"1 1 0 1 1 |100 1", "undecodable: byte 8 is '1', must be | after label, importance, base and tag"},
           {"1 1 0.5 |100 1", "type: the base is 0.5, must be 0: scores start from nothing else"});
}

static void vw_refuses_bytes_that_are_no_text(void **state) {
    EXPECT(*state, {"1 |100 \xff", "encoding: byte 7 is \\xff, must be UTF-8"});
    assert_string_equal(fixture_decode(*state, "1 |100 a\0b", 10),
                        "undecodable: byte 8 is '\\x00', must be a character of a text");
}

static void vw_keeps_to_its_limits(void **state) {
    EXPECT(*state, {"|100 1 2 3 |200 4 5 6", "|100 101:1 102:1 103:1 |200 204:1 205:1 206:1"},
           {"|100 1 2 3 4 5 6 7", "limit: has more than 6 features"},
           {"|100 1234567890123456789012345", "limit: the name 1234567890123456789012345 has 25 bytes, at most 24 are taken"},
           {"|1234567890123456789012345 1", "limit: the namespace 1234567890123456789012345 has 25 bytes, at most 24 are taken"},
           {"|1 x:abcdefghijklmnopqrstuvwxy", "limit: the text abcdefghijklmnopqrstuvwxy has 25 bytes, at most 24 are taken"},
           {"|1 1:0.12345678901234567890123", "limit: the number 0.12345678901234567890123 has 25 bytes, at most 24 are taken"},
           {"abcdefghijklmnopqrstuvwxy |", "limit: the label abcdefghijklmnopqrstuvwxy has 25 bytes, at most 24 are taken"},
           {"'abcdefghijklmnopqrstuvwxy |", "limit: the tag abcdefghijklmnopqrstuvwxy has 25 bytes, at most 24 are taken"});
}

static void vw_takes_the_namespaces_that_are_declared(void **state) {
    EXPECT(*state, {"1 2 'me |100 1 |200 1 | 5 |300 1 |100 2", "|100 101:1 |  5:1 |300 301:1 |100 102:1"});
}

static int set_up_crossed(void **state) {
    static struct decode_fixture fixture;
    static char *sides[] = {"100", "200"};
    static struct rf_texts cross = {sides, 2};
    fixture_init(&fixture, "vw",
                 &(struct rf_feature_options){.numbers = TEXTS("300"), .crosses = {&cross, 1}, .hash = RF_HASHING_VOWPAL},
                 &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static void vw_takes_the_namespaces_that_crosses_name(void **state) {
    EXPECT(*state, {"|100 1 |200 2 |300 3 |400 4", "|100 101:1 |200 202:1 |300 303:1"});
}

// As `vw --audit --sparse_weights -b 40` of Vowpal Wabbit 9.11 prints them.
static void vw_hashes_as_vowpal_wabbit_does(void **state) {
    (void)state;
    static const struct {
        const char *space, *name;
        uint64_t hash;
    } golden[] = {
            {"ns", "a", 354074874},
            {"ns", "b", 3507275240},
            {"ns", "12", 3567900196},
            {"ns", "0012", 3567900196},
            {"ns", "1a", 143460620},
            {"ns", "e", 2103440050},
            {"other", "a", 1920179158},
            {"other", "x", 2313121202},
            {" ", "7", 7},
            {" ", "a", 1009084850},
            {" ", "-3", 405203247},
            {" ", "3.0", 1608590404},
            {" ", "+5", 1664268956},
            {"12", "5", 17},
            {"12", "a", 2883525392},
            {"1a", "5", 2437629824},
            {"f", "4294967299", 728008766},
            {"f", "18446744073709551617", 728008764},
            {"ns", "4000000000", 3272932888},
            {"7000000000", "1", 2705032705},
            {"f", "\xc3\xa9", 3133384055},
            {"f", "a\xc3\xa9", 2486416087},
            {"f", "longer_name_than_eight", 3158568901},
            {"f", "price^23", 2240661770},
            {"f", "2019-01-01", 1762407932},
            {"f", "\xe6\x97\xa5\xe6\x9c\xac", 2275157832},
            {"f", "a", 282867731},
            {"f",
             "\x01"
             "a\x01",
             282867731}, // control characters are cut off at both ends
            {"\x01"
             "f",
             "a", 282867731},
            {"f",
             "a\x01"
             "b",
             3470127464},
    };
    struct rf_hasher hasher = {.hashing = RF_HASHING_VOWPAL};
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        uint64_t space = rf_hasher_namespace(&hasher, rf_text_of(golden[i].space));
        uint64_t hash = rf_hasher_feature(&hasher, space, rf_text_of(golden[i].name));
        if (hash != golden[i].hash) {
            fail_msg("|%s %s hashes to %llu, must be %llu", golden[i].space, golden[i].name, (unsigned long long)hash,
                     (unsigned long long)golden[i].hash);
        }
    }
    uint64_t space = rf_hasher_namespace(&hasher, rf_text_of("ns"));
    assert_int_equal(rf_hasher_nameless(&hasher, space, 0), 3567900184);
    assert_int_equal(rf_hasher_feature(&hasher, rf_hasher_feature(&hasher, space, rf_text_of("e")), rf_text_of("x")), 1157583505);
    assert_int_equal(rf_hasher_feature(&hasher, rf_hasher_feature(&hasher, space, rf_text_of("c")), rf_text_of("d|e")),
                     1230399758);
}

static void vw_hashes_with_the_key_by_namespace_and_name(void **state) {
    struct decode_fixture *fixture = *state;
    struct rf_hasher hasher = rf_hasher_of(fixture->schema);
    fixture_decode_text(fixture, "|city Bern :2 a:Bern | Bern 0 00 |city:2 Bern long_name_of_a_feature");
    const struct rf_event *event = &fixture->event;
    assert_int_equal(event->feature_count, 8);
    uint64_t city = rf_hash(hasher.key, "city", 4), none = rf_hash(hasher.key, " ", 1);
    const uint64_t expected[] = {
            rf_hasher_feature(&hasher, city, rf_text_of("Bern")), // the category Bern of the field city
            rf_hasher_feature(&hasher, city, rf_text_of(":0")),
            rf_hasher_feature(&hasher, rf_hasher_feature(&hasher, city, rf_text_of("a")), rf_text_of("Bern")),
            rf_hasher_feature(&hasher, none, rf_text_of("Bern")),
            rf_hasher_feature(&hasher, none, rf_text_of("0")),
            rf_hasher_feature(&hasher, none, rf_text_of("00")),
            rf_hasher_feature(&hasher, city, rf_text_of("Bern")),
            rf_hasher_feature(&hasher, city, rf_text_of("long_name_of_a_feature")),
    };
    assert_memory_equal(event->feature_hash, expected, sizeof expected);
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(expected[i], expected[k]);
        }
    }
}

static void vw_refuses_two_roles_in_one_field(void **state) {
    (void)state;
    struct rf_schema *schema;
    struct rf_decoder *decoder = NULL;
    struct rf_error err;
    struct rf_feature_options features = {.id = "x", .weight = "x", .label = "y"};
    assert_int_equal(rf_schema_create(&features, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    assert_int_equal(rf_decoder_vw_create(schema, &(struct rf_decoder_options){0}, &decoder, &err), RF_INVALID);
    assert_string_equal(err.text, "weight and id are both field x, must be two fields: a line of vw has a place for each");
    assert_null(decoder);
    rf_schema_destroy(schema);
}

static void vw_refuses_features_that_no_namespace_can_be(void **state) {
    (void)state;
    struct rf_bucket_options bucket = {.field = "b", .width = 1};
    const struct {
        struct rf_feature_options features;
        const char *sentence;
    } cases[] = {
            {{.texts = TEXTS("a")}, "field a is in texts, must be in numbers or categories: fields of vw hold features"},
            {{.buckets = {&bucket, 1}}, "field b is in buckets, must be in numbers or categories: fields of vw hold features"},
            {{.vector = {.field = "v", .size = 3}},
             "field v is in vector, must be in numbers or categories: fields of vw hold features"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_schema *schema;
        struct rf_decoder *decoder = NULL;
        struct rf_error err;
        assert_int_equal(rf_schema_create(&cases[i].features, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
        assert_int_equal(rf_decoder_vw_create(schema, &(struct rf_decoder_options){0}, &decoder, &err), RF_INVALID);
        assert_string_equal(err.text, cases[i].sentence);
        rf_schema_destroy(schema);
    }
}

#define WITH(set_up_, test_) cmocka_unit_test_setup_teardown(test_, set_up_, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
            WITH(set_up, vw_delivers_label_importance_tag_and_features),
            WITH(set_up, vw_takes_the_word_at_the_bar_for_the_tag),
            WITH(set_up, vw_needs_no_label),
            WITH(set_up, vw_reads_values_and_scales),
            WITH(set_up, vw_takes_a_value_of_0_for_an_absent_feature),
            WITH(set_up, vw_keeps_features_that_stand_twice),
            WITH(set_up, vw_numbers_values_without_a_name),
            WITH(set_up, vw_takes_texts_for_values),
            WITH(set_up, vw_passes_over_line_ends_and_marks),
            WITH(set_up, vw_refuses_blank_lines),
            WITH(set_up, vw_leaves_out_what_is_ignored_but_checks_it),
            WITH(set_up, vw_refuses_what_is_not_finite),
            WITH(set_up, vw_refuses_malformed_lines),
            WITH(set_up, vw_refuses_bytes_that_are_no_text),
            WITH(set_up, vw_keeps_to_its_limits),
            WITH(set_up_declared, vw_takes_the_namespaces_that_are_declared),
            WITH(set_up_crossed, vw_takes_the_namespaces_that_crosses_name),
            cmocka_unit_test(vw_hashes_as_vowpal_wabbit_does),
            WITH(set_up_keyed, vw_hashes_with_the_key_by_namespace_and_name),
            cmocka_unit_test(vw_refuses_two_roles_in_one_field),
            cmocka_unit_test(vw_refuses_features_that_no_namespace_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
