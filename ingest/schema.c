#include "ingest/schema.h"

#include "ingest/gram.h"
#include "ingest/schema_internal.h"

#include <assert.h>
#include <stdlib.h>

static const char *const missing_words[] = {"ignore", "indicator", NULL};

static const struct rf_setting vector_settings[] = {
        RF_TEXT(struct rf_vector_options, field, NULL, 0, "field that holds the numbers of a vector; absent: there is none"),
        RF_UINT(struct rf_vector_options, size, "0", 0, RF_VECTOR_SIZE_MAX, 0, "how many numbers every vector has"),
        RF_REAL(struct rf_vector_options, divide, "1", 1e-30, 1e30, 0, "each number is divided by this first"),
        {0},
};

static const char *const hashings[] = {"keyed", "vowpal", NULL}; // as enum rf_hashing

const struct rf_setting rf_feature_settings[] = {
        RF_TEXT(struct rf_feature_options, id, NULL, RF_SETTING_NOT_MODEL, "field that names a record in its prediction"),
        RF_TEXT(struct rf_feature_options, time, NULL, 0,
                "field of the event time, a number (see time_unit) or RFC 3339; absent: the record's timestamp"),
        RF_CHOICE(struct rf_feature_options, time_unit, "ms", rf_time_units, 0,
                  "what numbers in time fields count since 1970: milliseconds, seconds (with fractions) or microseconds; "
                  "protobuf's time_ms counts milliseconds always"),
        RF_TEXT(struct rf_feature_options, label, NULL, 0, "field of the outcome to learn"),
        RF_TEXT(struct rf_feature_options, weight, NULL, 0, "field of the importance of a record; absent: 1"),
        RF_TEXTS(struct rf_feature_options, numbers, RF_SETTING_GROWS, "fields that are numbers"),
        RF_TEXTS(struct rf_feature_options, categories, RF_SETTING_GROWS, "fields whose text is a category"),
        RF_TEXTS(struct rf_feature_options, texts, RF_SETTING_GROWS,
                 "fields of free text: every token is a feature, as often as it occurs"),
        RF_UINT(struct rf_feature_options, ngrams, "1", 1, RF_GRAM_TOKENS_MAX, 0,
                "texts: most tokens in a row that are one feature"),
        RF_UINT(struct rf_feature_options, skips, "0", 0, RF_GRAM_SKIPS_MAX, 0, "texts: most tokens left out within such a row"),
        RF_TEXTS(struct rf_feature_options, ignore, 0, "fields that are no features"),
        RF_TEXTS(struct rf_feature_options, classes, 0, "names of the classes in order; absent: labels are numbers"),
        RF_CHOICE(struct rf_feature_options, hash, "keyed", hashings, 0,
                  "how features are hashed: keyed, or as Vowpal Wabbit does, with its constant feature (then set the learner's "
                  "bias "
                  "to false)"),
        RF_NAMED_TEXTS(struct rf_feature_options, namespaces, RF_SETTING_GROWS | RF_SETTING_APART,
                       "groups of fields, for crosses"),
        RF_TEXT_LISTS(struct rf_feature_options, crosses, RF_SETTING_GROWS | RF_SETTING_APART,
                      "two or three fields or namespaces each, whose features are combined too"),
        RF_SECTIONS(struct rf_feature_options, buckets, struct rf_bucket_options, rf_bucket_settings, 0,
                    "numbers put into buckets"),
        RF_VARIANTS(struct rf_feature_options, derived, rf_derived_kinds, 0,
                    "features computed from fields; a field of such a name in a record is not read"),
        RF_CHOICE(struct rf_feature_options, missing, "ignore", missing_words, 0,
                  "a feature named here that is null or absent; indicator: a feature says so"),
        RF_SECTION(struct rf_feature_options, vector, vector_settings, 0, "dense records: images, embeddings"),
        {0},
};

