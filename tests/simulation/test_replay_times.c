// A replay to a time stops before the first record, in the order they were folded, that is later: whatever is read, one topic or
// history and what follows it, as records come or by time. That record is looked for among replays of numbers of records.
#include "tests/simulation/play.h"
#include "tests/simulation/replaying.h"

#include <inttypes.h>
#include <string.h>

static const int64_t BEGIN_MS = 1522540800000; // of the first record

enum { SEEDS = SLOWNESS > 1 ? 4 : 12, POINTS = 6, HISTORY = FEW_RECORDS / 2, FEW = 10 };

// History has as many partitions as cards, with indices behind theirs; of each the records are newer than of the one before, so a
// time may lie within the history and within cards.
static void open_with_history(struct world *world, uint64_t seed) {
    open_small(world, PARTITIONS, seed, 0);
    world->history = "history";
    for (int32_t i = 0; i < PARTITIONS; i++) {
        simulated_kafka_add(world->kafka, "history", i);
    }
}

static void produce_in_turn(struct world *world, size_t first, uint64_t records) {
    for (size_t i = 0; i < records / FEW; i++) {
        produce(world, first + i % PARTITIONS, FEW);
    }
}

static void fill_with_history(struct world *world) {
    for (size_t i = 0; i < PARTITIONS; i++) {
        produce(world, PARTITIONS + i, HISTORY / PARTITIONS);
        produce(world, i, (FEW_RECORDS - HISTORY) / PARTITIONS);
    }
}

struct stop {
    uint64_t records;
    int64_t latest_ms; // of all records folded
    int64_t next[2 * PARTITIONS];
    uint8_t digest[RF_SHA256_SIZE];
};

// By index of the simulated Kafka.
static void look_at(struct world *world, struct rf_replay *replay, struct stop *stop_out) {
    *stop_out = (struct stop){.records = records_at(replay), .latest_ms = INT64_MIN};
    digest_at(replay, stop_out->digest);
    const struct rf_positions *positions = rf_pipeline_positions(rf_replay_pipeline(replay));
    for (size_t i = 0; i < simulated_kafka_count(world->kafka); i++) {
        const struct rf_position *name = simulated_kafka_partition(world->kafka, i);
        const struct rf_position *position = rf_positions_find(positions, name->topic, name->partition);
        stop_out->next[i] = position && position->next_offset > 0 ? position->next_offset : 0;
        for (int64_t offset = 0; offset < stop_out->next[i]; offset++) {
            int64_t time_ms = simulated_kafka_record(world->kafka, i, offset)->timestamp_ms;
            stop_out->latest_ms = time_ms > stop_out->latest_ms ? time_ms : stop_out->latest_ms;
        }
    }
}

static void stop_at(struct world *world, const struct rf_point *point, struct stop *stop_out) {
    struct life life = {0};
    struct rf_replay *replay = replay_to(world, &life, point, 0);
    look_at(world, replay, stop_out);
    end_replay(world, &life, replay);
}

// The most records among which none is later.
static uint64_t find_records(struct world *world, int64_t time_ms) {
    uint64_t least = 0, most = FEW_RECORDS;
    while (least < most) {
        struct stop stop;
        uint64_t middle = (least + most + 1) / 2;
        stop_at(world, &(struct rf_point){.kind = RF_POINT_RECORDS, .records = middle}, &stop);
        if (stop.latest_ms <= time_ms) {
            least = middle;
        } else {
            most = middle - 1;
        }
    }
    return least;
}

// The record that was folded next.
static struct rf_point next_of(struct world *world, const struct stop *stop) {
    struct stop next;
    struct rf_point point = {.kind = RF_POINT_BEFORE};
    stop_at(world, &(struct rf_point){.kind = RF_POINT_RECORDS, .records = stop->records + 1}, &next);
    for (size_t i = 0; i < simulated_kafka_count(world->kafka); i++) {
        if (next.next[i] != stop->next[i]) {
            const struct rf_position *name = simulated_kafka_partition(world->kafka, i);
            snprintf(point.topic, sizeof point.topic, "%s", name->topic);
            point.partition = name->partition;
            point.offset = stop->next[i];
        }
    }
    return point;
}

static void assert_stops_at(struct world *world, int64_t time_ms) {
    struct stop at_time, at_record;
    stop_at(world, &(struct rf_point){.kind = RF_POINT_TIME, .time_ms = time_ms}, &at_time);
    assert_int_equal(at_time.records, find_records(world, time_ms));
    if (at_time.records < FEW_RECORDS) {
        struct rf_point point = next_of(world, &at_time);
        stop_at(world, &point, &at_record);
        assert_int_equal(at_record.records, at_time.records);
        assert_memory_equal(at_record.next, at_time.next, sizeof at_time.next);
        assert_memory_equal(at_record.digest, at_time.digest, RF_SHA256_SIZE);
    }
}

static void assert_stops_at_times_by_chance(struct world *world) {
    for (size_t i = 0; i < POINTS; i++) {
        assert_stops_at(world, BEGIN_MS + (int64_t)rf_random_below(&world->random, 9000 * FEW_RECORDS));
    }
    assert_stops_at(world, BEGIN_MS + 9000 * 2 * FEW_RECORDS);
}

static void one_topic_in_any_order_of_times(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_small(world, PARTITIONS, seed, 0);
        world->has_loose_times = true;
        produce_everywhere(world, FEW_RECORDS);
        live_by_chance(world, &past, seed % 2);
        assert_stops_at_times_by_chance(world);
        close_simulated(world);
    }
}

