// A worker as a state machine over a simulated Kafka, disk and clock, in one thread; and the same script on the real ones.
#include "ingest/broker.h"
#include "ingest/generator.h"
#include "ops/assembly.h"
#include "ops/checkpoint.h"
#include "ops/worker.h"
#include "proto/random.h"
#include "proto/snapshot.h"
#include "sinks/producer.h"
#include "tests/simulation/disk_simulated.h"
#include "tests/simulation/kafka_simulated.h"
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS = 6000, TURNS_MAX = 2000000 };

static const char settings_text[] = "name: cards\n"
                                    "source: {topics: [cards]}\n"
                                    "kafka: {bootstrap.servers: localhost, fetch.wait.max.ms: 10}\n"
                                    "features: {id: transaction, time: at, label: fraud, numbers: [amount],\n"
                                    "           categories: [customer, terminal]}\n"
                                    "learner: {type: linear, optimizer: {type: momentum, rate: 0.05}, hash_bits: 12}\n"
                                    "snapshots: {directory: state, every: {records: 700, seconds: 0}, keep: 3}\n"
                                    "worker: {batch_records: 64, log_level: error}\n";

// Time that only moves when it is told to.
struct simulated_clock {
    struct rf_clock base;
    int64_t now_ms;
};

static int64_t simulated_unix_ms(struct rf_clock *self) {
    return ((struct simulated_clock *)self)->now_ms;
}

static void simulated_sleep_ms(struct rf_clock *self, int ms) {
    ((struct simulated_clock *)self)->now_ms += ms;
}

// What outlives a process.
struct world {
    struct rf_disk *disk;          // NULL: the machine's own
    struct simulated_kafka *kafka; // NULL: a broker
    const char *bootstrap;
    char folder[64];
    struct simulated_clock clock;
};

// One life of a worker.
struct life {
    struct rf_assembly assembly;
    struct rf_worker *worker;
    struct rf_error err;
};

static enum rf_status be_born(struct world *world, struct life *life) {
    char path[] = "/tmp/riffle-simulation-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, settings_text, sizeof settings_text - 1) == sizeof settings_text - 1);
    close(file);
    char directory[128];
    snprintf(directory, sizeof directory, "snapshots.directory=%s", world->folder);
    const char *sets[] = {directory};
    assert_int_equal(rf_assembly_init(path, sets, 1, &life->assembly, &life->err), RF_OK);
    unlink(path);
    if (world->disk) {
        rf_disk_destroy(life->assembly.disk);
        life->assembly.disk = world->disk;
    }
    struct rf_worker_options options = {
            .folder = &life->assembly.folder,
            .clock = &world->clock.base,
            .log = &life->assembly.log,
            .batches = 3,
            .wait_ms = 10000,
            .shutdown_ms = 1000000,
    };
    struct rf_texts columns;
    if (world->kafka) {
        options.source = simulated_kafka_source(world->kafka, true);
    } else {
        assert_int_equal(rf_assembly_set_bootstrap(&life->assembly, world->bootstrap, &life->err), RF_OK);
        assert_int_equal(rf_assembly_source(&life->assembly, true, &options.source, &columns, &life->err), RF_OK);
    }
    assert_int_equal(rf_assembly_pipeline(&life->assembly, NULL, &options.pipeline, &life->err), RF_OK);
    enum rf_status status = rf_assembly_state(&life->assembly, options.pipeline, &life->err);
    if (status) {
        rf_pipeline_destroy(options.pipeline);
        rf_source_destroy(options.source);
        return status;
    }
    return rf_worker_create(&options, &life->worker, &life->err);
}

// Ends the life as kill -9 does: nothing is finished.
static void die(struct world *world, struct life *life) {
    rf_worker_destroy(life->worker);
    if (world->disk) {
        if (life->assembly.has_folder) {
            rf_folder_close(&life->assembly.folder);
            life->assembly.has_folder = false;
        }
        life->assembly.disk = NULL;
    }
    rf_assembly_finish(&life->assembly);
    *life = (struct life){0};
}

static uint64_t records_of(struct life *life) {
    return rf_pipeline_counts(rf_worker_pipeline(life->worker))->records;
}

// Turns until `records` are applied or the end is reached; false at the end, or when it failed.
static bool live_until(struct world *world, struct life *life, uint64_t records) {
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        if (!rf_worker_turn(life->worker)) {
            return false;
        }
        if (records_of(life) >= records) {
            return true;
        }
        world->clock.now_ms++;
    }
    fail_msg("no end after %d turns", TURNS_MAX);
    return false;
}

static void digest_of(struct life *life, uint8_t digest_out[RF_SHA256_SIZE]) {
    const uint8_t specification[RF_SHA256_SIZE] = {0};
    rf_model_sha256(specification, rf_pipeline_state(rf_worker_pipeline(life->worker)), digest_out);
}

