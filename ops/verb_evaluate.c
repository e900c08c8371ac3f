#include "ops/assembly.h"
#include "ops/clock.h"
#include "ops/evaluate.h"
#include "ops/picture.h"
#include "ops/printer.h"
#include "ops/verbs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flags {
    const char *file, *format, *test, *curve, *picture;
    uint64_t folds, every;
    bool wants_json, publishes, is_quiet;
};

// "name='value'" in YAML; the caller frees it. NULL when memory is out.
static char *quoted(const char *name, const char *value) {
    struct rf_printer printer = {0};
    rf_printer_format(&printer, "%s='", name);
    for (; *value; value++) {
        rf_printer_add_bytes(&printer, value, 1);
        rf_printer_add(&printer, *value == '\'' ? "'" : ""); // a quote is doubled
    }
    rf_printer_add(&printer, "'");
    return rf_printer_take(&printer);
}

// `--file` and `--format` in front of what --set says, so that a worker's settings can be tried on a file. `texts` [2] are to
// be freed by the caller.
static enum rf_status with_file(struct rf_arguments *arguments, const char *file, const char *format, char **texts,
                                struct rf_error *err) {
    const char **sets = calloc(arguments->set_count + 6, sizeof *sets);
    texts[0] = file ? quoted("source.file", file) : NULL;
    texts[1] = format ? quoted("source.format", format) : NULL;
    if (!sets || (file && !texts[0]) || (format && !texts[1])) {
        free(sets);
        return rf_fail(err, RF_MEMORY, "out of memory");
    }
    size_t count = 0;
    if (file) {
        sets[count++] = "source.topics=[]";
        sets[count++] = "source.history.files=[]";
        sets[count++] = "source.history.topics=[]";
        sets[count++] = "source.start=earliest";
        sets[count++] = texts[0];
    }
    if (format) {
        sets[count++] = texts[1];
    }
    for (size_t i = 0; i < arguments->set_count; i++) {
        sets[count++] = arguments->sets[i];
    }
    free(arguments->sets);
    arguments->sets = sets;
    arguments->set_count = count;
    return RF_OK;
}

// One run over a source: what it is made of, and what came of it.
struct run {
    struct rf_source *source;
    struct rf_pipeline *pipeline;
    struct rf_texts columns, test_columns;
    struct rf_curve curve;
    double seconds;
};

static void finish_run(struct run *run) {
    rf_pipeline_destroy(run->pipeline);
    rf_source_destroy(run->source);
    rf_assembly_columns_finish(&run->columns);
    rf_assembly_columns_finish(&run->test_columns);
    *run = (struct run){0};
}

static enum rf_status make_run(struct rf_assembly *assembly, const struct flags *flags, struct run *run, struct rf_error *err) {
    *run = (struct run){0};
    assembly->decoder.columns = assembly->settings.source.columns; // an earlier run may have found others
    enum rf_status status = rf_assembly_files(assembly, &run->source, &run->columns, err);
    if (!status) {
        status = rf_assembly_pipeline(assembly, &run->columns, &run->pipeline, err);
    }
    if (!status && flags->publishes) {
        status = rf_assembly_sinks(assembly, run->pipeline, err);
    }
    return status;
}

static enum rf_status fold(struct run *run, const struct flags *flags, bool shows_lines, struct rf_error *err) {
    struct rf_clock *clock = rf_clock_system();
    const struct rf_learner *learner = rf_pipeline_learner(run->pipeline);
    struct rf_evaluate_lines lines;
    bool wants_curve = flags->curve || flags->picture || (!flags->wants_json && !flags->folds);
    rf_curve_init(&run->curve, rf_curve_figure(learner->task, learner->is_margin), RF_EVALUATE_SPAN);
    rf_evaluate_lines_init(&lines, flags->every, stderr);
    const struct rf_evaluate_options options = {.curve = wants_curve ? &run->curve : NULL, .lines = shows_lines ? &lines : NULL};
    int64_t begun = clock->monotonic_ms(clock);
    enum rf_status status = rf_evaluate(run->pipeline, run->source, &options, err);
    run->seconds = (double)(clock->monotonic_ms(clock) - begun) / 1000;
    return status;
}

