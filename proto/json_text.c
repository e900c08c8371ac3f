#include "proto/json_text.h"

#include "proto/utf8.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct rf_text after(struct rf_text text, size_t size) {
    return (struct rf_text){text.data + size, text.size - size};
}

// Controls, line ends, and what YAML does not allow.
static bool is_invisible(unsigned code_point) {
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) || code_point == 0x2028 || code_point == 0x2029 ||
           code_point == 0xfeff || code_point == 0xfffe || code_point == 0xffff;
}

static bool is_plain_ascii(unsigned char byte) {
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

// Bytes at the beginning of `text` that stand for themselves.
static size_t plain_size(struct rf_text text) {
    size_t at = 0;
    for (;;) {
        while (at < text.size && is_plain_ascii((unsigned char)text.data[at])) {
            at++;
        }
        if (at == text.size || (unsigned char)text.data[at] < 0x80) {
            return at;
        }
        size_t size = rf_utf8_size(after(text, at));
        if (size == 0 || is_invisible(rf_utf8_read((struct rf_text){text.data + at, size}))) {
            return at;
        }
        at += size;
    }
}

struct rf_text rf_json_take_piece(struct rf_text *rest, char escape[RF_JSON_ESCAPE_SIZE]) {
    assert(rest->size > 0);
    size_t plain = plain_size(*rest);
    if (plain > 0) {
        struct rf_text piece = {rest->data, plain};
        *rest = after(*rest, plain);
        return piece;
    }
    size_t size = rf_utf8_size(*rest);
    char byte = rest->data[0];
    int escape_size = 2;
    escape[0] = '\\';
    if (byte == '"' || byte == '\\') {
        escape[1] = byte;
    } else if (byte == '\n' || byte == '\t') {
        escape[1] = byte == '\n' ? 'n' : 't';
    } else {
        unsigned code_point = size > 0 ? rf_utf8_read((struct rf_text){rest->data, size}) : 0xfffd;
        escape_size = snprintf(escape, RF_JSON_ESCAPE_SIZE, "\\u%04x", code_point);
    }
    *rest = after(*rest, size > 0 ? size : 1);
    return (struct rf_text){escape, (size_t)escape_size};
}

static size_t write_digits(uint64_t value, char *out) {
    char digits[20];
    size_t size = 0;
    do {
        digits[size++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < size; i++) {
        out[i] = digits[size - 1 - i];
    }
    out[size] = '\0';
    return size;
}

size_t rf_json_write_count(uint64_t value, char out[RF_JSON_NUMBER_SIZE]) {
    return write_digits(value, out);
}

size_t rf_json_write_integer(int64_t value, char out[RF_JSON_NUMBER_SIZE]) {
    out[0] = '-';
    return value < 0 ? 1 + write_digits(0 - (uint64_t)value, out + 1) : write_digits((uint64_t)value, out);
}

// The digits of a number from 1 up to 10, and the power of ten to multiply it with.
struct decimal {
    char digits[40]; // as in -1.25, without zeros at the end
    int fraction;    // how many of them stand after the point
    int exponent;
};

// Any decimal of up to DBL_DIG digits comes back from a double as it was, unless the double has lost bits near zero. So
// there is no shorter one than DBL_DIG digits without their zeros, or else those of the first longer try that reads back.
static void find_shortest(double value, struct decimal *decimal) {
    decimal->fraction = fabs(value) < DBL_MIN ? 0 : DBL_DIG - 1;
    for (;; decimal->fraction++) {
        snprintf(decimal->digits, sizeof decimal->digits, "%.*e", decimal->fraction, value);
        if (decimal->fraction == DBL_DECIMAL_DIG - 1 || strtod(decimal->digits, NULL) == value) {
            break;
        }
    }
    char *end = strchr(decimal->digits, 'e');
    decimal->exponent = (int)strtol(end + 1, NULL, 10);
    for (; decimal->fraction > 0 && end[-1] == '0'; decimal->fraction--) {
        end--;
    }
    end -= end[-1] == '.';
    *end = '\0';
}

size_t rf_json_write_number(double value, char out[RF_JSON_NUMBER_SIZE]) {
    assert(isfinite(value));
    if (fabs(value) < 1e10 && value == (double)(int64_t)value && (value != 0 || !signbit(value))) { // the same, and quicker
        return rf_json_write_integer((int64_t)value, out);
    }
    struct decimal decimal;
    find_shortest(value, &decimal);
    int size;
    if (decimal.exponent < -4 || decimal.exponent > 9) {
        size = snprintf(out, RF_JSON_NUMBER_SIZE, "%.24se%d", decimal.digits, decimal.exponent);
    } else {
        int places = decimal.fraction > decimal.exponent ? decimal.fraction - decimal.exponent : 0;
        size = snprintf(out, RF_JSON_NUMBER_SIZE, "%.*f", places, value);
    }
    return (size_t)size;
}
