#ifndef RF_OPS_FLEET_REPLICA_H
#define RF_OPS_FLEET_REPLICA_H
// The log of deltas as one replica folds it: every worker of a fleet, a follower, and whoever only looks. What is decided here is
// decided by the log alone and in its order, so all replicas decide alike:
//
//     genesis  the first one founds the fleet; later ones are passed over
//     join     the worker begins an epoch, whose number is how many joins the log holds. Two processes with one
//              group.instance.id: the later one counts
//     chunk    the last chunk of a delta completes it. It counts if
//                - its worker's epoch is the newest one of that worker, and it is the next of that epoch,
//                - it began at a base that the log led to: number and chain hash agree, and it is at most RF_FLEET_CHAINS old,
//                - every `from` equals what the log has applied of that partition (or nothing was applied of it yet),
//                - its rows are of the model.
//              Else it is void: counted, and told.
//     reset    the model begins anew from where it was after so many deltas: a new line. Only who knew of it beforehand can
//     follow
//              it, by leaving out what it undoes: so the log is looked through once for resets before it is folded
//
// The chain hash of number k is SHA-256(chain hash of k - 1, SHA-256 of the delta's bytes); that of 0 hashes the genesis.
#include "ops/fleet_entry.h"
#include "proto/layers.h"
#include "proto/position.h"
#include "proto/setting.h"

enum { RF_FLEET_CHAINS = 4096, RF_FLEET_CHECK_EVERY = 512, RF_FLEET_DELTA_BYTES_MAX = 1 << 30 };

// Bytes of a state depend on what computes them; a release that computes otherwise has another number.
enum { RF_FLEET_ARITHMETIC = 1 };

struct rf_replica;

// What a reset undoes: the deltas with numbers in (start, end].
struct rf_replica_reset {
    uint64_t start, end;
};

struct rf_replica_options {
    const char *model;
    const char *specification;             // NULL: whatever the fleet has (who only looks)
    const struct rf_setting *settings;     // the table behind it; NULL as well
    struct rf_layers *layers;              // borrowed; NULL: no state is kept, rows are passed over
    const char *worker;                    // whose own deltas are in those layers; NULL: nobody's
    const struct rf_replica_reset *resets; // [reset_count] known beforehand, borrowed; of no use without layers
    size_t reset_count;
};

enum rf_status rf_replica_create(const struct rf_replica_options *options, struct rf_replica **replica_out,
                                 struct rf_error *err) RF_MUST_USE;
void rf_replica_destroy(struct rf_replica *replica);

enum rf_replica_event {
    RF_REPLICA_NOTHING,
    RF_REPLICA_FOUNDED,
    RF_REPLICA_JOINED, // `worker` and `epoch`
    RF_REPLICA_FOLDED, // a delta of `worker` counts
    RF_REPLICA_VOID,   // one does not, see `sentence`
    RF_REPLICA_RESET,
};

struct rf_replica_news {
    enum rf_replica_event event;
    char worker[RF_FLEET_WORKER_SIZE];
    char nonce[RF_FLEET_NONCE_SIZE]; // of a join
    uint32_t epoch;
    uint64_t sequence; // of the delta
    bool is_own;       // of the worker of the options, in its newest epoch
    uint64_t records;
    char sentence[RF_ERROR_TEXT_SIZE];
};

// Takes the next entry of the log. RF_CONFLICT: the fleet was founded with a specification that this one breaks, or another
// arithmetic, or the model was reset and this replica did not know beforehand, in words. RF_CORRUPT: base is not what it must be.
// All are for good. Bytes that are no entry are passed over, and told as void.
enum rf_status rf_replica_take(struct rf_replica *replica, struct rf_text bytes, struct rf_replica_news *news_out,
                               struct rf_error *err) RF_MUST_USE;

// All that a replica holds beside the state in its layers, as bytes (riffle.v1.FleetReplica) in memory that the caller frees:
// between two entries of the log, of a replica that is founded.
enum rf_status rf_replica_save(const struct rf_replica *replica, uint8_t **bytes_out, size_t *size_out,
                               struct rf_error *err) RF_MUST_USE;

// The other way round, into a replica that has taken nothing yet. With base as it was then, it goes on as the saved one would.
// RF_CORRUPT, in words, for bytes that are none; RF_CONFLICT as of rf_replica_take(). The replica is of no use then.
enum rf_status rf_replica_restore(struct rf_replica *replica, struct rf_text bytes, struct rf_error *err) RF_MUST_USE;

// Whether a reset known beforehand undoes the delta that counted last: base is not what the log says it was then.
bool rf_replica_is_undone(const struct rf_replica *replica);

// What is frozen in the layers is the delta of this sequence and of the newest epoch of the worker of the options; 0: nothing is.
void rf_replica_expect(struct rf_replica *replica, uint64_t sequence);

// The resets that were met.
const struct rf_replica_reset *rf_replica_resets(const struct rf_replica *replica, size_t *count_out);

bool rf_replica_is_founded(const struct rf_replica *replica);
uint64_t rf_replica_number(const struct rf_replica *replica); // deltas that counted
uint64_t rf_replica_voids(const struct rf_replica *replica);
uint32_t rf_replica_line(const struct rf_replica *replica);
uint32_t rf_replica_epochs(const struct rf_replica *replica);                    // joins so far
const uint8_t *rf_replica_chain(const struct rf_replica *replica);               // [RF_SHA256_SIZE] at that number
const struct rf_positions *rf_replica_applied(const struct rf_replica *replica); // by the log
const char *rf_replica_last_void(const struct rf_replica *replica);              // the sentence; "": there was none
void rf_replica_counts(const struct rf_replica *replica, uint64_t *records_out, uint64_t *learned_out, uint64_t *rejected_out);

// The newest hash of base: after how many deltas it was taken. False: none was yet.
bool rf_replica_check(const struct rf_replica *replica, uint64_t *number_out, uint8_t digest_out[RF_SHA256_SIZE]);

// Those that joined, in the order of their first joins.
struct rf_replica_worker {
    char name[RF_FLEET_WORKER_SIZE];
    uint32_t epoch;
    uint64_t deltas, voids, records; // in all epochs
    uint64_t last;                   // number of its last delta that counted
    uint64_t start;                  // the base that one began at: last - start is how stale it was
    bool has_check, check_differs;   // whether its hashes of base were those of this replica
};
size_t rf_replica_worker_count(const struct rf_replica *replica);
const struct rf_replica_worker *rf_replica_worker(const struct rf_replica *replica, size_t index);

#endif