static void assert_all_once(struct life *life) {
    struct rf_worker_report report;
    rf_worker_report(life->worker, &report);
    assert_string_equal(report.sentence, "");
    assert_int_equal(report.counts.records, RECORDS);
    assert_int_equal(report.counts.learned, RECORDS);
    assert_int_equal(report.counts.rejected, 0);
}

// Runs a whole stream, dying once each of `deaths` records have been applied.
static void run_script(struct world *world, const uint64_t *deaths, size_t death_count, uint8_t digest_out[RF_SHA256_SIZE]) {
    struct life life = {0};
    for (size_t i = 0; i < death_count; i++) {
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_true(live_until(world, &life, deaths[i]));
        die(world, &life);
    }
    assert_int_equal(be_born(world, &life), RF_OK);
    assert_false(live_until(world, &life, UINT64_MAX));
    assert_all_once(&life);
    digest_of(&life, digest_out);
    die(world, &life);
}

static void open_simulated(struct world *world, int32_t partitions, uint64_t seed) {
    *world = (struct world){
            .disk = rf_disk_simulated_create(), .kafka = simulated_kafka_create("cards", partitions, seed), .folder = "state"};
    world->clock = (struct simulated_clock){{simulated_unix_ms, simulated_sleep_ms}, 1000};
    struct rf_generator *generator;
    struct rf_error err;
    const struct rf_generator_options options = {.stream = "cards", .seed = 7, .format = RF_GENERATE_JSON};
    assert_int_equal(rf_generator_create(&options, &generator, &err), RF_OK);
    for (int i = 0; i < RECORDS; i++) {
        struct rf_generated record;
        rf_generator_next(generator, &record);
        simulated_kafka_produce(world->kafka, i % partitions, record.key, record.value, record.time_ms);
    }
    rf_generator_destroy(generator);
}

static void close_simulated(struct world *world) {
    simulated_kafka_destroy(world->kafka);
    rf_disk_destroy(world->disk);
}

static void deaths_leave_the_bytes_of_the_undisturbed_run(void **state) {
    (void)state;
    struct world world;
    uint8_t whole[RF_SHA256_SIZE], broken[RF_SHA256_SIZE];
    open_simulated(&world, 1, 1);
    run_script(&world, NULL, 0, whole);
    close_simulated(&world);
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct rf_random random;
        rf_random_init(&random, seed);
        uint64_t deaths[5];
        for (size_t i = 0; i < 5; i++) {
            deaths[i] = 1 + rf_random_below(&random, RECORDS - 1);
        }
        open_simulated(&world, 1, seed);
        run_script(&world, deaths, 5, broken);
        assert_memory_equal(whole, broken, sizeof whole);
        assert_int_equal(simulated_kafka_committed(world.kafka, 0), RECORDS);
        close_simulated(&world);
    }
}

// With several partitions the recorded schedule is followed, so the bytes after a death are those of a fold in the recorded
// order: a second worker that follows the same schedule from nothing comes to the same.
static void several_partitions_fold_in_the_recorded_order(void **state) {
    (void)state;
    for (uint64_t seed = 100; seed < 130; seed++) {
        struct world world;
        struct life life = {0};
        uint8_t first[RF_SHA256_SIZE], again[RF_SHA256_SIZE];
        const uint64_t deaths[] = {500 + seed, 2000 + 7 * seed, 4000 + 3 * seed};
        open_simulated(&world, 3, seed);
        run_script(&world, deaths, 3, first);

        // Remove all snapshots but the first, of the untaught model: the whole order is folded again.
        struct rf_error err;
        char **names;
        size_t count;
        assert_int_equal(rf_disk_list(world.disk, "state", "snapshot-", ".riffle", &names, &count, &err), RF_OK);
        assert_int_equal(count, 3);
        for (size_t i = 1; i < count; i++) {
            char path[256];
            snprintf(path, sizeof path, "state/%s", names[i]);
            assert_int_equal(rf_disk_remove(world.disk, path, &err), RF_OK);
        }
        rf_disk_names_destroy(names, count);
        assert_int_equal(be_born(&world, &life), RF_OK);
        assert_true(records_of(&life) < RECORDS);
        assert_false(live_until(&world, &life, UINT64_MAX));
        assert_all_once(&life);
        digest_of(&life, again);
        assert_memory_equal(first, again, sizeof first);
        die(&world, &life);
        close_simulated(&world);
    }
}

static void a_cut_of_power_at_any_instant_loses_nothing_and_repeats_nothing(void **state) {
    (void)state;
    for (uint64_t seed = 200; seed < 230; seed++) {
        struct world world;
        struct life life = {0};
        uint8_t digest[RF_SHA256_SIZE];
        open_simulated(&world, 2, seed);
        assert_int_equal(be_born(&world, &life), RF_OK);
        assert_true(live_until(&world, &life, 300 + 20 * (seed - 200)));
        die(&world, &life);
        rf_disk_simulated_cut_power(world.disk);
        run_script(&world, NULL, 0, digest);
        close_simulated(&world);
    }
}

