// Time fields in each of their units, to the millisecond.
#include "ingest/time_field.h"

#include "ingest/number.h"
#include "tests/ingest/feature_fixture.h"

#include <stdio.h>

static const int64_t BEYOND = INT64_MAX / 2;

static struct rf_value written(const char *text) {
    struct rf_number number;
    size_t size = strlen(text);
    if (rf_number_scan(rf_text_of(text), RF_NUMBER_PLAIN, &number) == size) {
        return (struct rf_value){.type = RF_VALUE_NUMBER, .number = rf_number_value(&number), .text = {text, size}};
    }
    return (struct rf_value){.type = RF_VALUE_TEXT, .text = {text, size}};
}

static void reads(const char *text, enum rf_time_unit unit, int64_t wanted) {
    int64_t ms = -77;
    struct rf_value value = written(text);
    if (!rf_time_field_read(&value, unit, &ms) || ms != wanted) {
        fail_msg("%s %s is %lld ms instead of %lld", text, rf_time_units[unit], (long long)ms, (long long)wanted);
    }
}

static void refuses(const char *text, enum rf_time_unit unit) {
    int64_t ms;
    struct rf_value value = written(text);
    if (rf_time_field_read(&value, unit, &ms)) {
        fail_msg("%s %s is taken", text, rf_time_units[unit]);
    }
}

static void time_is_whole_milliseconds(void **state) {
    (void)state;
    reads("0", RF_TIME_MS, 0);
    reads("1546300800123", RF_TIME_MS, 1546300800123);
    reads("1.546300800123e12", RF_TIME_MS, 1546300800123);
    reads("-1", RF_TIME_MS, -1);
    reads("1e300", RF_TIME_MS, BEYOND);
    reads("-1e300", RF_TIME_MS, -BEYOND);
    refuses("1.5", RF_TIME_MS);
}

static void time_is_seconds_with_fractions(void **state) {
    (void)state;
    reads("0", RF_TIME_S, 0);
    reads("1546300800", RF_TIME_S, 1546300800000);
    reads("1546300800.5", RF_TIME_S, 1546300800500);
    reads("1546300800.123", RF_TIME_S, 1546300800123); // its double is a little less
    reads("1546300800.001", RF_TIME_S, 1546300800001);
    reads("1.546300800123e9", RF_TIME_S, 1546300800123);
    reads("1546300800.999999999", RF_TIME_S, 1546300800999);        // its double is the next second
    reads("1546300800.9999999999999999", RF_TIME_S, 1546300801000); // more than 19 digits: its double counts
    reads("00000000001546300800.25", RF_TIME_S, 1546300800250);     // the same
    reads("253402300799.999", RF_TIME_S, RF_TIME_MS_MAX);
    reads("-0.001", RF_TIME_S, -1);
    reads("-0.0005", RF_TIME_S, -1);
    reads("0.0009", RF_TIME_S, 0);
    reads("1e-300", RF_TIME_S, 0);
    reads("-1e-300", RF_TIME_S, -1);
    reads("1e18", RF_TIME_S, BEYOND);
    reads("9223372036854775807", RF_TIME_S, BEYOND);
    reads("1e300", RF_TIME_S, BEYOND);
    reads("-1e300", RF_TIME_S, -BEYOND);
    reads("0e300", RF_TIME_S, 0);
}

static void time_is_whole_microseconds(void **state) {
    (void)state;
    reads("1546300800123456", RF_TIME_US, 1546300800123);
    reads("1546300800123999", RF_TIME_US, 1546300800123);
    reads("253402300799999999", RF_TIME_US, RF_TIME_MS_MAX); // its double is the year 10000
    reads("-1", RF_TIME_US, -1);
    reads("-1000", RF_TIME_US, -1);
    reads("1e15", RF_TIME_US, 1000000000000);
    refuses("0.5", RF_TIME_US);
    refuses("1546300800.5", RF_TIME_US);
}

static void time_is_a_number_that_was_never_written(void **state) {
    (void)state;
    const struct {
        double number;
        enum rf_time_unit unit;
        int64_t ms;
    } cases[] = {
            {1546300800123, RF_TIME_MS, 1546300800123},
            {1546300800.123, RF_TIME_S, 1546300800123},
            {1546300800.0019, RF_TIME_S, 1546300800001},
            {253402300799.999, RF_TIME_S, RF_TIME_MS_MAX},
            {-0.0005, RF_TIME_S, -1},
            {1546300800123999, RF_TIME_US, 1546300800123},
            {-1, RF_TIME_US, -1},
            {1e308, RF_TIME_S, BEYOND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms;
        struct rf_value value = {.type = RF_VALUE_NUMBER, .number = cases[i].number};
        assert_true(rf_time_field_read(&value, cases[i].unit, &ms));
        assert_true(ms == cases[i].ms);
    }
}

static void time_is_every_millisecond_of_some_seconds(void **state) {
    (void)state;
    static const int64_t seconds[] = {0, 1, 946684799, 1546300800, 1763800000, 253402300799};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        for (int k = 0; k < 1000; k++) {
            char text[40];
            snprintf(text, sizeof text, "%lld.%03d", (long long)seconds[i], k);
            int64_t wanted = seconds[i] * 1000 + k, ms = -1;
            reads(text, RF_TIME_S, wanted);
            struct rf_value value = {.type = RF_VALUE_NUMBER, .number = written(text).number};
            assert_true(rf_time_field_read(&value, RF_TIME_S, &ms));
            assert_true(ms == wanted);
        }
    }
}

