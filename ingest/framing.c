#include "ingest/framing.h"

#include <assert.h>

// A quote opens a quoted field only where the field begins (RFC 4180); elsewhere it is a character like others.
// CSV_ESCAPED is added to the state in which an escape came last.
enum csv_state { CSV_FIELD_START, CSV_PLAIN, CSV_QUOTED, CSV_QUOTE_IN_QUOTED, CSV_ESCAPED };

// The index of the line end that ends the record, or bytes.size.
static size_t find_csv_end(struct rf_framer *framing, struct rf_text bytes) {
    if (framing->scanned == 0) { // most records have no quotes at all
        const char *end = memchr(bytes.data, '\n', bytes.size);
        size_t size = end ? (size_t)(end - bytes.data) : bytes.size;
        if (end && !memchr(bytes.data, '"', size)) {
            return size;
        }
        framing->csv_state = CSV_FIELD_START;
    }
    enum csv_state state = (enum csv_state)framing->csv_state;
    char delimiter = rf_csv_delimiter(&framing->csv);
    size_t i = framing->scanned;
    for (; i < bytes.size; i++) {
        char c = bytes.data[i];
        if (state == CSV_QUOTED) {
            state = c == '"' ? CSV_QUOTE_IN_QUOTED : CSV_QUOTED;
        } else if (c == '\n') {
            break;
        } else if (c == delimiter) {
            state = CSV_FIELD_START;
        } else if (c == '"' && state != CSV_PLAIN) {
            state = CSV_QUOTED; // opened, or a doubled quote
        } else {
            state = CSV_PLAIN;
        }
    }
    framing->csv_state = (int)state;
    return i;
}

// The same where quotes, escapes or blanks are not those of RFC 4180.
static size_t find_dialect_end(struct rf_framer *framing, struct rf_text bytes) {
    const struct rf_csv_dialect *dialect = &framing->csv;
    int state = framing->scanned ? framing->csv_state : CSV_FIELD_START;
    char delimiter = rf_csv_delimiter(dialect);
    size_t i = framing->scanned;
    for (; i < bytes.size; i++) {
        char c = bytes.data[i];
        if (state >= CSV_ESCAPED) {
            state -= CSV_ESCAPED;
        } else if (dialect->escape && c == dialect->escape) {
            state = CSV_ESCAPED + (state == CSV_QUOTED ? CSV_QUOTED : CSV_PLAIN);
        } else if (state == CSV_QUOTED) {
            state = rf_csv_is_quote(dialect, c) ? CSV_QUOTE_IN_QUOTED : CSV_QUOTED;
        } else if (c == '\n') {
            break;
        } else if (c == delimiter) {
            state = CSV_FIELD_START;
        } else if (rf_csv_is_quote(dialect, c) && state != CSV_PLAIN) {
            state = CSV_QUOTED; // opened, or a doubled quote
        } else if (state != CSV_FIELD_START || !dialect->is_trimmed || !rf_csv_is_blank(dialect, c)) {
            state = CSV_PLAIN;
        }
    }
    framing->csv_state = state;
    return i;
}

static size_t find_line_end(const struct rf_framer *framing, struct rf_text bytes) {
    if (framing->scanned == bytes.size) {
        return bytes.size;
    }
    const char *end = memchr(bytes.data + framing->scanned, '\n', bytes.size - framing->scanned);
    return end ? (size_t)(end - bytes.data) : bytes.size;
}

// Passes over what is left of a line that was too long. It ends at the next line end, also within quotes: a quote that
// was never closed costs one record, not the rest of the file.
static enum rf_framing_answer skip_line(struct rf_framer *framing, struct rf_text bytes, size_t *used_out) {
    const char *end = memchr(bytes.data, '\n', bytes.size);
    framing->is_skipping = !end;
    *used_out = end ? (size_t)(end - bytes.data) + 1 : bytes.size;
    return RF_FRAMING_PASSED;
}

