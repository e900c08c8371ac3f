#include "ingest/number.h"

#include <assert.h>
#include <float.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

// Three ways to a correctly rounded double, the cheapest that is exact:
//
//   1. digits and power of ten are both exact doubles: one multiplication or division (Clinger, 1990: "How to read
//      floating point numbers accurately").
//   2. up to 19 digits and a power of ten up to 10^19: exact 128-bit integers, rounded once.
//   3. anything else: strtod() on a bounded copy without a decimal point, so that the locale does not matter.

static_assert(FLT_EVAL_METHOD == 0, "doubles must be rounded to double after each operation");
static_assert(DBL_MANT_DIG == 53, "doubles must be IEEE 754 binary64");

__extension__ typedef unsigned __int128 wide;

enum {
    DIGITS_MAX = 19,         // that fit a uint64_t whatever they are
    COPIED_DIGITS_MAX = 800, // no tie between two doubles needs more than 768 digits to be told; the rest is one more
    EXPONENT_MAX = 99999,    // as good as infinite: far beyond what COPIED_DIGITS_MAX digits could bring back
};

const double rf_number_power[RF_NUMBER_POWER_MAX + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

const uint64_t rf_number_integer_power[RF_NUMBER_INTEGER_POWER_MAX + 1] = {
        1u,
        10u,
        100u,
        1000u,
        10000u,
        100000u,
        1000000u,
        10000000u,
        100000000u,
        1000000000u,
        10000000000u,
        100000000000u,
        1000000000000u,
        10000000000000u,
        100000000000000u,
        1000000000000000u,
        10000000000000000u,
        100000000000000000u,
        1000000000000000000u,
        10000000000000000000u,
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Takes "e+12" at `at` if it is all there; returns where it ends.
static const char *scan_exponent(const char *at, const char *end, int64_t *exponent_out) {
    *exponent_out = 0;
    if (at == end || (*at | 0x20) != 'e') {
        return at;
    }
    const char *begin = at++;
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    if (at == end || !is_digit(*at)) {
        return begin;
    }
    int64_t exponent = 0;
    for (; at < end && is_digit(*at); at++) {
        if (exponent < INT_MAX) { // larger ones are as good as infinite
            exponent = exponent * 10 + (*at - '0');
        }
    }
    *exponent_out = is_negative ? -exponent : exponent;
    return at;
}

size_t rf_number_scan(struct rf_text text, enum rf_number_form form, struct rf_number *number_out) {
    const char *at = text.data;
    const char *end = text.data + text.size;
    bool is_plain = form == RF_NUMBER_PLAIN;
    bool is_negative = at < end && *at == '-';
    if (is_negative || (is_plain && at < end && *at == '+')) {
        at++;
    }

    const char *whole = at;
    uint64_t digits = 0;
    while (at < end && is_digit(*at)) {
        digits = digits * 10 + (uint64_t)(*at++ - '0');
    }
    if (!is_plain && at - whole > 1 && *whole == '0') {
        at = whole + 1; // a leading zero ends the number
        digits = 0;
    }
    size_t digit_count = (size_t)(at - whole);
    int64_t exponent = 0;
    bool has_whole = digit_count > 0;
    if ((has_whole || is_plain) && at < end && *at == '.') {
        const char *fraction = at + 1;
        const char *stop = fraction;
        while (stop < end && is_digit(*stop)) {
            digits = digits * 10 + (uint64_t)(*stop++ - '0');
        }
        if (stop > fraction || (is_plain && has_whole)) {
            digit_count += (size_t)(stop - fraction);
            exponent = fraction - stop;
            at = stop;
        }
    }
    if (digit_count == 0) {
        return 0;
    }
    int64_t written;
    at = scan_exponent(at, end, &written);
    *number_out = (struct rf_number){
            .text = {text.data, (size_t)(at - text.data)},
            .digits = digits,
            .digit_count = digit_count,
            .exponent = exponent + written,
            .is_negative = is_negative,
    };
    return number_out->text.size;
}

static double power_of_two(int exponent) { // a normal one
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

// digits * 10^exponent, digits > 0, |exponent| <= RF_NUMBER_INTEGER_POWER_MAX.
static double integer_value(uint64_t digits, int exponent) {
    if (exponent >= 0) {
        return (double)((wide)digits * rf_number_integer_power[exponent]);
    }
    // The quotient has at least 62 bits, so that its last one, which also stands for the remainder, is below the bit
    // that decides the rounding to 53.
    int shift = __builtin_clzll(digits);
    wide dividend = (wide)(digits << shift) << 63;
    wide divisor = rf_number_integer_power[-exponent];
    wide quotient = dividend / divisor;
    quotient |= quotient * divisor != dividend;
    return (double)quotient * power_of_two(-63 - shift);
}

// Copies the digits that matter and the exponent, as "123e-4", for strtod().
static double copied_value(const struct rf_number *number) {
    char copy[COPIED_DIGITS_MAX + 32];
    size_t size = 0;
    bool has_rest = false;
    int64_t exponent = number->exponent;
    size_t left = number->digit_count;
    for (const char *at = number->text.data; left > 0; at++) {
        if (!is_digit(*at)) { // a sign or the point
            continue;
        }
        left--;
        if (size == 0 && *at == '0') {
            continue;
        }
        if (size < COPIED_DIGITS_MAX) {
            copy[size++] = *at;
        } else {
            exponent++;
            has_rest = has_rest || *at != '0';
        }
    }
    if (size == 0) {
        return 0.0;
    }
    if (has_rest) { // tells a tie from a little more
        copy[size++] = '1';
        exponent--;
    }
    exponent = exponent > EXPONENT_MAX ? EXPONENT_MAX : exponent < -EXPONENT_MAX ? -EXPONENT_MAX : exponent;
    snprintf(copy + size, sizeof copy - size, "e%d", (int)exponent);
    return strtod(copy, NULL);
}

static double magnitude(const struct rf_number *number) {
    if (number->digit_count > DIGITS_MAX) {
        return copied_value(number);
    }
    if (number->digits == 0) {
        return 0.0;
    }
    int64_t exponent = number->exponent;
    if (number->digits <= (uint64_t)1 << DBL_MANT_DIG && exponent >= -RF_NUMBER_POWER_MAX && exponent <= RF_NUMBER_POWER_MAX) {
        double digits = (double)number->digits;
        return exponent < 0 ? digits / rf_number_power[-exponent] : digits * rf_number_power[exponent];
    }
    if (exponent >= -RF_NUMBER_INTEGER_POWER_MAX && exponent <= RF_NUMBER_INTEGER_POWER_MAX) {
        return integer_value(number->digits, (int)exponent);
    }
    return copied_value(number);
}

double rf_number_value(const struct rf_number *number) {
    double value = magnitude(number);
    return number->is_negative ? -value : value;
}
