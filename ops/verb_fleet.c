// riffle fleet: how a fleet stands, by its log of deltas.
#include "ops/assembly_fleet.h"
#include "ops/fleet_start.h"
#include "ops/printer.h"
#include "ops/specification.h"
#include "ops/verbs.h"
#include "proto/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fleet_flags {
    bool wants_json, verifies;
};

// What is shown.
struct view {
    struct rf_assembly assembly;
    struct rf_replica *replica;
    struct rf_pipeline *pipeline; // with --verify
    struct rf_layers *layers;
    struct rf_replica_reset *resets;
    size_t reset_count;
    int64_t *last_ms; // [worker_count] when the last delta of each came into the log
    size_t last_count;
    int64_t *ends; // [applied->count] of the topics; -1: not known
    int64_t now_ms;
};

static void note(void *context, const struct rf_replica_news *news, const struct rf_record *record) {
    struct view *view = context;
    size_t count = rf_replica_worker_count(view->replica);
    if (count > view->last_count) {
        int64_t *last = reallocarray(view->last_ms, count, sizeof *last);
        if (!last) {
            return;
        }
        memset(last + view->last_count, 0, (count - view->last_count) * sizeof *last);
        view->last_ms = last;
        view->last_count = count;
    }
    for (size_t i = 0; i < count; i++) {
        if (news->event == RF_REPLICA_FOLDED && strcmp(rf_replica_worker(view->replica, i)->name, news->worker) == 0) {
            view->last_ms[i] = record->timestamp_ms;
        }
    }
}

// Deltas were deleted: from a snapshot on.
static enum rf_status read_from_snapshot(struct view *view, struct rf_source *source, const struct rf_replica_options *replica,
                                         struct rf_error *err) {
    struct rf_fleet_start_options options = {.deltas = source, .clock = rf_clock_system(), .replica = *replica};
    struct rf_fleet_start start;
    enum rf_status status = rf_assembly_fleet_shelf(&view->assembly, &options.snapshots, err);
    status = status ? status : rf_fleet_start_find(&options, &start, err);
    rf_source_destroy(options.snapshots);
    if (status) {
        return status;
    }
    rf_replica_destroy(view->replica);
    free(view->resets);
    view->replica = start.replica;
    view->resets = start.resets;
    view->reset_count = start.reset_count;
    return rf_fleet_scan(source, start.log_offset, view->replica, rf_clock_system(), note, view, err);
}

static enum rf_status read_log(struct view *view, struct rf_error *err) {
    struct rf_source *source;
    enum rf_status status = rf_assembly_fleet_log(&view->assembly, true, &source, err);
    if (status) {
        return status;
    }
    const struct rf_replica_options options = {.model = view->assembly.settings.name,
                                               .layers = view->layers,
                                               .resets = view->resets,
                                               .reset_count = view->reset_count};
    status = rf_replica_create(&options, &view->replica, err);
    status = status ? status : rf_fleet_scan(source, RF_OFFSET_NONE, view->replica, rf_clock_system(), note, view, err);
    status = status == RF_CONFLICT ? read_from_snapshot(view, source, &options, err) : status;
    rf_source_destroy(source);
    return status;
}

// With --verify the log, or what is left of it, is folded a second time, now that its resets are known.
static enum rf_status verify(struct view *view, struct rf_error *err) {
    const struct rf_replica_reset *resets = rf_replica_resets(view->replica, &view->reset_count);
    free(view->resets);
    view->resets = calloc(view->reset_count + 1, sizeof *view->resets);
    if (!view->resets) {
        return rf_fail(err, RF_MEMORY, "out of memory for resets");
    }
    for (size_t i = 0; i < view->reset_count; i++) {
        view->resets[i] = resets[i];
    }
    rf_replica_destroy(view->replica);
    view->replica = NULL;
    enum rf_status status = rf_assembly_pipeline(&view->assembly, NULL, &view->pipeline, err);
    status = status ? status : rf_layers_create(rf_pipeline_state(view->pipeline), &view->layers, err);
    return status ? status : read_log(view, err);
}

