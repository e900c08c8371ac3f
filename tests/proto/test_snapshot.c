// `test_snapshot FILE` writes the golden snapshot instead of testing. The one of a release is never written again.
#include "proto/snapshot.h"
#include "tests/proto/snapshot_content.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rf_error err;

static struct bytes read_file(const char *path) {
    struct bytes bytes = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t buffer[4096];
    for (size_t size; (size = fread(buffer, 1, sizeof buffer, file)) > 0;) {
        assert_int_equal(bytes_output(&bytes, buffer, size, &err), RF_OK);
    }
    fclose(file);
    return bytes;
}

static void assert_header_equal(const struct rf_snapshot_header *a, const struct rf_snapshot_header *b) {
    assert_string_equal(a->model, b->model);
    assert_string_equal(a->specification, b->specification);
    assert_memory_equal(a->specification_sha256, b->specification_sha256, RF_SHA256_SIZE);
    assert_int_equal(a->version.line, b->version.line);
    assert_int_equal(a->version.base, b->version.base);
    assert_int_equal(a->version.epoch, b->version.epoch);
    assert_int_equal(a->version.since, b->version.since);
    assert_int_equal(a->has_parent, b->has_parent);
    assert_memory_equal(a->parent_sha256, b->parent_sha256, RF_SHA256_SIZE);
    assert_int_equal(a->positions.count, b->positions.count);
    for (size_t i = 0; i < a->positions.count; i++) {
        const struct rf_position *position = &a->positions.list[i], *twin = &b->positions.list[i];
        assert_string_equal(position->topic, twin->topic);
        assert_int_equal(position->partition, twin->partition);
        assert_int_equal(position->next_offset, twin->next_offset);
        assert_int_equal(position->fingerprint, twin->fingerprint);
        assert_int_equal(position->records, twin->records);
    }
    assert_int_equal(a->schedule_runs, b->schedule_runs);
    assert_int_equal(a->records, b->records);
    assert_int_equal(a->learned, b->learned);
    assert_int_equal(a->rejected, b->rejected);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_memory_equal(a->model_sha256, b->model_sha256, RF_SHA256_SIZE);
    assert_int_equal(a->bookmark_count, b->bookmark_count);
    for (size_t i = 0; i < a->bookmark_count; i++) {
        assert_string_equal(a->bookmarks[i].sink, b->bookmarks[i].sink);
        assert_int_equal(a->bookmarks[i].value, b->bookmarks[i].value);
    }
    assert_string_equal(a->worker, b->worker);
    assert_string_equal(a->program, b->program);
}

static void the_golden_snapshot_is_read_in_full(void **state) {
    (void)state;
    struct content content, restored;
    content_init(&content);
    content_init_empty(&restored);
    struct bytes golden = read_file(RF_GOLDEN "/snapshot-1.riffle");
    uint8_t digest[RF_SHA256_SIZE];
    char text[RF_SHA256_TEXT_SIZE];
    assert_int_equal(rf_snapshot_read_header(golden.data, golden.size, &restored.header, digest, &err), RF_OK);
    assert_header_equal(&restored.header, &content.header);
    rf_sha256_text(digest, text);
    assert_string_equal(text, "01bc7cb3deccb91734fb25dbbbca28481ea8503f540b38563d195fd264b44e5b");
    assert_int_equal(rf_snapshot_read_state(golden.data, golden.size, &restored.state, &err), RF_OK);
    assert_int_equal(rf_state_compare(&restored.state, &content.state, &err), RF_OK);
    bytes_finish(&golden);
    content_finish(&content);
    content_finish(&restored);
}

static void the_same_content_gives_the_same_bytes_at_any_pace(void **state) {
    (void)state;
    struct bytes golden = read_file(RF_GOLDEN "/snapshot-1.riffle");
    static const size_t budgets[] = {0, 1, 100, 4096, 5000, SIZE_MAX};
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        struct content content;
        content_init(&content);
        struct bytes bytes = snapshot_of(&content.header, &content.state, budgets[i]);
        assert_int_equal(bytes.size, golden.size);
        assert_memory_equal(bytes.data, golden.data, golden.size);
        bytes_finish(&bytes);
        content_finish(&content);
    }
    bytes_finish(&golden);
}

