#include "ops/settings_internal.h"

#include <string.h>

static enum rf_status check_columns(const struct rf_settings_source *source, struct rf_error *err) {
    bool has_no_header_line = source->topics.count + source->history.topics.count > 0 || source->envelope != RF_ENVELOPE_NONE;
    if (source->columns.count == 0 && has_no_header_line) {
        return rf_fail(err, RF_INVALID, "source.columns is missing, must name the columns: csv records of %s do not",
                       source->envelope != RF_ENVELOPE_NONE ? "an envelope" : "a topic");
    }
    if (source->columns.count == 0 && source->csv.header == RF_CSV_HEADER_SKIP) {
        return rf_fail(err, RF_INVALID,
                       "source.csv.header is skip without source.columns, must stand beside names of the columns");
    }
    return RF_OK;
}

enum rf_status rf_settings_derive_dialect(struct rf_settings *settings, struct rf_error *err) {
    const struct rf_settings_source *source = &settings->source;
    const char *format = rf_settings_decoder(settings)->name;
    enum rf_status status = rf_csv_dialect_read(source->delimiter, &source->csv, &settings->dialect, err);
    if (status) {
        return status;
    }
    if (!strcmp(format, "csv")) {
        return check_columns(source, err);
    }
    bool has_csv = !rf_csv_is_default(&settings->dialect) || source->csv.header != RF_CSV_HEADER_AUTO;
    const char *given = source->columns.count ? "source.columns" : has_csv ? "source.csv or source.delimiter" : NULL;
    return given ? rf_fail(err, RF_INVALID, "%s is given with format %s, must be with csv alone", given, format) : RF_OK;
}
