#ifndef RF_TESTS_LIFE_H
#define RF_TESTS_LIFE_H
// Lives of a worker in a world that outlives them: a disk, a Kafka and a clock, simulated or real.
#include "ops/assembly.h"
#include "ops/worker.h"
#include "tests/simulation/disk_simulated.h"
#include "tests/simulation/kafka_simulated.h"
#include "tests/test.h"

enum { RECORDS = 4000 }; // of the stream that every life reads

// Time that only moves when it is told to.
struct simulated_clock {
    struct rf_clock base;
    int64_t now_ms;
};

// What outlives a process.
struct world {
    struct rf_disk *disk;          // NULL: the machine's own
    struct simulated_kafka *kafka; // NULL: a broker
    const char *bootstrap;
    char folder[64];
    struct simulated_clock clock;
    struct rf_clock *real_clock; // NULL: the simulated one
};

// One life of a worker.
struct life {
    struct rf_assembly assembly;
    struct rf_worker *worker;
    struct rf_error err;
};

// A world whose Kafka holds RECORDS generated card payments; a seed decides how they come.
void open_simulated(struct world *world, int32_t partitions, uint64_t seed);
void close_simulated(struct world *world);

enum rf_status be_born(struct world *world, struct life *life);

// Ends the life as kill -9 does: nothing is finished.
void die(struct world *world, struct life *life);

uint64_t records_of(struct life *life);

// Turns until `records` are applied or the end is reached; false at the end, or when it failed.
bool live_until(struct world *world, struct life *life, uint64_t records);

void digest_of(struct life *life, uint8_t digest_out[RF_SHA256_SIZE]);
void assert_all_once(struct life *life);

// Runs a whole stream, dying once each of `deaths` records have been applied.
void run_script(struct world *world, const uint64_t *deaths, size_t death_count, uint8_t digest_out[RF_SHA256_SIZE]);

#endif
