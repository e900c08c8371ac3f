#include "learners/rate.h"
#include "proto/math.h"

const char *const rf_rate_decay_names[] = {"constant", "inverse_scaling", "step", NULL};

static double fall_at(const struct rf_rate *rate, uint64_t step) {
    uint64_t falls;
    switch (rate->decay) {
    case RF_RATE_INVERSE_SCALING:
        return rf_pow(rate->start / (rate->start + (double)step), rate->power);
    case RF_RATE_STEP:
        falls = step / rate->every;
        return rf_pow(rate->factor, (double)falls);
    default:
        return 1;
    }
}

double rf_rate_at(const struct rf_rate *rate, uint64_t step) {
    double rise = step < rate->warm_up ? (double)(step + 1) / (double)rate->warm_up : 1;
    return rate->first * rise * fall_at(rate, step);
}

bool rf_rate_varies(const struct rf_rate *rate) {
    return rate->decay != RF_RATE_CONSTANT || rate->warm_up > 1;
}
