#include "ops/fleet_entry.h"

#include <riffle.pb-c.h>
#include <stdlib.h>
#include <string.h>

// Generated code takes texts that it does not change as `char *`.
static char *lent(const char *text) {
    return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData bytes_of(const void *data, size_t size) {
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)(uintptr_t)data};
}

static enum rf_status pack(const ProtobufCMessage *message, uint8_t **bytes_out, size_t *size_out, struct rf_error *err) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size ? size : 1);
    if (!bytes) {
        return rf_fail(err, RF_MEMORY, "out of memory for an entry of %zu bytes of the log of deltas", size);
    }
    protobuf_c_message_pack(message, bytes);
    *bytes_out = bytes;
    *size_out = size;
    return RF_OK;
}

// The messages of `ranges`, and pointers to them as generated code wants them, in one piece of memory.
struct range_messages {
    Riffle__V1__FleetRange **list;
    Riffle__V1__FleetRange *ranges;
};

static bool make_ranges(const struct rf_fleet_range *ranges, size_t count, struct range_messages *out) {
    out->list = calloc(count + 1, sizeof(Riffle__V1__FleetRange *));
    out->ranges = calloc(count + 1, sizeof *out->ranges);
    for (size_t i = 0; i < count && out->list && out->ranges; i++) {
        Riffle__V1__FleetRange *range = &out->ranges[i];
        riffle__v1__fleet_range__init(range);
        range->topic = lent(ranges[i].topic);
        range->partition = ranges[i].partition;
        range->from = ranges[i].from;
        range->to = ranges[i].to;
        range->fingerprint = ranges[i].fingerprint;
        range->records = ranges[i].records;
        out->list[i] = range;
    }
    return out->list && out->ranges;
}

static void free_ranges(struct range_messages *messages) {
    free(messages->list);
    free(messages->ranges);
}

static enum rf_status pack_reset(const struct rf_fleet_reset *reset, uint8_t **bytes_out, size_t *size_out,
                                 struct rf_error *err) {
    Riffle__V1__FleetEntry message = RIFFLE__V1__FLEET_ENTRY__INIT;
    Riffle__V1__FleetReset inner = RIFFLE__V1__FLEET_RESET__INIT;
    struct range_messages ranges;
    inner.line = reset->line;
    inner.start = reset->start;
    bool has_room = make_ranges(reset->ranges, reset->range_count, &ranges);
    inner.ranges = ranges.list;
    inner.n_ranges = reset->range_count;
    message.entry_case = RIFFLE__V1__FLEET_ENTRY__ENTRY_RESET;
    message.reset = &inner;
    enum rf_status status = has_room ? pack(&message.base, bytes_out, size_out, err)
                                     : rf_fail(err, RF_MEMORY, "out of memory for an entry of the log of deltas");
    free_ranges(&ranges);
    return status;
}

enum rf_status rf_fleet_entry_bytes(const struct rf_fleet_entry *entry, uint8_t **bytes_out, size_t *size_out,
                                    struct rf_error *err) {
    Riffle__V1__FleetEntry message = RIFFLE__V1__FLEET_ENTRY__INIT;
    Riffle__V1__FleetGenesis genesis = RIFFLE__V1__FLEET_GENESIS__INIT;
    Riffle__V1__FleetJoin join = RIFFLE__V1__FLEET_JOIN__INIT;
    Riffle__V1__FleetChunk chunk = RIFFLE__V1__FLEET_CHUNK__INIT;
    switch (entry->kind) {
    case RF_FLEET_GENESIS:
        genesis.model = lent(entry->genesis.model);
        genesis.specification = lent(entry->genesis.specification);
        genesis.specification_sha256 = bytes_of(entry->genesis.specification_sha256, RF_SHA256_SIZE);
        genesis.arithmetic = entry->genesis.arithmetic;
        genesis.nonce = entry->genesis.nonce;
        message.entry_case = RIFFLE__V1__FLEET_ENTRY__ENTRY_GENESIS;
        message.genesis = &genesis;
        break;
    case RF_FLEET_JOIN:
        join.worker = lent(entry->join.worker);
        join.nonce = lent(entry->join.nonce);
        join.program = lent(entry->join.program);
        message.entry_case = RIFFLE__V1__FLEET_ENTRY__ENTRY_JOIN;
        message.join = &join;
        break;
    case RF_FLEET_CHUNK:
        chunk.worker = lent(entry->chunk.worker);
        chunk.epoch = entry->chunk.epoch;
        chunk.sequence = entry->chunk.sequence;
        chunk.index = entry->chunk.index;
        chunk.count = entry->chunk.count;
        chunk.data = bytes_of(entry->chunk.data.data, entry->chunk.data.size);
        message.entry_case = RIFFLE__V1__FLEET_ENTRY__ENTRY_CHUNK;
        message.chunk = &chunk;
        break;
    case RF_FLEET_RESET:
        return pack_reset(&entry->reset, bytes_out, size_out, err);
    case RF_FLEET_UNKNOWN:
        break;
    }
    return pack(&message.base, bytes_out, size_out, err);
}

