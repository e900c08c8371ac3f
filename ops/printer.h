#ifndef RF_OPS_PRINTER_H
#define RF_OPS_PRINTER_H
// Text put together piece by piece, in memory that grows. Setup and reports only: it allocates.
#include "proto/status.h"

#include <stdbool.h>
#include <stddef.h>

// All zeros is an empty printer. When memory is out the rest is dropped, `is_cut` says so, and the text stays a text.
struct rf_printer {
    char *text; // NUL-terminated, NULL when nothing was ever added
    size_t size;
    size_t capacity;
    bool is_cut;
};

void rf_printer_finish(struct rf_printer *printer);

// Hands the text to the caller, who frees it; NULL when memory was out. The printer is empty afterwards.
char *rf_printer_take(struct rf_printer *printer) RF_MUST_USE;

void rf_printer_add(struct rf_printer *printer, const char *text);
void rf_printer_add_bytes(struct rf_printer *printer, const char *bytes, size_t size);
void rf_printer_format(struct rf_printer *printer, const char *format, ...) RF_PRINTF(2, 3);
void rf_printer_pad(struct rf_printer *printer, size_t size); // spaces, until the text is `size` bytes long

// A JSON string with its quotes (see proto/json_text.h), which is a YAML string too.
void rf_printer_quote(struct rf_printer *printer, const char *text);

// The shortest decimal that reads back as the same double; nan, inf or -inf.
void rf_printer_real(struct rf_printer *printer, double value);

#endif
