#include "ops/assembly.h"

#include "ingest/avro_schema.h"
#include "ops/checkpoint.h"
#include "ops/clock.h"
#include "ops/file.h"
#include "ops/specification.h"
#include "proto/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DESCRIPTORS_SIZE_MAX = 64 << 20 };

static enum rf_status no_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "settings: out of memory");
}

static struct rf_pair *find_pair(const struct rf_pairs *pairs, const char *name) {
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->list[i].name, name) == 0) {
            return &pairs->list[i];
        }
    }
    return NULL;
}

static enum rf_status add_pair(struct rf_pairs *pairs, const char *name, const char *value, size_t line) {
    struct rf_pair *list = realloc(pairs->list, (pairs->count + 1) * sizeof *list);
    if (!list) {
        return RF_MEMORY;
    }
    pairs->list = list;
    list[pairs->count] = (struct rf_pair){.name = strdup(name), .value = strdup(value), .line = line};
    pairs->count++;
    return list[pairs->count - 1].name && list[pairs->count - 1].value ? RF_OK : RF_MEMORY;
}

// The properties as the operator gave them, and the model's name as the group that offsets are committed for.
static enum rf_status take_kafka(struct rf_assembly *assembly) {
    const struct rf_pairs *given = &assembly->settings.kafka;
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < given->count && !status; i++) {
        status = add_pair(&assembly->kafka, given->list[i].name, given->list[i].value, given->list[i].line);
    }
    if (!status && given->count && !find_pair(given, "group.id")) {
        status = add_pair(&assembly->kafka, "group.id", assembly->settings.name, 0);
    }
    // A static member that dies while it is giving partitions up the cooperative way, and comes back, leaves those to nobody
    // until the next rebalance (Kafka 3.9, librdkafka 2.0.2). The eager way has no such state in between.
    if (!status && assembly->settings.fleet.shared && !find_pair(given, "partition.assignment.strategy")) {
        status = add_pair(&assembly->kafka, "partition.assignment.strategy", "roundrobin", 0);
    }
    return status;
}

enum rf_status rf_assembly_set_bootstrap(struct rf_assembly *assembly, const char *servers, struct rf_error *err) {
    struct rf_pair *pair = find_pair(&assembly->kafka, "bootstrap.servers");
    char *value = strdup(servers);
    if (!pair || !value) {
        free(value);
        return no_memory(err);
    }
    free(pair->value);
    pair->value = value;
    return RF_OK;
}

// Schemas are looked for in the state folder first, by all; they are put there by who holds it.
static enum rf_status make_registry(struct rf_assembly *assembly, struct rf_error *err) {
    const struct rf_registry_options *options = &assembly->settings.source.registry;
    const struct rf_http_options http_options = {.user = options->user,
                                                 .password = options->password,
                                                 .token = options->token,
                                                 .ca_file = options->ca_file,
                                                 .timeout_seconds = options->timeout_seconds,
                                                 .reply_bytes_max = (size_t)options->reply_bytes};
    struct rf_http *http;
    enum rf_status status = rf_http_curl_create(&http_options, &http, err);
    if (status) {
        return status;
    }
    assembly->schemas = (struct rf_schema_folder){
            .disk = assembly->disk, .state = assembly->settings.snapshots.directory, .log = &assembly->log};
    struct rf_registry_store store = rf_schema_folder_store(&assembly->schemas);
    bool is_serialized = rf_settings_decoder(&assembly->settings)->has_message_indexes;
    status = rf_registry_create(options, is_serialized, http, &store, &assembly->registry, err);
    assembly->decoder.registry = assembly->registry;
    return status;
}

enum rf_status rf_assembly_ask_registry(struct rf_assembly *assembly, struct rf_error *err) {
    enum { WAIT_MS = 50 };
    struct rf_clock *clock = rf_clock_system();
    enum rf_status status = RF_OK;
    do {
        status = assembly->registry ? rf_registry_probe(assembly->registry, clock->monotonic_ms(clock), WAIT_MS, err) : RF_OK;
    } while (status == RF_AGAIN);
    return status;
}

