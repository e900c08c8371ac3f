// What a run came to, for scripts and for people.
#include "ops/evaluate.h"

#include "ops/printer.h"

#include <inttypes.h>
#include <math.h>

enum { CONFUSION_SHOWN_MAX = 10 }; // classes of a matrix that is shown to people

void rf_result_take(struct rf_result *result, struct rf_pipeline *pipeline) {
    struct rf_evaluation *evaluation = rf_pipeline_evaluation(pipeline);
    uint32_t names;
    rf_evaluation_figures(evaluation, &result->figures);
    rf_evaluation_window_figures(evaluation, &result->window);
    if (rf_pipeline_holdout(pipeline)) {
        rf_evaluation_figures(rf_pipeline_holdout(pipeline), &result->holdout);
    }
    if (rf_pipeline_test(pipeline)) {
        rf_evaluation_figures(rf_pipeline_test(pipeline), &result->test);
    }
    result->confusion = rf_evaluation_confusion(evaluation, false, &result->classes);
    result->class_names = rf_schema_classes(rf_pipeline_schema(pipeline), &names);
    result->class_names = names == result->classes ? result->class_names : NULL;
}

static double rate_of(const struct rf_result *result) {
    return result->seconds > 0 ? (double)(result->counts.records - result->resumed) / result->seconds : 0;
}

static void print_real(FILE *to, const char *key, double value, const char *before) {
    struct rf_printer number = {0};
    rf_printer_real(&number, value);
    fprintf(to, "%s\"%s\":%s", before, key, number.text ? number.text : "null");
    rf_printer_finish(&number);
}

static bool is_told(const struct rf_figures *figures, unsigned name) {
    return figures->evaluated && figures->list[name].applies && isfinite(figures->list[name].value);
}

void rf_evaluate_json_figures(const struct rf_figures *figures, FILE *to) {
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        if (is_told(figures, i)) {
            print_real(to, rf_figure_key((enum rf_figure_name)i), figures->list[i].value, ",");
        }
    }
}

// The figures of one baseline, as members of an object; how many there are.
static unsigned print_baseline(const struct rf_figures *figures, unsigned k, const char *before, FILE *to) {
    unsigned told = 0;
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        double value = figures->list[i].baseline[k];
        if (!is_told(figures, i) || !isfinite(value)) {
            continue;
        }
        if (!told) {
            fprintf(to, "%s\"%s\":{", before, rf_baseline_key((enum rf_baseline_name)k));
        }
        print_real(to, rf_figure_key((enum rf_figure_name)i), value, told++ ? "," : "");
    }
    fputs(told ? "}" : "", to);
    return told;
}

static void print_baselines(const struct rf_figures *figures, FILE *to) {
    unsigned told = 0;
    fputs(",\"baselines\":{", to);
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        told += print_baseline(figures, k, told ? "," : "", to);
    }
    fputc('}', to);
}

static void print_errors(const struct rf_figures *figures, FILE *to) {
    unsigned count = 0;
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        if (is_told(figures, i) && figures->list[i].error > 0) {
            print_real(to, rf_figure_key((enum rf_figure_name)i), figures->list[i].error, count++ ? "," : ",\"errors\":{");
        }
    }
    fputs(count ? "}" : "", to);
}

static void print_confusion(const struct rf_result *result, FILE *to) {
    for (uint32_t row = 0; row < result->classes; row++) {
        fputs(row ? "],[" : ",\"confusion\":[[", to);
        for (uint32_t column = 0; column < result->classes; column++) {
            struct rf_printer number = {0};
            rf_printer_real(&number, result->confusion[row * result->classes + column]);
            fprintf(to, "%s%s", column ? "," : "", number.text ? number.text : "null");
            rf_printer_finish(&number);
        }
    }
    fputs("]]", to);
}

static void print_part(const char *key, const struct rf_figures *figures, FILE *to) {
    if (figures->evaluated) {
        fprintf(to, ",\"%s\":{\"records\":%" PRIu64, key, figures->evaluated);
        rf_evaluate_json_figures(figures, to);
        fputc('}', to);
    }
}

static void print_rejected(const struct rf_pipeline_counts *counts, FILE *to) {
    unsigned count = 0;
    for (unsigned reason = 0; reason < RF_REASON_COUNT; reason++) {
        if (counts->rejected_by[reason]) {
            fprintf(to, "%s\"%s\":%" PRIu64, count++ ? "," : ",\"rejected_by\":{", rf_reason_word((enum rf_reason)reason),
                    counts->rejected_by[reason]);
        }
    }
    fputs(count ? "}" : "", to);
}

