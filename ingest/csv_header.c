#include "ingest/csv_scan.h"

#include <stdlib.h>

static void free_texts(struct rf_texts *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        free(texts->list[i]);
    }
    free(texts->list);
}

static enum rf_status append_column(const struct rf_csv_dialect *dialect, struct rf_texts *columns,
                                    const struct rf_csv_text *text, struct rf_error *err) {
    char **list = reallocarray(columns->list, columns->count + 1, sizeof *list);
    char *copy = malloc(text->raw.size + 1);
    columns->list = list ? list : columns->list;
    if (!list || !copy) {
        free(copy);
        return rf_fail(err, RF_MEMORY, "the names of the csv columns do not fit into memory");
    }
    size_t size = text->raw.size;
    if (text->is_coded) {
        size = rf_csv_decode_text(dialect, text, copy);
    } else if (size > 0) {
        memcpy(copy, text->raw.data, size);
    }
    copy[size] = '\0';
    list[columns->count++] = copy;
    return RF_OK;
}

enum rf_status rf_decoder_csv_columns(struct rf_text header_line, const struct rf_csv_dialect *dialect,
                                      struct rf_texts *columns_out, struct rf_error *err) {
    static const char mark[] = "\xef\xbb\xbf";
    size_t skipped = header_line.size >= 3 && memcmp(header_line.data, mark, 3) == 0 ? 3 : 0;
    if (header_line.size == skipped) {
        return rf_fail(err, RF_INVALID, "the header line of csv is empty, must name the columns");
    }
    struct rf_decode_error error;
    struct rf_csv_scan scan = {
            .begin = header_line.data,
            .at = header_line.data + skipped,
            .end = header_line.data + header_line.size,
            .dialect = dialect,
            .error = &error,
    };
    struct rf_texts columns = {NULL, 0};
    for (bool is_last = false; !is_last;) {
        struct rf_csv_text text;
        enum rf_status status = rf_csv_scan_field(&scan, &text, &is_last);
        status = status ? rf_fail(err, RF_INVALID, "the header line of csv: %s", error.detail)
                        : append_column(dialect, &columns, &text, err);
        if (status) {
            free_texts(&columns);
            return status;
        }
    }
    *columns_out = columns;
    return RF_OK;
}
