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

// The end of each partition as the last answer to a fetch told; nothing is asked. What is not read ends at its next_offset.
void rf_partitions_ends(struct rf_partitions *self, int64_t *end_out);

#endif
