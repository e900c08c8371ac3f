// Makes the plan. Every record type becomes a routine for each place where something of it is wanted (a state of
// ingest/path_plan.h), and one that passes over it; so types that hold themselves are calls, and what follows from the schema is
// found once. Routines wait in a list, so that only types written within each other, which are bounded, use the stack.
#include "ingest/avro_maker.h"

#include "ingest/path_plan.h"

#include <stdlib.h>

static enum rf_status add_value(struct rf_avro_maker *maker, struct rf_avro_place place);

static const struct rf_avro_type *type_of(const struct rf_avro_maker *maker, uint32_t type) {
    return &maker->plan->types.types[type];
}

static struct rf_path path_at(const struct rf_avro_maker *maker, uint32_t state) {
    return state == RF_PATH_NONE ? (struct rf_path){.field_count = 0} : rf_path_at(maker->paths, state);
}

// Arrays, maps and unions, wanted or not.

static enum rf_status add_item(struct rf_avro_maker *maker, struct rf_avro_place place, uint32_t *at_out) {
    *at_out = rf_avro_here(maker);
    enum rf_status status = add_value(maker, place);
    status = status ? status : rf_avro_add_op(maker, (struct rf_avro_op){.code = RF_AVRO_NEXT});
    rf_avro_here(maker);
    return status;
}

// The items that are read otherwise than the rest.
static enum rf_status add_ways(struct rf_avro_maker *maker, const struct rf_path_step *steps, size_t count, uint32_t item,
                               bool is_map, uint32_t *first_out) {
    *first_out = (uint32_t)maker->ways.count;
    if (!rf_avro_add_to(maker, &maker->ways, count, sizeof(struct rf_avro_way))) {
        return maker->err->status;
    }
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < count && !status; i++) {
        struct rf_avro_way way = {.key = is_map ? steps[i].text : (struct rf_text){NULL, 0}};
        for (size_t k = 0; k < steps[i].text.size && !is_map; k++) {
            way.index = way.index * 10 + (uint64_t)(steps[i].text.data[k] - '0');
        }
        status = add_item(maker, (struct rf_avro_place){item, steps[i].state}, &way.at);
        ((struct rf_avro_way *)maker->ways.data)[*first_out + i] = way;
    }
    return status;
}

// `other`: the state of the items that no step leads to.
static enum rf_status add_items(struct rf_avro_maker *maker, const struct rf_avro_type *type, uint8_t items,
                                const struct rf_path_step *steps, size_t step_count, uint32_t other) {
    bool is_map = type->kind == RF_AVRO_MAP;
    bool are_nothing = !is_map && type_of(maker, type->item)->size == 0;
    items |= (uint8_t)((is_map ? RF_AVRO_IS_MAP : 0) | (are_nothing ? RF_AVRO_ARE_NOTHING : 0) |
                       (step_count > 0 ? RF_AVRO_IS_CHOSEN : 0));
    maker->alone = (struct rf_text){NULL, 0}; // items are no fields of the datum
    size_t begin = maker->ops.count;
    struct rf_avro_choice choice = {.count = (uint32_t)step_count};
    enum rf_status status = rf_avro_add_op(maker, (struct rf_avro_op){.code = RF_AVRO_ITEMS, .items = items});
    status = status ? status : add_item(maker, (struct rf_avro_place){type->item, other}, &choice.other);
    if (!status && step_count > 0) {
        status = add_ways(maker, steps, step_count, type->item, is_map, &choice.first);
        struct rf_avro_choice *room = status ? NULL : rf_avro_add_to(maker, &maker->choices, 1, sizeof *room);
        if (!room) {
            return maker->err->status;
        }
        *room = choice;
    }
    if (!status) {
        rf_avro_op_at(maker, begin)->at = step_count > 0 ? (uint32_t)maker->choices.count - 1 : choice.other;
        rf_avro_op_at(maker, begin)->size = rf_avro_here(maker);
    }
    return status;
}

