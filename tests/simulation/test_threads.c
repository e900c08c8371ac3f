// The same worker with its three threads, the machine's disk and clock, and the simulated Kafka: what the thread sanitizer
// looks at.
#include "tests/simulation/life.h"

#include <stdio.h>
#include <stdlib.h>

// Starts the threads and waits for their end; stops them once `records` are applied.
static void run_threads(struct life *life, uint64_t records) {
    struct rf_worker_report report;
    assert_int_equal(rf_worker_start(life->worker, &life->err), RF_OK);
    do {
        rf_clock_system()->sleep_ms(rf_clock_system(), 1);
        rf_worker_report(life->worker, &report);
        if (report.counts.records >= records) {
            rf_worker_stop(life->worker);
        }
    } while (!report.is_done);
    assert_string_equal(report.sentence, "");
}

// A world with the machine's disk and clock.
static void open_real(struct world *world, int32_t partitions, uint64_t seed) {
    open_simulated(world, partitions, seed);
    rf_disk_destroy(world->disk);
    world->disk = NULL;
    world->real_clock = rf_clock_system();
    snprintf(world->folder, sizeof world->folder, "/tmp/riffle-threads-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
}

static void close_real(struct world *world) {
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", world->folder);
    assert_int_equal(system(command), 0);
    simulated_kafka_destroy(world->kafka);
}

static void threads_give_the_bytes_of_one_thread(void **state) {
    (void)state;
    struct world world;
    struct life life = {0};
    uint8_t expected[RF_SHA256_SIZE], found[RF_SHA256_SIZE];
    open_simulated(&world, 1, 3);
    run_script(&world, NULL, 0, expected);
    close_simulated(&world);

    open_real(&world, 1, 4);
    assert_int_equal(be_born(&world, &life), RF_OK);
    run_threads(&life, UINT64_MAX);
    assert_all_once(&world, &life);
    digest_of(&life, found);
    assert_memory_equal(expected, found, sizeof expected);
    assert_int_equal(simulated_kafka_committed(world.kafka, 0), RECORDS);
    die(&world, &life);
    close_real(&world);
}

static void threads_stop_when_asked_and_go_on_later(void **state) {
    (void)state;
    struct world world;
    struct life life = {0};
    open_real(&world, 4, 5);
    for (uint64_t records = 500; records <= 2000; records += 500) {
        assert_int_equal(be_born(&world, &life), RF_OK);
        run_threads(&life, records);
        die(&world, &life);
    }
    assert_int_equal(be_born(&world, &life), RF_OK);
    run_threads(&life, UINT64_MAX);
    assert_all_once(&world, &life);
    die(&world, &life);
    close_real(&world);
}

// The fold stands still for the source thread, more than once.
static void threads_take_up_partitions_that_come(void **state) {
    (void)state;
    struct world world;
    struct life life = {0};
    open_real(&world, 2, 6);
    world.goes_on = true;
    for (int32_t partition = 2; partition < 5; partition++) {
        simulated_kafka_add(world.kafka, "cards", partition);
        simulated_kafka_hide(world.kafka, (size_t)partition, (uint64_t)partition);
        produce(&world, (size_t)partition, 100);
    }
    assert_int_equal(be_born(&world, &life), RF_OK);
    run_threads(&life, world.produced);
    assert_all_once(&world, &life);
    die(&world, &life);
    close_real(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(threads_give_the_bytes_of_one_thread),
            cmocka_unit_test(threads_stop_when_asked_and_go_on_later),
            cmocka_unit_test(threads_take_up_partitions_that_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
