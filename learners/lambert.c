#include "learners/lambert.h"
#include "proto/math.h"

#include <math.h>

#define FLAT_BELOW (-40.0) // here e^score is less than half a unit in the last place of 1: the score climbs as h grows
#define IMPORTANCE_MAX 1e30

enum { ITERATIONS_MAX = 16 };

double rf_lambert_climb(double score, double importance) {
    double left = importance < IMPORTANCE_MAX ? importance : IMPORTANCE_MAX;
    double flat = 0;
    if (score < FLAT_BELOW) {
        flat = left < FLAT_BELOW - score ? left : FLAT_BELOW - score;
        left -= flat;
        score += flat;
    }
    // Both sides divided by 1 + e^score: q d + p (e^d - 1) = q h, which cannot overflow.
    double e = rf_exp(-fabs(score));
    double p = (score >= 0 ? 1 : e) / (1 + e);
    double q = (score >= 0 ? e : 1) / (1 + e);
    if (left == 0 || q == 0) {
        return flat;
    }
    // The left side is convex and rises. For small steps Halley's rule starts from its second order; else from
    // what either of its terms alone bounds d by. The rule triples the digits: after so small a change all are right.
    double target = left * q;
    double d = target / (1 + p * target / 2);
    if (target > 1) {
        double bound = rf_log1p(target / p);
        d = bound < left ? bound : left;
    }
    for (int i = 0; i < ITERATIONS_MAX; i++) {
        double curve = p * rf_expm1(d);
        double slope = q + (p + curve);
        double newton = (q * (d - left) + curve) / slope;
        double change = newton / (1 - newton * (p + curve) / (2 * slope));
        d -= change;
        if (fabs(change) <= 0x1p-18 * d) {
            break;
        }
    }
    return flat + d;
}
