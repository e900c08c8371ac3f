// Fields of several names may meet in one value: items.sku and items.0.sku in the first element. So a state stands for a set
// of cursors, each a field and how much of its name was followed, and every set that a record can lead to has a state of its
// own. Sets are small and shrink on the way down.
#include "ingest/path_plan.h"

#include <assert.h>
#include <stdlib.h>

struct cursor {
    uint32_t field;      // in the schema
    struct rf_text step; // the next one of its name; data NULL: the name is at its end
    size_t next;         // where the step after it begins; beyond the name: there is none
};

struct cursors {
    struct cursor *list; // [count] those at their end last, others by step
    size_t count, ended;
};

struct state {
    struct rf_text text;
    uint32_t fields, field_count;     // of plan->fields
    uint32_t members, member_count;   // of plan->steps, sorted as rf_text_order() has it
    uint32_t elements, element_count; // of plan->steps, likewise: by their number
    uint32_t any_element;             // the state of those that have no step
};

struct rf_path_plan {
    const struct rf_schema *schema; // borrowed
    struct state *states;           // [state_count]
    size_t state_count, state_capacity;
    struct rf_path_step *steps; // [step_count]
    size_t step_count, step_capacity;
    uint32_t *fields; // [field_count]
    size_t field_count, field_capacity;
};

// Records.

static uint32_t find_step(const struct rf_path_plan *plan, uint32_t first, uint32_t count, struct rf_text text, uint32_t other) {
    const struct rf_path_step *steps = plan->steps + first;
    while (count > 0) {
        uint32_t middle = count / 2;
        int order = rf_text_order(text, steps[middle].text);
        if (order == 0) {
            return steps[middle].state;
        }
        steps = order < 0 ? steps : steps + middle + 1;
        count = order < 0 ? middle : count - middle - 1;
    }
    return other;
}

uint32_t rf_path_member(const struct rf_path_plan *plan, uint32_t state, struct rf_text name) {
    const struct state *at = &plan->states[state];
    return find_step(plan, at->members, at->member_count, name, RF_PATH_NONE);
}

uint32_t rf_path_element(const struct rf_path_plan *plan, uint32_t state, size_t index) {
    const struct state *at = &plan->states[state];
    if (at->element_count == 0) {
        return at->any_element;
    }
    char digits[20];
    char *first = digits + sizeof digits;
    do {
        *--first = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    struct rf_text text = {first, (size_t)(digits + sizeof digits - first)};
    return find_step(plan, at->elements, at->element_count, text, at->any_element);
}

uint32_t rf_path_count(const struct rf_path_plan *plan) {
    return (uint32_t)plan->state_count;
}

const struct rf_path_step *rf_path_members(const struct rf_path_plan *plan, uint32_t state, size_t *count_out) {
    *count_out = plan->states[state].member_count;
    return plan->steps + plan->states[state].members;
}

const struct rf_path_step *rf_path_elements(const struct rf_path_plan *plan, uint32_t state, size_t *count_out) {
    *count_out = plan->states[state].element_count;
    return plan->steps + plan->states[state].elements;
}

struct rf_path rf_path_at(const struct rf_path_plan *plan, uint32_t state) {
    const struct state *at = &plan->states[state];
    return (struct rf_path){
            .text = at->text,
            .fields = plan->fields + at->fields,
            .field_count = at->field_count,
            .goes_on = at->member_count > 0,
    };
}

// Making the plan.

static enum rf_status out_of_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "the paths of the fields do not fit into memory");
}

// Makes room for `count` more; NULL when memory is out, and then the array stays.
static void *reserve(void *array, size_t size, size_t used, size_t count, size_t *capacity) {
    if (array && used + count <= *capacity) {
        return array;
    }
    size_t wanted = 2 * used + count + 16;
    void *grown = reallocarray(array, wanted, size);
    *capacity = grown ? wanted : *capacity;
    return grown;
}

static struct cursor cursor_at(const struct rf_path_plan *plan, uint32_t field, size_t at) {
    struct rf_text name = rf_schema_field(plan->schema, field)->name;
    if (at > name.size) {
        return (struct cursor){.field = field, .next = at};
    }
    const char *begin = name.data + at;
    const char *dot = memchr(begin, '.', name.size - at);
    size_t size = dot ? (size_t)(dot - begin) : name.size - at;
    return (struct cursor){.field = field, .step = {begin, size}, .next = at + size + 1};
}

static bool has_ended(const struct cursor *cursor) {
    return !cursor->step.data;
}

// A number as it is written, without zeros in front, so that it picks one element.
static bool is_index(struct rf_text step) {
    bool is_number = step.size > 0 && step.size < 20 && (step.data[0] != '0' || step.size == 1);
    for (size_t i = 0; i < step.size && is_number; i++) {
        is_number = step.data[i] >= '0' && step.data[i] <= '9';
    }
    return is_number;
}

