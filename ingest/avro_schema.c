#include "ingest/avro_parser.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const rf_avro_kinds[] = {"null",   "boolean", "int",  "long",   "float", "double", "bytes",
                                     "string", "fixed",   "enum", "record", "array", "map",    "union"};

static enum rf_status parse(struct rf_avro_parser *parser, const json_t *json, struct rf_text space, uint32_t *type_out);

static bool is(struct rf_text text, const char *word) {
    return rf_text_equal(text, rf_text_of(word));
}

// Types.

static enum rf_status find_type(struct rf_avro_parser *parser, struct rf_text name, struct rf_text space, uint32_t *type_out) {
    enum rf_avro_kind kind;
    if (rf_avro_find_primitive(name, &kind)) {
        static const uint64_t sizes[] = {[RF_AVRO_NULL] = 0, [RF_AVRO_BOOLEAN] = 1, [RF_AVRO_FLOAT] = 4, [RF_AVRO_DOUBLE] = 8};
        bool varies = kind != RF_AVRO_NULL && kind != RF_AVRO_BOOLEAN && kind != RF_AVRO_FLOAT && kind != RF_AVRO_DOUBLE;
        return rf_avro_add_type(
                parser,
                (struct rf_avro_type){.kind = kind, .size = varies ? RF_AVRO_SIZE_VARIES : sizes[kind], .is_finite = true},
                type_out);
    }
    if (!rf_avro_is_name(name)) {
        return RF_AVRO_FAIL(parser, "type \"%s\" is not known, must be a type of Avro or one defined before", rf_show(name).text);
    }
    const json_t *found = NULL;
    if (space.size > 0 && !memchr(name.data, '.', name.size)) {
        char full[2 * RF_AVRO_NAME_SIZE_MAX + 2];
        snprintf(full, sizeof full, "%.*s.%s", (int)space.size, space.data, name.data);
        found = json_object_get(parser->names, full);
    }
    found = found ? found : json_object_get(parser->names, name.data);
    if (!found) {
        return RF_AVRO_FAIL(parser, "type \"%s\" is not known, must be a type of Avro or one defined before", rf_show(name).text);
    }
    *type_out = (uint32_t)json_integer_value(found);
    return RF_OK;
}

static uint64_t sum_of_sizes(uint64_t a, uint64_t b) {
    if (a == RF_AVRO_SIZE_VARIES || b == RF_AVRO_SIZE_VARIES) {
        return RF_AVRO_SIZE_VARIES;
    }
    return a < RF_AVRO_SIZE_VARIES - 1 - b ? a + b : RF_AVRO_SIZE_VARIES - 1;
}

static enum rf_status parse_field(struct rf_avro_parser *parser, const json_t *json, json_t *names, struct rf_text space,
                                  struct rf_avro_member *member_out) {
    struct rf_text name = rf_avro_text_in(json, "name");
    if (!rf_avro_is_name(name)) {
        return RF_AVRO_FAIL(parser, "has a field that is no object with a name of 1 to %d bytes", RF_AVRO_NAME_SIZE_MAX);
    }
    enum rf_status status = rf_avro_keep_name(parser, (struct rf_text){NULL, 0}, name, &member_out->name);
    if (status) {
        return status;
    }
    if (!rf_avro_add_to_set(names, member_out->name, 0)) {
        return RF_AVRO_FAIL(parser, "has field %s twice, must have it once", rf_show(name).text);
    }
    parser->field = member_out->name;
    const json_t *type = json_object_get(json, "type");
    status = type ? parse(parser, type, space, &member_out->type) : RF_AVRO_FAIL(parser, "has no type, must have one");
    parser->field = (struct rf_text){NULL, 0};
    return status;
}

static enum rf_status parse_fields(struct rf_avro_parser *parser, const json_t *fields, uint32_t type, json_t *names) {
    uint32_t first;
    size_t count = json_array_size(fields);
    enum rf_status status = rf_avro_add_members(parser, count, &first);
    if (status) {
        return status;
    }
    struct rf_avro_schema *schema = parser->schema;
    schema->types[type].first = first;
    schema->types[type].count = (uint32_t)count;
    struct rf_text space = rf_avro_space_of(schema->types[type].name);
    uint64_t size = 0;
    for (size_t i = 0; i < count && !status; i++) {
        struct rf_avro_member member = {.type = 0};
        status = parse_field(parser, json_array_get(fields, i), names, space, &member);
        schema->members[first + i] = member;
        size = status ? size : sum_of_sizes(size, schema->types[member.type].size); // that of a record around it varies
    }
    schema->types[type].size = size;
    return status;
}

