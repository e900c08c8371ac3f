// Loaded before the program (LD_PRELOAD): a disk that takes nothing for a while. While the file $STALL_WHILE is there, whoever
// writes to or syncs a file whose path holds $STALL_PATH, by one of the calls that $STALL_CALLS names, waits.
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { GLANCE_MS = 5 };

static int is_meant(int fd, const char *call) {
    const char *calls = getenv("STALL_CALLS"), *part = getenv("STALL_PATH");
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (!calls || !part || size < 0) {
        return 0;
    }
    path[size] = '\0';
    return strstr(calls, call) && strstr(path, part);
}

static void stall(int fd, const char *call) {
    const char *while_there = getenv("STALL_WHILE");
    while (while_there && access(while_there, F_OK) == 0 && is_meant(fd, call)) {
        (void)poll(NULL, 0, GLANCE_MS);
    }
}

ssize_t write(int fd, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    }
    stall(fd, "write");
    return real(fd, data, size);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    }
    stall(fd, "sync");
    return real(fd);
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    }
    stall(fd, "sync");
    return real(fd);
}
