#include "ingest/feature_hash.h"
#include "tests/ingest/decode_fixture.h"

// With Vowpal Wabbit's hashes the hash of an index is the index.
static int set_up(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "libsvm", &(struct rf_feature_options){.label = "y", .hash = RF_HASHING_VOWPAL},
                 &(struct rf_decoder_options){.limits = {.field_bytes = 24, .fields = 6}});
    *state = &fixture;
    return 0;
}

static int set_up_query(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "libsvm",
                 &(struct rf_feature_options){
                         .label = "y", .numbers = TEXTS(" "), .categories = TEXTS("qid"), .hash = RF_HASHING_VOWPAL},
                 &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int set_up_keyed(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "libsvm", &(struct rf_feature_options){0}, &(struct rf_decoder_options){0});
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_finish(*state);
    return 0;
}

static void libsvm_delivers_label_and_features(void **state) {
    EXPECT(*state, {"-1 3:1 11:0.5 14:-2e-3", "y=-1 |  3:1 11:0.5 14:-0.002"}, {"+1 0:1 7:+.5 ", "y=1 |  0:1 7:0.5"},
           {"2.5\t1:1\t 2:2\r\n", "y=2.5 |  1:1 2:2"}, {"cat 1:1", "y=\"cat\" |  1:1"}, {"1", "y=1"}, {" 1:1 2:2", "|  1:1 2:2"},
           {"\xef\xbb\xbf"
            "1 1:1\n",
            "y=1 |  1:1"});
}

static void libsvm_takes_a_value_of_0_for_an_absent_feature(void **state) {
    EXPECT(*state, {"1 1:0 2:1 3:0.0 4:1e-999", "y=1 |  2:1"}, {"1 1:0", "y=1"});
}

static void libsvm_passes_over_zeros_in_front_of_an_index(void **state) {
    EXPECT(*state, {"1 000:1 007:2 0123456789:3", "y=1 |  0:1 7:2 123456789:3"});
}

static void libsvm_passes_over_comments(void **state) {
    EXPECT(*state, {"1 1:1 # 2:1 and more", "y=1 |  1:1"}, {"1 1:1#", "y=1 |  1:1"}, {"# all of it", "empty: is a comment alone"},
           {" \t", "empty: is a blank line"});
}

static void libsvm_gives_the_query_to_its_field(void **state) {
    EXPECT(*state, {"1 qid:7 1:1", "y=1 qid=7 |  1:1"}, {"1 1:1", "y=1 |  1:1"}, {"qid:07", "qid=7"},
           {"1 qid:a 1:1", "type: qid is \"a\", must be a number"});
}

static void libsvm_passes_over_a_query_without_a_field(void **state) {
    EXPECT(*state, {"1 qid:7 1:1", "y=1 |  1:1"}, {"1 1:1 qid:7", "undecodable: byte 6 is 'q', must be the index of a feature"},
           {"1 qid: 1:1", "type: qid is \"\", must be a number"});
}

static void libsvm_refuses_indices_that_do_not_rise(void **state) {
    EXPECT(*state, {"1 2:1 1:1", "undecodable: index 1 stands after 2, must be larger"},
           {"1 2:0 02:1", "duplicate_field: index 2 stands after 2, must be larger"});
}

static void libsvm_refuses_malformed_lines(void **state) {
    EXPECT(*state, {"1 1", "undecodable: ends after 3 bytes, must go on with a digit or :"},
           {"1 1:", "undecodable: ends after 4 bytes, must go on with a number"},
           {"1 1: 2:1", "undecodable: byte 4 is ' ', must be a number"},
           {"1 1:x", "undecodable: byte 4 is 'x', must be a number"},
           {"1 1:1x", "undecodable: byte 5 is 'x', must be a space or the end"},
           {"1 1:1:1", "undecodable: byte 5 is ':', must be a space or the end"},
           {"1 -1:1", "undecodable: byte 2 is '-', must be the index of a feature"},
           {"1 1x:1", "undecodable: byte 3 is 'x', must be a digit or :"},
           {"1 a:1", "undecodable: byte 2 is 'a', must be the index of a feature"},
           {"1 :1", "undecodable: byte 2 is ':', must be the index of a feature"},
           {"1 1:1\n2:1", "undecodable: byte 5 is '\\x0a', must be a space or the end"});
}

