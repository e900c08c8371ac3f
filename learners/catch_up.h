#ifndef RF_LEARNERS_CATCH_UP_H
#define RF_LEARNERS_CATCH_UP_H
// L2 shrinks and momentum moves every weight at every step, also those whose features are absent. A row is touched only
// when its feature appears; what the steps in between did to it is a power of what one of them does, so it is caught up
// exactly, whatever their number k. Powers are read from tables of base 1024: two products in place of a call of pow.
#include <stdint.h>

enum { RF_CATCH_UP_BASE = 1024, RF_CATCH_UP_LEVELS = 3, RF_CATCH_UP_STEPS_MAX = 1 << 29 };

// factor^k.
struct rf_powers {
    double power[RF_CATCH_UP_LEVELS][RF_CATCH_UP_BASE]; // factor^k, factor^(1024 k), factor^(1024^2 k)
};

void rf_powers_init(struct rf_powers *powers, double factor);

static inline double rf_powers_at(const struct rf_powers *powers, uint32_t k) {
    double power = powers->power[0][k % RF_CATCH_UP_BASE];
    if (k >= RF_CATCH_UP_BASE) {
        power *= powers->power[1][k / RF_CATCH_UP_BASE % RF_CATCH_UP_BASE];
        power *= powers->power[2][k / RF_CATCH_UP_BASE / RF_CATCH_UP_BASE];
    }
    return power;
}

// A linear map of a weight and its velocity: (w, v) becomes (ww w + wv v, vw w + vv v).
struct rf_motion {
    double ww, wv;
    double vw, vv;
};

static inline void rf_motion_apply(const struct rf_motion *motion, double *weight, double *velocity) {
    double w = motion->ww * *weight + motion->wv * *velocity;
    *velocity = motion->vw * *weight + motion->vv * *velocity;
    *weight = w;
}

// Both, one after the other.
static inline struct rf_motion rf_motion_after(struct rf_motion second, struct rf_motion first) {
    return (struct rf_motion){
            .ww = second.ww * first.ww + second.wv * first.vw,
            .wv = second.ww * first.wv + second.wv * first.vv,
            .vw = second.vw * first.ww + second.vv * first.vw,
            .vv = second.vw * first.wv + second.vv * first.vv,
    };
}

struct rf_motion_powers {
    struct rf_motion power[RF_CATCH_UP_LEVELS][RF_CATCH_UP_BASE];
};

void rf_motion_powers_init(struct rf_motion_powers *powers, struct rf_motion motion);

static inline void rf_motion_powers_apply(const struct rf_motion_powers *powers, uint32_t k, double *weight, double *velocity) {
    rf_motion_apply(&powers->power[0][k % RF_CATCH_UP_BASE], weight, velocity);
    if (k >= RF_CATCH_UP_BASE) {
        rf_motion_apply(&powers->power[1][k / RF_CATCH_UP_BASE % RF_CATCH_UP_BASE], weight, velocity);
        rf_motion_apply(&powers->power[2][k / RF_CATCH_UP_BASE / RF_CATCH_UP_BASE], weight, velocity);
    }
}

#endif
