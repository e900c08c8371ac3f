#include "tests/simulation/disk_simulated.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 4096, NAMES_MAX = 512, PATH_SIZE = 512 };

struct file {
    uint8_t *data;
    size_t size, capacity;
    uint8_t *synced_data; // as a power cut would leave it
    size_t synced_size;
    size_t kept;   // bytes at the beginning that are as they were synced: the file was not cut below since
    char path[64]; // that it was made by
};

struct name {
    char path[PATH_SIZE];
    size_t file;
};

struct names {
    struct name list[NAMES_MAX];
    size_t count;
};

struct simulated_disk {
    struct rf_disk base;
    struct file files[FILES_MAX]; // a handle is an index
    size_t file_count;
    struct names now, durable;
    uint64_t calls, fail_from, fail_to; // calls [fail_from, fail_to) fail
    int error;
    bool is_full, has_failed;
    char failed_call[PATH_SIZE + 32];
    void (*renamed)(void *context, const char *path); // NULL: nobody is told
    void (*removed)(void *context, const char *path);
    void *context;
};

static const struct rf_disk_ops simulated_ops;

static struct simulated_disk *simulated_from(const struct rf_disk *self) {
    assert(self->ops == &simulated_ops);
    return (struct simulated_disk *)(uintptr_t)self;
}

// Counts the call; the error it is to fail with, or 0.
static int called(struct simulated_disk *disk, const char *what, const char *path) {
    uint64_t call = ++disk->calls;
    bool needs_room = strcmp(what, "create") == 0 || strcmp(what, "write") == 0;
    int error = call >= disk->fail_from && call < disk->fail_to ? disk->error : disk->is_full && needs_room ? ENOSPC : 0;
    if (error) {
        disk->has_failed = true;
        snprintf(disk->failed_call, sizeof disk->failed_call, "%s %s", what, path);
    }
    return error;
}

static struct name *find(struct names *names, const char *path) {
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i].path, path) == 0) {
            return &names->list[i];
        }
    }
    return NULL;
}

static void set_name(struct names *names, const char *path, size_t file) {
    struct name *name = find(names, path);
    if (!name) {
        assert(names->count < NAMES_MAX && strlen(path) < PATH_SIZE);
        name = &names->list[names->count++];
        strcpy(name->path, path);
    }
    name->file = file;
}

static void drop_name(struct names *names, struct name *name) {
    *name = names->list[--names->count];
}

static int make(struct simulated_disk *disk, const char *what, const char *path, int *handle_out) {
    int error = called(disk, what, path);
    if (error) {
        return error;
    }
    assert(disk->file_count < FILES_MAX && strlen(path) < sizeof disk->files->path);
    set_name(&disk->now, path, disk->file_count);
    strcpy(disk->files[disk->file_count].path, path);
    *handle_out = (int)disk->file_count++;
    return 0;
}

static int simulated_create(struct rf_disk *self, const char *path, int *handle_out) {
    return make(simulated_from(self), "create", path, handle_out);
}

static int simulated_lock(struct rf_disk *self, const char *path, int *handle_out) {
    return make(simulated_from(self), "lock", path, handle_out); // there is only one process
}

static int simulated_write(struct rf_disk *self, int handle, const void *data, size_t size) {
    struct simulated_disk *disk = simulated_from(self);
    struct file *file = &disk->files[handle];
    int error = called(disk, "write", file->path);
    if (file->size + size > file->capacity) {
        file->capacity = 2 * (file->size + size);
        file->data = realloc(file->data, file->capacity);
        assert(file->data);
    }
    bool is_dead = error && disk->fail_to == UINT64_MAX && disk->calls > disk->fail_from;
    size_t taken = is_dead ? 0 : error ? size / 2 : size; // a failing write leaves a part behind
    if (taken) {
        memcpy(file->data + file->size, data, taken);
    }
    file->size += taken;
    return error;
}

// What stands now is what the disk holds.
static void settle(struct file *file) {
    free(file->synced_data);
    file->synced_data = malloc(file->size + 1);
    assert(file->synced_data);
    memcpy(file->synced_data, file->data ? file->data : (uint8_t *)"", file->size);
    file->synced_size = file->kept = file->size;
}

static int simulated_sync(struct rf_disk *self, int handle) {
    struct simulated_disk *disk = simulated_from(self);
    int error = called(disk, "sync", disk->files[handle].path);
    if (error) {
        return error;
    }
    settle(&disk->files[handle]);
    return 0;
}

