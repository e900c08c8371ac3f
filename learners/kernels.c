#include "learners/kernels.h"

#include <string.h>

// Four doubles that compilers keep in whatever registers there are: one of AVX, two of SSE2 or NEON. The operations are
// by element, so their bits do not depend on that.
typedef double quad __attribute__((vector_size(32), aligned(8), may_alias));

static double dot(size_t count, const double *a, const double *b) {
    quad low = {0}, high = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        low += *(const quad *)(a + i) * *(const quad *)(b + i);
        high += *(const quad *)(a + i + 4) * *(const quad *)(b + i + 4);
    }
    double lane[8];
    memcpy(lane, &low, sizeof low);
    memcpy(lane + 4, &high, sizeof high);
    for (size_t l = 0; i < count; i++, l++) {
        lane[l] += a[i] * b[i];
    }
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static void scores(size_t count, size_t outputs, const double *x, const double *weight, double *score_out) {
    memset(score_out, 0, outputs * sizeof *score_out);
    for (size_t i = 0; i < count; i++, weight += outputs) {
        quad factor = {x[i], x[i], x[i], x[i]};
        size_t k = 0;
        for (; k + 4 <= outputs; k += 4) {
            *(quad *)(score_out + k) += factor * *(const quad *)(weight + k);
        }
        for (; k < outputs; k++) {
            score_out[k] += x[i] * weight[k];
        }
    }
}

static double largest(size_t count, const double *a) {
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double size = __builtin_fabs(a[i]);
        most = size > most ? size : most;
    }
    return most;
}

#if defined(RF_KERNELS_AVX2)

const struct rf_kernels rf_kernels_avx2 = {.name = "avx2", .dot = dot, .scores = scores, .largest = largest};

#else

const struct rf_kernels rf_kernels_baseline = {.name = "baseline", .dot = dot, .scores = scores, .largest = largest};

const struct rf_kernels *rf_kernels_choose(bool use_baseline) {
#if defined(RF_HAS_AVX2)
    if (!use_baseline && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return &rf_kernels_avx2;
    }
#endif
    (void)use_baseline;
    return &rf_kernels_baseline;
}

#endif
