#ifndef RF_PROTO_PREDICTION_H
#define RF_PROTO_PREDICTION_H
#include "proto/example.h"
#include "proto/position.h"
#include "proto/record.h"

#include <stdbool.h>

// Names the exact state of a model that gave a prediction. No version is used twice with different contents.
struct rf_version {
    uint32_t line;  // 1, and one more with every rollback
    uint64_t base;  // number of the snapshot it stands on, in a fleet of the delta; 0: none yet
    uint32_t epoch; // how often this worker was started on this state folder; in a fleet: of its join, among all of the fleet's
    uint64_t since; // records folded since `base`; in a fleet: by this worker in this epoch
};

enum rf_task { RF_TASK_REGRESSION, RF_TASK_BINARY, RF_TASK_MULTICLASS };

// The predictions for a batch of examples, in their order. `score` holds `outputs` numbers an example:
//     regression: the value.  binary: the probability of class 1 (hinge: the margin, class 1 when > 0).
//     multiclass: the probability of each class.
// Examples without RF_PREDICT have NaN scores and are not published.
struct rf_predictions {
    const char *model;                    // its name
    const struct rf_examples *examples;   // borrowed, of the same batch
    const struct rf_positions *positions; // borrowed: names of topics and partitions
    const char *const *classes;           // [outputs] names (binary: 2), or NULL: classes are called by their index
    enum rf_task task;
    uint32_t outputs;
    bool is_margin;            // binary: score is a margin, not a probability
    struct rf_version version; // of the first prediction, before anything of the batch was learned
    uint64_t sequence;         // of this batch in the life of this worker's epoch, from 1
    double *score;             // [capacity of examples][outputs]
    uint64_t *since;           // [capacity of examples] version.since of each
};

// Predictions of a worker of a fleet that are void, since what had been learned before them never came into the log of deltas:
// those of `line` and `epoch` with `since` in [since_first, since_end), whether they were received already or are still on their
// way.
struct rf_retraction {
    const char *model;
    uint32_t line, epoch;
    uint64_t since_first, since_end;
};

// The class a prediction names: the most probable one, the lowest index among equals. -1 for a regression and for an
// example that got no prediction.
int32_t rf_prediction_class(const struct rf_predictions *predictions, size_t index);

// Why a record was rejected. The names stand in messages, metrics and files: do not change them.
#define RF_REASON_LIST(X)                                                      \
    X(RF_REASON_EMPTY, "empty", "the record has no bytes")                     \
    X(RF_REASON_TOMBSTONE, "tombstone", "the record is a tombstone")           \
    X(RF_REASON_UNDECODABLE, "undecodable", "the bytes are not of the format") \
    X(RF_REASON_ENCODING, "encoding", "text is not UTF-8")                     \
    X(RF_REASON_DUPLICATE, "duplicate_field", "a field stands twice")          \
    X(RF_REASON_TYPE, "type", "a field has the wrong type")                    \
    X(RF_REASON_NON_FINITE, "non_finite", "a number is not finite")            \
    X(RF_REASON_LABEL, "label", "the label is out of range")                   \
    X(RF_REASON_LIMIT, "limit", "a stated limit is exceeded")

enum rf_reason {
#define RF_REASON_MEMBER(name, word, text) name,
    RF_REASON_LIST(RF_REASON_MEMBER)
#undef RF_REASON_MEMBER
            RF_REASON_COUNT
};

const char *rf_reason_word(enum rf_reason reason); // e.g. "non_finite"

enum { RF_REJECT_DETAIL_SIZE = 160 };

// One rejected record: it never reached the model. Counted by reason, and sent on with its origin and bytes.
struct rf_reject {
    enum rf_reason reason;
    struct rf_record record;            // borrowed bytes
    char detail[RF_REJECT_DETAIL_SIZE]; // what and where, e.g. "field amount: 1e400 is not finite"; NUL-terminated
};

struct rf_rejects {
    struct rf_reject *list;
    size_t count;
    size_t capacity;
    const struct rf_positions *positions; // borrowed
    const char *model;
};

#endif
