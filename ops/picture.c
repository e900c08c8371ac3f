#include "ops/picture.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool ends_in(const char *path, const char *suffix) {
    size_t size = strlen(path), length = strlen(suffix);
    return size > length && strcmp(path + size - length, suffix) == 0;
}

static bool is_in_path(const char *program) {
    const char *folders = getenv("PATH");
    while (folders && *folders) {
        size_t size = strcspn(folders, ":");
        char path[4096];
        int written = snprintf(path, sizeof path, "%.*s/%s", (int)size, folders, program);
        if (written > 0 && (size_t)written < sizeof path && access(path, X_OK) == 0) {
            return true;
        }
        folders += size + (folders[size] == ':');
    }
    return false;
}

enum rf_status rf_picture_check(const char *path, struct rf_error *err) {
    if (!ends_in(path, ".png") && !ends_in(path, ".svg")) {
        return rf_fail(err, RF_INVALID, "--picture is \"%.200s\", must end in .png or .svg", path);
    }
    if (!is_in_path("gnuplot")) {
        return rf_fail(err, RF_INVALID, "--picture needs gnuplot, which is not there; install it (Debian: gnuplot-nox)");
    }
    return RF_OK;
}

// In single quotes gnuplot takes every character as it is, but for the quote, which is doubled.
static void quote(const char *text, FILE *to) {
    fputc('\'', to);
    for (; *text; text++) {
        if (*text == '\'') {
            fputc('\'', to);
        }
        fputc(*text == '\n' ? ' ' : *text, to);
    }
    fputc('\'', to);
}

static void put_points(const char *name, const struct rf_curve *curve, const double *points, FILE *to) {
    fprintf(to, "$%s << END\n", name);
    for (size_t i = 0; i < curve->count; i++) {
        if (isfinite(points[i])) {
            fprintf(to, "%" PRIu64 " %.17g\n", (uint64_t)(i + 1) * curve->span, points[i]);
        }
    }
    fputs("END\n", to);
}

void rf_picture_script(const struct rf_curve *curve, const char *title, const char *path, FILE *to) {
    static const char *const styles[RF_BASELINE_COUNT] = {"lc rgb '#b2182b' lw 2 dt 3", "lc rgb '#333333' lw 2 dt 2",
                                                          "lc rgb '#333333' lw 2 dt 2"};
    bool is_svg = ends_in(path, ".svg");
    uint64_t end = curve->count * curve->span;
    fprintf(to, "set terminal %s size 960,540 %s\n", is_svg ? "svg" : "pngcairo",
            is_svg ? "noenhanced font 'sans,14' background 'white'" : "noenhanced font 'sans,12'");
    char safe[4200]; // a path that begins with a bar would be a command
    snprintf(safe, sizeof safe, "%s%s", path[0] == '/' ? "" : "./", path);
    fputs("set output ", to);
    quote(safe, to);
    fprintf(to, "\nset title '%s of ' . ", rf_figure_title(curve->figure));
    quote(title, to);
    fprintf(to, "\nset xlabel 'examples'\nset ylabel '%s'\n", rf_figure_title(curve->figure));
    fprintf(to,
            "set key bmargin center horizontal Left reverse samplen 3\nset bmargin 5\nset grid lc rgb '#dddddd'\nset border "
            "3\nset tics nomirror\n"
            "set xrange [0:%" PRIu64 "]\nset format x '%s'\n",
            end, end < 10000 ? "%g" : "%.1s%c");
    put_points("spans", curve, curve->figure_line.points, to);
    put_points("whole", curve, curve->whole, to);
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        if (rf_curve_has_baseline(curve, (enum rf_baseline_name)k)) {
            put_points(rf_baseline_key((enum rf_baseline_name)k), curve, curve->baseline_line[k].points, to);
        }
    }
    fputs("plot ", to);
    for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
        if (rf_curve_has_baseline(curve, (enum rf_baseline_name)k)) {
            fprintf(to, "$%s with lines %s title '%s', ", rf_baseline_key((enum rf_baseline_name)k), styles[k],
                    rf_baseline_title((enum rf_baseline_name)k));
        }
    }
    fprintf(to,
            "$spans with lines lc rgb '#2166ac' lw 1 title 'each %" PRIu64
            " examples', $whole with lines lc rgb '#053061' lw 3 title 'all so far'\n",
            curve->span);
}

static enum rf_status run_gnuplot(FILE *script, struct rf_error *err) {
    posix_spawn_file_actions_t actions;
    char program[] = "gnuplot";
    char *const arguments[] = {program, NULL};
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
    int error = posix_spawnp(&child, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        return rf_fail(err, RF_IO, "--picture: cannot start gnuplot: %s", strerror(error));
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return rf_fail(err, RF_IO, "--picture: cannot wait for gnuplot: %s", strerror(errno));
        }
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        return rf_fail(err, RF_IO, "--picture: gnuplot failed; it said why above");
    }
    return RF_OK;
}

enum rf_status rf_picture_draw(const struct rf_curve *curve, const char *title, const char *path, struct rf_error *err) {
    if (curve->count < 2) {
        return rf_fail(err, RF_INVALID, "--picture: there are %zu points to draw, must be at least 2 (%d examples each)",
                       curve->count, (int)curve->span);
    }
    FILE *script = tmpfile();
    if (!script) {
        return rf_fail(err, RF_IO, "--picture: cannot make a temporary file: %s", strerror(errno));
    }
    rf_picture_script(curve, title, path, script);
    bool is_written = !fflush(script) && !ferror(script) && lseek(fileno(script), 0, SEEK_SET) == 0;
    enum rf_status status =
            is_written ? run_gnuplot(script, err) : rf_fail(err, RF_IO, "--picture: cannot write a temporary file");
    fclose(script);
    return status;
}
