#include "ingest/avro_names.h"

#include "ingest/reject.h"
#include "proto/nearest.h"

#include <stdio.h>
#include <string.h>

// Records within unions within records could be gone through in more ways than there is time for: a name that is not refused
// by then is left to the records.
enum { VISITS_MAX = 1 << 16 };

struct walk {
    const struct rf_avro_schema *types;
    struct rf_text name;
    unsigned visits;
    struct rf_error *err;
};

static enum rf_status check_value(struct walk *walk, uint32_t index, struct rf_text rest);

// Takes the next step of a path; what is left is absent after the last one.
static struct rf_text take_step(struct rf_text *rest) {
    const char *dot = memchr(rest->data, '.', rest->size);
    struct rf_text step = {rest->data, dot ? (size_t)(dot - rest->data) : rest->size};
    *rest = dot ? (struct rf_text){dot + 1, rest->size - step.size - 1} : (struct rf_text){NULL, 0};
    return step;
}

static bool is_index(struct rf_text step) {
    for (size_t i = 0; step.data && i < step.size; i++) {
        if (step.data[i] < '0' || step.data[i] > '9') {
            return false;
        }
    }
    return step.size > 0;
}

static enum rf_status unknown_field(const struct walk *walk, const struct rf_avro_type *type, struct rf_text step) {
    enum { NAME_MAX = 100 };
    char word[NAME_MAX + 1], name[NAME_MAX + 1], nearest[NAME_MAX + 1] = "";
    size_t best = SIZE_MAX;
    snprintf(word, sizeof word, "%.*s", (int)step.size, step.data);
    for (uint32_t i = 0; i < type->count; i++) {
        struct rf_text member = walk->types->members[type->first + i].name;
        snprintf(name, sizeof name, "%.*s", (int)member.size, member.data);
        if (rf_is_nearer(word, name, &best)) {
            memcpy(nearest, name, sizeof name);
        }
    }
    return rf_fail(walk->err, RF_INVALID, "field %s: %s has no field %s%s%s%s", rf_show(walk->name).text,
                   rf_show(type->name).text, rf_show(step).text, *nearest ? ", did you mean " : ", must have it", nearest,
                   *nearest ? "?" : "");
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the path has steps and types are written within types
static enum rf_status check_record(struct walk *walk, const struct rf_avro_type *type, struct rf_text rest) {
    if (!rest.data) {
        return rf_fail(walk->err, RF_INVALID, "field %s is a record, must be one of its fields: %s.NAME",
                       rf_show(walk->name).text, rf_show(walk->name).text);
    }
    struct rf_text step = take_step(&rest);
    for (uint32_t i = 0; i < type->count; i++) {
        const struct rf_avro_member *member = &walk->types->members[type->first + i];
        if (rf_text_equal(member->name, step)) {
            return check_value(walk, member->type, rest);
        }
    }
    return unknown_field(walk, type, step);
}

// One branch must do. What is told is of the last one that is not null.
// NOLINTNEXTLINE(misc-no-recursion): see above
static enum rf_status check_union(struct walk *walk, const struct rf_avro_type *type, struct rf_text rest) {
    enum rf_status status = RF_OK;
    bool is_null_alone = true;
    for (uint32_t i = 0; i < type->count; i++) {
        uint32_t branch = walk->types->members[type->first + i].type;
        if (walk->types->types[branch].kind == RF_AVRO_NULL) {
            continue;
        }
        is_null_alone = false;
        status = check_value(walk, branch, rest);
        if (!status) {
            return RF_OK;
        }
    }
    return is_null_alone ? RF_OK : status;
}

// NOLINTNEXTLINE(misc-no-recursion): see above
static enum rf_status check_value(struct walk *walk, uint32_t index, struct rf_text rest) {
    const struct rf_avro_type *type = &walk->types->types[index];
    if (++walk->visits > VISITS_MAX) {
        return RF_OK;
    }
    struct rf_text behind = rest;
    struct rf_text step = rest.data ? take_step(&behind) : rest;
    switch (type->kind) {
    case RF_AVRO_RECORD:
        return check_record(walk, type, rest);
    case RF_AVRO_UNION:
        return check_union(walk, type, rest);
    case RF_AVRO_ARRAY:
        return check_value(walk, type->item, is_index(step) ? behind : rest);
    case RF_AVRO_MAP:
        return rest.data ? check_value(walk, type->item, behind)
                         : rf_fail(walk->err, RF_INVALID, "field %s is a map, must be one of its entries: %s.KEY",
                                   rf_show(walk->name).text, rf_show(walk->name).text);
    default:
        return !rest.data ? RF_OK
                          : rf_fail(walk->err, RF_INVALID, "field %s: what has %s is of the type %s, must be a record or a map",
                                    rf_show(walk->name).text, rf_show(step).text, rf_avro_kinds[type->kind]);
    }
}

enum rf_status rf_avro_check_names(const struct rf_avro_schema *types, const struct rf_schema *schema,
                                   const struct rf_decoder_options *options, struct rf_error *err) {
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < rf_schema_count(schema) && !status; i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        bool is_of_value = !(field->roles & RF_ROLE_DERIVED) && rf_schema_wants(schema, i);
        if (is_of_value && !rf_decoder_adds_field(options, field->name)) {
            struct walk walk = {.types = types, .name = field->name, .err = err};
            status = check_value(&walk, types->root, field->name);
        }
    }
    return status;
}
