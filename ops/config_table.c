// The tree of a file into the struct that a table describes.
#include "ops/config_internal.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char no_memory[] = "no memory left to read the settings";

struct reader {
    struct rf_error *err;
    char path[512]; // of the setting being read, e.g. "learner.optimizer.rate"
    size_t path_size;
};

static enum rf_status read_table(struct reader *reader, const struct rf_setting *table, const struct rf_yaml *map,
                                 struct rf_yaml_place place, bool is_variant, void *options);

// Returns what enter() must be undone with by leave().
static size_t enter(struct reader *reader, const char *name) {
    size_t before = reader->path_size;
    size_t room = sizeof reader->path - before;
    int size = snprintf(reader->path + before, room, "%s%s", before ? "." : "", name);
    reader->path_size += (size_t)size < room ? (size_t)size : room - 1;
    return before;
}

static void leave(struct reader *reader, size_t before) {
    reader->path_size = before;
    reader->path[before] = '\0';
}

// "name is VALUE, must be WHAT": the sentence of every wrong value.
static enum rf_status fail_value(struct reader *reader, struct rf_yaml_place place, const char *value,
                                 struct rf_printer *expected) {
    rf_yaml_fail(reader->err, place, "%s is %s, must be %s", reader->path, value, expected->text ? expected->text : "different");
    rf_printer_finish(expected);
    return RF_INVALID;
}

static enum rf_status fail_text(struct reader *reader, struct rf_yaml_place place, const char *text,
                                struct rf_printer *expected) {
    char cut[100];
    size_t size = strnlen(text, sizeof cut - 4);
    memcpy(cut, text, size);
    memcpy(cut + size, text[size] == '\0' ? "" : "...", text[size] == '\0' ? 1 : 4);
    struct rf_printer quoted = {0};
    rf_printer_quote(&quoted, cut);
    enum rf_status status = fail_value(reader, place, quoted.text ? quoted.text : "wrong", expected);
    rf_printer_finish(&quoted);
    return status;
}

static enum rf_status fail_row(struct reader *reader, const struct rf_setting *row, struct rf_yaml_place place,
                               const char *text) {
    struct rf_printer expected = {0};
    rf_setting_expected(row, &expected);
    if (row->flags & RF_SETTING_SECRET) {
        return fail_value(reader, place, "***", &expected);
    }
    return fail_text(reader, place, text, &expected);
}

static enum rf_status fail_node(struct reader *reader, const struct rf_yaml *node, const char *what) {
    struct rf_printer expected = {0};
    rf_printer_add(&expected, what);
    if (node->kind != RF_YAML_SCALAR) {
        return fail_value(reader, node->place, node->kind == RF_YAML_LIST ? "a list" : "a map", &expected);
    }
    return rf_yaml_is_null(node) ? fail_value(reader, node->place, "empty", &expected)
                                 : fail_text(reader, node->place, node->text, &expected);
}

// Scalars.

static bool is_digits(const char *text) {
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) && (text[0] != '0' || text[1] == '\0');
}

static bool parse_uint(const struct rf_setting *row, const char *text, uint64_t *value_out) {
    errno = 0;
    unsigned long long value = is_digits(text) ? strtoull(text, NULL, 10) : 0;
    *value_out = value;
    return is_digits(text) && errno == 0 && (double)value >= row->min && (double)value <= row->max;
}

static bool parse_real(const struct rf_setting *row, const char *text, double *value_out) {
    if (rf_setting_is_word(row, text)) {
        *value_out = NAN;
        return true;
    }
    char *end = NULL;
    bool is_decimal = text[0] != '\0' && strspn(text, "0123456789+-.eE") == strlen(text); // no hexadecimal, nan or infinity
    *value_out = is_decimal ? strtod(text, &end) : 0.0;
    return is_decimal && end != text && *end == '\0' && *value_out >= row->min && *value_out <= row->max &&
           *value_out <= 1.7976931348623157e308 && *value_out >= -1.7976931348623157e308;
}

static int parse_choice(const struct rf_setting *row, const char *text) {
    for (int i = 0; row->choices[i]; i++) {
        if (!strcmp(row->choices[i], text)) {
            return i;
        }
    }
    return -1;
}