static int compare_cursors(const void *a, const void *b) {
    const struct cursor *left = a, *right = b;
    if (has_ended(left) != has_ended(right)) {
        return has_ended(left) ? 1 : -1;
    }
    int order = rf_text_order(left->step, right->step);
    return order ? order : (left->field > right->field) - (left->field < right->field);
}

static void sort(struct cursors *cursors) {
    qsort(cursors->list, cursors->count, sizeof *cursors->list, compare_cursors);
    cursors->ended = 0;
    while (cursors->ended < cursors->count && has_ended(&cursors->list[cursors->count - 1 - cursors->ended])) {
        cursors->ended++;
    }
}

// How many cursors from `first` on have the same next step.
static size_t group_size(const struct cursors *cursors, size_t first) {
    size_t end = first + 1;
    while (end < cursors->count - cursors->ended && !rf_text_order(cursors->list[end].step, cursors->list[first].step)) {
        end++;
    }
    return end - first;
}

static enum rf_status build(struct rf_path_plan *plan, struct cursors cursors, uint32_t *state_out, struct rf_error *err);

// The state behind a group of cursors, one step further, together with those that stay as they are.
static enum rf_status build_next(struct rf_path_plan *plan, const struct cursor *group, size_t count, const struct cursors *stay,
                                 uint32_t *state_out, struct rf_error *err) {
    struct cursors next = {.list = malloc((count + stay->count + 1) * sizeof *next.list)};
    if (!next.list) {
        return out_of_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        next.list[next.count++] = cursor_at(plan, group[i].field, group[i].next);
    }
    for (size_t i = 0; i < stay->count; i++) {
        next.list[next.count++] = stay->list[i];
    }
    enum rf_status status = RF_OK;
    *state_out = RF_PATH_NONE;
    if (next.count > 0) {
        sort(&next);
        status = build(plan, next, state_out, err);
    }
    free(next.list);
    return status;
}

// The steps from a state on: all of them for an object; for an array those that are numbers, and `stay` goes with each.
static enum rf_status build_steps(struct rf_path_plan *plan, const struct cursors *cursors, bool are_elements,
                                  const struct cursors *stay, uint32_t *first_out, uint32_t *count_out, struct rf_error *err) {
    size_t count = 0;
    for (size_t i = 0; i < cursors->count - cursors->ended; i += group_size(cursors, i)) {
        count += !are_elements || is_index(cursors->list[i].step);
    }
    struct rf_path_step *steps = reserve(plan->steps, sizeof *steps, plan->step_count, count, &plan->step_capacity);
    if (!steps) {
        return out_of_memory(err);
    }
    plan->steps = steps;
    size_t next = plan->step_count;
    plan->step_count += count; // those of a state stand together
    *first_out = (uint32_t)next;
    *count_out = (uint32_t)count;
    enum rf_status status = RF_OK;
    for (size_t i = 0, size; i < cursors->count - cursors->ended && !status; i += size) {
        const struct cursor *group = &cursors->list[i];
        size = group_size(cursors, i);
        if (!are_elements || is_index(group->step)) {
            uint32_t state = RF_PATH_NONE;
            status = build_next(plan, group, size, stay, &state, err);
            plan->steps[next++] = (struct rf_path_step){group->step, state};
        }
    }
    return status;
}

// The states of the elements of an array.
static enum rf_status build_elements(struct rf_path_plan *plan, const struct cursors *cursors, uint32_t index,
                                     struct state *state, struct rf_error *err) {
    struct cursors stay = {.list = malloc(cursors->count * sizeof *stay.list)};
    if (!stay.list) {
        return out_of_memory(err);
    }
    for (size_t i = 0; i < cursors->count; i++) {
        if (!is_index(cursors->list[i].step)) {
            stay.list[stay.count++] = cursors->list[i];
        }
    }
    enum rf_status status = build_steps(plan, cursors, true, &stay, &state->elements, &state->element_count, err);
    state->any_element = index; // where all of them stay
    if (!status && stay.count < cursors->count) {
        status = build_next(plan, NULL, 0, &stay, &state->any_element, err);
    }
    free(stay.list);
    return status;
}

