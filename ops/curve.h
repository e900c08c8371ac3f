#ifndef RF_OPS_CURVE_H
#define RF_OPS_CURVE_H
#include "learners/evaluation.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// How a figure moved over the stream, in bounded memory: means over spans of equal numbers of examples; when the points are
// used up, neighbours are joined and the span doubles.
enum { RF_CURVE_POINTS = 256, RF_CURVE_SPAN = 256 };

struct rf_curve_line {
    double total;                   // figure * weight at the last point
    double points[RF_CURVE_POINTS]; // NaN where there is none
};

struct rf_curve {
    enum rf_figure_name figure;
    uint64_t span;      // examples a point
    uint64_t evaluated; // at the last point
    double weight;      // at the last point
    size_t count;       // points
    struct rf_curve_line figure_line, baseline_line[RF_BASELINE_COUNT];
    double whole[RF_CURVE_POINTS]; // the figure of all up to the end of each span
};

// The figure that tells most about a task and is a mean over examples.
enum rf_figure_name rf_curve_figure(enum rf_task task, bool is_margin);

void rf_curve_init(struct rf_curve *curve, enum rf_figure_name figure, uint64_t span);

// Is a point due? Cheap; ask before making the figures (quick ones will do).
bool rf_curve_is_due(const struct rf_curve *curve, uint64_t evaluated);

// The figure must be a mean over examples (log loss, accuracy, MAE).
void rf_curve_add(struct rf_curve *curve, const struct rf_figures *figures);

// Whether the baseline has points.
bool rf_curve_has_baseline(const struct rf_curve *curve, enum rf_baseline_name name);

// Draws it in text, `width` x `height` characters and a frame; dots are what the best predictor without skill gets on the same
// spans.
void rf_curve_plot(const struct rf_curve *curve, unsigned width, unsigned height, FILE *to);

// As CSV, a line a span: the examples up to its end, the figure over the span, over all up to there, and the baselines over
// the span.
void rf_curve_csv(const struct rf_curve *curve, FILE *to);

#endif
