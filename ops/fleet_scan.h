#ifndef RF_OPS_FLEET_SCAN_H
#define RF_OPS_FLEET_SCAN_H
// Reading the log of deltas: polls its source, once for all who fold it.
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
};

enum rf_status rf_fleet_log_init(struct rf_fleet_log *log, struct rf_source *source, struct rf_error *err) RF_MUST_USE;
void rf_fleet_log_finish(struct rf_fleet_log *log); // nothing may be lent

// The next entries: the first log->fresh of log->entries, to be given back by rf_fleet_log_release(). RF_AGAIN: none came;
// RF_END: none will.
enum rf_status rf_fleet_log_poll(struct rf_fleet_log *log, int wait_ms, struct rf_error *err) RF_MUST_USE;
void rf_fleet_log_release(struct rf_fleet_log *log);

// Reads a source that ends to its end, into the replica. `told` hears of each entry (NULL: nobody).
typedef void rf_fleet_told(void *context, const struct rf_replica_news *news, const struct rf_record *record);
enum rf_status rf_fleet_scan(struct rf_source *source, struct rf_replica *replica, struct rf_clock *clock, rf_fleet_told *told,
                             void *context, struct rf_error *err) RF_MUST_USE;

#endif
