#include "ops/config_yaml.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    const char *file;
    const char *text;
    size_t size;
    size_t nodes;
    struct rf_error *err;
};

enum rf_status rf_yaml_fail(struct rf_error *err, struct rf_yaml_place place, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char sentence[RF_ERROR_TEXT_SIZE];
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (place.line == 0) {
        return rf_fail(err, RF_INVALID, "--set %s: %s", place.file, sentence);
    }
    return rf_fail(err, RF_INVALID, "%s:%zu:%zu: %s", place.file, place.line, place.column, sentence);
}

void rf_yaml_destroy(struct rf_yaml *node) {
    if (!node) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        rf_yaml_destroy(node->list[i]);
    }
    free(node->list);
    free(node->name);
    free(node->text);
    free(node);
}

bool rf_yaml_is_null(const struct rf_yaml *node) {
    return node->kind == RF_YAML_SCALAR && !node->is_text &&
           (!strcmp(node->text, "") || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
}

struct rf_yaml *rf_yaml_find(const struct rf_yaml *map, const char *name) {
    for (size_t i = 0; map->kind == RF_YAML_MAP && i < map->count; i++) {
        if (!strcmp(map->list[i]->name, name)) {
            return map->list[i];
        }
    }
    return NULL;
}

struct rf_yaml *rf_yaml_create(enum rf_yaml_kind kind, const char *text, struct rf_yaml_place place) {
    struct rf_yaml *node = calloc(1, sizeof *node);
    if (!node) {
        return NULL;
    }
    node->kind = kind;
    node->place = place;
    node->name_place = place;
    if (kind == RF_YAML_SCALAR && !(node->text = strdup(text))) {
        free(node);
        return NULL;
    }
    return node;
}

static enum rf_status append(struct rf_yaml *parent, struct rf_yaml *child, struct rf_error *err) {
    if (parent->count == RF_YAML_MEMBERS_MAX) {
        return rf_yaml_fail(err, child->place, "there are more than %d members here", RF_YAML_MEMBERS_MAX);
    }
    if (parent->count == parent->capacity) {
        size_t capacity = parent->capacity ? 2 * parent->capacity : 4;
        struct rf_yaml **list = realloc(parent->list, capacity * sizeof *list);
        if (!list) {
            return rf_fail(err, RF_MEMORY, "no memory left to read the settings");
        }
        parent->list = list;
        parent->capacity = capacity;
    }
    parent->list[parent->count++] = child;
    return RF_OK;
}

enum rf_status rf_yaml_put(struct rf_yaml *parent, const char *name, struct rf_yaml *child, struct rf_error *err) {
    if (name && strlen(name) > RF_YAML_NAME_SIZE_MAX) {
        enum rf_status status = rf_yaml_fail(err, child->name_place, "a name of %zu bytes stands here, must be at most %d",
                                             strlen(name), RF_YAML_NAME_SIZE_MAX);
        rf_yaml_destroy(child);
        return status;
    }
    if (name) {
        free(child->name);
        child->name = strdup(name);
        if (!child->name) {
            rf_yaml_destroy(child);
            return rf_fail(err, RF_MEMORY, "no memory left to read the settings");
        }
    }
    for (size_t i = 0; name && i < parent->count; i++) {
        if (!strcmp(parent->list[i]->name, name)) {
            rf_yaml_destroy(parent->list[i]);
            parent->list[i] = child;
            return RF_OK;
        }
    }
    enum rf_status status = append(parent, child, err);
    if (status != RF_OK) {
        rf_yaml_destroy(child);
    }
    return status;
}

static struct rf_yaml_place place_of(const struct reader *reader, yaml_mark_t mark) {
    return (struct rf_yaml_place){reader->file, mark.line + 1, mark.column + 1};
}

// The reader's problems have an offset in bytes but no mark.
static struct rf_yaml_place place_at(const struct reader *reader, size_t offset) {
    struct rf_yaml_place place = {reader->file, 1, 1};
    for (size_t i = 0; i < offset && i < reader->size; i++) {
        place.column += (reader->text[i] & 0xc0) != 0x80;
        if (reader->text[i] == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    return place;
}

// Marks count characters, not bytes.
static char character_at(const struct reader *reader, size_t index) {
    size_t offset = 0;
    for (; offset < reader->size && index > 0; offset++) {
        index -= offset + 1 < reader->size && (reader->text[offset + 1] & 0xc0) != 0x80;
    }
    return offset < reader->size ? reader->text[offset] : '\0';
}

static enum rf_status fail_with_problem(struct reader *reader) {
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        return rf_fail(reader->err, RF_MEMORY, "no memory left to read the settings");
    }
    if (parser->error == YAML_READER_ERROR) {
        struct rf_yaml_place place = place_at(reader, parser->problem_offset);
        if (!strcmp(parser->problem, "control characters are not allowed")) {
            return rf_yaml_fail(reader->err, place,
                                "the control character U+%04X stands here, must be written as an escape in quotes",
                                (unsigned)parser->problem_value);
        }
        return rf_yaml_fail(reader->err, place, "the bytes here are not UTF-8");
    }
    struct rf_yaml_place place = place_of(reader, parser->problem_mark);
    if (character_at(reader, parser->problem_mark.index) == '\t') {
        return rf_yaml_fail(reader->err, place, "a tab stands here, must be spaces");
    }
    return rf_yaml_fail(reader->err, place, "this is not YAML: %s%s%s", parser->context ? parser->context : "",
                        parser->context ? ", " : "", parser->problem);
}

static enum rf_status next_event(struct reader *reader, yaml_event_t *event) {
    if (!yaml_parser_parse(&reader->parser, event)) {
        return fail_with_problem(reader);
    }
    return RF_OK;
}

// What YAML can and settings do not need.
static enum rf_status check_plain(struct reader *reader, const yaml_event_t *event) {
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT) {
        return rf_yaml_fail(reader->err, place_of(reader, event->start_mark),
                            "the alias *%.64s stands here, must be the value itself", (const char *)event->data.alias.anchor);
    }
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor) {
        return rf_yaml_fail(reader->err, place_of(reader, event->start_mark),
                            "the anchor &%.64s stands here, must be a plain value", (const char *)anchor);
    }
    if (tag) {
        return rf_yaml_fail(reader->err, place_of(reader, event->start_mark), "a tag stands here, must be a plain value");
    }
    return RF_OK;
}

