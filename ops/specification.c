#include "ops/specification.h"

#include "ops/config_internal.h"
#include "proto/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Writing.

static void add_table(struct rf_printer *printer, const struct rf_setting *table, const void *options, const char *parent);

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_texts(struct rf_printer *printer, const struct rf_texts *texts, const char *path, bool is_sorted) {
    size_t size = (texts->count ? texts->count : 1) * sizeof(char *);
    char **list = malloc(size);
    if (!list) {
        printer->is_cut = true;
        return;
    }
    if (texts->count) {
        memcpy(list, texts->list, texts->count * sizeof *list);
    }
    if (is_sorted) {
        qsort(list, texts->count, sizeof *list, compare_texts);
    }
    for (size_t i = 0; i < texts->count; i++) {
        rf_printer_format(printer, "%s[] = ", path);
        rf_printer_quote(printer, list[i]);
        rf_printer_add(printer, "\n");
    }
    free(list);
}

// Each list on a line of its own, as `["customer", "hour"]`; the lines sorted where the list may grow.
static void add_text_lists(struct rf_printer *printer, const struct rf_text_lists *lists, const char *path, bool is_sorted) {
    struct rf_texts lines = {.list = calloc(lists->count ? lists->count : 1, sizeof(char *)), .count = lists->count};
    bool is_whole = lines.list != NULL;
    for (size_t i = 0; is_whole && i < lists->count; i++) {
        struct rf_printer line = {0};
        rf_printer_add(&line, "[");
        for (size_t k = 0; k < lists->list[i].count; k++) {
            rf_printer_add(&line, k ? ", " : "");
            rf_printer_quote(&line, lists->list[i].list[k]);
        }
        rf_printer_add(&line, "]");
        lines.list[i] = rf_printer_take(&line);
        is_whole = lines.list[i] != NULL;
    }
    if (is_whole && is_sorted) {
        qsort(lines.list, lines.count, sizeof *lines.list, compare_texts);
    }
    for (size_t i = 0; is_whole && i < lines.count; i++) {
        rf_printer_format(printer, "%s[] = %s\n", path, lines.list[i]);
    }
    for (size_t i = 0; lines.list && i < lines.count; i++) {
        free(lines.list[i]);
    }
    free(lines.list);
    printer->is_cut = printer->is_cut || !is_whole;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct rf_named_text *)a)->name, ((const struct rf_named_text *)b)->name);
}

// Sorted by name: a map has no order.
static void add_named_texts(struct rf_printer *printer, const struct rf_named_texts *named, const char *path, bool is_sorted) {
    struct rf_named_text *list = malloc((named->count ? named->count : 1) * sizeof *list);
    if (!list) {
        printer->is_cut = true;
        return;
    }
    if (named->count) {
        memcpy(list, named->list, named->count * sizeof *list);
    }
    qsort(list, named->count, sizeof *list, compare_names);
    for (size_t i = 0; i < named->count; i++) {
        struct rf_printer member = {0};
        rf_printer_format(&member, "%s[", path);
        rf_printer_quote(&member, list[i].name);
        rf_printer_add(&member, "]");
        add_texts(printer, &list[i].texts, member.text ? member.text : path, is_sorted);
        printer->is_cut = printer->is_cut || member.is_cut;
        rf_printer_finish(&member);
    }
    free(list);
}

static void add_reals(struct rf_printer *printer, const struct rf_reals *reals, const char *path) {
    for (size_t i = 0; i < reals->count; i++) {
        rf_printer_format(printer, "%s[] = ", path);
        rf_printer_real(printer, reals->list[i]);
        rf_printer_add(printer, "\n");
    }
}

static void add_sections(struct rf_printer *printer, const struct rf_setting *row, const struct rf_sections *sections,
                         const char *path) {
    for (size_t i = 0; i < sections->count; i++) {
        char member[540];
        snprintf(member, sizeof member, "%s[%zu]", path, i);
        add_table(printer, row->section, (const char *)sections->list + i * row->section_size, member);
    }
}

