#include "tests/simulation/refold.h"

#include "ops/chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC_SIZE = 8, HEAD_SIZE = 8, NAMES_MAX = 32, PATH_SIZE = 128, PARTITIONS_MAX = 16 };

static struct rf_disk *disk_of(const struct world *world) {
    return world->disk ? world->disk : world->real_disk;
}

// The chain.

static enum rf_status take_link(void *context, const struct rf_chain_link *from, struct rf_error *err) {
    struct links *links = context;
    (void)err;
    if (links->count && links->list[links->count - 1].version.base == from->header.version.base) {
        links->count--;
    }
    assert_in_range(links->count, 0, LINKS_MAX - 1);
    struct link *link = &links->list[links->count++];
    *link = (struct link){
            .version = from->header.version, .records = from->header.records, .has_parent = from->header.has_parent};
    memcpy(link->sha256, from->sha256, RF_SHA256_SIZE);
    memcpy(link->parent_sha256, from->header.parent_sha256, RF_SHA256_SIZE);
    memcpy(link->specification_sha256, from->header.specification_sha256, RF_SHA256_SIZE);
    memcpy(link->model_sha256, from->header.model_sha256, RF_SHA256_SIZE);
    return RF_OK;
}

void read_links(struct world *world, struct links *links_out) {
    struct rf_error err = {0};
    links_out->count = 0;
    if (rf_chain_each(disk_of(world), world->folder, take_link, links_out, &err)) {
        fail_msg("the chain cannot be read: %s", err.text);
    }
}

// The recorded order of a line: of each record its partition in the simulated Kafka.

struct order {
    uint8_t *partition; // [capacity]
    uint64_t count, capacity;
};

static void set_order(struct order *order, uint64_t record, size_t partition) {
    if (record >= order->capacity) {
        order->capacity = 2 * (record + 512);
        order->partition = realloc(order->partition, order->capacity);
        assert_non_null(order->partition);
    }
    order->partition[record] = (uint8_t)partition;
    order->count = record + 1;
}

static uint64_t varint(const uint8_t **at) {
    uint64_t value = 0;
    unsigned shift = 0;
    do {
        value |= (uint64_t)(**at & 0x7f) << shift;
        shift += 7;
    } while (*(*at)++ & 0x80);
    return value;
}

static size_t named_partition(const struct world *world, const uint8_t *frame, size_t size) {
    char topic[PATH_SIZE];
    size_t index = 0;
    const uint8_t *at = frame + 1;
    (void)varint(&at);
    int32_t partition = (int32_t)varint(&at);
    snprintf(topic, sizeof topic, "%.*s", (int)(frame + size - at), (const char *)at);
    assert_true(simulated_kafka_find(world->kafka, topic, partition, &index));
    return index;
}

// A segment rules from its first record on, up to a frame that is torn.
static void read_segment(const struct world *world, const uint8_t *data, size_t size, uint64_t first, struct order *order) {
    size_t names[NAMES_MAX], name_count = 0;
    if (size < MAGIC_SIZE) {
        return;
    }
    assert_memory_equal(data, "RIFFSCH\1", MAGIC_SIZE);
    for (size_t at = MAGIC_SIZE; size - at >= HEAD_SIZE;) {
        uint32_t contents, sum;
        memcpy(&contents, data + at, 4);
        memcpy(&sum, data + at + 4, 4);
        const uint8_t *frame = data + at + HEAD_SIZE;
        if (!contents || contents > size - at - HEAD_SIZE ||
            (uint32_t)rf_hash((struct rf_hash_key){0, 0}, frame, contents) != sum) {
            return;
        }
        if (*frame == 'T') {
            names[name_count++] = named_partition(world, frame, contents);
        }
        for (const uint8_t *run = frame + 1; *frame == 'R' && run < frame + contents;) {
            uint64_t index = varint(&run), count = varint(&run);
            for (assert_in_range(index, 0, name_count - 1); count > 0; count--) {
                set_order(order, first++, names[index]);
            }
        }
        at += HEAD_SIZE + contents;
    }
}

