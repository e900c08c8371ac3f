#ifndef RF_LEARNERS_RATE_H
#define RF_LEARNERS_RATE_H
#include "proto/setting.h"

#include <stdbool.h>
#include <stdint.h>

// How the learning rate of an optimizer moves with the steps taken before, t = 0, 1, 2, ...:
//
//     rate_t = rate * rise_t * fall_t
//
//     constant          fall_t = 1
//     inverse_scaling   fall_t = (start / (start + t))^power      (Robbins and Monro, 1951, for 1/2 < power <= 1)
//     step              fall_t = factor^floor(t / every)
//
//     rise_t = min(1, (t + 1) / warm_up), and 1 without a warm-up
//
// `start` is the number of steps over which the rate stays near its first value. No rate_t is above `rate`.
enum rf_rate_decay { RF_RATE_CONSTANT, RF_RATE_INVERSE_SCALING, RF_RATE_STEP };

extern const char *const rf_rate_decay_names[]; // NULL-terminated, in the order of the enum

struct rf_rate {
    double first;
    int decay; // enum rf_rate_decay
    double start;
    double power;
    uint64_t every;
    double factor;
    uint64_t warm_up;
};

double rf_rate_at(const struct rf_rate *rate, uint64_t step);

bool rf_rate_varies(const struct rf_rate *rate);

// Where missed steps are caught up by a closed form that holds the rate, one that varies is held for RF_RATE_BLOCK steps:
// rate_t is then that of the first step of t's block.
enum { RF_RATE_BLOCK = 1024 };

#define RF_RATE_ROW(type_, row_type_, name_, field_) \
    .type = row_type_, .name = name_, .offset = offsetof(type_, rate) + offsetof(struct rf_rate, field_)

// The rows every optimizer with such a rate has in its table. Its options struct begins with a struct rf_rate `rate`.
// clang-format off
#define RF_RATE_SETTINGS(type_, first_) \
    {RF_RATE_ROW(type_, RF_TYPE_REAL, "rate", first), .fallback = first_, .min = 1e-12, .max = 1e6, \
     .help = "learning rate of the first step, or after the warm-up"}, \
    {RF_RATE_ROW(type_, RF_TYPE_CHOICE, "rate_decay", decay), .fallback = "constant", .choices = rf_rate_decay_names, \
     .help = "how the rate falls: constant, inverse_scaling (rate * (rate_start / (rate_start + steps))^rate_power) or step " \
             "(times rate_factor every rate_every steps)"}, \
    {RF_RATE_ROW(type_, RF_TYPE_REAL, "rate_start", start), .fallback = "1", .min = 1e-6, .max = 1e15, \
     .help = "inverse_scaling: steps over which the rate stays near its first value"}, \
    {RF_RATE_ROW(type_, RF_TYPE_REAL, "rate_power", power), .fallback = "0.5", .min = 0, .max = 2, \
     .help = "inverse_scaling: how fast the rate falls"}, \
    {RF_RATE_ROW(type_, RF_TYPE_UINT, "rate_every", every), .fallback = "100000", .min = 1, .max = 1e15, \
     .help = "step: steps after which the rate falls"}, \
    {RF_RATE_ROW(type_, RF_TYPE_REAL, "rate_factor", factor), .fallback = "0.5", .min = 1e-6, .max = 1, \
     .help = "step: by what the rate is multiplied each time"}, \
    {RF_RATE_ROW(type_, RF_TYPE_UINT, "rate_warm_up", warm_up), .fallback = "0", .min = 0, .max = 1e15, \
     .help = "steps over which the rate rises linearly to where it would be; 0: none"}
// clang-format on

#endif
