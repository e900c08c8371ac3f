// Bytes that may be anything. First the frame: magic, sections one behind the other up to END, and the checksum over them.
// Then the contents: a walk that checks every block and piece before a visitor sees it. Nothing is taken from a length
// before the bytes it speaks of are known to be there; messages unpack into an arena, so that they cannot take more.
#include "proto/bytes.h"
#include "proto/snapshot_internal.h"

#include <inttypes.h>
#include <string.h>

static const uint64_t ABSURD_SIZE = (uint64_t)1 << 56;

struct section {
    uint32_t kind, flags;
    size_t at; // of its head in the file
    const uint8_t *contents;
    size_t size;
};

struct cursor {
    const uint8_t *data;
    size_t size, at;
};

// The block whose pieces are being read, and what must hold for all blocks.
struct walk {
    const struct rf_snapshot_visitor *visitor;
    struct rf_arena arena; // of the head of the block
    struct rf_block shape; // name NULL: none yet
    size_t next_piece;
    uint64_t stored;
    size_t header_count;
    size_t block_count;
    uint64_t name_hash[RF_SNAPSHOT_BLOCKS_MAX];
};

static enum rf_status fail_cut(const struct cursor *cursor, uint64_t needed, struct rf_error *err) {
    return rf_fail(err, RF_CORRUPT, "is cut after %zu of at least %" PRIu64 " bytes", cursor->size, needed);
}

static enum rf_status next_section(struct cursor *cursor, struct section *section_out, struct rf_error *err) {
    size_t left = cursor->size - cursor->at;
    if (left < RF_SECTION_HEAD_SIZE) {
        return fail_cut(cursor, cursor->at + RF_SECTION_END_SIZE, err);
    }
    const uint8_t *head = cursor->data + cursor->at;
    struct section section = {
            .kind = rf_load_u32(head),
            .flags = rf_load_u32(head + 4),
            .at = cursor->at,
            .contents = head + RF_SECTION_HEAD_SIZE,
    };
    uint64_t size = rf_load_u64(head + 8);
    if (size > ABSURD_SIZE) {
        return rf_fail(err, RF_CORRUPT, "has a section of %" PRIu64 " bytes at byte %zu: the file is damaged", size, cursor->at);
    }
    if (rf_padded(size) > left - RF_SECTION_HEAD_SIZE) {
        uint64_t end = cursor->at + RF_SECTION_HEAD_SIZE + rf_padded(size);
        return fail_cut(cursor, section.kind == RF_SECTION_END ? end : end + RF_SECTION_END_SIZE, err);
    }
    section.size = (size_t)size;
    cursor->at += RF_SECTION_HEAD_SIZE + (size_t)rf_padded(size);
    *section_out = section;
    return RF_OK;
}

static enum rf_status check_magic(const struct cursor *cursor, struct rf_error *err) {
    size_t prefix = RF_SNAPSHOT_MAGIC_SIZE - 1;
    size_t known = cursor->size < prefix ? cursor->size : prefix;
    if (known > 0 && memcmp(cursor->data, rf_snapshot_magic, known) != 0) {
        return rf_fail(err, RF_CORRUPT, "is not a snapshot: its first bytes are not those of one");
    }
    if (cursor->size < RF_SNAPSHOT_MAGIC_SIZE) {
        return fail_cut(cursor, RF_SNAPSHOT_MAGIC_SIZE + RF_SECTION_END_SIZE, err);
    }
    if (cursor->data[prefix] != RF_SNAPSHOT_FORMAT) {
        return rf_fail(err, RF_UNSUPPORTED, "is of format %d, this program reads %d", cursor->data[prefix], RF_SNAPSHOT_FORMAT);
    }
    return RF_OK;
}