// The record where the line begins, and its order from there on.
static void read_order(struct world *world, uint32_t line, uint64_t begins, struct order *order) {
    char prefix[PATH_SIZE], path[PATH_SIZE], **names;
    size_t count;
    struct rf_error err;
    *order = (struct order){.count = begins};
    snprintf(prefix, sizeof prefix, "schedule-%010" PRIu32 "-", line);
    assert_int_equal(rf_disk_list(disk_of(world), world->folder, prefix, ".log", &names, &count, &err), RF_OK);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *data;
        size_t size = 0;
        uint64_t first = strtoull(names[i] + strlen(prefix), NULL, 10);
        snprintf(path, sizeof path, "%s/%s", world->folder, names[i]);
        assert_int_equal(rf_disk_read(disk_of(world), path, &data, &size, &err), RF_OK);
        if (first != order->count) {
            fail_msg("%s begins at record %" PRIu64 ", but the order before it ends at %" PRIu64, path, first, order->count);
        }
        read_segment(world, data, size, first, order);
        rf_disk_forget(disk_of(world), data, size);
    }
    rf_disk_names_destroy(names, count);
}

// The fold.

struct fold {
    struct world *world;
    struct rf_assembly assembly;
    struct rf_pipeline *pipeline;
    struct rf_decoder *decoder;
    struct rf_batch *batch;
    struct rf_source *source;
    int64_t next[PARTITIONS_MAX];
    uint64_t records;
};

static void open_fold(struct fold *fold, struct world *world) {
    struct rf_error err;
    *fold = (struct fold){.world = world};
    assemble(world, &fold->assembly);
    assert_int_equal(rf_assembly_pipeline(&fold->assembly, NULL, &fold->pipeline, &err), RF_OK);
    assert_int_equal(rf_pipeline_decoder(fold->pipeline, &fold->decoder, &err), RF_OK);
    assert_int_equal(rf_pipeline_batch(fold->pipeline, &fold->batch, &err), RF_OK);
    fold->source = simulated_kafka_source(world->kafka, NULL, true); // only to give records back to
    fold->batch->source = fold->source;
    for (size_t i = 0; i < simulated_kafka_count(world->kafka); i++) {
        const struct rf_position *name = simulated_kafka_partition(world->kafka, i);
        size_t index;
        assert_int_equal(rf_positions_add(rf_pipeline_positions(fold->pipeline), name->topic, name->partition, &index), RF_OK);
        rf_pipeline_positions(fold->pipeline)->list[index].next_offset = 0;
    }
}

static void close_fold(struct fold *fold) {
    rf_batch_destroy(fold->batch);
    rf_decoder_destroy(fold->decoder);
    rf_pipeline_destroy(fold->pipeline);
    rf_source_destroy(fold->source);
    disassemble(fold->world, &fold->assembly);
}

static void append(struct written *to, const char *line, size_t size) {
    if (to->size + size > to->capacity) {
        to->capacity = 2 * (to->size + size);
        to->data = realloc(to->data, to->capacity);
        assert_non_null(to->data);
    }
    memcpy(to->data + to->size, line, size);
    to->size += size;
}

// Adds the lines that sinks write of the batch.
static void write_down(const struct fold *fold, struct refolded *to) {
    const struct rf_batch *batch = fold->batch;
    char line[SIMULATED_LINE_SIZE];
    for (size_t i = 0; i < batch->examples.count; i++) {
        const struct rf_position *name = simulated_kafka_partition(fold->world->kafka, batch->examples.partition[i]);
        size_t size = simulated_line(name->topic, name->partition, batch->examples.offset[i],
                                     &batch->predictions.score[i * batch->predictions.outputs], line);
        append(&to->scores, line, size);
    }
    for (size_t i = 0; i < batch->rejects.count; i++) {
        const struct rf_record *record = &batch->rejects.list[i].record;
        const struct rf_position *name = simulated_kafka_partition(fold->world->kafka, record->partition);
        append(&to->rejects, line, simulated_line(name->topic, name->partition, record->offset, NULL, line));
    }
}

// Folds in this order up to a record, in batches of a size that no worker has; writes down what leaves from record `from` on.
static void fold_up_to(struct fold *fold, const struct order *order, uint64_t end, uint64_t from, struct refolded *to) {
    struct rf_error err;
    if (end > order->count) {
        fail_msg("the order ends at record %" PRIu64 ", but %" PRIu64 " were folded", order->count, end);
    }
    while (fold->records < end) {
        struct rf_records *records = &fold->batch->records;
        uint64_t stop = fold->records < from && from < end ? from : end;
        for (records->count = 0; records->count < 11 && fold->records < stop; fold->records++) {
            size_t partition = order->partition[fold->records];
            const struct rf_record *record = simulated_kafka_record(fold->world->kafka, partition, fold->next[partition]);
            assert_non_null(record);
            records->list[records->count] = *record;
            records->list[records->count++].partition = (uint32_t)partition;
            fold->next[partition]++;
        }
        rf_pipeline_prepare(fold->pipeline, fold->decoder, fold->batch);
        assert_int_equal(fold->batch->end, records->count);
        assert_int_equal(rf_pipeline_step(fold->pipeline, fold->batch, 0, &err), RF_OK);
        if (fold->records > from) {
            write_down(fold, to);
        }
        rf_batch_reset(fold->batch, rf_schema_count(rf_pipeline_schema(fold->pipeline)));
    }
}

