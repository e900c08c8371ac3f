#include "ops/fleet_scan.h"

#include <stdlib.h>
#include <string.h>

enum { SCAN_WAIT_MS = 100, SCAN_PATIENCE_MS = 60000 };

enum rf_status rf_fleet_log_init(struct rf_fleet_log *log, struct rf_source *source, struct rf_error *err) {
    *log = (struct rf_fleet_log){.source = source, .start = RF_OFFSET_NONE};
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

static enum rf_status look(struct rf_fleet_log *log, int64_t *first_out, int64_t *end_out, struct rf_error *err) {
    struct rf_holding holding = {.end = -1};
    log->positions.list[0].next_offset = 0;
    enum rf_status status = rf_source_look(log->source, &log->positions, &holding, err);
    if (!status) {
        *first_out = holding.first;
        *end_out = holding.end;
    }
    return status;
}

// Begins to read. RF_AGAIN: it did, or will once that is possible.
static enum rf_status begin(struct rf_fleet_log *log, struct rf_error *err) {
    int64_t first = 0, end;
    enum rf_status status = log->start == RF_OFFSET_NONE ? look(log, &first, &end, err) : RF_OK;
    if (first > 0) {
        return rf_fail(err, RF_CONFLICT,
                       "%s begins at offset %lld: what stood before was deleted, and there is no snapshot of base to begin with",
                       log->positions.list[0].topic, (long long)first);
    }
    log->positions.list[0].next_offset = log->start;
    status = status ? status : rf_source_assign(log->source, &log->positions, err);
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

// The one partition of it is told.
static enum rf_status take_offer(struct rf_fleet_log *log, const struct rf_positions *partitions, struct rf_error *err) {
    log->is_offered = partitions->count == 1;
    if (partitions->count != 1) {
        return rf_fail(err, RF_CONFLICT, "a log of a fleet has %zu partitions, must have 1", partitions->count);
    }
    return rf_positions_copy(&log->positions, partitions) ? rf_fail(err, RF_MEMORY, "out of memory for a log of a fleet") : RF_OK;
}

enum rf_status rf_fleet_log_bounds(struct rf_fleet_log *log, int64_t *first_out, int64_t *end_out, struct rf_error *err) {
    const struct rf_poll want = {.records_max = RF_FLEET_LOG_RECORDS};
    enum rf_source_event event = RF_SOURCE_IDLE;
    const struct rf_positions *partitions;
    enum rf_status status = RF_OK;
    if (!log->is_offered) {
        status = rf_source_poll(log->source, &want, &log->entries, &event, &partitions, err);
        status = status ? status : event == RF_SOURCE_ASSIGNED ? take_offer(log, partitions, err) : RF_AGAIN;
    }
    return status ? status : look(log, first_out, end_out, err);
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
        status = take_offer(log, partitions, err);
        return status ? status : begin(log, err);
    }
    if (status) {
        return status;
    }
    drop_repeats(log);
    return event == RF_SOURCE_RECORDS ? RF_OK : event == RF_SOURCE_END ? RF_END : RF_AGAIN;
}

// Whether it is to be tried again.
static bool may_wait(const struct rf_fleet_log *log, enum rf_status status) {
    return status == RF_AGAIN || (status && status != RF_END && log->source->is_temporary);
}

static enum rf_status too_late(const struct rf_fleet_log *log, enum rf_status status, struct rf_error *err) {
    if (status != RF_AGAIN) {
        return status;
    }
    return rf_fail(err, RF_IO,
                   "%s could not be read to its end: nothing came for %d s; does a transaction stand open for so long?",
                   log->positions.count ? log->positions.list[0].topic : "a log of the fleet", SCAN_PATIENCE_MS / 1000);
}

enum rf_status rf_fleet_log_read(struct rf_fleet_log *log, struct rf_clock *clock, rf_fleet_take *take, void *context,
                                 struct rf_error *err) {
    int64_t came_ms = clock->monotonic_ms(clock);
    enum rf_status status = RF_OK;
    while (!status) {
        status = rf_fleet_log_poll(log, SCAN_WAIT_MS, err);
        int64_t now = clock->monotonic_ms(clock);
        if (may_wait(log, status)) {
            clock->sleep_ms(clock, 1);
            status = now - came_ms < SCAN_PATIENCE_MS ? RF_OK : too_late(log, status, err);
        } else if (!status) {
            came_ms = now;
        }
        for (size_t i = 0; i < log->fresh && !status; i++) {
            status = take(context, &log->entries.list[i], err);
        }
        rf_fleet_log_release(log);
    }
    rf_source_unassign(log->source);
    log->is_offered = false;
    return status == RF_END ? RF_OK : status;
}

struct scan {
    struct rf_replica *replica;
    rf_fleet_told *told;
    void *context;
};

static enum rf_status take_entry(void *context, const struct rf_record *record, struct rf_error *err) {
    const struct scan *scan = context;
    struct rf_replica_news news;
    enum rf_status status = rf_replica_take(scan->replica, record->value, &news, err);
    if (!status && scan->told) {
        scan->told(scan->context, &news, record);
    }
    return status;
}

enum rf_status rf_fleet_scan(struct rf_source *source, int64_t start, struct rf_replica *replica, struct rf_clock *clock,
                             rf_fleet_told *told, void *context, struct rf_error *err) {
    struct scan scan = {replica, told, context};
    struct rf_fleet_log log;
    enum rf_status status = rf_fleet_log_init(&log, source, err);
    log.start = start;
    status = status ? status : rf_fleet_log_read(&log, clock, take_entry, &scan, err);
    rf_fleet_log_finish(&log);
    return status;
}
