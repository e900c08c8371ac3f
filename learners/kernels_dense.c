#include "learners/kernels_dense.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// Four doubles that compilers keep in whatever registers there are; see kernels.c.
typedef double quad __attribute__((vector_size(32), aligned(8), may_alias));

#define REAL float
#define REAL_BITS int32_t
#define REAL_MIN FLT_MIN
#define NAME(name) name##_float
#include "learners/kernels_dense_reals.h"

#define REAL double
#define REAL_BITS int64_t
#define REAL_MIN DBL_MIN
#define NAME(name) name##_double
#include "learners/kernels_dense_reals.h"

#define TABLE(name_, real_)                                                                                    \
    {                                                                                                          \
        .name = name_, .real_size = sizeof(real_), .take = take_##real_, .take_doubles = take_doubles_##real_, \
        .give_doubles = give_doubles_##real_, .scores = scores_##real_, .descend = descend_##real_,            \
        .descend_on = descend_on_##real_                                                                       \
    }

#if defined(RF_KERNELS_AVX2)

const struct rf_dense_kernels rf_dense_kernels_avx2[2] = {TABLE("avx2", float), TABLE("avx2", double)};

#else

const struct rf_dense_kernels rf_dense_kernels_baseline[2] = {TABLE("baseline", float), TABLE("baseline", double)};

const struct rf_dense_kernels *rf_dense_kernels_choose(bool use_baseline, bool is_double) {
#if defined(RF_HAS_AVX2)
    if (!use_baseline && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return &rf_dense_kernels_avx2[is_double];
    }
#endif
    (void)use_baseline;
    return &rf_dense_kernels_baseline[is_double];
}

#endif
