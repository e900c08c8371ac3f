// The shapes of blocks are packed when the writer is made; then each step takes one piece or hands one section on. Sections
// end by their contents alone, never by the budget, so that the bytes do not tell at which pace they were written. The
// header comes behind the blocks, because it holds the digest of the model, which is made while the pieces pass.
#include "proto/bytes.h"
#include "proto/snapshot.h"
#include "proto/snapshot_internal.h"
#include "proto/state_sha256.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct section {
    uint8_t *bytes;
    size_t size;
};

enum stage { STAGE_START, STAGE_BLOCK, STAGE_PIECES, STAGE_HEADER, STAGE_DONE, STAGE_FAILED };

struct rf_snapshot_writer {
    struct rf_state *state;
    rf_snapshot_output *output;
    void *context;

    const struct rf_snapshot_header *header;
    struct section *blocks; // [block_count] heads
    size_t block_count;

    enum stage stage;
    size_t block, piece; // the next ones
    size_t used;         // of `pieces`
    size_t buffered;     // pieces in it
    uint64_t size;
    struct rf_sha256 sha; // of all bytes so far
    uint8_t digest[RF_SHA256_SIZE];
    struct rf_sha256 block_sha;               // of the block whose pieces pass
    uint8_t (*block_digests)[RF_SHA256_SIZE]; // [block_count]
    uint8_t model_digest[RF_SHA256_SIZE];
    struct rf_error failure; // when STAGE_FAILED

    uint8_t pieces[RF_SECTION_HEAD_SIZE + RF_SECTION_PIECES_MAX * (RF_PIECE_HEAD_SIZE + RF_PIECE_SIZE)]; // one section
};

static enum rf_status pack_block(const struct rf_block *block, struct section *section_out, struct rf_error *err) {
    Riffle__V1__SnapshotColumn *columns = calloc(block->column_count, sizeof *columns);
    Riffle__V1__SnapshotColumn **list = calloc(block->column_count, sizeof *list);
    if (columns && list) {
        for (size_t i = 0; i < block->column_count; i++) {
            riffle__v1__snapshot_column__init(&columns[i]);
            columns[i].name = (char *)block->columns[i].name;
            columns[i].type = block->columns[i].type;
            columns[i].offset = block->columns[i].offset;
            columns[i].count = block->columns[i].count;
            list[i] = &columns[i];
        }
        Riffle__V1__SnapshotBlock message = RIFFLE__V1__SNAPSHOT_BLOCK__INIT;
        message.name = (char *)block->name;
        message.rows = block->rows;
        message.row_size = block->row_size;
        message.n_columns = block->column_count;
        message.columns = list;
        message.scope = block->scope;
        section_out->bytes = rf_section_of_message(RF_SECTION_BLOCK, &message.base, 0, &section_out->size);
    }
    free(columns);
    free(list);
    if (!section_out->bytes) {
        return rf_fail(err, RF_MEMORY, "the shape of block %s does not fit into memory", block->name);
    }
    if (section_out->size > RF_SNAPSHOT_BLOCK_SIZE_MAX) {
        return rf_fail(err, RF_INVALID, "block %s is described by %zu bytes, must be at most %d", block->name, section_out->size,
                       RF_SNAPSHOT_BLOCK_SIZE_MAX);
    }
    return RF_OK;
}

// Packs the shapes, and sees that the header will fit: its digest, not made yet, does not change its size.
static enum rf_status pack_all(struct rf_snapshot_writer *writer, struct rf_error *err) {
    struct section header = {0};
    enum rf_status fits = rf_snapshot_header_pack(writer->header, 0, &header.bytes, &header.size, err);
    if (fits != RF_OK) {
        return fits;
    }
    free(header.bytes);
    for (size_t i = 0; i < writer->block_count; i++) {
        enum rf_status status = pack_block(writer->state->list[i], &writer->blocks[i], err);
        if (status != RF_OK) {
            return status;
        }
    }
    return RF_OK;
}

