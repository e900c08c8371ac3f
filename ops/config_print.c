// Settings in force as YAML. What is printed reads back as the same settings, secrets aside.
#include "ops/config.h"
#include "ops/config_internal.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

bool rf_config_is_secret(const char *name) {
    static const char *const marks[] = {"password", "passphrase",         "secret",     "token", "jaas",
                                        "key.pem",  "oauthbearer.config", "private.key"};
    if (strcasestr(name, ".url") || strcasestr(name, ".location")) {
        return false; // where a secret is, not what it is
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strcasestr(name, marks[i])) {
            return true;
        }
    }
    return false;
}

static bool is_plain(const char *text) {
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!strcasecmp(text, words[i])) {
            return false;
        }
    }
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
    return text[0] != '\0' && strchr(letters, text[0]) && strspn(text, rest) == strlen(text);
}

static void add_text(struct rf_printer *printer, const char *text) {
    if (is_plain(text)) {
        rf_printer_add(printer, text);
        return;
    }
    struct rf_printer escaped = {0};
    for (const char *c = text; *c; c++) {
        rf_printer_add(&escaped, c[0] == '$' && c[1] == '{' ? "$" : "");
        rf_printer_add_bytes(&escaped, c, 1);
    }
    rf_printer_quote(printer, escaped.text ? escaped.text : "");
    rf_printer_finish(&escaped);
}

static void indent(struct rf_printer *printer, size_t depth) {
    rf_printer_pad(printer, printer->size + 2 * depth);
}

static void print_table(struct rf_printer *printer, const struct rf_setting *table, const void *options, size_t depth);

static void add_name(struct rf_printer *printer, const char *name) {
    if (is_plain(name)) {
        rf_printer_add(printer, name);
    } else {
        rf_printer_quote(printer, name); // names know no ${...}
    }
}

static void add_texts(struct rf_printer *printer, const struct rf_texts *texts) {
    rf_printer_add(printer, "[");
    for (size_t i = 0; i < texts->count; i++) {
        rf_printer_add(printer, i ? ", " : "");
        add_text(printer, texts->list[i]);
    }
    rf_printer_add(printer, "]");
}

static void print_texts(struct rf_printer *printer, const struct rf_texts *texts) {
    rf_printer_add(printer, " ");
    add_texts(printer, texts);
    rf_printer_add(printer, "\n");
}

static void print_text_lists(struct rf_printer *printer, const struct rf_text_lists *lists) {
    rf_printer_add(printer, " [");
    for (size_t i = 0; i < lists->count; i++) {
        rf_printer_add(printer, i ? ", " : "");
        add_texts(printer, &lists->list[i]);
    }
    rf_printer_add(printer, "]\n");
}

static void print_named_texts(struct rf_printer *printer, const struct rf_named_texts *named, size_t depth) {
    rf_printer_add(printer, named->count ? "\n" : " {}\n");
    for (size_t i = 0; i < named->count; i++) {
        indent(printer, depth);
        add_name(printer, named->list[i].name);
        rf_printer_add(printer, ":");
        print_texts(printer, &named->list[i].texts);
    }
}

static void print_reals(struct rf_printer *printer, const struct rf_reals *reals) {
    rf_printer_add(printer, " [");
    for (size_t i = 0; i < reals->count; i++) {
        rf_printer_add(printer, i ? ", " : "");
        rf_printer_real(printer, reals->list[i]);
    }
    rf_printer_add(printer, "]\n");
}

static void print_sections(struct rf_printer *printer, const struct rf_setting *row, const struct rf_sections *sections,
                           size_t depth) {
    rf_printer_add(printer, sections->count ? "\n" : " []\n");
    for (size_t i = 0; i < sections->count; i++) {
        indent(printer, depth);
        rf_printer_add(printer, "-\n");
        print_table(printer, row->section, (const char *)sections->list + i * row->section_size, depth + 1);
    }
}

static void print_pairs(struct rf_printer *printer, const struct rf_pairs *pairs, size_t depth, bool is_secret) {
    rf_printer_add(printer, pairs->count ? "\n" : " {}\n");
    for (size_t i = 0; i < pairs->count; i++) {
        const struct rf_pair *pair = &pairs->list[i];
        indent(printer, depth);
        add_name(printer, pair->name);
        rf_printer_add(printer, ": ");
        add_text(printer, is_secret || rf_config_is_secret(pair->name) ? "***" : pair->value);
        rf_printer_add(printer, "\n");
    }
}

