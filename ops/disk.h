#ifndef RF_OPS_DISK_H
#define RF_OPS_DISK_H
// The disk as the program sees it: few calls, each of which can fail, so that a simulated twin can fail every one of
// them in turn (tests/simulation/disk_simulated.c). Paths are as the operator wrote them.
#include "proto/status.h"

#include <stddef.h>
#include <stdint.h>

struct rf_disk;

// What a kind of disk must do. Answers are errno values, 0 when done; rf_disk_*() below turn them into sentences.
struct rf_disk_ops {
    const char *name;

    int (*create)(struct rf_disk *self, const char *path, int *handle_out); // in place of an old file of that name
    int (*lock)(struct rf_disk *self, const char *path, int *handle_out);   // until closed; EWOULDBLOCK: another process has it
    int (*write)(struct rf_disk *self, int handle, const void *data, size_t size); // all of it, or an error
    int (*sync)(struct rf_disk *self, int handle);                                 // data and size reach the disk
    int (*sync_path)(struct rf_disk *self, const char *path); // the same for a file that an earlier process wrote
    int (*close)(struct rf_disk *self, int handle);

    // Lends the contents of a whole file until forget(). EINVAL: it is a pipe or a device.
    int (*read)(struct rf_disk *self, const char *path, const uint8_t **data_out, size_t *size_out);
    void (*forget)(struct rf_disk *self, const uint8_t *data, size_t size);

    int (*rename)(struct rf_disk *self, const char *from, const char *to);
    int (*remove)(struct rf_disk *self, const char *path);
    int (*make_folder)(struct rf_disk *self, const char *path); // 0 when it is there already
    int (*sync_folder)(struct rf_disk *self, const char *path); // names made, renamed and removed in it reach the disk
    int (*list)(struct rf_disk *self, const char *folder, void (*visit)(void *context, const char *name), void *context);

    void (*destroy)(struct rf_disk *self);
};

struct rf_disk { // embedded first in each kind
    const struct rf_disk_ops *ops;
};

enum rf_status rf_disk_create(struct rf_disk *self, const char *path, int *handle_out, struct rf_error *err) RF_MUST_USE;
// RF_BUSY when another process holds it. The lock ends with the process, or with rf_disk_close().
enum rf_status rf_disk_lock(struct rf_disk *self, const char *path, int *handle_out, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_disk_write(struct rf_disk *self, const char *path, int handle, const void *data, size_t size,
                             struct rf_error *err) RF_MUST_USE;
enum rf_status rf_disk_sync(struct rf_disk *self, const char *path, int handle, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_disk_sync_path(struct rf_disk *self, const char *path, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_disk_close(struct rf_disk *self, const char *path, int handle, struct rf_error *err);

// RF_NOT_FOUND when there is no such file.
enum rf_status rf_disk_read(struct rf_disk *self, const char *path, const uint8_t **data_out, size_t *size_out,
                            struct rf_error *err) RF_MUST_USE;
void rf_disk_forget(struct rf_disk *self, const uint8_t *data, size_t size);

enum rf_status rf_disk_rename(struct rf_disk *self, const char *from, const char *to, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_disk_remove(struct rf_disk *self, const char *path, struct rf_error *err);
enum rf_status rf_disk_make_folder(struct rf_disk *self, const char *path, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_disk_sync_folder(struct rf_disk *self, const char *path, struct rf_error *err) RF_MUST_USE;

// Puts a small file in place, whole or not at all: written to `temporary`, which is in the same folder, synced and renamed.
struct rf_disk_replacement {
    const char *folder, *path, *temporary;
    const void *data;
    size_t size;
};

enum rf_status rf_disk_replace(struct rf_disk *self, const struct rf_disk_replacement *file, struct rf_error *err) RF_MUST_USE;

// The names in a folder that start and end like this, sorted by byte value. The caller frees each, then the list.
enum rf_status rf_disk_list(struct rf_disk *self, const char *folder, const char *prefix, const char *suffix, char ***names_out,
                            size_t *count_out, struct rf_error *err) RF_MUST_USE;
void rf_disk_names_destroy(char **names, size_t count);

void rf_disk_destroy(struct rf_disk *self);

// The machine's own disk.
enum rf_status rf_disk_posix_create(struct rf_disk **disk_out, struct rf_error *err) RF_MUST_USE;

#endif