// The records of another file, in the same format and with its own header line, are predicted and evaluated.
static enum rf_status test(struct rf_assembly *assembly, struct run *run, const char *path, struct rf_error *err) {
    struct rf_source *source = NULL;
    enum rf_status status = rf_assembly_file(assembly, path, &source, &run->test_columns, err);
    if (!status && run->test_columns.count) {
        assembly->decoder.columns = run->test_columns;
    }
    if (!status) {
        const struct rf_evaluate_options options = {.is_test = true};
        status = rf_evaluate(run->pipeline, source, &options, err);
    }
    rf_source_destroy(source);
    return status;
}

static enum rf_status write_curve(const struct rf_curve *curve, const char *path, struct rf_error *err) {
    FILE *file = fopen(path, "w");
    if (!file) {
        return rf_fail(err, RF_IO, "--curve: cannot write %.200s: %s", path, strerror(errno));
    }
    rf_curve_csv(curve, file);
    bool is_written = !ferror(file);
    return fclose(file) == 0 && is_written
                   ? RF_OK
                   : rf_fail(err, RF_IO, "--curve: cannot write all of %.200s: %s", path, strerror(errno));
}

static enum rf_status put_curve(const struct run *run, const struct flags *flags, const char *model, struct rf_error *err) {
    enum rf_status status = flags->curve ? write_curve(&run->curve, flags->curve, err) : RF_OK;
    return status || !flags->picture ? status : rf_picture_draw(&run->curve, model, flags->picture, err);
}

static enum rf_status evaluate_once(struct rf_assembly *assembly, const struct flags *flags, struct rf_error *err) {
    struct run run;
    enum rf_status status = make_run(assembly, flags, &run, err);
    if (!status) {
        status = fold(&run, flags, !flags->is_quiet, err);
    }
    struct rf_result result = {.model = assembly->settings.name, .seconds = run.seconds};
    if (!status) {
        result.counts = *rf_pipeline_counts(run.pipeline); // those of a test are not the model's
        result.left_out = rf_left_out_of(rf_pipeline_learner(run.pipeline));
        result.collisions = rf_collisions_of(rf_pipeline_learner(run.pipeline));
        rf_assembly_model_sha256(assembly, run.pipeline, result.model_sha256);
        status = flags->test ? test(assembly, &run, flags->test, err) : RF_OK;
    }
    if (!status) {
        rf_result_take(&result, run.pipeline);
        if (flags->wants_json) {
            rf_evaluate_json(&result, stdout);
        } else {
            rf_evaluate_table(&result, stdout);
            rf_curve_plot(&run.curve, 64, 12, stdout);
        }
        rf_evaluate_warn(&result, "riffle evaluate: ", rf_pipeline_last_reject(run.pipeline), stderr);
        status = put_curve(&run, flags, assembly->settings.name, err);
    }
    finish_run(&run);
    return status;
}

// Run j holds out the records whose place is in the jth part; together the parts are all records, each once.
static enum rf_status evaluate_folds(struct rf_assembly *assembly, const struct flags *flags, struct rf_error *err) {
    struct rf_folds *folds = calloc(1, sizeof *folds);
    enum rf_status status = folds ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory");
    for (size_t j = 0; j < flags->folds && !status; j++) {
        struct run run;
        assembly->holdout_from = (double)j / (double)flags->folds;
        assembly->holdout_to = (double)(j + 1) / (double)flags->folds;
        status = make_run(assembly, flags, &run, err);
        if (!status) {
            status = fold(&run, flags, false, err);
        }
        if (!status) {
            struct rf_figures *figures = &folds->list[folds->count++];
            rf_evaluation_figures(rf_pipeline_holdout(run.pipeline), figures);
            if (flags->wants_json) {
                rf_folds_json_line(figures, j, (size_t)flags->folds, stdout);
            } else if (!flags->is_quiet) {
                fprintf(stderr, "fold %zu of %zu: %llu records held out, %llu learned\n", j + 1, (size_t)flags->folds,
                        (unsigned long long)figures->evaluated, (unsigned long long)rf_pipeline_counts(run.pipeline)->learned);
            }
        }
        finish_run(&run);
    }
    if (!status && flags->wants_json) {
        rf_folds_json(folds, assembly->settings.name, stdout);
    } else if (!status) {
        rf_folds_table(folds, stdout);
    }
    free(folds);
    return status;
}

