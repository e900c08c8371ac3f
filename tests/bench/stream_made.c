#include "tests/bench/stream_made.h"
#include "proto/math.h"

#include <stdlib.h>

uint64_t made_hash(uint32_t feature) {
    uint64_t state = feature;
    return rf_splitmix64(&state);
}

// From -1 to 1, by the feature alone.
static double true_weight(uint32_t feature) {
    uint64_t state = feature ^ UINT64_C(0x5eed00000000);
    return (double)(rf_splitmix64(&state) >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

// Zipf's law with exponent 1: the logarithm of the rank is uniform.
static uint32_t draw(struct made_stream *stream) {
    double u = rf_random_uniform(&stream->random);
    unsigned bits = stream->options.bits;
    double rank = stream->options.is_zipf ? rf_exp(u * bits * 0.69314718055994530942) - 1 : u * (double)(UINT64_C(1) << bits);
    return (uint32_t)rank;
}

void made_stream_init(struct made_stream *stream, const struct made_options *options) {
    stream->options = *options;
    rf_random_init(&stream->random, options->seed);
}

double made_stream_next(struct made_stream *stream, uint32_t *features) {
    double score = 0;
    for (size_t i = 0; i < stream->options.features; i++) {
        features[i] = draw(stream);
        score += true_weight(features[i]);
    }
    return rf_random_uniform(&stream->random) < rf_sigmoid(score) ? 1 : 0;
}

void made_stream_fill(struct made_stream *stream, struct rf_examples *examples) {
    size_t width = stream->options.features;
    uint32_t *features = calloc(width, sizeof *features);
    while (features && examples->count < examples->capacity) {
        size_t index = examples->count++;
        size_t begin = examples->row_start[index];
        examples->label[index] = made_stream_next(stream, features);
        examples->weight[index] = 1;
        examples->purpose[index] = RF_PREDICT | RF_LEARN | RF_EVALUATE;
        examples->row_start[index + 1] = begin + width;
        for (size_t i = 0; i < width; i++) {
            examples->hash[begin + i] = made_hash(features[i]);
            examples->value[begin + i] = 1;
            examples->field[begin + i] = 0;
            examples->kind[begin + i] = RF_CATEGORY;
        }
    }
    free(features);
}
