#include "ingest/csv_scan.h"
#include "ingest/decoder.h"
#include "ingest/reject.h"
#include "ingest/spelling.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct csv_column {
    struct rf_text name; // owned
    uint64_t hash;
    uint32_t index; // in the schema, or RF_FIELD_UNKNOWN
    bool is_wanted;
    struct rf_spelling spelling;
};

struct csv_decoder {
    struct rf_decoder base;
    struct rf_csv_dialect dialect;
    struct csv_column *columns; // [column_count]
    size_t column_count;
    struct rf_field *fields; // [column_count]
};

static const struct rf_decoder_ops csv_ops, csv_dialect_ops;

static struct csv_decoder *csv_from(struct rf_decoder *self) {
    assert(self->ops == &csv_ops || self->ops == &csv_dialect_ops);
    return (struct csv_decoder *)self;
}

// Most CSV is as RFC 4180 has it, but for its delimiter, and is scanned here; what is not, in ingest/csv_scan.c.

// The text up to the closing quote; the cursor is behind the opening one.
static enum rf_status scan_quoted(struct rf_csv_scan *scan, struct rf_csv_text *text_out) {
    const char *begin = scan->at;
    bool is_coded = false;
    for (;;) {
        const char *quote = memchr(scan->at, '"', (size_t)(scan->end - scan->at));
        if (!quote) {
            return rf_csv_unclosed(scan);
        }
        scan->at = quote + 1;
        if (scan->at == scan->end || *scan->at != '"') {
            *text_out = (struct rf_csv_text){{begin, (size_t)(quote - begin)}, true, is_coded};
            return RF_OK;
        }
        is_coded = true;
        scan->at++;
    }
}

static enum rf_status scan_bare(struct rf_csv_scan *scan, struct rf_csv_text *text_out) {
    const char *begin = scan->at;
    const char *at = begin;
    char delimiter = scan->dialect->delimiter;
    while (at < scan->end && *at != delimiter && *at != '\n' && *at != '\r' && *at != '"') {
        at++;
    }
    scan->at = at;
    if (at < scan->end && *at == '"') {
        return rf_csv_unexpected(scan, "within quotes");
    }
    *text_out = (struct rf_csv_text){{begin, (size_t)(at - begin)}, false, false};
    return RF_OK;
}

