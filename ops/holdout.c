#include "ops/holdout.h"

#include <string.h>

struct rf_holdout rf_holdout_of(uint64_t seed, double from, double to) {
    // Of its own: which records are held out shall not hang together with which features collide.
    static const uint64_t twist = 0x74756f646c6f68; // "holdout"
    return (struct rf_holdout){.key = rf_hash_key_of_seed(seed ^ twist), .from = from, .to = to};
}

static void put(uint64_t value, unsigned char *to) {
    for (unsigned i = 0; i < 8; i++) {
        to[i] = (unsigned char)(value >> 8 * i);
    }
}

static uint64_t hash_of(const struct rf_holdout *holdout, const struct rf_examples *examples, size_t index,
                        const struct rf_positions *positions) {
    const struct rf_text *id = &examples->id[index];
    if (id->data) {
        return rf_hash(holdout->key, id->data, id->size);
    }
    const struct rf_position *position = &positions->list[examples->partition[index]];
    unsigned char bytes[24];
    put(rf_hash(holdout->key, position->topic, strlen(position->topic)), bytes);
    put((uint64_t)position->partition, bytes + 8);
    put((uint64_t)examples->offset[index], bytes + 16);
    return rf_hash(holdout->key, bytes, sizeof bytes);
}

bool rf_holdout_has(const struct rf_holdout *holdout, const struct rf_examples *examples, size_t index,
                    const struct rf_positions *positions) {
    double place = (double)(hash_of(holdout, examples, index, positions) >> 11) * 0x1p-53;
    return place >= holdout->from && place < holdout->to;
}
