#include "ingest/record_field.h"

#include "ingest/reject.h"
#include "proto/utf8.h"

#include <inttypes.h>

enum rf_status rf_record_field_parse(const struct rf_pair *pair, struct rf_record_field *field_out, struct rf_error *err) {
    static const char prefix[] = "header.";
    static const struct {
        const char *word;
        enum rf_record_part part;
    } words[] = {
            {"key", RF_RECORD_KEY},
            {"key.int32", RF_RECORD_KEY_INT32},
            {"key.int64", RF_RECORD_KEY_INT64},
            {"timestamp", RF_RECORD_TIMESTAMP},
    };
    if (pair->name[0] == '\0') {
        return rf_fail(err, RF_INVALID, "source.fields has an empty name, must be that of a field");
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(pair->value, words[i].word) == 0) {
            *field_out = (struct rf_record_field){.part = words[i].part};
            return RF_OK;
        }
    }
    const char *header = pair->value + sizeof prefix - 1;
    if (strncmp(pair->value, prefix, sizeof prefix - 1) == 0 && *header) {
        *field_out = (struct rf_record_field){.part = RF_RECORD_HEADER, .header = rf_text_of(header)};
        return RF_OK;
    }
    return rf_fail(err, RF_INVALID,
                   "source.fields.%.100s is \"%.100s\", must be key, key.int32, key.int64, header.NAME or timestamp", pair->name,
                   pair->value);
}

enum rf_status rf_record_headers_check(const struct rf_record *record, struct rf_decode_error *error_out) {
    if (record->header_count == 0 || record->headers) {
        return RF_OK;
    }
    if (record->header_count == RF_RECORD_HEADERS_UNREADABLE) {
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "has headers that are damaged");
    }
    return rf_decode_fail(error_out, RF_REASON_LIMIT, "has %" PRIu32 " headers, at most %d are taken", record->header_count,
                          RF_RECORD_HEADERS_MAX);
}

struct rf_text rf_record_header(const struct rf_record *record, struct rf_text name) {
    for (size_t i = record->header_count; i-- > 0;) {
        if (rf_text_equal(record->headers[i].name, name)) {
            return record->headers[i].value;
        }
    }
    return (struct rf_text){NULL, 0};
}

enum rf_status rf_record_text_check(struct rf_text text, struct rf_text field, const char *what, uint64_t bytes_max,
                                    struct rf_decode_error *error_out) {
    if (text.size > bytes_max) {
        return rf_decode_fail(error_out, RF_REASON_LIMIT, "field %s: the %s has %zu bytes, at most %" PRIu64 " are taken",
                              rf_show(field).text, what, text.size, bytes_max);
    }
    size_t valid = rf_utf8_valid_size(text);
    const char *nul = valid > 0 ? memchr(text.data, '\0', valid) : NULL; // a number in bytes, rather than a text
    valid = nul ? (size_t)(nul - text.data) : valid;
    if (valid < text.size) {
        return rf_decode_fail(error_out, RF_REASON_ENCODING, "field %s: byte %zu of the %s is \\x%02x, must be UTF-8 text",
                              rf_show(field).text, valid, what, (unsigned char)text.data[valid]);
    }
    return RF_OK;
}
