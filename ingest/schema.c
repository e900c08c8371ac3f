#include "ingest/schema.h"

#include "ingest/cross_plan.h"
#include "ingest/derived.h"
#include "ingest/gram.h"

#include <assert.h>
#include <stdlib.h>

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
    struct rf_schema_rules rules;
};

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

// A field is in one of these; a number may be put into buckets as well.
enum { EXCLUSIVE = RF_ROLES_FEATURE | RF_ROLE_IGNORED | RF_ROLE_VECTOR };

static const char *list_name(unsigned role) {
    return role & RF_ROLE_NUMBER     ? "numbers"
           : role & RF_ROLE_CATEGORY ? "categories"
           : role & RF_ROLE_TEXT     ? "texts"
           : role & RF_ROLE_IGNORED  ? "ignore"
           : role & RF_ROLE_BUCKET   ? "buckets"
           : role & RF_ROLE_VECTOR   ? "vector"
           : role & RF_ROLE_DERIVED  ? "derived"
                                     : "crosses";
}

static unsigned excluded_by(enum rf_role role) {
    return role == RF_ROLE_BUCKET ? EXCLUSIVE & ~(unsigned)RF_ROLE_NUMBER : role & EXCLUSIVE ? EXCLUSIVE : 0;
}

static enum rf_status out_of_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "the schema of the features does not fit into memory");
}

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
    free(schema->derived);
    free(schema->buckets);
    free(schema->fields);
    free(schema->names);
    free(schema->slots);
    free(schema->classes);
    free(schema);
}

static enum rf_status append_field(struct rf_schema *schema, struct rf_text name, uint64_t hash, unsigned role,
                                   struct rf_error *err) {
    char *copy = strndup(name.data, name.size);
    if (!copy) {
        return out_of_memory(err);
    }
    size_t slot = hash & schema->mask;
    while (schema->slots[slot]) {
        slot = (slot + 1) & schema->mask;
    }
    schema->names[schema->count] = (struct rf_text){copy, name.size};
    schema->fields[schema->count++] = (struct rf_schema_field){.name = {copy, name.size}, .roles = role, .hash = hash};
    schema->slots[slot] = schema->count;
    return RF_OK;
}

// Gives the field a role, on top of those it has.
static enum rf_status declare(struct rf_schema *schema, const char *string, enum rf_role role, struct rf_error *err) {
    struct rf_text name = rf_text_of(string);
    if (name.size == 0) {
        return rf_fail(err, RF_INVALID, "a field without a name is among features, must be named");
    }
    uint64_t hash = rf_hash(schema->key, name.data, name.size);
    uint32_t index = rf_schema_find_hashed(schema, name, hash);
    if (index == RF_FIELD_UNKNOWN) {
        return append_field(schema, name, hash, role, err);
    }
    unsigned *roles = &schema->fields[index].roles;
    if (*roles & (unsigned)role) {
        return rf_fail(err, RF_INVALID, "field %s is twice in %s, must be there once", string, list_name(role));
    }
    if (*roles & excluded_by(role)) {
        return rf_fail(err, RF_INVALID, "field %s is in %s and in %s, must be in one of them", string, list_name(*roles),
                       list_name(role));
    }
    *roles |= (unsigned)role;
    if ((*roles & RF_ROLE_LABEL) && (*roles & (RF_ROLES_FEATURE | RF_ROLE_VECTOR))) {
        return rf_fail(err, RF_INVALID, "field %s is the label and in %s, must not be a feature too", string, list_name(*roles));
    }
    if ((*roles & RF_ROLE_VECTOR) && *roles != RF_ROLE_VECTOR) {
        return rf_fail(err, RF_INVALID, "field %s is the vector, must be nothing else", string);
    }
    return RF_OK;
}

static enum rf_status declare_list(struct rf_schema *schema, const struct rf_texts *names, enum rf_role role,
                                   struct rf_error *err) {
    for (size_t i = 0; i < names->count; i++) {
        enum rf_status status = declare(schema, names->list[i], role, err);
        if (status) {
            return status;
        }
    }
    return RF_OK;
}

static enum rf_status declare_buckets(struct rf_schema *schema, const struct rf_feature_options *options, struct rf_error *err) {
    const struct rf_bucket_options *list = options->buckets.list;
    if (options->buckets.count) {
        schema->buckets = calloc(options->buckets.count, sizeof *schema->buckets);
        if (!schema->buckets) {
            return out_of_memory(err);
        }
    }
    for (size_t i = 0; i < options->buckets.count; i++) {
        struct rf_bucket_rule *rule = &schema->buckets[i];
        enum rf_status status = declare(schema, list[i].field, RF_ROLE_BUCKET, err);
        status = status ? status : rf_bucket_rule_init(&list[i], rule, err);
        if (status) {
            return status;
        }
        schema->bucket_count++;
        struct rf_schema_field *field = &schema->fields[rf_schema_find(schema, rf_text_of(list[i].field))];
        field->bucket = rule;
        field->roles |= list[i].plain ? RF_ROLE_NUMBER : 0u;
    }
    return RF_OK;
}

