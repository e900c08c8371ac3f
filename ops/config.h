#ifndef RF_OPS_CONFIG_H
#define RF_OPS_CONFIG_H
// Settings from YAML into the structs that tables of rows describe (proto/setting.h), and those structs and tables as
// text for people. What the rows say is checked here: names, types, bounds, choices, what is required. What holds
// between settings is for their owner to check.
//
//     - A name without a value (`id:`, `id: ~`, `id: null`) counts as not written.
//     - Booleans are `true` and `false` alone. Whole numbers are digits, bytes are plain bytes.
//     - A variant is a map with `type`, or just its kind; without `type` it is of the default kind. A list of variants has
//       items `kind: {...}`, or just `kind`.
//     - In values (never in names) `${NAME}` is replaced from the environment and `${file:path}` by the one line that a
//       file holds; `$${` stands for `${`. What is put in stays one text, whatever it holds.
//
// Defaults of texts are literal; defaults of variants are YAML; a choice without default is -1 when absent.
#include "proto/setting.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdio.h>

enum { RF_CONFIG_VALUE_SIZE_MAX = 65536 }; // bytes of one value after `${...}` was put in

// Reads the file at `path` ("-": standard input), then lays `sets` over it, each "path.to.key=value", the value in YAML,
// the last one counting most; members of a list go by their index. Fills all of `options_out`, defaults included; the
// struct must be zeroed, and is again when the call fails. It owns what it points to: rf_config_finish() frees that.
enum rf_status rf_config_load(const char *path, const char *const *sets, size_t set_count, const struct rf_setting *table,
                              void *options_out, struct rf_error *err) RF_MUST_USE;

// The same from memory; `name` stands for the path in sentences.
enum rf_status rf_config_read(const char *name, struct rf_text text, const char *const *sets, size_t set_count,
                              const struct rf_setting *table, void *options_out, struct rf_error *err) RF_MUST_USE;

// Frees what the struct points to and zeroes those members. Harmless on a zeroed struct.
void rf_config_finish(const struct rf_setting *table, void *options);

// Settings in force, as YAML that reads back as the same; secrets are shown as "***".
void rf_config_print(const struct rf_setting *table, const void *options, FILE *file);

// Whether the value of a free name (librdkafka's property) must not be shown.
bool rf_config_is_secret(const char *name);

// Every setting with what it takes, its default and its help, for a terminal and for docs/SETTINGS.md.
void rf_config_help(const struct rf_setting *table, FILE *file);
void rf_config_markdown(const struct rf_setting *table, FILE *file);

#endif
