#include "tests/ingest/decode_fixture.h"

#include "ingest/framing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct rf_feature_options features = {
        .id = "id", .label = "y", .numbers = TEXTS("amount"), .categories = TEXTS("city")};

static void open_dialect(struct decode_fixture *fixture, struct rf_csv_dialect dialect) {
    fixture_init(fixture, "csv", &features,
                 &(struct rf_decoder_options){.columns = TEXTS("id", "amount", "city", "y"), .csv = dialect});
}

#define IN_DIALECT(dialect, ...)                                \
    do {                                                        \
        struct decode_fixture fixture;                          \
        open_dialect(&fixture, (struct rf_csv_dialect)dialect); \
        EXPECT(&fixture, __VA_ARGS__);                          \
        fixture_finish(&fixture);                               \
    } while (0)
#define D(...) \
    { __VA_ARGS__ }

static void other_quotes_or_none(void **state) {
    (void)state;
    IN_DIALECT(D(.quote = '\''), {"'a,b','1','it''s \"x\"',0", "id=\"a,b\" amount=1 city=\"it's \"x\"\" y=0"},
               {"\"a\",1,b,0", "id=\"\"a\"\" amount=1 city=\"b\" y=0"},
               {"a,1,it's,0", "undecodable: byte 6 is ''', must be within quotes"});
    IN_DIALECT(D(.quote = RF_CSV_NONE), {"\"a,1,5\" pipe,0", "id=\"\"a\" amount=1 city=\"5\" pipe\" y=0"},
               {"a,1,\"b\",0\r\n", "id=\"a\" amount=1 city=\"\"b\"\" y=0"});
}

static void escapes_within_quotes_and_without(void **state) {
    (void)state;
    IN_DIALECT(D(.escape = '\\'), {"\"a\\\"b\",1,\"c\\\\\",0", "id=\"a\"b\" amount=1 city=\"c\\\" y=0"},
               {"a\\,b,1,\\\"c,0", "id=\"a,b\" amount=1 city=\"\"c\" y=0"},
               {"\"a\"\"b\",1,x\\\ny,0", "id=\"a\"b\" amount=1 city=\"x\ny\" y=0"}, // doubling goes on
               {"a\\nb,1,c\\N,0", "id=\"anb\" amount=1 city=\"cN\" y=0"},
               {"a,1,c,0\\", "undecodable: ends with an escape, must go on with a character"},
               {"a,1,\"c\\", "undecodable: ends with an escape, must go on with a character"},
               {"a,1,\"c\\\"", "undecodable: ends after 8 bytes within quotes, must go on with a closing one"});
    IN_DIALECT(D(.quote = RF_CSV_NONE, .escape = '\\', .delimiter = '\t', .has_control_escapes = true),
               {"a\\tb\\\\\t1\tx\\ny\\r\\v\\f\\b\t0", "id=\"a\tb\\\" amount=1 city=\"x\ny\r\v\f\b\" y=0"},
               {"a\\\tb\t1\t\\q\\\"\t0", "id=\"a\tb\" amount=1 city=\"q\"\" y=0"});
}

static void an_escaped_end_is_none(void **state) {
    (void)state;
    IN_DIALECT(D(.escape = '\\'), {"a,1,c,0\r", "id=\"a\" amount=1 city=\"c\" y=0"},
               {"0,1,a,b\\\r", "id=\"0\" amount=1 city=\"a\" y=\"b\r\""},
               {"0,1,a,b\\\\\r", "id=\"0\" amount=1 city=\"a\" y=\"b\\\""},
               {"0,1,a,b\\\r\r\n", "id=\"0\" amount=1 city=\"a\" y=\"b\r\""});
}