// Every call of the disk fails once, in turn: the worker either goes on or ends with a sentence, and the next one comes to
// the same end.
static void a_disk_that_fails_anywhere_damages_nothing(void **state) {
    (void)state;
    struct world world;
    uint8_t whole[RF_SHA256_SIZE], broken[RF_SHA256_SIZE];
    open_simulated(&world, 1, 1);
    run_script(&world, NULL, 0, whole);
    uint64_t calls = rf_disk_simulated_calls(world.disk);
    close_simulated(&world);
    assert_in_range(calls, 50, 5000);
    for (uint64_t call = 1; call <= calls; call += 1 + calls / 150) {
        struct life life = {0};
        open_simulated(&world, 1, 1);
        rf_disk_simulated_fail(world.disk, call, ENOSPC);
        if (be_born(&world, &life) == RF_OK) {
            live_until(&world, &life, UINT64_MAX);
            struct rf_worker_report report;
            rf_worker_report(life.worker, &report);
            assert_true(report.status == RF_OK || strlen(report.sentence) > 10);
        } else {
            assert_true(strlen(life.err.text) > 10);
        }
        die(&world, &life);
        rf_disk_simulated_fail(world.disk, 0, 0);
        run_script(&world, NULL, 0, broken);
        assert_memory_equal(whole, broken, sizeof whole);
        close_simulated(&world);
    }
}

static void produce_to_broker(struct simulated_kafka *kafka, const char *bootstrap) {
    char name[] = "bootstrap.servers", value[256];
    snprintf(value, sizeof value, "%s", bootstrap);
    struct rf_pair pair = {.name = name, .value = value};
    const struct rf_pairs properties = {&pair, 1};
    struct rf_producer *producer;
    struct rf_error err;
    assert_int_equal(rf_producer_create(&properties, &producer, &err), RF_OK);
    struct rf_source *source = simulated_kafka_source(kafka, true);
    struct rf_positions positions;
    rf_positions_init(&positions);
    size_t index;
    assert_int_equal(rf_positions_add(&positions, "cards", 0, &index), RF_OK);
    positions.list[0].next_offset = RF_OFFSET_NONE;
    struct rf_record records[64];
    void *loans[64];
    struct rf_records loan = {.list = records, .capacity = 64, .loans = loans};
    const struct rf_poll want = {.records_max = 64, .bytes_max = SIZE_MAX};
    enum rf_source_event event = RF_SOURCE_IDLE;
    const struct rf_positions *partitions;
    assert_int_equal(rf_source_poll(source, &want, &loan, &event, &partitions, &err), RF_OK);
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    while (event != RF_SOURCE_END) {
        loan.count = 0;
        assert_int_equal(rf_source_poll(source, &want, &loan, &event, &partitions, &err), RF_OK);
        for (size_t i = 0; i < loan.count; i++) {
            assert_int_equal(
                    rf_producer_send(producer, "cards", 0, records[i].key, records[i].value, records[i].timestamp_ms, &err),
                    RF_OK);
        }
    }
    assert_int_equal(rf_producer_settle(producer, 30000, &err), RF_OK);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    rf_producer_destroy(producer);
}

static void a_script_gives_the_same_bytes_simulated_and_real(void **state) {
    (void)state;
    struct world simulated, real;
    const uint64_t deaths[] = {800, 2500, 2600};
    uint8_t expected[RF_SHA256_SIZE], found[RF_SHA256_SIZE];
    open_simulated(&simulated, 1, 5);
    run_script(&simulated, deaths, 3, expected);

    struct rf_broker *broker;
    struct rf_error err;
    assert_int_equal(rf_broker_create(&broker, &err), RF_OK);
    assert_int_equal(rf_broker_add_topic(broker, "cards", 1, &err), RF_OK);
    produce_to_broker(simulated.kafka, rf_broker_bootstrap(broker));
    real = (struct world){.bootstrap = rf_broker_bootstrap(broker), .folder = "/tmp/riffle-simulation-XXXXXX"};
    real.clock = simulated.clock;
    assert_non_null(mkdtemp(real.folder));
    run_script(&real, deaths, 3, found);
    assert_memory_equal(expected, found, sizeof expected);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", real.folder);
    assert_int_equal(system(command), 0);
    rf_broker_destroy(broker);
    close_simulated(&simulated);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(deaths_leave_the_bytes_of_the_undisturbed_run),
            cmocka_unit_test(several_partitions_fold_in_the_recorded_order),
            cmocka_unit_test(a_cut_of_power_at_any_instant_loses_nothing_and_repeats_nothing),
            cmocka_unit_test(a_disk_that_fails_anywhere_damages_nothing),
            cmocka_unit_test(a_script_gives_the_same_bytes_simulated_and_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
