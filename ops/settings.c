#include "ops/settings_internal.h"

#include "ingest/derived.h"
#include "ingest/generator.h"
#include "ingest/record_field.h"
#include "ingest/rfc3339.h"
#include "learners/evaluation.h"
#include "learners/learner.h"
#include "ops/config.h"

#include <stdlib.h>
#include <string.h>

#define NOT_MODEL RF_SETTING_NOT_MODEL

enum { NAME_SIZE_MAX = 100 };

static const char *const formats[] = {"json", "csv", "vw", "libsvm", "protobuf", "avro", NULL}; // names of rf_decoder_kinds
static const char *const framings[] = {"none", "confluent", NULL};                              // as enum rf_framing
static const char *const log_formats[] = {"logfmt", "json", NULL};                              // as enum rf_log_format
static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const orders[] = {"arrival", "timestamp", NULL};            // as enum rf_order
static const char *const offset_lost[] = {"fail", "earliest", "latest", NULL}; // as enum rf_offset_lost
static const char *const envelopes[] = {"none", "cloudevents", NULL};          // as enum rf_envelope
static const char *const kernels[] = {"auto", "baseline", NULL};

static const struct rf_setting history_settings[] = {
        RF_TEXTS(struct rf_settings_history, files, NOT_MODEL,
                 "files in the source's format, plain, gzip or zstd, one after the other; before the topics"),
        RF_TEXTS(struct rf_settings_history, topics, NOT_MODEL, "Kafka topics, from their beginning to their end"),
        {0},
};

static const struct rf_setting avro_settings[] = {
        RF_TEXT(struct rf_settings_avro, schema, NULL, NOT_MODEL,
                "file of the schema that records of topics were written with; container files bring their own"),
        {0},
};

static const struct rf_setting protobuf_settings[] = {
        RF_TEXT(struct rf_settings_protobuf, descriptors, NULL, NOT_MODEL,
                "file that protoc --include_imports --descriptor_set_out wrote; absent: records are riffle.v1.Example"),
        RF_TEXT(struct rf_settings_protobuf, message, NULL, NOT_MODEL, "name of the message in it, in full: shop.v1.Order"),
        {0},
};

static const struct rf_setting source_settings[] = {
        RF_TEXTS(struct rf_settings_source, topics, NOT_MODEL, "Kafka topics to learn from; this or file"),
        RF_TEXT(struct rf_settings_source, file, NULL, NOT_MODEL, "file to learn from, plain, gzip or zstd; - is standard input"),
        RF_SECTION(struct rf_settings_source, history, history_settings, NOT_MODEL,
                   "what is learned first, to its end; closed once a record of the source itself was learned"),
        RF_CHOICE(struct rf_settings_source, format, "json", formats, NOT_MODEL, "form of the records"),
        RF_CHOICE(struct rf_settings_source, framing, "none", framings, NOT_MODEL,
                  "what stands in front of the value of a record; confluent: a schema id, as Confluent's serialisers write it"),
        RF_SECTION(struct rf_settings_source, registry, rf_registry_settings, NOT_MODEL,
                   "framing confluent: the schema registry (Confluent's HTTP interface) that knows the ids"),
        RF_TEXT(struct rf_settings_source, start, "earliest", NOT_MODEL,
                "where to start without a snapshot: earliest, latest or an RFC 3339 time"),
        RF_CHOICE(struct rf_settings_source, order, "arrival", orders, NOT_MODEL,
                  "of the partitions of topics: as records come, or merged by their timestamps, so that the log alone decides"),
        RF_REAL(struct rf_settings_source, order_idle_seconds, "1", 0, 86400, NOT_MODEL,
                "timestamp: seconds without a record after which a partition is not waited for; with --until end all are"),
        RF_CHOICE(struct rf_settings_source, on_offset_lost, "fail", offset_lost, NOT_MODEL,
                  "when the log no longer holds what comes next, or another record than the one learned last: fail, or go on at "
                  "its first record or at its end, in a new line of the model"),
        RF_TEXTS(struct rf_settings_source, columns, NOT_MODEL,
                 "csv: names of the columns; a file may give them in its first line"),
        RF_TEXT(struct rf_settings_source, delimiter, ",", NOT_MODEL, "csv: the character between fields, or tab"),
        RF_SECTION(struct rf_settings_source, csv, rf_csv_settings, NOT_MODEL, "csv: how it is written"),
        RF_CHOICE(struct rf_settings_source, envelope, "none", envelopes, NOT_MODEL,
                  "what is around the values: nothing, or CloudEvents 1.0, whose attributes are then fields called ce_NAME"),
        RF_PAIRS(struct rf_settings_source, fields, NOT_MODEL,
                 "fields beside those of the value, NAME: key, key.int32, key.int64, header.NAME or timestamp"),
        RF_SECTION(struct rf_settings_source, protobuf, protobuf_settings, NOT_MODEL,
                   "protobuf: messages of your own; in a file each stands behind its size, a varint"),
        RF_BOOL(struct rf_settings_source, numeric_texts, "false", NOT_MODEL,
                "texts of fields that must be numbers (or times) are read as the numbers they spell; an empty one is null"),
        RF_SECTION(struct rf_settings_source, avro, avro_settings, NOT_MODEL, "of records in Avro's binary encoding"),
        RF_SECTION(struct rf_settings_source, limits, rf_decode_limit_settings, NOT_MODEL,
                   "a record over one of these is rejected"),
        {0},
};

