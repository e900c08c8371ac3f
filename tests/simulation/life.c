#include "tests/simulation/life.h"

#include "ops/checkpoint.h"
#include "proto/snapshot.h"
#include "tests/simulation/outputs.h"
#include "tests/simulation/sink_simulated.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURNS_MAX = 2000000, UNDECODABLE_ONE_IN = 16, VALUE_SIZE = 256 };

static const char settings_text[] = "name: cards\n"
                                    "source: {topics: [cards]}\n"
                                    "kafka: {bootstrap.servers: localhost, fetch.wait.max.ms: 10}\n"
                                    "features: {id: transaction, time: at, label: fraud, numbers: [amount],\n"
                                    "           categories: [customer, terminal]}\n"
                                    "learner: {type: linear, optimizer: {type: momentum, rate: 0.05}, hash_bits: 12}\n"
                                    "snapshots: {directory: state, every: {records: 700, seconds: 0}}\n"
                                    "worker: {batch_records: 64, log_level: error}\n";

static const char *const small_sets[] = {"learner.hash_bits=8", "snapshots.every.records=100", "worker.batch_records=16"};
enum { SET_COUNT = 5, SMALL_SET_COUNT = sizeof small_sets / sizeof *small_sets };

static int64_t simulated_unix_ms(struct rf_clock *self) {
    return ((struct simulated_clock *)self)->now_ms;
}

static int64_t simulated_monotonic_ms(struct rf_clock *self) {
    return ((struct simulated_clock *)self)->now_ms;
}

static void simulated_sleep_ms(struct rf_clock *self, int ms) {
    ((struct simulated_clock *)self)->now_ms += ms;
}

// The story.

void keep_large_memory_cheap(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 17); // else it grows, and large memory that is hardly used is cleared in every life
}

int make_world(void **state) {
    keep_large_memory_cheap();
    *state = calloc(1, sizeof(struct world));
    return *state ? 0 : -1;
}

int drop_world(void **state) {
    struct world *world = *state;
    if (world->story[0]) {
        fprintf(stderr, "the story: %s\n", world->story); // cmocka cuts what is longer than a line
        close_simulated(world);
    }
    free(world);
    return 0;
}

void tell(struct world *world, const char *format, ...) {
    size_t size = strlen(world->story);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->story + size, sizeof world->story - size, format, arguments);
    va_end(arguments);
}

// The world.

static void produce_one(struct world *world, size_t partition) {
    uint64_t number = world->produced++;
    struct rf_random random;
    rf_random_init(&random, number);
    unsigned customer = (unsigned)rf_random_below(&random, 50), terminal = (unsigned)rf_random_below(&random, 90);
    double amount = (double)rf_random_below(&random, 30000) / 100;
    int64_t time_ms = 1522540800000 + 9000 * (int64_t)number;
    char key[16], value[VALUE_SIZE];
    snprintf(key, sizeof key, "%u", customer);
    if (rf_random_below(&random, UNDECODABLE_ONE_IN) == 0) {
        snprintf(value, sizeof value, "payment %" PRIu64 " was torn", number);
        world->undecodable++;
    } else {
        snprintf(value, sizeof value,
                 "{\"transaction\":%" PRIu64 ",\"at\":%" PRId64 ",\"customer\":%u,\"terminal\":%u,\"amount\":%.2f,\"fraud\":%d}",
                 number, time_ms, customer, terminal, amount, amount + 100 * rf_random_normal(&random) > 220);
    }
    int64_t loose_ms = world->has_loose_times ? 9000 * ((int64_t)rf_random_below(&random, 81) - 40) : 0;
    simulated_kafka_produce(world->kafka, partition, rf_text_of(key), rf_text_of(value), time_ms + loose_ms);
}

void produce(struct world *world, size_t partition, uint64_t records) {
    for (uint64_t i = 0; i < records; i++) {
        produce_one(world, partition);
    }
    if (records) {
        tell(world, "; %" PRIu64 " records more in partition %zu", records, partition);
    }
}

void produce_everywhere(struct world *world, uint64_t records) {
    for (uint64_t i = 0; i < records; i++) {
        produce_one(world, world->produced % simulated_kafka_count(world->kafka));
    }
    tell(world, "; %" PRIu64 " records more", records);
}

static void open_world(struct world *world, int32_t partitions, uint64_t seed, uint64_t records) {
    *world = (struct world){.disk = rf_disk_simulated_create(),
                            .kafka = simulated_kafka_create("cards", partitions, seed),
                            .folder = "state",
                            .clock = {{simulated_unix_ms, simulated_monotonic_ms, simulated_sleep_ms}, 1000},
                            .retention = {.keep = 3, .keep_hours = 24, .keep_days = 7},
                            .sinks = {"out/scores"},
                            .pace = {.no_room_one_in = 4, .not_yet_max = 3}};
    rf_random_init(&world->random, seed);
    tell(world, "seed %" PRIu64 ", %" PRId32 " partitions", seed, partitions);
    produce_everywhere(world, records);
}

void open_simulated(struct world *world, int32_t partitions, uint64_t seed) {
    open_world(world, partitions, seed, RECORDS);
}