static enum rf_status add_state(struct rf_path_plan *plan, const struct cursors *cursors, uint32_t *state_out,
                                struct rf_error *err) {
    if (plan->state_count == RF_PATH_STATES_MAX) {
        return rf_fail(err, RF_INVALID, "features name paths to more than %d places of a record, must be fewer",
                       RF_PATH_STATES_MAX);
    }
    struct state *states = reserve(plan->states, sizeof *states, plan->state_count, 1, &plan->state_capacity);
    plan->states = states ? states : plan->states;
    uint32_t *fields = reserve(plan->fields, sizeof *fields, plan->field_count, cursors->ended, &plan->field_capacity);
    plan->fields = fields ? fields : plan->fields;
    if (!states || !fields) {
        return out_of_memory(err);
    }
    struct state state = {.fields = (uint32_t)plan->field_count, .field_count = (uint32_t)cursors->ended};
    for (size_t i = 0; i < cursors->ended; i++) {
        fields[plan->field_count++] = cursors->list[cursors->count - cursors->ended + i].field;
    }
    if (cursors->count > 0) {
        const struct cursor *first = &cursors->list[0];
        struct rf_text name = rf_schema_field(plan->schema, first->field)->name;
        size_t followed = has_ended(first) ? name.size + 1 : (size_t)(first->step.data - name.data);
        state.text = (struct rf_text){name.data, followed > 0 ? followed - 1 : 0};
    }
    *state_out = (uint32_t)plan->state_count;
    plan->states[plan->state_count++] = state;
    return RF_OK;
}

// A vector is taken as a whole: no part of it can be another field.
static enum rf_status check_vector(const struct rf_path_plan *plan, const struct cursors *cursors, struct rf_error *err) {
    uint32_t vector = rf_schema_rules(plan->schema)->vector_field;
    const struct cursor *other = NULL;
    bool has_vector = false;
    for (size_t i = 0; i < cursors->count; i++) {
        bool is_vector = has_ended(&cursors->list[i]) && cursors->list[i].field == vector;
        has_vector = has_vector || is_vector;
        other = is_vector ? other : &cursors->list[i];
    }
    if (!has_vector || !other) {
        return RF_OK;
    }
    return rf_fail(err, RF_INVALID, "field %.200s is in the vector, field %.200s, must be beside it",
                   rf_schema_field(plan->schema, other->field)->name.data, rf_schema_field(plan->schema, vector)->name.data);
}

static enum rf_status build(struct rf_path_plan *plan, struct cursors cursors, uint32_t *state_out, struct rf_error *err) {
    const struct cursors nothing = {.list = NULL};
    uint32_t index;
    enum rf_status status = check_vector(plan, &cursors, err);
    status = status ? status : add_state(plan, &cursors, &index, err);
    if (status) {
        return status;
    }
    struct state state = plan->states[index];
    status = build_steps(plan, &cursors, false, &nothing, &state.members, &state.member_count, err);
    if (!status && index != RF_PATH_RECORD) {
        status = build_elements(plan, &cursors, index, &state, err);
    }
    plan->states[index] = state;
    *state_out = index;
    return status;
}

static enum rf_status check_steps(const struct rf_schema_field *field, struct rf_error *err) {
    size_t steps = 1;
    for (size_t i = 0; i < field->name.size; i++) {
        steps += field->name.data[i] == '.';
    }
    if (steps <= RF_PATH_STEPS_MAX) {
        return RF_OK;
    }
    return rf_fail(err, RF_INVALID, "field %.200s has %zu steps between its dots, must have at most %d", field->name.data, steps,
                   RF_PATH_STEPS_MAX);
}

// The record itself, where a whole name is a step too.
static enum rf_status build_record(struct rf_path_plan *plan, struct rf_error *err) {
    uint32_t count = rf_schema_count(plan->schema);
    struct cursors cursors = {.list = malloc((2 * (size_t)count + 1) * sizeof *cursors.list)};
    if (!cursors.list) {
        return out_of_memory(err);
    }
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        const struct rf_schema_field *field = rf_schema_field(plan->schema, i);
        if (rf_schema_wants(plan->schema, i)) {
            status = check_steps(field, err);
            cursors.list[cursors.count++] = cursor_at(plan, i, 0);
            if (memchr(field->name.data, '.', field->name.size)) {
                cursors.list[cursors.count++] = (struct cursor){.field = i, .step = field->name, .next = field->name.size + 1};
            }
        }
    }
    uint32_t state;
    if (!status) {
        sort(&cursors);
        status = build(plan, cursors, &state, err);
    }
    free(cursors.list);
    return status;
}

enum rf_status rf_path_plan_create(const struct rf_schema *schema, struct rf_path_plan **plan_out, struct rf_error *err) {
    struct rf_path_plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        return out_of_memory(err);
    }
    plan->schema = schema;
    uint32_t none;
    const struct cursors nothing = {.list = NULL};
    enum rf_status status = add_state(plan, &nothing, &none, err); // RF_PATH_NONE: its elements are the same
    status = status ? status : build_record(plan, err);
    if (status) {
        rf_path_plan_destroy(plan);
        return status;
    }
    *plan_out = plan;
    return RF_OK;
}

void rf_path_plan_destroy(struct rf_path_plan *plan) {
    if (plan) {
        free(plan->states);
        free(plan->steps);
        free(plan->fields);
        free(plan);
    }
}
