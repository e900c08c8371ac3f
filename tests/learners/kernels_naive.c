#include "tests/learners/kernels_naive.h"

#include <float.h>
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

void naive_cut(size_t count, const double *a, double limit, double *cut_out) {
    for (size_t i = 0; i < count; i++) {
        cut_out[i] = fmin(fmax(a[i], -limit), limit);
    }
}

void naive_rows(size_t count, const uint64_t *hash, uint64_t mask, uint32_t *row_out) {
    for (size_t i = 0; i < count; i++) {
        row_out[i] = (uint32_t)(hash[i] % (mask + 1));
    }
}

bool naive_has_zero(size_t count, const uint64_t *hash, uint64_t mask) {
    for (size_t i = 0; i < count; i++) {
        if (hash[i] % (mask + 1) == 0) {
            return true;
        }
    }
    return false;
}

static const double value_max = 999999986991104.0; // 1e15 as a float

void naive_take_float(size_t count, const float *raw, float *x_out) {
    for (size_t i = 0; i < count; i++) {
        x_out[i] = fminf(fmaxf(raw[i], -(float)value_max), (float)value_max);
    }
}

void naive_take_double(size_t count, const double *raw, double *x_out) {
    for (size_t i = 0; i < count; i++) {
        x_out[i] = fmin(fmax(raw[i], -value_max), value_max);
    }
}

static double sum_of_lanes(double *lane) {
    for (size_t width = 4; width > 0; width /= 2) {
        for (size_t i = 0; i < width; i++) {
            lane[i] = lane[i] + lane[i + width];
        }
    }
    return lane[0];
}

void naive_dense_scores_float(size_t outputs, size_t count, const float *x, const float *weight, double *score_out) {
    for (size_t k = 0; k < outputs; k++) {
        double lane[8] = {0};
        for (size_t i = 0; i < count; i++) {
            lane[i % 8] = lane[i % 8] + (double)x[i] * (double)weight[k * count + i];
        }
        score_out[k] = sum_of_lanes(lane);
    }
}

void naive_dense_scores_double(size_t outputs, size_t count, const double *x, const double *weight, double *score_out) {
    for (size_t k = 0; k < outputs; k++) {
        double lane[8] = {0};
        for (size_t i = 0; i < count; i++) {
            lane[i % 8] = lane[i % 8] + x[i] * weight[k * count + i];
        }
        score_out[k] = sum_of_lanes(lane);
    }
}

static float settled_float(float a) {
    return fabsf(a) > (float)value_max ? copysignf((float)value_max, a) : fabsf(a) < FLT_MIN ? 0 : a;
}

static double settled_double(double a) {
    return fabs(a) > value_max ? copysign(value_max, a) : fabs(a) < DBL_MIN ? 0 : a;
}

void naive_descend_float(size_t count, double move, const float *x, double decay, double momentum, float *weight,
                         float *velocity) {
    for (size_t i = 0; i < count; i++) {
        float along = (float)move * x[i];
        float shrunk = (float)decay * weight[i];
        float down = along + shrunk;
        if (velocity) {
            float kept = (float)momentum * velocity[i];
            velocity[i] = settled_float(kept - down);
            weight[i] = settled_float(weight[i] + velocity[i]);
        } else {
            weight[i] = settled_float(weight[i] - down);
        }
    }
}

void naive_descend_double(size_t count, double move, const double *x, double decay, double momentum, double *weight,
                          double *velocity) {
    for (size_t i = 0; i < count; i++) {
        double along = move * x[i];
        double shrunk = decay * weight[i];
        double down = along + shrunk;
        if (velocity) {
            double kept = momentum * velocity[i];
            velocity[i] = settled_double(kept - down);
            weight[i] = settled_double(weight[i] + velocity[i]);
        } else {
            weight[i] = settled_double(weight[i] - down);
        }
    }
}

void naive_batch_scores(size_t records, size_t outputs, size_t size, const double *x, const double *weight, double *score_out) {
    for (size_t n = 0; n < records; n++) {
        for (size_t k = 0; k < outputs; k++) {
            score_out[n * outputs + k] = 0;
            for (size_t i = 0; i < size; i++) {
                score_out[n * outputs + k] += x[n * size + i] * weight[k * size + i];
            }
        }
    }
}

void naive_batch_gradient(size_t records, size_t outputs, size_t size, const double *gradient, const double *x, double *out) {
    for (size_t k = 0; k < outputs; k++) {
        for (size_t i = 0; i < size; i++) {
            out[k * size + i] = 0;
            for (size_t n = 0; n < records; n++) {
                out[k * size + i] += gradient[n * outputs + k] * x[n * size + i];
            }
        }
    }
}