static void print_variants(struct rf_printer *printer, const struct rf_variant_values *values, size_t depth) {
    rf_printer_add(printer, values->count ? "\n" : " []\n");
    for (size_t i = 0; i < values->count; i++) {
        const struct rf_variant_value *value = &values->list[i];
        indent(printer, depth);
        rf_printer_format(printer, "- %s:\n", value->kind->name);
        if (value->kind->settings) {
            print_table(printer, value->kind->settings, value->options, depth + 2);
        }
    }
}

static void print_variant(struct rf_printer *printer, const struct rf_variant_value *value, size_t depth) {
    rf_printer_add(printer, "\n");
    indent(printer, depth);
    rf_printer_format(printer, "type: %s\n", value->kind->name);
    if (value->kind->settings) {
        print_table(printer, value->kind->settings, value->options, depth);
    }
}

static bool is_absent(const struct rf_setting *row, const void *slot) {
    return (row->type == RF_TYPE_TEXT && !*(char *const *)slot) || (row->type == RF_TYPE_CHOICE && *(const int *)slot < 0) ||
           (row->type == RF_TYPE_VARIANT && !((const struct rf_variant_value *)slot)->kind);
}

static void print_row(struct rf_printer *printer, const struct rf_setting *row, const void *slot, size_t depth) {
    bool is_secret = row->flags & RF_SETTING_SECRET;
    switch (row->type) {
    case RF_TYPE_BOOL:
        rf_printer_add(printer, *(const bool *)slot ? " true\n" : " false\n");
        break;
    case RF_TYPE_UINT:
        rf_printer_format(printer, " %llu\n", (unsigned long long)*(const uint64_t *)slot);
        break;
    case RF_TYPE_REAL:
        rf_printer_add(printer, " ");
        if (row->choices && isnan(*(const double *)slot)) {
            rf_printer_add(printer, row->choices[0]);
        } else {
            rf_printer_real(printer, *(const double *)slot);
        }
        rf_printer_add(printer, "\n");
        break;
    case RF_TYPE_TEXT:
        rf_printer_add(printer, " ");
        add_text(printer, is_secret ? "***" : *(char *const *)slot);
        rf_printer_add(printer, "\n");
        break;
    case RF_TYPE_CHOICE:
        rf_printer_add(printer, " ");
        add_text(printer, row->choices[*(const int *)slot]);
        rf_printer_add(printer, "\n");
        break;
    case RF_TYPE_TEXTS:
        if (is_secret) {
            rf_printer_add(printer, " [\"***\"]\n");
        } else {
            print_texts(printer, slot);
        }
        break;
    case RF_TYPE_TEXT_LISTS:
        print_text_lists(printer, slot);
        break;
    case RF_TYPE_NAMED_TEXTS:
        print_named_texts(printer, slot, depth + 1);
        break;
    case RF_TYPE_REALS:
        print_reals(printer, slot);
        break;
    case RF_TYPE_SECTIONS:
        print_sections(printer, row, slot, depth + 1);
        break;
    case RF_TYPE_SECTION:
        rf_printer_add(printer, "\n");
        print_table(printer, row->section, slot, depth + 1);
        break;
    case RF_TYPE_PAIRS:
        print_pairs(printer, slot, depth + 1, is_secret);
        break;
    case RF_TYPE_VARIANT:
        print_variant(printer, slot, depth + 1);
        break;
    case RF_TYPE_VARIANTS:
        print_variants(printer, slot, depth + 1);
        break;
    }
}

static void print_table(struct rf_printer *printer, const struct rf_setting *table, const void *options, size_t depth) {
    for (const struct rf_setting *row = table; row->name; row++) {
        const void *slot = (const char *)options + row->offset;
        if (!is_absent(row, slot)) {
            indent(printer, depth);
            rf_printer_format(printer, "%s:", row->name);
            print_row(printer, row, slot, depth);
        }
    }
}

void rf_config_print(const struct rf_setting *table, const void *options, FILE *file) {
    struct rf_printer printer = {0};
    print_table(&printer, table, options, 0);
    if (printer.text) {
        fputs(printer.text, file);
    }
    rf_printer_finish(&printer);
}