// Takes one field and the delimiter or the end of the line behind it.
static enum rf_status scan_field(struct rf_csv_scan *scan, struct rf_csv_text *text_out, bool *is_last_out) {
    bool is_quoted = scan->at < scan->end && *scan->at == '"';
    *text_out = (struct rf_csv_text){0};
    scan->at += is_quoted;
    enum rf_status status = is_quoted ? scan_quoted(scan, text_out) : scan_bare(scan, text_out);
    status = status ? status : rf_csv_check_characters(scan, text_out->raw);
    if (status) {
        return status;
    }
    if (scan->at < scan->end && *scan->at == scan->dialect->delimiter) {
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

static bool is_null(const struct rf_csv_dialect *dialect, struct rf_text raw) {
    for (size_t i = 0; i < dialect->nulls.count; i++) {
        if (rf_text_equal(raw, rf_text_of(dialect->nulls.list[i]))) {
            return true;
        }
    }
    return false;
}

static void set_text(struct rf_value *value, struct rf_text text) {
    static const struct rf_text nothing = {"", 0};
    *value = (struct rf_value){.type = RF_VALUE_TEXT, .text = text.size ? text : nothing};
}

// A number whose fraction is behind a comma.
static enum rf_status read_comma(const struct csv_column *column, struct rf_text whole, struct rf_arena *arena,
                                 struct rf_value *value_out, struct rf_decode_error *error_out) {
    bool has_comma = memchr(whole.data, ',', whole.size), has_point = memchr(whole.data, '.', whole.size);
    if (has_point) { // it groups digits, or the field is a time
        set_text(value_out, whole);
        return RF_OK;
    }
    struct rf_text with_point = whole;
    if (has_comma) {
        char *copy = rf_arena_take(arena, whole.size);
        if (!copy) {
            return RF_FULL;
        }
        for (size_t i = 0; i < whole.size; i++) {
            copy[i] = whole.data[i] == ',' ? '.' : whole.data[i];
        }
        with_point.data = copy;
    }
    enum rf_status status = rf_spelling_read(column->spelling, column->name, with_point, value_out, error_out);
    if (!status && value_out->type != RF_VALUE_NULL) {
        value_out->text = whole;
    }
    return status;
}

// What the dialect says of nulls and numbers, before the spelling tells the rest.
static enum rf_status read_in_dialect(const struct csv_decoder *csv, const struct csv_column *column,
                                      const struct rf_csv_text *text, struct rf_text whole, struct rf_arena *arena,
                                      struct rf_value *value_out, struct rf_decode_error *error_out) {
    const struct rf_csv_dialect *dialect = &csv->dialect;
    bool is_number = column->spelling.is_number;
    if (dialect->has_nulls && is_null(dialect, text->raw)) {
        *value_out = (struct rf_value){.type = RF_VALUE_NULL};
        return RF_OK;
    }
    bool is_plain_text = dialect->has_nulls && (is_number ? rf_text_equal(whole, rf_text_of("NA")) : whole.size == 0);
    if (is_plain_text) {
        set_text(value_out, whole);
        return RF_OK;
    }
    return dialect->has_decimal_comma && !column->spelling.is_text && whole.size
                   ? read_comma(column, whole, arena, value_out, error_out)
                   : rf_spelling_read(column->spelling, column->name, whole, value_out, error_out);
}

static inline __attribute__((always_inline)) enum rf_status take_field(const struct csv_decoder *csv,
                                                                       const struct csv_column *column,
                                                                       const struct rf_csv_text *text, bool is_plain,
                                                                       struct rf_arena *arena, struct rf_event *event,
                                                                       struct rf_decode_error *error_out) {
    if (text->raw.size > csv->base.limits.field_bytes) {
        return rf_decode_fail(error_out, RF_REASON_LIMIT, "field %s has %zu bytes, at most %" PRIu64 " are taken",
                              rf_show(column->name).text, text->raw.size, csv->base.limits.field_bytes);
    }
    if (!column->is_wanted) {
        return RF_OK;
    }
    struct rf_text whole = text->raw;
    if (text->is_coded) {
        char *copy = rf_arena_take(arena, text->raw.size);
        if (!copy) {
            return RF_FULL;
        }
        whole = (struct rf_text){copy, rf_csv_decode_text(&csv->dialect, text, copy)};
    }
    struct rf_field *field = &event->fields[event->count++];
    *field = (struct rf_field){.name = column->name, .hash = column->hash, .index = column->index};
    if (text->is_quoted && !column->spelling.is_number) {
        field->value = (struct rf_value){.type = RF_VALUE_TEXT, .text = whole};
        return RF_OK;
    }
    return is_plain ? rf_spelling_read(column->spelling, column->name, whole, &field->value, error_out)
                    : read_in_dialect(csv, column, text, whole, arena, &field->value, error_out);
}

// Made twice, so that what dialects need costs nothing where there is none.
static inline __attribute__((always_inline)) enum rf_status decode(struct csv_decoder *csv, const struct rf_record *record,
                                                                   size_t size, bool is_plain, struct rf_arena *arena,
                                                                   struct rf_event *event_out,
                                                                   struct rf_decode_error *error_out) {
    struct rf_csv_scan scan = {
            .begin = record->value.data,
            .at = record->value.data,
            .end = record->value.data + size,
            .dialect = &csv->dialect,
            .error = error_out,
    };
    struct rf_event event = {.fields = csv->fields, .count = 0};
    size_t count = 0;
    for (bool is_last = false; !is_last; count++) {
        struct rf_csv_text text;
        enum rf_status status = is_plain ? scan_field(&scan, &text, &is_last) : rf_csv_scan_field(&scan, &text, &is_last);
        if (!status && count < csv->column_count) {
            status = take_field(csv, &csv->columns[count], &text, is_plain, arena, &event, error_out);
        }
        if (status) {
            return status;
        }
    }
    if (count != csv->column_count) {
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "has %zu columns, must be %zu", count, csv->column_count);
    }
    *event_out = event;
    return RF_OK;
}

static enum rf_status csv_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                 struct rf_event *event_out, struct rf_decode_error *error_out) {
    size_t size = record->value.size;
    size -= size > 0 && record->value.data[size - 1] == '\r'; // producers split lines at \n and leave it behind
    return decode(csv_from(self), record, size, true, arena, event_out, error_out);
}

static enum rf_status csv_dialect_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                         struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct csv_decoder *csv = csv_from(self);
    return decode(csv, record, rf_csv_line_size(&csv->dialect, record->value), false, arena, event_out, error_out);
}

static void csv_destroy(struct rf_decoder *self) {
    struct csv_decoder *csv = csv_from(self);
    for (size_t i = 0; csv->columns && i < csv->column_count; i++) {
        free((char *)csv->columns[i].name.data);
    }
    free(csv->columns);
    free(csv->fields);
    free(csv);
}

static const struct rf_decoder_ops csv_ops = {
        .name = "csv",
        .decode = csv_decode,
        .destroy = csv_destroy,
};

static const struct rf_decoder_ops csv_dialect_ops = {
        .name = "csv",
        .decode = csv_dialect_decode,
        .destroy = csv_destroy,
};

