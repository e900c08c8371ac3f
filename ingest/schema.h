#ifndef RF_INGEST_SCHEMA_H
#define RF_INGEST_SCHEMA_H
#include "proto/example.h"
#include "proto/hash.h"
#include "proto/setting.h"
#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

// How features are hashed, see ingest/feature_hash.h.
enum rf_hashing { RF_HASHING_KEYED, RF_HASHING_VOWPAL };

// The settings under `features`.
struct rf_feature_options {
    char *id, *time, *label, *weight; // field names, NULL when not named
    struct rf_texts numbers, categories, ignore;
    struct rf_texts classes; // names of the classes in order; empty: labels are numbers
    int hash;                // enum rf_hashing
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
};

struct rf_schema_field {
    struct rf_text name;
    unsigned roles; // bits of enum rf_role
    uint64_t hash;  // keyed hash of the name: the hash of a number's feature
};

// Which fields a model reads, and as what. Immutable, so that any thread may use it.
struct rf_schema;

// Where neither `numbers` nor `categories` is given, every field without another role becomes a feature: numbers as
// numbers, texts and booleans as categories. RF_INVALID, in words, for a field in two feature lists, an empty or doubled
// name, one class only, and a label among the features. Copies what it needs of `options`.
enum rf_status rf_schema_create(const struct rf_feature_options *options, struct rf_hash_key key, struct rf_schema **schema_out,
                                struct rf_error *err) RF_MUST_USE;
void rf_schema_destroy(struct rf_schema *schema);

// RF_FIELD_UNKNOWN when not declared. The second form is for who knows the name's keyed hash already.
uint32_t rf_schema_find(const struct rf_schema *schema, struct rf_text name);
uint32_t rf_schema_find_hashed(const struct rf_schema *schema, struct rf_text name, uint64_t hash);
uint32_t rf_schema_find_role(const struct rf_schema *schema, enum rf_role role); // the first field that has it
const struct rf_schema_field *rf_schema_field(const struct rf_schema *schema, uint32_t index);
uint32_t rf_schema_count(const struct rf_schema *schema);
bool rf_schema_takes_rest(const struct rf_schema *schema);            // undeclared fields are features too
bool rf_schema_wants(const struct rf_schema *schema, uint32_t index); // a field of this index, or an undeclared one, is read
struct rf_hash_key rf_schema_key(const struct rf_schema *schema);
enum rf_hashing rf_schema_hashing(const struct rf_schema *schema);
const char *const *rf_schema_classes(const struct rf_schema *schema, uint32_t *count_out); // NULL, 0 when not named

#endif
