// Which snapshots stay in the folder.
#include "ops/checkpoint_internal.h"

#include <stdlib.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

// The last one of its hour (or day), within the span before the newest?
static bool is_last_of(const struct rf_kept *list, size_t count, size_t index, int64_t unit_ms, uint64_t units) {
    int64_t newest = list[count - 1].created_ms, own = list[index].created_ms;
    bool is_within = own <= newest && (uint64_t)((newest - own) / unit_ms) < units;
    return is_within && (index + 1 == count || list[index + 1].created_ms / unit_ms != own / unit_ms);
}

bool rf_retention_keeps(const struct rf_retention *retention, const struct rf_kept *list, size_t count, size_t index) {
    bool begins_line = list[index].line > 1 && (index == 0 || list[index - 1].line < list[index].line);
    return index + retention->keep >= count || begins_line || is_last_of(list, count, index, HOUR_MS, retention->keep_hours) ||
           is_last_of(list, count, index, DAY_MS, retention->keep_days);
}

static enum rf_status push(struct rf_checkpoint *checkpoint, const struct rf_snapshot_header *header, struct rf_error *err) {
    if (checkpoint->kept_count && checkpoint->kept[checkpoint->kept_count - 1].number == header->version.base) {
        checkpoint->kept_count--; // written again
    }
    if (checkpoint->kept_count == checkpoint->kept_capacity) {
        size_t capacity = checkpoint->kept_capacity ? 2 * checkpoint->kept_capacity : 64;
        struct rf_kept *kept = realloc(checkpoint->kept, capacity * sizeof *kept);
        if (!kept) {
            return rf_fail(err, RF_MEMORY, "list of snapshots: out of memory");
        }
        checkpoint->kept = kept;
        checkpoint->kept_capacity = capacity;
    }
    checkpoint->kept[checkpoint->kept_count++] = (struct rf_kept){
            .number = header->version.base,
            .line = header->version.line,
            .created_ms = header->created_ms,
    };
    return RF_OK;
}

enum rf_status rf_checkpoint_put_on_record(struct rf_checkpoint *checkpoint, const struct rf_snapshot_header *header,
                                           const uint8_t sha256[RF_SHA256_SIZE], struct rf_error *err) {
    bool is_new = header->version.base > rf_chain_number(checkpoint->chain);
    enum rf_status status = rf_chain_append(checkpoint->chain, header, sha256, err);
    return !status && is_new ? push(checkpoint, header, err) : status;
}

// Removes a snapshot that need not stay; false when it is still there.
static bool remove_snapshot(struct rf_checkpoint *checkpoint, uint64_t number) {
    char path[RF_SNAPSHOT_PATH_SIZE];
    struct rf_error ignored;
    rf_snapshot_path(checkpoint->options.folder->path, number, path);
    enum rf_status status = rf_disk_remove(checkpoint->options.folder->disk, path, &ignored);
    return status == RF_OK || status == RF_NOT_FOUND;
}

enum rf_status rf_checkpoint_retain(struct rf_checkpoint *checkpoint, const struct rf_snapshot_header *header,
                                    struct rf_error *err) {
    enum rf_status status = push(checkpoint, header, err);
    if (status) {
        return status;
    }
    struct rf_kept *kept = checkpoint->kept;
    size_t count = checkpoint->kept_count;
    for (size_t i = 0; i < count; i++) { // each is judged beside all the others
        bool stays = rf_retention_keeps(&checkpoint->options.retention, kept, count, i);
        kept[i].is_gone = !stays && remove_snapshot(checkpoint, kept[i].number);
    }
    checkpoint->kept_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!kept[i].is_gone) {
            kept[checkpoint->kept_count++] = kept[i];
        }
    }
    return RF_OK;
}

// The snapshots that are there, along the chain: the numbers of both rise.
struct folder_list {
    struct rf_checkpoint *checkpoint;
    const struct rf_snapshot_files *files;
    size_t next;    // the first not met yet in the chain
    uint32_t epoch; // the latest of any link
};

static enum rf_status take_link(void *context, const struct rf_chain_link *link, struct rf_error *err) {
    struct folder_list *list = context;
    uint64_t number = link->header.version.base;
    list->epoch = link->header.version.epoch > list->epoch ? link->header.version.epoch : list->epoch;
    while (list->next < list->files->count && rf_snapshot_files_number(list->files, list->next) < number) {
        list->next++;
    }
    bool is_there = list->next < list->files->count && rf_snapshot_files_number(list->files, list->next) == number;
    return is_there ? push(list->checkpoint, &link->header, err) : RF_OK;
}

enum rf_status rf_checkpoint_open_chain(struct rf_checkpoint *checkpoint, struct rf_snapshot_files *files_out,
                                        struct rf_error *err) {
    struct rf_folder *folder = checkpoint->options.folder;
    struct rf_snapshot_files files;
    enum rf_status status = rf_snapshot_files_list(folder->disk, folder->path, &files, err);
    if (status) {
        return status;
    }
    struct folder_list list = {.checkpoint = checkpoint, .files = &files};
    status = rf_chain_open(folder->disk, folder->path, take_link, &list, &checkpoint->chain, err);
    if (status) {
        rf_snapshot_files_finish(&files);
        return status;
    }
    if (rf_chain_damage(checkpoint->chain)[0]) {
        rf_log(checkpoint->options.log, RF_LOG_WARN, "the chain of snapshots is damaged; it goes on from here",
               rf_log_text("error", rf_chain_damage(checkpoint->chain)));
    }
    status = rf_folder_pass_epoch(folder, list.epoch, err);
    if (status) {
        rf_snapshot_files_finish(&files);
        return status;
    }
    *files_out = files;
    return RF_OK;
}
