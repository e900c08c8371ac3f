// What reading every type of setting shares: where it is, what it says when a value is wrong, and scalars.
#include "ops/config_reader.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rf_status rf_reader_out_of_memory(const struct rf_reader *reader) {
    return rf_fail(reader->err, RF_MEMORY, "no memory left to read the settings");
}

size_t rf_reader_enter(struct rf_reader *reader, const char *name) {
    size_t before = reader->path_size;
    size_t room = sizeof reader->path - before;
    int size = snprintf(reader->path + before, room, "%s%s", before ? "." : "", name);
    reader->path_size += (size_t)size < room ? (size_t)size : room - 1;
    return before;
}

size_t rf_reader_enter_index(struct rf_reader *reader, size_t index) {
    char name[24];
    snprintf(name, sizeof name, "%zu", index);
    return rf_reader_enter(reader, name);
}

void rf_reader_leave(struct rf_reader *reader, size_t before) {
    reader->path_size = before;
    reader->path[before] = '\0';
}

enum rf_status rf_reader_fail_value(struct rf_reader *reader, struct rf_yaml_place place, const char *value,
                                    struct rf_printer *expected) {
    rf_yaml_fail(reader->err, place, "%s is %s, must be %s", reader->path, value, expected->text ? expected->text : "different");
    rf_printer_finish(expected);
    return RF_INVALID;
}

enum rf_status rf_reader_fail_text(struct rf_reader *reader, struct rf_yaml_place place, const char *text,
                                   struct rf_printer *expected) {
    char cut[100];
    size_t size = strnlen(text, sizeof cut - 4);
    memcpy(cut, text, size);
    memcpy(cut + size, text[size] == '\0' ? "" : "...", text[size] == '\0' ? 1 : 4);
    struct rf_printer quoted = {0};
    rf_printer_quote(&quoted, cut);
    enum rf_status status = rf_reader_fail_value(reader, place, quoted.text ? quoted.text : "wrong", expected);
    rf_printer_finish(&quoted);
    return status;
}

enum rf_status rf_reader_fail_row(struct rf_reader *reader, const struct rf_setting *row, struct rf_yaml_place place,
                                  const char *text) {
    struct rf_printer expected = {0};
    rf_setting_expected(row, &expected);
    if (row->flags & RF_SETTING_SECRET) {
        return rf_reader_fail_value(reader, place, "***", &expected);
    }
    return rf_reader_fail_text(reader, place, text, &expected);
}

enum rf_status rf_reader_fail_node(struct rf_reader *reader, const struct rf_yaml *node, const char *what) {
    struct rf_printer expected = {0};
    rf_printer_add(&expected, what);
    if (node->kind != RF_YAML_SCALAR) {
        return rf_reader_fail_value(reader, node->place, node->kind == RF_YAML_LIST ? "a list" : "a map", &expected);
    }
    return rf_yaml_is_null(node) ? rf_reader_fail_value(reader, node->place, "empty", &expected)
                                 : rf_reader_fail_text(reader, node->place, node->text, &expected);
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

bool rf_reader_real(const struct rf_setting *row, const char *text, double *value_out) {
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

enum rf_status rf_reader_scalar(struct rf_reader *reader, const struct rf_setting *row, const char *text,
                                struct rf_yaml_place place, void *slot) {
    bool is_right = true;
    if (row->type == RF_TYPE_BOOL) {
        is_right = !strcmp(text, "true") || !strcmp(text, "false");
        *(bool *)slot = !strcmp(text, "true");
    } else if (row->type == RF_TYPE_UINT) {
        is_right = parse_uint(row, text, slot);
    } else if (row->type == RF_TYPE_REAL) {
        is_right = rf_reader_real(row, text, slot);
    } else if (row->type == RF_TYPE_CHOICE) {
        *(int *)slot = parse_choice(row, text);
        is_right = *(int *)slot >= 0;
    } else if (!(*(char **)slot = strdup(text))) {
        return rf_reader_out_of_memory(reader);
    }
    return is_right ? RF_OK : rf_reader_fail_row(reader, row, place, text);
}
