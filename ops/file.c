#include "ops/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_SIZE = 64 << 10 };

static enum rf_status read_all(FILE *file, const char *path, size_t size_max, char **data_out, size_t *size_out,
                               struct rf_error *err) {
    char *data = NULL;
    size_t size = 0, capacity = 0;
    for (;;) {
        if (capacity - size <= 1) {
            capacity += PIECE_SIZE;
            char *grown = realloc(data, capacity);
            if (!grown) {
                free(data);
                return rf_fail(err, RF_MEMORY, "%s does not fit into memory", path);
            }
            data = grown;
        }
        size_t piece = fread(data + size, 1, capacity - size - 1, file);
        size += piece;
        if (piece == 0 || size > size_max) {
            break;
        }
    }
    if (ferror(file)) {
        rf_fail(err, RF_INVALID, "%s cannot be read: %s", path, strerror(errno));
    } else if (size > size_max) {
        rf_fail(err, RF_INVALID, "%s has more than %zu bytes, must have at most so many", path, size_max);
    } else {
        data[size] = '\0';
        *data_out = data;
        *size_out = size;
        return RF_OK;
    }
    free(data);
    return err->status;
}

enum rf_status rf_file_read(const char *path, size_t size_max, struct rf_text *bytes_out, struct rf_error *err) {
    struct stat stat;
    const int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); // a pipe without a writer would be waited for
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "rb");
    if (!file) {
        rf_fail(err, RF_INVALID, "%s cannot be opened: %s", path, strerror(errno));
        if (descriptor >= 0) {
            close(descriptor);
        }
        return err->status;
    }
    if (fstat(descriptor, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        fclose(file);
        return rf_fail(err, RF_INVALID, "%s is no plain file, must be one", path);
    }
    char *data = NULL;
    size_t size = 0;
    enum rf_status status = read_all(file, path, size_max, &data, &size, err);
    fclose(file);
    if (!status) {
        *bytes_out = (struct rf_text){data, size};
    }
    return status;
}
