#ifndef RF_TESTS_READING_SIMULATED_H
#define RF_TESTS_READING_SIMULATED_H
// What a simulated source reads: some logs, each under the index of a position. Chance decides how much a poll gives, of which.
#include "tests/simulation/log_simulated.h"

struct simulated_place {
    struct simulated_log *log; // NULL: it is not read
    int64_t next;              // offset; -1: not known
};

struct simulated_reading {
    struct simulated_place *places; // [count], by index of the positions
    size_t count;
    uint32_t *active; // [active_count] indices of those that are read
    size_t active_count, active_capacity;
};

// Begins as {0}. Nothing is read, of so many positions from now on; those that were read go on if there were any before.
void simulated_reading_resize(struct simulated_reading *reading, size_t count);
void simulated_reading_begin(struct simulated_reading *reading, size_t index, struct simulated_log *log, int64_t next);
void simulated_reading_stop(struct simulated_reading *reading, size_t index);
void simulated_reading_finish(struct simulated_reading *reading);

// Whether nothing is to be given.
bool simulated_reading_is_dry(const struct simulated_reading *reading, const struct rf_poll *want);

// RF_SOURCE_RECORDS or RF_SOURCE_IDLE. One in so many polls goes back before it gives (0: none does).
enum rf_status simulated_reading_poll(struct simulated_reading *reading, struct rf_random *random, uint64_t repeat_one_in,
                                      const struct rf_poll *want, struct rf_records *records, enum rf_source_event *event_out,
                                      struct rf_error *err);

#endif
