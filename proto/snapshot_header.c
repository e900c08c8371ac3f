#include "proto/bytes.h"
#include "proto/snapshot.h"
#include "proto/snapshot_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const uint8_t rf_snapshot_magic[RF_SNAPSHOT_MAGIC_SIZE] = {'R', 'I', 'F', 'F', 'L', 'E', 0, RF_SNAPSHOT_FORMAT};

void rf_snapshot_header_init(struct rf_snapshot_header *header) {
    *header = (struct rf_snapshot_header){0};
}

void rf_snapshot_header_finish(struct rf_snapshot_header *header) {
    free(header->model);
    free(header->specification);
    free(header->worker);
    free(header->program);
    rf_positions_finish(&header->positions);
    for (size_t i = 0; i < header->bookmark_count; i++) {
        free(header->bookmarks[i].sink);
    }
    free(header->bookmarks);
    *header = (struct rf_snapshot_header){0};
}

void rf_model_sha256_of_state(const uint8_t specification_sha256[RF_SHA256_SIZE], const uint8_t state_sha256[RF_SHA256_SIZE],
                              uint8_t digest_out[RF_SHA256_SIZE]) {
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, specification_sha256, RF_SHA256_SIZE);
    rf_sha256_update(&sha, state_sha256, RF_SHA256_SIZE);
    rf_sha256_finish(&sha, digest_out);
}

void rf_model_sha256(const uint8_t specification_sha256[RF_SHA256_SIZE], const struct rf_state *state,
                     uint8_t digest_out[RF_SHA256_SIZE]) {
    uint8_t blocks[RF_SHA256_SIZE];
    rf_state_sha256(state, RF_SCOPE_MODEL, blocks);
    rf_model_sha256_of_state(specification_sha256, blocks, digest_out);
}

uint8_t *rf_section_of_message(enum rf_section_kind kind, const ProtobufCMessage *message, size_t lead, size_t *size_out) {
    size_t packed = protobuf_c_message_get_packed_size(message);
    size_t size = lead + RF_SECTION_HEAD_SIZE + rf_padded(packed);
    uint8_t *bytes = calloc(1, size);
    if (bytes) {
        uint8_t *section = bytes + lead;
        rf_store_u32(section, kind);
        rf_store_u32(section + 4, RF_SECTION_REQUIRED);
        rf_store_u64(section + 8, packed);
        protobuf_c_message_pack(message, section + RF_SECTION_HEAD_SIZE);
        *size_out = size;
    }
    return bytes;
}

// The lists of a header as messages: the structs, and the pointers that protobuf-c asks for.
struct lists {
    Riffle__V1__Position *positions, **position_list;
    Riffle__V1__Bookmark *bookmarks, **bookmark_list;
};

static void finish_lists(struct lists *lists) {
    free(lists->positions);
    free(lists->position_list);
    free(lists->bookmarks);
    free(lists->bookmark_list);
}

static bool fill_lists(struct lists *lists, const struct rf_snapshot_header *header) {
    const struct rf_positions *positions = &header->positions;
    *lists = (struct lists){
            .positions = calloc(positions->count + 1, sizeof *lists->positions),
            .position_list = calloc(positions->count + 1, sizeof *lists->position_list),
            .bookmarks = calloc(header->bookmark_count + 1, sizeof *lists->bookmarks),
            .bookmark_list = calloc(header->bookmark_count + 1, sizeof *lists->bookmark_list),
    };
    if (!lists->positions || !lists->position_list || !lists->bookmarks || !lists->bookmark_list) {
        return false;
    }
    for (size_t i = 0; i < positions->count; i++) {
        const struct rf_position *position = &positions->list[i];
        riffle__v1__position__init(&lists->positions[i]);
        lists->positions[i].topic = position->topic;
        lists->positions[i].partition = position->partition;
        lists->positions[i].next_offset = position->next_offset;
        lists->positions[i].fingerprint = position->fingerprint;
        lists->positions[i].records = position->records;
        lists->position_list[i] = &lists->positions[i];
    }
    for (size_t i = 0; i < header->bookmark_count; i++) {
        riffle__v1__bookmark__init(&lists->bookmarks[i]);
        lists->bookmarks[i].sink = header->bookmarks[i].sink;
        lists->bookmarks[i].value = header->bookmarks[i].value;
        lists->bookmark_list[i] = &lists->bookmarks[i];
    }
    return true;
}

static char *text_or_empty(char *text) {
    return text ? text : (char *)protobuf_c_empty_string;
}

