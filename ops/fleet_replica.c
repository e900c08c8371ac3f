#include "ops/fleet_replica_internal.h"

#include "ops/specification.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rf_status rf_replica_create(const struct rf_replica_options *options, struct rf_replica **replica_out,
                                 struct rf_error *err) {
    struct rf_replica *replica = calloc(1, sizeof *replica);
    if (!replica) {
        return rf_fail(err, RF_MEMORY, "out of memory for a replica");
    }
    replica->options = *options;
    replica->line = 1;
    rf_positions_init(&replica->applied);
    enum rf_status status = RF_OK;
    if (options->layers) {
        status = rf_delta_create(rf_layers_current(options->layers), &replica->delta, err);
    }
    if (status) {
        rf_replica_destroy(replica);
        return status;
    }
    *replica_out = replica;
    return RF_OK;
}

void rf_replica_destroy(struct rf_replica *replica) {
    if (!replica) {
        return;
    }
    for (size_t i = 0; i < replica->member_count; i++) {
        free(replica->members[i].bytes);
    }
    free(replica->members);
    free(replica->genesis);
    free(replica->resets);
    rf_delta_destroy(replica->delta);
    rf_positions_finish(&replica->applied);
    free(replica);
}

static uint8_t *chain_at(struct rf_replica *replica, uint64_t number) {
    return replica->chains[number % RF_FLEET_CHAINS];
}

static void extend_chain(struct rf_replica *replica, const void *bytes, size_t size) {
    uint8_t digest[RF_SHA256_SIZE];
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, bytes, size);
    rf_sha256_finish(&sha, digest);
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, chain_at(replica, replica->number), RF_SHA256_SIZE);
    rf_sha256_update(&sha, digest, RF_SHA256_SIZE);
    replica->number++;
    rf_sha256_finish(&sha, chain_at(replica, replica->number));
}

static struct rf_replica_member *find_member(const struct rf_replica *replica, const char *name) {
    for (size_t i = 0; i < replica->member_count; i++) {
        if (strcmp(replica->members[i].shown.name, name) == 0) {
            return &replica->members[i];
        }
    }
    return NULL;
}

// What does not count is told, and nothing is changed by it.
static void declare_void(struct rf_replica *replica, struct rf_replica_news *news, const char *sentence) {
    news->event = RF_REPLICA_VOID;
    replica->voids++;
    snprintf(news->sentence, sizeof news->sentence, "%s", sentence);
    snprintf(replica->last_void, sizeof replica->last_void, "%s", sentence);
}

static enum rf_status found(struct rf_replica *replica, const struct rf_fleet_genesis *genesis, struct rf_text bytes,
                            struct rf_replica_news *news, struct rf_error *err) {
    const char *own = replica->options.specification;
    if (replica->genesis) {
        return RF_OK;
    }
    if (genesis->arithmetic != RF_FLEET_ARITHMETIC) {
        return rf_fail(err, RF_CONFLICT,
                       "the fleet of model %s computes by arithmetic %" PRIu32
                       ", this program by %d: run the release that it was "
                       "founded with",
                       genesis->model, genesis->arithmetic, RF_FLEET_ARITHMETIC);
    }
    if (strcmp(genesis->model, replica->options.model) != 0) {
        return rf_fail(err, RF_CONFLICT, "the log of deltas is that of model %s, must be of %s", genesis->model,
                       replica->options.model);
    }
    struct rf_error difference;
    if (own && rf_specification_compare(genesis->specification, own, replica->options.settings, &difference) ==
                       RF_SPECIFICATION_BREAKING) {
        return rf_fail(err, RF_CONFLICT, "the fleet of model %s was founded with another specification: %.700s", genesis->model,
                       difference.text);
    }
    replica->genesis = malloc(bytes.size + 1);
    if (!replica->genesis) {
        return rf_fail(err, RF_MEMORY, "out of memory for a specification");
    }
    memcpy(replica->genesis, bytes.data, bytes.size);
    replica->genesis_size = bytes.size;
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, bytes.data, bytes.size);
    rf_sha256_finish(&sha, chain_at(replica, 0));
    news->event = RF_REPLICA_FOUNDED;
    return RF_OK;
}

static enum rf_status join(struct rf_replica *replica, const struct rf_fleet_join *join, struct rf_replica_news *news,
                           struct rf_error *err) {
    struct rf_replica_member *member = find_member(replica, join->worker);
    if (!member) {
        struct rf_replica_member *members = reallocarray(replica->members, replica->member_count + 1, sizeof *members);
        if (!members) {
            return rf_fail(err, RF_MEMORY, "out of memory for %zu workers", replica->member_count + 1);
        }
        replica->members = members;
        member = &members[replica->member_count++];
        *member = (struct rf_replica_member){0};
        snprintf(member->shown.name, sizeof member->shown.name, "%s", join->worker);
    }
    member->shown.epoch = ++replica->epochs;
    member->sequence = 0;
    member->chunks = 0;
    member->size = 0;
    news->event = RF_REPLICA_JOINED;
    news->epoch = member->shown.epoch;
    snprintf(news->worker, sizeof news->worker, "%s", join->worker);
    snprintf(news->nonce, sizeof news->nonce, "%s", join->nonce);
    news->is_own = replica->options.worker && strcmp(replica->options.worker, join->worker) == 0;
    return RF_OK;
}

