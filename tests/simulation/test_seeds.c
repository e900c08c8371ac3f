// Thousands of plays, each decided by its seed alone. A seed that fails tells its story, and does the same again:
//
//     simulation_test_seeds --seed N      this one, with its story
//     RIFFLE_SEEDS=N                      as many of them, from 1 on
#include "tests/simulation/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 2000 / SLOWNESS, ACTS_MIN = 6, ACTS_MAX = 30, PARTITIONS_MAX = 3 };

static struct play play;

// A play.

static void act(void) {
    unsigned sum = 0;
    for (const struct act *one = acts; one->name; one++) {
        sum += one->weight;
    }
    uint64_t chosen = rf_random_below(&play.world.random, sum);
    const struct act *one = acts;
    for (; chosen >= one->weight; one++) {
        chosen -= one->weight;
    }
    one->run(&play);
    play.acts++;
}

// Without any trouble the last life comes to a good end, and leaves what no trouble would have left.
static void end(void) {
    struct world *world = &play.world;
    end_life(&play);
    simulated_kafka_go_away(world->kafka, 0);
    simulated_kafka_repeat(world->kafka, 0);
    simulated_kafka_lose_answers(world->kafka, 0);
    produce_everywhere(world, FEW_RECORDS - world->produced);
    world->goes_on = false;
    assert_true(have_life(&play));
    live_to_end(world, &play.life);
    assert_at_end(&play);
}

static void open_play(uint64_t seed) {
    play = (struct play){0};
    open_small(&play.world, 1 + (int32_t)(seed % PARTITIONS_MAX), seed, FEW_RECORDS / 4);
    play.world.observer = observer_create();
    play.world.goes_on = play.world.has_shuffled_turns = true;
    watch_thinning(&play.thinning, &play.world);
    draw_retention(&play);
}

static void close_play(void) {
    if (play.is_alive) {
        die(&play.world, &play.life);
    }
    observer_destroy(play.world.observer);
    close_simulated(&play.world);
}

static void run_play(uint64_t seed) {
    open_play(seed);
    for (uint64_t left = ACTS_MIN + rf_random_below(&play.world.random, ACTS_MAX - ACTS_MIN); left > 0; left--) {
        act();
    }
    end();
}

// Tests.

static uint64_t first_seed = 1, seeds = SEEDS;
static bool is_told;

static int tell_if_broken(void **state) {
    (void)state;
    if (play.world.story[0]) { // it was not closed
        fprintf(stderr, "the story: %s\nagain: --seed %.*s\n", play.world.story, (int)strcspn(play.world.story + 5, ","),
                play.world.story + 5);
    }
    return 0;
}

static void whatever_happens_every_record_counts_once(void **state) {
    (void)state;
    uint64_t all_acts = 0, lives = 0, rollbacks = 0, removed = 0;
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
        run_play(seed);
        all_acts += play.acts;
        lives += play.lives;
        rollbacks += play.rollbacks;
        removed += play.thinning.removed;
        if (is_told) {
            puts(play.world.story);
        }
        close_play();
    }
    print_message("%" PRIu64 " seeds: %" PRIu64 " acts, %" PRIu64 " lives, %" PRIu64 " rollbacks, %" PRIu64
                  " snapshots thinned out\n",
                  seeds, all_acts, lives, rollbacks, removed);
}

static void a_seed_does_the_same_again(void **state) {
    (void)state;
    char story[STORY_SIZE];
    uint8_t digest[RF_SHA256_SIZE], again[RF_SHA256_SIZE];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        run_play(seed);
        digest_of(&play.life, digest);
        memcpy(story, play.world.story, sizeof story);
        close_play();
        run_play(seed);
        digest_of(&play.life, again);
        assert_string_equal(story, play.world.story);
        assert_memory_equal(digest, again, sizeof digest);
        close_play();
    }
}

int main(int argc, char **argv) {
    const char *wanted = getenv("RIFFLE_SEEDS");
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_teardown(whatever_happens_every_record_counts_once, tell_if_broken),
            cmocka_unit_test_teardown(a_seed_does_the_same_again, tell_if_broken),
    };
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        first_seed = strtoull(argv[2], NULL, 10);
        seeds = 1;
        is_told = true;
    } else if (argc > 1) {
        fprintf(stderr, "usage: %s [--seed N], or RIFFLE_SEEDS=N in the environment\n", argv[0]);
        return 2;
    } else if (wanted && *wanted) {
        seeds = strtoull(wanted, NULL, 10);
    }
    keep_large_memory_cheap();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