static int simulated_close(struct rf_disk *self, int handle) {
    struct simulated_disk *disk = simulated_from(self);
    return called(disk, "close", disk->files[handle].path);
}

static int simulated_read(struct rf_disk *self, const char *path, const uint8_t **data_out, size_t *size_out) {
    struct simulated_disk *disk = simulated_from(self);
    int error = called(disk, "read", path);
    struct name *name = find(&disk->now, path);
    if (error || !name) {
        return error ? error : ENOENT;
    }
    const struct file *file = &disk->files[name->file];
    uint8_t *copy = malloc(file->size + 1);
    assert(copy);
    memcpy(copy, file->data ? file->data : (uint8_t *)"", file->size);
    *data_out = copy;
    *size_out = file->size;
    return 0;
}

static void simulated_forget(struct rf_disk *self, const uint8_t *data, size_t size) {
    (void)self;
    (void)size;
    free((void *)(uintptr_t)data);
}

static int simulated_rename(struct rf_disk *self, const char *from, const char *to) {
    struct simulated_disk *disk = simulated_from(self);
    int error = called(disk, "rename into place", to);
    struct name *name = find(&disk->now, from);
    if (error || !name) {
        return error ? error : ENOENT;
    }
    size_t file = name->file;
    drop_name(&disk->now, name);
    set_name(&disk->now, to, file);
    if (disk->renamed) {
        disk->renamed(disk->context, to);
    }
    return 0;
}

static int simulated_remove(struct rf_disk *self, const char *path) {
    struct simulated_disk *disk = simulated_from(self);
    int error = called(disk, "remove", path);
    struct name *name = find(&disk->now, path);
    if (error || !name) {
        return error ? error : ENOENT;
    }
    drop_name(&disk->now, name);
    if (disk->removed) {
        disk->removed(disk->context, path);
    }
    return 0;
}

static int simulated_make_folder(struct rf_disk *self, const char *path) {
    return called(simulated_from(self), "make folder", path);
}

static bool is_in(const char *path, const char *folder) {
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && path[size] == '/';
}

static int simulated_sync_path(struct rf_disk *self, const char *path) {
    struct simulated_disk *disk = simulated_from(self);
    int error = called(disk, "sync", path);
    struct name *name = find(&disk->now, path);
    if (error || !name) {
        return error ? error : ENOENT;
    }
    settle(&disk->files[name->file]);
    return 0;
}

static int simulated_sync_folder(struct rf_disk *self, const char *path) {
    struct simulated_disk *disk = simulated_from(self);
    int error = called(disk, "sync folder", path);
    if (error) {
        return error;
    }
    for (size_t i = disk->durable.count; i-- > 0;) {
        if (is_in(disk->durable.list[i].path, path)) {
            drop_name(&disk->durable, &disk->durable.list[i]);
        }
    }
    for (size_t i = 0; i < disk->now.count; i++) {
        if (is_in(disk->now.list[i].path, path)) {
            set_name(&disk->durable, disk->now.list[i].path, disk->now.list[i].file);
        }
    }
    return 0;
}

static int simulated_list(struct rf_disk *self, const char *folder, void (*visit)(void *context, const char *name),
                          void *context) {
    struct simulated_disk *disk = simulated_from(self);
    int error = called(disk, "list", folder);
    for (size_t i = 0; !error && i < disk->now.count; i++) {
        if (is_in(disk->now.list[i].path, folder)) {
            visit(context, disk->now.list[i].path + strlen(folder) + 1);
        }
    }
    return error;
}

static void simulated_destroy(struct rf_disk *self) {
    struct simulated_disk *disk = simulated_from(self);
    for (size_t i = 0; i < disk->file_count; i++) {
        free(disk->files[i].data);
        free(disk->files[i].synced_data);
    }
    free(disk);
}

static const struct rf_disk_ops simulated_ops = {
        .name = "simulated",
        .create = simulated_create,
        .lock = simulated_lock,
        .write = simulated_write,
        .sync = simulated_sync,
        .sync_path = simulated_sync_path,
        .close = simulated_close,
        .read = simulated_read,
        .forget = simulated_forget,
        .rename = simulated_rename,
        .remove = simulated_remove,
        .make_folder = simulated_make_folder,
        .sync_folder = simulated_sync_folder,
        .list = simulated_list,
        .destroy = simulated_destroy,
};

struct rf_disk *rf_disk_simulated_create(void) {
    struct simulated_disk *disk = calloc(1, sizeof *disk);
    assert(disk);
    disk->base.ops = &simulated_ops;
    disk->fail_from = disk->fail_to = UINT64_MAX;
    return &disk->base;
}

