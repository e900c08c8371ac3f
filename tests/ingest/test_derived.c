// Features computed from others: what they are, where there is none, and which settings are refused.
#include "ingest/derived.h"

#include "proto/math.h"
#include "tests/ingest/feature_fixture.h"

#include <math.h>
#include <stdio.h>

#define KIND(kind, ...)                                         \
    {                                                           \
        &rf_derived_kinds[kind], &(struct rf_derived_options) { \
            __VA_ARGS__                                         \
        }                                                       \
    }
#define NIGHT(...) KIND(RF_DERIVED_NIGHT, .from = 22, .to = 6, __VA_ARGS__)
#define DERIVED(...) \
    { (struct rf_variant_value[]){__VA_ARGS__}, sizeof(struct rf_variant_value[]){__VA_ARGS__} / sizeof(struct rf_variant_value) }

static void derived_tells_hour_weekday_and_night_of_the_event_time(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){.time = "at",
                                           .numbers = TEXTS("n"),
                                           .derived = DERIVED(KIND(RF_DERIVED_HOUR, .name = NULL),
                                                              KIND(RF_DERIVED_WEEKDAY, .name = NULL), NIGHT(.name = NULL))},
              RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"n\":5,\"at\":0}", "n=5, hour 0=1, weekday thursday=1, night=1");
    flow_check_feature(&flow, 1, RF_CATEGORY, "hour", category_hash("hour", "0"), 1);
    flow_check_feature(&flow, 2, RF_CATEGORY, "weekday", category_hash("weekday", "thursday"), 1);
    flow_check_feature(&flow, 3, RF_NUMBER, "night", name_hash("night"), 1);
    flow_expects(&flow, "{\"at\":\"2026-11-22T23:59:59.999Z\"}", "hour 23=1, weekday sunday=1, night=1");
    flow_expects(&flow, "{\"at\":\"2026-11-23T00:00:00Z\"}", "hour 0=1, weekday monday=1, night=1");
    flow_expects(&flow, "{\"at\":\"2026-11-23T05:59:59.999Z\"}", "hour 5=1, weekday monday=1, night=1");
    flow_expects(&flow, "{\"at\":\"2026-11-23T06:00:00Z\"}", "hour 6=1, weekday monday=1, night=0");
    flow_expects(&flow, "{\"at\":\"2026-11-23T21:59:59.999Z\"}", "hour 21=1, weekday monday=1, night=0");
    flow_expects(&flow, "{\"at\":\"2026-11-23T22:00:00Z\"}", "hour 22=1, weekday monday=1, night=1");
    flow_expects(&flow, "{\"at\":\"2028-02-29T12:00:00Z\"}", "hour 12=1, weekday tuesday=1, night=0");
    flow_expects(&flow, "{\"at\":\"9999-12-31T23:59:59.999Z\"}", "hour 23=1, weekday friday=1, night=1");
    flow_expects(&flow, "{}", "hour 0=1, weekday thursday=1, night=1"); // the record's timestamp
    flow_finish(&flow);
}

static void derived_has_no_hour_where_there_is_no_event_time(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.numbers = TEXTS("n"), .derived = DERIVED(KIND(RF_DERIVED_HOUR, .name = "h"))},
              RF_TASK_BINARY, 2);
    struct decode_fixture *fixture = &flow.fixture;
    struct rf_record record = {.value = rf_text_of("{\"n\":1}"), .timestamp_ms = -1};
    assert_int_equal(rf_decoder_decode(fixture->decoder, &record, &fixture->arena, &fixture->event, &fixture->error), RF_OK);
    assert_int_equal(rf_feature_append(fixture->schema, flow.task, 2, &fixture->event, &record, &flow.examples, &fixture->error),
                     RF_OK);
    assert_int_equal(flow.examples.row_start[1], 1);
    flow_finish(&flow);
}