static enum rf_status read_scalar(struct reader *reader, const struct rf_setting *row, const char *text,
                                  struct rf_yaml_place place, void *slot) {
    bool is_right = true;
    if (row->type == RF_TYPE_BOOL) {
        is_right = !strcmp(text, "true") || !strcmp(text, "false");
        *(bool *)slot = !strcmp(text, "true");
    } else if (row->type == RF_TYPE_UINT) {
        is_right = parse_uint(row, text, slot);
    } else if (row->type == RF_TYPE_REAL) {
        is_right = parse_real(row, text, slot);
    } else if (row->type == RF_TYPE_CHOICE) {
        *(int *)slot = parse_choice(row, text);
        is_right = *(int *)slot >= 0;
    } else if (!(*(char **)slot = strdup(text))) {
        return rf_fail(reader->err, RF_MEMORY, no_memory);
    }
    return is_right ? RF_OK : fail_row(reader, row, place, text);
}

// Lists and pairs.

static enum rf_status read_texts(struct reader *reader, const struct rf_yaml *node, struct rf_texts *texts) {
    if (node->kind != RF_YAML_LIST) {
        return fail_node(reader, node, "a list of texts, as in [a, b]");
    }
    texts->list = calloc(node->count ? node->count : 1, sizeof *texts->list);
    if (!texts->list) {
        return rf_fail(reader->err, RF_MEMORY, no_memory);
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct rf_yaml *member = node->list[i];
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        size_t before = enter(reader, name);
        if (member->kind != RF_YAML_SCALAR || rf_yaml_is_null(member)) {
            return fail_node(reader, member, "a text");
        }
        texts->list[i] = strdup(member->text);
        if (!texts->list[i]) {
            return rf_fail(reader->err, RF_MEMORY, no_memory);
        }
        texts->count++;
        leave(reader, before);
    }
    return RF_OK;
}

static enum rf_status read_pairs(struct reader *reader, const struct rf_yaml *node, struct rf_pairs *pairs) {
    if (node->kind != RF_YAML_MAP) {
        return fail_node(reader, node, "settings, as in {name: value}");
    }
    pairs->list = calloc(node->count ? node->count : 1, sizeof *pairs->list);
    if (!pairs->list) {
        return rf_fail(reader->err, RF_MEMORY, no_memory);
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct rf_yaml *member = node->list[i];
        size_t before = enter(reader, member->name);
        if (member->kind != RF_YAML_SCALAR || rf_yaml_is_null(member)) {
            return fail_node(reader, member, "a text");
        }
        pairs->count++;
        pairs->list[i] = (struct rf_pair){strdup(member->name), strdup(member->text), member->place.line};
        if (!pairs->list[i].name || !pairs->list[i].value) {
            return rf_fail(reader->err, RF_MEMORY, no_memory);
        }
        leave(reader, before);
    }
    return RF_OK;
}

// Variants.

static enum rf_status fail_kind(struct reader *reader, const struct rf_setting *row, struct rf_yaml_place place,
                                const char *name) {
    struct rf_printer expected = {0};
    rf_variants_expected(row->variants, &expected);
    size_t best = SIZE_MAX;
    const char *nearest = NULL;
    for (const struct rf_variant *kind = row->variants; kind->name; kind++) {
        nearest = rf_is_nearer(name, kind->name, &best) ? kind->name : nearest;
    }
    if (nearest) {
        rf_printer_format(&expected, ", did you mean \"%s\"?", nearest);
    }
    return fail_text(reader, place, name, &expected);
}

// Reads the settings of the kind called `name`; `settings` is a map, null, or NULL when only the kind is written.
static enum rf_status read_kind(struct reader *reader, const struct rf_setting *row, const char *name,
                                const struct rf_yaml *settings, struct rf_yaml_place place, bool has_type,
                                struct rf_variant_value *value) {
    const struct rf_variant *kind = rf_variant_find(row->variants, name, strlen(name));
    if (!kind) {
        return fail_kind(reader, row, place, name);
    }
    value->options = calloc(1, kind->options_size ? kind->options_size : 1);
    if (!value->options) {
        return rf_fail(reader->err, RF_MEMORY, no_memory);
    }
    value->kind = kind;
    static const struct rf_setting no_settings[] = {{0}};
    return read_table(reader, kind->settings ? kind->settings : no_settings, settings, place, has_type, value->options);
}

