// Logs that are not what they were, or grow: what is lost is refused before anything is touched, or gone on with, on record, in a
// new line of the model; partitions that come are read, at the next start or while the worker runs.
#include "ops/chain.h"
#include "tests/simulation/outputs.h"

#include <string.h>

enum { SEEDS = 24, LIVES_MAX = 4, PARTITIONS = 3 };

// What may happen to a partition.
enum change { CUT, ANEW_EMPTY, ANEW_SHORTER, ANEW_LONGER, CHANGE_COUNT };

static const char *const words_of[CHANGE_COUNT] = {
        [CUT] = "of cards [1] is no longer there: the log holds ",
        [ANEW_EMPTY] = "of cards [1] is beyond the end: the log holds 0 to 0",
        [ANEW_SHORTER] = "of cards [1] is beyond the end: the log holds 0 to 3",
        [ANEW_LONGER] = "of cards [1] holds another record than the one that was learned",
};

static struct rf_position *position_of(struct life *life, size_t partition) {
    return &rf_pipeline_positions(rf_worker_pipeline(life->worker))->list[partition];
}

static uint32_t line_of(struct life *life) {
    return rf_pipeline_version(rf_worker_pipeline(life->worker)).line;
}

// A world where something was learned, and more since the last snapshot.
static void open_interrupted(struct world *world, int32_t partitions, uint64_t seed) {
    struct life life = {0};
    open_small(world, partitions, seed, FEW_RECORDS);
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_true(live_until(world, &life, 330 + seed % 100));
    die(world, &life);
}

static void change_log(struct world *world, enum change change, size_t partition) {
    int64_t end = simulated_kafka_end(world->kafka, partition);
    tell(world, "; change %d of partition %zu", (int)change, partition);
    if (change == CUT) {
        produce(world, partition, 40);
        simulated_kafka_cut(world->kafka, partition, end + 10);
        return;
    }
    simulated_kafka_make_anew(world->kafka, partition);
    produce(world, partition, change == ANEW_EMPTY ? 0 : change == ANEW_SHORTER ? 3 : (uint64_t)end + 50);
}

static void a_log_that_changed_is_refused_before_any_file_is_touched(void **state) {
    struct world *world = *state;
    for (enum change change = 0; change < CHANGE_COUNT; change++) {
        for (uint64_t seed = 0; seed < SEEDS / 4; seed++) {
            struct life life = {0};
            struct outputs outputs;
            open_interrupted(world, PARTITIONS, seed);
            change_log(world, change, 1);
            copy_outputs(world, &outputs);
            assert_int_equal(be_born(world, &life), RF_CONFLICT);
            assert_non_null(strstr(life.err.text, words_of[change]));
            assert_non_null(strstr(life.err.text, "source.on_offset_lost"));
            die(world, &life);
            assert_outputs_untouched(world, &outputs);
            close_simulated(world);
        }
    }
}

static void all_that_changed_is_counted_in_the_sentence(void **state) {
    struct world *world = *state;
    struct life life = {0};
    open_interrupted(world, PARTITIONS, 1);
    change_log(world, ANEW_LONGER, 1);
    change_log(world, ANEW_SHORTER, 2);
    assert_int_equal(be_born(world, &life), RF_CONFLICT);
    assert_non_null(strstr(life.err.text, words_of[ANEW_LONGER]));
    assert_non_null(strstr(life.err.text, "(and 1 more)"));
    die(world, &life);
    close_simulated(world);
}

// Lives that end by chance, then one to the end. All of them go on from the same place.
static void live_on(struct world *world, struct life *life, const struct rf_position *begun) {
    for (uint64_t lives = rf_random_below(&world->random, LIVES_MAX); lives > 0; lives--) {
        live_for(world, life, rf_random_below(&world->random, 30));
        die(world, life);
        if (rf_random_below(&world->random, 4) == 0) {
            cut_power(world, rf_random_below(&world->random, 2));
        }
        assert_int_equal(be_born(world, life), RF_OK);
        assert_true(position_of(life, 1)->next_offset >= begun->next_offset);
        assert_int_equal(position_of(life, 1)->records - begun->records, position_of(life, 1)->next_offset - begun->next_offset);
    }
    live_to_end(world, life);
}

static void assert_chain_holds(struct world *world, uint64_t lines) {
    struct rf_chain_report report;
    struct rf_error err;
    assert_int_equal(rf_chain_verify(world->disk, "state", &report, &err), RF_OK);
    assert_int_equal(report.lines, lines);
}

