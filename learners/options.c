#include "learners/options.h"

#include <assert.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 128 };

static enum rf_status fill(const struct rf_setting *table, void *options, struct rf_error *err);
static void clear(const struct rf_setting *table, void *options);

static const struct rf_setting no_settings[] = {{0}};

static const struct rf_setting *settings_of(const struct rf_variant *kind) {
    return kind->settings ? kind->settings : no_settings;
}

static const struct rf_setting *find_setting(const struct rf_setting *table, const char *name, size_t size) {
    for (const struct rf_setting *row = table; row->name; row++) {
        if (strlen(row->name) == size && memcmp(row->name, name, size) == 0) {
            return row;
        }
    }
    return NULL;
}

// "a, b or c", cut where it does not fit.
static void add_name(char *list, size_t size, const char *name, bool is_first, bool is_last) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", is_first ? "" : is_last ? " or " : ", ", name);
}

static enum rf_status fail_choice(const char *name, const char *text, const char *const *choices, struct rf_error *err) {
    char list[512] = "";
    for (size_t i = 0; choices[i]; i++) {
        add_name(list, sizeof list, choices[i], i == 0, !choices[i + 1]);
    }
    return rf_fail(err, RF_INVALID, "%s is \"%.64s\", must be %s", name, text, list);
}

static enum rf_status fail_kind(const char *what, const char *name, const struct rf_variant *variants, struct rf_error *err) {
    char list[512] = "";
    for (const struct rf_variant *kind = variants; kind->name; kind++) {
        add_name(list, sizeof list, kind->name, kind == variants, !kind[1].name);
    }
    return rf_fail(err, RF_INVALID, "%s is \"%.64s\", must be %s", what, name, list);
}

static enum rf_status make(const struct rf_variant *variants, const char *what, const char *name,
                           struct rf_variant_value *value_out, struct rf_error *err) {
    for (const struct rf_variant *kind = variants; kind->name; kind++) {
        if (strcmp(kind->name, name) == 0) {
            struct rf_variant_value value = {kind, calloc(1, kind->options_size ? kind->options_size : 1)};
            if (!value.options) {
                return rf_fail(err, RF_MEMORY, "settings: out of memory");
            }
            if (fill(settings_of(kind), value.options, err) != RF_OK) {
                rf_options_destroy(&value);
                return err->status;
            }
            *value_out = value;
            return RF_OK;
        }
    }
    return fail_kind(what, name, variants, err);
}

static enum rf_status set_number(const struct rf_setting *row, void *slot, const char *text, struct rf_error *err) {
    char *end = NULL;
    bool is_whole = row->type == RF_TYPE_UINT;
    bool is_number = text[0] != '\0' && strspn(text, is_whole ? "0123456789" : "0123456789+-.eE") == strlen(text);
    if (!is_whole && row->choices && strcmp(text, row->choices[0]) == 0) {
        *(double *)slot = NAN;
        return RF_OK;
    }
    errno = 0;
    uint64_t whole = is_number && is_whole ? strtoull(text, &end, 10) : 0;
    double real = is_number && !is_whole ? strtod(text, &end) : (double)whole;
    if (!is_number || *end != '\0' || (is_whole && errno) || !(real >= row->min && real <= row->max) || !(real <= DBL_MAX)) {
        return rf_fail(err, RF_INVALID, "%s is \"%.64s\", must be a %snumber from %.15g to %.15g%s%s", row->name, text,
                       is_whole ? "whole " : "", row->min, row->max, row->choices ? " or " : "",
                       row->choices ? row->choices[0] : "");
    }
    if (is_whole) {
        *(uint64_t *)slot = whole;
    } else {
        *(double *)slot = real;
    }
    return RF_OK;
}

static enum rf_status set_choice(const struct rf_setting *row, int *slot, const char *text, struct rf_error *err) {
    for (int i = 0; row->choices[i]; i++) {
        if (strcmp(row->choices[i], text) == 0) {
            *slot = i;
            return RF_OK;
        }
    }
    return fail_choice(row->name, text, row->choices, err);
}

static enum rf_status set_value(const struct rf_setting *row, void *slot, const char *text, struct rf_error *err) {
    static const char *const truths[] = {"true", "false", NULL};
    struct rf_variant_value value = {0};
    char *copy;
    switch (row->type) {
    case RF_TYPE_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            return fail_choice(row->name, text, truths, err);
        }
        *(bool *)slot = strcmp(text, "true") == 0;
        return RF_OK;
    case RF_TYPE_UINT:
    case RF_TYPE_REAL:
        return set_number(row, slot, text, err);
    case RF_TYPE_CHOICE:
        return set_choice(row, slot, text, err);
    case RF_TYPE_TEXT:
        copy = strdup(text);
        if (!copy) {
            return rf_fail(err, RF_MEMORY, "settings: out of memory");
        }
        free(*(char **)slot);
        *(char **)slot = copy;
        return RF_OK;
    case RF_TYPE_VARIANT:
        if (make(row->variants, row->name, text, &value, err) != RF_OK) {
            return err->status;
        }
        rf_options_destroy(slot);
        *(struct rf_variant_value *)slot = value;
        return RF_OK;
    default:
        return rf_fail(err, RF_INVALID, "%s is a list or a section, must be set by its members or not at all", row->name);
    }
}

