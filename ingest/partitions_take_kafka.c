// What comes out of the queues: repeats, errors and ends are dealt with here.
#include "ingest/partitions_internal.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <unistd.h>

static void keep_failure(struct rf_partitions *self, const struct partition *partition, const rd_kafka_message_t *message) {
    const struct rf_position *position = &self->positions.list[partition - self->list];
    struct rf_error *err = &self->failure;
    struct rf_kafka *kafka = self->kafka;
    kafka->is_temporary = false;
    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        rf_fail(err, RF_CONFLICT, "offset %lld of %s [%d] is no longer there: the log was cut while it was being read",
                (long long)message->offset, position->topic, (int)position->partition);
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        rf_fail(err, RF_NOT_FOUND, "%s [%d] is gone from %s", position->topic, (int)position->partition, kafka->servers);
        break;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
        rf_fail(err, RF_CORRUPT, "%s [%d] is damaged at offset %lld or after: %s", position->topic, (int)position->partition,
                (long long)partition->next_offset, rd_kafka_message_errstr(message));
        break;
    default:
        rf_kafka_fail(kafka, err, message->err, "%s [%d] cannot be read", position->topic, (int)position->partition);
        break;
    }
    self->has_failure = true;
    self->is_failure_temporary = kafka->is_temporary;
}

// Whether a message is to be delivered; errors, repeats and what lies past the end are dealt with here.
static bool is_wanted(struct rf_partitions *self, struct partition *partition, const rd_kafka_message_t *message) {
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        // Proof of the end where the last offsets hold no records but the marks of transactions.
        if (self->until_end && message->offset >= partition->log_end) {
            rf_partitions_mark_done(self, partition);
        }
        return false;
    }
    if (message->err) {
        keep_failure(self, partition, message);
        return false;
    }
    if (self->until_end && message->offset >= partition->log_end) {
        rf_partitions_mark_done(self, partition);
        return false;
    }
    return message->offset >= partition->next_offset;
}

static bool refill(struct partition *partition, size_t count_max) {
    if (rd_kafka_queue_length(partition->queue) == 0) {
        return false; // asking an empty queue for messages would cost a system call
    }
    size_t count = count_max < HELD_MAX ? count_max : HELD_MAX;
    ssize_t taken = rd_kafka_consume_batch_queue(partition->queue, 0, partition->held, count);
    partition->held_first = 0;
    partition->held_count = taken > 0 ? (size_t)taken : 0;
    return taken > 0;
}

// Lists the headers of a message, which librdkafka parses at the first question and frees with the message. False when there is
// no room left for them.
static bool take_headers(struct rf_records *records, const rd_kafka_message_t *message, struct rf_record *record) {
    rd_kafka_headers_t *found;
    rd_kafka_resp_err_t code = rd_kafka_message_headers(message, &found);
    if (code) {
        record->header_count = code == RD_KAFKA_RESP_ERR__NOENT ? 0 : RF_RECORD_HEADERS_UNREADABLE;
        return true;
    }
    size_t count = rd_kafka_header_cnt(found);
    struct rf_header *headers = records->headers + records->header_count;
    if (count <= RF_RECORD_HEADERS_MAX && count > records->header_capacity - records->header_count) {
        return false;
    }
    record->header_count = (uint32_t)count;
    if (count > RF_RECORD_HEADERS_MAX) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const void *value;
        size_t size;
        rd_kafka_header_get_all(found, i, &name, &value, &size);
        headers[i] = (struct rf_header){.name = rf_text_of(name), .value = {value, size}};
    }
    record->headers = headers;
    records->header_count += count;
    return true;
}

// False when there is no room for its headers.
static bool lend(struct rf_records *records, rd_kafka_message_t *message, uint32_t partition) {
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    struct rf_record *record = &records->list[records->count];
    *record = (struct rf_record){
            .value = {message->payload, message->len},
            .key = {message->key, message->key_len},
            .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
            .offset = message->offset,
            .partition = partition,
    };
    if (records->header_capacity > 0 && !take_headers(records, message, record)) {
        return false;
    }
    records->loans[records->count++] = message;
    return true;
}

// Lends what one partition has and the limits allow; false once a limit is reached.
static bool take_from(struct rf_partitions *self, uint32_t index, const struct rf_poll *want, struct rf_records *records,
                      size_t *bytes) {
    struct partition *partition = &self->list[index];
    while (!partition->is_done && !self->has_failure) {
        if (records->count == want->records_max) {
            return false;
        }
        if (partition->held_count == 0 && !refill(partition, want->records_max - records->count)) {
            return true;
        }
        rd_kafka_message_t *message = partition->held[partition->held_first];
        if (!is_wanted(self, partition, message)) {
            rd_kafka_message_destroy(message);
        } else if (records->count > 0 && *bytes + message->len > want->bytes_max) {
            return false;
        } else if (!lend(records, message, index)) {
            return false;
        } else {
            *bytes += message->len;
            partition->next_offset = message->offset + 1;
            if (self->until_end && partition->next_offset >= partition->log_end) {
                rf_partitions_mark_done(self, partition);
            }
        }
        partition->held_first++;
        partition->held_count--;
    }
    return true;
}

static void take_in_turn(struct rf_partitions *self, const struct rf_poll *want, struct rf_records *records) {
    size_t bytes = 0, count = self->positions.count;
    if (want->has_partition) {
        take_from(self, want->partition, want, records, &bytes);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t index = (self->turn + i) % count;
        if (!take_from(self, (uint32_t)index, want, records, &bytes)) {
            self->turn = (index + 1) % count; // others first next time, else a busy partition starves them
            return;
        }
    }
}

static enum rf_status fail_unread(struct rf_partitions *self, const struct rf_position *position, struct rf_error *err) {
    self->kafka->is_temporary = false;
    return rf_fail(err, RF_CONFLICT,
                   "the recorded order goes on with records of %s [%d], but source.topics does not name %s: name it once more, "
                   "until a snapshot covers them",
                   position->topic, (int)position->partition, position->topic);
}

static void forget_wakeups(struct rf_partitions *self) {
    uint64_t count;
    ssize_t size = read(self->wakeup, &count, sizeof count); // does not block
    (void)size;
}

enum rf_status rf_partitions_take(struct rf_partitions *self, const struct rf_poll *want, struct rf_records *records,
                                  struct rf_error *err) {
    assert(!want->has_partition || want->partition < self->positions.count);
    if (want->has_partition && !self->list[want->partition].queue) {
        return fail_unread(self, &self->positions.list[want->partition], err);
    }
    forget_wakeups(self); // before looking: what comes after the look ends the wait
    take_in_turn(self, want, records);
    if (records->count > 0) {
        self->kafka->is_down = false;
        return RF_OK;
    }
    if (self->has_failure) {
        self->has_failure = !self->is_failure_temporary;
        self->kafka->is_temporary = self->is_failure_temporary;
        *err = self->failure;
        return err->status;
    }
    bool is_over = want->has_partition ? self->list[want->partition].is_done : self->done_count == self->positions.count;
    return is_over ? RF_END : RF_AGAIN;
}
