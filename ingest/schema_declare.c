// Gives every field that the settings name its roles, and refuses those that do not go together.
#include "ingest/schema_internal.h"

#include <stdlib.h>

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

static enum rf_status append_field(struct rf_schema *schema, struct rf_text name, uint64_t hash, unsigned role,
                                   struct rf_error *err) {
    char *copy = strndup(name.data, name.size);
    if (!copy) {
        return rf_schema_out_of_memory(err);
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
            return rf_schema_out_of_memory(err);
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

static enum rf_status name_derived(struct rf_schema *schema, const struct rf_variant_value *value, struct rf_error *err) {
    struct rf_derived *derived = &schema->derived[schema->derived_count];
    enum rf_status status = rf_derived_init(value, schema->rules.time_unit, derived, err);
    if (status) {
        return status;
    }
    schema->derived_count++;
    return declare_derived_name(schema, derived, err);
}

static enum rf_status declare_derived(struct rf_schema *schema, const struct rf_variant_values *values, struct rf_error *err) {
    if (values->count > RF_DERIVED_MAX) {
        return rf_fail(err, RF_INVALID, "features.derived has %zu members, must have at most %d", values->count, RF_DERIVED_MAX);
    }
    if (values->count > 0) {
        schema->derived = calloc(values->count, sizeof *schema->derived);
        if (!schema->derived) {
            return rf_schema_out_of_memory(err);
        }
    }
    for (size_t i = 0; i < values->count; i++) {
        if (name_derived(schema, &values->list[i], err)) {
            return rf_fail_in(err, "features.derived.%zu.%s", i, values->list[i].kind->name);
        }
    }
    for (size_t i = 0; i < values->count; i++) {
        if (declare_inputs(schema, &schema->derived[i], values->list[i].options, err)) {
            return rf_fail_in(err, "features.derived.%zu.%s", i, values->list[i].kind->name);
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

enum rf_status rf_schema_declare(struct rf_schema *schema, const struct rf_feature_options *options, struct rf_error *err) {
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

size_t rf_schema_most_fields(const struct rf_feature_options *options) {
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
