#ifndef RF_TESTS_REFOLD_H
#define RF_TESTS_REFOLD_H
// What a state folder says was done, done once more in the plainest way: the order is read from its segment files, and the
// records are folded one after the other from the untaught model on. Nothing of what resumes a worker has a part in it.
#include "tests/simulation/life.h"

enum { LINES_MAX = 24, LINKS_MAX = 512 };

// A snapshot on record.
struct link {
    struct rf_version version;
    uint64_t records;
    uint8_t sha256[RF_SHA256_SIZE], parent_sha256[RF_SHA256_SIZE], specification_sha256[RF_SHA256_SIZE];
    uint8_t model_sha256[RF_SHA256_SIZE];
    bool has_parent;
};

// The chain of snapshots, in order of their numbers; one that was written again stands once.
struct links {
    struct link list[LINKS_MAX];
    size_t count;
};
void read_links(struct world *world, struct links *links_out);

struct refolded {
    uint8_t digest[RF_SHA256_SIZE]; // as digest_of() gives it
    int64_t next_offset[16];        // by partition of the simulated Kafka
    uint64_t records, rejected;
    struct written {
        char *data;
        size_t size, capacity;
    } scores, rejects; // what the files of the sinks must hold: of each line what it was left with
    size_t checked;    // snapshots on record whose model is the one that comes out here
};

// Folds all lines. Fails the test where the order has a hole, or where a snapshot on record names another model.
void refold(struct world *world, struct refolded *refolded_out);
void free_refolded(struct refolded *refolded);

#endif
