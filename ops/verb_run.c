#include "ops/assembly_fleet.h"
#include "ops/embedded.h"
#include "ops/evaluate.h"
#include "ops/progress.h"
#include "ops/signals.h"
#include "ops/verbs.h"
#include "ops/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPEAT_MS = 1000, WAIT_MS = 50, WAIT_FOR_SOURCE_MS = 60000, GRACE_MS = 5000, REFRESH_MS = 10000 };

struct run_flags {
    const char *until;
    bool takes_over, is_fresh, wants_json, shows_progress;
};

// One model of the process.
struct model {
    struct rf_assembly assembly;
    struct rf_texts columns;
    struct rf_embedded *embedded;
    struct rf_worker *worker; // one of the two
    struct rf_fleet_worker *fleet;
    struct rf_progress progress;
    bool has_assembly, is_told; // its failure
};

struct run {
    bool is_log_broken; // the log of deltas of a fleet and a worker do not go together
    struct run_flags flags;
    struct rf_signals signals;
    bool is_asked;        // a signal came
    struct model *models; // [count]
    size_t count;
};

static struct rf_pipeline *pipeline_of(const struct model *model) {
    return model->fleet ? rf_fleet_worker_pipeline(model->fleet) : rf_worker_pipeline(model->worker);
}

static void take_report(const struct model *model, struct rf_worker_report *report_out) {
    if (model->fleet) {
        rf_fleet_worker_report(model->fleet, report_out);
    } else {
        rf_worker_report(model->worker, report_out);
    }
}

static void stop_worker(const struct model *model) {
    if (model->fleet) {
        rf_fleet_worker_stop(model->fleet);
    } else {
        rf_worker_stop(model->worker);
    }
}

static bool is_stopped(void *context) {
    struct run *run = context;
    run->is_asked |= rf_signals_wait(&run->signals, 0);
    return run->is_asked;
}

static enum rf_status make_clone(const struct rf_assembly *assembly, struct rf_clone **clone_out, struct rf_error *err) {
    const struct rf_settings *settings = &assembly->settings;
    if (!settings->snapshots.clone.publish) {
        return RF_OK;
    }
    enum rf_status status = rf_clone_create(&settings->snapshots.clone, settings->name, assembly->folder.epoch, clone_out, err);
    return err->status = status == RF_BUSY ? RF_IO : status; // a taken port is not another worker of this model
}

// Credentials that are refused end the start. A registry that is away may not even be needed: schemas are kept.
static enum rf_status ask_registry(struct rf_assembly *assembly, struct rf_error *err) {
    enum rf_status status = rf_assembly_ask_registry(assembly, err);
    if (status == RF_IO) {
        rf_log(&assembly->log, RF_LOG_WARN, "the schema registry is away; schemas that are kept will do until another is needed",
               rf_log_text("error", err->text));
        return RF_OK;
    }
    return status;
}

// Makes all parts and the worker that owns them.
static enum rf_status make_worker(struct run *run, struct model *model, struct rf_error *err) {
    struct rf_assembly *assembly = &model->assembly;
    const struct rf_settings *settings = &assembly->settings;
    struct rf_worker_options options = {
            .clock = rf_clock_system(),
            .log = &assembly->log,
            .batches = (size_t)settings->worker.batches,
            .wait_ms = WAIT_FOR_SOURCE_MS,
            .shutdown_ms = (int)(settings->worker.shutdown_seconds * 1000),
            .takes_over = run->flags.takes_over,
            .is_fresh = run->flags.is_fresh,
            .on_offset_lost = (enum rf_offset_lost)settings->source.on_offset_lost,
            .refresh_ms = REFRESH_MS,
            .is_stopped = is_stopped,
            .stop_context = run,
            .reports_curve = run->flags.shows_progress,
    };
    enum rf_status status = rf_assembly_source(assembly, run->flags.until != NULL, &options.source, &model->columns, err);
    if (!status) {
        status = rf_assembly_pipeline(assembly, &model->columns, &options.pipeline, err);
    }
    if (!status) {
        status = rf_assembly_state(assembly, options.pipeline, err);
    }
    if (!status) {
        status = ask_registry(assembly, err);
    }
    // Up to here a signal just ends the process, also where a header line is waited for on standard input: nothing has begun.
    // From here on threads are made, and one that lets a signal through would end the process for all.
    rf_signals_block(&run->signals);
    if (!status) {
        status = rf_assembly_sinks(assembly, options.pipeline, err);
    }
    if (!status) {
        status = make_clone(assembly, &options.clone, err);
    }
    if (status) {
        rf_pipeline_destroy(options.pipeline);
        rf_source_destroy(options.source);
        return status;
    }
    options.folder = &assembly->folder;
    return rf_worker_create(&options, &model->worker, err);
}

