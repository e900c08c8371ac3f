// The chain of snapshots on a simulated disk: what is on record stays so, and what does not fit is named.
#include "ops/chain.h"
#include "ops/checkpoint.h"
#include "tests/simulation/disk_simulated.h"
#include "tests/test.h"

#include <errno.h>
#include <string.h>

static struct rf_error err;

static int setup(void **state) {
    *state = rf_disk_simulated_create();
    return 0;
}

static int teardown(void **state) {
    rf_disk_destroy(*state);
    return 0;
}

static struct rf_chain *open_chain(struct rf_disk *disk) {
    struct rf_chain *chain = NULL;
    assert_int_equal(rf_chain_open(disk, "state", NULL, NULL, &chain, &err), RF_OK);
    return chain;
}

static void digest_of(uint64_t number, uint8_t digest_out[RF_SHA256_SIZE]) {
    memset(digest_out, (int)number, RF_SHA256_SIZE);
}

// Snapshot `number`, grown from `parent` (0: from none).
static enum rf_status append(struct rf_chain *chain, uint64_t number, uint64_t parent, uint32_t line) {
    char model[] = "model", specification[] = "a = 1\n", worker[] = "w", program[] = "p";
    struct rf_snapshot_header header = {
            .model = model, .specification = specification, .worker = worker, .program = program, .has_parent = parent > 0};
    uint8_t sha256[RF_SHA256_SIZE];
    header.version = (struct rf_version){.line = line, .base = number, .epoch = 1};
    header.created_ms = (int64_t)number * 1000;
    memset(header.specification_sha256, 7, RF_SHA256_SIZE);
    digest_of(parent, header.parent_sha256);
    digest_of(number, sha256);
    return rf_chain_append(chain, &header, sha256, &err);
}

struct seen {
    uint64_t count, sum;
};

static enum rf_status see(void *context, const struct rf_chain_link *link, struct rf_error *error) {
    struct seen *seen = context;
    (void)error;
    assert_string_equal(link->header.specification, "a = 1\n"); // also where it was left out
    seen->count++;
    seen->sum += link->header.version.base;
    return RF_OK;
}

static void links_are_read_back_over_starts(void **state) {
    struct rf_disk *disk = *state;
    for (uint64_t start = 0; start < 3; start++) {
        struct rf_chain *chain = open_chain(disk);
        assert_int_equal(rf_chain_number(chain), 4 * start);
        for (uint64_t number = 4 * start + 1; number <= 4 * start + 4; number++) {
            assert_int_equal(append(chain, number, number - 1, 1), RF_OK);
            assert_int_equal(append(chain, number, number - 1, 1), RF_OK); // on record already
        }
        rf_chain_close(chain);
    }
    struct seen seen = {0};
    assert_int_equal(rf_chain_each(disk, "state", see, &seen, &err), RF_OK);
    assert_int_equal(seen.count, 12);
    assert_int_equal(seen.sum, 78);
    struct rf_chain_report report;
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_OK);
    assert_int_equal(report.links, 12);
    assert_int_equal(report.lines, 1);
    assert_int_equal(report.snapshots, 0);
    assert_int_equal(report.passed_over, 0);
}

static void a_link_to_nothing_is_named(void **state) {
    struct rf_disk *disk = *state;
    struct rf_chain *chain = open_chain(disk);
    assert_int_equal(append(chain, 1, 0, 1), RF_OK);
    assert_int_equal(append(chain, 2, 1, 1), RF_OK);
    assert_int_equal(append(chain, 4, 1, 2), RF_OK); // a rollback to 1
    assert_int_equal(append(chain, 5, 3, 2), RF_OK);
    assert_int_equal(rf_chain_line(chain), 2);
    rf_chain_close(chain);
    struct rf_chain_report report;
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_CORRUPT);
    assert_string_equal(err.text,
                        "the link to snapshot 5 is broken: it grew from "
                        "0303030303030303030303030303030303030303030303030303030303030303, and no snapshot on record has "
                        "that sha256");
}

