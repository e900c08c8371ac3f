// A replica as bytes (riffle.v1.FleetReplica), both ways. The entry that founded the fleet is among them as it stands in the log,
// and is judged again by who restores: a fleet of another specification is refused as it would be by its log.
#include "ops/fleet_replica_internal.h"

#include <assert.h>
#include <riffle.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, CHECK_NONE = 0, CHECK_AGREES, CHECK_DIFFERS };

// Generated code takes texts that it does not change as `char *`.
static char *lent(const char *text) {
    return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData bytes_of(const void *data, size_t size) {
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)(uintptr_t)data};
}

static size_t chain_count(uint64_t number) {
    return number < RF_FLEET_CHAINS ? (size_t)number + 1 : RF_FLEET_CHAINS;
}

// Saving.

// What the message points to.
struct parts {
    uint8_t *chains;
    Riffle__V1__Position *positions, **position_list;
    Riffle__V1__FleetMember *members, **member_list;
    Riffle__V1__FleetUndone *resets, **reset_list;
};

static void parts_finish(struct parts *parts) {
    free(parts->chains);
    free(parts->positions);
    free(parts->position_list);
    free(parts->members);
    free(parts->member_list);
    free(parts->resets);
    free(parts->reset_list);
}

static bool parts_init(struct parts *parts, const struct rf_replica *replica) {
    size_t positions = replica->applied.count + 1, members = replica->member_count + 1, resets = replica->reset_count + 1;
    *parts = (struct parts){.chains = malloc(chain_count(replica->number) * RF_SHA256_SIZE),
                            .positions = calloc(positions, sizeof *parts->positions),
                            .position_list = calloc(positions, sizeof(void *)),
                            .members = calloc(members, sizeof *parts->members),
                            .member_list = calloc(members, sizeof(void *)),
                            .resets = calloc(resets, sizeof *parts->resets),
                            .reset_list = calloc(resets, sizeof(void *))};
    return parts->chains && parts->positions && parts->position_list && parts->members && parts->member_list && parts->resets &&
           parts->reset_list;
}

static void save_chains(const struct rf_replica *replica, uint8_t *chains) {
    size_t count = chain_count(replica->number);
    uint64_t first = replica->number - (count - 1);
    for (size_t i = 0; i < count; i++) {
        memcpy(chains + i * RF_SHA256_SIZE, replica->chains[(first + i) % RF_FLEET_CHAINS], RF_SHA256_SIZE);
    }
}

static void save_position(const struct rf_position *position, Riffle__V1__Position *message) {
    riffle__v1__position__init(message);
    message->topic = position->topic;
    message->partition = position->partition;
    message->next_offset = position->next_offset;
    message->fingerprint = position->fingerprint;
    message->records = position->records;
}

static void save_member(const struct rf_replica_member *member, Riffle__V1__FleetMember *message) {
    const struct rf_replica_worker *shown = &member->shown;
    riffle__v1__fleet_member__init(message);
    message->worker = lent(shown->name);
    message->epoch = shown->epoch;
    message->sequence = member->sequence;
    message->deltas = shown->deltas;
    message->voids = shown->voids;
    message->records = shown->records;
    message->last = shown->last;
    message->start = shown->start;
    message->check = !shown->has_check ? CHECK_NONE : shown->check_differs ? CHECK_DIFFERS : CHECK_AGREES;
    message->chunks = member->chunks;
    message->data = bytes_of(member->bytes, member->chunks ? member->size : 0);
}

static void fill(const struct rf_replica *replica, struct parts *parts, Riffle__V1__FleetReplica *message) {
    save_chains(replica, parts->chains);
    for (size_t i = 0; i < replica->applied.count; i++) {
        save_position(&replica->applied.list[i], &parts->positions[i]);
        parts->position_list[i] = &parts->positions[i];
    }
    for (size_t i = 0; i < replica->member_count; i++) {
        save_member(&replica->members[i], &parts->members[i]);
        parts->member_list[i] = &parts->members[i];
    }
    for (size_t i = 0; i < replica->reset_count; i++) {
        riffle__v1__fleet_undone__init(&parts->resets[i]);
        parts->resets[i].start = replica->resets[i].start;
        parts->resets[i].end = replica->resets[i].end;
        parts->reset_list[i] = &parts->resets[i];
    }
    message->version = VERSION;
    message->genesis = bytes_of(replica->genesis, replica->genesis_size);
    message->line = replica->line;
    message->epochs = replica->epochs;
    message->number = replica->number;
    message->voids = replica->voids;
    message->records = replica->records;
    message->learned = replica->learned;
    message->rejected = replica->rejected;
    message->chains = bytes_of(parts->chains, chain_count(replica->number) * RF_SHA256_SIZE);
    message->n_applied = replica->applied.count;
    message->applied = parts->position_list;
    message->n_members = replica->member_count;
    message->members = parts->member_list;
    message->n_resets = replica->reset_count;
    message->resets = parts->reset_list;
    message->checked = replica->checked;
    message->base_sha256 = bytes_of(replica->check, replica->has_check ? RF_SHA256_SIZE : 0);
    message->last_void = lent(replica->last_void);
}