// Lines: which grew from which, and where.

struct line {
    uint64_t begins, ends; // records at its first snapshot and at its last
    uint32_t parent;       // 0: none
    bool is_there;
};

static const struct link *find_parent(const struct links *links, const struct link *link) {
    for (size_t i = 0; i < links->count && link->has_parent; i++) {
        if (memcmp(links->list[i].sha256, link->parent_sha256, RF_SHA256_SIZE) == 0) {
            return &links->list[i];
        }
    }
    return NULL;
}

static uint32_t find_lines(const struct links *links, struct line lines[LINES_MAX]) {
    uint32_t last = 0;
    for (size_t i = 0; i < links->count; i++) {
        const struct link *link = &links->list[i], *parent = find_parent(links, link);
        uint32_t number = link->version.line;
        assert_in_range(number, 1, LINES_MAX - 1);
        struct line *line = &lines[number];
        if (!line->is_there) {
            *line = (struct line){.begins = link->records, .is_there = true, .parent = parent ? parent->version.line : 0};
        }
        line->ends = link->records;
        last = number;
    }
    return last;
}

// Folds from the untaught model through all lines before it to a record of this one.
static void fold_line(struct fold *fold, const struct line *lines, const struct order *orders, uint32_t line, uint64_t end,
                      uint64_t from, struct refolded *to) {
    if (lines[line].parent) {
        fold_line(fold, lines, orders, lines[line].parent, lines[line].begins, UINT64_MAX, to);
    }
    fold_up_to(fold, &orders[line], end, from, to);
}

static void check_links(struct fold *fold, const struct line *lines, const struct order *orders, const struct links *links,
                        uint32_t line, struct refolded *to) {
    for (size_t i = 0; i < links->count; i++) {
        const struct link *link = &links->list[i];
        uint8_t digest[RF_SHA256_SIZE];
        if (link->version.line != line || link->records < fold->records) { // of a start whose snapshot is not the newest
            continue;
        }
        fold_line(fold, lines, orders, line, link->records, lines[line].begins, to);
        rf_model_sha256(link->specification_sha256, rf_pipeline_state(fold->pipeline), digest);
        if (memcmp(digest, link->model_sha256, sizeof digest) != 0) {
            fail_msg("snapshot %" PRIu64 " of line %" PRIu32 " is not the fold of its %" PRIu64 " records", link->version.base,
                     line, link->records);
        }
        to->checked++;
    }
}

void refold(struct world *world, struct refolded *refolded_out) {
    static const uint8_t none[RF_SHA256_SIZE];
    struct links *links = calloc(1, sizeof *links);
    struct line lines[LINES_MAX] = {0};
    struct order orders[LINES_MAX] = {0};
    assert_non_null(links);
    *refolded_out = (struct refolded){0};
    read_links(world, links);
    uint32_t last = find_lines(links, lines);
    for (uint32_t line = 1; line <= last; line++) {
        if (lines[line].is_there) {
            read_order(world, line, lines[line].begins, &orders[line]);
        }
    }
    for (uint32_t line = 1; line <= last; line++) {
        struct fold fold;
        if (!lines[line].is_there) {
            continue;
        }
        open_fold(&fold, world);
        check_links(&fold, lines, orders, links, line, refolded_out);
        fold_line(&fold, lines, orders, line, lines[line].ends, lines[line].begins, refolded_out);
        if (line == last) {
            rf_model_sha256(none, rf_pipeline_state(fold.pipeline), refolded_out->digest);
            memcpy(refolded_out->next_offset, fold.next, sizeof fold.next);
            refolded_out->records = fold.records;
            refolded_out->rejected = rf_pipeline_counts(fold.pipeline)->rejected;
        }
        close_fold(&fold);
    }
    for (uint32_t line = 1; line <= last; line++) {
        free(orders[line].partition);
    }
    free(links);
}

void free_refolded(struct refolded *refolded) {
    free(refolded->scores.data);
    free(refolded->rejects.data);
}
