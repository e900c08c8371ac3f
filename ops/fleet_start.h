#ifndef RF_OPS_FLEET_START_H
#define RF_OPS_FLEET_START_H
// Where a replica begins: with the newest snapshot of base that is of use, or with the genesis where there is none. The log
// behind it is looked through once beforehand, for the resets that it must know of: a snapshot from before a reset that undoes it
// is of none.
#include "ops/fleet_shelf.h"
#include "ops/log.h"

struct rf_fleet_start_options {
    struct rf_source *snapshots; // of their topic, up to its end; borrowed; NULL: there are none
    struct rf_source *deltas;    // of the log of deltas, likewise
    struct rf_clock *clock;
    struct rf_log *log;                // NULL: nobody hears of snapshots that are of no use
    struct rf_replica_options replica; // without resets. Its layers have learned nothing
};

struct rf_fleet_start {
    struct rf_replica *replica;      // as it was then, with base in its layers; owned
    struct rf_replica_reset *resets; // [reset_count] that it knows of beforehand; owned
    size_t reset_count;
    bool has_snapshot;
    struct rf_fleet_snapshot snapshot;
    int64_t log_offset; // where it goes on in the log; RF_OFFSET_NONE: at its beginning
};

// RF_CONFLICT: the snapshot, or the genesis, is of another specification or arithmetic; or there is neither. To be finished when
// RF_OK.
enum rf_status rf_fleet_start_find(const struct rf_fleet_start_options *options, struct rf_fleet_start *start_out,
                                   struct rf_error *err) RF_MUST_USE;
void rf_fleet_start_finish(struct rf_fleet_start *start);

#endif
