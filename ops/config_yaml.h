#ifndef RF_OPS_CONFIG_YAML_H
#define RF_OPS_CONFIG_YAML_H
// A YAML document as a tree that knows where everything stood. The part of YAML that settings need: one document of
// maps, lists and scalars in UTF-8. Anchors, aliases, tags and doubled keys are refused in words, and so is whatever
// exceeds the bounds below, so that no file can cost much time or memory.
#include "proto/status.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    RF_YAML_SIZE_MAX = 1 << 20, // bytes of a document
    RF_YAML_DEPTH_MAX = 32,
    RF_YAML_NODES_MAX = 65536,
    RF_YAML_MEMBERS_MAX = 4096, // of one map or list
    RF_YAML_NAME_SIZE_MAX = 128,
};

enum rf_yaml_kind { RF_YAML_SCALAR, RF_YAML_LIST, RF_YAML_MAP };

// Where a node stood, for sentences.
struct rf_yaml_place {
    const char *file;    // borrowed; with --set: the path that was set
    size_t line, column; // from 1; line 0: from --set
};

struct rf_yaml {
    enum rf_yaml_kind kind;
    bool is_text; // a scalar in quotes, or one that was put in: never null, whatever it says
    struct rf_yaml_place place;

    char *name; // its key, when it is a member of a map
    struct rf_yaml_place name_place;

    char *text;            // RF_YAML_SCALAR
    struct rf_yaml **list; // [count], RF_YAML_LIST and RF_YAML_MAP, in their order
    size_t count, capacity;
};

// Reads a document. `file` names it in sentences and is borrowed by the tree. *root_out is NULL when the document holds
// nothing but comments.
enum rf_status rf_yaml_parse(const char *file, const char *text, size_t size, struct rf_yaml **root_out,
                             struct rf_error *err) RF_MUST_USE;
void rf_yaml_destroy(struct rf_yaml *node);

// Nothing was written: `name:`, `name: ~` or `name: null`.
bool rf_yaml_is_null(const struct rf_yaml *node);

struct rf_yaml *rf_yaml_find(const struct rf_yaml *map, const char *name); // NULL when it is not there, or no map

// Makes an empty map, or a scalar of `text`. NULL when memory is out.
struct rf_yaml *rf_yaml_create(enum rf_yaml_kind kind, const char *text, struct rf_yaml_place place);

// Appends `child` under `name` (NULL in a list), or puts it in the place of the child of that name. Takes ownership,
// also when it fails.
enum rf_status rf_yaml_put(struct rf_yaml *parent, const char *name, struct rf_yaml *child, struct rf_error *err) RF_MUST_USE;

// `fraud.yaml:12:3: ` in front of the sentence, or `--set learner.l2: `.
enum rf_status rf_yaml_fail(struct rf_error *err, struct rf_yaml_place place, const char *format, ...) RF_PRINTF(3, 4);

#endif
