// Is the last applied record of each partition still the same?
#include "ingest/partitions.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>

enum { WAIT_MS = 100, WAITS = 100, WAKEUPS_EACH = 8 };

// Takes the last record of one partition, or finds that it is not there: compaction may have taken it.
static enum rf_status look_at(struct rf_kafka *kafka, struct rf_partitions *partitions, uint32_t index,
                              const struct rf_position *position, size_t *waits_left, struct rf_holding *holding,
                              struct rf_error *err) {
    struct rf_poll want = {.records_max = 1, .bytes_max = 1, .has_partition = true, .partition = index};
    struct rf_record record;
    void *loan;
    for (;;) {
        struct rf_records records = {.list = &record, .loans = &loan, .capacity = 1};
        enum rf_status status = rf_kafka_serve(kafka, err);
        if (!status) {
            status = rf_partitions_take(partitions, &want, &records, err);
        }
        if (!status) {
            holding->has_last = record.offset == position->next_offset - 1;
            holding->fingerprint = holding->has_last ? rf_record_fingerprint(&record) : 0;
            rd_kafka_message_destroy(loan);
            return RF_OK;
        }
        if (status != RF_AGAIN) {
            return status == RF_END ? RF_OK : status;
        }
        if ((*waits_left)-- == 0) {
            *waits_left = 0;
            kafka->is_temporary = true;
            return rf_fail(err, RF_IO, "offset %lld of %s [%d], the last record learned, cannot be read again: no answer came",
                           (long long)position->next_offset - 1, position->topic, (int)position->partition);
        }
        rf_partitions_wait(partitions, WAIT_MS);
    }
}

enum rf_status rf_partitions_look(struct rf_kafka *kafka, const struct rf_positions *positions, struct rf_holding *holdings,
                                  struct rf_error *err) {
    size_t wanted = 0;
    int64_t *offset = calloc(2 * positions->count, sizeof *offset);
    if (!offset) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    }
    int64_t *end = offset + positions->count;
    for (size_t i = 0; i < positions->count; i++) {
        const struct rf_position *position = &positions->list[i];
        bool is_wanted =
                position->fingerprint && position->next_offset > holdings[i].first && position->next_offset <= holdings[i].end;
        offset[i] = is_wanted ? position->next_offset - 1 : RF_OFFSET_NONE;
        end[i] = position->next_offset;
        wanted += is_wanted;
    }
    struct rf_partitions *partitions = NULL;
    enum rf_status status = wanted ? rf_partitions_open(kafka, positions, offset, end, true, &partitions, err) : RF_OK;
    size_t waits_left = WAITS + WAKEUPS_EACH * wanted; // the others wake too
    for (size_t i = 0; i < positions->count && !status; i++) {
        if (offset[i] != RF_OFFSET_NONE) {
            status = look_at(kafka, partitions, (uint32_t)i, &positions->list[i], &waits_left, &holdings[i], err);
        }
    }
    rf_partitions_close(partitions);
    free(offset);
    return status;
}