static ProtobufCBinaryData digest_of(const uint8_t digest[RF_SHA256_SIZE], bool is_there) {
    return (ProtobufCBinaryData){is_there ? RF_SHA256_SIZE : 0, (uint8_t *)digest};
}

enum rf_status rf_snapshot_header_pack(const struct rf_snapshot_header *header, size_t lead, uint8_t **section_out,
                                       size_t *size_out, struct rf_error *err) {
    struct lists lists;
    uint8_t *section = NULL;
    size_t size = 0;
    if (fill_lists(&lists, header)) {
        Riffle__V1__Version version = RIFFLE__V1__VERSION__INIT;
        version.line = header->version.line;
        version.base_number = header->version.base;
        version.epoch = header->version.epoch;
        version.since = header->version.since;
        Riffle__V1__SnapshotHeader message = RIFFLE__V1__SNAPSHOT_HEADER__INIT;
        message.model = text_or_empty(header->model);
        message.specification = text_or_empty(header->specification);
        message.specification_sha256 = digest_of(header->specification_sha256, true);
        message.version = &version;
        message.parent_sha256 = digest_of(header->parent_sha256, header->has_parent);
        message.n_positions = header->positions.count;
        message.positions = lists.position_list;
        message.schedule_runs = header->schedule_runs;
        message.records = header->records;
        message.learned = header->learned;
        message.rejected = header->rejected;
        message.created_ms = header->created_ms;
        message.model_sha256 = digest_of(header->model_sha256, true);
        message.n_bookmarks = header->bookmark_count;
        message.bookmarks = lists.bookmark_list;
        message.worker = text_or_empty(header->worker);
        message.program = text_or_empty(header->program);
        section = rf_section_of_message(RF_SECTION_HEAD, &message.base, lead, &size);
    }
    finish_lists(&lists);
    if (!section) {
        return rf_fail(err, RF_MEMORY, "the header of a snapshot does not fit into memory");
    }
    if (size > RF_SNAPSHOT_HEADER_SIZE_MAX) {
        free(section);
        return rf_fail(err, RF_INVALID, "the header of the snapshot has %zu bytes, must be at most %d", size,
                       RF_SNAPSHOT_HEADER_SIZE_MAX);
    }
    *section_out = section;
    *size_out = size;
    return RF_OK;
}

static void *take_for_message(void *arena, size_t size) {
    return rf_arena_take(arena, size);
}

static void give_nothing_back(void *arena, void *pointer) {
    (void)arena, (void)pointer;
}

ProtobufCMessage *rf_section_unpack(const ProtobufCMessageDescriptor *descriptor, const uint8_t *contents, size_t size,
                                    struct rf_arena *arena) {
    ProtobufCAllocator allocator = {.alloc = take_for_message, .free = give_nothing_back, .allocator_data = arena};
    return protobuf_c_message_unpack(descriptor, &allocator, size, contents);
}

static bool is_digest(const ProtobufCBinaryData *bytes) {
    return bytes->len == RF_SHA256_SIZE;
}

// What the reader of a header relies on; NULL when it holds, else what does not.
static const char *flaw_in(const Riffle__V1__SnapshotHeader *message) {
    if (!message->version) {
        return "no version";
    }
    if (!is_digest(&message->specification_sha256) || !is_digest(&message->model_sha256) ||
        (message->parent_sha256.len > 0 && !is_digest(&message->parent_sha256))) {
        return "a digest that is none";
    }
    for (size_t i = 0; i < message->n_positions; i++) {
        const Riffle__V1__Position *position = message->positions[i];
        if (!position->topic[0] || position->partition < 0 || position->next_offset < RF_OFFSET_NONE) {
            return "a position that is none";
        }
    }
    return NULL;
}

static int compare_positions(const void *a, const void *b) {
    const Riffle__V1__Position *const *left = a, *const *right = b;
    if ((*left)->partition != (*right)->partition) {
        return (*left)->partition < (*right)->partition ? -1 : 1;
    }
    return strcmp((*left)->topic, (*right)->topic);
}

