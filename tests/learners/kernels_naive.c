#include "tests/learners/kernels_naive.h"

#include <math.h>

double naive_dot(size_t count, const double *a, const double *b) {
    double lane[8] = {0};
    for (size_t i = 0; i < count; i++) {
        lane[i % 8] = lane[i % 8] + a[i] * b[i];
    }
    for (size_t width = 4; width > 0; width /= 2) {
        for (size_t i = 0; i < width; i++) {
            lane[i] = lane[i] + lane[i + width];
        }
    }
    return lane[0];
}

void naive_scores(size_t count, size_t outputs, const double *x, const double *weight, double *score_out) {
    for (size_t k = 0; k < outputs; k++) {
        score_out[k] = 0;
        for (size_t i = 0; i < count; i++) {
            score_out[k] = score_out[k] + x[i] * weight[i * outputs + k];
        }
    }
}

double naive_largest(size_t count, const double *a) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(a[i]));
    }
    return largest;
}
