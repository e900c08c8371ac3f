#ifndef RF_OPS_SCHEDULE_INTERNAL_H
#define RF_OPS_SCHEDULE_INTERNAL_H
// What a schedule holds, and its frames. Only schedule.c (following and writing) and schedule_read.c include it.
#include "ops/schedule.h"
#include "proto/hash.h"

#include <stdbool.h>

enum {
    RF_SCHEDULE_MAGIC_SIZE = 8,
    RF_SCHEDULE_HEAD_SIZE = 8,
    RF_SCHEDULE_FRAME_MAX = 1 << 20,   // bytes of contents
    RF_SCHEDULE_SEGMENT_MAX = 1 << 20, // a new segment is begun beyond
    RF_SCHEDULE_VARINT_MAX = 10,
    RF_SCHEDULE_PATH_SIZE = 4352,
    RF_SCHEDULE_PREFIX_SIZE = 32,
};
static const uint8_t rf_schedule_magic[RF_SCHEDULE_MAGIC_SIZE] = {'R', 'I', 'F', 'F', 'S', 'C', 'H', 1};

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
    uint64_t segment_size;
    size_t named; // partitions [0, named) have been named in it
    bool is_dirty;

    char marked_path[RF_SCHEDULE_PATH_SIZE]; // the segment written last when a line was drawn; "": all was on disk

    uint8_t *frame; // [frame_capacity]
    size_t frame_capacity;
};

static inline uint32_t rf_schedule_checksum(const uint8_t *data, size_t size) {
    return (uint32_t)rf_hash((struct rf_hash_key){0, 0}, data, size);
}

// Reads all that is recorded beyond schedule->records into its list of runs.
enum rf_status rf_schedule_read(struct rf_schedule *schedule, struct rf_positions *positions, struct rf_error *err) RF_MUST_USE;

#endif
