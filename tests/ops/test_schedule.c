// The schedule on a simulated disk: what is written is read back, whatever tears.
#include "ops/schedule.h"
#include "proto/random.h"
#include "tests/simulation/disk_simulated.h"
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct fixture {
    struct rf_disk *disk;
    struct rf_positions positions;
    struct rf_error err;
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){.disk = rf_disk_simulated_create()};
    rf_positions_init(&fixture.positions);
    size_t index;
    assert_int_equal(rf_positions_add(&fixture.positions, "cards", 0, &index), RF_OK);
    assert_int_equal(rf_positions_add(&fixture.positions, "cards", 3, &index), RF_OK);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    rf_positions_finish(&fixture->positions);
    rf_disk_destroy(fixture->disk);
    return 0;
}

static struct rf_schedule *open_at(struct fixture *fixture, uint64_t records) {
    struct rf_schedule *schedule = NULL;
    assert_int_equal(rf_schedule_open(fixture->disk, "state", 1, records, &fixture->positions, &schedule, &fixture->err), RF_OK);
    return schedule;
}

static void append(struct fixture *fixture, struct rf_schedule *schedule, uint32_t partition, uint64_t count) {
    struct rf_run run = {partition, count};
    assert_int_equal(rf_schedule_append(schedule, &fixture->positions, &run, 1, &fixture->err), RF_OK);
}

static void assert_runs(const struct rf_schedule *schedule, const struct rf_run *expected, size_t count) {
    size_t found;
    const struct rf_run *runs = rf_schedule_ahead(schedule, &found);
    assert_int_equal(found, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(runs[i].partition, expected[i].partition);
        assert_int_equal(runs[i].count, expected[i].count);
    }
}

static void write_three_runs(struct fixture *fixture) {
    struct rf_schedule *schedule = open_at(fixture, 0);
    append(fixture, schedule, 0, 10);
    append(fixture, schedule, 1, 5);
    append(fixture, schedule, 0, 7);
    assert_int_equal(rf_schedule_records(schedule), 22);
    rf_schedule_close(schedule);
}

static void schedule_gives_back_what_was_recorded(void **state) {
    struct fixture *fixture = *state;
    write_three_runs(fixture);
    struct rf_schedule *schedule = open_at(fixture, 0);
    assert_runs(schedule, (struct rf_run[]){{0, 10}, {1, 5}, {0, 7}}, 3);
    rf_schedule_close(schedule);
}

static void schedule_begins_within_a_run(void **state) {
    struct fixture *fixture = *state;
    write_three_runs(fixture);
    struct rf_schedule *schedule = open_at(fixture, 12);
    assert_runs(schedule, (struct rf_run[]){{1, 3}, {0, 7}}, 2);
    rf_schedule_close(schedule);
}

static void schedule_is_followed_and_then_extended(void **state) {
    struct fixture *fixture = *state;
    write_three_runs(fixture);
    struct rf_schedule *schedule = open_at(fixture, 12);
    append(fixture, schedule, 1, 2);
    append(fixture, schedule, 1, 1);
    append(fixture, schedule, 0, 9); // 7 foreseen, 2 new
    append(fixture, schedule, 1, 4);
    rf_schedule_close(schedule);
    schedule = open_at(fixture, 0);
    assert_runs(schedule, (struct rf_run[]){{0, 10}, {1, 5}, {0, 9}, {1, 4}}, 4);
    rf_schedule_close(schedule);
}

static void schedule_refuses_another_order_than_the_recorded(void **state) {
    struct fixture *fixture = *state;
    write_three_runs(fixture);
    struct rf_schedule *schedule = open_at(fixture, 12);
    struct rf_run run = {0, 1};
    assert_int_equal(rf_schedule_append(schedule, &fixture->positions, &run, 1, &fixture->err), RF_CONFLICT);
    assert_string_equal(fixture->err.text, "record 12 was folded from partition 0, but the schedule foresaw partition 1");
    rf_schedule_close(schedule);
}

static const char segment[] = "state/schedule-0000000001-00000000000000000000.log";

static size_t segment_size(struct fixture *fixture) {
    const uint8_t *data;
    size_t size;
    assert_int_equal(rf_disk_read(fixture->disk, segment, &data, &size, &fixture->err), RF_OK);
    rf_disk_forget(fixture->disk, data, size);
    return size;
}

