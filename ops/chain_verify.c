// The chain of snapshots, link by link, against the snapshots that are there.
#include "ops/chain.h"
#include "ops/snapshot_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct known { // one link, for those that grew from it
    uint64_t number;
    uint32_t line;
    uint8_t sha256[RF_SHA256_SIZE];
    bool has_child;
};

struct walk {
    struct rf_disk *disk;
    const char *folder;
    struct known *known; // [count]
    size_t count, capacity;
    struct rf_chain_report report;
};

static struct known *find(const struct walk *walk, const uint8_t sha256[RF_SHA256_SIZE]) {
    for (size_t i = walk->count; i-- > 0;) {
        if (memcmp(walk->known[i].sha256, sha256, RF_SHA256_SIZE) == 0) {
            return &walk->known[i];
        }
    }
    return NULL;
}

static enum rf_status remember(struct walk *walk, const struct rf_chain_link *link, struct rf_error *err) {
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity ? 2 * walk->capacity : 256;
        struct known *known = realloc(walk->known, capacity * sizeof *known);
        if (!known) {
            return rf_fail(err, RF_MEMORY, "out of memory");
        }
        walk->known = known;
        walk->capacity = capacity;
    }
    struct known *known = &walk->known[walk->count++];
    *known = (struct known){.number = link->header.version.base, .line = link->header.version.line};
    memcpy(known->sha256, link->sha256, RF_SHA256_SIZE);
    return RF_OK;
}

// The snapshot itself, where it was not thinned out.
static enum rf_status check_file(struct walk *walk, const struct known *known, struct rf_error *err) {
    char path[RF_SNAPSHOT_PATH_SIZE];
    rf_snapshot_path(walk->folder, known->number, path);
    const uint8_t *data;
    size_t size;
    enum rf_status status = rf_disk_read(walk->disk, path, &data, &size, err);
    if (status) {
        return status == RF_NOT_FOUND ? RF_OK : status;
    }
    struct rf_snapshot_header header;
    uint8_t sha256[RF_SHA256_SIZE];
    status = rf_snapshot_read_header(data, size, &header, sha256, err);
    rf_disk_forget(walk->disk, data, size);
    if (status) {
        rf_fail_in(err, "%s", path);
        return err->status;
    }
    rf_snapshot_header_finish(&header);
    walk->report.snapshots++;
    if (memcmp(sha256, known->sha256, RF_SHA256_SIZE) != 0) {
        char is[RF_SHA256_TEXT_SIZE], was[RF_SHA256_TEXT_SIZE];
        rf_sha256_text(sha256, is);
        rf_sha256_text(known->sha256, was);
        return rf_fail(err, RF_CORRUPT, "%s has sha256 %s, but %s is on record: it is another snapshot", path, is, was);
    }
    return RF_OK;
}

static enum rf_status take_link(void *context, const struct rf_chain_link *link, struct rf_error *err) {
    struct walk *walk = context;
    const struct rf_snapshot_header *header = &link->header;
    struct rf_chain_report *report = &walk->report;
    uint64_t number = header->version.base;
    if (walk->count > 0 && number < report->last) {
        return rf_fail(err, RF_CORRUPT, "snapshot %" PRIu64 " stands behind snapshot %" PRIu64 ", must rise", number,
                       report->last);
    }
    if (walk->count > 0 && number == report->last) {
        walk->count--; // a disk that failed just then: it was written again
    }
    struct known *parent = header->has_parent ? find(walk, header->parent_sha256) : NULL;
    if (walk->count > 0 && !parent) {
        char digest[RF_SHA256_TEXT_SIZE] = "nothing";
        if (header->has_parent) {
            rf_sha256_text(header->parent_sha256, digest);
        }
        return rf_fail(err, RF_CORRUPT,
                       "the link to snapshot %" PRIu64 " is broken: it grew from %s, and no snapshot on record has that sha256",
                       number, digest);
    }
    if (parent) {
        parent->has_child = true;
    }
    report->lines = header->version.line > report->lines ? header->version.line : report->lines;
    report->first = walk->count ? report->first : number;
    report->last = number;
    return remember(walk, link, err);
}

// Snapshots without a link: links were lost, or files moved. Only the newest may be one: a crash kept its link off.
static enum rf_status check_names(const struct walk *walk, const struct rf_snapshot_files *files, struct rf_error *err) {
    size_t link = 0;
    for (size_t i = 0; i < files->count; i++) {
        uint64_t number = rf_snapshot_files_number(files, i);
        while (link < walk->count && walk->known[link].number < number) {
            link++;
        }
        bool is_known = link < walk->count && walk->known[link].number == number;
        bool is_newest = i + 1 == files->count && link == walk->count;
        if (!is_known && !is_newest) {
            return rf_fail(err, RF_CORRUPT,
                           "%s/%s is not on record: links to snapshots are lost, or it is a copy under that name", walk->folder,
                           files->names[i]);
        }
    }
    return RF_OK;
}

static enum rf_status check_folder(const struct walk *walk, struct rf_error *err) {
    struct rf_snapshot_files files;
    enum rf_status status = rf_snapshot_files_list(walk->disk, walk->folder, &files, err);
    if (!status) {
        status = check_names(walk, &files, err);
        rf_snapshot_files_finish(&files);
    }
    return status;
}

static uint64_t count_passed_over(const struct walk *walk) {
    uint64_t passed = 0;
    for (size_t i = 0; i + 1 < walk->count; i++) {
        passed += !walk->known[i].has_child && walk->known[i + 1].line == walk->known[i].line;
    }
    return passed;
}

enum rf_status rf_chain_verify(struct rf_disk *disk, const char *folder, struct rf_chain_report *report_out,
                               struct rf_error *err) {
    struct walk walk = {.disk = disk, .folder = folder};
    enum rf_status status = rf_chain_each(disk, folder, take_link, &walk, err);
    for (size_t i = 0; !status && i < walk.count; i++) {
        status = check_file(&walk, &walk.known[i], err);
    }
    status = status ? status : check_folder(&walk, err);
    if (!status) {
        walk.report.links = walk.count;
        walk.report.passed_over = count_passed_over(&walk);
        *report_out = walk.report;
    }
    free(walk.known);
    return status;
}
