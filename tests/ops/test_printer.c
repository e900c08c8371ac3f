#include "ops/printer.h"

#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect_real(double value, const char *text) {
    struct rf_printer printer = {0};
    rf_printer_real(&printer, value);
    assert_string_equal(printer.text, text);
    assert_true(strtod(printer.text, NULL) == value);
    rf_printer_finish(&printer);
}

static void printer_writes_the_shortest_number_that_reads_back(void **state) {
    (void)state;
    expect_real(0.0, "0");
    expect_real(-0.0, "-0");
    expect_real(1.0, "1");
    expect_real(0.1, "0.1");
    expect_real(0.30000000000000004, "0.30000000000000004");
    expect_real(100000, "100000");
    expect_real(1234567890, "1234567890");
    expect_real(1e10, "1e10");
    expect_real(1e-6, "1e-6");
    expect_real(0.0001, "0.0001");
    expect_real(-2.5e-7, "-2.5e-7");
    expect_real(1.0 / 3.0, "0.3333333333333333");
    expect_real(DBL_MAX, "1.7976931348623157e308");
    expect_real(DBL_MIN, "2.2250738585072014e-308");
    expect_real(4.9406564584124654e-324, "5e-324");
    expect_real(INFINITY, "inf");
}

static void expect_quoted(const char *text, const char *quoted) {
    struct rf_printer printer = {0};
    rf_printer_quote(&printer, text);
    assert_string_equal(printer.text, quoted);
    rf_printer_finish(&printer);
}

static void printer_quotes_what_others_would_misread(void **state) {
    (void)state;
    expect_quoted("", "\"\"");
    expect_quoted("a\"b\\c\n\t\x1b\x7f", "\"a\\\"b\\\\c\\n\\t\\u001b\\u007f\"");
    expect_quoted("\xc3\xa4\xf0\x9f\x8c\x8a", "\"\xc3\xa4\xf0\x9f\x8c\x8a\"");
    expect_quoted("\xc2\x85\xe2\x80\xa8\xef\xbb\xbf", "\"\\u0085\\u2028\\ufeff\"");
    expect_quoted("a\xff\xc3", "\"a\\ufffd\\ufffd\"");
}

static void utf8_is_what_rfc_3629_says(void **state) {
    (void)state;
    assert_int_equal(rf_utf8_size("a", 1), 1);
    assert_int_equal(rf_utf8_size("\xc3\xa4", 2), 2);
    assert_int_equal(rf_utf8_size("\xe2\x82\xac", 3), 3);
    assert_int_equal(rf_utf8_size("\xf4\x8f\xbf\xbf", 4), 4);
    static const char *const wrong[] = {"\x80",
                                        "\xc0\x80",
                                        "\xc1\xbf",
                                        "\xe0\x9f\xbf",
                                        "\xed\xa0\x80",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf4\x90\x80\x80",
                                        "\xf5\x80\x80\x80",
                                        "\xe2\x82!",
                                        "\xc3"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(rf_utf8_size(wrong[i], strlen(wrong[i])), 0);
    }
    assert_int_equal(rf_utf8_size("", 0), 0);
}

static void printer_pads_and_hands_over(void **state) {
    (void)state;
    struct rf_printer printer = {0};
    rf_printer_add(&printer, "a");
    rf_printer_pad(&printer, 3);
    rf_printer_format(&printer, "%d", 7);
    char *text = rf_printer_take(&printer);
    assert_string_equal(text, "a  7");
    assert_null(printer.text);
    free(text);
    text = rf_printer_take(&printer);
    assert_string_equal(text, "");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(printer_writes_the_shortest_number_that_reads_back),
            cmocka_unit_test(printer_quotes_what_others_would_misread),
            cmocka_unit_test(utf8_is_what_rfc_3629_says),
            cmocka_unit_test(printer_pads_and_hands_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
