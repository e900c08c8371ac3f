#ifndef RF_INGEST_NUMBER_H
#define RF_INGEST_NUMBER_H
#include "proto/bytes.h"
#include "proto/text.h"

#include <stdint.h>

// Numbers written in decimal, read exactly: the value is the double nearest to what is written, ties to even, whatever
// the locale.
enum rf_number_form {
    RF_NUMBER_JSON,  // RFC 8259: no sign but '-', no leading zeros, digits on both sides of a point
    RF_NUMBER_PLAIN, // also +1, 007, .5 and 5.
};

struct rf_number {
    struct rf_text text; // as written
    uint64_t digits;     // all digits as one integer; not meaningful when there are more than 19
    size_t digit_count;  // leading zeros included
    int64_t exponent;    // value = +-digits * 10^exponent
    bool is_negative;
};

// Takes the longest number that `text` begins with, and returns its size; 0 when there is none.
size_t rf_number_scan(struct rf_text text, enum rf_number_form form, struct rf_number *number_out);

enum { RF_NUMBER_POWER_MAX = 22 }; // 10^22 is the last power of ten that is a double
extern const double rf_number_power[RF_NUMBER_POWER_MAX + 1];
enum { RF_NUMBER_INTEGER_POWER_MAX = 19 }; // 10^19 is the last power of ten below 2^64
extern const uint64_t rf_number_integer_power[RF_NUMBER_INTEGER_POWER_MAX + 1];

// Takes up to eight digits at once, of eight bytes that can be read: how many there are, and their value.
static inline size_t rf_number_digits(const char *bytes, uint64_t *value_out) {
    uint64_t word = rf_load_u64(bytes) ^ 0x3030303030303030u;                      // digits become 0 to 9
    uint64_t others = (word | (word + 0x0606060606060606u)) & 0xf0f0f0f0f0f0f0f0u; // the first one is right: carries go up
    size_t count = others ? (size_t)__builtin_ctzll(others) / 8 : 8;
    if (count == 0) {
        return 0;
    }
    word <<= 8 * (8 - count); // zeros in front; the first digit is in the lowest byte
    word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ffu;
    word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffffu;
    *value_out = (word * 10000 + (word >> 32)) & 0xffffffffu;
    return count;
}

// Takes a number of few digits and a small exponent, which most are, exactly and at once: digits and power of ten are both
// exact doubles, so one operation rounds (Clinger, 1990). Returns its size, or 0 where it takes the two functions around this
// one; also where the number goes on in a way that only they can tell the end of.
static inline size_t rf_number_short(struct rf_text text, enum rf_number_form form, double *value_out) {
    enum { SHORT_DIGITS_MAX = 15 };
    const char *at = text.data, *end = text.data + text.size;
    bool is_negative = at < end && *at == '-';
    at += is_negative;
    uint64_t digits = 0;
    const char *begin = at;
    for (; at < end && (unsigned char)(*at - '0') < 10; at++) {
        digits = 10 * digits + (unsigned char)(*at - '0');
    }
    size_t digit_count = (size_t)(at - begin);
    if (form == RF_NUMBER_JSON && (digit_count == 0 || (digit_count > 1 && *begin == '0'))) {
        return 0;
    }
    int exponent = 0;
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        uint64_t taken;
        size_t count = end - at >= 8 ? rf_number_digits(at, &taken) : 0;
        if (count > 0) {
            digits = digits * rf_number_integer_power[count] + taken;
            at += count;
        }
        for (; at < end && (unsigned char)(*at - '0') < 10; at++) {
            digits = 10 * digits + (unsigned char)(*at - '0');
        }
        if (form == RF_NUMBER_JSON && at == fraction) {
            return 0;
        }
        exponent = (int)(fraction - at);
        digit_count += (size_t)(at - fraction);
    }
    if (at < end && (*at | 0x20) == 'e') { // two digits and a sign
        if (end - at < 4 || (at[1] != '-' && at[1] != '+') || (unsigned char)(at[2] - '0') >= 10 ||
            (unsigned char)(at[3] - '0') >= 10 || (end - at > 4 && (unsigned char)(at[4] - '0') < 10)) {
            return 0;
        }
        int written = 10 * (at[2] - '0') + (at[3] - '0');
        exponent += at[1] == '-' ? -written : written;
        at += 4;
    }
    if (digit_count - 1 >= SHORT_DIGITS_MAX || exponent < -RF_NUMBER_POWER_MAX || exponent > RF_NUMBER_POWER_MAX) {
        return 0;
    }
    double value = (double)digits;
    value = exponent < 0 ? value / rf_number_power[-exponent] : value * rf_number_power[exponent];
    *value_out = is_negative ? -value : value;
    return (size_t)(at - text.data);
}

// Infinity when it is too large for a double; 0 or a denormal when it is very small.
double rf_number_value(const struct rf_number *number);

#endif