struct rf_left_out rf_left_out_of(const struct rf_learner *learner) {
    return (struct rf_left_out){learner->skipped_steps, learner->unscaled, learner->uncrossed, learner->unencoded};
}

enum { LEFT_OUT_COUNT = 4 };
struct rf_collision_shares rf_collisions_of(const struct rf_learner *learner) {
    return learner->collisions ? rf_collisions_shares(learner->collisions) : (struct rf_collision_shares){0};
}

static void print_collisions(const struct rf_collision_shares *collisions, FILE *to) {
    if (collisions->sampled) {
        fprintf(to, ",\"collisions\":{\"inputs\":%.6f,\"rows_used\":%.6f}", collisions->inputs, collisions->rows_used);
    }
}

static const char *const left_out_names[LEFT_OUT_COUNT] = {"records", "numbers", "crosses", "categories"};

static uint64_t left_out_at(const struct rf_left_out *left_out, unsigned i) {
    const uint64_t list[LEFT_OUT_COUNT] = {left_out->records, left_out->numbers, left_out->crosses, left_out->categories};
    return list[i];
}

static void print_left_out(const struct rf_left_out *left_out, FILE *to) {
    unsigned count = 0;
    for (unsigned i = 0; i < LEFT_OUT_COUNT; i++) {
        uint64_t times = left_out_at(left_out, i);
        if (times) {
            fprintf(to, "%s\"%s\":%" PRIu64, count++ ? "," : ",\"left_out\":{", left_out_names[i], times);
        }
    }
    fputs(count ? "}" : "", to);
}

void rf_evaluate_json(const struct rf_result *result, FILE *to) {
    char digest[RF_SHA256_TEXT_SIZE];
    const struct rf_pipeline_counts *counts = &result->counts;
    rf_sha256_text(result->model_sha256, digest);
    struct rf_printer name = {0};
    rf_printer_quote(&name, result->model);
    fprintf(to,
            "{\"model\":%s,\"records\":%" PRIu64 ",\"learned\":%" PRIu64 ",\"rejected\":%" PRIu64
            ",\"seconds\":%.3f,\"records_per_second\":%.0f",
            name.text ? name.text : "null", counts->records, counts->learned, counts->rejected, result->seconds, rate_of(result));
    rf_printer_finish(&name);
    rf_evaluate_json_figures(&result->figures, to);
    if (result->figures.evaluated) {
        print_baselines(&result->figures, to);
        print_errors(&result->figures, to);
    }
    if (result->figures.evaluated && result->confusion) {
        print_confusion(result, to);
    }
    print_part("window", &result->window, to);
    print_part("holdout", &result->holdout, to);
    print_part("test", &result->test, to);
    print_rejected(counts, to);
    print_left_out(&result->left_out, to);
    print_collisions(&result->collisions, to);
    fprintf(to, ",\"model_sha256\":\"%s\"}\n", digest);
}

// The table.

enum { TITLE_WIDTH = 15, CELL_WIDTH = 14 };

static void print_cell(FILE *to, double value) {
    if (isfinite(value)) {
        fprintf(to, " %*.6f", CELL_WIDTH, value);
    } else {
        fprintf(to, " %*s", CELL_WIDTH, "");
    }
}

static bool has_baseline(const struct rf_figures *figures, unsigned k) {
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        if (is_told(figures, i) && !isnan(figures->list[i].baseline[k])) {
            return true;
        }
    }
    return false;
}

// Columns: Riffle over all, over the last records, over those held out and those of the test file, where there are any; then
// the predictors without skill.
static void print_figures(const struct rf_result *result, FILE *to) {
    const struct rf_figures *parts[] = {&result->window, &result->holdout, &result->test};
    char last[32];
    snprintf(last, sizeof last, "last %" PRIu64, result->window.evaluated);
    const char *const titles[] = {last, "held out", "test"};
    fprintf(to, "  %-*s %*s", TITLE_WIDTH, "", CELL_WIDTH, "Riffle");
    for (unsigned p = 0; p < 3; p++) {
        if (parts[p]->evaluated) {
            fprintf(to, " %*s", CELL_WIDTH, titles[p]);
        }
    }
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        if (has_baseline(&result->figures, k)) {
            fprintf(to, " %*s", CELL_WIDTH, rf_baseline_title((enum rf_baseline_name)k));
        }
    }
    fputc('\n', to);
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        if (!is_told(&result->figures, i)) {
            continue;
        }
        fprintf(to, "  %-*s", TITLE_WIDTH, rf_figure_title((enum rf_figure_name)i));
        print_cell(to, result->figures.list[i].value);
        for (unsigned p = 0; p < 3; p++) {
            if (parts[p]->evaluated) {
                print_cell(to, is_told(parts[p], i) ? parts[p]->list[i].value : NAN);
            }
        }
        for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
            if (has_baseline(&result->figures, k)) {
                print_cell(to, result->figures.list[i].baseline[k]);
            }
        }
        fputc('\n', to);
    }
}

