#include "ops/assembly_fleet.h"

#include "proto/state_merge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    MESSAGE_BYTES = 1000000,  // message.max.bytes where nobody says otherwise
    CHUNK_BYTES = 512 * 1024, // of a delta in one record
    TOPIC_WAIT_MS = 10000,
    SEND_MS = 5000,
};

void rf_assembly_fleet_topic(const struct rf_assembly *assembly, char topic_out[RF_FLEET_TOPIC_SIZE]) {
    const char *topic = assembly->settings.fleet.topic;
    if (topic) {
        snprintf(topic_out, RF_FLEET_TOPIC_SIZE, "%s", topic);
    } else {
        snprintf(topic_out, RF_FLEET_TOPIC_SIZE, "%s.deltas", assembly->settings.name);
    }
}

void rf_assembly_fleet_snapshots(const struct rf_assembly *assembly, char topic_out[RF_FLEET_TOPIC_SIZE]) {
    const char *topic = assembly->settings.fleet.snapshots.topic;
    if (topic) {
        snprintf(topic_out, RF_FLEET_TOPIC_SIZE, "%s", topic);
    } else {
        snprintf(topic_out, RF_FLEET_TOPIC_SIZE, "%s.snapshots", assembly->settings.name);
    }
}

static enum rf_status make_log_source(struct rf_assembly *assembly, char *topic, bool until_end, struct rf_source **source_out,
                                      struct rf_error *err) {
    char *list[] = {topic};
    const struct rf_texts topics = {.list = list, .count = 1};
    const struct rf_source_kafka_options options = {
            .properties = &assembly->kafka, .topics = &topics, .start = RF_START_EARLIEST, .until_end = until_end};
    return rf_source_kafka_create(&options, source_out, err);
}

enum rf_status rf_assembly_fleet_shelf(struct rf_assembly *assembly, struct rf_source **source_out, struct rf_error *err) {
    char topic[RF_FLEET_TOPIC_SIZE];
    rf_assembly_fleet_snapshots(assembly, topic);
    return make_log_source(assembly, topic, true, source_out, err);
}

enum rf_status rf_assembly_fleet_log(struct rf_assembly *assembly, bool until_end, struct rf_source **source_out,
                                     struct rf_error *err) {
    char topic[RF_FLEET_TOPIC_SIZE];
    rf_assembly_fleet_topic(assembly, topic);
    return make_log_source(assembly, topic, until_end, source_out, err);
}

static size_t message_bytes(const struct rf_assembly *assembly) {
    const char *set = rf_settings_kafka(&assembly->settings, "message.max.bytes");
    unsigned long bytes = set ? strtoul(set, NULL, 10) : 0;
    return bytes ? bytes : MESSAGE_BYTES;
}

static enum rf_status make_transaction(struct rf_assembly *assembly, struct rf_transaction **transaction_out,
                                       struct rf_error *err) {
    const struct rf_settings *settings = &assembly->settings;
    const char *group = rf_settings_kafka(settings, "group.id");
    char *id;
    if (asprintf(&id, "riffle.%s.%s", group ? group : settings->name, rf_settings_kafka(settings, "group.instance.id")) < 0) {
        return rf_fail(err, RF_MEMORY, "out of memory");
    }
    const struct rf_transaction_kafka_options options = {
            .properties = &assembly->kafka, .id = id, .timeout_ms = (int)(settings->fleet.transaction_seconds * 1000)};
    enum rf_status status = rf_transaction_kafka_create(&options, transaction_out, err);
    free(id);
    return status;
}

static enum rf_status make_sources(struct rf_assembly *assembly, struct rf_fleet_worker_options *options, struct rf_error *err) {
    const struct rf_source_group_options group = {
            .properties = &assembly->kafka, .topics = &assembly->settings.source.topics, .start = assembly->settings.start};
    enum rf_status status = rf_source_group_create(&group, &options->source, err);
    status = status ? status : rf_assembly_fleet_log(assembly, true, &options->log_scan, err);
    status = status ? status : rf_assembly_fleet_log(assembly, false, &options->deltas, err);
    return status ? status : rf_assembly_fleet_shelf(assembly, &options->snapshots, err);
}

