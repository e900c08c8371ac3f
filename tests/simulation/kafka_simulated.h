#ifndef RF_TESTS_KAFKA_SIMULATED_H
#define RF_TESTS_KAFKA_SIMULATED_H
// A Kafka in memory: topics of a few partitions and the offsets committed for them. It outlives the sources that read it,
// as a cluster outlives its clients. A seed decides how much a poll gives, of which partition, and when it gives nothing.
#include "ingest/source.h"

#include <stdbool.h>

struct simulated_kafka;

// One topic; its partitions have the indices from 0 on.
struct simulated_kafka *simulated_kafka_create(const char *topic, int32_t partitions, uint64_t seed);
void simulated_kafka_destroy(struct simulated_kafka *kafka);

// Adds an empty partition, of this topic or another; its index is the count before.
void simulated_kafka_add(struct simulated_kafka *kafka, const char *topic, int32_t partition);

// The partition comes to be known when sources have asked `times` times whether there are more.
void simulated_kafka_hide(struct simulated_kafka *kafka, size_t index, uint64_t times);
size_t simulated_kafka_count(const struct simulated_kafka *kafka);
const struct rf_position *simulated_kafka_partition(const struct simulated_kafka *kafka, size_t index); // its names
bool simulated_kafka_find(const struct simulated_kafka *kafka, const char *topic, int32_t partition, size_t *index_out);

// Appends a record; the bytes are copied.
void simulated_kafka_produce(struct simulated_kafka *kafka, size_t index, struct rf_text key, struct rf_text value,
                             int64_t timestamp_ms);

// Records below `first` are gone, as retention takes them.
void simulated_kafka_cut(struct simulated_kafka *kafka, size_t index, int64_t first);

// The partition is empty and begins at offset 0 again, as after its topic was deleted and made anew.
void simulated_kafka_make_anew(struct simulated_kafka *kafka, size_t index);

// Records from `end` on are gone, as after a leader was elected that had not got them.
void simulated_kafka_shorten(struct simulated_kafka *kafka, size_t index, int64_t end);

// The next offset to be written, and the record that was written at one, also when it is gone by now; NULL: none was.
int64_t simulated_kafka_end(const struct simulated_kafka *kafka, size_t index);
const struct rf_record *simulated_kafka_record(const struct simulated_kafka *kafka, size_t index, int64_t offset);
int64_t simulated_kafka_committed(const struct simulated_kafka *kafka, size_t index); // -1: nothing

// What the settings of sources made from now on say: which topics they name (at first all) and where they start reading when
// no position is known (at first at the earliest record; RF_START_TIME is not simulated).
void simulated_kafka_name(struct simulated_kafka *kafka, const char *topic, bool is_named);
void simulated_kafka_set_start(struct simulated_kafka *kafka, enum rf_start start);

// What may go wrong on the way to it, from now on:
// its brokers are away for so many calls: those fail, and that may pass by itself;
void simulated_kafka_go_away(struct simulated_kafka *kafka, uint64_t calls);
// a partition has no leader for so many polls that wanted its records: they get none;
void simulated_kafka_lose_leader(struct simulated_kafka *kafka, size_t index, uint64_t polls);
// one in so many polls gives records once more that it gave before (0: none does);
void simulated_kafka_repeat(struct simulated_kafka *kafka, uint64_t one_in);
// one in so many commits gets no answer, whether it was made or not (0: all get theirs).
void simulated_kafka_lose_answers(struct simulated_kafka *kafka, uint64_t one_in);

// A source that assigns itself all partitions of one topic (NULL: of all named) and, with `until_end`, ends where the log ends.
struct rf_source *simulated_kafka_source(struct simulated_kafka *kafka, const char *topic, bool until_end);

#endif
