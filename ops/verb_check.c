#include "ingest/feature.h"
#include "ops/assembly.h"
#include "ops/checkpoint.h"
#include "ops/clock.h"
#include "ops/explain.h"
#include "ops/lone_record.h"
#include "ops/printer.h"
#include "ops/verbs.h"
#include "proto/state_merge.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 10000, RETRY_MS = 200, CONTRIBUTIONS_MAX = 16 };

// What is committed for each partition beside what its log holds. RF_CONFLICT where a start would find nothing to go on with.
static enum rf_status tell_partitions(const struct rf_positions *committed, const struct rf_holding *holdings, const char *note,
                                      enum rf_offset_lost lost, struct rf_error *err) {
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < committed->count; i++) {
        const struct rf_position *position = &committed->list[i];
        const struct rf_holding *holding = &holdings[i];
        bool is_committed = position->next_offset >= 0, is_known = holding->end >= 0;
        printf("  %s [%" PRId32 "]: ", position->topic, position->partition);
        printf(is_committed ? "committed %" PRId64 " %s" : "nothing committed", position->next_offset, note);
        if (is_known) {
            printf(", the log holds %" PRId64 " to %" PRId64, holding->first, holding->end);
        }
        putchar('\n');
        bool is_held = position->next_offset >= holding->first && position->next_offset <= holding->end;
        if (!status && is_committed && is_known && !is_held && lost == RF_OFFSET_LOST_FAIL) {
            status = rf_fail(err, RF_CONFLICT,
                             "offset %" PRId64 " of %s [%" PRId32 "] is not there: the log holds %" PRId64 " to %" PRId64
                             ", so a start would fail; say in source.on_offset_lost where to go on (earliest or latest)",
                             position->next_offset, position->topic, position->partition, holding->first, holding->end);
        }
    }
    return status;
}

// Asks the source for its partitions, what is committed for them, and what their logs hold.
static enum rf_status ask_source(struct rf_source *source, enum rf_offset_lost lost, struct rf_error *err) {
    struct rf_poll want = {.records_max = 1, .bytes_max = 1, .timeout_ms = RETRY_MS};
    struct rf_record unused; // nothing is delivered before it is told from where
    void *loan;
    struct rf_records none = {.list = &unused, .loans = &loan, .capacity = 1};
    struct rf_clock *clock = rf_clock_system();
    const struct rf_positions *partitions;
    enum rf_source_event event = RF_SOURCE_IDLE;
    enum rf_status status;
    int64_t begun = clock->monotonic_ms(clock);
    do {
        status = rf_source_poll(source, &want, &none, &event, &partitions, err);
        if (status && (!source->is_temporary || clock->monotonic_ms(clock) - begun > CONNECT_MS)) {
            return status;
        }
    } while (status || event != RF_SOURCE_ASSIGNED);
    struct rf_positions committed;
    char note[128] = "";
    rf_positions_init(&committed);
    status = rf_positions_copy(&committed, partitions) ? rf_fail(err, RF_MEMORY, "out of memory")
                                                       : rf_source_committed(source, &committed, note, sizeof note, err);
    struct rf_holding *holdings = calloc(committed.count + 1, sizeof *holdings);
    if (!status) {
        status = holdings ? rf_source_look(source, &committed, holdings, err) : rf_fail(err, RF_MEMORY, "out of memory");
    }
    if (!status) {
        status = tell_partitions(&committed, holdings, note, lost, err);
    }
    free(holdings);
    rf_positions_finish(&committed);
    return status;
}

// Makes every part that touches the outside, and asks it.
static enum rf_status check_world(struct rf_assembly *assembly, struct rf_pipeline *pipeline, struct rf_source *source,
                                  struct rf_error *err) {
    enum rf_status status = ask_source(source, (enum rf_offset_lost)assembly->settings.source.on_offset_lost, err);
    if (!status) {
        status = rf_assembly_ask_registry(assembly, err);
    }
    if (!status) {
        status = rf_assembly_sinks(assembly, pipeline, err);
    }
    return status;
}

static void print_event(const struct rf_event *event) {
    char room[RF_VALUE_ROOM];
    printf("event\n");
    for (size_t i = 0; i < event->count; i++) {
        const struct rf_field *field = &event->fields[i];
        printf("  %.*s = ", (int)field->name.size, field->name.data);
        struct rf_text words = rf_value_words(&field->value, room);
        printf(field->value.type == RF_VALUE_TEXT ? "\"%.*s\"\n" : "%.*s\n", (int)words.size, words.data);
    }
}

static void print_namespaces(const struct rf_event *event) {
    size_t begin = 0;
    for (size_t i = 0; i < event->namespace_count; i++) {
        const struct rf_namespace *space = &event->namespaces[i];
        printf("  |%.*s: %zu features\n", (int)space->name.size, space->name.data, space->end - begin);
        begin = space->end;
    }
}