// Sorts, to find two that are equal.
static bool has_twins(Riffle__V1__Position **sorted, size_t count) {
    qsort(sorted, count, sizeof *sorted, compare_positions);
    for (size_t i = 1; i < count; i++) {
        if (compare_positions(&sorted[i - 1], &sorted[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool copy_lists(const Riffle__V1__SnapshotHeader *message, struct rf_snapshot_header *header) {
    struct rf_positions *positions = &header->positions;
    positions->list = calloc(message->n_positions + 1, sizeof *positions->list);
    header->bookmarks = calloc(message->n_bookmarks + 1, sizeof *header->bookmarks);
    if (!positions->list || !header->bookmarks) {
        return false;
    }
    positions->capacity = message->n_positions + 1;
    for (size_t i = 0; i < message->n_positions; i++) {
        const Riffle__V1__Position *from = message->positions[i];
        char *topic = strdup(from->topic);
        if (!topic) {
            return false;
        }
        positions->list[positions->count++] = (struct rf_position){.topic = topic,
                                                                   .partition = from->partition,
                                                                   .next_offset = from->next_offset,
                                                                   .fingerprint = from->fingerprint,
                                                                   .records = from->records};
    }
    for (size_t i = 0; i < message->n_bookmarks; i++) {
        char *sink = strdup(message->bookmarks[i]->sink);
        if (!sink) {
            return false;
        }
        header->bookmarks[header->bookmark_count++] = (struct rf_bookmark){sink, message->bookmarks[i]->value};
    }
    return true;
}

static bool copy_message(const Riffle__V1__SnapshotHeader *message, struct rf_snapshot_header *header) {
    const Riffle__V1__Version *version = message->version;
    *header = (struct rf_snapshot_header){
            .model = strdup(message->model),
            .specification = strdup(message->specification),
            .worker = strdup(message->worker),
            .program = strdup(message->program),
            .version = {version->line, version->base_number, version->epoch, version->since},
            .has_parent = message->parent_sha256.len > 0,
            .schedule_runs = message->schedule_runs,
            .records = message->records,
            .learned = message->learned,
            .rejected = message->rejected,
            .created_ms = message->created_ms,
    };
    memcpy(header->specification_sha256, message->specification_sha256.data, RF_SHA256_SIZE);
    memcpy(header->model_sha256, message->model_sha256.data, RF_SHA256_SIZE);
    if (header->has_parent) {
        memcpy(header->parent_sha256, message->parent_sha256.data, RF_SHA256_SIZE);
    }
    return header->model && header->specification && header->worker && header->program && copy_lists(message, header);
}

enum rf_status rf_snapshot_header_unpack(const uint8_t *contents, size_t size, struct rf_arena *arena,
                                         struct rf_snapshot_header *header_out, struct rf_error *err) {
    const Riffle__V1__SnapshotHeader *message =
            (const void *)rf_section_unpack(&riffle__v1__snapshot_header__descriptor, contents, size, arena);
    Riffle__V1__Position **sorted = message ? rf_arena_take(arena, message->n_positions * sizeof *sorted) : NULL;
    if (!sorted) {
        return rf_fail(err, RF_CORRUPT, "has a header of %zu bytes that is no message, or too large a one", size);
    }
    const char *flaw = flaw_in(message);
    if (flaw) {
        return rf_fail(err, RF_CORRUPT, "has a header with %s", flaw);
    }
    for (size_t i = 0; i < message->n_positions; i++) {
        sorted[i] = message->positions[i];
    }
    if (has_twins(sorted, message->n_positions)) {
        return rf_fail(err, RF_CORRUPT, "has a header with two positions of one partition");
    }
    struct rf_snapshot_header header;
    if (!copy_message(message, &header)) {
        rf_snapshot_header_finish(&header);
        return rf_fail(err, RF_MEMORY, "has a header of %zu bytes that does not fit into memory", size);
    }
    *header_out = header;
    return RF_OK;
}

enum rf_status rf_snapshot_header_bytes(const struct rf_snapshot_header *header, size_t lead, uint8_t **bytes_out,
                                        size_t *size_out, struct rf_error *err) {
    return rf_snapshot_header_pack(header, lead, bytes_out, size_out, err);
}

enum rf_status rf_snapshot_header_of_bytes(const uint8_t *bytes, size_t size, struct rf_snapshot_header *header_out,
                                           struct rf_error *err) {
    if (size < RF_SECTION_HEAD_SIZE || rf_load_u32(bytes) != RF_SECTION_HEAD ||
        rf_load_u64(bytes + 8) > size - RF_SECTION_HEAD_SIZE) {
        return rf_fail(err, RF_CORRUPT, "%zu bytes are no header of a snapshot", size);
    }
    struct rf_arena arena;
    enum rf_status status = rf_arena_init(&arena, RF_SNAPSHOT_UNPACKED_SIZE_MAX, err);
    if (!status) {
        status = rf_snapshot_header_unpack(bytes + RF_SECTION_HEAD_SIZE, (size_t)rf_load_u64(bytes + 8), &arena, header_out, err);
        rf_arena_finish(&arena);
    }
    return status;
}
