#ifndef RF_LEARNERS_KERNELS_H
#define RF_LEARNERS_KERNELS_H
// The inner loops over arrays. The file is compiled once for each instruction set; all give the same bits, because every
// sum has fixed lanes and a fixed order, and no product is contracted into a sum.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rf_kernels {
    const char *name; // of the instruction set

    // sum of a[i] * b[i]: eight lanes by i mod 8, then ((0+4) + (2+6)) + ((1+5) + (3+7)).
    double (*dot)(size_t count, const double *a, const double *b);

    // score_out[k] = sum over i, in order, of x[i] * weight[i][k].
    void (*scores)(size_t count, size_t outputs, const double *x, const double *weight /* [count][outputs] */,
                   double *score_out /* [outputs] */);

    // The largest |a[i]|; 0 of none. NaN counts as 0.
    double (*largest)(size_t count, const double *a);

    // cut_out[i] = a[i], but at most `limit` in size; NaN becomes -limit.
    void (*cut)(size_t count, const double *a, double limit, double *cut_out);

    // row_out[i] = hash[i] & mask, of at most 32 bits.
    void (*rows)(size_t count, const uint64_t *hash, uint64_t mask, uint32_t *row_out);

    // Whether any of hash[i] & mask is 0. The mask has not the highest bit.
    bool (*has_zero)(size_t count, const uint64_t *hash, uint64_t mask);
};

extern const struct rf_kernels rf_kernels_baseline;
extern const struct rf_kernels rf_kernels_avx2; // where RF_HAS_AVX2 says it is built

// The best this machine can run, or the baseline when asked for.
const struct rf_kernels *rf_kernels_choose(bool use_baseline);

#endif
