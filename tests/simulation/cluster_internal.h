#ifndef RF_TESTS_CLUSTER_INTERNAL_H
#define RF_TESTS_CLUSTER_INTERNAL_H
// What the parts of the simulated cluster know of one another.
#include "tests/simulation/cluster_simulated.h"
#include "tests/simulation/reading_simulated.h"

// -- The cluster ------------------------------------------------------------------------------------------------------------

struct simulated_partition {
    struct simulated_log log;
    const char *topic;
    int32_t number; // within the topic
    size_t index;   // among all of the cluster
};

struct simulated_topic {
    char *name;
    struct simulated_partition **partitions; // [count]
    size_t count, capacity;
};

struct simulated_cluster {
    struct rf_random random;
    int64_t now_ms;
    struct simulated_topic **topics;
    size_t topic_count, topic_capacity;
    struct simulated_partition **partitions; // of all topics, in the order of their making
    size_t partition_count, partition_capacity;
    struct simulated_group **groups;
    size_t group_count, group_capacity;
    struct simulated_producer **producers;
    size_t producer_count, producer_capacity;
    uint64_t one_in[SIMULATED_FAULTS], times[SIMULATED_FAULTS];
    int64_t late_ms, sweep_ms, next_sweep_ms;
    uint64_t members; // ids given so far
    size_t record_bytes_max;
};

struct simulated_topic *simulated_topic_find(const struct simulated_cluster *cluster, const char *name); // NULL: there is none
struct simulated_partition *simulated_partition_find(const struct simulated_cluster *cluster, const char *topic, int32_t number);
bool simulated_happens(struct simulated_cluster *cluster, enum simulated_fault fault);
int64_t simulated_later(struct simulated_cluster *cluster); // when something arrives that is late

// What clients must keep to, also in builds without assertions: else the program ends with the words.
void simulated_demand(bool is_kept, const char *words);

void *simulated_allocate(size_t size); // zeroed; aborts when memory is out
char *simulated_copy(const char *text);
struct rf_texts simulated_texts_copy(const struct rf_texts *texts);
void simulated_texts_finish(struct rf_texts *texts);
bool simulated_texts_hold(const struct rf_texts *texts, const char *text);

// -- Groups: what their coordinator knows -----------------------------------------------------------------------------------

// A member's place in a group.
struct simulated_seat {
    uint64_t id;                    // of the member who has it
    char *instance;                 // NULL: none
    struct simulated_seat **client; // who has it: this is set to NULL when the seat is taken away; NULL: the client is gone
    struct rf_texts topics;
    int64_t session_ms, rebalance_ms;
    int64_t expires_ms; // later than that it is removed
    bool has_joined;    // the round that is going on
    bool has_news;      // a round ended, and the client did not ask yet what it came to,
    bool was_skipped;   // without having joined it
    size_t given;       // partitions, while they are shared out
};

// What a group knows of a partition of the cluster.
struct simulated_share {
    struct simulated_seat *target; // whom the last round gave it to; NULL: nobody
    struct simulated_seat *claim;  // who had it still when he joined the round that is going on
    int64_t offset;                // committed; -1: nothing
    char *note;
    size_t pending; // transactions that are not ended with offsets of it
};

struct simulated_group {
    struct simulated_cluster *cluster;
    char *name;
    bool is_eager;
    int64_t generation;
    uint64_t rounds;
    bool is_sharing_out; // a round is going on
    int64_t answer_by_ms;
    int64_t expires_ms; // no seat expires before
    struct simulated_seat **seats;
    size_t seat_count, seat_capacity, joined_count;
    struct simulated_share *shares; // [share_count] by the partition's index; see simulated_group_share()
    size_t share_count;
};

// Finds the group, or makes it.
struct simulated_group *simulated_group_of(struct simulated_cluster *cluster, const char *name);
const struct simulated_group *simulated_group_find(const struct simulated_cluster *cluster, const char *name); // NULL: none
void simulated_group_destroy(struct simulated_group *group);
struct simulated_share *simulated_group_share(struct simulated_group *group, size_t partition);
void simulated_group_put(struct simulated_group *group, size_t partition, int64_t offset, const char *note);