static void libsvm_refuses_what_is_not_finite(void **state) {
    EXPECT(*state, {"1 1:nan", "non_finite: byte 4: nan is not finite"},
           {"1 1:1e400 2:1", "non_finite: byte 4: 1e400 is not finite"}, {"inf 1:1", "non_finite: byte 0: inf is not finite"});
}

static void libsvm_refuses_bytes_that_are_no_text(void **state) {
    EXPECT(*state, {"1 1:\xff", "encoding: byte 4 is \\xff, must be UTF-8"});
    assert_string_equal(fixture_decode(*state, "1 1:1 \0", 7), "undecodable: byte 6 is '\\x00', must be a character of a text");
}

static void libsvm_keeps_to_its_limits(void **state) {
    EXPECT(*state, {"1 1:1 2:1 3:1 4:1 5:1 6:1", "y=1 |  1:1 2:1 3:1 4:1 5:1 6:1"},
           {"1 1:1 2:1 3:1 4:1 5:1 6:1 7:1", "limit: has more than 6 features"},
           {"1 123456789012345678:1", "y=1 |  2788225870:1"}, // modulo 2^32, as the hash is
           {"1 1234567890123456789:1", "limit: index 1234567890123456789 has 19 digits, at most 18 are taken"},
           {"1 1:0.12345678901234567890123", "limit: the number 0.12345678901234567890123 has 25 bytes, at most 24 are taken"},
           {"abcdefghijklmnopqrstuvwxy 1:1", "limit: the label abcdefghijklmnopqrstuvwxy has 25 bytes, at most 24 are taken"});
}

static void libsvm_hashes_as_vw_does_without_a_namespace(void **state) {
    struct decode_fixture *fixture = *state;
    struct rf_hasher hasher = rf_hasher_of(fixture->schema);
    fixture_decode_text(fixture, "1 3:1 0123456789:1");
    uint64_t none = rf_hash(hasher.key, " ", 1);
    const uint64_t expected[] = {rf_hasher_feature(&hasher, none, rf_text_of("3")),
                                 rf_hasher_feature(&hasher, none, rf_text_of("123456789"))};
    assert_int_equal(fixture->event.feature_count, 2);
    assert_memory_equal(fixture->event.feature_hash, expected, sizeof expected);
}

static void libsvm_refuses_features_that_never_come(void **state) {
    (void)state;
    struct rf_schema *schema;
    struct rf_decoder *decoder = NULL;
    struct rf_error err;
    struct rf_feature_options features = {.label = "y", .numbers = TEXTS(" ", "qid", "3")};
    assert_int_equal(rf_schema_create(&features, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    assert_int_equal(rf_decoder_libsvm_create(schema, &(struct rf_decoder_options){0}, &decoder, &err), RF_INVALID);
    assert_string_equal(err.text,
                        "field 3 is among features, must be \" \" (of all indices) or qid: a line of libsvm has no other");
    assert_null(decoder);
    rf_schema_destroy(schema);
}

#define WITH(set_up_, test_) cmocka_unit_test_setup_teardown(test_, set_up_, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
            WITH(set_up, libsvm_delivers_label_and_features),
            WITH(set_up, libsvm_takes_a_value_of_0_for_an_absent_feature),
            WITH(set_up, libsvm_passes_over_zeros_in_front_of_an_index),
            WITH(set_up, libsvm_passes_over_comments),
            WITH(set_up_query, libsvm_gives_the_query_to_its_field),
            WITH(set_up, libsvm_passes_over_a_query_without_a_field),
            WITH(set_up, libsvm_refuses_indices_that_do_not_rise),
            WITH(set_up, libsvm_refuses_malformed_lines),
            WITH(set_up, libsvm_refuses_what_is_not_finite),
            WITH(set_up, libsvm_refuses_bytes_that_are_no_text),
            WITH(set_up, libsvm_keeps_to_its_limits),
            WITH(set_up_keyed, libsvm_hashes_as_vw_does_without_a_namespace),
            cmocka_unit_test(libsvm_refuses_features_that_never_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
