#include "ops/lineage.h"

#include "ops/chain.h"
#include "ops/snapshot_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum rf_status no_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "lineage: out of memory");
}

// All that is on record.
struct known {
    struct rf_ancestor *list; // [count]
    size_t count, capacity;
    struct rf_lineage *lineage; // its texts
};

// The text as it is kept; NULL when memory is out. Most are the one kept last.
static const char *keep_text(struct rf_lineage *lineage, const char *text) {
    for (size_t i = lineage->specification_count; i-- > 0;) {
        if (strcmp(lineage->specifications[i], text) == 0) {
            return lineage->specifications[i];
        }
    }
    char **list = realloc(lineage->specifications, (lineage->specification_count + 1) * sizeof *list);
    if (!list) {
        return NULL;
    }
    lineage->specifications = list;
    list[lineage->specification_count] = strdup(text);
    return list[lineage->specification_count] ? list[lineage->specification_count++] : NULL;
}

static enum rf_status remember(struct known *known, const struct rf_snapshot_header *header, const uint8_t sha256[RF_SHA256_SIZE],
                               struct rf_error *err) {
    if (known->count == known->capacity) {
        size_t capacity = known->capacity ? 2 * known->capacity : 64;
        struct rf_ancestor *list = realloc(known->list, capacity * sizeof *list);
        if (!list) {
            return no_memory(err);
        }
        known->list = list;
        known->capacity = capacity;
    }
    struct rf_ancestor *ancestor = &known->list[known->count];
    *ancestor = (struct rf_ancestor){.version = header->version,
                                     .has_parent = header->has_parent,
                                     .specification = keep_text(known->lineage, header->specification),
                                     .records = header->records,
                                     .created_ms = header->created_ms};
    memcpy(ancestor->sha256, sha256, RF_SHA256_SIZE);
    memcpy(ancestor->parent_sha256, header->parent_sha256, RF_SHA256_SIZE);
    memcpy(ancestor->model_sha256, header->model_sha256, RF_SHA256_SIZE);
    memcpy(ancestor->specification_sha256, header->specification_sha256, RF_SHA256_SIZE);
    rf_positions_init(&ancestor->positions);
    if (!ancestor->specification || rf_positions_copy(&ancestor->positions, &header->positions)) {
        rf_positions_finish(&ancestor->positions);
        return no_memory(err);
    }
    known->count++;
    return RF_OK;
}

static enum rf_status take_link(void *context, const struct rf_chain_link *link, struct rf_error *err) {
    return remember(context, &link->header, link->sha256, err);
}

static bool is_known(const struct known *known, uint64_t number) {
    for (size_t i = known->count; i-- > 0;) {
        if (known->list[i].version.base == number) {
            return true;
        }
    }
    return false;
}

// A snapshot that a crash kept off the record. One that does not verify tells nothing.
static enum rf_status take_file(struct rf_disk *disk, const char *path, struct known *known, struct rf_error *err) {
    const uint8_t *data;
    size_t size;
    struct rf_snapshot_header header;
    uint8_t sha256[RF_SHA256_SIZE];
    enum rf_status status = rf_disk_read(disk, path, &data, &size, err);
    if (status) {
        return status == RF_NOT_FOUND ? RF_OK : status; // thinned out a moment ago
    }
    if (rf_snapshot_read_header(data, size, &header, sha256, err) == RF_OK) {
        status = remember(known, &header, sha256, err);
        rf_snapshot_header_finish(&header);
    }
    rf_disk_forget(disk, data, size);
    return status;
}

static enum rf_status take_files(struct rf_disk *disk, const char *folder, struct known *known, struct rf_error *err) {
    struct rf_snapshot_files files;
    enum rf_status status = rf_snapshot_files_list(disk, folder, &files, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < files.count && !status; i++) {
        char path[RF_SNAPSHOT_PATH_SIZE];
        rf_snapshot_files_path(&files, i, path);
        if (!is_known(known, rf_snapshot_files_number(&files, i))) {
            status = take_file(disk, path, known, err);
        }
    }
    rf_snapshot_files_finish(&files);
    return status;
}

