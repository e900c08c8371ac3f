// By a client of its own, for the moment: a consumer, since asking as one never makes a topic, whatever the brokers allow.
#include "sinks/topic.h"

#include "sinks/conf.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SENTENCE_SIZE = 512, SLICE_MS = 50 };

struct admin {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    const struct rf_topic_options *options;
    int64_t deadline_ms;
    char trouble[SENTENCE_SIZE];
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int left_ms(const struct admin *admin) {
    int64_t left = admin->deadline_ms - now_ms();
    return left > 1 ? (int)left : 1;
}

static void note_trouble(rd_kafka_t *client, int code, const char *reason, void *opaque) {
    (void)client;
    (void)code;
    struct admin *admin = opaque;
    snprintf(admin->trouble, sizeof admin->trouble, "%s", reason);
}

static enum rf_status fail_with(const struct admin *admin, struct rf_error *err, const char *what, const char *why) {
    const char *trouble = admin->trouble;
    return rf_fail(err, RF_IO, "topic %s %s: %s%s%s", admin->options->name, what, why, trouble[0] ? "; " : "", trouble);
}

static enum rf_status admin_init(struct admin *admin, const struct rf_topic_options *options, int timeout_ms,
                                 struct rf_error *err) {
    *admin = (struct admin){.options = options, .deadline_ms = now_ms() + timeout_ms};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, admin);
    rd_kafka_conf_set_error_cb(conf, note_trouble);
    enum rf_status status = rf_conf_fill(conf, NULL, 0, options->properties, err);
    char text[SENTENCE_SIZE];
    if (!status) {
        admin->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    }
    if (!admin->client) {
        rd_kafka_conf_destroy(conf); // rd_kafka_new() takes it only when it succeeds
        return status ? status : rf_fail(err, RF_INVALID, "kafka: %s", text);
    }
    admin->queue = rd_kafka_queue_new(admin->client);
    return RF_OK;
}

static void admin_finish(struct admin *admin) {
    if (admin->queue) {
        rd_kafka_queue_destroy(admin->queue);
    }
    if (admin->client) {
        rd_kafka_destroy_flags(admin->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
}

static rd_kafka_AdminOptions_t *admin_options(const struct admin *admin, rd_kafka_admin_op_t operation) {
    char text[SENTENCE_SIZE];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client, operation);
    rd_kafka_AdminOptions_set_request_timeout(options, left_ms(admin), text, sizeof text);
    if (operation != RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) {
        rd_kafka_AdminOptions_set_operation_timeout(options, left_ms(admin), text, sizeof text);
    }
    return options;
}

// The answer to a request, or NULL and a sentence.
static rd_kafka_event_t *await(struct admin *admin, const char *what, struct rf_error *err) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->queue, left_ms(admin) + SLICE_MS);
    rd_kafka_poll(admin->client, 0); // for note_trouble()
    if (!event || rd_kafka_event_error(event)) {
        fail_with(admin, err, what, event ? rd_kafka_event_error_string(event) : "the brokers did not answer");
        rd_kafka_event_destroy(event);
        return NULL;
    }
    return event;
}

// What the cluster says of the topic; is_there_out false: it is not there. A topic that is being made is waited for.
static enum rf_status look_up(struct admin *admin, bool *is_there_out, int *partitions_out, int *copies_out,
                              struct rf_error *err) {
    rd_kafka_topic_t *handle = rd_kafka_topic_new(admin->client, admin->options->name, NULL);
    if (!handle) {
        return rf_fail(err, RF_INVALID, "topic %s cannot be used: %s", admin->options->name,
                       rd_kafka_err2str(rd_kafka_last_error()));
    }
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;
    do {
        rd_kafka_poll(admin->client, metadata ? SLICE_MS : 0);
        if (metadata) {
            rd_kafka_metadata_destroy(metadata);
            metadata = NULL;
        }
        code = rd_kafka_metadata(admin->client, 0, handle, &metadata, left_ms(admin));
        if (!code) {
            code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        }
    } while (code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE && left_ms(admin) > 1);
    rd_kafka_topic_destroy(handle);
    enum rf_status status = RF_OK;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        *is_there_out = false;
    } else if (code) {
        rd_kafka_poll(admin->client, 0);
        status = fail_with(admin, err, "cannot be looked up", rd_kafka_err2str(code));
    } else {
        *is_there_out = true;
        *partitions_out = metadata->topics[0].partition_cnt;
        *copies_out = *partitions_out > 0 ? metadata->topics[0].partitions[0].replica_cnt : 0;
    }
    if (metadata) {
        rd_kafka_metadata_destroy(metadata);
    }
    return status;
}

