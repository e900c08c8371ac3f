#include "learners/cholesky.h"

#include <math.h>

void rf_cholesky_factor(size_t n, const double *a, double pivot_min, double *factor_out) {
    for (size_t i = 0; i < n; i++) {
        double *row = factor_out + RF_TRIANGLE_SIZE(i);
        for (size_t j = 0; j <= i; j++) {
            const double *other = factor_out + RF_TRIANGLE_SIZE(j);
            double sum = a[RF_TRIANGLE_SIZE(i) + j];
            for (size_t k = 0; k < j; k++) {
                sum -= row[k] * other[k];
            }
            row[j] = j == i ? sqrt(fmax(sum, pivot_min)) : sum / other[j];
        }
    }
}

// Row i is turned by the rotations of the columns before it, one after the other; what is left of x[i] makes the next. So the
// triangle is walked in the order it stands in memory. The rotations' sines take the place of x.
void rf_cholesky_update(size_t n, double *factor, double *x, double *cosine) {
    for (size_t i = 0; i < n; i++) {
        double *row = factor + RF_TRIANGLE_SIZE(i);
        double rest = x[i];
        for (size_t k = 0; k < i; k++) {
            double old = row[k];
            row[k] = cosine[k] * old + x[k] * rest;
            rest = cosine[k] * rest - x[k] * old;
        }
        double radius = sqrt(row[i] * row[i] + rest * rest);
        radius = radius < row[i] ? row[i] : radius; // when the square of a small diagonal element rounds down
        cosine[i] = row[i] / radius;
        x[i] = rest / radius;
        row[i] = radius;
    }
}

void rf_cholesky_solve_lower(size_t n, const double *factor, double *x) {
    for (size_t i = 0; i < n; i++) {
        const double *row = factor + RF_TRIANGLE_SIZE(i);
        double sum = x[i];
        for (size_t k = 0; k < i; k++) {
            sum -= row[k] * x[k];
        }
        x[i] = sum / row[i];
    }
}

void rf_cholesky_solve_upper(size_t n, const double *factor, double *x) {
    for (size_t i = n; i-- > 0;) {
        const double *row = factor + RF_TRIANGLE_SIZE(i);
        x[i] /= row[i];
        for (size_t k = 0; k < i; k++) {
            x[k] -= row[k] * x[i];
        }
    }
}
