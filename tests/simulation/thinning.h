#ifndef RF_TESTS_THINNING_H
#define RF_TESTS_THINNING_H
// What the settings let go of the snapshots of a folder, said once more in the plainest way, and held against every one that is
// removed: each is judged beside all that were in place when the newest one came.
#include "tests/simulation/life.h"

enum { NUMBERS_MAX = 512 };

struct thinning {
    const struct world *world; // whose settings hold
    struct seen_snapshot {
        bool is_known, is_listed, is_removed; // listed: in place when the newest one came
        uint32_t line;
        int64_t created_ms;
    } seen[NUMBERS_MAX]; // by number
    uint64_t newest;
    uint64_t removed; // in all
};

// From now on, as long as both are there. A snapshot that may not go fails the test when it is removed.
void watch_thinning(struct thinning *thinning, const struct world *world);

// What was removed is on record, and begins no line; the newest one on record is in place.
void assert_removed_are_on_record(const struct thinning *thinning, struct world *world);

// Once the newest one came into place on a disk that did not fail: nothing is left that was to go.
void assert_thinned(const struct thinning *thinning);

#endif
