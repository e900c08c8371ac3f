#include "ops/printer.h"

#include "proto/json_text.h"

#include <math.h>
#include <stdarg.h>
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

void rf_printer_quote(struct rf_printer *printer, const char *text) {
    char escape[RF_JSON_ESCAPE_SIZE];
    struct rf_text rest = rf_text_of(text);
    rf_printer_add_bytes(printer, "\"", 1);
    while (rest.size > 0) {
        struct rf_text piece = rf_json_take_piece(&rest, escape);
        rf_printer_add_bytes(printer, piece.data, piece.size);
    }
    rf_printer_add_bytes(printer, "\"", 1);
}

void rf_printer_real(struct rf_printer *printer, double value) {
    if (!isfinite(value)) {
        rf_printer_add(printer, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    char number[RF_JSON_NUMBER_SIZE];
    rf_printer_add_bytes(printer, number, rf_json_write_number(value, number));
}
