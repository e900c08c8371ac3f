// Lists and maps of the tree into the structs of their rows. A count goes up as soon as its member owns something, so that
// what was read before a failure is freed.
#include "ops/config_reader.h"

#include <stdlib.h>
#include <string.h>

static enum rf_status read_texts(struct rf_reader *reader, const struct rf_yaml *node, struct rf_texts *texts) {
    if (node->kind != RF_YAML_LIST) {
        return rf_reader_fail_node(reader, node, "a list of texts, as in [a, b]");
    }
    texts->list = calloc(node->count ? node->count : 1, sizeof *texts->list);
    if (!texts->list) {
        return rf_reader_out_of_memory(reader);
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct rf_yaml *member = node->list[i];
        size_t before = rf_reader_enter_index(reader, i);
        if (member->kind != RF_YAML_SCALAR || rf_yaml_is_null(member)) {
            return rf_reader_fail_node(reader, member, "a text");
        }
        texts->list[i] = strdup(member->text);
        if (!texts->list[i]) {
            return rf_reader_out_of_memory(reader);
        }
        texts->count++;
        rf_reader_leave(reader, before);
    }
    return RF_OK;
}

static enum rf_status read_reals(struct rf_reader *reader, const struct rf_setting *row, const struct rf_yaml *node,
                                 struct rf_reals *reals) {
    if (node->kind != RF_YAML_LIST) {
        return rf_reader_fail_node(reader, node, "a list of numbers, as in [0, 1.5]");
    }
    reals->list = calloc(node->count ? node->count : 1, sizeof *reals->list);
    if (!reals->list) {
        return rf_reader_out_of_memory(reader);
    }
    reals->count = node->count;
    const struct rf_setting member_row = {.type = RF_TYPE_REAL, .min = row->min, .max = row->max};
    for (size_t i = 0; i < node->count; i++) {
        const struct rf_yaml *member = node->list[i];
        size_t before = rf_reader_enter_index(reader, i);
        if (member->kind != RF_YAML_SCALAR || rf_yaml_is_null(member)) {
            return rf_reader_fail_node(reader, member, "a number");
        }
        enum rf_status status = rf_reader_scalar(reader, &member_row, member->text, member->place, &reals->list[i]);
        if (status) {
            return status;
        }
        rf_reader_leave(reader, before);
    }
    return RF_OK;
}

static enum rf_status read_text_lists(struct rf_reader *reader, const struct rf_yaml *node, struct rf_text_lists *lists) {
    if (node->kind != RF_YAML_LIST) {
        return rf_reader_fail_node(reader, node, "a list of lists, as in [[a, b], [a, c]]");
    }
    lists->list = calloc(node->count ? node->count : 1, sizeof *lists->list);
    if (!lists->list) {
        return rf_reader_out_of_memory(reader);
    }
    lists->count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        size_t before = rf_reader_enter_index(reader, i);
        enum rf_status status = read_texts(reader, node->list[i], &lists->list[i]);
        if (status) {
            return status;
        }
        rf_reader_leave(reader, before);
    }
    return RF_OK;
}

static enum rf_status read_named_texts(struct rf_reader *reader, const struct rf_yaml *node, struct rf_named_texts *named) {
    if (node->kind != RF_YAML_MAP) {
        return rf_reader_fail_node(reader, node, "names with lists, as in {name: [a, b]}");
    }
    named->list = calloc(node->count ? node->count : 1, sizeof *named->list);
    if (!named->list) {
        return rf_reader_out_of_memory(reader);
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct rf_yaml *member = node->list[i];
        size_t before = rf_reader_enter(reader, member->name);
        named->count++;
        named->list[i].name = strdup(member->name);
        if (!named->list[i].name) {
            return rf_reader_out_of_memory(reader);
        }
        enum rf_status status = read_texts(reader, member, &named->list[i].texts);
        if (status) {
            return status;
        }
        rf_reader_leave(reader, before);
    }
    return RF_OK;
}

static enum rf_status read_pairs(struct rf_reader *reader, const struct rf_yaml *node, struct rf_pairs *pairs) {
    if (node->kind != RF_YAML_MAP) {
        return rf_reader_fail_node(reader, node, "settings, as in {name: value}");
    }
    pairs->list = calloc(node->count ? node->count : 1, sizeof *pairs->list);
    if (!pairs->list) {
        return rf_reader_out_of_memory(reader);
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct rf_yaml *member = node->list[i];
        size_t before = rf_reader_enter(reader, member->name);
        if (member->kind != RF_YAML_SCALAR || rf_yaml_is_null(member)) {
            return rf_reader_fail_node(reader, member, "a text");
        }
        pairs->count++;
        pairs->list[i] = (struct rf_pair){strdup(member->name), strdup(member->text), member->place.line};
        if (!pairs->list[i].name || !pairs->list[i].value) {
            return rf_reader_out_of_memory(reader);
        }
        rf_reader_leave(reader, before);
    }
    return RF_OK;
}

static enum rf_status read_sections(struct rf_reader *reader, const struct rf_setting *row, const struct rf_yaml *node,
                                    struct rf_sections *sections) {
    if (node->kind != RF_YAML_LIST) {
        return rf_reader_fail_node(reader, node, "a list of settings, as in [{name: value}]");
    }
    sections->list = calloc(node->count ? node->count : 1, row->section_size);
    if (!sections->list) {
        return rf_reader_out_of_memory(reader);
    }
    sections->count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        const struct rf_yaml *member = node->list[i];
        size_t before = rf_reader_enter_index(reader, i);
        void *options = (char *)sections->list + i * row->section_size;
        enum rf_status status = rf_reader_table(reader, row->section, member, member->place, false, options);
        if (status) {
            return status;
        }
        rf_reader_leave(reader, before);
    }
    return RF_OK;
}

bool rf_setting_is_list(const struct rf_setting *row) {
    return row->type == RF_TYPE_TEXTS || row->type == RF_TYPE_REALS || row->type == RF_TYPE_TEXT_LISTS ||
           row->type == RF_TYPE_NAMED_TEXTS || row->type == RF_TYPE_PAIRS || row->type == RF_TYPE_SECTIONS;
}

enum rf_status rf_reader_list(struct rf_reader *reader, const struct rf_setting *row, const struct rf_yaml *node, void *slot) {
    switch (row->type) {
    case RF_TYPE_TEXTS:
        return read_texts(reader, node, slot);
    case RF_TYPE_REALS:
        return read_reals(reader, row, node, slot);
    case RF_TYPE_TEXT_LISTS:
        return read_text_lists(reader, node, slot);
    case RF_TYPE_NAMED_TEXTS:
        return read_named_texts(reader, node, slot);
    case RF_TYPE_PAIRS:
        return read_pairs(reader, node, slot);
    default:
        return read_sections(reader, row, node, slot);
    }
}