static void derived_reads_a_time_field_at_an_offset(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){
                      .numbers = TEXTS("n"),
                      .time_unit = RF_TIME_US,
                      .derived = DERIVED(KIND(RF_DERIVED_HOUR, .field = "sent", .unit = RF_TIME_S, .utc_offset = "+02:00"),
                                         KIND(RF_DERIVED_WEEKDAY, .field = "sent", .unit = RF_TIME_S, .utc_offset = "-03:30"),
                                         NIGHT(.field = "sent", .unit = RF_TIME_S, .utc_offset = "+14:00", .name = "late"),
                                         KIND(RF_DERIVED_HOUR, .field = "seen", .unit = -1)),
              },
              RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"sent\":0}", "hour_sent 2=1, weekday_sent wednesday=1, late=0");
    flow_expects(&flow, "{\"sent\":1763855999.999}",
                 "hour_sent 1=1, weekday_sent saturday=1, late=0"); // 2025-11-22T23:59:59.999Z
    flow_expects(&flow, "{\"sent\":\"2025-11-22T22:00:00+00:00\"}", "hour_sent 0=1, weekday_sent saturday=1, late=0");
    flow_expects(&flow, "{\"sent\":\"2025-11-23T10:00:00+02:00\"}", "hour_sent 10=1, weekday_sent sunday=1, late=1");
    // Before 1970.
    flow_expects(&flow, "{\"sent\":-0.001}", "hour_sent 1=1, weekday_sent wednesday=1, late=0");
    flow_expects(&flow, "{\"sent\":-7200.001}", "hour_sent 23=1, weekday_sent wednesday=1, late=0");
    flow_expects(&flow, "{\"sent\":-604800}", "hour_sent 2=1, weekday_sent wednesday=1, late=0");
    flow_expects(&flow, "{\"sent\":\"0000-01-01T00:00:00Z\"}", "hour_sent 2=1, weekday_sent friday=1, late=0");
    flow_expects(&flow, "{\"seen\":3600000000,\"sent\":null,\"n\":2}", "n=2, hour_seen 1=1");
    flow_expects(&flow, "{\"seen\":3599999999}", "hour_seen 0=1");
    flow_refuses(&flow, "{\"sent\":\"soon\"}", RF_REASON_TYPE, "field sent is \"soon\", must be Unix seconds or RFC 3339");
    flow_refuses(&flow, "{\"sent\":true}", RF_REASON_TYPE, "field sent is true, must be Unix seconds or RFC 3339");
    flow_refuses(&flow, "{\"sent\":1e12}", RF_REASON_TYPE, "field sent is 1e12, must be in the years 0 to 9999");
    flow_refuses(&flow, "{\"sent\":-1e300}", RF_REASON_TYPE, "field sent is -1e300, must be in the years 0 to 9999");
    flow_refuses(&flow, "{\"seen\":0.5}", RF_REASON_TYPE, "field seen is 0.5, must be Unix microseconds or RFC 3339");
    flow_finish(&flow);
}

static void derived_takes_the_time_of_protobuf_for_milliseconds(void **state) {
    (void)state;
    static const char message[] = "\x10\x80\xba\xb7\x03"; // time_ms: 3600000
    const struct rf_feature_options options = {
            .time = "at",
            .time_unit = RF_TIME_S,
            .derived = DERIVED(KIND(RF_DERIVED_HOUR, .unit = -1), KIND(RF_DERIVED_HOUR, .field = "at", .unit = -1)),
    };
    struct flow flow;
    flow_init(&flow, &options, RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"at\":7200}", "hour 2=1, hour_at 2=1");
    fixture_finish(&flow.fixture);
    fixture_init(&flow.fixture, "protobuf", &options, &(struct rf_decoder_options){0});
    rf_feature_declare(flow.fixture.schema, &flow.examples);
    flow_expects(&flow, message, "hour 1=1, hour_at 1=1");
    assert_true(flow.examples.time_ms[0] == 3600000);
    flow_finish(&flow);
}

static void derived_night_may_lie_within_a_day(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){.numbers = TEXTS("n"),
                                           .derived = DERIVED(KIND(RF_DERIVED_NIGHT, .field = "t", .from = 1, .to = 3),
                                                              KIND(RF_DERIVED_NIGHT, .field = "t", .from = 23, .name = "b"))},
              RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"t\":3599999}", "night_t=0, b=0");
    flow_expects(&flow, "{\"t\":3600000}", "night_t=1, b=0");
    flow_expects(&flow, "{\"t\":10799999}", "night_t=1, b=0");
    flow_expects(&flow, "{\"t\":10800000}", "night_t=0, b=0");
    flow_expects(&flow, "{\"t\":82800000}", "night_t=0, b=1");
    flow_expects(&flow, "{\"t\":86400000}", "night_t=0, b=0");
    flow_finish(&flow);
}

