#include "ops/disk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static enum rf_status told(int error, const char *what, const char *path, struct rf_error *err) {
    if (!error) {
        return RF_OK;
    }
    enum rf_status status = error == ENOENT ? RF_NOT_FOUND : error == ENOMEM ? RF_MEMORY : RF_IO;
    return rf_fail(err, status, "cannot %s %s: %s", what, path, strerror(error));
}

enum rf_status rf_disk_create(struct rf_disk *self, const char *path, int *handle_out, struct rf_error *err) {
    return told(self->ops->create(self, path, handle_out), "create", path, err);
}

enum rf_status rf_disk_lock(struct rf_disk *self, const char *path, int *handle_out, struct rf_error *err) {
    int error = self->ops->lock(self, path, handle_out);
    return error == EWOULDBLOCK ? rf_fail(err, RF_BUSY, "%s is held by another process", path) : told(error, "lock", path, err);
}

enum rf_status rf_disk_write(struct rf_disk *self, const char *path, int handle, const void *data, size_t size,
                             struct rf_error *err) {
    return told(self->ops->write(self, handle, data, size), "write", path, err);
}

enum rf_status rf_disk_sync(struct rf_disk *self, const char *path, int handle, struct rf_error *err) {
    return told(self->ops->sync(self, handle), "sync", path, err);
}

enum rf_status rf_disk_sync_path(struct rf_disk *self, const char *path, struct rf_error *err) {
    return told(self->ops->sync_path(self, path), "sync", path, err);
}

enum rf_status rf_disk_close(struct rf_disk *self, const char *path, int handle, struct rf_error *err) {
    return told(self->ops->close(self, handle), "close", path, err);
}

enum rf_status rf_disk_read(struct rf_disk *self, const char *path, const uint8_t **data_out, size_t *size_out,
                            struct rf_error *err) {
    int error = self->ops->read(self, path, data_out, size_out);
    return error == EINVAL ? rf_fail(err, RF_IO, "cannot read %s: it is no plain file", path) : told(error, "read", path, err);
}

void rf_disk_forget(struct rf_disk *self, const uint8_t *data, size_t size) {
    self->ops->forget(self, data, size);
}

enum rf_status rf_disk_rename(struct rf_disk *self, const char *from, const char *to, struct rf_error *err) {
    return told(self->ops->rename(self, from, to), "rename into place", to, err);
}

enum rf_status rf_disk_remove(struct rf_disk *self, const char *path, struct rf_error *err) {
    return told(self->ops->remove(self, path), "remove", path, err);
}

enum rf_status rf_disk_make_folder(struct rf_disk *self, const char *path, struct rf_error *err) {
    return told(self->ops->make_folder(self, path), "make folder", path, err);
}

enum rf_status rf_disk_sync_folder(struct rf_disk *self, const char *path, struct rf_error *err) {
    return told(self->ops->sync_folder(self, path), "sync folder", path, err);
}

static enum rf_status write_file(struct rf_disk *self, const struct rf_disk_replacement *file, struct rf_error *err) {
    int handle;
    enum rf_status status = rf_disk_create(self, file->temporary, &handle, err);
    if (status) {
        return status;
    }
    status = rf_disk_write(self, file->temporary, handle, file->data, file->size, err);
    if (!status) {
        status = rf_disk_sync(self, file->temporary, handle, err);
    }
    struct rf_error ignored;
    enum rf_status closed = rf_disk_close(self, file->temporary, handle, status ? &ignored : err);
    return status ? status : closed;
}

enum rf_status rf_disk_replace(struct rf_disk *self, const struct rf_disk_replacement *file, struct rf_error *err) {
    enum rf_status status = write_file(self, file, err);
    if (!status) {
        status = rf_disk_rename(self, file->temporary, file->path, err);
    }
    return status ? status : rf_disk_sync_folder(self, file->folder, err);
}

struct name_list {
    const char *prefix, *suffix;
    char **names;
    size_t count, capacity;
    int error;
};

static bool matches(const struct name_list *list, const char *name) {
    size_t size = strlen(name), prefix = strlen(list->prefix), suffix = strlen(list->suffix);
    return size >= prefix + suffix && memcmp(name, list->prefix, prefix) == 0 &&
           memcmp(name + size - suffix, list->suffix, suffix) == 0;
}

static void take_name(void *context, const char *name) {
    struct name_list *list = context;
    if (list->error || !matches(list, name)) {
        return;
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        char **names = realloc(list->names, capacity * sizeof *names);
        if (!names) {
            list->error = ENOMEM;
            return;
        }
        list->names = names;
        list->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy) {
        list->error = ENOMEM;
        return;
    }
    list->names[list->count++] = copy;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum rf_status rf_disk_list(struct rf_disk *self, const char *folder, const char *prefix, const char *suffix, char ***names_out,
                            size_t *count_out, struct rf_error *err) {
    struct name_list list = {.prefix = prefix, .suffix = suffix};
    int error = self->ops->list(self, folder, take_name, &list);
    if (error || list.error) {
        rf_disk_names_destroy(list.names, list.count);
        return told(error ? error : list.error, "list", folder, err);
    }
    if (list.count) {
        qsort(list.names, list.count, sizeof *list.names, by_bytes);
    }
    *names_out = list.names;
    *count_out = list.count;
    return RF_OK;
}

void rf_disk_names_destroy(char **names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

void rf_disk_destroy(struct rf_disk *self) {
    if (self) {
        self->ops->destroy(self);
    }
}
