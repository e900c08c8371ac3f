#include "ops/progress.h"

#include "ops/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t now_ms(void) {
    return rf_clock_system()->monotonic_ms(rf_clock_system());
}

void rf_progress_init(struct rf_progress *progress, const char *model, bool is_shown, double log_seconds, struct rf_log *log,
                      uint64_t resumed) {
    *progress = (struct rf_progress){.model = model,
                                     .is_shown = is_shown,
                                     .every_ms = is_shown ? 500 : (int64_t)(log_seconds * 1000),
                                     .log = log,
                                     .told_ms = now_ms(),
                                     .told_records = resumed};
}

// What fits a line: the figure that tells most, then two or three more, each over all records and over the last ones. The first
// has beside it what the best predictor without skill gets.
static bool is_shown(const struct rf_figures *figures, enum rf_figure_name name) {
    static const enum rf_figure_name shown[] = {RF_FIGURE_log_loss, RF_FIGURE_accuracy, RF_FIGURE_auc, RF_FIGURE_mae,
                                                RF_FIGURE_rmse};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (shown[i] == name) {
            return figures->list[name].applies;
        }
    }
    return false;
}

static void show_head(const struct rf_figures *figures) {
    bool is_first = true;
    printf("%12s %12s", "records", "a second");
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        if (is_shown(figures, (enum rf_figure_name)i)) {
            printf(" %10s %10s%s", rf_figure_title((enum rf_figure_name)i), "(window)", is_first ? " (no skill)" : "");
            is_first = false;
        }
    }
    printf(" %10s\n", "lag");
}

static void show(const struct rf_worker_report *report, double rate) {
    const struct rf_figures *figures = &report->figures;
    bool is_first = true;
    printf("%12" PRIu64 " %12.0f", report->counts.records, rate);
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        if (!is_shown(figures, (enum rf_figure_name)i)) {
            continue;
        }
        printf(" %10.5f", figures->list[i].value);
        if (report->window.list[i].applies) {
            printf(" %10.5f", report->window.list[i].value);
        } else {
            printf(" %10s", "");
        }
        if (is_first) {
            printf(" %10.5f", rf_figure_best_baseline(figures, (enum rf_figure_name)i));
        }
        is_first = false;
    }
    printf(" %10" PRId64 "\n", report->lag);
    fflush(stdout);
}

static void log_line(struct rf_progress *progress, const struct rf_worker_report *report, double rate) {
    const struct rf_figures *figures = &report->figures;
    const struct rf_figure *first = figures->list;
    enum rf_figure_name name = RF_FIGURE_log_loss;
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        if (figures->list[i].applies) {
            first = &figures->list[i];
            name = (enum rf_figure_name)i;
            break;
        }
    }
    rf_log(progress->log, RF_LOG_INFO, "progress", rf_log_text("model", progress->model),
           rf_log_uint("records", report->counts.records), rf_log_uint("learned", report->counts.learned),
           rf_log_uint("rejected", report->counts.rejected), rf_log_real("records_per_second", (double)(int64_t)rate),
           rf_log_int("lag", report->lag),
           figures->evaluated ? rf_log_real(rf_figure_key(name), first->value) : (struct rf_log_field){0},
           report->window.evaluated ? rf_log_real("window", report->window.list[name].value) : (struct rf_log_field){0});
}

void rf_progress_tell(struct rf_progress *progress, const struct rf_worker_report *report) {
    int64_t now = now_ms();
    int64_t passed = now - progress->told_ms;
    if (!progress->every_ms || passed < progress->every_ms || report->counts.records == progress->told_records) {
        return;
    }
    double rate = (double)(report->counts.records - progress->told_records) * 1000 / (double)passed;
    if (progress->is_shown && !progress->has_head) {
        show_head(&report->figures);
        progress->has_head = true;
    }
    if (progress->is_shown) {
        show(report, rate);
    } else {
        log_line(progress, report, rate);
    }
    progress->told_ms = now;
    progress->told_records = report->counts.records;
}
