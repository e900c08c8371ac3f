#include "ops/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int posix_create(struct rf_disk *self, const char *path, int *handle_out) {
    (void)self;
    int handle = open(path, O_WRONLY | O_CLOEXEC | O_CREAT | O_TRUNC, 0644);
    if (handle < 0) {
        return errno;
    }
    *handle_out = handle;
    return 0;
}

static int posix_lock(struct rf_disk *self, const char *path, int *handle_out) {
    (void)self;
    int handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (handle < 0) {
        return errno;
    }
    if (flock(handle, LOCK_EX | LOCK_NB)) {
        int error = errno;
        close(handle);
        return error;
    }
    *handle_out = handle;
    return 0;
}

static int posix_write(struct rf_disk *self, int handle, const void *data, size_t size) {
    (void)self;
    const char *next = data;
    while (size) {
        ssize_t written = write(handle, next, size);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            next += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

static int posix_sync(struct rf_disk *self, int handle) {
    (void)self;
    return fdatasync(handle) ? errno : 0;
}

// Opening a pipe would wait for somebody who writes to it; what is no plain file is refused by the calls behind.
static int posix_sync_path(struct rf_disk *self, const char *path) {
    (void)self;
    int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (handle < 0) {
        return errno;
    }
    int error = fdatasync(handle) ? errno : 0;
    close(handle);
    return error;
}

static int posix_close(struct rf_disk *self, int handle) {
    (void)self;
    return close(handle) ? errno : 0;
}

static int posix_read(struct rf_disk *self, const char *path, const uint8_t **data_out, size_t *size_out) {
    (void)self;
    int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (handle < 0) {
        return errno;
    }
    int error = 0;
    void *data = NULL;
    struct stat status;
    if (fstat(handle, &status)) {
        error = errno;
    } else if (!S_ISREG(status.st_mode)) {
        error = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    } else if (status.st_size > 0) {
        data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, handle, 0);
        error = data == MAP_FAILED ? errno : 0;
    }
    close(handle);
    if (!error) {
        *data_out = data;
        *size_out = (size_t)status.st_size;
    }
    return error;
}

static void posix_forget(struct rf_disk *self, const uint8_t *data, size_t size) {
    (void)self;
    if (data) {
        munmap((void *)(uintptr_t)data, size);
    }
}

static int posix_rename(struct rf_disk *self, const char *from, const char *to) {
    (void)self;
    return rename(from, to) ? errno : 0;
}

static int posix_remove(struct rf_disk *self, const char *path) {
    (void)self;
    return unlink(path) ? errno : 0;
}

static int posix_make_folder(struct rf_disk *self, const char *path) {
    (void)self;
    struct stat status;
    if (mkdir(path, 0755) == 0) {
        return 0;
    }
    int error = errno;
    if (error == EEXIST && stat(path, &status) == 0) {
        return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    }
    return error;
}

static int posix_sync_folder(struct rf_disk *self, const char *path) {
    (void)self;
    int handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) {
        return errno;
    }
    int error = fsync(handle) ? errno : 0;
    close(handle);
    return error;
}

static int posix_list(struct rf_disk *self, const char *folder, void (*visit)(void *context, const char *name), void *context) {
    (void)self;
    DIR *stream = opendir(folder);
    if (!stream) {
        return errno;
    }
    errno = 0;
    for (struct dirent *entry; (entry = readdir(stream));) {
        visit(context, entry->d_name);
        errno = 0;
    }
    int error = errno;
    closedir(stream);
    return error;
}

static void posix_destroy(struct rf_disk *self) {
    free(self);
}

static const struct rf_disk_ops posix_ops = {
        .name = "posix",
        .create = posix_create,
        .lock = posix_lock,
        .write = posix_write,
        .sync = posix_sync,
        .sync_path = posix_sync_path,
        .close = posix_close,
        .read = posix_read,
        .forget = posix_forget,
        .rename = posix_rename,
        .remove = posix_remove,
        .make_folder = posix_make_folder,
        .sync_folder = posix_sync_folder,
        .list = posix_list,
        .destroy = posix_destroy,
};

enum rf_status rf_disk_posix_create(struct rf_disk **disk_out, struct rf_error *err) {
    struct rf_disk *disk = calloc(1, sizeof *disk);
    if (!disk) {
        return rf_fail(err, RF_MEMORY, "disk: out of memory");
    }
    disk->ops = &posix_ops;
    *disk_out = disk;
    return RF_OK;
}
