#ifndef RF_OPS_SNAPSHOT_FILES_H
#define RF_OPS_SNAPSHOT_FILES_H
// The snapshots in a state folder, by their names: <folder>/snapshot-<number, 20 digits>.riffle
#include "ops/disk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RF_SNAPSHOT_PATH_SIZE = 4352 };

#define RF_SNAPSHOT_TEMPORARY "snapshot.tmp" // the one being written

// Where the snapshot of this number lies, whether it is there or not.
void rf_snapshot_path(const char *folder, uint64_t number, char path_out[RF_SNAPSHOT_PATH_SIZE]);

// Those that are there, oldest first.
struct rf_snapshot_files {
    const char *folder; // borrowed
    char **names;       // [count]
    size_t count;
};

enum rf_status rf_snapshot_files_list(struct rf_disk *disk, const char *folder, struct rf_snapshot_files *files_out,
                                      struct rf_error *err) RF_MUST_USE;
void rf_snapshot_files_finish(struct rf_snapshot_files *files);

uint64_t rf_snapshot_files_number(const struct rf_snapshot_files *files, size_t index);
void rf_snapshot_files_path(const struct rf_snapshot_files *files, size_t index, char path_out[RF_SNAPSHOT_PATH_SIZE]);

// Is an older snapshot tried in place of one that answered this? Not where a disk fails: it may work the next time, and sinks
// would be cut by then to what the older one knows of.
static inline bool rf_snapshot_is_passed_over(enum rf_status status) {
    return status == RF_CORRUPT || status == RF_UNSUPPORTED || status == RF_NOT_FOUND;
}

// Tries one after the other, the newest first, while they are passed over. Answers as the last one did; RF_NOT_FOUND, without a
// sentence, when there is none.
typedef enum rf_status rf_snapshot_attempt(void *context, const char *path, struct rf_error *err);
enum rf_status rf_snapshot_files_try(const struct rf_snapshot_files *files, rf_snapshot_attempt *attempt, void *context,
                                     struct rf_error *err) RF_MUST_USE;

#endif