static void snapshots_passed_over_are_counted(void **state) {
    struct rf_disk *disk = *state;
    struct rf_chain *chain = open_chain(disk);
    assert_int_equal(append(chain, 1, 0, 1), RF_OK);
    assert_int_equal(append(chain, 2, 1, 1), RF_OK);
    assert_int_equal(append(chain, 3, 1, 1), RF_OK); // 2 was broken, 1 was taken up
    assert_int_equal(append(chain, 4, 1, 2), RF_OK); // a rollback passes over nothing
    rf_chain_close(chain);
    struct rf_chain_report report;
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_OK);
    assert_int_equal(report.passed_over, 1);
    assert_int_equal(report.lines, 2);
}

static void put_file(struct rf_disk *disk, const char *path) {
    int handle;
    assert_int_equal(rf_disk_create(disk, path, &handle, &err), RF_OK);
    assert_int_equal(rf_disk_close(disk, path, handle, &err), RF_OK);
}

static void snapshots_not_on_record_are_named(void **state) {
    struct rf_disk *disk = *state;
    struct rf_chain_report report;
    put_file(disk, "state/snapshot-00000000000000000005.riffle");
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_OK); // a crash kept the very first link off
    struct rf_chain *chain = open_chain(disk);
    assert_int_equal(append(chain, 4, 3, 1), RF_OK);
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_OK); // or that of the newest
    assert_int_equal(append(chain, 6, 4, 1), RF_OK);
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_CORRUPT);
    assert_string_equal(err.text,
                        "state/snapshot-00000000000000000005.riffle is not on record: links to snapshots are lost, or it "
                        "is a copy under that name");
    rf_chain_close(chain);
    assert_int_equal(rf_disk_remove(disk, "state/chain-00000000000000000004.log", &err), RF_OK);
    put_file(disk, "state/snapshot-00000000000000000007.riffle");
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_CORRUPT);
}

static enum rf_status refuse(void *context, const struct rf_chain_link *link, struct rf_error *error) {
    (void)context;
    return rf_fail(error, RF_MEMORY, "no room for link %d", (int)link->header.version.base);
}

static void a_chain_is_not_opened_when_a_link_cannot_be_taken(void **state) {
    struct rf_disk *disk = *state;
    struct rf_chain *chain = open_chain(disk);
    assert_int_equal(append(chain, 1, 0, 1), RF_OK);
    rf_chain_close(chain);
    chain = NULL;
    assert_int_equal(rf_chain_open(disk, "state", refuse, NULL, &chain, &err), RF_MEMORY);
    assert_string_equal(err.text, "no room for link 1");
    assert_null(chain);
}

static const char segment[] = "state/chain-00000000000000000001.log";

static void a_torn_end_is_no_damage_and_a_torn_middle_is(void **state) {
    struct rf_disk *disk = *state;
    struct rf_chain *chain = open_chain(disk);
    assert_int_equal(append(chain, 1, 0, 1), RF_OK);
    const char *data;
    size_t one, all;
    assert_true(rf_disk_simulated_peek(disk, segment, &data, &one));
    assert_int_equal(append(chain, 2, 1, 1), RF_OK);
    assert_true(rf_disk_simulated_peek(disk, segment, &data, &all));
    rf_chain_close(chain);
    struct rf_chain_report report;
    for (size_t size = all - 1; size > one; size -= 7) {
        assert_true(rf_disk_simulated_cut(disk, segment, size));
        chain = open_chain(disk);
        assert_int_equal(rf_chain_number(chain), 1);
        assert_string_equal(rf_chain_damage(chain), "");
        rf_chain_close(chain);
    }
    chain = open_chain(disk);
    assert_int_equal(append(chain, 2, 1, 1), RF_OK);
    assert_int_equal(append(chain, 3, 2, 1), RF_OK);
    rf_chain_close(chain);
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_OK);
    assert_int_equal(report.links, 3);

    assert_true(rf_disk_simulated_damage(disk, "state/chain-00000000000000000002.log", 30));
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_CORRUPT);
    assert_string_equal(err.text, "state/chain-00000000000000000002.log is damaged at byte 8");
    struct seen seen = {0};
    assert_int_equal(rf_chain_open(disk, "state", see, &seen, &chain, &err), RF_OK); // it goes on all the same
    assert_string_equal(rf_chain_damage(chain), "state/chain-00000000000000000002.log is damaged at byte 8");
    assert_int_equal(seen.count, 1); // what stands before the damage
    assert_int_equal(append(chain, 4, 3, 1), RF_OK);
    rf_chain_close(chain);
}

