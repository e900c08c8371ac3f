#include "ops/assembly.h"
#include "ops/embedded.h"
#include "ops/evaluate.h"
#include "ops/progress.h"
#include "ops/signals.h"
#include "ops/specification.h"
#include "ops/verbs.h"
#include "ops/worker.h"
#include "proto/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 50, WAIT_FOR_SOURCE_MS = 60000, GRACE_MS = 5000 };

struct run_flags {
    const char *until;
    bool takes_over, is_fresh, wants_json, shows_progress;
};

// One model of the process.
struct model {
    struct rf_assembly assembly;
    struct rf_texts columns;
    struct rf_embedded *embedded;
    struct rf_worker *worker;
    struct rf_progress progress;
    bool has_assembly;
};

// Makes all parts and the worker that owns them.
static enum rf_status make_worker(struct model *model, const struct run_flags *flags, struct rf_error *err) {
    struct rf_assembly *assembly = &model->assembly;
    const struct rf_settings *settings = &assembly->settings;
    struct rf_worker_options options = {
            .clock = rf_clock_system(),
            .log = &assembly->log,
            .batches = (size_t)settings->worker.batches,
            .wait_ms = WAIT_FOR_SOURCE_MS,
            .shutdown_ms = (int)(settings->worker.shutdown_seconds * 1000),
            .takes_over = flags->takes_over,
            .is_fresh = flags->is_fresh,
            .reports_curve = flags->shows_progress,
    };
    enum rf_status status = rf_assembly_source(assembly, flags->until != NULL, &options.source, &model->columns, err);
    if (!status) {
        status = rf_assembly_pipeline(assembly, &model->columns, &options.pipeline, err);
    }
    if (!status) {
        status = rf_assembly_state(assembly, options.pipeline, err);
    }
    if (!status) {
        status = rf_assembly_sinks(assembly, options.pipeline, err);
    }
    if (!status && settings->snapshots.clone.publish) {
        status = rf_clone_create(&settings->snapshots.clone, settings->name, assembly->folder.epoch, &options.clone, err);
    }
    if (status) {
        rf_pipeline_destroy(options.pipeline);
        rf_source_destroy(options.source);
        return status;
    }
    options.folder = &assembly->folder;
    return rf_worker_create(&options, &model->worker, err);
}

static enum rf_status make_model(struct model *model, const char *path, const struct rf_arguments *arguments,
                                 const struct run_flags *flags, struct rf_error *err) {
    enum rf_status status = rf_assembly_init(path, arguments->sets, arguments->set_count, &model->assembly, err);
    if (status) {
        return status;
    }
    model->has_assembly = true;
    if (model->assembly.settings.is_embedded) {
        status = rf_embedded_create(&model->assembly, &model->embedded, err);
    }
    if (!status) {
        status = make_worker(model, flags, err);
    }
    if (!status && model->embedded) {
        status = rf_embedded_start(model->embedded, err);
    }
    if (status) {
        return status;
    }
    const struct rf_settings_worker *worker = &model->assembly.settings.worker;
    rf_progress_init(&model->progress, flags->shows_progress, worker->progress_seconds, &model->assembly.log);
    return rf_worker_start(model->worker, err);
}

static void destroy_model(struct model *model) {
    rf_worker_destroy(model->worker);
    rf_embedded_destroy(model->embedded);
    rf_assembly_columns_finish(&model->columns);
    if (model->has_assembly) {
        rf_assembly_finish(&model->assembly);
    }
}

// Brings one model's progress up to date; true when its threads have ended.
static bool attend(struct model *model) {
    struct rf_worker_report report;
    rf_worker_report(model->worker, &report);
    rf_progress_tell(&model->progress, &report);
    if (model->embedded && rf_embedded_pace(model->embedded, report.counts.records)) {
        rf_worker_stop(model->worker);
    }
    return report.is_done;
}

// Waits for the end of all models, or for a signal and then their end within the deadline.
static void attend_all(struct model *models, size_t count, const struct rf_signals *signals) {
    struct rf_clock *clock = rf_clock_system();
    int64_t stopped = 0, patience = 0;
    for (;;) {
        bool is_done = true;
        for (size_t i = 0; i < count; i++) {
            is_done &= attend(&models[i]);
        }
        if (is_done) {
            return;
        }
        bool came = rf_signals_wait(signals, models[0].embedded ? 1 : WAIT_MS);
        int64_t now = clock->unix_ms(clock);
        if (came && stopped) {
            rf_log(&models[0].assembly.log, RF_LOG_WARN, "stopped at once by a second signal");
            _exit(RF_EXIT_FAILED);
        }
        for (size_t i = 0; came && i < count; i++) {
            stopped = now;
            int64_t mine = (int64_t)(models[i].assembly.settings.worker.shutdown_seconds * 1000);
            patience = mine > patience ? mine : patience;
            rf_log(&models[i].assembly.log, RF_LOG_INFO, "stopping", rf_log_text("model", models[i].assembly.settings.name));
            rf_worker_stop(models[i].worker);
        }
        if (stopped && now - stopped > 2 * patience + GRACE_MS) {
            rf_log(&models[0].assembly.log, RF_LOG_ERROR, "did not stop within the deadline; the newest snapshot stays in place");
            _exit(RF_EXIT_FAILED);
        }
    }
}

