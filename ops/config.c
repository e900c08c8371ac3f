#include "ops/config.h"
#include "ops/config_internal.h"
#include "proto/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char no_memory[] = "no memory left to read the settings";

static void finish_variant(struct rf_variant_value *value) {
    if (value->kind && value->kind->settings) {
        rf_config_finish(value->kind->settings, value->options);
    }
    free(value->options);
    *value = (struct rf_variant_value){0};
}

static void finish_texts(struct rf_texts *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        free(texts->list[i]);
    }
    free(texts->list);
    *texts = (struct rf_texts){0};
}

static void finish_lists_of_texts(const struct rf_setting *row, void *slot) {
    if (row->type == RF_TYPE_TEXTS) {
        finish_texts(slot);
    } else if (row->type == RF_TYPE_TEXT_LISTS) {
        struct rf_text_lists *lists = slot;
        for (size_t i = 0; i < lists->count; i++) {
            finish_texts(&lists->list[i]);
        }
        free(lists->list);
        *lists = (struct rf_text_lists){0};
    } else {
        struct rf_named_texts *named = slot;
        for (size_t i = 0; i < named->count; i++) {
            free(named->list[i].name);
            finish_texts(&named->list[i].texts);
        }
        free(named->list);
        *named = (struct rf_named_texts){0};
    }
}

static void finish_list(const struct rf_setting *row, void *slot) {
    if (row->type == RF_TYPE_REALS) {
        struct rf_reals *reals = slot;
        free(reals->list);
        *reals = (struct rf_reals){0};
    } else if (row->type == RF_TYPE_SECTIONS) {
        struct rf_sections *sections = slot;
        for (size_t i = 0; i < sections->count; i++) {
            rf_config_finish(row->section, (char *)sections->list + i * row->section_size);
        }
        free(sections->list);
        *sections = (struct rf_sections){0};
    } else if (row->type == RF_TYPE_PAIRS) {
        struct rf_pairs *pairs = slot;
        for (size_t i = 0; i < pairs->count; i++) {
            free(pairs->list[i].name);
            free(pairs->list[i].value);
        }
        free(pairs->list);
        *pairs = (struct rf_pairs){0};
    } else {
        struct rf_variant_values *values = slot;
        for (size_t i = 0; i < values->count; i++) {
            finish_variant(&values->list[i]);
        }
        free(values->list);
        *values = (struct rf_variant_values){0};
    }
}

void rf_config_finish(const struct rf_setting *table, void *options) {
    for (const struct rf_setting *row = table; row->name; row++) {
        void *slot = (char *)options + row->offset;
        switch (row->type) {
        case RF_TYPE_BOOL:
            *(bool *)slot = false;
            break;
        case RF_TYPE_UINT:
            *(uint64_t *)slot = 0;
            break;
        case RF_TYPE_REAL:
            *(double *)slot = 0.0;
            break;
        case RF_TYPE_CHOICE:
            *(int *)slot = 0;
            break;
        case RF_TYPE_TEXT:
            free(*(char **)slot);
            *(char **)slot = NULL;
            break;
        case RF_TYPE_SECTION:
            rf_config_finish(row->section, slot);
            break;
        case RF_TYPE_VARIANT:
            finish_variant(slot);
            break;
        case RF_TYPE_TEXTS:
        case RF_TYPE_TEXT_LISTS:
        case RF_TYPE_NAMED_TEXTS:
            finish_lists_of_texts(row, slot);
            break;
        case RF_TYPE_REALS:
        case RF_TYPE_SECTIONS:
        case RF_TYPE_PAIRS:
        case RF_TYPE_VARIANTS:
            finish_list(row, slot);
            break;
        }
    }
}

static bool is_path(struct rf_text text) {
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return false;
        }
    }
    return rf_utf8_is_valid(text);
}

