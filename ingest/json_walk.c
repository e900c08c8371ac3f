#include "ingest/json_walk.h"

#include "ingest/path_plan.h"
#include "ingest/reject.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

// An object or array that is being walked.
struct frame {
    uint32_t state;
    bool is_object;
    uint64_t object; // of an object: its number
    size_t next;     // of an array: the index of the next element
};

struct rf_json_walk {
    const struct rf_schema *schema; // borrowed
    const struct rf_path_plan *plan;
    struct frame *frames; // [limits.depth]
    size_t depth;
    uint64_t objects; // counts those walked
    uint64_t *seen;   // [rf_path_count()] the last object that had this member
    uint64_t record;  // counts records, never 0
    uint64_t *whole;  // [rf_schema_count()] the last record that had the field under its whole name
    uint64_t *nested; // [rf_schema_count()] the last record that had it as a nested member
    bool is_in_whole; // the value being walked stands under a whole name
};

void rf_json_walk_begin(struct rf_json_walk *walk) {
    walk->record++;
}

enum rf_status rf_json_too_many_fields(const struct rf_json_scan *scan) {
    return rf_decode_fail(scan->error, RF_REASON_LIMIT, "has more than %" PRIu64 " fields", scan->limits->fields);
}

static enum rf_status stands_twice(const struct rf_json_scan *scan, struct rf_text name) {
    return rf_decode_fail(scan->error, RF_REASON_DUPLICATE, "field %s stands twice, must stand once", rf_show(name).text);
}

enum rf_status rf_json_walk_whole_name(struct rf_json_walk *walk, const struct rf_json_scan *scan,
                                       const struct rf_field_name *name) {
    if (walk->nested[name->index] == walk->record) {
        return stands_twice(scan, name->text);
    }
    walk->whole[name->index] = walk->record;
    return RF_OK;
}

static enum rf_status append(const struct rf_json_walk *walk, const struct rf_json_scan *scan, uint32_t index,
                             struct rf_value value, struct rf_event *event) {
    const struct rf_schema_field *declared = rf_schema_field(walk->schema, index);
    return rf_json_append(scan, event, (struct rf_field){declared->name, declared->hash, index, value});
}

// The fields that a value belongs to are nested in this record, unless it stands under their whole name.
static enum rf_status note_nested(struct rf_json_walk *walk, const struct rf_json_scan *scan, const struct rf_path *path) {
    for (uint32_t i = 0; i < path->field_count && !walk->is_in_whole; i++) {
        uint32_t field = path->fields[i];
        if (walk->whole[field] == walk->record) {
            return stands_twice(scan, rf_schema_field(walk->schema, field)->name);
        }
        walk->nested[field] = walk->record;
    }
    return RF_OK;
}

// An array is checked here and read where the example is made: it needs no memory but that of the record.
static enum rf_status take_vector(const struct rf_json_walk *walk, struct rf_json_scan *scan, uint32_t field,
                                  struct rf_event *event) {
    const char *begin = scan->at;
    enum rf_status status = rf_json_skip_value(scan);
    const struct rf_value list = {.type = RF_VALUE_LIST, .text = {begin, (size_t)(scan->at - begin)}};
    return status ? status : append(walk, scan, field, list, event);
}

static enum rf_status take_scalar(const struct rf_json_walk *walk, struct rf_json_scan *scan, const struct rf_path *path,
                                  struct rf_arena *arena, struct rf_event *event) {
    struct rf_value value;
    struct rf_text name = rf_schema_field(walk->schema, path->fields[0])->name;
    enum rf_status status = rf_json_scan_scalar(scan, name, arena, &value);
    for (uint32_t i = 0; i < path->field_count && !status; i++) {
        status = append(walk, scan, path->fields[i], value, event);
    }
    return status;
}

static enum rf_status enter(struct rf_json_walk *walk, struct rf_json_scan *scan, uint32_t state) {
    bool is_object = *scan->at == '{';
    enum rf_status status = rf_json_enter(scan);
    if (!status) {
        walk->frames[walk->depth++] = (struct frame){.state = state, .is_object = is_object, .object = ++walk->objects};
    }
    return status;
}

// The value at the cursor. An object or array on a path is only entered.
static enum rf_status take_value(struct rf_json_walk *walk, struct rf_json_scan *scan, uint32_t state, struct rf_arena *arena,
                                 struct rf_event *event) {
    if (state == RF_PATH_NONE) {
        return rf_json_skip_value(scan);
    }
    struct rf_path path = rf_path_at(walk->plan, state);
    enum rf_status status = note_nested(walk, scan, &path);
    if (status) {
        return status;
    }
    char first = scan->at < scan->end ? *scan->at : '\0';
    bool is_field = path.field_count > 0;
    if (first != '{' && first != '[') {
        return is_field ? take_scalar(walk, scan, &path, arena, event) : rf_json_skip_value(scan);
    }
    if (first == '{' && is_field) {
        return rf_decode_fail(scan->error, RF_REASON_TYPE, "field %s is an object, must be a number, a text, true, false or null",
                              rf_show(rf_schema_field(walk->schema, path.fields[0])->name).text);
    }
    if (is_field && path.fields[0] == rf_schema_rules(walk->schema)->vector_field) {
        return take_vector(walk, scan, path.fields[0], event);
    }
    return enter(walk, scan, state);
}

