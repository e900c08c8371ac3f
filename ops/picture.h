#ifndef RF_OPS_PICTURE_H
#define RF_OPS_PICTURE_H
#include "ops/curve.h"

// The curve as a picture, drawn by gnuplot: a child process that reads its script from standard input, without a shell.

// Before a long run: RF_INVALID, in words, when the path ends in neither .png nor .svg, or when gnuplot is not there.
enum rf_status rf_picture_check(const char *path, struct rf_error *err) RF_MUST_USE;

// Waits for gnuplot, which says on standard error what it did not like.
enum rf_status rf_picture_draw(const struct rf_curve *curve, const char *title, const char *path,
                               struct rf_error *err) RF_MUST_USE;

// The script alone, for rf_picture_draw() and its tests.
void rf_picture_script(const struct rf_curve *curve, const char *title, const char *path, FILE *to);

#endif
