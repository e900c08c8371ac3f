// Partitions merged by the timestamps of their records. A few records of each are held, lent by the source beneath; the earliest
// of their first ones is next. Nothing is remembered beyond that, so who resumes at any positions goes on in the same order.
#include "ingest/source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 256, HELD_BYTES = 1 << 20 };

struct lane {
    bool is_ours;      // offered by the source beneath
    bool is_done;      // nothing more will come
    bool is_idle;      // nothing came for so long that it is not waited for
    int64_t empty_ms;  // since when there is nothing, -1: there is
    int64_t new_from;  // records before this offset were applied: they only show that the log is the same, and go first
    size_t rank;       // among all, by topic and partition
    size_t first, end; // of those held
    struct rf_record *list;
    void **loans;
    struct rf_header *headers; // NULL: not asked for
};

struct merge_source {
    struct rf_source base;
    struct rf_source *inner;
    int64_t idle_ms; // < 0: every partition is waited for
    bool with_headers;
    struct rf_positions offered;
    struct lane *lanes; // [lane_count] by index of the positions assigned
    size_t lane_count;
    bool is_changed; // its partitions did: to be told by the next poll
    size_t turn;     // which of the empty ones is waited for
};

static const struct rf_source_ops merge_ops;

static struct merge_source *merge_from(struct rf_source *self) {
    assert(self->ops == &merge_ops);
    return (struct merge_source *)self;
}

static enum rf_status told(struct merge_source *merge, enum rf_status status) {
    merge->base.is_temporary = status && merge->inner->is_temporary;
    return status;
}

static void forget_lanes(struct merge_source *merge) {
    for (size_t i = 0; i < merge->lane_count; i++) {
        struct lane *lane = &merge->lanes[i];
        struct rf_records left = {
                .list = lane->list + lane->first, .loans = lane->loans + lane->first, .count = lane->end - lane->first};
        rf_source_release(merge->inner, &left);
        free(lane->list);
        free(lane->loans);
        free(lane->headers);
    }
    free(merge->lanes);
    merge->lanes = NULL;
    merge->lane_count = 0;
}

static bool is_waited_for(const struct lane *lane) {
    return lane->is_ours && !lane->is_done && !lane->is_idle && lane->first == lane->end;
}

// Fills an empty lane. What else happens is told by the event.
static enum rf_status refill(struct merge_source *merge, size_t index, const struct rf_poll *want, int timeout_ms,
                             enum rf_source_event *event_out, const struct rf_positions **partitions_out, struct rf_error *err) {
    struct lane *lane = &merge->lanes[index];
    struct rf_records records = {.list = lane->list,
                                 .loans = lane->loans,
                                 .capacity = HELD_MAX,
                                 .headers = lane->headers,
                                 .header_capacity = lane->headers ? rf_headers_capacity(HELD_MAX) : 0};
    struct rf_poll one = {.records_max = HELD_MAX,
                          .bytes_max = HELD_BYTES,
                          .timeout_ms = timeout_ms,
                          .has_partition = true,
                          .partition = (uint32_t)index,
                          .now_ms = want->now_ms};
    enum rf_status status = told(merge, rf_source_poll(merge->inner, &one, &records, event_out, partitions_out, err));
    if (status) {
        return status;
    }
    lane->first = 0;
    lane->end = records.count;
    lane->is_done = *event_out == RF_SOURCE_END;
    if (records.count > 0) {
        lane->empty_ms = -1;
        lane->is_idle = false;
    } else if (lane->empty_ms < 0) {
        lane->empty_ms = want->now_ms;
    } else if (merge->idle_ms >= 0 && want->now_ms - lane->empty_ms >= merge->idle_ms) {
        lane->is_idle = true;
    }
    return RF_OK;
}

