#ifndef RF_OPS_SCHEDULE_INTERNAL_H
#define RF_OPS_SCHEDULE_INTERNAL_H
// What a schedule holds, and its frames. Only schedule.c (following and writing) and schedule_read.c include it.
#include "ops/frame.h"
#include "ops/schedule.h"

#include <stdbool.h>

enum {
    RF_SCHEDULE_MAGIC_SIZE = 8,
    RF_SCHEDULE_FRAME_MAX = 1 << 20,   // bytes of contents
    RF_SCHEDULE_SEGMENT_MAX = 1 << 20, // a new segment is begun beyond
    RF_SCHEDULE_VARINT_MAX = 10,
    RF_SCHEDULE_PATH_SIZE = 4352,
    RF_SCHEDULE_PREFIX_SIZE = 32,
};
static const uint8_t rf_schedule_magic[RF_SCHEDULE_MAGIC_SIZE] = {'R', 'I', 'F', 'F', 'S', 'C', 'H', 1};

// Segments, by the number of their first record.
struct rf_segments {
    uint64_t *first; // [count]
    size_t count, capacity;
};

struct rf_schedule {
    struct rf_disk *disk;
    char *folder;
    char prefix[RF_SCHEDULE_PREFIX_SIZE]; // of the names of its segments
    uint64_t records;                     // folded
    size_t retracted;                     // segments removed when it was opened
    bool is_torn;                         // a frame that was read did not verify
    bool only_reads;                      // nothing on the disk may be changed

    // What is recorded beyond `records`: runs [ahead_index, ahead_count), the first of them `ahead_done` records in.
    struct rf_run *ahead;
    size_t ahead_count, ahead_capacity, ahead_index;
    uint64_t ahead_done, ahead_records;

    // The segment being written.
    bool is_open;
    int handle;
    char path[RF_SCHEDULE_PATH_SIZE];
    uint64_t segment_first; // number of its first record
    uint64_t segment_size;
    size_t named; // partitions [0, named) have been named in it

    // Written, and not known to be on the disk: since the last line was drawn, and before it. The second list is that of
    // whoever syncs, until it is done.
    struct rf_segments unsynced, marked;

    uint8_t *frame; // [frame_capacity]
    size_t frame_capacity;
};

void rf_schedule_path_of(const struct rf_schedule *schedule, uint64_t first, char path_out[RF_SCHEDULE_PATH_SIZE]);

// Reads all that is recorded beyond schedule->records into its list of runs.
enum rf_status rf_schedule_read(struct rf_schedule *schedule, struct rf_positions *positions, struct rf_error *err) RF_MUST_USE;

#endif
