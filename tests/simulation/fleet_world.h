#ifndef RF_TESTS_FLEET_WORLD_H
#define RF_TESTS_FLEET_WORLD_H
// A fleet of workers over a simulated cluster, turn by turn in one thread, in an order that a seed decides; what can befall them;
// and what must hold of them once all is quiet.
#include "ops/assembly.h"
#include "ops/fleet_worker.h"
#include "proto/random.h"
#include "tests/simulation/cluster_simulated.h"
#include "tests/test.h"

enum { FLEET_MAX = 64, FLEET_SESSION_MS = 3000, FLEET_TRANSACTION_MS = 2000 };

struct fleet_clock {
    struct rf_clock base;
    int64_t now_ms;
    struct simulated_cluster *cluster; // goes on while somebody sleeps
};

struct fleet_member {
    struct rf_assembly assembly;
    struct rf_outbox outbox;
    struct rf_fleet_worker *worker; // NULL: it is not alive
    char name[24], nonce[48];
    int64_t frozen_until_ms;   // it gets no turns, like a process that was stopped
    struct fleet_tally *tally; // of the predictions that this life gave
    uint64_t lives;
};

struct fleet_world {
    struct simulated_cluster *cluster;
    struct fleet_clock clock;
    struct rf_random random;
    struct fleet_member members[FLEET_MAX];
    size_t size;        // members that there may be
    int32_t partitions; // of the topic of records
    uint64_t produced, acts, deaths;
    bool is_eager;
    uint64_t snapshot_deltas; // after so many a snapshot of base is made; 0: never
    bool forgets;             // and what is older than two of them is deleted
    uint64_t snapshot_faults; // one in so many calls for it fails; 0: none
    uint64_t taken_up;        // births with a snapshot
    uint64_t left_behind;     // ends by deltas that were deleted before they were read
    const char *learner;      // settings of one; NULL: the default
};

void fleet_open(struct fleet_world *world, size_t size, int32_t partitions, uint64_t seed);
void fleet_close(struct fleet_world *world);

void fleet_produce(struct fleet_world *world, uint64_t records);
enum rf_status fleet_try_birth(struct fleet_world *world, size_t member, struct rf_error *err);
void fleet_birth(struct fleet_world *world, size_t member);
void fleet_death(struct fleet_world *world, size_t member);              // kill -9
void fleet_stop(struct fleet_world *world, size_t member);               // well; turns until it has ended
void fleet_freeze(struct fleet_world *world, size_t member, int64_t ms); // SIGSTOP

// A turn of a member that is alive and not frozen, by chance, and time goes on a little. One that ends by itself with RF_BUSY is
// buried, and so is one that was left behind; any other failure fails the test.
void fleet_turn(struct fleet_world *world);
void fleet_turns(struct fleet_world *world, uint64_t turns);

// From now on what may go wrong goes wrong at one in so many occasions; 0: nothing does.
void fleet_faults(struct fleet_world *world, uint64_t one_in);

// Without faults, with at least one alive, until the log of deltas holds all records and all have read it.
void fleet_settle(struct fleet_world *world);

// All replicas are equal in every respect and have one base, which is the fold of the log by somebody who comes fresh; all
// records are applied, each once; what the group has committed is what the log has applied; current is base. A reader of the
// scores sees each record's once; what those alive predicted beside was taken back.
void fleet_assert(struct fleet_world *world);

#endif
