// A worker as a state machine over a simulated Kafka, disk and clock, in one thread.
#include "proto/random.h"
#include "tests/simulation/life.h"

#include <stdio.h>
#include <string.h>

static void deaths_leave_the_bytes_of_the_undisturbed_run(void **state) {
    struct world *world = *state;
    uint8_t whole[RF_SHA256_SIZE], broken[RF_SHA256_SIZE];
    open_simulated(world, 1, 1);
    run_script(world, NULL, 0, whole);
    close_simulated(world);
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct rf_random random;
        rf_random_init(&random, seed);
        uint64_t deaths[5];
        for (size_t i = 0; i < 5; i++) {
            deaths[i] = 1 + rf_random_below(&random, RECORDS - 1);
        }
        open_simulated(world, 1, seed);
        run_script(world, deaths, 5, broken);
        assert_memory_equal(whole, broken, sizeof whole);
        assert_int_equal(simulated_kafka_committed(world->kafka, 0), RECORDS);
        close_simulated(world);
    }
}

// With several partitions the recorded schedule is followed, so the bytes after a death are those of a fold in the recorded
// order: a second worker that follows the same schedule from nothing comes to the same.
static void several_partitions_fold_in_the_recorded_order(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 100; seed < 108; seed++) {
        struct life life = {0};
        uint8_t first[RF_SHA256_SIZE], again[RF_SHA256_SIZE];
        const uint64_t deaths[] = {500 + seed, 2000 + 7 * seed, 3000 + 3 * seed};
        open_simulated(world, 3, seed);
        run_script(world, deaths, 3, first);

        // Remove all snapshots but the first, of the untaught model: the whole order is folded again.
        assert_int_equal(keep_oldest_snapshots(world, 1), 3);
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_true(records_of(&life) < RECORDS);
        assert_false(live_until(world, &life, UINT64_MAX));
        assert_all_once(world, &life);
        digest_of(&life, again);
        assert_memory_equal(first, again, sizeof first);
        die(world, &life);
        close_simulated(world);
    }
}

static void a_cut_of_power_at_any_instant_loses_nothing_and_repeats_nothing(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 200; seed < 208; seed++) {
        struct life life = {0};
        uint8_t digest[RF_SHA256_SIZE];
        open_simulated(world, 2, seed);
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_true(live_until(world, &life, 300 + 80 * (seed - 200)));
        die(world, &life);
        cut_power(world, false);
        run_script(world, NULL, 0, digest);
        close_simulated(world);
    }
}

// Every call of the disk fails once, in turn: the worker either goes on or ends with a sentence, and the next one comes to
// the same end.
static void a_disk_that_fails_anywhere_damages_nothing(void **state) {
    struct world *world = *state;
    uint8_t whole[RF_SHA256_SIZE], broken[RF_SHA256_SIZE];
    open_simulated(world, 1, 1);
    run_script(world, NULL, 0, whole);
    uint64_t calls = rf_disk_simulated_calls(world->disk);
    close_simulated(world);
    assert_in_range(calls, 50, 5000);
    for (uint64_t call = 1; call <= calls; call += 1 + calls / 40) {
        struct life life = {0};
        open_simulated(world, 1, 1);
        fail_disk(world, call);
        if (be_born(world, &life) == RF_OK) {
            live_until(world, &life, UINT64_MAX);
            struct rf_worker_report report;
            rf_worker_report(life.worker, &report);
            assert_true(report.status == RF_OK || strlen(report.sentence) > 10);
        } else {
            assert_true(strlen(life.err.text) > 10);
        }
        die(world, &life);
        fail_disk(world, 0);
        run_script(world, NULL, 0, broken);
        assert_memory_equal(whole, broken, sizeof whole);
        close_simulated(world);
    }
}

// Blocks that contradict one another, in a snapshot whose checksum is right: the learner cannot have written it.
static void poison(struct life *life) {
    struct rf_block *ticks = rf_state_find(rf_pipeline_state(rf_worker_pipeline(life->worker)), "linear.ticks");
    assert_non_null(ticks);
    assert_string_equal(ticks->columns[0].name, "steps");
    memset(ticks->data, 0, sizeof(uint64_t));
}

static size_t count_snapshots(struct world *world) {
    return keep_oldest_snapshots(world, SIZE_MAX);
}

static void a_snapshot_whose_blocks_do_not_hold_together_is_passed_over(void **state) {
    struct world *world = *state;
    struct life life = {0};
    uint8_t whole[RF_SHA256_SIZE], broken[RF_SHA256_SIZE];
    open_simulated(world, 1, 1);
    run_script(world, NULL, 0, whole);
    close_simulated(world);

    open_simulated(world, 1, 1);
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_true(live_until(world, &life, 1000)); // after the snapshots at 0 and 700
    assert_int_equal(count_snapshots(world), 2);
    poison(&life);
    assert_true(live_until(world, &life, 1700)); // after that at 1400
    assert_int_equal(count_snapshots(world), 3);
    die(world, &life);
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_in_range(records_of(&life), 700, 1000);
    assert_false(live_until(world, &life, UINT64_MAX));
    assert_all_once(world, &life);
    digest_of(&life, broken);
    assert_memory_equal(whole, broken, sizeof whole);
    die(world, &life);
    close_simulated(world);
}

static void a_model_whose_snapshots_all_do_not_hold_together_is_refused(void **state) {
    struct world *world = *state;
    struct life life = {0};
    open_simulated(world, 1, 1);
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_true(live_until(world, &life, 300));
    poison(&life);
    assert_true(live_until(world, &life, 3000)); // those of 0 and 700 are thinned out
    assert_int_equal(count_snapshots(world), 3);
    die(world, &life);
    assert_int_equal(be_born(world, &life), RF_CORRUPT);
    assert_non_null(strstr(life.err.text, "none of the 3 snapshots in state verifies (state/snapshot-"));
    assert_non_null(strstr(life.err.text, ": learner linear: the optimizer has taken "));
    die(world, &life);
    close_simulated(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_WORLD(deaths_leave_the_bytes_of_the_undisturbed_run),
            IN_WORLD(several_partitions_fold_in_the_recorded_order),
            IN_WORLD(a_cut_of_power_at_any_instant_loses_nothing_and_repeats_nothing),
            IN_WORLD(a_disk_that_fails_anywhere_damages_nothing),
            IN_WORLD(a_snapshot_whose_blocks_do_not_hold_together_is_passed_over),
            IN_WORLD(a_model_whose_snapshots_all_do_not_hold_together_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