// Passes over the name of a member; what it leads to.
static enum rf_status take_name(struct rf_json_walk *walk, struct rf_json_scan *scan, const struct frame *frame,
                                struct rf_arena *arena, uint32_t *state_out) {
    struct rf_json_string string;
    struct rf_text name;
    size_t used = arena->used;
    enum rf_status status = rf_json_scan_name(scan, &string);
    status = status ? status : rf_json_resolve(string, arena, &name);
    if (status) {
        return status;
    }
    uint32_t state = rf_path_member(walk->plan, frame->state, name);
    arena->used = used; // the name is not needed any more
    if (state != RF_PATH_NONE && walk->seen[state] == frame->object) {
        return stands_twice(scan, rf_path_at(walk->plan, state).text);
    }
    walk->seen[state] = frame->object;
    *state_out = state;
    return RF_OK;
}

// Leaves what ends at the cursor; stands behind a comma, or at the end of the outermost.
static enum rf_status leave(struct rf_json_walk *walk, struct rf_json_scan *scan) {
    while (walk->depth > 0) {
        bool is_object = walk->frames[walk->depth - 1].is_object;
        rf_json_skip_space(scan);
        if (rf_json_take(scan, ',')) {
            return RF_OK;
        }
        if (!rf_json_take(scan, is_object ? '}' : ']')) {
            return rf_json_unexpected(scan, is_object ? "',' or '}'" : "',' or ']'");
        }
        walk->depth--;
        scan->depth--;
    }
    return RF_OK;
}

// Leaves it where there is nothing in it.
static bool is_empty(struct rf_json_walk *walk, struct rf_json_scan *scan) {
    rf_json_skip_space(scan);
    if (!rf_json_take(scan, walk->frames[walk->depth - 1].is_object ? '}' : ']')) {
        return false;
    }
    walk->depth--;
    scan->depth--;
    return true;
}

enum rf_status rf_json_walk_value(struct rf_json_walk *walk, struct rf_json_scan *scan, const struct rf_field_name *name,
                                  struct rf_arena *arena, struct rf_event *event) {
    walk->depth = 0;
    walk->is_in_whole = name->is_path;
    uint32_t state = name->path;
    for (;;) {
        size_t depth = walk->depth;
        enum rf_status status = take_value(walk, scan, state, arena, event);
        if (!status && (walk->depth == depth || is_empty(walk, scan))) {
            status = leave(walk, scan);
        }
        if (status || walk->depth == 0) {
            return status;
        }
        struct frame *frame = &walk->frames[walk->depth - 1];
        if (frame->is_object) {
            status = take_name(walk, scan, frame, arena, &state);
        } else {
            state = rf_path_element(walk->plan, frame->state, frame->next++);
        }
        if (status) {
            return status;
        }
        rf_json_skip_space(scan);
    }
}

void rf_json_walk_destroy(struct rf_json_walk *walk) {
    if (walk) {
        free(walk->frames);
        free(walk->seen);
        free(walk->whole);
        free(walk->nested);
        free(walk);
    }
}

enum rf_status rf_json_walk_create(const struct rf_schema *schema, const struct rf_decode_limits *limits,
                                   struct rf_json_walk **walk_out, struct rf_error *err) {
    assert(limits->depth <= RF_JSON_DEPTH_MAX);
    size_t count = rf_schema_count(schema) + 1; // never nothing
    struct rf_json_walk *walk = calloc(1, sizeof *walk);
    if (!walk) {
        goto fail;
    }
    walk->schema = schema;
    walk->plan = rf_schema_paths(schema);
    walk->frames = calloc(limits->depth, sizeof *walk->frames);
    walk->seen = calloc(rf_path_count(walk->plan), sizeof *walk->seen);
    walk->whole = calloc(count, sizeof *walk->whole);
    walk->nested = calloc(count, sizeof *walk->nested);
    if (!walk->frames || !walk->seen || !walk->whole || !walk->nested) {
        goto fail;
    }
    *walk_out = walk;
    return RF_OK;
fail:
    rf_json_walk_destroy(walk);
    return rf_fail(err, RF_MEMORY, "the paths into a record do not fit into memory");
}
