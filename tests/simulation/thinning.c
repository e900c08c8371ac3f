#include "tests/simulation/thinning.h"

#include "proto/snapshot.h"
#include "tests/simulation/refold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
enum { PATH_SIZE = 128 };

static bool is_in_place(const struct thinning *thinning, uint64_t number) {
    char path[PATH_SIZE];
    const char *data;
    size_t size;
    snprintf(path, sizeof path, "%s/snapshot-%020" PRIu64 ".riffle", thinning->world->folder, number);
    return rf_disk_simulated_peek(thinning->world->disk, path, &data, &size);
}

// The number of a snapshot; 0: it is another file.
static uint64_t number_of(const struct thinning *thinning, const char *path) {
    char prefix[PATH_SIZE], *end;
    snprintf(prefix, sizeof prefix, "%s/snapshot-", thinning->world->folder);
    if (strncmp(path, prefix, strlen(prefix)) != 0) {
        return 0;
    }
    uint64_t number = strtoull(path + strlen(prefix), &end, 10);
    return strcmp(end, ".riffle") == 0 ? number : 0;
}

// The rule.

static bool is_among_latest(const struct thinning *thinning, uint64_t number) {
    uint64_t later = 0;
    for (uint64_t i = number + 1; i < NUMBERS_MAX; i++) {
        later += thinning->seen[i].is_listed;
    }
    return later < thinning->world->retention.keep;
}

static bool begins_line(const struct thinning *thinning, uint64_t number) {
    for (uint64_t i = 1; i < number; i++) {
        if (thinning->seen[i].is_known && thinning->seen[i].line == thinning->seen[number].line) {
            return false;
        }
    }
    return thinning->seen[number].line > 1;
}

static bool is_within(const struct thinning *thinning, uint64_t number, int64_t unit_ms, uint64_t units) {
    int64_t age_ms = thinning->seen[thinning->newest].created_ms - thinning->seen[number].created_ms;
    return age_ms >= 0 && age_ms < unit_ms * (int64_t)units;
}

// Is there a later one of the same hour or day? A clock that goes back meets an hour twice, and nothing says whether that is the
// same one: `is_next_only` takes it for another, so both may have a last one.
static bool has_later_of_same(const struct thinning *thinning, uint64_t number, int64_t unit_ms, bool is_next_only) {
    for (uint64_t i = number + 1; i < NUMBERS_MAX; i++) {
        if (thinning->seen[i].is_listed) {
            bool is_same = thinning->seen[i].created_ms / unit_ms == thinning->seen[number].created_ms / unit_ms;
            if (is_same || is_next_only) {
                return is_same;
            }
        }
    }
    return false;
}

// With `is_next_only` more is the last of an hour, so less may go: that must have gone, and nothing may that stays without it.
static bool may_go(const struct thinning *thinning, uint64_t number, bool is_next_only) {
    const struct rf_retention *retention = &thinning->world->retention;
    bool is_last_of_hour = is_within(thinning, number, HOUR_MS, retention->keep_hours) &&
                           !has_later_of_same(thinning, number, HOUR_MS, is_next_only);
    bool is_last_of_day = is_within(thinning, number, DAY_MS, retention->keep_days) &&
                          !has_later_of_same(thinning, number, DAY_MS, is_next_only);
    return !is_among_latest(thinning, number) && !begins_line(thinning, number) && !is_last_of_hour && !is_last_of_day;
}

// What happens.

// What a power cut brought back is there again, and what it took was never there.
static void list_all(struct thinning *thinning) {
    for (uint64_t i = 1; i < NUMBERS_MAX; i++) {
        struct seen_snapshot *seen = &thinning->seen[i];
        seen->is_listed = seen->is_known && is_in_place(thinning, i);
        seen->is_removed &= !seen->is_listed;
        seen->is_known &= seen->is_listed || seen->is_removed;
    }
}

static void note_renamed(void *context, const char *path) {
    struct thinning *thinning = context;
    struct rf_snapshot_header header;
    struct rf_error err;
    const char *data;
    size_t size;
    uint64_t number = number_of(thinning, path);
    if (number == 0) {
        return;
    }
    assert_in_range(number, 1, NUMBERS_MAX - 1);
    assert_true(rf_disk_simulated_peek(thinning->world->disk, path, &data, &size));
    assert_int_equal(rf_snapshot_read_header(data, size, &header, NULL, &err), RF_OK);
    thinning->seen[number] =
            (struct seen_snapshot){.is_known = true, .line = header.version.line, .created_ms = header.created_ms};
    rf_snapshot_header_finish(&header);
    thinning->newest = number;
    list_all(thinning);
}

static void note_removed(void *context, const char *path) {
    struct thinning *thinning = context;
    uint64_t number = number_of(thinning, path);
    if (number == 0) {
        return;
    }
    if (!thinning->seen[number].is_listed || !may_go(thinning, number, false)) {
        fail_msg("snapshot %" PRIu64 " was removed when %" PRIu64 " came, but had to stay", number, thinning->newest);
    }
    thinning->seen[number].is_removed = true;
    thinning->removed++;
}

void watch_thinning(struct thinning *thinning, const struct world *world) {
    *thinning = (struct thinning){.world = world};
    rf_disk_simulated_watch(world->disk, note_renamed, note_removed, thinning);
}

// What must hold.

static const struct link *find_link(const struct links *links, uint64_t number) {
    for (size_t i = 0; i < links->count; i++) {
        if (links->list[i].version.base == number) {
            return &links->list[i];
        }
    }
    return NULL;
}

static bool is_first_of_line(const struct links *links, const struct link *link) {
    const struct link *first = links->list;
    while (first->version.line != link->version.line) {
        first++;
    }
    return first == link && link->version.line > 1;
}

void assert_removed_are_on_record(const struct thinning *thinning, struct world *world) {
    static struct links links;
    read_links(world, &links);
    for (uint64_t number = 1; number < NUMBERS_MAX; number++) {
        if (!thinning->seen[number].is_removed || is_in_place(thinning, number)) {
            continue;
        }
        const struct link *link = find_link(&links, number);
        if (!link || is_first_of_line(&links, link)) {
            fail_msg("snapshot %" PRIu64 " was removed, but %s", number, link ? "began a line" : "is not on record");
        }
    }
    if (links.count && !is_in_place(thinning, links.list[links.count - 1].version.base)) {
        fail_msg("snapshot %" PRIu64 ", the newest on record, is not in place", links.list[links.count - 1].version.base);
    }
}

void assert_thinned(const struct thinning *thinning) {
    for (uint64_t number = 1; number < NUMBERS_MAX; number++) {
        if (thinning->seen[number].is_listed && is_in_place(thinning, number) && may_go(thinning, number, true)) {
            fail_msg("snapshot %" PRIu64 " had to go when %" PRIu64 " came, but is still there", number, thinning->newest);
        }
    }
}