// A worker of a fleet. Its state is in Kafka; the folder keeps schemas.
static enum rf_status make_fleet_worker(struct run *run, struct model *model, struct rf_error *err) {
    if (run->flags.until || run->flags.takes_over || run->flags.is_fresh) {
        return rf_fail(err, RF_INVALID,
                       "--until, --take-over and --fresh are of no use with fleet.shared: the log of deltas decides");
    }
    enum rf_status status = ask_registry(&model->assembly, err);
    rf_signals_block(&run->signals); // before threads are made
    status = status ? status : rf_assembly_fleet_worker(&model->assembly, &model->fleet, err);
    run->is_log_broken = status == RF_CORRUPT || status == RF_CONFLICT;
    return status;
}

static enum rf_status make_model(struct run *run, struct model *model, const char *path, const struct rf_arguments *arguments,
                                 struct rf_error *err) {
    enum rf_status status = rf_assembly_init(path, arguments->sets, arguments->set_count, &model->assembly, err);
    if (status) {
        return status;
    }
    model->has_assembly = true;
    const struct rf_settings *settings = &model->assembly.settings;
    if (settings->is_embedded && run->flags.until) {
        return rf_fail(err, RF_INVALID, "--until end is of no use with the embedded broker: set embedded.records");
    }
    if (settings->is_embedded) {
        rf_signals_block(&run->signals); // before the broker's threads
        status = rf_embedded_create(&model->assembly, &model->embedded, err);
    }
    if (!status && settings->fleet.shared) {
        return make_fleet_worker(run, model, err);
    }
    return status ? status : make_worker(run, model, err);
}

static enum rf_status start_model(struct run *run, struct model *model, struct rf_error *err) {
    const struct rf_settings *settings = &model->assembly.settings;
    enum rf_status status = model->embedded ? rf_embedded_start(model->embedded, err) : RF_OK;
    if (status) {
        return status;
    }
    struct rf_worker_report report;
    take_report(model, &report);
    rf_progress_init(&model->progress, settings->name, run->flags.shows_progress, settings->worker.progress_seconds,
                     &model->assembly.log, report.resumed);
    if (model->fleet) {
        rf_log(&model->assembly.log, RF_LOG_INFO, "learning in a fleet", rf_log_text("model", settings->name),
               rf_log_text("worker", rf_settings_kafka(settings, "group.instance.id")));
        return rf_fleet_worker_start(model->fleet, err);
    }
    rf_log(&model->assembly.log, RF_LOG_INFO, "learning", rf_log_text("model", settings->name),
           rf_log_text("state", settings->snapshots.directory), rf_log_uint("epoch", model->assembly.folder.epoch));
    return rf_worker_start(model->worker, err);
}

static void destroy_model(struct model *model) {
    rf_worker_destroy(model->worker);
    rf_fleet_worker_destroy(model->fleet);
    rf_embedded_destroy(model->embedded);
    rf_assembly_columns_finish(&model->columns);
    if (model->has_assembly) {
        rf_assembly_finish(&model->assembly);
    }
}

