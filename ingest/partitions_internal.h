#ifndef RF_INGEST_PARTITIONS_INTERNAL_H
#define RF_INGEST_PARTITIONS_INTERNAL_H
// Shared by partitions_kafka.c, which opens and closes them, and partitions_take_kafka.c, which takes records from them.
#include "ingest/partitions.h"

struct rd_kafka_message_s; // librdkafka's types under the names their typedefs stand for

enum { HELD_MAX = 256 };

struct partition {
    struct rd_kafka_queue_s *queue; // NULL: it is not read
    int64_t next_offset;            // everything below was delivered: what librdkafka repeats is dropped
    int64_t log_end;                // as it was when reading began
    bool is_new;                    // begun since the last rf_partitions_seek()
    bool is_done;                   // nothing will come: it is not read, or nothing is left below log_end (until_end)

    // Taken from the queue, not asked for yet.
    size_t held_first, held_count;
    struct rd_kafka_message_s *held[HELD_MAX];
};

struct rf_partitions {
    struct rf_kafka *kafka;
    struct rf_positions positions;
    struct partition *list; // [positions.count]
    bool is_of_member;      // of a group: partitions come and go
    bool until_end;
    size_t done_count;
    size_t turn; // whose turn it is
    struct rd_kafka_queue_s *consumer_queue;
    int wakeup; // eventfd: a queue that was empty is not any more

    struct rf_error failure;
    bool has_failure, is_failure_temporary;
};

static inline void rf_partitions_mark_done(struct rf_partitions *self, struct partition *partition) {
    if (!partition->is_done) {
        partition->is_done = true;
        self->done_count++;
    }
}

#endif
