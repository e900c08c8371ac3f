#include "ingest/csv_scan.h"

#include "ingest/reject.h"

enum rf_status rf_csv_unexpected(const struct rf_csv_scan *scan, const char *wanted) {
    size_t size = rf_utf8_size((struct rf_text){scan->at, (size_t)(scan->end - scan->at)});
    struct rf_shown shown = rf_show((struct rf_text){scan->at, size ? size : 1});
    return rf_decode_fail(scan->error, RF_REASON_UNDECODABLE, "byte %td is '%s', must be %s", scan->at - scan->begin, shown.text,
                          wanted);
}

enum rf_status rf_csv_unclosed(const struct rf_csv_scan *scan) {
    return rf_decode_fail(scan->error, RF_REASON_UNDECODABLE, "ends after %td bytes within quotes, must go on with a closing one",
                          scan->end - scan->begin);
}

enum rf_status rf_csv_wrong_character(struct rf_csv_scan *scan, struct rf_text text) {
    size_t valid = rf_utf8_valid_size(text);
    if (valid < text.size) {
        return rf_decode_fail(scan->error, RF_REASON_ENCODING, "byte %td is \\x%02x, must be UTF-8",
                              text.data + valid - scan->begin, (unsigned char)text.data[valid]);
    }
    scan->at = memchr(text.data, '\0', text.size);
    return rf_csv_unexpected(scan, "a character of a text");
}

static bool is_escape(const struct rf_csv_scan *scan) {
    return scan->dialect->escape && *scan->at == scan->dialect->escape;
}

// The escape and what is behind it.
static enum rf_status take_escape(struct rf_csv_scan *scan) {
    if (scan->end - scan->at < 2) {
        return rf_decode_fail(scan->error, RF_REASON_UNDECODABLE, "ends with an escape, must go on with a character");
    }
    scan->at += 2;
    return RF_OK;
}

static enum rf_status scan_quoted(struct rf_csv_scan *scan, struct rf_csv_text *text_out) {
    const char *begin = ++scan->at;
    bool is_coded = false;
    while (scan->at < scan->end) {
        if (is_escape(scan)) {
            enum rf_status status = take_escape(scan);
            if (status) {
                return status;
            }
            is_coded = true;
        } else if (!rf_csv_is_quote(scan->dialect, *scan->at)) {
            scan->at++;
        } else if (scan->end - scan->at > 1 && rf_csv_is_quote(scan->dialect, scan->at[1])) {
            scan->at += 2;
            is_coded = true;
        } else {
            *text_out = (struct rf_csv_text){{begin, (size_t)(scan->at - begin)}, true, is_coded};
            scan->at++;
            return RF_OK;
        }
    }
    return rf_csv_unclosed(scan);
}

static enum rf_status scan_bare(struct rf_csv_scan *scan, struct rf_csv_text *text_out) {
    const struct rf_csv_dialect *dialect = scan->dialect;
    const char *begin = scan->at, *last = scan->at; // behind what cannot be trimmed
    bool is_coded = false;
    char delimiter = rf_csv_delimiter(dialect);
    while (scan->at < scan->end && *scan->at != delimiter && *scan->at != '\n' && *scan->at != '\r') {
        if (is_escape(scan)) {
            enum rf_status status = take_escape(scan);
            if (status) {
                return status;
            }
            is_coded = true;
            last = scan->at;
        } else if (rf_csv_is_quote(dialect, *scan->at)) {
            return rf_csv_unexpected(scan, "within quotes");
        } else {
            bool is_blank = dialect->is_trimmed && rf_csv_is_blank(dialect, *scan->at);
            scan->at++;
            last = is_blank ? last : scan->at;
        }
    }
    *text_out = (struct rf_csv_text){{begin, (size_t)(last - begin)}, false, is_coded};
    return RF_OK;
}

static void pass_blanks(struct rf_csv_scan *scan) {
    while (scan->dialect->is_trimmed && scan->at < scan->end && rf_csv_is_blank(scan->dialect, *scan->at)) {
        scan->at++;
    }
}

enum rf_status rf_csv_scan_field(struct rf_csv_scan *scan, struct rf_csv_text *text_out, bool *is_last_out) {
    pass_blanks(scan);
    bool is_quoted = scan->at < scan->end && rf_csv_is_quote(scan->dialect, *scan->at);
    *text_out = (struct rf_csv_text){0};
    enum rf_status status = is_quoted ? scan_quoted(scan, text_out) : scan_bare(scan, text_out);
    status = status ? status : rf_csv_check_characters(scan, text_out->raw);
    if (status) {
        return status;
    }
    pass_blanks(scan);
    if (scan->at < scan->end && *scan->at == rf_csv_delimiter(scan->dialect)) {
        scan->at++;
        *is_last_out = false;
        return RF_OK;
    }
    *is_last_out = true;
    size_t left = (size_t)(scan->end - scan->at);
    if (left == 0 || (left == 1 && *scan->at == '\n') || (left == 2 && memcmp(scan->at, "\r\n", 2) == 0)) {
        scan->at = scan->end;
        return RF_OK;
    }
    return rf_csv_unexpected(scan, is_quoted ? "a delimiter or the end after a closing quote" : "the end of the record");
}

static char escaped(const struct rf_csv_dialect *dialect, char c) {
    static const char letters[] = "bfnrtv", meant[] = "\b\f\n\r\t\v";
    const char *letter = dialect->has_control_escapes && c ? strchr(letters, c) : NULL;
    return letter ? meant[letter - letters] : c;
}

size_t rf_csv_decode_text(const struct rf_csv_dialect *dialect, const struct rf_csv_text *text, char *out) {
    size_t size = 0;
    for (size_t i = 0; i < text->raw.size; i++) {
        char c = text->raw.data[i];
        if (dialect->escape && c == dialect->escape) {
            c = escaped(dialect, text->raw.data[++i]);
        } else if (text->is_quoted && rf_csv_is_quote(dialect, c)) {
            i++;
        }
        out[size++] = c;
    }
    return size;
}
