#ifndef RF_INGEST_CSV_SCAN_H
#define RF_INGEST_CSV_SCAN_H
// The fields of a line of CSV.
#include "ingest/csv_dialect.h"
#include "ingest/decoder.h"
#include "proto/utf8.h"

#include <string.h>

struct rf_csv_scan {
    const char *begin, *at, *end;
    const struct rf_csv_dialect *dialect;
    struct rf_decode_error *error;
};

struct rf_csv_text {
    struct rf_text raw; // without quotes and blanks around it, valid UTF-8
    bool is_quoted;
    bool is_coded; // holds doubled quotes or escapes
};

// Takes one field and the delimiter or the end of the line behind it, in any dialect. RF_INVALID with the error filled.
enum rf_status rf_csv_scan_field(struct rf_csv_scan *scan, struct rf_csv_text *text_out, bool *is_last_out) RF_MUST_USE;

// Writes what a coded text stands for, which is no longer, and returns its size.
size_t rf_csv_decode_text(const struct rf_csv_dialect *dialect, const struct rf_csv_text *text, char *out);

// For those who scan themselves: what is wrong.
enum rf_status rf_csv_unexpected(const struct rf_csv_scan *scan, const char *wanted);
enum rf_status rf_csv_unclosed(const struct rf_csv_scan *scan);
enum rf_status rf_csv_wrong_character(struct rf_csv_scan *scan, struct rf_text text);

static inline enum rf_status rf_csv_check_characters(struct rf_csv_scan *scan, struct rf_text text) {
    bool is_text = rf_utf8_valid_size(text) == text.size && (text.size == 0 || !memchr(text.data, '\0', text.size));
    return is_text ? RF_OK : rf_csv_wrong_character(scan, text);
}

#endif
