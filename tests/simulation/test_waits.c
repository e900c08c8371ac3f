// A sink without room holds up the worker, and nothing else happens: the source pauses, what is in memory is so many batches,
// and when there is room again all goes on to the same bytes. How far a record may be from its prediction is counted, not timed.
#include "tests/simulation/life.h"

#include <string.h>

enum { BATCHES = 3, BATCH_RECORDS = 64, LAG_EVERY_MS = 200, TURNS = 500 };

// Records polled: the worker tells its lag now and then.
static uint64_t polled_by(struct world *world, struct life *life) {
    struct rf_worker_report report;
    world->clock.now_ms += LAG_EVERY_MS;
    assert_true(rf_worker_turn_of(life->worker, RF_WORKER_INTAKE));
    rf_worker_report(life->worker, &report);
    assert_true(report.lag >= 0);
    return world->produced - (uint64_t)report.lag;
}

static int64_t metric(struct life *life, enum rf_metric metric) {
    return rf_metrics_get(rf_pipeline_metrics(rf_worker_pipeline(life->worker)), metric, 0);
}

static uint64_t handed_over(struct life *life) {
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(rf_worker_pipeline(life->worker), &count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) { // one of predictions, one of rejected records
        sum += sinks[i]->published;
    }
    return sum;
}

static void the_source_pauses_while_a_sink_has_no_room(void **state) {
    struct world *world = *state;
    struct life life = {0};
    uint8_t undisturbed[RF_SHA256_SIZE], found[RF_SHA256_SIZE];
    open_simulated(world, 1, 11);
    run_to_end(world, undisturbed);
    close_simulated(world);

    open_simulated(world, 1, 12);
    struct simulated_pace pace = world->pace;
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_true(live_until(world, &life, 500));
    world->pace = (struct simulated_pace){.no_room_one_in = 1, .not_yet_max = 3};
    assert_true(live_for(world, &life, TURNS));
    uint64_t records = records_of(&life), polled = polled_by(world, &life), left = handed_over(&life);
    int64_t waits = metric(&life, RF_METRIC_source_waits_total);
    assert_true(polled > records);
    assert_true(polled - left <= BATCHES * BATCH_RECORDS);
    assert_true(waits > 0);
    assert_true(live_for(world, &life, TURNS));
    assert_int_equal(records_of(&life), records);
    assert_int_equal(polled_by(world, &life), polled);
    assert_int_equal(handed_over(&life), left);
    assert_int_equal(metric(&life, RF_METRIC_source_waits_total), waits); // it is one wait, however long

    world->pace = pace;
    assert_true(live_for(world, &life, 2 * BATCHES));
    assert_true(records_of(&life) > records);
    live_to_end(world, &life);
    digest_of(&life, found);
    assert_memory_equal(undisturbed, found, sizeof found);
    assert_all_once(world, &life);
    die(world, &life);
    close_simulated(world);
}

static void a_worker_killed_while_it_waits_resumes_to_the_same_bytes(void **state) {
    struct world *world = *state;
    struct life life = {0};
    uint8_t undisturbed[RF_SHA256_SIZE], found[RF_SHA256_SIZE];
    open_simulated(world, 1, 13);
    run_to_end(world, undisturbed);
    close_simulated(world);

    open_simulated(world, 1, 14);
    struct simulated_pace pace = world->pace;
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_true(live_until(world, &life, 2000));
    world->pace.no_room_one_in = 1;
    assert_true(live_for(world, &life, TURNS));
    die(world, &life);
    world->pace = pace;
    run_to_end(world, found); // which asserts that all stands once
    assert_memory_equal(undisturbed, found, sizeof found);
    close_simulated(world);
}

// What scoring latency is bounded by: however long the log is that is caught up with, and whatever the sinks do, so many batches
// of so many records lie between a record's coming in and its prediction's leaving.
static void no_record_waits_for_more_than_the_batches_in_flight(void **state) {
    struct world *world = *state;
    struct life life = {0};
    open_simulated(world, 4, 15);
    assert_int_equal(be_born(world, &life), RF_OK);
    uint64_t most = 0;
    while (live_for(world, &life, 1) && records_of(&life) < RECORDS - BATCHES * BATCH_RECORDS) {
        uint64_t between = polled_by(world, &life) - handed_over(&life);
        most = between > most ? between : most;
    }
    assert_true(most <= BATCHES * BATCH_RECORDS);
    assert_true(most > BATCH_RECORDS); // they were in use
    live_to_end(world, &life);
    die(world, &life);
    close_simulated(world);
}

// An idle worker does not wait until a batch is full.
static void a_record_that_comes_alone_leaves_at_once(void **state) {
    struct world *world = *state;
    struct life life = {0};
    open_simulated(world, 1, 16);
    world->goes_on = true;
    world->pace.no_room_one_in = UINT64_MAX;
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_true(live_until(world, &life, RECORDS));
    for (int i = 0; i < 20; i++) {
        produce(world, 0, 1);
        uint64_t left = handed_over(&life);
        int turns = 0;
        while (records_of(&life) < world->produced) { // a simulated poll gives nothing now and then
            assert_true(live_for(world, &life, 1));
            assert_true(++turns < TURNS);
        }
        assert_int_equal(handed_over(&life), left + 1);
    }
    die(world, &life);
    close_simulated(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_WORLD(the_source_pauses_while_a_sink_has_no_room),
            IN_WORLD(a_worker_killed_while_it_waits_resumes_to_the_same_bytes),
            IN_WORLD(no_record_waits_for_more_than_the_batches_in_flight),
            IN_WORLD(a_record_that_comes_alone_leaves_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
