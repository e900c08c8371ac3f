#ifndef RF_LEARNERS_LEARNER_LINEAR_INTERNAL_H
#define RF_LEARNERS_LEARNER_LINEAR_INTERNAL_H
// What the linear learner is, to the files that it is made of: learner_linear.c predicts and learns, learner_linear_explain.c
// explains.
#include "learners/class_weight.h"
#include "learners/collisions.h"
#include "learners/kernels.h"
#include "learners/label_range.h"
#include "learners/learner.h"
#include "learners/loss.h"
#include "learners/mixture.h"
#include "learners/optimizer.h"
#include "learners/own_bias.h"
#include "learners/transform.h"
#include "learners/waiting.h"

#include <assert.h>

struct linear {
    struct rf_learner base;
    struct rf_loss loss;
    const struct rf_kernels *kernels;
    struct rf_optimizer *optimizer;
    struct rf_mixture *mixture; // NULL: there is one expert
    struct rf_transform *transform;
    struct rf_collisions *collisions;
    struct rf_waiting *waiting;             // NULL: every record is a step
    struct rf_class_weights *class_weights; // NULL: none
    struct rf_label_range *label_range;     // NULL: predictions are not clipped
    double gradient_max;                    // 0: none
    double select_weight;
    uint64_t select_after;
    struct rf_own_bias *bias; // NULL: none of its own
    bool has_bias_row;
    uint64_t row_mask;
    const uint64_t *ahead, *ahead_end; // hashes of examples to come, whose rows are to be prefetched during this one

    // Of the example being worked on.
    uint32_t *row;    // [inputs_max + 1]
    double *kept;     // [inputs_max + 1] inputs, 0 for those left out of the score
    double *weight;   // [experts][outputs] of one input
    double *score;    // [experts][outputs] before the link
    double *linked;   // [experts][outputs] behind it; there is a mixture
    double *gradient; // [experts][outputs] by the score
};

extern const struct rf_learner_ops rf_linear_ops;

static inline struct linear *linear_from(struct rf_learner *self) {
    assert(self->ops == &rf_linear_ops);
    return (struct linear *)self;
}

static inline const struct linear *linear_from_const(const struct rf_learner *self) {
    assert(self->ops == &rf_linear_ops);
    return (const struct linear *)self;
}

// The inputs of an example with their rows, the bias's behind them. Returns how many rows there are.
size_t rf_linear_see(const struct linear *linear, const struct rf_examples *examples, size_t index,
                     const struct rf_inputs **inputs_out);

// The inputs, but 0 for those left out of the score for the size of their weights. The bias never is.
const double *rf_linear_select(const struct linear *linear, const uint32_t *rows, const double *x, size_t count);

// Two of rf_linear_ops.
size_t rf_linear_explain(const struct rf_learner *self, const struct rf_examples *examples, size_t index,
                         struct rf_contribution *list, size_t capacity);
void rf_linear_weights(const struct rf_learner *self, rf_learner_visit *visit, void *context);

#endif