static void derived_takes_logarithms_of_both_signs(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.numbers = TEXTS("a"), .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "a"))},
              RF_TASK_BINARY, 2);
    static const double numbers[] = {0, 1, -1, 12.5, -12.5, 1e-300, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char record[64];
        snprintf(record, sizeof record, "{\"a\":%.17g}", numbers[i]);
        flow_takes(&flow, record);
        double size = rf_log1p(fabs(numbers[i]));
        flow_check_feature(&flow, 1, RF_NUMBER, "log_a", name_hash("log_a"), numbers[i] < 0 ? -size : size);
        assert_true(fabs(size - log1p(fabs(numbers[i]))) <= 1e-15 * size);
    }
    flow_takes(&flow, "{\"a\":-0.0}");
    assert_false(signbit(flow.examples.value[1]));
    flow_expects(&flow, "{\"a\":false}", "a=0, log_a=0");
    flow_expects(&flow, "{\"a\":null}", "");
    flow_expects(&flow, "{\"log_a\":3}", ""); // no field of the record
    flow_refuses(&flow, "{\"a\":\"1\"}", RF_REASON_TYPE, "field a is \"1\", must be a number");
    flow_finish(&flow);
}

static void derived_divides_where_there_is_something_to_divide_by(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){.ignore = TEXTS("b"),
                                           .numbers = TEXTS("n"),
                                           .derived = DERIVED(KIND(RF_DERIVED_RATIO, .field = "a", .by = "b"))},
              RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"a\":1,\"b\":4}", "ratio_a_b=0.25");
    flow_check_feature(&flow, 0, RF_NUMBER, "ratio_a_b", name_hash("ratio_a_b"), 0.25);
    flow_expects(&flow, "{\"b\":-4,\"n\":3,\"a\":1}", "n=3, ratio_a_b=-0.25");
    flow_expects(&flow, "{\"a\":0,\"b\":-4}", "ratio_a_b=0");
    assert_false(signbit(flow.examples.value[0]));
    flow_expects(&flow, "{\"a\":1,\"b\":0}", "");
    flow_expects(&flow, "{\"a\":0,\"b\":-0.0}", "");
    flow_expects(&flow, "{\"a\":1}", "");
    flow_expects(&flow, "{\"b\":1}", "");
    flow_expects(&flow, "{\"a\":1,\"b\":null}", "");
    flow_expects(&flow, "{\"a\":1e300,\"b\":1e-300}", ""); // would be infinite
    flow_expects(&flow, "{\"a\":1e-300,\"b\":1e300}", "ratio_a_b=0");
    flow_refuses(&flow, "{\"a\":1,\"b\":\"x\"}", RF_REASON_TYPE, "field b is \"x\", must be a number");
    flow_refuses(&flow, "{\"b\":\"x\"}", RF_REASON_TYPE, "field b is \"x\", must be a number");
    flow_refuses(&flow, "{\"a\":\"\",\"b\":0}", RF_REASON_TYPE, "field a is \"\", must be a number");
    flow_finish(&flow);
}

static void derived_names_the_bucket_of_a_number(void **state) {
    (void)state;
    double bounds[] = {-1, 0, 100}, tens[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){.numbers = TEXTS("n"),
                                           .derived = DERIVED(KIND(RF_DERIVED_BUCKET, .field = "a", .bounds = {bounds, 3}),
                                                              KIND(RF_DERIVED_BUCKET, .field = "b", .bounds = {tens, 11}))},
              RF_TASK_BINARY, 2);
    flow_expects(&flow, "{\"a\":-1.5}", "bucket_a below -1=1");
    flow_check_feature(&flow, 0, RF_CATEGORY, "bucket_a", category_hash("bucket_a", "0"), 1);
    flow_expects(&flow, "{\"a\":-1}", "bucket_a -1 to 0=1");
    flow_check_feature(&flow, 0, RF_CATEGORY, "bucket_a", category_hash("bucket_a", "1"), 1);
    flow_expects(&flow, "{\"a\":-0.0}", "bucket_a 0 to 100=1");
    flow_expects(&flow, "{\"a\":0}", "bucket_a 0 to 100=1");
    flow_expects(&flow, "{\"a\":99.99}", "bucket_a 0 to 100=1");
    flow_expects(&flow, "{\"a\":1e300}", "bucket_a 100 or more=1");
    flow_check_feature(&flow, 0, RF_CATEGORY, "bucket_a", category_hash("bucket_a", "3"), 1);
    flow_expects(&flow, "{\"b\":10.5,\"a\":null}", "bucket_b 10 to 11=1");
    flow_check_feature(&flow, 0, RF_CATEGORY, "bucket_b", category_hash("bucket_b", "10"), 1);
    flow_refuses(&flow, "{\"a\":\"much\"}", RF_REASON_TYPE, "field a is \"much\", must be a number");
    flow_finish(&flow);
}

