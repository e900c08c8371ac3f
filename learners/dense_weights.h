#ifndef RF_LEARNERS_DENSE_WEIGHTS_H
#define RF_LEARNERS_DENSE_WEIGHTS_H
// The weights of a dense model, what they remember of their last step, and the bias: how they score and how they move. With
// G the gradient by a weight:
//
//     velocity <- momentum * velocity - rate * (G + l2 * weight)        (Polyak, 1964)
//     weight   <- weight + velocity
//
// The bias moves likewise, without l2. A real is a float or a double, see learners/kernels_dense.h.
#include "learners/kernels_dense.h"
#include "proto/state.h"

struct rf_dense_bias {
    double weight;
    double velocity;
};

struct rf_dense_weights {
    const struct rf_dense_kernels *kernels;
    uint32_t outputs;
    size_t vector_size;
    size_t row_size; // bytes of vector_size reals
    double momentum;
    double l2;
    bool has_bias;

    unsigned char *weight;      // [outputs][vector_size] reals
    unsigned char *velocity;    // the same; NULL without momentum
    struct rf_dense_bias *bias; // [outputs], 0 for ever where there is none
    struct rf_column column;
    struct rf_block block;                          // describes the weights; the velocities, but for name and data
    struct rf_block *weight_block, *velocity_block; // what to touch: as listed in a state, or `block`
};

// In place: the members down to `has_bias` are set (row_size follows), the others zeros. What is there when it fails,
// rf_dense_weights_finish() frees.
enum rf_status rf_dense_weights_init(struct rf_dense_weights *weights, struct rf_error *err) RF_MUST_USE;
void rf_dense_weights_finish(struct rf_dense_weights *weights);

// The scores [outputs] of x, [vector_size] reals.
void rf_dense_weights_score(const struct rf_dense_weights *weights, const void *x, double *score_out);

// Moves the weights of output k, where G[i] = gradient * x[i].
void rf_dense_weights_move(struct rf_dense_weights *weights, uint32_t k, double rate, double gradient, const void *x);
void rf_dense_weights_move_bias(struct rf_dense_weights *weights, uint32_t k, double rate, double gradient);

// Lists its blocks: "dense.weights", "dense.velocities", "dense.bias".
void rf_dense_weights_state(struct rf_dense_weights *weights, struct rf_state *state);

// For the check of a learner whose blocks were restored: RF_CORRUPT, in words, when something is out of bounds.
enum rf_status rf_dense_weights_check(const struct rf_dense_weights *weights, struct rf_error *err) RF_MUST_USE;

#endif