// Hands bytes on. They count for the checksum, unless they are the END section that carries it.
static enum rf_status emit(struct rf_snapshot_writer *writer, const void *bytes, size_t size, struct rf_error *err) {
    if (writer->sha.context) {
        rf_sha256_update(&writer->sha, bytes, size);
    }
    enum rf_status status = writer->output(writer->context, bytes, size, err);
    if (status == RF_OK) {
        writer->size += size;
    }
    return status;
}

static enum rf_status emit_pieces(struct rf_snapshot_writer *writer, struct rf_error *err) {
    rf_store_u32(writer->pieces, RF_SECTION_PIECES);
    rf_store_u32(writer->pieces + 4, RF_SECTION_REQUIRED);
    rf_store_u64(writer->pieces + 8, writer->used - RF_SECTION_HEAD_SIZE);
    size_t size = writer->used;
    writer->used = RF_SECTION_HEAD_SIZE;
    writer->buffered = 0;
    return emit(writer, writer->pieces, size, err);
}

// The header as it was given, with the digest of the model that has passed.
static enum rf_status emit_header(struct rf_snapshot_writer *writer, struct rf_error *err) {
    struct rf_snapshot_header header = *writer->header;
    uint8_t state_digest[RF_SHA256_SIZE];
    rf_state_sha256_of_blocks(writer->state, RF_SCOPE_MODEL, (const uint8_t(*)[RF_SHA256_SIZE])writer->block_digests,
                              state_digest);
    rf_model_sha256_of_state(header.specification_sha256, state_digest, writer->model_digest);
    memcpy(header.model_sha256, writer->model_digest, sizeof header.model_sha256);
    struct section section = {0};
    enum rf_status status = rf_snapshot_header_pack(&header, 0, &section.bytes, &section.size, err);
    if (status == RF_OK) {
        status = emit(writer, section.bytes, section.size, err);
        free(section.bytes);
    }
    return status;
}

static enum rf_status emit_end(struct rf_snapshot_writer *writer, struct rf_error *err) {
    uint8_t end[RF_SECTION_END_SIZE];
    rf_sha256_finish(&writer->sha, writer->digest);
    rf_store_u32(end, RF_SECTION_END);
    rf_store_u32(end + 4, RF_SECTION_REQUIRED);
    rf_store_u64(end + 8, RF_SHA256_SIZE);
    memcpy(end + RF_SECTION_HEAD_SIZE, writer->digest, RF_SHA256_SIZE);
    return emit(writer, end, sizeof end, err);
}

// Adds a piece to the section under way, unless it is zeros.
static void take_piece(struct rf_snapshot_writer *writer, struct rf_block *block) {
    size_t size = rf_block_piece_size(block, writer->piece);
    uint8_t *head = writer->pieces + writer->used;
    uint8_t *bytes = head + RF_PIECE_HEAD_SIZE;
    rf_block_read_piece(block, writer->piece, bytes);
    if (!rf_bytes_are_zero(bytes, size)) {
        rf_store_u32(head, (uint32_t)writer->piece);
        rf_store_u32(head + 4, (uint32_t)size);
        memset(bytes + size, 0, rf_padded(size) - size);
        rf_block_sha256_add(&writer->block_sha, writer->piece, bytes, size);
        writer->used += RF_PIECE_HEAD_SIZE + rf_padded(size);
        writer->buffered++;
    }
    writer->piece++;
}

