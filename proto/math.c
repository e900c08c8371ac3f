// Numbers as unevaluated sums high + low carry the precision that one double cannot (Dekker, 1971: "A floating-point
// technique for extending the available precision"). exp and log reduce their argument by powers of two and then sum a
// series to the last bit (Muller, 2016: "Elementary Functions", chapters 3 and 11); pow is the exp of exponent times log,
// both kept as sums. Nothing here depends on rounding other than to nearest.
#include "proto/math.h"

#include "proto/bytes.h"

#include <math.h>
#include <stdbool.h>

struct sum {
    double high, low; // |low| <= half an ulp of high
};

// log(2) = LN2_HIGH + LN2_LOW; the high part has 38 bits, so that its product with any exponent of a double is exact.
static const double LN2_HIGH = 0x1.62e42fefap-1;
static const double LN2_LOW = 0x1.cf79abc9e3b3ap-40;
static const double LN2_HALF = 0x1.62e42fefa39efp-2;
static const double LN2_INVERSE = 0x1.71547652b82fep+0;
static const double TWO_THIRDS_HIGH = 0x1.5555555555555p-1;
static const double TWO_THIRDS_LOW = 0x1.5555555555555p-55;
static const double EXP_OVERFLOW = 0x1.62e42fefa39efp+9;   // the greatest x with a finite exp(x)
static const double EXP_UNDERFLOW = -0x1.74910d52d3052p+9; // below it exp(x) rounds to 0

// Exact when |a| >= |b|.
static inline struct sum sum_ordered(double a, double b) {
    double high = a + b;
    return (struct sum){high, b - (high - a)};
}

// Exact for any order (Knuth).
static inline struct sum sum_exact(double a, double b) {
    double high = a + b;
    double part = high - a;
    return (struct sum){high, (a - (high - part)) + (b - part)};
}

