// A client as a member of a group: joining, answering rebalances, leaving.
#include "ingest/kafka.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

enum { LEAVE_MS_MAX = 3000, LEAVE_SLICE_MS = 50, SETTLE_MS_MAX = 1000 };

static bool is_cooperative(const struct rf_kafka *kafka) {
    const char *protocol = rd_kafka_rebalance_protocol(kafka->client);
    return protocol && strcmp(protocol, "COOPERATIVE") == 0;
}

enum rf_status rf_kafka_join(struct rf_kafka *kafka, const struct rf_texts *topics, struct rf_error *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)topics->count);
    for (size_t i = 0; i < topics->count; i++) {
        rd_kafka_topic_partition_list_add(list, topics->list[i], RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(kafka->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? rf_kafka_fail(kafka, err, code, "group %s cannot be joined", kafka->group) : RF_OK;
}

static rd_kafka_topic_partition_list_t *list_of(const struct rf_positions *partitions, const int64_t *offset) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partitions->count);
    for (size_t i = 0; i < partitions->count; i++) {
        rd_kafka_topic_partition_list_add(list, partitions->list[i].topic, partitions->list[i].partition)->offset =
                offset ? offset[i] : RD_KAFKA_OFFSET_INVALID;
    }
    return list;
}

enum rf_status rf_kafka_accept(struct rf_kafka *kafka, const struct rf_positions *partitions, const int64_t *offset,
                               struct rf_error *err) {
    rd_kafka_topic_partition_list_t *list = list_of(partitions, offset);
    rd_kafka_resp_err_t code;
    if (is_cooperative(kafka)) {
        rd_kafka_error_t *error = rd_kafka_incremental_assign(kafka->client, list);
        code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
    } else {
        code = rd_kafka_assign(kafka->client, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code ? rf_kafka_fail(kafka, err, code, "partitions that group %s gave us cannot be taken", kafka->group) : RF_OK;
}

// Returns when nothing more comes of what librdkafka was told to let go: this is answered behind the orders to stop.
static void wait_for_stop(struct rf_kafka *kafka) {
    rd_kafka_topic_partition_list_t *left = NULL;
    rd_kafka_assignment(kafka->client, &left);
    if (left) {
        rd_kafka_topic_partition_list_destroy(left);
    }
}

void rf_kafka_let_go(struct rf_kafka *kafka, const struct rf_positions *partitions) {
    if (is_cooperative(kafka)) {
        rd_kafka_topic_partition_list_t *list = list_of(partitions, NULL);
        // It fails where a client that cannot go on has let go of all of them by itself.
        rd_kafka_error_destroy(rd_kafka_incremental_unassign(kafka->client, list));
        rd_kafka_topic_partition_list_destroy(list);
    } else {
        rd_kafka_assign(kafka->client, NULL);
    }
    wait_for_stop(kafka);
}

// Answers what may have been told and not answered: librdkafka before 2.4.0 would wait for that for ever when it is destroyed
// (issue 4527), and a rebalance of the cooperative kind ends with news of no partitions at all.
static void answer_blindly(struct rf_kafka *kafka) {
    static const struct rf_positions none = {0};
    struct rf_error err;
    if (rf_kafka_accept(kafka, &none, NULL, &err)) {
        return; // a client that cannot go on lets go by itself
    }
}

static void let_go_of_all(struct rf_kafka *kafka) {
    answer_blindly(kafka);
    rd_kafka_topic_partition_list_t *all = NULL;
    rd_kafka_assignment(kafka->client, &all);
    if (all && is_cooperative(kafka)) {
        rd_kafka_error_destroy(rd_kafka_incremental_unassign(kafka->client, all));
    } else {
        rd_kafka_assign(kafka->client, NULL);
    }
    if (all) {
        rd_kafka_topic_partition_list_destroy(all);
    }
    wait_for_stop(kafka);
    answer_blindly(kafka); // letting go may have been an answer, to which there is an answer in turn
}

// The member and its generation as librdkafka writes them, in its memory; NULL: it does not tell.
static void *write_metadata(struct rf_kafka *kafka, size_t *size_out) {
    void *written = NULL;
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(kafka->client);
    if (metadata) {
        rd_kafka_error_destroy(rd_kafka_consumer_group_metadata_write(metadata, &written, size_out));
        rd_kafka_consumer_group_metadata_destroy(metadata);
    }
    return written;
}

// It begins with "CGMDv2:", then the generation.
static int32_t generation_of(const void *bytes, size_t size) {
    static const char magic[] = "CGMDv2:";
    int32_t generation = -1;
    if (bytes && size >= strlen(magic) + sizeof generation && memcmp(bytes, magic, strlen(magic)) == 0) {
        memcpy(&generation, (const char *)bytes + strlen(magic), sizeof generation);
    }
    return generation;
}

int32_t rf_kafka_generation(struct rf_kafka *kafka) {
    size_t size = 0;
    void *written = write_metadata(kafka, &size);
    int32_t generation = generation_of(written, size);
    rd_kafka_mem_free(NULL, written);
    return generation;
}

// Waits for the end of a rebalance, if one is under way: we are in a generation whose partitions were not told yet. Who is the
// group's leader then, and has not given out the partitions yet, cannot be destroyed.
static bool is_settled(struct rf_kafka *kafka) {
    for (int waited_ms = 0;; waited_ms += LEAVE_SLICE_MS) {
        int32_t generation = rf_kafka_generation(kafka);
        if (generation < 0 || generation == kafka->generation || rd_kafka_fatal_error(kafka->client, NULL, 0)) {
            return true;
        }
        if (waited_ms >= SETTLE_MS_MAX) {
            return false;
        }
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->client, LEAVE_SLICE_MS);
        if (message) {
            rd_kafka_message_destroy(message);
        }
    }
}

// Closing tells the group; librdkafka 2.0.2 may wait for brokers that are away (issue 4519), so we do the waiting.
static void say_farewell(struct rf_kafka *kafka) {
    answer_blindly(kafka);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->client);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(kafka->client, queue);
    if (!error) {
        rd_kafka_assign(kafka->client, NULL);
        for (int waited_ms = 0; !rd_kafka_consumer_closed(kafka->client) && waited_ms < LEAVE_MS_MAX;
             waited_ms += LEAVE_SLICE_MS) {
            rd_kafka_message_t *message = rd_kafka_consume_queue(queue, LEAVE_SLICE_MS);
            if (message) {
                rd_kafka_message_destroy(message);
            }
        }
    }
    rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
}