static enum rf_status read_node(struct reader *reader, yaml_event_t *event, size_t depth, struct rf_yaml **node_out);

static enum rf_status read_scalar(struct reader *reader, const yaml_event_t *event, struct rf_yaml *node) {
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length) {
        return rf_yaml_fail(reader->err, node->place, "a NUL character stands in this text, must be without");
    }
    node->is_text = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = strdup(text);
    return node->text ? RF_OK : rf_fail(reader->err, RF_MEMORY, "no memory left to read the settings");
}

static enum rf_status read_list(struct reader *reader, size_t depth, struct rf_yaml *node) {
    for (;;) {
        yaml_event_t event;
        enum rf_status status = next_event(reader, &event);
        if (status != RF_OK) {
            return status;
        }
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return RF_OK;
        }
        struct rf_yaml *child = NULL;
        status = read_node(reader, &event, depth + 1, &child);
        if (status == RF_OK) {
            status = rf_yaml_put(node, NULL, child, reader->err);
        }
        if (status != RF_OK) {
            return status;
        }
    }
}

static enum rf_status read_member(struct reader *reader, yaml_event_t *key, size_t depth, struct rf_yaml *node) {
    struct rf_yaml *name = NULL;
    enum rf_status status = read_node(reader, key, depth + 1, &name);
    if (status != RF_OK) {
        return status;
    }
    struct rf_yaml *child = NULL;
    yaml_event_t value;
    if (name->kind != RF_YAML_SCALAR) {
        status = rf_yaml_fail(reader->err, name->place, "a %s is the name of a setting here, must be a word",
                              name->kind == RF_YAML_LIST ? "list" : "map");
    } else if (rf_yaml_find(node, name->text)) {
        status = rf_yaml_fail(reader->err, name->place, "\"%.64s\" is set twice, first in line %zu", name->text,
                              rf_yaml_find(node, name->text)->name_place.line);
    } else {
        status = next_event(reader, &value);
    }
    if (status == RF_OK) {
        status = read_node(reader, &value, depth + 1, &child);
    }
    if (status == RF_OK) {
        child->name_place = name->place;
        status = rf_yaml_put(node, name->text, child, reader->err);
    }
    rf_yaml_destroy(name);
    return status;
}

