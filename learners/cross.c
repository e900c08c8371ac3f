#include "learners/cross.h"
#include "learners/transform.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct part_lists {                     // of one cross, for the example being worked on
    uint32_t *list[RF_CROSS_SIDES_MAX]; // [features_max] indices of inputs
    size_t count[RF_CROSS_SIDES_MAX];
    bool is_same[RF_CROSS_SIDES_MAX]; // as the side before
    size_t *tail;                     // [features_max + 1] for count_combinations()
};

struct rf_crosses {
    struct rf_crosses_options options;
    struct part_lists parts;
};

static bool is_same_side(const struct rf_fields *a, const struct rf_fields *b) {
    return a->count == b->count && memcmp(a->list, b->list, a->count * sizeof *a->list) == 0;
}

static bool has_field(const struct rf_fields *side, uint32_t field) {
    size_t low = 0, high = side->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (side->list[middle] < field) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < side->count && side->list[low] == field;
}

// Fills the list of inputs of one side. A side equal to the one before has the same list.
static void list_parts(struct part_lists *parts, const struct rf_cross *cross, uint32_t side, const struct rf_inputs *inputs,
                       size_t own) {
    parts->is_same[side] = side > 0 && is_same_side(&cross->side[side - 1], &cross->side[side]);
    parts->count[side] = 0;
    for (size_t i = 0; i < own; i++) {
        if (has_field(&cross->side[side], inputs->field[i])) {
            parts->list[side][parts->count[side]++] = (uint32_t)i;
        }
    }
}

static uint64_t mixed(uint64_t a, uint64_t b) {
    uint64_t h = a * UINT64_C(0x9e3779b97f4a7c15) + b;
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ (h >> 33);
}

static uint64_t crossed(const struct rf_crosses *crosses, uint64_t a, uint64_t b) {
    return crosses->options.like_vowpal ? (a * 16777619) ^ b : mixed(a, b);
}

// Whether a feature may be crossed with itself: a category cannot, since 1 * 1 is what it says already.
static bool has_square(const struct rf_examples *examples, size_t feature) {
    return examples->kind[feature] != RF_CATEGORY && examples->value[feature] != 1;
}

struct appending {
    const struct rf_crosses *crosses;
    const struct rf_examples *examples;
    size_t begin; // of the example's features
    uint32_t cross;
    size_t inputs_max;
    struct rf_inputs *inputs;
    size_t dropped;
};

static bool has_room(const struct appending *to) {
    return to->inputs->count < to->inputs_max;
}

static void append(struct appending *to, uint64_t hash, const uint32_t *part) {
    struct rf_inputs *inputs = to->inputs;
    assert(has_room(to));
    inputs->hash[inputs->count] = hash;
    inputs->field[inputs->count] = RF_FIELD_CROSS + to->cross;
    memcpy(inputs->part[inputs->count], part, sizeof inputs->part[0]);
    inputs->count++;
}

// The first member of a side's list that may follow `before`, a member of the side in front.
static size_t first_after(const struct appending *to, uint32_t side, size_t before) {
    const struct part_lists *parts = &to->crosses->parts;
    if (side == 0 || !parts->is_same[side]) {
        return 0;
    }
    return has_square(to->examples, to->begin + parts->list[side][before]) ? before : before + 1;
}

// How many crosses there are, without going through them: of a long record they may be more than could ever be gone through.
static size_t count_combinations(const struct appending *to, uint32_t sides) {
    const struct part_lists *parts = &to->crosses->parts;
    size_t *tail = parts->tail; // of member j: pairs of sides 1 and 2 that begin with j or behind it
    size_t combinations = 0;
    tail[parts->count[1]] = 0;
    for (size_t j = parts->count[1]; j-- > 0;) {
        tail[j] = tail[j + 1] + (sides == 3 ? parts->count[2] - first_after(to, 2, j) : 1);
    }
    for (size_t i = 0; i < parts->count[0]; i++) {
        combinations += tail[first_after(to, 1, i)];
    }
    return combinations;
}