// What the settings name and the record does not have: it may be a name that is misspelt.
static void print_absent(const struct rf_schema *schema, const struct rf_event *event) {
    const char *between = "  not in this record: ";
    for (uint32_t i = 0; i < rf_schema_count(schema); i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        bool is_read = !(field->roles & RF_ROLE_DERIVED) && rf_schema_wants(schema, i);
        if (is_read && !rf_event_holds(event, field->name, field->hash)) {
            printf("%s%.*s", between, (int)field->name.size, field->name.data);
            between = ", ";
        }
    }
    if (*between == ',') {
        putchar('\n');
    }
}

static const char *const kinds[] = {[RF_NUMBER] = "number", [RF_CATEGORY] = "category", [RF_SPARSE_NUMBER] = "sparse"};

// The first numbers of the vector.
static void print_vector(const struct rf_examples *examples) {
    enum { SHOWN = 8 };
    printf("  vector of %zu numbers:", examples->vector_size);
    for (size_t i = 0; i < examples->vector_size && i < SHOWN; i++) {
        printf(" %.9g", (double)examples->vector[i]);
    }
    printf(examples->vector_size > SHOWN ? " ...\n" : "\n");
}

static void print_example(const struct rf_schema *schema, const struct rf_event *event, const struct rf_examples *examples) {
    printf("example\n");
    if (examples->id[0].data) {
        printf("  id %.*s\n", (int)examples->id[0].size, examples->id[0].data);
    }
    if (isnan(examples->label[0])) {
        printf("  no label: it is predicted and not learned\n");
    } else {
        printf("  label %g, weight %g\n", examples->label[0], examples->weight[0]);
    }
    for (size_t i = examples->row_start[0]; i < examples->row_start[1]; i++) {
        struct rf_text name = examples->field_name[examples->field[i]];
        char words[64];
        rf_feature_words(schema, event, examples, 0, i, words, sizeof words);
        printf("  %-8s %-24.*s hash %016" PRIx64 " value %.17g%s%s\n", kinds[examples->kind[i]], (int)name.size, name.data,
               examples->hash[i], examples->value[i], words[0] ? "  " : "", words);
    }
    if (examples->vector_size) {
        print_vector(examples);
    }
}

static void print_contribution(const struct rf_schema *schema, const struct rf_event *event, const struct rf_examples *examples,
                               const struct rf_contribution *contribution) {
    char room[RF_CONTRIBUTION_ROOM], words[RF_CONTRIBUTION_WORDS];
    double raw;
    rf_contribution_words(schema, event, examples, contribution, words, &raw);
    struct rf_text name = rf_contribution_name(schema, examples, contribution, room);
    printf("  %+12.6f  %.*s%s%s: %.6g x weight %.6g\n", contribution->amount, (int)name.size, name.data, words[0] ? " = " : "",
           words, contribution->value, contribution->weight);
}

static void print_prediction(struct rf_pipeline *pipeline, const struct rf_event *event, const struct rf_batch *batch) {
    const struct rf_examples *examples = &batch->examples;
    const struct rf_learner *learner = rf_pipeline_learner(pipeline);
    rf_learner_predict(learner, examples, 0, batch->predictions.score);
    printf("prediction\n");
    for (uint32_t i = 0; i < learner->outputs; i++) {
        printf("  score %.17g", batch->predictions.score[i]);
        if (learner->task == RF_TASK_MULTICLASS && batch->predictions.classes) {
            printf("  %s", batch->predictions.classes[i]);
        }
        printf("\n");
    }
    struct rf_contribution contributions[CONTRIBUTIONS_MAX];
    size_t count = rf_learner_explain(learner, examples, 0, contributions, CONTRIBUTIONS_MAX);
    for (size_t i = 0; i < count && i < CONTRIBUTIONS_MAX; i++) {
        print_contribution(rf_pipeline_schema(pipeline), event, examples, &contributions[i]);
    }
}

static enum rf_status show_record(struct rf_pipeline *pipeline, const struct rf_decoder_kind *kind, struct rf_decoder *decoder,
                                  struct rf_batch *batch, const struct rf_record *record, const char *path,
                                  struct rf_error *err) {
    struct rf_event event;
    struct rf_decode_error error;
    enum rf_status status = rf_lone_record_resolve(decoder, record, rf_clock_system(), stderr, err);
    if (status) {
        return status;
    }
    status = rf_decoder_decode(decoder, record, &batch->arena, &event, &error);
    if (!status) {
        print_event(&event);
        print_namespaces(&event);
        print_absent(rf_pipeline_schema(pipeline), &event);
        const struct rf_learner *learner = rf_pipeline_learner(pipeline);
        status = rf_feature_append(rf_pipeline_schema(pipeline), learner->task, learner->outputs, &event, record,
                                   &batch->examples, &error);
    }
    if (status) {
        return rf_fail(err, RF_INVALID, "%s would be rejected (%s): %s%s", path, rf_reason_word(error.reason), error.detail,
                       rf_lone_record_hint(kind, record->value));
    }
    print_example(rf_pipeline_schema(pipeline), &event, &batch->examples);
    print_prediction(pipeline, &event, batch);
    return RF_OK;
}