static const struct rf_setting embedded_settings[] = {
        RF_TEXT(struct rf_settings_embedded, stream, "cards", NOT_MODEL, "generator that fills the topic"),
        RF_UINT(struct rf_settings_embedded, records, "0", 0, 9007199254740992.0, NOT_MODEL,
                "how many records; 0 is without end"),
        RF_UINT(struct rf_settings_embedded, partitions, "4", 1, 64, NOT_MODEL, "partitions of the topic"),
        RF_UINT(struct rf_settings_embedded, seed, "1", 0, 18446744073709551615.0, NOT_MODEL, "of the generator"),
        {0},
};

static const struct rf_setting every_settings[] = {
        RF_UINT(struct rf_settings_every, records, "0", 0, 9007199254740992.0, NOT_MODEL,
                "records between snapshots; 0: never by records"),
        RF_REAL(struct rf_settings_every, seconds, "10", 0, 86400, NOT_MODEL, "seconds between snapshots; 0: never by time"),
        {0},
};

static const struct rf_setting snapshot_settings[] = {
        RF_TEXT(struct rf_settings_snapshots, directory, "state", NOT_MODEL, "folder of the model's state"),
        RF_SECTION(struct rf_settings_snapshots, every, every_settings, NOT_MODEL,
                   "how often one is taken, by whichever comes first"),
        RF_UINT(struct rf_settings_snapshots, keep, "8", 1, 100000, NOT_MODEL, "how many of the latest are kept"),
        RF_UINT(struct rf_settings_snapshots, keep_hours, "24", 0, 87600, NOT_MODEL,
                "hours before the newest of which the last snapshot of each hour is kept"),
        RF_UINT(struct rf_settings_snapshots, keep_days, "7", 0, 36500, NOT_MODEL,
                "days before the newest of which the last snapshot of each day is kept"),
        RF_SECTION(struct rf_settings_snapshots, clone, rf_clone_settings, NOT_MODEL, "snapshots over ZeroMQ"),
        {0},
};

static const struct rf_setting evaluation_settings[] = {
        RF_UINT(struct rf_settings_evaluation, window, "1000", 0, RF_EVALUATION_WINDOW_MAX, NOT_MODEL,
                "how many of the last records there are figures of, beside those of all; 0: none"),
        RF_REAL(struct rf_settings_evaluation, holdout, "0", 0, 0.99, 0,
                "share of the records, chosen by the hash of their id, that are evaluated apart and never learned"),
        {0},
};

