#include "ingest/number.h"

#include "proto/random.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static size_t scan(const char *text, enum rf_number_form form, double *value_out) {
    struct rf_number number;
    size_t size = rf_number_scan(rf_text_of(text), form, &number);
    if (size > 0) {
        *value_out = rf_number_value(&number);
        assert_ptr_equal(number.text.data, text);
        assert_int_equal(number.text.size, size);
    }
    return size;
}

// The bits must be those of strtod(), which glibc rounds correctly. The short way takes the whole number or none of it.
static void check(const char *text) {
    double value = 0, expected = strtod(text, NULL);
    size_t taken = rf_number_short(rf_text_of(text), RF_NUMBER_PLAIN, &value);
    assert_true(taken == 0 || taken == strlen(text));
    assert_true(taken == 0 || memcmp(&value, &expected, sizeof value) == 0);
    assert_int_equal(scan(text, RF_NUMBER_PLAIN, &value), strlen(text));
    if (memcmp(&value, &expected, sizeof value) != 0) {
        fail_msg("%s is read as %a, must be %a", text, value, expected);
    }
}

static void number_takes_what_json_calls_a_number(void **state) {
    (void)state;
    const struct {
        const char *text;
        size_t size;
        double value;
    } cases[] = {
            {"0", 1, 0},      {"-0", 2, -0.0},   {"7", 1, 7},       {"-12", 3, -12},        {"0.5", 3, 0.5},
            {"1e3", 3, 1000}, {"1E+3", 4, 1e3},  {"1e-3", 4, 1e-3}, {"12.25e1x", 7, 122.5}, {"1.", 1, 1},
            {"1.e5", 1, 1},   {"1e", 1, 1},      {"1e+", 1, 1},     {"01", 1, 0},           {"-01", 2, -0.0},
            {"00e5", 1, 0},   {"1.5.2", 3, 1.5}, {"0x10", 1, 0},    {"1e400", 5, INFINITY}, {"-1e400", 6, -INFINITY},
            {"1e-400", 6, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = NAN;
        assert_int_equal(scan(cases[i].text, RF_NUMBER_JSON, &value), cases[i].size);
        assert_memory_equal(&value, &cases[i].value, sizeof value);
    }
}

static void number_refuses_what_json_does_not_call_a_number(void **state) {
    (void)state;
    const char *const cases[] = {"", "-", "+1", ".5", "-.5", "e5", "NaN", "Infinity", "-Infinity", "x", ".", "- 1"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        assert_int_equal(scan(cases[i], RF_NUMBER_JSON, &value), 0);
    }
}

static void number_is_short_where_it_is_plain(void **state) {
    (void)state;
    const struct {
        const char *text;
        size_t size;
        double value;
    } cases[] = {
            {"1", 1, 1},
            {"-0.5 ", 4, -0.5},
            {"0.123456|", 8, 0.123456},
            {"123456789012345", 15, 123456789012345},
            {"3.9656971e-02 ", 13, 3.9656971e-02},
            {"1E+22", 5, 1e22},
            {".5", 2, 0.5},
            {"5.", 2, 5},
            {"007", 3, 7},
            {"1x", 1, 1},
            {"1.5.2", 3, 1.5},
            {"1234567890123456", 0, 0}, // too many digits to be sure of a single rounding
            {"0.0000000000000001", 0, 0},
            {"1e-23", 0, 0},
            {"1e5", 0, 0},
            {"1e+5", 0, 0},
            {"1e+123", 0, 0},
            {"1e", 0, 0},
            {"+1", 0, 0},
            {"-", 0, 0},
            {".", 0, 0},
            {"", 0, 0},
            {".e+05", 0, 0},
            {"nan", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = 0, scanned = 0;
        assert_int_equal(rf_number_short(rf_text_of(cases[i].text), RF_NUMBER_PLAIN, &value), cases[i].size);
        assert_true(value == cases[i].value);
        if (cases[i].size > 0) {
            assert_int_equal(scan(cases[i].text, RF_NUMBER_PLAIN, &scanned), cases[i].size);
            assert_memory_equal(&value, &scanned, sizeof value);
        }
    }
}

static void number_is_the_same_the_short_way(void **state) {
    (void)state;
    static const char letters[] = "0123456789012345678901234567890123456789......ee+--:| x\xff";
    struct rf_random random;
    rf_random_init(&random, 7);
    size_t taken = 0, taken_json = 0;
    for (int i = 0; i < 200000; i++) {
        char text[25] = "";
        size_t size = rf_random_below(&random, sizeof text);
        for (size_t k = 0; k < size; k++) {
            text[k] = letters[rf_random_below(&random, sizeof letters - 1)];
        }
        text[size] = '\0';
        double value, scanned;
        size_t used = rf_number_short(rf_text_of(text), RF_NUMBER_PLAIN, &value);
        if (used > 0) {
            assert_int_equal(scan(text, RF_NUMBER_PLAIN, &scanned), used);
            assert_memory_equal(&value, &scanned, sizeof value);
            taken++;
        }
        used = rf_number_short(rf_text_of(text), RF_NUMBER_JSON, &value);
        if (used > 0) {
            assert_int_equal(scan(text, RF_NUMBER_JSON, &scanned), used);
            assert_memory_equal(&value, &scanned, sizeof value);
            taken_json++;
        }
    }
    assert_true(taken > 50000 && taken_json > 40000);
}

static void number_takes_plain_forms_beyond_json(void **state) {
    (void)state;
    const char *const cases[] = {"+1", "007", "-007.50", ".5", "-.5", "5.", "+5.e2", "00", "+0.0"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(cases[i]);
    }
    const char *const wrong[] = {"", "+", ".", "-.", ".e5", "e5", "--1", "nan", "inf"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double value;
        assert_int_equal(scan(wrong[i], RF_NUMBER_PLAIN, &value), 0);
    }
}

static void number_is_exact_where_it_is_hard(void **state) {
    (void)state;
    const char *const cases[] = {
            "9007199254740993",
            "9007199254740992.5",
            "9007199254740993.00000000000000000000000000001",
            "18446744073709551615",
            "18446744073709551616",
            "9223372036854775808e-3",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692"
            "887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842"
            "9148198608349364752927190741684443655107043427115596995080930428801779041744978E0",
            "4.9406564584124654e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "1e22",
            "1e23",
            "123456789012345678e22",
            "0.000001",
            "8.5e-5",
            "0.1",
            "0.30000000000000004",
            "100000000000000016777215",
            "100000000000000016777216",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "0e99999999999999999999",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(cases[i]);
    }
}

static void number_tells_a_tie_by_its_thousandth_digit(void **state) {
    (void)state;
    // Half way between 2^53 and its neighbour, then zeros, then a last digit that decides.
    char text[3000];
    size_t size = (size_t)snprintf(text, sizeof text, "9007199254740993.");
    memset(text + size, '0', 2000);
    text[size + 2000] = '\0';
    check(text);
    text[size + 1999] = '1';
    check(text);
}

static void number_counts_the_places_of_very_long_ones(void **state) {
    (void)state;
    enum { ZEROS = 100000 };
    char *text = malloc(ZEROS + 32);
    assert_non_null(text);
    text[0] = '1';
    memset(text + 1, '0', ZEROS);
    strcpy(text + 1 + ZEROS, "e-100000");
    double value = 0;
    assert_int_equal(scan(text, RF_NUMBER_JSON, &value), strlen(text));
    assert_true(value == 1.0);
    memcpy(text, "0.", 2);
    memset(text + 2, '0', ZEROS);
    strcpy(text + 1 + ZEROS, "1e+100000");
    assert_int_equal(scan(text, RF_NUMBER_JSON, &value), strlen(text));
    assert_true(value == 1.0);
    free(text);
}

static void number_equals_strtod_on_random_decimals(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 7);
    for (int i = 0; i < 100000; i++) {
        char text[96] = "";
        size_t size = 0;
        size_t whole = (size_t)rf_random_below(&random, 22);
        size_t fraction = (size_t)rf_random_below(&random, 24);
        if (rf_random_below(&random, 3) == 0) {
            text[size++] = '-';
        }
        for (size_t k = 0; k <= whole; k++) {
            text[size++] = (char)('0' + rf_random_below(&random, 10));
        }
        text[size++] = '.';
        for (size_t k = 0; k < fraction; k++) {
            text[size++] = (char)('0' + rf_random_below(&random, 10));
        }
        text[size] = '\0';
        if (rf_random_below(&random, 2)) {
            int range = rf_random_below(&random, 2) ? 30 : 340;
            snprintf(text + size, sizeof text - size, "e%d", (int)rf_random_below(&random, 2 * (uint64_t)range) - range);
        }
        check(text);
    }
}

static void number_reads_back_every_printed_double(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 8);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = rf_random_next(&random);
        double expected, value = 0;
        memcpy(&expected, &bits, sizeof expected);
        if (i % 2) {
            expected = rf_random_normal(&random) * 1000; // as they stand in data
        }
        if (!isfinite(expected)) {
            continue;
        }
        char text[64];
        snprintf(text, sizeof text, "%.17g", expected);
        assert_int_equal(scan(text, RF_NUMBER_JSON, &value), strlen(text));
        assert_memory_equal(&value, &expected, sizeof value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(number_takes_what_json_calls_a_number),
            cmocka_unit_test(number_refuses_what_json_does_not_call_a_number),
            cmocka_unit_test(number_is_short_where_it_is_plain),
            cmocka_unit_test(number_is_the_same_the_short_way),
            cmocka_unit_test(number_takes_plain_forms_beyond_json),
            cmocka_unit_test(number_is_exact_where_it_is_hard),
            cmocka_unit_test(number_tells_a_tie_by_its_thousandth_digit),
            cmocka_unit_test(number_counts_the_places_of_very_long_ones),
            cmocka_unit_test(number_equals_strtod_on_random_decimals),
            cmocka_unit_test(number_reads_back_every_printed_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