enum rf_status rf_assembly_init(const char *path, const char *const *sets, size_t set_count, struct rf_assembly *assembly_out,
                                struct rf_error *err) {
    struct rf_assembly *assembly = assembly_out;
    *assembly = (struct rf_assembly){0};
    enum rf_status status = rf_settings_load(path, sets, set_count, &assembly->settings, err);
    if (status) {
        return status;
    }
    assembly->has_settings = true;
    assembly->holdout_to = assembly->settings.evaluation.holdout;
    const struct rf_settings *settings = &assembly->settings;
    assembly->decoder = (struct rf_decoder_options){
            .limits = settings->source.limits,
            .framing = (enum rf_framing)settings->source.framing,
            .columns = settings->source.columns,
            .csv = settings->dialect,
            .fields = settings->source.fields,
            .envelope = (enum rf_envelope)settings->source.envelope,
            .protobuf_message = settings->source.protobuf.message,
            .numeric_texts = settings->source.numeric_texts,
    };
    rf_log_init(&assembly->log, &(struct rf_log_options){.file = STDERR_FILENO,
                                                         .format = (enum rf_log_format)settings->worker.log,
                                                         .level = (enum rf_log_level)settings->worker.log_level});
    assembly->has_log = true;
    assembly->specification = rf_specification_text(rf_settings_table, settings);
    if (!assembly->specification || take_kafka(assembly)) {
        status = no_memory(err);
    } else {
        status = rf_disk_posix_create(&assembly->disk, err);
    }
    if (!status && settings->source.registry.url) {
        status = make_registry(assembly, err);
    }
    if (!status && settings->source.avro.schema) {
        status = rf_file_read(settings->source.avro.schema, RF_AVRO_SCHEMA_BYTES_MAX, &assembly->avro_schema, err);
        assembly->decoder.avro_schema = assembly->avro_schema;
    }
    if (!status && settings->source.protobuf.descriptors) {
        status = rf_file_read(settings->source.protobuf.descriptors, DESCRIPTORS_SIZE_MAX, &assembly->descriptors, err);
        assembly->decoder.protobuf_descriptors = assembly->descriptors;
    }
    if (status) {
        rf_assembly_finish(assembly);
    }
    return status;
}

void rf_assembly_finish(struct rf_assembly *assembly) {
    if (assembly->has_folder) {
        rf_folder_close(&assembly->folder);
    }
    rf_outbox_finish(&assembly->outbox);
    rf_registry_destroy(assembly->registry);
    rf_disk_destroy(assembly->disk);
    for (size_t i = 0; i < assembly->kafka.count; i++) {
        free(assembly->kafka.list[i].name);
        free(assembly->kafka.list[i].value);
    }
    free(assembly->kafka.list);
    free(assembly->specification);
    free((char *)assembly->avro_schema.data);
    free((char *)assembly->descriptors.data);
    if (assembly->has_log) {
        rf_log_finish(&assembly->log);
    }
    if (assembly->has_settings) {
        rf_settings_finish(&assembly->settings);
    }
    *assembly = (struct rf_assembly){0};
}

enum rf_status rf_assembly_pipeline(struct rf_assembly *assembly, const struct rf_texts *columns,
                                    struct rf_pipeline **pipeline_out, struct rf_error *err) {
    const struct rf_settings *settings = &assembly->settings;
    if (columns && !settings->source.columns.count) {
        assembly->decoder.columns = *columns;
    }
    struct rf_pipeline_options options = {
            .name = settings->name,
            .seed = settings->seed,
            .features = &settings->features,
            .format = rf_settings_decoder(settings),
            .decoder = &assembly->decoder,
            .learner = &settings->learner,
            .batch_records = (size_t)settings->worker.batch_records,
            .batch_bytes = (size_t)settings->worker.batch_bytes,
            .use_baseline_kernels = settings->worker.kernels == RF_KERNELS_BASELINE,
            .window = (size_t)settings->evaluation.window,
            .holdout_from = assembly->holdout_from,
            .holdout_to = assembly->holdout_to,
    };
    return rf_pipeline_create(&options, pipeline_out, err);
}

// The columns that a file's own header line names; those of several files must be the same.
static enum rf_status take_columns(const struct rf_assembly *assembly, const struct rf_source *source, const char *path,
                                   struct rf_texts *columns, struct rf_error *err) {
    struct rf_texts found = {0};
    struct rf_text header = rf_source_file_header(source);
    enum rf_status status = header.data ? rf_decoder_csv_columns(header, &assembly->settings.dialect, &found, err)
                                        : rf_fail(err, RF_INVALID, "is empty, must begin with a line that names the columns");
    if (status) {
        return rf_fail_in(err, "%s", path);
    }
    if (!columns->count) {
        *columns = found;
        return RF_OK;
    }
    bool is_same = found.count == columns->count;
    for (size_t i = 0; i < found.count && is_same; i++) {
        is_same = strcmp(found.list[i], columns->list[i]) == 0;
    }
    rf_assembly_columns_finish(&found);
    return is_same ? RF_OK : rf_fail(err, RF_INVALID, "%s: has other columns than the files before it, must have the same", path);
}

