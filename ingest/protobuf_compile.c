// Paths of fields into rules. Each declared field walks down from the message, making the rules on its way that are not there
// yet; then all are laid out side by side.
#include "ingest/descriptors.h"
#include "ingest/protobuf_internal.h"
#include "ingest/protobuf_layout.h"
#include "ingest/protobuf_rules.h"
#include "ingest/protobuf_types.h"
#include "ingest/reject.h"
#include "proto/nearest.h"

#include <stdlib.h>

#define TYPE(name) RF_PROTOBUF_TYPE(name)

typedef Google__Protobuf__FieldDescriptorProto field_descriptor;

// The field that is being placed.
struct placing {
    const struct rf_protobuf_plan_options *options;
    const struct rf_descriptors *descriptors;
    struct rf_error *err;
    struct rf_text name;
    uint32_t index;
    unsigned roles;
    bool is_within_each; // its values are those of all elements of a repeated field
};

static enum rf_status no_memory(const struct placing *placing) {
    return rf_fail(placing->err, RF_MEMORY, "the plan of a message does not fit into memory");
}

static struct rf_shown shown(const struct placing *placing) {
    return rf_show(placing->name);
}

static bool is_repeated(const field_descriptor *field) {
    return field->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED;
}

static const char *type_name(const field_descriptor *field) {
    return field->type_name ? field->type_name : "";
}

// Takes the next step of a path; what is left is absent after the last one.
static struct rf_text take_step(struct rf_text *rest) {
    const char *dot = memchr(rest->data, '.', rest->size);
    struct rf_text step = {rest->data, dot ? (size_t)(dot - rest->data) : rest->size};
    *rest = dot ? (struct rf_text){dot + 1, rest->size - step.size - 1} : (struct rf_text){NULL, 0};
    return step;
}

static const field_descriptor *find_field(const struct rf_message_type *type, struct rf_text name) {
    for (size_t i = 0; i < type->descriptor->n_field; i++) {
        const field_descriptor *field = type->descriptor->field[i];
        bool is_sound =
                field->number > 0 && field->number < 1 << 29 && field->type >= TYPE(DOUBLE) && field->type <= TYPE(SINT64);
        if (is_sound && field->name && rf_text_equal(rf_text_of(field->name), name)) {
            return field;
        }
    }
    return NULL;
}

static enum rf_status unknown_field(const struct placing *placing, const struct rf_message_type *type, struct rf_text step) {
    if (placing->options->may_lack_fields) {
        return RF_OK;
    }
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    char word[64] = "";
    memcpy(word, step.data, step.size < sizeof word ? step.size : sizeof word - 1);
    for (size_t i = 0; i < type->descriptor->n_field; i++) {
        const char *name = type->descriptor->field[i]->name;
        nearest = name && rf_is_nearer(word, name, &best) ? name : nearest;
    }
    return rf_fail(placing->err, RF_INVALID, "field %s: %.200s has no field %s%s%.100s%s", shown(placing).text, type->name,
                   rf_show(step).text, nearest ? ", did you mean " : ", must have it", nearest ? nearest : "",
                   nearest ? "?" : "");
}

static enum rf_status unknown_type(const struct placing *placing, const field_descriptor *field) {
    return rf_fail(placing->err, RF_INVALID, "field %s: %.200s is missing, must be there too: give protoc --include_imports",
                   shown(placing).text, *type_name(field) ? type_name(field) + 1 : "its type");
}

// A scalar, at the end of the path.

static enum rf_status same_field(const struct placing *placing) {
    return rf_fail(placing->err, RF_INVALID, "field %s is read under another name too, must be under one", shown(placing).text);
}

static enum rf_status place_scalar(const struct placing *placing, struct rf_protobuf_rule *rule, const field_descriptor *field,
                                   int type) {
    if (rule->action != RF_PROTOBUF_SKIP) {
        return same_field(placing);
    }
    enum rf_status status = rf_protobuf_check_roles(placing->name, placing->roles, RF_PROTOBUF_VALUE, type,
                                                    placing->options->decoder->numeric_texts, placing->err);
    if (!status && type == TYPE(ENUM)) {
        const struct rf_enum_type *names = rf_descriptors_enum(placing->descriptors, type_name(field));
        rule->names = names ? rf_protobuf_names_create(names) : NULL;
        status = !names ? unknown_type(placing, field) : rule->names ? RF_OK : no_memory(placing);
    }
    rule->action = RF_PROTOBUF_VALUE;
    rule->type = (uint8_t)type;
    rule->needs_text = (placing->roles & (RF_ROLE_ID | RF_ROLE_CATEGORY | RF_ROLE_TEXT | RF_ROLE_LABEL)) != 0;
    rule->field = placing->index;
    rule->name = placing->name;
    return status;
}

