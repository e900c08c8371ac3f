// A past model is folded again, and a past score given again, to the bit: after crashes and power cuts, over partitions and
// lines, beside a worker that runs, and without changing anything on the disk.
#include "ops/explain.h"
#include "tests/simulation/outputs.h"
#include "tests/simulation/replaying.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 16, POINTS = 8, LINES_MAX = 4096 };

static void a_replay_of_any_number_of_records_gives_the_model_of_then(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_lived(world, &past, seed, seed % 2);
        for (uint64_t step = 1 + rf_random_below(&world->random, 90), n = step; n <= FEW_RECORDS; n += step) {
            struct life life = {0};
            uint8_t digest[RF_SHA256_SIZE];
            struct rf_point point = {.kind = n + step > FEW_RECORDS ? RF_POINT_NEWEST : RF_POINT_RECORDS, .records = n};
            struct rf_replay *replay = replay_to(world, &life, &point, 0);
            uint64_t records = records_at(replay);
            assert_int_equal(records, point.kind == RF_POINT_NEWEST ? FEW_RECORDS : n);
            digest_at(replay, digest);
            if (past.is_known[records]) {
                assert_memory_equal(digest, past.digest[records], RF_SHA256_SIZE);
            }
            end_replay(world, &life, replay);
        }
        close_simulated(world);
    }
}

// Whatever is left of the snapshots: without any the model begins from nothing, and on the way it meets all that are on record.
static void without_snapshots_a_replay_begins_from_nothing_and_meets_those_on_record(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 100; seed < 100 + SEEDS / 4; seed++) {
        struct life life = {0};
        struct rf_replay_progress progress;
        uint8_t digest[RF_SHA256_SIZE];
        open_lived(world, &past, seed, false);
        keep_oldest_snapshots(world, 0);
        struct rf_replay *replay = replay_to(world, &life, &(struct rf_point){.kind = RF_POINT_NEWEST}, 0);
        rf_replay_progress(replay, &progress);
        assert_int_equal(progress.begun, 0);
        assert_int_equal(progress.snapshot, 0);
        assert_int_equal(progress.records, FEW_RECORDS);
        assert_true(progress.met >= FEW_RECORDS / 100);
        digest_at(replay, digest);
        assert_memory_equal(digest, past.digest[FEW_RECORDS], RF_SHA256_SIZE);
        end_replay(world, &life, replay);
        close_simulated(world);
    }
}

static void a_replay_stops_right_before_or_after_any_record(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 200; seed < 200 + SEEDS; seed++) {
        open_lived(world, &past, seed, seed % 2);
        for (size_t i = 0; i < POINTS; i++) {
            struct life life = {0};
            size_t partition = rf_random_below(&world->random, PARTITIONS);
            int64_t offset = (int64_t)rf_random_below(&world->random, (uint64_t)simulated_kafka_end(world->kafka, partition));
            struct rf_point point = point_of(RF_POINT_BEFORE, (int32_t)partition, offset);
            struct rf_replay *replay = replay_to(world, &life, &point, 0);
            uint64_t before = records_at(replay);
            assert_int_equal(rf_replay_record(replay)->offset, offset);
            assert_int_equal(rf_pipeline_positions(rf_replay_pipeline(replay))->list[partition].next_offset, offset);
            end_replay(world, &life, replay);

            uint8_t digest[RF_SHA256_SIZE];
            point.kind = RF_POINT_AFTER;
            replay = replay_to(world, &life, &point, 0);
            uint64_t records = records_at(replay);
            assert_int_equal(records, before + 1);
            assert_int_equal(rf_pipeline_positions(rf_replay_pipeline(replay))->list[partition].next_offset, offset + 1);
            digest_at(replay, digest);
            if (past.is_known[records]) {
                assert_memory_equal(digest, past.digest[records], RF_SHA256_SIZE);
            }
            end_replay(world, &life, replay);
        }
        close_simulated(world);
    }
}

