#include "ops/checkpoint.h"
#include "ops/clock.h"
#include "ops/printer.h"
#include "ops/rebuild.h"
#include "ops/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// Into a folder that holds no model yet.

static enum rf_status check_empty(struct rf_disk *disk, const char *path, struct rf_error *err) {
    static const char *const prefixes[] = {"snapshot-", "schedule-", "chain-"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char **names;
        size_t count;
        enum rf_status status = rf_disk_list(disk, path, prefixes[i], "", &names, &count, err);
        if (status) {
            return status == RF_NOT_FOUND ? RF_OK : status;
        }
        rf_disk_names_destroy(names, count);
        if (count) {
            return rf_fail(err, RF_CONFLICT, "%s holds a model already, --output must name a folder that does not", path);
        }
    }
    return RF_OK;
}

// Before much is folded for nothing.
static enum rf_status check_output(const char *path, struct rf_error *err) {
    struct rf_disk *disk;
    enum rf_status status = rf_disk_posix_create(&disk, err);
    if (!status) {
        status = check_empty(disk, path, err);
        rf_disk_destroy(disk);
    }
    return status;
}

static enum rf_status save_in(struct rf_rebuild *rebuild, struct rf_folder *folder, struct rf_error *err) {
    struct rf_pipeline *pipeline = rf_replay_pipeline(rebuild->replay);
    struct rf_checkpoint_options options = {.folder = folder,
                                            .log = &rebuild->assembly.log,
                                            .retention = {.keep = 1},
                                            .specification = rebuild->assembly.specification,
                                            .settings = rf_settings_table};
    struct rf_checkpoint *checkpoint;
    enum rf_status status = rf_checkpoint_create(&options, &checkpoint, err);
    if (status) {
        return status;
    }
    rf_pipeline_set_checkpoint(pipeline, checkpoint);
    status = rf_checkpoint_restore(checkpoint, pipeline, err); // opens the chain; there is nothing else
    if (status != RF_NOT_FOUND) {
        return status ? status : rf_fail(err, RF_CONFLICT, "%s got a snapshot meanwhile", folder->path);
    }
    rf_checkpoint_request(checkpoint);
    int64_t now_ms = rf_clock_system()->unix_ms(rf_clock_system());
    do {
        status = rf_pipeline_step(pipeline, NULL, now_ms, err);
        rf_checkpoint_work(checkpoint);
    } while (!status && rf_checkpoint_is_busy(checkpoint));
    const char *sentence;
    return !status && rf_checkpoint_failures(checkpoint, &sentence) ? rf_fail(err, RF_IO, "%s", sentence) : status;
}

static enum rf_status save(struct rf_rebuild *rebuild, const char *path, struct rf_error *err) {
    struct rf_folder folder;
    enum rf_status status = rf_folder_open(rebuild->assembly.disk, path, &folder, err);
    if (!status && (status = check_empty(rebuild->assembly.disk, path, err))) {
        rf_folder_close(&folder);
    }
    if (!status) {
        struct rf_version version;
        version = rf_pipeline_version(rf_replay_pipeline(rebuild->replay));
        version.epoch = folder.epoch;
        rf_pipeline_set_version(rf_replay_pipeline(rebuild->replay), version);
        status = save_in(rebuild, &folder, err);
        rf_folder_close(&folder);
    }
    return status;
}

// What came out.

static void print_json(struct rf_rebuild *rebuild, const struct rf_version *version, const char *digest) {
    struct rf_printer out = {0};
    struct rf_replay_progress progress;
    struct rf_pipeline *pipeline = rf_replay_pipeline(rebuild->replay);
    const struct rf_pipeline_counts *counts = rf_pipeline_counts(pipeline);
    const struct rf_positions *positions = rf_pipeline_positions(pipeline);
    rf_replay_progress(rebuild->replay, &progress);
    rf_printer_add(&out, "{\"model\":");
    rf_printer_quote(&out, rebuild->assembly.settings.name);
    rf_printer_format(&out, ",\"line\":%" PRIu32 ",\"base\":%" PRIu64 ",\"epoch\":%" PRIu32 ",\"since\":%" PRIu64, version->line,
                      version->base, version->epoch, version->since);
    rf_printer_format(&out, ",\"records\":%" PRIu64 ",\"learned\":%" PRIu64 ",\"rejected\":%" PRIu64, counts->records,
                      counts->learned, counts->rejected);
    rf_printer_format(&out, ",\"from\":%" PRIu64 ",\"folded\":%" PRIu64 ",\"met\":%" PRIu64 ",\"seconds\":%.3f,\"positions\":[",
                      progress.snapshot, progress.records - progress.begun, progress.met, rebuild->seconds);
    for (size_t i = 0; i < positions->count; i++) {
        rf_printer_add(&out, i ? ",{\"topic\":" : "{\"topic\":");
        rf_printer_quote(&out, positions->list[i].topic);
        rf_printer_format(&out, ",\"partition\":%" PRId32 ",\"next_offset\":%" PRId64 ",\"records\":%" PRIu64 "}",
                          positions->list[i].partition, positions->list[i].next_offset, positions->list[i].records);
    }
    rf_printer_format(&out, "],\"model_sha256\":\"%s\"}", digest);
    puts(out.text ? out.text : "");
    rf_printer_finish(&out);
}