static enum rf_status parse_record(struct rf_avro_parser *parser, const json_t *json, const char *word, struct rf_text space,
                                   uint32_t *type_out) {
    enum rf_status status =
            rf_avro_add_type(parser, (struct rf_avro_type){.kind = RF_AVRO_RECORD, .size = RF_AVRO_SIZE_VARIES}, type_out);
    status = status ? status : rf_avro_declare(parser, json, word, space, *type_out);
    if (status) {
        return status;
    }
    struct rf_text outer_record = parser->record, outer_field = parser->field;
    parser->record = parser->schema->types[*type_out].name;
    parser->field = (struct rf_text){NULL, 0};
    const json_t *fields = json_object_get(json, "fields");
    if (!json_is_array(fields)) {
        return RF_AVRO_FAIL(parser, "has no list of fields, must have one");
    }
    json_t *names = json_object();
    status = names ? parse_fields(parser, fields, *type_out, names) : rf_avro_out_of_memory(parser);
    json_decref(names);
    parser->record = outer_record;
    parser->field = outer_field;
    return status;
}

static enum rf_status parse_symbols(const struct rf_avro_parser *parser, const json_t *symbols, uint32_t type, json_t *names) {
    uint32_t first;
    size_t count = json_array_size(symbols);
    enum rf_status status = rf_avro_add_members(parser, count, &first);
    for (size_t i = 0; i < count && !status; i++) {
        struct rf_text symbol = rf_avro_text_of(json_array_get(symbols, i));
        struct rf_avro_member *member = &parser->schema->members[first + i];
        if (!rf_avro_is_name(symbol)) {
            return RF_AVRO_FAIL(parser, "enum %s: symbol %zu must be a text of 1 to %d bytes",
                                rf_show(parser->schema->types[type].name).text, i, RF_AVRO_NAME_SIZE_MAX);
        }
        status = rf_avro_keep_name(parser, (struct rf_text){NULL, 0}, symbol, &member->name);
        if (!status && !rf_avro_add_to_set(names, member->name, 0)) {
            return RF_AVRO_FAIL(parser, "enum %s has the symbol %s twice, must have it once",
                                rf_show(parser->schema->types[type].name).text, rf_show(symbol).text);
        }
    }
    parser->schema->types[type].first = first;
    parser->schema->types[type].count = (uint32_t)count;
    return status;
}

static enum rf_status parse_enum(const struct rf_avro_parser *parser, const json_t *json, struct rf_text space,
                                 uint32_t *type_out) {
    enum rf_status status = rf_avro_add_type(
            parser, (struct rf_avro_type){.kind = RF_AVRO_ENUM, .size = RF_AVRO_SIZE_VARIES, .is_finite = true}, type_out);
    status = status ? status : rf_avro_declare(parser, json, "enum", space, *type_out);
    if (status) {
        return status;
    }
    const json_t *symbols = json_object_get(json, "symbols");
    if (json_array_size(symbols) == 0) {
        return RF_AVRO_FAIL(parser, "enum %s has no symbols, must have a list of them",
                            rf_show(parser->schema->types[*type_out].name).text);
    }
    json_t *names = json_object();
    status = names ? parse_symbols(parser, symbols, *type_out, names) : rf_avro_out_of_memory(parser);
    json_decref(names);
    return status;
}

static enum rf_status parse_fixed(const struct rf_avro_parser *parser, const json_t *json, struct rf_text space,
                                  uint32_t *type_out) {
    enum rf_status status = rf_avro_add_type(parser, (struct rf_avro_type){.kind = RF_AVRO_FIXED, .is_finite = true}, type_out);
    status = status ? status : rf_avro_declare(parser, json, "fixed", space, *type_out);
    if (status) {
        return status;
    }
    struct rf_avro_type *type = &parser->schema->types[*type_out];
    const json_t *size = json_object_get(json, "size");
    if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > INT32_MAX) {
        return RF_AVRO_FAIL(parser, "fixed %s must have a size of 0 to %" PRId32, rf_show(type->name).text, INT32_MAX);
    }
    type->size = (uint64_t)json_integer_value(size);
    return RF_OK;
}

static enum rf_status parse_holder(struct rf_avro_parser *parser, const json_t *json, enum rf_avro_kind kind,
                                   struct rf_text space, uint32_t *type_out) {
    const char *key = kind == RF_AVRO_ARRAY ? "items" : "values";
    const json_t *item = json_object_get(json, key);
    uint32_t item_type = 0;
    enum rf_status status =
            item ? parse(parser, item, space, &item_type)
                 : RF_AVRO_FAIL(parser, "%s without \"%s\", must have the type of them", rf_avro_kinds[kind], key);
    return status ? status
                  : rf_avro_add_type(parser,
                                     (struct rf_avro_type){
                                             .kind = kind, .size = RF_AVRO_SIZE_VARIES, .item = item_type, .is_finite = true},
                                     type_out);
}

