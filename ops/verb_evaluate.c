#include "ops/assembly.h"
#include "ops/clock.h"
#include "ops/evaluate.h"
#include "ops/printer.h"
#include "ops/verbs.h"

#include <stdio.h>
#include <stdlib.h>

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
    const char **sets = calloc(arguments->set_count + 4, sizeof *sets);
    texts[0] = file ? quoted("source.file", file) : NULL;
    texts[1] = format ? quoted("source.format", format) : NULL;
    if (!sets || (file && !texts[0]) || (format && !texts[1])) {
        free(sets);
        return rf_fail(err, RF_MEMORY, "out of memory");
    }
    size_t count = 0;
    if (file) {
        sets[count++] = "source.topics=[]";
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

static enum rf_status evaluate(struct rf_assembly *assembly, bool wants_json, bool publishes, struct rf_error *err) {
    if (!assembly->settings.source.file) {
        return rf_fail(err, RF_INVALID, "source.file is missing; name a file there or with --file (topics are read by `run`)");
    }
    struct rf_source *source = NULL;
    struct rf_pipeline *pipeline = NULL;
    struct rf_texts columns = {0};
    struct rf_clock *clock = rf_clock_system();
    struct rf_curve curve;
    enum rf_status status = rf_assembly_source(assembly, true, &source, &columns, err);
    if (!status) {
        status = rf_assembly_pipeline(assembly, &columns, &pipeline, err);
    }
    if (!status && publishes) {
        status = rf_assembly_sinks(assembly, pipeline, err);
    }
    int64_t begun = clock->monotonic_ms(clock);
    if (!status) {
        const struct rf_learner *learner = rf_pipeline_learner(pipeline);
        rf_curve_init(&curve, rf_curve_figure(learner->task, learner->is_margin));
        status = rf_evaluate(pipeline, source, wants_json ? NULL : &curve, err);
    }
    if (!status) {
        struct rf_result result = {.model = assembly->settings.name,
                                   .counts = *rf_pipeline_counts(pipeline),
                                   .seconds = (double)(clock->monotonic_ms(clock) - begun) / 1000};
        rf_evaluation_figures(rf_pipeline_evaluation(pipeline), &result.figures);
        rf_assembly_model_sha256(assembly, pipeline, result.model_sha256);
        if (wants_json) {
            rf_evaluate_json(&result, stdout);
        } else {
            rf_evaluate_table(&result, stdout);
            rf_curve_plot(&curve, 64, 12, stdout);
        }
        rf_evaluate_warn(&result, "riffle evaluate: ", rf_pipeline_last_reject(pipeline), stderr);
    }
    rf_pipeline_destroy(pipeline);
    rf_source_destroy(source);
    rf_assembly_columns_finish(&columns);
    return status;
}

int rf_verb_evaluate(const struct rf_verb *verb, int argc, char **argv) {
    bool wants_json = false, publishes = false;
    const char *file = NULL, *format = NULL;
    const struct rf_flag flags[] = {
            {"file", RF_FLAG_TEXT, &file, "PATH", "read this file instead of the source in the settings; - is standard input"},
            {"format", RF_FLAG_TEXT, &format, "FORMAT", "its format, instead of the one in the settings"},
            {"json", RF_FLAG_YES, &wants_json, NULL, "one JSON object on one line"},
            {"sinks", RF_FLAG_YES, &publishes, NULL, "publish to the sinks of the settings too"},
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
                                    ? with_file(&arguments, file, format, texts, &err)
                                    : rf_fail(&err, RF_INVALID, "takes one settings file, %zu are given", arguments.file_count);
    if (!status) {
        status = rf_assembly_init(arguments.files[0], arguments.sets, arguments.set_count, &assembly, &err);
        if (!status) {
            status = evaluate(&assembly, wants_json, publishes, &err);
            rf_assembly_finish(&assembly);
        }
    }
    free(texts[0]);
    free(texts[1]);
    rf_arguments_finish(&arguments);
    return status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
}
