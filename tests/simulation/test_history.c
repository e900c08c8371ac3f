// History learned from one topic, then live records from another: one schedule, wherever a life ends.
#include "tests/simulation/outputs.h"

#include <string.h>

enum { SEEDS = 40, LIVES_MAX = 6, HISTORY = 300, LIVE = 200 };

// Both topics have their records already; those of history come first in the world's count.
static void open_history(struct world *world, uint64_t seed, int32_t partitions) {
    open_small(world, partitions, seed, 0);
    world->history = "history";
    for (int32_t i = 0; i < partitions; i++) {
        simulated_kafka_add(world->kafka, "history", i);
    }
    for (int32_t i = 0; i < partitions; i++) {
        produce(world, (size_t)partitions + (size_t)i, HISTORY / (uint64_t)partitions);
        produce(world, (size_t)i, LIVE / (uint64_t)partitions);
    }
}

// All lines of history stand before those of cards.
static void assert_history_first(const struct world *world, const char *path) {
    const char *data;
    size_t size;
    bool is_live = false;
    if (!rf_disk_simulated_peek(world->disk, path, &data, &size)) {
        return;
    }
    for (size_t at = 0; at < size;) {
        bool is_history = strncmp(data + at, "history", strlen("history")) == 0;
        assert_false(is_history && is_live);
        is_live = !is_history;
        const char *end = memchr(data + at, '\n', size - at);
        at = end ? (size_t)(end - data) + 1 : size;
    }
}

static void live_and_die(struct world *world, struct life *life) {
    for (uint64_t lives = rf_random_below(&world->random, LIVES_MAX); lives > 0; lives--) {
        assert_int_equal(be_born(world, life), RF_OK);
        live_for(world, life, rf_random_below(&world->random, 50));
        die(world, life);
        assert_outputs_not_twice(world);
        if (rf_random_below(&world->random, 4) == 0) {
            cut_power(world, rf_random_below(&world->random, 2));
        }
    }
}

static void every_record_is_learned_once_and_history_first(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct life life = {0};
        uint8_t digest[RF_SHA256_SIZE];
        open_history(world, seed, 2);
        live_and_die(world, &life);
        run_to_end(world, digest);
        assert_history_first(world, "out/scores");
        assert_history_first(world, REJECTED_FILE);
        for (size_t i = 0; i < simulated_kafka_count(world->kafka); i++) {
            assert_int_equal(simulated_kafka_committed(world->kafka, i), simulated_kafka_end(world->kafka, i));
        }
        close_simulated(world);
    }
}

// Of one partition each there is one order only, so the bytes tell; deaths around the switch are tried one by one.
static void deaths_do_not_show(void **state) {
    struct world *world = *state;
    uint8_t whole[RF_SHA256_SIZE], digest[RF_SHA256_SIZE];
    open_history(world, 100, 1);
    run_to_end(world, whole);
    close_simulated(world);
    for (uint64_t death = HISTORY - 20; death < HISTORY + 20; death++) {
        open_history(world, death, 1);
        run_script(world, (uint64_t[]){100 + death % 100, death, death + 30}, 3, digest);
        assert_memory_equal(digest, whole, RF_SHA256_SIZE);
        close_simulated(world);
    }
}

// Where the live topic begins is decided with the first snapshot, not at the switch: what comes meanwhile is learned.
static void what_comes_while_history_is_learned_is_not_missed(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 200; seed < 200 + SEEDS; seed++) {
        struct life life = {0};
        int64_t from[4] = {LIVE / 2, LIVE / 2, 0, 0};
        open_history(world, seed, 2);
        simulated_kafka_set_start(world->kafka, RF_START_LATEST);
        for (size_t i = 2; i < 4; i++) {
            from[i] = simulated_kafka_end(world->kafka, i); // the simulated one starts all topics alike
        }
        assert_int_equal(be_born(world, &life), RF_OK);
        live_for(world, &life, 30); // with the first snapshot in place
        produce(world, 2, 60);
        produce(world, 0, 40);
        die(world, &life);
        produce(world, 1, 10);
        live_and_die(world, &life);
        assert_int_equal(be_born(world, &life), RF_OK);
        live_to_end(world, &life);
        die(world, &life);
        assert_outputs_once(world, from);
        assert_history_first(world, "out/scores");
        close_simulated(world);
    }
}

static void history_is_closed_by_the_first_live_record(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 300; seed < 300 + SEEDS / 4; seed++) {
        struct life life = {0};
        uint8_t digest[RF_SHA256_SIZE];
        open_history(world, seed, 1);
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_true(live_until(world, &life, HISTORY + 10 + seed % 100));
        die(world, &life);
        assert_int_equal(be_born(world, &life), RF_OK); // a snapshot in the history, and a recorded order beyond the switch
        live_to_end(world, &life);
        assert_int_equal(records_of(&life), HISTORY + LIVE);
        die(world, &life);
        produce(world, 1, 50); // history grows, and is cut, and goes
        simulated_kafka_cut(world->kafka, 1, HISTORY + 10);
        produce(world, 0, 50);
        assert_int_equal(be_born(world, &life), RF_OK);
        live_to_end(world, &life);
        assert_int_equal(records_of(&life), HISTORY + LIVE + 50);
        digest_of(&life, digest);
        die(world, &life);
        simulated_kafka_name(world->kafka, "history", false);
        produce(world, 0, 20);
        assert_int_equal(be_born(world, &life), RF_OK);
        live_to_end(world, &life);
        assert_int_equal(records_of(&life), HISTORY + LIVE + 70);
        die(world, &life);
        close_simulated(world);
    }
}

static void history_named_too_late_is_refused(void **state) {
    struct world *world = *state;
    struct life life = {0};
    open_history(world, 400, 1);
    world->history = NULL;
    simulated_kafka_name(world->kafka, "history", false);
    assert_int_equal(be_born(world, &life), RF_OK);
    live_to_end(world, &life);
    die(world, &life);
    world->history = "history";
    simulated_kafka_name(world->kafka, "history", true);
    assert_int_equal(be_born(world, &life), RF_CONFLICT);
    assert_non_null(strstr(life.err.text, "history was to be learned before what was learned already"));
    die(world, &life);
    close_simulated(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_WORLD(every_record_is_learned_once_and_history_first),
            IN_WORLD(deaths_do_not_show),
            IN_WORLD(what_comes_while_history_is_learned_is_not_missed),
            IN_WORLD(history_is_closed_by_the_first_live_record),
            IN_WORLD(history_named_too_late_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