static enum rf_status read_variant(struct reader *reader, const struct rf_setting *row, const struct rf_yaml *node,
                                   struct rf_variant_value *value) {
    if (node->kind == RF_YAML_SCALAR) {
        return read_kind(reader, row, node->text, NULL, node->place, false, value);
    }
    const struct rf_yaml *type = rf_yaml_find(node, "type");
    if (node->kind == RF_YAML_MAP && type && type->kind == RF_YAML_SCALAR && !rf_yaml_is_null(type)) {
        return read_kind(reader, row, type->text, node, type->place, true, value);
    }
    if (node->kind == RF_YAML_MAP && !type && row->fallback && row->fallback[0] != '{') {
        return read_kind(reader, row, row->fallback, node, node->place, true, value);
    }
    struct rf_printer expected = {0};
    rf_variants_expected(row->variants, &expected);
    if (node->kind == RF_YAML_MAP) {
        rf_yaml_fail(reader->err, type ? type->place : node->place, "%s.type is %s, must be %s", reader->path,
                     !type                        ? "missing"
                     : type->kind == RF_YAML_LIST ? "a list"
                     : type->kind == RF_YAML_MAP  ? "a map"
                                                  : "empty",
                     expected.text ? expected.text : "a kind");
        rf_printer_finish(&expected);
        return RF_INVALID;
    }
    rf_printer_add(&expected, ", or a map with type");
    return fail_value(reader, node->place, "a list", &expected);
}

static enum rf_status read_member(struct reader *reader, const struct rf_setting *row, const struct rf_yaml *member,
                                  struct rf_variant_value *value) {
    bool is_name = member->kind == RF_YAML_SCALAR && !rf_yaml_is_null(member);
    if (!is_name && (member->kind != RF_YAML_MAP || member->count == 0)) {
        struct rf_printer expected = {0};
        rf_variants_expected(row->variants, &expected);
        return fail_value(reader, member->place, member->kind == RF_YAML_LIST ? "a list" : "empty", &expected);
    }
    const struct rf_yaml *settings = is_name ? NULL : member->list[0];
    if (!is_name && member->count > 1) {
        return rf_yaml_fail(reader->err, member->list[1]->name_place,
                            "%s holds \"%.64s\" beside \"%.64s\", must hold one kind; its settings stand one level deeper",
                            reader->path, member->list[1]->name, settings->name);
    }
    const char *name = is_name ? member->text : settings->name;
    struct rf_yaml_place place = is_name ? member->place : settings->name_place;
    if (!rf_variant_find(row->variants, name, strlen(name))) {
        return fail_kind(reader, row, place, name);
    }
    size_t before = enter(reader, name);
    enum rf_status status = read_kind(reader, row, name, settings, place, false, value);
    leave(reader, before);
    return status;
}

static enum rf_status read_variants(struct reader *reader, const struct rf_setting *row, const struct rf_yaml *node,
                                    struct rf_variant_values *values) {
    if (node->kind != RF_YAML_LIST) {
        struct rf_printer what = {0};
        rf_printer_format(&what, "a list, as in [%s: {...}]", row->variants[0].name);
        enum rf_status status = fail_node(reader, node, what.text ? what.text : "a list");
        rf_printer_finish(&what);
        return status;
    }
    values->list = calloc(node->count ? node->count : 1, sizeof *values->list);
    if (!values->list) {
        return rf_fail(reader->err, RF_MEMORY, no_memory);
    }
    values->count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        size_t before = enter(reader, name);
        enum rf_status status = read_member(reader, row, node->list[i], &values->list[i]);
        if (status != RF_OK) {
            return status;
        }
        leave(reader, before);
    }
    return RF_OK;
}

// Rows.

static enum rf_status read_written(struct reader *reader, const struct rf_setting *row, const struct rf_yaml *node, void *slot) {
    switch (row->type) {
    case RF_TYPE_SECTION:
        return read_table(reader, row->section, node, node->place, false, slot);
    case RF_TYPE_TEXTS:
        return read_texts(reader, node, slot);
    case RF_TYPE_PAIRS:
        return read_pairs(reader, node, slot);
    case RF_TYPE_VARIANT:
        return read_variant(reader, row, node, slot);
    case RF_TYPE_VARIANTS:
        return read_variants(reader, row, node, slot);
    case RF_TYPE_BOOL:
    case RF_TYPE_UINT:
    case RF_TYPE_REAL:
    case RF_TYPE_TEXT:
    case RF_TYPE_CHOICE:
        break;
    }
    if (node->kind != RF_YAML_SCALAR) {
        struct rf_printer expected = {0};
        rf_setting_expected(row, &expected);
        return fail_value(reader, node->place, node->kind == RF_YAML_LIST ? "a list" : "a map", &expected);
    }
    return read_scalar(reader, row, node->text, node->place, slot);
}

