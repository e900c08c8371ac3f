#include "ops/assembly.h"
#include "ops/chain.h"
#include "ops/checkpoint.h"
#include "ops/clock.h"
#include "ops/printer.h"
#include "ops/snapshot_files.h"
#include "ops/verbs.h"
#include "proto/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct view {
    struct rf_disk *disk;
    bool wants_json;
    size_t shown, broken;
};

static void time_text(int64_t ms, char text_out[32]) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text_out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static void list_json(const char *path, size_t size, const struct rf_snapshot_header *header, const char *when,
                      const struct rf_error *err) {
    struct rf_printer line = {0};
    rf_printer_add(&line, "{\"path\":");
    rf_printer_quote(&line, path);
    rf_printer_format(&line, ",\"bytes\":%zu", size);
    if (header) {
        rf_printer_format(&line,
                          ",\"created\":\"%s\",\"line\":%" PRIu32 ",\"number\":%" PRIu64 ",\"records\":%" PRIu64
                          ",\"learned\":%" PRIu64,
                          when, header->version.line, header->version.base, header->records, header->learned);
    } else {
        rf_printer_add(&line, ",\"error\":");
        rf_printer_quote(&line, err->text);
    }
    printf("%s}\n", line.text ? line.text : "");
    rf_printer_finish(&line);
}

static void list_line(const struct view *view, const char *path, size_t size, const struct rf_snapshot_header *header,
                      const struct rf_error *err) {
    char when[32] = "";
    if (header) {
        time_text(header->created_ms, when);
    }
    if (view->wants_json) {
        list_json(path, size, header, when, err);
    } else if (header) {
        printf("%s  %zu bytes  %s  line %" PRIu32 "  number %" PRIu64 "  records %" PRIu64 "  learned %" PRIu64 "\n", path, size,
               when, header->version.line, header->version.base, header->records, header->learned);
    } else {
        printf("%s  %zu bytes  BROKEN: %s\n", path, size, err->text);
    }
}

static void show_block(void *context, const char *name, uint64_t rows, uint64_t row_size, uint64_t stored_size) {
    (void)context;
    printf("  block %-24s %10" PRIu64 " rows of %3" PRIu64 " bytes, %10" PRIu64 " bytes not zero\n", name, rows, row_size,
           stored_size);
}

