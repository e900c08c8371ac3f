#ifndef RF_LEARNERS_CHOLESKY_H
#define RF_LEARNERS_CHOLESKY_H
// Lower Cholesky factors of symmetric positive definite matrices, L L' = A. A triangle is packed by rows: element (i, j),
// j <= i, is at i (i + 1) / 2 + j, so a matrix that gains a row and a column gains numbers at its end.
#include <stddef.h>

#define RF_TRIANGLE_SIZE(n) ((n) * ((n) + 1) / 2)

// The factor of A, by rows (Golub and Van Loan, Matrix Computations, 4.2). `a` and `factor_out` may be the same. A pivot
// below `pivot_min` > 0 is set to it: rounding cannot make the factor singular.
void rf_cholesky_factor(size_t n, const double *a, double pivot_min, double *factor_out);

// The factor of A + x x', in place, by plane rotations (Gill, Golub, Murray and Saunders, 1974, method C3; Seeger, 2004). No
// diagonal element shrinks. `x` [n] and `cosine` [n] are spoiled.
void rf_cholesky_update(size_t n, double *factor, double *x, double *cosine);

// x <- L^-1 x, and x <- L'^-1 x, in place.
void rf_cholesky_solve_lower(size_t n, const double *factor, double *x);
void rf_cholesky_solve_upper(size_t n, const double *factor, double *x);

#endif
