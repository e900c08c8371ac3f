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
    size_t k = 0;
    for (; k + 4 <= outputs; k += 4) {
        quad sum = {0};
        for (size_t i = 0; i < count; i++) {
            sum += x[i] * *(const quad *)(weight + i * outputs + k);
        }
        *(quad *)(score_out + k) = sum;
    }
    for (; k < outputs; k++) {
        score_out[k] = 0;
        for (size_t i = 0; i < count; i++) {
            score_out[k] += x[i] * weight[i * outputs + k];
        }
    }
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

static double largest(size_t count, const double *a) {
    double most[4] = {0};
    size_t i = 0;
    for (; i + 4 <= count; i += 4) { // four chains of comparisons, none of which waits for the other
        most[0] = larger(__builtin_fabs(a[i]), most[0]);
        most[1] = larger(__builtin_fabs(a[i + 1]), most[1]);
        most[2] = larger(__builtin_fabs(a[i + 2]), most[2]);
        most[3] = larger(__builtin_fabs(a[i + 3]), most[3]);
    }
    for (; i < count; i++) {
        most[0] = larger(__builtin_fabs(a[i]), most[0]);
    }
    return larger(larger(most[0], most[1]), larger(most[2], most[3]));
}

// In blocks of eight, whose inner loops the compiler makes instructions of several lanes of.
enum { BLOCK = 8 };

static double cut_one(double value, double limit) {
    value = value > -limit ? value : -limit;
    return value < limit ? value : limit;
}

static void cut(size_t count, const double *restrict a, double limit, double *restrict cut_out) {
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK) {
        for (size_t lane = 0; lane < BLOCK; lane++) {
            cut_out[i + lane] = cut_one(a[i + lane], limit);
        }
    }
    for (; i < count; i++) {
        cut_out[i] = cut_one(a[i], limit);
    }
}

static void rows(size_t count, const uint64_t *restrict hash, uint64_t mask, uint32_t *restrict row_out) {
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK) {
        for (size_t lane = 0; lane < BLOCK; lane++) {
            row_out[i + lane] = (uint32_t)hash[i + lane] & (uint32_t)mask;
        }
    }
    for (; i < count; i++) {
        row_out[i] = (uint32_t)(hash[i] & mask);
    }
}

// What is 0, less 1 has its highest bit set.
static bool has_zero(size_t count, const uint64_t *hash, uint64_t mask) {
    uint64_t below[BLOCK] = {0}, all = 0;
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK) {
        for (size_t lane = 0; lane < BLOCK; lane++) {
            below[lane] |= (hash[i + lane] & mask) - 1;
        }
    }
    for (; i < count; i++) {
        all |= (hash[i] & mask) - 1;
    }
    for (size_t lane = 0; lane < BLOCK; lane++) {
        all |= below[lane];
    }
    return all >> 63;
}

#define KERNELS(name_) \
    { .name = name_, .dot = dot, .scores = scores, .largest = largest, .cut = cut, .rows = rows, .has_zero = has_zero }

#if defined(RF_KERNELS_AVX2)

const struct rf_kernels rf_kernels_avx2 = KERNELS("avx2");

#else

const struct rf_kernels rf_kernels_baseline = KERNELS("baseline");

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
