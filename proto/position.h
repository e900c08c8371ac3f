#ifndef RF_PROTO_POSITION_H
#define RF_PROTO_POSITION_H
#include "proto/status.h"

#include <stddef.h>
#include <stdint.h>

enum { RF_OFFSET_NONE = -1 }; // as next_offset: nothing applied, the source's start policy decides

// How far one partition of the log is folded. A file is a topic named by its path, with one partition 0.
struct rf_position {
    char *topic;
    int32_t partition;
    int64_t next_offset;  // the next offset to apply
    uint64_t fingerprint; // of the last record applied, see rf_record_fingerprint(); 0 when none was
    uint64_t records;     // applied since the first one, rejected ones included
};

// A list in order of addition. An index, once given, stays: records, schedules and keyed blocks refer to it.
struct rf_positions {
    struct rf_position *list;
    size_t count;
    size_t capacity;
};

void rf_positions_init(struct rf_positions *positions);
void rf_positions_finish(struct rf_positions *positions);

// Finds the partition, or appends it with nothing applied. Copies `topic`.
enum rf_status rf_positions_add(struct rf_positions *positions, const char *topic, int32_t partition,
                                size_t *index_out) RF_MUST_USE;

// NULL when it is not there.
struct rf_position *rf_positions_find(const struct rf_positions *positions, const char *topic, int32_t partition);

// Replaces the contents of `to` by those of `from`.
enum rf_status rf_positions_copy(struct rf_positions *to, const struct rf_positions *from) RF_MUST_USE;

#endif