static void nulls_are_the_words_given(void **state) {
    (void)state;
    IN_DIALECT(D(.has_nulls = true, .nulls = TEXTS("\\N", "n/a")), {"\\N,\\N,\\N,n/a", "id=null amount=null city=null y=null"},
               {",,,", "id=\"\" amount=null city=\"\" y=null"}, {"NA,1,NA,0", "id=\"NA\" amount=1 city=\"NA\" y=0"},
               {"a,NA,b,0", "id=\"a\" amount=\"NA\" city=\"b\" y=0"},
               {"\"\\N\",\"\\N\",\"n/a\",\"0\"", "id=\"\\N\" amount=null city=\"n/a\" y=0"}, // quoted, it is text
               {"\"\",\"\",\"\",1", "id=\"\" amount=null city=\"\" y=1"});
    IN_DIALECT(D(.has_nulls = true, .nulls = TEXTS("", "NULL")), {",NULL,,1", "id=null amount=null city=null y=1"});
    // A null is told by how it is written, so an escape does not make one.
    IN_DIALECT(D(.quote = RF_CSV_NONE, .escape = '\\', .has_nulls = true, .nulls = TEXTS("\\N")),
               {"N,\\N,\\N,1", "id=\"N\" amount=null city=null y=1"}, {"\\\\N,1,x,1", "id=\"\\N\" amount=1 city=\"x\" y=1"});
}

static void decimal_commas(void **state) {
    (void)state;
    IN_DIALECT(D(.delimiter = ';', .has_decimal_comma = true), {"a;1,5;1,5;0", "id=\"a\" amount=1.5 city=\"1,5\" y=0"},
               {"a;-,5e-1;b;1,0", "id=\"a\" amount=-0.05 city=\"b\" y=1"},
               {"a;\"1234,25\";b;1", "id=\"a\" amount=1234.25 city=\"b\" y=1"}, {"a;12;b;1", "id=\"a\" amount=12 city=\"b\" y=1"},
               {"a;1.5;b;1", "id=\"a\" amount=\"1.5\" city=\"b\" y=1"},
               {"a;1.234,5;b;1", "id=\"a\" amount=\"1.234,5\" city=\"b\" y=1"},
               {"a;1,2,3;b;1", "id=\"a\" amount=\"1,2,3\" city=\"b\" y=1"}, {"a;;b;NA", "id=\"a\" amount=null city=\"b\" y=null"},
               {"a;1,e999;b;1", "non_finite: field amount: 1.e999 is not finite"},
               {"a;inf;b;1", "non_finite: field amount: inf is not finite"}, {"a;,;b;1", "id=\"a\" amount=\",\" city=\"b\" y=1"});
}

static void blanks_are_trimmed_around_fields_and_quotes(void **state) {
    (void)state;
    IN_DIALECT(D(.is_trimmed = true), {" a b ,\t1 , \" c \" ,0 \r\n", "id=\"a b\" amount=1 city=\" c \" y=0"},
               {"  , ,\t,1", "id=null amount=null city=null y=1"},
               {"a,1,\"c\" d,1", "undecodable: byte 8 is 'd', must be a delimiter or the end after a closing quote"},
               {"a,1,c \"d\",1", "undecodable: byte 6 is '\"', must be within quotes"});
    IN_DIALECT(D(.is_trimmed = true, .delimiter = '\t', .escape = '\\'),
               {" a\\  \t 1 \tb \t0", "id=\"a \" amount=1 city=\"b\" y=0"}, {"\t\t\t1", "id=null amount=null city=null y=1"});
}

// The options as the settings give them without a word.
static struct rf_csv_options plain(void) {
    static char quote[] = "\"", none[] = "none", point[] = ".";
    return (struct rf_csv_options){.quote = quote, .escape = none, .comment = none, .decimal = point};
}

