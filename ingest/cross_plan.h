#ifndef RF_INGEST_CROSS_PLAN_H
#define RF_INGEST_CROSS_PLAN_H
#include "ingest/schema.h"

// The crosses of a schema, from its settings. All memory is owned.
struct rf_cross_plan {
    struct rf_cross *list; // [count], sorted by name, so that their order in the settings does not matter
    size_t count;
    uint32_t **fields; // [field_list_count] the lists of fields of all sides
    size_t field_list_count;
};

// The fields that a side of a cross names: those of the namespace of that name, or the field of that name. `name` stands in
// for a list of one.
struct rf_texts rf_cross_plan_side(const struct rf_feature_options *options, char **name);

// RF_INVALID, in words, for a cross of other than two or three sides, a side without field, the same cross twice, and
// namespaces that are doubled or name a field twice.
enum rf_status rf_cross_plan_check(const struct rf_feature_options *options, struct rf_error *err) RF_MUST_USE;

// All fields must have been declared.
enum rf_status rf_cross_plan_init(const struct rf_feature_options *options, const struct rf_schema *schema,
                                  struct rf_cross_plan *plan_out, struct rf_error *err) RF_MUST_USE;
void rf_cross_plan_finish(struct rf_cross_plan *plan);

#endif