// Whatever was lost: the model goes on at the log's beginning or end, once, in a line of its own.
static void lost_positions_move_once_and_on_record(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 100; seed < 100 + 2 * SEEDS; seed++) {
        struct life life = {0};
        enum change change = (enum change)(seed % CHANGE_COUNT);
        bool is_earliest = seed / CHANGE_COUNT % 2;
        open_interrupted(world, PARTITIONS, seed);
        change_log(world, change, 1);
        world->on_offset_lost = is_earliest ? RF_OFFSET_LOST_EARLIEST : RF_OFFSET_LOST_LATEST;
        int64_t end = simulated_kafka_end(world->kafka, 1);
        int64_t first = change == CUT ? end - 30 : 0;
        assert_int_equal(be_born(world, &life), RF_OK);
        struct rf_metrics *metrics = rf_pipeline_metrics(rf_worker_pipeline(life.worker));
        assert_int_equal(rf_metrics_get(metrics, RF_METRIC_offsets_lost_total, 0), 1);
        struct rf_position begun = *position_of(&life, 1);
        assert_int_equal(begun.next_offset, is_earliest ? first : end);
        live_on(world, &life, &begun);
        assert_int_equal(line_of(&life), 2);
        assert_int_equal(position_of(&life, 1)->next_offset, end);
        assert_int_equal(position_of(&life, 1)->records, begun.records + (uint64_t)(end - begun.next_offset));
        for (size_t i = 0; i < PARTITIONS; i += 2) {
            assert_int_equal(position_of(&life, i)->records, simulated_kafka_end(world->kafka, i));
        }
        die(world, &life);
        assert_chain_holds(world, 2);
        world->on_offset_lost = RF_OFFSET_LOST_FAIL; // it is done
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_int_equal(line_of(&life), 2);
        die(world, &life);
        close_simulated(world);
    }
}

// Of one partition there is one order, so the bytes tell.
static void after_a_loss_deaths_do_not_show(void **state) {
    struct world *world = *state;
    uint8_t digest[2][RF_SHA256_SIZE];
    for (uint64_t seed = 200; seed < 200 + SEEDS / 2; seed++) {
        for (size_t dies = 0; dies < 2; dies++) {
            struct life life = {0};
            open_interrupted(world, 1, seed);
            change_log(world, seed % 2 ? CUT : ANEW_LONGER, 0);
            world->on_offset_lost = RF_OFFSET_LOST_EARLIEST;
            for (uint64_t lives = dies ? 5 : 0; lives > 0; lives--) {
                assert_int_equal(be_born(world, &life), RF_OK);
                live_for(world, &life, rf_random_below(&world->random, 20));
                die(world, &life);
            }
            assert_int_equal(be_born(world, &life), RF_OK);
            live_to_end(world, &life);
            digest_of(&life, digest[dies]);
            die(world, &life);
            close_simulated(world);
        }
        assert_memory_equal(digest[0], digest[1], RF_SHA256_SIZE);
    }
}

// The snapshot's position is still there, and what was learned behind it is not: the model goes back to the snapshot.
static void what_was_learned_after_the_snapshot_may_be_lost_too(void **state) {
    struct world *world = *state;
    struct life life = {0};
    open_small(world, 1, 1, 0);
    produce(world, 0, 190);
    run_to_end(world, (uint8_t[RF_SHA256_SIZE]){0});
    produce(world, 0, 60);
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_true(live_until(world, &life, 230));
    die(world, &life);
    simulated_kafka_shorten(world->kafka, 0, 200);
    assert_int_equal(be_born(world, &life), RF_CONFLICT);
    assert_non_null(strstr(life.err.text, "cards [0] ends at offset 200, but "));
    die(world, &life);
    world->on_offset_lost = RF_OFFSET_LOST_LATEST;
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_int_equal(position_of(&life, 0)->next_offset, 190);
    live_to_end(world, &life);
    assert_int_equal(records_of(&life), 200);
    assert_int_equal(line_of(&life), 2);
    die(world, &life);
    close_simulated(world);
}

static void stop(struct world *world, struct life *life) {
    rf_worker_stop(life->worker);
    live_to_end(world, life);
}

static enum rf_status see_second_line(void *context, const struct rf_chain_link *link, struct rf_error *err) {
    uint64_t *records = context;
    (void)err;
    *records = link->header.version.line == 2 && link->header.records < *records ? link->header.records : *records;
    return RF_OK;
}