// Appends all there is room for.
static void append_combinations(struct appending *to, uint32_t sides) {
    const struct part_lists *parts = &to->crosses->parts;
    const uint64_t *hash = to->inputs->hash;
    uint32_t part[RF_CROSS_SIDES_MAX];
    for (size_t i = 0; i < parts->count[0] && has_room(to); i++) {
        part[0] = parts->list[0][i];
        for (size_t j = first_after(to, 1, i); j < parts->count[1] && has_room(to); j++) {
            part[1] = part[2] = parts->list[1][j];
            uint64_t pair = crossed(to->crosses, hash[part[0]], hash[part[1]]);
            if (sides == 2) {
                append(to, pair, part);
            }
            for (size_t k = sides == 3 ? first_after(to, 2, j) : SIZE_MAX; k < parts->count[2] && has_room(to); k++) {
                part[2] = parts->list[2][k];
                append(to, crossed(to->crosses, pair, hash[part[2]]), part);
            }
        }
    }
}

static void append_cross(struct appending *to, uint32_t sides) {
    size_t combinations = count_combinations(to, sides), before = to->inputs->count;
    if (combinations > 0) { // else two sides may be long all the same
        append_combinations(to, sides);
    }
    to->dropped += combinations - (to->inputs->count - before);
}

size_t rf_crosses_append(struct rf_crosses *crosses, const struct rf_examples *examples, size_t index, size_t inputs_max,
                         struct rf_inputs *inputs) {
    struct appending to = {
            .crosses = crosses,
            .examples = examples,
            .begin = examples->row_start[index],
            .inputs_max = inputs_max,
            .inputs = inputs,
    };
    size_t own = examples->row_start[index + 1] - to.begin;
    inputs->crosses_begin = inputs->count;
    for (uint32_t c = 0; c < crosses->options.count; c++) {
        const struct rf_cross *cross = &crosses->options.list[c];
        crosses->parts.count[2] = 0;
        for (uint32_t side = 0; side < cross->sides; side++) {
            list_parts(&crosses->parts, cross, side, inputs, own);
        }
        to.cross = c;
        append_cross(&to, cross->sides);
    }
    inputs->crosses_end = inputs->count;
    return to.dropped;
}

void rf_crosses_multiply(const struct rf_crosses *crosses, struct rf_inputs *inputs) {
    for (size_t i = inputs->crosses_begin; i < inputs->crosses_end; i++) {
        const uint32_t *part = inputs->part[i];
        double x = inputs->x[part[0]] * inputs->x[part[1]];
        inputs->x[i] = crosses->options.list[inputs->field[i] - RF_FIELD_CROSS].sides == 3 ? x * inputs->x[part[2]] : x;
    }
}

void rf_crosses_destroy(struct rf_crosses *crosses) {
    if (crosses) {
        for (uint32_t side = 0; side < RF_CROSS_SIDES_MAX; side++) {
            free(crosses->parts.list[side]);
        }
        free(crosses->parts.tail);
        free(crosses);
    }
}

enum rf_status rf_crosses_create(const struct rf_crosses_options *options, struct rf_crosses **crosses_out,
                                 struct rf_error *err) {
    struct rf_crosses *crosses = calloc(1, sizeof *crosses);
    if (!crosses) {
        return rf_fail(err, RF_MEMORY, "out of memory for crosses");
    }
    crosses->options = *options;
    crosses->parts.tail = calloc(options->features_max + 1, sizeof *crosses->parts.tail);
    bool is_whole = crosses->parts.tail != NULL;
    for (uint32_t side = 0; side < RF_CROSS_SIDES_MAX; side++) {
        crosses->parts.list[side] = calloc(options->features_max + 1, sizeof *crosses->parts.list[side]);
        is_whole = is_whole && crosses->parts.list[side];
    }
    if (!is_whole) {
        rf_crosses_destroy(crosses);
        return rf_fail(err, RF_MEMORY, "out of memory for crosses of %zu features", options->features_max);
    }
    *crosses_out = crosses;
    return RF_OK;
}
