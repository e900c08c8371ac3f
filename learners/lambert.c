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
    double p = rf_sigmoid(score);
    double q = rf_sigmoid(-score);
    if (left == 0 || q == 0) {
        return flat;
    }
    // The left side is convex and rises; either of its terms alone bounds d from above. From there by Halley's rule.
    double bound = rf_log1p(left * q / p);
    double d = bound < left ? bound : left;
    for (int i = 0; i < ITERATIONS_MAX; i++) {
        double curve = p * rf_expm1(d);
        double slope = q + (p + curve);
        double newton = (q * (d - left) + curve) / slope;
        double change = newton / (1 - newton * (p + curve) / (2 * slope));
        d -= change;
        if (fabs(change) <= 0x1p-52 * d) {
            break;
        }
    }
    return flat + d;
}
