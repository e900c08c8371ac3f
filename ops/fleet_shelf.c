#include "ops/fleet_shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRETCH = 64, STRETCH_GROWTH = 8, UNDER_WAY_MAX = 8, BOUNDS_PATIENCE_MS = 60000 };

// A snapshot of which chunks have come.
struct coming {
    char name[RF_FLEET_SNAPSHOT_NAME_SIZE];
    uint32_t chunks;
    int64_t first;
    struct rf_sha256 sha;
    uint8_t *bytes;
    size_t size, capacity;
};

// One reading of a stretch.
struct reading {
    const struct rf_shelf *shelf;
    int64_t before;
    struct coming coming[UNDER_WAY_MAX]; // [count] the oldest first
    size_t count;
    struct rf_shelf_snapshot found;
    bool has_found;
    bool is_cut; // a later manifest came, but not all of its chunks: they may stand before the stretch
};

void rf_shelf_snapshot_finish(struct rf_shelf_snapshot *snapshot) {
    free(snapshot->bytes);
    *snapshot = (struct rf_shelf_snapshot){0};
}

static struct coming *find_coming(struct reading *reading, const char *name) {
    for (size_t i = 0; i < reading->count; i++) {
        if (strcmp(reading->coming[i].name, name) == 0) {
            return &reading->coming[i];
        }
    }
    return NULL;
}

static void drop(struct reading *reading, struct coming *coming) {
    size_t index = (size_t)(coming - reading->coming);
    free(coming->bytes);
    rf_sha256_drop(&coming->sha);
    memmove(coming, coming + 1, (--reading->count - index) * sizeof *coming);
}

// More than a few are not sent at once: the oldest was interrupted.
static struct coming *begin(struct reading *reading, const char *name, int64_t offset) {
    if (reading->count == UNDER_WAY_MAX) {
        drop(reading, &reading->coming[0]);
    }
    struct coming *coming = &reading->coming[reading->count++];
    *coming = (struct coming){.first = offset};
    snprintf(coming->name, sizeof coming->name, "%s", name);
    rf_sha256_init(&coming->sha);
    return coming;
}

static enum rf_status keep_bytes(struct coming *coming, struct rf_text data, struct rf_error *err) {
    size_t size = coming->size + data.size;
    if (size > coming->capacity) {
        uint8_t *bytes = realloc(coming->bytes, size + size / 2);
        if (!bytes) {
            return rf_fail(err, RF_MEMORY, "out of memory for a snapshot of base of %zu bytes", size);
        }
        coming->bytes = bytes;
        coming->capacity = size + size / 2;
    }
    memcpy(coming->bytes + coming->size, data.data, data.size);
    return RF_OK;
}

static enum rf_status take_chunk(struct reading *reading, const struct rf_fleet_snapshot_chunk *chunk, int64_t offset,
                                 struct rf_error *err) {
    struct coming *coming = find_coming(reading, chunk->snapshot);
    if (!coming && chunk->index == 0) {
        coming = begin(reading, chunk->snapshot, offset);
    }
    if (!coming || chunk->index < coming->chunks) { // of one that began before the stretch; or once more
        return RF_OK;
    }
    if (chunk->index > coming->chunks) {
        drop(reading, coming);
        return RF_OK;
    }
    enum rf_status status = reading->shelf->wants_bytes && chunk->data.size ? keep_bytes(coming, chunk->data, err) : RF_OK;
    rf_sha256_update(&coming->sha, chunk->data.data, chunk->data.size);
    coming->size += chunk->data.size;
    coming->chunks++;
    return status;
}

