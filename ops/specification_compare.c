// Two canonical texts side by side, without taking them apart: they are short, and this is done once at a start.
#include "ops/config_internal.h"
#include "ops/specification.h"
#include "proto/text.h"

#include <stdlib.h>
#include <string.h>

static const struct rf_text nothing = {"", 0};

struct line {
    struct rf_text path;  // "features.numbers[]"
    struct rf_text value; // as written
};

// Takes the next line off the front of *text.
static bool next_line(const char **text, struct line *line_out) {
    const char *start = *text;
    if (*start == '\0') {
        return false;
    }
    const char *end = strchrnul(start, '\n');
    bool is_quoted = false; // a free name may hold " = "
    const char *mark = start;
    while (mark < end && (is_quoted || strncmp(mark, " = ", 3) != 0)) {
        is_quoted ^= *mark == '"';
        mark += *mark == '\\' && mark + 1 < end ? 2 : 1; // an escaped quote ends nothing
    }
    const char *value = mark + 3 < end ? mark + 3 : end;
    *line_out = (struct line){{start, (size_t)(mark - start)}, {value, (size_t)(end - value)}};
    *text = *end == '\n' ? end + 1 : end;
    return true;
}

// The value of the nth line with that path; data NULL when there is none.
static struct rf_text find_value(const char *text, struct rf_text path, size_t nth) {
    struct line line;
    while (next_line(&text, &line)) {
        if (rf_text_equal(line.path, path) && nth-- == 0) {
            return line.value;
        }
    }
    return (struct rf_text){NULL, 0};
}

static bool has_line(const char *text, const struct line *wanted) {
    struct line line;
    while (next_line(&text, &line)) {
        if (rf_text_equal(line.path, wanted->path) && rf_text_equal(line.value, wanted->value)) {
            return true;
        }
    }
    return false;
}

static bool is_list(struct rf_text path) {
    return path.size > 2 && path.data[path.size - 2] == '[' && path.data[path.size - 1] == ']';
}

// The table of the kind that the line at `path` names.
static const struct rf_setting *settings_of_kind(const struct rf_setting *row, const char *text, struct rf_text path) {
    struct rf_text kind = find_value(text, path, 0);
    const struct rf_variant *variant = kind.size > 2 ? rf_variant_find(row->variants, kind.data + 1, kind.size - 2) : NULL;
    return variant ? variant->settings : NULL;
}

// The row that describes a path of `text`; NULL when the tables of this program know none.
static const struct rf_setting *find_row(const struct rf_setting *table, const char *text, struct rf_text path) {
    size_t start = 0;
    while (table) {
        size_t end = start;
        while (end < path.size && path.data[end] != '.' && path.data[end] != '[') {
            end++;
        }
        const struct rf_setting *row = rf_setting_find(table, path.data + start, end - start);
        bool is_family = row && (row->type == RF_TYPE_VARIANT || row->type == RF_TYPE_VARIANTS);
        bool has_members = is_family || (row && row->type == RF_TYPE_SECTIONS);
        while (has_members && end < path.size && path.data[end] != '.') {
            end++; // over the index of a member
        }
        if (!row || end == path.size || path.data[end] == '[') {
            return row;
        }
        struct rf_text prefix = {path.data, end};
        table = row->section ? row->section : is_family ? settings_of_kind(row, text, prefix) : NULL;
        start = end + 1;
    }
    return NULL;
}

static bool grows(const struct rf_setting *row) {
    return row && row->flags & RF_SETTING_GROWS;
}

static bool is_apart(const struct rf_setting *row) {
    return row && row->flags & RF_SETTING_APART;
}

static bool is_default(const struct rf_setting *row, struct rf_text value) {
    struct rf_printer printer = {0};
    bool is_text = row && (row->type == RF_TYPE_TEXT || row->type == RF_TYPE_CHOICE || row->type == RF_TYPE_VARIANT);
    if (row && row->fallback && (is_text || rf_setting_is_word(row, row->fallback))) {
        rf_printer_quote(&printer, row->fallback);
    } else if (row && row->type == RF_TYPE_REAL) {
        rf_printer_real(&printer, row->fallback ? strtod(row->fallback, NULL) : 0.0);
    } else if (row && row->type == RF_TYPE_UINT) {
        rf_printer_add(&printer, row->fallback ? row->fallback : "0");
    } else if (row && row->type == RF_TYPE_BOOL) {
        rf_printer_add(&printer, row->fallback ? row->fallback : "false");
    }
    bool is_same = printer.text && rf_text_equal(rf_text_of(printer.text), value);
    rf_printer_finish(&printer);
    return is_same;
}

