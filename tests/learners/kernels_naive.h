#ifndef RF_TESTS_LEARNERS_KERNELS_NAIVE_H
#define RF_TESTS_LEARNERS_KERNELS_NAIVE_H
// What the kernels promise, element by element: the oracle for their bits.
#include <stddef.h>

double naive_dot(size_t count, const double *a, const double *b);
void naive_scores(size_t count, size_t outputs, const double *x, const double *weight, double *score_out);
double naive_largest(size_t count, const double *a);

#endif
