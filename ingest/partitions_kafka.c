#include "ingest/partitions_internal.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void rf_partitions_wait(struct rf_partitions *self, int timeout_ms) {
    struct pollfd waiting = {.fd = self->wakeup, .events = POLLIN};
    poll(&waiting, 1, timeout_ms); // a signal ends the wait too
}

void rf_partitions_ends(struct rf_partitions *self, size_t count, int64_t *end_out) {
    for (size_t i = 0; i < self->positions.count && i < count; i++) {
        const struct rf_position *position = &self->positions.list[i];
        if (!self->list[i].queue) {
            end_out[i] = self->is_of_member ? -1 : position->next_offset;
            continue;
        }
        int64_t first = -1, end = -1;
        rd_kafka_get_watermark_offsets(self->kafka->client, position->topic, position->partition, &first, &end);
        end_out[i] = end > self->list[i].log_end ? end : self->list[i].log_end;
    }
}

void rf_partitions_begin(struct rf_partitions *self, size_t index, int64_t offset, int64_t end) {
    static const uint64_t one = 1;
    struct partition *partition = &self->list[index];
    const struct rf_position *position = &self->positions.list[index];
    assert(!partition->queue);
    partition->next_offset = offset;
    partition->log_end = end;
    partition->queue = rd_kafka_queue_get_partition(self->kafka->client, position->topic, position->partition);
    rd_kafka_queue_forward(partition->queue, NULL);
    rd_kafka_queue_io_event_enable(partition->queue, self->wakeup, &one, sizeof one);
    partition->is_new = true;
    if (partition->is_done) {
        partition->is_done = false;
        self->done_count--;
    }
    if (self->until_end && offset >= end) {
        rf_partitions_mark_done(self, partition);
    }
}

void rf_partitions_move(struct rf_partitions *self, size_t index, int64_t offset) {
    assert(rf_partitions_reads(self, index));
    self->list[index].next_offset = offset;
    self->list[index].is_new = false;
}

bool rf_partitions_reads(const struct rf_partitions *self, size_t index) {
    return index < self->positions.count && self->list[index].queue && !self->list[index].is_done;
}

// Hands the partitions that have anything left to read to librdkafka.
static enum rf_status start_reading(struct rf_partitions *self, struct rf_error *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)self->positions.count);
    for (size_t i = 0; i < self->positions.count; i++) {
        const struct rf_position *position = &self->positions.list[i];
        if (!self->list[i].is_done) {
            rd_kafka_topic_partition_list_add(list, position->topic, position->partition)->offset = self->list[i].next_offset;
        }
    }
    rd_kafka_resp_err_t code = list->cnt > 0 ? rd_kafka_assign(self->kafka->client, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    return code ? rf_kafka_fail(self->kafka, err, code, "partitions cannot be assigned") : RF_OK;
}

// What is left in the queue of a partition that was deleted refers to the partition, which refers to its queue:
// librdkafka 2.0.2 does not find them then, and its destruction waits for them for ever (issue 4724).
static void drain_queue(rd_kafka_queue_t *queue) {
    rd_kafka_message_t *messages[HELD_MAX];
    ssize_t count;
    do {
        count = rd_kafka_consume_batch_queue(queue, 0, messages, HELD_MAX);
        for (ssize_t i = 0; i < count; i++) {
            rd_kafka_message_destroy(messages[i]);
        }
    } while (count > 0 || rd_kafka_queue_length(queue) > 0);
}

// Takes all partitions from librdkafka, and returns when nothing more comes of them.
static void stop_reading(struct rf_partitions *self) {
    rd_kafka_topic_partition_list_t *none = NULL;
    rd_kafka_assign(self->kafka->client, NULL);
    rd_kafka_assignment(self->kafka->client, &none); // answered behind the orders to stop, which the first call only gave
    if (none) {
        rd_kafka_topic_partition_list_destroy(none);
    }
}

static void drop_queue(rd_kafka_queue_t *queue) {
    if (queue) {
        rd_kafka_queue_io_event_enable(queue, -1, NULL, 0); // the queue itself lives on, the eventfd does not
        rd_kafka_queue_destroy(queue);
    }
}

const struct rf_positions *rf_partitions_positions(const struct rf_partitions *self) {
    return &self->positions;
}

static void drop_held(struct partition *partition) {
    for (size_t i = 0; i < partition->held_count; i++) {
        rd_kafka_message_destroy(partition->held[partition->held_first + i]);
    }
    partition->held_first = partition->held_count = 0;
}

void rf_partitions_halt(struct rf_partitions *self, size_t index) {
    rf_partitions_mark_done(self, &self->list[index]);
    drop_held(&self->list[index]);
}

void rf_partitions_end(struct rf_partitions *self, size_t index) {
    rf_partitions_halt(self, index);
    if (self->list[index].queue) {
        drain_queue(self->list[index].queue);
        drop_queue(self->list[index].queue);
        self->list[index].queue = NULL;
    }
}

