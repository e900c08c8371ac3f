#include "ops/metrics.h"
#include "tests/test.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *written(const struct rf_metrics *metrics) {
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    rf_metrics_write(metrics, "fraud \"a\"", to);
    fclose(to);
    return text;
}

static void metrics_are_named_by_the_rules_of_prometheus(void **state) {
    (void)state;
    for (unsigned i = 0; i < RF_METRIC_COUNT; i++) {
        const struct rf_metric_row *row = &rf_metric_rows[i];
        size_t size = strlen(row->name);
        for (const char *letter = row->name; *letter; letter++) {
            assert_true(islower(*letter) || *letter == '_');
        }
        bool ends_in_total = size > 6 && strcmp(row->name + size - 6, "_total") == 0;
        assert_int_equal(ends_in_total, row->type == RF_COUNTER);
        assert_true(strlen(row->help) > 10);
    }
}

static void metrics_are_written_with_their_labels(void **state) {
    (void)state;
    static struct rf_metrics metrics;
    rf_metrics_add(&metrics, RF_METRIC_records_total, 0, 40);
    rf_metrics_add(&metrics, RF_METRIC_records_total, 0, 2);
    unsigned label = rf_metrics_label(&metrics, RF_METRIC_rejected_total, 3, "type");
    rf_metrics_set(&metrics, RF_METRIC_rejected_total, label, 7);
    char *text = written(&metrics);
    assert_non_null(strstr(text, "# TYPE riffle_records_total counter\nriffle_records_total{model=\"fraud \\\"a\\\"\"} 42\n"));
    assert_non_null(strstr(text, "riffle_rejected_total{model=\"fraud \\\"a\\\"\",reason=\"type\"} 7\n"));
    assert_non_null(strstr(text, "# TYPE riffle_lag_records gauge\n"));
    free(text);
}

static void metrics_share_the_last_label_beyond_their_maximum(void **state) {
    (void)state;
    static struct rf_metrics metrics;
    unsigned label = rf_metrics_label(&metrics, RF_METRIC_sink_waits_total, 1000, "zeromq:x");
    assert_int_equal(label, RF_METRIC_LABELS_MAX - 1);
    char *text = written(&metrics);
    assert_non_null(strstr(text, "sink=\"others\""));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(metrics_are_named_by_the_rules_of_prometheus),
            cmocka_unit_test(metrics_are_written_with_their_labels),
            cmocka_unit_test(metrics_share_the_last_label_beyond_their_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
