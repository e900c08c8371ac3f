#ifndef RF_INGEST_PATH_PLAN_H
#define RF_INGEST_PATH_PLAN_H
#include "ingest/schema.h"

// The names of declared fields as paths into nested records, for decoders of formats that nest. A name is cut at its dots:
//
//     a.b           member b of the object a
//     items.sku     where items is an array: the sku of each of its elements; arrays within arrays are walked too
//     items.0.sku   where items is an array: the sku of its first element; where it is an object: that of its member called 0
//
// All paths together are one machine: a decoder starts with RF_PATH_RECORD, goes on with each member or element that it
// meets, and is told which fields a value belongs to. It is made with the schema and never changes, so that any thread may
// use it; a decoder that knows the shape of its records beforehand may go through it once, when it is made. Going from member
// to member always comes to an end, also where types hold themselves.
//
// What is read is in it; what is only ignored, and what is derived, is not.
struct rf_path_plan;

enum {
    RF_PATH_NONE,           // no declared field is here or beneath
    RF_PATH_RECORD,         // the record itself
    RF_PATH_STEPS_MAX = 64, // of one name
    RF_PATH_STATES_MAX = 1 << 20,
};

struct rf_path {
    struct rf_text text;    // what leads here: "items" on the way to items.sku; as long as the schema
    const uint32_t *fields; // [field_count] in the schema: those that a scalar here, or the elements of an array, are values of
    uint32_t field_count;
    bool goes_on; // some fields are beneath
};

// The state of a member of the object at `state`. In the record itself it may also be a whole name with dots, which leads to
// that field alone. RF_PATH_NONE leads nowhere.
uint32_t rf_path_member(const struct rf_path_plan *plan, uint32_t state, struct rf_text name);

// The state of an element of the array at `state`, itself never RF_PATH_RECORD.
uint32_t rf_path_element(const struct rf_path_plan *plan, uint32_t state, size_t index);

// States are numbers below this one. No two ways of members and numbered elements lead to the same state.
uint32_t rf_path_count(const struct rf_path_plan *plan);

// The steps that lead on from `state`, for who makes tables of them beforehand, sorted by size and then bytes, which for numbers
// is their order: from an object, and from an array, where index SIZE_MAX stands for all elements that no step picks.
struct rf_path_step {
    struct rf_text text; // as long as the schema
    uint32_t state;
};
const struct rf_path_step *rf_path_members(const struct rf_path_plan *plan, uint32_t state, size_t *count_out);
const struct rf_path_step *rf_path_elements(const struct rf_path_plan *plan, uint32_t state, size_t *count_out);

struct rf_path rf_path_at(const struct rf_path_plan *plan, uint32_t state); // RF_PATH_NONE: no fields, and does not go on

// For rf_schema_create(): made last. The schema is borrowed, and owns what is made.
enum rf_status rf_path_plan_create(const struct rf_schema *schema, struct rf_path_plan **plan_out,
                                   struct rf_error *err) RF_MUST_USE;
void rf_path_plan_destroy(struct rf_path_plan *plan);

#endif