enum rf_status rf_replica_save(const struct rf_replica *replica, uint8_t **bytes_out, size_t *size_out, struct rf_error *err) {
    assert(replica->genesis);
    Riffle__V1__FleetReplica message = RIFFLE__V1__FLEET_REPLICA__INIT;
    struct parts parts;
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (parts_init(&parts, replica)) {
        fill(replica, &parts, &message);
        size = riffle__v1__fleet_replica__get_packed_size(&message);
        bytes = malloc(size);
    }
    if (bytes) {
        riffle__v1__fleet_replica__pack(&message, bytes);
        *bytes_out = bytes;
        *size_out = size;
    }
    parts_finish(&parts);
    return bytes ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for saving a replica");
}

// Restoring. Each returns RF_OK, RF_MEMORY, or RF_CORRUPT for what cannot be.

static enum rf_status restore_chains(struct rf_replica *replica, const Riffle__V1__FleetReplica *message) {
    size_t count = chain_count(message->number);
    uint64_t first = message->number - (count - 1);
    if (message->chains.len != count * RF_SHA256_SIZE) {
        return RF_CORRUPT;
    }
    if (first == 0 && memcmp(message->chains.data, replica->chains[0], RF_SHA256_SIZE) != 0) { // it follows from the genesis
        return RF_CORRUPT;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(replica->chains[(first + i) % RF_FLEET_CHAINS], message->chains.data + i * RF_SHA256_SIZE, RF_SHA256_SIZE);
    }
    return RF_OK;
}

static enum rf_status restore_positions(struct rf_replica *replica, const Riffle__V1__FleetReplica *message) {
    for (size_t i = 0; i < message->n_applied; i++) {
        const Riffle__V1__Position *saved = message->applied[i];
        size_t index;
        if (!saved->topic[0] || saved->partition < 0 || saved->next_offset < 0 ||
            rf_positions_find(&replica->applied, saved->topic, saved->partition)) {
            return RF_CORRUPT;
        }
        if (rf_positions_add(&replica->applied, saved->topic, saved->partition, &index)) {
            return RF_MEMORY;
        }
        struct rf_position *position = &replica->applied.list[index];
        position->next_offset = saved->next_offset;
        position->fingerprint = saved->fingerprint;
        position->records = saved->records;
    }
    return RF_OK;
}

static bool member_is_sound(const struct rf_replica *replica, const Riffle__V1__FleetMember *saved) {
    for (size_t i = 0; i < replica->member_count; i++) {
        if (strcmp(replica->members[i].shown.name, saved->worker) == 0) {
            return false;
        }
    }
    bool has_name = saved->worker[0] && strlen(saved->worker) < RF_FLEET_WORKER_SIZE;
    return has_name && saved->epoch >= 1 && saved->epoch <= replica->epochs && saved->start <= saved->last &&
           saved->last <= replica->number && saved->check <= CHECK_DIFFERS && saved->data.len <= RF_FLEET_DELTA_BYTES_MAX &&
           (saved->chunks > 0 || saved->data.len == 0);
}