static enum rf_framing_answer next_line(struct rf_framer *framing, struct rf_text bytes, bool is_last, struct rf_text *record_out,
                                        size_t *used_out) {
    bool is_comment = framing->csv.comment && framing->scanned == 0 && bytes.data[0] == framing->csv.comment;
    if (framing->is_skipping || is_comment) {
        return skip_line(framing, bytes, used_out);
    }
    // Never look further than decides it, so that how the bytes arrive changes nothing. The byte after those that are
    // too many may be the \r of a line end.
    size_t cut_size = (size_t)framing->size_max + 1;
    struct rf_text near = {bytes.data, bytes.size < cut_size + 1 ? bytes.size : cut_size + 1};
    size_t end = framing->kind != RF_FRAMING_CSV  ? find_line_end(framing, near)
                 : rf_csv_is_plain(&framing->csv) ? find_csv_end(framing, near)
                                                  : find_dialect_end(framing, near);
    bool is_ended = end < near.size;
    if (!is_ended && end > cut_size) {
        framing->scanned = 0;
        framing->is_skipping = true;
        *record_out = (struct rf_text){bytes.data, cut_size};
        *used_out = cut_size;
        return RF_FRAMING_FOUND;
    }
    if (!is_ended && !is_last) {
        framing->scanned = end;
        return RF_FRAMING_MORE;
    }
    framing->scanned = 0;
    *used_out = is_ended ? end + 1 : end;
    size_t size = rf_csv_line_size(&framing->csv, (struct rf_text){bytes.data, end});
    *record_out = (struct rf_text){bytes.data, size};
    return size > 0 ? RF_FRAMING_FOUND : RF_FRAMING_PASSED;
}

enum { VARINT_SIZE_MAX = 10 };

static enum rf_framing_answer next_delimited(struct rf_framer *framing, struct rf_text bytes, struct rf_text *record_out,
                                             size_t *used_out) {
    if (framing->is_skipping) {
        uint64_t size = framing->skip_size < bytes.size ? framing->skip_size : bytes.size;
        framing->skip_size -= size;
        framing->is_skipping = framing->skip_size > 0;
        *used_out = (size_t)size;
        return RF_FRAMING_PASSED;
    }
    uint64_t size = 0;
    size_t head = 0;
    for (;; head++) {
        if (head == VARINT_SIZE_MAX) {
            return RF_FRAMING_BROKEN;
        }
        if (head == bytes.size) {
            return RF_FRAMING_MORE;
        }
        uint64_t byte = (uint8_t)bytes.data[head];
        if (head == VARINT_SIZE_MAX - 1 && byte > 1) {
            return RF_FRAMING_BROKEN;
        }
        size |= (byte & 0x7f) << (7 * head);
        if (byte < 0x80) {
            head++;
            break;
        }
    }
    if (size > INT64_MAX) {
        return RF_FRAMING_BROKEN;
    }
    bool is_long = size > framing->size_max;
    size_t wanted = is_long ? (size_t)framing->size_max + 1 : (size_t)size;
    if (bytes.size - head < wanted) {
        return RF_FRAMING_MORE;
    }
    *record_out = (struct rf_text){bytes.data + head, wanted};
    *used_out = head + wanted;
    framing->skip_size = size - wanted;
    framing->is_skipping = framing->skip_size > 0;
    return RF_FRAMING_FOUND;
}

enum rf_framing_answer rf_framing_next(struct rf_framer *framing, struct rf_text bytes, bool is_last, struct rf_text *record_out,
                                       size_t *used_out) {
    assert(framing->scanned <= bytes.size);
    if (bytes.size == 0) {
        return RF_FRAMING_MORE;
    }
    if (framing->kind == RF_FRAMING_DELIMITED) {
        return next_delimited(framing, bytes, record_out, used_out);
    }
    return next_line(framing, bytes, is_last, record_out, used_out);
}
