#include "ingest/protobuf_layout.h"

#include "ingest/protobuf_rules.h"
#include "ingest/protobuf_types.h"

#include <stdlib.h>

#define TYPE(name) RF_PROTOBUF_TYPE(name)

enum { TABLE_NUMBER_MAX = 1023 }; // the largest number of a field for which there is a table

static enum rf_status no_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "the plan of a message does not fit into memory");
}

static enum rf_status make_table(struct rf_protobuf_node *node, struct rf_error *err) {
    uint32_t last = node->count > 0 ? node->rules[node->count - 1].tag >> 3 : 0;
    if (last > TABLE_NUMBER_MAX) {
        return RF_OK;
    }
    node->by_number = calloc(last + 1, sizeof *node->by_number);
    if (!node->by_number) {
        return no_memory(err);
    }
    node->number_count = last + 1;
    for (size_t i = 0; i < node->count; i++) {
        node->by_number[node->rules[i].tag >> 3] = (uint16_t)(i + 1);
    }
    return RF_OK;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the paths of the schema
static enum rf_status count_rule(struct rf_protobuf_plan *plan, struct rf_protobuf_rule *rule, struct rf_error *err) {
    enum rf_status status = RF_OK;
    bool can_append = false;
    rule->place = plan->place_count;
    rule->state = plan->state_count;
    struct rf_protobuf_node *node = rule->node;
    switch (rule->action) {
    case RF_PROTOBUF_SKIP:
        break;
    case RF_PROTOBUF_VALUE:
    case RF_PROTOBUF_VECTOR:
        plan->place_count++;
        break;
    case RF_PROTOBUF_MOMENT:
    case RF_PROTOBUF_SPAN:
        plan->place_count++;
        plan->state_count += RF_PROTOBUF_MOMENT_STATE;
        break;
    case RF_PROTOBUF_MESSAGE:
        plan->state_count += 1 + (uint32_t)node->oneof_count;
        status = make_table(node, err);
        for (size_t i = 0; i < node->count && !status; i++) {
            struct rf_protobuf_rule *inner = &node->rules[i];
            inner->oneof += inner->oneof ? rule->state : 0;
            status = count_rule(plan, inner, err);
            can_append |= inner->span > 0;
        }
        node->type = NULL;
        break;
    default:
        plan->state_count++;
        for (size_t i = 0; i < rule->pick_count && !status; i++) {
            status = count_rule(plan, &rule->picks[i].rule, err);
            can_append |= rule->picks[i].index == RF_PROTOBUF_EACH || rule->picks[i].rule.span > 0;
        }
    }
    if (can_append) {
        rule->span = plan->state_count;
        plan->state_count += 2;
    }
    rule->place_end = plan->place_count;
    rule->state_end = plan->state_count;
    return status;
}

static struct rf_value zero_of(const struct rf_protobuf_rule *rule) {
    switch (rule->type) {
    case TYPE(STRING):
    case TYPE(BYTES):
        return (struct rf_value){.type = RF_VALUE_TEXT, .text = {"", 0}};
    case TYPE(BOOL):
        return (struct rf_value){.type = RF_VALUE_BOOL, .text = {"false", 5}};
    case TYPE(ENUM):
        for (size_t i = 0; i < rule->names->count; i++) {
            if (rule->names->number[i] == 0) {
                return (struct rf_value){.type = RF_VALUE_TEXT, .text = rule->names->name[i]};
            }
        }
        return (struct rf_value){.type = RF_VALUE_TEXT, .text = {"0", 1}};
    default:
        return (struct rf_value){.type = RF_VALUE_NUMBER, .text = {rule->needs_text ? "0" : NULL, rule->needs_text}};
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the paths of the schema
static void fill_places(struct rf_protobuf_plan *plan, const struct rf_protobuf_rule *rule) {
    if (rule->action == RF_PROTOBUF_VALUE || rule->action == RF_PROTOBUF_VECTOR || rule->action == RF_PROTOBUF_MOMENT ||
        rule->action == RF_PROTOBUF_SPAN) {
        uint64_t hash = rf_hash(rf_schema_key(plan->schema), rule->name.data, rule->name.size);
        plan->fields[rule->place] = (struct rf_field){.name = rule->name, .hash = hash, .index = rule->field};
        plan->vector_place = rule->action == RF_PROTOBUF_VECTOR ? rule->place : plan->vector_place;
        plan->is_vector_of_floats |= rule->action == RF_PROTOBUF_VECTOR && rule->type == TYPE(FLOAT);
    }
    if (rule->action == RF_PROTOBUF_VALUE) {
        plan->defaults[rule->place] = zero_of(rule);
    }
    for (size_t i = 0; rule->node && i < rule->node->count; i++) {
        fill_places(plan, &rule->node->rules[i]);
    }
    for (size_t i = 0; i < rule->pick_count; i++) {
        fill_places(plan, &rule->picks[i].rule);
    }
}

enum rf_status rf_protobuf_lay_out(struct rf_protobuf_plan *plan, struct rf_error *err) {
    enum rf_status status = count_rule(plan, &plan->root, err);
    if (status) {
        return status;
    }
    if (plan->place_count > plan->limits.fields) {
        return rf_fail(err, RF_INVALID, "%s has %u fields that are read, must be at most the %llu of source.limits.fields",
                       plan->message, plan->place_count, (unsigned long long)plan->limits.fields);
    }
    plan->vector_place = plan->place_count;
    plan->fields = calloc(plan->limits.fields, sizeof *plan->fields);
    plan->start = calloc((size_t)plan->place_count + 1, sizeof *plan->start);
    plan->defaults = calloc((size_t)plan->place_count + 1, sizeof *plan->defaults);
    plan->appended = calloc(plan->limits.fields, sizeof *plan->appended);
    plan->state = calloc(plan->state_count, sizeof *plan->state);
    if (!plan->fields || !plan->start || !plan->defaults || !plan->appended || !plan->state) {
        return no_memory(err);
    }
    fill_places(plan, &plan->root);
    for (size_t i = 0; i < plan->root.node->count; i++) {
        const struct rf_protobuf_rule *rule = &plan->root.node->rules[i];
        if (rule->has_default && rule->action == RF_PROTOBUF_VALUE) {
            plan->start[rule->place] = plan->defaults[rule->place];
        }
    }
    return RF_OK;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the paths of the schema
static void finish_rule(struct rf_protobuf_rule *rule) {
    rf_protobuf_names_destroy(rule->names);
    for (size_t i = 0; i < rule->pick_count; i++) {
        free((char *)rule->picks[i].key.data);
        finish_rule(&rule->picks[i].rule);
    }
    free(rule->picks);
    if (rule->node) {
        for (size_t i = 0; i < rule->node->count; i++) {
            finish_rule(&rule->node->rules[i]);
        }
        free(rule->node->rules);
        free(rule->node->by_number);
        free(rule->node);
    }
}

void rf_protobuf_plan_destroy(struct rf_protobuf_plan *plan) {
    if (!plan) {
        return;
    }
    finish_rule(&plan->root);
    for (size_t i = 0; i < plan->name_count; i++) {
        free(plan->names[i]);
    }
    free(plan->names);
    free(plan->message);
    free(plan->fields);
    free(plan->start);
    free(plan->defaults);
    free(plan->appended);
    free(plan->state);
    free(plan);
}
