// What a start finds is not what the life before it left: snapshots that are damaged or cannot be read, sinks that were left out
// for a while, a log that is another one.
#include "ops/chain.h"
#include "tests/simulation/outputs.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = 10 };

static void live_to(struct world *world, uint64_t records) {
    struct life life = {0};
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_true(live_until(world, &life, records));
    die(world, &life);
}

// The calls of the disk up to the end of a start.
static uint64_t calls_of_a_start(struct world *world) {
    struct life life = {0};
    uint64_t before = rf_disk_simulated_calls(world->disk);
    assert_int_equal(be_born(world, &life), RF_OK);
    uint64_t calls = rf_disk_simulated_calls(world->disk) - before;
    die(world, &life);
    return calls;
}

// Whichever call of a start fails, and wherever the life it begins ends: the next start goes on.
static void a_start_on_a_disk_that_fails_once_leaves_a_good_one_possible(void **state) {
    struct world *world = *state;
    uint64_t calls = 1;
    for (uint64_t call = 1; call <= calls; call++) {
        struct life life = {0};
        uint8_t digest[RF_SHA256_SIZE];
        open_small(world, 2, call, FEW_RECORDS);
        live_to(world, 250);
        calls = calls_of_a_start(world);
        fail_disk(world, call);
        if (be_born(world, &life) == RF_OK) {
            live_for(world, &life, 1);
        }
        die(world, &life);
        fail_disk(world, 0);
        run_to_end(world, digest);
        close_simulated(world);
    }
}

static void damage_newest_snapshot(struct world *world) {
    struct rf_error err;
    char **names, path[256];
    size_t count;
    assert_int_equal(rf_disk_list(world->disk, "state", "snapshot-", ".riffle", &names, &count, &err), RF_OK);
    snprintf(path, sizeof path, "state/%s", names[count - 1]);
    assert_true(rf_disk_simulated_damage(world->disk, path, 100));
    rf_disk_names_destroy(names, count);
    tell(world, "; %s damaged", path);
}

static void an_older_snapshot_leads_to_the_same_lines(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 100; seed < 100 + SEEDS; seed++) {
        uint8_t digest[RF_SHA256_SIZE];
        open_small(world, 2, seed, FEW_RECORDS);
        live_to(world, 380 + 10 * (seed - 100));
        damage_newest_snapshot(world);
        live_to(world, 390 + 10 * (seed - 100));
        run_to_end(world, digest);
        close_simulated(world);
    }
}

// The newest snapshots were taken away: what grows from an older one is on record beside them.
static void snapshots_behind_removed_ones_join_the_chain(void **state) {
    struct world *world = *state;
    uint8_t digest[RF_SHA256_SIZE];
    struct rf_chain_report report;
    struct rf_error err;
    open_small(world, 2, 7, FEW_RECORDS);
    live_to(world, 380);
    assert_in_range(keep_oldest_snapshots(world, 1), 3, 100);
    run_to_end(world, digest);
    if (rf_chain_verify(world->disk, "state", &report, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(report.snapshots, keep_oldest_snapshots(world, SIZE_MAX));
    close_simulated(world);
}

// The older snapshot does not know how long the file was when the sink was added.
static void an_older_snapshot_that_does_not_know_a_sink_repeats_nothing(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 200; seed < 200 + SEEDS; seed++) {
        struct life life = {0};
        struct outputs outputs;
        open_small(world, 2, seed, FEW_RECORDS);
        live_to(world, 250);
        world->sinks[1] = "out/more";
        tell(world, "; out/more added");
        live_to(world, 290); // with the first snapshot that knows it, at about 200
        damage_newest_snapshot(world);
        copy_outputs(world, &outputs);
        if (be_born(world, &life) == RF_OK) { // to refuse is as well
            live_to_end(world, &life);
            assert_outputs_not_twice(world);
            free_outputs(&outputs);
            copy_outputs(world, &outputs);
        }
        die(world, &life);
        assert_outputs_untouched(world, &outputs);
        close_simulated(world);
    }
}

// Snapshots that were taken meanwhile do not tell how far its file goes.
static void a_sink_that_was_left_out_for_a_while_is_refused_with_what_it_holds(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 300; seed < 300 + SEEDS; seed++) {
        struct life life = {0};
        struct outputs outputs;
        open_small(world, 2, seed, FEW_RECORDS);
        world->sinks[1] = "out/more";
        live_to(world, 250);
        world->sinks[1] = NULL;
        world->sinks[2] = "out/others"; // so that a snapshot is taken at once
        tell(world, "; out/more left out, out/others added");
        live_to(world, 260);
        world->sinks[1] = "out/more";
        tell(world, "; out/more added");
        copy_outputs(world, &outputs);
        assert_int_equal(be_born(world, &life), RF_CONFLICT);
        assert_non_null(strstr(life.err.text, "sink file:out/more holds "));
        die(world, &life);
        assert_outputs_untouched(world, &outputs);
        close_simulated(world);
    }
}

static void a_log_that_was_made_anew_and_has_grown_is_refused(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 400; seed < 400 + SEEDS; seed++) {
        struct life life = {0};
        struct outputs outputs;
        struct rf_worker_report report = {0};
        open_small(world, 1, seed, FEW_RECORDS);
        live_to(world, 250);
        simulated_kafka_make_anew(world->kafka, 0);
        produce(world, 0, 2 * FEW_RECORDS);
        copy_outputs(world, &outputs);
        if (be_born(world, &life) == RF_OK) {
            assert_false(live_until(world, &life, UINT64_MAX));
            rf_worker_report(life.worker, &report);
        }
        const char *sentence = life.worker ? report.sentence : life.err.text;
        assert_non_null(strstr(sentence, "of cards [0] holds another record than the one that was learned"));
        die(world, &life);
        assert_outputs_untouched(world, &outputs);
        close_simulated(world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_WORLD(a_start_on_a_disk_that_fails_once_leaves_a_good_one_possible),
            IN_WORLD(an_older_snapshot_leads_to_the_same_lines),
            IN_WORLD(snapshots_behind_removed_ones_join_the_chain),
            IN_WORLD(an_older_snapshot_that_does_not_know_a_sink_repeats_nothing),
            IN_WORLD(a_sink_that_was_left_out_for_a_while_is_refused_with_what_it_holds),
            IN_WORLD(a_log_that_was_made_anew_and_has_grown_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