static enum rf_status add_union(struct rf_avro_maker *maker, const struct rf_avro_type *type, uint32_t state) {
    size_t first = maker->jumps.count;
    uint32_t *jumps = rf_avro_add_to(maker, &maker->jumps, type->count, sizeof *jumps);
    enum rf_status status =
            jumps ? rf_avro_add_op(maker, (struct rf_avro_op){.code = RF_AVRO_BRANCH, .at = (uint32_t)first, .size = type->count})
                  : maker->err->status;
    size_t ends = 0; // the jump that was added last; each says which was added before it
    struct rf_text alone = maker->alone;
    for (uint32_t i = 0; i < type->count && !status; i++) {
        ((uint32_t *)maker->jumps.data)[first + i] = rf_avro_here(maker);
        maker->alone = alone;
        status = add_value(maker, (struct rf_avro_place){maker->plan->types.members[type->first + i].type, state});
        if (!status && i + 1 < type->count) {
            status = rf_avro_add_op(maker, (struct rf_avro_op){.code = RF_AVRO_JUMP, .size = ends});
            ends = maker->ops.count - 1;
        }
    }
    uint32_t end = rf_avro_here(maker);
    while (ends > 0 && !status) {
        struct rf_avro_op *jump = rf_avro_op_at(maker, ends);
        ends = (size_t)jump->size;
        *jump = (struct rf_avro_op){.code = RF_AVRO_JUMP, .at = end};
    }
    return status;
}

static enum rf_status add_passed(struct rf_avro_maker *maker, uint32_t index) {
    const struct rf_avro_type *type = type_of(maker, index);
    if (type->size != RF_AVRO_SIZE_VARIES) {
        return rf_avro_add_skip(maker, RF_AVRO_SKIP, type->size);
    }
    switch (type->kind) {
    case RF_AVRO_STRING:
    case RF_AVRO_BYTES:
        return rf_avro_add_skip(maker, RF_AVRO_SKIP_SIZED, 1);
    case RF_AVRO_RECORD:
        return rf_avro_add_call(maker, (struct rf_avro_place){index, RF_PATH_NONE});
    case RF_AVRO_UNION:
        return add_union(maker, type, RF_PATH_NONE);
    case RF_AVRO_MAP:
        return add_items(maker, type, RF_AVRO_IS_PASSED, NULL, 0, RF_PATH_NONE);
    case RF_AVRO_ARRAY:
        if (type_of(maker, type->item)->size != RF_AVRO_SIZE_VARIES) {
            return rf_avro_add_op(maker,
                                  (struct rf_avro_op){.code = RF_AVRO_SKIP_ITEMS, .size = type_of(maker, type->item)->size});
        }
        return add_items(maker, type, RF_AVRO_IS_PASSED, NULL, 0, RF_PATH_NONE);
    default:
        return rf_avro_add_skip(maker, RF_AVRO_SKIP_LONGS, 1);
    }
}

// What is wanted.

static enum rf_status add_target(struct rf_avro_maker *maker, struct rf_avro_target target) {
    struct rf_avro_target *room = rf_avro_add_to(maker, &maker->targets, 1, sizeof *room);
    if (!room) {
        return maker->err->status;
    }
    *room = target;
    return RF_OK;
}

// Targets are pointed to once all are there.
static enum rf_status add_leaf(struct rf_avro_maker *maker, enum rf_avro_code code, const struct rf_avro_type *type,
                               const struct rf_path *path) {
    enum { NEED_TEXT = RF_ROLE_ID | RF_ROLE_TIME | RF_ROLE_LABEL | RF_ROLE_CATEGORY | RF_ROLE_TEXT | RF_ROLE_VECTOR };
    struct rf_avro_leaf leaf = {
            .kind = type->kind,
            .logical = type->logical,
            .scale = type->scale,
            .size = type->size,
            .symbols = maker->plan->types.members + type->first,
            .symbol_count = type->count,
            .target_count = path->field_count,
    };
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < path->field_count && !status; i++) {
        const struct rf_schema_field *field = rf_schema_field(maker->schema, path->fields[i]);
        leaf.needs_text = leaf.needs_text || field->roles & NEED_TEXT;
        status = add_target(maker, (struct rf_avro_target){field->name, field->hash, path->fields[i]});
    }
    if (!status && path->field_count == 0) {
        uint64_t hash = rf_hash(rf_schema_key(maker->schema), maker->alone.data, maker->alone.size);
        status = add_target(maker, (struct rf_avro_target){maker->alone, hash, RF_FIELD_UNKNOWN});
        leaf.target_count = 1;
    }
    struct rf_avro_leaf *room = status ? NULL : rf_avro_add_to(maker, &maker->leaves, 1, sizeof *room);
    if (!room) {
        return maker->err->status;
    }
    *room = leaf;
    return rf_avro_add_op(maker, (struct rf_avro_op){.code = (uint8_t)code, .at = (uint32_t)maker->leaves.count - 1});
}

