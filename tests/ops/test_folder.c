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
            cmocka_unit_test(folder_is_held_by_one_worker_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