// A file of the history is opened when it is to be read, since it may be put away after that, unless its header line is needed.
static enum rf_status file_source(const struct rf_assembly *assembly, const char *path, bool is_history,
                                  struct rf_source **source_out, struct rf_texts *columns, struct rf_error *err) {
    const struct rf_settings *settings = &assembly->settings;
    const struct rf_decoder_kind *format = rf_settings_file_format(settings);
    struct rf_source_file_options options = {
            .path = path,
            .is_csv = format->has_header_line,
            .is_delimited = !format->is_line_framed && !format->is_container,
            .is_container = format->is_container,
            .csv = settings->dialect,
            .has_header_line = format->has_header_line &&
                               (!settings->source.columns.count || settings->source.csv.header == RF_CSV_HEADER_SKIP),
            .record_bytes_max = settings->source.limits.record_bytes,
    };
    bool names_columns = options.has_header_line && !settings->source.columns.count;
    options.opens_late = is_history && !names_columns;
    struct rf_source *source;
    enum rf_status status = rf_source_file_create(&options, &source, err);
    if (status) {
        return status;
    }
    if (names_columns) {
        status = take_columns(assembly, source, path, columns, err);
    }
    if (status) {
        rf_source_destroy(source);
        return status;
    }
    *source_out = source;
    return RF_OK;
}

static void tell_codecs(struct rf_assembly *assembly) {
    char missing[RF_KAFKA_CODECS_SIZE];
    rf_source_kafka_codecs_missing(missing);
    if (missing[0]) {
        rf_log(&assembly->log, RF_LOG_WARN, "this librdkafka reads no topics that are compressed so",
               rf_log_text("codecs", missing));
    }
}

static enum rf_status topics_source(struct rf_assembly *assembly, const struct rf_texts *topics, bool is_history, bool until_end,
                                    struct rf_source **source_out, struct rf_error *err) {
    struct rf_source_kafka_options options = {
            .properties = &assembly->kafka,
            .topics = topics,
            .start = is_history ? RF_START_EARLIEST : assembly->settings.start,
            .start_time_ms = assembly->settings.start_time_ms,
            .until_end = until_end || is_history,
    };
    const struct rf_settings_source *settings = &assembly->settings.source;
    enum rf_status status = rf_source_kafka_create(&options, source_out, err);
    if (!status && settings->order == RF_ORDER_TIMESTAMP) {
        int64_t idle_ms = options.until_end ? -1 : (int64_t)(settings->order_idle_seconds * 1000);
        status = rf_source_merge_create(*source_out, idle_ms, rf_decoder_wants_headers(&assembly->decoder), source_out, err);
    }
    return status;
}

// Sources in the order in which they are read.
struct sources {
    struct rf_source **list;
    size_t count;
};

static enum rf_status make_sources(struct rf_assembly *assembly, bool with_topics, bool until_end, struct sources *sources,
                                   struct rf_texts *columns, struct rf_error *err) {
    const struct rf_settings_source *source = &assembly->settings.source;
    const struct rf_settings_history *history = &source->history;
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < history->files.count && !status; i++) {
        status = file_source(assembly, history->files.list[i], true, &sources->list[sources->count], columns, err);
        sources->count += !status;
    }
    if (!status && with_topics && history->topics.count) {
        status = topics_source(assembly, &history->topics, true, until_end, &sources->list[sources->count], err);
        sources->count += !status;
    }
    if (!status && source->file) {
        status = file_source(assembly, source->file, false, &sources->list[sources->count], columns, err);
        sources->count += !status;
    } else if (!status && with_topics && source->topics.count) {
        status = topics_source(assembly, &source->topics, false, until_end, &sources->list[sources->count], err);
        sources->count += !status;
    }
    return status;
}

static enum rf_status make_source(struct rf_assembly *assembly, bool with_topics, bool until_end, struct rf_source **source_out,
                                  struct rf_texts *columns_out, struct rf_error *err) {
    struct sources sources = {calloc(assembly->settings.source.history.files.count + 2, sizeof *sources.list), 0};
    *columns_out = (struct rf_texts){0};
    enum rf_status status =
            sources.list ? make_sources(assembly, with_topics, until_end, &sources, columns_out, err) : no_memory(err);
    if (!status && sources.count == 1) {
        *source_out = sources.list[0];
    } else if (!status) {
        status = rf_source_sequence_create(sources.list, sources.count, source_out, err);
    } else {
        for (size_t i = 0; i < sources.count; i++) {
            rf_source_destroy(sources.list[i]);
        }
    }
    if (status) {
        rf_assembly_columns_finish(columns_out);
    }
    free(sources.list);
    return status;
}

