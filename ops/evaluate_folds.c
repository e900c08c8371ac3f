// Several runs over one source, each holding out another part of it.
#include "ops/evaluate.h"
#include "ops/printer.h"

#include <inttypes.h>
#include <math.h>

struct rf_spread rf_folds_spread(const struct rf_folds *folds, enum rf_figure_name name) {
    struct rf_spread spread = {0};
    double sum = 0, squares = 0;
    for (size_t i = 0; i < folds->count; i++) {
        const struct rf_figure *figure = &folds->list[i].list[name];
        if (folds->list[i].evaluated && figure->applies && isfinite(figure->value)) {
            sum += figure->value;
            spread.count++;
        }
    }
    spread.mean = spread.count ? sum / (double)spread.count : NAN;
    for (size_t i = 0; i < folds->count; i++) {
        const struct rf_figure *figure = &folds->list[i].list[name];
        if (folds->list[i].evaluated && figure->applies && isfinite(figure->value)) {
            squares += (figure->value - spread.mean) * (figure->value - spread.mean);
        }
    }
    spread.spread = spread.count > 1 ? sqrt(squares / (double)(spread.count - 1)) : NAN;
    return spread;
}

void rf_folds_json_line(const struct rf_figures *figures, size_t index, size_t of, FILE *to) {
    fprintf(to, "{\"fold\":%zu,\"folds\":%zu,\"records\":%" PRIu64, index + 1, of, figures->evaluated);
    rf_evaluate_json_figures(figures, to);
    fputs("}\n", to);
}

static void print_values(const struct rf_folds *folds, bool is_spread, FILE *to) {
    unsigned count = 0;
    fprintf(to, ",\"%s\":{", is_spread ? "spread" : "mean");
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        struct rf_spread spread = rf_folds_spread(folds, (enum rf_figure_name)i);
        double value = is_spread ? spread.spread : spread.mean;
        if (spread.count && isfinite(value)) {
            struct rf_printer number = {0};
            rf_printer_real(&number, value);
            fprintf(to, "%s\"%s\":%s", count++ ? "," : "", rf_figure_key((enum rf_figure_name)i),
                    number.text ? number.text : "null");
            rf_printer_finish(&number);
        }
    }
    fputc('}', to);
}

void rf_folds_json(const struct rf_folds *folds, const char *model, FILE *to) {
    struct rf_printer name = {0};
    rf_printer_quote(&name, model);
    fprintf(to, "{\"model\":%s,\"folds\":%zu", name.text ? name.text : "null", folds->count);
    rf_printer_finish(&name);
    print_values(folds, false, to);
    print_values(folds, true, to);
    fputs("}\n", to);
}

void rf_folds_table(const struct rf_folds *folds, FILE *to) {
    fprintf(to, "  %-15s %14s %14s %14s %14s\n", "held out", "mean", "spread", "least", "most");
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        struct rf_spread spread = rf_folds_spread(folds, (enum rf_figure_name)i);
        double least = INFINITY, most = -INFINITY;
        for (size_t k = 0; k < folds->count; k++) {
            bool applies = folds->list[k].evaluated && folds->list[k].list[i].applies;
            least = applies ? fmin(least, folds->list[k].list[i].value) : least;
            most = applies ? fmax(most, folds->list[k].list[i].value) : most;
        }
        if (spread.count) {
            fprintf(to, "  %-15s %14.6f %14.6f %14.6f %14.6f\n", rf_figure_title((enum rf_figure_name)i), spread.mean,
                    spread.spread, least, most);
        }
    }
}