static void a_replay_stops_before_the_first_record_that_is_later(void **state) {
    struct world *world = *state;
    static struct past past;
    for (uint64_t seed = 300; seed < 300 + SEEDS; seed++) {
        struct life life = {0};
        open_lived(world, &past, seed, false);
        struct rf_point point = {.kind = RF_POINT_TIME,
                                 .time_ms = 1522540800000 + (int64_t)rf_random_below(&world->random, 9000 * FEW_RECORDS)};
        struct rf_replay *replay = replay_to(world, &life, &point, 0);
        uint64_t records = records_at(replay);
        int64_t next[PARTITIONS];
        for (size_t i = 0; i < PARTITIONS; i++) {
            next[i] = rf_pipeline_positions(rf_replay_pipeline(replay))->list[i].next_offset;
            const struct rf_record *last = simulated_kafka_record(world->kafka, i, next[i] - 1);
            assert_true(!last || last->timestamp_ms <= point.time_ms); // they rise within a partition
        }
        end_replay(world, &life, replay);
        if (records == FEW_RECORDS) {
            close_simulated(world);
            continue;
        }
        replay = replay_to(world, &life, &(struct rf_point){.kind = RF_POINT_RECORDS, .records = records + 1}, 0);
        for (size_t i = 0; i < PARTITIONS; i++) {
            if (rf_pipeline_positions(rf_replay_pipeline(replay))->list[i].next_offset != next[i]) {
                assert_true(simulated_kafka_record(world->kafka, i, next[i])->timestamp_ms > point.time_ms);
            }
        }
        end_replay(world, &life, replay);
        close_simulated(world);
    }
}

// Scores.

struct scored {
    int32_t partition;
    int64_t offset;
    uint64_t bits;
    struct rf_version version;
};

static size_t read_scores(const struct world *world, struct scored list[LINES_MAX]) {
    const char *data, *line;
    size_t size, count = 0;
    assert_true(rf_disk_simulated_peek(world->disk, "out/scores", &data, &size));
    char *text = strndup(data, size), *rest = text;
    while ((line = strsep(&rest, "\n")) && *line && count < LINES_MAX) {
        struct scored *to = &list[count++];
        assert_int_equal(sscanf(line, "cards %" SCNd32 " %" SCNd64 " %" SCNx64 " %" SCNu32 " %" SCNu64 " %" SCNu32 " %" SCNu64,
                                &to->partition, &to->offset, &to->bits, &to->version.line, &to->version.base, &to->version.epoch,
                                &to->version.since),
                         7);
    }
    free(text);
    return count;
}

static bool is_same_version(const struct rf_version *a, const struct rf_version *b) {
    return a->line == b->line && a->base == b->base && a->epoch == b->epoch && a->since == b->since;
}

static void assert_explained(struct world *world, const struct scored *scored) {
    struct life life = {0};
    struct rf_point point = point_of(RF_POINT_BEFORE, scored->partition, scored->offset);
    struct rf_replay *replay = replay_to(world, &life, &point, scored->version.line);
    const struct rf_batch *batch = rf_replay_batch(replay);
    uint64_t bits;
    assert_int_equal(batch->examples.count, 1);
    const uint8_t digest[RF_SHA256_SIZE] = {0};
    struct rf_explanation explanation;
    assert_int_equal(rf_explanation_init(replay, digest, &explanation, &life.err), RF_OK);
    memcpy(&bits, &explanation.predictions.score[0], sizeof bits);
    assert_int_equal(bits, scored->bits);
    assert_int_equal(explanation.count, batch->examples.row_start[1] + 1); // the bias
    assert_true(fabs(explanation.linked - explanation.predictions.score[0]) < 1e-15);
    rf_explanation_finish(&explanation);

    struct rf_version versions[RF_REPLAY_VERSIONS_MAX];
    size_t count = rf_replay_versions(replay, versions);
    bool is_among = false;
    for (size_t i = 0; i < count; i++) {
        is_among |= is_same_version(&versions[i], &scored->version);
    }
    if (!is_among) {
        fail_msg("cards [%d] %" PRId64 " carried %u %" PRIu64 " %u %" PRIu64 ", not %u %" PRIu64 " %u %" PRIu64,
                 scored->partition, scored->offset, scored->version.line, scored->version.base, scored->version.epoch,
                 scored->version.since, versions[0].line, versions[0].base, versions[0].epoch, versions[0].since);
    }
    end_replay(world, &life, replay);
}