static void a_link_that_cannot_be_written_is_written_the_next_time(void **state) {
    struct rf_disk *disk = *state;
    for (uint64_t call = 1;; call++) {
        struct rf_chain *chain = open_chain(disk);
        uint64_t number = rf_chain_number(chain) + 1;
        rf_disk_simulated_fail(disk, call, ENOSPC);
        enum rf_status first = append(chain, number, number - 1, 1);
        enum rf_status second = append(chain, number, number - 1, 1);
        bool has_failed = rf_disk_simulated_has_failed(disk);
        rf_disk_simulated_fail(disk, 0, 0);
        assert_int_equal(first == RF_OK, !has_failed);
        assert_int_equal(second, RF_OK);
        rf_chain_close(chain);
        rf_disk_simulated_cut_power(disk);
        struct rf_chain_report report;
        assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_OK);
        assert_int_equal(report.last, number); // what was answered is on disk
        if (!has_failed) {
            return;
        }
    }
}

static void retention_keeps_the_latest_and_the_last_of_hours_and_days(void **state) {
    (void)state;
    enum { COUNT = 24 * 5 * 4 }; // one each quarter of an hour, for five days
    static struct rf_kept list[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        list[i] = (struct rf_kept){.number = i + 1, .line = i < 100 ? 1 : 2, .created_ms = (int64_t)i * 900000};
    }
    const struct rf_retention retention = {.keep = 3, .keep_hours = 6, .keep_days = 3};
    size_t kept = 0;
    for (size_t i = 0; i < COUNT; i++) {
        bool is_latest = i >= COUNT - 3;
        bool is_hourly = i % 4 == 3 && i + 6 * 4 > COUNT - 1;
        bool is_daily = i % 96 == 95 && i + 3 * 96 > COUNT - 1;
        assert_int_equal(rf_retention_keeps(&retention, list, COUNT, i), is_latest || is_hourly || is_daily || i == 100);
        kept += rf_retention_keeps(&retention, list, COUNT, i);
    }
    assert_int_equal(kept, 3 + 6 - 1 + 3 - 1 + 1);
    list[COUNT - 1].created_ms = 0; // a clock set back takes nothing away that the latest few keep
    assert_true(rf_retention_keeps(&retention, list, COUNT, COUNT - 2));
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

// A process that dies between writing a link and syncing it leaves a link that the next one sees, and builds on.
static void what_a_later_link_grows_from_outlives_a_cut_of_power(void **state) {
    struct rf_disk *disk = *state;
    struct rf_chain *chain = open_chain(disk);
    uint64_t before = rf_disk_simulated_calls(disk);
    assert_int_equal(append(chain, 1, 0, 1), RF_OK);
    uint64_t calls = rf_disk_simulated_calls(disk) - before;
    rf_chain_close(chain);

    chain = open_chain(disk);
    rf_disk_simulated_halt(disk, calls); // the sync of its file
    assert_int_equal(append(chain, 2, 1, 1), RF_IO);
    rf_chain_close(chain);
    rf_disk_simulated_fail(disk, 0, 0);

    chain = open_chain(disk);
    assert_int_equal(rf_chain_number(chain), 2);
    assert_int_equal(append(chain, 3, 2, 1), RF_OK);
    rf_chain_close(chain);
    rf_disk_simulated_cut_power(disk);
    struct rf_chain_report report;
    assert_int_equal(rf_chain_verify(disk, "state", &report, &err), RF_OK);
    assert_int_equal(report.links, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            ON_DISK(links_are_read_back_over_starts),
            ON_DISK(a_link_to_nothing_is_named),
            ON_DISK(snapshots_passed_over_are_counted),
            ON_DISK(snapshots_not_on_record_are_named),
            ON_DISK(a_chain_is_not_opened_when_a_link_cannot_be_taken),
            ON_DISK(a_torn_end_is_no_damage_and_a_torn_middle_is),
            ON_DISK(a_link_that_cannot_be_written_is_written_the_next_time),
            ON_DISK(what_a_later_link_grows_from_outlives_a_cut_of_power),
            cmocka_unit_test(retention_keeps_the_latest_and_the_last_of_hours_and_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
