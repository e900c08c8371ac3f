#include "tests/ingest/decode_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static int set_up(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "csv",
                 &(struct rf_feature_options){
                         .id = "id",
                         .time = "at",
                         .label = "y",
                         .numbers = TEXTS("amount"),
                         .categories = TEXTS("city"),
                         .ignore = TEXTS("note"),
                 },
                 &(struct rf_decoder_options){.columns = TEXTS("id", "at", "amount", "city", "note", "y", "other")});
    *state = &fixture;
    return 0;
}

static int set_up_rest(void **state) {
    static struct decode_fixture fixture;
    fixture_init(&fixture, "csv", &(struct rf_feature_options){.label = "y"},
                 &(struct rf_decoder_options){
                         .limits = {.field_bytes = 20}, .columns = TEXTS("", "a", "b", "y"), .csv = {.delimiter = ';'}});
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    fixture_finish(*state);
    return 0;
}

static void csv_delivers_the_wanted_columns(void **state) {
    EXPECT(*state, {"t-1,1000,12.5,Bern,n,1,o", "id=\"t-1\" at=1000 amount=12.5 city=\"Bern\" y=1"},
           {"t-1,1000,12.5,Bern,n,1,o\n", "id=\"t-1\" at=1000 amount=12.5 city=\"Bern\" y=1"},
           {"t-1,1000,12.5,Bern,n,1,o\r\n", "id=\"t-1\" at=1000 amount=12.5 city=\"Bern\" y=1"},
           {",,,,,,", "id=null at=null amount=null city=null y=null"},
           {"007,2018-04-01T00:00:31Z,+.5,8001,n,true,o",
            "id=\"007\" at=\"2018-04-01T00:00:31Z\" amount=0.5 city=\"8001\" y=true"},
           {"a,1,1e3, B ,,no,", "id=\"a\" at=1 amount=1000 city=\" B \" y=\"no\""});
}

static void csv_reads_quoted_fields(void **state) {
    EXPECT(*state, {"\"t,1\",1,1,\"say \"\"hi\"\"\",,1,", "id=\"t,1\" at=1 amount=1 city=\"say \"hi\"\" y=1"},
           {"\"\",1,1,\"two\r\nlines\",\"\"\"\",1,", "id=\"\" at=1 amount=1 city=\"two\r\nlines\" y=1"},
           {"\"x\",\"1\",\"-1.5\",\"7\",\"\",\"0\",\"\"", "id=\"x\" at=1 amount=-1.5 city=\"7\" y=0"},
           {"a,\"\",\"\",\"\",,\"\",", "id=\"a\" at=null amount=null city=\"\" y=null"},
           {"a,1,1,\"\"\"\"\"\",,1,\"z\"\n", "id=\"a\" at=1 amount=1 city=\"\"\"\" y=1"});
}

static void csv_tells_types_where_no_column_does(void **state) {
    EXPECT(*state, {"9;1.5;x;1", "a=1.5 b=\"x\" y=1"}, {"x;\"1.5\";nan;1", "a=\"1.5\" b=\"nan\" y=1"},
           {";true;NA;0", "a=true b=\"NA\" y=0"}, {";-0;5.;0", "a=-0 b=5 y=0"}, {";False;0x1;0", "a=\"False\" b=\"0x1\" y=0"},
           {";1e400;2;0", "non_finite: field a: 1e400 is not finite"},
           {";01234567890123456789;2;0", "a=1.23456789012346e+18 b=2 y=0"});
}

static void csv_reads_na_as_null_in_number_columns(void **state) {
    EXPECT(*state, {"NA,NA,NA,NA,,NA,", "id=\"NA\" at=null amount=null city=\"NA\" y=null"});
}

static void csv_refuses_numbers_that_are_not_finite(void **state) {
    EXPECT(*state, {"a,1,1e400,,,1,", "non_finite: field amount: 1e400 is not finite"},
           {"a,1,NaN,,,1,", "non_finite: field amount: NaN is not finite"},
           {"a,1,nan,,,1,", "non_finite: field amount: nan is not finite"},
           {"a,1,-Infinity,,,1,", "non_finite: field amount: -Infinity is not finite"},
           {"a,1,1,,,inf,", "non_finite: field y: inf is not finite"},
           {"a,1,+INF,,,1,", "non_finite: field amount: +INF is not finite"},
           {"nan,1,1,inf,nan,1,nan", "id=\"nan\" at=1 amount=1 city=\"inf\" y=1"});
}