static const struct rf_setting worker_settings[] = {
        RF_CHOICE(struct rf_settings_worker, log, "logfmt", log_formats, NOT_MODEL, "form of the log on standard error"),
        RF_CHOICE(struct rf_settings_worker, log_level, "info", log_levels, NOT_MODEL, "least level that is logged"),
        RF_UINT(struct rf_settings_worker, batch_records, "1024", 1, 65536, NOT_MODEL, "most records in a batch"),
        RF_UINT(struct rf_settings_worker, batch_bytes, "1048576", 1024, 268435456, NOT_MODEL,
                "most bytes of records in a batch"),
        RF_UINT(struct rf_settings_worker, batches, "4", 2, 64, NOT_MODEL, "batches in flight between the threads"),
        RF_REAL(struct rf_settings_worker, shutdown_seconds, "30", 0.1, 3600, NOT_MODEL,
                "time to finish in before a stop is forced"),
        RF_REAL(struct rf_settings_worker, progress_seconds, "10", 0, 86400, NOT_MODEL,
                "seconds between lines of progress; 0: none"),
        RF_CHOICE(struct rf_settings_worker, kernels, "auto", kernels, NOT_MODEL,
                  "instructions to use; baseline: none beyond the architecture's, with the same results"),
        {0},
};

const struct rf_setting rf_settings_table[] = {
        RF_TEXT(struct rf_settings, name, NULL, NOT_MODEL | RF_SETTING_REQUIRED, "of the model, its files and its topics"),
        RF_UINT(struct rf_settings, seed, "1", 0, 18446744073709551615.0, 0, "of everything random, and of the feature hash"),
        RF_PAIRS(struct rf_settings, kafka, NOT_MODEL,
                 "librdkafka's own properties, passed through; bootstrap.servers: embedded runs a broker in this process"),
        RF_SECTION(struct rf_settings, source, source_settings, NOT_MODEL, "where records come from"),
        RF_SECTION(struct rf_settings, embedded, embedded_settings, NOT_MODEL,
                   "what the embedded broker holds; without effect on any other"),
        RF_SECTION(struct rf_settings, rejected, rf_rejected_settings, NOT_MODEL, "where undecodable and absurd records go"),
        RF_SECTION(struct rf_settings, features, rf_feature_settings, 0, "which fields are read, and as what"),
        RF_VARIANT(struct rf_settings, learner, "linear", rf_learner_variants, 0, "what learns"),
        RF_SECTION(struct rf_settings, evaluation, evaluation_settings, 0, "how good the model is"),
        RF_SECTION(struct rf_settings, snapshots, snapshot_settings, NOT_MODEL, "when state is written, and where"),
        RF_SECTION(struct rf_settings, fleet, rf_settings_fleet_table, NOT_MODEL, "several workers with one model"),
        RF_VARIANTS(struct rf_settings, sinks, rf_sink_variants, NOT_MODEL, "where predictions go"),
        RF_SECTION(struct rf_settings, worker, worker_settings, NOT_MODEL, "of the process"),
        {0},
};

const char *rf_settings_kafka(const struct rf_settings *settings, const char *name) {
    for (size_t i = 0; i < settings->kafka.count; i++) {
        if (!strcmp(settings->kafka.list[i].name, name)) {
            return settings->kafka.list[i].value;
        }
    }
    return NULL;
}

const struct rf_decoder_kind *rf_settings_decoder(const struct rf_settings *settings) {
    return rf_decoder_find(formats[settings->source.format]);
}

const struct rf_decoder_kind *rf_settings_file_format(const struct rf_settings *settings) {
    return settings->source.envelope == RF_ENVELOPE_CLOUDEVENTS ? rf_decoder_find("json") : rf_settings_decoder(settings);
}

