#include "learners/label_range.h"

#include <math.h>
#include <stdlib.h>

#define LABEL_MAX 1e300

struct range { // empty, before any label: both at -LABEL_MAX
    double highest;
    double below; // the lowest, negated: so the larger of two is right for both
};

struct rf_label_range {
    struct range range;
};

static const struct rf_column columns[] = {
        {"highest", RF_F64, offsetof(struct range, highest), 1, RF_MERGE_MAX},
        {"lowest_negated", RF_F64, offsetof(struct range, below), 1, RF_MERGE_MAX},
};

enum rf_status rf_label_range_create(bool has_zero, struct rf_label_range **range_out, struct rf_error *err) {
    struct rf_label_range *range = malloc(sizeof *range);
    if (!range) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    range->range = has_zero ? (struct range){0, 0} : (struct range){-LABEL_MAX, -LABEL_MAX};
    *range_out = range;
    return RF_OK;
}

void rf_label_range_destroy(struct rf_label_range *range) {
    free(range);
}

void rf_label_range_learn(struct rf_label_range *range, double label) {
    if (range && isfinite(label)) {
        double bounded = label < -LABEL_MAX ? -LABEL_MAX : label > LABEL_MAX ? LABEL_MAX : label;
        range->range.highest = fmax(range->range.highest, bounded);
        range->range.below = fmax(range->range.below, -bounded);
    }
}

double rf_label_range_clip(const struct rf_label_range *range, double value) {
    if (!range || -range->range.below > range->range.highest) {
        return value;
    }
    double lowest = -range->range.below;
    return value < lowest ? lowest : value > range->range.highest ? range->range.highest : value;
}

void rf_label_range_state(struct rf_label_range *range, const char *name, struct rf_state *state) {
    if (!range) {
        return;
    }
    rf_state_add(state, &(struct rf_block){
                                .name = name,
                                .rows = 1,
                                .row_size = sizeof range->range,
                                .columns = columns,
                                .column_count = sizeof columns / sizeof columns[0],
                                .data = &range->range,
                                .scope = RF_SCOPE_MODEL,
                        });
}

enum rf_status rf_label_range_check(const struct rf_label_range *range, struct rf_error *err) {
    if (!range) {
        return RF_OK;
    }
    const struct range *own = &range->range;
    if (!(fabs(own->highest) <= LABEL_MAX && fabs(own->below) <= LABEL_MAX)) {
        return rf_fail(err, RF_CORRUPT, "the range of labels is from %g to %g, must be within %g in size", -own->below,
                       own->highest, LABEL_MAX);
    }
    bool is_empty = own->highest == -LABEL_MAX && own->below == -LABEL_MAX;
    if (!is_empty && -own->below > own->highest) {
        return rf_fail(err, RF_CORRUPT, "the range of labels is from %g to %g, must not fall", -own->below, own->highest);
    }
    return RF_OK;
}
