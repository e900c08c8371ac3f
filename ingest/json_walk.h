#ifndef RF_INGEST_JSON_WALK_H
#define RF_INGEST_JSON_WALK_H
#include "ingest/field_names.h"
#include "ingest/json_scan.h"

// Goes through nested objects and arrays along the paths of declared fields (ingest/path_plan.h), and adds their values to the
// event. What lies beside the paths is checked and passed over. Scratch space of a decoder: nothing is allocated or recursed
// per record.
struct rf_json_walk;

// The schema is borrowed; `limits` must have no defaults left to fill in.
enum rf_status rf_json_walk_create(const struct rf_schema *schema, const struct rf_decode_limits *limits,
                                   struct rf_json_walk **walk_out, struct rf_error *err) RF_MUST_USE;
void rf_json_walk_destroy(struct rf_json_walk *walk);

void rf_json_walk_begin(struct rf_json_walk *walk); // of a record

// Takes the object or array at the cursor, which is the value of a member of the record itself. `name->path` leads somewhere.
enum rf_status rf_json_walk_value(struct rf_json_walk *walk, struct rf_json_scan *scan, const struct rf_field_name *name,
                                  struct rf_arena *arena, struct rf_event *event) RF_MUST_USE;

// Where name->is_path: rejects a record that has the field under its whole name and as a nested member.
enum rf_status rf_json_walk_whole_name(struct rf_json_walk *walk, const struct rf_json_scan *scan,
                                       const struct rf_field_name *name) RF_MUST_USE;

// Rejects a record that has more than limits.fields.
enum rf_status rf_json_too_many_fields(const struct rf_json_scan *scan);

// Appends a value to the event.
static inline enum rf_status rf_json_append(const struct rf_json_scan *scan, struct rf_event *event, struct rf_field field) {
    if (event->count == scan->limits->fields) {
        return rf_json_too_many_fields(scan);
    }
    event->fields[event->count++] = field;
    return RF_OK;
}

#endif