// One step of at most a piece or a section; adds to `work_out` the bytes it moved. RF_AGAIN: there is more.
static enum rf_status step(struct rf_snapshot_writer *writer, size_t *work_out, struct rf_error *err) {
    enum rf_status status = RF_OK;
    switch (writer->stage) {
    case STAGE_START:
        *work_out += RF_SNAPSHOT_MAGIC_SIZE;
        writer->stage = STAGE_BLOCK;
        status = emit(writer, rf_snapshot_magic, RF_SNAPSHOT_MAGIC_SIZE, err);
        break;
    case STAGE_BLOCK:
        if (writer->block == writer->block_count) {
            writer->stage = STAGE_HEADER;
            break;
        }
        rf_block_sha256_begin(&writer->block_sha, writer->state->list[writer->block]);
        *work_out += writer->blocks[writer->block].size;
        writer->piece = 0;
        writer->stage = STAGE_PIECES;
        status = emit(writer, writer->blocks[writer->block].bytes, writer->blocks[writer->block].size, err);
        break;
    case STAGE_PIECES: {
        struct rf_block *block = writer->state->list[writer->block];
        bool is_read = writer->piece == rf_block_pieces(block);
        if (writer->buffered == RF_SECTION_PIECES_MAX || (is_read && writer->buffered > 0)) {
            status = emit_pieces(writer, err);
        } else if (is_read) {
            rf_sha256_finish(&writer->block_sha, writer->block_digests[writer->block]);
            writer->block++;
            writer->stage = STAGE_BLOCK;
        } else {
            take_piece(writer, block);
            *work_out += RF_PIECE_SIZE;
        }
        break;
    }
    case STAGE_HEADER:
        status = emit_header(writer, err);
        if (status == RF_OK) {
            writer->stage = STAGE_DONE;
            return emit_end(writer, err);
        }
        break;
    case STAGE_DONE:
        return RF_OK;
    case STAGE_FAILED:
        *err = writer->failure;
        return writer->failure.status;
    }
    return status == RF_OK ? RF_AGAIN : status;
}

enum rf_status rf_snapshot_writer_advance(struct rf_snapshot_writer *writer, size_t budget, struct rf_error *err) {
    size_t work = 0;
    enum rf_status status = RF_AGAIN;
    do {
        status = step(writer, &work, err);
    } while (status == RF_AGAIN && work < budget);
    if (status != RF_AGAIN && status != RF_OK && writer->stage != STAGE_FAILED) {
        writer->failure = *err;
        writer->failure.status = status;
        writer->stage = STAGE_FAILED;
    }
    return status;
}

const uint8_t *rf_snapshot_writer_sha256(const struct rf_snapshot_writer *writer) {
    assert(writer->stage == STAGE_DONE);
    return writer->digest;
}

const uint8_t *rf_snapshot_writer_model_sha256(const struct rf_snapshot_writer *writer) {
    assert(writer->stage == STAGE_DONE);
    return writer->model_digest;
}

uint64_t rf_snapshot_writer_size(const struct rf_snapshot_writer *writer) {
    return writer->size;
}

void rf_snapshot_writer_destroy(struct rf_snapshot_writer *writer) {
    if (!writer) {
        return;
    }
    for (size_t i = 0; writer->blocks && i < writer->block_count; i++) {
        free(writer->blocks[i].bytes);
    }
    free(writer->blocks);
    free(writer->block_digests);
    uint8_t unused[RF_SHA256_SIZE];
    if (writer->sha.context) {
        rf_sha256_finish(&writer->sha, unused);
    }
    if (writer->block_sha.context) {
        rf_sha256_finish(&writer->block_sha, unused);
    }
    free(writer);
}

enum rf_status rf_snapshot_writer_create(const struct rf_snapshot_header *header, struct rf_state *state,
                                         rf_snapshot_output *output, void *context, struct rf_snapshot_writer **writer_out,
                                         struct rf_error *err) {
    if (state->count > RF_SNAPSHOT_BLOCKS_MAX) {
        return rf_fail(err, RF_INVALID, "the state has %zu blocks, must be at most %d", state->count, RF_SNAPSHOT_BLOCKS_MAX);
    }
    struct rf_snapshot_writer *writer = calloc(1, sizeof *writer);
    struct section *blocks = calloc(state->count + 1, sizeof *blocks);
    uint8_t(*digests)[RF_SHA256_SIZE] = calloc(state->count + 1, sizeof *digests);
    if (!writer || !blocks || !digests) {
        free(blocks);
        free(digests);
        free(writer);
        return rf_fail(err, RF_MEMORY, "the writer of a snapshot does not fit into memory");
    }
    writer->state = state;
    writer->output = output;
    writer->context = context;
    writer->header = header;
    writer->blocks = blocks;
    writer->block_digests = digests;
    writer->block_count = state->count;
    writer->used = RF_SECTION_HEAD_SIZE;
    enum rf_status status = pack_all(writer, err);
    if (status != RF_OK) {
        rf_snapshot_writer_destroy(writer);
        return status;
    }
    rf_sha256_init(&writer->sha);
    *writer_out = writer;
    return RF_OK;
}