static enum rf_status read_map(struct reader *reader, size_t depth, struct rf_yaml *node) {
    for (;;) {
        yaml_event_t event;
        enum rf_status status = next_event(reader, &event);
        if (status != RF_OK) {
            return status;
        }
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return RF_OK;
        }
        status = read_member(reader, &event, depth, node);
        if (status != RF_OK) {
            return status;
        }
    }
}

// Takes ownership of the event.
static enum rf_status read_node(struct reader *reader, yaml_event_t *event, size_t depth, struct rf_yaml **node_out) {
    struct rf_yaml *node = calloc(1, sizeof *node);
    enum rf_status status =
            node ? check_plain(reader, event) : rf_fail(reader->err, RF_MEMORY, "no memory left to read the settings");
    if (status != RF_OK) {
        goto done;
    }
    node->place = place_of(reader, event->start_mark);
    node->name_place = node->place;
    if (++reader->nodes > RF_YAML_NODES_MAX) {
        status = rf_yaml_fail(reader->err, node->place, "there are more than %d values in the file", RF_YAML_NODES_MAX);
    } else if (depth > RF_YAML_DEPTH_MAX) {
        status = rf_yaml_fail(reader->err, node->place, "this is nested deeper than %d levels", RF_YAML_DEPTH_MAX);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        node->kind = RF_YAML_LIST;
        status = read_list(reader, depth, node);
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        node->kind = RF_YAML_MAP;
        status = read_map(reader, depth, node);
    } else {
        node->kind = RF_YAML_SCALAR;
        status = read_scalar(reader, event, node);
    }
done:
    yaml_event_delete(event);
    if (status != RF_OK) {
        rf_yaml_destroy(node);
        return status;
    }
    *node_out = node;
    return RF_OK;
}

static enum rf_status read_stream(struct reader *reader, struct rf_yaml **root_out) {
    yaml_event_t event;
    struct rf_yaml *root = NULL;
    bool has_document = false;
    for (;;) {
        enum rf_status status = next_event(reader, &event);
        if (status == RF_OK && event.type == YAML_DOCUMENT_START_EVENT && has_document) {
            status = rf_yaml_fail(reader->err, place_of(reader, event.start_mark),
                                  "a second document begins here, must be one a file");
            yaml_event_delete(&event);
        }
        if (status == RF_OK && (event.type == YAML_SCALAR_EVENT || event.type == YAML_SEQUENCE_START_EVENT ||
                                event.type == YAML_MAPPING_START_EVENT || event.type == YAML_ALIAS_EVENT)) {
            status = read_node(reader, &event, 0, &root);
        }
        if (status != RF_OK) {
            rf_yaml_destroy(root);
            return status;
        }
        has_document = has_document || event.type == YAML_DOCUMENT_START_EVENT;
        bool is_end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (is_end) {
            *root_out = root;
            return RF_OK;
        }
    }
}

enum rf_status rf_yaml_parse(const char *file, const char *text, size_t size, struct rf_yaml **root_out, struct rf_error *err) {
    if (size > RF_YAML_SIZE_MAX) {
        return rf_fail(err, RF_INVALID, "%s is larger than %d bytes", file, RF_YAML_SIZE_MAX);
    }
    struct reader reader = {.file = file, .text = text, .size = size, .err = err};
    if (!yaml_parser_initialize(&reader.parser)) {
        return rf_fail(err, RF_MEMORY, "no memory left to read the settings");
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    enum rf_status status = read_stream(&reader, root_out);
    yaml_parser_delete(&reader.parser);
    return status;
}