static void stop_all(struct run *run) {
    for (size_t i = 0; i < run->count; i++) {
        rf_log(&run->models[i].assembly.log, RF_LOG_INFO, "stopping",
               rf_log_text("model", run->models[i].assembly.settings.name));
        stop_worker(&run->models[i]);
    }
}

// Brings one model's progress up to date; true when its threads have ended. One that failed takes the others along: the
// process ends, and whoever runs it sees that.
static bool attend(struct run *run, struct model *model) {
    struct rf_worker_report report;
    take_report(model, &report);
    rf_progress_tell(&model->progress, &report);
    int64_t applied = rf_metrics_get(rf_pipeline_metrics(pipeline_of(model)), RF_METRIC_records_total, 0);
    if (model->embedded && rf_embedded_pace(model->embedded, (uint64_t)applied)) {
        stop_worker(model);
    }
    if (report.is_done && report.status && !model->is_told) {
        model->is_told = true;
        rf_log(&model->assembly.log, RF_LOG_ERROR, "model failed", rf_log_text("model", model->assembly.settings.name),
               rf_log_text("error", report.sentence));
        stop_all(run);
    }
    return report.is_done;
}

// The longest that stopping may take: sinks to take what is folded, sinks to confirm it, and some grace.
static int64_t patience_of(const struct run *run) {
    double longest = 0;
    for (size_t i = 0; i < run->count; i++) {
        double mine = run->models[i].assembly.settings.worker.shutdown_seconds;
        longest = mine > longest ? mine : longest;
    }
    return (int64_t)(2 * longest * 1000) + GRACE_MS;
}

// A thread that a disk holds up cannot be waited for; why its worker was to end may be known all the same.
static void tell_overdue(struct run *run) {
    for (size_t i = 0; i < run->count; i++) {
        struct rf_worker_report report;
        take_report(&run->models[i], &report);
        if (!report.is_done) {
            rf_log(&run->models[i].assembly.log, RF_LOG_ERROR,
                   "did not stop within the deadline; the newest snapshot stays in place",
                   rf_log_text("model", run->models[i].assembly.settings.name),
                   report.status ? rf_log_text("error", report.sentence) : (struct rf_log_field){0});
        }
    }
}

// Waits for the end of all models, or for a signal and then their end within the deadline.
static void attend_all(struct run *run) {
    struct rf_clock *clock = rf_clock_system();
    int64_t stopped = 0;
    for (;;) {
        bool is_done = true;
        for (size_t i = 0; i < run->count; i++) {
            is_done &= attend(run, &run->models[i]);
        }
        if (is_done) {
            return;
        }
        bool came = rf_signals_wait(&run->signals, run->models[0].embedded ? 1 : WAIT_MS);
        int64_t now = clock->monotonic_ms(clock);
        if (came && stopped && now - stopped > REPEAT_MS) { // some senders signal a process and its group
            rf_log(&run->models[0].assembly.log, RF_LOG_WARN, "stopped at once by a second signal");
            _exit(RF_EXIT_FAILED);
        }
        if ((came || run->is_asked) && !stopped) {
            stopped = now;
            stop_all(run);
        }
        if (stopped && now - stopped > patience_of(run)) {
            tell_overdue(run);
            _exit(RF_EXIT_FAILED);
        }
    }
}