// Fills all lanes that are empty. RF_AGAIN: the event is to be told.
static enum rf_status refill_all(struct merge_source *merge, const struct rf_poll *want, enum rf_source_event *event_out,
                                 const struct rf_positions **partitions_out, struct rf_error *err) {
    for (size_t i = 0; i < merge->lane_count; i++) {
        struct lane *lane = &merge->lanes[i];
        if (!lane->is_ours || lane->is_done || lane->first < lane->end) {
            continue;
        }
        enum rf_status status = refill(merge, i, want, 0, event_out, partitions_out, err);
        if (status) {
            return status;
        }
        if (*event_out != RF_SOURCE_RECORDS && *event_out != RF_SOURCE_IDLE && *event_out != RF_SOURCE_END) {
            return RF_AGAIN;
        }
    }
    return RF_OK;
}

static int64_t time_of(const struct lane *lane) {
    const struct rf_record *record = &lane->list[lane->first];
    return record->offset < lane->new_from ? INT64_MIN : record->timestamp_ms;
}

static bool is_before(const struct lane *a, const struct lane *b) {
    int64_t time_a = time_of(a), time_b = time_of(b);
    return time_a < time_b || (time_a == time_b && a->rank < b->rank);
}

// The lane whose first record is next; NULL when there is none, or one has to be waited for.
static struct lane *choose(struct merge_source *merge) {
    struct lane *next = NULL;
    for (size_t i = 0; i < merge->lane_count; i++) {
        struct lane *lane = &merge->lanes[i];
        if (is_waited_for(lane)) {
            return NULL;
        }
        if (lane->first < lane->end && (!next || is_before(lane, next))) {
            next = lane;
        }
    }
    return next;
}

// The headers of a record move from where the lane keeps them, which is used again; false when there is no room for them.
static bool move_headers(struct rf_record *record, struct rf_records *records) {
    if (!record->headers) {
        return true;
    }
    if (record->header_count > records->header_capacity - records->header_count) {
        return false;
    }
    struct rf_header *headers = records->headers + records->header_count;
    memcpy(headers, record->headers, record->header_count * sizeof *headers);
    records->header_count += record->header_count;
    record->headers = headers;
    return true;
}

// Hands on the first record of a lane; false when there is no room for it.
static bool hand_on(struct lane *lane, const struct rf_poll *want, struct rf_records *records, size_t *bytes) {
    struct rf_record *record = &lane->list[lane->first];
    bool has_room = records->count < want->records_max &&
                    (records->count == 0 || *bytes + record->value.size <= want->bytes_max) && move_headers(record, records);
    if (!has_room) {
        return false;
    }
    *bytes += record->value.size;
    records->list[records->count] = *record;
    records->loans[records->count++] = lane->loans[lane->first++];
    return true;
}

static enum rf_status collect(struct merge_source *merge, const struct rf_poll *want, struct rf_records *records,
                              enum rf_source_event *event_out, const struct rf_positions **partitions_out, struct rf_error *err) {
    size_t bytes = 0;
    for (;;) {
        *event_out = RF_SOURCE_IDLE;
        enum rf_status status = refill_all(merge, want, event_out, partitions_out, err);
        if (status == RF_AGAIN && records->count > 0) {
            merge->is_changed = true;
        }
        if (status) { // what was handed on comes first; a failure that stays is told again
            return records->count > 0 ? RF_OK : status;
        }
        struct lane *lane = choose(merge);
        if (!lane) {
            return RF_OK;
        }
        for (; lane; lane = choose(merge)) {
            if (!hand_on(lane, want, records, &bytes)) {
                return RF_OK;
            }
        }
    }
}

static bool is_over(const struct merge_source *merge) {
    for (size_t i = 0; i < merge->lane_count; i++) {
        const struct lane *lane = &merge->lanes[i];
        if (lane->is_ours && (!lane->is_done || lane->first < lane->end)) {
            return false;
        }
    }
    return true;
}