static enum rf_status make(struct admin *admin, struct rf_error *err) {
    char text[SENTENCE_SIZE], message_bytes[32];
    int replication = admin->options->replication > 0 ? admin->options->replication : -1; // -1: as the brokers have it
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(admin->options->name, 1, replication, text, sizeof text);
    if (!topic) {
        return rf_fail(err, RF_INVALID, "topic %s cannot be made: %s", admin->options->name, text);
    }
    snprintf(message_bytes, sizeof message_bytes, "%lld", (long long)admin->options->message_bytes_max);
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(topic, "retention.ms", "-1");
    rd_kafka_NewTopic_set_config(topic, "retention.bytes", "-1");
    rd_kafka_NewTopic_set_config(topic, "max.message.bytes", message_bytes);
    rd_kafka_AdminOptions_t *options = admin_options(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(admin->client, &topic, 1, options, admin->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_event_t *event = await(admin, "cannot be made", err);
    if (!event) {
        return err->status;
    }
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    enum rf_status status = RF_OK;
    if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) { // another worker was quicker
        const char *why = count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
        status = fail_with(admin, err, "cannot be made", why ? why : rd_kafka_err2str(code));
    }
    rd_kafka_event_destroy(event);
    return status;
}

// Compares one of the topic's settings with what it must be.
static enum rf_status check_setting(const struct rf_topic_options *options, const char *name, const char *value,
                                    struct rf_error *err) {
    static const struct {
        const char *name, *value, *why;
    } required[] = {
            {"cleanup.policy", "delete", "compaction would take what the model is made of"},
            {"retention.ms", "-1", "the model is made of all of it, however old"},
            {"retention.bytes", "-1", "the model is made of all of it, however much"},
    };
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        if (strcmp(name, required[i].name) == 0 && strcmp(value, required[i].value) != 0) {
            return rf_fail(err, RF_CONFLICT, "topic %s has %s %s, must be %s: %s", options->name, name, value, required[i].value,
                           required[i].why);
        }
    }
    if (strcmp(name, "max.message.bytes") == 0 && strtoll(value, NULL, 10) < options->message_bytes_max) {
        return rf_fail(err, RF_CONFLICT, "topic %s has max.message.bytes %s, must be at least %lld", options->name, value,
                       (long long)options->message_bytes_max);
    }
    return RF_OK;
}

