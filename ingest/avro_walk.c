// Follows a plan. What is inside what is kept on a stack of its own, as deep as limits.depth; every operation but a few that
// are bounded by the schema takes a byte at least, and items that take none are counted, so time is bounded by the record's size.
#include "ingest/avro_program.h"

#include <stdlib.h>

enum { MEASURED_DEPTH_MAX = 1024 }; // the largest that limits.depth can be

struct frame {
    uint32_t at;        // of a call: where to go on; of items: their operation
    uint64_t left;      // items of the block, the present one included
    uint64_t index;     // of the present one in its array
    const uint8_t *end; // of the block, where it says its size; else NULL
    uint64_t map;       // see rf_avro_plan.maps
};

struct rf_avro_walker {
    struct rf_decode_limits limits;
    struct rf_field *fields; // [limits.fields]
    struct frame *frames;    // [limits.depth + 1]: the datum itself does not count
};

// One datum being read.
struct walk {
    struct rf_avro_bytes bytes;
    struct rf_avro_walker *walker;
    struct rf_avro_plan *plan;
    struct rf_arena *arena;
    size_t count;     // of fields
    size_t depth;     // of frames
    uint64_t nothing; // items so far that took no bytes
};

static enum rf_status push(struct walk *walk, struct frame frame) {
    if (walk->depth > walk->walker->limits.depth) {
        return rf_decode_fail(walk->bytes.error, RF_REASON_LIMIT, "byte %zu: is nested deeper than %" PRIu64,
                              rf_avro_place(&walk->bytes), walk->walker->limits.depth);
    }
    walk->walker->frames[walk->depth++] = frame;
    return RF_OK;
}

// What is wanted.

static enum rf_status add_field(struct walk *walk, const struct rf_avro_target *target, struct rf_value value) {
    if (walk->count == walk->walker->limits.fields) {
        return rf_decode_fail(walk->bytes.error, RF_REASON_LIMIT, "has more than %" PRIu64 " fields",
                              walk->walker->limits.fields);
    }
    walk->walker->fields[walk->count++] =
            (struct rf_field){.name = target->name, .hash = target->hash, .index = target->index, .value = value};
    return RF_OK;
}

static enum rf_status add_fields(struct walk *walk, const struct rf_avro_leaf *leaf, struct rf_value value) {
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < leaf->target_count && !status; i++) {
        status = add_field(walk, &leaf->targets[i], value);
    }
    return status;
}

static enum rf_status keep(struct walk *walk, const struct rf_avro_leaf *leaf) {
    struct rf_value value;
    enum rf_status status = rf_avro_read_value(&walk->bytes, leaf, walk->walker->limits.field_bytes, walk->arena, &value);
    return status ? status : add_fields(walk, leaf, value);
}

static enum rf_status keep_numbers(struct walk *walk, const struct rf_avro_leaf *leaf) {
    struct rf_value value;
    enum rf_status status = rf_avro_read_numbers(&walk->bytes, leaf, walk->arena, &value);
    return status || value.text.size == 0 ? status : add_fields(walk, leaf, value);
}

static enum rf_status refuse(const struct walk *walk, const struct rf_avro_leaf *leaf) {
    return rf_decode_fail(walk->bytes.error, RF_REASON_TYPE, "field %s is a %s, must be a number, a text, true, false or null",
                          rf_show(leaf->targets[0].name).text, rf_avro_kinds[leaf->kind]);
}

// Arrays and maps.

static enum rf_status count_nothing(struct walk *walk, uint64_t count) {
    uint64_t max = walk->walker->limits.fields;
    if (count > max - walk->nothing) {
        return rf_decode_fail(walk->bytes.error, RF_REASON_LIMIT,
                              "byte %zu: has %" PRIu64 " items without a byte, at most %" PRIu64 " in a record are taken",
                              rf_avro_place(&walk->bytes), count, max);
    }
    walk->nothing += count;
    return RF_OK;
}

static enum rf_status skip_items(struct walk *walk, uint64_t item_size) {
    for (;;) {
        uint64_t count, size;
        enum rf_status status = rf_avro_read_block(&walk->bytes, &count, &size);
        if (status || count == 0) {
            return status;
        }
        if (item_size == 0) {
            status = count_nothing(walk, count);
        } else if (count > rf_avro_left(&walk->bytes) / item_size) {
            status = rf_avro_cut(&walk->bytes);
        } else {
            walk->bytes.at += count * item_size;
        }
        if (status) {
            return status;
        }
    }
}

