#ifndef RF_OPS_FOLDER_H
#define RF_OPS_FOLDER_H
// The state folder of one model on one worker: snapshots, schedule, and who the worker is.
//
//     lock         held (flock) while a worker runs on the folder
//     worker       "id=<32 hex digits> epoch=<starts so far>"
//     snapshot-*   see ops/snapshot_files.h      schedule-*   see ops/schedule.h      chain-*   see ops/chain.h
#include "ops/disk.h"

#include <stdint.h>

enum { RF_WORKER_ID_SIZE = 33 };

struct rf_folder {
    struct rf_disk *disk; // borrowed
    char *path;
    int lock; // handle, -1: not locked
    char worker[RF_WORKER_ID_SIZE];
    uint32_t epoch; // of this start, from 1
};

// Makes the folder if need be, locks it and starts a new epoch; a new one gets a random worker's id. RF_BUSY, in words, when
// another process holds it.
enum rf_status rf_folder_open(struct rf_disk *disk, const char *path, struct rf_folder *folder_out,
                              struct rf_error *err) RF_MUST_USE;
void rf_folder_close(struct rf_folder *folder);

// Sees to it that this start is of a later epoch than `epoch`, which a snapshot is of: the file that counts them may be older
// than the snapshots (put back from a copy) or new.
enum rf_status rf_folder_pass_epoch(struct rf_folder *folder, uint32_t epoch, struct rf_error *err) RF_MUST_USE;

// The epoch of the last start on a folder, without touching it; 0 when there was none.
enum rf_status rf_folder_epoch(struct rf_disk *disk, const char *path, uint32_t *epoch_out, struct rf_error *err) RF_MUST_USE;

#endif
