#include "learners/drift.h"
#include "learners/table.h"

#include <assert.h>
#include <stdlib.h>

enum { BLOCKS_MAX = RF_CATCH_UP_STEPS_MAX / RF_RATE_BLOCK + 2, LEVELS = 20, NODES_MAX = 2 * BLOCKS_MAX + LEVELS };

struct rf_drift_tree {
    struct rf_rate rate;
    double l2, keep;
    bool looks_ahead;
    uint64_t first_block;            // of the span the tree is for
    struct rf_motion *node;          // all nodes
    struct rf_motion *level[LEVELS]; // of 2^level blocks each, from the start of the span
    size_t known[LEVELS];
};

static const struct rf_motion standstill = {.ww = 1, .vv = 1};

static struct rf_motion one_step(double l2, double keep, bool looks_ahead, double rate) {
    double shrink = rate * l2;
    double kept = looks_ahead ? keep * (1 - shrink) : keep;
    return (struct rf_motion){.ww = 1 - shrink, .wv = kept, .vw = -shrink, .vv = kept};
}

// The motion over `steps` steps in a block of the span.
static struct rf_motion in_block(const struct rf_drift_tree *tree, uint64_t block, uint64_t steps) {
    double rate = rf_rate_at(&tree->rate, (tree->first_block + block) * RF_RATE_BLOCK);
    struct rf_motion square = one_step(tree->l2, tree->keep, tree->looks_ahead, rate);
    struct rf_motion motion = standstill;
    for (; steps > 0; steps /= 2) {
        if (steps % 2) {
            motion = rf_motion_after(square, motion);
        }
        square = rf_motion_after(square, square);
    }
    return motion;
}

// The motion over the blocks [index * 2^level, (index + 1) * 2^level). Nodes of a level become known from left to right; a
// node's children are known before it, so one that is missing is made from them.
static struct rf_motion node_at(struct rf_drift_tree *tree, size_t level, uint64_t index) {
    for (size_t l = 0; l <= level; l++) {
        size_t needed = (size_t)(index + 1) << (level - l);
        while (tree->known[l] < needed) {
            size_t next = tree->known[l]++;
            const struct rf_motion *children = l > 0 ? tree->level[l - 1] + 2 * next : NULL;
            tree->level[l][next] = children ? rf_motion_after(children[1], children[0]) : in_block(tree, next, RF_RATE_BLOCK);
        }
    }
    return tree->level[level][index];
}

// The motion over the whole blocks [from, to).
static struct rf_motion over_blocks(struct rf_drift_tree *tree, uint64_t from, uint64_t to) {
    struct rf_motion motion = standstill;
    while (from < to) {
        size_t level = 0;
        while (level + 1 < LEVELS && from % (UINT64_C(2) << level) == 0 && from + (UINT64_C(2) << level) <= to) {
            level++;
        }
        motion = rf_motion_after(node_at(tree, level, from >> level), motion);
        from += UINT64_C(1) << level;
    }
    return motion;
}

struct rf_motion rf_drift_between(const struct rf_drift *drift, uint64_t start, uint64_t from, uint64_t to) {
    struct rf_drift_tree *tree = drift->tree;
    if (tree->first_block != start / RF_RATE_BLOCK) {
        tree->first_block = start / RF_RATE_BLOCK;
        for (size_t level = 0; level < LEVELS; level++) {
            tree->known[level] = 0;
        }
    }
    uint64_t first = from / RF_RATE_BLOCK - tree->first_block, last = to / RF_RATE_BLOCK - tree->first_block;
    assert(first <= last && last < BLOCKS_MAX);
    if (first == last) {
        return in_block(tree, first, to - from);
    }
    struct rf_motion motion = in_block(tree, first, RF_RATE_BLOCK - from % RF_RATE_BLOCK);
    motion = rf_motion_after(over_blocks(tree, first + 1, last), motion);
    return rf_motion_after(in_block(tree, last, to % RF_RATE_BLOCK), motion);
}

void rf_drift_finish(struct rf_drift *drift) {
    if (drift->tree) {
        rf_table_destroy(drift->tree->node, NODES_MAX * sizeof *drift->tree->node);
        free(drift->tree);
        drift->tree = NULL;
    }
}

enum rf_status rf_drift_init(struct rf_drift *drift, const struct rf_rate *rate, double l2, double keep, bool looks_ahead,
                             struct rf_error *err) {
    if (l2 == 0 || !rf_rate_varies(rate)) {
        rf_motion_powers_init(&drift->power, one_step(l2, keep, looks_ahead, rate->first));
        return RF_OK;
    }
    struct rf_drift_tree *tree = calloc(1, sizeof *tree);
    if (!tree) {
        return rf_fail(err, RF_MEMORY, "out of memory for the motions of a rate");
    }
    void *nodes = NULL;
    drift->tree = tree;
    if (rf_table_create(NODES_MAX * sizeof *tree->node, &nodes, err) != RF_OK) {
        return err->status;
    }
    *tree = (struct rf_drift_tree){.rate = *rate, .l2 = l2, .keep = keep, .looks_ahead = looks_ahead, .node = nodes};
    struct rf_motion *next = tree->node;
    for (size_t level = 0; level < LEVELS; level++) {
        tree->level[level] = next;
        next += (BLOCKS_MAX >> level) + 1;
    }
    return RF_OK;
}