static void settings_become_a_dialect(void **state) {
    (void)state;
    struct rf_csv_dialect dialect;
    struct rf_error err;
    struct rf_csv_options options = plain();
    assert_int_equal(rf_csv_dialect_read(",", &options, &dialect, &err), RF_OK);
    assert_true(rf_csv_is_default(&dialect));
    assert_int_equal(rf_csv_dialect_read("tab", &options, &dialect, &err), RF_OK);
    assert_int_equal(dialect.delimiter, '\t');
    assert_int_equal(rf_csv_dialect_read("\\t", &options, &dialect, &err), RF_OK);
    assert_int_equal(dialect.delimiter, '\t');
    assert_true(rf_csv_is_plain(&dialect) && !rf_csv_is_default(&dialect));

    options.escape = options.quote; // as PostgreSQL has it: quotes are doubled
    assert_int_equal(rf_csv_dialect_read(",", &options, &dialect, &err), RF_OK);
    assert_true(rf_csv_is_default(&dialect));

    options = plain();
    options.quote = (char[]){"none"};
    options.escape = (char[]){"\\"};
    options.comment = (char[]){"#"};
    options.decimal = (char[]){","};
    options.control_escapes = options.trim = true;
    options.null = (struct rf_texts)TEXTS("\\N");
    assert_int_equal(rf_csv_dialect_read(";", &options, &dialect, &err), RF_OK);
    assert_int_equal(dialect.quote, RF_CSV_NONE);
    assert_int_equal(dialect.escape, '\\');
    assert_int_equal(dialect.comment, '#');
    assert_true(dialect.has_decimal_comma && dialect.has_control_escapes && dialect.is_trimmed && dialect.has_nulls);
    assert_int_equal(dialect.nulls.count, 1);
}