static bool is_named(enum rf_avro_kind kind) {
    return kind == RF_AVRO_RECORD || kind == RF_AVRO_ENUM || kind == RF_AVRO_FIXED;
}

static enum rf_status parse_union(struct rf_avro_parser *parser, const json_t *json, struct rf_text space, uint32_t *type_out) {
    uint32_t first, number = ++parser->unions;
    size_t count = json_array_size(json);
    if (count == 0) {
        return RF_AVRO_FAIL(parser, "union of nothing, must have branches");
    }
    enum rf_status status = rf_avro_add_members(parser, count, &first);
    unsigned kinds = 0;
    for (size_t i = 0; i < count && !status; i++) {
        uint32_t branch = 0;
        status = parse(parser, json_array_get(json, i), space, &branch);
        if (status) {
            return status;
        }
        struct rf_avro_type *type = &parser->schema->types[branch];
        if (type->kind == RF_AVRO_UNION) {
            return RF_AVRO_FAIL(parser, "union directly in a union, must be one union of all branches");
        }
        bool is_doubled = is_named(type->kind) ? type->last_union == number : kinds >> type->kind & 1;
        if (is_doubled) {
            return RF_AVRO_FAIL(parser, "union has %s twice, must have it once",
                                type->name.data ? rf_show(type->name).text : rf_avro_kinds[type->kind]);
        }
        kinds |= is_named(type->kind) ? 0 : 1u << type->kind;
        type->last_union = number;
        parser->schema->members[first + i] = (struct rf_avro_member){.type = branch};
    }
    return status ? status
                  : rf_avro_add_type(
                            parser,
                            (struct rf_avro_type){
                                    .kind = RF_AVRO_UNION, .size = RF_AVRO_SIZE_VARIES, .first = first, .count = (uint32_t)count},
                            type_out);
}

static enum rf_status take_decimal(const struct rf_avro_parser *parser, const json_t *json, struct rf_avro_type *type) {
    const json_t *precision = json_object_get(json, "precision"), *scale = json_object_get(json, "scale");
    json_int_t digits = json_integer_value(precision), decimals = json_integer_value(scale); // 0 where they are no integers
    if (digits > RF_AVRO_PRECISION_MAX) {
        return RF_AVRO_FAIL(parser, "decimal has a precision of %" JSON_INTEGER_FORMAT ", must have at most %d", digits,
                            RF_AVRO_PRECISION_MAX);
    }
    bool is_sound = digits > 0 && decimals >= 0 && decimals <= digits && (!scale || json_is_integer(scale));
    if (is_sound) {
        type->logical = RF_AVRO_DECIMAL;
        type->scale = (uint32_t)decimals;
    }
    return RF_OK;
}

// Named types may be written several times in other places, but their logical type belongs to the definition.
static enum rf_status take_logical(const struct rf_avro_parser *parser, const json_t *json, uint32_t index) {
    static const struct {
        const char *word;
        enum rf_avro_kind kind;
        enum rf_avro_logical logical;
    } rows[] = {
            {"date", RF_AVRO_INT, RF_AVRO_DATE},
            {"timestamp-millis", RF_AVRO_LONG, RF_AVRO_MILLIS},
            {"timestamp-micros", RF_AVRO_LONG, RF_AVRO_MICROS},
            {"timestamp-nanos", RF_AVRO_LONG, RF_AVRO_NANOS},
            {"local-timestamp-millis", RF_AVRO_LONG, RF_AVRO_MILLIS},
            {"local-timestamp-micros", RF_AVRO_LONG, RF_AVRO_MICROS},
            {"local-timestamp-nanos", RF_AVRO_LONG, RF_AVRO_NANOS},
    };
    assert(index < parser->schema->type_count && parser->schema->types);
    struct rf_avro_type *type = &parser->schema->types[index];
    struct rf_text word = rf_avro_text_in(json, "logicalType");
    if (is(word, "decimal") && (type->kind == RF_AVRO_BYTES || type->kind == RF_AVRO_FIXED)) {
        return take_decimal(parser, json, type);
    }
    if (is(word, "uuid") && type->kind == RF_AVRO_FIXED && type->size == 16) {
        type->logical = RF_AVRO_UUID;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (type->kind == rows[i].kind && is(word, rows[i].word)) {
            type->logical = rows[i].logical;
        }
    }
    return RF_OK;
}