static void show_class(const struct rf_result *result, uint32_t class, int width, FILE *to) {
    if (result->class_names) {
        fprintf(to, " %*.*s", width, width > 0 ? width : -width, result->class_names[class]);
    } else {
        fprintf(to, " %*" PRIu32, width, class);
    }
}

static void show_confusion(const struct rf_result *result, FILE *to) {
    fprintf(to, "\n  weight of each class, by the class predicted\n  %-*s", TITLE_WIDTH, "");
    for (uint32_t k = 0; k < result->classes; k++) {
        show_class(result, k, CELL_WIDTH, to);
    }
    for (uint32_t row = 0; row < result->classes; row++) {
        fputs("\n ", to);
        show_class(result, row, -TITLE_WIDTH, to);
        for (uint32_t k = 0; k < result->classes; k++) {
            fprintf(to, " %*.12g", CELL_WIDTH, result->confusion[row * result->classes + k]);
        }
    }
    fputs("\n\n", to);
}

void rf_evaluate_table(const struct rf_result *result, FILE *to) {
    char digest[RF_SHA256_TEXT_SIZE];
    const struct rf_pipeline_counts *counts = &result->counts;
    rf_sha256_text(result->model_sha256, digest);
    print_figures(result, to);
    if (result->figures.evaluated && result->confusion && result->classes <= CONFUSION_SHOWN_MAX) {
        show_confusion(result, to);
    }
    fprintf(to, "  %-15s %14" PRIu64 "\n  %-15s %14" PRIu64 "\n", "records", counts->records, "learned", counts->learned);
    if (result->holdout.evaluated) {
        fprintf(to, "  %-15s %14" PRIu64 "\n", "held out", result->holdout.evaluated);
    }
    if (result->test.evaluated) {
        fprintf(to, "  %-15s %14" PRIu64 "\n", "tested", result->test.evaluated);
    }
    fprintf(to, "  %-15s %14" PRIu64 "\n", "rejected", counts->rejected);
    for (unsigned reason = 0; reason < RF_REASON_COUNT; reason++) {
        if (counts->rejected_by[reason]) {
            fprintf(to, "    %-13s %14" PRIu64 "\n", rf_reason_word((enum rf_reason)reason), counts->rejected_by[reason]);
        }
    }
    for (unsigned i = 0; i < LEFT_OUT_COUNT; i++) {
        uint64_t times = left_out_at(&result->left_out, i);
        if (times) {
            fprintf(to, "  %-15s %14" PRIu64 " %s\n", "left out", times, left_out_names[i]);
        }
    }
    if (result->collisions.sampled) {
        fprintf(to, "  %-15s %13.3f%% of inputs, in rows of which %.3f%% are used\n", "collisions",
                100 * result->collisions.inputs, 100 * result->collisions.rows_used);
    }
    fprintf(to, "  %-15s %14.3f\n  %-15s %14.0f a second\n  %-15s %s\n", "seconds", result->seconds, "rate", rate_of(result),
            "model", digest);
}

void rf_evaluate_warn(const struct rf_result *result, const char *prefix, const char *last_reject, FILE *to) {
    uint64_t accepted = result->counts.records - result->counts.rejected;
    if (*last_reject) {
        fprintf(to, "%s%" PRIu64 " of %" PRIu64 " records were rejected, the last one %s\n", prefix, result->counts.rejected,
                result->counts.records, last_reject);
    }
    if (accepted && !result->counts.learned && result->left_out.records) {
        fprintf(to,
                "%snothing was learned: the steps of %" PRIu64
                " records were absurd, or their labels none of the task; are label and weight the right fields?\n",
                prefix, result->left_out.records);
    } else if (accepted && !result->counts.learned) {
        fprintf(to, "%snothing was learned: none of %" PRIu64 " records had a label; does features.label name the right field?\n",
                prefix, accepted);
    }
}
