#include "ops/picture.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void make_curve(struct rf_curve *curve, size_t points) {
    rf_curve_init(curve, RF_FIGURE_log_loss, 16);
    for (size_t i = 1; i <= points; i++) {
        struct rf_figures figures = {.evaluated = 16 * i, .weight = 16 * (double)i};
        figures.list[RF_FIGURE_log_loss] =
                (struct rf_figure){.applies = true, .value = 1 / (double)i, .baseline = {NAN, 0.5, NAN}};
        rf_curve_add(curve, &figures);
    }
}

static char *script_of(const struct rf_curve *curve, const char *title, const char *path) {
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    rf_picture_script(curve, title, path, to);
    fclose(to);
    return text;
}

static void a_script_labels_axes_and_draws_the_baseline(void **state) {
    (void)state;
    struct rf_curve curve;
    make_curve(&curve, 3);
    char *script = script_of(&curve, "fraud", "out.svg");
    static const char *const parts[] = {"set terminal svg",
                                        "set output './out.svg'",
                                        "'fraud'",
                                        "set xlabel 'examples'",
                                        "set ylabel 'log loss'",
                                        "set xrange [0:48]",
                                        "$whole << END\n16 1\n32 0.5\n",
                                        "$majority << END\n16 0.5\n32 0.5\n48 0.5\nEND\n",
                                        "title 'majority'"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!strstr(script, parts[i])) {
            fail_msg("no %s in %s", parts[i], script);
        }
    }
    assert_null(strstr(script, "no_change")); // it has no log loss
    free(script);
}

static void a_path_or_title_is_never_a_command(void **state) {
    (void)state;
    struct rf_curve curve;
    make_curve(&curve, 3);
    char *script = script_of(&curve, "it's\n!touch x", "|touch 'x'.png");
    assert_non_null(strstr(script, "set output './|touch ''x''.png'\n"));
    assert_non_null(strstr(script, "'it''s !touch x'\n"));
    free(script);
}

static void what_cannot_be_drawn_is_refused_in_words(void **state) {
    (void)state;
    struct rf_error err;
    struct rf_curve curve;
    assert_int_equal(rf_picture_check("a.jpg", &err), RF_INVALID);
    assert_string_equal(err.text, "--picture is \"a.jpg\", must end in .png or .svg");
    assert_int_equal(rf_picture_check(".png", &err), RF_INVALID);
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nowhere:", 1);
    assert_int_equal(rf_picture_check("a.png", &err), RF_INVALID);
    assert_string_equal(err.text, "--picture needs gnuplot, which is not there; install it (Debian: gnuplot-nox)");
    make_curve(&curve, 3);
    assert_int_equal(rf_picture_draw(&curve, "x", "/tmp/a.png", &err), RF_IO);
    assert_string_equal(err.text, "--picture: cannot start gnuplot: No such file or directory");
    setenv("PATH", path, 1);
    free(path);
    make_curve(&curve, 1);
    assert_int_equal(rf_picture_draw(&curve, "x", "/tmp/a.png", &err), RF_INVALID);
    assert_string_equal(err.text, "--picture: there are 1 points to draw, must be at least 2 (16 examples each)");
}

static void gnuplot_draws_it(void **state) {
    (void)state;
    static const struct { const char *suffix, *start; } kinds[] = {{".png", "\x89PNG\r\n"}, {".svg", "<?xml"}};
    struct rf_error err;
    struct rf_curve curve;
    if (rf_picture_check("a.png", &err)) {
        print_message("gnuplot is not there\n");
        skip();
    }
    make_curve(&curve, 200);
    for (size_t i = 0; i < 2; i++) {
        char path[64], start[8] = "";
        snprintf(path, sizeof path, "/tmp/riffle-picture-%d'%s", (int)getpid(), kinds[i].suffix);
        assert_int_equal(rf_picture_draw(&curve, "it's", path, &err), RF_OK);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_int_equal(fread(start, 1, 7, file), 7);
        assert_int_equal(strncmp(start, kinds[i].start, strlen(kinds[i].start)), 0);
        fclose(file);
        unlink(path);
    }
    assert_int_equal(rf_picture_draw(&curve, "x", "/nowhere/a.png", &err), RF_IO);
    assert_string_equal(err.text, "--picture: gnuplot failed; it said why above");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_script_labels_axes_and_draws_the_baseline),
            cmocka_unit_test(a_path_or_title_is_never_a_command),
            cmocka_unit_test(what_cannot_be_drawn_is_refused_in_words),
            cmocka_unit_test(gnuplot_draws_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