// Sections up to END, which is the last.
static enum rf_status find_end(const void *data, size_t size, struct section *end_out, struct rf_error *err) {
    struct cursor cursor = {data, size, RF_SNAPSHOT_MAGIC_SIZE};
    enum rf_status status = check_magic(&cursor, err);
    struct section section = {0};
    while (status == RF_OK && section.kind != RF_SECTION_END) {
        status = next_section(&cursor, &section, err);
    }
    if (status != RF_OK) {
        return status;
    }
    if (section.size != RF_SHA256_SIZE) {
        return rf_fail(err, RF_CORRUPT, "ends with a checksum of %zu bytes, must be %d", section.size, RF_SHA256_SIZE);
    }
    if (section.flags != RF_SECTION_REQUIRED) { // no checksum covers them
        return rf_fail(err, RF_CORRUPT, "ends with the flags %" PRIu32 ", must be %d", section.flags, RF_SECTION_REQUIRED);
    }
    if (cursor.at != size) {
        return rf_fail(err, RF_CORRUPT, "has %zu bytes after its end", size - cursor.at);
    }
    *end_out = section;
    return RF_OK;
}

enum rf_status rf_snapshot_check_sum(const void *data, size_t size, const uint8_t **digest_out, struct rf_error *err) {
    struct section end;
    enum rf_status status = find_end(data, size, &end, err);
    if (status != RF_OK) {
        return status;
    }
    uint8_t digest[RF_SHA256_SIZE];
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, data, end.at);
    rf_sha256_finish(&sha, digest);
    if (memcmp(digest, end.contents, sizeof digest) != 0) {
        return rf_fail(err, RF_CORRUPT, "has a checksum that does not hold: the file is damaged");
    }
    *digest_out = end.contents;
    return RF_OK;
}

// The head of a block as the shape it describes; everything it points to is in the arena.
static bool unpack_shape(const struct section *section, struct rf_arena *arena, struct rf_block *shape_out) {
    rf_arena_reset(arena);
    if (section->size > RF_SNAPSHOT_BLOCK_SIZE_MAX) {
        return false;
    }
    const Riffle__V1__SnapshotBlock *message =
            (const void *)rf_section_unpack(&riffle__v1__snapshot_block__descriptor, section->contents, section->size, arena);
    struct rf_column *columns = message ? rf_arena_take(arena, message->n_columns * sizeof *columns) : NULL;
    if (!columns) {
        return false;
    }
    for (size_t i = 0; i < message->n_columns; i++) {
        const Riffle__V1__SnapshotColumn *column = message->columns[i];
        columns[i] =
                (struct rf_column){column->name, (enum rf_column_type)column->type, column->offset, column->count, RF_MERGE_NONE};
    }
    *shape_out = (struct rf_block){
            .name = message->name,
            .rows = message->rows,
            .row_size = message->row_size,
            .columns = columns,
            .column_count = message->n_columns,
    };
    return rf_block_is_sound(shape_out);
}

static void end_block(struct walk *walk) {
    if (walk->shape.name && walk->visitor->end) {
        walk->visitor->end(walk->visitor->context, &walk->shape, walk->stored);
    }
    walk->shape.name = NULL;
}

// Names are told apart by a hash: a collision, which has to be constructed, refuses a file and does no other harm.
static bool is_new_name(struct walk *walk) {
    const struct rf_hash_key fixed = {0, 0};
    uint64_t hash = rf_hash(fixed, walk->shape.name, strlen(walk->shape.name));
    for (size_t i = 0; i < walk->block_count; i++) {
        if (walk->name_hash[i] == hash) {
            return false;
        }
    }
    walk->name_hash[walk->block_count++] = hash;
    return true;
}

static enum rf_status begin_block(struct walk *walk, const struct section *section, struct rf_error *err) {
    end_block(walk);
    if (walk->block_count == RF_SNAPSHOT_BLOCKS_MAX) {
        return rf_fail(err, RF_CORRUPT, "has more than %d blocks", RF_SNAPSHOT_BLOCKS_MAX);
    }
    if (!unpack_shape(section, &walk->arena, &walk->shape)) {
        walk->shape.name = NULL;
        return rf_fail(err, RF_CORRUPT, "has a block at byte %zu whose description does not hold", section->at);
    }
    if (!is_new_name(walk)) {
        return rf_fail(err, RF_CORRUPT, "has block %s twice", walk->shape.name);
    }
    walk->next_piece = 0;
    walk->stored = 0;
    return walk->visitor->begin ? walk->visitor->begin(walk->visitor->context, &walk->shape, err) : RF_OK;
}

