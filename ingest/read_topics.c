#include "ingest/read_topics.h"

#include "ingest/partitions.h"

#include <stdlib.h>
#include <string.h>

enum rf_status rf_read_topics_copy(struct rf_texts *to, const struct rf_texts *from, struct rf_error *err) {
    if (from->count == 0) {
        return rf_fail(err, RF_INVALID, "source.topics is empty, must name a topic");
    }
    to->list = calloc(from->count, sizeof *to->list);
    for (size_t i = 0; to->list && i < from->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(from->list[i], from->list[k]) == 0) {
                return rf_fail(err, RF_INVALID, "source.topics names %s twice", from->list[i]);
            }
        }
        to->list[i] = strdup(from->list[i]);
        if (!to->list[i]) {
            break;
        }
        to->count++;
    }
    return to->count == from->count ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for %zu topics", from->count);
}

void rf_read_topics_finish(struct rf_texts *topics) {
    for (size_t i = 0; i < topics->count; i++) {
        free(topics->list[i]);
    }
    free(topics->list);
}

bool rf_read_topics_hold(const struct rf_texts *topics, const struct rf_position *position) {
    for (size_t i = 0; i < topics->count; i++) {
        if (strcmp(topics->list[i], position->topic) == 0) {
            return true;
        }
    }
    return false;
}

enum rf_status rf_read_topics_list(const struct rf_texts *topics, struct rf_kafka *kafka, struct rf_positions *all,
                                   struct rf_error *err) {
    rf_positions_finish(all);
    rf_positions_init(all);
    for (size_t i = 0; i < topics->count; i++) {
        int32_t count = 0;
        enum rf_status status = rf_kafka_partitions(kafka, topics->list[i], &count, err);
        if (status) {
            return status;
        }
        for (int32_t partition = 0; partition < count; partition++) {
            size_t index;
            if (rf_positions_add(all, topics->list[i], partition, &index)) {
                return rf_fail(err, RF_MEMORY, "out of memory for the partitions of topic %s", topics->list[i]);
            }
        }
    }
    return RF_OK;
}

enum rf_status rf_read_topics_pick(const struct rf_texts *topics, const struct rf_positions *positions,
                                   struct rf_positions *read_out, struct rf_error *err) {
    struct rf_position *list = calloc(positions->count + 1, sizeof *list);
    if (!list) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    }
    *read_out = (struct rf_positions){.list = list, .capacity = positions->count + 1};
    for (size_t i = 0; i < positions->count; i++) {
        if (rf_read_topics_hold(topics, &positions->list[i])) {
            list[read_out->count++] = positions->list[i];
        }
    }
    return RF_OK;
}

static enum rf_status look_at(struct rf_kafka *kafka, const struct rf_positions *read, struct rf_holding *holdings,
                              struct rf_error *err) {
    int64_t *first = calloc(2 * read->count, sizeof *first);
    if (!first) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", read->count);
    }
    int64_t *end = first + read->count;
    enum rf_status status = rf_kafka_share(kafka, read->count, err);
    if (!status) {
        status = rf_kafka_bounds(kafka, read, first, end, err);
    }
    for (size_t i = 0; i < read->count && !status; i++) {
        if (read->list[i].next_offset >= 0) {
            holdings[i] = (struct rf_holding){.first = first[i], .end = end[i]};
        }
    }
    free(first);
    return status ? status : rf_partitions_look(kafka, read, holdings, err);
}

enum rf_status rf_read_topics_look(const struct rf_texts *topics, struct rf_kafka *kafka, const struct rf_positions *positions,
                                   struct rf_holding *holdings_out, struct rf_error *err) {
    struct rf_positions read;
    enum rf_status status = rf_read_topics_pick(topics, positions, &read, err);
    if (status) {
        return status;
    }
    if (read.count > 0) {
        status = look_at(kafka, &read, holdings_out, err);
    }
    for (size_t i = positions->count, k = read.count; i-- > 0;) { // from the first ones to where they belong
        bool is_ours = rf_read_topics_hold(topics, &positions->list[i]);
        k -= is_ours;
        holdings_out[i] = is_ours ? holdings_out[k] : (struct rf_holding){.end = -1};
    }
    free(read.list);
    return status;
}

enum rf_status rf_read_topics_commit(const struct rf_texts *topics, struct rf_kafka *kafka, const struct rf_positions *positions,
                                     const char *note, struct rf_error *err) {
    struct rf_positions read;
    enum rf_status status = rf_read_topics_pick(topics, positions, &read, err);
    if (!status) {
        status = rf_kafka_commit(kafka, &read, note, err);
        free(read.list);
    }
    return status;
}

enum rf_status rf_read_topics_committed(const struct rf_texts *topics, struct rf_kafka *kafka, struct rf_positions *positions,
                                        char *note_out, size_t note_size, struct rf_error *err) {
    struct rf_positions read;
    enum rf_status status = rf_read_topics_pick(topics, positions, &read, err);
    if (status) {
        return status;
    }
    status = rf_kafka_committed(kafka, &read, note_out, note_size, err);
    for (size_t i = 0, k = 0; i < positions->count && !status; i++) {
        bool is_ours = rf_read_topics_hold(topics, &positions->list[i]);
        positions->list[i].next_offset = is_ours ? read.list[k].next_offset : RF_OFFSET_NONE;
        k += is_ours;
    }
    free(read.list);
    return status;
}

// Where a position that is known leads, given what the log holds.
static enum rf_status resume_offset(const struct rf_position *position, int64_t first, int64_t end, int64_t *offset_out,
                                    struct rf_error *err) {
    int64_t next = position->next_offset;
    if (next > end) {
        return rf_fail(err, RF_CONFLICT,
                       "offset %lld of %s [%d] is beyond the end: the log holds %lld to %lld: was the topic made anew?",
                       (long long)next, position->topic, (int)position->partition, (long long)first, (long long)end);
    }
    if (next < first) {
        return rf_fail(err, RF_CONFLICT, "offset %lld of %s [%d] is no longer there: the log holds %lld to %lld", (long long)next,
                       position->topic, (int)position->partition, (long long)first, (long long)end);
    }
    *offset_out = position->fingerprint != 0 && next > first ? next - 1 : next;
    return RF_OK;
}

enum rf_status rf_read_topics_starts(struct rf_kafka *kafka, const struct rf_positions *positions, enum rf_start start,
                                     int64_t start_time_ms, int64_t *offset_out, int64_t *end_out, struct rf_error *err) {
    int64_t *first = calloc(positions->count, sizeof *first);
    if (!first) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    }
    enum rf_status status = rf_kafka_bounds(kafka, positions, first, end_out, err);
    bool wants_times = false;
    for (size_t i = 0; i < positions->count && start == RF_START_TIME; i++) {
        wants_times = wants_times || positions->list[i].next_offset < 0;
    }
    if (!status && wants_times) {
        status = rf_kafka_times(kafka, positions, start_time_ms, offset_out, err);
    }
    for (size_t i = 0; i < positions->count && !status; i++) {
        if (positions->list[i].next_offset >= 0) {
            status = resume_offset(&positions->list[i], first[i], end_out[i], &offset_out[i], err);
        } else if (start == RF_START_EARLIEST) {
            offset_out[i] = first[i];
        } else if (start == RF_START_LATEST || offset_out[i] < 0) {
            offset_out[i] = end_out[i];
        }
    }
    free(first);
    return status;
}
