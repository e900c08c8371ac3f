#include "ingest/csv_dialect.h"

#include <string.h>

static const char *const headers[] = {[RF_CSV_HEADER_AUTO] = "auto", [RF_CSV_HEADER_SKIP] = "skip", NULL};

const struct rf_setting rf_csv_settings[] = {
        RF_TEXT(struct rf_csv_options, quote, "\"", RF_SETTING_NOT_MODEL,
                "the character around fields that hold others of these; within them it is doubled; none: there is none"),
        RF_TEXT(struct rf_csv_options, escape, "none", RF_SETTING_NOT_MODEL,
                "the character that makes the one behind it stand for itself, within quotes and without, as a backslash; or "
                "none"),
        RF_BOOL(struct rf_csv_options, control_escapes, "false", RF_SETTING_NOT_MODEL,
                "after the escape, b f n r t v are control characters, as databases write them"),
        RF_TEXTS(struct rf_csv_options, null, RF_SETTING_NOT_MODEL,
                 "fields that are null, as they are written; absent: empty ones, and NA where a number is wanted"),
        RF_TEXT(struct rf_csv_options, decimal, ".", RF_SETTING_NOT_MODEL,
                "the character before the fraction of a number: . or ,"),
        RF_BOOL(struct rf_csv_options, trim, "false", RF_SETTING_NOT_MODEL,
                "blanks around a field, and around its quotes, do not belong to it"),
        RF_TEXT(struct rf_csv_options, comment, "none", RF_SETTING_NOT_MODEL,
                "files: lines that begin with this character are passed over; or none"),
        RF_CHOICE(struct rf_csv_options, header, "auto", headers, RF_SETTING_NOT_MODEL,
                  "files: auto: the first line names the columns where source.columns does not; skip: it is passed over"),
        {0},
};

// Characters by their setting, to be compared in pairs.
struct character {
    const char *setting;
    const char *text;
    int c; // RF_CSV_NONE: none
};

static enum rf_status read_delimiter(const char *text, struct character *delimiter_out, struct rf_error *err) {
    bool is_tab = strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0;
    int c = is_tab ? '\t' : (unsigned char)text[0];
    if ((!is_tab && strlen(text) != 1) || strchr("\"\r\n", c) || c >= 0x80) {
        return rf_fail(err, RF_INVALID,
                       "source.delimiter is \"%.20s\", must be one ASCII character that is no quote and no line end, or tab",
                       text);
    }
    *delimiter_out = (struct character){"source.delimiter", is_tab ? "tab" : text, c};
    return RF_OK;
}

static enum rf_status read_character(const char *setting, const char *text, struct character *character_out,
                                     struct rf_error *err) {
    bool is_none = strcmp(text, "none") == 0;
    int c = (unsigned char)text[0];
    if (!is_none && (strlen(text) != 1 || c <= ' ' || c >= 0x7f)) {
        return rf_fail(err, RF_INVALID, "%s is \"%.20s\", must be one ASCII character that is no blank, or none", setting, text);
    }
    *character_out = (struct character){setting, text, is_none ? RF_CSV_NONE : c};
    return RF_OK;
}

// An escape that is the quote means that quotes within quotes are doubled, which they may be anyway.
static enum rf_status check_differ(const struct character *list, size_t count, struct rf_error *err) {
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            bool is_same = list[i].c != RF_CSV_NONE && list[i].c == list[k].c;
            bool is_doubling = strstr(list[k].setting, ".quote") && strstr(list[i].setting, ".escape");
            if (is_same && !is_doubling) {
                return rf_fail(err, RF_INVALID, "%s and %s are both \"%.3s\", must differ", list[k].setting, list[i].setting,
                               list[i].text);
            }
        }
    }
    return RF_OK;
}

static enum rf_status check_nulls(const struct rf_csv_dialect *dialect, struct rf_error *err) {
    for (size_t i = 0; i < dialect->nulls.count; i++) {
        const char *word = dialect->nulls.list[i];
        if (strpbrk(word, "\r\n") || strchr(word, rf_csv_delimiter(dialect))) {
            return rf_fail(err, RF_INVALID, "source.csv.null names \"%.50s\", which is no field: it holds a %s", word,
                           strpbrk(word, "\r\n") ? "line end" : "delimiter");
        }
    }
    return RF_OK;
}

enum rf_status rf_csv_dialect_read(const char *delimiter, const struct rf_csv_options *options,
                                   struct rf_csv_dialect *dialect_out, struct rf_error *err) {
    enum { DELIMITER, QUOTE, ESCAPE, COMMENT, DECIMAL, COUNT };
    struct character list[COUNT] = {[DECIMAL] = {"source.csv.decimal", options->decimal, options->decimal[0]}};
    enum rf_status status = read_delimiter(delimiter, &list[DELIMITER], err);
    status = status ? status : read_character("source.csv.quote", options->quote, &list[QUOTE], err);
    status = status ? status : read_character("source.csv.escape", options->escape, &list[ESCAPE], err);
    status = status ? status : read_character("source.csv.comment", options->comment, &list[COMMENT], err);
    if (!status && strcmp(options->decimal, ".") != 0 && strcmp(options->decimal, ",") != 0) {
        status = rf_fail(err, RF_INVALID, "source.csv.decimal is \"%.20s\", must be . or ,", options->decimal);
    }
    status = status ? status : check_differ(list, COUNT, err);
    bool has_escape = list[ESCAPE].c != RF_CSV_NONE && list[ESCAPE].c != list[QUOTE].c;
    if (!status && options->control_escapes && !has_escape) {
        status = rf_fail(err, RF_INVALID, "source.csv.control_escapes is true without source.csv.escape, must stand beside one");
    }
    if (status) {
        return status;
    }
    struct rf_csv_dialect dialect = {
            .delimiter = (char)list[DELIMITER].c,
            .quote = (signed char)list[QUOTE].c,
            .escape = has_escape ? (char)list[ESCAPE].c : '\0',
            .comment = list[COMMENT].c != RF_CSV_NONE ? (char)list[COMMENT].c : '\0',
            .has_decimal_comma = list[DECIMAL].c == ',',
            .is_trimmed = options->trim,
            .has_control_escapes = options->control_escapes,
            .has_nulls = options->null.count > 0,
            .nulls = options->null,
    };
    status = check_nulls(&dialect, err);
    if (!status) {
        *dialect_out = dialect;
    }
    return status;
}

bool rf_csv_is_default(const struct rf_csv_dialect *dialect) {
    return rf_csv_is_plain(dialect) && rf_csv_delimiter(dialect) == ',' && !dialect->has_decimal_comma && !dialect->has_nulls &&
           !dialect->comment;
}

size_t rf_csv_line_size(const struct rf_csv_dialect *dialect, struct rf_text line) {
    size_t size = line.size;
    if (size == 0 || line.data[size - 1] != '\r') {
        return size;
    }
    size--;
    size_t escapes = 0;
    while (dialect->escape && escapes < size && line.data[size - 1 - escapes] == dialect->escape) {
        escapes++;
    }
    return size + escapes % 2;
}
