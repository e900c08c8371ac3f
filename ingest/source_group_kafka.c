// Reads Kafka as one of a group, which says which partitions are ours.
//
// librdkafka tells of a rebalance in a callback, and waits until it is answered; the callback only notes it. A poll tells it,
// with assign() or unassign() as the answer, which may take as long as a commit. Meanwhile polls keep our place in the group, but
// librdkafka fetches nothing.
#include "ingest/kafka.h"
#include "ingest/partitions.h"
#include "ingest/read_topics.h"
#include "ingest/source.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// What the group told: RF_SOURCE_ASSIGNED, _REVOKED or _LOST, and the partitions concerned. Idle when there is nothing.
struct news {
    enum rf_source_event event;
    struct rf_positions partitions;
};

struct group_source {
    struct rf_source base;
    struct rf_kafka *kafka;
    struct rf_texts topics;
    enum rf_start start;
    struct rf_partitions *partitions; // NULL before the group was joined
    atomic_bool is_joined;            // group() may ask the client, which stays the same from now on
    struct news noted;                // by the callback, not told yet
    struct news told;                 // by a poll, not answered yet
    bool is_out_of_memory;            // while noting
    bool is_over;                     // `failure` is told for ever
    struct rf_error failure;
    atomic_size_t loans_out;
};

static const struct rf_source_ops group_ops;

static struct group_source *group_from(struct rf_source *self) {
    assert(self->ops == &group_ops);
    return (struct group_source *)self;
}

// A failure that is for good: told again by every poll.
static enum rf_status told(struct group_source *source, enum rf_status status, const struct rf_error *err) {
    if (status) {
        source->base.is_temporary = source->kafka->is_temporary;
    }
    if (status == RF_BUSY) {
        source->is_over = true;
        source->failure = *err;
    }
    return status;
}

static void news_clear(struct news *news) {
    rf_positions_finish(&news->partitions);
    rf_positions_init(&news->partitions);
    news->event = RF_SOURCE_IDLE;
}

// Called while the client is served. librdkafka tells nothing more before this is answered.
static void note_news(void *context, int code, const rd_kafka_topic_partition_list_t *partitions) {
    struct group_source *source = context;
    struct news *news = &source->noted;
    news_clear(news);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        news->event = RF_SOURCE_ASSIGNED;
    } else { // also an error that librdkafka cannot name: all partitions go
        news->event = rd_kafka_assignment_lost(source->kafka->client) ? RF_SOURCE_LOST : RF_SOURCE_REVOKED;
    }
    for (int i = 0; i < partitions->cnt; i++) {
        size_t index;
        if (rf_positions_add(&news->partitions, partitions->elems[i].topic, partitions->elems[i].partition, &index)) {
            source->is_out_of_memory = true;
        }
    }
}

// Looks the topics up, so that a missing one is told and the memory for all partitions is divided, and joins.
static enum rf_status join(struct group_source *source, struct rf_error *err) {
    struct rf_positions all;
    rf_positions_init(&all);
    enum rf_status status = rf_read_topics_list(&source->topics, source->kafka, &all, err);
    if (!status) {
        status = rf_kafka_share(source->kafka, all.count, err);
    }
    rf_positions_finish(&all);
    if (!status) {
        status = rf_partitions_create(source->kafka, &source->partitions, err);
    }
    if (!status) {
        status = rf_kafka_join(source->kafka, &source->topics, err);
    }
    if (status) {
        rf_partitions_close(source->partitions);
        source->partitions = NULL;
        return status;
    }
    atomic_store(&source->is_joined, true);
    return RF_OK;
}

// The place of a partition in `partitions`; SIZE_MAX: none.
static size_t index_of(const struct rf_positions *positions, const struct rf_position *partition) {
    const struct rf_position *found = rf_positions_find(positions, partition->topic, partition->partition);
    return found ? (size_t)(found - positions->list) : SIZE_MAX;
}

