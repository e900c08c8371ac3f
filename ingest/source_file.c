// Reads a file record by record. Bytes are read into chunks that the records are borrowed from; a chunk is appended to
// until it is full, then the unfinished record at its end moves to the next one.
#include "ingest/avro_container.h"
#include "ingest/chunk.h"
#include "ingest/framing.h"
#include "ingest/reader.h"
#include "ingest/source.h"
#include "proto/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE_MIN = 1 << 20, CHUNK_ROOM = 64 << 10, READ_SIZE = 256 << 10, WAIT_FOR_EVER = -1 };

// A schema that records name. It stays as long as the source, whatever the file holds when it is opened again.
struct known_schema {
    struct known_schema *next;
    struct rf_record_schema schema;
    char text[];
};

struct file_source {
    struct rf_source base;
    char *path; // as given: the topic
    struct rf_source_file_options options;
    struct rf_reader *reader;
    struct rf_framer framing;
    struct rf_avro_container *container; // in place of the framing; NULL: no container file
    struct known_schema *schemas;
    const struct rf_record_schema *schema; // of the container's records
    struct rf_chunk_pool pool;
    struct rf_chunk *chunk; // being appended to
    size_t begin, filled;   // of its bytes: not framed yet
    size_t lent;            // records lent from it whose hold is not counted yet
    struct rf_text held;    // in it: a record found that the last poll had no room for
    bool has_held;
    bool is_at_end;    // of the file
    bool is_begun;     // the first bytes were looked at
    bool was_read;     // records were taken since it was opened
    bool is_looked_at; // and none since the last look
    char *header;      // NULL: none
    struct rf_positions offered;
    bool is_offered, is_assigned;
    uint32_t index; // of the file in the positions assigned
    int64_t next_offset;
    struct rf_error failure; // told after the records before it, and by every poll from then on
    bool has_failure;
};

static const struct rf_source_ops file_ops;

static struct file_source *file_from(struct rf_source *self) {
    assert(self->ops == &file_ops);
    return (struct file_source *)self;
}

// Counts many holds at once: an atomic addition a chunk, not a record.
static void hold_lent(struct file_source *file) {
    if (file->lent > 0) {
        rf_chunk_hold(file->chunk, file->lent);
        file->lent = 0;
    }
}

// Makes room for so many bytes behind those that are not framed yet.
static enum rf_status make_room(struct file_source *file, size_t room, struct rf_error *err) {
    size_t left = file->filled - file->begin;
    if (file->chunk && file->pool.capacity - file->filled >= room) {
        return RF_OK;
    }
    struct rf_chunk *chunk = rf_chunk_take(&file->pool);
    if (!chunk) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu bytes of %s", file->pool.capacity, file->path);
    }
    if (file->chunk) {
        memcpy(chunk->data, file->chunk->data + file->begin, left);
        hold_lent(file);
        rf_chunk_drop(file->chunk, 1);
    }
    file->chunk = chunk;
    file->begin = 0;
    file->filled = left;
    return RF_OK;
}

// Whether the first bytes are those of the mark, as far as they are there.
static bool may_begin_with(const struct file_source *file, const char *mark, size_t mark_size) {
    return memcmp(file->chunk->data, mark, file->filled < mark_size ? file->filled : mark_size) == 0;
}

// Passes over a byte order mark at the beginning of a text, and refuses what is none; marks may arrive in pieces.
static enum rf_status begin_text(struct file_source *file, struct rf_error *err) {
    static const char byte_order_mark[] = "\xef\xbb\xbf", container_mark[] = "Obj\x01";
    enum { MARK_SIZE = sizeof byte_order_mark - 1, CONTAINER_MARK_SIZE = sizeof container_mark - 1 };
    bool has_mark = !file->options.is_delimited && may_begin_with(file, byte_order_mark, MARK_SIZE);
    bool is_container = !file->options.is_delimited && may_begin_with(file, container_mark, CONTAINER_MARK_SIZE);
    if (is_container && file->filled >= CONTAINER_MARK_SIZE) {
        return rf_fail(err, RF_INVALID, "%s is an Avro container file: is its format avro?", file->path);
    }
    if (has_mark && file->filled >= MARK_SIZE) {
        file->begin = MARK_SIZE;
    }
    file->is_begun = file->is_at_end || file->begin > 0 || !(has_mark || is_container);
    return RF_OK;
}