static enum rf_status declare_vector(struct rf_schema *schema, const struct rf_vector_options *options, struct rf_error *err) {
    schema->rules.vector_field = RF_FIELD_UNKNOWN;
    if (!options->field && options->size == 0) {
        return RF_OK;
    }
    if (!options->field) {
        return rf_fail(err, RF_INVALID, "vector has a size of %llu and no field, must name its field",
                       (unsigned long long)options->size);
    }
    if (options->size == 0) {
        return rf_fail(err, RF_INVALID, "vector has field %s and no size, must say how many numbers it holds", options->field);
    }
    enum rf_status status = declare(schema, options->field, RF_ROLE_VECTOR, err);
    if (status) {
        return status;
    }
    schema->rules.vector_field = rf_schema_find(schema, rf_text_of(options->field));
    schema->rules.vector_size = (size_t)options->size;
    schema->rules.vector_divide = options->divide != 0.0 ? options->divide : 1.0;
    return RF_OK;
}

// Derived features. Their names go first, so that none of them is taken for a field of the record.

static enum rf_status declare_derived_name(struct rf_schema *schema, struct rf_derived *derived, struct rf_error *err) {
    struct rf_text name = rf_text_of(derived->name);
    uint64_t hash = rf_hash(schema->key, name.data, name.size);
    uint32_t index = rf_schema_find_hashed(schema, name, hash);
    if (index != RF_FIELD_UNKNOWN) {
        bool is_derived = schema->fields[index].roles & RF_ROLE_DERIVED;
        return rf_fail(err, RF_INVALID, "name is \"%.200s\", that of %s, must be another", derived->name,
                       is_derived ? "another derived feature" : "a field that features name");
    }
    unsigned role = rf_derived_is_category(derived) ? RF_ROLE_CATEGORY : RF_ROLE_NUMBER;
    derived->index = schema->count;
    return append_field(schema, name, hash, RF_ROLE_DERIVED | role, err);
}

static enum rf_status declare_input(struct rf_schema *schema, struct rf_derived *derived, const char *setting, const char *string,
                                    struct rf_error *err) {
    struct rf_text name = rf_text_of(string);
    uint64_t hash = rf_hash(schema->key, name.data, name.size);
    uint32_t index = rf_schema_find_hashed(schema, name, hash);
    if (index == RF_FIELD_UNKNOWN) {
        index = schema->count;
        enum rf_status status = append_field(schema, name, hash, 0, err);
        if (status) {
            return status;
        }
    }
    struct rf_schema_field *field = &schema->fields[index];
    if (field->roles & (RF_ROLE_LABEL | RF_ROLE_DERIVED)) {
        return rf_fail(err, RF_INVALID, "%s is %s, %s, must be another field of the record", setting, string,
                       field->roles & RF_ROLE_LABEL ? "the label" : "which is derived itself");
    }
    if (field->roles & (RF_ROLE_CATEGORY | RF_ROLE_TEXT | RF_ROLE_VECTOR)) {
        return rf_fail(err, RF_INVALID, "%s is %s, which is in %s, must be a %s", setting, string, list_name(field->roles),
                       derived->kind <= RF_DERIVED_NIGHT ? "time field" : "field of a number");
    }
    if (!(field->roles & RF_ROLE_INPUT)) {
        field->roles |= RF_ROLE_INPUT;
        field->input = (uint32_t)schema->rules.derived_inputs++;
    }
    derived->input[derived->input_count++] = field->input;
    return RF_OK;
}

static enum rf_status declare_inputs(struct rf_schema *schema, struct rf_derived *derived,
                                     const struct rf_derived_options *options, struct rf_error *err) {
    enum rf_status status = options->field ? declare_input(schema, derived, "field", options->field, err) : RF_OK;
    return !status && options->by ? declare_input(schema, derived, "by", options->by, err) : status;
}

static enum rf_status declare_derived(struct rf_schema *schema, const struct rf_variant_values *values, struct rf_error *err) {
    if (values->count > RF_DERIVED_MAX) {
        return rf_fail(err, RF_INVALID, "features.derived has %zu members, must have at most %d", values->count, RF_DERIVED_MAX);
    }
    if (values->count > 0) {
        schema->derived = calloc(values->count, sizeof *schema->derived);
        if (!schema->derived) {
            return out_of_memory(err);
        }
    }
    for (size_t i = 0; i < 2 * values->count; i++) {
        const struct rf_variant_value *value = &values->list[i % values->count];
        struct rf_derived *derived = &schema->derived[i % values->count];
        enum rf_status status;
        if (i < values->count) {
            status = rf_derived_init(value, schema->rules.time_unit, derived, err);
            schema->derived_count += !status;
            status = status ? status : declare_derived_name(schema, derived, err);
        } else {
            status = declare_inputs(schema, derived, value->options, err);
        }
        if (status) {
            return rf_fail_in(err, "features.derived.%zu.%s", i % values->count, value->kind->name);
        }
    }
    return RF_OK;
}

