// What changes between the lives of a worker: sinks and partitions that come, topics that are left out, logs that are not what
// they were. What cannot go on is refused, and then no file of a sink is touched.
#include "tests/simulation/outputs.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = 32, LIVES_MAX = 5 };

// A life that ends by chance, mostly soon, and now and then with the machine; after its birth `records` more come.
static void live_a_while_and_produce(struct world *world, size_t partition, uint64_t records) {
    struct rf_random *random = &world->random;
    struct life life = {0};
    assert_int_equal(be_born(world, &life), RF_OK);
    produce(world, partition, records);
    live_for(world, &life, rf_random_below(random, rf_random_below(random, 3) ? 8 : 40));
    die(world, &life);
    assert_outputs_not_twice(world);
    if (rf_random_below(random, 4) == 0) {
        cut_power(world, rf_random_below(random, 2));
    }
}

static void live_a_while(struct world *world) {
    live_a_while_and_produce(world, 0, 0);
}

// A world where something was learned, and more since the last snapshot; the records at its end.
static uint64_t open_interrupted(struct world *world, uint64_t seed) {
    struct life life = {0};
    open_small(world, 2, seed, FEW_RECORDS);
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_true(live_until(world, &life, 230 + seed % 50));
    uint64_t records = records_of(&life);
    die(world, &life);
    return records;
}

static void a_window_of_another_size_goes_on_with_the_same_model(void **state) {
    struct world *world = *state;
    static const uint64_t windows[] = {1000, 50, 70000};
    uint8_t digest[3][RF_SHA256_SIZE];
    for (size_t i = 0; i < 3; i++) {
        open_interrupted(world, 40);
        world->window = windows[i];
        tell(world, "; another window");
        struct life life = {0};
        assert_int_equal(be_born(world, &life), RF_OK);
        live_to_end(world, &life);
        digest_of(&life, digest[i]);
        struct rf_figures figures, window;
        rf_evaluation_figures(rf_pipeline_evaluation(rf_worker_pipeline(life.worker)), &figures);
        rf_evaluation_window_figures(rf_pipeline_evaluation(rf_worker_pipeline(life.worker)), &window);
        assert_true(figures.evaluated > 400);
        // One of the size it had goes on; another one holds what came since the snapshot.
        assert_true(i == 0   ? window.evaluated == figures.evaluated
                    : i == 1 ? window.evaluated == 50
                             : window.evaluated < figures.evaluated);
        die(world, &life);
        world->window = 0;
        close_simulated(world);
    }
    assert_memory_equal(digest[0], digest[1], RF_SHA256_SIZE);
    assert_memory_equal(digest[0], digest[2], RF_SHA256_SIZE);
}

static void assert_refused(struct world *world, const char *sentence) {
    struct life life = {0};
    struct outputs outputs;
    copy_outputs(world, &outputs);
    assert_int_equal(be_born(world, &life), RF_CONFLICT);
    if (!strstr(life.err.text, sentence)) {
        fail_msg("\"%s\" does not say \"%s\"", life.err.text, sentence);
    }
    die(world, &life);
    assert_outputs_untouched(world, &outputs);
}

// The offset after the last one that left, as a prediction or rejected.
static int64_t end_in_outputs(const struct world *world, size_t partition) {
    int64_t scored, rejected, unused;
    find_in_output(world, "out/scores", partition, &unused, &scored);
    find_in_output(world, REJECTED_FILE, partition, &unused, &rejected);
    return scored > rejected ? scored : rejected;
}

static void a_sink_that_is_added_gets_all_that_is_learned_from_then_on(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 100; seed < 100 + SEEDS; seed++) {
        int64_t end[2], from[2], unused;
        open_interrupted(world, seed);
        for (size_t i = 0; i < 2; i++) {
            end[i] = end_in_outputs(world, i);
        }
        world->sinks[1] = "out/more";
        tell(world, "; out/more added");
        int64_t seen[2] = {STREAM_MAX, STREAM_MAX};
        for (uint64_t lives = 1 + rf_random_below(&world->random, LIVES_MAX); lives > 0; lives--) {
            live_a_while(world);
            for (size_t i = 0; i < 2; i++) {
                find_in_output(world, "out/more", i, &from[i], &unused);
                seen[i] = from[i] >= 0 && from[i] < seen[i] ? from[i] : seen[i];
            }
        }
        struct life life = {0};
        assert_int_equal(be_born(world, &life), RF_OK);
        live_to_end(world, &life);
        die(world, &life);
        assert_output_once(world, "out/scores", NULL);
        assert_output_once(world, REJECTED_FILE, NULL);
        for (size_t i = 0; i < 2; i++) {
            find_in_output(world, "out/more", i, &from[i], &unused);
            assert_in_range(from[i], 0, seen[i]);
            from[i] = from[i] < end[i] ? from[i] : end[i]; // what lies between was rejected
        }
        assert_output_once(world, "out/more", from);
        close_simulated(world);
    }
}