static void halt(struct group_source *source, const struct rf_positions *going) {
    for (size_t i = 0; i < going->count; i++) {
        size_t index = index_of(rf_partitions_positions(source->partitions), &going->list[i]);
        if (index != SIZE_MAX) {
            rf_partitions_halt(source->partitions, index);
        }
    }
}

// Nothing came or goes, but librdkafka waits for the answer all the same.
static enum rf_status answer_nothing(struct group_source *source, enum rf_source_event event, struct rf_error *err) {
    static const struct rf_positions none = {0};
    if (event != RF_SOURCE_ASSIGNED) {
        rf_kafka_let_go(source->kafka, &none);
        return rf_partitions_seek(source->partitions, err);
    }
    enum rf_status status = rf_kafka_accept(source->kafka, &none, NULL, err);
    return status ? status : rf_partitions_seek(source->partitions, err);
}

// Tells what was noted, unless an answer is still awaited.
static enum rf_status tell_news(struct group_source *source, enum rf_source_event *event_out,
                                const struct rf_positions **partitions_out, struct rf_error *err) {
    if (source->is_out_of_memory) {
        source->kafka->is_temporary = false;
        return rf_fail(err, RF_MEMORY, "out of memory for the partitions of group %s", source->kafka->group);
    }
    if (source->noted.event == RF_SOURCE_IDLE || source->told.event != RF_SOURCE_IDLE) {
        return RF_AGAIN;
    }
    if (source->noted.partitions.count == 0) {
        enum rf_source_event event = source->noted.event;
        source->noted.event = RF_SOURCE_IDLE;
        enum rf_status status = answer_nothing(source, event, err);
        return status ? status : RF_AGAIN;
    }
    source->told = source->noted;
    source->noted.event = RF_SOURCE_IDLE;
    rf_positions_init(&source->noted.partitions);
    if (source->told.event != RF_SOURCE_ASSIGNED) {
        halt(source, &source->told.partitions);
    }
    *event_out = source->told.event;
    *partitions_out = &source->told.partitions;
    return RF_OK;
}

static enum rf_status serve_and_take(struct group_source *source, const struct rf_poll *want, struct rf_records *records,
                                     enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                     struct rf_error *err) {
    enum rf_status status = rf_kafka_serve(source->kafka, err);
    if (status) {
        return status;
    }
    status = tell_news(source, event_out, partitions_out, err);
    if (status != RF_AGAIN) {
        return status;
    }
    status = rf_partitions_take(source->partitions, want, records, err);
    *event_out = status == RF_OK ? RF_SOURCE_RECORDS : RF_SOURCE_IDLE;
    return status == RF_END ? RF_AGAIN : status; // there may be no partitions now, and some later
}

static enum rf_status group_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                 enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                 struct rf_error *err) {
    struct group_source *source = group_from(self);
    source->kafka->is_temporary = false;
    if (source->is_over) {
        *err = source->failure;
        return err->status;
    }
    enum rf_status status = source->partitions ? RF_OK : join(source, err);
    if (status) {
        return told(source, status, err);
    }
    enum rf_source_event event = RF_SOURCE_IDLE;
    status = serve_and_take(source, want, records, &event, partitions_out, err);
    if (status == RF_AGAIN && want->timeout_ms != 0) {
        rf_partitions_wait(source->partitions, want->timeout_ms);
        status = serve_and_take(source, want, records, &event, partitions_out, err);
    }
    if (status && status != RF_AGAIN) {
        return told(source, status, err);
    }
    atomic_fetch_add_explicit(&source->loans_out, records->count, memory_order_relaxed);
    *event_out = event;
    return RF_OK;
}