static struct rf_avro_way *find_way(const struct walk *walk, const struct rf_avro_choice *choice, struct rf_text key,
                                    uint64_t index) {
    struct rf_avro_way *ways = walk->plan->ways + choice->first;
    for (uint32_t count = choice->count; count > 0;) {
        uint32_t middle = count / 2;
        int order = key.data ? rf_text_order(key, ways[middle].key) : (index > ways[middle].index) - (index < ways[middle].index);
        if (order == 0) {
            return &ways[middle];
        }
        ways = order < 0 ? ways : ways + middle + 1;
        count = order < 0 ? middle : count - middle - 1;
    }
    return NULL;
}

// Goes to the present item of the innermost array or map.
static enum rf_status begin_item(struct walk *walk, const struct rf_avro_op *op, uint32_t *at_out) {
    const struct frame *frame = &walk->walker->frames[walk->depth - 1];
    struct rf_text key = {NULL, 0};
    if (op->items & RF_AVRO_IS_MAP) {
        enum rf_status status = rf_avro_read_sized(&walk->bytes, &key);
        if (status) {
            return status;
        }
    }
    if (!(op->items & RF_AVRO_IS_CHOSEN)) {
        *at_out = op->at;
        return RF_OK;
    }
    const struct rf_avro_choice *choice = &walk->plan->choices[op->at];
    struct rf_avro_way *way = find_way(walk, choice, key, frame->index);
    if (way && key.data && way->seen == frame->map) {
        return rf_decode_fail(walk->bytes.error, RF_REASON_DUPLICATE, "byte %zu: a map has the key %s twice, must have it once",
                              rf_avro_place(&walk->bytes), rf_show(key).text);
    }
    if (way) {
        way->seen = frame->map;
    }
    *at_out = way ? way->at : choice->other;
    return RF_OK;
}

// Goes to the first item of the next block, or behind the last one.
static enum rf_status begin_block(struct walk *walk, const struct rf_avro_op *op, uint32_t *at_out) {
    struct frame *frame = &walk->walker->frames[walk->depth - 1];
    for (;;) {
        uint64_t size;
        enum rf_status status = rf_avro_read_block(&walk->bytes, &frame->left, &size);
        if (status) {
            return status;
        }
        if (frame->left == 0) {
            walk->depth--;
            *at_out = (uint32_t)op->size;
            return RF_OK;
        }
        status = op->items & RF_AVRO_ARE_NOTHING ? count_nothing(walk, frame->left) : RF_OK;
        if (status) {
            return status;
        }
        if (size == UINT64_MAX || !(op->items & RF_AVRO_IS_PASSED)) {
            frame->end = size == UINT64_MAX ? NULL : walk->bytes.at + size;
            return begin_item(walk, op, at_out);
        }
        walk->bytes.at += size;
    }
}

static enum rf_status begin_items(struct walk *walk, uint32_t at, uint32_t *at_out) {
    const struct rf_avro_op *op = &walk->plan->ops[at];
    bool has_keys = op->items & RF_AVRO_IS_MAP && op->items & RF_AVRO_IS_CHOSEN;
    walk->plan->maps += has_keys;
    enum rf_status status = push(walk, (struct frame){.at = at, .map = walk->plan->maps});
    return status ? status : begin_block(walk, op, at_out);
}

static enum rf_status end_item(struct walk *walk, uint32_t *at_out) {
    struct frame *frame = &walk->walker->frames[walk->depth - 1];
    const struct rf_avro_op *op = &walk->plan->ops[frame->at];
    frame->index++;
    if (--frame->left > 0) {
        return begin_item(walk, op, at_out);
    }
    if (frame->end && frame->end != walk->bytes.at) {
        return rf_decode_fail(walk->bytes.error, RF_REASON_UNDECODABLE,
                              "byte %zu: a block of items ends here, %td bytes %s where it says", rf_avro_place(&walk->bytes),
                              frame->end > walk->bytes.at ? frame->end - walk->bytes.at : walk->bytes.at - frame->end,
                              frame->end > walk->bytes.at ? "before" : "behind");
    }
    return begin_block(walk, op, at_out);
}

// Operations.

static enum rf_status choose_branch(struct walk *walk, const struct rf_avro_op *op, uint32_t *at_out) {
    size_t place = rf_avro_place(&walk->bytes);
    int64_t branch;
    enum rf_status status = rf_avro_read_long(&walk->bytes, &branch);
    if (status) {
        return status;
    }
    if (branch < 0 || (uint64_t)branch >= op->size) {
        return rf_decode_fail(walk->bytes.error, RF_REASON_UNDECODABLE,
                              "byte %zu: branch %" PRId64 " of a union, must be 0 to %" PRIu64, place, branch, op->size - 1);
    }
    *at_out = walk->plan->jumps[op->at + (uint64_t)branch];
    return RF_OK;
}

static enum rf_status skip_longs(struct walk *walk, uint32_t count) {
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        int64_t value;
        status = rf_avro_read_long(&walk->bytes, &value);
    }
    return status;
}

