#ifndef RF_INGEST_KAFKA_H
#define RF_INGEST_KAFKA_H
// What the Kafka source asks of librdkafka beside records: a client that keeps Riffle's promises, what stands in the log,
// and committed offsets. One thread. Every call is bounded in time, also where librdkafka 2.0.2 itself is not.
#include "ingest/source.h"
#include "proto/position.h"
#include "proto/setting.h"
#include "proto/status.h"

#include <stdbool.h>
#include <stdint.h>

struct rd_kafka_s; // librdkafka's types under the names their typedefs stand for
struct rd_kafka_conf_s;
struct rd_kafka_queue_s;
struct rd_kafka_topic_partition_list_s;

struct rf_kafka;

// What makes a client a member of a group: `note` is called on our thread while the client is served, with librdkafka's code and
// partitions, and must answer nothing before it has returned.
struct rf_kafka_membership {
    void (*note)(void *context, int code, const struct rd_kafka_topic_partition_list_s *partitions);
    void *context;
};

struct rf_kafka {
    struct rd_kafka_s *client;
    struct rd_kafka_conf_s *conf; // kept: rf_kafka_share() makes the client anew
    char *servers;                // for sentences
    bool has_group;               // the operator named a group
    char *group, *instance;       // of a member of a group: group.id; group.instance.id, NULL: none
    struct rf_kafka_membership membership;
    int32_t generation;             // of the group, when partitions were given to us last; -1: never
    bool is_unfit;                  // to be destroyed: see rf_kafka_leave()
    bool is_leaving;                // nobody is to be told of rebalances any more
    bool is_size_set, is_count_set; // the operator bounds the queues himself
    bool is_shared;                 // rf_kafka_share() was done
    bool is_down;                   // no broker could be reached, as far as is known
    bool is_temporary;              // the failure told last may pass by itself
    bool has_failure;               // librdkafka told of `failure` while it was served
    bool is_failure_temporary;      // it may pass by itself
    struct rf_error failure;
    char reason[256]; // why the last connection failed, in librdkafka's words

    struct rd_kafka_queue_s *commit_queue; // answers to commits
    uintptr_t commits_sent;                // numbers them
    uintptr_t commit_answered;             // the number of the last one answered
    int commit_code;                       // its answer
};

// Passes the properties to librdkafka and makes a consumer; nothing is sent to the network to find out whether it works.
// RF_INVALID names a property that is unknown, has no valid value, or would break what is promised: committing by itself,
// and jumping elsewhere when a position is lost. Where the operator says nothing: small delays, checksums checked.
enum rf_status rf_kafka_create(const struct rf_pairs *properties, struct rf_kafka **kafka_out, struct rf_error *err) RF_MUST_USE;

// The same of a member of a group, which joins it with rf_kafka_join(). What it keeps to is in ingest/source.h.
enum rf_status rf_kafka_create_member(const struct rf_pairs *properties, const struct rf_kafka_membership *membership,
                                      struct rf_kafka **kafka_out, struct rf_error *err) RF_MUST_USE;

// A second client with the properties of a first one, of no group.
enum rf_status rf_kafka_create_aside(const struct rf_kafka *kafka, struct rf_kafka **aside_out, struct rf_error *err) RF_MUST_USE;

// Subscribes to the topics; membership.note() tells what came of it. After rf_kafka_share(), if that is wanted.
enum rf_status rf_kafka_join(struct rf_kafka *kafka, const struct rf_texts *topics, struct rf_error *err) RF_MUST_USE;

// Answer what membership.note() told: the partitions that came are read from offset[i] on, those that go are let go.
enum rf_status rf_kafka_accept(struct rf_kafka *kafka, const struct rf_positions *partitions, const int64_t *offset,
                               struct rf_error *err) RF_MUST_USE;
void rf_kafka_let_go(struct rf_kafka *kafka, const struct rf_positions *partitions);

// Lets go of all, without a word to the group of a static member, which may come back; any other says that it leaves, if a broker
// is there to be told, and waits for that no longer than some seconds. Then nothing more is read, and the client is to be
// destroyed.
void rf_kafka_leave(struct rf_kafka *kafka);

// The member and its generation in librdkafka's serialisation, in memory that the caller frees. RF_AGAIN: it is no member now.
// Any thread may ask.
int32_t rf_kafka_generation(struct rf_kafka *kafka); // -1: none
enum rf_status rf_kafka_member(struct rf_kafka *kafka, uint8_t **bytes_out, size_t *size_out, struct rf_error *err) RF_MUST_USE;

// Destroying never waits for the network.
void rf_kafka_destroy(struct rf_kafka *kafka);

enum { RF_KAFKA_QUEUE_BYTES = 256 << 20, RF_KAFKA_QUEUE_RECORDS = 1000000 };

// Divides what may wait in memory, RF_KAFKA_QUEUE_BYTES and RF_KAFKA_QUEUE_RECORDS in all, among `partitions` that each
// have a queue of their own, but for at least 1 MiB and 1000 records each (a fetch under way comes on top). Makes the client
// anew, once: before anything is assigned.
enum rf_status rf_kafka_share(struct rf_kafka *kafka, size_t partitions, struct rf_error *err) RF_MUST_USE;

// Runs what librdkafka wants to tell, on this thread and without waiting: RF_OK, or a failure in words, each told once.
enum rf_status rf_kafka_serve(struct rf_kafka *kafka, struct rf_error *err) RF_MUST_USE;

// Writes the sentence "<what>: <librdkafka's words>" for an error code and tells whether it may pass by itself.
enum rf_status rf_kafka_fail(struct rf_kafka *kafka, struct rf_error *err, int code, const char *format, ...) RF_PRINTF(4, 5);

// How many partitions a topic has. RF_NOT_FOUND when it is not there.
enum rf_status rf_kafka_partitions(struct rf_kafka *kafka, const char *topic, int32_t *count_out,
                                   struct rf_error *err) RF_MUST_USE;

// What the log holds of each partition: [first, end).
enum rf_status rf_kafka_bounds(struct rf_kafka *kafka, const struct rf_positions *positions, int64_t *first_out, int64_t *end_out,
                               struct rf_error *err) RF_MUST_USE;

// The first offset of each partition whose record is not older than the time; -1 where there is none yet.
// RF_UNSUPPORTED on the embedded broker, which cannot look up times and would answer -1 to all.
enum rf_status rf_kafka_times(struct rf_kafka *kafka, const struct rf_positions *positions, int64_t time_ms, int64_t *offset_out,
                              struct rf_error *err) RF_MUST_USE;

// See commit and committed in ingest/source.h. Without a group.id both are RF_INVALID: there is nobody to commit for.
enum rf_status rf_kafka_commit(struct rf_kafka *kafka, const struct rf_positions *positions, const char *note,
                               struct rf_error *err) RF_MUST_USE;
enum rf_status rf_kafka_committed(struct rf_kafka *kafka, struct rf_positions *positions, char *note_out, size_t note_size,
                                  struct rf_error *err) RF_MUST_USE;

// The codecs of Kafka that a list of librdkafka's features (builtin.features) does not hold: "lz4, zstd", or nothing.
void rf_kafka_codecs_missing(const char *features, char missing_out[RF_KAFKA_CODECS_SIZE]);

#endif
