#ifndef RF_TESTS_INGEST_SOURCE_FIXTURE_H
#define RF_TESTS_INGEST_SOURCE_FIXTURE_H
#include "ingest/source.h"

// Reads a source in tests: one loan at a time, and all that was delivered as one text a record.
enum { LOAN_CAPACITY = 1000, POLL_MS = 5000 };

struct loan {
    struct rf_records records;
    struct rf_record list[LOAN_CAPACITY];
    void *loans[LOAN_CAPACITY];
};

void loan_init(struct loan *loan);

// The settings of a poll that wants everything.
struct rf_poll want_all(void);

// Polls; fails the test when the poll fails.
enum rf_source_event poll_source(struct rf_source *source, const struct rf_poll *want, struct loan *loan);

// Polls until the source tells its partitions, and copies them to `positions`, which it initialises.
void expect_assigned(struct rf_source *source, struct rf_positions *positions);

// The same, and assigns them as they are.
void assign_all(struct rf_source *source, struct rf_positions *positions);

// Writes what comes to `text`, one "partition@offset=value " a record, until `count` records or the end; returns how many.
size_t read_records(struct rf_source *source, const struct rf_poll *want, size_t count, char *text, size_t text_size);

// Gives a loan back from another thread.
void release_elsewhere(struct rf_source *source, struct loan *loan);

#endif