// Exact where nothing under- or overflows: both factors are split into halves of 26 bits (Veltkamp).
static inline struct sum product_exact(double a, double b) {
    double c = 0x1.000002p27 * a;
    double a_high = c - (c - a), a_low = a - a_high;
    double d = 0x1.000002p27 * b;
    double b_high = d - (d - b), b_low = b - b_high;
    double high = a * b;
    return (struct sum){high, ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

static inline struct sum product(struct sum a, struct sum b) {
    struct sum p = product_exact(a.high, b.high);
    return sum_ordered(p.high, p.low + (a.high * b.low + a.low * b.high));
}

// 2^exponent for a normal result.
static inline double power_of_two(int64_t exponent) {
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// 1 / 2! + r / 3! + ... + r^11 / 13!, for |r| <= log(2) / 2.
static inline double exp_series(double r) {
    double series = 1.0 / 6227020800;
    series = series * r + 1.0 / 479001600;
    series = series * r + 1.0 / 39916800;
    series = series * r + 1.0 / 3628800;
    series = series * r + 1.0 / 362880;
    series = series * r + 1.0 / 40320;
    series = series * r + 1.0 / 5040;
    series = series * r + 1.0 / 720;
    series = series * r + 1.0 / 120;
    series = series * r + 1.0 / 24;
    series = series * r + 1.0 / 6;
    return series * r + 0.5;
}

// exp(x + low) for |x| <= 746 and |low| far below 1: x = k log 2 + r with |r| <= log(2) / 2, then
//
//     exp(x) = 2^k (1 + r + r^2 / 2! + ... + r^13 / 13!)
//
// r is kept as r + rest: what rounding took from r enters the sum again.
static double exp_of_sum(double x, double low) {
    double k = (double)(int)(x * LN2_INVERSE + (x < 0 ? -0.5 : 0.5));
    double high = x - k * LN2_HIGH;
    double taken = k * LN2_LOW - low;
    double r = high - taken;
    double rest = (high - r) - taken;

    double result = 1 + (r + (r * r * exp_series(r) + rest));

    int64_t exponent = (int64_t)k;
    if (exponent > 1023) {
        return result * 2 * power_of_two(exponent - 1);
    }
    if (exponent < -1022) {
        return result * power_of_two(exponent + 100) * 0x1p-100; // one rounding, to a subnormal
    }
    return result * power_of_two(exponent);
}

double rf_exp(double x) {
    if (x > EXP_OVERFLOW) {
        return INFINITY;
    }
    if (x < EXP_UNDERFLOW) {
        return 0;
    }
    return isnan(x) ? x : exp_of_sum(x, 0);
}

double rf_expm1(double x) {
    return fabs(x) < LN2_HALF ? x + x * x * exp_series(x) : rf_exp(x) - 1;
}

// A finite x > 0 as 2^k m with m in [sqrt(1/2), sqrt(2)).
static inline double fraction_of(double x, double *k_out) {
    int64_t k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    uint64_t bits = rf_load_u64(&x);
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcd; // the bits of sqrt(1/2), rounded up
    int64_t shift = (int64_t)(bits - sqrt_half) >> 52;
    *k_out = (double)(k + shift);
    bits -= (uint64_t)shift << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    return m;
}

// log(x) for a finite x > 0, with a relative error below 2^-64: x = 2^k m, then with s = (m - 1) / (m + 1), |s| < 0.1716,
//
//     log(x) = k log 2 + 2 s + 2/3 s^3 + 2/5 s^5 + ... + 2/23 s^23
//
// The first two terms of the series are sums of two doubles, the rest is small enough for one.
static struct sum log_as_sum(double x) {
    double k;
    const double m = fraction_of(x, &k);

    double numerator = m - 1;                 // exact
    struct sum denominator = sum_exact(m, 1); // exact
    double quotient = numerator / denominator.high;
    struct sum back = product_exact(quotient, denominator.high);
    double remainder = ((numerator - back.high) - back.low) - quotient * denominator.low;
    struct sum s = sum_ordered(quotient, remainder / denominator.high);

    struct sum square = product(s, s);
    struct sum cube = product(square, s);
    double z = square.high;
    double series = 2.0 / 23;
    series = series * z + 2.0 / 21;
    series = series * z + 2.0 / 19;
    series = series * z + 2.0 / 17;
    series = series * z + 2.0 / 15;
    series = series * z + 2.0 / 13;
    series = series * z + 2.0 / 11;
    series = series * z + 2.0 / 9;
    series = series * z + 2.0 / 7;
    series = series * z + 2.0 / 5;
    struct sum third = product(cube, (struct sum){TWO_THIRDS_HIGH, TWO_THIRDS_LOW});
    struct sum head = sum_ordered(2 * s.high, third.high);
    double tail = head.low + (2 * s.low + third.low + cube.high * z * series);

    struct sum whole = sum_exact(k * LN2_HIGH, head.high);
    return sum_ordered(whole.high, whole.low + (k * LN2_LOW + tail));
}

double rf_log(double x) {
    if (x == 0) {
        return -INFINITY;
    }
    if (!(x > 0)) {
        return NAN;
    }
    return isinf(x) ? x : log_as_sum(x).high;
}

// The same series in plain doubles, its odd and its even terms beside each other: a processor adds to both at once.
static double log_in_doubles(double x) {
    double k;
    const double m = fraction_of(x, &k);
    const double s = (m - 1) / (m + 1);
    const double z = s * s, z2 = z * z;
    double even = 2.0 / 19, odd = 2.0 / 21;
    even = even * z2 + 2.0 / 15;
    odd = odd * z2 + 2.0 / 17;
    even = even * z2 + 2.0 / 11;
    odd = odd * z2 + 2.0 / 13;
    even = even * z2 + 2.0 / 7;
    odd = odd * z2 + 2.0 / 9;
    even = even * z2 + 2.0 / 3;
    odd = odd * z2 + 2.0 / 5;
    const double series = s * z * (even + z * odd);
    return k * LN2_HIGH + (2 * s + (series + k * LN2_LOW));
}

double rf_log_near(double x) {
    return x > 0 && x < INFINITY ? log_in_doubles(x) : rf_log(x);
}

// 1 + x = u + c exactly, and log(u + c) = log(u) + c / u as closely as needed.
double rf_log1p(double x) {
    if (!(x > -1)) {
        return x == -1 ? -INFINITY : NAN;
    }
    if (isinf(x) || fabs(x) < 0x1p-54) {
        return x;
    }
    struct sum u = sum_exact(1, x);
    struct sum log = log_as_sum(u.high);
    return log.high + (log.low + u.low / u.high);
}

static bool is_odd_integer(double x) {
    return fabs(x) < 0x1p53 && x == (double)(int64_t)x && ((int64_t)x & 1);
}

// The cases that no logarithm answers: base 0, infinite or not above 0, and exponents so large or so small that the
// result is 0, 1 or infinity whatever the base.
static double pow_at_the_edges(double base, double exponent) {
    if (base < 0) {
        return NAN;
    }
    if (exponent == 0 || base == 1) {
        return 1;
    }
    if (isnan(base) || isnan(exponent)) {
        return NAN;
    }
    if (base == 0) {
        double zero = is_odd_integer(exponent) ? base : 0;
        return exponent > 0 ? zero : copysign(INFINITY, zero);
    }
    if (fabs(exponent) < 0x1p-65) {
        return isinf(base) ? (exponent > 0 ? INFINITY : 0) : 1;
    }
    return (base > 1) == (exponent > 0) ? INFINITY : 0;
}

double rf_pow(double base, double exponent) {
    double size = fabs(exponent);
    if (!(base > 0 && base < INFINITY && base != 1 && size >= 0x1p-65 && size <= 0x1p64)) {
        return pow_at_the_edges(base, exponent);
    }
    struct sum log = log_as_sum(base);
    struct sum scaled = product_exact(exponent, log.high);
    scaled = sum_ordered(scaled.high, scaled.low + exponent * log.low);
    if (scaled.high > 710) {
        return INFINITY;
    }
    if (scaled.high < -746) {
        return 0;
    }
    return exp_of_sum(scaled.high, scaled.low);
}

double rf_sigmoid(double x) {
    double e = rf_exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

double rf_softplus(double x) {
    return (x > 0 ? x : 0) + rf_log1p(rf_exp(-fabs(x)));
}