// Before 2.3.0 librdkafka asserts, when it is destroyed, that who was let into the group was given partitions, be it none (issue
// 4312). Who was fenced on the way, or had to join again, was not.
static bool may_be_half_joined(const struct rf_kafka *kafka) {
    return kafka->generation < 0 && rd_kafka_version() < 0x02030000;
}

void rf_kafka_leave(struct rf_kafka *kafka) {
    kafka->is_unfit = !is_settled(kafka) || may_be_half_joined(kafka);
    kafka->is_leaving = true;
    if (kafka->is_unfit || kafka->instance || kafka->is_down || rd_kafka_fatal_error(kafka->client, NULL, 0)) {
        let_go_of_all(kafka);
    } else {
        say_farewell(kafka);
    }
    wait_for_stop(kafka);
}

enum rf_status rf_kafka_member(struct rf_kafka *kafka, uint8_t **bytes_out, size_t *size_out, struct rf_error *err) {
    size_t size = 0;
    void *written = write_metadata(kafka, &size);
    enum rf_status status = RF_OK;
    uint8_t *bytes = NULL;
    // Without a generation offsets would be taken from us as from somebody who is of no group, and nothing would fence us.
    if (generation_of(written, size) < 0) {
        status = rf_fail(err, RF_AGAIN, "this worker is not a member of group %s now", kafka->group);
    } else if (!(bytes = malloc(size))) {
        status = rf_fail(err, RF_MEMORY, "out of memory for the metadata of group %s", kafka->group);
    } else {
        memcpy(bytes, written, size);
        *bytes_out = bytes;
        *size_out = size;
    }
    rd_kafka_mem_free(NULL, written);
    return status;
}
