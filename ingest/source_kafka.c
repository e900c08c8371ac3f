// Reads Kafka without joining the group: all partitions of the topics are ours.
#include "ingest/kafka.h"
#include "ingest/partitions.h"
#include "ingest/read_topics.h"
#include "ingest/source.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct kafka_source {
    struct rf_source base;
    struct rf_kafka *kafka;
    struct rf_texts topics;
    enum rf_start start;
    int64_t start_time_ms;
    bool until_end;
    struct rf_positions offered; // all partitions, in the order of the topics
    bool is_offered;
    struct rf_partitions *partitions; // those being read; NULL before assign
    atomic_size_t loans_out;
};

static const struct rf_source_ops kafka_ops;

static struct kafka_source *kafka_from(struct rf_source *self) {
    assert(self->ops == &kafka_ops);
    return (struct kafka_source *)self;
}

static enum rf_status told(struct kafka_source *source, enum rf_status status) {
    if (status) {
        source->base.is_temporary = source->kafka->is_temporary;
    }
    return status;
}

// Looks the topics up and offers all their partitions.
static enum rf_status offer(struct kafka_source *source, enum rf_source_event *event_out,
                            const struct rf_positions **partitions_out, struct rf_error *err) {
    enum rf_status status = rf_read_topics_list(&source->topics, source->kafka, &source->offered, err);
    if (status) {
        return told(source, status);
    }
    source->is_offered = true;
    *event_out = RF_SOURCE_ASSIGNED;
    *partitions_out = &source->offered;
    return RF_OK;
}

static enum rf_status serve_and_take(struct kafka_source *source, const struct rf_poll *want, struct rf_records *records,
                                     struct rf_error *err) {
    enum rf_status status = rf_kafka_serve(source->kafka, err);
    return status ? status : rf_partitions_take(source->partitions, want, records, err);
}

static enum rf_status kafka_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                 enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                 struct rf_error *err) {
    struct kafka_source *source = kafka_from(self);
    source->kafka->is_temporary = false;
    if (!source->is_offered) {
        return offer(source, event_out, partitions_out, err);
    }
    if (!source->partitions) {
        *event_out = RF_SOURCE_IDLE;
        return RF_OK;
    }
    enum rf_status status = serve_and_take(source, want, records, err);
    if (status == RF_AGAIN && want->timeout_ms != 0) {
        rf_partitions_wait(source->partitions, want->timeout_ms);
        status = serve_and_take(source, want, records, err);
    }
    switch (status) {
    case RF_OK:
        atomic_fetch_add_explicit(&source->loans_out, records->count, memory_order_relaxed);
        *event_out = RF_SOURCE_RECORDS;
        return RF_OK;
    case RF_AGAIN:
        *event_out = RF_SOURCE_IDLE;
        return RF_OK;
    case RF_END:
        *event_out = RF_SOURCE_END;
        return RF_OK;
    default:
        return told(source, status);
    }
}

static enum rf_status kafka_look(struct rf_source *self, const struct rf_positions *positions, struct rf_holding *holdings_out,
                                 struct rf_error *err) {
    struct kafka_source *source = kafka_from(self);
    assert(!source->partitions);
    source->kafka->is_temporary = false;
    return told(source, rf_read_topics_look(&source->topics, source->kafka, positions, holdings_out, err));
}

static size_t offered_of(const struct kafka_source *source, const char *topic) {
    size_t count = 0;
    for (size_t i = 0; i < source->offered.count; i++) {
        count += strcmp(source->offered.list[i].topic, topic) == 0;
    }
    return count;
}

// A topic that is gone is told of by the partitions that are read.
static enum rf_status kafka_refresh(struct rf_source *self, struct rf_error *err) {
    struct kafka_source *source = kafka_from(self);
    enum rf_status status = RF_OK;
    source->kafka->is_temporary = false;
    for (size_t i = 0; i < source->topics.count && source->is_offered && !source->until_end && !source->kafka->is_down; i++) {
        int32_t count = 0;
        status = rf_kafka_partitions(source->kafka, source->topics.list[i], &count, err);
        if (status && status != RF_NOT_FOUND) {
            return told(source, status);
        }
        source->is_offered = status || (size_t)count <= offered_of(source, source->topics.list[i]);
    }
    return RF_OK;
}

// Moves the numbers of the positions read to where these stand among all; the others get RF_OFFSET_NONE.
static void spread(const struct kafka_source *source, const struct rf_positions *positions, size_t read_count, int64_t *number) {
    for (size_t i = positions->count; i-- > 0;) {
        bool is_ours = rf_read_topics_hold(&source->topics, &positions->list[i]);
        read_count -= is_ours;
        number[i] = is_ours ? number[read_count] : RF_OFFSET_NONE;
    }
}

