#ifndef RF_INGEST_SOURCE_H
#define RF_INGEST_SOURCE_H
#include "ingest/csv_dialect.h"
#include "proto/position.h"
#include "proto/record.h"
#include "proto/setting.h"
#include "proto/status.h"

#include <stdbool.h>

struct rf_source;

// What is wanted of a poll.
struct rf_poll {
    size_t records_max;
    size_t bytes_max;   // of values; a single larger record is delivered alone
    int timeout_ms;     // how long to wait for a first record
    bool has_partition; // only records of `partition`, an index: a recorded schedule is being followed
    uint32_t partition;
    int64_t now_ms; // monotonic, for sources that wait for a partition no longer than so long
};

// A loan of records: valid until rf_source_release(). Several loans may be out at once.
struct rf_records {
    struct rf_record *list; // [capacity], owned by the caller; the source fills it
    size_t count;
    size_t capacity;
    void **loans; // [capacity], owned by the caller; what the source needs to take each record back

    // Where the headers of the records are listed, and at the same time the wish for them: without room there are none, and
    // nothing of what they cost. With room there are at least RF_RECORD_HEADERS_MAX; a poll ends where they are used up.
    struct rf_header *headers; // [header_capacity], owned by the caller
    size_t header_count;
    size_t header_capacity;
};

// Room for the headers of so many records, by what most have.
static inline size_t rf_headers_capacity(size_t records) {
    enum { EACH = 16 };
    return records * EACH > RF_RECORD_HEADERS_MAX ? records * EACH : RF_RECORD_HEADERS_MAX;
}

// What a kind of source must do. All calls come from one thread, but for `release` and `group`, which any thread may call.
//
// A source first tells which partitions there are (RF_ASSIGNED), and delivers nothing before it is told from where.
// Everything that happens is an answer of `poll`; nothing is decided inside a callback.
//
// A source that is one of a group is told by the others which partitions it has, and they come and go while it is read:
// RF_SOURCE_ASSIGNED tells those that came, and assign() takes all positions, of which it begins with those; RF_SOURCE_REVOKED
// and RF_SOURCE_LOST tell those that go, of which nothing is delivered any more, and unassign() lets go of them alone. Until an
// event is answered the polls tell nothing of the group and keep its place there, but deliver little: only what was fetched
// before. An assign() that fails leaves its event to be answered, by another. An assign() that answers nothing begins all that is
// read anew, where the positions are; an unassign() that answers nothing ends reading, before such a source is destroyed.
enum rf_source_event {
    RF_SOURCE_RECORDS,  // records are in the loan
    RF_SOURCE_IDLE,     // none came in time
    RF_SOURCE_ASSIGNED, // `partitions` are ours to read: answer with assign()
    RF_SOURCE_REVOKED,  // they are about to be taken away: fold, commit, then answer with unassign()
    RF_SOURCE_LOST,     // they are gone: nothing of them may be committed; answer with unassign()
    RF_SOURCE_END,      // all that is to be read has been read (a file's end, or `until: end`)
};

// What the log holds around a position.
struct rf_holding {
    int64_t first, end;   // it holds [first, end); end -1: not known
    bool has_last;        // the record at next_offset - 1 is there,
    uint64_t fingerprint; // and this is its fingerprint
};

struct rf_source_ops {
    const char *name;

    // Waits for what `want` asks, and says what happened. On RF_SOURCE_ASSIGNED, _REVOKED and _LOST `partitions_out`
    // points to the partitions concerned (topic, partition), valid until the next poll. RF_IO in words: the source cannot
    // go on; the caller decides whether to wait and poll again (is_temporary) or to give up.
    enum rf_status (*poll)(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                           enum rf_source_event *event_out, const struct rf_positions **partitions_out, struct rf_error *err);

    // Between RF_SOURCE_ASSIGNED and assign(): what the log holds around each position, so that all of them can be judged before
    // anything of any is folded. The last applied record is read again where the position has a fingerprint; all of that waits
    // for some seconds at most. holdings_out [positions->count] says {0, -1, false} of positions that are not known or not
    // read. A file's end is told only where it comes before the position. NULL: a source whose log cannot change.
    enum rf_status (*look)(struct rf_source *self, const struct rf_positions *positions, struct rf_holding *holdings_out,
                           struct rf_error *err);

    // Asks the outside whether there are more partitions than were offered; if so, the next poll tells RF_SOURCE_ASSIGNED with
    // all of them: answer with unassign() and begin anew. Waits for the answer, mostly a millisecond, seconds at most. Fails
    // as a poll does. NULL when partitions stay as they are.
    enum rf_status (*refresh)(struct rf_source *self, struct rf_error *err);