static void add_pairs(struct rf_printer *printer, const struct rf_pairs *pairs, const char *path) {
    for (size_t i = 0; i < pairs->count; i++) {
        rf_printer_format(printer, "%s[", path);
        rf_printer_quote(printer, pairs->list[i].name);
        rf_printer_add(printer, "] = ");
        rf_printer_quote(printer, pairs->list[i].value);
        rf_printer_add(printer, "\n");
    }
}

static void add_variant(struct rf_printer *printer, const struct rf_variant_value *value, const char *path) {
    if (!value->kind) {
        return;
    }
    rf_printer_format(printer, "%s = \"%s\"\n", path, value->kind->name);
    if (value->kind->settings) {
        add_table(printer, value->kind->settings, value->options, path);
    }
}

static void add_variants(struct rf_printer *printer, const struct rf_variant_values *values, const char *path) {
    for (size_t i = 0; i < values->count; i++) {
        char member[540];
        snprintf(member, sizeof member, "%s[%zu]", path, i);
        add_variant(printer, &values->list[i], member);
    }
}

static void add_scalar(struct rf_printer *printer, const struct rf_setting *row, const void *slot, const char *path) {
    const char *text = row->type == RF_TYPE_TEXT                                ? *(char *const *)slot
                       : row->type == RF_TYPE_CHOICE && *(const int *)slot >= 0 ? row->choices[*(const int *)slot]
                                                                                : NULL;
    if (row->type == RF_TYPE_REAL && row->choices && isnan(*(const double *)slot)) {
        text = row->choices[0];
    }
    if (!text && (row->type == RF_TYPE_TEXT || row->type == RF_TYPE_CHOICE)) {
        return;
    }
    rf_printer_format(printer, "%s = ", path);
    if (row->type == RF_TYPE_BOOL) {
        rf_printer_add(printer, *(const bool *)slot ? "true" : "false");
    } else if (row->type == RF_TYPE_UINT) {
        rf_printer_format(printer, "%llu", (unsigned long long)*(const uint64_t *)slot);
    } else if (row->type == RF_TYPE_REAL && !text) {
        rf_printer_real(printer, *(const double *)slot);
    } else {
        rf_printer_quote(printer, text);
    }
    rf_printer_add(printer, "\n");
}

static void add_table(struct rf_printer *printer, const struct rf_setting *table, const void *options, const char *parent) {
    for (const struct rf_setting *row = table; row->name; row++) {
        if (row->flags & RF_SETTING_NOT_MODEL) {
            continue;
        }
        const void *slot = (const char *)options + row->offset;
        char path[512];
        snprintf(path, sizeof path, "%s%s%s", parent, parent[0] ? "." : "", row->name);
        switch (row->type) {
        case RF_TYPE_SECTION:
            add_table(printer, row->section, slot, path);
            break;
        case RF_TYPE_TEXTS:
            add_texts(printer, slot, path, row->flags & RF_SETTING_GROWS);
            break;
        case RF_TYPE_TEXT_LISTS:
            add_text_lists(printer, slot, path, row->flags & RF_SETTING_GROWS);
            break;
        case RF_TYPE_NAMED_TEXTS:
            add_named_texts(printer, slot, path, row->flags & RF_SETTING_GROWS);
            break;
        case RF_TYPE_REALS:
            add_reals(printer, slot, path);
            break;
        case RF_TYPE_SECTIONS:
            add_sections(printer, row, slot, path);
            break;
        case RF_TYPE_PAIRS:
            add_pairs(printer, slot, path);
            break;
        case RF_TYPE_VARIANT:
            add_variant(printer, slot, path);
            break;
        case RF_TYPE_VARIANTS:
            add_variants(printer, slot, path);
            break;
        case RF_TYPE_BOOL:
        case RF_TYPE_UINT:
        case RF_TYPE_REAL:
        case RF_TYPE_TEXT:
        case RF_TYPE_CHOICE:
            add_scalar(printer, row, slot, path);
            break;
        }
    }
}

char *rf_specification_text(const struct rf_setting *table, const void *options) {
    struct rf_printer printer = {0};
    add_table(&printer, table, options, "");
    return rf_printer_take(&printer);
}

void rf_specification_sha256(const char *text, uint8_t digest_out[RF_SHA256_SIZE]) {
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, text, strlen(text));
    rf_sha256_finish(&sha, digest_out);
}