static void any_score_that_left_is_given_again_to_the_bit(void **state) {
    struct world *world = *state;
    static struct past past;
    static struct scored list[LINES_MAX];
    for (uint64_t seed = 400; seed < 400 + 2 * SEEDS; seed++) {
        open_lived(world, &past, seed, false);
        size_t count = read_scores(world, list);
        assert_int_equal(count, world->produced - world->undecodable);
        for (size_t i = 0; i < POINTS; i++) {
            assert_explained(world, &list[rf_random_below(&world->random, count)]);
        }
        close_simulated(world);
    }
}

// On the line that a prediction stands on, also when a later one went another way from a snapshot before it.
static void scores_of_lines_that_were_left_are_given_again(void **state) {
    struct world *world = *state;
    static struct past past;
    static struct scored list[LINES_MAX];
    bool has_line[3] = {false};
    for (uint64_t seed = 500; seed < 500 + SEEDS; seed++) {
        open_small(world, PARTITIONS, seed, FEW_RECORDS);
        world->tells_versions = true;
        live_noted(world, &past, 25 + rf_random_below(&world->random, 40));
        roll_past_back(world, &past, oldest_snapshot(world));
        live_noted(world, &past, UINT64_MAX);
        size_t count = read_scores(world, list);
        for (size_t i = 0; i < 2 * POINTS; i++) {
            const struct scored *scored = &list[i < POINTS ? i * 3 : rf_random_below(&world->random, count)];
            has_line[scored->version.line] = true;
            assert_explained(world, scored);
        }
        close_simulated(world);
    }
    assert_true(has_line[1] && has_line[2]);
}

static void a_rejected_record_is_found_with_its_reason(void **state) {
    struct world *world = *state;
    static struct past past;
    open_lived(world, &past, 600, false);
    int64_t offset = 0;
    while (simulated_kafka_record(world->kafka, 1, offset)->value.data[0] == '{') {
        offset++;
    }
    struct life life = {0};
    struct rf_point point = point_of(RF_POINT_BEFORE, 1, offset);
    struct rf_replay *replay = replay_to(world, &life, &point, 0);
    const struct rf_batch *batch = rf_replay_batch(replay);
    assert_int_equal(batch->examples.count, 0);
    assert_int_equal(batch->rejects.count, 1);
    assert_int_equal(batch->rejects.list[0].reason, RF_REASON_UNDECODABLE);
    end_replay(world, &life, replay);
    close_simulated(world);
}

// The disk of a replay can only be read, and the worker holds the lock.
static void a_replay_beside_a_worker_that_runs_disturbs_nothing(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 700; seed < 700 + SEEDS; seed++) {
        struct life worker = {0}, life = {0};
        open_small(world, PARTITIONS, seed, FEW_RECORDS);
        assert_int_equal(be_born(world, &worker), RF_OK);
        uint64_t wanted = 0;
        while (wanted < FEW_RECORDS - 200) {
            uint8_t then[RF_SHA256_SIZE], digest[RF_SHA256_SIZE];
            wanted += 1 + rf_random_below(&world->random, 120);
            assert_true(live_until(world, &worker, wanted));
            while (is_frozen(&worker)) {
                assert_true(live_for(world, &worker, 1));
            }
            wanted = records_of(&worker);
            digest_of(&worker, then);
            struct rf_replay *replay = replay_to(world, &life, &(struct rf_point){.kind = RF_POINT_NEWEST}, 0);
            assert_int_equal(records_at(replay), wanted);
            digest_at(replay, digest);
            assert_memory_equal(digest, then, RF_SHA256_SIZE);
            end_replay(world, &life, replay);
        }
        live_to_end(world, &worker);
        assert_all_once(world, &worker);
        die(world, &worker);
        close_simulated(world);
    }
}