static void show(const uint8_t *data, size_t size, const char *path, const struct rf_snapshot_header *header,
                 const uint8_t *sha256) {
    char when[32], digest[RF_SHA256_TEXT_SIZE], model[RF_SHA256_TEXT_SIZE], parent[RF_SHA256_TEXT_SIZE];
    time_text(header->created_ms, when);
    rf_sha256_text(sha256, digest);
    rf_sha256_text(header->model_sha256, model);
    rf_sha256_text(header->parent_sha256, parent);
    printf("%s\n  model         %s\n  created       %s by riffle %s, worker %s\n", path, header->model, when, header->program,
           header->worker);
    printf("  version       line %" PRIu32 ", number %" PRIu64 ", epoch %" PRIu32 "\n", header->version.line,
           header->version.base, header->version.epoch);
    printf("  records       %" PRIu64 " applied, %" PRIu64 " learned, %" PRIu64 " rejected\n", header->records, header->learned,
           header->rejected);
    printf("  sha256        %s\n  model_sha256  %s\n  parent        %s\n", digest, model, header->has_parent ? parent : "none");
    for (size_t i = 0; i < header->positions.count; i++) {
        const struct rf_position *position = &header->positions.list[i];
        printf("  position      %s [%" PRId32 "] next offset %" PRId64 ", %" PRIu64 " records\n", position->topic,
               position->partition, position->next_offset, position->records);
    }
    for (size_t i = 0; i < header->bookmark_count; i++) {
        printf("  bookmark      %s at %" PRIu64 "\n", header->bookmarks[i].sink, header->bookmarks[i].value);
    }
    struct rf_error ignored;
    rf_snapshot_each_block(data, size, show_block, NULL, &ignored);
    printf("  specification\n");
    for (const char *line = header->specification; *line;) {
        size_t length = strcspn(line, "\n");
        printf("    %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

// Looks at one snapshot in the way the verb's first word asks for.
static enum rf_status look(struct view *view, const char *how, const char *path, struct rf_error *err) {
    const uint8_t *data;
    size_t size;
    enum rf_status status = rf_disk_read(view->disk, path, &data, &size, err);
    if (status) {
        return status;
    }
    struct rf_snapshot_header header;
    uint8_t sha256[RF_SHA256_SIZE];
    status = rf_snapshot_read_header(data, size, &header, sha256, err);
    view->shown++;
    view->broken += status != RF_OK;
    if (strcmp(how, "list") == 0) {
        list_line(view, path, size, status ? NULL : &header, err);
    } else if (status) {
        printf("%s: %s\n", path, err->text);
    } else if (strcmp(how, "show") == 0) {
        show(data, size, path, &header, sha256);
    } else {
        char digest[RF_SHA256_TEXT_SIZE];
        rf_sha256_text(sha256, digest);
        printf("%s: verifies, sha256 %s\n", path, digest);
    }
    if (!status) {
        rf_snapshot_header_finish(&header);
    }
    rf_disk_forget(view->disk, data, size);
    return RF_OK;
}

// What is on record of all snapshots that ever were, and whether it holds together.
static enum rf_status verify_chain(struct view *view, const char *folder, struct rf_error *err) {
    struct rf_chain_report report;
    enum rf_status status = rf_chain_verify(view->disk, folder, &report, err);
    if (status == RF_CORRUPT) {
        printf("%s: the chain is broken: %s\n", folder, err->text);
        view->broken++;
        return RF_OK;
    }
    if (!status && report.links) {
        printf("%s: the chain is whole: %" PRIu64 " snapshots on record from number %" PRIu64 " to %" PRIu64 ", %" PRIu64
               " of them in the folder, %" PRIu64 " line%s",
               folder, report.links, report.first, report.last, report.snapshots, report.lines, report.lines == 1 ? "" : "s");
        printf(report.passed_over ? ", %" PRIu64 " passed over\n" : "\n", report.passed_over);
    }
    return status;
}

static enum rf_status look_into_folder(struct view *view, const char *how, const char *folder, struct rf_error *err) {
    struct rf_snapshot_files files;
    enum rf_status status = rf_snapshot_files_list(view->disk, folder, &files, err);
    if (status) {
        return status;
    }
    bool is_newest_only = strcmp(how, "show") == 0;
    for (size_t i = is_newest_only && files.count ? files.count - 1 : 0; i < files.count && !status; i++) {
        char path[RF_SNAPSHOT_PATH_SIZE];
        rf_snapshot_files_path(&files, i, path);
        status = look(view, how, path, err);
    }
    rf_snapshot_files_finish(&files);
    if (!status && !files.count) {
        status = rf_fail(err, RF_NOT_FOUND, "there is no snapshot in %s", folder);
    }
    return !status && strcmp(how, "verify") == 0 ? verify_chain(view, folder, err) : status;
}

// A settings file stands for its state folder.
static enum rf_status look_at(struct view *view, const struct rf_arguments *arguments, const char *path, struct rf_error *err) {
    const char *how = arguments->files[0];
    size_t size = strlen(path);
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return look_into_folder(view, how, path, err);
    }
    bool is_settings = size > 5 && (strcmp(path + size - 5, ".yaml") == 0 || strcmp(path + size - 4, ".yml") == 0);
    if (!is_settings) {
        return look(view, how, path, err);
    }
    struct rf_settings settings;
    enum rf_status read = rf_settings_load(path, arguments->sets, arguments->set_count, &settings, err);
    if (!read) {
        read = look_into_folder(view, how, settings.snapshots.directory, err);
        rf_settings_finish(&settings);
    }
    return read;
}

// The model of a settings file. Nothing is read from its source: a CSV file's own header says what the columns are.
struct model {
    struct rf_texts columns;
    struct rf_source *source;
    struct rf_pipeline *pipeline;
};

// Finish it also when this fails.
static enum rf_status make_model(struct rf_assembly *assembly, struct model *model, struct rf_error *err) {
    *model = (struct model){0};
    bool has_file = assembly->settings.source.file || assembly->settings.source.history.files.count;
    enum rf_status status = has_file ? rf_assembly_files(assembly, &model->source, &model->columns, err) : RF_OK;
    return status ? status : rf_assembly_pipeline(assembly, &model->columns, &model->pipeline, err);
}

static void finish_model(struct model *model) {
    rf_pipeline_destroy(model->pipeline);
    rf_source_destroy(model->source);
    rf_assembly_columns_finish(&model->columns);
}

static enum rf_status roll_back_to(struct rf_assembly *assembly, uint64_t number, struct rf_error *err) {
    struct model model;
    struct rf_version version;
    enum rf_status status = make_model(assembly, &model, err);
    if (!status) {
        status = rf_assembly_state(assembly, model.pipeline, err);
    }
    if (!status) {
        int64_t now_ms = rf_clock_system()->unix_ms(rf_clock_system());
        status = rf_checkpoint_rollback(rf_pipeline_checkpoint(model.pipeline), model.pipeline, number, now_ms, &version, err);
    }
    if (!status) {
        printf("%s goes on from snapshot %" PRIu64 ", as snapshot %" PRIu64 " on line %" PRIu32 ": %" PRIu64
               " records applied, those after them are folded again\n",
               assembly->settings.name, number, version.base, version.line, rf_pipeline_counts(model.pipeline)->records);
    }
    finish_model(&model);
    return status;
}

struct reading {
    struct rf_assembly *assembly;
    struct rf_pipeline *pipeline;
};

// Nothing hangs on it but what is shown: whatever is wrong with one of the model, an older one may do.
static enum rf_status read_or_pass_over(void *context, const char *path, struct rf_error *err) {
    const struct reading *reading = context;
    struct rf_assembly *assembly = reading->assembly;
    const uint8_t *data;
    size_t size;
    struct rf_snapshot_header header;
    if (rf_disk_read(assembly->disk, path, &data, &size, err)) {
        return RF_NOT_FOUND;
    }
    enum rf_status status = rf_snapshot_read_header(data, size, &header, NULL, err);
    bool is_kin = true;
    if (!status) {
        is_kin = rf_snapshot_check_kin(&header, path, rf_pipeline_name(reading->pipeline), assembly->specification,
                                       rf_settings_table, &assembly->log, err) == RF_OK;
        status = is_kin ? rf_snapshot_read_state(data, size, rf_pipeline_state(reading->pipeline), err) : RF_CONFLICT;
        status = status ? status : rf_learner_check(rf_pipeline_learner(reading->pipeline), err);
        rf_snapshot_header_finish(&header);
    }
    rf_disk_forget(assembly->disk, data, size);
    return !is_kin ? RF_CONFLICT : status ? RF_NOT_FOUND : RF_OK;
}

// The model as it stands in the newest snapshot of its folder that verifies; nothing is locked or written.
static enum rf_status read_newest(struct rf_assembly *assembly, struct rf_pipeline *pipeline, struct rf_error *err) {
    const char *folder = assembly->settings.snapshots.directory;
    struct reading reading = {assembly, pipeline};
    struct rf_snapshot_files files;
    enum rf_status status = rf_snapshot_files_list(assembly->disk, folder, &files, err);
    if (status) {
        return status;
    }
    rf_fail(err, RF_NOT_FOUND, "there is no snapshot in %s", folder);
    status = rf_snapshot_files_try(&files, read_or_pass_over, &reading, err);
    rf_snapshot_files_finish(&files);
    return status ? err->status : RF_OK;
}

static const char *feature_of(const struct rf_pipeline *pipeline, uint64_t row, char text_out[64]) {
    const struct rf_schema *schema = rf_pipeline_schema(pipeline);
    uint64_t rows = rf_pipeline_learner((struct rf_pipeline *)pipeline)->rows;
    text_out[0] = '\0';
    if (row == RF_ROW_BIAS) {
        return "(bias)";
    }
    for (uint32_t i = 0; rows && i < rf_schema_count(schema); i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        if ((field->roles & RF_ROLE_NUMBER) && field->hash % rows == row) {
            snprintf(text_out, 64, "%.*s", (int)(field->name.size < 63 ? field->name.size : 63), field->name.data);
        }
    }
    return text_out;
}

// In quotes where the text asks for them (RFC 4180).
static void print_csv(struct rf_printer *line, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        rf_printer_add(line, text);
        return;
    }
    rf_printer_add(line, "\"");
    for (; *text; text++) {
        rf_printer_format(line, *text == '"' ? "\"%c" : "%c", *text);
    }
    rf_printer_add(line, "\"");
}

static void export_weight(void *context, uint64_t row, uint32_t output, double weight) {
    const struct rf_pipeline *pipeline = context;
    char name[64], place[24] = "";
    struct rf_printer line = {0};
    if (row != RF_ROW_BIAS) {
        snprintf(place, sizeof place, "%" PRIu64, row);
    }
    rf_printer_format(&line, "%s,%" PRIu32 ",", place, output);
    print_csv(&line, feature_of(pipeline, row, name));
    rf_printer_add(&line, ",");
    rf_printer_real(&line, weight);
    printf("%s\n", line.text ? line.text : "");
    rf_printer_finish(&line);
}

static enum rf_status export_from(struct rf_assembly *assembly, struct rf_error *err) {
    struct model model;
    enum rf_status status = make_model(assembly, &model, err);
    if (!status) {
        status = read_newest(assembly, model.pipeline, err);
    }
    if (!status) {
        printf("row,output,feature,weight\n");
        if (!rf_learner_weights(rf_pipeline_learner(model.pipeline), export_weight, model.pipeline)) {
            status = rf_fail(err, RF_UNSUPPORTED, "a model of learner %s has no weights to export",
                             assembly->settings.learner.kind->name);
        }
    }
    finish_model(&model);
    return status;
}

static enum rf_status export_weights(const struct rf_arguments *arguments, struct rf_error *err) {
    if (arguments->file_count != 2) {
        return rf_fail(err, RF_INVALID, "export takes a settings file");
    }
    struct rf_assembly assembly;
    enum rf_status status = rf_assembly_init(arguments->files[1], arguments->sets, arguments->set_count, &assembly, err);
    if (!status) {
        status = export_from(&assembly, err);
        rf_assembly_finish(&assembly);
    }
    return status;
}

static enum rf_status roll_back(const struct rf_arguments *arguments, struct rf_error *err) {
    if (arguments->file_count != 3) {
        return rf_fail(err, RF_INVALID, "rollback takes a settings file and the number of a snapshot");
    }
    const char *text = arguments->files[2];
    if (text[0] == '\0' || strlen(text) > 19 || strspn(text, "0123456789") != strlen(text)) {
        return rf_fail(err, RF_INVALID, "\"%.40s\" is no number of a snapshot; snapshot list shows them", text);
    }
    struct rf_assembly assembly;
    enum rf_status status = rf_assembly_init(arguments->files[1], arguments->sets, arguments->set_count, &assembly, err);
    if (!status) {
        status = roll_back_to(&assembly, strtoull(text, NULL, 10), err);
        rf_assembly_finish(&assembly);
    }
    return status;
}

static enum rf_status look_at_all(struct view *view, const struct rf_arguments *arguments, struct rf_error *err) {
    enum rf_status status = rf_disk_posix_create(&view->disk, err);
    if (!status) {
        for (size_t i = 1; i < arguments->file_count && !status; i++) {
            status = look_at(view, arguments, arguments->files[i], err);
        }
        rf_disk_destroy(view->disk);
    }
    return status;
}

int rf_verb_snapshot(const struct rf_verb *verb, int argc, char **argv) {
    struct view view = {0};
    const struct rf_flag flags[] = {
            {"json", RF_FLAG_YES, &view.wants_json, NULL, "list: one JSON object a line"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    enum rf_status status;
    const char *how = arguments.file_count ? arguments.files[0] : "";
    if (strcmp(how, "rollback") == 0) {
        status = roll_back(&arguments, &err);
    } else if (strcmp(how, "export") == 0) {
        status = export_weights(&arguments, &err);
    } else if (arguments.file_count > 1 && (strcmp(how, "list") == 0 || strcmp(how, "show") == 0 || strcmp(how, "verify") == 0)) {
        status = look_at_all(&view, &arguments, &err);
    } else {
        status = rf_fail(&err, RF_INVALID,
                         "takes list, show or verify, and settings files, state folders or snapshots; export and a settings "
                         "file; or rollback, a settings file and the number of a snapshot");
    }
    rf_arguments_finish(&arguments);
    if (status) {
        return rf_arguments_complain(verb, &err);
    }
    return view.broken ? RF_EXIT_FAILED : RF_EXIT_DONE;
}
