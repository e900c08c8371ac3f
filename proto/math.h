#ifndef RF_PROTO_MATH_H
#define RF_PROTO_MATH_H

// exp, log and pow with the same bits on every machine: plain IEEE double operations in a fixed order, built without
// contraction, no table look-up by CPU. (glibc's give other bits where FMA is missing.) sqrt is exact by IEEE 754 and
// needs no twin. Error bounds, in units in the last place, hold over the whole range and are checked by tests:
//
//     rf_exp    below 1 ulp; 0 below -745.2, infinity above 709.8
//     rf_expm1  below 4 ulp; exp(x) - 1, -1 far below 0
//     rf_log    below 1 ulp; -infinity at 0, NaN below
//     rf_log_near  below 3 ulp, in a third of the time; the same edges
//     rf_log1p  below 2 ulp
//     rf_pow    below 4 ulp for base > 0; any exponent. Base 0 as C's pow; base < 0 is NaN
double rf_exp(double x);
double rf_expm1(double x);
double rf_log(double x);
double rf_log_near(double x);
double rf_log1p(double x);
double rf_pow(double base, double exponent);

// 1 / (1 + exp(-x)), never 0 / 0, and log(1 + exp(x)) without overflow.
double rf_sigmoid(double x);
double rf_softplus(double x);

#endif
