#ifndef RF_OPS_FLEET_SCAN_H
#define RF_OPS_FLEET_SCAN_H
// Reading the log of deltas, and the topic of snapshots: polls their sources, once for all who do.
#include "ingest/source.h"
#include "ops/clock.h"
#include "ops/fleet_replica.h"

enum { RF_FLEET_LOG_RECORDS = 256 };

struct rf_fleet_log {
    struct rf_source *source; // borrowed
    struct rf_positions positions;
    struct rf_records entries;
    size_t fresh;    // of the entries: the first so many are new, the rest were given before
    bool is_offered; // and not begun yet
    int64_t start;   // where reading begins; RF_OFFSET_NONE: at the beginning, and nothing may have been deleted there
};

// `start` is RF_OFFSET_NONE; who wants another one sets it.
enum rf_status rf_fleet_log_init(struct rf_fleet_log *log, struct rf_source *source, struct rf_error *err) RF_MUST_USE;
void rf_fleet_log_finish(struct rf_fleet_log *log); // nothing may be lent

// The next entries: the first log->fresh of log->entries, to be given back by rf_fleet_log_release(). RF_AGAIN: none came;
// RF_END: none will. RF_CONFLICT: it does not hold the start, or what stood at its beginning was deleted.
enum rf_status rf_fleet_log_poll(struct rf_fleet_log *log, int wait_ms, struct rf_error *err) RF_MUST_USE;
void rf_fleet_log_release(struct rf_fleet_log *log);

// What the log holds, before it is begun: [first, end). RF_AGAIN: not known yet.
enum rf_status rf_fleet_log_bounds(struct rf_fleet_log *log, int64_t *first_out, int64_t *end_out,
                                   struct rf_error *err) RF_MUST_USE;

// Reads a source that ends from the log's start to its end, and lets go of it: it may be read again. Waits for brokers that are
// away, up to a minute.
typedef enum rf_status rf_fleet_take(void *context, const struct rf_record *record, struct rf_error *err);
enum rf_status rf_fleet_log_read(struct rf_fleet_log *log, struct rf_clock *clock, rf_fleet_take *take, void *context,
                                 struct rf_error *err) RF_MUST_USE;

// The same into the replica. `told` hears of each entry (NULL: nobody).
typedef void rf_fleet_told(void *context, const struct rf_replica_news *news, const struct rf_record *record);
enum rf_status rf_fleet_scan(struct rf_source *source, int64_t start, struct rf_replica *replica, struct rf_clock *clock,
                             rf_fleet_told *told, void *context, struct rf_error *err) RF_MUST_USE;

#endif