static void a_header_of_nothing_comes_back(void **state) {
    (void)state;
    struct content content;
    struct rf_snapshot_header header;
    content_init_empty(&content);
    struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    assert_int_equal(rf_snapshot_read_header(bytes.data, bytes.size, &header, NULL, &err), RF_OK);
    assert_string_equal(header.model, "");
    assert_false(header.has_parent);
    assert_int_equal(header.positions.count, 0);
    rf_snapshot_header_finish(&header);
    bytes_finish(&bytes);
    content_finish(&content);
}

static void pieces_left_out_become_zeros(void **state) {
    (void)state;
    struct content content, restored;
    content_init(&content);
    content_init(&restored);
    struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    memset(restored.weights, 0xff, sizeof restored.weights);
    assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &restored.state, &err), RF_OK);
    assert_int_equal(rf_state_compare(&restored.state, &content.state, &err), RF_OK);
    bytes_finish(&bytes);

    memset(content.weights, 0, sizeof content.weights); // a block without any piece
    memset(restored.weights, 0xff, sizeof restored.weights);
    bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &restored.state, &err), RF_OK);
    assert_int_equal(rf_state_compare(&restored.state, &content.state, &err), RF_OK);
    bytes_finish(&bytes);
    content_finish(&content);
    content_finish(&restored);
}

struct listing {
    char text[512];
};

static void list_block(void *context, const char *name, uint64_t rows, uint64_t row_size, uint64_t stored_size) {
    struct listing *listing = context;
    size_t used = strlen(listing->text);
    snprintf(listing->text + used, sizeof listing->text - used, "%s %d x %d, %d stored\n", name, (int)rows, (int)row_size,
             (int)stored_size);
}

static void each_block_tells_shapes_and_what_is_stored(void **state) {
    (void)state;
    struct content content;
    content_init(&content);
    struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    struct listing listing = {""};
    assert_int_equal(rf_snapshot_each_block(bytes.data, bytes.size, list_block, &listing, &err), RF_OK);
    assert_string_equal(listing.text, "linear.weights 600 x 8, 704 stored\n"
                                      "scale.moments 5 x 20, 100 stored\n"
                                      "evaluation 1 x 32, 32 stored\n");
    bytes_finish(&bytes);
    content_finish(&content);
}

static void a_large_block_takes_several_sections(void **state) {
    (void)state;
    enum { ROWS = 300 * 512 + 7 };
    static const struct rf_column columns[] = {{"sum", RF_U64, 0, 1, RF_MERGE_SUM}};
    uint64_t *data = calloc(ROWS, sizeof *data), *restored = calloc(ROWS, sizeof *restored);
    assert_true(data && restored);
    for (size_t i = 0; i < ROWS; i++) {
        data[i] = i / 512 % 5 == 0 ? 0 : i; // every fifth piece is zeros
    }
    struct rf_block block = {
            .name = "sums", .rows = ROWS, .row_size = 8, .columns = columns, .column_count = 1, .is_touched = true};
    struct rf_state from, to;
    struct rf_snapshot_header header;
    rf_snapshot_header_init(&header);
    rf_state_init(&from);
    rf_state_init(&to);
    block.data = data;
    rf_state_add(&from, &block);
    block.data = restored;
    rf_state_add(&to, &block);
    struct bytes bytes = snapshot_of(&header, &from, 1 << 16);
    assert_true(section_at(&bytes, "PIEC", 3) != SIZE_MAX);
    assert_true(section_at(&bytes, "PIEC", 4) == SIZE_MAX);
    assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &to, &err), RF_OK);
    assert_int_equal(rf_state_compare(&from, &to, &err), RF_OK);
    bytes_finish(&bytes);
    rf_state_finish(&from);
    rf_state_finish(&to);
    free(data);
    free(restored);
}

