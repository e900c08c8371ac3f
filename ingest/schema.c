#include "ingest/schema.h"

#include <assert.h>
#include <stdlib.h>

struct rf_schema {
    struct rf_hash_key key;
    enum rf_hashing hashing;
    bool takes_rest;
    struct rf_schema_field *fields; // [count], names are owned
    uint32_t count;
    uint32_t *slots; // [mask + 1] 1 + index into `fields`, found by hash and linear probing; 0: free
    size_t mask;
    char **classes; // [class_count], owned
    uint32_t class_count;
};

static const char *const hashings[] = {"keyed", "vowpal", NULL}; // as enum rf_hashing

const struct rf_setting rf_feature_settings[] = {
        RF_TEXT(struct rf_feature_options, id, NULL, RF_SETTING_NOT_MODEL, "field that names a record in its prediction"),
        RF_TEXT(struct rf_feature_options, time, NULL, 0,
                "field of the event time, Unix milliseconds or RFC 3339; absent: the record's timestamp"),
        RF_TEXT(struct rf_feature_options, label, NULL, 0, "field of the outcome to learn"),
        RF_TEXT(struct rf_feature_options, weight, NULL, 0, "field of the importance of a record; absent: 1"),
        RF_TEXTS(struct rf_feature_options, numbers, RF_SETTING_GROWS, "fields that are numbers"),
        RF_TEXTS(struct rf_feature_options, categories, RF_SETTING_GROWS, "fields whose text is a category"),
        RF_TEXTS(struct rf_feature_options, ignore, 0, "fields that are no features"),
        RF_TEXTS(struct rf_feature_options, classes, 0, "names of the classes in order; absent: labels are numbers"),
        RF_CHOICE(struct rf_feature_options, hash, "keyed", hashings, 0,
                  "how features are hashed: keyed, or as Vowpal Wabbit does, with its constant feature (then set the learner's "
                  "bias "
                  "to false)"),
        {0},
};

enum { FEATURE_LISTS = RF_ROLE_NUMBER | RF_ROLE_CATEGORY | RF_ROLE_IGNORED };

static const char *list_name(unsigned role) {
    return role & RF_ROLE_NUMBER ? "numbers" : role & RF_ROLE_CATEGORY ? "categories" : "ignore";
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

uint32_t rf_schema_count(const struct rf_schema *schema) {
    return schema->count;
}

bool rf_schema_takes_rest(const struct rf_schema *schema) {
    return schema->takes_rest;
}

bool rf_schema_wants(const struct rf_schema *schema, uint32_t index) {
    return index == RF_FIELD_UNKNOWN ? schema->takes_rest
                                     : (rf_schema_field(schema, index)->roles & ~(unsigned)RF_ROLE_IGNORED) != 0;
}

struct rf_hash_key rf_schema_key(const struct rf_schema *schema) {
    return schema->key;
}

enum rf_hashing rf_schema_hashing(const struct rf_schema *schema) {
    return schema->hashing;
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
    free(schema->fields);
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
    if ((*roles & FEATURE_LISTS) && (role & FEATURE_LISTS)) {
        return rf_fail(err, RF_INVALID, "field %s is in %s and in %s, must be in one of them", string, list_name(*roles),
                       list_name(role));
    }
    *roles |= (unsigned)role;
    if ((*roles & RF_ROLE_LABEL) && (*roles & (RF_ROLE_NUMBER | RF_ROLE_CATEGORY))) {
        return rf_fail(err, RF_INVALID, "field %s is the label and in %s, must not be a feature too", string, list_name(*roles));
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
    return status ? status : declare_list(schema, &options->ignore, RF_ROLE_IGNORED, err);
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
    schema->takes_rest = options->numbers.count + options->categories.count == 0;
    size_t count_max = 4 + options->numbers.count + options->categories.count + options->ignore.count;
    size_t slot_count = 8;
    while (slot_count < 2 * count_max) {
        slot_count *= 2;
    }
    schema->mask = slot_count - 1;
    schema->slots = calloc(slot_count, sizeof *schema->slots);
    schema->fields = calloc(count_max, sizeof *schema->fields);
    if (!schema->slots || !schema->fields) {
        out_of_memory(err);
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