static void settings_that_cannot_go_together_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *delimiter, *quote, *escape, *comment, *decimal;
        bool control_escapes;
        const char *null, *sentence;
    } cases[] = {
            {";;", "\"", "none", "none", ".", false, NULL,
             "source.delimiter is \";;\", must be one ASCII character that is no quote and no line end, or tab"},
            {"", "\"", "none", "none", ".", false, NULL,
             "source.delimiter is \"\", must be one ASCII character that is no quote and no line end, or tab"},
            {",", "''", "none", "none", ".", false, NULL,
             "source.csv.quote is \"''\", must be one ASCII character that is no blank, or none"},
            {",", "\"", " ", "none", ".", false, NULL,
             "source.csv.escape is \" \", must be one ASCII character that is no blank, or none"},
            {",", "\"", "none", "\xc2\xa7", ".", false, NULL,
             "source.csv.comment is \"\xc2\xa7\", must be one ASCII character that is no blank, or none"},
            {",", "\"", "none", "none", "'", false, NULL, "source.csv.decimal is \"'\", must be . or ,"},
            {",", "\"", "none", "none", "..", false, NULL, "source.csv.decimal is \"..\", must be . or ,"},
            {",", "\"", "none", "none", ",", false, NULL, "source.delimiter and source.csv.decimal are both \",\", must differ"},
            {"|", "|", "none", "none", ".", false, NULL, "source.delimiter and source.csv.quote are both \"|\", must differ"},
            {"|", "\"", "|", "none", ".", false, NULL, "source.delimiter and source.csv.escape are both \"|\", must differ"},
            {"#", "\"", "none", "#", ".", false, NULL, "source.delimiter and source.csv.comment are both \"#\", must differ"},
            {",", "#", "none", "#", ".", false, NULL, "source.csv.quote and source.csv.comment are both \"#\", must differ"},
            {",", "\"", "#", "#", ".", false, NULL, "source.csv.escape and source.csv.comment are both \"#\", must differ"},
            {",", "\"", "none", "none", ".", true, NULL,
             "source.csv.control_escapes is true without source.csv.escape, must stand beside one"},
            {",", "\"", "none", "none", ".", false, "a,b",
             "source.csv.null names \"a,b\", which is no field: it holds a delimiter"},
            {",", "\"", "none", "none", ".", false, "a\n",
             "source.csv.null names \"a?\", which is no field: it holds a line end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *word = (char *)cases[i].null;
        struct rf_csv_options options = {.quote = (char *)cases[i].quote,
                                         .escape = (char *)cases[i].escape,
                                         .comment = (char *)cases[i].comment,
                                         .decimal = (char *)cases[i].decimal,
                                         .control_escapes = cases[i].control_escapes,
                                         .null = {&word, word != NULL}};
        struct rf_csv_dialect dialect;
        struct rf_error err;
        assert_int_equal(rf_csv_dialect_read(cases[i].delimiter, &options, &dialect, &err), RF_INVALID);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

// The records of a file, each in brackets, whatever pieces it comes in.
static void frames(struct rf_csv_dialect dialect, const char *file, const char *records) {
    struct rf_text bytes = rf_text_of(file);
    for (size_t piece = 1; piece <= bytes.size; piece++) {
        struct rf_framer framing = {.kind = RF_FRAMING_CSV, .csv = dialect, .size_max = 1000};
        char words[1024] = "";
        size_t begin = 0, end = 0;
        while (begin < bytes.size) {
            struct rf_text record;
            size_t used = 0;
            enum rf_framing_answer answer = rf_framing_next(&framing, (struct rf_text){bytes.data + begin, end - begin},
                                                            end == bytes.size, &record, &used);
            if (answer == RF_FRAMING_MORE) {
                assert_true(end < bytes.size);
                end = end + piece < bytes.size ? end + piece : bytes.size;
            }
            if (answer == RF_FRAMING_FOUND) {
                snprintf(words + strlen(words), sizeof words - strlen(words), "[%.*s]", (int)record.size, record.data);
            }
            begin += used;
        }
        assert_string_equal(words, records);
    }
}

static void records_end_where_the_dialect_has_it(void **state) {
    (void)state;
    frames((struct rf_csv_dialect){.quote = '\''}, "a,'b\nc',\"\nd,it's\n", "[a,'b\nc',\"][d,it's]");
    frames((struct rf_csv_dialect){.quote = RF_CSV_NONE}, "a,\"b\nc\"\r\n", "[a,\"b][c\"]");
    frames((struct rf_csv_dialect){.escape = '\\'}, "a,\"b\\\"\nc\"\nd\\\ne\\\\\nf\n", "[a,\"b\\\"\nc\"][d\\\ne\\\\][f]");
    frames((struct rf_csv_dialect){.escape = '\\'}, "a\\\r\nb\\\\\r\nc", "[a\\\r][b\\\\][c]");
    frames((struct rf_csv_dialect){.is_trimmed = true}, "a, \"b\nc\" ,d\n x\"\ny\n", "[a, \"b\nc\" ,d][ x\"][y]");
    frames((struct rf_csv_dialect){.comment = '#'}, "# a \"b\n#\nx,\"1\n# no\",y\n#\n\nz#\n# end", "[x,\"1\n# no\",y][z#]");
    frames((struct rf_csv_dialect){.comment = '#', .quote = RF_CSV_NONE, .escape = '\\'}, "#\\\n\\#a\n", "[\\#a]");
}

static void a_header_line_follows_the_dialect(void **state) {
    (void)state;
    struct rf_texts columns;
    struct rf_error err;
    const struct rf_csv_dialect dialect = {.delimiter = ';', .quote = '\'', .escape = '\\', .is_trimmed = true};
    assert_int_equal(rf_decoder_csv_columns(rf_text_of("\xef\xbb\xbf id ; 'a;b''c' ;d\\;e"), &dialect, &columns, &err), RF_OK);
    assert_int_equal(columns.count, 3);
    assert_string_equal(columns.list[0], "id");
    assert_string_equal(columns.list[1], "a;b'c");
    assert_string_equal(columns.list[2], "d;e");
    for (size_t i = 0; i < columns.count; i++) {
        free(columns.list[i]);
    }
    free(columns.list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(other_quotes_or_none),
            cmocka_unit_test(escapes_within_quotes_and_without),
            cmocka_unit_test(an_escaped_end_is_none),
            cmocka_unit_test(nulls_are_the_words_given),
            cmocka_unit_test(decimal_commas),
            cmocka_unit_test(blanks_are_trimmed_around_fields_and_quotes),
            cmocka_unit_test(settings_become_a_dialect),
            cmocka_unit_test(settings_that_cannot_go_together_are_refused),
            cmocka_unit_test(records_end_where_the_dialect_has_it),
            cmocka_unit_test(a_header_line_follows_the_dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
