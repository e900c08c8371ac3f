#ifndef RF_OPS_CONFIG_READER_H
#define RF_OPS_CONFIG_READER_H
// What the files that read a tree into structs share.
#include "ops/config_internal.h"

struct rf_reader {
    struct rf_error *err;
    char path[512]; // of the setting being read, e.g. "learner.optimizer.rate"
    size_t path_size;
};

// Puts a name, or the index of a member, behind the path; returns what rf_reader_leave() must be given to take it off.
size_t rf_reader_enter(struct rf_reader *reader, const char *name);
size_t rf_reader_enter_index(struct rf_reader *reader, size_t index);
void rf_reader_leave(struct rf_reader *reader, size_t before);

enum rf_status rf_reader_out_of_memory(const struct rf_reader *reader);

// "path is VALUE, must be WHAT": the sentence of every wrong value. The first two take `expected` and finish it.
enum rf_status rf_reader_fail_value(struct rf_reader *reader, struct rf_yaml_place place, const char *value,
                                    struct rf_printer *expected);
enum rf_status rf_reader_fail_text(struct rf_reader *reader, struct rf_yaml_place place, const char *text,
                                   struct rf_printer *expected);
enum rf_status rf_reader_fail_row(struct rf_reader *reader, const struct rf_setting *row, struct rf_yaml_place place,
                                  const char *text);
enum rf_status rf_reader_fail_node(struct rf_reader *reader, const struct rf_yaml *node, const char *what);

bool rf_reader_real(const struct rf_setting *row, const char *text, double *value_out);
enum rf_status rf_reader_scalar(struct rf_reader *reader, const struct rf_setting *row, const char *text,
                                struct rf_yaml_place place, void *slot);

// RF_TYPE_REALS, RF_TYPE_TEXTS, RF_TYPE_TEXT_LISTS, RF_TYPE_NAMED_TEXTS, RF_TYPE_PAIRS and RF_TYPE_SECTIONS.
bool rf_setting_is_list(const struct rf_setting *row);
enum rf_status rf_reader_list(struct rf_reader *reader, const struct rf_setting *row, const struct rf_yaml *node, void *slot);

// `map` NULL or null: nothing is written, everything has its default. `place` is where it stands, or what encloses it.
enum rf_status rf_reader_table(struct rf_reader *reader, const struct rf_setting *table, const struct rf_yaml *map,
                               struct rf_yaml_place place, bool is_variant, void *options);

#endif