// With a client of its own: that of a member can read nothing that the group did not give it.
static enum rf_status group_look(struct rf_source *self, const struct rf_positions *positions, struct rf_holding *holdings_out,
                                 struct rf_error *err) {
    struct group_source *source = group_from(self);
    struct rf_kafka *aside = NULL;
    enum rf_status status = rf_kafka_create_aside(source->kafka, &aside, err);
    if (!status) {
        status = rf_read_topics_look(&source->topics, aside, positions, holdings_out, err);
        source->base.is_temporary = status && aside->is_temporary;
    }
    rf_kafka_destroy(aside);
    return status;
}

// Finds where the partitions that came begin, fills them in, and begins to read them.
static enum rf_status begin(struct group_source *source, struct rf_positions *positions, const struct rf_positions *came,
                            int64_t *offset, int64_t *end, struct rf_error *err) {
    enum rf_status status = rf_read_topics_starts(source->kafka, came, source->start, /* start_time_ms= */ 0, offset, end, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < came->count; i++) {
        rf_partitions_begin(source->partitions, index_of(positions, &came->list[i]), offset[i], end[i]);
    }
    status = rf_kafka_accept(source->kafka, came, offset, err);
    for (size_t i = 0; i < came->count; i++) {
        struct rf_position *position = &positions->list[index_of(positions, &came->list[i])];
        if (status) {
            rf_partitions_end(source->partitions, (size_t)(position - positions->list));
        } else if (position->next_offset == RF_OFFSET_NONE) {
            position->next_offset = offset[i];
        }
    }
    return status;
}

// All that is read begins anew where the positions are.
static enum rf_status begin_anew(struct group_source *source, const struct rf_positions *positions, struct rf_error *err) {
    for (size_t i = 0; i < positions->count && source->partitions; i++) {
        if (rf_partitions_reads(source->partitions, i) && positions->list[i].next_offset != RF_OFFSET_NONE) {
            rf_partitions_move(source->partitions, i, positions->list[i].next_offset);
        }
    }
    return source->partitions ? rf_partitions_seek(source->partitions, err) : RF_OK;
}

static enum rf_status group_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    struct group_source *source = group_from(self);
    source->kafka->is_temporary = false;
    if (source->told.event == RF_SOURCE_IDLE) {
        return told(source, begin_anew(source, positions, err), err);
    }
    assert(source->told.event == RF_SOURCE_ASSIGNED);
    size_t count = source->told.partitions.count;
    struct rf_positions came = {.list = calloc(count, sizeof *came.list), .count = count}; // borrows the topics
    int64_t *offset = calloc(2 * count, sizeof *offset);
    enum rf_status status = came.list && offset ? rf_partitions_extend(source->partitions, positions, err)
                                                : rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", count);
    for (size_t i = 0; i < count && !status; i++) {
        size_t index = index_of(positions, &source->told.partitions.list[i]);
        assert(index != SIZE_MAX); // the caller knows all that were offered
        came.list[i] = positions->list[index];
    }
    if (!status) {
        status = begin(source, positions, &came, offset, offset + count, err);
    }
    free(came.list);
    free(offset);
    if (!status) {
        news_clear(&source->told);
        status = rf_partitions_seek(source->partitions, err);
    }
    return told(source, status, err);
}

static void group_unassign(struct rf_source *self) {
    struct group_source *source = group_from(self);
    if (source->told.event != RF_SOURCE_REVOKED && source->told.event != RF_SOURCE_LOST) {
        for (size_t i = 0; source->partitions && i < rf_partitions_positions(source->partitions)->count; i++) {
            rf_partitions_end(source->partitions, i);
        }
        return;
    }
    const struct rf_positions *going = &source->told.partitions;
    rf_kafka_let_go(source->kafka, going);
    for (size_t i = 0; i < going->count; i++) {
        size_t index = index_of(rf_partitions_positions(source->partitions), &going->list[i]);
        if (index != SIZE_MAX) {
            rf_partitions_end(source->partitions, index);
        }
    }
    news_clear(&source->told);
    struct rf_error err;
    enum rf_status status = rf_partitions_seek(source->partitions, &err);
    if (status && !source->kafka->has_failure) { // for the next poll to tell
        source->kafka->has_failure = true;
        source->kafka->failure = err;
        source->kafka->is_failure_temporary = source->kafka->is_temporary;
    }
}

