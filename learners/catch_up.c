#include "learners/catch_up.h"

#include <stddef.h>

void rf_powers_init(struct rf_powers *powers, double factor) {
    for (size_t level = 0; level < RF_CATCH_UP_LEVELS; level++) {
        double power = 1;
        for (size_t k = 0; k < RF_CATCH_UP_BASE; k++) {
            powers->power[level][k] = power;
            power *= factor;
        }
        factor = power;
    }
}

void rf_motion_powers_init(struct rf_motion_powers *powers, struct rf_motion motion) {
    for (size_t level = 0; level < RF_CATCH_UP_LEVELS; level++) {
        struct rf_motion power = {.ww = 1, .vv = 1};
        for (size_t k = 0; k < RF_CATCH_UP_BASE; k++) {
            powers->power[level][k] = power;
            power = rf_motion_after(motion, power);
        }
        motion = power;
    }
}
