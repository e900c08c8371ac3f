// When records were written is asked of the sources beneath: of each about its own partitions.
#include "tests/ingest/source_fixture.h"
#include "tests/test.h"

#include <string.h>

// A topic whose record at an offset was written at as many ms, but for the partition's number; it ends before `end`.
struct timed_source {
    struct rf_source base;
    struct rf_positions offered;
    int64_t end;
    bool is_away;
};

static struct timed_source *timed_from(struct rf_source *self) {
    return (struct timed_source *)self;
}

static enum rf_status timed_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                 enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                 struct rf_error *err) {
    (void)want, (void)records, (void)err;
    *event_out = RF_SOURCE_ASSIGNED;
    *partitions_out = &timed_from(self)->offered;
    return RF_OK;
}

static enum rf_status timed_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms,
                                  int64_t *offset_out, struct rf_error *err) {
    struct timed_source *timed = timed_from(self);
    self->is_temporary = timed->is_away;
    if (timed->is_away) {
        return rf_fail(err, RF_IO, "all brokers are away");
    }
    for (size_t i = 0; i < positions->count; i++) {
        const struct rf_position *position = &positions->list[i];
        assert_non_null(rf_positions_find(&timed->offered, position->topic, position->partition));
        int64_t offset = time_ms - position->partition;
        offset_out[i] = offset < timed->end ? offset : -1;
    }
    return RF_OK;
}

static void timed_unassign(struct rf_source *self) {
    (void)self;
}

static void timed_destroy(struct rf_source *self) {
    rf_positions_finish(&timed_from(self)->offered);
}

static const struct rf_source_ops timed_ops = {
        .name = "timed", .poll = timed_poll, .unassign = timed_unassign, .times = timed_times, .destroy = timed_destroy};

static struct rf_source *open_timed(struct timed_source *timed, const char *topic, int32_t partitions, int64_t end) {
    *timed = (struct timed_source){.base.ops = &timed_ops, .end = end};
    rf_positions_init(&timed->offered);
    for (int32_t i = 0; i < partitions; i++) {
        size_t index;
        assert_int_equal(rf_positions_add(&timed->offered, topic, i, &index), RF_OK);
    }
    return &timed->base;
}

static struct rf_source *open_file(const char *path) {
    struct rf_source_file_options options = {.path = path, .record_bytes_max = 100, .opens_late = true};
    struct rf_source *source = NULL;
    struct rf_error err;
    assert_int_equal(rf_source_file_create(&options, &source, &err), RF_OK);
    return source;
}

static void each_source_of_a_sequence_tells_of_its_own(void **state) {
    (void)state;
    struct timed_source history, live;
    struct rf_source *list[] = {open_timed(&history, "history", 2, 50), open_timed(&live, "cards", 3, 1000)}, *source;
    struct rf_positions positions, turned;
    struct rf_error err;
    int64_t offset[6];
    assert_int_equal(rf_source_sequence_create(list, 2, &source, &err), RF_OK);
    expect_assigned(source, &positions);
    assert_int_equal(positions.count, 5);
    assert_int_equal(rf_source_times(source, &positions, 20, offset, &err), RF_OK);
    assert_memory_equal(offset, ((int64_t[]){20, 19, 20, 19, 18}), 5 * sizeof *offset);
    assert_int_equal(rf_source_times(source, &positions, 51, offset, &err), RF_OK);
    assert_memory_equal(offset, ((int64_t[]){-1, -1, 51, 50, 49}), 5 * sizeof *offset);

    rf_positions_init(&turned); // in whatever order they stand
    for (size_t i = positions.count; i-- > 0;) {
        size_t index;
        assert_int_equal(rf_positions_add(&turned, positions.list[i].topic, positions.list[i].partition, &index), RF_OK);
    }
    assert_int_equal(rf_source_times(source, &turned, 51, offset, &err), RF_OK);
    assert_memory_equal(offset, ((int64_t[]){49, 50, 51, -1, -1}), 5 * sizeof *offset);
    rf_positions_finish(&turned);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void a_file_among_them_is_named(void **state) {
    (void)state;
    struct timed_source live;
    struct rf_source *list[] = {open_file("/nowhere/day.csv"), open_timed(&live, "cards", 1, 1000)}, *source, *file;
    struct rf_positions positions;
    struct rf_error err;
    int64_t offset[2] = {7, 7};
    assert_int_equal(rf_source_sequence_create(list, 2, &source, &err), RF_OK);
    expect_assigned(source, &positions);
    assert_int_equal(rf_source_times(source, &positions, 20, offset, &err), RF_UNSUPPORTED);
    assert_string_equal(err.text, "/nowhere/day.csv: records of a file carry no time of their own, give an offset");
    assert_false(source->is_temporary);
    rf_positions_finish(&positions);
    rf_source_destroy(source);

    assert_int_equal(rf_source_merge_create(open_file("day.csv"), -1, false, &file, &err), RF_OK);
    expect_assigned(file, &positions);
    assert_int_equal(rf_source_times(file, &positions, 20, offset, &err), RF_UNSUPPORTED);
    assert_string_equal(err.text, "records of a file carry no time of their own, give an offset");
    rf_positions_finish(&positions);
    rf_source_destroy(file);
}

static void a_merged_source_tells_what_the_one_beneath_does(void **state) {
    (void)state;
    struct timed_source live, history;
    struct rf_source *merged[2], *source;
    struct rf_positions positions;
    struct rf_error err;
    int64_t offset[3] = {7, 7, 7};
    assert_int_equal(rf_source_merge_create(open_timed(&history, "history", 1, 50), -1, false, &merged[0], &err), RF_OK);
    assert_int_equal(rf_source_merge_create(open_timed(&live, "cards", 2, 1000), 100, false, &merged[1], &err), RF_OK);
    assert_int_equal(rf_source_sequence_create(merged, 2, &source, &err), RF_OK);
    expect_assigned(source, &positions);
    live.is_away = true;
    assert_int_equal(rf_source_times(source, &positions, 60, offset, &err), RF_IO);
    assert_true(source->is_temporary);
    live.is_away = false;
    assert_int_equal(rf_source_times(source, &positions, 60, offset, &err), RF_OK);
    assert_false(source->is_temporary);
    assert_memory_equal(offset, ((int64_t[]){-1, 60, 59}), sizeof offset);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_source_of_a_sequence_tells_of_its_own),
            cmocka_unit_test(a_file_among_them_is_named),
            cmocka_unit_test(a_merged_source_tells_what_the_one_beneath_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
