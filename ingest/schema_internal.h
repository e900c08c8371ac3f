#ifndef RF_INGEST_SCHEMA_INTERNAL_H
#define RF_INGEST_SCHEMA_INTERNAL_H
// What a schema holds, and its declaration from the settings.
#include "ingest/cross_plan.h"
#include "ingest/derived.h"
#include "ingest/path_plan.h"
#include "ingest/schema.h"

struct rf_schema {
    struct rf_hash_key key;
    enum rf_hashing hashing;
    bool takes_rest;
    struct rf_schema_field *fields; // [count], names are owned
    struct rf_text *names;          // [count], those of the fields
    uint32_t count;
    uint32_t *slots; // [mask + 1] 1 + index into `fields`, found by hash and linear probing; 0: free
    size_t mask;
    char **classes; // [class_count], owned
    uint32_t class_count;
    struct rf_bucket_rule *buckets; // [bucket_count]
    size_t bucket_count;
    struct rf_derived *derived; // [derived_count]
    size_t derived_count;
    struct rf_cross_plan crosses;
    struct rf_path_plan *paths;
    struct rf_schema_rules rules;
};

// No fewer fields than `options` declare.
size_t rf_schema_most_fields(const struct rf_feature_options *options);

// Fills fields, names, slots, buckets, derived and crosses; the first three have room for as many fields as the settings
// declare. What it has made when it fails is the schema's to destroy.
enum rf_status rf_schema_declare(struct rf_schema *schema, const struct rf_feature_options *options,
                                 struct rf_error *err) RF_MUST_USE;

static inline enum rf_status rf_schema_out_of_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "the schema of the features does not fit into memory");
}

#endif
