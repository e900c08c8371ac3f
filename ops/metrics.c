#include "ops/metrics.h"

#include <inttypes.h>

const struct rf_metric_row rf_metric_rows[RF_METRIC_COUNT] = {
#define RF_METRIC_ENTRY(name, type, label, help) {#name, type, label, help},
        RF_METRIC_LIST(RF_METRIC_ENTRY)
#undef RF_METRIC_ENTRY
};

unsigned rf_metrics_label(struct rf_metrics *metrics, enum rf_metric metric, unsigned index, const char *text) {
    unsigned label = index < RF_METRIC_LABELS_MAX ? index : RF_METRIC_LABELS_MAX - 1;
    metrics->label[metric][label] = label == index ? text : "others";
    return label;
}

static void write_label(const char *text, FILE *to) {
    for (; *text; text++) {
        switch (*text) {
        case '\\':
            fputs("\\\\", to);
            break;
        case '"':
            fputs("\\\"", to);
            break;
        case '\n':
            fputs("\\n", to);
            break;
        default:
            fputc(*text, to);
        }
    }
}

static void write_value(const struct rf_metrics *metrics, unsigned metric, unsigned label, const char *model, FILE *to) {
    const struct rf_metric_row *row = &rf_metric_rows[metric];
    fprintf(to, "riffle_%s{model=\"", row->name);
    write_label(model, to);
    if (*row->label) {
        fprintf(to, "\",%s=\"", row->label);
        write_label(metrics->label[metric][label], to);
    }
    fprintf(to, "\"} %" PRId64 "\n", rf_metrics_get(metrics, metric, label));
}

void rf_metrics_write(const struct rf_metrics *metrics, const char *model, FILE *to) {
    for (unsigned metric = 0; metric < RF_METRIC_COUNT; metric++) {
        const struct rf_metric_row *row = &rf_metric_rows[metric];
        fprintf(to, "# HELP riffle_%s %s\n# TYPE riffle_%s %s\n", row->name, row->help, row->name,
                row->type == RF_COUNTER ? "counter" : "gauge");
        for (unsigned label = 0; label < RF_METRIC_LABELS_MAX; label++) {
            if (*row->label ? metrics->label[metric][label] != NULL : label == 0) {
                write_value(metrics, metric, label, model, to);
            }
        }
    }
}