static enum rf_status group_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                   struct rf_error *err) {
    struct group_source *source = group_from(self);
    source->kafka->is_temporary = false;
    return told(source, rf_read_topics_commit(&source->topics, source->kafka, positions, note, err), err);
}

static enum rf_status group_committed(struct rf_source *self, struct rf_positions *positions, char *note_out, size_t note_size,
                                      struct rf_error *err) {
    struct group_source *source = group_from(self);
    source->kafka->is_temporary = false;
    return told(source, rf_read_topics_committed(&source->topics, source->kafka, positions, note_out, note_size, err), err);
}

static void group_ends(struct rf_source *self, int64_t *end_out) {
    struct group_source *source = group_from(self);
    if (source->partitions) {
        rf_partitions_ends(source->partitions, self->partitions_assigned, end_out);
    }
}

static enum rf_status group_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms,
                                  int64_t *offset_out, struct rf_error *err) {
    struct group_source *source = group_from(self);
    source->kafka->is_temporary = false;
    return told(source, rf_kafka_times(source->kafka, positions, time_ms, offset_out, err), err);
}

static enum rf_status group_group(struct rf_source *self, uint8_t **bytes_out, size_t *size_out, struct rf_error *err) {
    struct group_source *source = group_from(self);
    if (!atomic_load(&source->is_joined)) {
        return rf_fail(err, RF_AGAIN, "this worker has not joined group %s yet", source->kafka->group);
    }
    return rf_kafka_member(source->kafka, bytes_out, size_out, err);
}

static void group_release(struct rf_source *self, struct rf_records *records) {
    struct group_source *source = group_from(self);
    for (size_t i = 0; i < records->count; i++) {
        rd_kafka_message_destroy(records->loans[i]);
    }
    atomic_fetch_sub_explicit(&source->loans_out, records->count, memory_order_release);
}

static void group_destroy(struct rf_source *self) {
    struct group_source *source = group_from(self);
    assert(atomic_load(&source->loans_out) == 0); // librdkafka's messages must not outlive its client
    if (source->partitions) {
        rf_kafka_leave(source->kafka);
    }
    rf_partitions_close(source->partitions);
    rf_kafka_destroy(source->kafka);
    rf_read_topics_finish(&source->topics);
    rf_positions_finish(&source->noted.partitions);
    rf_positions_finish(&source->told.partitions);
    free(source);
}

static const struct rf_source_ops group_ops = {
        .name = "kafka group",
        .poll = group_poll,
        .look = group_look,
        .assign = group_assign,
        .unassign = group_unassign,
        .commit = group_commit,
        .committed = group_committed,
        .ends = group_ends,
        .times = group_times,
        .group = group_group,
        .release = group_release,
        .destroy = group_destroy,
};

enum rf_status rf_source_group_create(const struct rf_source_group_options *options, struct rf_source **source_out,
                                      struct rf_error *err) {
    assert(options->start != RF_START_TIME);
    struct group_source *source = calloc(1, sizeof *source);
    if (!source) {
        return rf_fail(err, RF_MEMORY, "out of memory for a kafka source");
    }
    source->base.ops = &group_ops;
    source->start = options->start;
    source->noted.event = source->told.event = RF_SOURCE_IDLE;
    rf_positions_init(&source->noted.partitions);
    rf_positions_init(&source->told.partitions);
    enum rf_status status = rf_read_topics_copy(&source->topics, options->topics, err);
    if (!status) {
        struct rf_kafka_membership membership = {.note = note_news, .context = source};
        status = rf_kafka_create_member(options->properties, &membership, &source->kafka, err);
    }
    if (status) {
        group_destroy(&source->base);
        return status;
    }
    *source_out = &source->base;
    return RF_OK;
}
