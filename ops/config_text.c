// Tables of settings as text for people: help for the terminal, Markdown for docs/SETTINGS.md.
#include "ops/config.h"
#include "ops/config_internal.h"

#include <string.h>

enum { FAMILIES_MAX = 64, COLUMN_MAX = 44 };

// What is written about, and the families already described: a family met again is only referred to, which also ends
// families that contain themselves.
struct page {
    struct rf_printer text;
    struct {
        const struct rf_variant *variants;
        char path[256];
    } families[FAMILIES_MAX];
    size_t family_count;
    size_t name_width, takes_width, fallback_width; // of the help's columns
};

// Where the family was described before; NULL when it is new, and then noted.
static const char *meet_family(struct page *page, const struct rf_variant *variants, const char *path) {
    for (size_t i = 0; i < page->family_count; i++) {
        if (page->families[i].variants == variants) {
            return page->families[i].path;
        }
    }
    if (page->family_count == FAMILIES_MAX) {
        return "its family";
    }
    page->families[page->family_count].variants = variants;
    snprintf(page->families[page->family_count].path, sizeof page->families[0].path, "%s", path);
    page->family_count++;
    return NULL;
}

static void add_takes(const struct rf_setting *row, struct rf_printer *cell) {
    size_t before = 0;
    switch (row->type) {
    case RF_TYPE_UINT:
    case RF_TYPE_REAL:
    case RF_TYPE_REALS:
        rf_printer_add(cell, row->type == RF_TYPE_UINT    ? "whole number, "
                             : row->type == RF_TYPE_REALS ? "list of numbers, "
                                                          : "number, ");
        before = cell->size;
        rf_setting_range(row, cell);
        if (cell->size == before && cell->text) {
            cell->size -= 2; // any number will do: take the comma back
            cell->text[cell->size] = '\0';
        }
        if (row->choices) {
            rf_printer_format(cell, ", or %s", row->choices[0]);
        }
        return;
    case RF_TYPE_TEXT:
        rf_printer_add(cell, "text");
        return;
    case RF_TYPE_TEXTS:
        rf_printer_add(cell, "list of texts");
        return;
    case RF_TYPE_TEXT_LISTS:
        rf_printer_add(cell, "list of lists of texts");
        return;
    case RF_TYPE_NAMED_TEXTS:
        rf_printer_add(cell, "names with lists of texts");
        return;
    case RF_TYPE_SECTIONS:
        rf_printer_add(cell, "list of sections");
        return;
    case RF_TYPE_SECTION:
        rf_printer_add(cell, "section");
        return;
    case RF_TYPE_PAIRS:
        rf_printer_add(cell, "names and values");
        return;
    case RF_TYPE_VARIANTS:
        rf_printer_add(cell, "list of ");
        rf_variants_expected(row->variants, cell);
        return;
    case RF_TYPE_BOOL:
    case RF_TYPE_CHOICE:
    case RF_TYPE_VARIANT:
        rf_setting_expected(row, cell);
        return;
    }
}

static void add_fallback(const struct rf_setting *row, struct rf_printer *cell) {
    if (row->flags & RF_SETTING_REQUIRED) {
        rf_printer_add(cell, "required");
    } else if (row->fallback && row->type == RF_TYPE_TEXT && strspn(row->fallback, " ,;:|\t") == strlen(row->fallback)) {
        rf_printer_quote(cell, row->fallback);
    } else if (row->fallback) {
        rf_printer_add(cell, row->fallback);
    } else if (row->type == RF_TYPE_BOOL) {
        rf_printer_add(cell, "false");
    } else if (row->type == RF_TYPE_UINT || row->type == RF_TYPE_REAL) {
        rf_printer_add(cell, "0");
    } else if (row->type != RF_TYPE_SECTION) {
        rf_printer_add(cell, "none");
    }
}

static size_t cell_size(const struct rf_setting *row, void (*add)(const struct rf_setting *row, struct rf_printer *cell)) {
    struct rf_printer cell = {0};
    add(row, &cell);
    size_t size = cell.size;
    rf_printer_finish(&cell);
    return size;
}

static void path_of(char *path, size_t size, const char *parent, const char *name) {
    snprintf(path, size, "%.150s%s%.100s", parent, parent[0] ? "." : "", name);
}

// Help.

static void widen(size_t *width, size_t size) {
    if (size > *width) {
        *width = size < COLUMN_MAX ? size : COLUMN_MAX;
    }
}

// Measures the columns when `is_measuring`, else writes them.
static void help_table(struct page *page, const struct rf_setting *table, size_t depth, const char *parent, bool is_measuring);

static void help_family(struct page *page, const struct rf_setting *row, size_t depth, const char *path, bool is_measuring) {
    const char *described = meet_family(page, row->variants, path);
    if (described && !is_measuring) {
        rf_printer_pad(&page->text, page->text.size + 2 * depth);
        rf_printer_format(&page->text, "(kinds as of %s)\n", described);
    }
    for (const struct rf_variant *kind = row->variants; !described && kind->name; kind++) {
        char name[256];
        path_of(name, sizeof name, path, kind->name);
        if (!is_measuring) {
            rf_printer_pad(&page->text, page->text.size + 2 * depth);
            rf_printer_format(&page->text, "%s: %s\n", kind->name, kind->summary);
        }
        if (kind->settings) {
            help_table(page, kind->settings, depth + 1, name, is_measuring);
        }
    }
}

