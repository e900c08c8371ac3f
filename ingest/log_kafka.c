// What stands in Kafka's log: partitions, offsets, times, commits. librdkafka 2.0.2 has calls for all of it, but
// rd_kafka_query_watermark_offsets() ignores its timeout (issue 4460) and a synchronous rd_kafka_commit() has none. So
// bounds are asked with rd_kafka_offsets_for_times(), whose timeout holds and whose times -2 and -1 are, on the wire, the
// first and the end offset; and commits are sent with a queue for the answer.
#include "ingest/kafka.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS_MAX = 5000, COMMIT_MS_MAX = 4000 };

static enum rf_status fail_topic(struct rf_kafka *kafka, struct rf_error *err, const char *topic, rd_kafka_resp_err_t code) {
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        kafka->is_temporary = false;
        return rf_fail(err, RF_NOT_FOUND, "topic %s is not there on %s", topic, kafka->servers);
    default:
        return rf_kafka_fail(kafka, err, code, "topic %s on %s cannot be looked up", topic, kafka->servers);
    }
}

// Asks until there is an answer, serving in between so that a refused connection or a wrong password is told at once.
static enum rf_status ask_metadata(struct rf_kafka *kafka, const char *topic, rd_kafka_topic_t *handle,
                                   const struct rd_kafka_metadata **metadata_out, struct rf_error *err) {
    static const int patience_ms[] = {50, 100, 200, 400, 800, 1600, 1850}; // ANSWER_MS_MAX in all
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    size_t tries = kafka->is_down ? 3 : sizeof patience_ms / sizeof patience_ms[0];
    for (size_t i = 0; i < tries; i++) {
        code = rd_kafka_metadata(kafka->client, 0, handle, metadata_out, patience_ms[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            kafka->is_down = false;
            return RF_OK;
        }
        enum rf_status status = rf_kafka_serve(kafka, err);
        if (status) {
            return status;
        }
    }
    return fail_topic(kafka, err, topic, code);
}

enum rf_status rf_kafka_partitions(struct rf_kafka *kafka, const char *topic, int32_t *count_out, struct rf_error *err) {
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka->client, topic, NULL);
    if (!handle) {
        kafka->is_temporary = false;
        return rf_fail(err, RF_INVALID, "topic %s cannot be read: %s", topic, rd_kafka_err2str(rd_kafka_last_error()));
    }
    const struct rd_kafka_metadata *metadata = NULL;
    enum rf_status status = ask_metadata(kafka, topic, handle, &metadata, err);
    rd_kafka_topic_destroy(handle);
    if (status) {
        return status;
    }
    if (metadata->topic_cnt != 1) {
        status = fail_topic(kafka, err, topic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    } else if (metadata->topics[0].err) {
        status = fail_topic(kafka, err, topic, metadata->topics[0].err);
    } else if (metadata->topics[0].partition_cnt == 0) { // it is being made
        status = fail_topic(kafka, err, topic, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    } else {
        *count_out = metadata->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return status;
}

// The element of `list` for a position; lists are made in the order of positions, and librdkafka mostly leaves them so.
static rd_kafka_topic_partition_t *element_of(const rd_kafka_topic_partition_list_t *list, size_t index,
                                              const struct rf_position *position) {
    if (index < (size_t)list->cnt && list->elems[index].partition == position->partition &&
        strcmp(list->elems[index].topic, position->topic) == 0) {
        return &list->elems[index];
    }
    return rd_kafka_topic_partition_list_find(list, position->topic, position->partition);
}

// Asks for the offset of a time, for all positions.
static enum rf_status ask_offsets(struct rf_kafka *kafka, const struct rf_positions *positions, int64_t time, int64_t *offset_out,
                                  struct rf_error *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)positions->count);
    for (size_t i = 0; i < positions->count; i++) {
        rd_kafka_topic_partition_list_add(list, positions->list[i].topic, positions->list[i].partition)->offset = time;
    }
    enum rf_status status = RF_OK;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(kafka->client, list, ANSWER_MS_MAX);
    if (code) {
        status = fail_topic(kafka, err, positions->list[0].topic, code);
    }
    for (size_t i = 0; i < positions->count && !status; i++) {
        const rd_kafka_topic_partition_t *element = element_of(list, i, &positions->list[i]);
        assert(element);
        if (element->err) {
            status = fail_topic(kafka, err, positions->list[i].topic, element->err);
        }
        offset_out[i] = element->offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

enum rf_status rf_kafka_bounds(struct rf_kafka *kafka, const struct rf_positions *positions, int64_t *first_out, int64_t *end_out,
                               struct rf_error *err) {
    enum rf_status status = ask_offsets(kafka, positions, RD_KAFKA_OFFSET_BEGINNING, first_out, err);
    if (!status) {
        status = ask_offsets(kafka, positions, RD_KAFKA_OFFSET_END, end_out, err);
    }
    for (size_t i = 0; i < positions->count && !status; i++) {
        if (first_out[i] < 0 || end_out[i] < 0) {
            status = fail_topic(kafka, err, positions->list[i].topic, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE);
        }
    }
    return status;
}

enum rf_status rf_kafka_times(struct rf_kafka *kafka, const struct rf_positions *positions, int64_t time_ms, int64_t *offset_out,
                              struct rf_error *err) {
    char *cluster = rd_kafka_clusterid(kafka->client, 1000);
    bool is_embedded = cluster && strncmp(cluster, "mockCluster", strlen("mockCluster")) == 0;
    rd_kafka_mem_free(kafka->client, cluster);
    if (is_embedded) {
        kafka->is_temporary = false;
        return rf_fail(err, RF_UNSUPPORTED, "the embedded broker cannot look up times, start must be earliest or latest there");
    }
    return ask_offsets(kafka, positions, time_ms < 0 ? 0 : time_ms, offset_out, err);
}

static enum rf_status fail_without_group(struct rf_kafka *kafka, struct rf_error *err) {
    kafka->is_temporary = false;
    return rf_fail(err, RF_INVALID, "kafka.group.id is not set, must name the group whose offsets are committed");
}

static void note_commit(rd_kafka_t *client, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *offsets, void *opaque) {
    struct rf_kafka *kafka = rd_kafka_opaque(client);
    for (int i = 0; offsets && i < offsets->cnt && !code; i++) {
        code = offsets->elems[i].err;
    }
    kafka->commit_answered = (uintptr_t)opaque;
    kafka->commit_code = code;
}

enum rf_status rf_kafka_commit(struct rf_kafka *kafka, const struct rf_positions *positions, const char *note,
                               struct rf_error *err) {
    if (!kafka->has_group) {
        return fail_without_group(kafka, err);
    }
    if (!kafka->commit_queue) {
        kafka->commit_queue = rd_kafka_queue_new(kafka->client);
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)positions->count);
    for (size_t i = 0; i < positions->count; i++) {
        const struct rf_position *position = &positions->list[i];
        if (position->next_offset < 0) {
            continue;
        }
        rd_kafka_topic_partition_t *element = rd_kafka_topic_partition_list_add(list, position->topic, position->partition);
        element->offset = position->next_offset;
        element->metadata = strdup(note); // the list frees it
        element->metadata_size = element->metadata ? strlen(note) : 0;
    }
    uintptr_t number = ++kafka->commits_sent;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (list->cnt > 0) {
        code = rd_kafka_commit_queue(kafka->client, list, kafka->commit_queue, note_commit, (void *)number);
        kafka->commit_code = RD_KAFKA_RESP_ERR__TIMED_OUT;
        // Late answers to commits given up before come through the same queue; each poll below serves one wake-up.
        while (!code && kafka->commit_answered != number) {
            if (rd_kafka_queue_poll_callback(kafka->commit_queue, COMMIT_MS_MAX) == 0) {
                code = RD_KAFKA_RESP_ERR__TIMED_OUT;
            }
        }
        if (!code) {
            code = (rd_kafka_resp_err_t)kafka->commit_code;
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code ? rf_kafka_fail(kafka, err, code, "offsets are not committed to %s", kafka->servers) : RF_OK;
}

enum rf_status rf_kafka_committed(struct rf_kafka *kafka, struct rf_positions *positions, char *note_out, size_t note_size,
                                  struct rf_error *err) {
    if (!kafka->has_group) {
        return fail_without_group(kafka, err);
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)positions->count);
    for (size_t i = 0; i < positions->count; i++) {
        rd_kafka_topic_partition_list_add(list, positions->list[i].topic, positions->list[i].partition);
    }
    enum rf_status status = RF_OK;
    rd_kafka_resp_err_t code = rd_kafka_committed(kafka->client, list, ANSWER_MS_MAX);
    for (size_t i = 0; i < positions->count && !code; i++) {
        code = element_of(list, i, &positions->list[i])->err;
    }
    if (code) {
        status = rf_kafka_fail(kafka, err, code, "committed offsets cannot be read from %s", kafka->servers);
    } else {
        note_out[0] = '\0';
    }
    for (size_t i = 0; i < positions->count && !status; i++) {
        const rd_kafka_topic_partition_t *element = element_of(list, i, &positions->list[i]);
        positions->list[i].next_offset = element->offset >= 0 ? element->offset : RF_OFFSET_NONE;
        if (element->offset >= 0 && element->metadata_size > 0 && note_out[0] == '\0') {
            size_t size = element->metadata_size < note_size - 1 ? element->metadata_size : note_size - 1;
            memcpy(note_out, element->metadata, size);
            note_out[size] = '\0';
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}