static void a_snapshot_of_a_frozen_state_is_of_the_freeze(void **state) {
    (void)state;
    struct content content;
    content_init(&content);
    struct bytes golden = snapshot_of(&content.header, &content.state, SIZE_MAX);
    assert_int_equal(rf_state_freeze(&content.state), RF_OK);
    rf_block_touch(content.state.list[0], 0);
    content.weights[0].weight = 77;
    content.figures[0].count++;
    struct bytes bytes = snapshot_of(&content.header, &content.state, 100);
    rf_state_thaw(&content.state);
    assert_int_equal(bytes.size, golden.size);
    assert_memory_equal(bytes.data, golden.data, golden.size);
    assert_true(content.weights[0].weight == 77);
    assert_int_equal(content.figures[0].count, 1901);
    bytes_finish(&bytes);
    bytes_finish(&golden);
    content_finish(&content);
}

static void a_state_that_differs_is_refused_before_anything_changes(void **state) {
    (void)state;
    static const struct rf_column other_columns[] = {
            {"count", RF_U64, 0, 1, RF_MERGE_SUM}, {"last", RF_U64, 8, 1, RF_MERGE_NONE}, {"sums", RF_F64, 16, 2, RF_MERGE_SUM}};
    struct content content, other;
    content_init(&content);
    content_init_empty(&other);
    struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    struct rf_block *evaluation = other.state.list[2];
    const struct rf_block sound = *evaluation;

    evaluation->columns = other_columns;
    assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &other.state, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block evaluation: column 1 is last u64[1] in the model, last i64[1] in the snapshot");
    *evaluation = sound;
    evaluation->rows = 0;
    assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &other.state, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block evaluation has 0 rows of 32 bytes in the model, 1 rows of 32 bytes in the snapshot");
    *evaluation = sound;
    evaluation->name = "judgement";
    assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &other.state, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block judgement of the model is not in the snapshot");
    *evaluation = sound;

    struct content untouched;
    content_init_empty(&untouched);
    assert_int_equal(rf_state_compare(&other.state, &untouched.state, &err), RF_OK);
    bytes_finish(&bytes);
    content_finish(&untouched);
    content_finish(&content);
    content_finish(&other);
}

static void blocks_that_may_begin_anew_do_so_when_they_do_not_fit(void **state) {
    (void)state;
    static const char *const names[] = {"evaluation", "judgement"}; // in another size, and not there
    for (size_t i = 0; i < 2; i++) {
        struct content content, other;
        content_init(&content);
        content_init(&other);
        struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
        struct content_figure figures[2];
        memset(figures, 1, sizeof figures);
        struct rf_block *block = other.state.list[2];
        block->name = names[i];
        block->rows = 2;
        block->data = figures;
        block->may_begin_anew = true;
        assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &other.state, &err), RF_OK);
        static const struct content_figure nothing[2];
        assert_memory_equal(figures, nothing, sizeof figures);
        assert_memory_equal(other.weights, content.weights, sizeof content.weights);
        block->rows = 1; // as it is there
        block->name = "evaluation";
        assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &other.state, &err), RF_OK);
        assert_memory_equal(figures, content.figures, sizeof content.figures);
        bytes_finish(&bytes);
        content_finish(&content);
        content_finish(&other);
    }
}

static void blocks_that_the_state_does_not_list_are_passed_over(void **state) {
    (void)state;
    struct content content;
    content_init(&content);
    struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    struct content_moment moments[CONTENT_MOMENTS] = {0};
    struct rf_block block = *content.state.list[1];
    block.data = moments;
    struct rf_state one;
    rf_state_init(&one);
    rf_state_add(&one, &block);
    assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &one, &err), RF_OK);
    assert_memory_equal(moments, content.moments, sizeof moments);
    rf_state_finish(&one);
    bytes_finish(&bytes);
    content_finish(&content);
}

static void the_model_hash_leaves_out_evaluation_and_header(void **state) {
    (void)state;
    struct content content;
    uint8_t before[RF_SHA256_SIZE], after[RF_SHA256_SIZE];
    content_init(&content);
    rf_model_sha256(content.header.specification_sha256, &content.state, before);
    content.figures[0].count = 0;
    content.header.records = 0;
    rf_model_sha256(content.header.specification_sha256, &content.state, after);
    assert_memory_equal(before, after, RF_SHA256_SIZE);
    content.weights[0].gradient = 1;
    rf_model_sha256(content.header.specification_sha256, &content.state, after);
    assert_memory_not_equal(before, after, RF_SHA256_SIZE);
    content.weights[0].gradient = 0;
    content.header.specification_sha256[0] ^= 1;
    rf_model_sha256(content.header.specification_sha256, &content.state, after);
    assert_memory_not_equal(before, after, RF_SHA256_SIZE);
    content_finish(&content);
}