// Why the chunk is none of its worker's; NULL: it is the next one.
static const char *fault_of_chunk(const struct rf_replica_member *member, const struct rf_fleet_chunk *chunk) {
    if (!member) {
        return "of a worker that never joined";
    }
    if (chunk->epoch != member->shown.epoch) {
        return "of an epoch that is over: another process has its group.instance.id by now";
    }
    if (chunk->index != 0 && (chunk->index != member->chunks || chunk->sequence != member->sequence + 1)) {
        return "without the chunks before it";
    }
    if (chunk->sequence != member->sequence + 1) {
        return "out of turn";
    }
    return chunk->data.size > RF_FLEET_DELTA_BYTES_MAX - (chunk->index ? member->size : 0) ? "too large" : NULL;
}

static enum rf_status keep_chunk(struct rf_replica_member *member, const struct rf_fleet_chunk *chunk, struct rf_error *err) {
    if (chunk->index == 0) {
        member->size = 0;
        member->chunks = 0;
    }
    size_t size = member->size + chunk->data.size;
    if (size > member->capacity) {
        uint8_t *bytes = realloc(member->bytes, size + size / 2);
        if (!bytes) {
            return rf_fail(err, RF_MEMORY, "out of memory for a delta of %zu bytes", size);
        }
        member->bytes = bytes;
        member->capacity = size + size / 2;
    }
    if (chunk->data.size) {
        memcpy(member->bytes + member->size, chunk->data.data, chunk->data.size);
    }
    member->size = size;
    member->chunks++;
    return RF_OK;
}

static bool is_undone(const struct rf_replica *replica, uint64_t number) {
    for (size_t i = 0; i < replica->options.reset_count; i++) {
        const struct rf_replica_reset *reset = &replica->options.resets[i];
        if (number > reset->start && number <= reset->end) {
            return true;
        }
    }
    return false;
}

// Why it does not count; "" when it does.
static void judge(struct rf_replica *replica, const struct rf_fleet_delta *delta, char sentence_out[RF_ERROR_TEXT_SIZE]) {
    sentence_out[0] = '\0';
    if (delta->line != replica->line) {
        snprintf(sentence_out, RF_ERROR_TEXT_SIZE, "it is of line %" PRIu32 ", the model of line %" PRIu32, delta->line,
                 replica->line);
    } else if (delta->start > replica->number || replica->number - delta->start >= RF_FLEET_CHAINS) {
        snprintf(sentence_out, RF_ERROR_TEXT_SIZE, "it began at base %" PRIu64 ", at most %d before %" PRIu64 " are taken",
                 delta->start, RF_FLEET_CHAINS, replica->number);
    } else if (memcmp(delta->chain, chain_at(replica, delta->start), RF_SHA256_SIZE) != 0) {
        snprintf(sentence_out, RF_ERROR_TEXT_SIZE, "it began at another base %" PRIu64 " than this log led to", delta->start);
    }
    for (size_t i = 0; i < delta->range_count && !sentence_out[0]; i++) {
        const struct rf_fleet_range *range = &delta->ranges[i];
        const struct rf_position *applied = rf_positions_find(&replica->applied, range->topic, range->partition);
        if (applied && applied->next_offset != range->from) {
            snprintf(sentence_out, RF_ERROR_TEXT_SIZE,
                     "it goes on at offset %" PRId64 " of %.200s [%" PRId32 "], of which %" PRId64 " is next", range->from,
                     range->topic, range->partition, applied->next_offset);
        }
    }
}

static enum rf_status apply_ranges(struct rf_replica *replica, const struct rf_fleet_range *ranges, size_t count,
                                   struct rf_error *err) {
    for (size_t i = 0; i < count; i++) {
        size_t index;
        if (rf_positions_add(&replica->applied, ranges[i].topic, ranges[i].partition, &index)) {
            return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", replica->applied.count + 1);
        }
        struct rf_position *position = &replica->applied.list[index];
        position->next_offset = ranges[i].to;
        position->fingerprint = ranges[i].records ? ranges[i].fingerprint : position->fingerprint;
        position->records += ranges[i].records;
    }
    return RF_OK;
}

bool rf_replica_is_undone(const struct rf_replica *replica) {
    return is_undone(replica, replica->number);
}

