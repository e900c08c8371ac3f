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

// A JSON string with its quotes, which is a YAML string too. Control characters and other line ends are escaped; bytes that
// are not UTF-8 become U+FFFD.
void rf_printer_quote(struct rf_printer *printer, const char *text);

// The shortest decimal that reads back as the same double: 0.05, 100000, 1e-6. Stored texts depend on it.
void rf_printer_real(struct rf_printer *printer, double value);

// The length of the UTF-8 character that begins at `text`, 1 to 4; 0 when its bytes are not UTF-8 (RFC 3629).
size_t rf_utf8_size(const char *text, size_t size);

#endif
