// The last examples, kept whole in a ring, so that their figures are made anew from exactly them: nothing is ever taken off a
// sum, and nothing drifts. For the figures that need an order the rows stay sorted by score; what came since the last time is
// sorted and merged in, which is O(log W) for a record and one pass over the window.
#include "learners/evaluation_internal.h"

#include <assert.h>
#include <stdlib.h>

bool rf_window_init(struct rf_window *window, size_t size, const struct rf_evaluation_shape *shape) {
    window->size = size;
    if (!size) {
        return true;
    }
    window->ring = calloc(size, sizeof *window->ring);
    if (!window->ring || !rf_tally_init(&window->tally, shape)) {
        return false;
    }
    if (!shape->classes) {
        return true;
    }
    window->order = calloc(size, sizeof *window->order);
    window->spare = calloc(size, sizeof *window->spare);
    window->groups = calloc(size, sizeof *window->groups);
    return window->order && window->spare && window->groups;
}

void rf_window_finish(struct rf_window *window) {
    free(window->ring);
    free(window->order);
    free(window->spare);
    free(window->groups);
    rf_tally_finish(&window->tally);
}

void rf_window_add(struct rf_window *window, const struct rf_scored *scored) {
    size_t row = (size_t)((scored->sequence - 1) % window->size);
    if (window->touched) {
        rf_block_touch(window->touched, row);
    }
    window->ring[row] = *scored;
}

void rf_window_forget_order(struct rf_window *window) {
    window->order_count = 0;
    window->ordered = 0;
}

static bool is_before(const struct rf_ranked *a, const struct rf_ranked *b) {
    return a->score < b->score || (a->score == b->score && a->slot < b->slot);
}

// Merges two sorted runs into `to`.
static void merge(const struct rf_ranked *a, size_t a_count, const struct rf_ranked *b, size_t b_count, struct rf_ranked *to) {
    size_t i = 0, j = 0;
    while (i < a_count && j < b_count) {
        bool takes_a = is_before(&a[i], &b[j]);
        *to++ = takes_a ? a[i] : b[j];
        i += takes_a;
        j += !takes_a;
    }
    while (i < a_count) {
        *to++ = a[i++];
    }
    while (j < b_count) {
        *to++ = b[j++];
    }
}

// Sorts by runs of 1, 2, 4 ...; qsort() may allocate. The answer is `list` or `spare`, whichever holds the sorted ones.
static struct rf_ranked *sort(struct rf_ranked *list, struct rf_ranked *spare, size_t count) {
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t i = 0; i < count; i += 2 * run) {
            size_t middle = i + run < count ? i + run : count;
            size_t end = i + 2 * run < count ? i + 2 * run : count;
            merge(list + i, middle - i, list + middle, end - middle, spare + i);
        }
        struct rf_ranked *sorted = spare;
        spare = list;
        list = sorted;
    }
    return list;
}

static struct rf_ranked ranked(const struct rf_window *window, size_t row) {
    return (struct rf_ranked){.score = window->ring[row].value[RF_PREDICTOR_MODEL], .slot = (uint32_t)row};
}

// Brings the order up to the example `evaluated`. Rows that were written since fall out of the order, then come in anew.
static void bring_up_to(struct rf_window *window, uint64_t evaluated) {
    size_t kept = 0, fresh = 0;
    for (size_t i = 0; i < window->order_count; i++) {
        if (window->ring[window->order[i].slot].sequence <= window->ordered) {
            window->order[kept++] = window->order[i];
        }
    }
    struct rf_ranked *list = window->order + kept; // those kept and the fresh ones are different rows: there is room for both
    for (size_t row = 0; row < window->size; row++) {
        if (window->ring[row].sequence > window->ordered) {
            list[fresh++] = ranked(window, row);
        }
    }
    struct rf_ranked *sorted = sort(list, window->spare + kept, fresh);
    if (sorted != list) { // the sorted ones must not stand where the merged ones go
        for (size_t i = 0; i < fresh; i++) {
            list[i] = sorted[i];
        }
    }
    merge(window->order, kept, list, fresh, window->spare);
    struct rf_ranked *merged = window->spare;
    window->spare = window->order;
    window->order = merged;
    window->order_count = kept + fresh;
    window->ordered = evaluated;
}

static size_t make_groups(struct rf_window *window, const struct rf_evaluation_shape *shape) {
    size_t count = 0;
    for (size_t i = 0; i < window->order_count; i++) {
        if (i == 0 || window->order[i].score != window->order[i - 1].score) {
            window->groups[count++] = (struct rf_group){0};
        }
        rf_group_add(&window->groups[count - 1], shape, &window->ring[window->order[i].slot]);
    }
    return count;
}

void rf_window_figures(struct rf_window *window, const struct rf_evaluation_shape *shape, uint64_t evaluated,
                       struct rf_figures *figures_out) {
    assert(window->size);
    rf_tally_clear(&window->tally, shape);
    size_t oldest = (size_t)(evaluated % window->size);
    for (size_t i = 0; i < window->size; i++) {
        size_t row = oldest + i < window->size ? oldest + i : oldest + i - window->size;
        if (window->ring[row].sequence) {
            rf_tally_add(&window->tally, shape, &window->ring[row]);
        }
    }
    size_t group_count = 0;
    if (shape->classes) {
        bring_up_to(window, evaluated);
        group_count = make_groups(window, shape);
    }
    rf_tally_figures(&window->tally, shape, window->groups, group_count, false, figures_out);
}
