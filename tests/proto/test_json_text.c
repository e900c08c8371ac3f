#include "proto/json_text.h"

#include "proto/random.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void expect_number(double value, const char *text) {
    char number[RF_JSON_NUMBER_SIZE];
    assert_int_equal(rf_json_write_number(value, number), strlen(text));
    assert_string_equal(number, text);
    assert_true(strtod(number, NULL) == value);
}

static void json_numbers_are_the_shortest_that_read_back(void **state) {
    (void)state;
    expect_number(0.0, "0");
    expect_number(-0.0, "-0");
    expect_number(1.0, "1");
    expect_number(-3.0, "-3");
    expect_number(2.5, "2.5");
    expect_number(0.1, "0.1");
    expect_number(0.1 + 0.2, "0.30000000000000004");
    expect_number(1.0 / 3.0, "0.3333333333333333");
    expect_number(100000, "100000");
    expect_number(1234567890, "1234567890");
    expect_number(9999999999, "9999999999");
    expect_number(1e10, "1e10");
    expect_number(123456789012345, "1.23456789012345e14");
    expect_number(1234567890.5, "1234567890.5");
    expect_number(0.0001, "0.0001");
    expect_number(1e-6, "1e-6");
    expect_number(-2.5e-7, "-2.5e-7");
    expect_number(9007199254740993.0, "9.007199254740992e15");
    expect_number(5e-324, "5e-324");
    expect_number(DBL_MIN, "2.2250738585072014e-308");
    expect_number(-DBL_MAX, "-1.7976931348623157e308");
}

static void json_integers_keep_every_digit(void **state) {
    (void)state;
    char text[RF_JSON_NUMBER_SIZE];
    assert_int_equal(rf_json_write_count(0, text), 1);
    assert_string_equal(text, "0");
    assert_int_equal(rf_json_write_count(UINT64_MAX, text), 20);
    assert_string_equal(text, "18446744073709551615");
    assert_int_equal(rf_json_write_integer(INT64_MAX, text), 19);
    assert_string_equal(text, "9223372036854775807");
    assert_int_equal(rf_json_write_integer(INT64_MIN, text), 20);
    assert_string_equal(text, "-9223372036854775808");
    assert_int_equal(rf_json_write_integer(-1, text), 2);
    assert_string_equal(text, "-1");
}

// No try with fewer digits reads back: what the search of find_shortest() leaves out holds none either.
static void json_numbers_have_no_shorter_way(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 3);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = rf_random_next(&random);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (i % 2) { // few digits, as people write them
            value = rint(value / exp2(floor(log2(fabs(value)))) * pow(10, i % 7)) * pow(10, i % 31 - 15);
        } else if (i % 8 == 0) {
            value = ldexp(rf_random_uniform(&random), -1040); // has lost bits
        }
        if (!isfinite(value)) {
            continue;
        }
        char number[RF_JSON_NUMBER_SIZE], shortest[40];
        assert_true(rf_json_write_number(value, number) < RF_JSON_NUMBER_SIZE);
        int fraction = 0;
        do {
            snprintf(shortest, sizeof shortest, "%.*e", fraction, value);
        } while (strtod(shortest, NULL) != value && ++fraction);
        char again[40];
        snprintf(again, sizeof again, "%.*e", fraction, strtod(number, NULL));
        assert_string_equal(again, shortest);
        size_t digits = 0, zeros = 0;
        for (const char *at = number; *at && *at != 'e'; at++) {
            zeros = *at == '0' ? zeros + 1 : 0;
            digits += *at >= '0' && *at <= '9' && (digits > 0 || *at != '0');
        }
        digits -= strchr(number, '.') ? 0 : zeros; // 1200 has two
        if (digits > (size_t)fraction + 1) {
            fail_msg("%s is longer than %s", number, shortest);
        }
    }
}

static void expect_text(struct rf_text text, const char *expected) {
    char written[256] = "", escape[RF_JSON_ESCAPE_SIZE];
    size_t size = 0;
    while (text.size > 0) {
        size_t before = text.size;
        struct rf_text piece = rf_json_take_piece(&text, escape);
        assert_true(piece.size > 0);
        assert_true(text.size < before);
        assert_true(piece.size <= (before - text.size) * RF_JSON_FACTOR_MAX);
        memcpy(written + size, piece.data, piece.size);
        size += piece.size;
    }
    written[size] = '\0';
    assert_string_equal(written, expected);
}

static void json_texts_escape_what_others_would_misread(void **state) {
    (void)state;
    expect_text(rf_text_of(""), "");
    expect_text(rf_text_of("plain, with a / and 'quotes'"), "plain, with a / and 'quotes'");
    expect_text(rf_text_of("a\"b\\c\n\t\r\x1b\x7f"), "a\\\"b\\\\c\\n\\t\\u000d\\u001b\\u007f");
    expect_text((struct rf_text){"a\0b", 3}, "a\\u0000b");
    expect_text(rf_text_of("\xc3\xa4\xf0\x9f\x8c\x8a"), "\xc3\xa4\xf0\x9f\x8c\x8a");
    expect_text(rf_text_of("\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0"), "\\u0080\\u0085\\u009f\xc2\xa0");
    expect_text(rf_text_of("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9"), "\xe2\x80\xa7\\u2028\\u2029");
    expect_text(rf_text_of("\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf"), "\\ufeff\xef\xbf\xbd\\ufffe\\uffff");
}

static void json_texts_replace_bytes_that_are_not_utf8(void **state) {
    (void)state;
    expect_text(rf_text_of("a\xff\xc3"), "a\\ufffd\\ufffd");
    expect_text(rf_text_of("\xed\xa0\x80z"), "\\ufffd\\ufffd\\ufffdz");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(json_numbers_are_the_shortest_that_read_back),
            cmocka_unit_test(json_integers_keep_every_digit),
            cmocka_unit_test(json_numbers_have_no_shorter_way),
            cmocka_unit_test(json_texts_escape_what_others_would_misread),
            cmocka_unit_test(json_texts_replace_bytes_that_are_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