static enum rf_status read_sets(struct rf_yaml *root, const char *const *sets, size_t set_count, const struct rf_setting *table,
                                char **paths, struct rf_error *err) {
    for (size_t i = 0; i < set_count; i++) {
        const char *mark = strchr(sets[i], '=');
        if (!mark || mark == sets[i]) {
            return rf_fail(err, RF_INVALID, "--set %.200s has no %s, must be path.to.key=value", sets[i],
                           mark ? "path" : "\"=\"");
        }
        if (!is_path((struct rf_text){sets[i], (size_t)(mark - sets[i])})) {
            return rf_fail(err, RF_INVALID, "--set number %zu has a path with bytes that are not printable UTF-8", i + 1);
        }
        paths[i] = strndup(sets[i], (size_t)(mark - sets[i]));
        if (!paths[i]) {
            return rf_fail(err, RF_MEMORY, no_memory);
        }
        enum rf_status status = rf_config_set(root, table, paths[i], mark + 1, err);
        if (status != RF_OK) {
            return status;
        }
    }
    return RF_OK;
}

static enum rf_status check_root(const struct rf_yaml *root, const char *name, struct rf_error *err) {
    if (!root || rf_yaml_is_null(root)) {
        return rf_fail(err, RF_INVALID, "%s is empty, must hold settings as in name: value", name);
    }
    if (root->kind != RF_YAML_MAP) {
        return rf_yaml_fail(err, root->place, "the file holds a %s, must hold settings as in name: value",
                            root->kind == RF_YAML_LIST ? "list" : "text");
    }
    return RF_OK;
}

enum rf_status rf_config_read(const char *name, struct rf_text text, const char *const *sets, size_t set_count,
                              const struct rf_setting *table, void *options_out, struct rf_error *err) {
    struct rf_yaml *root = NULL;
    char **paths = calloc(set_count + 1, sizeof *paths); // the places of what was set borrow them
    enum rf_status status = paths ? rf_yaml_parse(name, text.data, text.size, &root, err) : rf_fail(err, RF_MEMORY, no_memory);
    if (status == RF_OK) {
        status = check_root(root, name, err);
    }
    if (status == RF_OK) {
        status = read_sets(root, sets, set_count, table, paths, err);
    }
    if (status == RF_OK) {
        status = rf_config_substitute(root, err);
    }
    if (status == RF_OK) {
        status = rf_config_read_tree(root, table, options_out, err);
        if (status != RF_OK) {
            rf_config_finish(table, options_out);
        }
    }
    rf_yaml_destroy(root);
    for (size_t i = 0; paths && i < set_count; i++) {
        free(paths[i]);
    }
    free(paths);
    return status;
}

static enum rf_status fail_read(struct rf_error *err, const char *path) {
    if (errno == EISDIR) {
        return rf_fail(err, RF_INVALID, "%s is a folder, must be a YAML file", path);
    }
    return rf_fail(err, errno == ENOENT ? RF_NOT_FOUND : RF_IO, "cannot read %s: %s", path, strerror(errno));
}

enum rf_status rf_config_load(const char *path, const char *const *sets, size_t set_count, const struct rf_setting *table,
                              void *options_out, struct rf_error *err) {
    bool is_stdin = !strcmp(path, "-");
    int file = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return fail_read(err, path);
    }
    const char *name = is_stdin ? "standard input" : path;
    struct rf_printer text = {0};
    enum rf_status status = RF_OK;
    while (status == RF_OK && text.size <= RF_YAML_SIZE_MAX) {
        char bytes[16384];
        ssize_t got = read(file, bytes, sizeof bytes);
        if (got == 0) {
            break;
        }
        if (got > 0) {
            rf_printer_add_bytes(&text, bytes, (size_t)got);
        } else if (errno != EINTR) {
            status = fail_read(err, name);
        }
    }
    if (!is_stdin) {
        close(file);
    }
    if (status == RF_OK && text.is_cut) {
        status = rf_fail(err, RF_MEMORY, no_memory);
    }
    if (status == RF_OK) {
        struct rf_text content = {text.size ? text.text : "", text.size};
        status = rf_config_read(name, content, sets, set_count, table, options_out, err);
    }
    rf_printer_finish(&text);
    return status;
}
