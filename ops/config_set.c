// `--set path.to.key=value`: edits the tree before it is read, so that what is set is checked like what is written.
#include "ops/config_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct step {
    const char *name;
    size_t size;
    const char *rest; // after the dot; NULL at the end of the path
};

static struct step step_of(const char *path) {
    size_t size = strcspn(path, ".");
    return (struct step){path, size, path[size] == '.' ? path + size + 1 : NULL};
}

static void place_all(struct rf_yaml *node, struct rf_yaml_place place) {
    node->place = place;
    node->name_place = place;
    for (size_t i = 0; i < node->count; i++) {
        place_all(node->list[i], place);
    }
}

static enum rf_status parse_value(const char *path, const char *value, struct rf_yaml **node_out, struct rf_error *err) {
    struct rf_yaml *node = NULL;
    char name[256]; // until every place is that of the path
    snprintf(name, sizeof name, "--set %s", path);
    enum rf_status status = rf_yaml_parse(name, value, strlen(value), &node, err);
    if (status != RF_OK) {
        return status;
    }
    struct rf_yaml_place place = {path, 0, 0};
    if (!node) {
        node = rf_yaml_create(RF_YAML_SCALAR, "", place);
    }
    if (!node) {
        return rf_fail(err, RF_MEMORY, "no memory left to read the settings");
    }
    place_all(node, place);
    *node_out = node;
    return RF_OK;
}

// Puts an empty map, or list, under `name`.
static enum rf_status put_empty(struct rf_yaml *parent, const char *name, enum rf_yaml_kind kind, struct rf_yaml_place place,
                                struct rf_yaml **child_out, struct rf_error *err) {
    struct rf_yaml *child = rf_yaml_create(kind, NULL, place);
    if (!child) {
        return rf_fail(err, RF_MEMORY, "no memory left to read the settings");
    }
    enum rf_status status = rf_yaml_put(parent, name, child, err);
    if (status == RF_OK) {
        *child_out = child;
    }
    return status;
}

// Turns a kind alone, `linear`, into a map that can take settings: `type: linear`, or `linear: {}` in a list.
static enum rf_status open_kind(struct rf_yaml *node, bool is_member, struct rf_error *err) {
    char *kind = node->text;
    struct rf_yaml *inner = rf_yaml_create(is_member ? RF_YAML_MAP : RF_YAML_SCALAR, kind, node->place);
    if (!inner) {
        return rf_fail(err, RF_MEMORY, "no memory left to read the settings");
    }
    node->kind = RF_YAML_MAP;
    node->text = NULL;
    enum rf_status status = rf_yaml_put(node, is_member ? kind : "type", inner, err);
    free(kind);
    return status;
}

// Whether members of the setting go by their index.
static bool has_indices(const struct rf_setting *row) {
    return row && (row->type == RF_TYPE_VARIANTS || row->type == RF_TYPE_SECTIONS || row->type == RF_TYPE_TEXT_LISTS ||
                   row->type == RF_TYPE_TEXTS || row->type == RF_TYPE_REALS);
}

// The child of that name as a map, or list, that can be set in; made when nothing is written there.
static enum rf_status enter(struct rf_yaml *parent, struct step step, const struct rf_setting *row, struct rf_yaml_place place,
                            struct rf_yaml **child_out, struct rf_error *err) {
    char name[RF_YAML_NAME_SIZE_MAX + 1];
    if (step.size >= sizeof name) {
        return rf_yaml_fail(err, place, "a name of %zu bytes stands here, must be at most %d", step.size, RF_YAML_NAME_SIZE_MAX);
    }
    memcpy(name, step.name, step.size);
    name[step.size] = '\0';
    enum rf_yaml_kind kind = has_indices(row) ? RF_YAML_LIST : RF_YAML_MAP;
    struct rf_yaml *child = rf_yaml_find(parent, name);
    if (!child || rf_yaml_is_null(child)) {
        return put_empty(parent, name, kind, place, child_out, err);
    }
    if (row && row->type == RF_TYPE_VARIANT && child->kind == RF_YAML_SCALAR) {
        enum rf_status status = open_kind(child, false, err);
        if (status != RF_OK) {
            return status;
        }
    }
    if (child->kind != kind) {
        return rf_yaml_fail(err, place, "%s is no %s in the file, must be set as a whole", name,
                            kind == RF_YAML_LIST ? "list" : "map");
    }
    *child_out = child;
    return RF_OK;
}

static const struct rf_setting *settings_of_kind(const struct rf_setting *row, const struct rf_yaml *node) {
    const struct rf_yaml *type = rf_yaml_find(node, "type");
    const char *name = type && type->kind == RF_YAML_SCALAR ? type->text : row->fallback;
    const struct rf_variant *kind = name ? rf_variant_find(row->variants, name, strlen(name)) : NULL;
    return kind ? kind->settings : NULL;
}

