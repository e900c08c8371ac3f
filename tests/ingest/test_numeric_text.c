#include "ingest/numeric_text.h"

#include "tests/ingest/feature_fixture.h"

#include <math.h>
#include <stdio.h>

static const struct rf_decoder_options asked = {.numeric_texts = true};

static void numeric_text_reads_what_it_spells(void **state) {
    (void)state;
    struct decode_fixture fixture;
    static double edges[] = {0};
    static struct rf_bucket_options buckets[] = {{.field = "bucket", .edges = {edges, 1}}};
    fixture_init(&fixture, "json",
                 &(struct rf_feature_options){
                         .id = "id",
                         .time = "at",
                         .label = "y",
                         .weight = "w",
                         .numbers = TEXTS("n"),
                         .categories = TEXTS("c"),
                         .texts = TEXTS("t"),
                         .buckets = {buckets, 1},
                 },
                 &asked);
    EXPECT(&fixture, {"{\"n\":\"12.50\"}", "n=12.5"}, {"{\"n\":\" \\t-1e3\\r\\n\"}", "n=-1000"}, {"{\"n\":\"\"}", "n=null"},
           {"{\"n\":\"  \"}", "n=null"}, {"{\"n\":\"true\"}", "n=\"true\""}, {"{\"n\":\"1,5\"}", "n=\"1,5\""},
           {"{\"n\":\"+1\"}", "n=\"+1\""}, {"{\"n\":\"007\"}", "n=\"007\""}, {"{\"n\":\"NaN\"}", "n=\"NaN\""},
           {"{\"n\":\"1 2\"}", "n=\"1 2\""}, {"{\"n\":\"1e400\"}", "non_finite: field n: 1e400 is not finite"},
           {"{\"n\":null,\"bucket\":\"3\",\"w\":\"0.5\",\"y\":\"1\",\"at\":\"1522540831000\"}",
            "n=null bucket=3 w=0.5 y=1 at=1522540831000"},
           {"{\"at\":\"2018-04-01T00:00:31Z\"}", "at=\"2018-04-01T00:00:31Z\""},
           {"{\"c\":\"7\",\"t\":\"8\",\"id\":\"9\"}", "c=\"7\" t=\"8\" id=\"9\""}); // those stay texts
    fixture_finish(&fixture);
}

static void numeric_text_is_read_only_where_asked(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.numbers = TEXTS("n")}, RF_TASK_REGRESSION, 0);
    flow_refuses(&flow, "{\"n\":\"1\"}", RF_REASON_TYPE, "field n is \"1\", must be a number");
    flow_finish(&flow);
}

static void numeric_text_leaves_names_of_classes(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y", .numbers = TEXTS("n"), .classes = TEXTS("0", "1")},
                 &asked);
    EXPECT(&fixture, {"{\"y\":\"1\"}", "y=\"1\""});
    fixture_finish(&fixture);
}

static void numeric_text_keeps_the_number_as_written(void **state) {
    (void)state;
    struct rf_value value = {.type = RF_VALUE_TEXT, .text = rf_text_of(" 0.10e1 ")};
    struct rf_decode_error error;
    assert_int_equal(rf_numeric_text_read(rf_text_of("n"), &value, &error), RF_OK);
    assert_int_equal(value.type, RF_VALUE_NUMBER);
    assert_true(value.number == 1.0);
    assert_true(rf_text_equal(value.text, rf_text_of("0.10e1")));
}

static void numeric_text_in_other_formats(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "csv", &(struct rf_feature_options){.numbers = TEXTS("n")},
                 &(struct rf_decoder_options){.numeric_texts = true, .columns = TEXTS("n")});
    EXPECT(&fixture, {" 1.5 ", "n=1.5"}, {"\" 2 \"", "n=2"}, {" ", "n=null"}, {"x", "n=\"x\""});
    fixture_finish(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(numeric_text_reads_what_it_spells),    cmocka_unit_test(numeric_text_is_read_only_where_asked),
            cmocka_unit_test(numeric_text_leaves_names_of_classes), cmocka_unit_test(numeric_text_keeps_the_number_as_written),
            cmocka_unit_test(numeric_text_in_other_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