// Reads more bytes. RF_END: there are none; RF_AGAIN: none came in time.
static enum rf_status read_more(struct file_source *file, int timeout_ms, struct rf_error *err) {
    enum rf_status status = make_room(file, CHUNK_ROOM, err);
    if (status) {
        return status;
    }
    size_t room = file->pool.capacity - file->filled, size = 0;
    status = rf_reader_read(file->reader, file->chunk->data + file->filled, room < READ_SIZE ? room : READ_SIZE, timeout_ms,
                            &size, err);
    file->filled += size;
    file->is_at_end = status == RF_END;
    if (!file->is_begun && begin_text(file, err)) {
        return err->status;
    }
    return status;
}

static enum rf_status fail_framing(const struct file_source *file, enum rf_framing_answer answer, struct rf_error *err) {
    if (answer == RF_FRAMING_BROKEN) {
        return rf_fail(err, RF_CORRUPT, "%s has no size in front of record %lld: is it delimited?", file->path,
                       (long long)file->next_offset);
    }
    return rf_fail(err, RF_CORRUPT, "%s: record %lld goes on after its end: is it cut, or has it no sizes in front of records?",
                   file->path, (long long)file->next_offset);
}

// Data are copied out of their block, since a record is borrowed for longer than that.
static enum rf_status next_datum(struct file_source *file, int timeout_ms, struct rf_text *record_out, struct rf_error *err) {
    struct rf_text datum;
    enum rf_status status = rf_avro_container_next(file->container, timeout_ms, &datum, err);
    if (status) {
        return status;
    }
    size_t cut_size = (size_t)file->options.record_bytes_max + 1;
    size_t size = datum.size < cut_size ? datum.size : cut_size;
    status = make_room(file, size, err);
    if (status) {
        return status;
    }
    char *copy = file->chunk->data + file->filled;
    memcpy(copy, datum.data, size);
    file->filled += size;
    file->begin = file->filled;
    *record_out = (struct rf_text){copy, size};
    return RF_OK;
}

// The next record, whole in the present chunk. RF_END, RF_AGAIN, or a failure in words.
static enum rf_status next_record(struct file_source *file, int timeout_ms, struct rf_text *record_out, struct rf_error *err) {
    if (file->container) {
        return next_datum(file, timeout_ms, record_out, err);
    }
    for (;;) {
        enum rf_framing_answer answer = RF_FRAMING_MORE;
        if (file->is_begun && file->begin < file->filled) {
            size_t used = 0;
            struct rf_text bytes = {file->chunk->data + file->begin, file->filled - file->begin};
            answer = rf_framing_next(&file->framing, bytes, file->is_at_end, record_out, &used);
            file->begin += used;
        }
        if (answer == RF_FRAMING_FOUND) {
            return RF_OK;
        }
        if (answer == RF_FRAMING_PASSED) {
            continue;
        }
        if (answer == RF_FRAMING_BROKEN || (file->is_at_end && (file->begin < file->filled || file->framing.skip_size > 0))) {
            return fail_framing(file, answer, err);
        }
        if (file->is_at_end) {
            return RF_END;
        }
        enum rf_status status = read_more(file, timeout_ms, err);
        if (status && status != RF_END) {
            return status;
        }
    }
}

static enum rf_status keep_failure(struct file_source *file, const struct rf_error *err) {
    file->has_failure = true;
    file->failure = *err;
    return err->status;
}

static enum rf_status tell_failure(const struct file_source *file, struct rf_error *err) {
    *err = file->failure;
    return err->status;
}