static void report_end(struct model *model, const struct run_flags *flags) {
    struct rf_worker_report report;
    rf_worker_report(model->worker, &report);
    uint8_t specification[RF_SHA256_SIZE], digest[RF_SHA256_SIZE];
    rf_specification_sha256(model->assembly.specification, specification);
    rf_model_sha256(specification, rf_pipeline_state(rf_worker_pipeline(model->worker)), digest);
    double seconds = (double)report.busy_ms / 1000;
    if (flags->wants_json) {
        rf_evaluate_json(&report.counts, seconds, &report.figures, digest, stdout);
    } else if (flags->shows_progress) {
        printf("\n");
        rf_evaluate_table(&report.counts, seconds, &report.figures, digest, stdout);
        rf_curve_plot(rf_worker_curve(model->worker), 64, 12, stdout);
    }
    rf_log(&model->assembly.log, RF_LOG_INFO, "stopped", rf_log_text("model", model->assembly.settings.name),
           rf_log_uint("records", report.counts.records), rf_log_uint("learned", report.counts.learned),
           rf_log_uint("rejected", report.counts.rejected));
}

// Runs all models to their end; the worst of their fates.
static enum rf_status run_all(struct model *models, const struct rf_arguments *arguments, const struct run_flags *flags,
                              const struct rf_signals *signals, struct rf_error *err) {
    for (size_t i = 0; i < arguments->file_count; i++) {
        enum rf_status status = make_model(&models[i], arguments->files[i], arguments, flags, err);
        if (status) {
            return status;
        }
        rf_log(&models[i].assembly.log, RF_LOG_INFO, "learning", rf_log_text("model", models[i].assembly.settings.name),
               rf_log_text("state", models[i].assembly.settings.snapshots.directory),
               rf_log_uint("epoch", models[i].assembly.folder.epoch));
    }
    attend_all(models, arguments->file_count, signals);
    enum rf_status worst = RF_OK;
    for (size_t i = 0; i < arguments->file_count; i++) {
        struct rf_worker_report report;
        rf_worker_report(models[i].worker, &report);
        if (!report.status) {
            report_end(&models[i], flags);
        } else {
            worst = rf_fail(err, report.status, "%s: %.900s", models[i].assembly.settings.name, report.sentence);
        }
    }
    return worst;
}

int rf_verb_run(const struct rf_verb *verb, int argc, char **argv) {
    struct run_flags given = {0};
    const struct rf_flag flags[] = {
            {"until", RF_FLAG_TEXT, &given.until, "end", "stop at the ends of the partitions as they are at the start"},
            {"take-over", RF_FLAG_YES, &given.takes_over, NULL, "although another worker's mark stands in the committed offsets"},
            {"fresh", RF_FLAG_YES, &given.is_fresh, NULL, "although offsets are committed and there is no snapshot"},
            {"progress", RF_FLAG_YES, &given.shows_progress, NULL, "show progress, and a table and a plot at the end"},
            {"json", RF_FLAG_YES, &given.wants_json, NULL, "one JSON object on one line at the end"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    struct rf_signals signals;
    rf_signals_block(&signals);
    struct model *models = calloc(arguments.file_count + 1, sizeof *models);
    enum rf_status status = RF_OK;
    if (!models) {
        status = rf_fail(&err, RF_MEMORY, "out of memory");
    } else if (!arguments.file_count) {
        status = rf_fail(&err, RF_INVALID, "takes at least one settings file");
    } else if (given.until && strcmp(given.until, "end") != 0) {
        status = rf_fail(&err, RF_INVALID, "--until is \"%.100s\", must be end", given.until);
    }
    if (!status) {
        status = run_all(models, &arguments, &given, &signals, &err);
    }
    code = status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
    for (size_t i = 0; models && i < arguments.file_count; i++) {
        destroy_model(&models[i]);
    }
    free(models);
    rf_arguments_finish(&arguments);
    return code;
}