// Waits for a lane that is empty: whatever comes ends the wait.
static enum rf_status wait_for_one(struct merge_source *merge, const struct rf_poll *want, enum rf_source_event *event_out,
                                   const struct rf_positions **partitions_out, struct rf_error *err) {
    for (size_t i = 0; i < merge->lane_count; i++) {
        merge->turn = (merge->turn + 1) % merge->lane_count;
        const struct lane *lane = &merge->lanes[merge->turn];
        if (lane->is_ours && !lane->is_done && lane->first == lane->end) {
            return refill(merge, merge->turn, want, want->timeout_ms, event_out, partitions_out, err);
        }
    }
    return RF_OK;
}

// One partition alone: those held, then the source's.
static enum rf_status poll_recorded(struct merge_source *merge, const struct rf_poll *want, struct rf_records *records,
                                    enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                    struct rf_error *err) {
    struct lane *lane = &merge->lanes[want->partition];
    size_t bytes = 0;
    if (lane->first == lane->end) {
        return told(merge, rf_source_poll(merge->inner, want, records, event_out, partitions_out, err));
    }
    while (lane->first < lane->end && hand_on(lane, want, records, &bytes)) {
    }
    *event_out = RF_SOURCE_RECORDS;
    return RF_OK;
}

static enum rf_status merge_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                 enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                 struct rf_error *err) {
    struct merge_source *merge = merge_from(self);
    if (!merge->lanes) {
        enum rf_status status = told(merge, rf_source_poll(merge->inner, want, records, event_out, partitions_out, err));
        if (!status && *event_out == RF_SOURCE_ASSIGNED && rf_positions_copy(&merge->offered, *partitions_out)) {
            status = rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", (*partitions_out)->count);
        }
        return status;
    }
    if (want->has_partition) {
        return poll_recorded(merge, want, records, event_out, partitions_out, err);
    }
    if (merge->is_changed) {
        merge->is_changed = false;
        *event_out = RF_SOURCE_ASSIGNED;
        *partitions_out = &merge->offered; // who begins anew is offered all
        return RF_OK;
    }
    enum rf_status status = collect(merge, want, records, event_out, partitions_out, err);
    if (!status && records->count == 0 && want->timeout_ms != 0 && !is_over(merge)) {
        status = wait_for_one(merge, want, event_out, partitions_out, err);
        bool is_plain = *event_out == RF_SOURCE_RECORDS || *event_out == RF_SOURCE_IDLE || *event_out == RF_SOURCE_END;
        if (!status && is_plain) {
            status = collect(merge, want, records, event_out, partitions_out, err);
        } else if (!status) {
            status = RF_AGAIN;
        }
    }
    if (status) {
        return status == RF_AGAIN ? RF_OK : status; // the event stands
    }
    *event_out = records->count > 0 ? RF_SOURCE_RECORDS : is_over(merge) ? RF_SOURCE_END : RF_SOURCE_IDLE;
    return RF_OK;
}

static int compare_names(const struct rf_position *a, const struct rf_position *b) {
    int order = strcmp(a->topic, b->topic);
    return order ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

static enum rf_status make_lanes(struct merge_source *merge, const struct rf_positions *positions, struct rf_error *err) {
    merge->lanes = calloc(positions->count + 1, sizeof *merge->lanes);
    merge->lane_count = merge->lanes ? positions->count : 0;
    bool has_memory = merge->lanes != NULL;
    for (size_t i = 0; i < merge->lane_count && has_memory; i++) {
        struct lane *lane = &merge->lanes[i];
        const struct rf_position *position = &positions->list[i];
        lane->is_ours = rf_positions_find(&merge->offered, position->topic, position->partition) != NULL;
        lane->empty_ms = -1;
        lane->new_from = position->next_offset;
        for (size_t k = 0; k < positions->count; k++) {
            lane->rank += compare_names(&positions->list[k], position) < 0;
        }
        lane->list = lane->is_ours ? calloc(HELD_MAX, sizeof *lane->list) : NULL;
        lane->loans = lane->is_ours ? calloc(HELD_MAX, sizeof *lane->loans) : NULL;
        if (lane->is_ours && merge->with_headers) {
            lane->headers = calloc(rf_headers_capacity(HELD_MAX), sizeof *lane->headers);
        }
        has_memory = !lane->is_ours || (lane->list && lane->loans && (lane->headers || !merge->with_headers));
    }
    if (!has_memory) {
        forget_lanes(merge);
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    }
    return RF_OK;
}

static enum rf_status merge_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    struct merge_source *merge = merge_from(self);
    assert(!merge->lanes);
    enum rf_status status = told(merge, rf_source_assign(merge->inner, positions, err));
    if (!status) {
        status = make_lanes(merge, positions, err);
        if (status) {
            rf_source_unassign(merge->inner);
        }
    }
    return status;
}

