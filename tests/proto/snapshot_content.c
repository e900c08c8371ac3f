#include "tests/proto/snapshot_content.h"

#include "proto/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { END_SIZE = 48 };

static const struct rf_column weight_columns[] = {
        {"weight", RF_F32, 0, 1, RF_MERGE_DECAYED},
        {"gradient", RF_F32, 4, 1, RF_MERGE_SUM},
};
static const struct rf_column moment_columns[] = {
        {"count", RF_F64, 0, 1, RF_MERGE_MOMENTS},
        {"mean", RF_F64, 8, 1, RF_MERGE_MOMENTS},
        {"kind", RF_U8, 16, 4, RF_MERGE_NONE},
};
static const struct rf_column figure_columns[] = {
        {"count", RF_U64, 0, 1, RF_MERGE_SUM},
        {"last", RF_I64, 8, 1, RF_MERGE_NONE},
        {"sums", RF_F64, 16, 2, RF_MERGE_SUM},
};

static void *require(void *memory) {
    if (!memory) {
        abort();
    }
    return memory;
}

void content_init_empty(struct content *content) {
    *content = (struct content){0};
    rf_snapshot_header_init(&content->header);
    rf_state_init(&content->state);
    rf_state_add(&content->state, &(struct rf_block){.name = "linear.weights",
                                                     .rows = CONTENT_WEIGHTS,
                                                     .row_size = sizeof(struct content_weight),
                                                     .columns = weight_columns,
                                                     .column_count = 2,
                                                     .data = content->weights,
                                                     .is_touched = true});
    rf_state_add(&content->state, &(struct rf_block){.name = "scale.moments",
                                                     .rows = CONTENT_MOMENTS,
                                                     .row_size = sizeof(struct content_moment),
                                                     .columns = moment_columns,
                                                     .column_count = 3,
                                                     .data = content->moments});
    rf_state_add(&content->state, &(struct rf_block){.name = "evaluation",
                                                     .rows = 1,
                                                     .row_size = sizeof(struct content_figure),
                                                     .columns = figure_columns,
                                                     .column_count = 3,
                                                     .data = content->figures,
                                                     .scope = RF_SCOPE_EVALUATION});
}

static void add_position(struct rf_positions *positions, const char *topic, int32_t partition, int64_t next_offset,
                         uint64_t fingerprint, uint64_t records) {
    size_t index;
    if (rf_positions_add(positions, topic, partition, &index) != RF_OK) {
        abort();
    }
    struct rf_position *position = &positions->list[index];
    position->next_offset = next_offset;
    position->fingerprint = fingerprint;
    position->records = records;
}

static void fill_header(struct rf_snapshot_header *header, const struct rf_state *state) {
    header->model = require(strdup("fraud"));
    header->specification = require(strdup("learner.loss = logistic\nlearner.type = linear\nname = fraud\n"));
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, header->specification, strlen(header->specification));
    rf_sha256_finish(&sha, header->specification_sha256);
    header->version = (struct rf_version){1, 7, 3, 0};
    header->has_parent = true;
    memset(header->parent_sha256, 0xab, RF_SHA256_SIZE);
    add_position(&header->positions, "transactions", 0, 1001, 0x0123456789abcdef, 1001);
    add_position(&header->positions, "transactions", 1, 999, 0xfedcba9876543210, 990);
    add_position(&header->positions, "labels", 0, RF_OFFSET_NONE, 0, 0);
    header->schedule_runs = 12;
    header->records = 1991;
    header->learned = 1900;
    header->rejected = 3;
    header->created_ms = 1700000000000;
    rf_model_sha256(header->specification_sha256, state, header->model_sha256);
    header->bookmarks = require(calloc(1, sizeof *header->bookmarks));
    header->bookmarks[0] = (struct rf_bookmark){require(strdup("file:scores.jsonl")), 123456};
    header->bookmark_count = 1;
    header->worker = require(strdup("3f1e"));
    header->program = require(strdup("0.1.0"));
}

void content_init(struct content *content) {
    content_init_empty(content);
    content->weights[520] = (struct content_weight){0.5F, -1.25F};
    content->weights[599] = (struct content_weight){-3, 1e-30F};
    content->moments[0] = (struct content_moment){1, 2, {3, 4, 5, 6}};
    content->moments[4] = (struct content_moment){1e9, -0.125, {255, 0, 0, 1}};
    content->figures[0] = (struct content_figure){1900, -5, {0.25, 1e300}};
    fill_header(&content->header, &content->state);
}

void content_finish(struct content *content) {
    rf_state_finish(&content->state);
    rf_snapshot_header_finish(&content->header);
}

enum rf_status bytes_output(void *context, const void *data, size_t size, struct rf_error *err) {
    (void)err;
    struct bytes *bytes = context;
    bytes->data = require(realloc(bytes->data, bytes->size + size));
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    return RF_OK;
}

void bytes_finish(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){0};
}

struct bytes snapshot_of(const struct rf_snapshot_header *header, struct rf_state *state, size_t budget) {
    struct bytes bytes = {0};
    struct rf_error err;
    struct rf_snapshot_writer *writer;
    enum rf_status status = rf_snapshot_writer_create(header, state, bytes_output, &bytes, &writer, &err);
    if (status != RF_OK) {
        abort();
    }
    do {
        status = rf_snapshot_writer_advance(writer, budget, &err);
    } while (status == RF_AGAIN);
    if (status != RF_OK || rf_snapshot_writer_size(writer) != bytes.size ||
        memcmp(rf_snapshot_writer_sha256(writer), bytes.data + bytes.size - RF_SHA256_SIZE, RF_SHA256_SIZE) != 0) {
        abort();
    }
    rf_snapshot_writer_destroy(writer);
    return bytes;
}

size_t section_size(const struct bytes *bytes, size_t at) {
    return 16 + ((size_t)rf_load_u64(bytes->data + at + 8) + 7) / 8 * 8;
}

size_t section_at(const struct bytes *bytes, const char *kind, size_t n) {
    for (size_t at = 8; at < bytes->size; at += section_size(bytes, at)) {
        if (memcmp(bytes->data + at, kind, 4) == 0 && n-- == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

void insert_bytes(struct bytes *bytes, size_t at, const void *data, size_t size) {
    uint8_t *copy = require(malloc(size));
    memcpy(copy, data, size); // it may be of the same bytes
    bytes->data = require(realloc(bytes->data, bytes->size + size));
    memmove(bytes->data + at + size, bytes->data + at, bytes->size - at);
    memcpy(bytes->data + at, copy, size);
    bytes->size += size;
    free(copy);
}

void remove_bytes(struct bytes *bytes, size_t at, size_t size) {
    memmove(bytes->data + at, bytes->data + at + size, bytes->size - at - size);
    bytes->size -= size;
}

void seal(struct bytes *bytes) {
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, bytes->data, bytes->size - END_SIZE);
    rf_sha256_finish(&sha, bytes->data + bytes->size - RF_SHA256_SIZE);
}