static enum rf_status bind_column(struct csv_decoder *csv, const struct rf_schema *schema, const char *string,
                                  struct rf_error *err) {
    struct rf_text name = rf_text_of(string);
    for (size_t i = 0; i < csv->column_count; i++) {
        if (name.size > 0 && rf_text_equal(csv->columns[i].name, name)) {
            return rf_fail(err, RF_INVALID, "csv column %s stands twice, must stand once", string);
        }
    }
    uint64_t hash = rf_hash(rf_schema_key(schema), name.data, name.size);
    uint32_t index = rf_schema_find_hashed(schema, name, hash);
    unsigned roles = index == RF_FIELD_UNKNOWN ? 0 : rf_schema_field(schema, index)->roles;
    if (roles & RF_ROLE_DERIVED) {
        return rf_fail(err, RF_INVALID, "csv column %s has the name of a derived feature, must have another name", string);
    }
    char *copy = strdup(string);
    if (!copy) {
        return rf_fail(err, RF_MEMORY, "the names of the csv columns do not fit into memory");
    }
    csv->columns[csv->column_count++] = (struct csv_column){
            .name = {copy, name.size},
            .hash = hash,
            .index = index,
            .is_wanted = name.size > 0 && rf_schema_wants(schema, index),
            .spelling = rf_spelling_of(schema, index),
    };
    return RF_OK;
}

// Every feature needs a column, or to come from elsewhere; not both.
static enum rf_status check_features(const struct csv_decoder *csv, const struct rf_schema *schema,
                                     const struct rf_decoder_options *options, struct rf_error *err) {
    for (size_t k = 0; k < csv->column_count; k++) {
        if (rf_decoder_adds_field(options, csv->columns[k].name)) {
            return rf_fail(err, RF_INVALID, "csv column %s is a field from beside the value too, must have another name",
                           csv->columns[k].name.data);
        }
    }
    for (uint32_t i = 0; i < rf_schema_count(schema); i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        bool is_derived = field->roles & RF_ROLE_DERIVED;
        bool is_there = is_derived || rf_decoder_adds_field(options, field->name) ||
                        !(field->roles & (RF_ROLES_FEATURE | RF_ROLE_VECTOR | RF_ROLE_INPUT));
        for (size_t k = 0; k < csv->column_count && !is_there; k++) {
            is_there = csv->columns[k].index == i;
        }
        if (!is_there) {
            return rf_fail(err, RF_INVALID, "%s %s is in none of the %zu csv columns, must be the name of one",
                           field->roles & RF_ROLE_INPUT ? "field of a derived feature" : "feature", field->name.data,
                           csv->column_count);
        }
    }
    return RF_OK;
}

static enum rf_status check_options(const struct rf_decoder_options *options, char delimiter, uint64_t fields_max,
                                    struct rf_error *err) {
    if (options->columns.count == 0) {
        return rf_fail(err, RF_INVALID, "csv needs the names of its columns: none are given, must be one for each");
    }
    if (options->columns.count > fields_max) {
        return rf_fail(err, RF_INVALID, "csv has %zu columns, at most %" PRIu64 " fields are taken", options->columns.count,
                       fields_max);
    }
    if (strchr("\"\r\n", delimiter) || (unsigned char)delimiter >= 0x80) {
        return rf_fail(err, RF_INVALID, "the csv delimiter is \\x%02x, must be an ASCII character but a quote or a line end",
                       (unsigned char)delimiter);
    }
    return RF_OK;
}

enum rf_status rf_decoder_csv_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                     struct rf_decoder **decoder_out, struct rf_error *err) {
    struct csv_decoder *csv = calloc(1, sizeof *csv);
    if (!csv) {
        return rf_fail(err, RF_MEMORY, "a decoder of csv does not fit into memory");
    }
    const struct rf_csv_dialect *dialect = &options->csv;
    bool is_plain = rf_csv_is_plain(dialect) && !dialect->has_decimal_comma && !dialect->has_nulls;
    rf_decoder_init(&csv->base, is_plain ? &csv_ops : &csv_dialect_ops, schema, options);
    csv->dialect = *dialect;
    csv->dialect.delimiter = rf_csv_delimiter(dialect);
    if (check_options(options, csv->dialect.delimiter, csv->base.limits.fields, err)) {
        goto fail;
    }
    csv->columns = calloc(options->columns.count, sizeof *csv->columns);
    csv->fields = calloc(options->columns.count, sizeof *csv->fields);
    if (!csv->columns || !csv->fields) {
        rf_fail(err, RF_MEMORY, "%zu csv columns do not fit into memory", options->columns.count);
        goto fail;
    }
    for (size_t i = 0; i < options->columns.count; i++) {
        if (bind_column(csv, schema, options->columns.list[i], err)) {
            goto fail;
        }
    }
    if (check_features(csv, schema, options, err)) {
        goto fail;
    }
    *decoder_out = &csv->base;
    return RF_OK;
fail:
    csv_destroy(&csv->base);
    return err->status;
}
