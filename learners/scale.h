#ifndef RF_LEARNERS_SCALE_H
#define RF_LEARNERS_SCALE_H
// Standard scaling of numbers, learned as they come: x = (value - mean) / deviation, cut at RF_SCALER_VALUE_MAX in size, and 0
// while the deviation is 0. Mean and population variance are those of all values learned, by Welford's recurrence (1962):
//
//     mean'    = mean + (value - mean) / count
//     scatter' = scatter + (value - mean) (value - mean'),     variance = scatter / count
//
// A number that is absent from an example counts as missing, not as 0: it moves no mean and scales to nothing at all,
// which is the same as being at its mean.
#include "proto/state.h"

struct rf_scaler;

// Room for `fields_max` fields, rounded up to a power of two.
enum rf_status rf_scaler_create(size_t fields_max, struct rf_scaler **scaler_out, struct rf_error *err) RF_MUST_USE;
void rf_scaler_destroy(struct rf_scaler *scaler);

// Lists its two blocks; the names stay the caller's.
void rf_scaler_state(struct rf_scaler *scaler, const char *fields_name, const char *size_name, struct rf_state *state);

// For the check of a learner whose blocks were restored: RF_CORRUPT, in words, when the fields met are not those counted, or
// the moments of one are out of bounds.
enum rf_status rf_scaler_check(const struct rf_scaler *scaler, struct rf_error *err) RF_MUST_USE;

#define RF_SCALER_VALUE_MAX 1e100 // what |value| must not be above: no sum of squares then overflows

// The value scaled by what was learned so far; 0 for a field not met yet.
double rf_scaler_scale(const struct rf_scaler *scaler, uint64_t hash, double value);

// Learns the value, then scales it. False, and 0, when the field is new and there is no room for it.
bool rf_scaler_learn(struct rf_scaler *scaler, uint64_t hash, double value, double *scaled_out);

#endif