static bool is_vector(const struct rf_avro_maker *maker, const struct rf_path *path) {
    return path->field_count == 1 && rf_schema_field(maker->schema, path->fields[0])->roles & RF_ROLE_VECTOR;
}

static bool is_number(const struct rf_avro_type *type) {
    return type->kind >= RF_AVRO_INT && type->kind <= RF_AVRO_DOUBLE;
}

static enum rf_status add_array(struct rf_avro_maker *maker, const struct rf_avro_type *type, struct rf_avro_place place,
                                const struct rf_path *path) {
    const struct rf_avro_type *item = type_of(maker, type->item);
    if (is_vector(maker, path) && is_number(item)) {
        return add_leaf(maker, RF_AVRO_KEEP_NUMBERS, item, path);
    }
    size_t count;
    const struct rf_path_step *steps = rf_path_elements(maker->paths, place.state, &count);
    return add_items(maker, type, 0, steps, count, rf_path_element(maker->paths, place.state, SIZE_MAX));
}

static enum rf_status add_map(struct rf_avro_maker *maker, const struct rf_avro_type *type, struct rf_avro_place place,
                              const struct rf_path *path) {
    if (path->field_count > 0) {
        return add_leaf(maker, RF_AVRO_REFUSE, type, path);
    }
    size_t count;
    const struct rf_path_step *steps = rf_path_members(maker->paths, place.state, &count);
    return add_items(maker, type, 0, steps, count, RF_PATH_NONE);
}

// An undeclared field is read where it is a number or a text: bytes are neither.
static bool is_taken_alone(const struct rf_avro_type *type) {
    bool are_bytes = type->kind == RF_AVRO_BYTES || type->kind == RF_AVRO_FIXED;
    return type->kind < RF_AVRO_RECORD && (!are_bytes || type->logical != RF_AVRO_PLAIN);
}

static enum rf_status add_value(struct rf_avro_maker *maker, struct rf_avro_place place) {
    const struct rf_avro_type *type = type_of(maker, place.type);
    struct rf_path path = path_at(maker, place.state);
    bool is_alone = path.field_count == 0 && maker->alone.data && (type->kind == RF_AVRO_UNION || is_taken_alone(type));
    if (place.state == RF_PATH_RECORD) {
        return rf_avro_add_call(maker, place);
    }
    if (path.field_count == 0 && !path.goes_on && !is_alone) {
        return add_passed(maker, place.type);
    }
    switch (type->kind) {
    case RF_AVRO_RECORD:
        return path.field_count > 0 ? add_leaf(maker, RF_AVRO_REFUSE, type, &path)
               : path.goes_on       ? rf_avro_add_call(maker, place)
                                    : add_passed(maker, place.type);
    case RF_AVRO_ARRAY:
        return add_array(maker, type, place, &path);
    case RF_AVRO_MAP:
        return add_map(maker, type, place, &path);
    case RF_AVRO_UNION:
        return add_union(maker, type, place.state);
    default:
        return path.field_count > 0 || is_alone ? add_leaf(maker, RF_AVRO_KEEP, type, &path) : add_passed(maker, place.type);
    }
}

// Routines.

// A field of the datum itself that no name leads to may be wanted all the same.
static bool is_rest(const struct rf_avro_maker *maker, struct rf_text name) {
    uint32_t index = rf_schema_find(maker->schema, name);
    return rf_schema_takes_rest(maker->schema) && index == RF_FIELD_UNKNOWN;
}

static enum rf_status add_routine(struct rf_avro_maker *maker, struct rf_avro_routine *routine) {
    const struct rf_avro_type *type = type_of(maker, routine->type);
    uint32_t state = routine->state;
    routine->at = rf_avro_here(maker);
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < type->count && !status; i++) {
        const struct rf_avro_member *field = &maker->plan->types.members[type->first + i];
        bool is_alone = state == RF_PATH_RECORD && is_rest(maker, field->name);
        maker->alone = is_alone ? field->name : (struct rf_text){NULL, 0};
        uint32_t next = state == RF_PATH_NONE ? RF_PATH_NONE : rf_path_member(maker->paths, state, field->name);
        status = add_value(maker, (struct rf_avro_place){field->type, next});
    }
    maker->alone = (struct rf_text){NULL, 0};
    return status ? status : rf_avro_add_op(maker, (struct rf_avro_op){.code = RF_AVRO_RETURN});
}

