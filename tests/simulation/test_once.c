// Every record leaves once: as a prediction or as a rejected one, in files on the simulated disk, whatever dies or fails, when
// ever it does.
#include "tests/simulation/outputs.h"

#include <stdlib.h>
#include <string.h>

enum { STORIES = 75, LIVES_MAX = 6 };

// What an undisturbed run of a small world with one partition learns.
static void learn_undisturbed(struct world *world, uint8_t digest_out[RF_SHA256_SIZE]) {
    open_small(world, 1, 1, FEW_RECORDS);
    run_to_end(world, digest_out);
    close_simulated(world);
}

// The life may have come to a bad end only where the disk failed.
static void assert_fit_end(struct world *world, struct life *life) {
    struct rf_worker_report report;
    rf_worker_report(life->worker, &report);
    if (report.status && !rf_disk_simulated_has_failed(world->disk)) {
        fail_msg("the disk did not fail, the worker did: %s", report.sentence);
    }
    assert_true(report.status == RF_OK || strlen(report.sentence) > 10);
}

static void be_born_or_tell_of_the_disk(struct world *world, struct life *life, bool *is_alive_out) {
    *is_alive_out = be_born(world, life) == RF_OK;
    if (!*is_alive_out && !rf_disk_simulated_has_failed(world->disk)) {
        fail_msg("the disk did not fail, but the worker was not born: %s", life->err.text);
    }
    assert_true(*is_alive_out || strlen(life->err.text) > 10);
}

static void live_as_chance_has_it(struct world *world) {
    struct rf_random *random = &world->random;
    struct life life = {0};
    bool is_alive;
    if (rf_random_below(random, 3) == 0) {
        fail_disk(world, 1 + rf_random_below(random, 120));
    }
    be_born_or_tell_of_the_disk(world, &life, &is_alive);
    if (is_alive && live_for(world, &life, rf_random_below(random, rf_random_below(random, 2) ? 12 : 80)) &&
        rf_random_below(random, 6) == 0) {
        rf_worker_stop(life.worker);
        assert_false(live_until(world, &life, UINT64_MAX));
    }
    if (is_alive) {
        assert_fit_end(world, &life);
    }
    die(world, &life);
    fail_disk(world, 0);
    assert_outputs_not_twice(world);
    if (rf_random_below(random, 3) == 0) {
        cut_power(world, rf_random_below(random, 2));
    }
}

// Folds once more what the oldest snapshot does not cover: the same bytes, and the same lines in the same order.
static void assert_oldest_leads_to_the_same(struct world *world, const uint8_t digest[RF_SHA256_SIZE]) {
    struct outputs outputs;
    uint8_t again[RF_SHA256_SIZE];
    copy_outputs(world, &outputs);
    keep_oldest_snapshots(world, 1);
    run_to_end(world, again);
    assert_memory_equal(digest, again, sizeof again);
    assert_outputs_untouched(world, &outputs);
}

static void every_record_leaves_once_whatever_happens(void **state) {
    struct world *world = *state;
    uint8_t undisturbed[RF_SHA256_SIZE], digest[RF_SHA256_SIZE];
    learn_undisturbed(world, undisturbed);
    for (uint64_t seed = 1000; seed < 1000 + STORIES; seed++) {
        int32_t partitions = 1 + (int32_t)(seed % 3);
        open_small(world, partitions, seed, FEW_RECORDS / 2);
        uint64_t lives = 2 + rf_random_below(&world->random, LIVES_MAX - 1);
        for (uint64_t i = 0; i < lives; i++) {
            live_as_chance_has_it(world);
            uint64_t left = FEW_RECORDS - world->produced;
            produce_everywhere(world, rf_random_below(&world->random, left / 2 + 1));
        }
        produce_everywhere(world, FEW_RECORDS - world->produced);
        run_to_end(world, digest);
        if (partitions == 1) {
            assert_memory_equal(undisturbed, digest, sizeof digest);
        }
        assert_oldest_leads_to_the_same(world, digest);
        close_simulated(world);
    }
}

// A life that dies after `turns`, before which another one was `lived` already.
static void die_after(struct world *world, uint64_t lived, uint64_t turns, bool *is_at_end_out) {
    struct life life = {0};
    if (lived) {
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_true(live_for(world, &life, lived));
        die(world, &life);
    }
    assert_int_equal(be_born(world, &life), RF_OK);
    *is_at_end_out = !live_for(world, &life, turns);
    die(world, &life);
}

// Deaths and cuts of power after every turn of a first life, and of one that follows a recorded order.
static void every_record_leaves_once_at_whatever_turn_it_ends(void **state) {
    struct world *world = *state;
    uint8_t undisturbed[RF_SHA256_SIZE], digest[RF_SHA256_SIZE];
    learn_undisturbed(world, undisturbed);
    for (uint64_t lived = 0; lived <= 30; lived += 30) {
        bool is_at_end = false;
        for (uint64_t turns = 0; turns < 40 && !is_at_end; turns++) {
            int32_t partitions = 1 + (int32_t)(turns % 2);
            open_small(world, partitions, 2000 + 100 * lived + turns, FEW_RECORDS);
            die_after(world, lived, turns, &is_at_end);
            if (turns % 4) {
                cut_power(world, turns % 4 == 1);
            }
            run_to_end(world, digest);
            if (partitions == 1) {
                assert_memory_equal(undisturbed, digest, sizeof digest);
            }
            close_simulated(world);
        }
    }
}

// Every call of the disk fails once, in turn: of a first life, and of one that follows a recorded order.
static void every_record_leaves_once_whatever_call_of_the_disk_fails(void **state) {
    struct world *world = *state;
    uint8_t undisturbed[RF_SHA256_SIZE], digest[RF_SHA256_SIZE];
    learn_undisturbed(world, undisturbed);
    for (uint64_t lived = 0; lived <= 30; lived += 30) {
        bool has_failed = true;
        for (uint64_t call = 1; has_failed; call += call > 40 ? 5 : 1) {
            struct life life = {0};
            bool is_alive;
            open_small(world, 1, 3000 + 1000 * lived + call, FEW_RECORDS);
            if (lived) {
                assert_int_equal(be_born(world, &life), RF_OK);
                assert_true(live_for(world, &life, lived));
                die(world, &life);
            }
            fail_disk(world, call);
            be_born_or_tell_of_the_disk(world, &life, &is_alive);
            if (is_alive) {
                assert_false(live_until(world, &life, UINT64_MAX));
                assert_fit_end(world, &life);
            }
            die(world, &life);
            has_failed = rf_disk_simulated_has_failed(world->disk);
            fail_disk(world, 0);
            if (call % 2) {
                cut_power(world, call % 4 == 1);
            }
            run_to_end(world, digest);
            assert_memory_equal(undisturbed, digest, sizeof digest);
            close_simulated(world);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_WORLD(every_record_leaves_once_whatever_happens),
            IN_WORLD(every_record_leaves_once_at_whatever_turn_it_ends),
            IN_WORLD(every_record_leaves_once_whatever_call_of_the_disk_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
