#include "tests/simulation/life.h"

#include "ingest/generator.h"
#include "ops/checkpoint.h"
#include "proto/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURNS_MAX = 2000000 };

static const char settings_text[] = "name: cards\n"
                                    "source: {topics: [cards]}\n"
                                    "kafka: {bootstrap.servers: localhost, fetch.wait.max.ms: 10}\n"
                                    "features: {id: transaction, time: at, label: fraud, numbers: [amount],\n"
                                    "           categories: [customer, terminal]}\n"
                                    "learner: {type: linear, optimizer: {type: momentum, rate: 0.05}, hash_bits: 12}\n"
                                    "snapshots: {directory: state, every: {records: 700, seconds: 0}, keep: 3}\n"
                                    "worker: {batch_records: 64, log_level: error}\n";

static int64_t simulated_unix_ms(struct rf_clock *self) {
    return ((struct simulated_clock *)self)->now_ms;
}

static int64_t simulated_monotonic_ms(struct rf_clock *self) {
    return ((struct simulated_clock *)self)->now_ms;
}

static void simulated_sleep_ms(struct rf_clock *self, int ms) {
    ((struct simulated_clock *)self)->now_ms += ms;
}

enum rf_status be_born(struct world *world, struct life *life) {
    char path[] = "/tmp/riffle-simulation-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, settings_text, sizeof settings_text - 1) == sizeof settings_text - 1);
    close(file);
    char directory[128];
    snprintf(directory, sizeof directory, "snapshots.directory=%s", world->folder);
    const char *sets[] = {directory};
    assert_int_equal(rf_assembly_init(path, sets, 1, &life->assembly, &life->err), RF_OK);
    unlink(path);
    life->assembly.log.options.file = open("/dev/null", O_WRONLY | O_CLOEXEC); // failures are wanted here; reports tell of them
    if (world->disk) {
        rf_disk_destroy(life->assembly.disk);
        life->assembly.disk = world->disk;
    }
    struct rf_worker_options options = {
            .folder = &life->assembly.folder,
            .clock = world->real_clock ? world->real_clock : &world->clock.base,
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

void die(struct world *world, struct life *life) {
    rf_worker_destroy(life->worker);
    close(life->assembly.log.options.file);
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

uint64_t records_of(struct life *life) {
    return rf_pipeline_counts(rf_worker_pipeline(life->worker))->records;
}

bool live_until(struct world *world, struct life *life, uint64_t records) {
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

void digest_of(struct life *life, uint8_t digest_out[RF_SHA256_SIZE]) {
    const uint8_t specification[RF_SHA256_SIZE] = {0};
    rf_model_sha256(specification, rf_pipeline_state(rf_worker_pipeline(life->worker)), digest_out);
}

void assert_all_once(struct life *life) {
    struct rf_worker_report report;
    rf_worker_report(life->worker, &report);
    assert_string_equal(report.sentence, "");
    assert_int_equal(report.counts.records, RECORDS);
    assert_int_equal(report.counts.learned, RECORDS);
    assert_int_equal(report.counts.rejected, 0);
}

void run_script(struct world *world, const uint64_t *deaths, size_t death_count, uint8_t digest_out[RF_SHA256_SIZE]) {
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

void open_simulated(struct world *world, int32_t partitions, uint64_t seed) {
    *world = (struct world){
            .disk = rf_disk_simulated_create(), .kafka = simulated_kafka_create("cards", partitions, seed), .folder = "state"};
    world->clock = (struct simulated_clock){{simulated_unix_ms, simulated_monotonic_ms, simulated_sleep_ms}, 1000};
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

void close_simulated(struct world *world) {
    simulated_kafka_destroy(world->kafka);
    rf_disk_destroy(world->disk);
}