static enum rf_status make_archive(struct rf_assembly *assembly, struct rf_archive **archive_out, struct rf_error *err) {
    const struct rf_archive_kafka_options options = {.properties = &assembly->kafka,
                                                     .snapshots = assembly->fleet_snapshots,
                                                     .deltas = assembly->fleet_topic,
                                                     .forget_ms = TOPIC_WAIT_MS};
    return rf_archive_kafka_create(&options, archive_out, err);
}

static enum rf_status ensure_topic(struct rf_assembly *assembly, const char *name, struct rf_error *err) {
    const struct rf_topic_options options = {.properties = &assembly->kafka,
                                             .name = name,
                                             .replication = (int)assembly->settings.fleet.replication,
                                             .message_bytes_max = CHUNK_BYTES};
    return rf_topic_ensure_log(&options, TOPIC_WAIT_MS, err);
}

static enum rf_status draw_nonce(char *nonce_out, size_t size, struct rf_error *err) {
    uint8_t bytes[7];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
        return rf_fail(err, RF_IO, "cannot get random bytes: %s", strerror(errno));
    }
    for (size_t i = 0; i < sizeof bytes && 2 * i + 3 <= size; i++) {
        snprintf(nonce_out + 2 * i, 3, "%02x", bytes[i]);
    }
    return RF_OK;
}

static void forget(struct rf_fleet_worker_options *options) {
    rf_pipeline_destroy(options->pipeline);
    rf_source_destroy(options->source);
    rf_source_destroy(options->log_scan);
    rf_source_destroy(options->deltas);
    rf_transaction_destroy(options->transaction);
    rf_source_destroy(options->snapshots);
    rf_archive_destroy(options->archive);
}

enum rf_status rf_assembly_fleet_worker(struct rf_assembly *assembly, struct rf_fleet_worker **worker_out, struct rf_error *err) {
    const struct rf_settings *settings = &assembly->settings;
    rf_assembly_fleet_topic(assembly, assembly->fleet_topic);
    rf_assembly_fleet_snapshots(assembly, assembly->fleet_snapshots);
    rf_outbox_init(&assembly->outbox, message_bytes(assembly));
    struct rf_fleet_worker_options options = {
            .clock = rf_clock_system(),
            .log = &assembly->log,
            .outbox = &assembly->outbox,
            .topic = assembly->fleet_topic,
            .first_topic = settings->source.topics.list[0],
            .worker = rf_settings_kafka(settings, "group.instance.id"),
            .nonce = assembly->nonce,
            .specification = assembly->specification,
            .settings = rf_settings_table,
            .program = RF_RELEASE,
            .batches = (size_t)settings->worker.batches,
            .chunk_bytes = CHUNK_BYTES,
            .delta_records = settings->fleet.deltas.records,
            .delta_bytes = settings->fleet.deltas.bytes,
            .delta_ms = (int64_t)(settings->fleet.deltas.seconds * 1000),
            .drain_ms = (int)(settings->fleet.drain_seconds * 1000),
            .send_ms = SEND_MS,
            .snapshot_deltas = settings->fleet.snapshots.deltas,
            .snapshot_ms = (int64_t)(settings->fleet.snapshots.seconds * 1000),
            .snapshot_keep = settings->fleet.snapshots.keep,
            .forgets = settings->fleet.snapshots.forget,
    };
    enum rf_status status = draw_nonce(assembly->nonce, sizeof assembly->nonce, err);
    status = status ? status : rf_assembly_pipeline(assembly, NULL, &options.pipeline, err);
    if (!status && rf_state_merge_check(rf_pipeline_state(options.pipeline), err)) {
        status = rf_fail_in(err, "fleet.shared is true, but this model cannot be shared");
    }
    status = status ? status : ensure_topic(assembly, assembly->fleet_topic, err);
    status = status ? status : ensure_topic(assembly, assembly->fleet_snapshots, err);
    status = status ? status : make_sources(assembly, &options, err);
    status = status ? status : make_transaction(assembly, &options.transaction, err);
    status = status ? status : make_archive(assembly, &options.archive, err);
    status = status ? status : rf_assembly_sinks(assembly, options.pipeline, err);
    if (status) {
        forget(&options);
        return status;
    }
    return rf_fleet_worker_create(&options, worker_out, err);
}