// Where the topics end, for the lag.
static enum rf_status look_at_topics(struct view *view, struct rf_error *err) {
    const struct rf_positions *applied = rf_replica_applied(view->replica);
    struct rf_holding *holdings = calloc(applied->count + 1, sizeof *holdings);
    view->ends = calloc(applied->count + 1, sizeof *view->ends);
    const struct rf_source_kafka_options options = {
            .properties = &view->assembly.kafka, .topics = &view->assembly.settings.source.topics, .start = RF_START_EARLIEST};
    struct rf_source *source = NULL;
    struct rf_positions bare;
    rf_positions_init(&bare);
    enum rf_status status = holdings && view->ends ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for the lag");
    status = status ? status : rf_source_kafka_create(&options, &source, err);
    if (!status && rf_positions_copy(&bare, applied)) {
        status = rf_fail(err, RF_MEMORY, "out of memory for the lag");
    }
    for (size_t i = 0; i < bare.count; i++) {
        bare.list[i].fingerprint = 0; // no record need be read
    }
    status = status ? status : rf_source_look(source, &bare, holdings, err);
    for (size_t i = 0; i < applied->count && !status; i++) {
        view->ends[i] = holdings[i].end;
    }
    rf_positions_finish(&bare);
    rf_source_destroy(source);
    free(holdings);
    return status;
}

static void base_sha256(const struct view *view, char text_out[RF_SHA256_TEXT_SIZE]) {
    uint8_t specification[RF_SHA256_SIZE], digest[RF_SHA256_SIZE];
    rf_specification_sha256(view->assembly.specification, specification);
    rf_model_sha256(specification, rf_layers_base(view->layers), digest);
    rf_sha256_text(digest, text_out);
}

static int64_t lag_of(const struct view *view, size_t index) {
    int64_t next = rf_replica_applied(view->replica)->list[index].next_offset, end = view->ends[index];
    return end < 0 ? -1 : end > next ? end - next : 0;
}

static double age_of(const struct view *view, size_t index) {
    int64_t last = index < view->last_count ? view->last_ms[index] : 0;
    return last ? (double)(view->now_ms - last) / 1000 : -1;
}

static void print_text(const struct view *view, FILE *to) {
    const struct rf_replica *replica = view->replica;
    const struct rf_positions *applied = rf_replica_applied(replica);
    uint64_t records, learned, rejected;
    char digest[RF_SHA256_TEXT_SIZE];
    rf_replica_counts(replica, &records, &learned, &rejected);
    rf_sha256_text(rf_replica_chain(replica), digest);
    fprintf(to, "fleet    %s, line %" PRIu32 "\n", view->assembly.settings.name, rf_replica_line(replica));
    fprintf(to, "deltas   %" PRIu64 " count, %" PRIu64 " are void%s%s\n", rf_replica_number(replica), rf_replica_voids(replica),
            rf_replica_voids(replica) ? "; the last as " : "", rf_replica_last_void(replica));
    fprintf(to, "records  %" PRIu64 ", %" PRIu64 " learned, %" PRIu64 " rejected\n", records, learned, rejected);
    fprintf(to, "chain    %s\n", digest);
    if (view->layers) {
        base_sha256(view, digest);
        fprintf(to, "base     %s\n", digest);
    }
    for (size_t i = 0; i < rf_replica_worker_count(replica); i++) {
        const struct rf_replica_worker *worker = rf_replica_worker(replica, i);
        fprintf(to, "worker   %s: epoch %" PRIu32 ", %" PRIu64 " deltas, %" PRIu64 " void, %" PRIu64 " records", worker->name,
                worker->epoch, worker->deltas, worker->voids, worker->records);
        if (worker->deltas) {
            fprintf(to, ", the last %.1f s ago, %" PRIu64 " behind", age_of(view, i), worker->last - worker->start - 1);
        }
        fprintf(to, "%s\n", !worker->has_check ? "" : worker->check_differs ? ", ITS BASE DIFFERS" : ", base agrees");
    }
    for (size_t i = 0; i < applied->count; i++) {
        fprintf(to, "applied  %s [%" PRId32 "] next offset %" PRId64 ", lag %" PRId64 "\n", applied->list[i].topic,
                applied->list[i].partition, applied->list[i].next_offset, lag_of(view, i));
    }
}

static void add_workers(const struct view *view, struct rf_printer *out) {
    rf_printer_add(out, ",\"workers\":[");
    for (size_t i = 0; i < rf_replica_worker_count(view->replica); i++) {
        const struct rf_replica_worker *worker = rf_replica_worker(view->replica, i);
        rf_printer_add(out, i ? ",{\"worker\":" : "{\"worker\":");
        rf_printer_quote(out, worker->name);
        rf_printer_format(
                out, ",\"epoch\":%" PRIu32 ",\"deltas\":%" PRIu64 ",\"voids\":%" PRIu64 ",\"records\":%" PRIu64 ",\"agrees\":%s}",
                worker->epoch, worker->deltas, worker->voids, worker->records,
                !worker->has_check      ? "null"
                : worker->check_differs ? "false"
                                        : "true");
    }
    rf_printer_add(out, "]");
}