    // Starts reading. Indices of `positions` are what records carry from now on. next_offset RF_OFFSET_NONE: by the start
    // policy, and what it came to is filled in. Where a fingerprint is known, reading starts one record earlier, at
    // next_offset - 1, so that the fold can see whether the last applied record is still the same (it drops it then); if the
    // log begins exactly at next_offset, from there. RF_CONFLICT, with the offsets in the sentence, when the log does not hold
    // next_offset.
    //
    // Positions of topics that the settings no longer name may stand among them, since indices stay: they are left as they are
    // and not read, and nobody is asked about them, as they may be gone. Nothing is left to be read of them, they end at their
    // next_offset, nothing is committed for them and nothing was. A poll for one of them alone is RF_CONFLICT: the recorded
    // order cannot be followed without it.
    enum rf_status (*assign)(struct rf_source *self, struct rf_positions *positions, struct rf_error *err);

    // Lets go of all; of one of a group: answers RF_SOURCE_REVOKED or RF_SOURCE_LOST, and lets go of those alone.
    void (*unassign)(struct rf_source *self);

    // Tells the outside that everything below the positions is folded and safe, for lag and autoscaling. NULL when there
    // is nobody to tell. `note` is stored beside it (the worker's id).
    enum rf_status (*commit)(struct rf_source *self, const struct rf_positions *positions, const char *note,
                             struct rf_error *err);

    // What was committed before: next_offset RF_OFFSET_NONE where nothing was; `note_out` [note_size] gets the note of
    // the first commit found, or "". NULL when nothing can be.
    enum rf_status (*committed)(struct rf_source *self, struct rf_positions *positions, char *note_out, size_t note_size,
                                struct rf_error *err);

    // The end of each partition as known now (the next offset to be written), or -1. NULL when there is no such thing.
    void (*ends)(struct rf_source *self, int64_t *end_out);

    // The first offset of each of `positions`, which were offered, whose record is not older than a time; -1 where there is none
    // yet; undefined when it fails. Before assign() too. RF_UNSUPPORTED where records of one carry no time. NULL when they never
    // do.
    enum rf_status (*times)(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms, int64_t *offset_out,
                            struct rf_error *err);

    // Of one of a group: what a transaction needs in order to commit offsets as this member at its generation of this moment,
    // good until the group changes. RF_AGAIN: it is not a member now; without this, nothing would fence its offsets. Waits a
    // moment at most. In memory that the caller frees. NULL: of no group. A generation does not tell who owns which partition:
    // any member of it may commit offsets of any.
    enum rf_status (*group)(struct rf_source *self, uint8_t **bytes_out, size_t *size_out, struct rf_error *err);

    void (*release)(struct rf_source *self, struct rf_records *records); // takes the records of a loan back

    void (*destroy)(struct rf_source *self);
};

struct rf_source { // embedded first in each kind
    const struct rf_source_ops *ops;
    bool is_temporary; // the failure told last (by poll, look, refresh, assign, times, commit or committed) may pass by itself
    size_t partitions_assigned; // kept by the dispatcher
};

enum rf_status rf_source_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                              enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                              struct rf_error *err) RF_MUST_USE;
enum rf_status rf_source_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_source_look(struct rf_source *self, const struct rf_positions *positions, struct rf_holding *holdings_out,
                              struct rf_error *err) RF_MUST_USE;
enum rf_status rf_source_refresh(struct rf_source *self, struct rf_error *err) RF_MUST_USE;
void rf_source_unassign(struct rf_source *self);
enum rf_status rf_source_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                struct rf_error *err) RF_MUST_USE;
enum rf_status rf_source_committed(struct rf_source *self, struct rf_positions *positions, char *note_out, size_t note_size,
                                   struct rf_error *err) RF_MUST_USE;
void rf_source_ends(struct rf_source *self, int64_t *end_out); // [positions assigned], -1 where unknown
enum rf_status rf_source_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms, int64_t *offset_out,
                               struct rf_error *err) RF_MUST_USE; // RF_UNSUPPORTED where records carry no time
enum rf_status rf_source_group(struct rf_source *self, uint8_t **bytes_out, size_t *size_out,
                               struct rf_error *err) RF_MUST_USE; // RF_UNSUPPORTED: it is of no group
void rf_source_release(struct rf_source *self, struct rf_records *records);
void rf_source_destroy(struct rf_source *self);

enum rf_start { RF_START_EARLIEST, RF_START_LATEST, RF_START_TIME };

// A Kafka source that assigns itself all partitions of its topics, without joining the group. It reads only what is
// committed to the log (isolation.level read_committed) unless told otherwise.
//
// Refused in words: properties librdkafka does not know, and those that break what is promised (committing by itself,
// jumping elsewhere when a position is lost). Where the operator does not bound librdkafka's queues himself
// (queued.max.messages.kbytes, queued.min.messages), they hold 256 MiB and a million records in all, whichever comes first, but
// at least 1 MiB and 1000 records a partition.
//
// Headers are looked at only in polls that have room for them: librdkafka then parses those of each message, and allocates for
// them until the loan is released.
//
// The first polls look the topics up: RF_NOT_FOUND when one is not there; RF_IO, temporary, after at most five seconds
// when the brokers are away. Later outages are told once each, then polls are RF_SOURCE_IDLE until the brokers are back.
// Committing without a group.id is RF_INVALID. Loans must be released before the source is destroyed, and commit waits
// at most five seconds.
struct rf_source_kafka_options {
    const struct rf_pairs *properties; // librdkafka's own names, passed through; group.id names whose offsets are committed
    const struct rf_texts *topics;
    enum rf_start start;   // where no position is known
    int64_t start_time_ms; // RF_START_TIME: the first record not older than this
    bool until_end;        // stop at the ends of the partitions as they were when reading began
};
enum rf_status rf_source_kafka_create(const struct rf_source_kafka_options *options, struct rf_source **source_out,
                                      struct rf_error *err) RF_MUST_USE;

