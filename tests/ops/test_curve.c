#include "ops/curve.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct rf_figures figures_at(uint64_t evaluated, double log_loss) {
    struct rf_figures figures = {.evaluated = evaluated, .weight = (double)evaluated};
    figures.list[RF_FIGURE_log_loss] = (struct rf_figure){.applies = true, .value = log_loss, .baseline = {NAN, 0.5, NAN}};
    return figures;
}

static void curve_shows_means_of_spans_not_of_the_whole(void **state) {
    (void)state;
    struct rf_curve curve;
    rf_curve_init(&curve, RF_FIGURE_log_loss, RF_CURVE_SPAN);
    assert_false(rf_curve_is_due(&curve, RF_CURVE_SPAN - 1));
    assert_true(rf_curve_is_due(&curve, RF_CURVE_SPAN));
    struct rf_figures figures = figures_at(RF_CURVE_SPAN, 1.0);
    rf_curve_add(&curve, &figures);
    figures = figures_at(2 * RF_CURVE_SPAN, 0.6); // so the second half had 0.2
    rf_curve_add(&curve, &figures);
    assert_int_equal(curve.count, 2);
    assert_true(fabs(curve.figure_line.points[0] - 1.0) < 1e-12);
    assert_true(fabs(curve.figure_line.points[1] - 0.2) < 1e-12);
}

static void curve_stays_bounded_and_keeps_its_shape(void **state) {
    (void)state;
    struct rf_curve curve;
    rf_curve_init(&curve, RF_FIGURE_log_loss, RF_CURVE_SPAN);
    double total = 0;
    uint64_t evaluated = 0;
    for (int i = 0; i < 100000; i++) { // falls from 1 to 0 in a line
        evaluated += 100;
        total += 100 * (1 - (double)i / 100000);
        if (rf_curve_is_due(&curve, evaluated)) {
            struct rf_figures figures = figures_at(evaluated, total / (double)evaluated);
            rf_curve_add(&curve, &figures);
        }
    }
    assert_in_range(curve.count, RF_CURVE_POINTS / 2, RF_CURVE_POINTS);
    for (size_t i = 1; i < curve.count; i++) {
        assert_true(curve.figure_line.points[i] < curve.figure_line.points[i - 1] + 0.01);
    }
    assert_true(curve.figure_line.points[0] > 0.95 && curve.figure_line.points[curve.count - 1] < 0.1);
}

static void curve_is_drawn_in_the_size_asked_for(void **state) {
    (void)state;
    struct rf_curve curve;
    rf_curve_init(&curve, RF_FIGURE_log_loss, RF_CURVE_SPAN);
    for (uint64_t i = 1; i <= 40; i++) {
        struct rf_figures figures = figures_at(i * RF_CURVE_SPAN, 1.0 / (double)i);
        rf_curve_add(&curve, &figures);
    }
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    rf_curve_plot(&curve, 40, 8, to);
    fclose(to);
    size_t lines = 0;
    for (const char *letter = text; *letter; letter++) {
        lines += *letter == '\n';
    }
    assert_int_equal(lines, 1 + 8 + 2);
    assert_non_null(strchr(text, '*'));
    assert_non_null(strstr(text, "10240 examples"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(curve_shows_means_of_spans_not_of_the_whole),
            cmocka_unit_test(curve_stays_bounded_and_keeps_its_shape),
            cmocka_unit_test(curve_is_drawn_in_the_size_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
