#include "learners/loss_lanes.h"

#include <stdint.h>

// Four by four: what SSE2 and NEON hold. The operations are by element, so their bits depend on no machine.
typedef float four __attribute__((vector_size(16)));
typedef int32_t four_bits __attribute__((vector_size(16)));

#define INLINE static inline __attribute__((always_inline))
#define ALL(value) ((four){value, value, value, value})

#define SCORE_MAX 87.0f
#define IMPORTANCE_MAX 1e30f
#define SMALL 0.05f
#define CLASS_MIN 1e-37f // a class all but impossible

INLINE four load(const double *from) {
    return (four){(float)from[0], (float)from[1], (float)from[2], (float)from[3]};
}

INLINE void store(double *to, four value) {
    for (int i = 0; i < 4; i++) {
        to[i] = (double)value[i];
    }
}

INLINE four choose(four_bits mask, four yes, four no) {
    return (four)(((four_bits)yes & mask) | ((four_bits)no & ~mask));
}

INLINE four smaller(four a, four b) {
    return choose(a < b, a, b);
}

INLINE four larger(four a, four b) {
    return choose(a > b, a, b);
}

// exp(x) for |x| <= 87: x = k log 2 + r, and the series of exp(r) up to r^7.
INLINE four exp_of(four x) {
    const four shift = ALL(0x1.8p23f); // adding it rounds to an integer, in the low bits
    four shifted = x * 0x1.715476p+0f + shift;
    four k = shifted - shift;
    four r = (x - k * 0x1.62e4p-1f) - k * 0x1.7f7d1cp-20f;
    four r2 = r * r;
    four low = (1 + r) + r2 * (0.5f + r * (1.0f / 6));
    four high = (1.0f / 24 + r * (1.0f / 120)) + r2 * (1.0f / 720 + r * (1.0f / 5040));
    four_bits exponent = ((four_bits)shifted + 127) << 23; // what the shift left above the low 9 bits falls off
    return (low + r2 * r2 * high) * (four)exponent;
}

void rf_loss_lanes_sigmoid(const double score[RF_LOSS_LANES], double p_out[RF_LOSS_LANES], double q_out[RF_LOSS_LANES]) {
    double e[RF_LOSS_LANES];
    for (int i = 0; i < RF_LOSS_LANES; i += 4) {
        four s = load(score + i);
        store(e + i, exp_of(-smaller(larger(s, -s), ALL(SCORE_MAX))));
    }
    for (int i = 0; i < RF_LOSS_LANES; i++) {
        double likely = 1 / (1 + e[i]), unlikely = e[i] * likely;
        p_out[i] = score[i] < 0 ? unlikely : likely;
        q_out[i] = score[i] < 0 ? likely : unlikely;
    }
}

// log(x) for a normal x > 0, up to 0.06 too large, never too small: the exponent, and the fraction taken as its own logarithm.
INLINE four rough_log(four x) {
    const four_bits bits = (four_bits)x;
    four fraction = (four)((bits & 0x7fffff) | 0x3f800000) - 1;
    four exponent = (four)((bits >> 23) | 0x4b000000) - (0x1p23f + 127);
    return (exponent + fraction) * 0x1.62e430p-1f + 0.06f;
}

enum { CLIMB_STEPS = 2 };

// Both sides over 1 + e^score: q d + p (e^d - 1) = t with t = q h, which cannot overflow. By Halley's rule, from the second
// order where p t is small, and else from log((p + t) / p), which bounds d. Where t is small, by its series: most often for all.
INLINE four climb(four p, four q, four h) {
    four t = q * h;
    four series = t * (1 - t * (p * 0.5f - t * p * (p * 0.5f - 1.0f / 6)));
    if (t[0] < SMALL && t[1] < SMALL && t[2] < SMALL && t[3] < SMALL) {
        return series;
    }
    four bound = smaller(rough_log((p + t) / p), h);
    four start = t / (1 + p * t * 0.5f);
    four d = choose(p * t > 2, bound, smaller(start, bound));
    for (int i = 0; i < CLIMB_STEPS; i++) {
        four curve = p * exp_of(smaller(d, ALL(SCORE_MAX)));
        four slope = q + curve;
        four newton = (q * d + (curve - p) - t) / slope;
        d = larger(d - newton / (1 - newton * curve * 0.5f / slope), ALL(0));
    }
    return choose(t < SMALL, series, d);
}

void rf_loss_lanes_climb(const double p[RF_LOSS_LANES], const double q[RF_LOSS_LANES], const double importance[RF_LOSS_LANES],
                         double climb_out[RF_LOSS_LANES]) {
    for (int i = 0; i < RF_LOSS_LANES; i += 4) {
        double h[4];
        for (int k = 0; k < 4; k++) {
            h[k] = importance[i + k] < IMPORTANCE_MAX ? importance[i + k] : IMPORTANCE_MAX;
        }
        store(climb_out + i, climb(larger(load(p + i), ALL(CLASS_MIN)), larger(load(q + i), ALL(CLASS_MIN)), load(h)));
    }
}