static enum rf_status check_name(const char *name, struct rf_error *err) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = strlen(name);
    if (size == 0 || size > NAME_SIZE_MAX || strspn(name, letters) != size || !strcmp(name, ".") || !strcmp(name, "..")) {
        return rf_fail(err, RF_INVALID, "name is \"%.120s\", must be 1 to %d letters, digits, dots, underscores and dashes", name,
                       NAME_SIZE_MAX);
    }
    return RF_OK;
}

static bool names(const struct rf_texts *texts, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(texts->list[i], text)) {
            return true;
        }
    }
    return false;
}

static enum rf_status check_names(const struct rf_texts *texts, const char *setting, const char *what, struct rf_error *err) {
    for (size_t i = 0; i < texts->count; i++) {
        if (texts->list[i][0] == '\0') {
            return rf_fail(err, RF_INVALID, "%s.%zu is empty, must be the %s", setting, i, what);
        }
        if (names(texts, i, texts->list[i])) {
            return rf_fail(err, RF_INVALID, "%s names \"%.200s\" twice, must name it once", setting, texts->list[i]);
        }
    }
    return RF_OK;
}

// Positions go by topic, or by path: what is learned first must have another one than what follows.
static enum rf_status check_history(const struct rf_settings_source *source, struct rf_error *err) {
    const struct rf_settings_history *history = &source->history;
    enum rf_status status = check_names(&history->files, "source.history.files", "path of a file", err);
    if (!status) {
        status = check_names(&history->topics, "source.history.topics", "name of a topic", err);
    }
    for (size_t i = 0; i < history->topics.count && !status; i++) {
        const char *topic = history->topics.list[i];
        if (names(&source->topics, source->topics.count, topic) || names(&history->files, history->files.count, topic)) {
            status = rf_fail(err, RF_INVALID, "source.history.topics names \"%.200s\", which is read a second time", topic);
        }
    }
    for (size_t i = 0; i < history->files.count && !status; i++) {
        const char *file = history->files.list[i];
        if (!strcmp(file, "-")) {
            status = rf_fail(err, RF_INVALID, "source.history.files names standard input, must name files");
        } else if ((source->file && !strcmp(file, source->file)) || names(&source->topics, source->topics.count, file)) {
            status = rf_fail(err, RF_INVALID, "source.history.files names \"%.200s\", which is read a second time", file);
        }
    }
    return status;
}

static enum rf_status check_topics(const struct rf_settings *settings, struct rf_error *err) {
    const struct rf_settings_source *source = &settings->source;
    enum rf_status status = check_names(&source->topics, "source.topics", "name of a topic", err);
    if (!status) {
        status = check_history(source, err);
    }
    const char *what = source->topics.count ? "source.topics" : source->history.topics.count ? "source.history.topics" : NULL;
    if (!status && what && !rf_settings_kafka(settings, "bootstrap.servers") &&
        !rf_settings_kafka(settings, "metadata.broker.list")) { // librdkafka's other name for it
        return rf_fail(err, RF_INVALID, "kafka.bootstrap.servers is missing, must name the brokers of %s%s", what,
                       source->topics.count ? " or be embedded" : "");
    }
    return status;
}

static enum rf_status check_fields(const struct rf_settings_source *source, struct rf_error *err) {
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < source->fields.count && !status; i++) {
        const struct rf_pair *pair = &source->fields.list[i];
        struct rf_record_field field;
        status = rf_record_field_parse(pair, &field, err);
        if (!status && source->file) {
            status = rf_fail(err, RF_INVALID, "source.fields.%.100s is %.100s, but records of a file are values alone",
                             pair->name, pair->value);
        }
        if (!status && source->envelope == RF_ENVELOPE_CLOUDEVENTS && rf_cloudevents_is_attribute(rf_text_of(pair->name))) {
            status = rf_fail(err, RF_INVALID,
                             "source.fields.%.100s has the name of an attribute of CloudEvents, must have another", pair->name);
        }
    }
    return status;
}