// A member comes, to a seat of its own or that of its instance, which is then taken away from who had it. *client is set.
void simulated_group_enter(struct simulated_group *group, const struct simulated_member *options, struct simulated_seat **client);
void simulated_group_hear(struct simulated_group *group, struct simulated_seat *seat); // a heartbeat
void simulated_group_leave(struct simulated_group *group, struct simulated_seat *seat);
struct simulated_seat *simulated_group_seat(const struct simulated_group *group, uint64_t id);              // NULL: nobody's
struct simulated_seat *simulated_group_instance(const struct simulated_group *group, const char *instance); // NULL: nobody's

// A round: it begins (and goes on if there is one), its members join it with their claims, and with the last one it ends.
void simulated_group_begin_round(struct simulated_group *group);
void simulated_group_join(struct simulated_group *group, struct simulated_seat *seat);

void simulated_group_advance(struct simulated_group *group);
void simulated_group_share_out(struct simulated_group *group); // sets the targets by claims and topics

// Group metadata: what clients show when they send offsets. The bytes end with the group's name and a NUL.
struct simulated_membership {
    int64_t generation; // -1: none
    uint64_t member;    // 0: none
};
void simulated_membership_write(struct simulated_membership membership, const char *group, uint8_t **bytes_out, size_t *size_out);

// Whether the group takes offsets from them; what it is in `group_out`.
enum rf_status simulated_membership_check(struct simulated_cluster *cluster, const uint8_t *bytes, size_t size,
                                          struct simulated_group **group_out, struct rf_error *err);

// -- Producers: what the coordinator of transactions knows ------------------------------------------------------------------

void simulated_producers_advance(struct simulated_cluster *cluster);
bool simulated_producers_are_settled(const struct simulated_cluster *cluster);
void simulated_producers_destroy(struct simulated_cluster *cluster);

// -- Clients that read ------------------------------------------------------------------------------------------------------

struct simulated_client { // embedded first in both kinds
    struct rf_source base;
    struct simulated_cluster *cluster;
    struct rf_texts topics;
    enum rf_start start;
    struct simulated_reading reading;
    struct rf_positions told; // of the last event
    bool is_cut_off, has_told_cut, is_killed;
};

void simulated_client_init(struct simulated_client *client, const struct rf_source_ops *ops, struct simulated_cluster *cluster,
                           const struct rf_texts *topics, enum rf_start start);
void simulated_client_finish(struct simulated_client *client);
struct simulated_client *simulated_client_from(const struct rf_source *self);

// RF_IO, temporary, when the cluster cannot be reached by this call.
enum rf_status simulated_client_reach(struct simulated_client *client, struct rf_error *err);

// RF_NOT_FOUND when a topic is not there.
enum rf_status simulated_client_find_topics(struct simulated_client *client, struct rf_error *err);

void simulated_client_tell(struct simulated_client *client, const struct simulated_partition *partition); // adds it

// The partition of a position, where the client names its topic and it is there; NULL: it is not read.
struct simulated_partition *simulated_client_partition(const struct simulated_client *client, const struct rf_position *position);

// Begins those positions for which `begins` says so, or none of them if one cannot.
enum rf_status simulated_client_begin(struct simulated_client *client, struct rf_positions *positions,
                                      bool (*begins)(const struct simulated_client *, const struct simulated_partition *),
                                      struct rf_error *err);
enum rf_status simulated_client_give(struct simulated_client *client, const struct rf_poll *want, struct rf_records *records,
                                     enum rf_source_event *event_out, struct rf_error *err);

// Offsets of a group, which the caller may commit.
enum rf_status simulated_client_commit(struct simulated_client *client, struct simulated_group *group,
                                       const struct rf_positions *positions, const char *note, struct rf_error *err);
enum rf_status simulated_client_committed(struct simulated_client *client, struct simulated_group *group,
                                          struct rf_positions *positions, char *note_out, size_t note_size, struct rf_error *err);

// Members of both tables.
enum rf_status simulated_client_look(struct rf_source *self, const struct rf_positions *positions,
                                     struct rf_holding *holdings_out, struct rf_error *err);
void simulated_client_ends(struct rf_source *self, int64_t *end_out);
enum rf_status simulated_client_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms,
                                      int64_t *offset_out, struct rf_error *err);
void simulated_client_release(struct rf_source *self, struct rf_records *records);

#endif
