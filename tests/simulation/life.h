#ifndef RF_TESTS_LIFE_H
#define RF_TESTS_LIFE_H
// Lives of a worker in a world that outlives them: a disk, a Kafka and a clock, simulated or real. What happens is noted down:
// a test that fails within a world tells its story.
#include "ops/assembly.h"
#include "ops/checkpoint.h"
#include "ops/worker.h"
#include "proto/random.h"
#include "tests/simulation/disk_simulated.h"
#include "tests/simulation/kafka_simulated.h"
#include "tests/simulation/sink_observer.h"
#include "tests/simulation/sink_simulated.h"
#include "tests/test.h"

#include <stdbool.h>

enum {
    RECORDS = 4000,    // of a world
    FEW_RECORDS = 600, // of a small one
    SINKS_MAX = 3,     // of predictions
    STORY_SIZE = 8192,
    STREAM_MAX = 16384, // records of a partition
};

// Time that only moves when it is told to.
struct simulated_clock {
    struct rf_clock base;
    int64_t now_ms;
};

// What outlives a process.
struct world {
    struct rf_disk *disk;          // NULL: the machine's own, and no sinks
    struct rf_disk *real_disk;     // to look at a folder there; NULL: nobody does
    struct simulated_kafka *kafka; // NULL: a broker
    const char *bootstrap;
    char folder[64];
    struct simulated_clock clock;
    struct rf_clock *real_clock; // NULL: the simulated one
    const char *history;         // a topic that is learned first, before cards; NULL: none
    bool is_merged;              // partitions are read by time
    bool has_loose_times;        // timestamps go back and forth within a partition
    bool goes_on;                // it reads on at the end of the log, until it is stopped
    enum rf_offset_lost on_offset_lost;
    bool is_small; // few records, small batches, a snapshot every hundred records

    struct rf_retention retention;  // of snapshots
    uint64_t window;                // of the evaluation; 0: as by default
    const char *sinks[SINKS_MAX];   // files of predictions on the disk; NULL: none. Rejected records have one of their own
    struct simulated_pace pace;     // of the sinks
    struct observer *observer;      // of all predictions that leave; NULL: nobody looks
    bool has_shuffled_turns;        // the turns of the three threads follow one another by chance
    int log_file;                   // that lives log to; 0: nowhere
    bool tells_versions;            // in those files, beside the scores
    uint64_t produced, undecodable; // records, and how many of them no decoder takes
    struct rf_random random;        // for what is left to chance
    char story[STORY_SIZE];         // "": closed
};

// One life of a worker.
struct life {
    struct rf_assembly assembly;
    struct rf_worker *worker;
    struct rf_error err;
};

// A test whose state is a world, closed; one that fails before it closed it tells the story.
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)
int make_world(void **state);
void keep_large_memory_cheap(void); // once, before the first life; make_world() does
int drop_world(void **state);

// A world whose Kafka holds RECORDS card payments, now and then one that is none; a seed decides what is left to chance. The
// n-th record is the same in all worlds. One sink of predictions and one of rejected records.
void open_simulated(struct world *world, int32_t partitions, uint64_t seed);

// The same with FEW_RECORDS, of which `records` are there already.
void open_small(struct world *world, int32_t partitions, uint64_t seed, uint64_t records);
void close_simulated(struct world *world);

void produce(struct world *world, size_t partition, uint64_t records);
void produce_everywhere(struct world *world, uint64_t records); // to all partitions in turn

void tell(struct world *world, const char *format, ...) RF_PRINTF(2, 3); // adds to the story

// The settings of all lives in this world.
void assemble(struct world *world, struct rf_assembly *assembly_out);
void disassemble(struct world *world, struct rf_assembly *assembly);

// What a life reads; owned by the caller.
struct rf_source *source_of(struct world *world);

enum rf_status be_born(struct world *world, struct life *life);

// Ends the life as kill -9 does: nothing is finished.
void die(struct world *world, struct life *life);

uint64_t records_of(struct life *life);

// Turns until `records` are applied, or so many times. False when it ended by itself: at the end, or because it failed.
bool live_until(struct world *world, struct life *life, uint64_t records);
bool live_for(struct world *world, struct life *life, uint64_t turns);

// One turn, of all threads or of one by chance. False as above.
bool turn(struct world *world, struct life *life);

void cut_power(struct world *world, bool by_chance);
void fail_disk(struct world *world, uint64_t call); // the call with this number from now on; 0: none

void digest_of(struct life *life, uint8_t digest_out[RF_SHA256_SIZE]);

// Lives to the end, which must be a good one.
void live_to_end(struct world *world, struct life *life);

// Every record was learned or rejected once, and stands once in the files of the sinks.
void assert_all_once(struct world *world, struct life *life);

// A whole last life.
void run_to_end(struct world *world, uint8_t digest_out[RF_SHA256_SIZE]);

// Runs a whole stream, dying once each of `deaths` records have been applied.
void run_script(struct world *world, const uint64_t *deaths, size_t death_count, uint8_t digest_out[RF_SHA256_SIZE]);

// The snapshots in place, oldest first, all but the first `kept` removed; how many there were.
size_t keep_oldest_snapshots(struct world *world, size_t kept);

#endif