static void csv_refuses_ragged_rows(void **state) {
    EXPECT(*state, {"a,1,1,b,n", "undecodable: has 5 columns, must be 7"}, {"a", "undecodable: has 1 columns, must be 7"},
           {"\n", "undecodable: has 1 columns, must be 7"}, {"a,1,1,b,n,1,o,", "undecodable: has 8 columns, must be 7"},
           {"a,1,1,b,n,1,o,\"p,q\",r", "undecodable: has 9 columns, must be 7"});
}

static void csv_refuses_wrong_quotes_and_line_ends(void **state) {
    EXPECT(*state, {"a,1,1,b\"c,,1,", "undecodable: byte 7 is '\"', must be within quotes"},
           {"a,1,1,\"b,,1,", "undecodable: ends after 12 bytes within quotes, must go on with a closing one"},
           {"\"", "undecodable: ends after 1 bytes within quotes, must go on with a closing one"},
           {"a,1,1,\"b\"c,,1,", "undecodable: byte 9 is 'c', must be a delimiter or the end after a closing quote"},
           {"a,1,1,b\nc,,1,", "undecodable: byte 7 is '\\x0a', must be the end of the record"},
           {"a,1,1,b\rc,,1,", "undecodable: byte 7 is '\\x0d', must be the end of the record"},
           {"a,1,1,b,,1,\n\n", "undecodable: byte 11 is '\\x0a', must be the end of the record"},
           {"a,1,1,b,,1,\r", "id=\"a\" at=1 amount=1 city=\"b\" y=1"}); // what is left of a line that was split at \n
}

static void csv_refuses_bytes_that_are_no_text(void **state) {
    EXPECT(*state, {"a,1,1,\xff,,1,", "encoding: byte 6 is \\xff, must be UTF-8"},
           {"a,1,1,b,\xc3,1,", "encoding: byte 8 is \\xc3, must be UTF-8"}, // though nobody wants it
           {"a,1,1,\"b\xed\xa0\x80\",,1,", "encoding: byte 8 is \\xed, must be UTF-8"},
           {"a,1,1,Z\xc3\xbcrich,,1,", "id=\"a\" at=1 amount=1 city=\"Z\xc3\xbcrich\" y=1"});
    assert_string_equal(fixture_decode(*state, "a,1,1,b\0c,,1,", 13),
                        "undecodable: byte 7 is '\\x00', must be a character of a text");
    assert_string_equal(fixture_decode(*state, "a,1,1,b,\"\0\",1,", 14),
                        "undecodable: byte 9 is '\\x00', must be a character of a text");
}

static void csv_keeps_to_its_limits(void **state) {
    EXPECT(*state, {";01234567890123456789;2;0", "a=1.23456789012346e+18 b=2 y=0"},
           {";012345678901234567890;2;0", "limit: field a has 21 bytes, at most 20 are taken"},
           {"012345678901234567890;1;2;0", "limit: field  has 21 bytes, at most 20 are taken"});
}

static void csv_refuses_a_record_cut_anywhere_but_in_its_last_field(void **state) {
    static const char record[] = "\"t,\"\"1\",1000,-12.5,Z\xc3\xbcrich,n,1,o";
    size_t last = strlen(record) - 1;
    for (size_t size = 0; size < last; size++) {
        const char *words = fixture_decode(*state, record, size);
        if (strncmp(words, "undecodable: ", 13) != 0 && strncmp(words, "encoding: ", 10) != 0 &&
            strncmp(words, "empty: ", 7) != 0) {
            fail_msg("%.*s\n  gives %s", (int)size, record, words);
        }
    }
}