static enum rf_status kafka_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    struct kafka_source *source = kafka_from(self);
    assert(!source->partitions);
    source->kafka->is_temporary = false;
    int64_t *offset = calloc(positions->count, sizeof *offset), *end = calloc(positions->count, sizeof *end);
    struct rf_positions read = {0};
    enum rf_status status = rf_read_topics_pick(&source->topics, positions, &read, err);
    if (!status && (!offset || !end)) {
        status = rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    }
    if (!status) {
        assert(read.count > 0);
        status = rf_kafka_share(source->kafka, read.count, err);
    }
    if (!status) {
        status = rf_read_topics_starts(source->kafka, &read, source->start, source->start_time_ms, offset, end, err);
    }
    if (!status) {
        spread(source, positions, read.count, offset);
        spread(source, positions, read.count, end);
        status = rf_partitions_open(source->kafka, positions, offset, end, source->until_end, &source->partitions, err);
    }
    for (size_t i = 0; i < positions->count && !status; i++) {
        if (positions->list[i].next_offset == RF_OFFSET_NONE) {
            positions->list[i].next_offset = offset[i];
        }
    }
    free(read.list);
    free(offset);
    free(end);
    return told(source, status);
}

static void kafka_unassign(struct rf_source *self) {
    struct kafka_source *source = kafka_from(self);
    rf_partitions_close(source->partitions);
    source->partitions = NULL;
    source->is_offered = false;
}

static enum rf_status kafka_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                   struct rf_error *err) {
    struct kafka_source *source = kafka_from(self);
    source->kafka->is_temporary = false;
    return told(source, rf_read_topics_commit(&source->topics, source->kafka, positions, note, err));
}

static enum rf_status kafka_committed(struct rf_source *self, struct rf_positions *positions, char *note_out, size_t note_size,
                                      struct rf_error *err) {
    struct kafka_source *source = kafka_from(self);
    source->kafka->is_temporary = false;
    return told(source, rf_read_topics_committed(&source->topics, source->kafka, positions, note_out, note_size, err));
}

static enum rf_status kafka_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms,
                                  int64_t *offset_out, struct rf_error *err) {
    struct kafka_source *source = kafka_from(self);
    source->kafka->is_temporary = false;
    return told(source, rf_kafka_times(source->kafka, positions, time_ms, offset_out, err));
}

static void kafka_ends(struct rf_source *self, int64_t *end_out) {
    struct kafka_source *source = kafka_from(self);
    if (source->partitions) {
        rf_partitions_ends(source->partitions, self->partitions_assigned, end_out);
    }
}

static void kafka_release(struct rf_source *self, struct rf_records *records) {
    struct kafka_source *source = kafka_from(self);
    for (size_t i = 0; i < records->count; i++) {
        rd_kafka_message_destroy(records->loans[i]);
    }
    atomic_fetch_sub_explicit(&source->loans_out, records->count, memory_order_release);
}

static void kafka_destroy(struct rf_source *self) {
    struct kafka_source *source = kafka_from(self);
    assert(atomic_load(&source->loans_out) == 0); // librdkafka's messages must not outlive its client
    rf_partitions_close(source->partitions);
    rf_kafka_destroy(source->kafka);
    rf_read_topics_finish(&source->topics);
    rf_positions_finish(&source->offered);
    free(source);
}

static const struct rf_source_ops kafka_ops = {
        .name = "kafka",
        .poll = kafka_poll,
        .look = kafka_look,
        .refresh = kafka_refresh,
        .assign = kafka_assign,
        .unassign = kafka_unassign,
        .commit = kafka_commit,
        .committed = kafka_committed,
        .ends = kafka_ends,
        .times = kafka_times,
        .release = kafka_release,
        .destroy = kafka_destroy,
};

enum rf_status rf_source_kafka_create(const struct rf_source_kafka_options *options, struct rf_source **source_out,
                                      struct rf_error *err) {
    struct kafka_source *source = calloc(1, sizeof *source);
    if (!source) {
        return rf_fail(err, RF_MEMORY, "out of memory for a kafka source");
    }
    source->base.ops = &kafka_ops;
    source->start = options->start;
    source->start_time_ms = options->start_time_ms;
    source->until_end = options->until_end;
    rf_positions_init(&source->offered);
    enum rf_status status = rf_read_topics_copy(&source->topics, options->topics, err);
    if (!status) {
        status = rf_kafka_create(options->properties, &source->kafka, err);
    }
    if (status) {
        kafka_destroy(&source->base);
        return status;
    }
    *source_out = &source->base;
    return RF_OK;
}