static void schedule_ends_where_a_frame_does_not_verify(void **state) {
    struct fixture *fixture = *state;
    write_three_runs(fixture);
    size_t size = segment_size(fixture);
    uint64_t before = 22;
    for (size_t cut = size; cut-- > 0;) { // torn at every byte: never more than before, never an error
        assert_true(rf_disk_simulated_cut(fixture->disk, segment, cut));
        struct rf_schedule *schedule = open_at(fixture, 0);
        size_t count;
        const struct rf_run *runs = rf_schedule_ahead(schedule, &count);
        uint64_t records = 0;
        for (size_t i = 0; i < count; i++) {
            records += runs[i].count;
        }
        assert_true(records <= before);
        assert_true(records == 22 || records == 15 || records == 10 || records == 0);
        before = records;
        rf_schedule_close(schedule);
    }
}

static void schedule_goes_on_behind_a_torn_tail(void **state) {
    struct fixture *fixture = *state;
    write_three_runs(fixture);
    size_t size = segment_size(fixture);
    assert_true(rf_disk_simulated_cut(fixture->disk, segment, size - 1));
    struct rf_schedule *schedule = open_at(fixture, 15);
    append(fixture, schedule, 1, 100);
    rf_schedule_close(schedule);
    schedule = open_at(fixture, 0);
    assert_runs(schedule, (struct rf_run[]){{0, 10}, {1, 105}}, 2);
    rf_schedule_close(schedule);
}

static size_t count_segments(struct fixture *fixture) {
    char **names;
    size_t count;
    assert_int_equal(rf_disk_list(fixture->disk, "state", "schedule-", ".log", &names, &count, &fixture->err), RF_OK);
    rf_disk_names_destroy(names, count);
    return count;
}

static void schedule_that_is_only_read_leaves_what_does_not_join(void **state) {
    struct fixture *fixture = *state;
    write_three_runs(fixture);
    for (uint64_t records = 22; records < 32; records += 5) {
        struct rf_schedule *schedule = open_at(fixture, records);
        append(fixture, schedule, 1, 5); // each in a segment of its own
        rf_schedule_close(schedule);
    }
    assert_int_equal(rf_disk_remove(fixture->disk, "state/schedule-0000000001-00000000000000000022.log", &fixture->err), RF_OK);
    struct rf_schedule *schedule;
    assert_int_equal(rf_schedule_open_to_read(fixture->disk, "state", 1, 0, &fixture->positions, &schedule, &fixture->err),
                     RF_OK);
    assert_runs(schedule, (struct rf_run[]){{0, 10}, {1, 5}, {0, 7}}, 3);
    assert_int_equal(rf_schedule_retracted(schedule), 1);
    rf_schedule_close(schedule);
    assert_int_equal(count_segments(fixture), 2);
    rf_schedule_close(open_at(fixture, 0));
    assert_int_equal(count_segments(fixture), 1);

    assert_true(rf_disk_simulated_damage(fixture->disk, segment, 0)); // it is no segment any more
    assert_int_equal(rf_schedule_open(fixture->disk, "state", 1, 0, &fixture->positions, &schedule, &fixture->err), RF_CORRUPT);
    assert_int_equal(rf_schedule_open_to_read(fixture->disk, "state", 1, 0, &fixture->positions, &schedule, &fixture->err),
                     RF_OK);
    assert_true(rf_schedule_is_torn(schedule));
    assert_runs(schedule, NULL, 0);
    rf_schedule_close(schedule);
}

// Appends runs of one record, in turn from both partitions, until there are so many segments.
static void fill_segments(struct fixture *fixture, struct rf_schedule *schedule, size_t segments) {
    for (uint32_t i = 0; i % 1000 || count_segments(fixture) < segments; i++) {
        append(fixture, schedule, i % 2, 1);
    }
}

static void mark(struct fixture *fixture, struct rf_schedule *schedule) {
    assert_int_equal(rf_schedule_mark(schedule, &fixture->err), RF_OK);
}

static void sync_marked(struct fixture *fixture, struct rf_schedule *schedule) {
    assert_int_equal(rf_schedule_sync_marked(schedule, &fixture->err), RF_OK);
}

static uint64_t records_after_power_cut(struct fixture *fixture, struct rf_schedule *schedule) {
    rf_schedule_close(schedule);
    rf_disk_simulated_cut_power(fixture->disk);
    schedule = open_at(fixture, 0);
    size_t count;
    const struct rf_run *runs = rf_schedule_ahead(schedule, &count);
    uint64_t records = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(runs[i].partition, i % 2);
        records += runs[i].count;
    }
    rf_schedule_close(schedule);
    return records;
}