static enum rf_status check_avro(const struct rf_settings_source *source, struct rf_error *err) {
    bool is_avro = !strcmp(formats[source->format], "avro");
    bool has_bare_records = source->topics.count + source->history.topics.count > 0 || source->envelope != RF_ENVELOPE_NONE;
    if (source->avro.schema && !is_avro) {
        return rf_fail(err, RF_INVALID, "source.avro.schema is given with format %s, must be with avro alone",
                       formats[source->format]);
    }
    if (source->avro.schema && source->registry.url) {
        return rf_fail(err, RF_INVALID, "source.avro.schema is given beside source.registry, must be one of the two");
    }
    if (is_avro && has_bare_records && !source->avro.schema && !source->registry.url) {
        return rf_fail(err, RF_INVALID,
                       "source.avro.schema is missing, must name the file of the schema, or source.registry where schemas are "
                       "asked for: such avro records do not bring theirs");
    }
    return RF_OK;
}

static enum rf_status check_protobuf(const struct rf_settings_source *source, struct rf_error *err) {
    const struct rf_settings_protobuf *protobuf = &source->protobuf;
    const char *given = protobuf->descriptors ? "descriptors" : protobuf->message ? "message" : NULL;
    if (given && strcmp(formats[source->format], "protobuf") != 0) {
        return rf_fail(err, RF_INVALID, "source.protobuf.%s is given with format %s, must be with protobuf alone", given,
                       formats[source->format]);
    }
    if (given && (!protobuf->descriptors || !protobuf->message)) {
        return rf_fail(err, RF_INVALID, "source.protobuf has %s alone, must have descriptors and message", given);
    }
    if (given && source->registry.url) {
        return rf_fail(err, RF_INVALID, "source.protobuf is given beside source.registry, must be one of the two");
    }
    return RF_OK;
}

static enum rf_status check_source(struct rf_settings *settings, struct rf_error *err) {
    const struct rf_settings_source *source = &settings->source;
    if (source->topics.count > 0 && source->file) {
        return rf_fail(err, RF_INVALID, "source has topics and file, must have one of the two");
    }
    if (source->topics.count == 0 && !source->file) {
        return rf_fail(err, RF_INVALID, "source has neither topics nor file, must have one of the two");
    }
    if (source->file && source->file[0] == '\0') {
        return rf_fail(err, RF_INVALID, "source.file is empty, must be a path or -");
    }
    enum rf_status status = check_fields(source, err);
    status = status ? status : check_avro(source, err);
    status = status ? status : check_protobuf(source, err);
    status = status ? status : check_topics(settings, err);
    return status ? status : rf_settings_derive_dialect(settings, err);
}

// Schema ids, and where they are known.
static enum rf_status check_framing(const struct rf_settings *settings, struct rf_error *err) {
    const struct rf_settings_source *source = &settings->source;
    const struct rf_decoder_kind *kind = rf_settings_decoder(settings);
    enum rf_status status = rf_registry_check(&source->registry, err);
    if (status) {
        return rf_fail_in(err, "source.registry");
    }
    bool is_framed = source->framing == RF_FRAMING_CONFLUENT;
    if (source->registry.url && !is_framed) {
        return rf_fail(err, RF_INVALID, "source.registry is given, but source.framing is none, must be confluent");
    }
    if (source->registry.url && !kind->registry_type) {
        return rf_fail(err, RF_INVALID, "source.registry is given with format %s, whose records need no schema", kind->name);
    }
    bool may_be_framed = kind->registry_type || !strcmp(kind->name, "json");
    if (is_framed && !may_be_framed) {
        return rf_fail(err, RF_INVALID, "source.framing is confluent with format %s, which Confluent's serialisers do not write",
                       kind->name);
    }
    bool has_files = source->file || source->history.files.count;
    if (is_framed && source->envelope == RF_ENVELOPE_CLOUDEVENTS && has_files) {
        return rf_fail(err, RF_INVALID,
                       "source.framing is confluent, but an event in a file is in structured mode, without framing");
    }
    bool brings_schemas = !strcmp(kind->name, "avro"); // a container file: its records are not framed, and need not be
    if (is_framed && !brings_schemas && has_files) {
        return rf_fail(err, RF_INVALID,
                       "source.framing is confluent, but a file of %s is given, whose records have no schema id in front",
                       kind->name);
    }
    return RF_OK;
}