// Whether none of the lists that may grow and count together, in the section of `path`, has a member.
static bool is_section_empty(const char *text, const struct rf_setting *table, struct rf_text path) {
    size_t prefix = path.size;
    while (prefix > 0 && path.data[prefix - 1] != '.') {
        prefix--;
    }
    const char *rest = text;
    struct line line;
    while (next_line(&rest, &line)) {
        if (is_list(line.path) && !is_apart(find_row(table, text, line.path)) && line.path.size > prefix &&
            !memcmp(line.path.data, path.data, prefix) && !memchr(line.path.data + prefix, '.', line.path.size - prefix) &&
            grows(find_row(table, text, line.path))) {
            return false;
        }
    }
    return true;
}

static int shown_size(struct rf_text text) {
    return text.size < 200 ? (int)text.size : 200;
}

// "learner.l2" + " was " + "0.1" + ", is " + "0.2". `second` may be nothing.
static enum rf_specification_change tell(struct rf_error *err, enum rf_specification_change change, struct rf_text path,
                                         const char *words, struct rf_text first, const char *more_words, struct rf_text second) {
    struct rf_text name = {path.data, path.size - (is_list(path) ? 2 : 0)};
    rf_fail(err, RF_CONFLICT, "%.*s%s%.*s%s%.*s", shown_size(name), name.data, words, shown_size(first), first.data, more_words,
            shown_size(second), second.data);
    return change;
}

// A list whose order counts; its first difference.
static enum rf_specification_change compare_list(const char *before, const char *after, struct rf_text path,
                                                 struct rf_error *err) {
    for (size_t i = 0;; i++) {
        struct rf_text old = find_value(before, path, i);
        struct rf_text new = find_value(after, path, i);
        if (!old.data && !new.data) {
            return RF_SPECIFICATION_SAME;
        }
        if (!old.data) {
            return tell(err, RF_SPECIFICATION_BREAKING, path, " gained ", new, "", nothing);
        }
        if (!new.data) {
            return tell(err, RF_SPECIFICATION_BREAKING, path, " lost ", old, "", nothing);
        }
        if (!rf_text_equal(old, new)) {
            rf_fail(err, RF_CONFLICT, "%.*s[%zu] was %.*s, is %.*s", (int)path.size - 2, path.data, i, shown_size(old), old.data,
                    shown_size(new), new.data);
            return RF_SPECIFICATION_BREAKING;
        }
    }
}

static enum rf_specification_change compare_old_line(const char *before, const char *after, const struct rf_setting *table,
                                                     const struct line *line, struct rf_error *err) {
    if (is_list(line->path) && !grows(find_row(table, before, line->path))) {
        return compare_list(before, after, line->path, err);
    }
    if (is_list(line->path)) {
        return has_line(after, line) ? RF_SPECIFICATION_SAME
                                     : tell(err, RF_SPECIFICATION_BREAKING, line->path, " lost ", line->value, "", nothing);
    }
    struct rf_text value = find_value(after, line->path, 0);
    if (!value.data) {
        return tell(err, RF_SPECIFICATION_BREAKING, line->path, " was ", line->value, ", is not set", nothing);
    }
    return rf_text_equal(value, line->value)
                   ? RF_SPECIFICATION_SAME
                   : tell(err, RF_SPECIFICATION_BREAKING, line->path, " was ", line->value, ", is ", value);
}

// A line that only the new text may have.
static enum rf_specification_change compare_new_line(const char *before, const char *after, const struct rf_setting *table,
                                                     const struct line *line, struct rf_error *err) {
    const struct rf_setting *row = find_row(table, after, line->path);
    if (is_list(line->path)) {
        if (has_line(before, line)) {
            return RF_SPECIFICATION_SAME;
        }
        if (!grows(row) || (!is_apart(row) && is_section_empty(before, table, line->path))) {
            return tell(err, RF_SPECIFICATION_BREAKING, line->path, " was empty, has ", line->value, "", nothing);
        }
        return tell(err, RF_SPECIFICATION_COMPATIBLE, line->path, " gained ", line->value, "", nothing);
    }
    if (find_value(before, line->path, 0).data) {
        return RF_SPECIFICATION_SAME;
    }
    if (!is_default(row, line->value)) {
        return tell(err, RF_SPECIFICATION_BREAKING, line->path, " was not set, is ", line->value, "", nothing);
    }
    return tell(err, RF_SPECIFICATION_COMPATIBLE, line->path, " is new, at its default ", line->value, "", nothing);
}

enum rf_specification_change rf_specification_compare(const char *before, const char *after, const struct rf_setting *table,
                                                      struct rf_error *err) {
    const char *rest = before;
    struct line line;
    while (next_line(&rest, &line)) {
        if (compare_old_line(before, after, table, &line, err) == RF_SPECIFICATION_BREAKING) {
            return RF_SPECIFICATION_BREAKING;
        }
    }
    enum rf_specification_change change = RF_SPECIFICATION_SAME;
    rest = after;
    while (next_line(&rest, &line)) {
        struct rf_error found = {0};
        enum rf_specification_change here = compare_new_line(before, after, table, &line, &found);
        if (here > change) {
            change = here;
            *err = found;
        }
        if (change == RF_SPECIFICATION_BREAKING) {
            break;
        }
    }
    return change;
}