static enum rf_status read_pieces(struct walk *walk, const struct section *section, struct rf_error *err) {
    const struct rf_block *shape = &walk->shape;
    if (!shape->name) {
        return rf_fail(err, RF_CORRUPT, "has pieces at byte %zu that belong to no block", section->at);
    }
    size_t pieces = rf_block_pieces(shape);
    size_t at = 0;
    while (at < section->size) {
        const uint8_t *head = section->contents + at;
        size_t left = section->size - at;
        size_t piece = left >= RF_PIECE_HEAD_SIZE ? rf_load_u32(head) : pieces;
        if (piece < walk->next_piece || piece >= pieces) {
            return rf_fail(err, RF_CORRUPT, "has a piece of block %s at byte %zu that is out of order or outside of it",
                           shape->name, section->at + RF_SECTION_HEAD_SIZE + at);
        }
        size_t size = rf_block_piece_size(shape, piece);
        if (rf_load_u32(head + 4) != size || left - RF_PIECE_HEAD_SIZE < rf_padded(size)) {
            return rf_fail(err, RF_CORRUPT, "has piece %zu of block %s in another size than %zu bytes", piece, shape->name, size);
        }
        if (walk->visitor->piece) {
            walk->visitor->piece(walk->visitor->context, shape, piece, head + RF_PIECE_HEAD_SIZE);
        }
        walk->next_piece = piece + 1;
        walk->stored += size;
        at += RF_PIECE_HEAD_SIZE + (size_t)rf_padded(size);
    }
    return RF_OK;
}

static enum rf_status walk_section(struct walk *walk, const struct section *section, struct rf_error *err) {
    switch (section->kind) {
    case RF_SECTION_BLOCK:
        return begin_block(walk, section, err);
    case RF_SECTION_PIECES:
        return read_pieces(walk, section, err);
    case RF_SECTION_HEAD:
        walk->header_count++;
        if (walk->visitor->header) {
            walk->visitor->header(walk->visitor->context, section->contents, section->size);
        }
        return RF_OK;
    case RF_SECTION_END:
        return RF_OK;
    default:
        break;
    }
    if (section->flags & RF_SECTION_REQUIRED) {
        return rf_fail(err, RF_UNSUPPORTED,
                       "needs a section of kind 0x%08" PRIx32 " at byte %zu, which this program does not know", section->kind,
                       section->at);
    }
    return RF_OK;
}

enum rf_status rf_snapshot_walk(const void *data, size_t size, const struct rf_snapshot_visitor *visitor, struct rf_error *err) {
    struct section end;
    struct walk walk;
    walk.visitor = visitor;
    walk.shape.name = NULL;
    walk.header_count = 0;
    walk.block_count = 0;
    enum rf_status status = find_end(data, size, &end, err);
    status = status == RF_OK ? rf_arena_init(&walk.arena, RF_SNAPSHOT_UNPACKED_SIZE_MAX, err) : status;
    if (status != RF_OK) {
        return status;
    }
    struct cursor cursor = {data, size, RF_SNAPSHOT_MAGIC_SIZE};
    struct section section = {0};
    while (status == RF_OK && section.kind != RF_SECTION_END) {
        status = next_section(&cursor, &section, err);
        status = status == RF_OK ? walk_section(&walk, &section, err) : status;
    }
    if (status == RF_OK) {
        end_block(&walk);
        if (walk.header_count != 1) {
            status = rf_fail(err, RF_CORRUPT, "has %zu headers, must be 1", walk.header_count);
        }
    }
    rf_arena_finish(&walk.arena);
    return status;
}
