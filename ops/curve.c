#include "ops/curve.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum rf_figure_name rf_curve_figure(enum rf_task task, bool is_margin) {
    return task == RF_TASK_REGRESSION ? RF_FIGURE_mae : is_margin ? RF_FIGURE_accuracy : RF_FIGURE_log_loss;
}

void rf_curve_init(struct rf_curve *curve, enum rf_figure_name figure) {
    *curve = (struct rf_curve){.figure = figure, .span = RF_CURVE_SPAN, .baseline = NAN};
}

bool rf_curve_is_due(const struct rf_curve *curve, uint64_t evaluated) {
    return evaluated >= curve->evaluated + curve->span;
}

static void halve(struct rf_curve *curve) {
    for (size_t i = 0; i < curve->count / 2; i++) {
        curve->points[i] = (curve->points[2 * i] + curve->points[2 * i + 1]) / 2;
    }
    curve->count /= 2;
    curve->span *= 2;
}

void rf_curve_add(struct rf_curve *curve, const struct rf_figures *figures) {
    const struct rf_figure *figure = &figures->list[curve->figure];
    if (!figure->applies || figures->evaluated <= curve->evaluated) {
        return;
    }
    double total = figure->value * (double)figures->evaluated;
    double mean = (total - curve->total) / (double)(figures->evaluated - curve->evaluated);
    // A batch larger than the span fills several points with its mean.
    for (uint64_t left = figures->evaluated - curve->evaluated; left >= curve->span; left -= curve->span) {
        if (curve->count == RF_CURVE_POINTS) {
            halve(curve);
            if (left < curve->span) {
                break;
            }
        }
        curve->points[curve->count++] = mean;
    }
    curve->evaluated = figures->evaluated;
    curve->total = total;
    curve->baseline = figure->baseline;
}

static void range(const struct rf_curve *curve, double *low_out, double *high_out) {
    double low = curve->points[0], high = curve->points[0];
    for (size_t i = 1; i < curve->count; i++) {
        low = fmin(low, curve->points[i]);
        high = fmax(high, curve->points[i]);
    }
    if (!isnan(curve->baseline)) {
        low = fmin(low, curve->baseline);
        high = fmax(high, curve->baseline);
    }
    *low_out = low;
    *high_out = high > low ? high : low + 1e-9;
}

// Which line from the top a value lies on.
static unsigned line_of(double value, double low, double high, unsigned height) {
    double share = (high - value) / (high - low);
    return (unsigned)(share * (double)(height - 1) + 0.5);
}

void rf_curve_plot(const struct rf_curve *curve, unsigned width, unsigned height, FILE *to) {
    if (curve->count < 2 || height < 2) {
        return;
    }
    double low, high;
    range(curve, &low, &high);
    fprintf(to, "  %s over the stream (* Riffle, . without skill)\n", rf_figure_title(curve->figure));
    for (unsigned line = 0; line < height; line++) {
        fprintf(to, "  %8.5f |", high - (high - low) * line / (height - 1));
        for (unsigned column = 0; column < width; column++) {
            size_t from = column * curve->count / width, end = (column + 1) * curve->count / width;
            double sum = 0;
            end = end > from ? end : from + 1;
            for (size_t i = from; i < end; i++) {
                sum += curve->points[i];
            }
            bool is_baseline = !isnan(curve->baseline) && line_of(curve->baseline, low, high, height) == line;
            fputc(line_of(sum / (double)(end - from), low, high, height) == line ? '*' : is_baseline ? '.' : ' ', to);
        }
        fputc('\n', to);
    }
    fprintf(to, "           +");
    for (unsigned column = 0; column < width; column++) {
        fputc('-', to);
    }
    fprintf(to, "\n            0%*" PRIu64 " examples\n", (int)width - 1, curve->evaluated);
}
