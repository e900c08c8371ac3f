#ifndef RF_PROTO_EXAMPLE_H
#define RF_PROTO_EXAMPLE_H
#include "proto/status.h"
#include "proto/text.h"

#include <stddef.h>
#include <stdint.h>

// What an example is for; bits, per example.
enum rf_purpose {
    RF_OBSERVE = 1,   // moves windows and joins
    RF_PREDICT = 2,   // gets a prediction
    RF_EVALUATE = 4,  // its label meets the prediction given before; needs RF_PREDICT and a label
    RF_LEARN = 8,     // moves all that the learner owns; needs a label
    RF_HOLD_OUT = 16, // evaluated apart from those learned: with neither RF_EVALUATE nor RF_LEARN
};

enum rf_feature_kind {
    RF_NUMBER,        // value = the number; scaled by learners that scale
    RF_CATEGORY,      // value = 1, or a share of 1 in a bucket; never scaled; the hash covers field and category
    RF_SPARSE_NUMBER, // a number, never 0, of a format in which absent means 0: scaled without centring
};

#define RF_FIELD_UNKNOWN UINT32_MAX          // (an enumerator may not be beyond int)
#define RF_FIELD_VECTOR UINT32_C(0x7fffffff) // no field of its own, but a coordinate of the vector
#define RF_FIELD_CROSS UINT32_C(0x80000000)  // and above: no field, but a cross of that number

// A cross of two or three sides, as the settings name them: for every choice of one feature from each side there is one more
// feature. Which features are of a side follows from their fields.
enum { RF_CROSS_SIDES_MAX = 3 };
struct rf_cross {
    const char *name; // as shown to people, e.g. "customer x hour"
    uint32_t sides;   // 2 or 3
    struct rf_fields {
        const uint32_t *list; // [count] indices of declared fields, rising
        size_t count;
    } side[RF_CROSS_SIDES_MAX]; // the same list twice: each pair of its features once
};

// A batch of examples as flat arrays. Example i owns the features [row_start[i], row_start[i + 1]). All values are raw:
// masking a hash to a table, scaling and encoding belong to the learner. Everything stays until the predictions of the
// batch have left, so that any of them can be explained.
struct rf_examples {
    size_t count;    // examples
    size_t capacity; // examples
    size_t feature_capacity;
    size_t features_max; // of one example: what learners have room for; SIZE_MAX at first

    size_t *row_start;   // [capacity + 1], row_start[0] == 0
    uint8_t *purpose;    // [capacity] bits of enum rf_purpose
    uint32_t *partition; // [capacity] index into the positions
    int64_t *offset;     // [capacity]
    int64_t *time_ms;    // [capacity] event time, Unix; the record's timestamp when no field is named; -1 unknown
    double *label;       // [capacity] value, 0 or 1, or class index; NaN when there is none
    double *weight;      // [capacity] importance, >= 0, 1 by default
    struct rf_text *id;  // [capacity] data NULL: none. Borrowed from the record or the batch's arena

    uint64_t *hash;  // [feature_capacity] keyed 64-bit hash, see ingest/feature.h
    double *value;   // [feature_capacity] raw, finite
    uint32_t *field; // [feature_capacity] index into field_name
    uint8_t *kind;   // [feature_capacity] enum rf_feature_kind

    // The vector of each example, for learners of dense records: images, embeddings.
    size_t vector_size; // numbers a vector; 0: examples have none
    float *vector;      // [capacity][vector_size] raw, finite; NULL when there are none

    // The fields met: first those the schema declares (the same in every batch), then those met in this batch.
    struct rf_text *field_name; // [field_capacity]
    size_t field_count;
    size_t field_capacity;
};

// Reserves flat arrays of the given capacities; pages are touched only as they are used.
enum rf_status rf_examples_init(struct rf_examples *examples, size_t capacity, size_t feature_capacity, size_t field_capacity,
                                struct rf_error *err) RF_MUST_USE;

// Reserves a vector of `size` numbers for each example; called at most once, after rf_examples_init().
enum rf_status rf_examples_reserve_vectors(struct rf_examples *examples, size_t size, struct rf_error *err) RF_MUST_USE;
void rf_examples_finish(struct rf_examples *examples);

// Forgets all examples, and the field names past `declared_fields`.
void rf_examples_reset(struct rf_examples *examples, size_t declared_fields);

#endif