static void merge_unassign(struct rf_source *self) {
    struct merge_source *merge = merge_from(self);
    forget_lanes(merge);
    merge->is_changed = false;
    rf_source_unassign(merge->inner);
}

static enum rf_status merge_look(struct rf_source *self, const struct rf_positions *positions, struct rf_holding *holdings_out,
                                 struct rf_error *err) {
    struct merge_source *merge = merge_from(self);
    return told(merge, rf_source_look(merge->inner, positions, holdings_out, err));
}

static enum rf_status merge_refresh(struct rf_source *self, struct rf_error *err) {
    struct merge_source *merge = merge_from(self);
    return told(merge, rf_source_refresh(merge->inner, err));
}

static enum rf_status merge_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                   struct rf_error *err) {
    struct merge_source *merge = merge_from(self);
    return told(merge, rf_source_commit(merge->inner, positions, note, err));
}

static enum rf_status merge_committed(struct rf_source *self, struct rf_positions *positions, char *note_out, size_t note_size,
                                      struct rf_error *err) {
    struct merge_source *merge = merge_from(self);
    return told(merge, rf_source_committed(merge->inner, positions, note_out, note_size, err));
}

static void merge_ends(struct rf_source *self, int64_t *end_out) {
    rf_source_ends(merge_from(self)->inner, end_out);
}

static enum rf_status merge_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms,
                                  int64_t *offset_out, struct rf_error *err) {
    struct merge_source *merge = merge_from(self);
    return told(merge, rf_source_times(merge->inner, positions, time_ms, offset_out, err));
}

static void merge_release(struct rf_source *self, struct rf_records *records) {
    struct rf_source *inner = merge_from(self)->inner;
    inner->ops->release(inner, records);
}

static void merge_destroy(struct rf_source *self) {
    struct merge_source *merge = merge_from(self);
    forget_lanes(merge);
    rf_source_destroy(merge->inner);
    rf_positions_finish(&merge->offered);
    free(merge);
}

static const struct rf_source_ops merge_ops = {
        .name = "merge",
        .poll = merge_poll,
        .look = merge_look,
        .refresh = merge_refresh,
        .assign = merge_assign,
        .unassign = merge_unassign,
        .commit = merge_commit,
        .committed = merge_committed,
        .ends = merge_ends,
        .times = merge_times,
        .release = merge_release,
        .destroy = merge_destroy,
};

enum rf_status rf_source_merge_create(struct rf_source *source, int64_t idle_ms, bool with_headers, struct rf_source **source_out,
                                      struct rf_error *err) {
    struct merge_source *merge = calloc(1, sizeof *merge);
    if (!merge) {
        rf_source_destroy(source);
        return rf_fail(err, RF_MEMORY, "out of memory for a merged source");
    }
    merge->base.ops = &merge_ops;
    merge->inner = source;
    merge->idle_ms = idle_ms;
    merge->with_headers = with_headers;
    rf_positions_init(&merge->offered);
    *source_out = &merge->base;
    return RF_OK;
}