enum rf_status rf_assembly_source(struct rf_assembly *assembly, bool until_end, struct rf_source **source_out,
                                  struct rf_texts *columns_out, struct rf_error *err) {
    if (assembly->settings.source.topics.count || assembly->settings.source.history.topics.count) {
        tell_codecs(assembly);
    }
    return make_source(assembly, true, until_end, source_out, columns_out, err);
}

enum rf_status rf_assembly_files(struct rf_assembly *assembly, struct rf_source **source_out, struct rf_texts *columns_out,
                                 struct rf_error *err) {
    return make_source(assembly, false, true, source_out, columns_out, err);
}

enum rf_status rf_assembly_file(struct rf_assembly *assembly, const char *path, struct rf_source **source_out,
                                struct rf_texts *columns_out, struct rf_error *err) {
    *columns_out = (struct rf_texts){0};
    return file_source(assembly, path, false, source_out, columns_out, err);
}

void rf_assembly_columns_finish(struct rf_texts *columns) {
    for (size_t i = 0; i < columns->count; i++) {
        free(columns->list[i]);
    }
    free(columns->list);
    *columns = (struct rf_texts){0};
}

// Where others connect: the settings may leave the port open.
static void tell_endpoint(struct rf_assembly *assembly, const struct rf_sink *sink) {
    if (sink->endpoint) {
        rf_log(&assembly->log, RF_LOG_INFO, "sink bound", rf_log_text("sink", sink->label),
               rf_log_text("endpoint", sink->endpoint), rf_log_bool("lossy", sink->is_lossy));
    }
}

enum rf_status rf_assembly_sinks(struct rf_assembly *assembly, struct rf_pipeline *pipeline, struct rf_error *err) {
    const struct rf_settings *settings = &assembly->settings;
    struct rf_sink_context context = {
            .model = settings->name, .kafka = &assembly->kafka, .outbox = settings->fleet.shared ? &assembly->outbox : NULL};
    struct rf_sink *sink;
    for (size_t i = 0; i < settings->sinks.count; i++) {
        enum rf_status status = rf_sink_create(&settings->sinks.list[i], &context, &sink, err);
        if (!status) {
            status = rf_pipeline_add_sink(pipeline, sink, err);
        }
        if (status) {
            err->status = status == RF_BUSY ? RF_IO : status; // a taken port is not another worker of this model
            return rf_fail_in(err, "sinks.%zu", i);
        }
        tell_endpoint(assembly, sink);
    }
    enum rf_status status = rf_sink_rejected_create(&settings->rejected, &context, &sink, err);
    if (status) {
        return rf_fail_in(err, "rejected");
    }
    if (sink) {
        rf_pipeline_set_rejected(pipeline, sink);
    }
    return RF_OK;
}

enum rf_status rf_assembly_state(struct rf_assembly *assembly, struct rf_pipeline *pipeline, struct rf_error *err) {
    const struct rf_settings_snapshots *snapshots = &assembly->settings.snapshots;
    enum rf_status status = rf_folder_open(assembly->disk, snapshots->directory, &assembly->folder, err);
    if (status) {
        return status;
    }
    assembly->has_folder = assembly->schemas.is_held = true;
    struct rf_checkpoint_options options = {
            .folder = &assembly->folder,
            .log = &assembly->log,
            .every_records = snapshots->every.records,
            .every_ms = (int64_t)(snapshots->every.seconds * 1000),
            .retention = {(size_t)snapshots->keep, snapshots->keep_hours, snapshots->keep_days},
            .specification = assembly->specification,
            .settings = rf_settings_table,
    };
    struct rf_checkpoint *checkpoint;
    status = rf_checkpoint_create(&options, &checkpoint, err);
    if (!status) {
        rf_pipeline_set_checkpoint(pipeline, checkpoint);
    }
    return status;
}

void rf_assembly_model_sha256(const struct rf_assembly *assembly, struct rf_pipeline *pipeline,
                              uint8_t digest_out[RF_SHA256_SIZE]) {
    uint8_t specification[RF_SHA256_SIZE];
    rf_specification_sha256(assembly->specification, specification);
    rf_model_sha256(specification, rf_pipeline_state(pipeline), digest_out);
}
