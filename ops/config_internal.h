#ifndef RF_OPS_CONFIG_INTERNAL_H
#define RF_OPS_CONFIG_INTERNAL_H
// What the files config*.c and specification.c share.
#include "ops/config_yaml.h"
#include "ops/printer.h"
#include "proto/nearest.h"
#include "proto/setting.h"

const struct rf_setting *rf_setting_find(const struct rf_setting *table, const char *name, size_t name_size);
const struct rf_variant *rf_variant_find(const struct rf_variant *variants, const char *name, size_t name_size);

// What a value must be, to follow "must be": "a number from 0 to 1", "json, csv or protobuf".
void rf_setting_expected(const struct rf_setting *row, struct rf_printer *printer);
// Whether the text is the word that stands for a number that is not given, "auto".
bool rf_setting_is_word(const struct rf_setting *row, const char *text);
// The bounds alone: "0 to 1", "1 or more"; nothing where there are none.
void rf_setting_range(const struct rf_setting *row, struct rf_printer *printer);
void rf_variants_expected(const struct rf_variant *variants, struct rf_printer *printer);

// Replaces `${...}` in every scalar value of the tree.
enum rf_status rf_config_substitute(struct rf_yaml *node, struct rf_error *err) RF_MUST_USE;

// Lays one --set over the tree; `path` is the part before "=" and is borrowed by the tree.
enum rf_status rf_config_set(struct rf_yaml *root, const struct rf_setting *table, const char *path, const char *value,
                             struct rf_error *err) RF_MUST_USE;

// Fills the struct from the tree. What was filled when it fails is for rf_config_finish().
enum rf_status rf_config_read_tree(const struct rf_yaml *root, const struct rf_setting *table, void *options,
                                   struct rf_error *err) RF_MUST_USE;

#endif