struct run_messages {
    Riffle__V1__FleetRun **list;
    Riffle__V1__FleetRun *runs;
};

static bool make_runs(const struct rf_fleet_delta *delta, struct run_messages *out) {
    out->list = calloc(delta->run_count + 1, sizeof(Riffle__V1__FleetRun *));
    out->runs = calloc(delta->run_count + 1, sizeof *out->runs);
    for (size_t i = 0; i < delta->run_count && out->list && out->runs; i++) {
        riffle__v1__fleet_run__init(&out->runs[i]);
        out->runs[i].range = delta->runs[i].range;
        out->runs[i].records = delta->runs[i].records;
        out->runs[i].deltas = delta->runs[i].deltas;
        out->list[i] = &out->runs[i];
    }
    return out->list && out->runs;
}

enum rf_status rf_fleet_delta_bytes(const struct rf_fleet_delta *delta, uint8_t **bytes_out, size_t *size_out,
                                    struct rf_error *err) {
    Riffle__V1__FleetDelta message = RIFFLE__V1__FLEET_DELTA__INIT;
    struct range_messages ranges;
    struct run_messages runs;
    bool has_ranges = make_ranges(delta->ranges, delta->range_count, &ranges), has_runs = make_runs(delta, &runs);
    message.line = delta->line;
    message.start = delta->start;
    message.chain_sha256 = bytes_of(delta->chain, RF_SHA256_SIZE);
    message.ranges = ranges.list;
    message.n_ranges = delta->range_count;
    message.runs = runs.list;
    message.n_runs = delta->run_count;
    message.records = delta->records;
    message.learned = delta->learned;
    message.rejected = delta->rejected;
    message.rows = bytes_of(delta->rows.data, delta->rows.size);
    message.checked = delta->checked;
    message.base_sha256 = bytes_of(delta->base_sha256, delta->has_check ? RF_SHA256_SIZE : 0);
    enum rf_status status = has_ranges && has_runs ? pack(&message.base, bytes_out, size_out, err)
                                                   : rf_fail(err, RF_MEMORY, "out of memory for a delta");
    free_ranges(&ranges);
    free(runs.list);
    free(runs.runs);
    return status;
}

// Reading.

static struct rf_text text_of(ProtobufCBinaryData data) {
    return (struct rf_text){(const char *)data.data, data.len};
}

static bool is_name(const char *name, size_t room) {
    return name[0] != '\0' && strlen(name) < room;
}

static struct rf_fleet_range *read_ranges(Riffle__V1__FleetRange **list, size_t count) {
    struct rf_fleet_range *ranges = calloc(count + 1, sizeof *ranges);
    for (size_t i = 0; i < count && ranges; i++) {
        ranges[i] = (struct rf_fleet_range){.topic = list[i]->topic,
                                            .partition = list[i]->partition,
                                            .from = list[i]->from,
                                            .to = list[i]->to,
                                            .fingerprint = list[i]->fingerprint,
                                            .records = list[i]->records};
    }
    return ranges;
}

static bool ranges_are_sound(const struct rf_fleet_range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct rf_fleet_range *range = &ranges[i];
        if (!range->topic[0] || range->partition < 0 || range->from < -1 || range->to < 0 || range->to < range->from) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (ranges[k].partition == range->partition && strcmp(ranges[k].topic, range->topic) == 0) {
                return false;
            }
        }
    }
    return true;
}

static const char *read_genesis(const Riffle__V1__FleetGenesis *message, struct rf_fleet_genesis *out) {
    if (message->specification_sha256.len != RF_SHA256_SIZE) {
        return "founds a fleet without the hash of a specification";
    }
    *out = (struct rf_fleet_genesis){.model = message->model,
                                     .specification = message->specification,
                                     .arithmetic = message->arithmetic,
                                     .nonce = message->nonce};
    memcpy(out->specification_sha256, message->specification_sha256.data, RF_SHA256_SIZE);
    return NULL;
}

static const char *read_chunk(const Riffle__V1__FleetChunk *message, struct rf_fleet_chunk *out) {
    if (!is_name(message->worker, RF_FLEET_WORKER_SIZE) || message->count == 0 || message->index >= message->count) {
        return "holds a chunk of nothing";
    }
    *out = (struct rf_fleet_chunk){.worker = message->worker,
                                   .epoch = message->epoch,
                                   .index = message->index,
                                   .count = message->count,
                                   .sequence = message->sequence,
                                   .data = text_of(message->data)};
    return NULL;
}

