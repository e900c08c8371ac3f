// Runs a fuzz target over every file of the folders and files given, where there is no fuzzer: the corpus as a test.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// 1: it ran; 0: it could not be read.
static int replay_file(const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1); // exactly its size: a sanitizer sees the first byte read behind it
    int is_read = file && data && fread(data, 1, size, file) == size;
    if (is_read) {
        LLVMFuzzerTestOneInput(data, size);
    } else {
        fprintf(stderr, "%s cannot be read\n", path);
    }
    if (file) {
        fclose(file);
    }
    free(data);
    return is_read;
}

static int replay(const char *path, size_t *files);

static int replay_folder(const char *path, size_t *files) {
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    int is_done = count >= 0;
    size_t before = *files;
    for (int i = 0; i < count; i++) {
        char inner[4096];
        int length = snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            is_done = length < (int)sizeof inner && replay(inner, files) && is_done;
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    if (*files == before) {
        fprintf(stderr, "%s has no files\n", path);
        return 0;
    }
    return is_done;
}

static int replay(const char *path, size_t *files) {
    struct stat info;
    if (stat(path, &info) != 0) {
        fprintf(stderr, "%s is missing\n", path);
        return 0;
    }
    if (S_ISDIR(info.st_mode)) {
        return replay_folder(path, files);
    }
    ++*files;
    return replay_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv) {
    size_t files = 0;
    int is_done = argc > 1;
    if (argc <= 1) {
        fprintf(stderr, "usage: %s FOLDER_OR_FILE...\n", argv[0]);
    }
    for (int i = 1; i < argc; i++) {
        is_done = replay(argv[i], &files) && is_done;
    }
    printf("%zu files replayed\n", files);
    return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