// Sets the member of free names with text values that is called `name`.
static enum rf_status set_member(struct rf_pairs *pairs, const char *name, const char *text, struct rf_error *err) {
    size_t i = 0;
    while (i < pairs->count && strcmp(pairs->list[i].name, name) != 0) {
        i++;
    }
    struct rf_pair *list = i < pairs->count ? pairs->list : realloc(pairs->list, (i + 1) * sizeof *list);
    char *value = strdup(text);
    pairs->list = list ? list : pairs->list;
    if (!list || !value) {
        free(value);
        return rf_fail(err, RF_MEMORY, "settings: out of memory");
    }
    if (i == pairs->count) {
        list[i] = (struct rf_pair){.name = strdup(name)};
        if (!list[i].name) {
            free(value);
            return rf_fail(err, RF_MEMORY, "settings: out of memory");
        }
        pairs->count++;
    }
    free(list[i].value);
    list[i].value = value;
    return RF_OK;
}

static void clear_members(struct rf_pairs *pairs) {
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->list[i].name);
        free(pairs->list[i].value);
    }
    free(pairs->list);
}

// Everything has its default; lists are empty.
static enum rf_status fill(const struct rf_setting *table, void *options, struct rf_error *err) {
    for (const struct rf_setting *row = table; row->name; row++) {
        void *slot = (char *)options + row->offset;
        enum rf_status status = RF_OK;
        if (row->type == RF_TYPE_SECTION) {
            status = fill(row->section, slot, err);
        } else if (row->fallback && row->fallback[0] != '[' && row->fallback[0] != '{') {
            status = set_value(row, slot, row->fallback, err);
        } else if (row->type == RF_TYPE_CHOICE) {
            *(int *)slot = -1;
        }
        if (status != RF_OK) {
            return status;
        }
    }
    return RF_OK;
}

static void clear(const struct rf_setting *table, void *options) {
    for (const struct rf_setting *row = table; row->name; row++) {
        void *slot = (char *)options + row->offset;
        if (row->type == RF_TYPE_SECTION) {
            clear(row->section, slot);
        } else if (row->type == RF_TYPE_VARIANT) {
            rf_options_destroy(slot);
        } else if (row->type == RF_TYPE_PAIRS) {
            clear_members(slot);
        } else if (row->type == RF_TYPE_TEXT) {
            free(*(char **)slot);
        }
    }
}

void rf_options_destroy(struct rf_variant_value *value) {
    if (value->kind) {
        clear(settings_of(value->kind), value->options);
    }
    free(value->options);
    *value = (struct rf_variant_value){0};
}

static enum rf_status fail_unknown(const char *kind, const struct rf_setting *table, const char *name, size_t size,
                                   struct rf_error *err) {
    char list[512] = "";
    for (const struct rf_setting *row = table; row->name; row++) {
        add_name(list, sizeof list, row->name, row == table, !row[1].name);
    }
    return rf_fail(err, RF_INVALID, "unknown setting \"%.*s\" of %s, must be %s", (int)(size < 64 ? size : 64), name, kind,
                   list[0] ? list : "none: it has no settings");
}

enum rf_status rf_options_set(struct rf_variant_value *value, const char *path, const char *text, struct rf_error *err) {
    assert(value->kind);
    const struct rf_setting *table = settings_of(value->kind);
    const char *kind = value->kind->name;
    char *options = value->options;
    for (const char *rest = path;;) {
        size_t size = strcspn(rest, ".");
        const struct rf_setting *row = find_setting(table, rest, size);
        if (!row) {
            return fail_unknown(kind, table, rest, size, err);
        }
        void *slot = options + row->offset;
        if (rest[size] == '\0') {
            return set_value(row, slot, text, err);
        }
        rest += size + 1;
        const struct rf_variant_value *inner = slot;
        if (row->type == RF_TYPE_PAIRS) {
            return set_member(slot, rest, text, err);
        }
        if (row->type == RF_TYPE_SECTION) {
            table = row->section;
            options = slot;
        } else if (row->type == RF_TYPE_VARIANT && inner->kind) {
            table = settings_of(inner->kind);
            options = inner->options;
        } else {
            return fail_unknown(row->name, no_settings, rest, strcspn(rest, "."), err);
        }
        kind = row->type == RF_TYPE_VARIANT ? inner->kind->name : row->name;
    }
}

// One `name=value` without the spaces around either.
static enum rf_status set_pair(struct rf_variant_value *value, const char *pair, size_t size, struct rf_error *err) {
    char text[2 * NAME_SIZE] = "", name[NAME_SIZE] = "", setting[NAME_SIZE] = "", more[2] = "";
    snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), pair);
    if (size >= sizeof text || sscanf(text, " %127[^= \t\n] = %127[^ \t\n] %1s", name, setting, more) != 2) {
        return rf_fail(err, RF_INVALID, "\"%.64s\" is no setting, must be name=value", text);
    }
    return rf_options_set(value, name, setting, err);
}

enum rf_status rf_options_create(const struct rf_variant *variants, const char *name, const char *text,
                                 struct rf_variant_value *value_out, struct rf_error *err) {
    struct rf_variant_value value = {0};
    if (make(variants, "the kind", name, &value, err) != RF_OK) {
        return err->status;
    }
    const char *pair = text ? text : "";
    pair += strspn(pair, " \t\n,");
    while (*pair != '\0') {
        size_t size = strcspn(pair, ",");
        if (set_pair(&value, pair, size, err) != RF_OK) {
            rf_options_destroy(&value);
            return err->status;
        }
        pair += size;
        pair += strspn(pair, " \t\n,");
    }
    *value_out = value;
    return RF_OK;
}