// Asks any broker: is_known_out false: one that has not heard of the topic yet.
static enum rf_status describe(struct admin *admin, bool *is_known_out, struct rf_error *err) {
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, admin->options->name);
    rd_kafka_AdminOptions_t *options = admin_options(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(admin->client, &resource, 1, options, admin->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_event_t *event = await(admin, "cannot be checked", err);
    if (!event) {
        return err->status;
    }
    size_t count = 0, entry_count = 0;
    const rd_kafka_ConfigResource_t **results =
            rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    enum rf_status status = RF_OK;
    *is_known_out = count != 1 || rd_kafka_ConfigResource_error(results[0]) != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (count != 1 || rd_kafka_ConfigResource_error(results[0])) {
        const char *why = count == 1 ? rd_kafka_ConfigResource_error_string(results[0]) : NULL;
        status = fail_with(admin, err, "cannot be checked", why ? why : "its settings were not told");
    } else {
        const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(results[0], &entry_count);
        for (size_t i = 0; i < entry_count && !status; i++) {
            const char *value = rd_kafka_ConfigEntry_value(entries[i]);
            status = value ? check_setting(admin->options, rd_kafka_ConfigEntry_name(entries[i]), value, err) : RF_OK;
        }
    }
    rd_kafka_event_destroy(event);
    return status;
}

// The topic was seen a moment ago, perhaps by a broker that learns of new topics earlier than the one that answers here.
static enum rf_status check_settings(struct admin *admin, struct rf_error *err) {
    bool is_known = true;
    enum rf_status status = describe(admin, &is_known, err);
    while (status && !is_known && left_ms(admin) > 1) {
        rd_kafka_poll(admin->client, SLICE_MS);
        status = describe(admin, &is_known, err);
    }
    return status;
}

static enum rf_status ensure(struct admin *admin, struct rf_error *err) {
    const struct rf_topic_options *options = admin->options;
    bool is_there = false;
    int partitions = 0, copies = 0;
    enum rf_status status = look_up(admin, &is_there, &partitions, &copies, err);
    if (!status && !is_there) {
        status = make(admin, err);
        while (!status && !is_there) { // until all brokers know it
            status = look_up(admin, &is_there, &partitions, &copies, err);
            if (!status && !is_there && left_ms(admin) <= 1) {
                status = fail_with(admin, err, "was made", "but the brokers do not show it yet");
            }
            rd_kafka_poll(admin->client, status || is_there ? 0 : SLICE_MS);
        }
    }
    if (status) {
        return status;
    }
    if (partitions != 1) {
        return rf_fail(err, RF_CONFLICT, "topic %s has %d partitions, must have 1: it is one log", options->name, partitions);
    }
    if (copies < options->replication) {
        return rf_fail(err, RF_CONFLICT, "topic %s has a replication factor of %d, must be %d", options->name, copies,
                       options->replication);
    }
    return check_settings(admin, err);
}

enum rf_status rf_topic_ensure_log(const struct rf_topic_options *options, int timeout_ms, struct rf_error *err) {
    struct admin admin;
    enum rf_status status = admin_init(&admin, options, timeout_ms, err);
    if (!status) {
        status = ensure(&admin, err);
    }
    admin_finish(&admin);
    return status;
}

static enum rf_status forget(struct admin *admin, int64_t offset, struct rf_error *err) {
    rd_kafka_topic_partition_list_t *before = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(before, admin->options->name, 0)->offset = offset;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(before);
    rd_kafka_topic_partition_list_destroy(before);
    rd_kafka_AdminOptions_t *options = admin_options(admin, RD_KAFKA_ADMIN_OP_DELETERECORDS);
    rd_kafka_DeleteRecords(admin->client, &request, 1, options, admin->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_DeleteRecords_destroy(request);
    char what[SENTENCE_SIZE];
    snprintf(what, sizeof what, "cannot be cut at offset %lld", (long long)offset);
    rd_kafka_event_t *event = await(admin, what, err);
    if (!event) {
        return err->status;
    }
    const rd_kafka_topic_partition_list_t *done =
            rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
    rd_kafka_resp_err_t code = done->cnt == 1 ? done->elems[0].err : RD_KAFKA_RESP_ERR_UNKNOWN;
    enum rf_status status = code ? fail_with(admin, err, what, rd_kafka_err2str(code)) : RF_OK;
    rd_kafka_event_destroy(event);
    return status;
}

enum rf_status rf_topic_forget(const struct rf_topic_options *options, int64_t offset, int timeout_ms, struct rf_error *err) {
    struct admin admin;
    enum rf_status status = admin_init(&admin, options, timeout_ms, err);
    if (!status) {
        status = forget(&admin, offset, err);
    }
    admin_finish(&admin);
    return status;
}
