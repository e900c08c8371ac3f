#include "ops/folder.h"

#include "ops/snapshot_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { PATH_SIZE = 4352 };

static enum rf_status make_path(struct rf_disk *disk, const char *path, struct rf_error *err) {
    char part[PATH_SIZE];
    if (!*path || strlen(path) >= 4096) {
        return rf_fail(err, RF_INVALID, "snapshots.directory is %zu bytes long, must be 1 to 4095", strlen(path));
    }
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        struct rf_error ignored; // a folder above that cannot be made shows in the last call
        (void)!rf_disk_make_folder(disk, part, &ignored);
    }
    return rf_disk_make_folder(disk, path, err);
}

static enum rf_status take_lock(struct rf_folder *folder, struct rf_error *err) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/lock", folder->path);
    enum rf_status status = rf_disk_lock(folder->disk, path, &folder->lock, err);
    return status == RF_BUSY
                   ? rf_fail(err, RF_BUSY, "state folder %s is held by another worker; stop it, or give this one another folder",
                             folder->path)
                   : status;
}

static enum rf_status random_id(char id_out[RF_WORKER_ID_SIZE], struct rf_error *err) {
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
        return rf_fail(err, RF_IO, "cannot get random bytes: %s", strerror(errno));
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(id_out + 2 * i, 3, "%02x", bytes[i]);
    }
    return RF_OK;
}

static void identity_path(const char *folder, char path_out[PATH_SIZE]) {
    snprintf(path_out, PATH_SIZE, "%s/worker", folder);
}

static enum rf_status read_identity(struct rf_folder *folder, const char *folder_path, struct rf_error *err) {
    char path[PATH_SIZE];
    identity_path(folder_path, path);
    const uint8_t *data;
    size_t size;
    enum rf_status status = rf_disk_read(folder->disk, path, &data, &size, err);
    if (status == RF_NOT_FOUND) {
        return random_id(folder->worker, err);
    }
    if (status) {
        return status;
    }
    char text[128] = "";
    memcpy(text, data ? data : (const uint8_t *)"", size < sizeof text ? size : sizeof text - 1);
    rf_disk_forget(folder->disk, data, size);
    int at = 0;
    char *end = text;
    if (sscanf(text, "id=%32[0-9a-f] epoch=%n", folder->worker, &at) == 1 && at > 0) {
        unsigned long epoch = strtoul(text + at, &end, 10);
        folder->epoch = (uint32_t)epoch;
        bool is_whole = strlen(folder->worker) == RF_WORKER_ID_SIZE - 1;
        end = is_whole && epoch < UINT32_MAX && end > text + at ? end : text;
    }
    if (*end != '\n') {
        return rf_fail(err, RF_CORRUPT, "%s is damaged, must read id=<32 hex digits> epoch=<number>", path);
    }
    return RF_OK;
}

static enum rf_status write_identity(struct rf_folder *folder, struct rf_error *err) {
    char path[PATH_SIZE], temporary[PATH_SIZE + 8], text[128];
    identity_path(folder->path, path);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    int size = snprintf(text, sizeof text, "id=%s epoch=%" PRIu32 "\n", folder->worker, folder->epoch);
    const struct rf_disk_replacement file = {folder->path, path, temporary, text, (size_t)size};
    return rf_disk_replace(folder->disk, &file, err);
}

// What a process that died left half written may be what fills the disk.
static void remove_leftovers(struct rf_folder *folder) {
    static const char *const leftovers[] = {RF_SNAPSHOT_TEMPORARY, "worker.tmp"};
    for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers; i++) {
        char path[PATH_SIZE];
        struct rf_error ignored; // mostly there is none
        snprintf(path, sizeof path, "%s/%s", folder->path, leftovers[i]);
        rf_disk_remove(folder->disk, path, &ignored);
    }
}

enum rf_status rf_folder_open(struct rf_disk *disk, const char *path, struct rf_folder *folder_out, struct rf_error *err) {
    struct rf_folder folder = {.disk = disk, .path = strdup(path), .lock = -1};
    enum rf_status status = folder.path ? make_path(disk, path, err) : rf_fail(err, RF_MEMORY, "state folder: out of memory");
    if (!status) {
        status = take_lock(&folder, err);
    }
    if (!status) {
        remove_leftovers(&folder);
        status = read_identity(&folder, path, err);
    }
    if (!status) {
        folder.epoch++;
        status = write_identity(&folder, err);
    }
    if (status) {
        rf_folder_close(&folder);
        return status;
    }
    *folder_out = folder;
    return RF_OK;
}

enum rf_status rf_folder_pass_epoch(struct rf_folder *folder, uint32_t epoch, struct rf_error *err) {
    if (folder->epoch > epoch) {
        return RF_OK;
    }
    if (epoch == UINT32_MAX) {
        return rf_fail(err, RF_CORRUPT, "a snapshot in %s is of epoch %" PRIu32 ", behind which there is none", folder->path,
                       epoch);
    }
    folder->epoch = epoch + 1;
    return write_identity(folder, err);
}

enum rf_status rf_folder_epoch(struct rf_disk *disk, const char *path, uint32_t *epoch_out, struct rf_error *err) {
    struct rf_folder folder = {.disk = disk, .lock = -1};
    enum rf_status status = read_identity(&folder, path, err);
    if (!status) {
        *epoch_out = folder.epoch;
    }
    return status;
}

void rf_folder_close(struct rf_folder *folder) {
    if (folder->lock >= 0) {
        struct rf_error ignored;
        rf_disk_close(folder->disk, folder->path, folder->lock, &ignored);
        folder->lock = -1;
    }
    free(folder->path);
    folder->path = NULL;
}
