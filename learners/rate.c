#include "learners/rate.h"
#include "proto/math.h"

const char *const rf_rate_decay_names[] = {"constant", "inverse_scaling", NULL};

double rf_rate_at(const struct rf_rate *rate, uint64_t step) {
    if (rate->decay == RF_RATE_CONSTANT) {
        return rate->first;
    }
    return rate->first * rf_pow(rate->start / (rate->start + (double)step), rate->power);
}