// Born with the sinks wanted, or, where a file holds what no snapshot knows of, refused and then without it.
static void be_born_with_what_may_be(struct world *world, struct life *life) {
    struct outputs outputs;
    copy_outputs(world, &outputs);
    for (size_t refusals = 0; be_born(world, life); refusals++) {
        assert_in_range(refusals, 0, 1);
        size_t refused = strstr(life->err.text, "sink file:out/more holds ") ? 1 : 2;
        assert_non_null(strstr(life->err.text, refused == 1 ? "out/more holds " : "sink file:out/others holds "));
        die(world, life);
        assert_outputs_untouched(world, &outputs);
        world->sinks[refused] = NULL;
        copy_outputs(world, &outputs);
    }
    free_outputs(&outputs);
}

static void sinks_that_come_and_go_repeat_nothing(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 200; seed < 200 + SEEDS; seed++) {
        struct rf_random *random = &world->random;
        struct life life = {0};
        open_small(world, 2, seed, FEW_RECORDS);
        for (uint64_t lives = 2 + rf_random_below(random, LIVES_MAX); lives > 0; lives--) {
            world->sinks[1] = rf_random_below(random, 2) ? "out/more" : NULL;
            world->sinks[2] = rf_random_below(random, 2) ? "out/others" : NULL;
            be_born_with_what_may_be(world, &life);
            tell(world, " and%s%s", world->sinks[1] ? " out/more" : "", world->sinks[2] ? " out/others" : "");
            live_for(world, &life, rf_random_below(random, 40));
            die(world, &life);
            assert_outputs_not_twice(world);
            if (rf_random_below(random, 4) == 0) {
                cut_power(world, rf_random_below(random, 2));
            }
        }
        be_born_with_what_may_be(world, &life);
        live_to_end(world, &life);
        die(world, &life);
        assert_output_once(world, "out/scores", NULL);
        assert_output_once(world, REJECTED_FILE, NULL);
        world->sinks[1] = "out/more";
        world->sinks[2] = "out/others";
        assert_outputs_not_twice(world);
        close_simulated(world);
    }
}

static int64_t first_in_outputs(const struct world *world, size_t partition) {
    int64_t scored, rejected, unused;
    find_in_output(world, "out/scores", partition, &scored, &unused);
    find_in_output(world, REJECTED_FILE, partition, &rejected, &unused);
    return scored < 0 || (rejected >= 0 && rejected < scored) ? rejected : scored;
}

// `start: latest`: a partition that comes is read from its end on, as it is when its first snapshot is put in place; that it
// stays there whatever follows is what that snapshot is for.
static void a_partition_that_is_added_starts_once_and_for_all(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 300; seed < 300 + SEEDS; seed++) {
        int64_t ends[LIVES_MAX + 1], from[3] = {0}, seen = STREAM_MAX;
        size_t births = 0;
        open_interrupted(world, seed);
        simulated_kafka_set_start(world->kafka, RF_START_LATEST);
        simulated_kafka_add(world->kafka, "cards", 2);
        tell(world, "; cards [2] added");
        for (uint64_t lives = 1 + rf_random_below(&world->random, LIVES_MAX); births < lives;) {
            produce(world, 2, rf_random_below(&world->random, 30));
            ends[births++] = simulated_kafka_end(world->kafka, 2);
            live_a_while_and_produce(world, 2, rf_random_below(&world->random, 30));
            int64_t first = first_in_outputs(world, 2);
            seen = first >= 0 && first < seen ? first : seen;
        }
        struct life life = {0};
        ends[births++] = simulated_kafka_end(world->kafka, 2);
        assert_int_equal(be_born(world, &life), RF_OK);
        produce(world, 2, 20);
        live_to_end(world, &life);
        die(world, &life);
        from[2] = first_in_outputs(world, 2);
        bool is_an_end = false;
        for (size_t i = 0; i < births; i++) {
            is_an_end |= ends[i] == from[2];
        }
        assert_true(is_an_end && from[2] <= seen);
        assert_outputs_once(world, from);
        close_simulated(world);
    }
}

