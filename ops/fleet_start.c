#include "ops/fleet_start.h"

#include "proto/snapshot.h"

#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS = 3 };

void rf_fleet_start_finish(struct rf_fleet_start *start) {
    rf_replica_destroy(start->replica);
    free(start->resets);
    *start = (struct rf_fleet_start){.log_offset = RF_OFFSET_NONE};
}

static struct rf_text replica_bytes(const struct rf_shelf_snapshot *snapshot) {
    return (struct rf_text){(const char *)snapshot->bytes, (size_t)snapshot->manifest.replica_size};
}

// The replica of a snapshot is what its manifest says.
static enum rf_status restore(struct rf_replica *replica, const struct rf_shelf_snapshot *snapshot, struct rf_error *err) {
    const struct rf_fleet_snapshot *manifest = &snapshot->manifest;
    enum rf_status status = rf_replica_restore(replica, replica_bytes(snapshot), err);
    if (!status && (rf_replica_number(replica) != manifest->number || rf_replica_line(replica) != manifest->line ||
                    memcmp(rf_replica_chain(replica), manifest->chain, RF_SHA256_SIZE) != 0)) {
        status = rf_fail(err, RF_CORRUPT, "a snapshot of base holds another replica than its manifest says");
    }
    return status;
}

static enum rf_status copy_resets(const struct rf_replica *replica, struct rf_fleet_start *start, struct rf_error *err) {
    const struct rf_replica_reset *resets = rf_replica_resets(replica, &start->reset_count);
    start->resets = calloc(start->reset_count + 1, sizeof *start->resets);
    if (!start->resets) {
        return rf_fail(err, RF_MEMORY, "out of memory for resets");
    }
    for (size_t i = 0; i < start->reset_count; i++) {
        start->resets[i] = resets[i];
    }
    return RF_OK;
}

// By a replica without layers, from the snapshot on (NULL: from the genesis).
static enum rf_status look_for_resets(const struct rf_fleet_start_options *options, const struct rf_shelf_snapshot *snapshot,
                                      struct rf_fleet_start *start, struct rf_error *err) {
    const struct rf_replica_options bare = {.model = options->replica.model,
                                            .specification = options->replica.specification,
                                            .settings = options->replica.settings};
    struct rf_replica *replica;
    enum rf_status status = rf_replica_create(&bare, &replica, err);
    if (status) {
        return status;
    }
    status = snapshot ? restore(replica, snapshot, err) : RF_OK;
    if (!status) {
        status = rf_fleet_scan(options->deltas, start->log_offset, replica, options->clock, NULL, NULL, err);
        if (status == RF_CONFLICT && snapshot) { // what comes behind it is gone: one of a worker that was late to send it
            status = err->status = RF_CORRUPT;
        }
    }
    status = status ? status : copy_resets(replica, start, err);
    rf_replica_destroy(replica);
    return status;
}

static bool is_undone(const struct rf_fleet_start *start, uint64_t number) {
    for (size_t i = 0; i < start->reset_count; i++) {
        if (number > start->resets[i].start && number <= start->resets[i].end) {
            return true;
        }
    }
    return false;
}

static enum rf_status read_base(const struct rf_shelf_snapshot *snapshot, struct rf_layers *layers, struct rf_error *err) {
    const uint8_t *bytes = snapshot->bytes + snapshot->manifest.replica_size;
    size_t size = (size_t)(snapshot->manifest.size - snapshot->manifest.replica_size);
    struct rf_snapshot_header header;
    enum rf_status status = rf_snapshot_read_header(bytes, size, &header, NULL, err);
    if (!status) {
        rf_snapshot_header_finish(&header);
        status = rf_snapshot_read_state(bytes, size, rf_layers_base(layers), err);
    }
    if (!status) {
        rf_layers_begin(layers);
    }
    return status;
}

// The replica itself, now that its resets are known.
static enum rf_status begin(const struct rf_fleet_start_options *options, const struct rf_shelf_snapshot *snapshot,
                            struct rf_fleet_start *start, struct rf_error *err) {
    struct rf_replica_options known = options->replica;
    known.resets = start->resets;
    known.reset_count = start->reset_count;
    enum rf_status status = rf_replica_create(&known, &start->replica, err);
    if (status || !snapshot) {
        return status;
    }
    start->has_snapshot = true;
    start->snapshot = snapshot->manifest;
    status = restore(start->replica, snapshot, err);
    return status || !known.layers ? status : read_base(snapshot, known.layers, err);
}

static void pass_over(const struct rf_fleet_start_options *options, const struct rf_shelf_snapshot *snapshot, const char *why) {
    if (options->log) {
        rf_log(options->log, RF_LOG_WARN, "a snapshot of base is of no use; the one before is looked for",
               rf_log_text("model", options->replica.model), rf_log_uint("number", snapshot->manifest.number),
               rf_log_text("why", why));
    }
}

// RF_AGAIN: this one is of no use.
static enum rf_status try(const struct rf_fleet_start_options *options, const struct rf_shelf_snapshot *snapshot,
                          struct rf_fleet_start *start, struct rf_error *err) {
    start->log_offset = snapshot->manifest.log_offset;
    enum rf_status status = look_for_resets(options, snapshot, start, err);
    if (!status && is_undone(start, snapshot->manifest.number)) {
        status = rf_fail(err, RF_CORRUPT, "the model was rolled back to before it");
    }
    status = status ? status : begin(options, snapshot, start, err);
    if (status) {
        rf_fleet_start_finish(start);
    }
    if (status == RF_CORRUPT) {
        pass_over(options, snapshot, err->text);
    }
    return status == RF_CORRUPT ? RF_AGAIN : status;
}

static enum rf_status from_genesis(const struct rf_fleet_start_options *options, struct rf_fleet_start *start,
                                   struct rf_error *err) {
    enum rf_status status = look_for_resets(options, NULL, start, err);
    status = status ? status : begin(options, NULL, start, err);
    if (status) {
        rf_fleet_start_finish(start);
    }
    return status;
}

static enum rf_status find(const struct rf_fleet_start_options *options, struct rf_fleet_start *start, struct rf_error *err) {
    const struct rf_shelf shelf = {
            .source = options->snapshots, .clock = options->clock, .model = options->replica.model, .wants_bytes = true};
    int64_t before = -1;
    enum rf_status status = RF_AGAIN;
    while (status == RF_AGAIN && options->snapshots) {
        struct rf_shelf_snapshot snapshot;
        status = rf_shelf_find(&shelf, before, &snapshot, err);
        if (!status) {
            status = try(options, &snapshot, start, err);
            before = snapshot.last;
            rf_shelf_snapshot_finish(&snapshot);
        }
    }
    return status == RF_AGAIN || status == RF_NOT_FOUND ? from_genesis(options, start, err) : status;
}

// Where nothing was of use, it may have been deleted while it was looked at, for a newer one that is there by now.
enum rf_status rf_fleet_start_find(const struct rf_fleet_start_options *options, struct rf_fleet_start *start_out,
                                   struct rf_error *err) {
    struct rf_fleet_start start = {.log_offset = RF_OFFSET_NONE};
    enum rf_status status = RF_CONFLICT;
    for (int attempt = 0; attempt < ATTEMPTS && status == RF_CONFLICT; attempt++) {
        status = find(options, &start, err);
    }
    if (!status) {
        *start_out = start;
    }
    return status;
}