static enum rf_status place_moment(const struct placing *placing, struct rf_protobuf_rule *rule, enum rf_protobuf_action action) {
    if (rule->action != RF_PROTOBUF_SKIP) {
        return same_field(placing);
    }
    rule->action = (uint8_t)action;
    rule->field = placing->index;
    rule->name = placing->name;
    return rf_protobuf_check_roles(placing->name, placing->roles, action, 0, false, placing->err);
}

// Rules of a message.

static enum rf_status make_node(const struct placing *placing, struct rf_protobuf_rule *rule,
                                const struct rf_message_type *type) {
    if (rule->action != RF_PROTOBUF_SKIP && rule->action != RF_PROTOBUF_MESSAGE) {
        return same_field(placing);
    }
    if (rule->node) {
        return rule->node->type == type ? RF_OK : same_field(placing);
    }
    rule->node = calloc(1, sizeof *rule->node);
    if (!rule->node) {
        return no_memory(placing);
    }
    rule->action = RF_PROTOBUF_MESSAGE;
    rule->node->type = type;
    return RF_OK;
}

static bool is_implicit(const struct rf_message_type *type, const field_descriptor *field) {
    return type->has_implicit_presence && !field->has_oneof_index && !field->proto3_optional && !is_repeated(field);
}

// Paths.

static enum rf_status place_in_message(struct placing *placing, struct rf_protobuf_node *node, struct rf_text rest);

static enum rf_status is_message(const struct placing *placing, const field_descriptor *field) {
    const char *name = *type_name(field) ? type_name(field) + 1 : "message";
    return rf_fail(placing->err, RF_INVALID, "field %s is a %.200s, must be one of its fields: %s.NAME", shown(placing).text,
                   name, shown(placing).text);
}

// One value of a field, or one of several of it, and what of it the rest of the path says.
static enum rf_status place_one(struct placing *placing, struct rf_protobuf_rule *rule, const field_descriptor *field,
                                struct rf_text rest) {
    if (field->type != TYPE(MESSAGE)) {
        if (rest.data) {
            return rf_fail(placing->err, RF_INVALID, "field %s: %.100s is of the type %s, must be a message to have a field %s",
                           shown(placing).text, field->name, rf_protobuf_type_name((int)field->type), rf_show(rest).text);
        }
        return place_scalar(placing, rule, field, (int)field->type);
    }
    int wrapped = rf_protobuf_wrapped(type_name(field));
    enum rf_protobuf_action well_known = rf_protobuf_well_known(type_name(field));
    if (!rest.data && well_known != RF_PROTOBUF_SKIP) {
        return place_moment(placing, rule, well_known);
    }
    if (!rest.data && wrapped) {
        enum rf_status status = make_node(placing, rule, NULL);
        if (status) {
            return status;
        }
        struct rf_protobuf_rule *value = rf_protobuf_rule_of(rule->node, 1, rf_protobuf_wire_type(wrapped));
        if (!value) {
            return no_memory(placing);
        }
        status = place_scalar(placing, value, field, wrapped);
        value->has_default = true;
        return status;
    }
    if (!rest.data) {
        return is_message(placing, field);
    }
    const struct rf_message_type *type = rf_descriptors_message(placing->descriptors, type_name(field));
    if (!type) {
        return unknown_type(placing, field);
    }
    enum rf_status status = make_node(placing, rule, type);
    return status ? status : place_in_message(placing, rule->node, rest);
}

static bool is_index(struct rf_text step, uint32_t *index_out) {
    enum { DIGITS_MAX = 9 };
    uint32_t index = 0;
    for (size_t i = 0; i < step.size; i++) {
        if (step.data[i] < '0' || step.data[i] > '9' || step.size > DIGITS_MAX) {
            return false;
        }
        index = 10 * index + (uint32_t)(step.data[i] - '0');
    }
    *index_out = index;
    return step.size > 0;
}

static enum rf_status place_vector(const struct placing *placing, struct rf_protobuf_rule *rule, const field_descriptor *field) {
    if (placing->is_within_each) {
        return rf_fail(placing->err, RF_INVALID,
                       "field %s is the vector within repeated messages, must be that of one: by its index", shown(placing).text);
    }
    if (rule->action != RF_PROTOBUF_SKIP) {
        return same_field(placing);
    }
    rule->action = RF_PROTOBUF_VECTOR;
    rule->type = (uint8_t)field->type;
    rule->packed_tag = RF_WIRE_TAG(field->number, RF_WIRE_DELIMITED);
    rule->field = placing->index;
    rule->name = placing->name;
    return rf_protobuf_check_roles(placing->name, placing->roles, RF_PROTOBUF_VECTOR, (int)field->type, false, placing->err);
}

