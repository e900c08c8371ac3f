#ifndef RF_OPS_BATCH_H
#define RF_OPS_BATCH_H
#include "ingest/source.h"
#include "proto/arena.h"
#include "proto/example.h"
#include "proto/prediction.h"

// Records on their way through the stages, with all the memory they need: made once, used again and again. Belongs to one
// thread at a time.
struct rf_batch {
    struct rf_records records;         // lent by the source
    size_t resolved;                   // so many of them can be decoded, see rf_pipeline_resolve()
    size_t first, end;                 // the part of them that was prepared, [first, end)
    struct rf_arena arena;             // what decoding takes
    struct rf_examples examples;       // of the records that were accepted
    struct rf_predictions predictions; // of the examples
    struct rf_rejects rejects;         // the other records
    struct rf_source *source;          // to give the records back to
    uint64_t generation;               // of the reading that the records are of, where reading may begin anew
    bool is_folded;                    // see rf_pipeline_step()
    size_t sink, published;            // how far handing over has come: which sink, and within it
};

struct rf_batch_limits {
    size_t records;      // in a batch
    size_t bytes;        // of their values, unless a single record has more
    size_t record_bytes; // of one record that is not rejected for its size
    size_t features_max; // of one example
    size_t vector_size;  // numbers an example; 0: none
    uint32_t outputs;    // scores an example
    bool with_headers;   // records come with their headers
};

// Of so large vectors fewer than this many are put into a batch, so that its memory stays within RF_BATCH_VECTOR_BYTES.
enum { RF_BATCH_VECTOR_BYTES = 16 << 20 };
size_t rf_batch_records(size_t records, size_t vector_size);

// Memory is reserved for the worst case (every byte a feature) and touched only as it is used.
enum rf_status rf_batch_create(const struct rf_batch_limits *limits, struct rf_batch **batch_out,
                               struct rf_error *err) RF_MUST_USE;
void rf_batch_destroy(struct rf_batch *batch); // gives back what is lent

// Gives the records back to their source and forgets what was made of them.
void rf_batch_reset(struct rf_batch *batch, size_t declared_fields);

// Forgets what was made of the records, and keeps them.
void rf_batch_forget(struct rf_batch *batch, size_t declared_fields);

#endif
