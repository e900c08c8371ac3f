// Finding names in tables, and words for what is expected of a value.
#include "ops/config_internal.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

const struct rf_setting *rf_setting_find(const struct rf_setting *table, const char *name, size_t name_size) {
    for (const struct rf_setting *row = table; row->name; row++) {
        if (strlen(row->name) == name_size && !memcmp(row->name, name, name_size)) {
            return row;
        }
    }
    return NULL;
}

const struct rf_variant *rf_variant_find(const struct rf_variant *variants, const char *name, size_t name_size) {
    for (const struct rf_variant *kind = variants; kind->name; kind++) {
        if (strlen(kind->name) == name_size && !memcmp(kind->name, name, name_size)) {
            return kind;
        }
    }
    return NULL;
}

bool rf_setting_is_word(const struct rf_setting *row, const char *text) {
    return row->type == RF_TYPE_REAL && row->choices && !strcmp(row->choices[0], text);
}

static void add_bound(const struct rf_setting *row, struct rf_printer *printer, double bound) {
    if (row->type == RF_TYPE_UINT) {
        rf_printer_format(printer, "%.0f", bound); // as it is to be written
    } else {
        rf_printer_real(printer, bound);
    }
}

void rf_setting_range(const struct rf_setting *row, struct rf_printer *printer) {
    bool has_max = row->type == RF_TYPE_UINT ? row->max < 9007199254740992.0 : row->max < DBL_MAX;
    bool has_min = row->min > -DBL_MAX && (row->type != RF_TYPE_UINT || has_max || row->min > 0);
    if (has_min) {
        add_bound(row, printer, row->min);
    }
    if (has_max) {
        rf_printer_add(printer, has_min ? " to " : "up to ");
        add_bound(row, printer, row->max);
    } else if (has_min) {
        rf_printer_add(printer, " or more");
    }
}

void rf_setting_expected(const struct rf_setting *row, struct rf_printer *printer) {
    size_t before;
    switch (row->type) {
    case RF_TYPE_BOOL:
        rf_printer_add(printer, "true or false");
        return;
    case RF_TYPE_UINT:
    case RF_TYPE_REAL:
        rf_printer_add(printer, row->type == RF_TYPE_UINT ? "a whole number" : "a number");
        before = printer->size;
        rf_printer_add(printer,
                       row->max < DBL_MAX && row->min > -DBL_MAX && (row->type == RF_TYPE_REAL || row->max < 9007199254740992.0)
                               ? " from "
                               : " of ");
        size_t range = printer->size;
        rf_setting_range(row, printer);
        if (printer->size == range && printer->text) { // any number will do
            printer->size = before;
            printer->text[before] = '\0';
        }
        if (row->choices) {
            rf_printer_format(printer, ", or %s", row->choices[0]);
        }
        return;
    case RF_TYPE_CHOICE:
        for (size_t i = 0; row->choices[i]; i++) {
            rf_printer_format(printer, "%s%s", i == 0 ? "" : row->choices[i + 1] ? ", " : " or ", row->choices[i]);
        }
        return;
    case RF_TYPE_TEXT:
        rf_printer_add(printer, "a text");
        return;
    case RF_TYPE_TEXTS:
        rf_printer_add(printer, "a list of texts");
        return;
    case RF_TYPE_REALS:
        rf_printer_add(printer, "a list of numbers");
        return;
    case RF_TYPE_TEXT_LISTS:
        rf_printer_add(printer, "a list of lists of texts");
        return;
    case RF_TYPE_NAMED_TEXTS:
        rf_printer_add(printer, "names with lists of texts");
        return;
    case RF_TYPE_SECTIONS:
        rf_printer_add(printer, "a list of settings");
        return;
    case RF_TYPE_SECTION:
    case RF_TYPE_PAIRS:
        rf_printer_add(printer, "settings");
        return;
    case RF_TYPE_VARIANT:
        rf_variants_expected(row->variants, printer);
        return;
    case RF_TYPE_VARIANTS:
        rf_printer_add(printer, "a list of ");
        rf_variants_expected(row->variants, printer);
        return;
    }
}

void rf_variants_expected(const struct rf_variant *variants, struct rf_printer *printer) {
    for (const struct rf_variant *kind = variants; kind->name; kind++) {
        rf_printer_format(printer, "%s%s", kind == variants ? "" : kind[1].name ? ", " : " or ", kind->name);
    }
}
