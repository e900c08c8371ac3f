#ifndef RF_LEARNERS_OWN_BIAS_H
#define RF_LEARNERS_OWN_BIAS_H
// A bias with a rate of its own, which moves by plain gradient descent. (One that moves as the weights do is a row of the
// optimizer.) NULL is none: it adds, moves, lists and refuses nothing.
#include "proto/state.h"

struct rf_own_bias;

enum rf_status rf_own_bias_create(uint32_t outputs, double rate, struct rf_own_bias **bias_out, struct rf_error *err) RF_MUST_USE;
void rf_own_bias_destroy(struct rf_own_bias *bias);

double rf_own_bias_weight(const struct rf_own_bias *bias, uint32_t k);

// Adds the weights to scores, and moves them against gradients [outputs].
void rf_own_bias_add(const struct rf_own_bias *bias, double *score);
void rf_own_bias_step(struct rf_own_bias *bias, const double *gradient);

void rf_own_bias_state(struct rf_own_bias *bias, const char *name, struct rf_state *state);
enum rf_status rf_own_bias_check(const struct rf_own_bias *bias, struct rf_error *err) RF_MUST_USE; // RF_CORRUPT, in words

#endif
