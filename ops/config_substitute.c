// `${NAME}` and `${file:path}`. They are put in after the file was parsed, so that no value can become structure, and
// must be one line, so that none can become two.
#include "ops/config.h"
#include "ops/config_internal.h"
#include "proto/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rf_status read_file(const struct rf_yaml *node, const char *path, struct rf_printer *value, struct rf_error *err) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return rf_yaml_fail(err, node->place, "cannot read %s: %s", path, strerror(errno));
    }
    size_t start = value->size;
    ssize_t got = 0;
    int failure = 0;
    do {
        char bytes[4096];
        got = read(file, bytes, sizeof bytes);
        failure = got < 0 ? errno : 0;
        if (got > 0) {
            rf_printer_add_bytes(value, bytes, (size_t)got);
        }
    } while ((got > 0 && value->size <= RF_CONFIG_VALUE_SIZE_MAX) || failure == EINTR);
    close(file);
    if (failure) {
        return rf_yaml_fail(err, node->place, "cannot read %s: %s", path, strerror(failure));
    }
    if (value->size > start && value->text[value->size - 1] == '\n') {
        value->size -= value->size - start > 1 && value->text[value->size - 2] == '\r' ? 2 : 1;
        value->text[value->size] = '\0';
    }
    return RF_OK;
}

static bool is_environment_name(const char *name) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return name[0] != '\0' && strspn(name, letters) == strlen(name) && !(name[0] >= '0' && name[0] <= '9');
}

static enum rf_status check_value(const struct rf_yaml *node, const char *what, const char *name, const char *text, size_t size,
                                  struct rf_error *err) {
    if (memchr(text, '\n', size) || memchr(text, '\r', size)) {
        return rf_yaml_fail(err, node->place, "%s%s holds more than one line, must hold one", what, name);
    }
    if (memchr(text, '\0', size) || !rf_utf8_is_valid((struct rf_text){text, size})) {
        return rf_yaml_fail(err, node->place, "%s%s holds bytes that are not text, must be UTF-8", what, name);
    }
    return RF_OK;
}

// Appends what the reference between `${` and `}` stands for.
static enum rf_status add_reference(const struct rf_yaml *node, const char *name, struct rf_printer *value,
                                    struct rf_error *err) {
    size_t start = value->size;
    if (!strncmp(name, "file:", 5) && name[5] != '\0') {
        enum rf_status status = read_file(node, name + 5, value, err);
        if (status != RF_OK || value->is_cut || value->size > RF_CONFIG_VALUE_SIZE_MAX) {
            return status; // the caller tells of the size
        }
        return check_value(node, "", name + 5, value->size ? value->text + start : "", value->size - start, err);
    }
    if (!is_environment_name(name)) {
        struct rf_printer shown = {0};
        rf_printer_quote(&shown, name);
        rf_yaml_fail(err, node->place, "%.200s stands between ${ and }, must be the name of an environment variable or file:path",
                     shown.text ? shown.text : "");
        rf_printer_finish(&shown);
        return RF_INVALID;
    }
    const char *found = getenv(name);
    if (!found) {
        return rf_yaml_fail(err, node->place, "the environment variable %s is not set", name);
    }
    rf_printer_add(value, found);
    return check_value(node, "the environment variable ", name, found, strlen(found), err);
}

static enum rf_status substitute_text(const struct rf_yaml *node, struct rf_printer *value, struct rf_error *err) {
    for (const char *rest = node->text; *rest != '\0';) {
        const char *mark = strstr(rest, "${");
        if (!mark) {
            rf_printer_add(value, rest);
            return RF_OK;
        }
        bool is_escaped = mark > rest && mark[-1] == '$';
        rf_printer_add_bytes(value, rest, (size_t)(mark - rest) - is_escaped);
        if (is_escaped) {
            rf_printer_add(value, "${");
            rest = mark + 2;
            continue;
        }
        const char *end = strchr(mark, '}');
        if (!end) {
            return rf_yaml_fail(err, node->place, "a ${ stands here without its }; a plain ${ is written $${");
        }
        char *name = strndup(mark + 2, (size_t)(end - mark) - 2);
        enum rf_status status =
                name ? add_reference(node, name, value, err) : rf_fail(err, RF_MEMORY, "no memory left to read the settings");
        free(name);
        if (status != RF_OK) {
            return status;
        }
        if (value->size > RF_CONFIG_VALUE_SIZE_MAX) {
            return rf_yaml_fail(err, node->place, "what ${...} puts in here is longer than %d bytes", RF_CONFIG_VALUE_SIZE_MAX);
        }
        rest = end + 1;
    }
    return RF_OK;
}

enum rf_status rf_config_substitute(struct rf_yaml *node, struct rf_error *err) {
    for (size_t i = 0; i < node->count; i++) {
        enum rf_status status = rf_config_substitute(node->list[i], err);
        if (status != RF_OK) {
            return status;
        }
    }
    if (node->kind != RF_YAML_SCALAR || !strstr(node->text, "${")) {
        return RF_OK;
    }
    struct rf_printer value = {0};
    enum rf_status status = substitute_text(node, &value, err);
    if (status != RF_OK) {
        rf_printer_finish(&value);
        return status;
    }
    char *text = rf_printer_take(&value);
    if (!text) {
        return rf_fail(err, RF_MEMORY, "no memory left to read the settings");
    }
    free(node->text);
    node->text = text;
    node->is_text = true;
    return RF_OK;
}
