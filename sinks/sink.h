#ifndef RF_SINKS_SINK_H
#define RF_SINKS_SINK_H
// Where predictions and rejected records go. What crosses is described in docs/PROTOCOL.md.
#include "proto/prediction.h"
#include "proto/setting.h"
#include "proto/status.h"

#include <stdbool.h>
#include <stdint.h>

struct rf_sink;
struct rf_outbox;

// What a kind of sink must do. All calls come from one thread, but for sync().
struct rf_sink_ops {
    const char *name;

    // Hands over the batch's predictions from index *done on, moving *done as it goes. RF_AGAIN: the outside has no room
    // now; call again with the same batch. RF_IO, in words: it failed for good. NULL when the kind does not carry them.
    enum rf_status (*publish)(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done, struct rf_error *err);

    // The same for rejected records.
    enum rf_status (*reject)(struct rf_sink *self, const struct rf_rejects *rejects, size_t *done, struct rf_error *err);

    // Tells that predictions which were handed over, or still are, are void. RF_AGAIN: no room now, call again. NULL: the kind
    // has nobody to tell.
    enum rf_status (*retract)(struct rf_sink *self, const struct rf_retraction *retraction, struct rf_error *err);

    // What is due without a batch; called at every step of the worker. NULL when nothing ever is.
    enum rf_status (*attend)(struct rf_sink *self, int64_t now_ms, struct rf_error *err);

    // Draws a line under what was handed over so far, for a snapshot: settle() tells when all of it is safe. At most one
    // line is drawn at a time. Returns the bookmark to store in that snapshot.
    uint64_t (*mark)(struct rf_sink *self);

    // After mark(): makes what stands before the line safe, where that takes so long that publishing should not wait for it (a
    // disk). May be called by another thread while records are handed over; what went wrong is told by settle(). NULL: nothing
    // takes long.
    void (*sync)(struct rf_sink *self);

    // RF_OK: everything up to the line has been confirmed by the outside (written and synced, acknowledged by Kafka, or
    // there is nothing to confirm), and stays so until the next line. RF_AGAIN: not yet, after waiting up to timeout_ms.
    // RF_IO: some of it never will be. Before the first line: of everything handed over so far. NULL: nothing is ever to
    // be confirmed.
    enum rf_status (*settle)(struct rf_sink *self, int timeout_ms, struct rf_error *err);

    // Before the first publish after a resume: forgets what was written after the bookmark, so that the records that are
    // folded again do not stand twice. Called only with a bookmark that the snapshot resumed from holds for this sink's
    // label: 0 is one like any other (nothing was written yet). RF_CONFLICT: the outside is not what the bookmark was
    // taken from. NULL when the outside cannot forget.
    enum rf_status (*rewind)(struct rf_sink *self, uint64_t bookmark, struct rf_error *err);

    void (*destroy)(struct rf_sink *self);
};

struct rf_sink { // embedded first in each kind
    const struct rf_sink_ops *ops;
    char *label;        // unique among the sinks of a model and stable over restarts, e.g. "file:scores.jsonl"; owned
    char *endpoint;     // the address it is bound to, with the port that `*` stood for; NULL when not bound; owned
    bool is_lossy;      // the operator chose a kind that drops what the outside has no room for
    uint64_t published; // predictions or rejected records handed over; counted by the dispatcher
    uint64_t waits;     // times the outside had no room
    uint64_t gaps;      // lossy kinds: times somebody outside had no room and began to miss what others got
    uint64_t repeats;   // batches handed over again, as who had them went away
};

enum rf_status rf_sink_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                               struct rf_error *err) RF_MUST_USE;
enum rf_status rf_sink_reject(struct rf_sink *self, const struct rf_rejects *rejects, size_t *done,
                              struct rf_error *err) RF_MUST_USE;
enum rf_status rf_sink_retract(struct rf_sink *self, const struct rf_retraction *retraction, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_sink_attend(struct rf_sink *self, int64_t now_ms, struct rf_error *err) RF_MUST_USE;
uint64_t rf_sink_mark(struct rf_sink *self);
void rf_sink_sync(struct rf_sink *self);
enum rf_status rf_sink_settle(struct rf_sink *self, int timeout_ms, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_sink_rewind(struct rf_sink *self, uint64_t bookmark, struct rf_error *err) RF_MUST_USE;
void rf_sink_destroy(struct rf_sink *self);

struct rf_sink_context {
    const char *model;
    const struct rf_pairs *kafka; // connection properties, for sinks to Kafka
    struct rf_outbox *outbox;     // where sinks to Kafka put records, for somebody else to send them; NULL: they send them
};

// The registry: one row a sink. `options` is the struct that the variant's settings describe.
struct rf_sink_kind {
    // What can be told of the options without opening anything: RF_INVALID, in words. NULL when nothing can.
    enum rf_status (*check)(const void *options, struct rf_error *err);
    enum rf_status (*create)(const void *options, const struct rf_sink_context *context, struct rf_sink **sink_out,
                             struct rf_error *err);
};
enum rf_status rf_sink_check(const struct rf_variant_value *value, struct rf_error *err) RF_MUST_USE;
extern const struct rf_variant rf_sink_variants[]; // zeromq, kafka, file; `registration` is a struct rf_sink_kind

// Sends each batch as one message, see docs/PROTOCOL.md. A publisher drops what a subscriber has no room for (and is
// lossy); a pusher answers RF_AGAIN while no peer has room. Exactly one of the two endpoints is set. Where readers confirm, a
// batch counts as safe only then, and is sent again when a reader has gone away.
struct rf_sink_zeromq_options {
    char *publish, *push;     // endpoints to bind: tcp://ADDRESS:PORT (port `*`: a free one) or ipc://PATH
    char *confirm;            // of a pusher: where its readers confirm each batch; NULL: they do not
    uint64_t high_water_mark; // batches queued for one peer; with `confirm`, batches that are not confirmed
    uint64_t linger_ms;       // how long destroy() waits for what is queued
};

// Produces one record a prediction, its key the example's id. Confirmed when all replicas in sync have it. An id that makes
// it larger than message.max.bytes is left out, which the record tells.
struct rf_sink_kafka_options {
    char *topic;
    int format; // enum rf_message_format
};

// Appends one JSON line a prediction, with one write a batch; `-` is standard output. The file is locked while it is
// open. What stood in it before a fresh start stays; its length is the bookmark. settle() syncs what sync() did not, whatever
// timeout_ms: the disk has begun with nearly all of it by then.
struct rf_sink_file_options {
    char *path;
};

enum rf_status rf_sink_create(const struct rf_variant_value *value, const struct rf_sink_context *context,
                              struct rf_sink **sink_out, struct rf_error *err) RF_MUST_USE;

// The settings under `rejected`: a topic or a file.
struct rf_rejected_options {
    char *topic, *file;
};
extern const struct rf_setting rf_rejected_settings[];
// *sink_out is NULL when neither is set: rejected records are then only counted.
enum rf_status rf_sink_rejected_create(const struct rf_rejected_options *options, const struct rf_sink_context *context,
                                       struct rf_sink **sink_out, struct rf_error *err) RF_MUST_USE;

#endif