static enum rf_status skip_sized(struct walk *walk, uint32_t count) {
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        struct rf_text text;
        status = rf_avro_read_sized(&walk->bytes, &text);
    }
    return status;
}

// To the end of the datum. What an operation does not say otherwise, the next one follows.
static enum rf_status follow(struct walk *walk) {
    const struct rf_avro_plan *plan = walk->plan;
    enum rf_status status = RF_OK;
    for (uint32_t at = 0; !status;) {
        const struct rf_avro_op *op = &plan->ops[at];
        uint32_t next = at + 1;
        switch ((enum rf_avro_code)op->code) {
        case RF_AVRO_END:
            return RF_OK;
        case RF_AVRO_SKIP:
            status = rf_avro_skip(&walk->bytes, op->size);
            break;
        case RF_AVRO_SKIP_LONGS:
            status = skip_longs(walk, op->at);
            break;
        case RF_AVRO_SKIP_SIZED:
            status = skip_sized(walk, op->at);
            break;
        case RF_AVRO_SKIP_ITEMS:
            status = skip_items(walk, op->size);
            break;
        case RF_AVRO_KEEP:
            status = keep(walk, &plan->leaves[op->at]);
            break;
        case RF_AVRO_KEEP_NUMBERS:
            status = keep_numbers(walk, &plan->leaves[op->at]);
            break;
        case RF_AVRO_REFUSE:
            status = refuse(walk, &plan->leaves[op->at]);
            break;
        case RF_AVRO_CALL:
            status = push(walk, (struct frame){.at = next});
            next = op->at;
            break;
        case RF_AVRO_RETURN:
            next = walk->walker->frames[--walk->depth].at;
            break;
        case RF_AVRO_JUMP:
            next = op->at;
            break;
        case RF_AVRO_BRANCH:
            status = choose_branch(walk, op, &next);
            break;
        case RF_AVRO_ITEMS:
            status = begin_items(walk, at, &next);
            break;
        case RF_AVRO_NEXT:
            status = end_item(walk, &next);
            break;
        }
        at = next;
    }
    return status;
}

static struct walk begin(struct rf_avro_walker *walker, struct rf_avro_plan *plan, struct rf_text datum, struct rf_arena *arena,
                         struct rf_decode_error *error) {
    const uint8_t *begin = (const uint8_t *)datum.data;
    return (struct walk){.bytes = {.begin = begin, .at = begin, .end = begin + datum.size, .error = error},
                         .walker = walker,
                         .plan = plan,
                         .arena = arena};
}

enum rf_status rf_avro_decode(struct rf_avro_walker *walker, struct rf_avro_plan *plan, struct rf_text bytes,
                              struct rf_arena *arena, struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct walk walk = begin(walker, plan, bytes, arena, error_out);
    enum rf_status status = follow(&walk);
    if (status) {
        return status;
    }
    size_t left = rf_avro_left(&walk.bytes);
    if (left > 0) {
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "ends at byte %zu, and %zu more bytes follow",
                              rf_avro_place(&walk.bytes), left);
    }
    *event_out = (struct rf_event){.fields = walker->fields, .count = walk.count};
    return RF_OK;
}

enum rf_status rf_avro_measure(struct rf_avro_walker *walker, struct rf_avro_plan *plan, struct rf_text bytes, size_t *size_out,
                               struct rf_decode_error *error_out) {
    struct walk walk = begin(walker, plan, bytes, NULL, error_out);
    enum rf_status status = follow(&walk);
    if (!status) {
        *size_out = rf_avro_place(&walk.bytes);
    }
    return status;
}

void rf_avro_walker_destroy(struct rf_avro_walker *walker) {
    if (walker) {
        free(walker->fields);
        free(walker->frames);
        free(walker);
    }
}

enum rf_status rf_avro_walker_create(const struct rf_decode_limits *limits, struct rf_avro_walker **walker_out,
                                     struct rf_error *err) {
    static const struct rf_decode_limits none = {.fields = UINT64_MAX, .depth = MEASURED_DEPTH_MAX};
    struct rf_avro_walker *walker = calloc(1, sizeof *walker);
    if (!walker) {
        goto fail;
    }
    walker->limits = limits ? *limits : none;
    walker->fields = limits ? calloc((size_t)limits->fields, sizeof *walker->fields) : NULL;
    walker->frames = calloc((size_t)walker->limits.depth + 1, sizeof *walker->frames);
    if ((limits && !walker->fields) || !walker->frames) {
        goto fail;
    }
    *walker_out = walker;
    return RF_OK;
fail:
    rf_avro_walker_destroy(walker);
    return rf_fail(err, RF_MEMORY, "the fields of a record do not fit into memory");
}
