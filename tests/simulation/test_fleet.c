// Fleets of workers: one, some, many; well, and with all that can befall them.
#include "tests/simulation/fleet_world.h"
#include "tests/simulation/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void give_birth_to(struct fleet_world *world, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!world->members[i].worker) {
            fleet_birth(world, i);
        }
    }
}

static void one_worker_learns_all(void **state) {
    (void)state;
    struct fleet_world *world = malloc(sizeof *world);
    fleet_open(world, 1, 3, 1);
    fleet_produce(world, 1000);
    fleet_birth(world, 0);
    fleet_settle(world);
    fleet_assert(world);
    assert_int_equal(rf_replica_voids(rf_fleet_worker_replica(world->members[0].worker)), 0);
    fleet_close(world);
    free(world);
}

static void some_workers_learn_all_once(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct fleet_world *world = malloc(sizeof *world);
        fleet_open(world, 4, 6, seed);
        world->is_eager = seed % 2;
        fleet_produce(world, 1000);
        give_birth_to(world, 4);
        fleet_turns(world, 5000);
        fleet_produce(world, 500);
        fleet_settle(world);
        fleet_assert(world);
        fleet_close(world);
        free(world);
    }
}

static void workers_come_and_go(void **state) {
    (void)state;
    struct fleet_world *world = malloc(sizeof *world);
    fleet_open(world, 8, 16, 5);
    for (size_t n = 1; n <= 8; n++) {
        fleet_produce(world, 300);
        give_birth_to(world, n);
        fleet_turns(world, 3000 * n);
    }
    for (size_t n = 7; n >= 1; n--) {
        fleet_produce(world, 300);
        fleet_stop(world, n);
        fleet_turns(world, 3000 * n);
    }
    fleet_settle(world);
    fleet_assert(world);
    fleet_close(world);
    free(world);
}

// What can befall a fleet.
static void befall(struct fleet_world *world) {
    size_t index = rf_random_below(&world->random, world->size);
    struct fleet_member *member = &world->members[index];
    switch (rf_random_below(&world->random, 8)) {
    case 0:
        if (member->worker) {
            fleet_death(world, index);
        }
        break;
    case 1:
        if (member->worker) {
            fleet_freeze(world, index, (int64_t)rf_random_below(&world->random, 2 * FLEET_SESSION_MS));
        }
        break;
    case 2:
        fleet_produce(world, rf_random_below(&world->random, 60));
        break;
    default:
        if (!member->worker) {
            fleet_birth(world, index);
        }
    }
}

// A test that fails says which seed it was: RF_SEED=... plays it alone, and RF_FLEET_LOG=FILE has the workers tell their stories.
static uint64_t seed_played;

static void play(uint64_t seed, size_t size, int32_t partitions, uint64_t turns) {
    struct fleet_world *world = malloc(sizeof *world);
    seed_played = seed;
    fleet_open(world, size, partitions, seed);
    world->is_eager = seed % 3 == 0;
    fleet_produce(world, 300);
    give_birth_to(world, size);
    fleet_faults(world, seed % 4 == 0 ? 0 : 20 + seed % 50);
    for (uint64_t turn = 0; turn < turns; turn++) {
        fleet_turns(world, rf_random_below(&world->random, 400) * (uint64_t)size);
        befall(world);
    }
    fleet_settle(world);
    fleet_assert(world);
    fleet_close(world);
    free(world);
}

static void whatever_befalls_a_fleet_each_record_is_learned_once(void **state) {
    (void)state;
    const char *asked = getenv("RF_SEED"), *wanted = getenv("RF_SEEDS"); // to begin with another one, and how many
    uint64_t first = asked ? strtoull(asked, NULL, 10) : 1, count = asked ? 1 : 2000 / SLOWNESS;
    count = wanted ? strtoull(wanted, NULL, 10) : count;
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (asked || seed % 100 == 0) {
            print_message("seed %" PRIu64 "\n", seed);
        }
        play(seed, 2 + seed % 5, 1 + (int32_t)(seed % 7), 40);
    }
}

static void many_workers_learn_each_record_once(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 8 / (SLOWNESS > 1 ? 8 : 1); seed++) {
        play(1000000 + seed, FLEET_MAX, 80, 12);
    }
}

static int tell_seed(void **state) {
    (void)state;
    print_message("the last seed was %" PRIu64 "\n", seed_played);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(one_worker_learns_all),
            cmocka_unit_test(some_workers_learn_all_once),
            cmocka_unit_test(workers_come_and_go),
            cmocka_unit_test_teardown(whatever_befalls_a_fleet_each_record_is_learned_once, tell_seed),
            cmocka_unit_test_teardown(many_workers_learn_each_record_once, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
