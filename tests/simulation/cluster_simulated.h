#ifndef RF_TESTS_CLUSTER_SIMULATED_H
#define RF_TESTS_CLUSTER_SIMULATED_H
// A Kafka cluster in memory, for a whole fleet: logs that know transactions, groups that share partitions out, and who may send
// under which transactional.id. It outlives its clients, as clusters do. One thread; a seed decides what is left to chance; time
// only moves when it is told to.
//
// What it shows is what Apache Kafka 3.9 shows through librdkafka 2.0.2, also where that is unpleasant; the unpleasant is said
// below, where it belongs.
#include "ingest/source.h"
#include "proto/setting.h"
#include "sinks/transaction.h"

#include <stdbool.h>

struct simulated_cluster;

struct simulated_cluster *simulated_cluster_create(uint64_t seed);
void simulated_cluster_destroy(struct simulated_cluster *cluster); // after all its clients; NULL is fine

// Time goes on, never back; it begins at 0. What was due by then happens: members that were not polled for longer than their
// session are removed, transactions that stand open for longer than their timeout are aborted, answers that are late arrive.
void simulated_cluster_advance(struct simulated_cluster *cluster, int64_t now_ms);
int64_t simulated_cluster_now(const struct simulated_cluster *cluster);

// A topic, or more partitions for one that is there: groups that read it share them out anew.
void simulated_cluster_add_topic(struct simulated_cluster *cluster, const char *topic, int32_t partitions);
int32_t simulated_cluster_partitions(const struct simulated_cluster *cluster, const char *topic); // 0: there is no such topic

// Appends a record outside any transaction; the bytes are copied. Its offset.
int64_t simulated_cluster_produce(struct simulated_cluster *cluster, const char *topic, int32_t partition, struct rf_text key,
                                  struct rf_text value, int64_t timestamp_ms);

// Records below `first` are gone, as retention takes them.
void simulated_cluster_cut(struct simulated_cluster *cluster, const char *topic, int32_t partition, int64_t first);

// -- Clients ----------------------------------------------------------------------------------------------------------------
//
// rf_source_destroy() and rf_transaction_destroy() are a client that leaves well; simulated_cluster_kill() is kill -9, which
// differs for members without an instance only: those that leave well are gone at once, and all others when their session is
// over. Bytes of records stay where they are as long as the cluster, whatever becomes of who read them.

// A source that reads topics alone, without joining a group, what is committed only (read_committed).
struct simulated_reader {
    const struct rf_texts *topics; // copied
    enum rf_start start;           // earliest or latest, where no position is known
    bool until_end;                // ends where the log ended when reading began
    const char *group;             // whose offsets it reads, and commits while nobody is in it; NULL: none
};
struct rf_source *simulated_cluster_reader(struct simulated_cluster *cluster, const struct simulated_reader *options);

// The same for one topic, from the earliest record on: the topic of deltas.
struct rf_source *simulated_cluster_log(struct simulated_cluster *cluster, const char *topic);

// A member of a group. It joins with its first poll; polls are its heartbeats. All members of a group are of one protocol: with
// the cooperative one they keep reading while the partitions are shared out anew, and give away what others are to have in a
// round of its own; with the eager one all give away all they have first.
//
// Events are as ingest/source.h tells them, and assign() and unassign() answer them and nothing else. Until then polls give no
// more than some records that were fetched before. Polls fail with RF_BUSY, for good, once another one has its instance. A round
// waits for members that are there, but have not polled yet or not answered, until their session or, if they go on polling,
// `rebalance_ms` is over; an instance is waited for no longer than that either, but keeps its place.
//
// As on the real brokers: an instance that comes back gets what its place was given last, and no round begins for it. So what it
// was about to give away for others, and died before it told, nobody has until the next round.
//
// `group` tells the generation that the client knows of. It may be newer than what polls told: its next event is under way then;
// or over already, and the client does not know. RF_AGAIN: in none. `commit` takes positions of any partition: the generation is
// looked at, but not who holds what. `committed` fails with RF_IO, temporary, while a transaction with offsets of one of the
// positions is open, or just being ended.
struct simulated_member {
    const struct rf_texts *topics; // copied
    const char *group;
    const char *instance; // group.instance.id; NULL: none
    bool is_eager;
    int64_t session_ms;   // 0: 45000
    int64_t rebalance_ms; // how long polls may go on before a round is answered (max.poll.interval.ms); 0: 300000
    enum rf_start start;  // earliest or latest, where no position is known
};
struct rf_source *simulated_cluster_member(struct simulated_cluster *cluster, const struct simulated_member *options);

// A transactional producer: transactional.id and transaction.timeout.ms. The times that calls may take are not looked at. Records
// without a key go to partitions by chance, others by their keys. Who opens has the id, also one that was fenced before.
//
// As on the real brokers: commit() and abort() of a transaction that may have been aborted for being open for too long are
// RF_OUTCOME_UNKNOWN, with RF_CONFLICT; the generation in the group's metadata is looked at, but not who holds which partition;
// of metadata that names no member not even the generation is.
struct rf_transaction *simulated_cluster_transaction(struct simulated_cluster *cluster, const char *id, int64_t timeout_ms);

