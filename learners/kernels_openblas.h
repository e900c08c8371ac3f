#ifndef RF_LEARNERS_KERNELS_OPENBLAS_H
#define RF_LEARNERS_KERNELS_OPENBLAS_H
// The products of mini-batches, by OpenBLAS. It picks its own kernels by processor (its "core type"), so the last bits of
// these sums are those of a core type, not of every machine; they are the same for the same shapes on the same core type,
// as long as it runs one thread.
#include <stdbool.h>
#include <stddef.h>

enum { RF_OPENBLAS_CORE_SIZE = 32 };

// Has OpenBLAS run one thread from now on, in the whole process. Setup calls it before any product.
void rf_openblas_prepare(void);

// The core type that OpenBLAS runs on, e.g. "Haswell": shorter than RF_OPENBLAS_CORE_SIZE. Static.
const char *rf_openblas_core(void);

// All arrays are of floats, or all of doubles.

// score_out[records][outputs] = x[records][size] * transposed weight[outputs][size]
void rf_openblas_scores(bool is_double, size_t records, size_t outputs, size_t size, const void *x, const void *weight,
                        void *score_out);

// out[outputs][size] = transposed gradient[records][outputs] * x[records][size]
void rf_openblas_gradient(bool is_double, size_t records, size_t outputs, size_t size, const void *gradient, const void *x,
                          void *out);

#endif
