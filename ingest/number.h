#ifndef RF_INGEST_NUMBER_H
#define RF_INGEST_NUMBER_H
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

// Takes a number of few digits and a small exponent, which most are, exactly and at once: digits and power of ten are both
// exact doubles, so one operation rounds (Clinger, 1990). Returns its size, or 0 where it takes the two functions around this
// one; also where the number goes on in a way that only they can tell the end of.
enum { RF_NUMBER_POWER_MAX = 22 }; // 10^22 is the last power of ten that is a double
extern const double rf_number_power[RF_NUMBER_POWER_MAX + 1];
static inline size_t rf_number_short(struct rf_text text, double *value_out) {
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
    int exponent = 0;
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        for (; at < end && (unsigned char)(*at - '0') < 10; at++) {
            digits = 10 * digits + (unsigned char)(*at - '0');
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