// What cannot be.

static void points_that_were_never_folded_are_named(void **state) {
    struct world *world = *state;
    static struct past past;
    open_lived(world, &past, 800, false);
    struct rf_point point = point_of(RF_POINT_AFTER, 7, 3);
    assert_replay_refused(world, &point, RF_NOT_FOUND, "nothing of cards [7] was learned");
    point = point_of(RF_POINT_AFTER, 1, 5000);
    assert_replay_refused(world, &point, RF_NOT_FOUND,
                          "offset 5000 of cards [1] is not learned yet: the next one to be learned is 200");
    point = (struct rf_point){.kind = RF_POINT_RECORDS, .records = FEW_RECORDS + 1};
    assert_replay_refused(world, &point, RF_NOT_FOUND, "601 records are not learned yet: the newest one recorded is number 600");
    close_simulated(world);
}

static void a_point_before_the_first_record_of_the_model_is_named(void **state) {
    struct world *world = *state;
    struct life life = {0};
    open_small(world, 1, 810, 300);
    simulated_kafka_set_start(world->kafka, RF_START_LATEST);
    assert_int_equal(be_born(world, &life), RF_OK);
    produce(world, 0, 300);
    live_to_end(world, &life);
    die(world, &life);
    struct rf_point point = point_of(RF_POINT_BEFORE, 0, 299);
    assert_replay_refused(world, &point, RF_NOT_FOUND,
                          "offset 299 of cards [0] lies before where the model began: it reads on from offset 300");
    close_simulated(world);
}

static void records_that_are_gone_are_named_with_their_offsets(void **state) {
    struct world *world = *state;
    static struct past past;
    open_lived(world, &past, 820, false);
    simulated_kafka_cut(world->kafka, 1, 150);
    struct rf_point point = point_of(RF_POINT_AFTER, 1, 20);
    assert_replay_refused(world, &point, RF_CONFLICT, "of cards [1] is no longer there: the log holds 150 to 200");
    point = point_of(RF_POINT_AFTER, 1, 199); // learned behind what is left
    struct life life = {0};
    end_replay(world, &life, replay_to(world, &life, &point, 0));
    close_simulated(world);
}

static void a_log_that_is_another_one_is_refused(void **state) {
    struct world *world = *state;
    static struct past past;
    struct rf_point point = {.kind = RF_POINT_RECORDS, .records = FEW_RECORDS - 1};
    open_small(world, 1, 830, FEW_RECORDS);
    live_noted(world, &past, UINT64_MAX);
    simulated_kafka_make_anew(world->kafka, 0);
    assert_replay_refused(world, &point, RF_CONFLICT, "is beyond the end: the log holds 0 to 0");
    produce(world, 0, FEW_RECORDS); // others
    assert_replay_refused(world, &point, RF_CONFLICT, "holds another record than the one that was learned");
    keep_oldest_snapshots(world, 0); // nothing to compare a first record with
    assert_replay_refused(world, &point, RF_CONFLICT, "the log, the settings or the program are not those of then");
    close_simulated(world);
}

static void assert_snapshots_gone_are_named(struct world *world) {
    struct rf_error err;
    char **names;
    size_t count;
    keep_oldest_snapshots(world, 0);
    assert_int_equal(rf_disk_list(world->disk, "state", "chain-", ".log", &names, &count, &err), RF_OK);
    char path[256];
    snprintf(path, sizeof path, "state/%s", names[0]);
    rf_disk_names_destroy(names, count);
    assert_int_equal(rf_disk_remove(world->disk, path, &err), RF_OK);
    assert_replay_refused(world, &(struct rf_point){.kind = RF_POINT_NEWEST}, RF_NOT_FOUND, "there is no snapshot in state");
}

