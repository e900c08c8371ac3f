#include "ops/snapshot_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "snapshot-", suffix[] = ".riffle";

void rf_snapshot_path(const char *folder, uint64_t number, char path_out[RF_SNAPSHOT_PATH_SIZE]) {
    snprintf(path_out, RF_SNAPSHOT_PATH_SIZE, "%s/%s%020" PRIu64 "%s", folder, prefix, number, suffix);
}

enum rf_status rf_snapshot_files_list(struct rf_disk *disk, const char *folder, struct rf_snapshot_files *files_out,
                                      struct rf_error *err) {
    struct rf_snapshot_files files = {.folder = folder};
    enum rf_status status = rf_disk_list(disk, folder, prefix, suffix, &files.names, &files.count, err);
    if (!status) {
        *files_out = files;
    }
    return status;
}

void rf_snapshot_files_finish(struct rf_snapshot_files *files) {
    rf_disk_names_destroy(files->names, files->count);
}

uint64_t rf_snapshot_files_number(const struct rf_snapshot_files *files, size_t index) {
    return strtoull(files->names[index] + strlen(prefix), NULL, 10);
}

void rf_snapshot_files_path(const struct rf_snapshot_files *files, size_t index, char path_out[RF_SNAPSHOT_PATH_SIZE]) {
    snprintf(path_out, RF_SNAPSHOT_PATH_SIZE, "%s/%s", files->folder, files->names[index]);
}

enum rf_status rf_snapshot_files_try(const struct rf_snapshot_files *files, rf_snapshot_attempt *attempt, void *context,
                                     struct rf_error *err) {
    enum rf_status status = RF_NOT_FOUND;
    for (size_t i = files->count; i-- > 0 && rf_snapshot_is_passed_over(status);) {
        char path[RF_SNAPSHOT_PATH_SIZE];
        rf_snapshot_files_path(files, i, path);
        status = attempt(context, path, err);
    }
    return status;
}
