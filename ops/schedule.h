#ifndef RF_OPS_SCHEDULE_H
#define RF_OPS_SCHEDULE_H
// The recorded order of what was folded: with several partitions the interleaving is part of the input. Runs of records
// of one partition ("transactions[3] x 412") are appended to segment files before the predictions of a batch leave, so
// that a restart can fold the same records in the same order.
//
//     <folder>/schedule-<line, 10 digits>-<number of its first record, 20 digits>.log
//     "RIFFSCH" 0x01, then frames (ops/frame.h)
//     contents: 'T' index varint, partition varint, topic bytes     names a partition for the runs that follow
//               'R' then pairs of varints: index, count             runs
//
// A frame that does not verify ends the segment: what follows it was never promised.
#include "ops/disk.h"
#include "proto/position.h"

#include <stdbool.h>

struct rf_schedule;

struct rf_run {
    uint32_t partition; // index into the positions
    uint64_t count;     // records, at least 1
};

// Opens the schedule of a line of a state folder (a rollback begins a new line, which folds in an order of its own) to follow
// and extend it from the record with number `records` on: what is
// recorded beyond it is to be folded first, in the recorded order. Partitions that the record names are added to
// `positions`. Segments that do not join what is before them are removed: a cut of power took what stood between.
enum rf_status rf_schedule_open(struct rf_disk *disk, const char *folder, uint32_t line, uint64_t records,
                                struct rf_positions *positions, struct rf_schedule **schedule_out,
                                struct rf_error *err) RF_MUST_USE;
void rf_schedule_close(struct rf_schedule *schedule); // syncs nothing

// The same to look at alone: nothing on the disk is changed, so another process may be writing it. What is recorded ends where
// a frame does not verify, or a segment does not join. Nothing may be appended.
enum rf_status rf_schedule_open_to_read(struct rf_disk *disk, const char *folder, uint32_t line, uint64_t records,
                                        struct rf_positions *positions, struct rf_schedule **schedule_out,
                                        struct rf_error *err) RF_MUST_USE;

// The runs to fold first, by the record; then the order is free. The list stays as it is for the schedule's life, so that
// the thread that polls may read it.
const struct rf_run *rf_schedule_ahead(const struct rf_schedule *schedule, size_t *count_out);

// Tells that runs were folded. Those the record foresaw are passed over (RF_CONFLICT when they differ from it); new ones
// are written before this returns.
enum rf_status rf_schedule_append(struct rf_schedule *schedule, const struct rf_positions *positions, const struct rf_run *runs,
                                  size_t count, struct rf_error *err) RF_MUST_USE;

// Makes what was written reach the disk, before a snapshot that covers it is renamed into place. In two parts, so that folding
// need not wait for the disk: a line is drawn under what was written so far, and another thread may then sync what stands before
// it, while more is written. Draw the next line only when that is over; what it failed to sync stands before the next one too.
enum rf_status rf_schedule_mark(struct rf_schedule *schedule, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_schedule_sync_marked(struct rf_schedule *schedule, struct rf_error *err) RF_MUST_USE;

// Did a frame not verify when it was opened? After a crash the last one may be torn.
bool rf_schedule_is_torn(const struct rf_schedule *schedule);

// How many segments do not join, and were removed when it was opened (left alone when it was opened to read).
size_t rf_schedule_retracted(const struct rf_schedule *schedule);

uint64_t rf_schedule_records(const struct rf_schedule *schedule); // folded, by this schedule

#endif
