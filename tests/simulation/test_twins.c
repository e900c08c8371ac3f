// The simulated parts are checked, not believed: a script gives the same on them and on the real ones. The real Kafka is the one
// that RIFFLE_BOOTSTRAP names (a script by its name, as the only argument; its topic cards is there and empty), or else
// librdkafka's.
#include "ingest/broker.h"
#include "sinks/producer.h"
#include "tests/simulation/play.h"
#include "tests/simulation/refold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_MAX = 4, STEPS_MAX = 16 };

// What is done to both.
enum deed { THE_END, LIVE_AND_DIE, LIVE_AND_STOP, LIVE_TO_END, PRODUCE, ROLL_BACK };

struct step {
    enum deed deed;
    uint64_t number; // records to live to, or more of them; of the snapshot to go back to
};

struct script {
    const char *name;
    int32_t partitions;
    struct step steps[STEPS_MAX]; // behind the last one, which lives to the end, there are none
};

static const struct script scripts[] = {
        {"deaths", 1, {{LIVE_AND_DIE, 800}, {LIVE_AND_DIE, 2500}, {LIVE_AND_DIE, 2600}, {LIVE_TO_END, 0}}},
        {"growth",
         1,
         {{LIVE_TO_END, 0}, {PRODUCE, 500}, {LIVE_AND_DIE, 4100}, {PRODUCE, 300}, {LIVE_AND_STOP, 4300}, {LIVE_TO_END, 0}}},
        {"rollbacks",
         1,
         {{LIVE_AND_DIE, 1600},
          {ROLL_BACK, 2},
          {LIVE_AND_DIE, 2900},
          {ROLL_BACK, 4},
          {LIVE_AND_STOP, 3100},
          {PRODUCE, 200},
          {LIVE_TO_END, 0}}},
        {"partitions",
         3,
         {{LIVE_AND_DIE, 500},
          {LIVE_AND_DIE, 2100},
          {LIVE_AND_STOP, 2600},
          {PRODUCE, 400},
          {LIVE_AND_DIE, 3900},
          {LIVE_TO_END, 0}}},
};
enum { SCRIPTS = sizeof scripts / sizeof *scripts };

struct twins {
    struct play simulated, real;
    struct rf_broker *broker; // NULL: the real Kafka is somebody else's
    struct rf_producer *producer;
    int64_t mirrored[PARTITIONS_MAX]; // offsets below are in both logs
};

// What was produced to the simulated Kafka goes to the real one.
static void mirror(struct twins *twins) {
    struct simulated_kafka *kafka = twins->simulated.world.kafka;
    struct rf_error err;
    for (size_t i = 0; i < simulated_kafka_count(kafka); i++) {
        for (int64_t *offset = &twins->mirrored[i]; *offset < simulated_kafka_end(kafka, i); (*offset)++) {
            const struct rf_record *record = simulated_kafka_record(kafka, i, *offset);
            enum rf_status status;
            while ((status = rf_producer_send(twins->producer, "cards", (int32_t)i, record->key, record->value,
                                              record->timestamp_ms, &err)) == RF_AGAIN) {
                assert_true(rf_producer_settle(twins->producer, 1000, &err) == RF_OK);
            }
            assert_int_equal(status, RF_OK);
        }
    }
    assert_int_equal(rf_producer_settle(twins->producer, 30000, &err), RF_OK);
    twins->real.world.produced = twins->simulated.world.produced;
    twins->real.world.undecodable = twins->simulated.world.undecodable;
}

static void open_twins(struct twins *twins, const struct script *script) {
    struct rf_error err;
    const char *bootstrap = getenv("RIFFLE_BOOTSTRAP");
    *twins = (struct twins){0};
    open_simulated(&twins->simulated.world, script->partitions, 5);
    if (!bootstrap) {
        assert_int_equal(rf_broker_create(&twins->broker, &err), RF_OK);
        assert_int_equal(rf_broker_add_topic(twins->broker, "cards", script->partitions, &err), RF_OK);
        bootstrap = rf_broker_bootstrap(twins->broker);
    }
    char name[] = "bootstrap.servers", value[256];
    snprintf(value, sizeof value, "%s", bootstrap);
    struct rf_pair pair = {.name = name, .value = value};
    const struct rf_pairs properties = {&pair, 1};
    assert_int_equal(rf_producer_create(&properties, &twins->producer, &err), RF_OK);
    struct world *real = &twins->real.world;
    *real = (struct world){.bootstrap = bootstrap, .folder = "/tmp/riffle-simulation-XXXXXX"};
    real->clock = twins->simulated.world.clock;
    real->retention = twins->simulated.world.retention;
    assert_non_null(mkdtemp(real->folder));
    assert_int_equal(rf_disk_posix_create(&real->real_disk, &err), RF_OK);
    mirror(twins);
}

