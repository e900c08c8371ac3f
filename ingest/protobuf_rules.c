#include "ingest/protobuf_rules.h"

#include "ingest/protobuf_types.h"

#include <stdlib.h>

typedef Google__Protobuf__FieldDescriptorProto field_descriptor;

struct rf_protobuf_enum *rf_protobuf_names_create(const struct rf_enum_type *type) {
    size_t count = type->descriptor->n_value;
    struct rf_protobuf_enum *names = calloc(1, sizeof *names);
    if (!names) {
        return NULL;
    }
    names->number = calloc(count + 1, sizeof *names->number);
    names->name = calloc(count + 1, sizeof *names->name);
    for (size_t i = 0; names->number && names->name && i < count; i++) {
        const Google__Protobuf__EnumValueDescriptorProto *value = type->descriptor->value[i];
        size_t at = names->count;
        while (at > 0 && names->number[at - 1] > value->number) {
            at--;
        }
        if (at > 0 && names->number[at - 1] == value->number) {
            continue;
        }
        char *copy = strdup(value->name ? value->name : "");
        if (!copy) {
            rf_protobuf_names_destroy(names);
            return NULL;
        }
        memmove(names->number + at + 1, names->number + at, (names->count - at) * sizeof *names->number);
        memmove(names->name + at + 1, names->name + at, (names->count - at) * sizeof *names->name);
        names->number[at] = value->number;
        names->name[at] = rf_text_of(copy);
        names->count++;
    }
    if (!names->number || !names->name) {
        rf_protobuf_names_destroy(names);
        return NULL;
    }
    return names;
}

void rf_protobuf_names_destroy(struct rf_protobuf_enum *names) {
    if (names) {
        for (size_t i = 0; i < names->count; i++) {
            free((char *)names->name[i].data);
        }
        free(names->name);
        free(names->number);
        free(names);
    }
}

struct rf_protobuf_rule *rf_protobuf_rule_of(struct rf_protobuf_node *node, uint32_t number, enum rf_wire_type wire_type) {
    size_t at = 0;
    while (at < node->count && node->rules[at].tag >> 3 < number) {
        at++;
    }
    if (at < node->count && node->rules[at].tag >> 3 == number) {
        return &node->rules[at];
    }
    if (node->count == node->capacity) {
        size_t capacity = node->capacity ? 2 * node->capacity : 8;
        struct rf_protobuf_rule *rules = realloc(node->rules, capacity * sizeof *rules);
        if (!rules) {
            return NULL;
        }
        node->rules = rules;
        node->capacity = capacity;
    }
    memmove(node->rules + at + 1, node->rules + at, (node->count - at) * sizeof *node->rules);
    node->count++;
    node->rules[at] = (struct rf_protobuf_rule){.tag = RF_WIRE_TAG(number, wire_type), .field = RF_FIELD_UNKNOWN};
    return &node->rules[at];
}

// The members of a oneof are all known, so that each puts the others out. proto3's optional fields are in one of their own.
static bool is_in_oneof(const struct rf_message_type *type, const field_descriptor *field) {
    if (!field->has_oneof_index || field->proto3_optional) {
        return false;
    }
    size_t members = 0;
    for (size_t i = 0; i < type->descriptor->n_field; i++) {
        const field_descriptor *other = type->descriptor->field[i];
        members += other->has_oneof_index && other->oneof_index == field->oneof_index;
    }
    return members > 1 && field->oneof_index >= 0 && (size_t)field->oneof_index < type->descriptor->n_oneof_decl;
}

bool rf_protobuf_add_oneof(struct rf_protobuf_node *node, const field_descriptor *field) {
    const struct rf_message_type *type = node->type;
    for (size_t i = 0; i < type->descriptor->n_field && is_in_oneof(type, field); i++) {
        const field_descriptor *other = type->descriptor->field[i];
        if (!other->has_oneof_index || other->oneof_index != field->oneof_index || other->number <= 0 ||
            other->number >= 1 << 29) {
            continue;
        }
        struct rf_protobuf_rule *rule =
                rf_protobuf_rule_of(node, (uint32_t)other->number, rf_protobuf_wire_type((int)other->type));
        if (!rule) {
            return false;
        }
        rule->oneof = (uint32_t)field->oneof_index + 1;
        rule->member = (uint32_t)i + 1;
        node->oneof_count = type->descriptor->n_oneof_decl;
    }
    return true;
}

struct rf_protobuf_rule *rf_protobuf_pick_of(struct rf_protobuf_rule *rule, uint32_t index, struct rf_text key, uint32_t tag) {
    for (size_t i = 0; i < rule->pick_count; i++) {
        if (rule->picks[i].index == index && rf_text_equal(rule->picks[i].key, key)) {
            return &rule->picks[i].rule;
        }
    }
    struct rf_protobuf_pick *picks = realloc(rule->picks, (rule->pick_count + 1) * sizeof *picks);
    if (!picks) {
        return NULL;
    }
    rule->picks = picks;
    char *copy = strndup(key.data ? key.data : "", key.size);
    if (!copy) {
        return NULL;
    }
    picks[rule->pick_count] =
            (struct rf_protobuf_pick){.index = index, .key = {copy, key.size}, .rule = {.tag = tag, .field = RF_FIELD_UNKNOWN}};
    return &picks[rule->pick_count++].rule;
}
