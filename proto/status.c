#include "proto/status.h"

#include "proto/utf8.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *rf_status_text(enum rf_status status) {
    static const char *const texts[] = {
#define RF_STATUS_ENTRY(name, text) text,
            RF_STATUS_LIST(RF_STATUS_ENTRY)
#undef RF_STATUS_ENTRY
    };
    return texts[status];
}

void rf_make_printable(char *text) {
    struct rf_text rest = rf_text_of(text);
    for (char *at = text; rest.size > 0;) {
        size_t size = rf_utf8_size(rest), taken = size ? size : 1;
        if (size == 0 && (unsigned char)*at >= 0xc2 && rest.size < 4) {
            *at = '\0'; // a character that was cut at the end
            return;
        }
        if (rf_utf8_is_unprintable(rest, size)) {
            memset(at, '?', taken);
        }
        at += taken;
        rest = (struct rf_text){at, rest.size - taken};
    }
}

enum rf_status rf_fail(struct rf_error *err, enum rf_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    rf_make_printable(err->text);
    err->status = status;
    return status;
}

enum rf_status rf_fail_in(struct rf_error *err, const char *format, ...) {
    char sentence[RF_ERROR_TEXT_SIZE];
    memcpy(sentence, err->text, sizeof sentence);
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    size_t length = used > 0 ? strlen(err->text) : 0;
    if (length + 3 < sizeof err->text) {
        memcpy(err->text + length, ": ", 2);
        length += 2;
        size_t room = sizeof err->text - length - 1;
        size_t rest = strnlen(sentence, sizeof sentence - 1);
        rest = rest < room ? rest : room;
        memcpy(err->text + length, sentence, rest);
        err->text[length + rest] = '\0';
    }
    rf_make_printable(err->text);
    return err->status;
}