static void lend(struct file_source *file, struct rf_text value, struct rf_records *records) {
    records->list[records->count] = (struct rf_record){
            .value = value,
            .timestamp_ms = -1,
            .offset = file->next_offset++,
            .partition = file->index,
            .schema = file->schema,
    };
    records->loans[records->count++] = file->chunk;
    file->lent++;
}

// Fills the loan as far as the limits allow; waits only while it is empty.
static enum rf_status collect(struct file_source *file, const struct rf_poll *want, struct rf_records *records,
                              struct rf_error *err) {
    enum rf_status status = RF_OK;
    size_t bytes = 0;
    while (records->count < want->records_max) {
        if (!file->has_held) {
            status = next_record(file, records->count > 0 ? 0 : want->timeout_ms, &file->held, err);
        }
        if (status) {
            break;
        }
        file->has_held = true;
        if (records->count > 0 && bytes + file->held.size > want->bytes_max) {
            break;
        }
        bytes += file->held.size;
        file->has_held = false;
        lend(file, file->held, records);
    }
    hold_lent(file);
    return status;
}

static enum rf_status file_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                struct rf_error *err) {
    struct file_source *file = file_from(self);
    if (!file->is_offered) {
        file->is_offered = true;
        *event_out = RF_SOURCE_ASSIGNED;
        *partitions_out = &file->offered;
        return RF_OK;
    }
    if (!file->is_assigned) {
        *event_out = RF_SOURCE_IDLE;
        return RF_OK;
    }
    if (want->has_partition && want->partition != file->index) {
        return rf_fail(err, RF_CONFLICT,
                       "the recorded order goes on with records that are not of the file %s: read them from where they came, "
                       "until a snapshot covers them",
                       file->path);
    }
    enum rf_status status = file->has_failure ? file->failure.status : collect(file, want, records, err);
    if (status && status != RF_AGAIN && status != RF_END && !file->has_failure) {
        keep_failure(file, err);
    }
    if (records->count > 0) {
        *event_out = RF_SOURCE_RECORDS;
        return RF_OK;
    }
    if (file->has_failure) {
        return tell_failure(file, err);
    }
    *event_out = status == RF_END ? RF_SOURCE_END : RF_SOURCE_IDLE;
    return RF_OK;
}

// Reads the header line, if there is to be one.
static enum rf_status read_header(struct file_source *file, struct rf_error *err) {
    if (!file->options.has_header_line) {
        return RF_OK;
    }
    struct rf_text line = {0};
    enum rf_status status;
    do { // RF_AGAIN here is a signal that came in between
        status = next_record(file, WAIT_FOR_EVER, &line, err);
    } while (status == RF_AGAIN);
    if (status == RF_END) {
        return RF_OK;
    }
    if (status) {
        return status;
    }
    if (line.size > file->options.record_bytes_max) {
        return rf_fail(err, RF_INVALID, "the header line of %s is longer than %llu bytes", file->path,
                       (unsigned long long)file->options.record_bytes_max);
    }
    if (file->header) { // opened again: who was told it may still look at it
        return RF_OK;
    }
    file->header = strndup(line.data, line.size);
    return file->header ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for the header line of %s", file->path);
}

static enum rf_status know_schema(struct file_source *file, struct rf_text text, struct rf_error *err) {
    static const struct rf_hash_key key = {0, 0};
    uint64_t hash = rf_hash(key, text.data, text.size);
    struct known_schema *known = file->schemas;
    while (known && (known->schema.hash != hash || !rf_text_equal(known->schema.text, text))) {
        known = known->next;
    }
    if (!known) {
        known = malloc(sizeof *known + text.size);
        if (!known) {
            return rf_fail(err, RF_MEMORY, "out of memory for the schema of %s", file->path);
        }
        memcpy(known->text, text.data, text.size);
        known->schema = (struct rf_record_schema){.text = {known->text, text.size}, .hash = hash};
        known->next = file->schemas;
        file->schemas = known;
    }
    file->schema = &known->schema;
    return RF_OK;
}