static enum rf_status add_routines(struct rf_avro_maker *maker) {
    for (size_t i = 0; i < maker->routines.count; i++) { // more are met on the way
        struct rf_avro_routine routine = ((struct rf_avro_routine *)maker->routines.data)[i];
        enum rf_status status = add_routine(maker, &routine);
        if (status) {
            return status;
        }
        ((struct rf_avro_routine *)maker->routines.data)[i] = routine;
    }
    return RF_OK;
}

static enum rf_status check_top(const struct rf_avro_maker *maker) {
    const struct rf_avro_schema *types = &maker->plan->types;
    const struct rf_avro_type *top = &types->types[types->root];
    bool is_union = top->kind == RF_AVRO_UNION;
    for (uint32_t i = 0; i < (is_union ? top->count : 1); i++) {
        const struct rf_avro_type *type = is_union ? &types->types[types->members[top->first + i].type] : top;
        if (type->kind != RF_AVRO_RECORD) {
            return rf_fail(maker->err, RF_INVALID, "is of the type %s%s, must be a record or a union of records",
                           is_union ? "union with " : "", rf_avro_kinds[type->kind]);
        }
    }
    return RF_OK;
}

static enum rf_status add_top(struct rf_avro_maker *maker) {
    uint32_t root = maker->plan->types.root;
    const struct rf_avro_type *top = type_of(maker, root);
    uint32_t state = maker->schema ? RF_PATH_RECORD : RF_PATH_NONE;
    enum rf_status status;
    if (!maker->schema) {
        status = add_passed(maker, root);
    } else if (top->kind == RF_AVRO_UNION) {
        status = add_union(maker, top, state);
    } else {
        status = add_value(maker, (struct rf_avro_place){root, state});
    }
    return status ? status : rf_avro_add_op(maker, (struct rf_avro_op){.code = RF_AVRO_END});
}

// Hands the lists over, and turns what was noted by number into where it is.
static void finish_plan(struct rf_avro_maker *maker) {
    struct rf_avro_plan *plan = maker->plan;
    plan->ops = maker->ops.data;
    plan->op_count = maker->ops.count;
    plan->jumps = maker->jumps.data;
    plan->leaves = maker->leaves.data;
    plan->targets = maker->targets.data;
    plan->choices = maker->choices.data;
    plan->ways = maker->ways.data;
    const struct rf_avro_routine *routines = maker->routines.data;
    for (size_t i = 0; i < plan->op_count; i++) {
        struct rf_avro_op *op = &plan->ops[i];
        op->at = op->code == RF_AVRO_CALL ? routines[op->at].at : op->at;
    }
    size_t target = 0;
    for (size_t i = 0; i < maker->leaves.count; i++) {
        plan->leaves[i].targets = plan->targets + target;
        target += plan->leaves[i].target_count;
    }
}

enum rf_status rf_avro_plan_create(const struct rf_text *texts, size_t count, const struct rf_schema *schema,
                                   struct rf_avro_plan **plan_out, struct rf_error *err) {
    struct rf_avro_plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        return rf_fail(err, RF_MEMORY, "a plan for the schema does not fit into memory");
    }
    struct rf_avro_maker maker = {.plan = plan, .schema = schema, .paths = schema ? rf_schema_paths(schema) : NULL, .err = err};
    enum rf_status status = rf_avro_schema_init(texts, count, &plan->types, err);
    status = status ? status : check_top(&maker);
    status = status ? status : add_top(&maker);
    status = status ? status : add_routines(&maker);
    finish_plan(&maker);
    free(maker.routines.data);
    free(maker.slots.data);
    if (status) {
        rf_avro_plan_destroy(plan);
        return status;
    }
    *plan_out = plan;
    return RF_OK;
}

void rf_avro_plan_destroy(struct rf_avro_plan *plan) {
    if (plan) {
        rf_avro_schema_finish(&plan->types);
        free(plan->ops);
        free(plan->jumps);
        free(plan->leaves);
        free(plan->targets);
        free(plan->choices);
        free(plan->ways);
        free(plan);
    }
}

bool rf_avro_plan_is_empty(const struct rf_avro_plan *plan) {
    return plan->types.types[plan->types.root].size == 0;
}