static enum rf_status take_manifest(struct reading *reading, const struct rf_fleet_snapshot *manifest, int64_t offset,
                                    struct rf_error *err) {
    struct coming *coming = find_coming(reading, manifest->name);
    uint8_t digest[RF_SHA256_SIZE];
    if (strcmp(manifest->model, reading->shelf->model) != 0) {
        return rf_fail(err, RF_CONFLICT, "the topic of snapshots is that of model %s, must be of %s", manifest->model,
                       reading->shelf->model);
    }
    if (!coming || coming->chunks != manifest->chunks) {
        reading->is_cut = true;
        return RF_OK;
    }
    rf_sha256_finish(&coming->sha, digest);
    if (coming->size == manifest->size && memcmp(digest, manifest->sha256, RF_SHA256_SIZE) == 0) {
        rf_shelf_snapshot_finish(&reading->found);
        reading->found = (struct rf_shelf_snapshot){*manifest, coming->first, offset, coming->bytes};
        coming->bytes = NULL;
        reading->has_found = true;
        reading->is_cut = false;
    }
    drop(reading, coming);
    return RF_OK;
}

static enum rf_status take(void *context, const struct rf_record *record, struct rf_error *err) {
    struct reading *reading = context;
    struct rf_fleet_snapshot_entry entry;
    if (reading->before >= 0 && record->offset >= reading->before) {
        return RF_OK;
    }
    enum rf_status status = rf_fleet_snapshot_read(record->value, &entry, err);
    if (status) {
        return status == RF_CORRUPT ? RF_OK : status; // passed over, and with it the snapshot that it was of
    }
    if (entry.has_chunk) {
        status = take_chunk(reading, &entry.chunk, record->offset, err);
    } else if (entry.has_manifest) {
        status = take_manifest(reading, &entry.manifest, record->offset, err);
    }
    rf_fleet_snapshot_finish(&entry);
    return status;
}

static enum rf_status find_bounds(const struct rf_shelf *shelf, struct rf_fleet_log *log, int64_t *first_out, int64_t *end_out,
                                  struct rf_error *err) {
    struct rf_clock *clock = shelf->clock;
    int64_t since_ms = clock->monotonic_ms(clock);
    enum rf_status status;
    do {
        status = rf_fleet_log_bounds(log, first_out, end_out, err);
        if (status != RF_AGAIN && (!status || !shelf->source->is_temporary)) {
            return status;
        }
        clock->sleep_ms(clock, 1);
    } while (clock->monotonic_ms(clock) - since_ms < BOUNDS_PATIENCE_MS);
    return status == RF_AGAIN ? rf_fail(err, RF_IO, "it is not known where the topic of snapshots ends") : status;
}

// The last of the topic that is `stretch` records long.
static enum rf_status read_stretch(struct reading *reading, struct rf_fleet_log *log, int64_t stretch, bool *is_all_out,
                                   struct rf_error *err) {
    int64_t first = 0, end = 0;
    enum rf_status status = find_bounds(reading->shelf, log, &first, &end, err);
    if (status) {
        rf_source_unassign(log->source);
        return status;
    }
    end = reading->before >= 0 && reading->before < end ? reading->before : end;
    log->start = end - first > stretch ? end - stretch : first;
    *is_all_out = log->start == first;
    status = rf_fleet_log_read(log, reading->shelf->clock, take, reading, err);
    while (reading->count > 0) {
        drop(reading, &reading->coming[reading->count - 1]);
    }
    return status;
}

enum rf_status rf_shelf_find(const struct rf_shelf *shelf, int64_t before, struct rf_shelf_snapshot *found_out,
                             struct rf_error *err) {
    struct reading *reading = calloc(1, sizeof *reading);
    struct rf_fleet_log log;
    if (!reading) {
        return rf_fail(err, RF_MEMORY, "out of memory for looking through snapshots");
    }
    enum rf_status status = rf_fleet_log_init(&log, shelf->source, err);
    bool is_all = false;
    *reading = (struct reading){.shelf = shelf, .before = before};
    for (int64_t stretch = STRETCH; !status && !is_all; stretch *= STRETCH_GROWTH) {
        rf_shelf_snapshot_finish(&reading->found);
        reading->has_found = reading->is_cut = false;
        status = read_stretch(reading, &log, stretch, &is_all, err);
        is_all = is_all || (reading->has_found && !reading->is_cut);
    }
    if (!status && reading->has_found) {
        *found_out = reading->found;
    } else {
        rf_shelf_snapshot_finish(&reading->found);
        status = status ? status : RF_NOT_FOUND;
    }
    rf_fleet_log_finish(&log);
    free(reading);
    return status;
}
