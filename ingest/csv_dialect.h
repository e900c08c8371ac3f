#ifndef RF_INGEST_CSV_DIALECT_H
#define RF_INGEST_CSV_DIALECT_H
// How a CSV is written: RFC 4180, what spreadsheets, databases and libraries make of it, and tab-separated values.
#include "proto/setting.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>

enum rf_csv_header {
    RF_CSV_HEADER_AUTO, // a file's first line names the columns where the settings do not
    RF_CSV_HEADER_SKIP, // the settings name them, and a file has a first line all the same
};

// The settings under source.csv.
struct rf_csv_options {
    char *quote, *escape, *comment, *decimal; // one character each; "none" where there is none
    struct rf_texts null;
    bool trim;
    bool control_escapes;
    int header; // enum rf_csv_header
};
extern const struct rf_setting rf_csv_settings[];

enum { RF_CSV_NONE = -1 };

// All zero: RFC 4180. Characters are ASCII.
struct rf_csv_dialect {
    char delimiter;           // 0: a comma
    signed char quote;        // 0: "; RF_CSV_NONE: none, it is a character like others
    char escape;              // the character behind it stands for itself, within quotes and without; 0: none
    char comment;             // of files: a line that begins with it is passed over; 0: none
    bool has_decimal_comma;   // 1,5 is a number, and 1.5 is none
    bool is_trimmed;          // blanks (spaces and tabs) around a field, and around its quotes, do not belong to it
    bool has_control_escapes; // after the escape, b f n r t v stand for the control characters they stand for in C
    bool has_nulls;           // the fields below are null, and no other but one without a character where a number is wanted
    struct rf_texts nulls;    // as written, without quotes around them; borrowed
};

// Reads the settings. RF_INVALID, in words, when they do not hold together.
enum rf_status rf_csv_dialect_read(const char *delimiter, const struct rf_csv_options *options,
                                   struct rf_csv_dialect *dialect_out, struct rf_error *err) RF_MUST_USE;

// As far as finding the fields of a line goes, nothing but the delimiter differs from RFC 4180.
static inline bool rf_csv_is_plain(const struct rf_csv_dialect *dialect) {
    return (dialect->quote == 0 || dialect->quote == '"') && !dialect->escape && !dialect->is_trimmed;
}

bool rf_csv_is_default(const struct rf_csv_dialect *dialect); // RFC 4180 in all

static inline char rf_csv_delimiter(const struct rf_csv_dialect *dialect) {
    return dialect->delimiter ? dialect->delimiter : ',';
}

static inline bool rf_csv_is_quote(const struct rf_csv_dialect *dialect, char c) {
    return dialect->quote ? c == dialect->quote : c == '"';
}

static inline bool rf_csv_is_blank(const struct rf_csv_dialect *dialect, char c) {
    return (c == ' ' || c == '\t') && c != rf_csv_delimiter(dialect);
}

// Without the \r that was left of a line end, unless it is escaped.
size_t rf_csv_line_size(const struct rf_csv_dialect *dialect, struct rf_text line);

#endif
