// Expected calibration error (Naeini, Cooper and Hauskrecht, 2015) over bins of equal mass: in each the distance between the
// mean probability and the share that came true, weighted by the bin's mass. Groups stay whole: a bin is full as soon as it has
// reached its share, so its limits lie between groups, and what it holds is exact.
#include "learners/evaluation_internal.h"

#include <math.h>

double rf_calibration_error(const struct rf_group *groups, size_t count) {
    double mass = 0;
    for (size_t i = 0; i < count; i++) {
        mass += groups[i].negative + groups[i].positive;
    }
    double seen = 0, distance = 0, error = 0;
    unsigned bin = 1;
    for (size_t i = 0; i < count; i++) {
        seen += groups[i].negative + groups[i].positive;
        distance += groups[i].score - groups[i].positive;
        if (seen >= mass * bin / RF_CALIBRATION_BINS) {
            error += fabs(distance);
            distance = 0;
            while (bin < RF_CALIBRATION_BINS && seen >= mass * bin / RF_CALIBRATION_BINS) {
                bin++;
            }
        }
    }
    return mass > 0 ? (error + fabs(distance)) / mass : 0;
}
