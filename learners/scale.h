#ifndef RF_LEARNERS_SCALE_H
#define RF_LEARNERS_SCALE_H
// Scaling of numbers by what was learned of their field so far, in one of four ways; v is the value, x what it becomes:
//
//     standard   x = (v - mean) / deviation. Mean and population variance of all values learned, by Welford's recurrence (1962):
//
//                    mean'    = mean + (v - mean) / count
//                    scatter' = scatter + (v - mean) (v - mean'),     variance = scatter / count
//
//     min_max    x = (v - min) / (max - min): 0 to 1 for values within what was seen
//     max_abs    x = v / max |v|: -1 to 1
//     robust     x = (v - median) / (third quartile - first quartile), cut at RF_SCALE_ROBUST_MAX in size. The quartiles are
//                read from a histogram with 16 buckets an octave: each is within 1/16 of a value of its rank. Quartiles that
//                share a bucket are taken as one value, and their distance as its size (1 for 0). One absurd value moves a
//                quartile by at most one rank, so what it does is gone with the next records; under the three others it stays:
//                a value 10^6 times too large shrinks what follows for good under min_max and max_abs, and for about 10^12
//                records under standard.
//
// x is 0 while it would be divided by 0, and for a field not met. A number that is absent from an example counts as missing, not
// as 0: it moves nothing and scales to nothing at all, which is the same as being in the centre.
//
// Numbers of sparse formats, where absent means 0, are divided only, so that 0 stays 0: by the root of the mean square
// (standard), by max |v| (min_max, max_abs), by the larger quartile in size (robust).
#include "proto/state.h"

#include <stdbool.h>

struct rf_scaler;

enum rf_scale { RF_SCALE_STANDARD, RF_SCALE_MIN_MAX, RF_SCALE_MAX_ABS, RF_SCALE_ROBUST, RF_SCALE_NONE, RF_SCALE_AUTO };
extern const char *const rf_scale_names[]; // NULL-terminated, in the order of the enum

#define RF_SCALE_ROBUST_MAX 10.0

struct rf_scaler_options {
    enum rf_scale scale;   // not none, not auto
    size_t fields_max;     // rounded up to a power of two
    double variance_above; // standard: a field with a variance not above it scales to 0
};

enum rf_status rf_scaler_create(const struct rf_scaler_options *options, struct rf_scaler **scaler_out,
                                struct rf_error *err) RF_MUST_USE;
void rf_scaler_destroy(struct rf_scaler *scaler);

// Lists its two blocks; the names stay the caller's.
void rf_scaler_state(struct rf_scaler *scaler, const char *fields_name, const char *size_name, struct rf_state *state);

// For the check of a learner whose blocks were restored: RF_CORRUPT, in words, when the fields met are not those counted, or
// what is known of one is out of bounds or contradicts itself.
enum rf_status rf_scaler_check(const struct rf_scaler *scaler, struct rf_error *err) RF_MUST_USE;

#define RF_SCALER_VALUE_MAX 1e100 // what |value| must not be above: no sum of squares then overflows

// The value scaled by what was learned so far; 0 for a field not met yet. `is_sparse`: divided only.
double rf_scaler_scale(const struct rf_scaler *scaler, uint64_t hash, double value, bool is_sparse);

// Learns the value, then scales it. False, and 0, when the field is new and there is no room for it.
bool rf_scaler_learn(struct rf_scaler *scaler, uint64_t hash, double value, bool is_sparse, double *scaled_out);

#endif
