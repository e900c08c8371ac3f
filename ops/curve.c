#include "ops/curve.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum rf_figure_name rf_curve_figure(enum rf_task task, bool is_margin) {
    return task == RF_TASK_REGRESSION ? RF_FIGURE_mae : is_margin ? RF_FIGURE_accuracy : RF_FIGURE_log_loss;
}

void rf_curve_init(struct rf_curve *curve, enum rf_figure_name figure) {
    *curve = (struct rf_curve){.figure = figure, .span = RF_CURVE_SPAN};
}

bool rf_curve_is_due(const struct rf_curve *curve, uint64_t evaluated) {
    return evaluated >= curve->evaluated + curve->span;
}

static void halve_line(struct rf_curve_line *line, size_t count) {
    for (size_t i = 0; i < count / 2; i++) {
        line->points[i] = (line->points[2 * i] + line->points[2 * i + 1]) / 2;
    }
}

static void halve(struct rf_curve *curve) {
    halve_line(&curve->figure_line, curve->count);
    halve_line(&curve->baseline_line, curve->count);
    curve->count /= 2;
    curve->span *= 2;
}

// The mean since the last point.
static double mean_since(struct rf_curve_line *line, double value, uint64_t evaluated, uint64_t before) {
    double total = value * (double)evaluated;
    double mean = (total - line->total) / (double)(evaluated - before);
    line->total = total;
    return mean;
}

void rf_curve_add(struct rf_curve *curve, const struct rf_figures *figures) {
    const struct rf_figure *figure = &figures->list[curve->figure];
    if (!figure->applies || figures->evaluated <= curve->evaluated) {
        return;
    }
    double mean = mean_since(&curve->figure_line, figure->value, figures->evaluated, curve->evaluated);
    double baseline = mean_since(&curve->baseline_line, figure->baseline, figures->evaluated, curve->evaluated);
    // A batch larger than the span fills several points with its mean.
    for (uint64_t left = figures->evaluated - curve->evaluated; left >= curve->span; left -= curve->span) {
        if (curve->count == RF_CURVE_POINTS) {
            halve(curve);
            if (left < curve->span) {
                break;
            }
        }
        curve->figure_line.points[curve->count] = mean;
        curve->baseline_line.points[curve->count++] = baseline;
    }
    curve->evaluated = figures->evaluated;
}

// The mean of the points that a column shows.
static double column_mean(const struct rf_curve_line *line, size_t count, unsigned column, unsigned width) {
    size_t from = column * count / width, end = (column + 1) * count / width;
    double sum = 0;
    end = end > from ? end : from + 1;
    for (size_t i = from; i < end; i++) {
        sum += line->points[i];
    }
    return sum / (double)(end - from);
}

static void widen(double value, double *low, double *high) {
    *low = fmin(*low, value); // NaN widens nothing
    *high = fmax(*high, value);
}

// Which line from the top a value lies on; `height` for none.
static unsigned line_of(double value, double low, double high, unsigned height) {
    return isnan(value) ? height : (unsigned)((high - value) / (high - low) * (double)(height - 1) + 0.5);
}

void rf_curve_plot(const struct rf_curve *curve, unsigned width, unsigned height, FILE *to) {
    if (curve->count < 2 || height < 2) {
        return;
    }
    double low = INFINITY, high = -INFINITY;
    for (unsigned column = 0; column < width; column++) {
        widen(column_mean(&curve->figure_line, curve->count, column, width), &low, &high);
        widen(column_mean(&curve->baseline_line, curve->count, column, width), &low, &high);
    }
    high = high > low ? high : low + 1e-9;
    fprintf(to, "  %s over the stream, a column for each %.0f examples (* Riffle, . without skill)\n",
            rf_figure_title(curve->figure), (double)curve->count * (double)curve->span / width);
    for (unsigned line = 0; line < height; line++) {
        fprintf(to, "  %8.5f |", high - (high - low) * line / (height - 1));
        for (unsigned column = 0; column < width; column++) {
            bool is_figure = line_of(column_mean(&curve->figure_line, curve->count, column, width), low, high, height) == line;
            bool is_baseline =
                    line_of(column_mean(&curve->baseline_line, curve->count, column, width), low, high, height) == line;
            fputc(is_figure ? '*' : is_baseline ? '.' : ' ', to);
        }
        fputc('\n', to);
    }
    fprintf(to, "           +");
    for (unsigned column = 0; column < width; column++) {
        fputc('-', to);
    }
    fprintf(to, "\n            0%*" PRIu64 " examples\n", (int)width - 1, curve->evaluated);
}