static enum rf_status derive_start(struct rf_settings *settings, struct rf_error *err) {
    const char *start = settings->source.start;
    settings->start = !strcmp(start, "earliest") ? RF_START_EARLIEST : !strcmp(start, "latest") ? RF_START_LATEST : RF_START_TIME;
    if (settings->start == RF_START_TIME && !rf_rfc3339_parse(rf_text_of(start), &settings->start_time_ms)) {
        return rf_fail(err, RF_INVALID,
                       "source.start is \"%.100s\", must be earliest, latest or a time as in 2026-11-22T08:30:00Z", start);
    }
    if (settings->source.file && settings->start != RF_START_EARLIEST) {
        return rf_fail(err, RF_INVALID, "source.start is \"%.100s\", must be earliest for a file", start);
    }
    if (settings->source.file && settings->source.on_offset_lost == RF_OFFSET_LOST_LATEST) {
        return rf_fail(err, RF_INVALID, "source.on_offset_lost is latest, must be fail or earliest for a file");
    }
    return RF_OK;
}

static enum rf_status check_embedded(const struct rf_settings *settings, struct rf_error *err) {
    const struct rf_generator_kind *kind = rf_generator_kinds;
    while (kind->name && strcmp(kind->name, settings->embedded.stream) != 0) {
        kind++;
    }
    if (settings->is_embedded && settings->source.envelope != RF_ENVELOPE_NONE) {
        return rf_fail(err, RF_INVALID, "source.envelope is %s, but records of the embedded broker have none",
                       envelopes[settings->source.envelope]);
    }
    if (settings->is_embedded && settings->source.history.topics.count) {
        return rf_fail(err, RF_INVALID, "source.history.topics is given, but the embedded broker holds source.topics alone");
    }
    if (kind->name || !settings->is_embedded) {
        return RF_OK;
    }
    return rf_fail(err, RF_INVALID, "embedded.stream is \"%.100s\", must be a stream that riffle generate knows, as %s",
                   settings->embedded.stream, rf_generator_kinds[0].name);
}

// Who writes to Kafka must be told where it is.
static enum rf_status check_servers(const struct rf_settings *settings, struct rf_error *err) {
    if (rf_settings_kafka(settings, "bootstrap.servers")) {
        return RF_OK;
    }
    const char *who = settings->rejected.topic ? "rejected.topic" : NULL;
    for (size_t i = 0; i < settings->sinks.count; i++) {
        who = strcmp(settings->sinks.list[i].kind->name, "kafka") == 0 ? "a kafka sink" : who;
    }
    return who ? rf_fail(err, RF_INVALID, "kafka.bootstrap.servers is missing, must name the brokers for %s", who) : RF_OK;
}

static enum rf_status check_sinks(const struct rf_settings *settings, struct rf_error *err) {
    for (size_t i = 0; i < settings->sinks.count; i++) {
        if (rf_sink_check(&settings->sinks.list[i], err)) {
            return rf_fail_in(err, "sinks.%zu", i);
        }
    }
    return check_servers(settings, err);
}