static enum rf_status open_container(struct file_source *file, struct rf_error *err) {
    enum rf_status status = rf_avro_container_create(file->path, file->reader, &file->container, err);
    struct rf_text schema = {NULL, 0};
    while (!status) {
        status = rf_avro_container_schema(file->container, WAIT_FOR_EVER, &schema, err);
        if (status != RF_AGAIN) { // that is a signal that came in between
            return status ? status : know_schema(file, schema, err);
        }
        status = RF_OK;
    }
    return status;
}

// Opens the file at its beginning, behind the header line.
static enum rf_status open_file(struct file_source *file, struct rf_error *err) {
    if (file->chunk) {
        rf_chunk_drop(file->chunk, 1);
    }
    rf_avro_container_destroy(file->container);
    rf_reader_close(file->reader);
    file->container = NULL;
    file->reader = NULL;
    file->chunk = NULL;
    file->begin = file->filled = 0;
    file->has_held = file->is_at_end = file->is_begun = file->was_read = file->has_failure = false;
    file->next_offset = 0;
    file->framing = (struct rf_framer){
            .kind = file->options.is_delimited ? RF_FRAMING_DELIMITED
                    : file->options.is_csv     ? RF_FRAMING_CSV
                                               : RF_FRAMING_LINES,
            .csv = file->options.csv,
            .size_max = file->options.record_bytes_max,
    };
    enum rf_status status = rf_reader_open(file->path, &file->reader, err);
    if (!status && file->options.is_container) {
        return open_container(file, err);
    }
    return status ? status : read_header(file, err);
}

static enum rf_status skip_records(struct file_source *file, int64_t count, int64_t next_offset, struct rf_error *err) {
    struct rf_text value;
    while (file->next_offset < count) {
        enum rf_status status = next_record(file, WAIT_FOR_EVER, &value, err);
        if (status == RF_END) {
            return rf_fail(err, RF_CONFLICT, "record %lld of %s is beyond the end: it holds %lld records: was it made anew?",
                           (long long)next_offset, file->path, (long long)file->next_offset);
        }
        if (status && status != RF_AGAIN) {
            return status;
        }
        file->next_offset += status == RF_OK;
    }
    return RF_OK;
}

// At its first record, opened anew if need be. RF_UNSUPPORTED when it cannot be.
static enum rf_status begin_reading(struct file_source *file, struct rf_error *err) {
    if (file->reader && !file->was_read) {
        file->was_read = true;
        return RF_OK;
    }
    if (file->reader && !rf_reader_is_rewindable(file->reader)) {
        return rf_fail(err, RF_UNSUPPORTED, "%s cannot be read a second time", file->path);
    }
    enum rf_status status = open_file(file, err);
    file->was_read = true;
    return status;
}

// Goes to the last applied record and leaves it to be read by who is assigned next.
static enum rf_status file_look(struct rf_source *self, const struct rf_positions *positions, struct rf_holding *holdings_out,
                                struct rf_error *err) {
    struct file_source *file = file_from(self);
    assert(!file->is_assigned);
    const struct rf_position *position = rf_positions_find(positions, file->path, 0);
    if (!position || position->next_offset <= 0) {
        return RF_OK;
    }
    struct rf_holding *holding = &holdings_out[position - positions->list];
    bool has_last = position->fingerprint != 0;
    enum rf_status status = begin_reading(file, err);
    file->is_looked_at = true;
    if (!status) {
        status = skip_records(file, position->next_offset - has_last, position->next_offset, err);
    }
    while (has_last && !status && (status = next_record(file, WAIT_FOR_EVER, &file->held, err)) == RF_AGAIN) {
        status = RF_OK;
    }
    if (status == RF_CONFLICT || status == RF_END) {
        holding->end = file->next_offset;
        return RF_OK;
    }
    if (status || !has_last) {
        return status;
    }
    file->has_held = true;
    struct rf_record record = {.value = file->held, .timestamp_ms = -1, .offset = file->next_offset};
    holding->has_last = true;
    holding->fingerprint = rf_record_fingerprint(&record);
    return RF_OK;
}