static enum rf_status place_in_repeated(struct placing *placing, struct rf_protobuf_rule *rule, const field_descriptor *field,
                                        struct rf_text rest) {
    enum rf_protobuf_action action = field->type == TYPE(MESSAGE) ? RF_PROTOBUF_MESSAGES : RF_PROTOBUF_VALUES;
    bool is_number = field->type != TYPE(MESSAGE) && field->type != TYPE(STRING) && field->type != TYPE(BYTES);
    uint32_t index = RF_PROTOBUF_EACH;
    struct rf_text behind = rest;
    if (rest.data && is_index(take_step(&behind), &index)) {
        rest = behind;
    } else if (placing->roles & RF_ROLE_VECTOR && is_number && !rest.data) {
        return place_vector(placing, rule, field);
    }
    if (rule->action != RF_PROTOBUF_SKIP && rule->action != action) {
        return same_field(placing);
    }
    rule->action = (uint8_t)action;
    rule->packed_tag = is_number ? RF_WIRE_TAG(field->number, RF_WIRE_DELIMITED) : 0;
    struct rf_protobuf_rule *pick = rf_protobuf_pick_of(rule, index, (struct rf_text){NULL, 0}, rule->tag);
    placing->is_within_each |= index == RF_PROTOBUF_EACH;
    return pick ? place_one(placing, pick, field, rest) : no_memory(placing);
}

// `entry` is the type of the map's entries: a key, 1, and a value, 2.
static enum rf_status place_in_map(struct placing *placing, struct rf_protobuf_rule *rule, const struct rf_message_type *entry,
                                   const field_descriptor *field, struct rf_text rest) {
    const field_descriptor *key = find_field(entry, rf_text_of("key"));
    const field_descriptor *value = find_field(entry, rf_text_of("value"));
    if (!rest.data) {
        return rf_fail(placing->err, RF_INVALID, "field %s is a map, must be one of its entries: %s.KEY", shown(placing).text,
                       shown(placing).text);
    }
    if (!key || !value || key->type != TYPE(STRING)) {
        return rf_fail(placing->err, RF_INVALID, "field %s: the keys of %.100s are of the type %s, must be strings",
                       shown(placing).text, field->name, key ? rf_protobuf_type_name((int)key->type) : "unknown");
    }
    bool is_whole = value->type != TYPE(MESSAGE) || rf_protobuf_wrapped(type_name(value)) ||
                    rf_protobuf_well_known(type_name(value)) != RF_PROTOBUF_SKIP;
    struct rf_text step = rest; // keys may have dots where nothing can come behind them
    rest = (struct rf_text){NULL, 0};
    if (!is_whole) {
        rest = step;
        step = take_step(&rest);
    }
    rule->action = RF_PROTOBUF_MAP;
    uint32_t tag = RF_WIRE_TAG(value->number, rf_protobuf_wire_type((int)value->type));
    struct rf_protobuf_rule *pick = rf_protobuf_pick_of(rule, 0, step, tag);
    return pick ? place_one(placing, pick, value, rest) : no_memory(placing);
}

static enum rf_status place_in_field(struct placing *placing, const struct rf_message_type *type, struct rf_protobuf_rule *rule,
                                     const field_descriptor *field, struct rf_text rest) {
    if (field->type == TYPE(GROUP)) {
        return rf_fail(placing->err, RF_INVALID, "field %s: %.100s is a group, must not be: groups are passed over",
                       shown(placing).text, field->name);
    }
    if (!is_repeated(field)) {
        rule->has_default = field->type != TYPE(MESSAGE) && is_implicit(type, field);
        return place_one(placing, rule, field, rest);
    }
    if (field->type == TYPE(MESSAGE)) {
        const struct rf_message_type *entry = rf_descriptors_message(placing->descriptors, type_name(field));
        if (entry && entry->descriptor->options && entry->descriptor->options->map_entry) {
            return place_in_map(placing, rule, entry, field, rest);
        }
    }
    return place_in_repeated(placing, rule, field, rest);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the path has steps
static enum rf_status place_in_message(struct placing *placing, struct rf_protobuf_node *node, struct rf_text rest) {
    struct rf_text step = take_step(&rest);
    const struct rf_message_type *type = node->type;
    if (!type) {
        return same_field(placing); // a wrapper that is read as the value in it
    }
    if (type->is_refused) {
        return rf_fail(placing->err, RF_INVALID, "field %s: %.200s is of an edition, must be proto2 or proto3",
                       shown(placing).text, type->name);
    }
    const field_descriptor *field = find_field(type, step);
    if (!field) {
        return unknown_field(placing, type, step);
    }
    bool is_added = rf_protobuf_add_oneof(node, field);
    struct rf_protobuf_rule *rule = rf_protobuf_rule_of(node, (uint32_t)field->number, rf_protobuf_wire_type((int)field->type));
    if (!is_added || !rule) {
        return no_memory(placing);
    }
    return place_in_field(placing, type, rule, field, rest);
}

// A field from elsewhere than the value.
static enum rf_status stands_apart(const struct placing *placing, const struct rf_message_type *type) {
    return rf_fail(placing->err, RF_INVALID, "field %s of %.200s is a field from beside the value too, must have another name",
                   shown(placing).text, type->name);
}

// What the schema declares.
static enum rf_status place_declared(const struct rf_protobuf_plan_options *options, const struct rf_descriptors *descriptors,
                                     struct rf_protobuf_plan *plan, struct rf_error *err) {
    const struct rf_schema *schema = options->schema;
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < rf_schema_count(schema) && !status; i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        struct placing placing = {options, descriptors, err, field->name, i, field->roles, false};
        if (rf_decoder_adds_field(options->decoder, field->name)) {
            const struct rf_message_type *type = plan->root.node->type;
            status = find_field(type, field->name) ? stands_apart(&placing, type) : RF_OK;
        } else if (rf_schema_wants(schema, i)) {
            status = place_in_message(&placing, plan->root.node, field->name);
        }
    }
    return status;
}

