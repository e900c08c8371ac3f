#include "ops/folder.h"
#include "tests/simulation/disk_simulated.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void folder_keeps_its_worker_and_counts_its_starts(void **state) {
    (void)state;
    struct rf_disk *disk = rf_disk_simulated_create();
    struct rf_folder folder;
    struct rf_error err;
    char worker[RF_WORKER_ID_SIZE];
    assert_int_equal(rf_folder_open(disk, "state", &folder, &err), RF_OK);
    assert_int_equal(folder.epoch, 1);
    assert_int_equal(strlen(folder.worker), 32);
    strcpy(worker, folder.worker);
    rf_folder_close(&folder);
    rf_disk_simulated_cut_power(disk); // it was on disk before anything began
    assert_int_equal(rf_folder_open(disk, "state", &folder, &err), RF_OK);
    assert_int_equal(folder.epoch, 2);
    assert_string_equal(folder.worker, worker);
    rf_folder_close(&folder);
    rf_disk_destroy(disk);
}

static void folder_refuses_a_damaged_identity(void **state) {
    (void)state;
    struct rf_disk *disk = rf_disk_simulated_create();
    struct rf_folder folder;
    struct rf_error err;
    assert_int_equal(rf_folder_open(disk, "state", &folder, &err), RF_OK);
    rf_folder_close(&folder);
    assert_true(rf_disk_simulated_damage(disk, "state/worker", 0));
    assert_int_equal(rf_folder_open(disk, "state", &folder, &err), RF_CORRUPT);
    assert_string_equal(err.text, "state/worker is damaged, must read id=<32 hex digits> epoch=<number>");
    rf_disk_destroy(disk);
}

static void put_file(struct rf_disk *disk, const char *path, const char *text) {
    struct rf_error err;
    int handle;
    assert_int_equal(rf_disk_create(disk, path, &handle, &err), RF_OK);
    assert_int_equal(rf_disk_write(disk, path, handle, text, strlen(text), &err), RF_OK);
    assert_int_equal(rf_disk_close(disk, path, handle, &err), RF_OK);
}

static void folder_refuses_an_id_that_is_cut(void **state) {
    (void)state;
    struct rf_disk *disk = rf_disk_simulated_create();
    struct rf_folder folder;
    struct rf_error err;
    put_file(disk, "state/worker", "id=abc epoch=1\n");
    assert_int_equal(rf_folder_open(disk, "state", &folder, &err), RF_CORRUPT);
    rf_disk_destroy(disk);
}

// They may be what fills the disk.
static void folder_is_rid_of_what_was_left_half_written(void **state) {
    (void)state;
    struct rf_disk *disk = rf_disk_simulated_create();
    struct rf_folder folder;
    struct rf_error err;
    const char *data;
    size_t size;
    put_file(disk, "state/snapshot.tmp", "RIFF");
    put_file(disk, "state/worker.tmp", "id=");
    assert_int_equal(rf_folder_open(disk, "state", &folder, &err), RF_OK);
    assert_false(rf_disk_simulated_peek(disk, "state/snapshot.tmp", &data, &size));
    assert_false(rf_disk_simulated_peek(disk, "state/worker.tmp", &data, &size));
    rf_folder_close(&folder);
    rf_disk_destroy(disk);
}

static void folder_goes_beyond_an_epoch_that_a_snapshot_is_of(void **state) {
    (void)state;
    struct rf_disk *disk = rf_disk_simulated_create();
    struct rf_folder folder;
    struct rf_error err;
    uint32_t epoch;
    assert_int_equal(rf_folder_open(disk, "state", &folder, &err), RF_OK);
    assert_int_equal(rf_folder_pass_epoch(&folder, 0, &err), RF_OK);
    assert_int_equal(folder.epoch, 1);
    assert_int_equal(rf_folder_pass_epoch(&folder, 7, &err), RF_OK);
    assert_int_equal(folder.epoch, 8);
    rf_disk_simulated_cut_power(disk);
    assert_int_equal(rf_folder_epoch(disk, "state", &epoch, &err), RF_OK);
    assert_int_equal(epoch, 8);
    assert_int_equal(rf_folder_pass_epoch(&folder, UINT32_MAX, &err), RF_CORRUPT);
    rf_folder_close(&folder);
    rf_disk_destroy(disk);
}

static void folder_is_held_by_one_worker_at_a_time(void **state) {
    (void)state;
    char path[] = "/tmp/riffle-folder-XXXXXX";
    assert_non_null(mkdtemp(path));
    struct rf_disk *disk;
    struct rf_folder first, second;
    struct rf_error err;
    assert_int_equal(rf_disk_posix_create(&disk, &err), RF_OK);
    assert_int_equal(rf_folder_open(disk, path, &first, &err), RF_OK);
    assert_int_equal(rf_folder_open(disk, path, &second, &err), RF_BUSY);
    char expected[256];
    snprintf(expected, sizeof expected, "state folder %s is held by another worker; stop it, or give this one another folder",
             path);
    assert_string_equal(err.text, expected);
    rf_folder_close(&first);
    assert_int_equal(rf_folder_open(disk, path, &second, &err), RF_OK);
    rf_folder_close(&second);
    assert_int_equal(rf_disk_remove(disk, strcat(strcpy(expected, path), "/lock"), &err), RF_OK);
    assert_int_equal(rf_disk_remove(disk, strcat(strcpy(expected, path), "/worker"), &err), RF_OK);
    assert_int_equal(rmdir(path), 0);
    rf_disk_destroy(disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(folder_keeps_its_worker_and_counts_its_starts),
            cmocka_unit_test(folder_refuses_a_damaged_identity),
            cmocka_unit_test(folder_refuses_an_id_that_is_cut),
            cmocka_unit_test(folder_is_rid_of_what_was_left_half_written),
            cmocka_unit_test(folder_goes_beyond_an_epoch_that_a_snapshot_is_of),
            cmocka_unit_test(folder_is_held_by_one_worker_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
