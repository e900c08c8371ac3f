#include "tests/simulation/play.h"

#include <stdlib.h>
#include <string.h>

enum { TURNS_MAX = 90, PARTITIONS_MAX = 4, STOP_TURNS_MAX = 100000 };

static uint64_t below(struct play *play, uint64_t bound) {
    return rf_random_below(&play->world.random, bound);
}

// Mostly few.
static uint64_t some_turns(struct play *play) {
    return 1 + below(play, below(play, 2) ? 12 : TURNS_MAX);
}

static void live_a_while(struct play *play) {
    if (have_life(play)) {
        go_on(play, some_turns(play));
    }
}

static void produce_more(struct play *play) {
    uint64_t left = FEW_RECORDS - play->world.produced;
    produce_everywhere(&play->world, below(play, left / 2 + 1));
}

static void produce_to_one(struct play *play) {
    uint64_t left = FEW_RECORDS - play->world.produced;
    produce(&play->world, (size_t)below(play, simulated_kafka_count(play->world.kafka)), below(play, left / 4 + 1));
}

static void kill_it(struct play *play) {
    end_life(play);
}

static void lose_power(struct play *play) {
    end_life(play);
    cut_power(&play->world, below(play, 2));
    assert_at_rest(play);
}

// Dies within whatever it does when the disk is called for the n-th time; then, or not, with the machine.
static void die_within_a_call(struct play *play) {
    uint64_t call = 1 + below(play, below(play, 2) ? 12 : 120);
    tell(&play->world, "; dies within call %d of the disk", (int)call);
    play->has_excuse = true;
    rf_disk_simulated_halt(play->world.disk, call);
    bool goes_on = have_life(play);
    for (uint64_t turns = 0; goes_on && turns < 4 * TURNS_MAX && !rf_disk_simulated_has_failed(play->world.disk); turns++) {
        goes_on = turn(&play->world, &play->life);
    }
    end_life(play);
    if (below(play, 2)) {
        cut_power(&play->world, below(play, 2));
        assert_at_rest(play);
    }
}

static void stop_in_order(struct play *play) {
    if (have_life(play)) {
        rf_worker_stop(play->life.worker);
        go_on(play, STOP_TURNS_MAX);
    }
}

static void let_the_disk_fail_once(struct play *play) {
    play->has_excuse = true;
    fail_disk(&play->world, 1 + below(play, 60));
    live_a_while(play);
}

static void fill_the_disk(struct play *play) {
    tell(&play->world, "; the disk is full");
    play->has_excuse = true;
    rf_disk_simulated_fill(play->world.disk, true);
    live_a_while(play);
    rf_disk_simulated_fill(play->world.disk, false);
    tell(&play->world, "; the disk has room");
}

static void send_brokers_away(struct play *play) {
    uint64_t calls = 1 + below(play, 80);
    tell(&play->world, "; brokers are away for %d calls", (int)calls);
    simulated_kafka_go_away(play->world.kafka, calls);
    live_a_while(play);
}

static void take_a_leader(struct play *play) {
    size_t partition = (size_t)below(play, simulated_kafka_count(play->world.kafka));
    tell(&play->world, "; partition %zu without a leader", partition);
    simulated_kafka_lose_leader(play->world.kafka, partition, 1 + below(play, 30));
    live_a_while(play);
}

static void repeat_responses(struct play *play) {
    static const uint64_t often[] = {0, 2, 5, 20};
    uint64_t one_in = often[below(play, 4)];
    tell(&play->world, "; one poll in %d repeats records", (int)one_in);
    simulated_kafka_repeat(play->world.kafka, one_in);
}

static void lose_responses(struct play *play) {
    uint64_t one_in = below(play, 4);
    tell(&play->world, "; one commit in %d gets no answer", (int)one_in);
    simulated_kafka_lose_answers(play->world.kafka, one_in);
}

static void add_a_partition(struct play *play) {
    size_t count = simulated_kafka_count(play->world.kafka);
    if (count < PARTITIONS_MAX) {
        end_life(play); // one that runs does not see it
        simulated_kafka_add(play->world.kafka, "cards", (int32_t)count);
        tell(&play->world, "; cards [%zu] added", count);
    }
}

static void change_the_pace_of_sinks(struct play *play) {
    play->world.pace = (struct simulated_pace){2 + below(play, 5), below(play, 2) ? below(play, 4) : below(play, 40)};
    tell(&play->world, "; sinks: no room one time in %d, confirm after up to %d times", (int)play->world.pace.no_room_one_in,
         (int)play->world.pace.not_yet_max);
}

static void set_the_clock(struct play *play) {
    static const int64_t by_ms[] = {1000, 1200000, 3600000, 18000000, 86400000, 30 * INT64_C(86400000), -7200000};
    int64_t by = by_ms[below(play, sizeof by_ms / sizeof *by_ms)];
    play->world.clock.now_ms = play->world.clock.now_ms + by > 1 ? play->world.clock.now_ms + by : 1;
    tell(&play->world, "; the clock jumps by %d s", (int)(by / 1000));
}

static void keep_others(struct play *play) {
    end_life(play);
    draw_retention(play);
}

static void roll_back_to_any(struct play *play) {
    struct rf_disk *disk = play->world.disk;
    struct rf_error err;
    char **names;
    size_t count;
    end_life(play);
    assert_int_equal(rf_disk_list(disk, play->world.folder, "snapshot-", ".riffle", &names, &count, &err), RF_OK);
    uint64_t number = count ? strtoull(names[below(play, count)] + strlen("snapshot-"), NULL, 10) : 0;
    rf_disk_names_destroy(names, count);
    if (number) {
        fail_disk(&play->world, below(play, 4) == 0 ? 1 + below(play, 30) : 0);
        if (roll_back(play, number, &err) && !rf_disk_simulated_has_failed(disk)) {
            fail_msg("a rollback on a good disk failed: %s", err.text);
        }
        end_life(play);
    }
}

const struct act acts[] = {
        {"live", 10, live_a_while},
        {"produce", 4, produce_more},
        {"produce to one partition", 2, produce_to_one},
        {"kill", 4, kill_it},
        {"cut power", 3, lose_power},
        {"die within a call", 4, die_within_a_call},
        {"stop", 2, stop_in_order},
        {"failing disk", 2, let_the_disk_fail_once},
        {"full disk", 1, fill_the_disk},
        {"brokers away", 2, send_brokers_away},
        {"partition without leader", 1, take_a_leader},
        {"repeated responses", 1, repeat_responses},
        {"lost responses", 1, lose_responses},
        {"more partitions", 1, add_a_partition},
        {"slow sinks", 1, change_the_pace_of_sinks},
        {"clock", 4, set_the_clock},
        {"other retention", 1, keep_others},
        {"rollback", 1, roll_back_to_any},
        {NULL, 0, NULL},
};
