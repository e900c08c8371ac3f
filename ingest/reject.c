#include "ingest/reject.h"

#include "proto/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum rf_status rf_decode_fail(struct rf_decode_error *error, enum rf_reason reason, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->detail, sizeof error->detail, format, arguments);
    va_end(arguments);
    rf_make_printable(error->detail);
    error->reason = reason;
    return RF_INVALID;
}

// One character as it is shown; returns its size, and how many bytes of `text` it stands for.
static size_t show_character(struct rf_text text, char shown_out[4], size_t *taken_out) {
    unsigned char byte = (unsigned char)text.data[0];
    size_t size = rf_utf8_size(text);
    if (rf_utf8_is_unprintable(text, size)) {
        static const char digits[] = "0123456789abcdef";
        memcpy(shown_out, (char[4]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
        *taken_out = 1;
        return 4;
    }
    memcpy(shown_out, text.data, size);
    *taken_out = size;
    return size;
}

struct rf_shown rf_show(struct rf_text text) {
    static const char cut[] = "...";
    struct rf_shown shown;
    size_t size = 0;
    size_t fits = 0; // where "..." and the NUL still have room
    for (size_t at = 0; at < text.size;) {
        char character[4];
        size_t taken;
        size_t width = show_character((struct rf_text){text.data + at, text.size - at}, character, &taken);
        if (size + width >= sizeof shown.text) {
            memcpy(shown.text + fits, cut, sizeof cut);
            return shown;
        }
        memcpy(shown.text + size, character, width);
        size += width;
        at += taken;
        if (size + sizeof cut <= sizeof shown.text) {
            fits = size;
        }
    }
    shown.text[size] = '\0';
    return shown;
}
