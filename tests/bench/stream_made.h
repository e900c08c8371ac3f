#ifndef RF_TESTS_BENCH_STREAM_MADE_H
#define RF_TESTS_BENCH_STREAM_MADE_H
// A made stream for benchmarks of learners: every record has the same number of hashed features of value 1, drawn uniformly or
// by Zipf's law (exponent 1) from as many as the table has rows. Each feature has a true weight, the label follows their sum.
#include "proto/example.h"
#include "proto/random.h"

#include <stdbool.h>

struct made_options {
    size_t features;
    unsigned bits; // log2 of the number of features there are
    bool is_zipf;
    uint64_t seed;
};

struct made_stream {
    struct made_options options;
    struct rf_random random;
};

void made_stream_init(struct made_stream *stream, const struct made_options *options);

// Fills features[options.features] with the indices of the next record's features, and returns its label.
double made_stream_next(struct made_stream *stream, uint32_t *features);

// The hash that stands for a feature: well mixed, as a keyed hash of its name would be.
uint64_t made_hash(uint32_t feature);

// Appends records until the examples are full.
void made_stream_fill(struct made_stream *stream, struct rf_examples *examples);

#endif
