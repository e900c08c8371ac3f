#include "ops/chain.h"

#include "ops/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAGIC_SIZE = 8,
    CONTENTS_MAX = 16 << 20,
    SEGMENT_MAX = 1 << 22, // bytes; a new segment is begun beyond
    PATH_SIZE = 4352,
};
static const uint8_t magic[MAGIC_SIZE] = {'R', 'I', 'F', 'F', 'C', 'H', 'N', 1};

struct rf_chain {
    struct rf_disk *disk;
    char *folder;
    uint64_t number;
    uint32_t line;
    struct rf_error damage;

    // The segment being written.
    bool is_open;
    int handle;
    char path[PATH_SIZE];
    uint64_t segment_size;
    uint8_t specification_sha256[RF_SHA256_SIZE]; // of its last link
};

// Reading.

struct segment {
    const char *path;
    const uint8_t *data;
    size_t size;
    char *specification; // of the link before
};

static enum rf_status read_link(struct segment *segment, const uint8_t *contents, size_t size, struct rf_chain_link *link,
                                struct rf_error *err) {
    if (size < RF_SHA256_SIZE) {
        return rf_fail(err, RF_CORRUPT, "a link of %zu bytes is none", size);
    }
    memcpy(link->sha256, contents, RF_SHA256_SIZE);
    enum rf_status status = rf_snapshot_header_of_bytes(contents + RF_SHA256_SIZE, size - RF_SHA256_SIZE, &link->header, err);
    if (status) {
        return status;
    }
    bool is_left_out = link->header.specification[0] == '\0' && segment->specification;
    char *whole = strdup(is_left_out ? segment->specification : link->header.specification);
    if (!whole) {
        rf_snapshot_header_finish(&link->header);
        return rf_fail(err, RF_MEMORY, "out of memory");
    }
    char **stale = is_left_out ? &link->header.specification : &segment->specification;
    free(*stale);
    *stale = whole;
    return RF_OK;
}

static enum rf_status visit_segment(struct segment *segment, rf_chain_visit *visit, void *context, struct rf_error *err) {
    if (segment->size < MAGIC_SIZE) {
        return RF_OK; // a crash between making the file and its first write
    }
    if (memcmp(segment->data, magic, MAGIC_SIZE) != 0) {
        return rf_fail(err, RF_CORRUPT, "%s does not begin as a chain of snapshots", segment->path);
    }
    for (size_t at = MAGIC_SIZE; segment->size - at >= RF_FRAME_HEAD_SIZE;) {
        size_t size, left = segment->size - at;
        enum rf_frame_state state = rf_frame_look(segment->data + at, left, CONTENTS_MAX, &size);
        if (state == RF_FRAME_DAMAGED && left > RF_FRAME_HEAD_SIZE + size) {
            return rf_fail(err, RF_CORRUPT, "%s is damaged at byte %zu", segment->path, at);
        }
        if (state != RF_FRAME_WHOLE) {
            return RF_OK; // a crash while the last one was written
        }
        const uint8_t *contents = segment->data + at + RF_FRAME_HEAD_SIZE;
        struct rf_chain_link link;
        enum rf_status status = read_link(segment, contents, size, &link, err);
        if (status) {
            rf_fail_in(err, "%s at byte %zu", segment->path, at);
            return err->status;
        }
        status = visit(context, &link, err);
        rf_snapshot_header_finish(&link.header);
        if (status) {
            return status;
        }
        at += RF_FRAME_HEAD_SIZE + size;
    }
    return RF_OK;
}

static enum rf_status visit_file(struct rf_disk *disk, const char *path, rf_chain_visit *visit, void *context,
                                 struct rf_error *err) {
    struct segment segment = {.path = path};
    enum rf_status status = rf_disk_read(disk, path, &segment.data, &segment.size, err);
    if (!status) {
        status = visit_segment(&segment, visit, context, err);
        rf_disk_forget(disk, segment.data, segment.size);
    }
    free(segment.specification);
    return status;
}

static enum rf_status visit_all(struct rf_disk *disk, const char *folder, char **names, size_t count, rf_chain_visit *visit,
                                void *context, struct rf_error *err) {
    enum rf_status status = RF_OK;
    for (size_t i = 0; !status && i < count; i++) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        status = visit_file(disk, path, visit, context, err);
    }
    return status;
}

static enum rf_status list_segments(struct rf_disk *disk, const char *folder, char ***names_out, size_t *count_out,
                                    struct rf_error *err) {
    return rf_disk_list(disk, folder, "chain-", ".log", names_out, count_out, err);
}

enum rf_status rf_chain_each(struct rf_disk *disk, const char *folder, rf_chain_visit *visit, void *context,
                             struct rf_error *err) {
    char **names;
    size_t count;
    enum rf_status status = list_segments(disk, folder, &names, &count, err);
    if (!status) {
        status = visit_all(disk, folder, names, count, visit, context, err);
        rf_disk_names_destroy(names, count);
    }
    return status;
}

// Writing.

struct opening {
    struct rf_chain *chain;
    rf_chain_visit *visit; // NULL: nobody
    void *context;
};

static enum rf_status see_link(void *context, const struct rf_chain_link *link, struct rf_error *err) {
    const struct opening *opening = context;
    struct rf_chain *chain = opening->chain;
    chain->number = link->header.version.base > chain->number ? link->header.version.base : chain->number;
    chain->line = link->header.version.line > chain->line ? link->header.version.line : chain->line;
    return opening->visit ? opening->visit(opening->context, link, err) : RF_OK;
}