void open_small(struct world *world, int32_t partitions, uint64_t seed, uint64_t records) {
    open_world(world, partitions, seed, records);
    world->is_small = true;
}

void close_simulated(struct world *world) {
    simulated_kafka_destroy(world->kafka);
    rf_disk_destroy(world->disk);
    world->kafka = NULL;
    world->disk = NULL;
    world->story[0] = '\0';
}

void cut_power(struct world *world, bool by_chance) {
    tell(world, "; power cut%s", by_chance ? " that left a part" : "");
    if (by_chance) {
        rf_disk_simulated_cut_power_by_chance(world->disk, &world->random);
    } else {
        rf_disk_simulated_cut_power(world->disk);
    }
}

void fail_disk(struct world *world, uint64_t call) {
    if (call) {
        tell(world, "; call %" PRIu64 " of the disk from here on will fail", call);
    }
    rf_disk_simulated_fail(world->disk, call, ENOSPC);
}

size_t keep_oldest_snapshots(struct world *world, size_t kept) {
    struct rf_error err;
    char **names;
    size_t count;
    assert_int_equal(rf_disk_list(world->disk, "state", "snapshot-", ".riffle", &names, &count, &err), RF_OK);
    for (size_t i = kept; i < count; i++) {
        char path[256];
        snprintf(path, sizeof path, "state/%s", names[i]);
        assert_int_equal(rf_disk_remove(world->disk, path, &err), RF_OK);
    }
    rf_disk_names_destroy(names, count);
    return count;
}

// Lives.

void assemble(struct world *world, struct rf_assembly *assembly_out) {
    struct rf_error err;
    char path[] = "/tmp/riffle-simulation-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, settings_text, sizeof settings_text - 1) == sizeof settings_text - 1);
    close(file);
    char directory[128];
    snprintf(directory, sizeof directory, "snapshots.directory=%s", world->folder);
    char window[64];
    snprintf(window, sizeof window, "evaluation.window=%" PRIu64, world->window ? world->window : 1000);
    char keep[3][64];
    snprintf(keep[0], sizeof keep[0], "snapshots.keep=%zu", world->retention.keep);
    snprintf(keep[1], sizeof keep[1], "snapshots.keep_hours=%" PRIu64, world->retention.keep_hours);
    snprintf(keep[2], sizeof keep[2], "snapshots.keep_days=%" PRIu64, world->retention.keep_days);
    const char *sets[SET_COUNT + SMALL_SET_COUNT] = {directory, window, keep[0], keep[1], keep[2]};
    memcpy(sets + SET_COUNT, small_sets, sizeof small_sets);
    size_t set_count = world->is_small ? SET_COUNT + SMALL_SET_COUNT : SET_COUNT;
    assert_int_equal(rf_assembly_init(path, sets, set_count, assembly_out, &err), RF_OK);
    unlink(path);
    // Failures are wanted here; reports tell of them.
    assembly_out->log.options.file = world->log_file ? dup(world->log_file) : open("/dev/null", O_WRONLY | O_CLOEXEC);
    assembly_out->log.options.level = world->log_file ? RF_LOG_DEBUG : RF_LOG_ERROR;
    if (world->disk) {
        rf_disk_destroy(assembly_out->disk);
        assembly_out->disk = world->disk;
    }
}

void disassemble(struct world *world, struct rf_assembly *assembly) {
    close(assembly->log.options.file);
    if (world->disk) {
        if (assembly->has_folder) {
            rf_folder_close(&assembly->folder);
            assembly->has_folder = false;
        }
        assembly->disk = NULL;
    }
    rf_assembly_finish(assembly);
}

static enum rf_status add_sinks(struct world *world, struct rf_pipeline *pipeline, struct rf_error *err) {
    struct rf_sink *sink;
    enum simulated_lines lines = world->tells_versions ? SIMULATED_VERSIONS : SIMULATED_SCORES;
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < SINKS_MAX && world->disk && !status; i++) {
        if (world->sinks[i]) {
            status = simulated_sink_create(world->disk, world->sinks[i], lines, rf_random_next(&world->random), &world->pace,
                                           &sink, err);
            status = status ? status : rf_pipeline_add_sink(pipeline, sink, err);
        }
    }
    if (world->disk && !status) {
        status = simulated_sink_create(world->disk, REJECTED_FILE, SIMULATED_REJECTED, rf_random_next(&world->random),
                                       &world->pace, &sink, err);
        if (!status) {
            rf_pipeline_set_rejected(pipeline, sink);
        }
    }
    if (world->observer && !status) {
        status = sink_observer_create(world->observer, &sink, err);
        status = status ? status : rf_pipeline_add_sink(pipeline, sink, err);
    }
    return status;
}

static struct rf_source *topic_source(struct world *world, const char *topic, bool until_end) {
    struct rf_error err;
    struct rf_source *source = simulated_kafka_source(world->kafka, topic, until_end);
    if (world->is_merged) {
        assert_int_equal(rf_source_merge_create(source, until_end ? -1 : 30, false, &source, &err), RF_OK);
    }
    return source;
}