// Takes the file's bytes (a line end at its end apart) as one record through the stages.
static enum rf_status check_record(struct rf_assembly *assembly, struct rf_pipeline *pipeline, const char *path,
                                   struct rf_error *err) {
    const uint8_t *data = NULL;
    size_t size = 0, index;
    struct rf_decoder *decoder = NULL;
    struct rf_batch *batch = NULL;
    enum rf_status status = rf_disk_read(assembly->disk, path, &data, &size, err);
    if (!status && rf_positions_add(rf_pipeline_positions(pipeline), path, 0, &index)) {
        status = rf_fail(err, RF_MEMORY, "out of memory");
    }
    if (!status) {
        status = rf_pipeline_decoder(pipeline, &decoder, err);
    }
    if (!status) {
        status = rf_pipeline_batch(pipeline, &batch, err);
    }
    if (!status) {
        const struct rf_decoder_kind *kind = rf_settings_file_format(&assembly->settings);
        size_t length = kind->is_line_framed && size && data[size - 1] == '\n' ? size - 1 : size;
        struct rf_record record = {.value = {size ? (const char *)data : "", length}, .timestamp_ms = -1};
        if (assembly->settings.source.fields.count) {
            printf("a file has no key, headers or timestamp: what source.fields names is null\n");
        }
        if (assembly->settings.source.envelope == RF_ENVELOPE_CLOUDEVENTS) {
            printf("a file has no headers: it is read in structured mode\n");
        }
        status = show_record(pipeline, kind, decoder, batch, &record, path, err);
    }
    rf_batch_destroy(batch);
    rf_decoder_destroy(decoder);
    if (data) {
        rf_disk_forget(assembly->disk, data, size);
    }
    return status;
}

// Whether the format can give what `features` names.
static enum rf_status check_decoder(const struct rf_pipeline *pipeline, struct rf_error *err) {
    struct rf_decoder *decoder = NULL;
    enum rf_status status = rf_pipeline_decoder(pipeline, &decoder, err);
    rf_decoder_destroy(decoder);
    return status;
}

static enum rf_status check_one(const char *path, const struct rf_arguments *arguments, bool connects, const char *record,
                                struct rf_error *err) {
    struct rf_assembly assembly;
    struct rf_source *source = NULL;
    struct rf_pipeline *pipeline = NULL;
    struct rf_texts columns = {0};
    enum rf_status status = rf_assembly_init(path, arguments->sets, arguments->set_count, &assembly, err);
    if (status) {
        return status;
    }
    bool reads_file = assembly.settings.source.file && strcmp(assembly.settings.source.file, "-") != 0;
    bool reads_topics = assembly.settings.source.topics.count && !assembly.settings.is_embedded; // checks the properties too
    if (reads_topics || reads_file) {
        status = rf_assembly_source(&assembly, false, &source, &columns, err);
    }
    if (!status) {
        status = rf_assembly_pipeline(&assembly, &columns, &pipeline, err);
    }
    if (!status && assembly.settings.fleet.shared && rf_state_merge_check(rf_pipeline_state(pipeline), err)) {
        status = rf_fail_in(err, "fleet.shared is true, but this model cannot be shared");
    }
    if (!status && source) { // else the columns of csv may be unknown
        status = check_decoder(pipeline, err);
    }
    if (!status && record) {
        status = check_record(&assembly, pipeline, record, err);
    }
    if (!status && connects && source) {
        status = check_world(&assembly, pipeline, source, err);
    }
    if (!status) {
        printf("%s: good\n", path);
    }
    rf_pipeline_destroy(pipeline);
    rf_source_destroy(source);
    rf_assembly_columns_finish(&columns);
    rf_assembly_finish(&assembly);
    return status;
}

int rf_verb_check(const struct rf_verb *verb, int argc, char **argv) {
    bool connects = false;
    const char *record = NULL;
    const struct rf_flag flags[] = {
            {"connect", RF_FLAG_YES, &connects, NULL,
             "ask the world too: brokers, topics, committed offsets, schema registry; sinks are opened as a worker would, so "
             "none may run"},
            {"record", RF_FLAG_TEXT, &record, "FILE",
             "show what becomes of the record in FILE: event, example, prediction of an untaught model"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    enum rf_status status = arguments.file_count ? RF_OK : rf_fail(&err, RF_INVALID, "takes at least one settings file");
    for (size_t i = 0; i < arguments.file_count && !status; i++) {
        status = check_one(arguments.files[i], &arguments, connects, record, &err);
    }
    rf_arguments_finish(&arguments);
    return status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
}
