#include "ops/curve.h"

#include "ops/printer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum rf_figure_name rf_curve_figure(enum rf_task task, bool is_margin) {
    return task == RF_TASK_REGRESSION ? RF_FIGURE_mae : is_margin ? RF_FIGURE_accuracy : RF_FIGURE_log_loss;
}

void rf_curve_init(struct rf_curve *curve, enum rf_figure_name figure, uint64_t span) {
    *curve = (struct rf_curve){.figure = figure, .span = span};
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
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        halve_line(&curve->baseline_line[k], curve->count);
    }
    for (size_t i = 0; i < curve->count / 2; i++) {
        curve->whole[i] = curve->whole[2 * i + 1];
    }
    curve->count /= 2;
    curve->span *= 2;
}

// The mean since the last point.
static double mean_since(struct rf_curve_line *line, double value, double weight, double before) {
    double total = value * weight;
    double mean = (total - line->total) / (weight - before);
    line->total = total;
    return mean;
}

void rf_curve_add(struct rf_curve *curve, const struct rf_figures *figures) {
    const struct rf_figure *figure = &figures->list[curve->figure];
    if (!figure->applies || figures->evaluated <= curve->evaluated) {
        return;
    }
    double mean = mean_since(&curve->figure_line, figure->value, figures->weight, curve->weight), baseline[RF_BASELINE_COUNT];
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        baseline[k] = mean_since(&curve->baseline_line[k], figure->baseline[k], figures->weight, curve->weight);
    }
    // A batch larger than the span fills several points with its mean.
    for (uint64_t left = figures->evaluated - curve->evaluated; left >= curve->span; left -= curve->span) {
        if (curve->count == RF_CURVE_POINTS) {
            halve(curve);
            if (left < curve->span) {
                break;
            }
        }
        curve->figure_line.points[curve->count] = mean;
        for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
            curve->baseline_line[k].points[curve->count] = baseline[k];
        }
        curve->whole[curve->count++] = figure->value;
    }
    curve->evaluated = figures->evaluated;
    curve->weight = figures->weight;
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

bool rf_curve_has_baseline(const struct rf_curve *curve, enum rf_baseline_name name) {
    return curve->count > 0 && !isnan(curve->baseline_line[name].points[0]);
}

// The baseline that did best over all.
static const struct rf_curve_line *best_baseline(const struct rf_curve *curve) {
    struct rf_figures figures = {0};
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        figures.list[curve->figure].baseline[k] = curve->baseline_line[k].total;
    }
    double best = rf_figure_best_baseline(&figures, curve->figure);
    unsigned which = 0;
    while (which + 1 < RF_BASELINE_COUNT && curve->baseline_line[which].total != best) {
        which++;
    }
    return &curve->baseline_line[which];
}

void rf_curve_plot(const struct rf_curve *curve, unsigned width, unsigned height, FILE *to) {
    if (curve->count < 2 || height < 2) {
        return;
    }
    const struct rf_curve_line *baseline = best_baseline(curve);
    double low = INFINITY, high = -INFINITY;
    for (unsigned column = 0; column < width; column++) {
        widen(column_mean(&curve->figure_line, curve->count, column, width), &low, &high);
        widen(column_mean(baseline, curve->count, column, width), &low, &high);
    }
    high = high > low ? high : low + 1e-9;
    fprintf(to, "  %s over the stream, a column for each %.0f examples (* Riffle, . without skill)\n",
            rf_figure_title(curve->figure), (double)curve->count * (double)curve->span / width);
    for (unsigned line = 0; line < height; line++) {
        fprintf(to, "  %8.5f |", high - (high - low) * line / (height - 1));
        for (unsigned column = 0; column < width; column++) {
            bool is_figure = line_of(column_mean(&curve->figure_line, curve->count, column, width), low, high, height) == line;
            bool is_baseline = line_of(column_mean(baseline, curve->count, column, width), low, high, height) == line;
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

static void add_cell(struct rf_printer *line, double value) {
    rf_printer_add(line, ",");
    if (isfinite(value)) {
        rf_printer_real(line, value);
    }
}

void rf_curve_csv(const struct rf_curve *curve, FILE *to) {
    const char *key = rf_figure_key(curve->figure);
    fprintf(to, "examples,%s,%s_of_all", key, key);
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        if (rf_curve_has_baseline(curve, (enum rf_baseline_name)k)) {
            fprintf(to, ",%s", rf_baseline_key((enum rf_baseline_name)k));
        }
    }
    for (size_t i = 0; i < curve->count; i++) {
        struct rf_printer line = {0};
        rf_printer_format(&line, "%" PRIu64, (uint64_t)(i + 1) * curve->span);
        add_cell(&line, curve->figure_line.points[i]);
        add_cell(&line, curve->whole[i]);
        for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
            if (rf_curve_has_baseline(curve, (enum rf_baseline_name)k)) {
                add_cell(&line, curve->baseline_line[k].points[i]);
            }
        }
        fprintf(to, "\n%s", line.text ? line.text : "");
        rf_printer_finish(&line);
    }
    fputc('\n', to);
}