uint32_t rf_schema_find_hashed(const struct rf_schema *schema, struct rf_text name, uint64_t hash) {
    for (size_t slot = hash & schema->mask; schema->slots[slot]; slot = (slot + 1) & schema->mask) {
        const struct rf_schema_field *field = &schema->fields[schema->slots[slot] - 1];
        if (field->hash == hash && rf_text_equal(field->name, name)) {
            return schema->slots[slot] - 1;
        }
    }
    return RF_FIELD_UNKNOWN;
}

uint32_t rf_schema_find(const struct rf_schema *schema, struct rf_text name) {
    return rf_schema_find_hashed(schema, name, rf_hash(schema->key, name.data, name.size));
}

uint32_t rf_schema_find_role(const struct rf_schema *schema, enum rf_role role) {
    for (uint32_t i = 0; i < schema->count; i++) {
        if (schema->fields[i].roles & role) {
            return i;
        }
    }
    return RF_FIELD_UNKNOWN;
}

const struct rf_schema_field *rf_schema_field(const struct rf_schema *schema, uint32_t index) {
    assert(index < schema->count);
    return &schema->fields[index];
}

const struct rf_schema_field *rf_schema_fields(const struct rf_schema *schema) {
    return schema->fields;
}

const struct rf_text *rf_schema_names(const struct rf_schema *schema) {
    return schema->names;
}

uint32_t rf_schema_count(const struct rf_schema *schema) {
    return schema->count;
}

bool rf_schema_takes_rest(const struct rf_schema *schema) {
    return schema->takes_rest;
}

bool rf_schema_wants(const struct rf_schema *schema, uint32_t index) {
    if (index == RF_FIELD_UNKNOWN) {
        return schema->takes_rest;
    }
    unsigned roles = rf_schema_field(schema, index)->roles;
    return !(roles & RF_ROLE_DERIVED) && (roles & ~(unsigned)RF_ROLE_IGNORED) != 0;
}

bool rf_schema_takes_list(const struct rf_schema *schema, uint32_t index) {
    unsigned roles = rf_schema_field(schema, index)->roles;
    return roles && !(roles & ~(unsigned)(RF_ROLE_CATEGORY | RF_ROLE_TEXT));
}

bool rf_schema_takes_number(const struct rf_schema *schema, uint32_t index) {
    unsigned roles = rf_schema_field(schema, index)->roles;
    if (roles & RF_ROLE_INPUT && !(roles & RF_ROLE_CROSSED)) {
        return true;
    }
    unsigned label = schema->class_count ? 0u : (unsigned)RF_ROLE_LABEL;
    return roles & (RF_ROLE_NUMBER | RF_ROLE_BUCKET | RF_ROLE_TIME | RF_ROLE_WEIGHT | label);
}

const struct rf_path_plan *rf_schema_paths(const struct rf_schema *schema) {
    return schema->paths;
}

struct rf_hash_key rf_schema_key(const struct rf_schema *schema) {
    return schema->key;
}

enum rf_hashing rf_schema_hashing(const struct rf_schema *schema) {
    return schema->hashing;
}

const struct rf_schema_rules *rf_schema_rules(const struct rf_schema *schema) {
    return &schema->rules;
}

size_t rf_schema_features_max(const struct rf_schema *schema, size_t fields) {
    bool has_texts = rf_schema_find_role(schema, RF_ROLE_TEXT) != RF_FIELD_UNKNOWN;
    size_t missing = schema->rules.missing == RF_MISSING_INDICATOR ? schema->count : 0;
    size_t constant = schema->hashing == RF_HASHING_VOWPAL;
    size_t made = RF_BUCKETS_MAX * schema->bucket_count + schema->derived_count + missing + constant;
    size_t count = has_texts ? RF_SCHEMA_FEATURES_MAX : fields + made;
    return count < RF_SCHEMA_FEATURES_MAX ? count : RF_SCHEMA_FEATURES_MAX;
}

const struct rf_derived *rf_schema_derived(const struct rf_schema *schema, size_t *count_out) {
    *count_out = schema->derived_count;
    return schema->derived;
}

const struct rf_cross *rf_schema_crosses(const struct rf_schema *schema, size_t *count_out) {
    *count_out = schema->crosses.count;
    return schema->crosses.list;
}