// Undeclared fields are features where the schema takes them all: scalars of the message itself, but bytes.
static enum rf_status place_rest(const struct rf_protobuf_plan_options *options, const struct rf_descriptors *descriptors,
                                 struct rf_protobuf_plan *plan, struct rf_error *err) {
    const struct rf_message_type *type = plan->root.node->type;
    plan->names = calloc(type->descriptor->n_field + 1, sizeof *plan->names);
    if (!plan->names) {
        return rf_fail(err, RF_MEMORY, "the plan of a message does not fit into memory");
    }
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < type->descriptor->n_field && !status; i++) {
        struct rf_text name = rf_text_of(type->descriptor->field[i]->name);
        const field_descriptor *field = name.data ? find_field(type, name) : NULL;
        bool is_scalar = field && (field->type == TYPE(MESSAGE) ? rf_protobuf_wrapped(type_name(field)) : (int)field->type);
        if (!is_scalar || is_repeated(field) || field->type == TYPE(GROUP) || field->type == TYPE(BYTES) ||
            (field->type == TYPE(MESSAGE) && rf_protobuf_wrapped(type_name(field)) == TYPE(BYTES)) ||
            rf_schema_find(options->schema, name) != RF_FIELD_UNKNOWN) {
            continue;
        }
        char *copy = strdup(field->name);
        if (!copy) {
            return rf_fail(err, RF_MEMORY, "the plan of a message does not fit into memory");
        }
        plan->names[plan->name_count++] = copy;
        struct placing placing = {options, descriptors, err, {copy, name.size}, RF_FIELD_UNKNOWN, 0, false};
        if (rf_decoder_adds_field(options->decoder, name)) {
            return stands_apart(&placing, type);
        }
        struct rf_protobuf_rule *rule =
                rf_protobuf_rule_of(plan->root.node, (uint32_t)field->number, rf_protobuf_wire_type((int)field->type));
        if (rule && rule->action != RF_PROTOBUF_SKIP) {
            continue; // declared by the value in it
        }
        status = place_in_message(&placing, plan->root.node, placing.name);
    }
    return status;
}

static enum rf_status compile(const struct rf_protobuf_plan_options *options, const struct rf_descriptors *descriptors,
                              struct rf_protobuf_plan *plan, struct rf_error *err) {
    const struct rf_message_type *type;
    enum rf_status status = rf_descriptors_find(descriptors, options->message, &type, err);
    if (status) {
        return status;
    }
    struct placing placing = {options, descriptors, err, rf_text_of(type->name), RF_FIELD_UNKNOWN, 0, false};
    plan->schema = options->schema;
    plan->limits = options->limits;
    plan->message = strdup(type->name);
    if (!plan->message) {
        return no_memory(&placing);
    }
    status = make_node(&placing, &plan->root, type);
    status = status ? status : place_declared(options, descriptors, plan, err);
    if (!status && rf_schema_takes_rest(options->schema)) {
        status = place_rest(options, descriptors, plan, err);
    }
    return status ? status : rf_protobuf_lay_out(plan, err);
}

enum rf_status rf_protobuf_plan_create(const struct rf_protobuf_plan_options *options, struct rf_protobuf_plan **plan_out,
                                       struct rf_error *err) {
    struct rf_protobuf_plan *plan = calloc(1, sizeof *plan);
    struct rf_descriptors *descriptors;
    if (!plan) {
        return rf_fail(err, RF_MEMORY, "the plan of a message does not fit into memory");
    }
    enum rf_status status = rf_descriptors_create(options->descriptors, &descriptors, err);
    if (!status) {
        status = compile(options, descriptors, plan, err);
        rf_descriptors_destroy(descriptors);
    }
    if (status) {
        rf_protobuf_plan_destroy(plan);
        return status;
    }
    *plan_out = plan;
    return RF_OK;
}