// What the snapshots of the second line cover was folded in the order of the first, which must outlive any cut of power.
static void assert_first_line_is_on_disk(struct world *world) {
    struct rf_error err;
    uint64_t begun = UINT64_MAX, recorded = 0;
    cut_power(world, false);
    assert_int_equal(rf_chain_each(world->disk, "state", see_second_line, &begun, &err), RF_OK);
    struct rf_positions positions;
    struct rf_schedule *schedule;
    rf_positions_init(&positions);
    assert_int_equal(rf_schedule_open_to_read(world->disk, "state", 1, 0, &positions, &schedule, &err), RF_OK);
    size_t count;
    const struct rf_run *runs = rf_schedule_ahead(schedule, &count);
    for (size_t i = 0; i < count; i++) {
        recorded += runs[i].count;
    }
    assert_int_equal(recorded, begun);
    rf_schedule_close(schedule);
    rf_positions_finish(&positions);
}

static void a_log_that_is_cut_while_it_is_read_is_gone_on_with(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 300; seed < 300 + SEEDS; seed++) {
        struct life life = {0};
        struct rf_worker_report report;
        open_small(world, 2, seed, FEW_RECORDS);
        world->goes_on = true;
        world->on_offset_lost = seed % 2 ? RF_OFFSET_LOST_EARLIEST : RF_OFFSET_LOST_FAIL;
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_true(live_until(world, &life, 50 + seed % 60));
        simulated_kafka_cut(world->kafka, 1, 290);
        tell(world, "; cards [1] cut");
        if (seed % 2) {
            live_for(world, &life, 400);
            assert_int_equal(
                    rf_metrics_get(rf_pipeline_metrics(rf_worker_pipeline(life.worker)), RF_METRIC_offsets_lost_total, 0), 1);
            assert_int_equal(line_of(&life), 2);
            assert_int_equal(position_of(&life, 0)->records, 300);
            assert_int_equal(position_of(&life, 1)->next_offset, 300);
            stop(world, &life);
        } else {
            assert_false(live_until(world, &life, UINT64_MAX));
            rf_worker_report(life.worker, &report);
            assert_int_equal(report.status, RF_CONFLICT);
            assert_non_null(strstr(report.sentence, "the log was cut while it was being read"));
        }
        die(world, &life);
        assert_outputs_not_twice(world);
        if (seed % 2) {
            assert_first_line_is_on_disk(world);
        }
        close_simulated(world);
    }
}

// Killed at any moment, also in the middle of taking them up; with `start: earliest` nothing of them is missed.
static void partitions_that_come_while_it_runs_are_read_once(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 400; seed < 400 + SEEDS; seed++) {
        struct rf_random *random = &world->random;
        struct life life = {0};
        open_small(world, 2, seed, 300);
        world->goes_on = true;
        world->is_merged = seed % 2;
        assert_int_equal(be_born(world, &life), RF_OK);
        for (int32_t partition = 2; partition < 5; partition++) {
            live_for(world, &life, rf_random_below(random, 60));
            simulated_kafka_add(world->kafka, "cards", partition);
            tell(world, "; cards [%d] added", (int)partition);
            produce_everywhere(world, 100);
            if (rf_random_below(random, 2)) {
                live_for(world, &life, rf_random_below(random, 60));
                die(world, &life);
                assert_outputs_not_twice(world);
                assert_int_equal(be_born(world, &life), RF_OK);
            }
        }
        live_for(world, &life, 1500);
        assert_int_equal(records_of(&life), 600);
        stop(world, &life);
        assert_int_equal(line_of(&life), 1);
        assert_all_once(world, &life);
        die(world, &life);
        close_simulated(world);
    }
}

static void a_stop_while_partitions_come_is_a_good_end(void **state) {
    struct world *world = *state;
    for (uint64_t turns = 0; turns < 60; turns++) {
        struct life life = {0};
        open_small(world, 1, turns, 200);
        world->goes_on = true;
        assert_int_equal(be_born(world, &life), RF_OK);
        live_for(world, &life, 5);
        simulated_kafka_add(world->kafka, "cards", 1);
        produce(world, 1, 50);
        live_for(world, &life, turns);
        stop(world, &life);
        die(world, &life);
        world->goes_on = false;
        run_to_end(world, (uint8_t[RF_SHA256_SIZE]){0});
        close_simulated(world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_WORLD(a_log_that_changed_is_refused_before_any_file_is_touched),
            IN_WORLD(all_that_changed_is_counted_in_the_sentence),
            IN_WORLD(lost_positions_move_once_and_on_record),
            IN_WORLD(after_a_loss_deaths_do_not_show),
            IN_WORLD(what_was_learned_after_the_snapshot_may_be_lost_too),
            IN_WORLD(a_log_that_is_cut_while_it_is_read_is_gone_on_with),
            IN_WORLD(partitions_that_come_while_it_runs_are_read_once),
            IN_WORLD(a_stop_while_partitions_come_is_a_good_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
