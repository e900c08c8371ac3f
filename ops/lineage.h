#ifndef RF_OPS_LINEAGE_H
#define RF_OPS_LINEAGE_H
// The snapshots that a model grew from: what is on record in a state folder (ops/chain.h) and lies in it, followed from the
// newest one back by the SHA-256 of its parent. Only read: a worker may be running on the folder.
#include "ops/disk.h"
#include "proto/hash.h"
#include "proto/position.h"
#include "proto/prediction.h"

struct rf_ancestor {
    struct rf_version version; // since == 0
    uint8_t sha256[RF_SHA256_SIZE], parent_sha256[RF_SHA256_SIZE];
    bool has_parent;
    uint8_t model_sha256[RF_SHA256_SIZE], specification_sha256[RF_SHA256_SIZE];
    const char *specification; // canonical text, the lineage's
    struct rf_positions positions;
    uint64_t records;   // folded, rejected ones included
    int64_t created_ms; // by the clock of whoever took it
};

struct rf_lineage {
    struct rf_ancestor *list; // [count] oldest first, of one line after the other
    size_t count;
    uint32_t lines;        // on record
    char **specifications; // [specification_count] each text once
    size_t specification_count;
};

// Of the newest snapshot of a line; `line` 0: of the newest of all. RF_NOT_FOUND when there is none.
enum rf_status rf_lineage_read(struct rf_disk *disk, const char *folder, uint32_t line, struct rf_lineage *lineage_out,
                               struct rf_error *err) RF_MUST_USE;
void rf_lineage_finish(struct rf_lineage *lineage);

// NULL: the snapshot did not know it.
const struct rf_position *rf_ancestor_find(const struct rf_ancestor *ancestor, const char *topic, int32_t partition);

#endif
