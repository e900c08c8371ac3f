// Partitions read by time: one answer, whatever the arrival and wherever a life ends.
#include "tests/simulation/outputs.h"

#include <string.h>

enum { SEEDS = 30, PARTITIONS = 4, EACH = 60, TIMES = 50 };

// The records of the world stand in the order of their timestamps, so reading their partitions by time is reading one partition.
static void any_arrival_gives_the_model_of_one_partition(void **state) {
    struct world *world = *state;
    uint8_t one[RF_SHA256_SIZE], digest[RF_SHA256_SIZE];
    open_small(world, 1, 1, FEW_RECORDS);
    run_to_end(world, one);
    close_simulated(world);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_small(world, 2 + (int32_t)(seed % 5), seed, FEW_RECORDS);
        world->is_merged = true;
        if (seed % 2) {
            run_to_end(world, digest);
        } else {
            run_script(world, (uint64_t[]){90 + seed, 210 + 3 * seed, 400 + 2 * seed}, 3, digest);
        }
        assert_memory_equal(digest, one, RF_SHA256_SIZE);
        close_simulated(world);
    }
}

// What is not known to be at its end is passed over after a while, and taken in again.
static void a_live_partition_without_records_holds_nothing_back_for_ever(void **state) {
    struct world *world = *state;
    for (uint64_t seed = 100; seed < 100 + SEEDS; seed++) {
        struct life life = {0};
        open_small(world, 3, seed, 0);
        world->is_merged = world->goes_on = true;
        produce(world, 0, 100);
        produce(world, 1, 100);
        assert_int_equal(be_born(world, &life), RF_OK);
        live_for(world, &life, 400);
        assert_int_equal(records_of(&life), 200);
        produce(world, 2, 50);
        live_for(world, &life, 100);
        die(world, &life);
        assert_int_equal(be_born(world, &life), RF_OK);
        live_for(world, &life, 400);
        rf_worker_stop(life.worker);
        live_to_end(world, &life);
        assert_all_once(world, &life);
        die(world, &life);
        close_simulated(world);
    }
}

// Polls until the end, or so many records; appends partition and offset of each to the lists.
static size_t read_merged(struct rf_source *source, size_t records_max, size_t stop, uint32_t *partition, int64_t *offset) {
    struct rf_record list[16];
    void *loans[16];
    struct rf_error err;
    size_t count = 0;
    enum rf_source_event event = RF_SOURCE_IDLE;
    while (event != RF_SOURCE_END && count < stop) {
        struct rf_records records = {.list = list, .loans = loans, .capacity = 16};
        struct rf_poll want = {.records_max = records_max, .bytes_max = 1000};
        const struct rf_positions *partitions;
        assert_int_equal(rf_source_poll(source, &want, &records, &event, &partitions, &err), RF_OK);
        for (size_t i = 0; i < records.count && count < stop; i++) {
            partition[count] = list[i].partition;
            offset[count++] = list[i].offset;
        }
        rf_source_release(source, &records);
    }
    return count;
}

static void begin(struct rf_source *source, struct rf_positions *positions) {
    struct rf_record record;
    void *loan;
    struct rf_records records = {.list = &record, .loans = &loan, .capacity = 1};
    struct rf_poll want = {.records_max = 1, .bytes_max = 1};
    enum rf_source_event event;
    const struct rf_positions *partitions;
    struct rf_error err;
    assert_int_equal(rf_source_poll(source, &want, &records, &event, &partitions, &err), RF_OK);
    assert_int_equal(event, RF_SOURCE_ASSIGNED);
    assert_int_equal(rf_source_assign(source, positions, &err), RF_OK);
}

// The order as it is defined, of timestamps that go back and forth.
static void merge_naively(const struct simulated_kafka *kafka, int64_t *next, uint32_t *partition, int64_t *offset) {
    for (size_t count = 0; count < PARTITIONS * EACH; count++) {
        size_t best = PARTITIONS;
        for (size_t i = 0; i < PARTITIONS; i++) {
            const struct rf_record *record = simulated_kafka_record(kafka, i, next[i]);
            const struct rf_record *least = best < PARTITIONS ? simulated_kafka_record(kafka, best, next[best]) : NULL;
            if (record && (!least || record->timestamp_ms < least->timestamp_ms)) {
                best = i;
            }
        }
        partition[count] = (uint32_t)best;
        offset[count] = next[best]++;
    }
}

static void the_order_is_the_one_defined_and_resumes_anywhere(void **state) {
    (void)state;
    enum { ALL = PARTITIONS * EACH };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct simulated_kafka *kafka = simulated_kafka_create("cards", PARTITIONS, seed);
        struct rf_random random;
        struct rf_positions positions;
        struct rf_error err;
        static uint32_t expected[ALL], partition[ALL + PARTITIONS];
        static int64_t expected_offset[ALL], offset[ALL + PARTITIONS];
        int64_t next[PARTITIONS] = {0};
        rf_random_init(&random, seed);
        for (size_t i = 0; i < ALL; i++) {
            simulated_kafka_produce(kafka, i % PARTITIONS, rf_text_of("key"), rf_text_of("value"),
                                    (int64_t)rf_random_below(&random, TIMES));
        }
        merge_naively(kafka, next, expected, expected_offset);
        struct rf_source *source;
        assert_int_equal(rf_source_merge_create(simulated_kafka_source(kafka, NULL, true), -1, false, &source, &err), RF_OK);
        size_t stop = (size_t)rf_random_below(&random, ALL);
        rf_positions_init(&positions);
        for (int32_t i = PARTITIONS; i-- > 0;) { // their indices do not matter
            size_t index;
            assert_int_equal(rf_positions_add(&positions, "cards", i, &index), RF_OK);
        }
        begin(source, &positions);
        size_t count = read_merged(source, 1 + (size_t)rf_random_below(&random, 16), stop, partition, offset);
        assert_int_equal(count, stop);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(PARTITIONS - 1 - partition[i], expected[i]);
            assert_int_equal(offset[i], expected_offset[i]);
            positions.list[partition[i]].next_offset = offset[i] + 1;
            positions.list[partition[i]].fingerprint = 1;
        }
        rf_source_unassign(source);
        begin(source, &positions); // the last ones applied come once more
        count = read_merged(source, 16, SIZE_MAX, partition, offset);
        size_t seen = stop;
        for (size_t i = 0; i < count; i++) {
            if (offset[i] >= positions.list[partition[i]].next_offset) {
                assert_int_equal(PARTITIONS - 1 - partition[i], expected[seen]);
                assert_int_equal(offset[i], expected_offset[seen]);
                seen++;
            }
        }
        assert_int_equal(seen, ALL);
        rf_positions_finish(&positions);
        rf_source_destroy(source);
        simulated_kafka_destroy(kafka);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            IN_WORLD(any_arrival_gives_the_model_of_one_partition),
            IN_WORLD(a_live_partition_without_records_holds_nothing_back_for_ever),
            cmocka_unit_test(the_order_is_the_one_defined_and_resumes_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