// The member that a step counts to, which may be the one behind the last: false when it is none.
static bool find_member(const struct rf_yaml *list, struct step step, size_t *index_out) {
    assert(list);
    char *end = NULL;
    *index_out = strtoul(step.name, &end, 10);
    return step.size > 0 && step.size <= 4 && end == step.name + step.size && strspn(step.name, "0123456789") >= step.size &&
           *index_out <= list->count;
}

// `0.zeromq.publish` within a list of variants: the member's index, its kind, and on; `0.width` within a list of sections; `0`
// within lists of what has no names.
// Takes ownership of `value`, unless there is a rest to go on with.
// NOLINTNEXTLINE(readability-function-size): one step of a walk, which hands on where it got to
static enum rf_status set_member(struct rf_yaml *list, const struct rf_setting *row, const char *path, struct rf_yaml *value,
                                 struct rf_yaml **map_out, const struct rf_setting **table_out, const char **rest_out,
                                 struct rf_error *err) {
    struct step step = step_of(path);
    size_t index;
    if (!find_member(list, step, &index)) {
        enum rf_status status = rf_yaml_fail(err, value->place, "\"%.*s\" is no member of %s, must be 0 to %zu",
                                             (int)(step.size < 64 ? step.size : 64), step.name, row->name, list->count);
        rf_yaml_destroy(value);
        return status;
    }
    if (!step.rest && index == list->count) {
        return rf_yaml_put(list, NULL, value, err);
    }
    if (!step.rest) {
        rf_yaml_destroy(list->list[index]);
        list->list[index] = value;
        return RF_OK;
    }
    struct rf_yaml *member = index < list->count ? list->list[index] : NULL;
    bool has_maps = row->type == RF_TYPE_VARIANTS || row->type == RF_TYPE_SECTIONS;
    enum rf_status status = RF_OK;
    if (!has_maps) {
        status = rf_yaml_fail(err, value->place, "%s.%zu is no map, must be set as a whole", row->name, index);
    } else if (!member) {
        status = put_empty(list, NULL, RF_YAML_MAP, value->place, &member, err);
    } else if (row->type == RF_TYPE_VARIANTS && member->kind == RF_YAML_SCALAR) {
        status = open_kind(member, true, err);
    }
    if (!status && row->type == RF_TYPE_SECTIONS && member->kind != RF_YAML_MAP) {
        status = rf_yaml_fail(err, value->place, "%s.%zu is no map, must be set as a whole", row->name, index);
    }
    if (status != RF_OK) {
        rf_yaml_destroy(value);
        return status;
    }
    if (row->type == RF_TYPE_SECTIONS) {
        *map_out = member;
        *table_out = row->section;
        *rest_out = step.rest;
        return RF_OK;
    }
    struct step kind = step_of(step.rest);
    if (!kind.rest) {
        return rf_yaml_put(member, kind.name, value, err);
    }
    const struct rf_variant *variant = rf_variant_find(row->variants, kind.name, kind.size);
    *table_out = variant ? variant->settings : NULL;
    *rest_out = kind.rest;
    status = enter(member, kind, NULL, value->place, map_out, err);
    if (status != RF_OK) {
        rf_yaml_destroy(value);
    }
    return status;
}

// Walks tree and table side by side. A name the table does not know is put in all the same: reading will refuse it, with
// the nearest name that is known.
enum rf_status rf_config_set(struct rf_yaml *root, const struct rf_setting *table, const char *path, const char *value_text,
                             struct rf_error *err) {
    struct rf_yaml *value = NULL;
    enum rf_status status = parse_value(path, value_text, &value, err);
    if (status != RF_OK) {
        return status;
    }
    struct rf_yaml_place place = value->place;
    struct rf_yaml *map = root;
    const char *rest = path;
    for (size_t depth = 0; depth < RF_YAML_DEPTH_MAX; depth++) {
        struct step step = step_of(rest);
        if (!step.rest) {
            return rf_yaml_put(map, rest, value, err);
        }
        const struct rf_setting *row = table ? rf_setting_find(table, step.name, step.size) : NULL;
        struct rf_yaml *child = NULL;
        status = enter(map, step, row, place, &child, err);
        if (status != RF_OK) {
            rf_yaml_destroy(value);
            return status;
        }
        if (row && (row->type == RF_TYPE_PAIRS || row->type == RF_TYPE_NAMED_TEXTS)) {
            return rf_yaml_put(child, step.rest, value, err);
        }
        rest = step.rest;
        map = child;
        table = !row                           ? NULL
                : row->type == RF_TYPE_SECTION ? row->section
                : row->type == RF_TYPE_VARIANT ? settings_of_kind(row, child)
                                               : NULL;
        if (has_indices(row)) {
            const char *list_path = rest;
            rest = NULL;
            status = set_member(child, row, list_path, value, &map, &table, &rest, err);
            if (status != RF_OK || !rest) {
                return status;
            }
        }
    }
    rf_yaml_destroy(value);
    return rf_yaml_fail(err, place, "the path is deeper than %d names", RF_YAML_DEPTH_MAX);
}