static enum rf_status fold_rows(struct rf_replica *replica, const struct rf_fleet_delta *delta, bool is_expected,
                                struct rf_error *err) {
    struct rf_layers *layers = replica->options.layers;
    if (!layers || is_undone(replica, replica->number + 1)) {
        return RF_OK;
    }
    if (is_expected) {
        replica->expected = 0;
        return rf_layers_fold_own(layers, err);
    }
    enum rf_status status = rf_delta_of_bytes((const uint8_t *)delta->rows.data, delta->rows.size, replica->delta, err);
    return status ? status : rf_layers_fold(layers, replica->delta, err);
}

static void take_check(struct rf_replica *replica) {
    if (replica->options.layers && replica->number % RF_FLEET_CHECK_EVERY == 0 && !is_undone(replica, replica->number)) {
        rf_state_sha256(rf_layers_base(replica->options.layers), RF_SCOPE_MODEL, replica->check);
        replica->checked = replica->number;
        replica->has_check = true;
    }
}

// The first hash of base at a number that stands in the log is the one that all others must have.
static enum rf_status compare_check(struct rf_replica *replica, struct rf_replica_member *member,
                                    const struct rf_fleet_delta *delta, bool is_own, struct rf_error *err) {
    if (!delta->has_check || !replica->has_check || delta->checked != replica->checked) {
        return RF_OK;
    }
    member->shown.has_check = true;
    member->shown.check_differs = memcmp(delta->base_sha256, replica->check, RF_SHA256_SIZE) != 0;
    if (!member->shown.check_differs || is_own || !replica->options.worker) {
        return RF_OK;
    }
    return rf_fail(err, RF_CORRUPT,
                   "base differs from that of worker %s after %" PRIu64
                   " deltas: the memory of one of the two is damaged, or they "
                   "compute differently; stop both, and start the one whose program and machine are in order",
                   member->shown.name, replica->checked);
}

static enum rf_status take_delta(struct rf_replica *replica, struct rf_replica_member *member, struct rf_replica_news *news,
                                 struct rf_error *err) {
    struct rf_fleet_delta_read read;
    char sentence[RF_ERROR_TEXT_SIZE];
    enum rf_status status = rf_fleet_delta_read((struct rf_text){(const char *)member->bytes, member->size}, &read, err);
    if (status) {
        if (status == RF_MEMORY) {
            return status;
        }
        member->shown.voids++;
        declare_void(replica, news, err->text);
        return RF_OK;
    }
    const struct rf_fleet_delta *delta = &read.delta;
    judge(replica, delta, sentence);
    if (!sentence[0]) {
        status = fold_rows(replica, delta, news->is_own && news->sequence == replica->expected, err);
        if (status == RF_CORRUPT) { // of rows alone, and base is as it was
            snprintf(sentence, sizeof sentence, "%s", err->text);
            status = RF_OK;
        }
    }
    if (!status && sentence[0]) {
        member->shown.voids++;
        declare_void(replica, news, sentence);
    } else if (!status) {
        status = apply_ranges(replica, delta->ranges, delta->range_count, err);
        extend_chain(replica, member->bytes, member->size);
        replica->records += delta->records;
        replica->learned += delta->learned;
        replica->rejected += delta->rejected;
        member->shown.deltas++;
        member->shown.records += delta->records;
        member->shown.start = delta->start;
        member->shown.last = replica->number;
        news->event = RF_REPLICA_FOLDED;
        news->records = delta->records;
        take_check(replica);
        status = status ? status : compare_check(replica, member, delta, news->is_own, err);
    }
    rf_fleet_delta_finish(&read);
    return status;
}

static enum rf_status take_chunk(struct rf_replica *replica, const struct rf_fleet_chunk *chunk, struct rf_replica_news *news,
                                 struct rf_error *err) {
    struct rf_replica_member *member = find_member(replica, chunk->worker);
    const char *fault = fault_of_chunk(member, chunk);
    news->epoch = chunk->epoch;
    news->sequence = chunk->sequence;
    snprintf(news->worker, sizeof news->worker, "%s", chunk->worker);
    if (fault) {
        if (chunk->index == 0) { // one delta is told once
            char sentence[RF_ERROR_TEXT_SIZE];
            snprintf(sentence, sizeof sentence, "it is %s", fault);
            if (member) {
                member->shown.voids++;
            }
            declare_void(replica, news, sentence);
        }
        return RF_OK;
    }
    enum rf_status status = keep_chunk(member, chunk, err);
    if (status || chunk->index + 1 < chunk->count) {
        return status;
    }
    member->sequence = chunk->sequence;
    member->chunks = 0;
    news->is_own = replica->options.worker && strcmp(replica->options.worker, chunk->worker) == 0;
    return take_delta(replica, member, news, err);
}

