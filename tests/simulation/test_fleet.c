// Fleets of workers: one, some, many; well, and with all that can befall them.
#include "tests/simulation/fleet_world.h"
#include "tests/simulation/play.h"

#include "ops/fleet_worker_internal.h"

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

// Joining from a snapshot.

static struct fleet_world *open_keeping(size_t size, int32_t partitions, uint64_t seed) {
    struct fleet_world *world = malloc(sizeof *world);
    fleet_open(world, size, partitions, seed);
    world->snapshot_deltas = 5;
    return world;
}

static uint64_t kept_by(const struct fleet_world *world, size_t member) {
    return atomic_load(&world->members[member].worker->snapshots_kept);
}

static void who_joins_late_begins_with_a_snapshot(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct fleet_world *world = open_keeping(3, 4, seed);
        fleet_produce(world, 1500);
        give_birth_to(world, 1);
        fleet_settle(world);
        fleet_turns(world, 2000);
        assert_true(kept_by(world, 0) > 0);
        give_birth_to(world, 3);
        assert_int_equal(world->taken_up, 2);
        fleet_produce(world, 500);
        fleet_settle(world);
        fleet_assert(world);
        fleet_close(world);
        free(world);
    }
}

static void deltas_before_the_snapshots_kept_are_not_needed(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct fleet_world *world = open_keeping(4, 4, seed);
        world->forgets = true;
        fleet_produce(world, 2000);
        give_birth_to(world, 1);
        fleet_settle(world);
        fleet_turns(world, 5000);
        assert_true(simulated_cluster_first(world->cluster, "fraud.deltas", 0) > 0);
        assert_true(simulated_cluster_first(world->cluster, "fraud.snapshots", 0) > 0);
        fleet_death(world, 0);
        give_birth_to(world, 4);
        assert_int_equal(world->taken_up, 4);
        fleet_produce(world, 500);
        fleet_settle(world);
        fleet_assert(world);
        fleet_close(world);
        free(world);
    }
}

// Whatever is left of a snapshot that was being sent is none.
static void a_snapshot_without_its_manifest_is_passed_over(void **state) {
    (void)state;
    struct fleet_world *world = open_keeping(2, 2, 7);
    fleet_produce(world, 1000);
    give_birth_to(world, 1);
    struct rf_fleet_worker *worker = world->members[0].worker;
    for (uint64_t turns = 0;
         kept_by(world, 0) < 2 || !atomic_load(&worker->is_base_frozen) || worker->keeping.manifest.chunks < 2; turns++) {
        assert_true(turns < 100000);
        fleet_turn(world);
        if (turns % 100 == 0) {
            fleet_produce(world, 20);
        }
    }
    uint64_t interrupted = worker->keeping.manifest.number;
    fleet_death(world, 0);
    give_birth_to(world, 2);
    assert_int_equal(world->taken_up, 2);
    assert_true(world->members[1].worker->keeping.number < interrupted);
    fleet_settle(world);
    fleet_assert(world);
    fleet_close(world);
    free(world);
}