// A process that died may have written the last segment and not synced it. What is extended must not be taken by a cut of power
// later, from under links that grew from it.
static enum rf_status sync_last(struct rf_disk *disk, const char *folder, char **names, size_t count, struct rf_error *err) {
    if (!count) {
        return RF_OK;
    }
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, names[count - 1]);
    enum rf_status status = rf_disk_sync_path(disk, path, err);
    return status ? status : rf_disk_sync_folder(disk, folder, err);
}

// Damage is kept for those who ask; the links before it count.
static enum rf_status take_up(struct rf_chain *chain, rf_chain_visit *visit, void *context, struct rf_error *err) {
    char **names;
    size_t count;
    enum rf_status status = list_segments(chain->disk, chain->folder, &names, &count, err);
    if (status) {
        return status;
    }
    struct opening opening = {chain, visit, context};
    status = visit_all(chain->disk, chain->folder, names, count, see_link, &opening, err);
    if (status == RF_CORRUPT) {
        chain->damage = *err;
        status = RF_OK;
    }
    status = status ? status : sync_last(chain->disk, chain->folder, names, count, err);
    rf_disk_names_destroy(names, count);
    return status;
}

enum rf_status rf_chain_open(struct rf_disk *disk, const char *folder, rf_chain_visit *visit, void *context,
                             struct rf_chain **chain_out, struct rf_error *err) {
    struct rf_chain *chain = calloc(1, sizeof *chain);
    if (!chain) {
        return rf_fail(err, RF_MEMORY, "chain of snapshots: out of memory");
    }
    chain->disk = disk;
    chain->folder = strdup(folder);
    enum rf_status status =
            chain->folder ? take_up(chain, visit, context, err) : rf_fail(err, RF_MEMORY, "chain of snapshots: out of memory");
    if (status) {
        rf_chain_close(chain);
        return status;
    }
    *chain_out = chain;
    return RF_OK;
}

void rf_chain_close(struct rf_chain *chain) {
    if (!chain) {
        return;
    }
    if (chain->is_open) {
        struct rf_error ignored;
        rf_disk_close(chain->disk, chain->path, chain->handle, &ignored);
    }
    free(chain->folder);
    free(chain);
}

const char *rf_chain_damage(const struct rf_chain *chain) {
    return chain->damage.text;
}

uint64_t rf_chain_number(const struct rf_chain *chain) {
    return chain->number;
}

uint32_t rf_chain_line(const struct rf_chain *chain) {
    return chain->line;
}

static enum rf_status open_segment(struct rf_chain *chain, uint64_t number, struct rf_error *err) {
    snprintf(chain->path, sizeof chain->path, "%s/chain-%020" PRIu64 ".log", chain->folder, number);
    enum rf_status status = rf_disk_create(chain->disk, chain->path, &chain->handle, err);
    if (status) {
        return status;
    }
    chain->is_open = true;
    chain->segment_size = MAGIC_SIZE;
    memset(chain->specification_sha256, 0, sizeof chain->specification_sha256);
    status = rf_disk_write(chain->disk, chain->path, chain->handle, magic, MAGIC_SIZE, err);
    return status ? status : rf_disk_sync_folder(chain->disk, chain->folder, err);
}

// What fails on the way leaves a torn frame, so the next link begins a segment of its own.
static void give_up_segment(struct rf_chain *chain) {
    struct rf_error ignored;
    rf_disk_close(chain->disk, chain->path, chain->handle, &ignored);
    chain->is_open = false;
}

static enum rf_status write_link(struct rf_chain *chain, const struct rf_snapshot_header *header,
                                 const uint8_t sha256[RF_SHA256_SIZE], struct rf_error *err) {
    struct rf_snapshot_header link = *header;
    char nothing[] = "";
    if (memcmp(chain->specification_sha256, header->specification_sha256, RF_SHA256_SIZE) == 0) {
        link.specification = nothing;
    }
    enum { LEAD = RF_FRAME_HEAD_SIZE + RF_SHA256_SIZE };
    uint8_t *frame = NULL;
    size_t size = 0;
    enum rf_status status = rf_snapshot_header_bytes(&link, LEAD, &frame, &size, err);
    if (status) {
        return status;
    }
    memcpy(frame + RF_FRAME_HEAD_SIZE, sha256, RF_SHA256_SIZE);
    rf_frame_seal(frame, size - RF_FRAME_HEAD_SIZE);
    status = rf_disk_write(chain->disk, chain->path, chain->handle, frame, size, err);
    free(frame);
    if (!status) {
        status = rf_disk_sync(chain->disk, chain->path, chain->handle, err);
    }
    chain->segment_size += size;
    memcpy(chain->specification_sha256, header->specification_sha256, RF_SHA256_SIZE);
    return status;
}

enum rf_status rf_chain_append(struct rf_chain *chain, const struct rf_snapshot_header *header,
                               const uint8_t sha256[RF_SHA256_SIZE], struct rf_error *err) {
    if (header->version.base <= chain->number) {
        return RF_OK;
    }
    if (chain->is_open && chain->segment_size > SEGMENT_MAX) {
        give_up_segment(chain);
    }
    enum rf_status status = chain->is_open ? RF_OK : open_segment(chain, header->version.base, err);
    if (!status) {
        status = write_link(chain, header, sha256, err);
    }
    if (status) {
        if (chain->is_open) {
            give_up_segment(chain);
        }
        return status;
    }
    chain->number = header->version.base;
    chain->line = header->version.line > chain->line ? header->version.line : chain->line;
    return RF_OK;
}