static void derived_stand_in_crosses_and_among_what_is_missing(void **state) {
    (void)state;
    struct rf_texts sides = TEXTS("hour_t", "city");
    size_t count;
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){
                      .categories = TEXTS("city"),
                      .derived = DERIVED(KIND(RF_DERIVED_HOUR, .field = "t"), KIND(RF_DERIVED_RATIO, .field = "a", .by = "b")),
                      .crosses = {&sides, 1},
                      .missing = RF_MISSING_INDICATOR,
              },
              RF_TASK_BINARY, 2);
    const struct rf_cross *crosses = rf_schema_crosses(flow.fixture.schema, &count);
    assert_int_equal(count, 1);
    assert_string_equal(crosses[0].name, "hour_t x city");
    assert_int_equal(crosses[0].side[0].list[0], rf_schema_find(flow.fixture.schema, rf_text_of("hour_t")));
    flow_expects(&flow, "{\"city\":\"Bern\",\"t\":0,\"a\":1,\"b\":0}", "city Bern=1, hour_t 0=1, ratio_a_b missing=1");
    flow_expects(&flow, "{\"a\":1,\"b\":2}", "ratio_a_b=0.5, city missing=1, hour_t missing=1");
    flow_finish(&flow);
}

static void derived_leaves_other_fields_what_they_are(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){.label = "y",
                                           .weight = "w",
                                           .ignore = TEXTS("t"),
                                           .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "a"),
                                                              KIND(RF_DERIVED_HOUR, .field = "t"),
                                                              KIND(RF_DERIVED_LOG, .field = "w"))},
              RF_TASK_BINARY, 2);
    assert_true(rf_schema_takes_rest(flow.fixture.schema));
    flow_expects(&flow, "{\"city\":\"Bern\",\"y\":1,\"w\":0,\"t\":0,\"a\":0}", "a=0, log_a=0, hour_t 0=1, log_w=0, city=1");
    flow_check_feature(&flow, 0, RF_NUMBER, "a", name_hash("a"), 0);
    flow_refuses(&flow, "{\"a\":\"x\",\"new\":1}", RF_REASON_TYPE, "field a is \"x\", must be a number");
    flow_finish(&flow);
}

static void derived_are_hashed_as_vowpal_wabbit_does(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow,
              &(struct rf_feature_options){
                      .hash = RF_HASHING_VOWPAL,
                      .numbers = TEXTS("a"),
                      .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "a"), KIND(RF_DERIVED_HOUR, .field = "a"))},
              RF_TASK_BINARY, 2);
    flow_takes(&flow, "{\"a\":0}");
    struct rf_hasher hasher = rf_hasher_of(flow.fixture.schema);
    flow_check_feature(&flow, 1, RF_NUMBER, "log_a", rf_hasher_namespace(&hasher, rf_text_of("log_a")), 0);
    uint64_t space = rf_hasher_namespace(&hasher, rf_text_of("hour_a"));
    flow_check_feature(&flow, 2, RF_CATEGORY, "hour_a", rf_hasher_feature(&hasher, space, rf_text_of("0")), 1);
    flow_finish(&flow);
}

static void derived_needs_room_in_the_batch(void **state) {
    (void)state;
    struct flow flow;
    const struct rf_feature_options options = {.numbers = TEXTS("a"), .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "a"))};
    flow_init(&flow, &options, RF_TASK_BINARY, 2);
    assert_int_equal(rf_schema_features_max(flow.fixture.schema, 3), 4);
    rf_examples_finish(&flow.examples);
    struct rf_error err = {0};
    assert_int_equal(rf_examples_init(&flow.examples, 4, 3, 32, &err), RF_OK);
    rf_feature_declare(flow.fixture.schema, &flow.examples);
    assert_int_equal(flow_append(&flow, "{\"a\":1}"), RF_OK);
    assert_int_equal(flow_append(&flow, "{\"a\":1}"), RF_FULL);
    assert_int_equal(flow.examples.row_start[1], 2);
    flow_finish(&flow);
}