static void partitions_read_by_time(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 100; seed < 100 + SEEDS; seed++) {
        open_small(world, PARTITIONS, seed, 0);
        world->is_merged = true;
        world->has_loose_times = seed % 2;
        produce_everywhere(world, FEW_RECORDS);
        live_by_chance(world, &past, seed % 3 == 0);
        assert_stops_at_times_by_chance(world);
        close_simulated(world);
    }
}

// Where times rise within each partition, a replay to a time folds every record that is not later, and no other.
static void by_time_nothing_that_is_not_later_is_missed(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 200; seed < 200 + SEEDS; seed++) {
        open_small(world, PARTITIONS, seed, FEW_RECORDS);
        world->is_merged = true;
        live_by_chance(world, &past, false);
        for (uint64_t number = 0; number <= FEW_RECORDS; number += 1 + rf_random_below(&world->random, 100)) {
            struct stop stop;
            int64_t time_ms = BEGIN_MS + 9000 * (int64_t)number; // of the record with this number
            stop_at(world, &(struct rf_point){.kind = RF_POINT_TIME, .time_ms = time_ms}, &stop);
            assert_int_equal(stop.records, number < FEW_RECORDS ? number + 1 : FEW_RECORDS);
        }
        close_simulated(world);
    }
}

static void history_and_then_cards(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 300; seed < 300 + 2 * SEEDS; seed++) {
        open_with_history(world, seed);
        world->is_merged = seed % 2;
        world->has_loose_times = seed % 4 > 1;
        fill_with_history(world);
        live_by_chance(world, &past, seed % 3 == 0);
        assert_stops_at_times_by_chance(world);
        close_simulated(world);
    }
}

// History that is older than what follows it: the point lies in either.
static void history_that_is_older(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 400; seed < 400 + SEEDS; seed++) {
        open_with_history(world, seed);
        world->is_merged = seed % 2;
        produce_in_turn(world, PARTITIONS, HISTORY);
        produce_in_turn(world, 0, FEW_RECORDS - HISTORY);
        live_by_chance(world, &past, seed % 3 == 0);
        assert_stops_at_times_by_chance(world);
        close_simulated(world);
    }
}

// Cards is learned once history is, the clock of the worker stands where the records of cards begin.
static void open_closed_history(struct world *world, struct past *past, uint64_t seed) {
    open_with_history(world, seed);
    world->retention.keep = 100;
    produce_in_turn(world, PARTITIONS, HISTORY);
    world->clock.now_ms = BEGIN_MS + 9000 * HISTORY;
    memset(past, 0, sizeof *past);
    live_noted(world, past, UINT64_MAX);
    produce_in_turn(world, 0, FEW_RECORDS - HISTORY);
    live_noted(world, past, UINT64_MAX);
}

static void history_that_is_gone_was_learned_in_time_or_is_named(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 500; seed < 500 + SEEDS; seed++) {
        struct stop before, after;
        open_closed_history(world, &past, seed);
        struct rf_point later = {.kind = RF_POINT_TIME, .time_ms = BEGIN_MS + 9000 * (FEW_RECORDS - 100)};
        struct rf_point within = {.kind = RF_POINT_TIME, .time_ms = BEGIN_MS + 9000 * (HISTORY / 2)};
        stop_at(world, &later, &before);
        if (seed % 3 == 0) {
            simulated_kafka_name(world->kafka, "history", false);
        }
        for (size_t i = 0; i < PARTITIONS && seed % 3 == 1; i++) {
            simulated_kafka_cut(world->kafka, PARTITIONS + i, simulated_kafka_end(world->kafka, PARTITIONS + i));
        }
        for (size_t i = 0; i < PARTITIONS && seed % 3 == 2; i++) { // behind it came more, which nobody learned
            produce(world, PARTITIONS + i, 5);
            simulated_kafka_cut(world->kafka, PARTITIONS + i, simulated_kafka_end(world->kafka, PARTITIONS + i) - 3);
        }
        stop_at(world, &later, &after);
        assert_int_equal(after.records, before.records);
        assert_memory_equal(after.digest, before.digest, RF_SHA256_SIZE);
        assert_replay_refused(world, &within, RF_NOT_FOUND,
                              "history [0] no longer holds what was learned of it up to offset 100, so nobody can tell whether "
                              "that is later than the time: give an offset");
        close_simulated(world);
    }
}

// Records that are later than the point stood there before reading began behind them.
static void what_stood_there_before_the_start_does_not_count(void **state) {
    struct world *world = *state;
    static struct past past;
    struct stop stop;
    memset(&past, 0, sizeof past);
    open_small(world, 1, 1, 0);
    produce(world, 0, 40);
    simulated_kafka_set_start(world->kafka, RF_START_LATEST);
    live_noted(world, &past, UINT64_MAX);
    produce(world, 0, 60);
    live_noted(world, &past, UINT64_MAX);
    stop_at(world, &(struct rf_point){.kind = RF_POINT_TIME, .time_ms = BEGIN_MS + 9000 * 20}, &stop);
    assert_int_equal(stop.records, 0);
    stop_at(world, &(struct rf_point){.kind = RF_POINT_TIME, .time_ms = BEGIN_MS + 9000 * 70}, &stop);
    assert_int_equal(stop.records, 31);
    close_simulated(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_WORLD(one_topic_in_any_order_of_times),
            IN_WORLD(partitions_read_by_time),
            IN_WORLD(by_time_nothing_that_is_not_later_is_missed),
            IN_WORLD(history_and_then_cards),
            IN_WORLD(history_that_is_older),
            IN_WORLD(history_that_is_gone_was_learned_in_time_or_is_named),
            IN_WORLD(what_stood_there_before_the_start_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
