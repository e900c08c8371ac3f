#ifndef RF_INGEST_SCHEMA_H
#define RF_INGEST_SCHEMA_H
#include "ingest/bucket.h"
#include "ingest/time_field.h"
#include "proto/example.h"
#include "proto/hash.h"
#include "proto/setting.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

// How features are hashed, see ingest/feature_hash.h.
enum rf_hashing { RF_HASHING_KEYED, RF_HASHING_VOWPAL };

enum rf_missing { RF_MISSING_IGNORE, RF_MISSING_INDICATOR };

// What a feature that is derived from others is called and made of: see ingest/derived.h.
struct rf_derived;

// The names of fields as paths into nested records: see ingest/path_plan.h.
struct rf_path_plan;

struct rf_vector_options {
    char *field; // NULL: examples have no vector
    uint64_t size;
    double divide; // 0: 1
};

// The settings under `features`.
struct rf_feature_options {
    char *id, *time, *label, *weight; // field names, NULL when not named
    int time_unit;                    // enum rf_time_unit
    struct rf_texts numbers, categories, texts, ignore;
    uint64_t ngrams, skips;  // of texts, see ingest/gram.h; 0 ngrams: 1
    struct rf_texts classes; // names of the classes in order; empty: labels are numbers
    int hash;                // enum rf_hashing

    struct rf_named_texts namespaces;
    struct rf_text_lists crosses;
    struct rf_sections buckets;       // of struct rf_bucket_options
    struct rf_variant_values derived; // of rf_derived_kinds
    int missing;                      // enum rf_missing
    struct rf_vector_options vector;
};
extern const struct rf_setting rf_feature_settings[];

// What a field is taken for; a field may have several roles.
enum rf_role {
    RF_ROLE_ID = 1,
    RF_ROLE_TIME = 2,
    RF_ROLE_LABEL = 4,
    RF_ROLE_WEIGHT = 8,
    RF_ROLE_NUMBER = 16,
    RF_ROLE_CATEGORY = 32,
    RF_ROLE_IGNORED = 64,
    RF_ROLE_TEXT = 128,     // free text, see ingest/gram.h
    RF_ROLE_BUCKET = 256,   // a number put into buckets, see ingest/bucket.h
    RF_ROLE_CROSSED = 512,  // named by a cross, or read by a derived feature, alone: a number or a category, by how it is written
    RF_ROLE_VECTOR = 1024,  // holds the example's vector
    RF_ROLE_INPUT = 2048,   // read by a derived feature, see ingest/derived.h
    RF_ROLE_DERIVED = 4096, // such a feature: no field of the record, and a number or a category besides
    // What is a feature of its own.
    RF_ROLES_FEATURE = RF_ROLE_NUMBER | RF_ROLE_CATEGORY | RF_ROLE_TEXT | RF_ROLE_BUCKET | RF_ROLE_CROSSED,
};

struct rf_schema_field {
    struct rf_text name;
    unsigned roles;                      // bits of enum rf_role
    uint64_t hash;                       // keyed hash of the name: the hash of a number's feature
    const struct rf_bucket_rule *bucket; // NULL without RF_ROLE_BUCKET
    uint32_t input;                      // with RF_ROLE_INPUT: its slot, see struct rf_derived_inputs
};

// What features are made of beside the fields, as settings have it.
struct rf_schema_rules {
    size_t ngrams, skips;    // of texts
    enum rf_missing missing; // of declared features
    enum rf_time_unit time_unit;
    uint32_t vector_field; // RF_FIELD_UNKNOWN: examples have no vector
    size_t vector_size;    // 0: none
    double vector_divide;
    size_t derived_inputs; // fields that derived features read
};

enum {
    RF_SCHEMA_FIELDS_MAX = 65536,   // declared
    RF_SCHEMA_FEATURES_MAX = 65536, // of one example
    RF_VECTOR_SIZE_MAX = 65536,
};

// Which fields a model reads, and as what. Immutable, so that any thread may use it.
struct rf_schema;

// Where none of `numbers`, `categories` and `texts` is given, every field without another role becomes a feature: numbers
// as numbers, texts and booleans as categories. A field that only a cross names is declared too, and taken in the same way.
// A field that only derived features read is read for them alone, unless every field becomes a feature.
// RF_INVALID, in words, for a field in two feature lists, an empty or doubled name, one class only, a label among the
// features, and what ingest/bucket.h, ingest/derived.h, ingest/cross_plan.h and ingest/path_plan.h refuse. Copies what it needs
// of `options`.
enum rf_status rf_schema_create(const struct rf_feature_options *options, struct rf_hash_key key, struct rf_schema **schema_out,
                                struct rf_error *err) RF_MUST_USE;
void rf_schema_destroy(struct rf_schema *schema);

// RF_FIELD_UNKNOWN when not declared. The second form is for who knows the name's keyed hash already.
uint32_t rf_schema_find(const struct rf_schema *schema, struct rf_text name);
uint32_t rf_schema_find_hashed(const struct rf_schema *schema, struct rf_text name, uint64_t hash);
uint32_t rf_schema_find_role(const struct rf_schema *schema, enum rf_role role); // the first field that has it
const struct rf_schema_field *rf_schema_field(const struct rf_schema *schema, uint32_t index);
const struct rf_schema_field *rf_schema_fields(const struct rf_schema *schema); // [rf_schema_count()]
uint32_t rf_schema_count(const struct rf_schema *schema);
const struct rf_text *rf_schema_names(const struct rf_schema *schema);     // [rf_schema_count()] of the fields, in their order
bool rf_schema_takes_rest(const struct rf_schema *schema);                 // undeclared fields are features too
bool rf_schema_wants(const struct rf_schema *schema, uint32_t index);      // a field of this index, or an undeclared one, is read
bool rf_schema_takes_list(const struct rf_schema *schema, uint32_t index); // a record may give the field several values
bool rf_schema_takes_number(const struct rf_schema *schema, uint32_t index); // of the field; a time may be RFC 3339 text too
const struct rf_path_plan *rf_schema_paths(const struct rf_schema *schema);  // as long as the schema
struct rf_hash_key rf_schema_key(const struct rf_schema *schema);
enum rf_hashing rf_schema_hashing(const struct rf_schema *schema);
const struct rf_schema_rules *rf_schema_rules(const struct rf_schema *schema);
size_t rf_schema_features_max(const struct rf_schema *schema, size_t fields); // of an example made of so many fields
const struct rf_derived *rf_schema_derived(const struct rf_schema *schema, size_t *count_out); // in the order of the settings
const struct rf_cross *rf_schema_crosses(const struct rf_schema *schema, size_t *count_out);   // as long as the schema
const char *const *rf_schema_classes(const struct rf_schema *schema, uint32_t *count_out);     // NULL, 0 when not named

#endif