// Where every field becomes a feature, those that derived features read do too.
static void take_inputs(struct rf_schema *schema) {
    for (uint32_t i = 0; i < schema->count && schema->takes_rest; i++) {
        unsigned *roles = &schema->fields[i].roles;
        *roles |= *roles == RF_ROLE_INPUT ? RF_ROLE_CROSSED : 0u;
    }
}

// Fields that crosses name and nothing else does; what is a feature already stays what it is.
static enum rf_status declare_side(struct rf_schema *schema, struct rf_texts names, struct rf_error *err) {
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < names.count && !status; i++) {
        uint32_t index = rf_schema_find(schema, rf_text_of(names.list[i]));
        bool is_feature = index != RF_FIELD_UNKNOWN && schema->fields[index].roles & RF_ROLES_FEATURE;
        status = is_feature ? RF_OK : declare(schema, names.list[i], RF_ROLE_CROSSED, err);
    }
    return status;
}

static enum rf_status declare_crossed(struct rf_schema *schema, const struct rf_feature_options *options, struct rf_error *err) {
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < options->crosses.count; i++) {
        const struct rf_texts *sides = &options->crosses.list[i];
        for (size_t k = 0; k < sides->count && !status; k++) {
            status = declare_side(schema, rf_cross_plan_side(options, &sides->list[k]), err);
        }
    }
    return status;
}

static enum rf_status declare_all(struct rf_schema *schema, const struct rf_feature_options *options, struct rf_error *err) {
    const struct {
        const char *name;
        enum rf_role role;
    } single[] = {
            {options->id, RF_ROLE_ID},
            {options->time, RF_ROLE_TIME},
            {options->label, RF_ROLE_LABEL},
            {options->weight, RF_ROLE_WEIGHT},
    };
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        enum rf_status status = single[i].name ? declare(schema, single[i].name, single[i].role, err) : RF_OK;
        if (status) {
            return status;
        }
    }
    enum rf_status status = declare_list(schema, &options->numbers, RF_ROLE_NUMBER, err);
    status = status ? status : declare_list(schema, &options->categories, RF_ROLE_CATEGORY, err);
    status = status ? status : declare_list(schema, &options->texts, RF_ROLE_TEXT, err);
    status = status ? status : declare_list(schema, &options->ignore, RF_ROLE_IGNORED, err);
    status = status ? status : declare_buckets(schema, options, err);
    status = status ? status : declare_vector(schema, &options->vector, err);
    status = status ? status : declare_derived(schema, &options->derived, err);
    take_inputs(schema);
    status = status ? status : rf_cross_plan_check(options, err);
    status = status ? status : declare_crossed(schema, options, err);
    return status ? status : rf_cross_plan_init(options, schema, &schema->crosses, err);
}

// No fewer fields than `options` declare.
static size_t most_fields(const struct rf_feature_options *options) {
    size_t count = 5 + options->numbers.count + options->categories.count + options->texts.count + options->ignore.count +
                   options->buckets.count + 3 * options->derived.count;
    for (size_t i = 0; i < options->namespaces.count; i++) {
        count += options->namespaces.list[i].texts.count;
    }
    for (size_t i = 0; i < options->crosses.count; i++) {
        count += options->crosses.list[i].count;
    }
    return count;
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
        return out_of_memory(err);
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
            return out_of_memory(err);
        }
    }
    return RF_OK;
}

enum rf_status rf_schema_create(const struct rf_feature_options *options, struct rf_hash_key key, struct rf_schema **schema_out,
                                struct rf_error *err) {
    struct rf_schema *schema = calloc(1, sizeof *schema);
    if (!schema) {
        return out_of_memory(err);
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
    size_t count_max = most_fields(options);
    size_t slot_count = 8;
    while (slot_count < 2 * count_max) {
        slot_count *= 2;
    }
    schema->mask = slot_count - 1;
    schema->slots = calloc(slot_count, sizeof *schema->slots);
    schema->fields = calloc(count_max, sizeof *schema->fields);
    schema->names = calloc(count_max, sizeof *schema->names);
    if (!schema->slots || !schema->fields || !schema->names) {
        out_of_memory(err);
        goto fail;
    }
    if (count_max > RF_SCHEMA_FIELDS_MAX) {
        rf_fail(err, RF_INVALID, "features name %zu fields, must be at most %d", count_max, RF_SCHEMA_FIELDS_MAX);
        goto fail;
    }
    if (declare_all(schema, options, err) || copy_classes(schema, &options->classes, err)) {
        goto fail;
    }
    *schema_out = schema;
    return RF_OK;
fail:
    rf_schema_destroy(schema);
    return err->status;
}