static void a_topic_that_is_left_out_is_taken_up_again_where_it_was(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 400; seed < 400 + SEEDS / 4; seed++) {
        uint8_t digest[RF_SHA256_SIZE];
        open_small(world, 1, seed, 150);
        simulated_kafka_add(world->kafka, "more", 0);
        produce(world, 1, 150);
        run_to_end(world, digest);
        simulated_kafka_name(world->kafka, "more", false);
        tell(world, "; more not named");
        int64_t committed = simulated_kafka_committed(world->kafka, 1), end, unused;
        produce_everywhere(world, 100);
        live_a_while(world);
        live_a_while(world);
        find_in_output(world, "out/scores", 1, &unused, &end);
        assert_true(end <= 150);
        assert_int_equal(simulated_kafka_committed(world->kafka, 1), committed);
        simulated_kafka_name(world->kafka, "more", true);
        tell(world, "; more named");
        live_a_while(world);
        run_to_end(world, digest);
        assert_int_equal(simulated_kafka_committed(world->kafka, 1), 200);
        close_simulated(world);
    }
}

static void a_topic_that_is_left_out_too_early_is_refused(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 500; seed < 500 + SEEDS / 4; seed++) {
        struct life life = {0};
        uint8_t digest[RF_SHA256_SIZE];
        open_small(world, 1, seed, 0);
        simulated_kafka_add(world->kafka, "more", 0);
        produce_everywhere(world, FEW_RECORDS);
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_true(live_until(world, &life, 199)); // about to take a snapshot
        die(world, &life);
        simulated_kafka_name(world->kafka, "more", false);
        tell(world, "; more not named");
        assert_refused(world, "more [0] is not read any more, but records of it were learned since the last snapshot");
        simulated_kafka_name(world->kafka, "more", true);
        run_to_end(world, digest);
        close_simulated(world);
    }
}

static int64_t position_of(struct life *life, size_t partition) {
    return rf_pipeline_positions(rf_worker_pipeline(life->worker))->list[partition].next_offset;
}

static void a_log_that_is_cut_below_the_position_is_refused(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 600; seed < 600 + SEEDS / 4; seed++) {
        struct life life = {0};
        uint8_t digest[RF_SHA256_SIZE];
        open_interrupted(world, seed);
        simulated_kafka_cut(world->kafka, 1, FEW_RECORDS / 2);
        assert_refused(world, "of cards [1] is no longer there: the log holds 300 to 300");
        simulated_kafka_cut(world->kafka, 1, 0);

        // Retention up to the very position is none of our business: it only leaves nothing to compare.
        int64_t position[2];
        assert_int_equal(be_born(world, &life), RF_OK);
        for (size_t i = 0; i < 2; i++) {
            position[i] = position_of(&life, i);
        }
        die(world, &life);
        for (size_t i = 0; i < 2; i++) {
            simulated_kafka_cut(world->kafka, i, position[i]);
        }
        run_to_end(world, digest);
        close_simulated(world);
    }
}

static void a_log_that_was_made_anew_is_refused(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 700; seed < 700 + SEEDS / 4; seed++) {
        struct life life = {0};
        open_small(world, 2, seed, FEW_RECORDS);
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_true(live_until(world, &life, 190)); // about to take a snapshot
        int64_t learned = position_of(&life, 1);
        die(world, &life);
        assert_int_equal(be_born(world, &life), RF_OK);
        int64_t covered = position_of(&life, 1);
        die(world, &life);
        simulated_kafka_make_anew(world->kafka, 1);
        assert_refused(world, "of cards [1] is beyond the end: the log holds 0 to 0");
        produce(world, 1, 1);
        assert_refused(world, "of cards [1] is beyond the end: the log holds 0 to 1");
        if (covered < learned) { // it may hold all that the snapshot covers, and not all that was learned after it
            produce(world, 1, (uint64_t)learned - 2);
            assert_refused(world, "the topic was made anew or cut; give the model a new state folder, or restore the topic");
        }
        close_simulated(world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_WORLD(a_window_of_another_size_goes_on_with_the_same_model),
            IN_WORLD(a_sink_that_is_added_gets_all_that_is_learned_from_then_on),
            IN_WORLD(sinks_that_come_and_go_repeat_nothing),
            IN_WORLD(a_partition_that_is_added_starts_once_and_for_all),
            IN_WORLD(a_topic_that_is_left_out_is_taken_up_again_where_it_was),
            IN_WORLD(a_topic_that_is_left_out_too_early_is_refused),
            IN_WORLD(a_log_that_is_cut_below_the_position_is_refused),
            IN_WORLD(a_log_that_was_made_anew_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