const char *const *rf_schema_classes(const struct rf_schema *schema, uint32_t *count_out) {
    *count_out = schema->class_count;
    return (const char *const *)schema->classes;
}

void rf_schema_destroy(struct rf_schema *schema) {
    if (!schema) {
        return;
    }
    for (uint32_t i = 0; i < schema->count; i++) {
        free((char *)schema->fields[i].name.data);
    }
    for (uint32_t i = 0; schema->classes && i < schema->class_count; i++) {
        free(schema->classes[i]);
    }
    for (size_t i = 0; i < schema->bucket_count; i++) {
        rf_bucket_rule_finish(&schema->buckets[i]);
    }
    for (size_t i = 0; i < schema->derived_count; i++) {
        rf_derived_finish(&schema->derived[i]);
    }
    rf_cross_plan_finish(&schema->crosses);
    rf_path_plan_destroy(schema->paths);
    free(schema->derived);
    free(schema->buckets);
    free(schema->fields);
    free(schema->names);
    free(schema->slots);
    free(schema->classes);
    free(schema);
}

static enum rf_status copy_classes(struct rf_schema *schema, const struct rf_texts *classes, struct rf_error *err) {
    if (classes->count == 0) {
        return RF_OK;
    }
    if (classes->count == 1) {
        return rf_fail(err, RF_INVALID, "classes has one name, %s, must have at least two", classes->list[0]);
    }
    schema->classes = calloc(classes->count, sizeof *schema->classes);
    if (!schema->classes) {
        return rf_schema_out_of_memory(err);
    }
    schema->class_count = (uint32_t)classes->count;
    for (size_t i = 0; i < classes->count; i++) {
        if (!classes->list[i][0]) {
            return rf_fail(err, RF_INVALID, "class %zu has no name, must be named", i);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(classes->list[i], classes->list[k]) == 0) {
                return rf_fail(err, RF_INVALID, "class %s is twice in classes, must be there once", classes->list[i]);
            }
        }
        schema->classes[i] = strdup(classes->list[i]);
        if (!schema->classes[i]) {
            return rf_schema_out_of_memory(err);
        }
    }
    return RF_OK;
}

enum rf_status rf_schema_create(const struct rf_feature_options *options, struct rf_hash_key key, struct rf_schema **schema_out,
                                struct rf_error *err) {
    struct rf_schema *schema = calloc(1, sizeof *schema);
    if (!schema) {
        return rf_schema_out_of_memory(err);
    }
    schema->key = key;
    schema->hashing = (enum rf_hashing)options->hash;
    schema->takes_rest = options->numbers.count + options->categories.count + options->texts.count == 0;
    schema->rules = (struct rf_schema_rules){
            .ngrams = options->ngrams ? (size_t)options->ngrams : 1,
            .skips = (size_t)options->skips,
            .missing = options->missing == RF_MISSING_INDICATOR ? RF_MISSING_INDICATOR : RF_MISSING_IGNORE,
            .time_unit = (enum rf_time_unit)options->time_unit,
            .vector_field = RF_FIELD_UNKNOWN,
    };
    size_t count_max = rf_schema_most_fields(options);
    size_t slot_count = 8;
    while (slot_count < 2 * count_max) {
        slot_count *= 2;
    }
    schema->mask = slot_count - 1;
    schema->slots = calloc(slot_count, sizeof *schema->slots);
    schema->fields = calloc(count_max, sizeof *schema->fields);
    schema->names = calloc(count_max, sizeof *schema->names);
    if (!schema->slots || !schema->fields || !schema->names) {
        rf_schema_out_of_memory(err);
        goto fail;
    }
    if (count_max > RF_SCHEMA_FIELDS_MAX) {
        rf_fail(err, RF_INVALID, "features name %zu fields, must be at most %d", count_max, RF_SCHEMA_FIELDS_MAX);
        goto fail;
    }
    if (rf_schema_declare(schema, options, err) || copy_classes(schema, &options->classes, err) ||
        rf_path_plan_create(schema, &schema->paths, err)) {
        goto fail;
    }
    *schema_out = schema;
    return RF_OK;
fail:
    rf_schema_destroy(schema);
    return err->status;
}
