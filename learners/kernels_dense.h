#ifndef RF_LEARNERS_KERNELS_DENSE_H
#define RF_LEARNERS_KERNELS_DENSE_H
// The inner loops over whole vectors, for weights kept in float or in double: `real` is one of the two, and a void pointer is
// to an array of them. Like learners/kernels.h the file is compiled once for each instruction set, and all give the same
// bits: the sums have fixed lanes and a fixed order, all else is by element. (Sums over mini-batches are OpenBLAS's affair:
// learners/kernels_openblas.h.)
#include <stdbool.h>
#include <stddef.h>

// What x, weight and velocity may be in size. Within it no product and no sum over 2^20 coordinates or 2^16 records leaves
// the range of a float.
#define RF_DENSE_VALUE_MAX 1e15

struct rf_dense_kernels {
    const char *name; // of the instruction set
    size_t real_size; // bytes

    // x_out[i] = raw[i], cut to RF_DENSE_VALUE_MAX in size; and the same of doubles. What is not a number becomes the least.
    void (*take)(size_t count, const float *raw, void *x_out);
    void (*take_doubles)(size_t count, const double *raw, void *x_out);

    void (*give_doubles)(size_t count, const void *a, double *out); // out[i] = a[i]

    // score_out[k] = sum over i of x[i] * weight[k][i], products and sums in double: eight lanes by i mod 8, then
    // ((0+4) + (2+6)) + ((1+5) + (3+7)).
    void (*scores)(size_t outputs, size_t count, const void *x, const void *weight /* [outputs][count] */,
                   double *score_out /* [outputs] */);

    // weight[i] -= move * x[i] + decay * weight[i], in reals; then cut to RF_DENSE_VALUE_MAX, and to 0 where denormal.
    void (*descend)(size_t count, double move, const void *x, double decay, void *weight);

    // velocity[i] = momentum * velocity[i] - (move * x[i] + decay * weight[i]), cut like the weight; weight[i] += velocity[i].
    void (*descend_on)(size_t count, double move, const void *x, double decay, double momentum, void *weight, void *velocity);
};

// The best this machine can run, or the baseline when asked for.
const struct rf_dense_kernels *rf_dense_kernels_choose(bool use_baseline, bool is_double);

// The tables for float and double, [is_double].
extern const struct rf_dense_kernels rf_dense_kernels_baseline[2];
extern const struct rf_dense_kernels rf_dense_kernels_avx2[2]; // where RF_HAS_AVX2 says it is built

#endif
