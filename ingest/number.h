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

// Infinity when it is too large for a double; 0 or a denormal when it is very small.
double rf_number_value(const struct rf_number *number);

#endif
