#include "learners/kernels_openblas.h"

#include <cblas.h>

void rf_openblas_prepare(void) {
    openblas_set_num_threads(1);
}

const char *rf_openblas_core(void) {
    return openblas_get_corename();
}

void rf_openblas_scores(bool is_double, size_t records, size_t outputs, size_t size, const void *x, const void *weight,
                        void *score_out) {
    blasint m = (blasint)records, n = (blasint)outputs, k = (blasint)size;
    if (is_double) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, x, k, weight, k, 0, score_out, n);
    } else {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, x, k, weight, k, 0, score_out, n);
    }
}

void rf_openblas_gradient(bool is_double, size_t records, size_t outputs, size_t size, const void *gradient, const void *x,
                          void *out) {
    blasint m = (blasint)outputs, n = (blasint)size, k = (blasint)records;
    if (is_double) {
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, gradient, m, x, n, 0, out, n);
    } else {
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, gradient, m, x, n, 0, out, n);
    }
}