static void refuses(const struct rf_feature_options *options, const char *sentence) {
    struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    if (rf_schema_create(options, rf_hash_key_of_seed(1), &schema, &err) != RF_INVALID || strcmp(err.text, sentence) != 0) {
        fail_msg("is taken, or refused with\n  %s\n  instead of %s", err.text, sentence);
    }
    assert_null(schema);
}

#define REFUSES(sentence, ...) refuses(&(struct rf_feature_options){.label = "y", .numbers = TEXTS("n"), __VA_ARGS__}, sentence)

static void derived_refuses_names_that_clash(void **state) {
    (void)state;
    REFUSES("features.derived.0.log: name is \"n\", that of a field that features name, must be another",
            .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "a", .name = "n")));
    REFUSES("features.derived.0.hour: name is \"y\", that of a field that features name, must be another",
            .derived = DERIVED(KIND(RF_DERIVED_HOUR, .name = "y")));
    REFUSES("features.derived.1.hour: name is \"hour\", that of another derived feature, must be another",
            .derived = DERIVED(KIND(RF_DERIVED_HOUR, .unit = -1), KIND(RF_DERIVED_HOUR, .utc_offset = "+01:00")));
    REFUSES("features.derived.0.hour: name is empty, must be a text", .derived = DERIVED(KIND(RF_DERIVED_HOUR, .name = "")));
}

static void derived_refuses_inputs_that_are_none(void **state) {
    (void)state;
    REFUSES("features.derived.0.log: field is y, the label, must be another field of the record",
            .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "y")));
    REFUSES("features.derived.1.ratio: by is log_a, which is derived itself, must be another field of the record",
            .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "a"), KIND(RF_DERIVED_RATIO, .field = "a", .by = "log_a")));
    REFUSES("features.derived.0.log: field is a, which is derived itself, must be another field of the record",
            .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "a", .name = "a")));
    REFUSES("features.derived.0.log: field is c, which is in categories, must be a field of a number", .categories = TEXTS("c"),
            .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "c")));
    REFUSES("features.derived.0.hour: field is t, which is in texts, must be a time field", .texts = TEXTS("t"),
            .derived = DERIVED(KIND(RF_DERIVED_HOUR, .field = "t")));
    REFUSES("features.derived.0.bucket: field is v, which is in vector, must be a field of a number",
            .vector = {.field = "v", .size = 2},
            .derived = DERIVED(KIND(RF_DERIVED_BUCKET, .field = "v", .bounds = {(double[]){1}, 1})));
    REFUSES("features.derived.0.hour: field is empty, must be the name of a field",
            .derived = DERIVED(KIND(RF_DERIVED_HOUR, .field = "")));
    REFUSES("features.derived.0.ratio: by is empty, must be the name of a field",
            .derived = DERIVED(KIND(RF_DERIVED_RATIO, .field = "a", .by = "")));
    REFUSES("features.derived.0.ratio: field and by are both a, must be two fields",
            .derived = DERIVED(KIND(RF_DERIVED_RATIO, .field = "a", .by = "a")));
}

static void derived_refuses_settings_that_mean_nothing(void **state) {
    (void)state;
    REFUSES("features.derived.0.bucket: bounds is empty, must have one number or more, rising",
            .derived = DERIVED(KIND(RF_DERIVED_BUCKET, .field = "a")));
    REFUSES("features.derived.0.bucket: bounds has 1 after 1, must rise",
            .derived = DERIVED(KIND(RF_DERIVED_BUCKET, .field = "a", .bounds = {(double[]){0, 1, 1}, 3})));
    REFUSES("features.derived.0.night: from and to are both 3, must be two hours",
            .derived = DERIVED(KIND(RF_DERIVED_NIGHT, .from = 3, .to = 3)));
    static char *const offsets[] = {"", "2", "+2:00", "02:00", "+14:01", "-15:00", "+01:60", "+01:00 ", "Z", "+0a:00", "+01.00"};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        char sentence[200];
        snprintf(sentence, sizeof sentence,
                 "features.derived.0.hour: utc_offset is \"%s\", must be as +02:00, from -14:00 to +14:00", offsets[i]);
        REFUSES(sentence, .derived = DERIVED(KIND(RF_DERIVED_HOUR, .utc_offset = offsets[i])));
    }
    struct rf_variant_value many[RF_DERIVED_MAX + 1];
    for (size_t i = 0; i <= RF_DERIVED_MAX; i++) {
        many[i] = (struct rf_variant_value)KIND(RF_DERIVED_LOG, .field = "a");
    }
    REFUSES("features.derived has 65 members, must have at most 64", .derived = {many, RF_DERIVED_MAX + 1});
}