static void report_end(const struct run *run, struct model *model) {
    struct rf_worker_report report;
    take_report(model, &report);
    struct rf_result result = {.model = model->assembly.settings.name,
                               .counts = report.counts,
                               .resumed = report.resumed,
                               .seconds = (double)report.busy_ms / 1000};
    result.left_out = rf_left_out_of(rf_pipeline_learner(pipeline_of(model)));
    result.collisions = rf_collisions_of(rf_pipeline_learner(pipeline_of(model)));
    rf_result_take(&result, pipeline_of(model));
    rf_assembly_model_sha256(&model->assembly, pipeline_of(model), result.model_sha256);
    if (run->flags.wants_json) {
        rf_evaluate_json(&result, stdout);
    } else if (run->flags.shows_progress) {
        printf("\n%s\n", result.model);
        rf_evaluate_table(&result, stdout);
        if (model->worker) {
            rf_curve_plot(rf_worker_curve(model->worker), 64, 12, stdout);
        }
    }
    if (report.counts.records > report.counts.rejected && !report.counts.learned) {
        rf_log(&model->assembly.log, RF_LOG_WARN, "nothing was learned: no record had a label",
               rf_log_text("features.label", model->assembly.settings.features.label));
    }
    int64_t waits = rf_metrics_get(rf_pipeline_metrics(pipeline_of(model)), RF_METRIC_source_waits_total, 0);
    rf_log(&model->assembly.log, RF_LOG_INFO, "stopped", rf_log_text("model", model->assembly.settings.name),
           rf_log_uint("records", report.counts.records), rf_log_uint("learned", report.counts.learned),
           rf_log_uint("rejected", report.counts.rejected), rf_log_int("source_waits", waits));
}

// Runs all models to their end, once all of them could be made. Their own failures are told as they come; the worst is answered.
static enum rf_status run_all(struct run *run, const struct rf_arguments *arguments, struct rf_error *err) {
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < arguments->file_count && !status; i++) {
        status = make_model(run, &run->models[i], arguments->files[i], arguments, err);
    }
    for (; run->count < arguments->file_count && !status; run->count++) {
        status = start_model(run, &run->models[run->count], err);
    }
    if (status) {
        return status;
    }
    attend_all(run);
    enum rf_status worst = RF_OK;
    for (size_t i = 0; i < run->count; i++) {
        struct rf_worker_report report;
        take_report(&run->models[i], &report);
        if (!report.status) {
            report_end(run, &run->models[i]);
        } else if (rf_exit_of(report.status) > rf_exit_of(worst)) {
            run->is_log_broken = run->models[i].fleet && (report.status == RF_CORRUPT || report.status == RF_CONFLICT);
            worst = rf_fail(err, report.status, "%s: %.900s", run->models[i].assembly.settings.name, report.sentence);
        }
    }
    return worst;
}

int rf_verb_run(const struct rf_verb *verb, int argc, char **argv) {
    struct run run = {0};
    const struct rf_flag flags[] = {
            {"until", RF_FLAG_TEXT, &run.flags.until, "end", "stop at the ends of the partitions as they are at the start"},
            {"take-over", RF_FLAG_YES, &run.flags.takes_over, NULL,
             "although another worker's mark stands in the committed offsets"},
            {"fresh", RF_FLAG_YES, &run.flags.is_fresh, NULL, "although offsets are committed and there is no snapshot"},
            {"progress", RF_FLAG_YES, &run.flags.shows_progress, NULL, "show progress, and a table and a plot at the end"},
            {"json", RF_FLAG_YES, &run.flags.wants_json, NULL, "one JSON object on one line at the end"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    run.models = calloc(arguments.file_count + 1, sizeof *run.models);
    enum rf_status status = RF_OK;
    if (!run.models) {
        status = rf_fail(&err, RF_MEMORY, "out of memory");
    } else if (!arguments.file_count) {
        status = rf_fail(&err, RF_INVALID, "takes at least one settings file");
    } else if (run.flags.until && strcmp(run.flags.until, "end") != 0) {
        status = rf_fail(&err, RF_INVALID, "--until is \"%.100s\", must be end", run.flags.until);
    }
    if (!status) {
        status = run_all(&run, &arguments, &err);
    }
    code = status && status != RF_END ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
    code = code && run.is_log_broken ? RF_EXIT_BROKEN : code;
    for (size_t i = 0; run.models && i < arguments.file_count; i++) {
        destroy_model(&run.models[i]);
    }
    free(run.models);
    rf_arguments_finish(&arguments);
    return code;
}