static const char *read_entry(const Riffle__V1__FleetEntry *message, struct rf_fleet_entry *out) {
    switch (message->entry_case) {
    case RIFFLE__V1__FLEET_ENTRY__ENTRY_GENESIS:
        out->kind = RF_FLEET_GENESIS;
        return read_genesis(message->genesis, &out->genesis);
    case RIFFLE__V1__FLEET_ENTRY__ENTRY_JOIN:
        out->kind = RF_FLEET_JOIN;
        out->join = (struct rf_fleet_join){message->join->worker, message->join->nonce, message->join->program};
        return is_name(out->join.worker, RF_FLEET_WORKER_SIZE) && is_name(out->join.nonce, RF_FLEET_NONCE_SIZE)
                       ? NULL
                       : "has nobody join";
    case RIFFLE__V1__FLEET_ENTRY__ENTRY_CHUNK:
        out->kind = RF_FLEET_CHUNK;
        return read_chunk(message->chunk, &out->chunk);
    case RIFFLE__V1__FLEET_ENTRY__ENTRY_RESET:
        out->kind = RF_FLEET_RESET;
        out->reset = (struct rf_fleet_reset){
                .line = message->reset->line, .start = message->reset->start, .range_count = message->reset->n_ranges};
        return NULL;
    default:
        out->kind = RF_FLEET_UNKNOWN;
        return NULL;
    }
}

enum rf_status rf_fleet_entry_read(struct rf_text bytes, struct rf_fleet_entry *entry_out, struct rf_error *err) {
    Riffle__V1__FleetEntry *message = riffle__v1__fleet_entry__unpack(NULL, bytes.size, (const uint8_t *)bytes.data);
    if (!message) {
        return rf_fail(err, RF_CORRUPT, "an entry of %zu bytes of the log of deltas is none of Riffle's", bytes.size);
    }
    *entry_out = (struct rf_fleet_entry){.memory = message};
    const char *fault = read_entry(message, entry_out);
    if (!fault && entry_out->kind == RF_FLEET_RESET) {
        struct rf_fleet_range *ranges = read_ranges(message->reset->ranges, message->reset->n_ranges);
        entry_out->reset.ranges = ranges;
        fault = ranges && ranges_are_sound(ranges, message->reset->n_ranges) ? NULL : "begins anew at positions that are none";
    }
    if (fault) {
        rf_fleet_entry_finish(entry_out);
        return rf_fail(err, RF_CORRUPT, "an entry of the log of deltas %s", fault);
    }
    return RF_OK;
}

void rf_fleet_entry_finish(struct rf_fleet_entry *entry) {
    if (entry->kind == RF_FLEET_RESET) {
        free((void *)(uintptr_t)entry->reset.ranges);
    }
    riffle__v1__fleet_entry__free_unpacked(entry->memory, NULL);
    *entry = (struct rf_fleet_entry){.kind = RF_FLEET_UNKNOWN};
}

static const char *read_delta(const Riffle__V1__FleetDelta *message, struct rf_fleet_delta_read *out) {
    struct rf_fleet_delta *delta = &out->delta;
    if (message->chain_sha256.len != RF_SHA256_SIZE) {
        return "does not say what it begins at";
    }
    struct rf_fleet_range *ranges = read_ranges(message->ranges, message->n_ranges);
    struct rf_fleet_run *runs = calloc(message->n_runs + 1, sizeof *runs);
    out->ranges = ranges;
    out->runs = runs;
    if (!ranges || !runs || !ranges_are_sound(ranges, message->n_ranges)) {
        return "has ranges that are none";
    }
    for (size_t i = 0; i < message->n_runs; i++) {
        runs[i] = (struct rf_fleet_run){message->runs[i]->range, message->runs[i]->records, message->runs[i]->deltas};
        if (runs[i].records > 0 && runs[i].range >= message->n_ranges) {
            return "has a run of no range";
        }
    }
    *delta = (struct rf_fleet_delta){
            .line = message->line,
            .start = message->start,
            .ranges = ranges,
            .range_count = message->n_ranges,
            .runs = runs,
            .run_count = message->n_runs,
            .records = message->records,
            .learned = message->learned,
            .rejected = message->rejected,
            .rows = text_of(message->rows),
            .has_check = message->base_sha256.len == RF_SHA256_SIZE,
            .checked = message->checked,
    };
    memcpy(delta->chain, message->chain_sha256.data, RF_SHA256_SIZE);
    if (delta->has_check) {
        memcpy(delta->base_sha256, message->base_sha256.data, RF_SHA256_SIZE);
    }
    return NULL;
}

enum rf_status rf_fleet_delta_read(struct rf_text bytes, struct rf_fleet_delta_read *read_out, struct rf_error *err) {
    *read_out = (struct rf_fleet_delta_read){0};
    Riffle__V1__FleetDelta *message = riffle__v1__fleet_delta__unpack(NULL, bytes.size, (const uint8_t *)bytes.data);
    if (!message) {
        return rf_fail(err, RF_CORRUPT, "a delta of %zu bytes is none of Riffle's", bytes.size);
    }
    read_out->memory = message;
    const char *fault = read_delta(message, read_out);
    if (fault) {
        rf_fleet_delta_finish(read_out);
        return rf_fail(err, RF_CORRUPT, "a delta %s", fault);
    }
    return RF_OK;
}

void rf_fleet_delta_finish(struct rf_fleet_delta_read *read) {
    riffle__v1__fleet_delta__free_unpacked(read->memory, NULL);
    free(read->ranges);
    free(read->runs);
    *read = (struct rf_fleet_delta_read){0};
}
