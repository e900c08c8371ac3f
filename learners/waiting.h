#ifndef RF_LEARNERS_WAITING_H
#define RF_LEARNERS_WAITING_H
// Steps over several records, counted in records learned: where batches of transport are cut never shows.
//
//     each_record   every record is a step (nothing waits)
//     mini_batch    records wait until `size` of them are there; then one step is taken along the mean of their gradients, all
//                   at the weights of that moment, and the next batch begins. Batches may grow, see mini_batch.h
//     window        every `every` records one step along the mean gradient of the last `size` records (of as many as there
//                   are yet), at the weights of that moment
//
// A step is a tick of the optimizer: its rate and whatever decays move once a step. What waits is kept as the learner saw it
// when it came: rows and inputs, label and weight; a gradient counts times the weight of its record. A record with more inputs
// than `features` is not learned. All of it is in blocks.
#include "learners/optimizer.h"
#include "proto/setting.h"

struct rf_mini_batch_options {
    uint64_t size, growth, every, max; // struct rf_mini_batch_sizes
    uint64_t features;
    int gradient; // mean, sum
};

struct rf_window_options {
    uint64_t size, every;
    uint64_t features;
    int gradient; // mean, sum
};

extern const struct rf_variant rf_update_variants[];

struct rf_waiting;

struct rf_waiting_record {
    const uint32_t *rows; // [count]
    const double *x;      // [count]
    size_t count;
    double label;
    double weight;
};

// *waiting_out is NULL where nothing waits. `inputs_max` counts the bias. The optimizer stays the learner's; it must not be
// one that needs_record. RF_INVALID, in words.
enum rf_status rf_waiting_create(const struct rf_variant_value *update, struct rf_optimizer *optimizer, size_t inputs_max,
                                 struct rf_waiting **waiting_out, struct rf_error *err) RF_MUST_USE;
void rf_waiting_destroy(struct rf_waiting *waiting);

// Takes a copy. False, and nothing done, when the record has too many inputs or one of absurd size.
bool rf_waiting_add(struct rf_waiting *waiting, const struct rf_waiting_record *record) RF_MUST_USE;

bool rf_waiting_is_due(const struct rf_waiting *waiting); // asked after every record added

// The gradient [outputs] of a record by its scores, times its weight, at the weights of now, on rows just advanced. NULL when
// there is none: the record is left out.
typedef const double *rf_waiting_gradient(void *learner, const struct rf_waiting_record *record);

// Takes the step that is due. NULL when none could be taken, else the gradient [outputs] by the score that it was taken along.
const double *rf_waiting_step(struct rf_waiting *waiting, rf_waiting_gradient *gradient, void *learner);

// NULL lists and refuses nothing.
void rf_waiting_state(struct rf_waiting *waiting, struct rf_state *state);
enum rf_status rf_waiting_check(const struct rf_waiting *waiting, struct rf_error *err) RF_MUST_USE; // RF_CORRUPT, in words

#endif