static enum rf_status read_default(struct reader *reader, const struct rf_setting *row, struct rf_yaml_place place, void *slot) {
    if (row->flags & RF_SETTING_REQUIRED) {
        return rf_yaml_fail(reader->err, place, "%s is missing: %s", reader->path, row->help);
    }
    if (row->type == RF_TYPE_SECTION) {
        return read_table(reader, row->section, NULL, place, false, slot);
    }
    if (row->type == RF_TYPE_CHOICE && !row->fallback) {
        *(int *)slot = -1;
        return RF_OK;
    }
    if (!row->fallback) {
        return RF_OK;
    }
    if (row->type != RF_TYPE_TEXTS && row->type != RF_TYPE_PAIRS && row->type != RF_TYPE_VARIANT &&
        row->type != RF_TYPE_VARIANTS) {
        return read_scalar(reader, row, row->fallback, place, slot);
    }
    struct rf_yaml *node = NULL;
    enum rf_status status = rf_yaml_parse("default", row->fallback, strlen(row->fallback), &node, reader->err);
    if (status == RF_OK && node) {
        status = read_written(reader, row, node, slot);
    }
    rf_yaml_destroy(node);
    return status;
}

static enum rf_status fail_unknown(struct reader *reader, const struct rf_setting *table, const struct rf_yaml *member,
                                   bool is_variant) {
    size_t best = SIZE_MAX;
    const char *nearest = is_variant && rf_is_nearer(member->name, "type", &best) ? "type" : NULL;
    struct rf_printer names = {0};
    struct rf_printer unknown = {0};
    for (const struct rf_setting *row = table; row->name; row++) {
        nearest = rf_is_nearer(member->name, row->name, &best) ? row->name : nearest;
        rf_printer_format(&names, "%s%s", row == table ? "" : row[1].name ? ", " : " or ", row->name);
    }
    char name[100];
    snprintf(name, sizeof name, "%.80s%s", member->name, strlen(member->name) > 80 ? "..." : "");
    size_t before = enter(reader, name);
    rf_printer_quote(&unknown, reader->path);
    leave(reader, before);
    const char *shown = unknown.text ? unknown.text : "";
    if (nearest) {
        before = enter(reader, nearest);
        rf_yaml_fail(reader->err, member->name_place, "unknown setting %s, did you mean \"%s\"?", shown, reader->path);
        leave(reader, before);
    } else if (!table->name) {
        rf_yaml_fail(reader->err, member->name_place, "unknown setting %s, there are none here", shown);
    } else {
        rf_yaml_fail(reader->err, member->name_place, "unknown setting %s, must be %s", shown,
                     names.text ? names.text : "another");
    }
    rf_printer_finish(&names);
    rf_printer_finish(&unknown);
    return RF_INVALID;
}

// `map` NULL or null: nothing is written, everything has its default. `place` is where it stands, or what encloses it.
static enum rf_status read_table(struct reader *reader, const struct rf_setting *table, const struct rf_yaml *map,
                                 struct rf_yaml_place place, bool is_variant, void *options) {
    if (map && rf_yaml_is_null(map)) {
        map = NULL;
    }
    if (map && map->kind != RF_YAML_MAP) {
        return fail_node(reader, map, "settings, as in {name: value}");
    }
    for (size_t i = 0; map && i < map->count; i++) {
        const struct rf_yaml *member = map->list[i];
        if (!rf_setting_find(table, member->name, strlen(member->name)) && !(is_variant && !strcmp(member->name, "type"))) {
            return fail_unknown(reader, table, member, is_variant);
        }
    }
    for (const struct rf_setting *row = table; row->name; row++) {
        const struct rf_yaml *node = map ? rf_yaml_find(map, row->name) : NULL;
        size_t before = enter(reader, row->name);
        void *slot = (char *)options + row->offset;
        enum rf_status status = node && !rf_yaml_is_null(node) ? read_written(reader, row, node, slot)
                                                               : read_default(reader, row, node ? node->place : place, slot);
        if (status != RF_OK) {
            return status;
        }
        leave(reader, before);
    }
    return RF_OK;
}

enum rf_status rf_config_read_tree(const struct rf_yaml *root, const struct rf_setting *table, void *options,
                                   struct rf_error *err) {
    struct reader reader = {.err = err};
    return read_table(&reader, table, root, root->place, false, options);
}
