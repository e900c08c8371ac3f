#ifndef RF_LEARNERS_RATE_H
#define RF_LEARNERS_RATE_H
#include "proto/setting.h"

#include <stdint.h>

// How the learning rate of an optimizer falls with the steps taken before, t = 0, 1, 2, ...:
//
//     constant          rate_t = rate
//     inverse_scaling   rate_t = rate * (start / (start + t))^power      (Robbins and Monro, 1951, for 1/2 < power <= 1)
//
// `start` is the number of steps over which the rate stays near its first value.
enum rf_rate_decay { RF_RATE_CONSTANT, RF_RATE_INVERSE_SCALING };

extern const char *const rf_rate_decay_names[]; // NULL-terminated, in the order of the enum

struct rf_rate {
    double first; // rate_0
    enum rf_rate_decay decay;
    double start;
    double power;
};

double rf_rate_at(const struct rf_rate *rate, uint64_t step);

// The rows every optimizer with such a rate has in its table. Its options struct has the fields `rate`, `rate_decay`,
// `rate_start` and `rate_power`.
#define RF_RATE_SETTINGS(type_)                                                                                                 \
    RF_REAL(type_, rate, "0.01", 1e-12, 1e6, 0, "learning rate of the first step"),                                             \
            RF_CHOICE(                                                                                                          \
                    type_, rate_decay, "constant", rf_rate_decay_names, 0,                                                      \
                    "how the rate falls: constant, or inverse_scaling: rate * (rate_start / (rate_start + steps))^rate_power"), \
            RF_REAL(type_, rate_start, "1", 1e-6, 1e15, 0, "steps over which the rate stays near its first value"),             \
            RF_REAL(type_, rate_power, "0.5", 0, 2, 0, "how fast the rate falls")

#define RF_RATE_OF(options_)                                                                                             \
    (struct rf_rate) {                                                                                                   \
        .first = (options_)->rate, .decay = (enum rf_rate_decay)(options_)->rate_decay, .start = (options_)->rate_start, \
        .power = (options_)->rate_power                                                                                  \
    }

#endif