static void help_row(struct page *page, const struct rf_setting *row, size_t depth) {
    struct rf_printer *text = &page->text;
    size_t start = text->size;
    rf_printer_pad(text, start + 2 * depth);
    rf_printer_format(text, "%s  ", row->name);
    rf_printer_pad(text, start + page->name_width + 2);
    size_t cell = text->size;
    add_takes(row, text);
    rf_printer_add(text, "  ");
    rf_printer_pad(text, cell + page->takes_width + 2);
    cell = text->size;
    add_fallback(row, text);
    rf_printer_add(text, "  ");
    rf_printer_pad(text, cell + page->fallback_width + 2);
    rf_printer_format(text, "%s\n", row->help);
}

static void help_table(struct page *page, const struct rf_setting *table, size_t depth, const char *parent, bool is_measuring) {
    for (const struct rf_setting *row = table; row->name; row++) {
        char path[256];
        path_of(path, sizeof path, parent, row->name);
        if (is_measuring) {
            widen(&page->name_width, strlen(row->name) + 2 * depth);
            widen(&page->takes_width, cell_size(row, add_takes));
            widen(&page->fallback_width, cell_size(row, add_fallback));
        } else {
            help_row(page, row, depth);
        }
        if (row->section) {
            help_table(page, row->section, depth + 1, path, is_measuring);
        } else if (row->type == RF_TYPE_VARIANT || row->type == RF_TYPE_VARIANTS) {
            help_family(page, row, depth + 1, path, is_measuring);
        }
    }
}

void rf_config_help(const struct rf_setting *table, FILE *file) {
    struct page page = {0};
    help_table(&page, table, 0, "", true);
    page.family_count = 0;
    help_table(&page, table, 0, "", false);
    if (page.text.text) {
        fputs(page.text.text, file);
    }
    rf_printer_finish(&page.text);
}

// Markdown.

static void markdown_heading(struct page *page, size_t depth, const char *path) {
    static const char marks[] = "#####";
    size_t count = depth < sizeof marks - 1 ? depth : sizeof marks - 1;
    rf_printer_format(&page->text, "\n%.*s `%s`\n\n", (int)count, marks, path);
}

static void markdown_cell(struct page *page, const char *text) {
    for (const char *c = text; *c; c++) {
        rf_printer_format(&page->text, *c == '|' ? "\\%c" : "%c", *c);
    }
    rf_printer_add(&page->text, " | ");
}

static void markdown_row(struct page *page, const struct rf_setting *row, bool is_model) {
    struct rf_printer takes = {0};
    struct rf_printer fallback = {0};
    add_takes(row, &takes);
    add_fallback(row, &fallback);
    rf_printer_format(&page->text, "| `%s` | ", row->name);
    markdown_cell(page, takes.text ? takes.text : "");
    markdown_cell(page, fallback.text ? fallback.text : "");
    bool is_told = is_model && row->type != RF_TYPE_SECTION;
    markdown_cell(page, !is_told ? "" : row->flags & RF_SETTING_GROWS ? "yes, may grow" : "yes");
    rf_printer_format(&page->text, "%s |\n", row->help);
    rf_printer_finish(&takes);
    rf_printer_finish(&fallback);
}

static void markdown_table(struct page *page, const struct rf_setting *table, size_t depth, const char *parent, bool is_model);

static void markdown_family(struct page *page, const struct rf_setting *row, size_t depth, const char *path, bool is_model) {
    const char *described = meet_family(page, row->variants, path);
    markdown_heading(page, depth, path);
    if (described) {
        rf_printer_format(&page->text, "The kinds are those of `%s`.\n", described);
        return;
    }
    rf_printer_add(&page->text, "| kind | meaning |\n|---|---|\n");
    for (const struct rf_variant *kind = row->variants; kind->name; kind++) {
        rf_printer_format(&page->text, "| `%s` | %s |\n", kind->name, kind->summary);
    }
    for (const struct rf_variant *kind = row->variants; kind->name; kind++) {
        if (kind->settings && kind->settings[0].name) {
            char name[256];
            snprintf(name, sizeof name, "%.150s: %.100s", path, kind->name);
            markdown_heading(page, depth + 1, name);
            markdown_table(page, kind->settings, depth + 1, path, is_model);
        }
    }
}

static void markdown_table(struct page *page, const struct rf_setting *table, size_t depth, const char *parent, bool is_model) {
    rf_printer_add(&page->text, "| setting | takes | default | model | meaning |\n|---|---|---|---|---|\n");
    for (const struct rf_setting *row = table; row->name; row++) {
        markdown_row(page, row, is_model && !(row->flags & RF_SETTING_NOT_MODEL));
    }
    for (const struct rf_setting *row = table; row->name; row++) {
        bool is_row_model = is_model && !(row->flags & RF_SETTING_NOT_MODEL);
        char path[256];
        path_of(path, sizeof path, parent, row->name);
        if (row->section) {
            markdown_heading(page, depth + 1, path);
            markdown_table(page, row->section, depth + 1, path, is_row_model);
        } else if (row->type == RF_TYPE_VARIANT || row->type == RF_TYPE_VARIANTS) {
            markdown_family(page, row, depth + 1, path, is_row_model);
        }
    }
}

void rf_config_markdown(const struct rf_setting *table, FILE *file) {
    struct page page = {0};
    markdown_table(&page, table, 1, "", true);
    if (page.text.text) {
        fputs(page.text.text, file);
    }
    rf_printer_finish(&page.text);
}