static enum rf_status check_flags(const struct rf_assembly *assembly, const struct flags *flags, struct rf_error *err) {
    if (!assembly->settings.source.file && !assembly->settings.source.history.files.count) {
        return rf_fail(err, RF_INVALID, "source.file is missing; name a file there or with --file (topics are read by `run`)");
    }
    if (flags->picture && rf_picture_check(flags->picture, err)) {
        return err->status;
    }
    if (!flags->folds) {
        return RF_OK;
    }
    if (flags->folds < 2 || flags->folds > RF_FOLDS_MAX) {
        return rf_fail(err, RF_INVALID, "--folds is %llu, must be 2 to %d", (unsigned long long)flags->folds, RF_FOLDS_MAX);
    }
    if (flags->test || flags->curve || flags->picture || flags->publishes) {
        return rf_fail(err, RF_INVALID, "--folds is given with --%s, must be without",
                       flags->test      ? "test"
                       : flags->curve   ? "curve"
                       : flags->picture ? "picture"
                                        : "sinks");
    }
    if (assembly->settings.evaluation.holdout > 0) {
        return rf_fail(err, RF_INVALID, "evaluation.holdout is %g, must be 0 with --folds, which hold out by themselves",
                       assembly->settings.evaluation.holdout);
    }
    if (assembly->settings.source.file && strcmp(assembly->settings.source.file, "-") == 0) {
        return rf_fail(err, RF_INVALID, "--folds reads the source several times, which standard input cannot; name a file");
    }
    return RF_OK;
}

static enum rf_status evaluate(struct rf_assembly *assembly, const struct flags *flags, struct rf_error *err) {
    enum rf_status status = check_flags(assembly, flags, err);
    if (status) {
        return status;
    }
    return flags->folds ? evaluate_folds(assembly, flags, err) : evaluate_once(assembly, flags, err);
}

int rf_verb_evaluate(const struct rf_verb *verb, int argc, char **argv) {
    struct flags given = {0};
    const struct rf_flag flags[] = {
            {"file", RF_FLAG_TEXT, &given.file, "PATH",
             "read this file instead of the source in the settings; - is standard input"},
            {"format", RF_FLAG_TEXT, &given.format, "FORMAT", "its format, instead of the one in the settings"},
            {"test", RF_FLAG_TEXT, &given.test, "PATH", "then predict and evaluate this file, without learning it"},
            {"folds", RF_FLAG_UINT, &given.folds, "K", "K runs, each holding out another K-th of the records, and their spread"},
            {"progress", RF_FLAG_UINT, &given.every, "N", "a line every N records, instead of at 1, 2, 4, 8 ..."},
            {"quiet", RF_FLAG_YES, &given.is_quiet, NULL, "no lines of progress"},
            {"curve", RF_FLAG_TEXT, &given.curve, "PATH.csv", "write how the main figure moved, as CSV"},
            {"picture", RF_FLAG_TEXT, &given.picture, "PATH.png", "draw it with gnuplot, as .png or .svg"},
            {"json", RF_FLAG_YES, &given.wants_json, NULL, "one JSON object on one line"},
            {"sinks", RF_FLAG_YES, &given.publishes, NULL, "publish to the sinks of the settings too"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    struct rf_assembly assembly;
    char *texts[2] = {NULL, NULL};
    enum rf_status status = arguments.file_count == 1
                                    ? with_file(&arguments, given.file, given.format, texts, &err)
                                    : rf_fail(&err, RF_INVALID, "takes one settings file, %zu are given", arguments.file_count);
    if (!status) {
        status = rf_assembly_init(arguments.files[0], arguments.sets, arguments.set_count, &assembly, &err);
        if (!status) {
            status = evaluate(&assembly, &given, &err);
            rf_assembly_finish(&assembly);
        }
    }
    free(texts[0]);
    free(texts[1]);
    rf_arguments_finish(&arguments);
    return status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
}
