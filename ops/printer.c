#include "ops/printer.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rf_printer_finish(struct rf_printer *printer) {
    free(printer->text);
    *printer = (struct rf_printer){0};
}

static bool reserve(struct rf_printer *printer, size_t size) {
    size_t needed = printer->size + size + 1;
    if (needed <= printer->capacity) {
        return true;
    }
    size_t capacity = printer->capacity ? printer->capacity : 64;
    while (capacity < needed) {
        capacity *= 2;
    }
    char *text = realloc(printer->text, capacity);
    if (!text) {
        printer->is_cut = true;
        return false;
    }
    printer->text = text;
    printer->capacity = capacity;
    return true;
}

char *rf_printer_take(struct rf_printer *printer) {
    char *text = NULL;
    if (reserve(printer, 0) && !printer->is_cut) {
        printer->text[printer->size] = '\0';
        text = printer->text;
        *printer = (struct rf_printer){0};
    }
    rf_printer_finish(printer);
    return text;
}

void rf_printer_add_bytes(struct rf_printer *printer, const char *bytes, size_t size) {
    if (!reserve(printer, size)) {
        return;
    }
    if (size > 0) {
        memcpy(printer->text + printer->size, bytes, size);
    }
    printer->size += size;
    printer->text[printer->size] = '\0';
}

void rf_printer_add(struct rf_printer *printer, const char *text) {
    rf_printer_add_bytes(printer, text, strlen(text));
}

void rf_printer_format(struct rf_printer *printer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0 || !reserve(printer, (size_t)size)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(printer->text + printer->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    printer->size += (size_t)size;
}

void rf_printer_pad(struct rf_printer *printer, size_t size) {
    while (printer->size < size && !printer->is_cut) {
        rf_printer_add_bytes(printer, " ", 1);
    }
}

size_t rf_utf8_size(const char *text, size_t size) {
    const uint8_t *byte = (const uint8_t *)text;
    if (size == 0) {
        return 0;
    }
    if (byte[0] < 0x80) {
        return 1;
    }
    // The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF.
    size_t length = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    uint8_t low = byte[0] == 0xe0 ? 0xa0 : byte[0] == 0xf0 ? 0x90 : 0x80;
    uint8_t high = byte[0] == 0xed ? 0x9f : byte[0] == 0xf4 ? 0x8f : 0xbf;
    if (byte[0] < 0xc2 || byte[0] > 0xf4 || size < length || byte[1] < low || byte[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((byte[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

// The code point of a UTF-8 character of up to three bytes.
static unsigned code_of(const char *text, size_t length) {
    const uint8_t *byte = (const uint8_t *)text;
    return length == 1   ? byte[0]
           : length == 2 ? (byte[0] & 0x1fu) << 6 | (byte[1] & 0x3fu)
                         : (byte[0] & 0xfu) << 12 | (byte[1] & 0x3fu) << 6 | (byte[2] & 0x3fu);
}

// Controls, what YAML takes for line ends, and what it does not allow.
static bool is_invisible(const char *text, size_t length) {
    unsigned code = length < 4 ? code_of(text, length) : 0x10000;
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff || code == 0xfffe ||
           code == 0xffff;
}

void rf_printer_quote(struct rf_printer *printer, const char *text) {
    size_t size = strlen(text);
    rf_printer_add_bytes(printer, "\"", 1);
    for (size_t i = 0; i < size;) {
        size_t length = rf_utf8_size(text + i, size - i);
        unsigned char byte = (unsigned char)text[i];
        if (length == 0) {
            rf_printer_add(printer, "\\ufffd");
        } else if (byte == '"' || byte == '\\') {
            rf_printer_format(printer, "\\%c", byte);
        } else if (byte == '\n') {
            rf_printer_add(printer, "\\n");
        } else if (byte == '\t') {
            rf_printer_add(printer, "\\t");
        } else if (is_invisible(text + i, length)) {
            rf_printer_format(printer, "\\u%04x", code_of(text + i, length));
        } else {
            rf_printer_add_bytes(printer, text + i, length);
        }
        i += length ? length : 1;
    }
    rf_printer_add_bytes(printer, "\"", 1);
}

void rf_printer_real(struct rf_printer *printer, double value) {
    if (!isfinite(value)) {
        rf_printer_add(printer, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    char digits[40];
    int fraction = 0;
    do {
        snprintf(digits, sizeof digits, "%.*e", fraction, value);
    } while (strtod(digits, NULL) != value && ++fraction < 17);

    char *mark = strchr(digits, 'e');
    int exponent = (int)strtol(mark + 1, NULL, 10);
    if (exponent < -4 || exponent > 9) {
        *mark = '\0';
        rf_printer_format(printer, "%se%d", digits, exponent);
        return;
    }
    rf_printer_format(printer, "%.*f", fraction > exponent ? fraction - exponent : 0, value);
}