// Records of a file come without a timestamp.
static enum rf_status check_derived(const struct rf_settings *settings, struct rf_error *err) {
    const struct rf_feature_options *features = &settings->features;
    for (size_t i = 0; i < features->derived.count && settings->source.file && !features->time; i++) {
        const struct rf_variant_value *value = &features->derived.list[i];
        if (rf_derived_is_of_event_time(value)) {
            return rf_fail(err, RF_INVALID,
                           "features.derived.%zu.%s is of the event time, but records of a file have none, must have a field, or "
                           "features.time must name one",
                           i, value->kind->name);
        }
    }
    return RF_OK;
}

static enum rf_status check(struct rf_settings *settings, struct rf_error *err) {
    const char *servers = rf_settings_kafka(settings, "bootstrap.servers");
    settings->is_embedded = servers && !strcmp(servers, "embedded") && settings->source.topics.count > 0;
    enum rf_status status = check_name(settings->name, err);
    if (status == RF_OK) {
        status = check_source(settings, err);
    }
    if (status == RF_OK) {
        status = check_framing(settings, err);
    }
    if (status == RF_OK) {
        status = derive_start(settings, err);
    }
    if (status == RF_OK) {
        status = check_embedded(settings, err);
    }
    if (status == RF_OK) {
        status = check_sinks(settings, err);
    }
    if (status == RF_OK) {
        status = check_derived(settings, err);
    }
    if (status == RF_OK) {
        status = rf_settings_check_fleet(settings, err);
    }
    if (status == RF_OK && settings->snapshots.directory[0] == '\0') {
        status = rf_fail(err, RF_INVALID, "snapshots.directory is empty, must be a folder");
    }
    return status;
}

static enum rf_status check_or_finish(const char *name, struct rf_settings *settings, struct rf_error *err) {
    enum rf_status status = check(settings, err);
    if (status != RF_OK) {
        rf_settings_finish(settings);
        return rf_fail_in(err, "%s", name);
    }
    return status;
}

enum rf_status rf_settings_read(const char *name, struct rf_text text, const char *const *sets, size_t set_count,
                                struct rf_settings *settings_out, struct rf_error *err) {
    *settings_out = (struct rf_settings){0};
    enum rf_status status = rf_config_read(name, text, sets, set_count, rf_settings_table, settings_out, err);
    return status == RF_OK ? check_or_finish(name, settings_out, err) : status;
}

enum rf_status rf_settings_load(const char *path, const char *const *sets, size_t set_count, struct rf_settings *settings_out,
                                struct rf_error *err) {
    *settings_out = (struct rf_settings){0};
    enum rf_status status = rf_config_load(path, sets, set_count, rf_settings_table, settings_out, err);
    if (status != RF_OK) {
        return err->status = status == RF_MEMORY ? status : RF_INVALID; // a file that is not there is wrong usage
    }
    return check_or_finish(strcmp(path, "-") ? path : "standard input", settings_out, err);
}

void rf_settings_finish(struct rf_settings *settings) {
    rf_config_finish(rf_settings_table, settings);
    *settings = (struct rf_settings){0};
}

void rf_settings_markdown(FILE *file) {
    fputs("# Settings\n"
          "\n"
          "Written by `riffle settings --markdown` from the tables that also check every file: do not edit.\n"
          "\n"
          "One YAML file describes one model. Any setting can be given on the command line as well, `--set learner.l2=1e-6`, "
          "the\n"
          "last one counting most; members of a list go by their index, `--set sinks.0.zeromq.publish=tcp://127.0.0.1:5555`.\n"
          "`${NAME}` in a value is replaced from the environment, `${file:path}` by the one line that a file holds; `$${` "
          "stands\n"
          "for `${`. A setting of a kind, such as `learner`, is `{type: KIND, ...}`, or `KIND` alone. Bytes are plain bytes.\n"
          "\n"
          "Settings with *yes* under *model* are part of the model's specification: a snapshot goes on only under the same "
          "ones.\n"
          "Lists that *may grow* may gain members. All others may change between runs.\n"
          "\n",
          file);
    rf_config_markdown(rf_settings_table, file);
}
