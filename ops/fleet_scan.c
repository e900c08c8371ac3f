#include "ops/fleet_scan.h"

#include <stdlib.h>
#include <string.h>

enum { SCAN_WAIT_MS = 100, SCAN_PATIENCE_MS = 60000 };

enum rf_status rf_fleet_log_init(struct rf_fleet_log *log, struct rf_source *source, struct rf_error *err) {
    *log = (struct rf_fleet_log){.source = source};
    rf_positions_init(&log->positions);
    log->entries.list = calloc(RF_FLEET_LOG_RECORDS, sizeof *log->entries.list);
    log->entries.loans = calloc(RF_FLEET_LOG_RECORDS, sizeof(void *));
    log->entries.capacity = RF_FLEET_LOG_RECORDS;
    return log->entries.list && log->entries.loans ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for the log of deltas");
}

void rf_fleet_log_finish(struct rf_fleet_log *log) {
    free(log->entries.list);
    free(log->entries.loans);
    rf_positions_finish(&log->positions);
    *log = (struct rf_fleet_log){0};
}

void rf_fleet_log_release(struct rf_fleet_log *log) {
    rf_source_release(log->source, &log->entries);
    log->entries.count = 0;
}

// Begins to read at the beginning. RF_AGAIN: it did, or will once that is possible.
static enum rf_status begin(struct rf_fleet_log *log, struct rf_error *err) {
    enum rf_status status = rf_source_assign(log->source, &log->positions, err);
    log->is_offered = status != RF_OK;
    return status ? status : RF_AGAIN;
}

// A source may give records again: those are moved out.
static void drop_repeats(struct rf_fleet_log *log) {
    size_t kept = 0;
    for (size_t i = 0; i < log->entries.count; i++) {
        struct rf_record record = log->entries.list[i];
        void *loan = log->entries.loans[i];
        int64_t *next = &log->positions.list[record.partition].next_offset;
        if (record.offset >= *next) {
            *next = record.offset + 1;
            log->entries.list[i] = log->entries.list[kept];
            log->entries.loans[i] = log->entries.loans[kept];
            log->entries.list[kept] = record;
            log->entries.loans[kept++] = loan;
        }
    }
    log->fresh = kept;
}

enum rf_status rf_fleet_log_poll(struct rf_fleet_log *log, int wait_ms, struct rf_error *err) {
    const struct rf_poll want = {.records_max = RF_FLEET_LOG_RECORDS, .bytes_max = 64 << 20, .timeout_ms = wait_ms};
    enum rf_source_event event = RF_SOURCE_IDLE;
    const struct rf_positions *partitions;
    log->fresh = 0;
    if (log->is_offered) {
        return begin(log, err);
    }
    enum rf_status status = rf_source_poll(log->source, &want, &log->entries, &event, &partitions, err);
    if (!status && event == RF_SOURCE_ASSIGNED) {
        return rf_positions_copy(&log->positions, partitions) ? rf_fail(err, RF_MEMORY, "out of memory for the log of deltas")
                                                              : begin(log, err);
    }
    if (status) {
        return status;
    }
    drop_repeats(log);
    return event == RF_SOURCE_RECORDS ? RF_OK : event == RF_SOURCE_END ? RF_END : RF_AGAIN;
}

static enum rf_status take_all(struct rf_fleet_log *log, struct rf_replica *replica, rf_fleet_told *told, void *context,
                               struct rf_error *err) {
    struct rf_replica_news news;
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < log->fresh && !status; i++) {
        status = rf_replica_take(replica, log->entries.list[i].value, &news, err);
        if (!status && told) {
            told(context, &news, &log->entries.list[i]);
        }
    }
    return status;
}

enum rf_status rf_fleet_scan(struct rf_source *source, struct rf_replica *replica, struct rf_clock *clock, rf_fleet_told *told,
                             void *context, struct rf_error *err) {
    struct rf_fleet_log log;
    int64_t came_ms = clock->monotonic_ms(clock);
    enum rf_status status = rf_fleet_log_init(&log, source, err);
    while (!status) {
        status = rf_fleet_log_poll(&log, SCAN_WAIT_MS, err);
        int64_t now = clock->monotonic_ms(clock);
        bool is_patient = now - came_ms < SCAN_PATIENCE_MS;
        if (status == RF_AGAIN && !is_patient) {
            status = rf_fail(err, RF_IO,
                             "the log of deltas could not be read to its end: nothing came for %d s; does a transaction stand "
                             "open for so long?",
                             SCAN_PATIENCE_MS / 1000);
        } else if (status == RF_AGAIN || (status && status != RF_END && source->is_temporary && is_patient)) {
            clock->sleep_ms(clock, 1);
            status = RF_OK;
        } else if (!status) {
            came_ms = now;
            status = take_all(&log, replica, told, context, err);
        }
        rf_fleet_log_release(&log);
    }
    rf_fleet_log_finish(&log);
    return status == RF_END ? RF_OK : status;
}