static void refuses(const struct rf_feature_options *features, const struct rf_decoder_options *options, const char *sentence) {
    struct rf_schema *schema;
    struct rf_decoder *decoder = NULL;
    struct rf_error err = {0};
    assert_int_equal(rf_schema_create(features, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    assert_int_equal(rf_decoder_csv_create(schema, options, &decoder, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(decoder);
    rf_schema_destroy(schema);
}

static void csv_refuses_wrong_settings_in_words(void **state) {
    (void)state;
    const struct rf_feature_options rest = {0};
    refuses(&rest, &(struct rf_decoder_options){0}, "csv needs the names of its columns: none are given, must be one for each");
    refuses(&rest, &(struct rf_decoder_options){.columns = TEXTS("a", "b", "a")}, "csv column a stands twice, must stand once");
    refuses(&rest, &(struct rf_decoder_options){.columns = TEXTS("a"), .csv = {.delimiter = '"'}},
            "the csv delimiter is \\x22, must be an ASCII character but a quote or a line end");
    refuses(&rest, &(struct rf_decoder_options){.columns = TEXTS("a"), .csv = {.delimiter = (char)0xff}},
            "the csv delimiter is \\xff, must be an ASCII character but a quote or a line end");
    refuses(&rest, &(struct rf_decoder_options){.columns = TEXTS("a", "b"), .limits = {.fields = 1}},
            "csv has 2 columns, at most 1 fields are taken");
    refuses(&(struct rf_feature_options){.numbers = TEXTS("a", "c")}, &(struct rf_decoder_options){.columns = TEXTS("a", "b")},
            "feature c is in none of the 2 csv columns, must be the name of one");
}

static void free_texts(struct rf_texts *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        free(texts->list[i]);
    }
    free(texts->list);
}

static void csv_columns_splits_a_header_line(void **state) {
    (void)state;
    struct rf_texts columns;
    struct rf_error err = {0};
    assert_int_equal(rf_decoder_csv_columns(rf_text_of("\xef\xbb\xbf,\"a, \"\"b\"\"\",c\r\n"), &(struct rf_csv_dialect){0},
                                            &columns, &err),
                     RF_OK);
    assert_int_equal(columns.count, 3);
    assert_string_equal(columns.list[0], "");
    assert_string_equal(columns.list[1], "a, \"b\"");
    assert_string_equal(columns.list[2], "c");
    free_texts(&columns);
    assert_int_equal(rf_decoder_csv_columns(rf_text_of("a\tb"), &(struct rf_csv_dialect){.delimiter = '\t'}, &columns, &err),
                     RF_OK);
    assert_int_equal(columns.count, 2);
    assert_string_equal(columns.list[1], "b");
    free_texts(&columns);
}

static void csv_columns_refuses_a_wrong_header_line(void **state) {
    (void)state;
    struct rf_texts columns = {NULL, 7};
    struct rf_error err = {0};
    assert_int_equal(rf_decoder_csv_columns(rf_text_of("a,\"b"), &(struct rf_csv_dialect){0}, &columns, &err), RF_INVALID);
    assert_string_equal(err.text, "the header line of csv: ends after 4 bytes within quotes, must go on with a closing one");
    assert_int_equal(rf_decoder_csv_columns((struct rf_text){NULL, 0}, &(struct rf_csv_dialect){0}, &columns, &err), RF_INVALID);
    assert_string_equal(err.text, "the header line of csv is empty, must name the columns");
    assert_int_equal(columns.count, 7);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            TEST(csv_delivers_the_wanted_columns),
            TEST(csv_reads_quoted_fields),
            cmocka_unit_test_setup_teardown(csv_tells_types_where_no_column_does, set_up_rest, tear_down),
            TEST(csv_reads_na_as_null_in_number_columns),
            TEST(csv_refuses_numbers_that_are_not_finite),
            TEST(csv_refuses_ragged_rows),
            TEST(csv_refuses_wrong_quotes_and_line_ends),
            TEST(csv_refuses_bytes_that_are_no_text),
            cmocka_unit_test_setup_teardown(csv_keeps_to_its_limits, set_up_rest, tear_down),
            TEST(csv_refuses_a_record_cut_anywhere_but_in_its_last_field),
            cmocka_unit_test(csv_refuses_wrong_settings_in_words),
            cmocka_unit_test(csv_columns_splits_a_header_line),
            cmocka_unit_test(csv_columns_refuses_a_wrong_header_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
