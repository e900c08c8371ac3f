#ifndef RF_TESTS_CLUSTER_CLIENT_H
#define RF_TESTS_CLUSTER_CLIENT_H
// A client that reads a simulated cluster, for its tests: it holds what a poll needs, and notes what came.
#include "tests/simulation/cluster_simulated.h"
#include "tests/test.h"

enum { POLL_RECORDS = 16, SEEN_MAX = 4096 };

struct client {
    struct rf_source *source;
    struct rf_positions positions;
    struct rf_record list[POLL_RECORDS];
    void *loans[POLL_RECORDS];
    struct rf_records records;
    const struct rf_positions *told; // of the last event
    struct rf_error err;
    enum rf_status status; // of the last poll

    struct {
        uint32_t partition; // index of the positions
        int64_t offset;
        char value[16];
    } seen[SEEN_MAX];
    size_t seen_count;
};

// Topics in a compound literal: TOPICS("cards", "deltas").
#define TOPICS(...) (&(struct rf_texts){(char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)})

void client_init(struct client *client, struct rf_source *source);
void client_leave(struct client *client);
void client_die(struct client *client);

// One poll; what it gave is noted. RF_SOURCE_IDLE when it failed, with the status.
enum rf_source_event client_poll(struct client *client);

// Polls until such an event comes, without answering any; fails the test when it does not come soon.
void client_await(struct client *client, enum rf_source_event event);
void client_assign(struct client *client); // answers RF_SOURCE_ASSIGNED: all told are read from where they start

// Polls, and answers everything at once, until nothing more came for a while.
void client_read(struct client *client);
bool client_saw(const struct client *client, const char *value);

#endif
