#ifndef RF_LEARNERS_VECTOR_SCALER_H
#define RF_LEARNERS_VECTOR_SCALER_H
// Standard scaling of vectors, each coordinate by its own mean and deviation, by the rules of learners/scale.h.
#include "proto/state.h"

struct rf_vector_scaler;

enum rf_status rf_vector_scaler_create(size_t vector_size, struct rf_vector_scaler **scaler_out,
                                       struct rf_error *err) RF_MUST_USE;
void rf_vector_scaler_destroy(struct rf_vector_scaler *scaler);

// Lists its block; the name stays the caller's.
void rf_vector_scaler_state(struct rf_vector_scaler *scaler, const char *name, struct rf_state *state);

// For the check of a learner whose blocks were restored: RF_CORRUPT, in words, when the moments of a coordinate are out of
// bounds.
enum rf_status rf_vector_scaler_check(const struct rf_vector_scaler *scaler, struct rf_error *err) RF_MUST_USE;

void rf_vector_scaler_learn(struct rf_vector_scaler *scaler, const float *vector /* [vector_size] */);

// The vector scaled by what was learned so far, and its deviation: 0 while a coordinate has none.
void rf_vector_scaler_scale(const struct rf_vector_scaler *scaler, const float *vector, double *scaled_out);

#endif