// librdkafka 2.0.2 halts the partitions that a rebalance leaves in place and begins them again where it thinks that the reader
// is. It may be wrong in both directions: what a batch held when the halt came is destroyed and counted as read (2.1.0 reads on
// after such a hole), and a partition that comes back is taken up where it was long ago. We know better where we are.
enum rf_status rf_partitions_seek(struct rf_partitions *self, struct rf_error *err) {
    enum { PATIENCE_MS = 5000, MS_AS_US = 1000 }; // before 2.1.0 the timeout is taken for microseconds
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)self->positions.count);
    for (size_t i = 0; i < self->positions.count; i++) {
        if (rf_partitions_reads(self, i) && !self->list[i].is_new) {
            const struct rf_position *position = &self->positions.list[i];
            rd_kafka_topic_partition_list_add(list, position->topic, position->partition)->offset = self->list[i].next_offset;
        }
    }
    enum rf_status status = RF_OK;
    if (list->cnt > 0) {
        int timeout = rd_kafka_version() < 0x02010000 ? PATIENCE_MS * MS_AS_US : PATIENCE_MS;
        rd_kafka_error_t *error = rd_kafka_seek_partitions(self->kafka->client, list, timeout);
        rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
        for (int i = 0; i < list->cnt && !code; i++) {
            bool is_not_begun = list->elems[i].err == RD_KAFKA_RESP_ERR__STATE; // it will be, where we said
            code = is_not_begun ? RD_KAFKA_RESP_ERR_NO_ERROR : list->elems[i].err;
        }
        rd_kafka_error_destroy(error);
        if (code) {
            status = rf_kafka_fail(self->kafka, err, code, "partitions cannot be taken up again after a rebalance");
        }
    }
    for (size_t i = 0; i < self->positions.count; i++) {
        self->list[i].is_new = false;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

void rf_partitions_close(struct rf_partitions *self) {
    if (!self) {
        return;
    }
    if (!self->is_of_member) {
        stop_reading(self);
    }
    for (size_t i = 0; i < self->positions.count && self->list; i++) {
        rf_partitions_end(self, i);
    }
    drop_queue(self->consumer_queue);
    if (self->wakeup >= 0) {
        close(self->wakeup);
    }
    free(self->list);
    rf_positions_finish(&self->positions);
    free(self);
}

enum rf_status rf_partitions_create(struct rf_kafka *kafka, struct rf_partitions **partitions_out, struct rf_error *err) {
    static const uint64_t one = 1;
    struct rf_partitions *self = calloc(1, sizeof *self);
    if (!self) {
        return rf_fail(err, RF_MEMORY, "out of memory for the partitions of %s", kafka->servers);
    }
    self->kafka = kafka;
    self->is_of_member = true;
    rf_positions_init(&self->positions);
    self->wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (self->wakeup < 0) {
        rf_partitions_close(self);
        return rf_fail(err, RF_IO, "no eventfd is to be had: too many files are open");
    }
    self->consumer_queue = rd_kafka_queue_get_consumer(kafka->client);
    rd_kafka_queue_io_event_enable(self->consumer_queue, self->wakeup, &one, sizeof one);
    *partitions_out = self;
    return RF_OK;
}

enum rf_status rf_partitions_extend(struct rf_partitions *self, const struct rf_positions *positions, struct rf_error *err) {
    struct partition *list = realloc(self->list, (positions->count + 1) * sizeof *list);
    if (!list) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    }
    self->list = list;
    for (size_t i = self->positions.count; i < positions->count; i++) {
        size_t index;
        if (rf_positions_add(&self->positions, positions->list[i].topic, positions->list[i].partition, &index)) {
            return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
        }
        assert(index == i);
        self->positions.list[i].next_offset = positions->list[i].next_offset;
        list[i] = (struct partition){.queue = NULL};
        rf_partitions_mark_done(self, &list[i]);
    }
    return RF_OK;
}

enum rf_status rf_partitions_open(struct rf_kafka *kafka, const struct rf_positions *positions, const int64_t *offset,
                                  const int64_t *end, bool until_end, struct rf_partitions **partitions_out,
                                  struct rf_error *err) {
    struct rf_partitions *self = NULL;
    enum rf_status status = rf_partitions_create(kafka, &self, err);
    if (status) {
        return status;
    }
    self->is_of_member = false;
    self->until_end = until_end;
    status = rf_partitions_extend(self, positions, err);
    if (!status) {
        for (size_t i = 0; i < positions->count; i++) {
            if (offset[i] != RF_OFFSET_NONE) {
                rf_partitions_begin(self, i, offset[i], end[i]);
            }
        }
        status = start_reading(self, err);
    }
    if (status) {
        rf_partitions_close(self);
        return status;
    }
    *partitions_out = self;
    return RF_OK;
}
