#include "ingest/rfc3339.h"

#include "tests/test.h"

#include <time.h>

static void rfc3339_reads_moments(void **state) {
    (void)state;
    const struct {
        const char *text;
        int64_t time_ms;
    } cases[] = {
            {"1970-01-01T00:00:00Z", 0},
            {"2018-04-01T00:00:31Z", 1522540831000},
            {"2018-04-01 00:00:31", 1522540831000},
            {"2018-04-01t00:00:31z", 1522540831000},
            {"2018-04-01T02:00:31+02:00", 1522540831000},
            {"2018-03-31T19:30:31-04:30", 1522540831000},
            {"2018-04-01T00:00:31.5Z", 1522540831500},
            {"2018-04-01T00:00:31.1239999Z", 1522540831123},
            {"1969-12-31T23:59:59.999Z", -1},
            {"2016-12-31T23:59:60Z", 1483228800000},
            {"2000-02-29T12:00:00Z", 951825600000},
            {"9999-12-31T23:59:59.999Z", 253402300799999},
            {"0000-01-01T00:00:00Z", -62167219200000},
            {"0001-01-01T00:00:00Z", -62135596800000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t time_ms = 42;
        if (!rf_rfc3339_parse(rf_text_of(cases[i].text), &time_ms) || time_ms != cases[i].time_ms) {
            fail_msg("%s is read as %lld", cases[i].text, (long long)time_ms);
        }
    }
}

static void rfc3339_refuses_other_texts(void **state) {
    (void)state;
    const char *const cases[] = {
            "",
            "now",
            "2018-04-01",
            "2018-04-01T",
            "2018-04-01T00:00",
            "2018-04-01T00:00:31 ",
            "2018-04-01T00:00:31.Z",
            "2018-04-01T24:00:00Z",
            "2018-04-01T00:60:00Z",
            "2018-04-01T00:00:61Z",
            "2018-04-01T00:00:31+2:00",
            "2018-04-01T00:00:31+0200",
            "2018-04-01T00:00:31+24:00",
            "2018-04-01T00:00:31ZZ",
            "2018-04-01T00:00:31Z+02:00",
            "2018-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2018-04-31T00:00:00Z",
            "2018-00-01T00:00:00Z",
            "2018-13-01T00:00:00Z",
            "2018-04-00T00:00:00Z",
            "18-04-01T00:00:00Z",
            "2018/04/01T00:00:00Z",
            "+2018-04-01T00:00:00Z",
            "1522540831",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t time_ms = 42;
        if (rf_rfc3339_parse(rf_text_of(cases[i]), &time_ms)) {
            fail_msg("%s is taken", cases[i]);
        }
        assert_int_equal(time_ms, 42);
    }
}

static void rfc3339_counts_days_like_the_calendar(void **state) {
    (void)state;
    struct tm date = {.tm_year = 70, .tm_mday = 1};
    for (int64_t day = 0; day < 365 * 500; day++) {
        time_t seconds = (time_t)day * 86400;
        gmtime_r(&seconds, &date);
        char text[32];
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &date);
        int64_t time_ms = -1;
        assert_true(rf_rfc3339_parse(rf_text_of(text), &time_ms));
        assert_int_equal(time_ms, day * 86400000);
    }
}

static void rfc3339_reads_offsets(void **state) {
    (void)state;
    int64_t offset_ms = 42;
    assert_true(rf_rfc3339_parse_offset(rf_text_of("+02:00"), &offset_ms));
    assert_int_equal(offset_ms, 7200000);
    assert_true(rf_rfc3339_parse_offset(rf_text_of("-23:59"), &offset_ms));
    assert_int_equal(offset_ms, -86340000);
    const char *const cases[] = {"", "Z", "02:00", "+2:00", "+0200", "+02:60", "+24:00", "+02:00 ", "+02:0"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(rf_rfc3339_parse_offset(rf_text_of(cases[i]), &offset_ms));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(rfc3339_reads_moments),
            cmocka_unit_test(rfc3339_refuses_other_texts),
            cmocka_unit_test(rfc3339_counts_days_like_the_calendar),
            cmocka_unit_test(rfc3339_reads_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