static void schedule_syncs_all_segments_before_the_line(void **state) {
    struct fixture *fixture = *state;
    struct rf_schedule *schedule = open_at(fixture, 0);
    fill_segments(fixture, schedule, 3);
    mark(fixture, schedule);
    uint64_t marked = rf_schedule_records(schedule);
    fill_segments(fixture, schedule, 4); // closes one while it is to be synced
    sync_marked(fixture, schedule);
    assert_in_range(records_after_power_cut(fixture, schedule), marked, UINT64_MAX);
}

static void schedule_that_was_not_synced_may_be_gone(void **state) {
    struct fixture *fixture = *state;
    struct rf_schedule *schedule = open_at(fixture, 0);
    fill_segments(fixture, schedule, 3);
    mark(fixture, schedule);
    assert_int_equal(records_after_power_cut(fixture, schedule), 0);
}

static void schedule_syncs_again_what_failed_to_sync(void **state) {
    struct fixture *fixture = *state;
    struct rf_schedule *schedule = open_at(fixture, 0);
    fill_segments(fixture, schedule, 2);
    mark(fixture, schedule);
    rf_disk_simulated_fail(fixture->disk, 2, EIO);
    assert_int_equal(rf_schedule_sync_marked(schedule, &fixture->err), RF_IO);
    fill_segments(fixture, schedule, 3);
    mark(fixture, schedule);
    uint64_t marked = rf_schedule_records(schedule);
    sync_marked(fixture, schedule);
    assert_in_range(records_after_power_cut(fixture, schedule), marked, UINT64_MAX);
}

static void schedule_syncs_nothing_twice(void **state) {
    struct fixture *fixture = *state;
    struct rf_schedule *schedule = open_at(fixture, 0);
    append(fixture, schedule, 0, 10);
    mark(fixture, schedule);
    sync_marked(fixture, schedule);
    uint64_t calls = rf_disk_simulated_calls(fixture->disk);
    mark(fixture, schedule);
    sync_marked(fixture, schedule);
    assert_int_equal(rf_disk_simulated_calls(fixture->disk), calls);
    rf_schedule_close(schedule);
}

// The disk keeps what it likes of segments that were not synced: what is recorded then is a beginning of what was.
static void schedule_is_a_beginning_after_any_power_cut(void **state) {
    struct fixture *fixture = *state;
    struct rf_random random;
    rf_random_init(&random, 7);
    for (int round = 0; round < 20; round++) {
        rf_disk_destroy(fixture->disk);
        fixture->disk = rf_disk_simulated_create();
        struct rf_schedule *schedule = open_at(fixture, 0);
        fill_segments(fixture, schedule, 3);
        uint64_t written = rf_schedule_records(schedule);
        rf_schedule_close(schedule);
        rf_disk_simulated_cut_power_by_chance(fixture->disk, &random);
        schedule = open_at(fixture, 0);
        uint64_t kept = records_after_power_cut(fixture, schedule);
        assert_in_range(kept, 0, written);
        schedule = open_at(fixture, kept);
        append(fixture, schedule, 0, 5);
        rf_schedule_close(schedule);
    }
}

static void schedule_tells_when_the_disk_is_full(void **state) {
    struct fixture *fixture = *state;
    struct rf_schedule *schedule = open_at(fixture, 0);
    struct rf_run run = {0, 1};
    rf_disk_simulated_fail(fixture->disk, 2, ENOSPC);
    assert_int_equal(rf_schedule_append(schedule, &fixture->positions, &run, 1, &fixture->err), RF_IO);
    assert_string_equal(fixture->err.text,
                        "cannot write state/schedule-0000000001-00000000000000000000.log: No space left on device");
    rf_schedule_close(schedule);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(schedule_gives_back_what_was_recorded, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_begins_within_a_run, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_is_followed_and_then_extended, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_refuses_another_order_than_the_recorded, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_ends_where_a_frame_does_not_verify, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_goes_on_behind_a_torn_tail, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_that_is_only_read_leaves_what_does_not_join, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_syncs_all_segments_before_the_line, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_that_was_not_synced_may_be_gone, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_syncs_again_what_failed_to_sync, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_syncs_nothing_twice, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_is_a_beginning_after_any_power_cut, setup, teardown),
            cmocka_unit_test_setup_teardown(schedule_tells_when_the_disk_is_full, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
