#include "tests/simulation/log_simulated.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 };

enum state { PLAIN, OPEN, COMMITTED, ABORTED, MARKER };

struct simulated_entry {
    struct rf_record record; // bytes owned
    enum state state;
    int64_t previous; // of the same transaction; -1: none
};

void *simulated_room(void *list, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) {
        return list;
    }
    *capacity = *capacity ? 2 * *capacity : 8;
    list = realloc(list, *capacity * size);
    if (!list) {
        abort();
    }
    return list;
}

static struct simulated_entry *entry_at(const struct simulated_log *log, int64_t offset) {
    return &log->chunks[offset / CHUNK][offset % CHUNK];
}

static bool is_seen(const struct simulated_entry *entry) {
    return entry->state == PLAIN || entry->state == COMMITTED;
}

static void find_stable_end(struct simulated_log *log) {
    log->stable_end = (int64_t)log->count;
    for (size_t i = 0; i < log->open_count; i++) {
        log->stable_end = log->open[i].first < log->stable_end ? log->open[i].first : log->stable_end;
    }
}

static struct simulated_entry *add_entry(struct simulated_log *log, enum state state) {
    if (log->count % CHUNK == 0) {
        log->chunks = simulated_room(log->chunks, log->count / CHUNK, &log->chunk_capacity, sizeof *log->chunks);
        log->chunks[log->count / CHUNK] = malloc(CHUNK * sizeof **log->chunks);
        if (!log->chunks[log->count / CHUNK]) {
            abort();
        }
    }
    struct simulated_entry *entry = entry_at(log, (int64_t)log->count);
    *entry = (struct simulated_entry){.record.offset = (int64_t)log->count, .state = state, .previous = -1};
    log->count++;
    return entry;
}

static struct simulated_open *find_open(const struct simulated_log *log, const void *producer) {
    for (size_t i = 0; i < log->open_count; i++) {
        if (log->open[i].producer == producer) {
            return &log->open[i];
        }
    }
    return NULL;
}

static struct rf_text copy_of(struct rf_text text) {
    char *copy = text.data ? malloc(text.size + 1) : NULL;
    if (copy) {
        memcpy(copy, text.data, text.size);
    }
    return (struct rf_text){copy, text.size};
}

int64_t simulated_log_append(struct simulated_log *log, struct rf_text key, struct rf_text value, int64_t timestamp_ms,
                             const void *producer) {
    struct simulated_entry *entry = add_entry(log, producer ? OPEN : PLAIN);
    entry->record.key = copy_of(key);
    entry->record.value = copy_of(value);
    entry->record.timestamp_ms = timestamp_ms;
    int64_t offset = entry->record.offset;
    struct simulated_open *open = producer ? find_open(log, producer) : NULL;
    if (open) {
        entry->previous = open->last;
        open->last = offset;
    } else if (producer) {
        log->open = simulated_room(log->open, log->open_count, &log->open_capacity, sizeof *log->open);
        log->open[log->open_count++] = (struct simulated_open){.producer = producer, .first = offset, .last = offset};
    }
    if (log->open_count == 0) {
        log->stable_end = (int64_t)log->count;
    }
    return offset;
}

void simulated_log_end(struct simulated_log *log, const void *producer, bool is_committed) {
    struct simulated_open *open = find_open(log, producer);
    if (!open) {
        return;
    }
    for (int64_t offset = open->last; offset >= 0; offset = entry_at(log, offset)->previous) {
        entry_at(log, offset)->state = is_committed ? COMMITTED : ABORTED;
    }
    *open = log->open[--log->open_count];
    add_entry(log, MARKER);
    find_stable_end(log);
}

void simulated_log_shorten(struct simulated_log *log, int64_t end) {
    assert(log->open_count == 0);
    while ((int64_t)log->count > end) {
        log->count--;
        struct simulated_entry *entry = entry_at(log, (int64_t)log->count);
        free((void *)(uintptr_t)entry->record.value.data);
        free((void *)(uintptr_t)entry->record.key.data);
        if (log->count % CHUNK == 0) {
            free(log->chunks[log->count / CHUNK]);
        }
    }
    log->stable_end = end;
}

void simulated_log_finish(struct simulated_log *log) {
    log->open_count = 0;
    simulated_log_shorten(log, 0);
    free(log->chunks);
    free(log->open);
    *log = (struct simulated_log){0};
}

const struct rf_record *simulated_log_at(const struct simulated_log *log, int64_t offset) {
    return offset >= 0 && offset < (int64_t)log->count && entry_at(log, offset)->state != MARKER ? &entry_at(log, offset)->record
                                                                                                 : NULL;
}

const struct rf_record *simulated_log_next(const struct simulated_log *log, int64_t *offset) {
    while (*offset < log->stable_end) {
        const struct simulated_entry *entry = entry_at(log, (*offset)++);
        if (is_seen(entry)) {
            return &entry->record;
        }
    }
    return NULL;
}

enum rf_status simulated_log_start(const struct simulated_log *log, const struct rf_position *position, enum rf_start start,
                                   int64_t *known_out, int64_t *next_out, struct rf_error *err) {
    int64_t next = position->next_offset, end = (int64_t)log->count;
    if (next == RF_OFFSET_NONE) {
        next = start == RF_START_LATEST ? log->stable_end : log->first;
    }
    if (next > end || next < log->first) {
        return rf_fail(err, RF_CONFLICT, "offset %lld of %s [%d] is %s: the log holds %lld to %lld", (long long)next,
                       position->topic, (int)position->partition, next > end ? "beyond the end" : "no longer there",
                       (long long)log->first, (long long)end);
    }
    *known_out = next;
    *next_out = next - (position->fingerprint && next > log->first);
    return RF_OK;
}

struct rf_holding simulated_log_look(const struct simulated_log *log, int64_t next_offset) {
    int64_t last = next_offset - 1;
    bool has_last = last >= log->first && last < log->stable_end && is_seen(entry_at(log, last));
    return (struct rf_holding){.first = log->first,
                               .end = (int64_t)log->count,
                               .has_last = has_last,
                               .fingerprint = has_last ? rf_record_fingerprint(&entry_at(log, last)->record) : 0};
}

int64_t simulated_log_time(const struct simulated_log *log, int64_t time_ms) {
    int64_t offset = log->first;
    const struct rf_record *record;
    while ((record = simulated_log_next(log, &offset)) != NULL) {
        if (record->timestamp_ms >= time_ms) {
            return record->offset;
        }
    }
    return -1;
}