static enum rf_status restore_member(struct rf_replica *replica, const Riffle__V1__FleetMember *saved) {
    struct rf_replica_member *member = &replica->members[replica->member_count];
    if (!member_is_sound(replica, saved)) {
        return RF_CORRUPT;
    }
    *member = (struct rf_replica_member){.shown = {.epoch = saved->epoch,
                                                   .deltas = saved->deltas,
                                                   .voids = saved->voids,
                                                   .records = saved->records,
                                                   .last = saved->last,
                                                   .start = saved->start,
                                                   .has_check = saved->check != CHECK_NONE,
                                                   .check_differs = saved->check == CHECK_DIFFERS},
                                         .sequence = saved->sequence,
                                         .chunks = saved->chunks,
                                         .bytes = malloc(saved->data.len + 1),
                                         .size = saved->data.len,
                                         .capacity = saved->data.len};
    if (!member->bytes) {
        return RF_MEMORY;
    }
    snprintf(member->shown.name, sizeof member->shown.name, "%s", saved->worker);
    if (saved->data.len) {
        memcpy(member->bytes, saved->data.data, saved->data.len);
    }
    replica->member_count++;
    return RF_OK;
}

static enum rf_status restore_members(struct rf_replica *replica, const Riffle__V1__FleetReplica *message) {
    enum rf_status status = RF_OK;
    replica->members = calloc(message->n_members + 1, sizeof *replica->members);
    if (!replica->members) {
        return RF_MEMORY;
    }
    for (size_t i = 0; i < message->n_members && !status; i++) {
        status = restore_member(replica, message->members[i]);
    }
    return status;
}

static enum rf_status restore_resets(struct rf_replica *replica, const Riffle__V1__FleetReplica *message) {
    replica->resets = calloc(message->n_resets + 1, sizeof *replica->resets);
    if (!replica->resets) {
        return RF_MEMORY;
    }
    for (size_t i = 0; i < message->n_resets; i++) {
        const Riffle__V1__FleetUndone *saved = message->resets[i];
        if (saved->start > saved->end || saved->end >= message->number) { // the reset itself has a number
            return RF_CORRUPT;
        }
        replica->resets[replica->reset_count++] = (struct rf_replica_reset){saved->start, saved->end};
    }
    return message->n_resets + 1 == message->line ? RF_OK : RF_CORRUPT; // each began a line
}

static enum rf_status restore_rest(struct rf_replica *replica, const Riffle__V1__FleetReplica *message) {
    bool has_check = message->base_sha256.len == RF_SHA256_SIZE;
    if (message->checked > message->number || (message->base_sha256.len && !has_check)) {
        return RF_CORRUPT;
    }
    replica->line = message->line;
    replica->epochs = message->epochs;
    replica->number = message->number;
    replica->voids = message->voids;
    replica->records = message->records;
    replica->learned = message->learned;
    replica->rejected = message->rejected;
    replica->has_check = has_check;
    replica->checked = message->checked;
    if (has_check) {
        memcpy(replica->check, message->base_sha256.data, RF_SHA256_SIZE);
    }
    snprintf(replica->last_void, sizeof replica->last_void, "%s", message->last_void);
    return RF_OK;
}

static enum rf_status restore(struct rf_replica *replica, const Riffle__V1__FleetReplica *message, struct rf_error *err) {
    struct rf_replica_news news;
    struct rf_text genesis = {(const char *)message->genesis.data, message->genesis.len};
    enum rf_status status = rf_replica_take(replica, genesis, &news, err);
    if (status) {
        return status;
    }
    status = news.event == RF_REPLICA_FOUNDED ? RF_OK : RF_CORRUPT;
    status = status ? status : restore_chains(replica, message);
    status = status ? status : restore_rest(replica, message);
    status = status ? status : restore_positions(replica, message);
    status = status ? status : restore_members(replica, message);
    status = status ? status : restore_resets(replica, message);
    return !status               ? RF_OK
           : status == RF_MEMORY ? rf_fail(err, status, "out of memory for restoring a replica")
                                 : rf_fail(err, status, "a saved replica of %s says what cannot be", replica->options.model);
}

enum rf_status rf_replica_restore(struct rf_replica *replica, struct rf_text bytes, struct rf_error *err) {
    assert(!replica->genesis && replica->member_count == 0);
    Riffle__V1__FleetReplica *message = riffle__v1__fleet_replica__unpack(NULL, bytes.size, (const uint8_t *)bytes.data);
    if (!message) {
        return rf_fail(err, RF_CORRUPT, "a saved replica of %zu bytes is none of Riffle's", bytes.size);
    }
    enum rf_status status = message->version == VERSION
                                    ? restore(replica, message, err)
                                    : rf_fail(err, RF_CORRUPT, "a saved replica is of version %u, this program reads %d",
                                              (unsigned)message->version, VERSION);
    riffle__v1__fleet_replica__free_unpacked(message, NULL);
    return status;
}