// Did a look end where reading is to begin?
static bool goes_on_from_look(struct file_source *file, int64_t start) {
    bool goes_on = file->is_looked_at && file->next_offset == start;
    file->is_looked_at = false;
    return goes_on;
}

static enum rf_status file_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    struct file_source *file = file_from(self);
    assert(!file->is_assigned);
    struct rf_position *position = rf_positions_find(positions, file->path, 0);
    if (!position) {
        return rf_fail(err, RF_CONFLICT, "the positions do not name the file %s", file->path);
    }
    int64_t next = position->next_offset > 0 ? position->next_offset : 0;
    int64_t start = next > 0 && position->fingerprint != 0 ? next - 1 : next;
    file->index = (uint32_t)(position - positions->list);
    enum rf_status status = RF_OK;
    if (!goes_on_from_look(file, start)) {
        status = begin_reading(file, err);
        status = status ? status : skip_records(file, start, next, err);
    }
    file->is_assigned = status == RF_OK;
    if (!status) {
        position->next_offset = next;
    }
    return status;
}

static void file_unassign(struct rf_source *self) {
    struct file_source *file = file_from(self);
    file->is_assigned = false;
    file->is_offered = false;
}

static void file_release(struct rf_source *self, struct rf_records *records) {
    (void)self;
    for (size_t i = 0; i < records->count;) {
        size_t first = i;
        while (i < records->count && records->loans[i] == records->loans[first]) {
            i++;
        }
        rf_chunk_drop(records->loans[first], i - first);
    }
}

static void file_destroy(struct rf_source *self) {
    struct file_source *file = file_from(self);
    if (file->chunk) {
        rf_chunk_drop(file->chunk, 1);
    }
    rf_chunk_pool_finish(&file->pool);
    rf_avro_container_destroy(file->container);
    rf_reader_close(file->reader);
    while (file->schemas) {
        struct known_schema *next = file->schemas->next;
        free(file->schemas);
        file->schemas = next;
    }
    rf_positions_finish(&file->offered);
    free(file->header);
    free(file->path);
    free(file);
}

static const struct rf_source_ops file_ops = {
        .name = "file",
        .poll = file_poll,
        .look = file_look,
        .assign = file_assign,
        .unassign = file_unassign,
        .release = file_release,
        .destroy = file_destroy,
};

struct rf_text rf_source_file_header(const struct rf_source *source) {
    assert(source->ops == &file_ops);
    return rf_text_of(((const struct file_source *)source)->header);
}

enum rf_status rf_source_file_create(const struct rf_source_file_options *options, struct rf_source **source_out,
                                     struct rf_error *err) {
    assert(options->record_bytes_max > 0);
    assert(!options->is_delimited || !(options->is_csv || options->has_header_line));
    assert(!options->is_container || !(options->is_csv || options->has_header_line || options->is_delimited));
    struct file_source *file = calloc(1, sizeof *file);
    if (!file) {
        return rf_fail(err, RF_MEMORY, "out of memory to read %s", options->path);
    }
    file->base.ops = &file_ops;
    file->options = *options;
    size_t room = (size_t)options->record_bytes_max + RF_FRAMING_ROOM + CHUNK_ROOM;
    rf_chunk_pool_init(&file->pool, room > CHUNK_SIZE_MIN ? room : CHUNK_SIZE_MIN);
    rf_positions_init(&file->offered);
    file->path = strdup(options->path);
    size_t index;
    if (!file->path || rf_positions_add(&file->offered, options->path, 0, &index)) {
        rf_fail(err, RF_MEMORY, "out of memory to read %s", options->path);
        goto fail;
    }
    if (!options->opens_late && open_file(file, err)) {
        goto fail;
    }
    *source_out = &file->base;
    return RF_OK;
fail:
    file_destroy(&file->base);
    return err->status;
}