static void time_is_text_in_every_unit(void **state) {
    (void)state;
    for (enum rf_time_unit unit = RF_TIME_MS; unit <= RF_TIME_US; unit++) {
        reads("2019-01-01T00:00:00.123Z", unit, 1546300800123);
        reads("2019-01-01 00:00:00", unit, 1546300800000);
        reads("1969-12-31T23:59:59.5Z", unit, -500);
        refuses("yesterday", unit);
        int64_t ms;
        assert_false(rf_time_field_read(&(struct rf_value){.type = RF_VALUE_BOOL, .number = 1, .text = {"true", 4}}, unit, &ms));
    }
}

static void time_is_what_its_format_says_before_the_settings(void **state) {
    (void)state;
    static const struct {
        const char *text; // NULL: only the number is known
        double number;
        enum rf_time_unit unit;
        int64_t ms;
    } cases[] = {
            {"1546300800123", 1546300800123, RF_TIME_MS, 1546300800123},
            {"1546300800123999", 1546300800123999, RF_TIME_US, 1546300800123},
            {"1546300800123999999", 1546300800123999999.0, RF_TIME_NS, 1546300800123}, // its double is a ms later
            {NULL, 1546300800123000000.0, RF_TIME_NS, 1546300800123},
            {"-1", -1, RF_TIME_NS, -1},
            {"17897", 17897, RF_TIME_DAYS, 1546300800000},
            {NULL, -1, RF_TIME_DAYS, -86400000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_value value = {.type = RF_VALUE_NUMBER,
                                 .has_time_unit = true,
                                 .time_unit = (uint8_t)cases[i].unit,
                                 .number = cases[i].number,
                                 .text = rf_text_of(cases[i].text)};
        int64_t ms;
        assert_true(rf_time_field_read(&value, RF_TIME_S, &ms));
        assert_int_equal(ms, cases[i].ms);
    }
    assert_string_equal(rf_time_field_form(&(struct rf_value){.has_time_unit = true, .time_unit = RF_TIME_DAYS}, RF_TIME_S),
                        "days since 1970 or RFC 3339");
}

static void feature_reads_the_event_time_in_its_unit(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.time = "at", .time_unit = RF_TIME_S}, RF_TASK_BINARY, 2);
    flow_takes(&flow, "{\"at\":1546300800.123}");
    assert_true(flow.examples.time_ms[0] == 1546300800123);
    flow_takes(&flow, "{\"at\":null}");
    assert_true(flow.examples.time_ms[0] == 77);
    flow_refuses(&flow, "{\"at\":-0.001}", RF_REASON_TYPE, "field at is -0.001, must be in the years 1970 to 9999");
    flow_refuses(&flow, "{\"at\":253402300800}", RF_REASON_TYPE, "field at is 253402300800, must be in the years 1970 to 9999");
    flow_refuses(&flow, "{\"at\":1e300}", RF_REASON_TYPE, "field at is 1e300, must be in the years 1970 to 9999");
    flow_refuses(&flow, "{\"at\":\"now\"}", RF_REASON_TYPE, "field at is \"now\", must be Unix seconds or RFC 3339");
    flow_refuses(&flow, "{\"at\":true}", RF_REASON_TYPE, "field at is true, must be Unix seconds or RFC 3339");
    flow_finish(&flow);
    flow_init(&flow, &(struct rf_feature_options){.time = "at", .time_unit = RF_TIME_US}, RF_TASK_BINARY, 2);
    flow_takes(&flow, "{\"at\":1546300800123456}");
    assert_true(flow.examples.time_ms[0] == 1546300800123);
    flow_refuses(&flow, "{\"at\":1.5}", RF_REASON_TYPE, "field at is 1.5, must be Unix microseconds or RFC 3339");
    flow_finish(&flow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(time_is_whole_milliseconds),
            cmocka_unit_test(time_is_seconds_with_fractions),
            cmocka_unit_test(time_is_whole_microseconds),
            cmocka_unit_test(time_is_a_number_that_was_never_written),
            cmocka_unit_test(time_is_every_millisecond_of_some_seconds),
            cmocka_unit_test(time_is_text_in_every_unit),
            cmocka_unit_test(time_is_what_its_format_says_before_the_settings),
            cmocka_unit_test(feature_reads_the_event_time_in_its_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
