#ifndef RF_LEARNERS_OPTIMIZER_PASSIVE_H
#define RF_LEARNERS_OPTIMIZER_PASSIVE_H
// Passive-aggressive steps (Crammer, Dekel, Keshet, Shalev-Shwartz and Singer, 2006: "Online passive-aggressive algorithms"):
// the smallest change of the weights that brings the loss of the record to 0, or trades it off against the loss. With l the
// loss of a hinge or an epsilon-insensitive loss at the weights of now, and X the record's input of each row:
//
//     plain   tau = l / |X|^2
//     I       tau = min(C, l / |X|^2)
//     II      tau = l / (|X|^2 + 1 / (2 C))
//
//     weight <- weight + tau X towards the label
//
// The weight of a record multiplies C, so that in I a record of weight 2 is the record learned twice; in plain, where once is
// enough, it changes nothing. Each class of one_against_all moves by itself.
#include "learners/optimizer.h"
#include "learners/row_sums.h"

enum rf_passive_variant { RF_PASSIVE_PLAIN, RF_PASSIVE_I, RF_PASSIVE_II };
extern const char *const rf_passive_variant_names[]; // NULL-terminated, in the order of the enum

struct rf_passive {
    enum rf_passive_variant variant;
    double aggressiveness; // C
    struct rf_row_sums input;
};

// Fills optimizer->move [outputs], by which weight <- weight - move * x. False when a weight could move out of bounds.
bool rf_passive_moves(struct rf_passive *self, struct rf_optimizer *optimizer, const struct rf_step *step) RF_MUST_USE;

#endif
