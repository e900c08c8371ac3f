// The tree of a file into the struct that a table describes.
#include "ops/config_internal.h"
#include "ops/config_reader.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Variants.

static enum rf_status fail_kind(struct rf_reader *reader, const struct rf_setting *row, struct rf_yaml_place place,
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
    return rf_reader_fail_text(reader, place, name, &expected);
}

// Reads the settings of the kind called `name`; `settings` is a map, null, or NULL when only the kind is written.
static enum rf_status read_kind(struct rf_reader *reader, const struct rf_setting *row, const char *name,
                                const struct rf_yaml *settings, struct rf_yaml_place place, bool has_type,
                                struct rf_variant_value *value) {
    const struct rf_variant *kind = rf_variant_find(row->variants, name, strlen(name));
    if (!kind) {
        return fail_kind(reader, row, place, name);
    }
    value->options = calloc(1, kind->options_size ? kind->options_size : 1);
    if (!value->options) {
        return rf_reader_out_of_memory(reader);
    }
    value->kind = kind;
    static const struct rf_setting no_settings[] = {{0}};
    return rf_reader_table(reader, kind->settings ? kind->settings : no_settings, settings, place, has_type, value->options);
}

static enum rf_status read_variant(struct rf_reader *reader, const struct rf_setting *row, const struct rf_yaml *node,
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
    return rf_reader_fail_value(reader, node->place, "a list", &expected);
}

static enum rf_status read_member(struct rf_reader *reader, const struct rf_setting *row, const struct rf_yaml *member,
                                  struct rf_variant_value *value) {
    bool is_name = member->kind == RF_YAML_SCALAR && !rf_yaml_is_null(member);
    if (!is_name && (member->kind != RF_YAML_MAP || member->count == 0)) {
        struct rf_printer expected = {0};
        rf_variants_expected(row->variants, &expected);
        return rf_reader_fail_value(reader, member->place, member->kind == RF_YAML_LIST ? "a list" : "empty", &expected);
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
    size_t before = rf_reader_enter(reader, name);
    enum rf_status status = read_kind(reader, row, name, settings, place, false, value);
    rf_reader_leave(reader, before);
    return status;
}

static enum rf_status read_variants(struct rf_reader *reader, const struct rf_setting *row, const struct rf_yaml *node,
                                    struct rf_variant_values *values) {
    if (node->kind != RF_YAML_LIST) {
        struct rf_printer what = {0};
        rf_printer_format(&what, "a list, as in [%s: {...}]", row->variants[0].name);
        enum rf_status status = rf_reader_fail_node(reader, node, what.text ? what.text : "a list");
        rf_printer_finish(&what);
        return status;
    }
    values->list = calloc(node->count ? node->count : 1, sizeof *values->list);
    if (!values->list) {
        return rf_reader_out_of_memory(reader);
    }
    values->count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        size_t before = rf_reader_enter_index(reader, i);
        enum rf_status status = read_member(reader, row, node->list[i], &values->list[i]);
        if (status != RF_OK) {
            return status;
        }
        rf_reader_leave(reader, before);
    }
    return RF_OK;
}

// Rows.

static enum rf_status read_written(struct rf_reader *reader, const struct rf_setting *row, const struct rf_yaml *node,
                                   void *slot) {
    switch (row->type) {
    case RF_TYPE_SECTION:
        return rf_reader_table(reader, row->section, node, node->place, false, slot);
    case RF_TYPE_TEXTS:
    case RF_TYPE_REALS:
    case RF_TYPE_TEXT_LISTS:
    case RF_TYPE_NAMED_TEXTS:
    case RF_TYPE_PAIRS:
    case RF_TYPE_SECTIONS:
        return rf_reader_list(reader, row, node, slot);
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
        return rf_reader_fail_value(reader, node->place, node->kind == RF_YAML_LIST ? "a list" : "a map", &expected);
    }
    return rf_reader_scalar(reader, row, node->text, node->place, slot);
}

static enum rf_status read_default(struct rf_reader *reader, const struct rf_setting *row, struct rf_yaml_place place,
                                   void *slot) {
    if (row->flags & RF_SETTING_REQUIRED) {
        return rf_yaml_fail(reader->err, place, "%s is missing: %s", reader->path, row->help);
    }
    if (row->type == RF_TYPE_SECTION) {
        return rf_reader_table(reader, row->section, NULL, place, false, slot);
    }
    if (row->type == RF_TYPE_CHOICE && !row->fallback) {
        *(int *)slot = -1;
        return RF_OK;
    }
    if (!row->fallback) {
        return RF_OK;
    }
    if (!rf_setting_is_list(row) && row->type != RF_TYPE_VARIANT && row->type != RF_TYPE_VARIANTS) {
        return rf_reader_scalar(reader, row, row->fallback, place, slot);
    }
    struct rf_yaml *node = NULL;
    enum rf_status status = rf_yaml_parse("default", row->fallback, strlen(row->fallback), &node, reader->err);
    if (status == RF_OK && node) {
        status = read_written(reader, row, node, slot);
    }
    rf_yaml_destroy(node);
    return status;
}

static enum rf_status fail_unknown(struct rf_reader *reader, const struct rf_setting *table, const struct rf_yaml *member,
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
    size_t before = rf_reader_enter(reader, name);
    rf_printer_quote(&unknown, reader->path);
    rf_reader_leave(reader, before);
    const char *shown = unknown.text ? unknown.text : "";
    if (nearest) {
        before = rf_reader_enter(reader, nearest);
        rf_yaml_fail(reader->err, member->name_place, "unknown setting %s, did you mean \"%s\"?", shown, reader->path);
        rf_reader_leave(reader, before);
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

enum rf_status rf_reader_table(struct rf_reader *reader, const struct rf_setting *table, const struct rf_yaml *map,
                               struct rf_yaml_place place, bool is_variant, void *options) {
    if (map && rf_yaml_is_null(map)) {
        map = NULL;
    }
    if (map && map->kind != RF_YAML_MAP) {
        return rf_reader_fail_node(reader, map, "settings, as in {name: value}");
    }
    for (size_t i = 0; map && i < map->count; i++) {
        const struct rf_yaml *member = map->list[i];
        if (!rf_setting_find(table, member->name, strlen(member->name)) && !(is_variant && !strcmp(member->name, "type"))) {
            return fail_unknown(reader, table, member, is_variant);
        }
    }
    for (const struct rf_setting *row = table; row->name; row++) {
        const struct rf_yaml *node = map ? rf_yaml_find(map, row->name) : NULL;
        size_t before = rf_reader_enter(reader, row->name);
        void *slot = (char *)options + row->offset;
        enum rf_status status = node && !rf_yaml_is_null(node) ? read_written(reader, row, node, slot)
                                                               : read_default(reader, row, node ? node->place : place, slot);
        if (status != RF_OK) {
            return status;
        }
        rf_reader_leave(reader, before);
    }
    return RF_OK;
}

enum rf_status rf_config_read_tree(const struct rf_yaml *root, const struct rf_setting *table, void *options,
                                   struct rf_error *err) {
    struct rf_reader reader = {.err = err};
    return rf_reader_table(&reader, table, root, root->place, false, options);
}