static void close_twins(struct twins *twins) {
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", twins->real.world.folder);
    assert_int_equal(system(command), 0);
    rf_disk_destroy(twins->real.world.real_disk);
    rf_producer_destroy(twins->producer);
    rf_broker_destroy(twins->broker);
    close_simulated(&twins->simulated.world);
}

static void live_and(struct play *play, const struct step *step) {
    struct life *life = &play->life;
    struct rf_error err;
    if (step->deed == ROLL_BACK) {
        assert_int_equal(roll_back(play, step->number, &err), RF_OK);
        return;
    }
    assert_int_equal(be_born(&play->world, life), RF_OK);
    if (step->deed == LIVE_TO_END) {
        live_to_end(&play->world, life);
        return;
    }
    assert_true(live_until(&play->world, life, step->number));
    if (step->deed == LIVE_AND_STOP) {
        rf_worker_stop(life->worker);
        live_to_end(&play->world, life);
    }
    die(&play->world, life);
}

// Both have lived to the end of the log: the same counts and positions, and each the fold of its own schedule, which for one
// partition is the same.
static void assert_twins(struct twins *twins, const struct script *script) {
    uint8_t digests[2][RF_SHA256_SIZE];
    struct play *plays[] = {&twins->simulated, &twins->real};
    struct simulated_kafka *kafka = twins->simulated.world.kafka;
    for (size_t i = 0; i < 2; i++) {
        struct life *life = &plays[i]->life;
        struct refolded refolded;
        const struct rf_positions *positions = rf_pipeline_positions(rf_worker_pipeline(life->worker));
        const struct rf_pipeline_counts *counts = rf_pipeline_counts(rf_worker_pipeline(life->worker));
        assert_int_equal(counts->records, twins->simulated.world.produced);
        assert_int_equal(counts->rejected, twins->simulated.world.undecodable);
        for (int32_t j = 0; j < script->partitions; j++) {
            assert_int_equal(rf_positions_find(positions, "cards", j)->next_offset, simulated_kafka_end(kafka, (size_t)j));
        }
        digest_of(life, digests[i]);
        plays[i]->world.kafka = kafka; // the log, for the plain fold
        refold(&plays[i]->world, &refolded);
        assert_memory_equal(refolded.digest, digests[i], RF_SHA256_SIZE);
        assert_true(refolded.checked > 2);
        free_refolded(&refolded);
    }
    if (script->partitions == 1) {
        assert_memory_equal(digests[0], digests[1], RF_SHA256_SIZE);
    }
}

static void run_script_twice(const struct script *script) {
    struct twins twins;
    open_twins(&twins, script);
    const struct step *step = script->steps;
    for (bool is_last = false; !is_last; step++) {
        is_last = step[1].deed == THE_END;
        if (step->deed == PRODUCE) {
            produce_everywhere(&twins.simulated.world, step->number);
            mirror(&twins);
            continue;
        }
        live_and(&twins.simulated, step);
        live_and(&twins.real, step);
        if (step->deed == LIVE_TO_END && !is_last) {
            die(&twins.simulated.world, &twins.simulated.life);
            die(&twins.real.world, &twins.real.life);
        }
    }
    assert_twins(&twins, script);
    die(&twins.simulated.world, &twins.simulated.life);
    twins.real.world.kafka = NULL;
    die(&twins.real.world, &twins.real.life);
    close_twins(&twins);
}

static const char *wanted;

static void scripts_give_the_same_simulated_and_real(void **state) {
    (void)state;
    size_t run = 0;
    for (size_t i = 0; i < SCRIPTS; i++) {
        if (!wanted || strcmp(scripts[i].name, wanted) == 0) {
            run_script_twice(&scripts[i]);
            print_message("%s: the same\n", scripts[i].name);
            run++;
        }
    }
    assert_true(run > 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(scripts_give_the_same_simulated_and_real),
    };
    wanted = argc > 1 ? argv[1] : NULL;
    keep_large_memory_cheap();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