static void add_applied(const struct view *view, struct rf_printer *out) {
    const struct rf_positions *applied = rf_replica_applied(view->replica);
    rf_printer_add(out, ",\"applied\":[");
    for (size_t i = 0; i < applied->count; i++) {
        const struct rf_position *position = &applied->list[i];
        rf_printer_add(out, i ? ",{\"topic\":" : "{\"topic\":");
        rf_printer_quote(out, position->topic);
        rf_printer_format(out,
                          ",\"partition\":%" PRId32 ",\"next_offset\":%" PRId64 ",\"records\":%" PRIu64 ",\"lag\":%" PRId64 "}",
                          position->partition, position->next_offset, position->records, lag_of(view, i));
    }
    rf_printer_add(out, "]");
}

static void print_json(const struct view *view, FILE *to) {
    const struct rf_replica *replica = view->replica;
    struct rf_printer out = {0};
    uint64_t records, learned, rejected;
    char digest[RF_SHA256_TEXT_SIZE];
    rf_replica_counts(replica, &records, &learned, &rejected);
    rf_sha256_text(rf_replica_chain(replica), digest);
    rf_printer_add(&out, "{\"model\":");
    rf_printer_quote(&out, view->assembly.settings.name);
    rf_printer_format(&out,
                      ",\"line\":%" PRIu32 ",\"deltas\":%" PRIu64 ",\"voids\":%" PRIu64 ",\"records\":%" PRIu64
                      ",\"learned\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"chain_sha256\":\"%s\"",
                      rf_replica_line(replica), rf_replica_number(replica), rf_replica_voids(replica), records, learned, rejected,
                      digest);
    if (view->layers) {
        base_sha256(view, digest);
        rf_printer_format(&out, ",\"base_sha256\":\"%s\"", digest);
    }
    add_workers(view, &out);
    add_applied(view, &out);
    fprintf(to, "%s}\n", out.text ? out.text : "");
    rf_printer_finish(&out);
}

static enum rf_status show(struct view *view, const struct fleet_flags *flags, struct rf_error *err) {
    struct rf_clock *clock = rf_clock_system();
    enum rf_status status = read_log(view, err);
    if (!status && !rf_replica_is_founded(view->replica)) {
        char topic[RF_FLEET_TOPIC_SIZE];
        rf_assembly_fleet_topic(&view->assembly, topic);
        status = rf_fail(err, RF_NOT_FOUND, "there is no fleet of model %s yet: topic %s holds nothing",
                         view->assembly.settings.name, topic);
    }
    status = !status && flags->verifies ? verify(view, err) : status;
    status = status ? status : look_at_topics(view, err);
    view->now_ms = clock->unix_ms(clock);
    if (!status) {
        (flags->wants_json ? print_json : print_text)(view, stdout);
    }
    return status;
}

static void finish(struct view *view) {
    rf_replica_destroy(view->replica);
    rf_layers_destroy(view->layers);
    rf_pipeline_destroy(view->pipeline);
    free(view->resets);
    free(view->last_ms);
    free(view->ends);
    rf_assembly_finish(&view->assembly);
}

int rf_verb_fleet(const struct rf_verb *verb, int argc, char **argv) {
    struct fleet_flags flags = {0};
    const struct rf_flag list[] = {
            {"json", RF_FLAG_YES, &flags.wants_json, NULL, "one JSON object on one line"},
            {"verify", RF_FLAG_YES, &flags.verifies, NULL, "fold all deltas, and show the hash of the model that they make"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    struct rf_error err;
    struct view view = {0};
    int code;
    if (!rf_arguments_take(verb, argc, argv, list, &arguments, &code)) {
        return code;
    }
    enum rf_status status = arguments.file_count == 1 ? RF_OK : rf_fail(&err, RF_INVALID, "takes one settings file");
    bool has_assembly = false;
    if (!status) {
        status = rf_assembly_init(arguments.files[0], arguments.sets, arguments.set_count, &view.assembly, &err);
        has_assembly = !status;
    }
    if (!status && !view.assembly.settings.fleet.shared) {
        status = rf_fail(&err, RF_INVALID, "%s: fleet.shared is false: there is no fleet", arguments.files[0]);
    }
    status = status ? status : show(&view, &flags, &err);
    code = status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
    if (has_assembly) {
        finish(&view);
    }
    rf_arguments_finish(&arguments);
    return code;
}
