#include "ingest/avro_parser.h"

#include <stdlib.h>
#include <string.h>

enum rf_status rf_avro_fail_here(const struct rf_avro_parser *parser) {
    if (parser->field.data) {
        return rf_fail_in(parser->err, "field %s of %s", rf_show(parser->field).text, rf_show(parser->record).text);
    }
    return parser->record.data ? rf_fail_in(parser->err, "record %s", rf_show(parser->record).text) : parser->err->status;
}

enum rf_status rf_avro_out_of_memory(const struct rf_avro_parser *parser) {
    return rf_fail(parser->err, RF_MEMORY, "a schema does not fit into memory");
}

// Growing lists.

enum rf_status rf_avro_add_type(const struct rf_avro_parser *parser, struct rf_avro_type type, uint32_t *type_out) {
    struct rf_avro_schema *schema = parser->schema;
    if (schema->type_count == RF_AVRO_TYPES_MAX) {
        return RF_AVRO_FAIL(parser, "has more than %d types", RF_AVRO_TYPES_MAX);
    }
    if (schema->type_count == schema->type_capacity) {
        size_t capacity = 2 * schema->type_capacity + 64;
        struct rf_avro_type *types = reallocarray(schema->types, capacity, sizeof *types);
        if (!types) {
            return rf_avro_out_of_memory(parser);
        }
        schema->types = types;
        schema->type_capacity = capacity;
    }
    *type_out = (uint32_t)schema->type_count;
    schema->types[schema->type_count++] = type;
    return RF_OK;
}

enum rf_status rf_avro_add_members(const struct rf_avro_parser *parser, size_t count, uint32_t *first_out) {
    struct rf_avro_schema *schema = parser->schema;
    if (count > RF_AVRO_MEMBERS_MAX - schema->member_count) {
        return RF_AVRO_FAIL(parser, "has more than %d fields, symbols and branches", RF_AVRO_MEMBERS_MAX);
    }
    if (schema->member_count + count > schema->member_capacity) {
        size_t capacity = 2 * schema->member_capacity + count + 64;
        struct rf_avro_member *members = reallocarray(schema->members, capacity, sizeof *members);
        if (!members) {
            return rf_avro_out_of_memory(parser);
        }
        schema->members = members;
        schema->member_capacity = capacity;
    }
    *first_out = (uint32_t)schema->member_count;
    schema->member_count += count;
    return RF_OK;
}

enum rf_status rf_avro_keep_name(const struct rf_avro_parser *parser, struct rf_text space, struct rf_text name,
                                 struct rf_text *name_out) {
    size_t size = space.size + (space.size > 0) + name.size;
    struct rf_avro_text *text = malloc(sizeof *text + size + 1);
    if (!text) {
        return rf_avro_out_of_memory(parser);
    }
    text->next = parser->schema->texts;
    parser->schema->texts = text;
    char *at = text->data;
    if (space.size > 0) {
        memcpy(at, space.data, space.size);
        at += space.size;
        *at++ = '.';
    }
    memcpy(at, name.data, name.size);
    at[name.size] = '\0';
    *name_out = (struct rf_text){text->data, size};
    return RF_OK;
}

// JSON.

struct rf_text rf_avro_text_of(const json_t *json) {
    return json_is_string(json) ? (struct rf_text){json_string_value(json), json_string_length(json)} : (struct rf_text){NULL, 0};
}

struct rf_text rf_avro_text_in(const json_t *json, const char *key) {
    return rf_avro_text_of(json_object_get(json, key));
}

bool rf_avro_is_name(struct rf_text name) {
    return name.size > 0 && name.size <= RF_AVRO_NAME_SIZE_MAX && !memchr(name.data, '\0', name.size);
}

bool rf_avro_add_to_set(json_t *set, struct rf_text name, json_int_t value) {
    return !json_object_get(set, name.data) && json_object_set_new(set, name.data, json_integer(value)) == 0;
}

bool rf_avro_find_primitive(struct rf_text word, enum rf_avro_kind *kind_out) {
    for (enum rf_avro_kind kind = RF_AVRO_NULL; kind <= RF_AVRO_STRING; kind++) {
        if (rf_text_equal(word, rf_text_of(rf_avro_kinds[kind]))) {
            *kind_out = kind;
            return true;
        }
    }
    return false;
}

// Names.

struct rf_text rf_avro_space_of(struct rf_text full_name) {
    const char *dot = full_name.data ? memrchr(full_name.data, '.', full_name.size) : NULL;
    return dot ? (struct rf_text){full_name.data, (size_t)(dot - full_name.data)} : (struct rf_text){NULL, 0};
}

enum rf_status rf_avro_declare(const struct rf_avro_parser *parser, const json_t *json, const char *word, struct rf_text space,
                               uint32_t type) {
    struct rf_text name = rf_avro_text_in(json, "name");
    if (!rf_avro_is_name(name)) {
        return RF_AVRO_FAIL(parser, "%s \"%s\" must have a name of 1 to %d bytes", word, rf_show(name).text,
                            RF_AVRO_NAME_SIZE_MAX);
    }
    struct rf_text own = rf_avro_text_in(json, "namespace");
    space = own.data ? own : space;
    if (memchr(name.data, '.', name.size)) {
        space = (struct rf_text){NULL, 0};
    }
    if (space.size > RF_AVRO_NAME_SIZE_MAX || (space.size > 0 && memchr(space.data, '\0', space.size))) {
        return RF_AVRO_FAIL(parser, "%s %s has a namespace of %zu bytes, must have 1 to %d", word, rf_show(name).text, space.size,
                            RF_AVRO_NAME_SIZE_MAX);
    }
    struct rf_text full;
    enum rf_status status = rf_avro_keep_name(parser, space, name, &full);
    if (status) {
        return status;
    }
    enum rf_avro_kind kind;
    if (rf_avro_find_primitive(full, &kind)) {
        return RF_AVRO_FAIL(parser, "%s %s has the name of a primitive type, must have another", word, full.data);
    }
    if (!rf_avro_add_to_set(parser->names, full, type)) {
        return RF_AVRO_FAIL(parser, "type %s is defined twice, must be defined once", rf_show(full).text);
    }
    parser->schema->types[type].name = full;
    return RF_OK;
}