static void print_table(struct rf_rebuild *rebuild, const struct rf_version *version, const char *digest) {
    struct rf_replay_progress progress;
    struct rf_pipeline *pipeline = rf_replay_pipeline(rebuild->replay);
    const struct rf_pipeline_counts *counts = rf_pipeline_counts(pipeline);
    const struct rf_positions *positions = rf_pipeline_positions(pipeline);
    rf_replay_progress(rebuild->replay, &progress);
    char from[48] = "nothing";
    if (progress.snapshot) {
        snprintf(from, sizeof from, "snapshot %" PRIu64, progress.snapshot);
    }
    printf("  %-9s line %" PRIu32 ", base %" PRIu64 ", epoch %" PRIu32 ", since %" PRIu64 "\n", "version", version->line,
           version->base, version->epoch, version->since);
    printf("  %-9s %" PRIu64 ", of them %" PRIu64 " learned and %" PRIu64 " rejected\n", "records", counts->records,
           counts->learned, counts->rejected);
    printf("  %-9s %" PRIu64 " from %s on, in %.3f s\n", "folded", progress.records - progress.begun, from, rebuild->seconds);
    if (progress.met) {
        printf("  %-9s %" PRIu64 " later snapshot%s met on the way, of the same model\n", "checked", progress.met,
               progress.met == 1 ? "" : "s");
    }
    for (size_t i = 0; i < positions->count; i++) {
        const struct rf_position *position = &positions->list[i];
        printf("  %-9s %s [%" PRId32 "] next offset %" PRId64 ", %" PRIu64 " records\n", "position", position->topic,
               position->partition, position->next_offset, position->records);
    }
    printf("  %-9s %s\n", "model", digest);
}

static enum rf_status tell(struct rf_rebuild *rebuild, const char *output, bool wants_json, struct rf_error *err) {
    struct rf_pipeline *pipeline = rf_replay_pipeline(rebuild->replay);
    struct rf_version versions[RF_REPLAY_VERSIONS_MAX];
    uint8_t digest[RF_SHA256_SIZE];
    char text[RF_SHA256_TEXT_SIZE];
    rf_replay_versions(rebuild->replay, versions);
    rf_assembly_model_sha256(&rebuild->assembly, pipeline, digest);
    rf_sha256_text(digest, text);
    rf_pipeline_set_version(pipeline, versions[0]);
    enum rf_status status = output ? save(rebuild, output, err) : RF_OK;
    if (!status) {
        (wants_json ? print_json : print_table)(rebuild, &versions[0], text);
    }
    return status;
}

int rf_verb_replay(const struct rf_verb *verb, int argc, char **argv) {
    bool wants_json = false;
    const char *until = NULL, *output = NULL;
    struct rf_rebuild_options options = {.verb = verb->name};
    const struct rf_flag flags[] = {
            {"until", RF_FLAG_TEXT, &until, "POINT",
             "TOPIC:PARTITION:OFFSET of the last record, or a time as in 2026-11-22T08:30:00Z, or a number of records"},
            {"line", RF_FLAG_UINT, &options.line, "N", "the line to follow, where rollbacks began new ones; else the newest"},
            {"output", RF_FLAG_TEXT, &output, "DIR", "write the model there, as the snapshot of a new state folder"},
            {"json", RF_FLAG_YES, &wants_json, NULL, "one JSON object on one line"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    struct rf_rebuild rebuild;
    enum rf_status status = arguments.file_count == 1
                                    ? RF_OK
                                    : rf_fail(&err, RF_INVALID, "takes one settings file, %zu are given", arguments.file_count);
    if (!status && until) {
        status = rf_point_read(until, &options.point, &err);
    }
    if (!status && output) {
        status = check_output(output, &err);
    }
    if (!status) {
        options.path = arguments.files[0];
        options.sets = arguments.sets;
        options.set_count = arguments.set_count;
        status = rf_rebuild_init(&options, &rebuild, &err);
    }
    if (!status) {
        status = tell(&rebuild, output, wants_json, &err);
        rf_rebuild_finish(&rebuild);
    }
    rf_arguments_finish(&arguments);
    return status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
}
