#ifndef RF_INGEST_READ_TOPICS_H
#define RF_INGEST_READ_TOPICS_H
// The topics that a source of Kafka reads and what it does about them, whether it is alone or one of a group.
//
// Positions of other topics may stand among those that a call is given, since indices stay: they are left as they are, and nobody
// is asked about them.
#include "ingest/kafka.h"
#include "ingest/source.h"

#include <stdbool.h>

enum rf_status rf_read_topics_copy(struct rf_texts *to, const struct rf_texts *from, struct rf_error *err) RF_MUST_USE;
void rf_read_topics_finish(struct rf_texts *topics);

// Whether a position is of one of the topics.
bool rf_read_topics_hold(const struct rf_texts *topics, const struct rf_position *position);

// Looks the topics up and lists all their partitions, in the order of the topics, in place of what `all` holds.
enum rf_status rf_read_topics_list(const struct rf_texts *topics, struct rf_kafka *kafka, struct rf_positions *all,
                                   struct rf_error *err) RF_MUST_USE;

// Those of `positions` that are read, in their order. The list is the caller's to free, the topics in it are borrowed.
enum rf_status rf_read_topics_pick(const struct rf_texts *topics, const struct rf_positions *positions,
                                   struct rf_positions *read_out, struct rf_error *err) RF_MUST_USE;

// See look, commit and committed in ingest/source.h. Looking needs a client of which nothing is assigned and which is of no
// group.
enum rf_status rf_read_topics_look(const struct rf_texts *topics, struct rf_kafka *kafka, const struct rf_positions *positions,
                                   struct rf_holding *holdings_out, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_read_topics_commit(const struct rf_texts *topics, struct rf_kafka *kafka, const struct rf_positions *positions,
                                     const char *note, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_read_topics_committed(const struct rf_texts *topics, struct rf_kafka *kafka, struct rf_positions *positions,
                                        char *note_out, size_t note_size, struct rf_error *err) RF_MUST_USE;

// Fills offset_out [positions->count] with where each partition starts, and end_out with where it ends now: at its position, if
// that is known and the log holds it, or by the policy. All of `positions` are read.
enum rf_status rf_read_topics_starts(struct rf_kafka *kafka, const struct rf_positions *positions, enum rf_start start,
                                     int64_t start_time_ms, int64_t *offset_out, int64_t *end_out,
                                     struct rf_error *err) RF_MUST_USE;

#endif