// Metadata that names a group and no member of it. In memory that the caller frees.
uint8_t *simulated_cluster_nobody(const char *group, size_t *size_out);

// The client is gone, without a word to the cluster, and its memory freed; NULL is fine.
void simulated_cluster_kill(struct rf_source *client);

// What such a client says does not reach the cluster from now on, and again it does. A source tells so once and is idle then,
// but a member knows by itself when its session is over, and tells RF_SOURCE_LOST. Transactions: RF_IO, and RF_OUTCOME_UNKNOWN
// where there is an outcome.
void simulated_cluster_cut_off(struct rf_source *client, bool is_cut_off);
void simulated_cluster_cut_off_transaction(struct rf_transaction *client, bool is_cut_off);

// -- Faults -----------------------------------------------------------------------------------------------------------------

enum simulated_fault {
    SIMULATED_POLL_REPEATS, // a poll goes back a little before it gives, also behind where reading began

    // The brokers are away for this call, of a source or of a transaction: RF_IO, temporary; where there is an outcome,
    // RF_OUTCOME_UNKNOWN, and nothing has been done.
    SIMULATED_AWAY,

    SIMULATED_OFFSETS_UNANSWERED, // commit() of a source: by chance it was made
    SIMULATED_OPEN_UNANSWERED,    // open(): the former holder is fenced, but the answer is lost: RF_IO
    SIMULATED_SEND_ABORTED,       // after some of the records: RF_OUTCOME_ABORTED
    SIMULATED_SEND_UNANSWERED,    // after some of the records, which stand open: RF_OUTCOME_UNKNOWN
    SIMULATED_COMMIT_ABORTED,     // RF_OUTCOME_ABORTED
    SIMULATED_COMMIT_FENCED,      // RF_OUTCOME_FENCED, by one who came after it was made
    SIMULATED_COMMIT_MADE,        // RF_OUTCOME_UNKNOWN, but it was made,
    SIMULATED_COMMIT_NOT_MADE,    // or not, and stands open,
    SIMULATED_COMMIT_LATE,        // or is on its way: made some time later, unless the id was taken or timed out by then
    SIMULATED_ABORT_UNANSWERED,   // RF_OUTCOME_UNKNOWN, by chance made

    // A transaction that ended is ended in this partition, or for the offsets, some time later only; until then readers wait. The
    // next transaction of the same id waits for that, and so ends it.
    SIMULATED_MARKER_LATE,

    SIMULATED_FAULTS
};

// From now on the fault happens at one in so many occasions for it; 0, as at first: never.
void simulated_cluster_fault(struct simulated_cluster *cluster, enum simulated_fault fault, uint64_t one_in);

// It happens at the next so many occasions, whoever has them, and then by chance again.
void simulated_cluster_fault_next(struct simulated_cluster *cluster, enum simulated_fault fault, uint64_t times);

// At most so much later arrives what is late; at first a second.
void simulated_cluster_set_late(struct simulated_cluster *cluster, int64_t late_ms);

// What a record, its key and value, may have; at first a million bytes. Larger ones are RF_FULL.
void simulated_cluster_set_record_bytes(struct simulated_cluster *cluster, size_t bytes_max);

// How often transactions that stand open for too long are looked for; at first every ten seconds, as by default in Kafka.
void simulated_cluster_set_sweep(struct simulated_cluster *cluster, int64_t sweep_ms);

// -- What is true, for tests ------------------------------------------------------------------------------------------------

// The next record that read_committed readers can see, from *offset on, which goes behind it; NULL: none up to the last stable
// offset. Valid as long as the cluster.
const struct rf_record *simulated_cluster_next(const struct simulated_cluster *cluster, const char *topic, int32_t partition,
                                               int64_t *offset);

// The same among all that were ever there, whatever was cut.
const struct rf_record *simulated_cluster_next_ever(const struct simulated_cluster *cluster, const char *topic, int32_t partition,
                                                    int64_t *offset);

int64_t simulated_cluster_first(const struct simulated_cluster *cluster, const char *topic, int32_t partition);
int64_t simulated_cluster_end(const struct simulated_cluster *cluster, const char *topic, int32_t partition);
int64_t simulated_cluster_stable_end(const struct simulated_cluster *cluster, const char *topic, int32_t partition);

// Whether no transaction stands open, and all are ended everywhere.
bool simulated_cluster_is_settled(const struct simulated_cluster *cluster);

// What is committed for a group, -1: nothing; and what stands beside it (NULL is fine), as long as it stands there.
int64_t simulated_cluster_committed(const struct simulated_cluster *cluster, const char *group, const char *topic,
                                    int32_t partition, const char **note_out);

struct simulated_group_report {
    int64_t generation;
    size_t members;
    bool is_sharing_out; // a round waits for members
    uint64_t rounds;     // ended so far
};
void simulated_cluster_group(const struct simulated_cluster *cluster, const char *group,
                             struct simulated_group_report *report_out);

// Whether this member, by what it was told and answered, holds the partition. Two may, while one of them is late to know.
bool simulated_cluster_holds(const struct rf_source *member, const char *topic, int32_t partition);

#endif
