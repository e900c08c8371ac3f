#ifndef RF_LEARNERS_COMBINATION_H
#define RF_LEARNERS_COMBINATION_H
// Which loss, optimizer, regularisers and rate go together. Each kind of optimizer has a row of it in its registration;
// learners ask before they make one, `riffle check` thereby too, and the property tests walk all of it: what the table lets
// pass must hold every property, what it does not must be refused.
#include "proto/setting.h"

#include <stdbool.h>

struct rf_loss;

enum rf_regulariser { RF_REGULARISER_L1 = 1, RF_REGULARISER_L2 = 2 };

// Bits of how a rate may move: bit d is that it may fall by `enum rf_rate_decay` d, and there is one for a warm-up.
enum { RF_RATES_WARM_UP = 1 << 16, RF_RATES_ALL = RF_RATES_WARM_UP | 7 };

#define RF_NO_RATE ((size_t)-1)

struct rf_combination {
    unsigned regularisers; // enum rf_regulariser, those of the learner that the kind can do
    unsigned rates;        // RF_RATES_...
    size_t rate_offset;    // of the struct rf_rate in its options, or RF_NO_RATE
    bool needs_flow;       // whether the loss must have a gradient flow in closed form
    size_t average_offset; // of the option `average`, a bool, which goes with no regulariser; 0: there is none
    bool needs_passive;    // whether the loss must be one that is_passive
};

// RF_INVALID, in words, when they do not go together. The optimizer's value is one of rf_optimizer_variants.
enum rf_status rf_combination_check(const struct rf_loss *loss, const struct rf_variant_value *optimizer, double l1, double l2,
                                    struct rf_error *err) RF_MUST_USE;

#endif