static void refuses_format(const char *format, const struct rf_feature_options *options,
                           const struct rf_decoder_options *decoder_options, const char *sentence) {
    struct rf_schema *schema;
    struct rf_decoder *decoder;
    struct rf_error err = {0};
    assert_int_equal(rf_schema_create(options, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    assert_int_equal(rf_decoder_find(format)->create(schema, decoder_options, &decoder, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    rf_schema_destroy(schema);
}

static void derived_asks_of_csv_what_it_reads(void **state) {
    (void)state;
    const struct rf_feature_options options = {.numbers = TEXTS("n"), .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "a"))};
    refuses_format("csv", &options, &(struct rf_decoder_options){.columns = TEXTS("n", "b")},
                   "field of a derived feature a is in none of the 2 csv columns, must be the name of one");
    refuses_format("csv", &options, &(struct rf_decoder_options){.columns = TEXTS("n", "a", "log_a")},
                   "csv column log_a has the name of a derived feature, must have another name");
    struct decode_fixture fixture;
    fixture_init(&fixture, "csv", &options, &(struct rf_decoder_options){.columns = TEXTS("a", "n", "b")});
    EXPECT(&fixture, {"1,2,3", "a=1 n=2"}, {"\"1\",,3", "a=1 n=null"}, {"NA,2,", "a=null n=2"});
    fixture_finish(&fixture);
}

static void derived_reads_no_namespaces(void **state) {
    (void)state;
    const struct rf_feature_options options = {.label = "y", .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "a"))};
    const struct rf_feature_options weight = {
            .label = "y", .weight = "w", .derived = DERIVED(KIND(RF_DERIVED_LOG, .field = "w"))};
    const struct rf_feature_options hour = {.label = "y", .derived = DERIVED(KIND(RF_DERIVED_HOUR, .unit = -1))};
    static const char *const formats[] = {"vw", "libsvm"};
    for (size_t i = 0; i < 2; i++) {
        char sentence[200];
        snprintf(sentence, sizeof sentence,
                 "features.derived reads field a, must read the weight or the event time: fields of %s hold features",
                 formats[i]);
        refuses_format(formats[i], &options, &(struct rf_decoder_options){0}, sentence);
        struct decode_fixture fixture;
        fixture_init(&fixture, formats[i], &weight, &(struct rf_decoder_options){0});
        fixture_finish(&fixture);
        fixture_init(&fixture, formats[i], &hour, &(struct rf_decoder_options){0});
        assert_non_null(strstr(fixture_decode_text(&fixture, i ? "1 1:2" : "1 | 1:2"), ":2"));
        if (i == 0) {
            assert_string_equal(fixture_decode_text(&fixture, "1 |hour 7"), "y=1"); // not the derived one
        }
        fixture_finish(&fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(derived_tells_hour_weekday_and_night_of_the_event_time),
            cmocka_unit_test(derived_has_no_hour_where_there_is_no_event_time),
            cmocka_unit_test(derived_reads_a_time_field_at_an_offset),
            cmocka_unit_test(derived_takes_the_time_of_protobuf_for_milliseconds),
            cmocka_unit_test(derived_night_may_lie_within_a_day),
            cmocka_unit_test(derived_takes_logarithms_of_both_signs),
            cmocka_unit_test(derived_divides_where_there_is_something_to_divide_by),
            cmocka_unit_test(derived_names_the_bucket_of_a_number),
            cmocka_unit_test(derived_stand_in_crosses_and_among_what_is_missing),
            cmocka_unit_test(derived_leaves_other_fields_what_they_are),
            cmocka_unit_test(derived_are_hashed_as_vowpal_wabbit_does),
            cmocka_unit_test(derived_needs_room_in_the_batch),
            cmocka_unit_test(derived_refuses_names_that_clash),
            cmocka_unit_test(derived_refuses_inputs_that_are_none),
            cmocka_unit_test(derived_refuses_settings_that_mean_nothing),
            cmocka_unit_test(derived_asks_of_csv_what_it_reads),
            cmocka_unit_test(derived_reads_no_namespaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