static enum rf_status parse_object(struct rf_avro_parser *parser, const json_t *json, struct rf_text space, uint32_t *type_out) {
    const json_t *inner = json_object_get(json, "type");
    struct rf_text word = rf_avro_text_of(inner);
    if (json_is_object(inner) || json_is_array(inner)) {
        return parse(parser, inner, space, type_out);
    }
    if (is(word, "record") || is(word, "error")) {
        return parse_record(parser, json, word.data, space, type_out);
    }
    if (is(word, "array") || is(word, "map")) {
        return parse_holder(parser, json, is(word, "map") ? RF_AVRO_MAP : RF_AVRO_ARRAY, space, type_out);
    }
    if (is(word, "enum")) {
        return parse_enum(parser, json, space, type_out);
    }
    enum rf_avro_kind primitive;
    bool is_fixed = is(word, "fixed");
    enum rf_status status = is_fixed ? parse_fixed(parser, json, space, type_out) : find_type(parser, word, space, type_out);
    bool is_own = is_fixed || rf_avro_find_primitive(word, &primitive);
    return !status && is_own ? take_logical(parser, json, *type_out) : status;
}

static enum rf_status parse(struct rf_avro_parser *parser, const json_t *json, struct rf_text space, uint32_t *type_out) {
    if (parser->depth == RF_AVRO_NESTING_MAX) {
        return RF_AVRO_FAIL(parser, "types are nested deeper than %d", RF_AVRO_NESTING_MAX);
    }
    parser->depth++;
    enum rf_status status;
    if (json_is_object(json)) {
        status = parse_object(parser, json, space, type_out);
    } else if (json_is_array(json)) {
        status = parse_union(parser, json, space, type_out);
    } else if (json_is_string(json)) {
        status = find_type(parser, rf_avro_text_of(json), space, type_out);
    } else {
        status = RF_AVRO_FAIL(parser, "type must be a name, an object or a list of them");
    }
    parser->depth--;
    return status;
}

static bool is_finite(const struct rf_avro_schema *schema, const struct rf_avro_type *type) {
    size_t finite = 0;
    for (uint32_t i = 0; i < type->count; i++) {
        finite += schema->types[schema->members[type->first + i].type].is_finite;
    }
    return type->kind == RF_AVRO_UNION ? finite > 0 : finite == type->count;
}

// A record is finite when all its fields are, a union when one of its branches is. Rounds go to and fro, so that few of them
// find all that follows, however types stand.
static enum rf_status check_ends(const struct rf_avro_parser *parser) {
    struct rf_avro_schema *schema = parser->schema;
    size_t left, before = SIZE_MAX;
    struct rf_avro_type *endless = NULL;
    bool goes_up = false;
    for (left = SIZE_MAX - 1; left > 0 && left < before; goes_up = !goes_up) {
        before = left;
        left = 0;
        for (size_t i = 0; i < schema->type_count; i++) {
            struct rf_avro_type *type = &schema->types[goes_up ? i : schema->type_count - 1 - i];
            type->is_finite = type->is_finite || is_finite(schema, type);
            left += !type->is_finite;
            endless = !type->is_finite && type->name.data ? type : endless;
        }
    }
    return left == 0 ? RF_OK : RF_AVRO_FAIL(parser, "record %s holds itself without end", rf_show(endless->name).text);
}

void rf_avro_schema_finish(struct rf_avro_schema *schema) {
    while (schema->texts) {
        struct rf_avro_text *next = schema->texts->next;
        free(schema->texts);
        schema->texts = next;
    }
    free(schema->types);
    free(schema->members);
    *schema = (struct rf_avro_schema){0};
}

static enum rf_status parse_text(struct rf_avro_parser *parser, struct rf_text text) {
    if (text.size > RF_AVRO_SCHEMA_BYTES_MAX) {
        return rf_fail(parser->err, RF_INVALID, "has %zu bytes, must have at most %d", text.size, RF_AVRO_SCHEMA_BYTES_MAX);
    }
    json_error_t wrong;
    json_t *json = json_loadb(text.data, text.size, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &wrong);
    if (!json) {
        return rf_fail(parser->err, RF_INVALID, "is no JSON: %s at line %d, column %d", rf_show(rf_text_of(wrong.text)).text,
                       wrong.line, wrong.column);
    }
    enum rf_status status = parse(parser, json, (struct rf_text){NULL, 0}, &parser->schema->root);
    json_decref(json);
    return status;
}

enum rf_status rf_avro_schema_init(const struct rf_text *texts, size_t count, struct rf_avro_schema *schema_out,
                                   struct rf_error *err) {
    struct rf_avro_schema schema = {0};
    struct rf_avro_parser parser = {.schema = &schema, .names = json_object(), .err = err};
    enum rf_status status = parser.names ? RF_OK : rf_avro_out_of_memory(&parser);
    for (size_t i = 0; i < count && !status; i++) {
        status = parse_text(&parser, texts[i]);
    }
    status = status ? status : check_ends(&parser);
    json_decref(parser.names);
    if (status) {
        rf_avro_schema_finish(&schema);
        return status;
    }
    *schema_out = schema;
    return RF_OK;
}
