#ifndef RF_INGEST_PARTITIONS_H
#define RF_INGEST_PARTITIONS_H
// The partitions that a Kafka source reads, each through a librdkafka queue of its own instead of one for all. So one
// partition alone can be asked for (a recorded schedule is followed) while the others wait within their bounds, and free
// reading takes turns in long runs, which a schedule stores in few bytes.
#include "ingest/kafka.h"
#include "ingest/source.h"

struct rf_partitions;

// Starts reading `positions` (copied) at offset[i] each; end[i] is what the log holds now. With `until_end` nothing from
// end[i] on is delivered. A position whose offset[i] is RF_OFFSET_NONE is not read: only its index is taken.
enum rf_status rf_partitions_open(struct rf_kafka *kafka, const struct rf_positions *positions, const int64_t *offset,
                                  const int64_t *end, bool until_end, struct rf_partitions **partitions_out,
                                  struct rf_error *err) RF_MUST_USE;
void rf_partitions_close(struct rf_partitions *self); // NULL is fine; records lent stay valid

// Of a member of a group, whose partitions come and go; none at first. Nothing is told to librdkafka but by rf_partitions_seek():
// who begins one assigns it there afterwards, and who ends one has unassigned it before.
enum rf_status rf_partitions_create(struct rf_kafka *kafka, struct rf_partitions **partitions_out,
                                    struct rf_error *err) RF_MUST_USE;

// Takes up the positions that are new at the end of a list that only grows, not read yet.
enum rf_status rf_partitions_extend(struct rf_partitions *self, const struct rf_positions *positions,
                                    struct rf_error *err) RF_MUST_USE;
void rf_partitions_begin(struct rf_partitions *self, size_t index, int64_t offset, int64_t end); // one that is not read
void rf_partitions_halt(struct rf_partitions *self, size_t index);                               // lends nothing of it any more
void rf_partitions_end(struct rf_partitions *self, size_t index);
void rf_partitions_move(struct rf_partitions *self, size_t index, int64_t offset); // of one that is read, by the next seek
bool rf_partitions_reads(const struct rf_partitions *self, size_t index);
const struct rf_positions *rf_partitions_positions(const struct rf_partitions *self); // topics and partitions, by index

// Takes up again, where they were left, those that are read and were before the last call of this one: librdkafka may have lost
// its place in a rebalance.
enum rf_status rf_partitions_seek(struct rf_partitions *self, struct rf_error *err) RF_MUST_USE;

// Reads the last applied record of each position again that has a fingerprint, and whose record may still be there by what
// `holdings` say of first and end; completes them. RF_IO, temporary, when one neither comes nor is known to be gone within ten
// seconds.
enum rf_status rf_partitions_look(struct rf_kafka *kafka, const struct rf_positions *positions, struct rf_holding *holdings,
                                  struct rf_error *err) RF_MUST_USE;

// Lends what is there, without waiting. RF_AGAIN: nothing; RF_END: nothing, and nothing will come (until_end). Failures are
// told after the records before them: once when they may pass by themselves (kafka->is_temporary), else for ever.
// RF_CONFLICT when a position is wanted that is not read.
enum rf_status rf_partitions_take(struct rf_partitions *self, const struct rf_poll *want, struct rf_records *records,
                                  struct rf_error *err) RF_MUST_USE;

// Waits until something came, or librdkafka wants to be served, since the last take; or the time is over.
void rf_partitions_wait(struct rf_partitions *self, int timeout_ms);

// The end of each partition as the last answer to a fetch told; nothing is asked. What is not read ends at its next_offset,
// or, of a member of a group, is -1. At most `count` are told.
void rf_partitions_ends(struct rf_partitions *self, size_t count, int64_t *end_out);

#endif