// A Kafka source that joins the group (group.id) and reads the partitions that it is given there. The protocol is that of
// partition.assignment.strategy: cooperative-sticky unless the properties say otherwise, or an eager one (range, roundrobin),
// where all partitions go before others come. isolation.level is read_committed. What RF_SOURCE_REVOKED told may be lost before
// it is answered: then the brokers refuse offsets of that generation.
//
// group.instance.id makes it a static member: one that comes back within session.timeout.ms has its partitions again without
// anybody noticing, so it does not leave the group when it is destroyed, while any other says that it leaves, and waits for that
// some seconds at most (five where a broker holds the connection and does not answer). RF_BUSY, for good: another has come with
// its group.instance.id. It is always the older one that is displaced.
//
// Positions come from assign(); offsets committed for the group are never followed by themselves. Polls must not be more than
// max.poll.interval.ms apart, else the partitions are lost; the next polls tell so, and join again. `look` uses a client of its
// own. Partitions that a topic gets later are given out within topic.metadata.refresh.interval.ms, a minute unless set.
struct rf_source_group_options {
    const struct rf_pairs *properties; // as of rf_source_kafka_options
    const struct rf_texts *topics;
    enum rf_start start; // where no position is known: earliest or latest
};
enum rf_status rf_source_group_create(const struct rf_source_group_options *options, struct rf_source **source_out,
                                      struct rf_error *err) RF_MUST_USE;

// The codecs of compressed topics that this librdkafka was built without: "lz4, zstd", or nothing, also where it does not tell.
enum { RF_KAFKA_CODECS_SIZE = 32 };
void rf_source_kafka_codecs_missing(char missing_out[RF_KAFKA_CODECS_SIZE]);

// A file: plain, gzip or zstd (told by its first bytes, not its name), or standard input ("-"). One record a line, or,
// with `is_csv`, one a CSV record; or, with `is_delimited`, a varint size before each record (protobuf); or, with `is_container`,
// one a datum of an Avro container file (ingest/avro_container.h). A line end at the very end is not a record; a last line
// without one is. Blank lines are passed over and not counted. A quote opens a field that may hold line ends only at the field's
// beginning. Missing: RF_NOT_FOUND; a folder: RF_INVALID.
//
// The topic is the path as given, with one partition 0; offsets count records from 0. A damaged or cut compressed file
// is RF_CORRUPT, after all records before the damage.
struct rf_source_file_options {
    const char *path;
    bool is_csv;
    bool is_delimited;
    bool is_container;         // an Avro container file, whose records name its schema
    bool has_header_line;      // the first line names the columns and is no record
    bool opens_late;           // when it is first to be read, and not before: it may be gone by then, unless it is asked for
    struct rf_csv_dialect csv; // with is_csv
    uint64_t record_bytes_max; // at least 1. A longer record is delivered cut to this size + 1 bytes, for the decoder to
                               // reject, and the rest of it passed over: up to the next line end, also within quotes
};
enum rf_status rf_source_file_create(const struct rf_source_file_options *options, struct rf_source **source_out,
                                     struct rf_error *err) RF_MUST_USE;

// The header line of the file (without its end); data NULL when it has none. Valid as long as the source.
struct rf_text rf_source_file_header(const struct rf_source *source);

// Sources one after the other, as history and what follows it: each is read to its end before the next one gives anything. The
// sources are owned from here on, also when this fails; what they read must differ.
//
// All are assigned at once, so that where each begins is decided at the first start. A source is closed once a record of one
// after it was applied: it is not read again, whatever came to it since, and what it reads may be gone. RF_CONFLICT when a source
// was named after that.
enum rf_status rf_source_sequence_create(struct rf_source *const *sources, size_t count, struct rf_source **source_out,
                                         struct rf_error *err) RF_MUST_USE;

// All partitions of a source as one stream by time: next is, of the next records of each partition, the one with the smallest
// (timestamp, topic, partition). Within a partition the order stays, whatever the timestamps. So the order depends on the log
// alone, and at which positions it is taken up does not show.
//
// For that a partition of which nothing has come is waited for until it is known to be at its end: `idle_ms` < 0. With idle_ms
// >= 0 it is passed over once nothing came of it for so long by `now_ms` of the polls, as live reading must, until it gives
// again. The source is owned from here on, also when this fails. A poll for one partition is answered as the source would.
// `with_headers`: polls ask for them, so those of the records held are kept too.
enum rf_status rf_source_merge_create(struct rf_source *source, int64_t idle_ms, bool with_headers, struct rf_source **source_out,
                                      struct rf_error *err) RF_MUST_USE;

#endif
