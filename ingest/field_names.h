#ifndef RF_INGEST_FIELD_NAMES_H
#define RF_INGEST_FIELD_NAMES_H
#include "ingest/schema.h"

// Tells the fields of a record apart by their names: which one it is for the schema, and whether it stood before.
//
// Records of a stream mostly have the same fields in the same order. So a name is first compared with the one expected
// next, and only a record that differs has its names hashed. This is scratch space: answers depend on the record alone.
struct rf_field_names;

struct rf_field_name {
    struct rf_text text; // equal to what was given
    uint64_t hash;       // keyed, as in the schema
    uint32_t index;      // in the schema, or RF_FIELD_UNKNOWN
    unsigned roles;      // as the schema declares it; 0: it does not
    uint32_t path;       // where the name leads from the record itself, see ingest/path_plan.h
    bool is_wanted;      // see rf_schema_wants()
    bool is_path;        // a declared name with dots, which nested members could make up too
    bool is_plain;       // in `text` is no quote, backslash or control character; told only of names that are expected
};

// For records of at most `count_max` fields. The schema is borrowed.
enum rf_status rf_field_names_create(const struct rf_schema *schema, size_t count_max, struct rf_field_names **names_out,
                                     struct rf_error *err) RF_MUST_USE;
void rf_field_names_destroy(struct rf_field_names *names);

void rf_field_names_begin(struct rf_field_names *names); // of a record

// The name, added, when it is the one expected next, or one of the few behind that: then an earlier record had it, and what was
// checked of it there need not be checked again. NULL: add it.
const struct rf_field_name *rf_field_names_expect(struct rf_field_names *names, struct rf_text text);

// The same where `bytes` begin with such a name and a quote behind it, and where it is plain: so JSON, in which an earlier record
// had it, writes it, and the string need not be scanned.
const struct rf_field_name *rf_field_names_expect_quoted(struct rf_field_names *names, struct rf_text bytes);

// NULL when the name stood in this record before. At most `count_max` names a record; texts stay until its end.
const struct rf_field_name *rf_field_names_add(struct rf_field_names *names, struct rf_text text);

void rf_field_names_end(struct rf_field_names *names); // of a sound record: the next one is expected to look like it

#endif