struct full_disk {
    size_t left;
};

static enum rf_status full_output(void *context, const void *data, size_t size, struct rf_error *output_err) {
    (void)data;
    struct full_disk *disk = context;
    if (size > disk->left) {
        return rf_fail(output_err, RF_IO, "no space left on device");
    }
    disk->left -= size;
    return RF_OK;
}

static void a_failure_of_the_output_is_handed_on_and_stays(void **state) {
    (void)state;
    struct content content;
    content_init(&content);
    struct bytes whole = snapshot_of(&content.header, &content.state, SIZE_MAX);
    for (size_t room = 0; room < whole.size; room += 100) {
        struct full_disk disk = {room};
        struct rf_snapshot_writer *writer;
        assert_int_equal(rf_snapshot_writer_create(&content.header, &content.state, full_output, &disk, &writer, &err), RF_OK);
        enum rf_status status;
        do {
            status = rf_snapshot_writer_advance(writer, 1000, &err);
        } while (status == RF_AGAIN);
        assert_int_equal(status, RF_IO);
        disk.left = SIZE_MAX;
        rf_fail(&err, RF_INVALID, "something else");
        assert_int_equal(rf_snapshot_writer_advance(writer, 1000, &err), RF_IO);
        assert_string_equal(err.text, "no space left on device");
        rf_snapshot_writer_destroy(writer);
    }
    rf_snapshot_writer_destroy(NULL);
    bytes_finish(&whole);
    content_finish(&content);
}

static void a_header_too_large_for_readers_is_not_written(void **state) {
    (void)state;
    struct content content;
    struct bytes bytes = {0};
    struct rf_snapshot_writer *writer = NULL;
    content_init_empty(&content);
    size_t size = (size_t)17 << 20;
    content.header.specification = malloc(size + 1);
    assert_non_null(content.header.specification);
    memset(content.header.specification, 'a', size);
    content.header.specification[size] = '\0';
    assert_int_equal(rf_snapshot_writer_create(&content.header, &content.state, bytes_output, &bytes, &writer, &err), RF_INVALID);
    assert_string_equal(err.text, "the header of the snapshot has 17825888 bytes, must be at most 16777216");
    assert_null(writer);
    content_finish(&content);
}

static int write_golden(const char *path) {
    struct content content;
    content_init(&content);
    struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    FILE *file = fopen(path, "wb");
    bool is_written = file && fwrite(bytes.data, 1, bytes.size, file) == bytes.size;
    is_written = file && fclose(file) == 0 && is_written;
    bytes_finish(&bytes);
    content_finish(&content);
    return is_written ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 2) {
        return write_golden(argv[1]);
    }
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_golden_snapshot_is_read_in_full),
            cmocka_unit_test(the_same_content_gives_the_same_bytes_at_any_pace),
            cmocka_unit_test(a_header_of_nothing_comes_back),
            cmocka_unit_test(pieces_left_out_become_zeros),
            cmocka_unit_test(each_block_tells_shapes_and_what_is_stored),
            cmocka_unit_test(a_large_block_takes_several_sections),
            cmocka_unit_test(a_snapshot_of_a_frozen_state_is_of_the_freeze),
            cmocka_unit_test(a_state_that_differs_is_refused_before_anything_changes),
            cmocka_unit_test(blocks_that_may_begin_anew_do_so_when_they_do_not_fit),
            cmocka_unit_test(blocks_that_the_state_does_not_list_are_passed_over),
            cmocka_unit_test(the_model_hash_leaves_out_evaluation_and_header),
            cmocka_unit_test(a_failure_of_the_output_is_handed_on_and_stays),
            cmocka_unit_test(a_header_too_large_for_readers_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