static bool is_parent(const struct rf_ancestor *parent, const struct rf_ancestor *child) {
    return child->has_parent && memcmp(parent->sha256, child->parent_sha256, RF_SHA256_SIZE) == 0;
}

// Keeps those that lead to the newest one of the line, and lets the others go.
static enum rf_status keep_line(struct known *known, uint32_t line, struct rf_lineage *lineage, struct rf_error *err) {
    size_t *chosen = calloc(known->count + 1, sizeof *chosen), count = 0;
    struct rf_ancestor *list = calloc(known->count + 1, sizeof *list);
    if (!chosen || !list) {
        free(chosen);
        free(list);
        return no_memory(err);
    }
    for (size_t i = known->count; i-- > 0;) {
        const struct rf_ancestor *ancestor = &known->list[i];
        bool leads = count ? is_parent(ancestor, &known->list[chosen[count - 1]]) : !line || ancestor->version.line == line;
        if (leads) {
            chosen[count++] = i;
        }
        lineage->lines = ancestor->version.line > lineage->lines ? ancestor->version.line : lineage->lines;
    }
    for (size_t i = 0; i < count; i++) {
        list[i] = known->list[chosen[count - 1 - i]];
        known->list[chosen[count - 1 - i]] = (struct rf_ancestor){0};
    }
    free(chosen);
    lineage->list = list;
    lineage->count = count;
    return RF_OK;
}

static int by_number(const void *a, const void *b) {
    uint64_t left = ((const struct rf_ancestor *)a)->version.base, right = ((const struct rf_ancestor *)b)->version.base;
    return left < right ? -1 : left > right;
}

static enum rf_status read_known(struct rf_disk *disk, const char *folder, struct known *known, struct rf_error *err) {
    enum rf_status status = rf_chain_each(disk, folder, take_link, known, err);
    size_t on_record = known->count;
    if (!status || status == RF_CORRUPT) { // behind damage, what lies in the folder tells for itself
        status = take_files(disk, folder, known, err);
    }
    if (!status && known->count > on_record) {
        qsort(known->list, known->count, sizeof *known->list, by_number);
    }
    return status;
}

enum rf_status rf_lineage_read(struct rf_disk *disk, const char *folder, uint32_t line, struct rf_lineage *lineage_out,
                               struct rf_error *err) {
    struct rf_lineage lineage = {0};
    struct known known = {.lineage = &lineage};
    enum rf_status status = read_known(disk, folder, &known, err);
    if (!status) {
        status = keep_line(&known, line, &lineage, err);
    }
    for (size_t i = 0; i < known.count; i++) {
        rf_positions_finish(&known.list[i].positions);
    }
    free(known.list);
    if (!status && !lineage.count) {
        status = line && lineage.lines
                         ? rf_fail(err, RF_NOT_FOUND, "there is no line %" PRIu32 " in %s, it has lines up to %" PRIu32, line,
                                   folder, lineage.lines)
                         : rf_fail(err, RF_NOT_FOUND, "there is no snapshot in %s", folder);
    }
    if (status) {
        rf_lineage_finish(&lineage);
        return status;
    }
    *lineage_out = lineage;
    return RF_OK;
}

void rf_lineage_finish(struct rf_lineage *lineage) {
    for (size_t i = 0; i < lineage->count; i++) {
        rf_positions_finish(&lineage->list[i].positions);
    }
    free(lineage->list);
    for (size_t i = 0; i < lineage->specification_count; i++) {
        free(lineage->specifications[i]);
    }
    free(lineage->specifications);
    *lineage = (struct rf_lineage){0};
}

const struct rf_position *rf_ancestor_find(const struct rf_ancestor *ancestor, const char *topic, int32_t partition) {
    return rf_positions_find(&ancestor->positions, topic, partition);
}