static void an_order_that_is_torn_or_missing_is_named_with_its_record(void **state) {
    struct world *world = *state;
    static struct past past;
    struct rf_error err;
    char **names, path[256];
    size_t count, size;
    const char *data;
    struct rf_point point = {.kind = RF_POINT_RECORDS, .records = FEW_RECORDS - 1};
    open_small(world, PARTITIONS, 840, FEW_RECORDS);
    live_noted(world, &past, UINT64_MAX);
    assert_int_equal(rf_disk_list(world->disk, "state", "schedule-", ".log", &names, &count, &err), RF_OK);
    assert_int_equal(count, 1);
    snprintf(path, sizeof path, "state/%s", names[0]);
    rf_disk_names_destroy(names, count);
    assert_true(rf_disk_simulated_peek(world->disk, path, &data, &size));
    assert_true(rf_disk_simulated_damage(world->disk, path, size / 2));
    assert_replay_refused(world, &point, RF_CORRUPT, "a part of the schedule is missing or torn");
    struct life life = {0};
    point.records = 20; // before that
    end_replay(world, &life, replay_to(world, &life, &point, 0));
    assert_int_equal(rf_disk_remove(world->disk, path, &err), RF_OK);
    assert_replay_refused(world, &point, RF_CORRUPT, "ends at record");
    assert_snapshots_gone_are_named(world);
    close_simulated(world);
}

static void text_that_names_a_point_is_read(void **state) {
    (void)state;
    struct rf_error err;
    struct rf_point point;
    assert_int_equal(rf_point_read("cards:3:417", &point, &err), RF_OK);
    assert_int_equal(point.kind, RF_POINT_AFTER);
    assert_string_equal(point.topic, "cards");
    assert_int_equal(point.partition, 3);
    assert_int_equal(point.offset, 417);
    assert_int_equal(rf_point_read("a:b/day.csv:0:0", &point, &err), RF_OK);
    assert_string_equal(point.topic, "a:b/day.csv");
    assert_int_equal(rf_point_read("2018-04-01T00:00:31Z", &point, &err), RF_OK);
    assert_int_equal(point.kind, RF_POINT_TIME);
    assert_int_equal(point.time_ms, 1522540831000);
    assert_int_equal(rf_point_read("4200", &point, &err), RF_OK);
    assert_int_equal(point.kind, RF_POINT_RECORDS);
    const char *const wrong[] = {"",
                                 "cards",
                                 "cards:3",
                                 ":3:4",
                                 "cards:3:",
                                 "cards::4",
                                 "cards:-1:4",
                                 "cards:3:4x",
                                 "cards:2147483648:1",
                                 "cards:1:9223372036854775808",
                                 "18446744073709551616"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(rf_point_read(wrong[i], &point, &err), RF_INVALID);
    }
    assert_string_equal(err.text, "\"18446744073709551616\" names no point: give TOPIC:PARTITION:OFFSET, a time as in "
                                  "2026-11-22T08:30:00Z, or a number of records");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(text_that_names_a_point_is_read),
            IN_WORLD(a_replay_of_any_number_of_records_gives_the_model_of_then),
            IN_WORLD(without_snapshots_a_replay_begins_from_nothing_and_meets_those_on_record),
            IN_WORLD(a_replay_stops_right_before_or_after_any_record),
            IN_WORLD(a_replay_stops_before_the_first_record_that_is_later),
            IN_WORLD(any_score_that_left_is_given_again_to_the_bit),
            IN_WORLD(scores_of_lines_that_were_left_are_given_again),
            IN_WORLD(a_rejected_record_is_found_with_its_reason),
            IN_WORLD(a_replay_beside_a_worker_that_runs_disturbs_nothing),
            IN_WORLD(points_that_were_never_folded_are_named),
            IN_WORLD(a_point_before_the_first_record_of_the_model_is_named),
            IN_WORLD(records_that_are_gone_are_named_with_their_offsets),
            IN_WORLD(a_log_that_is_another_one_is_refused),
            IN_WORLD(an_order_that_is_torn_or_missing_is_named_with_its_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