void rf_disk_simulated_fail(struct rf_disk *self, uint64_t call, int error) {
    struct simulated_disk *disk = simulated_from(self);
    disk->fail_from = call ? disk->calls + call : UINT64_MAX;
    disk->fail_to = call ? disk->fail_from + 1 : UINT64_MAX;
    disk->error = error;
    disk->has_failed = false;
    disk->failed_call[0] = '\0';
}

void rf_disk_simulated_watch(struct rf_disk *self, void (*renamed)(void *context, const char *path),
                             void (*removed)(void *context, const char *path), void *context) {
    struct simulated_disk *disk = simulated_from(self);
    disk->renamed = renamed;
    disk->removed = removed;
    disk->context = context;
}

void rf_disk_simulated_halt(struct rf_disk *self, uint64_t call) {
    rf_disk_simulated_fail(self, call, EIO);
    simulated_from(self)->fail_to = UINT64_MAX;
}

void rf_disk_simulated_fill(struct rf_disk *self, bool is_full) {
    simulated_from(self)->is_full = is_full;
}

const char *rf_disk_simulated_failed_call(const struct rf_disk *self) {
    return simulated_from(self)->failed_call;
}

bool rf_disk_simulated_has_failed(const struct rf_disk *self) {
    return simulated_from(self)->has_failed;
}

uint64_t rf_disk_simulated_calls(const struct rf_disk *self) {
    return simulated_from(self)->calls;
}

int rf_disk_simulated_append(struct rf_disk *self, const char *path, int *handle_out, uint64_t *size_out) {
    struct simulated_disk *disk = simulated_from(self);
    const struct name *name = find(&disk->now, path);
    if (!name) {
        *size_out = 0;
        return make(disk, "open", path, handle_out);
    }
    *handle_out = (int)name->file;
    *size_out = disk->files[name->file].size;
    return called(disk, "open", path);
}

int rf_disk_simulated_truncate(struct rf_disk *self, int handle, uint64_t size) {
    struct simulated_disk *disk = simulated_from(self);
    struct file *file = &disk->files[handle];
    int error = called(disk, "cut", file->path);
    assert(size <= file->size);
    if (!error) {
        file->size = size;
        file->kept = size < file->kept ? size : file->kept;
    }
    return error;
}

static void lose_unsynced(struct file *file) {
    file->size = file->kept = file->synced_size;
    if (file->synced_size) {
        memcpy(file->data, file->synced_data, file->synced_size);
    }
}

void rf_disk_simulated_cut_power(struct rf_disk *self) {
    struct simulated_disk *disk = simulated_from(self);
    disk->now = disk->durable;
    for (size_t i = 0; i < disk->file_count; i++) {
        lose_unsynced(&disk->files[i]);
    }
}

void rf_disk_simulated_cut_power_by_chance(struct rf_disk *self, struct rf_random *random) {
    struct simulated_disk *disk = simulated_from(self);
    if (rf_random_below(random, 2)) {
        disk->now = disk->durable;
    } else {
        disk->durable = disk->now;
    }
    for (size_t i = 0; i < disk->file_count; i++) {
        struct file *file = &disk->files[i];
        if (file->size == file->synced_size && file->kept == file->size) {
            continue;
        }
        if (rf_random_below(random, 2)) {
            lose_unsynced(file);
        } else {
            file->size = file->kept + (size_t)rf_random_below(random, file->size - file->kept + 1);
            settle(file);
        }
    }
}

bool rf_disk_simulated_damage(struct rf_disk *self, const char *path, size_t at) {
    struct simulated_disk *disk = simulated_from(self);
    struct name *name = find(&disk->now, path);
    if (!name || at >= disk->files[name->file].size) {
        return false;
    }
    disk->files[name->file].data[at] ^= 0x40;
    return true;
}

bool rf_disk_simulated_cut(struct rf_disk *self, const char *path, size_t size) {
    struct simulated_disk *disk = simulated_from(self);
    struct name *name = find(&disk->now, path);
    if (!name || size > disk->files[name->file].size) {
        return false;
    }
    disk->files[name->file].size = size;
    return true;
}

bool rf_disk_simulated_peek(const struct rf_disk *self, const char *path, const char **data_out, size_t *size_out) {
    struct simulated_disk *disk = simulated_from(self);
    const struct name *name = find(&disk->now, path);
    if (!name) {
        return false;
    }
    *data_out = (const char *)disk->files[name->file].data;
    *size_out = disk->files[name->file].size;
    return true;
}