static bool knows_reset(const struct rf_replica *replica, uint64_t start, uint64_t end) {
    for (size_t i = 0; i < replica->options.reset_count; i++) {
        if (replica->options.resets[i].start == start && replica->options.resets[i].end == end) {
            return true;
        }
    }
    return !replica->options.layers;
}

static enum rf_status reset(struct rf_replica *replica, const struct rf_fleet_reset *entry, struct rf_text bytes,
                            struct rf_replica_news *news, struct rf_error *err) {
    if (entry->line != replica->line + 1 || entry->start > replica->number) {
        declare_void(replica, news, "a reset is of another line, or to what has not been yet");
        return RF_OK;
    }
    if (!knows_reset(replica, entry->start, replica->number)) {
        return rf_fail(err, RF_CONFLICT,
                       "the model was rolled back to where it was after %" PRIu64 " deltas: start this worker again",
                       entry->start);
    }
    struct rf_replica_reset *resets = reallocarray(replica->resets, replica->reset_count + 1, sizeof *resets);
    if (!resets) {
        return rf_fail(err, RF_MEMORY, "out of memory for resets");
    }
    replica->resets = resets;
    resets[replica->reset_count++] = (struct rf_replica_reset){entry->start, replica->number};
    replica->line = entry->line;
    extend_chain(replica, bytes.data, bytes.size); // has a number too, so that no base is called as another one
    news->event = RF_REPLICA_RESET;
    return apply_ranges(replica, entry->ranges, entry->range_count, err);
}

enum rf_status rf_replica_take(struct rf_replica *replica, struct rf_text bytes, struct rf_replica_news *news_out,
                               struct rf_error *err) {
    struct rf_fleet_entry entry;
    *news_out = (struct rf_replica_news){.event = RF_REPLICA_NOTHING};
    enum rf_status status = rf_fleet_entry_read(bytes, &entry, err);
    if (status) {
        if (status == RF_CORRUPT) {
            declare_void(replica, news_out, err->text);
        }
        return status == RF_CORRUPT ? RF_OK : status;
    }
    if (!replica->genesis && entry.kind != RF_FLEET_GENESIS) {
        declare_void(replica, news_out, "an entry stands before the fleet was founded");
    } else if (entry.kind == RF_FLEET_GENESIS) {
        status = found(replica, &entry.genesis, bytes, news_out, err);
    } else if (entry.kind == RF_FLEET_JOIN) {
        status = join(replica, &entry.join, news_out, err);
    } else if (entry.kind == RF_FLEET_CHUNK) {
        status = take_chunk(replica, &entry.chunk, news_out, err);
    } else if (entry.kind == RF_FLEET_RESET) {
        status = reset(replica, &entry.reset, bytes, news_out, err);
    }
    rf_fleet_entry_finish(&entry);
    return status;
}

void rf_replica_expect(struct rf_replica *replica, uint64_t sequence) {
    replica->expected = sequence;
}

const struct rf_replica_reset *rf_replica_resets(const struct rf_replica *replica, size_t *count_out) {
    *count_out = replica->reset_count;
    return replica->resets;
}

bool rf_replica_is_founded(const struct rf_replica *replica) {
    return replica->genesis != NULL;
}

uint64_t rf_replica_number(const struct rf_replica *replica) {
    return replica->number;
}

uint64_t rf_replica_voids(const struct rf_replica *replica) {
    return replica->voids;
}

uint32_t rf_replica_line(const struct rf_replica *replica) {
    return replica->line;
}

uint32_t rf_replica_epochs(const struct rf_replica *replica) {
    return replica->epochs;
}

const uint8_t *rf_replica_chain(const struct rf_replica *replica) {
    return replica->chains[replica->number % RF_FLEET_CHAINS];
}

const struct rf_positions *rf_replica_applied(const struct rf_replica *replica) {
    return &replica->applied;
}

const char *rf_replica_last_void(const struct rf_replica *replica) {
    return replica->last_void;
}

void rf_replica_counts(const struct rf_replica *replica, uint64_t *records_out, uint64_t *learned_out, uint64_t *rejected_out) {
    *records_out = replica->records;
    *learned_out = replica->learned;
    *rejected_out = replica->rejected;
}

bool rf_replica_check(const struct rf_replica *replica, uint64_t *number_out, uint8_t digest_out[RF_SHA256_SIZE]) {
    *number_out = replica->checked;
    memcpy(digest_out, replica->check, RF_SHA256_SIZE);
    return replica->has_check;
}

size_t rf_replica_worker_count(const struct rf_replica *replica) {
    return replica->member_count;
}

const struct rf_replica_worker *rf_replica_worker(const struct rf_replica *replica, size_t index) {
    assert(index < replica->member_count);
    return &replica->members[index].shown;
}