// A manifest that promises other bytes than its chunks hold, and one of nothing.
static void a_damaged_snapshot_falls_back_to_the_one_before(void **state) {
    (void)state;
    struct fleet_world *world = open_keeping(2, 2, 8);
    fleet_produce(world, 1000);
    give_birth_to(world, 1);
    fleet_settle(world);
    fleet_turns(world, 2000);
    struct rf_fleet_snapshot_entry entry;
    struct rf_error err;
    const struct rf_record *record, *last = NULL;
    int64_t offset = 0;
    while ((record = simulated_cluster_next(world->cluster, "fraud.snapshots", 0, &offset)) != NULL) {
        last = record;
    }
    assert_non_null(last);
    assert_int_equal(rf_fleet_snapshot_read(last->value, &entry, &err), RF_OK);
    assert_true(entry.has_manifest);
    struct rf_fleet_snapshot manifest = entry.manifest;
    rf_fleet_snapshot_finish(&entry);
    uint64_t good = manifest.number;
    manifest.number += 100;
    for (uint32_t i = 0; i < 3; i++) {
        uint8_t *bytes;
        size_t size;
        snprintf(manifest.name, sizeof manifest.name, "damaged-%u", (unsigned)i);
        const struct rf_fleet_snapshot_chunk chunk = {manifest.name, i, rf_text_of("these are none of its bytes")};
        manifest.chunks = 1;
        assert_int_equal(rf_fleet_snapshot_chunk_bytes(&chunk, &bytes, &size, &err), RF_OK);
        simulated_cluster_produce(world->cluster, "fraud.snapshots", 0, (struct rf_text){0},
                                  (struct rf_text){(const char *)bytes, size}, 0);
        free(bytes);
        assert_int_equal(rf_fleet_snapshot_bytes(&manifest, &bytes, &size, &err), RF_OK);
        simulated_cluster_produce(world->cluster, "fraud.snapshots", 0, (struct rf_text){0},
                                  (struct rf_text){(const char *)bytes, size}, 0);
        free(bytes);
    }
    simulated_cluster_produce(world->cluster, "fraud.snapshots", 0, (struct rf_text){0}, rf_text_of("\xff no entry"), 0);
    fleet_birth(world, 1);
    assert_int_equal(world->members[1].worker->keeping.number, good);
    fleet_settle(world);
    fleet_assert(world);
    fleet_close(world);
    free(world);
}

static void a_log_without_its_beginning_and_without_a_snapshot_is_refused(void **state) {
    (void)state;
    struct fleet_world *world = open_keeping(1, 2, 9);
    fleet_produce(world, 1000);
    give_birth_to(world, 1);
    fleet_settle(world);
    fleet_death(world, 0);
    simulated_cluster_cut(world->cluster, "fraud.deltas", 0, 20);
    simulated_cluster_cut(world->cluster, "fraud.snapshots", 0, simulated_cluster_end(world->cluster, "fraud.snapshots", 0));
    struct rf_error err;
    assert_int_equal(fleet_try_birth(world, 0, &err), RF_CONFLICT);
    assert_string_equal(err.text, "fraud.deltas begins at offset 20: what stood before was deleted, and there is no snapshot of "
                                  "base to begin with");
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
static uint64_t seed_played, taken_up, left_behind;

static void play(uint64_t seed, size_t size, int32_t partitions, uint64_t turns) {
    struct fleet_world *world = malloc(sizeof *world);
    seed_played = seed;
    fleet_open(world, size, partitions, seed);
    world->is_eager = seed % 3 == 0;
    world->snapshot_deltas = seed % 5 ? 1 + seed % 4 : 0;
    world->snapshot_faults = seed % 4 == 3 ? 0 : 50 + seed;
    world->forgets = seed % 4 == 1;
    fleet_produce(world, 300);
    give_birth_to(world, size);
    fleet_faults(world, seed % 4 == 0 ? 0 : 20 + seed % 50);
    for (uint64_t turn = 0; turn < turns; turn++) {
        fleet_turns(world, rf_random_below(&world->random, 400) * (uint64_t)size);
        befall(world);
    }
    fleet_settle(world);
    fleet_assert(world);
    taken_up += world->taken_up;
    left_behind += world->left_behind;
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
    print_message("%" PRIu64 " began with a snapshot, %" PRIu64 " were left behind by what was deleted\n", taken_up, left_behind);
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
            cmocka_unit_test(who_joins_late_begins_with_a_snapshot),
            cmocka_unit_test(deltas_before_the_snapshots_kept_are_not_needed),
            cmocka_unit_test(a_snapshot_without_its_manifest_is_passed_over),
            cmocka_unit_test(a_damaged_snapshot_falls_back_to_the_one_before),
            cmocka_unit_test(a_log_without_its_beginning_and_without_a_snapshot_is_refused),
            cmocka_unit_test_teardown(whatever_befalls_a_fleet_each_record_is_learned_once, tell_seed),
            cmocka_unit_test_teardown(many_workers_learn_each_record_once, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
