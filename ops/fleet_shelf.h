#ifndef RF_OPS_FLEET_SHELF_H
#define RF_OPS_FLEET_SHELF_H
// Finds snapshots of base in the topic of snapshots: the newest that is whole, or the newest before another. Reads the topic from
// its end backwards, a growing stretch at a time, so that old ones that are still there cost nothing. What was interrupted or is
// damaged is passed over.
#include "ops/fleet_scan.h"
#include "ops/fleet_snapshot.h"

struct rf_shelf {
    struct rf_source *source; // of the topic, up to its end; borrowed
    struct rf_clock *clock;   // borrowed
    const char *model;
    bool wants_bytes; // else they are verified only
};

struct rf_shelf_snapshot {
    struct rf_fleet_snapshot manifest;
    int64_t first, last; // offsets in the topic: of its first chunk, and of its manifest
    uint8_t *bytes;      // [manifest.size] of the chunks, owned; NULL: nobody wanted them
};

// `before` < 0: the newest; else the newest whose manifest stands before that offset. RF_NOT_FOUND: there is none (nothing in
// err). RF_CONFLICT: the topic is that of another model. To be finished when RF_OK.
enum rf_status rf_shelf_find(const struct rf_shelf *shelf, int64_t before, struct rf_shelf_snapshot *found_out,
                             struct rf_error *err) RF_MUST_USE;
void rf_shelf_snapshot_finish(struct rf_shelf_snapshot *snapshot);

#endif
