#ifndef RF_TESTS_LEARNERS_KERNELS_NAIVE_H
#define RF_TESTS_LEARNERS_KERNELS_NAIVE_H
// What the kernels promise, element by element: the oracle for their bits.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double naive_dot(size_t count, const double *a, const double *b);
void naive_scores(size_t count, size_t outputs, const double *x, const double *weight, double *score_out);
double naive_largest(size_t count, const double *a);
void naive_cut(size_t count, const double *a, double limit, double *cut_out);
void naive_rows(size_t count, const uint64_t *hash, uint64_t mask, uint32_t *row_out);
bool naive_has_zero(size_t count, const uint64_t *hash, uint64_t mask);

// Of learners/kernels_dense.h; whatever is kept in float is passed as float.
void naive_take_float(size_t count, const float *raw, float *x_out);
void naive_take_double(size_t count, const double *raw, double *x_out);
void naive_dense_scores_float(size_t outputs, size_t count, const float *x, const float *weight, double *score_out);
void naive_dense_scores_double(size_t outputs, size_t count, const double *x, const double *weight, double *score_out);
void naive_descend_float(size_t count, double move, const float *x, double decay, double momentum, float *weight,
                         float *velocity);
void naive_descend_double(size_t count, double move, const double *x, double decay, double momentum, double *weight,
                          double *velocity); // velocity NULL: none

// Of learners/kernels_openblas.h, in double.
void naive_batch_scores(size_t records, size_t outputs, size_t size, const double *x, const double *weight, double *score_out);
void naive_batch_gradient(size_t records, size_t outputs, size_t size, const double *gradient, const double *x, double *out);

#endif
