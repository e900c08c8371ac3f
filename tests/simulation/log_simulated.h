#ifndef RF_TESTS_LOG_SIMULATED_H
#define RF_TESTS_LOG_SIMULATED_H
// One partition of a log in memory, as brokers keep it: records in a row, some of transactions. A marker takes an offset when a
// transaction ends. Readers that want only what is committed stop at the first record of a transaction that stands open (the
// last stable offset), and pass over markers and what was aborted.
#include "ingest/source.h"
#include "proto/random.h"

struct simulated_entry;

struct simulated_log {
    struct simulated_entry **chunks; // records stay where they are
    size_t count, chunk_capacity;    // count: the next offset to be written
    int64_t first;                   // that is still there
    int64_t stable_end;              // read_committed readers see what is below
    uint64_t without_leader;         // polls get nothing so many times
    struct simulated_open {
        const void *producer;
        int64_t first, last;
    } * open; // transactions
    size_t open_count, open_capacity;
};

// Room for one more in a list; aborts when memory is out.
void *simulated_room(void *list, size_t count, size_t *capacity, size_t size);

// Begins as {0}.
void simulated_log_finish(struct simulated_log *log);

// The bytes are copied. `producer`: of the transaction it belongs to, which begins here by that; NULL: of none. Its offset.
int64_t simulated_log_append(struct simulated_log *log, struct rf_text key, struct rf_text value, int64_t timestamp_ms,
                             const void *producer);

// Writes the marker that commits or aborts what the producer has open here, if anything.
void simulated_log_end(struct simulated_log *log, const void *producer, bool is_committed);

// Records from `end` on are gone; transactions must not stand open.
void simulated_log_shorten(struct simulated_log *log, int64_t end);

// The record that was written at an offset, also when it is gone by now; NULL: none was.
const struct rf_record *simulated_log_at(const struct simulated_log *log, int64_t offset);

// The next record to be seen from *offset on, which goes behind it, or to the stable end when there is none: NULL.
const struct rf_record *simulated_log_next(const struct simulated_log *log, int64_t *offset);

// What sources ask of a log. Where reading starts, and what a position that is not known yet becomes.
enum rf_status simulated_log_start(const struct simulated_log *log, const struct rf_position *position, enum rf_start start,
                                   int64_t *known_out, int64_t *next_out, struct rf_error *err);
struct rf_holding simulated_log_look(const struct simulated_log *log, int64_t next_offset);
int64_t simulated_log_time(const struct simulated_log *log, int64_t time_ms);

#endif
