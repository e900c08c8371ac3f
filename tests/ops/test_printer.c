#include "ops/printer.h"

#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect_real(double value, const char *text) {
    struct rf_printer printer = {0};
    rf_printer_real(&printer, value);
    assert_string_equal(printer.text, text);
    rf_printer_finish(&printer);
}

static void printer_has_words_for_what_is_no_number(void **state) {
    (void)state;
    expect_real(0.1, "0.1");
    expect_real(-2.5e-7, "-2.5e-7");
    expect_real(INFINITY, "inf");
    expect_real(-INFINITY, "-inf");
    expect_real(NAN, "nan");
}

static void expect_quoted(const char *text, const char *quoted) {
    struct rf_printer printer = {0};
    rf_printer_quote(&printer, text);
    assert_string_equal(printer.text, quoted);
    rf_printer_finish(&printer);
}

static void printer_quotes_texts(void **state) {
    (void)state;
    expect_quoted("", "\"\"");
    expect_quoted("a\"b\xc2\x85\n\xff", "\"a\\\"b\\u0085\\n\\ufffd\"");
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
            cmocka_unit_test(printer_has_words_for_what_is_no_number),
            cmocka_unit_test(printer_quotes_texts),
            cmocka_unit_test(printer_pads_and_hands_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