struct rf_source *source_of(struct world *world) {
    if (!world->history) {
        return topic_source(world, NULL, !world->goes_on);
    }
    struct rf_error err;
    struct rf_source *source,
            *list[] = {topic_source(world, world->history, true), topic_source(world, "cards", !world->goes_on)};
    assert_int_equal(rf_source_sequence_create(list, 2, &source, &err), RF_OK);
    return source;
}

enum rf_status be_born(struct world *world, struct life *life) {
    assemble(world, &life->assembly);
    struct rf_worker_options options = {
            .folder = &life->assembly.folder,
            .clock = world->real_clock ? world->real_clock : &world->clock.base,
            .log = &life->assembly.log,
            .batches = 3,
            .wait_ms = 10000,
            .shutdown_ms = 1000000,
            .on_offset_lost = world->on_offset_lost,
            .refresh_ms = 20,
    };
    struct rf_texts columns;
    if (world->kafka) {
        options.source = source_of(world);
    } else {
        assert_int_equal(rf_assembly_set_bootstrap(&life->assembly, world->bootstrap, &life->err), RF_OK);
        assert_int_equal(rf_assembly_source(&life->assembly, true, &options.source, &columns, &life->err), RF_OK);
    }
    assert_int_equal(rf_assembly_pipeline(&life->assembly, NULL, &options.pipeline, &life->err), RF_OK);
    enum rf_status status = rf_assembly_state(&life->assembly, options.pipeline, &life->err);
    if (!status) {
        status = add_sinks(world, options.pipeline, &life->err);
    }
    if (status) {
        rf_pipeline_destroy(options.pipeline);
        rf_source_destroy(options.source);
    } else {
        status = rf_worker_create(&options, &life->worker, &life->err);
    }
    if (status) {
        tell(world, "; not born: %s", life->err.text);
    } else {
        tell(world, "; born with %" PRIu64 " records", records_of(life));
    }
    return status;
}

void die(struct world *world, struct life *life) {
    rf_worker_destroy(life->worker);
    disassemble(world, &life->assembly);
    *life = (struct life){0};
    tell(world, "; dead");
}

uint64_t records_of(struct life *life) {
    return rf_pipeline_counts(rf_worker_pipeline(life->worker))->records;
}

bool turn(struct world *world, struct life *life) {
    world->clock.now_ms++;
    return world->has_shuffled_turns
                   ? rf_worker_turn_of(life->worker, (enum rf_worker_part)rf_random_below(&world->random, RF_WORKER_PARTS))
                   : rf_worker_turn(life->worker);
}

static bool live(struct world *world, struct life *life, uint64_t records, uint64_t turns) {
    uint64_t turned = 0;
    bool goes_on = true;
    while (goes_on && turned < turns && (turned == 0 || records_of(life) < records)) {
        goes_on = turn(world, life);
        turned++;
        if (turned == TURNS_MAX) {
            fail_msg("no end after %d turns", TURNS_MAX);
        }
    }
    struct rf_worker_report report;
    rf_worker_report(life->worker, &report);
    tell(world, "; %" PRIu64 " turns to %" PRIu64 " records%s%s", turned, records_of(life),
         goes_on ? "" : " and its end: ", report.sentence);
    return goes_on;
}

bool live_until(struct world *world, struct life *life, uint64_t records) {
    return live(world, life, records, UINT64_MAX);
}

bool live_for(struct world *world, struct life *life, uint64_t turns) {
    return live(world, life, UINT64_MAX, turns);
}

void digest_of(struct life *life, uint8_t digest_out[RF_SHA256_SIZE]) {
    const uint8_t specification[RF_SHA256_SIZE] = {0};
    rf_model_sha256(specification, rf_pipeline_state(rf_worker_pipeline(life->worker)), digest_out);
}

void live_to_end(struct world *world, struct life *life) {
    struct rf_worker_report report;
    assert_false(live_until(world, life, UINT64_MAX));
    rf_worker_report(life->worker, &report);
    assert_string_equal(report.sentence, "");
}

void assert_all_once(struct world *world, struct life *life) {
    struct rf_worker_report report;
    rf_worker_report(life->worker, &report);
    assert_string_equal(report.sentence, "");
    assert_int_equal(report.counts.records, world->produced);
    assert_int_equal(report.counts.rejected, world->undecodable);
    assert_int_equal(report.counts.learned, world->produced - world->undecodable);
    if (world->disk) {
        assert_outputs_once(world, NULL);
    }
}

void run_to_end(struct world *world, uint8_t digest_out[RF_SHA256_SIZE]) {
    struct life life = {0};
    assert_int_equal(be_born(world, &life), RF_OK);
    live_to_end(world, &life);
    assert_all_once(world, &life);
    digest_of(&life, digest_out);
    die(world, &life);
}

void run_script(struct world *world, const uint64_t *deaths, size_t death_count, uint8_t digest_out[RF_SHA256_SIZE]) {
    struct life life = {0};
    for (size_t i = 0; i < death_count; i++) {
        assert_int_equal(be_born(world, &life), RF_OK);
        assert_true(live_until(world, &life, deaths[i]));
        die(world, &life);
    }
    run_to_end(world, digest_out);
}
